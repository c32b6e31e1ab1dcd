"""One look at one Page: its counts, its posts, its Reels and its history, put together into a reading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import msgspec

from collectors.base import CollectError, Look
from collectors.facebook.address import page_key
from collectors.facebook.errors import SLOW_DOWN, UNSAID_REST
from collectors.facebook.graph import Graph
from collectors.facebook.insights import History, read_history
from collectors.facebook.keys import with_page_token
from collectors.facebook.known import Known, as_cursor, moment, recall, seconds
from collectors.facebook.posts import PAGE_FIELDS, POST_FIELDS, Batch, PageFacts, parse_page, parse_posts
from collectors.facebook.reels import Reels, read_reels, without
from collectors.facebook.walk import Found, Limit, floor, newest_first, sweeps, walk
from config.models import Channel
from store.records import FailureKind, Post, Reading, Snapshot, Source

CAP = 590
YEAR = timedelta(days=365)

NO_FOLLOWERS = (
    "Facebook không cho biết số người theo dõi của Trang. Đề nghị kiểm tra vai trò trên Trang của tài khoản đã kết nối."
)
CAPPED = (
    "Trang có gần 600 bài trở lên trong một năm, là mức Facebook có thể liệt kê thiếu. "
    "Đề nghị đối chiếu số bài với Meta Business Suite."
)
EMPTIED = "Danh sách bài bỗng trống trong khi trước đó có bài. Đề nghị mở Trang kiểm tra; hệ thống đọc lại ở lần sau."


async def collect(channel: Channel, look: Look) -> Reading:
    """The state of one Page; CollectError when it cannot be read, which is never the same as an empty Page."""
    page = page_key(channel.address)
    known = recall(look.cursor, page, look.now)
    leave_alone(known, look.now)
    return await with_page_token(look, page, lambda graph: _read(graph, page, known))


def leave_alone(known: Known, now: datetime) -> None:
    """No request while Facebook wants rest: calls made while throttled prolong the throttle."""
    if now < moment(known.rest_until):
        detail = "resting after a full allowance"
        raise CollectError(FailureKind.THROTTLED, detail, sentence=SLOW_DOWN, retry_at=moment(known.rest_until))


async def _read(graph: Graph, page: str, known: Known) -> Reading:
    limit = Limit()
    facts = await limit.shrinking(lambda size: _ask_page(graph, page, size))
    posts = await _posts(graph, page, known, limit, facts.batch)
    reels = await read_reels(graph, page, known)
    history = await read_history(graph, page, reels.known)
    return put_together(graph, known, facts, posts, reels, history)


async def _ask_page(graph: Graph, page: str, size: int) -> PageFacts:
    fields = f"{PAGE_FIELDS},published_posts.limit({size}){{{POST_FIELDS}}}"
    return parse_page(await graph.get(page, {"fields": fields}))


async def _posts(graph: Graph, page: str, known: Known, limit: Limit, first: Batch | None) -> Found:
    """The Page's posts. A Page that came without a list is asked for it: only an empty list means no posts."""

    async def ask(after: str, size: int) -> Batch:
        query = {"fields": POST_FIELDS, "limit": str(size)} | ({"after": after} if after else {})
        return parse_posts(await graph.get(f"{page}/published_posts", query))

    async def onward(after: str) -> Batch:
        return await limit.shrinking(lambda size: ask(after, size))

    now = graph.look.now
    since = floor(graph.look.horizon, known.newest, sweep=sweeps(known.swept_at, now), now=now)
    found = await walk(first or await onward(""), since, onward, lambda: not graph.usage.is_full)
    return doubted(found, known)


def doubted(found: Found, known: Known) -> Found:
    """What a list claims, less what cannot be believed: one that lost all its posts, one that hits Facebook's cap."""
    if not found.posts and known.newest is not None:
        return Found((), None, complete=False, notes=(EMPTIED, *found.notes))
    if is_capped(found.posts):
        return replace(found, coverage=None, notes=(CAPPED, *found.notes))
    return found


def is_capped(posts: Sequence[Post]) -> bool:
    """Whether some year holds so many posts that Facebook may have left some out (facts: Facebook 1.6)."""
    dates = sorted(post.published_at for post in posts if post.published_at)
    return any(last - first < YEAR for first, last in zip(dates, dates[CAP - 1 :], strict=False))


def put_together(graph: Graph, known: Known, facts: PageFacts, posts: Found, reels: Reels, history: History) -> Reading:
    clips = without(reels.found, {post.link for post in posts.posts})
    return Reading(
        snapshots=(*snapshots_of(facts, graph.look.now), *history.snapshots),
        posts=newest_first((*posts.posts, *clips.posts)),
        coverage_from=common(posts.coverage, clips.coverage),
        complete=posts.complete and clips.complete,
        notes=(
            *(() if facts.followers is not None else (NO_FOLLOWERS,)),
            *posts.notes,
            *clips.notes,
            *history.notes,
            *graph.notes,
        ),
        cursor=as_cursor(remember(graph, known, history.known, posts)),
    )


def snapshots_of(facts: PageFacts, now: datetime) -> tuple[Snapshot, ...]:
    """The counts right now. On today's Pages `fan_count` repeats the followers: it is kept raw, never added."""
    if facts.followers is None and facts.likes is None:
        return ()
    return (Snapshot(now, Source.FACEBOOK_PAGE, followers=facts.followers, likes=facts.likes),)


def common(posts: datetime | None, reels: datetime | None) -> datetime | None:
    """From where on both lists are whole; None when one of them proves nothing."""
    return None if posts is None or reels is None else max(posts, reels)


def remember(graph: Graph, before: Known, learned: Known, posts: Found) -> Known:
    """What the next look should know; a list that was cut short is read as far again."""
    now: datetime = graph.look.now
    newest = posts.posts[0].published_at if posts.complete and posts.posts else None
    swept = posts.complete and (before.newest is None or sweeps(before.swept_at, now))
    return msgspec.structs.replace(
        learned,
        newest=seconds(min(newest, now)) if newest else before.newest,
        swept_at=seconds(now) if swept else before.swept_at,
        rest_until=rest_until(graph),
    )


def rest_until(graph: Graph) -> int:
    if not graph.usage.is_full:
        return 0
    return seconds(graph.look.now + (graph.usage.regain or UNSAID_REST))
