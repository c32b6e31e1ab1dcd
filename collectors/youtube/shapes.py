"""The answers of YouTube, as far as we read them: who wrote a video or a comment does not exist for us."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from collectors.youtube.errors import drift

Number = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,18}$")]
"""A count: YouTube writes 64-bit numbers as JSON strings."""
VideoId = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Instant = Annotated[datetime, msgspec.Meta(tz=True)]
EARLIEST, LATEST = 2005, 2100
"""The first video is of April 2005; what lies outside is no date but damage."""


class Shape(msgspec.Struct, rename="camel"):
    """Fields are named as in the answers, in camelCase."""


class PageInfo(Shape):
    """Every list has it, an empty one too: an answer without it says nothing."""

    total_results: int


class ChannelSnippet(Shape):
    published_at: Instant


class ChannelCounts(Shape):
    """Hidden subscribers leave no count, or a zero that means nothing."""

    subscriber_count: Number | None = None
    hidden_subscriber_count: bool = False
    video_count: Number | None = None
    view_count: Number | None = None


class RelatedLists(Shape):
    uploads: str


class ChannelContent(Shape):
    related_playlists: RelatedLists


class ChannelItem(Shape):
    id: str
    snippet: ChannelSnippet
    statistics: ChannelCounts
    content_details: ChannelContent


class ChannelPage(Shape):
    page_info: PageInfo
    items: list[ChannelItem] = []


class OwnId(Shape):
    id: str


class OwnPage(Shape):
    """The channel of the one who consented."""

    items: list[OwnId] = []


class ListedSnippet(Shape):
    """`published_at` is the moment of the upload: the list is ordered by it."""

    title: str
    description: str = ""
    published_at: Instant | None = None


class ListedContent(Shape):
    video_id: VideoId
    video_published_at: Instant | None = None


class ListedStatus(Shape):
    privacy_status: str = "public"


class Listed(Shape):
    """One item of the uploads list."""

    snippet: ListedSnippet
    content_details: ListedContent
    status: ListedStatus = msgspec.field(default_factory=ListedStatus)

    @property
    def id(self) -> str:
        return self.content_details.video_id


class ListPage(Shape):
    page_info: PageInfo
    items: list[Listed] = []
    next_page_token: str = ""


class VideoCounts(Shape):
    """Hidden likes and closed comments leave no count."""

    view_count: Number | None = None
    like_count: Number | None = None
    comment_count: Number | None = None


class VideoStatistics(Shape):
    id: VideoId
    statistics: VideoCounts


class StatisticsPage(Shape):
    items: list[VideoStatistics] = []


class VideoSnippet(Shape):
    title: str
    published_at: Instant
    description: str = ""
    live_broadcast_content: str = "none"


class LiveDetails(Shape):
    actual_start_time: Instant | None = None


class Video(Shape):
    id: VideoId
    snippet: VideoSnippet
    statistics: VideoCounts
    live_streaming_details: LiveDetails | None = None


class VideoPage(Shape):
    items: list[Video] = []


class Header(Shape):
    name: str


class Table(Shape):
    """An Analytics report: cells in the order of the headers, which no one promises."""

    column_headers: list[Header]
    rows: list[list[str | int | float | None]] = []


def number(text: str | None) -> int | None:
    return None if text is None else int(text)


def seconds(moment: datetime) -> int:
    """*moment* as epoch seconds; CollectError(DRIFT) when it cannot be the date of a video."""
    if not EARLIEST <= moment.year <= LATEST:
        raise drift("a date outside of YouTube's time")
    return int(moment.timestamp())
