"""Articles and videos published on the OA, where Zalo lets us list them.

An extra: it needs a permission and a paid package, and its shape is only partly documented. Without it the look
holds the followers, and promises nothing about posts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Annotated, Literal

import msgspec

from collectors.base import CollectError
from collectors.door import Door
from collectors.payload import Count
from collectors.refusals import understood
from collectors.website.text import normal_url, plain
from collectors.zalo.account import ask
from collectors.zalo.errors import ZALO
from store.records import EVER, Confidence, Counts, DateSource, FailureKind, Post

SCOPE = "đọc bài viết (quyền «Quản lý bài viết»)"
Kind = Literal["normal", "video"]
KINDS: dict[Kind, str] = {"normal": "article", "video": "video"}
"""Zalo's word -> the kind of post. Zalo lists each kind by itself."""
A_PAGE = 10
MOST_PAGES = 50
OVERLAP = timedelta(days=7)
OPTIONAL = frozenset({FailureKind.PERMISSION, FailureKind.QUOTA, FailureKind.DRIFT})
"""Failures that only mean that this extra is not to be had."""

DENIED = "Chưa đọc được bài viết của OA: {why}"
CUT = "Zalo liệt kê bài viết dở dang nên có thể còn bài chưa thấy. Hệ thống tự đọc lại ở lần sau."

Millisecond = Annotated[int, msgspec.Meta(ge=1_400_000_000_000, le=4_000_000_000_000)]


class Media(msgspec.Struct):
    id: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    title: str
    create_date: Millisecond
    status: str = "show"
    link_view: str | None = None
    total_view: Count | None = None
    total_share: Count | None = None

    @property
    def published_at(self) -> datetime:
        return datetime.fromtimestamp(self.create_date / 1000, UTC)


class MediaPage(msgspec.Struct):
    total: Count
    medias: list[Media]


class MediaAnswer(msgspec.Struct):
    data: MediaPage


@dataclass(slots=True)
class Shelf:
    """What one kind of articles brought. `coverage` as in a Reading; `denied`: Zalo refused this kind."""

    medias: dict[str, Media] = field(default_factory=dict)
    coverage: datetime | None = None
    complete: bool = True
    denied: bool = False
    notes: tuple[str, ...] = ()


async def read_shelf(door: Door, kind: Kind, floor: datetime | None) -> Shelf:
    """The articles of one kind down to a page that lies wholly before *floor*; all of them when it is None.

    A refusal or an unknown shape is a note; any other failure is raised.
    """
    shelf = Shelf()
    try:
        await _fill(shelf, door, kind, floor)
    except CollectError as error:
        if error.kind not in OPTIONAL:
            raise
        denied = error.kind is FailureKind.PERMISSION
        return Shelf(complete=denied, denied=denied, notes=(DENIED.format(why=error.sentence),))
    return shelf


async def _fill(shelf: Shelf, door: Door, kind: Kind, floor: datetime | None) -> None:
    for number in range(MOST_PAGES):
        query = {"offset": str(number * A_PAGE), "limit": str(A_PAGE), "type": kind}
        page = understood(await ask(door, "/v2.0/article/getslice", query, SCOPE), MediaAnswer, ZALO).data
        before = len(shelf.medias)
        shelf.medias |= {media.id: media for media in page.medias}
        ends = len(shelf.medias) == before
        if len(shelf.medias) == page.total or (ends and len(shelf.medias) > page.total):
            shelf.coverage = EVER
            return
        if floor and _lies_before(page.medias, floor):
            shelf.coverage = floor if _is_newest_first(list(shelf.medias.values())) else None
            return
        if ends:
            break
    shelf.complete, shelf.notes = False, (CUT,)


def _lies_before(medias: Sequence[Media], floor: datetime) -> bool:
    return bool(medias) and all(media.published_at < floor for media in medias)


def _is_newest_first(medias: Sequence[Media]) -> bool:
    """Zalo does not say how it sorts; only a list that is sorted proves anything about what was not read."""
    return all(newer.create_date >= older.create_date for newer, older in pairwise(medias))


def to_post(media: Media, kind: Kind) -> Post:
    return Post(
        platform_id=media.id,
        title=plain(media.title),
        link=normal_url(media.link_view or ""),
        published_at=media.published_at,
        date_source=DateSource.API,
        date_confidence=Confidence.EXACT,
        kind=KINDS[kind],
        counts=Counts(shares=media.total_share, views=media.total_view),
    )
