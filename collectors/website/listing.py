"""A plain listing page, by the CSS selectors of the configuration."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

from collectors.base import CollectError
from collectors.website.dates import Moment, read_date
from collectors.website.pages import Pages
from collectors.website.text import decode, identity, normal_url, plain
from collectors.website.visit import (
    Harvest,
    Visit,
    fetch,
    moment,
    not_a_source,
    oldest_of_list,
    reading_of,
    unchanged,
)
from config.models import Listing
from store.records import Confidence, DateSource, FailureKind, Post, Reading

if TYPE_CHECKING:
    from collectors.client import Answer

ITEMS_CAP = 500
BAD_SELECTOR = "Bộ chọn CSS «{selector}» không đúng cú pháp. Đề nghị sửa mục listing trong channels.toml."
NO_ITEMS = (
    "Trang danh sách không còn mục nào khớp bộ chọn «{selector}». "
    "Có thể trang đã đổi giao diện; đề nghị sửa mục listing trong channels.toml."
)
UNDATED = "{count} bài không thấy ngày đăng; lấy ngày hệ thống thấy bài lần đầu."


class Entry(NamedTuple):
    """One line of the list: where it leads, its title, and its date when the list prints one."""

    link: str
    title: str
    date: Moment | None


async def read(visit: Visit) -> Reading:
    """The posts of the list; dates that it does not print come from the article pages, twenty a look."""
    listing = visit.options.listing
    assert listing is not None, "the configuration refuses this way without selectors"
    answer, known = await fetch(visit, visit.at or visit.home)
    if answer is None:
        return unchanged(known)
    html = decode(answer.body, answer.headers.get("content-type", ""))
    entries = parse(html, answer.url, listing, visit.look.zone, visit.look.now)
    if not entries:
        raise _nothing_matched(answer, listing)
    pages = Pages(visit)
    posts = [await _post(entry, pages) for entry in entries]
    undated = sum(post.published_at is None for post in posts)
    harvest = Harvest(
        posts,
        oldest_of_list(posts, visit.look.zone, visit.look.now),
        complete=pages.unread == 0,
        notes=(UNDATED.format(count=undated),) if undated else (),
    )
    return reading_of(visit, pages.kept_in(known, (entry.link for entry in entries)), harvest)


def parse(html: str, base: str, listing: Listing, zone: ZoneInfo, now: datetime) -> list[Entry]:
    """The lines of the list that lead somewhere."""
    nodes = _select(LexborHTMLParser(html), listing.item)[:ITEMS_CAP]
    entries = (_entry(node, base, listing, zone, now) for node in nodes)
    return [entry for entry in entries if entry is not None]


def _entry(node: LexborNode, base: str, listing: Listing, zone: ZoneInfo, now: datetime) -> Entry | None:
    anchors = [node] if node.tag == "a" and listing.link == "a" else _select(node, listing.link)
    if not anchors:
        return None
    link = normal_url(anchors[0].attributes.get("href") or "", base)
    titles = _select(node, listing.title) if listing.title else anchors
    dates = _select(node, listing.date) if listing.date else []
    if not link or not titles:
        return None
    date = read_date(_words(dates[0]), zone, now) if dates else None
    return Entry(link, plain(_words(titles[0])), date)


def _words(node: LexborNode) -> str:
    return node.text(separator=" ", strip=True)


def _select(node: LexborHTMLParser | LexborNode, selector: str) -> list[LexborNode]:
    try:
        return node.css(selector)
    except SelectolaxError as error:
        sentence = BAD_SELECTOR.format(selector=selector)
        raise CollectError(FailureKind.DRIFT, "css selector refused", sentence=sentence) from error


async def _post(entry: Entry, pages: Pages) -> Post:
    """A line of the list as a post; a date that is not printed comes from the article page, once."""
    at, source, confidence = None, DateSource.FIRST_SEEN, Confidence.LOW
    if entry.date is not None:
        at, confidence, source = entry.date.at, entry.date.confidence, DateSource.TEXT
    elif (page := await pages.read(entry.link)) is not None and page.at is not None:
        at, source, confidence = moment(page.at), page.source, page.confidence
    return Post(identity(entry.link), entry.title, entry.link, at, source, confidence)


def _nothing_matched(answer: Answer, listing: Listing) -> CollectError:
    reason = not_a_source(answer, "listing")
    if reason.kind is FailureKind.BLOCKED:
        return reason
    sentence = NO_ITEMS.format(selector=listing.item)
    return CollectError(FailureKind.DRIFT, "no item matched the selectors", sentence=sentence)
