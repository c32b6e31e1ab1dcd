"""One look at one site: what every way of reading shares."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import msgspec
import msgspec.structs

from collectors.base import CollectError, Look
from collectors.website.text import normal_url, slug
from config.models import Channel, WebsiteOptions
from store.records import Confidence, DateSource, FailureKind, Post, Reading, Snapshot

if TYPE_CHECKING:
    from collectors.client import Answer

PAGES_A_LOOK = 20
ARTICLES_A_LOOK = 20
PAGES_REMEMBERED = 300
OVERLAP = timedelta(days=14)
"""Later looks ask again for this much before the newest known post, for edited and deleted ones."""
FULL_READ_EVERY = timedelta(days=7)
BODY_EVERY = timedelta(hours=20)
"""Older than this, what was read is asked for whole again: a server that answers 304 for ever proves one day only."""
SITEMAP_BYTES = 32 * 1024 * 1024
CHALLENGE = re.compile(
    rb"cf-chl|challenge-platform|just a moment|attention required!|checking your browser"
    rb"|verify you are human|ddos protection",
    re.IGNORECASE,
)

NO_FEED = "Địa chỉ này trả về trang web thường, không phải nguồn tin. Đề nghị chạy «nhip probe» để tìm lại cách đọc."
EMPTIED = "Nguồn tin bỗng không còn bài nào. Đề nghị mở trang kiểm tra; nếu trang đã đổi, chạy «nhip probe»."
CHALLENGED = (
    "Trang đòi xác minh «không phải máy» nên hệ thống không đọc được. "
    "Đề nghị người quản trị trang cho phép hệ thống đọc."
)
AHEAD = "{count} bài ghi ngày đăng ở tương lai; chỉ được tính khi đến ngày."
NO_COLUMNS = (
    "Nguồn tin không ghi chuyên mục nên không lọc được theo «{name}». Đề nghị khai báo địa chỉ riêng của chuyên mục."
)


class Page(msgspec.Struct, frozen=True, array_like=True):
    """What an article page said, to read it once: its title, its date (epoch seconds) and how known."""

    title: str
    at: int | None
    source: DateSource
    confidence: Confidence


class Known(msgspec.Struct, frozen=True, omit_defaults=True):
    """What earlier looks learned: the cursor of a reading. If it is lost, the next look relearns it."""

    asked: str = ""
    way: str = ""
    at: str = ""
    etag: str = ""
    last_modified: str = ""
    digest: str = ""
    full_at: int = 0
    body_at: int = 0
    coverage: int | None = None
    newest: int | None = None
    items: int = 0
    column: int | None = None
    names: dict[str, str] = {}
    pages: dict[str, Page] = {}

    def validators(self) -> dict[str, str]:
        """The headers of a conditional request."""
        pairs = (("If-None-Match", self.etag), ("If-Modified-Since", self.last_modified))
        return {name: value for name, value in pairs if value}

    def unfinished(self) -> Known:
        """The same, but the next look reads the list again although it has not changed."""
        return msgspec.structs.replace(self, digest="", etag="", last_modified="")


@dataclass(frozen=True, slots=True)
class Visit:
    """One look at one site: its address, how it is configured, and what earlier looks learned.

    `full`: nothing remembered may shorten this look; true on the first look and once a week, because some
    servers answer 304 for ever.
    """

    home: str
    at: str
    options: WebsiteOptions
    known: Known
    look: Look
    full: bool
    pages: int = PAGES_A_LOOK
    articles: int = ARTICLES_A_LOOK

    def starting_at(self, way: str, at: str) -> Visit:
        """The same look along another way; what was learned on the old one is forgotten."""
        return replace(self, at=at, known=Known(asked=self.known.asked, way=way, at=at), full=True)

    def window(self) -> datetime | None:
        """From when posts are looked at again; None on the first look."""
        return None if self.known.newest is None else moment(self.known.newest) - OVERLAP

    def since(self) -> datetime | None:
        """From when posts are asked for; None means all of them, on the first look and once a week."""
        return None if self.full else self.window()


@dataclass(frozen=True, slots=True)
class Harvest:
    """What one way brought back; the fields mean what they mean in a Reading."""

    posts: Sequence[Post]
    coverage: datetime | None
    complete: bool = True
    notes: tuple[str, ...] = ()
    snapshots: tuple[Snapshot, ...] = ()


def visit_of(channel: Channel, look: Look) -> Visit:
    """The visit that a channel's configuration asks for; another configuration starts from nothing."""
    options = channel.website
    asked = digest_of(f"{channel.address} {options.model_dump_json(exclude={'counter'})}".encode())
    known = _known(look.cursor, asked)
    home = normal_url(channel.address)
    full = look.now.timestamp() - known.full_at >= FULL_READ_EVERY.total_seconds()
    at = known.at or (normal_url(options.at, home) if options.at else "")
    return Visit(home, at, options, known, look, full)


def _known(cursor: Mapping[str, Any], asked: str) -> Known:
    try:
        known = msgspec.convert(cursor, Known)
    except msgspec.ValidationError:
        return Known(asked=asked)
    return known if known.asked == asked else Known(asked=asked)


def digest_of(data: bytes) -> str:
    return blake2b(data, digest_size=12).hexdigest()


def moment(epoch: int) -> datetime:
    return datetime.fromtimestamp(epoch, UTC)


async def fetch(visit: Visit, url: str, *, body_limit: int | None = None) -> tuple[Answer | None, Known]:
    """The answer and what to remember of it; None in its place when nothing changed since the last look."""
    known = visit.known
    stale = visit.look.now.timestamp() - known.body_at >= BODY_EVERY.total_seconds()
    conditional = None if visit.full or stale else known.validators()
    answer = await visit.look.get(url, headers=conditional, body_limit=body_limit)
    if answer.not_modified:
        return None, known
    changed, known = fresh(visit, known, answer)
    body_at = int(visit.look.now.timestamp()) if known.validators() else 0
    return changed, msgspec.structs.replace(known, body_at=body_at)


def fresh(visit: Visit, known: Known, answer: Answer, beside: str = "") -> tuple[Answer | None, Known]:
    """The answer unless it is byte for byte the one already read, and what to remember of it.

    *beside* is what a header says about the rest of the list.
    """
    digest = digest_of(answer.body + beside.encode())
    same = digest == known.digest and not visit.full
    known = msgspec.structs.replace(
        known,
        digest=digest,
        etag=answer.headers.get("etag", ""),
        last_modified=answer.headers.get("last-modified", ""),
        full_at=int(visit.look.now.timestamp()) if visit.full else known.full_at,
    )
    return (None if same else answer), known


def unchanged(known: Known) -> Reading:
    """Nothing is new; what was covered before is covered up to now."""
    coverage = None if known.coverage is None else moment(known.coverage)
    return Reading(coverage_from=coverage, unchanged=True, cursor=cursor_of(known))


def reading_of(visit: Visit, known: Known, harvest: Harvest) -> Reading:
    """The reading of a look that brought posts back: each post once, with the cursor for the next look."""
    posts = tuple({post.platform_id: post for post in harvest.posts}.values())
    now = visit.look.now
    dates = [post.published_at for post in posts if post.published_at is not None]
    newest = max((at for at in dates if at <= now), default=None)
    ahead = sum(at > now + timedelta(days=1) for at in dates)
    coverage = sure_coverage(posts, harvest.coverage, now)
    known = msgspec.structs.replace(
        known,
        items=len(posts),
        newest=known.newest if newest is None else int(newest.timestamp()),
        coverage=None if coverage is None else int(coverage.timestamp()),
    )
    notes = (*harvest.notes, AHEAD.format(count=ahead)) if ahead else harvest.notes
    cursor = cursor_of(known)
    return Reading(harvest.snapshots, posts, coverage, harvest.complete, notes=notes, cursor=cursor)


def sure_coverage(posts: Sequence[Post], coverage: datetime | None, now: datetime) -> datetime | None:
    """From when the days of *posts* are known: a guessed date is the last day a post may belong to, not the only one.

    None when a post shows no date at all: it may belong to any day.
    """
    if coverage is None or any(post.published_at is None for post in posts):
        return None
    guesses = (post.published_at for post in posts if post.date_confidence is Confidence.LOW)
    return max([coverage, *(min(at, now) for at in guesses if at is not None)])


def cursor_of(known: Known) -> dict[str, Any]:
    cursor: dict[str, Any] = msgspec.to_builtins(known)
    return cursor


def oldest(posts: Sequence[Post]) -> datetime | None:
    """The first publishing moment among *posts*; None when none is known."""
    return min((post.published_at for post in posts if post.published_at is not None), default=None)


def oldest_of_list(posts: Sequence[Post], zone: ZoneInfo, now: datetime) -> datetime | None:
    """From when a list of newest posts holds everything; None when it shows no dates.

    A post that is followed by a newer one is pinned or was edited: it says nothing about the list's depth.
    Three or more posts in rising order are a list that is written the other way round.
    """
    dated = [(post.published_at, post.date_confidence) for post in posts if post.published_at is not None]
    if not dated:
        return None
    dates = [at for at, _ in dated]
    upside_down = len(dates) > 2 and dates == sorted(dates)
    return surely_after(*dated[0 if upside_down else -1], zone, now)


def surely_after(at: datetime, confidence: Confidence, zone: ZoneInfo, now: datetime) -> datetime:
    """From when a list that ends with a post of this date holds everything.

    That is the date itself, or the next local midnight when it names no minute: other posts of its day may
    have fallen off the list. Midnight, here or in UTC, is how systems write a date without a time.
    """
    midnights = {at.astimezone(clock).time() for clock in (zone, UTC)} & {time.min}
    if confidence not in {Confidence.DAY, Confidence.HOUR} and not midnights:
        return at
    tomorrow = at.astimezone(zone).date() + timedelta(days=1)
    return min(datetime.combine(tomorrow, time.min, zone).astimezone(UTC), now)


def in_column(posts: Sequence[Post], column: str | None) -> list[Post]:
    """The posts of one column of a shared site, by its name or its slug."""
    if column is None:
        return list(posts)
    if posts and not any(post.categories for post in posts):
        raise CollectError(FailureKind.DRIFT, "no post names a category", sentence=NO_COLUMNS.format(name=column))
    wanted = slug(column)
    return [post for post in posts if any(slug(name) == wanted for name in post.categories)]


def not_a_source(answer: Answer, wanted: str) -> CollectError:
    """Why an answer that came with status 200 is still none: a web page, a challenge, or nothing."""
    if CHALLENGE.search(answer.body[:65536]):
        return CollectError(FailureKind.BLOCKED, f"challenge page instead of {wanted}", sentence=CHALLENGED)
    return CollectError(FailureKind.DRIFT, f"no {wanted} in the answer", sentence=NO_FEED)


def emptied(known: Known) -> None:
    """A list that had posts and now has none is broken, not silent."""
    if known.items or known.newest is not None:
        raise CollectError(
            FailureKind.DRIFT,
            "the source had posts and now has none",
            sentence=EMPTIED,
        )
