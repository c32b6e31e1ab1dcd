"""NukeViet 4.5: a news sitemap with exact moments, and the wrong dates of its feed and its article pages."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape
from typing import ClassVar

from pipeline.demo.district import ZONE
from pipeline.demo.sites.base import XML, Asked, Reply, Site, column_of, gmt, iso, not_found, page, slug_of
from pipeline.demo.sites.feeds import rss, rss_item
from pipeline.demo.world import DAY, Item

SITEMAP_ITEMS = 1000
FEED_ITEMS = 30
VISITS_A_DAY = 137


class NukeViet(Site):
    generator: ClassVar[str] = "NukeViet v4.5"

    def answer(self, asked: Asked) -> Reply:
        if asked.path == "/sitemap.xml":
            return _index(asked.base)
        if asked.path == "/sitemap-vi.news.xml":
            return self._sitemap(asked.base)
        if asked.path == "/vi/news/rss/":
            written = (_feed_item(item, asked.base) for item in self.visible(FEED_ITEMS))
            return rss(self.account, written, asked.base, "NukeViet v4.0")
        if asked.path == "/":
            return self._home(asked.at)
        return self._article(asked.path)

    def _sitemap(self, base: str) -> Reply:
        """The 1,000 newest; `lastmod` is the publishing moment."""
        urls = self.pieces(
            self.visible(SITEMAP_ITEMS),
            lambda item: f"<url><loc>{_address(item, base)}</loc><lastmod>{iso(item.published_at)}</lastmod></url>",
        )
        return _xml(f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{"".join(urls)}</urlset>')

    def _article(self, path: str) -> Reply:
        """Right microdata beside an Open Graph date with the zone in the middle."""
        item = self.article(path.removesuffix(".html").rpartition("-")[2])
        if item is None:
            return not_found()
        local = item.published_at.astimezone(ZONE)
        broken = f"{local:%Y-%m-%d}+07{local:%H:%M:%S}"
        mark = f'<span class="hidden" itemprop="datePublished">{local.isoformat()}</span>'
        head = f'<meta property="article:published_time" content="{broken}">'
        return page(f"{mark}<h1>{escape(item.title)}</h1><p>{escape(item.text)}</p>", head)

    def _home(self, at: datetime) -> Reply:
        """The block of visitor counters, with commas between thousands."""
        total = 120_000 + int((at - self.account.opened_at) / DAY * VISITS_A_DAY)
        rows = (("Đang truy cập", 3 + total % 9), ("Hôm nay", total % VISITS_A_DAY), ("Tổng lượt truy cập", total))
        counters = "".join(f"<li><span>{label}</span><span>{count:,}</span></li>" for label, count in rows)
        head = f'<meta name="generator" content="{self.generator}">'
        return page(f'<p>Dữ liệu minh họa</p><ul class="counter">{counters}</ul>', head, lasting=False)


def _address(item: Item, base: str) -> str:
    return f"{base}/vi/news/{column_of(item)}/{slug_of(item)}-{item.number}.html"


def _feed_item(item: Item, base: str) -> str:
    """The date has the month in the place of the minutes."""
    at = item.published_at.astimezone(UTC)
    date = gmt(at.replace(minute=at.month, second=0))
    return rss_item(item, _address(item, base), f"<guid>\n <![CDATA[news_{item.number}]]>\n</guid>", date)


def _index(base: str) -> Reply:
    names = ("page", "news")
    children = "".join(f"<sitemap><loc>{base}/sitemap-vi.{name}.xml</loc></sitemap>" for name in names)
    return _xml(f'<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{children}</sitemapindex>')


def _xml(text: str) -> Reply:
    return Reply(f'<?xml version="1.0" encoding="UTF-8"?>{text}'.encode(), XML)
