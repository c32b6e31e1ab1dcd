"""Blogger through its JSON feed, which still lists every post with its exact moment."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

import msgspec

from collectors.base import CollectError
from collectors.payload import decode_json
from collectors.website.dates import machine_date
from collectors.website.text import excerpt, identity, normal_url, plain
from collectors.website.visit import Harvest, Visit, emptied, fresh, oldest, reading_of, unchanged
from store.records import EVER, Confidence, DateSource, FailureKind, Post, Reading, Snapshot, Source

A_PAGE = 150
TOO_MANY = "Blog có nhiều bài hơn mức đọc một lần; chỉ đọc {count} bài mới nhất."


class Text(msgspec.Struct):
    value: str = msgspec.field(name="$t", default="")


class Label(msgspec.Struct):
    term: str = ""


class Link(msgspec.Struct):
    rel: str = ""
    href: str = ""


class Entry(msgspec.Struct):
    """What is read of a post; the author stands beside it and does not exist for us."""

    id: Text
    published: Text
    title: Text = msgspec.field(default_factory=Text)
    summary: Text = msgspec.field(default_factory=Text)
    category: list[Label] = []
    link: list[Link] = []


class BlogFeed(msgspec.Struct):
    total: Text = msgspec.field(name="openSearch$totalResults", default_factory=Text)
    entry: list[Entry] = []


class Blog(msgspec.Struct):
    feed: BlogFeed


async def read(visit: Visit) -> Reading:
    """The blog's posts: all of them on a full look, else those since two weeks before the newest known.

    A window without the newest known post proves nothing: the whole blog is asked for before it is believed.
    """
    since = visit.since()
    first = await visit.look.get(page_url(visit, since, start=1))
    answer, known = fresh(visit, visit.known, first)
    if answer is None:
        return unchanged(known)
    feed = decode_json(first.body, Blog).feed
    if not feed.entry and since is not None:
        return await read(replace(visit, full=True))
    total = stated_total(feed)
    whole = await _append_pages(visit, since, feed.entry, total)
    posts = [to_post(entry, first.url, visit.look.zone) for entry in feed.entry]
    if not posts:
        emptied(visit.known)
    counted = since is None and visit.options.category is None
    harvest = Harvest(
        posts,
        (since or EVER) if whole else oldest(posts),
        complete=whole,
        notes=() if whole else (TOO_MANY.format(count=len(posts)),),
        snapshots=(Snapshot(visit.look.now, Source.SITE, posts=total),) if counted else (),
    )
    return reading_of(visit, known, harvest)


def page_url(visit: Visit, since: datetime | None, *, start: int, size: int = A_PAGE) -> str:
    """The address of one page of summaries, newest first."""
    label = f"/-/{quote(visit.options.category, safe='')}" if visit.options.category else ""
    root = (visit.at or visit.home).partition("?")[0].partition("/feeds/")[0].rstrip("/")
    asked = {"alt": "json", "max-results": str(size), "start-index": str(start), "orderby": "published"}
    if since is not None:
        asked["published-min"] = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"{root}/feeds/posts/summary{label}?{urlencode(asked)}"


def stated_total(feed: BlogFeed) -> int:
    """How many posts the blog says it has under the question asked."""
    stated = feed.total.value
    if not (stated.isascii() and stated.isdecimal() and len(stated) < 10):
        raise CollectError(FailureKind.DRIFT, "blogger feed without openSearch$totalResults")
    return int(stated)


async def _append_pages(visit: Visit, since: datetime | None, entries: list[Entry], total: int) -> bool:
    """Add the further pages to *entries*; False when there are more than one look may read."""
    for _ in range(visit.pages - 1):
        if len(entries) >= total:
            return True
        answer = await visit.look.get(page_url(visit, since, start=len(entries) + 1))
        page = decode_json(answer.body, Blog).feed.entry
        if not page:
            return False
        entries.extend(page)
    return len(entries) >= total


def to_post(entry: Entry, base: str, zone: ZoneInfo) -> Post:
    link = normal_url(next((link.href for link in entry.link if link.rel == "alternate"), ""), base)
    at = machine_date(entry.published.value, zone)
    return Post(
        platform_id=identity(link) or plain(entry.id.value, 200),
        title=plain(entry.title.value),
        link=link,
        published_at=at.at if at else None,
        date_source=DateSource.API if at else DateSource.FIRST_SEEN,
        date_confidence=Confidence.EXACT if at else Confidence.LOW,
        excerpt=excerpt(entry.summary.value),
        categories=tuple(plain(label.term, 100) for label in entry.category),
    )
