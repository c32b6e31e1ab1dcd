"""RSS 2.0, RDF, Atom and JSON Feed: strictly with lxml first, feedparser for what is not well-formed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from lxml import etree

from collectors.base import CollectError
from collectors.payload import decode_json
from collectors.website import loose
from collectors.website.dates import read_date
from collectors.website.text import UNWANTED, decode, excerpt, identity, normal_url, plain
from collectors.website.visit import (
    Harvest,
    Visit,
    emptied,
    fetch,
    in_column,
    not_a_source,
    oldest_of_list,
    reading_of,
    unchanged,
)
from collectors.website.xml import parse_xml
from store.records import Confidence, DateSource, FailureKind, Post, Reading

if TYPE_CHECKING:
    from collectors.client import Answer

ITEMS_CAP = 2000
FEED_START = re.compile(r"<(?:\?xml|rss|feed|rdf:RDF)[\s>]")
HTML_START = re.compile(rb"\s*(?:<!--.{0,500}?-->\s*)?<(?:!doctype\s+html|html|head|body)", re.IGNORECASE | re.DOTALL)
XML_PROLOG = re.compile(r"\s*<\?xml[^>]{0,200}\?>")

ATOM = "{http://www.w3.org/2005/Atom}"
RSS1 = "{http://purl.org/rss/1.0/}"
DC = "{http://purl.org/dc/elements/1.1/}"
ROOTS = {"rss", f"{ATOM}feed", "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}RDF"}
TITLE, LINK, GUID, DATE, UPDATED, SUMMARY, CONTENT, CATEGORY = range(8)
FIELDS = {
    "title": TITLE,
    "link": LINK,
    "guid": GUID,
    "pubDate": DATE,
    "description": SUMMARY,
    "{http://purl.org/rss/1.0/modules/content/}encoded": CONTENT,
    "category": CATEGORY,
    f"{DC}date": DATE,
    f"{DC}subject": CATEGORY,
    f"{RSS1}title": TITLE,
    f"{RSS1}link": LINK,
    f"{RSS1}description": SUMMARY,
    f"{ATOM}title": TITLE,
    f"{ATOM}link": LINK,
    f"{ATOM}id": GUID,
    f"{ATOM}published": DATE,
    f"{ATOM}updated": UPDATED,
    f"{ATOM}summary": SUMMARY,
    f"{ATOM}content": CONTENT,
    f"{ATOM}category": CATEGORY,
}
"""Every element that is read; anything else in a feed (authors, comments) does not exist for us."""

FEED_END = re.compile(r"</\s*(?:rss|feed|rdf:RDF)\s*>")
CUT = "Nguồn tin bị cắt giữa chừng nên lần xem này không đủ để nói đơn vị chưa có bài."
LOOSE = "Nguồn tin RSS sai chuẩn, đọc ở chế độ nới lỏng. Đề nghị người quản trị trang sửa nguồn tin."
REPAIRED = "Nguồn tin có nội dung thừa hoặc ký tự hỏng, đã bỏ qua khi đọc."
NO_ITEMS = "Nguồn tin chưa có bài nào."
UNDATED = "{count} bài không ghi ngày đăng; lấy ngày hệ thống thấy bài lần đầu."


class Item(NamedTuple):
    """One item as the feed writes it: raw strings, because libraries damage Vietnamese dates and texts."""

    title: str
    link: str
    guid: str
    date: str
    updated: str
    summary: str
    content: str
    categories: Sequence[str]


class Feed(NamedTuple):
    """The items of a feed, what wrote it, and how well it was written."""

    items: list[Item]
    generator: str
    notes: tuple[str, ...]


class JsonItem(msgspec.Struct):
    """What is read of an item; feeds write null for what they do not have."""

    id: str | int | float | None = None
    url: str | None = None
    title: str | None = None
    summary: str | None = None
    content_text: str | None = None
    content_html: str | None = None
    date_published: str | None = None
    tags: list[str] | None = None


class JsonFeed(msgspec.Struct):
    version: str
    items: list[JsonItem]


async def read(visit: Visit) -> Reading:
    """The posts of the feed at `visit.at`; covered from its oldest item on."""
    answer, known = await fetch(visit, visit.at or visit.home)
    if answer is None:
        return unchanged(known)
    posts, notes = parse(answer, visit.look.zone, visit.look.now)
    whole = CUT not in notes
    if not posts and not whole:
        raise not_a_source(answer, "feed")
    if not posts:
        emptied(visit.known)
    mine = in_column(posts, visit.options.category)
    return reading_of(
        visit, known, Harvest(mine, oldest_of_list(posts, visit.look.zone, visit.look.now), complete=whole, notes=notes)
    )


def parse(answer: Answer, zone: ZoneInfo, now: datetime) -> tuple[list[Post], tuple[str, ...]]:
    """The posts of a feed in its own order, and what a person should know about how it is written."""
    feed = parse_items(answer)
    posts = posts_of(feed, answer.url, zone, now)
    if not posts:
        return [], (*feed.notes, NO_ITEMS)
    undated = sum(post.published_at is None for post in posts)
    return posts, ((*feed.notes, UNDATED.format(count=undated)) if undated else feed.notes)


def parse_items(answer: Answer) -> Feed:
    """The raw items of an answer in any feed format; CollectError when it is none."""
    body = answer.body
    if body[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return _from_json(body)
    if HTML_START.match(body[:2048]):
        raise not_a_source(answer, "feed")
    try:
        return _from_xml(body)
    except etree.XMLSyntaxError:
        return _repaired(answer)


def _from_json(body: bytes) -> Feed:
    feed = decode_json(body, JsonFeed)
    if "jsonfeed.org" not in feed.version:
        raise CollectError(FailureKind.DRIFT, "JSON, but not a JSON Feed")
    items = [_json_item(item) for item in feed.items[:ITEMS_CAP]]
    return Feed(items, "", ())


def _json_item(item: JsonItem) -> Item:
    return Item(
        title=item.title or "",
        link=item.url or "",
        guid=str(item.id or ""),
        date=item.date_published or "",
        updated="",
        summary=item.summary or "",
        content=item.content_text or item.content_html or "",
        categories=item.tags or (),
    )


def _repaired(answer: Answer) -> Feed:
    """A feed that is not well-formed: without what stands before it, then through feedparser."""
    text = decode(answer.body, answer.headers.get("content-type", ""))
    start = FEED_START.search(text)
    if start is None:
        raise not_a_source(answer, "feed")
    text = UNWANTED.sub("", XML_PROLOG.sub("", text[start.start() :], count=1))
    body = text.encode()
    try:
        feed = _from_xml(body)
    except etree.XMLSyntaxError:
        items = [Item(*fields) for fields in loose.items(body)[:ITEMS_CAP]]
        return Feed(items, "", (LOOSE,) if FEED_END.search(text) else (LOOSE, CUT))
    return feed._replace(notes=(REPAIRED,))


def _from_xml(body: bytes) -> Feed:
    root = parse_xml(body)
    if root.tag not in ROOTS:
        raise CollectError(FailureKind.DRIFT, "XML, but not a feed")
    generator = root.findtext("channel/generator") or root.findtext(f"{ATOM}generator") or ""
    elements = root.iter("item", f"{RSS1}item", f"{ATOM}entry")
    return Feed([_item(element) for element, _ in zip(elements, range(ITEMS_CAP), strict=False)], generator, ())


def _item(element: etree._Element) -> Item:
    fields = ["", "", "", "", "", "", ""]
    categories: list[str] = []
    for child in element:
        slot = FIELDS.get(child.tag)
        if slot is None:
            continue
        if slot == CATEGORY:
            categories.append(child.get("term") or child.text or "")
        elif slot == LINK and (href := child.get("href")):
            if child.get("rel", "alternate") == "alternate":
                fields[LINK] = href
        elif not fields[slot]:
            fields[slot] = (child.text or "") if len(child) == 0 else "".join(_texts(child))
    title, link, guid, date, updated, summary, content = fields
    return Item(title, link, guid, date, updated, summary, content, categories)


def _texts(element: etree._Element) -> Iterator[str]:
    return (text for text in element.itertext() if isinstance(text, str))


def posts_of(feed: Feed, base: str, zone: ZoneInfo, now: datetime) -> list[Post]:
    """The items as posts; an item without a link and without a guid is not one."""
    wordpress = "wordpress.org" in feed.generator
    made = (_post(item, base, zone, now, wordpress=wordpress) for item in feed.items)
    posts = [post for post in made if post is not None]
    return _by_the_hour(posts) if "NukeViet" in feed.generator else posts


def _post(item: Item, base: str, zone: ZoneInfo, now: datetime, *, wordpress: bool) -> Post | None:
    link = normal_url(item.link, base) or _guid_as_link(item.guid)
    platform_id = (_wordpress_id(item.guid) if wordpress else "") or identity(link) or plain(item.guid, 200)
    if not platform_id:
        return None
    moment, confidence, source = _published(item, zone, now)
    return Post(
        platform_id=platform_id,
        title=plain(item.title),
        link=link,
        published_at=moment,
        date_source=source,
        date_confidence=confidence,
        excerpt=excerpt(item.summary or item.content),
        categories=tuple([plain(name, 100) for name in item.categories]),
    )


def _guid_as_link(guid: str) -> str:
    guid = guid.strip()
    return normal_url(guid) if guid.startswith("http") else ""


def _wordpress_id(guid: str) -> str:
    """WordPress writes the post number into the guid: the same post as through its REST interface."""
    before, mark, number = guid.strip().rpartition("?p=")
    return f"wp:{number}" if before and mark and number.isdecimal() else ""


def _published(item: Item, zone: ZoneInfo, now: datetime) -> tuple[datetime | None, Confidence, DateSource]:
    moment = read_date(item.date, zone, now) if item.date else None
    if moment is not None:
        return moment.at, moment.confidence, DateSource.FEED
    changed = read_date(item.updated, zone, now) if item.updated else None
    if changed is not None:
        return changed.at, Confidence.LOW, DateSource.FEED
    return None, Confidence.LOW, DateSource.FIRST_SEEN


def _by_the_hour(posts: list[Post]) -> list[Post]:
    """NukeViet: RSS minutes are the month number; only the hour is kept unless the minutes disprove it."""
    dated = [post.published_at for post in posts if post.published_at is not None]
    if any(at.minute != at.month for at in dated):
        return posts
    return [_to_the_hour(post) for post in posts]


def _to_the_hour(post: Post) -> Post:
    if post.published_at is None:
        return post
    return replace(post, published_at=post.published_at.replace(minute=0, second=0), date_confidence=Confidence.HOUR)
