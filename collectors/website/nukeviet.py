"""NukeViet: its news sitemap holds the exact publishing moment of the 1,000 newest articles.

The titles are not there: they come from the RSS (30 newest), then from article pages, then from the address.
"""

from __future__ import annotations

import re
from datetime import datetime
from urllib.parse import urljoin

from msgspec.structs import replace

from collectors.base import CollectError
from collectors.website import feed, sitemap
from collectors.website.pages import Pages
from collectors.website.sitemap import Dated
from collectors.website.visit import (
    SITEMAP_BYTES,
    Harvest,
    Page,
    Visit,
    emptied,
    fetch,
    in_column,
    not_a_source,
    reading_of,
    unchanged,
)
from store.records import EVER, Confidence, DateSource, Post, Reading

FULL = 1000
"""NukeViet cuts the news sitemap at this many entries."""
NEWS_SITEMAP = re.compile(r"/sitemap-(?P<language>[a-z]{2})\.(?P<module>[\w-]+)\.xml\Z")


async def read(visit: Visit) -> Reading:
    """The articles of the news sitemap: all of them on the first look, later those of the last weeks."""
    at = visit.at if NEWS_SITEMAP.search(visit.at) else await find_news_sitemap(visit)
    answer, known = await fetch(visit, at, body_limit=SITEMAP_BYTES)
    if answer is None:
        return unchanged(known)
    dated = sitemap.datable(sitemap.parse(answer).entries, visit.look.zone, visit.look.now)
    if not dated:
        emptied(visit.known)
    since = visit.window()
    recent, _ = sitemap.newest_first(dated, since)
    pages = Pages(visit)
    await _learn_titles(visit, at, recent, pages)
    posts = [await _post(item, pages) for item in recent]
    known = pages.kept_in(replace(known, at=at), (post.link for post in posts))
    mine = in_column(posts, visit.options.category)
    return reading_of(visit, known, Harvest(mine, _coverage(dated, since), notes=sitemap.title_notes(pages.unread)))


async def find_news_sitemap(visit: Visit) -> str:
    """The address of the news sitemap in the site's index: module `news` if there, Vietnamese first."""
    index = visit.at or urljoin(visit.home, "/sitemap.xml")
    answer = await visit.look.get(index, body_limit=SITEMAP_BYTES)
    children = [child.url for child in sitemap.parse(answer).children]
    named = [url for url in children if (found := NEWS_SITEMAP.search(url)) and found["module"] != "page"]
    if not named:
        raise not_a_source(answer, "NukeViet sitemap index")
    return min(named, key=lambda url: (".news.xml" not in url, "-vi." not in url))


def rss_of(news_sitemap: str) -> str:
    """The RSS address of the module whose sitemap this is."""
    found = NEWS_SITEMAP.search(news_sitemap)
    return urljoin(news_sitemap, f"/{found['language']}/{found['module']}/rss/") if found else ""


async def _learn_titles(visit: Visit, at: str, recent: list[Dated], pages: Pages) -> None:
    """Ask the RSS for titles when there is a new article."""
    if any(item.entry.url not in visit.known.pages for item in recent):
        for url, title in (await _rss_titles(visit, rss_of(at))).items():
            pages.learn(url, Page(title, None, DateSource.SITEMAP, Confidence.EXACT))


async def _rss_titles(visit: Visit, url: str) -> dict[str, str]:
    """Titles by address; none when the RSS is closed or broken, then the article pages serve."""
    try:
        posts, _ = feed.parse(await visit.look.get(url), visit.look.zone, visit.look.now)
    except CollectError:
        return {}
    return {post.link: post.title for post in posts if post.title}


async def _post(item: Dated, pages: Pages) -> Post:
    page = await pages.read(item.entry.url)
    title = (page.title if page else "") or sitemap.title_from(item.entry.url)
    return sitemap.make_post(item.entry.url, title, item.moment, DateSource.SITEMAP)


def _coverage(dated: list[Dated], since: datetime | None) -> datetime:
    """Below 1,000 entries the sitemap holds everything; a full one holds what is younger than its oldest."""
    start = EVER if len(dated) < FULL else min(item.moment.at for item in dated)
    return start if since is None else max(start, since)
