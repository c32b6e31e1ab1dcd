"""The title and the date of one article page, from its standard marks in the order of trust."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from selectolax.lexbor import LexborHTMLParser

from collectors.base import CollectError, Look
from collectors.website.dates import Moment, read_date
from collectors.website.text import decode, plain
from collectors.website.visit import Page
from store.records import Confidence, DateSource, FailureKind

ARTICLE_TYPES = {"Article", "NewsArticle", "BlogPosting", "Report"}
LD_BLOCKS = 20
LD_BYTES = 500_000
LD_NODES = 500
OPEN_GRAPH = (
    'meta[property="article:published_time"]',
    'meta[property="og:published_time"]',
    'meta[name="article:published_time"]',
)
UNREADABLE = Page("", None, DateSource.FIRST_SEEN, Confidence.LOW)
URL_DATE = re.compile(r"/(20\d{2})[/-](0[1-9]|1[0-2])[/-](0[1-9]|[12]\d|3[01])(?:/|-|$)")


class Found(NamedTuple):
    """A stated date as text, and the mark that states it."""

    text: str
    source: DateSource


async def fetch_page(look: Look, url: str, selector: str | None) -> Page:
    """What an article page says of itself; nothing when the site refuses it for good.

    CollectError when another try may help.
    """
    try:
        answer = await look.get(url)
    except CollectError as error:
        if error.kind in {FailureKind.NETWORK, FailureKind.THROTTLED}:
            raise
        return UNREADABLE
    html = decode(answer.body, answer.headers.get("content-type", ""))
    return read_page(html, url, look.zone, look.now, selector)


def read_page(html: str, url: str, zone: ZoneInfo, now: datetime, selector: str | None = None) -> Page:
    """The title and publishing moment of a page; without a readable date it is undated, never guessed."""
    tree = LexborHTMLParser(html)
    title = plain(_title(tree))
    for found in _stated_dates(tree, url, selector):
        moment = read_date(found.text, zone, now)
        if moment is not None:
            return _page(title, moment, found.source)
    return Page(title, None, DateSource.FIRST_SEEN, Confidence.LOW)


def _page(title: str, moment: Moment, source: DateSource) -> Page:
    return Page(title, int(moment.at.timestamp()), source, moment.confidence)


def _title(tree: LexborHTMLParser) -> str:
    return _attribute(tree, 'meta[property="og:title"]', "content") or _text(tree, "h1") or _text(tree, "title")


def _stated_dates(tree: LexborHTMLParser, url: str, selector: str | None) -> Iterator[Found]:
    for text in _linked_data_dates(tree):
        yield Found(text, DateSource.JSONLD)
    mark = tree.css_first('[itemprop="datePublished"]')
    if mark is not None:
        stated = mark.attributes.get("content") or mark.attributes.get("datetime") or mark.text(strip=True)
        yield Found(stated, DateSource.MICRODATA)
    for meta in OPEN_GRAPH:
        yield Found(_attribute(tree, meta, "content"), DateSource.OPEN_GRAPH)
    yield Found(_attribute(tree, "time[datetime]", "datetime"), DateSource.TIME_TAG)
    if selector:
        yield Found(_text(tree, selector), DateSource.TEXT)
    if found := URL_DATE.search(url):
        yield Found("-".join(found.groups()), DateSource.URL)


def _attribute(tree: LexborHTMLParser, selector: str, name: str) -> str:
    node = tree.css_first(selector)
    return (node.attributes.get(name) or "") if node is not None else ""


def _text(tree: LexborHTMLParser, selector: str) -> str:
    node = tree.css_first(selector)
    return node.text(separator=" ", strip=True) if node is not None else ""


def _linked_data_dates(tree: LexborHTMLParser) -> list[str]:
    """`datePublished` of article nodes; of another node only when it is the single one that has a date."""
    nodes = list(_linked_data(tree))
    articles = [node["datePublished"] for node in nodes if _types(node) & ARTICLE_TYPES]
    others = [node["datePublished"] for node in nodes]
    dates = articles or (others if len(others) == 1 else [])
    return [date for date in dates if isinstance(date, str)]


def _types(node: dict[str, Any]) -> set[str]:
    stated = node.get("@type")
    return {name for name in (stated if isinstance(stated, list) else [stated]) if isinstance(name, str)}


def _linked_data(tree: LexborHTMLParser) -> Iterator[dict[str, Any]]:
    """Every JSON-LD node with a `datePublished`; blocks that are not JSON are passed over."""
    for script in tree.css('script[type="application/ld+json"]')[:LD_BLOCKS]:
        source = script.text()
        if len(source) > LD_BYTES:
            continue
        try:
            yield from _dated_nodes(msgspec.json.decode(source))
        except (msgspec.DecodeError, RecursionError):
            continue


def _dated_nodes(root: Any) -> Iterator[dict[str, Any]]:
    waiting, seen = [root], 0
    while waiting and seen < LD_NODES:
        node, seen = waiting.pop(), seen + 1
        if isinstance(node, list):
            waiting.extend(node)
        elif isinstance(node, dict):
            if "datePublished" in node:
                yield node
            waiting.extend(value for value in node.values() if isinstance(value, dict | list))
