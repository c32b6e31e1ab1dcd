"""Finding out, once, how a site is best read."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urljoin, urlsplit

from selectolax.lexbor import LexborHTMLParser

from collectors.base import CollectError, GateError, Look
from collectors.website import wordpress
from collectors.website.text import decode, identity, normal_url, plain
from collectors.website.visit import Known, Visit
from collectors.website.ways import WAYS
from config.models import WebsiteOptions
from store.records import EVER, FailureKind, Reading

if TYPE_CHECKING:
    from collectors.client import Answer

FEEDS_TRIED = 8
FEED_TYPES = (
    "application/rss+xml",
    "application/atom+xml",
    "application/rdf+xml",
    "application/feed+json",
    "application/json",
)
USUAL_FEEDS = (
    "feed/",
    "rss.xml",
    "index.xml",
    "feed.xml",
    "atom.xml",
    "rss",
    "?format=feed&type=rss",
    "feed.json",
)
FEEDS_OF = {"joomla": "?format=feed&type=rss", "hugo": "index.xml", "wordpress": "feed/", "drupal": "rss.xml"}
FEED_LIKE = re.compile(rb"<(?:rss|feed|rdf:RDF)[\s>]|\"version\"\s*:\s*\"https?://jsonfeed\.org/")
SITEMAP_LIKE = re.compile(rb"<(?:\w+:)?(?:urlset|sitemapindex)[\s>]")
SILENT_ENOUGH = 2
"""After this many addresses that do not answer at all, the site itself is down."""

WAY_NAMES = {
    "wordpress": "WordPress (REST API)",
    "nukeviet": "NukeViet (sơ đồ trang tin)",
    "blogger": "Blogger",
    "feed": "nguồn tin RSS/Atom/JSON",
    "sitemap": "sơ đồ trang (sitemap)",
    "listing": "trang danh sách",
}
EMPTY = "Có trả lời nhưng chưa có bài nào."
NOTHING = (
    "Không tìm thấy cách đọc tự động cho trang này. "
    "Đề nghị khai báo mục listing (bộ chọn CSS) trong channels.toml, "
    "hoặc nhờ người quản trị trang mở nguồn tin RSS."
)
SHARED = (
    "Có bài nằm ngoài thư mục của địa chỉ này: có thể đây là một chuyên mục của trang dùng chung. "
    "Đề nghị khai báo thêm category trong channels.toml."
)
CHANGED_WAY = "Cách đọc cũ ({old}) không còn dùng được; đã chuyển sang {new}."


class Candidate(NamedTuple):
    way: str
    at: str


class Refused(NamedTuple):
    """What was tried in vain: the way, the address, and a Vietnamese sentence why."""

    way: str
    at: str
    why: str


@dataclass(frozen=True, slots=True)
class Signs:
    """What the home page shows of the software behind it."""

    base: str
    generator: str = ""
    interface: str = ""
    feeds: tuple[str, ...] = ()
    wordpress: bool = False
    nukeviet: bool = False
    blogger: bool = False
    itself: str = ""
    """`feed` or `sitemap` when the address is one rather than a page."""


@dataclass(frozen=True, slots=True)
class Search:
    """How a site can be read, with the first reading along that way; `found` is None when nothing worked."""

    signs: Signs
    found: Candidate | None
    reading: Reading
    refused: tuple[Refused, ...]


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """The best way to read a site, or None and why each try failed. Sentences are Vietnamese."""

    url: str
    way: str | None
    at: str
    evidence: tuple[str, ...]
    newest: datetime | None
    posts: int
    refused: tuple[Refused, ...]

    def toml(self) -> str:
        """The line to paste below the channel in channels.toml; "" when no way was found."""
        if self.way is None:
            return ""
        at = f", at = {json.dumps(self.at, ensure_ascii=False)}" if self.at else ""
        return f'website = {{ way = "{self.way}"{at} }}'


async def probe(url: str, look: Look, options: WebsiteOptions | None = None) -> ProbeResult:
    """Try the ways of reading *url*, best first, in few requests; CollectError when the site is down."""
    home = normal_url(url if "://" in url else f"https://{url}")
    visit = Visit(home, "", options or WebsiteOptions(), Known(), look, full=True, pages=1, articles=3)
    search = await find_way(visit)
    way, at = search.found or (None, "")
    dates = [post.published_at for post in search.reading.posts if post.published_at is not None]
    return ProbeResult(
        url=home,
        way=way,
        at=at,
        evidence=_evidence(search),
        newest=max((date for date in dates if date <= look.now), default=None),
        posts=len(search.reading.posts),
        refused=search.refused,
    )


async def read_auto(visit: Visit) -> Reading:
    """Read along the remembered way; find one on the first look and whenever the remembered one is gone."""
    old = visit.known.way
    if old not in WAYS:
        return await _read_found(visit, None)
    try:
        return await WAYS[old](visit)
    except CollectError as error:
        if error.kind not in {FailureKind.DRIFT, FailureKind.GONE, FailureKind.PERMISSION}:
            raise
        return await _read_found(visit, error)


async def _read_found(visit: Visit, lost: CollectError | None) -> Reading:
    try:
        search = await find_way(visit)
    except CollectError as error:
        raise lost or error from error
    if search.found is None:
        raise lost or CollectError(FailureKind.DRIFT, "no way of reading found", sentence=NOTHING)
    if lost is None:
        return search.reading
    note = CHANGED_WAY.format(old=WAY_NAMES[visit.known.way], new=WAY_NAMES[search.found.way])
    return replace(search.reading, notes=(note, *search.reading.notes))


async def find_way(visit: Visit) -> Search:
    """Try every candidate in order of preference and keep the first that brings posts back."""
    signs = await look_at_home(visit)
    refused: list[Refused] = []
    silent = 0
    empty: tuple[Candidate, Reading] | None = None
    wanted = visit.options.way
    for candidate in candidates(signs, visit.options):
        if wanted not in {"auto", candidate.way}:
            continue
        try:
            reading = await WAYS[candidate.way](visit.starting_at(*candidate))
        except CollectError as error:
            silent += error.kind is FailureKind.NETWORK
            if error.kind is FailureKind.THROTTLED or silent == SILENT_ENOUGH:
                raise
            refused.append(Refused(*candidate, error.sentence))
            continue
        if reading.posts:
            return Search(signs, candidate, reading, tuple(refused))
        empty = empty or (candidate, reading)
        refused.append(Refused(*candidate, EMPTY))
    if empty is not None and empty[1].coverage_from == EVER:
        return Search(signs, *empty, tuple(refused))
    return Search(signs, None, Reading(), tuple(refused))


async def look_at_home(visit: Visit) -> Signs:
    """The signs of the home page; one that refuses shows none, but the site may have other open doors."""
    url = normal_url(visit.options.at or visit.home, visit.home)
    try:
        answer = await visit.look.get(url)
    except GateError:
        raise
    except CollectError as error:
        if error.kind in {FailureKind.BLOCKED, FailureKind.PERMISSION, FailureKind.AUTH}:
            return Signs(url)
        raise
    return signs_of(answer)


def signs_of(answer: Answer) -> Signs:
    """What a home page says about itself."""
    head = answer.body[:20_000]
    if SITEMAP_LIKE.search(head):
        return Signs(answer.url, itself="sitemap")
    if FEED_LIKE.search(head):
        return Signs(answer.url, itself="feed")
    html = decode(answer.body, answer.headers.get("content-type", ""))
    tree = LexborHTMLParser(html)
    meta = tree.css_first('meta[name="generator"]')
    generator = plain((meta.attributes.get("content") or "") if meta is not None else "", 100)
    host = urlsplit(answer.url).hostname or ""
    return Signs(
        base=answer.url,
        generator=generator,
        interface=_interface(answer, tree),
        feeds=_announced_feeds(tree, answer.url),
        wordpress="/wp-content/" in html or "wordpress" in generator.casefold(),
        nukeviet="nukeviet" in generator.casefold() or "/vi/news/" in html,
        blogger=generator.casefold() == "blogger" or ".blogspot." in host,
    )


def _interface(answer: Answer, tree: LexborHTMLParser) -> str:
    """The address of the WordPress REST interface that the page announces, in a header or a link."""
    announced = wordpress.API_LINK.search(answer.headers.get("link", ""))
    if announced:
        return announced[1]
    link = tree.css_first('link[rel="https://api.w.org/"]')
    return (link.attributes.get("href") or "") if link is not None else ""


def _announced_feeds(tree: LexborHTMLParser, base: str) -> tuple[str, ...]:
    """The feeds a page links to, without those of comments."""
    links = tree.css("link[rel~=alternate]")
    hrefs = [link.attributes.get("href") or "" for link in links if link.attributes.get("type") in FEED_TYPES]
    urls = [normal_url(href, base) for href in hrefs if "comment" not in href and "wp-json" not in href]
    return tuple(dict.fromkeys(url for url in urls if url))[:3]


def candidates(signs: Signs, options: WebsiteOptions) -> list[Candidate]:
    """What to try, in order of preference (facts: WordPress, NukeViet, feed, sitemap, listing)."""
    if signs.itself:
        return [Candidate(signs.itself, signs.base)]
    found: list[Candidate] = []
    if signs.wordpress or signs.interface:
        found += [Candidate("wordpress", base) for base in wordpress.bases(signs.base, signs.interface)]
    if signs.nukeviet:
        found.append(Candidate("nukeviet", urljoin(signs.base, "/sitemap.xml")))
    if signs.blogger:
        found.append(Candidate("blogger", urljoin(signs.base, "/")))
    found += [Candidate("feed", url) for url in _feeds_to_try(signs)]
    found.append(Candidate("sitemap", ""))
    if options.listing is not None:
        found.append(Candidate("listing", signs.base))
    return found


def _feeds_to_try(signs: Signs) -> list[str]:
    home = signs.base.partition("?")[0].removesuffix("index.php").rstrip("/") + "/"
    software = f"{signs.generator} {'wordpress' if signs.interface or signs.wordpress else ''}".casefold()
    usual = [path for name, path in FEEDS_OF.items() if name in software]
    if "rest_route=" in signs.interface:
        usual.insert(0, "?feed=rss2")
    paths = dict.fromkeys((*usual, *USUAL_FEEDS))
    return list(dict.fromkeys((*signs.feeds, *(home + path for path in paths))))[:FEEDS_TRIED]


def _evidence(search: Search) -> tuple[str, ...]:
    lines = []
    if search.signs.generator:
        lines.append(f"Trang chủ cho biết phần mềm: {search.signs.generator}.")
    if search.found is not None:
        at_least = "" if search.reading.complete else "ít nhất "
        posts = f"{at_least}{len(search.reading.posts)} bài"
        lines.append(f"Đọc được bằng {WAY_NAMES[search.found.way]}: {posts}.")
    else:
        lines.append(NOTHING)
    if _reaches_beyond(search):
        lines.append(SHARED)
    return (*lines, *(search.reading.notes if search.reading.complete else ()))


def _reaches_beyond(search: Search) -> bool:
    """The address is a folder, but there are posts outside it: probably a column of a shared site."""
    here = identity(search.signs.base.partition("?")[0].rpartition("/")[0] + "/")
    return here.count("/") > 1 and any(not identity(post.link).startswith(here) for post in search.reading.posts)
