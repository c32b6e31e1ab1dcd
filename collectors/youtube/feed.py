"""The public Atom feed of a channel: its 15 newest videos, without key and without the channel's own counts.

It fails for everybody now and then (facts: public Atom feed), so whatever it refuses says nothing about the
channel. It cannot tell an announced live from a video.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from lxml import etree
from msgspec.structs import replace

from collectors.base import CollectError, Look
from collectors.faults import PassingError
from collectors.website.dates import machine_date
from collectors.website.text import excerpt, plain
from collectors.website.xml import parse_xml
from collectors.youtube.address import Who
from collectors.youtube.errors import drift, refusal
from collectors.youtube.known import Known, cursor_of
from collectors.youtube.posts import WATCH
from store.records import Confidence, Counts, DateSource, FailureKind, Post, Reading

if TYPE_CHECKING:
    from collectors.client import Answer

GMT = ZoneInfo("UTC")
ATOM = "{http://www.w3.org/2005/Atom}"
VIDEO_ID = "{http://www.youtube.com/xml/schemas/2015}videoId"
MEDIA = "{http://search.yahoo.com/mrss/}"
GROUP, COMMUNITY = f"{MEDIA}group", f"{MEDIA}group/{MEDIA}community"
LONGEST_ID = 64

KEYLESS = (
    "Kênh được đọc qua nguồn công khai, chưa có khóa API nên không có số người đăng ký. "
    "Đề nghị khai khóa API hoặc chạy «nhip connect youtube» cho kênh này."
)
UNRESOLVED = (
    "Chưa có khóa API nên không tìm được kênh theo tên. Đề nghị khai khóa API, chạy «nhip connect youtube», "
    "hoặc ghi địa chỉ dạng https://www.youtube.com/channel/UC… trong channels.toml."
)
DOWN = "Nguồn công khai của YouTube đang lỗi, chưa nói gì về kênh. Hệ thống tự đọc lại lần sau."


async def read(look: Look, known: Known, who: Who) -> Reading:
    """The newest videos with their likes and views; covered from the oldest of them on.

    No coverage when the feed is empty: an outage may look like that.
    """
    channel_id = who.name if who.filter == "id" else known.id
    if not channel_id:
        raise CollectError(FailureKind.AUTH, "a handle needs a key to be looked up", sentence=UNRESOLVED)
    url = f"{look.platforms.youtube.feeds_base}/feeds/videos.xml?{urlencode({'channel_id': channel_id})}"

    def judge(answer: Answer) -> None:
        if answer.status >= 400:
            raise failure(answer, look.now)

    answer = await look.get(url, expect=range(400, 600), judge=judge)
    posts = {post.platform_id: post for post in parse(answer.body)}
    dates = [post.published_at for post in posts.values() if post.published_at is not None]
    return Reading(
        posts=tuple(posts.values()),
        coverage_from=min((at for at in dates if at <= look.now), default=None),
        notes=(KEYLESS,),
        cursor=cursor_of(replace(known, id=channel_id)),
    )


def failure(answer: Answer, now: datetime) -> CollectError:
    """The feed is down, or asks to wait; never that the channel is gone."""
    if answer.status == 429:
        return refusal(answer, now)
    detail = f"youtube feed answered {answer.status}"
    return PassingError(FailureKind.NETWORK, detail, sentence=DOWN)


def parse(body: bytes) -> list[Post]:
    """The videos of a feed; CollectError(DRIFT) when it is none."""
    try:
        root = parse_xml(body)
    except etree.XMLSyntaxError:
        raise drift("a feed that is no XML") from None
    if root.tag != f"{ATOM}feed":
        raise drift("XML, but not a feed")
    return [_post(entry) for entry in root.iterfind(f"{ATOM}entry")]


def _post(entry: etree._Element) -> Post:
    video_id = (entry.findtext(VIDEO_ID) or "").strip()
    published = machine_date(entry.findtext(f"{ATOM}published") or "", GMT)
    if not video_id or len(video_id) > LONGEST_ID or published is None:
        raise drift("a feed entry without an id or a date")
    return Post(
        platform_id=video_id,
        title=plain(entry.findtext(f"{ATOM}title") or ""),
        link=f"{WATCH}{video_id}",
        published_at=published.at,
        date_source=DateSource.FEED,
        date_confidence=Confidence.EXACT,
        excerpt=excerpt(entry.findtext(f"{GROUP}/{MEDIA}description") or ""),
        kind="video",
        counts=Counts(
            reactions=_count(entry, "starRating", "count"),
            views=_count(entry, "statistics", "views"),
        ),
    )


def _count(entry: etree._Element, name: str, attribute: str) -> int | None:
    element = entry.find(f"{COMMUNITY}/{MEDIA}{name}")
    text = "" if element is None else element.get(attribute, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else None
