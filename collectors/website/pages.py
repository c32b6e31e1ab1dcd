"""Article pages, read once each and a few per look, for the titles and dates that a list does not show."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from collectors.base import CollectError
from collectors.website.article import fetch_page
from collectors.website.visit import PAGES_REMEMBERED, Known, Page, Visit

FAILURES_A_LOOK = 2


class Pages:
    """What article pages said, now or on earlier looks; `unread` counts those left for the next look."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._known = dict(visit.known.pages)
        self._left = visit.articles
        self._failures = 0
        self.unread = 0

    async def read(self, url: str) -> Page | None:
        """What the page said; None when this look has read its share."""
        if url in self._known:
            return self._known[url]
        if self._left == 0:
            self.unread += 1
            return None
        self._left -= 1
        try:
            page = await fetch_page(self._visit.look, url, self._visit.options.article_date)
        except CollectError:
            self._fail()
            return None
        self._known[url] = page
        return page

    def _fail(self) -> None:
        """One page that breaks must not fail the look; a site that breaks is not asked for every page."""
        self.unread += 1
        self._failures += 1
        if self._failures == FAILURES_A_LOOK:
            self._left = 0

    def learn(self, url: str, page: Page) -> None:
        """Remember what another source said about a page."""
        self._known.setdefault(url, page)

    def kept_in(self, known: Known, urls: Iterable[str]) -> Known:
        """What to remember for the next look: the pages still listed, newest first; is any left to read?"""
        listed = [url for url in urls if url in self._known][:PAGES_REMEMBERED]
        known = replace(known, pages={url: self._known[url] for url in listed})
        return known.unfinished() if self.unread else known
