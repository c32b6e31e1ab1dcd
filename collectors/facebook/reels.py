"""Reels stand in no list of posts. Whether a Page lets them be read is tried, remembered and told.

Without them a Page that publishes only Reels looks silent (facts: Facebook 1.6).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import msgspec

from collectors.base import CollectError
from collectors.facebook.errors import FACEBOOK, RefusedError
from collectors.facebook.graph import Graph
from collectors.facebook.known import WEEK, Known, is_due, seconds
from collectors.facebook.posts import HOME, Batch, ObjectId, Paging, moment_of, split_words
from collectors.facebook.walk import A_PAGE, Found, floor, sweeps, walk
from collectors.refusals import understood
from collectors.website.text import normal_url
from store.records import EVER, Confidence, DateSource, FailureKind, Post

REEL_FIELDS = "id,created_time,description,permalink_url,length"
DENIALS = frozenset({FailureKind.PERMISSION, FailureKind.GONE, FailureKind.DRIFT})
DENIED = (
    "Trang này không cho đọc Reels nên các Reels không được tính. "
    "Đề nghị mở Trang xem Reels trước khi kết luận đơn vị im lặng."
)
NOT_THIS_TIME = "Lần này chưa đọc được Reels của Trang. Hệ thống tự đọc ở lần sau."


class Reel(msgspec.Struct):
    """What is read of one Reel. Its numbers are not part of this list: they stay missing."""

    id: ObjectId
    created_time: str
    description: str = ""
    permalink_url: str = ""


class ReelList(msgspec.Struct):
    data: list[Reel]
    paging: Paging | None = None


@dataclass(frozen=True, slots=True)
class Reels:
    """What a look learned about Reels, and what the next one should know."""

    found: Found
    known: Known


def parse_reels(body: bytes) -> Batch:
    listed = understood(body, ReelList, FACEBOOK)
    return Batch(tuple(to_post(one) for one in listed.data), listed.paging.onward() if listed.paging else None)


def to_post(reel: Reel) -> Post:
    title, rest = split_words(reel.description)
    return Post(
        platform_id=reel.id,
        title=title,
        link=normal_url(reel.permalink_url, HOME) or f"{HOME}reel/{reel.id}/",
        published_at=moment_of(reel.created_time),
        date_source=DateSource.API,
        date_confidence=Confidence.EXACT,
        excerpt=rest,
        kind="reel",
    )


async def read_reels(graph: Graph, page: str, known: Known) -> Reels:
    """The Page's Reels when it lets them be read; a refusal is remembered for a week, and fails nothing.

    A dead token is no refusal, and neither is an error that nobody knows.
    """
    now = graph.look.now
    if known.reels == "denied" and not is_due(known.reels_at, now, WEEK):
        return refused(known)
    if graph.usage.is_sparing:
        return missed(known)
    try:
        found = await _listed(graph, page, known)
    except CollectError as error:
        if error.kind is FailureKind.AUTH:
            raise
        if isinstance(error, RefusedError) and error.kind in DENIALS:
            return refused(msgspec.structs.replace(known, reels="denied", reels_at=seconds(now)))
        return missed(known)
    return Reels(found, learned(known, found, now))


async def _listed(graph: Graph, page: str, known: Known) -> Found:
    async def onward(after: str) -> Batch:
        asked = {"fields": REEL_FIELDS, "limit": str(A_PAGE)} | ({"after": after} if after else {})
        return parse_reels(await graph.get(f"{page}/video_reels", asked))

    look = graph.look
    newest = known.reels_newest if known.reels == "ok" else None
    since = floor(look.horizon, newest, sweep=sweeps(known.swept_at, look.now), now=look.now)
    return await walk(await onward(""), since, onward, lambda: not graph.usage.is_full)


def missed(known: Known) -> Reels:
    """Reels that may well be readable next time: until then the look proves nothing."""
    return Reels(Found((), None, complete=False, notes=(NOT_THIS_TIME,)), known)


def refused(known: Known) -> Reels:
    """Reels that were read once are in the store: a look that cannot see them must not miss them."""
    coverage = None if known.had_reels else EVER
    return Reels(Found((), coverage, complete=not known.had_reels, notes=(DENIED,)), known)


def learned(known: Known, found: Found, now: datetime) -> Known:
    newest = found.posts[0].published_at if found.posts else None
    whole = found.complete and newest is not None
    return msgspec.structs.replace(
        known,
        reels="ok",
        reels_at=seconds(now),
        had_reels=known.had_reels or bool(found.posts),
        reels_newest=seconds(min(newest, now)) if whole and newest else known.reels_newest,
    )


def without(reels: Found, links: set[str]) -> Found:
    """The Reels that are not among the posts already, should Facebook list one in both places."""
    return replace(reels, posts=tuple(post for post in reels.posts if post.link not in links))
