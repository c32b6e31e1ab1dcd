"""WordPress through its REST interface: every post with its exact moment, its columns and its tags."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import msgspec
from msgspec.structs import replace

from collectors.base import CollectError, Look
from collectors.payload import Count, decode_json
from collectors.website.dates import machine_date
from collectors.website.text import excerpt, normal_url, plain
from collectors.website.visit import Harvest, Visit, emptied, fresh, oldest, reading_of, unchanged
from store.records import EVER, Confidence, DateSource, FailureKind, Post, Reading, Snapshot, Source

if TYPE_CHECKING:
    from collectors.client import Answer

POST_FIELDS = "id,date_gmt,link,title,excerpt,categories,tags"
A_PAGE = 100
TERM_PAGES = 10
REFUSALS = frozenset({400, 401, 403, 404})
GMT = ZoneInfo("UTC")
API_LINK = re.compile(r"<([^<>]{1,500})>\s*;\s*rel=\"?https://api\.w\.org/")

SWITCHED_OFF = (
    'Trang WordPress này đã tắt cổng REST API. Đề nghị đặt way = "feed" cho kênh trong channels.toml, '
    "hoặc nhờ người quản trị trang mở lại."
)
NO_API = "Không thấy cổng REST API của WordPress ở địa chỉ này. Đề nghị chạy «nhip probe» để tìm cách đọc khác."
WALLED = (
    "Tường lửa của trang chặn cổng REST API của WordPress. "
    'Đề nghị đặt way = "feed" cho kênh trong channels.toml, hoặc nhờ người quản trị trang cho phép.'
)
NO_COLUMN = "Trang không có chuyên mục «{name}». Đề nghị sửa mục category của kênh trong channels.toml."
TOO_MANY = "Trang có nhiều bài hơn mức đọc một lần; chỉ đọc {count} bài mới nhất."
NO_NAMES = "Trang không cho đọc tên chuyên mục và thẻ; tin chỉ được nhận ra theo tiêu đề và tóm tắt."


class Rendered(msgspec.Struct):
    rendered: str = ""


class WordPressPost(msgspec.Struct):
    """What is asked of a post; the author is never asked for."""

    id: Count
    link: str
    title: Rendered
    date_gmt: str | None = None
    excerpt: Rendered = msgspec.field(default_factory=Rendered)
    categories: list[Count] = []
    tags: list[Count] = []


class Term(msgspec.Struct):
    """A category or a tag."""

    id: Count
    name: str


class Refusal(msgspec.Struct):
    code: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """Which posts of which interface are asked for."""

    base: str
    since: datetime | None = None
    column: int | None = None

    def page(self, number: int, size: int = A_PAGE) -> str:
        asked = {"per_page": str(size), "page": str(number), "orderby": "date", "order": "desc"}
        if self.since is not None:
            asked["after"] = self.since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        if self.column is not None:
            asked["categories"] = str(self.column)
        return address(self.base, "posts", asked | {"_fields": POST_FIELDS})


async def read(visit: Visit) -> Reading:
    """The site's posts: all of them on a full look, else those since two weeks before the newest known.

    A window without the newest known post proves nothing: the whole site is asked for before it is believed.
    """
    base = visit.at or await find_base(visit.home, visit.look)
    column = await _column(visit, base)
    question = Question(base, visit.since(), column)
    first = await visit.look.get(question.page(1), expect=REFUSALS)
    posts = posts_in(first)
    if not posts and question.since is not None:
        return await read(dataclasses.replace(visit, full=True))
    total = first.headers.get("x-wp-total", "")
    answer, known = fresh(visit, replace(visit.known, at=base, column=column), first, beside=total)
    if answer is None:
        return unchanged(known)
    if not posts:
        emptied(visit.known)
    whole = await _append_pages(visit, question, first, posts)
    names, unnamed = await _names(visit, base, posts)
    notes = (NO_NAMES,) if unnamed else ()
    made = [to_post(post, names) for post in posts]
    harvest = Harvest(
        made,
        (question.since or EVER) if whole else oldest(made),
        complete=whole and not unnamed,
        notes=notes if whole else (*notes, TOO_MANY.format(count=len(made))),
        snapshots=_all_posts(first, visit) if question.since is None and column is None else (),
    )
    known = replace(known, names=names)
    return reading_of(visit, known.unfinished() if unnamed else known, harvest)


def address(base: str, route: str, asked: Mapping[str, str]) -> str:
    """The address of a route, with pretty links (/wp-json/) or plain ones (?rest_route=/)."""
    return f"{base}wp/v2/{route}{'&' if '?' in base else '?'}{urlencode(asked, safe=',')}"


def bases(home: str, announced: str = "") -> list[str]:
    """Where the interface may answer: the announced address first, then pretty links, then plain ones."""
    root = home.partition("?")[0].removesuffix("index.php").rstrip("/")
    return list(dict.fromkeys(base for base in (announced, f"{root}/wp-json/", f"{root}/?rest_route=/") if base))


async def find_base(home: str, look: Look) -> str:
    """The first address of the interface that answers with posts; CollectError of the first one otherwise."""
    refused: list[CollectError] = []
    for base in bases(home):
        try:
            posts_in(await look.get(Question(base).page(1, size=1), expect=REFUSALS))
        except CollectError as error:
            if error.kind in {FailureKind.NETWORK, FailureKind.THROTTLED}:
                raise
            refused.append(error)
        else:
            return base
    raise refused[0]


def posts_in(answer: Answer) -> list[WordPressPost]:
    """The posts of one page; CollectError when the interface is off, whatever that looks like."""
    if answer.status in REFUSALS:
        raise refusal(answer)
    return decode_json(answer.body, list[WordPressPost])


def refusal(answer: Answer) -> CollectError:
    """What a refusing status means; a body that is no JSON comes from a firewall or from no WordPress."""
    try:
        code = decode_json(answer.body, Refusal).code
    except CollectError:
        code = ""
    detail = f"wordpress refused with {answer.status} {plain(code, 60) or 'and no code'}"
    if answer.status == 404 or code == "rest_no_route":
        return CollectError(FailureKind.DRIFT, detail, sentence=NO_API)
    if answer.status in {401, 403} and code:
        return CollectError(FailureKind.PERMISSION, detail, sentence=SWITCHED_OFF)
    if answer.status in {401, 403}:
        return CollectError(FailureKind.BLOCKED, detail, sentence=WALLED)
    return CollectError(FailureKind.DRIFT, detail)


def count_header(answer: Answer, name: str) -> int | None:
    """A number that WordPress states in a header; None when a proxy removed it."""
    value = answer.headers.get(name, "")
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 10 else None


async def _append_pages(visit: Visit, question: Question, first: Answer, posts: list[WordPressPost]) -> bool:
    """Add the further pages to *posts*; False when there are more than one look may read."""
    stated = count_header(first, "x-wp-totalpages")
    number, last = 1, len(posts)
    while number < stated if stated is not None else last == A_PAGE:
        number += 1
        if number > visit.pages:
            return False
        answer = await visit.look.get(question.page(number), expect=REFUSALS)
        if _is_past_the_end(answer):
            return True
        page = posts_in(answer)
        last = len(page)
        posts.extend(page)
    return True


def _is_past_the_end(answer: Answer) -> bool:
    """Posts were deleted while we turned the pages."""
    return answer.status == 400 and b"rest_post_invalid_page_number" in answer.body


async def _column(visit: Visit, base: str) -> int | None:
    """The number of the configured column, asked once."""
    name = visit.options.category
    if name is None or visit.known.column is not None:
        return visit.known.column
    url = address(base, "categories", {"slug": name, "_fields": "id,name"})
    answer = await visit.look.get(url, expect=REFUSALS)
    if answer.status in REFUSALS:
        raise refusal(answer)
    found = decode_json(answer.body, list[Term])
    if not found:
        raise CollectError(FailureKind.GONE, "no such category", sentence=NO_COLUMN.format(name=name))
    return found[0].id


async def _names(visit: Visit, base: str, posts: Sequence[WordPressPost]) -> tuple[dict[str, str], bool]:
    """The names of the columns and tags of *posts*, and whether one is unknown.

    Known ones are asked again only once a week, and stay when the site refuses then.
    """
    names: dict[str, str] = {}
    unnamed = False
    for route, used in (
        ("categories", {number for post in posts for number in post.categories}),
        ("tags", {number for post in posts for number in post.tags}),
    ):
        known = {key: visit.known.names[key] for number in used if (key := f"{route}/{number}") in visit.known.names}
        missing = sorted((n for n in used if visit.full or f"{route}/{n}" not in known), reverse=True)
        found = known | await _asked_or_refused(visit.look, base, route, missing)
        unnamed = unnamed or len(found) < len(used)
        names |= found
    return names, unnamed


async def _asked_or_refused(look: Look, base: str, route: str, numbers: Sequence[int]) -> dict[str, str]:
    """The names of these terms; none when the site refuses, for posts are worth having without them."""
    try:
        return await _ask_names(look, base, route, numbers)
    except CollectError as error:
        if error.kind in {FailureKind.NETWORK, FailureKind.THROTTLED}:
            raise
        return {}


async def _ask_names(look: Look, base: str, route: str, numbers: Sequence[int]) -> dict[str, str]:
    names: dict[str, str] = {}
    for start in range(0, min(len(numbers), TERM_PAGES * A_PAGE), A_PAGE):
        asked = ",".join(map(str, numbers[start : start + A_PAGE]))
        url = address(base, route, {"include": asked, "per_page": str(A_PAGE), "_fields": "id,name"})
        answer = await look.get(url, expect=REFUSALS)
        if answer.status in REFUSALS:
            raise refusal(answer)
        names |= {f"{route}/{term.id}": plain(term.name, 100) for term in decode_json(answer.body, list[Term])}
    return names


def to_post(post: WordPressPost, names: Mapping[str, str]) -> Post:
    """A post with its moment from `date_gmt`, which is UTC; the site's own clock is often set wrong."""
    at = machine_date(post.date_gmt or "", GMT)
    terms: Iterable[str] = (
        *(f"categories/{number}" for number in post.categories),
        *(f"tags/{number}" for number in post.tags),
    )
    return Post(
        platform_id=f"wp:{post.id}",
        title=plain(post.title.rendered),
        link=normal_url(post.link),
        published_at=at.at if at else None,
        date_source=DateSource.API if at else DateSource.FIRST_SEEN,
        date_confidence=Confidence.EXACT if at else Confidence.LOW,
        excerpt=excerpt(post.excerpt.rendered),
        categories=tuple(names[term] for term in terms if term in names),
    )


def _all_posts(first: Answer, visit: Visit) -> tuple[Snapshot, ...]:
    total = count_header(first, "x-wp-total")
    return () if total is None else (Snapshot(visit.look.now, Source.SITE, posts=total),)
