"""The account's public videos, newest first, twenty a page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import partial
from typing import Annotated

import msgspec

from collectors.base import Look
from collectors.door import Door
from collectors.payload import Count
from collectors.refusals import understood
from collectors.tiktok.errors import TIKTOK, judge
from collectors.website.text import excerpt, normal_url, plain
from config.secrets import Secret
from store.records import Confidence, Counts, DateSource, Post

SCOPE = "video.list"
A_PAGE = 20
MOST_PAGES = 200
EMPTY_PAGES = 3
"""So many empty pages in a row that promise more are believed to go on for ever."""
FIELDS = (
    "id",
    "create_time",
    "title",
    "video_description",
    "share_url",
    "like_count",
    "comment_count",
    "share_count",
    "view_count",
)
"""All we ask about a video."""

_HANDLE = re.compile(r"tiktok\.com/@([\w.]+)/", re.IGNORECASE)

Id = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{5,25}$")]
Second = Annotated[int, msgspec.Meta(ge=1_400_000_000, le=4_000_000_000)]
"""A Unix second between 2014 and 2096: milliseconds would be drift."""


class Video(msgspec.Struct):
    id: Id
    create_time: Second
    title: str | None = None
    video_description: str | None = None
    share_url: str | None = None
    like_count: Count | None = None
    comment_count: Count | None = None
    share_count: Count | None = None
    view_count: Count | None = None

    @property
    def published_at(self) -> datetime:
        return datetime.fromtimestamp(self.create_time, UTC)

    @property
    def uploaded_at(self) -> datetime:
        """The moment that the upper half of TikTok's ids holds."""
        return datetime.fromtimestamp(min(int(self.id) >> 32, 2**33), UTC)


class VideoPage(msgspec.Struct):
    videos: list[Video]
    cursor: Count
    has_more: bool


class VideoAnswer(msgspec.Struct):
    data: VideoPage


class End(Enum):
    """Why a walk down the list stopped."""

    WHOLE = "the list said that there is no more"
    FAR_ENOUGH = "a page lay wholly before the floor"
    STUCK = "the list went round in circles, or promised more and brought nothing"
    TOO_LONG = "as many pages as one look may read"


@dataclass(slots=True)
class Listing:
    """What a walk down the list brought: each video once, and why it stopped."""

    videos: dict[str, Video] = field(default_factory=dict)
    end: End = End.TOO_LONG

    @property
    def oldest(self) -> datetime | None:
        return min((video.published_at for video in self.videos.values()), default=None)


async def list_videos(door: Door, floor: datetime | None) -> Listing:
    """The videos down to a page that lies wholly before *floor*; all of them when it is None."""
    listing, cursor, asked, empty = Listing(), None, set[int | None](), 0
    for _ in range(MOST_PAGES):
        page = await door.through(partial(_ask, door.look, cursor))
        listing.videos |= {video.id: video for video in page.videos}
        asked.add(cursor)
        empty = 0 if page.videos else empty + 1
        end = _end_of(page, floor, is_stuck=page.cursor in asked or empty == EMPTY_PAGES)
        if end:
            listing.end = end
            break
        cursor = page.cursor
    return listing


def _end_of(page: VideoPage, floor: datetime | None, *, is_stuck: bool) -> End | None:
    if not page.has_more:
        return End.WHOLE
    if floor and page.videos and all(video.published_at < floor for video in page.videos):
        return End.FAR_ENOUGH
    return End.STUCK if is_stuck else None


async def _ask(look: Look, cursor: int | None, token: Secret) -> VideoPage:
    asked = {"max_count": A_PAGE} if cursor is None else {"max_count": A_PAGE, "cursor": cursor}
    answer = await look.post(
        f"{look.platforms.tiktok.base.rstrip('/')}/v2/video/list/?fields={','.join(FIELDS)}",
        msgspec.json.encode(asked),
        headers={"content-type": "application/json"},
        secrets={"Authorization": f"Bearer {token.reveal()}"},
        expect=range(400, 600),
        judge=lambda answer: judge(answer, look.now, SCOPE),
    )
    return understood(answer.body, VideoAnswer, TIKTOK).data


def to_post(video: Video) -> Post:
    text = video.title or video.video_description or ""
    return Post(
        platform_id=video.id,
        title=plain(text.strip().partition("\n")[0]),
        link=normal_url(video.share_url or ""),
        published_at=video.published_at,
        date_source=DateSource.API,
        date_confidence=Confidence.EXACT,
        excerpt=excerpt(video.video_description or text),
        kind="video",
        counts=Counts(video.like_count, video.comment_count, video.share_count, video.view_count),
    )


def handles(videos: Sequence[Video]) -> set[str]:
    """The account names that stand in the links of these videos, lower-case; usually one, none when links are short."""
    found = (_HANDLE.search(video.share_url or "") for video in videos)
    return {match[1].lower() for match in found if match}


def dates_disagree(videos: Sequence[Video]) -> bool:
    """Whether most ids hold another day than `create_time` says: one may be a scheduled video, most are a change."""
    odd = sum(abs(video.published_at - video.uploaded_at) > timedelta(days=1) for video in videos)
    return odd * 2 > len(videos)
