"""Hand-made sites: a gzipped sitemap with article pages, and listing pages with and without printed dates."""

from __future__ import annotations

import gzip
from datetime import timedelta
from html import escape
from typing import ClassVar

import orjson

from pipeline.demo.district import ZONE
from pipeline.demo.sites.base import Asked, Reply, Site, column_of, home, iso, not_found, page, slug_of
from pipeline.demo.world import Item

CORRECTED_AFTER = timedelta(minutes=25)
LISTED = 20
WEEKDAYS = ("Thứ hai", "Thứ ba", "Thứ tư", "Thứ năm", "Thứ sáu", "Thứ bảy", "Chủ nhật")


class SitemapSite(Site):
    """`lastmod` is the last correction; the article page states the publishing moment."""

    def answer(self, asked: Asked) -> Reply:
        if asked.path == "/robots.txt":
            text = f"User-agent: *\nDisallow: /quan-tri/\nSitemap: {asked.base}/bai-sitemap.xml.gz\n"
            return Reply(text.encode(), "text/plain")
        if asked.path == "/bai-sitemap.xml.gz":
            return self._sitemap(asked.base)
        if asked.path == "/":
            return home(self)
        return self._article(asked.path)

    def _sitemap(self, base: str) -> Reply:
        urls = self.pieces(self.visible(), lambda item: _url(item, base))
        text = f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{"".join(urls)}</urlset>'
        return Reply(gzip.compress(text.encode(), compresslevel=1, mtime=0), "application/gzip")

    def _article(self, path: str) -> Reply:
        item = self.article(path.removesuffix(".html").rpartition("-")[2])
        if item is None:
            return not_found()
        facts = {"@context": "https://schema.org", "@type": "NewsArticle", "datePublished": iso(item.published_at)}
        head = f'<script type="application/ld+json">{orjson.dumps(facts).decode()}</script>'
        return page(f"<h1>{escape(item.title)}</h1><p>{escape(item.text)}</p>", head)


def _url(item: Item, base: str) -> str:
    corrected = item.published_at + (CORRECTED_AFTER if item.number % 4 == 0 else timedelta())
    address = f"{base}/{column_of(item)}/{slug_of(item)}-{item.number}.html"
    return f"<url><loc>{address}</loc><lastmod>{iso(corrected)}</lastmod></url>"


class DatedListing(Site):
    """A list that prints the date of each line."""

    date_shown: ClassVar[bool] = True

    def answer(self, asked: Asked) -> Reply:
        if asked.path == "/" and "id" in asked.query:
            return self._article(asked.query["id"])
        if asked.path != "/":
            return not_found()
        lines = self.pieces(self.visible(LISTED), self._line)
        footer = '<div id="footer">Dữ liệu minh họa | Đang truy cập: 3</div>'
        return page(f'<div id="content">{"".join(lines)}</div>{footer}', "<title>Tin hoạt động</title>")

    def _line(self, item: Item) -> str:
        printed = f"{item.published_at.astimezone(ZONE):(%d-%m-%Y | %H:%M)}" if self.date_shown else ""
        return (
            f'<div class="tin"><a class="tieude" href="?tab=news&amp;lang=vi&amp;id={item.number}">'
            f'{escape(item.title)}</a><span class="ngay">{printed}</span></div>'
        )

    def _article(self, number: str) -> Reply:
        item = self.article(number)
        if item is None:
            return not_found()
        local = item.published_at.astimezone(ZONE)
        printed = f"{WEEKDAYS[local.weekday()]}, {local:%d/%m/%Y, %H:%M} (GMT+7)"
        return page(f'<h1>{escape(item.title)}</h1><p class="dang">{printed}</p><p>{escape(item.text)}</p>')


class UndatedListing(DatedListing):
    """A list without dates; they are printed on the article pages."""

    date_shown: ClassVar[bool] = False
