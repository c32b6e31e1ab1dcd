"""From page to page of a list, newest first, until everything wanted was seen; and what that proves.

The documentation calls the order of posts «ranked»: a page counts as the last wanted one only when all of its
posts are too old.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from collectors.base import CollectError
from collectors.facebook.errors import TooMuchError
from collectors.facebook.known import WEEK, is_due, moment
from collectors.facebook.posts import Batch
from store.records import EVER, FailureKind, Post

T = TypeVar("T")

A_PAGE = 25
SMALLEST_PAGE = 5
MOST_PAGES = 400
EMPTY_PAGES = 3
OVERLAP = timedelta(days=7)
"""Later looks read this much further back than the newest known post, for scheduled ones."""
SWEEP = timedelta(days=35)
"""Once a week counts of posts this old are refreshed."""
PASSING = frozenset({FailureKind.NETWORK, FailureKind.THROTTLED, FailureKind.QUOTA})

CUT_SHORT = "Chưa đọc hết danh sách bài vì {why}. Hệ thống tự đọc tiếp ở lần sau."
LOOPING = "Danh sách bài của Facebook lặp lại, không đọc hết được. Hệ thống tự thử lại ở lần sau."
ALLOWANCE = "Facebook yêu cầu đọc chậm lại"
TOO_LONG = "danh sách quá dài"
TROUBLE = "Facebook trục trặc giữa chừng"


@dataclass(frozen=True, slots=True)
class Found:
    """Posts of one list. The fields mean what they mean in a Reading."""

    posts: tuple[Post, ...] = ()
    coverage: datetime | None = EVER
    complete: bool = True
    notes: tuple[str, ...] = ()


class Limit:
    """How many posts are asked for at a time; it only ever shrinks."""

    def __init__(self) -> None:
        self.size = A_PAGE

    async def shrinking(self, ask: Callable[[int], Awaitable[T]]) -> T:
        """The answer for as many as Facebook is ready to give: half as many each time, down to 5."""
        while True:
            try:
                return await ask(self.size)
            except TooMuchError:
                if self.size <= SMALLEST_PAGE:
                    raise
                self.size = max(self.size // 2, SMALLEST_PAGE)


def floor(horizon: datetime, newest: int | None, *, sweep: bool, now: datetime) -> datetime:
    """How far back a look reads: to the horizon at first, then a week before the newest known, weekly 35 days."""
    if newest is None:
        return horizon
    usual = moment(newest) - OVERLAP
    return max(min(usual, now - SWEEP) if sweep else usual, horizon)


def sweeps(swept_at: int, now: datetime) -> bool:
    return is_due(swept_at, now, WEEK)


async def walk(
    first: Batch, since: datetime, onward: Callable[[str], Awaitable[Batch]], may_go_on: Callable[[], bool]
) -> Found:
    """All posts back to *since*; an overlap of pages gives no post twice."""
    posts: dict[str, Post] = {}
    cursors: set[str] = set()
    batch, empty = first, 0
    while True:
        posts |= {post.platform_id: post for post in reversed(batch.posts) if post.platform_id not in posts}
        empty = 0 if batch.posts else empty + 1
        if batch.after is None:
            return Found(newest_first(posts.values()))
        if batch.posts and all(is_before(post, since) for post in batch.posts):
            return Found(newest_first(posts.values()), since)
        if batch.after in cursors or empty >= EMPTY_PAGES:
            return Found(newest_first(posts.values()), None, complete=False, notes=(LOOPING,))
        if len(cursors) >= MOST_PAGES or not may_go_on():
            return cut_short(posts.values(), TOO_LONG if may_go_on() else ALLOWANCE)
        cursors.add(batch.after)
        try:
            batch = await onward(batch.after)
        except CollectError as error:
            if error.kind not in PASSING:
                raise
            return cut_short(posts.values(), ALLOWANCE if error.retry_at else TROUBLE)


def cut_short(posts: Iterable[Post], why: str) -> Found:
    """What was read before the list was cut off proves as much as its oldest post."""
    kept = newest_first(posts)
    return Found(kept, oldest(kept), complete=False, notes=(CUT_SHORT.format(why=why),))


def newest_first(posts: Iterable[Post]) -> tuple[Post, ...]:
    return tuple(sorted(posts, key=lambda post: (post.published_at or EVER, post.platform_id), reverse=True))


def oldest(posts: Iterable[Post]) -> datetime | None:
    return min((post.published_at for post in posts if post.published_at), default=None)


def is_before(post: Post, since: datetime) -> bool:
    return post.published_at is not None and post.published_at < since
