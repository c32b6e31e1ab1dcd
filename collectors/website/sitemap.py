"""Sitemaps: which articles exist and, by `lastmod` or the news namespace, from when they are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urljoin, urlsplit
from zoneinfo import ZoneInfo

from lxml import etree
from msgspec.structs import replace

from collectors.base import CollectError, Look
from collectors.body import gunzip
from collectors.website.dates import Moment, read_date
from collectors.website.pages import Pages
from collectors.website.text import decode, identity, normal_url, plain
from collectors.website.visit import (
    SITEMAP_BYTES,
    Harvest,
    Visit,
    digest_of,
    emptied,
    in_column,
    moment,
    not_a_source,
    reading_of,
    surely_after,
    unchanged,
)
from collectors.website.xml import parse_xml
from store.records import EVER, Confidence, DateSource, FailureKind, Post, Reading

if TYPE_CHECKING:
    from collectors.client import Answer

CHILDREN_A_LOOK = 5
ENTRIES_A_LOOK = 2000
USUAL = ("/sitemap.xml", "/sitemap_index.xml", "/wp-sitemap.xml", "/sitemap.xml.gz")
NOT_NEWS = re.compile(
    r"page|categor|taxonom|tag|author|user|product|attachment|image|video|archive|menu|about", re.IGNORECASE
)
NO_ARTICLE = re.compile(r"/(?:category|tag|author|page|chuyen-muc|the|tim-kiem|search)/", re.IGNORECASE)
ROBOTS_SITEMAP = re.compile(r"^\s*sitemap\s*:\s*(\S{1,500})", re.IGNORECASE | re.MULTILINE)
LAST_SEGMENT = re.compile(r"([^/]*?)(?:-\d+)?(?:\.\w{2,5})?/?\Z")

SAME_DAY = "Sơ đồ trang ghi mọi bài cùng ngày hôm nay nên không cho biết ngày đăng. Đề nghị dùng cách đọc khác."
NO_DATES = "Sơ đồ trang không ghi ngày của bài nên không dùng được. Đề nghị dùng cách đọc khác."
NONE_FOUND = "Không tìm thấy sơ đồ trang (sitemap). Đề nghị chạy «nhip probe» để tìm cách đọc khác."
MODIFIED = "Sơ đồ trang chỉ ghi ngày sửa; ngày đăng của {count} bài là phỏng đoán."
SOME_UNDATED = "Sơ đồ trang không ghi ngày của {count} địa chỉ, nên không kết luận được ngày nào thiếu bài."
SKIPPED = "Còn {count} sơ đồ trang con chưa đọc, nên không kết luận được ngày nào thiếu bài."
FROM_ADDRESS = "Tên của {count} bài lấy từ đường dẫn, không dấu."


class Entry(NamedTuple):
    """One address of a sitemap: its date as written, whether it is the publishing date, its news title."""

    url: str
    date: str
    published: bool
    title: str


class Sitemap(NamedTuple):
    """An index has children, a plain sitemap has entries."""

    children: list[Entry]
    entries: list[Entry]


class Found(NamedTuple):
    """The address of the first sitemap, a digest of all that were read, their articles, and how many were not."""

    root: str
    digest: str
    entries: list[Entry]
    skipped: int


class Dated(NamedTuple):
    entry: Entry
    moment: Moment


async def read(visit: Visit) -> Reading:
    """The articles of the site's sitemaps: all on the first look, later those changed in the last weeks."""
    found = await _everything(visit)
    dated = datable(found.entries, visit.look.zone, visit.look.now)
    if found.digest == visit.known.digest and not visit.full:
        return unchanged(visit.known)
    recent, coverage = newest_first(dated, visit.window(), visit.look.zone, visit.look.now)
    holes = hole_notes(len(found.entries) - len(dated), found.skipped)
    pages = Pages(visit)
    posts = [await _post(item, pages) for item in recent]
    if not dated:
        emptied(visit.known)
    guessed = sum(post.date_confidence is Confidence.LOW for post in posts)
    notes = (*holes, MODIFIED.format(count=guessed)) if guessed else holes
    full_at = int(visit.look.now.timestamp()) if visit.full else visit.known.full_at
    known = replace(visit.known, at=found.root, digest=found.digest, full_at=full_at)
    known = pages.kept_in(known, (item.entry.url for item in recent))
    harvest = Harvest(
        in_column(posts, visit.options.category),
        None if holes else coverage,
        complete=pages.unread == 0,
        notes=(*notes, *title_notes(pages.unread)),
    )
    return reading_of(visit, known, harvest)


async def _everything(visit: Visit) -> Found:
    """The article entries of the first sitemap and its children; CollectError when an index lists no articles."""
    answer = await (visit.look.get(visit.at, body_limit=SITEMAP_BYTES) if visit.at else find(visit))
    root, bodies, sitemap = answer.url, [answer.body], parse(answer)
    entries, children = sitemap.entries, choose_children(sitemap.children)
    if sitemap.children and not children:
        raise CollectError(FailureKind.DRIFT, "sitemap index without articles", sentence=NONE_FOUND)
    skipped = len(children[CHILDREN_A_LOOK:])
    for child in children[:CHILDREN_A_LOOK]:
        answer = await visit.look.get(child.url, body_limit=SITEMAP_BYTES)
        bodies.append(answer.body)
        inner = parse(answer)
        entries.extend(inner.entries)
        skipped += len(inner.children)
    articles = [entry for entry in entries if is_article(entry.url)]
    return Found(root, digest_of(b"".join(bodies)), articles, skipped)


async def find(visit: Visit) -> Answer:
    """The first sitemap that answers: those of robots.txt, then the usual addresses."""
    announced = await announced_sitemaps(visit.home, visit.look)
    usual = [urljoin(visit.home, path) for path in USUAL]
    for url in list(dict.fromkeys([*announced, *usual]))[:6]:
        try:
            answer = await visit.look.get(url, body_limit=SITEMAP_BYTES)
            parse(answer)
        except CollectError as error:
            if error.kind in {FailureKind.NETWORK, FailureKind.THROTTLED}:
                raise
        else:
            return answer
    raise CollectError(FailureKind.GONE, "no sitemap found", sentence=NONE_FOUND)


async def announced_sitemaps(home: str, look: Look) -> list[str]:
    """The sitemap addresses that robots.txt names, at most three."""
    try:
        answer = await look.get(urljoin(home, "/robots.txt"))
    except CollectError as error:
        if error.kind in {FailureKind.NETWORK, FailureKind.THROTTLED}:
            raise
        return []
    named = ROBOTS_SITEMAP.findall(decode(answer.body[:500_000], answer.headers.get("content-type", "")))
    return [url for url in (normal_url(name, answer.url) for name in named[:3]) if url]


def parse(answer: Answer) -> Sitemap:
    """The entries of a sitemap or sitemap index, gzipped or not; CollectError when it is neither."""
    body = gunzip(answer.body, SITEMAP_BYTES) if answer.body[:2] == b"\x1f\x8b" else answer.body
    try:
        root = parse_xml(body)
    except etree.XMLSyntaxError as error:
        raise not_a_source(answer, "sitemap") from error
    kind = _local(root)
    if kind not in {"urlset", "sitemapindex"}:
        raise not_a_source(answer, "sitemap")
    entries = [entry for entry in (_entry(element, answer.url) for element in root) if entry.url]
    return Sitemap([], entries) if kind == "urlset" else Sitemap(entries, [])


def _local(element: etree._Element) -> str:
    """The name without its namespace: hand-made sitemaps carry odd ones."""
    return str(element.tag).rpartition("}")[2]


def _entry(element: etree._Element, base: str) -> Entry:
    url = date = news_date = title = ""
    for part in element.iter():
        name, text = _local(part), part.text or ""
        if name == "loc" and not url:
            url = normal_url(text, base)
        elif name == "lastmod":
            date = text.strip()
        elif name == "publication_date":
            news_date = text.strip()
        elif name == "title" and "news" in str(part.tag):
            title = plain(text)
    return Entry(url, news_date or date, bool(news_date), title)


def choose_children(children: Sequence[Entry]) -> list[Entry]:
    """The sitemaps of an index that list articles, the most recently changed first; undated ones last to first."""
    articles = [child for child in reversed(children) if not NOT_NEWS.search(urlsplit(child.url).path)]
    return sorted(articles, key=lambda child: child.date, reverse=True)


def is_article(url: str) -> bool:
    parts = urlsplit(url)
    return bool(parts.path.strip("/") or parts.query) and not NO_ARTICLE.search(parts.path + "/")


def datable(entries: Sequence[Entry], zone: ZoneInfo, now: datetime) -> list[Dated]:
    """The entries with a date; CollectError when none has one, or when the dates are only «today»."""
    dates = ((entry, read_date(entry.date, zone, now)) for entry in entries)
    dated = [Dated(entry, moment) for entry, moment in dates if moment is not None]
    if entries and not dated:
        raise CollectError(FailureKind.DRIFT, "sitemap without dates", sentence=NO_DATES)
    today = now.astimezone(zone).date()
    of_today = sum(item.moment.at.astimezone(zone).date() == today for item in dated if not item.entry.published)
    if len(dated) >= 5 and of_today > 0.8 * len(dated):
        raise CollectError(FailureKind.DRIFT, "sitemap dates everything today", sentence=SAME_DAY)
    return dated


def newest_first(
    dated: Sequence[Dated], since: datetime | None, zone: ZoneInfo, now: datetime
) -> tuple[list[Dated], datetime | None]:
    """The entries to look at, newest first, and from when they are all of the site's; None without entries.

    A modification date is never before the publishing date, so both kinds prove coverage. A news sitemap
    holds two days only.
    """
    recent = sorted(dated, key=lambda item: item.moment.at, reverse=True)
    if not recent:
        return [], None
    oldest = surely_after(*recent[-1].moment, zone, now)
    if since is not None:
        recent = [item for item in recent if item.moment.at >= since]
    if len(recent) > ENTRIES_A_LOOK:
        recent = recent[:ENTRIES_A_LOOK]
        return recent, surely_after(*recent[-1].moment, zone, now)
    start = oldest if any(item.entry.published for item in dated) else EVER
    return recent, start if since is None else max(start, since)


async def _post(item: Dated, pages: Pages) -> Post:
    """An entry as a post: a news entry says all, any other has its page read once for the title and date."""
    entry, said = item
    if entry.published and entry.title:
        return make_post(entry.url, entry.title, said, DateSource.SITEMAP)
    page = await pages.read(entry.url)
    title = entry.title or (page.title if page else "") or title_from(entry.url)
    if entry.published:
        return make_post(entry.url, title, said, DateSource.SITEMAP)
    if page is not None and page.at is not None:
        return make_post(entry.url, title, Moment(moment(page.at), page.confidence), page.source)
    return make_post(entry.url, title, said._replace(confidence=Confidence.LOW), DateSource.SITEMAP)


def make_post(url: str, title: str, said: Moment, source: DateSource) -> Post:
    """A post of a sitemap; the folders of its address are its columns."""
    return Post(identity(url), title, url, said.at, source, said.confidence, categories=columns_of(url))


def columns_of(url: str) -> tuple[str, ...]:
    """The folders of an article: «/vi/news/tin-tot/bai-57.html» is in `news` and `tin-tot`."""
    folders = urlsplit(url).path.strip("/").split("/")[:-1]
    return tuple(plain(folder, 100) for folder in folders if len(folder) > 2 and not folder.isdecimal())


def title_from(url: str) -> str:
    """The words of an address, without marks: better than nothing for recognising a label."""
    found = LAST_SEGMENT.search(urlsplit(url).path)
    return plain(re.sub(r"[-_+]+", " ", found[1])) if found else ""


def hole_notes(undated: int, skipped: int) -> tuple[str, ...]:
    """What the sitemaps do not tell; while there is any, silence in them proves nothing."""
    undated_note = (SOME_UNDATED.format(count=undated),) if undated else ()
    return (*undated_note, SKIPPED.format(count=skipped)) if skipped else undated_note


def title_notes(count: int) -> tuple[str, ...]:
    return (FROM_ADDRESS.format(count=count),) if count else ()
