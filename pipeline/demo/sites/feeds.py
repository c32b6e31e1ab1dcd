"""Sites whose open door is a feed: RSS, Atom, JSON Feed, and the dialects of Joomla and SharePoint."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from html import escape
from typing import ClassVar

import orjson

from pipeline.demo.district import ZONE
from pipeline.demo.sites.base import XML, Asked, Reply, Site, gmt, home, iso, not_found, rfc822, slug_of
from pipeline.demo.world import Account, Item

SHAREPOINT_LIST = "{00000000-0000-0000-0000-000000000002}"


def rss(account: Account, items: Iterable[str], base: str, generator: str = "") -> Reply:
    """An RSS 2.0 answer of rendered items, with an ETag."""
    text = (
        '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel>'
        f"<title>{escape(account.name)}</title><link>{base}/</link><description>Dữ liệu minh họa</description>"
        f"<generator>{generator}</generator>{''.join(items)}</channel></rss>"
    )
    return Reply(text.encode(), XML, validated=True)


def rss_item(item: Item, link: str, extra: str = "", date: str = "") -> str:
    return (
        f"<item><title>{escape(item.title)}</title><link>{escape(link)}</link>{extra}"
        f"<pubDate>{date or gmt(item.published_at)}</pubDate><category><![CDATA[{item.category}]]></category>"
        f"<description><![CDATA[<p>{item.text}</p>]]></description></item>"
    )


class FeedSite(Site):
    """A site with one feed, which its home page announces."""

    door: ClassVar[str]
    """Path and query of the feed."""
    kind: ClassVar[str] = "application/rss+xml"
    length: ClassVar[int] = 20

    def answer(self, asked: Asked) -> Reply:
        query = "&".join(f"{name}={value}" for name, value in asked.query.items())
        if self.door == asked.path + (f"?{query}" if query else ""):
            return self.feed(self.pieces(self.visible(self.length), lambda item: self.piece(item, asked.base)), asked)
        if asked.path == "/":
            return home(self, f'<link rel="alternate" type="{self.kind}" href="{escape(self.door)}">')
        return not_found()

    def feed(self, items: Iterable[str], asked: Asked) -> Reply:
        return rss(self.account, items, asked.base, self.generator)

    def piece(self, item: Item, base: str) -> str:
        """One item as this feed writes it."""
        link = f"{base}/tin/{slug_of(item)}-{item.number}.html"
        return rss_item(item, link, f"<guid isPermaLink='true'>{link}</guid>")


class Rss(FeedSite):
    door: ClassVar[str] = "/rss.xml"


class Joomla(FeedSite):
    """Ten items, moments with the local offset."""

    generator: ClassVar[str] = "Joomla! - Open Source Content Management"
    door: ClassVar[str] = "/tin-tuc?format=feed&type=rss"
    length: ClassVar[int] = 10

    def piece(self, item: Item, base: str) -> str:
        date = rfc822(item.published_at.astimezone(ZONE), "+0700")
        link = f"{base}/tin-tuc/{item.number}-{slug_of(item)}"
        return rss_item(item, link, f"<guid isPermaLink='true'>{link}</guid>", date)


class SharePoint(FeedSite):
    """Items are numbered in the query; the printed date inside the text is local, the real one is GMT."""

    generator: ClassVar[str] = "Windows SharePoint Services V3 RSS Generator"
    door: ClassVar[str] = f"/tintuc/_layouts/listfeed.aspx?List={SHAREPOINT_LIST}"
    length: ClassVar[int] = 25

    def piece(self, item: Item, base: str) -> str:
        link = f"{base}/tintuc/Lists/Posts/ViewPost.aspx?ID={item.number}"
        printed = f"{item.published_at.astimezone(ZONE):%d/%m/%Y %H:%M}"
        return (
            f"<item><title>{escape(item.title)}</title><link>{link}</link><description><![CDATA[<div><b>Nội dung:</b> "
            f"<div class=ExternalClassMAU>{item.text}</div></div><div><b>Đã phát hành:</b> {printed}</div>]]>"
            f"</description><category>{escape(item.category)}</category><pubDate>{gmt(item.published_at)}</pubDate>"
            f'<guid isPermaLink="true">{link}</guid></item>'
        )


class Atom(FeedSite):
    door: ClassVar[str] = "/atom.xml"
    kind: ClassVar[str] = "application/atom+xml"
    length: ClassVar[int] = 25

    def feed(self, items: Iterable[str], asked: Asked) -> Reply:
        body = (
            f'<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom"><id>{asked.base}/</id>'
            f"<title>{escape(self.account.name)}</title>{''.join(items)}</feed>"
        )
        return Reply(body.encode(), XML, validated=True)

    def piece(self, item: Item, base: str) -> str:
        link = f"{base}/bai/{slug_of(item)}-{item.number}/"
        return (
            f"<entry><id>{link}</id><title>{escape(item.title)}</title><link rel='alternate' href='{link}'/>"
            f"<published>{iso(item.published_at)}</published>"
            f"<updated>{iso(item.published_at + timedelta(minutes=40))}</updated>"
            f"<category term='{item.category}'/><summary>{escape(item.text)}</summary></entry>"
        )


class JsonFeed(FeedSite):
    door: ClassVar[str] = "/feed.json"
    kind: ClassVar[str] = "application/feed+json"

    def feed(self, items: Iterable[str], asked: Asked) -> Reply:
        start = orjson.dumps({"version": "https://jsonfeed.org/version/1.1", "title": self.account.name})
        body = start[:-1] + b',"items":[' + ",".join(items).encode() + b"]}"
        return Reply(body, "application/feed+json; charset=utf-8", validated=True)

    def piece(self, item: Item, base: str) -> str:
        link = f"{base}/bai/{item.number}"
        written = {
            "id": link,
            "url": link,
            "title": item.title,
            "summary": item.text,
            "date_published": iso(item.published_at),
            "tags": [item.category],
        }
        return orjson.dumps(written).decode()
