"""NukeViet: its news sitemap holds the exact publishing moment of the 1,000 newest articles.

The titles are not there: they come from the RSS (30 newest), then from article pages, then from the address.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from urllib.parse import urljoin

from msgspec.structs import replace

from collectors.base import CollectError, Look
from collectors.website import feed, sitemap
from collectors.website.pages import Pages
from collectors.website.sitemap import Dated, Entry
from collectors.website.visit import (
    SITEMAP_BYTES,
    Harvest,
    Page,
    Visit,
    digest_of,
    emptied,
    fresh,
    in_column,
    not_a_source,
    reading_of,
    surely_after,
    unchanged,
)
from store.records import EVER, Confidence, DateSource, Post, Reading

FULL = 1000
"""NukeViet cuts the news sitemap at this many entries."""
MODULES_A_LOOK = 5
NO_NEWS = re.compile(
    r"(?:page|about|contact|users|download|voting|banners|statistics|siteterms|menu|seek|faq|laws|shops|photos"
    r"|videoclips)\Z"
)
NEWS_SITEMAP = re.compile(r"/sitemap-(?P<language>[a-z]{2})\.(?P<module>[\w-]+)\.xml\Z")


async def read(visit: Visit) -> Reading:
    """The articles of the news sitemaps: all of them on the first look, later those of the last weeks."""
    index, named = await find_news_sitemaps(visit)
    answers = [await visit.look.get(url, body_limit=SITEMAP_BYTES) for url in named[:MODULES_A_LOOK]]
    digests = "".join(digest_of(answer.body) for answer in answers[1:])
    answer, known = fresh(visit, visit.known, answers[0], beside=digests)
    if answer is None:
        return unchanged(known)
    modules = {url: sitemap.parse(answer).entries for url, answer in zip(named, answers, strict=False)}
    entries = [entry for module in modules.values() for entry in module]
    dated = sitemap.datable(entries, visit.look.zone, visit.look.now)
    if not dated:
        emptied(visit.known)
    recent, start = sitemap.newest_first(dated, visit.window(), visit.look.zone, visit.look.now)
    pages = Pages(visit)
    await _learn_titles(visit, modules, recent, pages)
    posts = [await _post(item, pages) for item in recent]
    known = pages.kept_in(replace(known, at=index), (post.link for post in posts))
    holes = sitemap.hole_notes(len(entries) - len(dated), len(named) - len(answers))
    harvest = Harvest(
        in_column(posts, visit.options.category),
        None if holes else _coverage(modules, dated, start, visit.look),
        complete=pages.unread == 0,
        notes=(*holes, *sitemap.title_notes(pages.unread)),
    )
    return reading_of(visit, known, harvest)


async def find_news_sitemaps(visit: Visit) -> tuple[str, list[str]]:
    """The address to start from and the sitemaps of all modules with articles: `news` first, Vietnamese first."""
    if NEWS_SITEMAP.search(visit.at):
        return visit.at, [visit.at]
    index = visit.at or urljoin(visit.home, "/sitemap.xml")
    answer = await visit.look.get(index, body_limit=SITEMAP_BYTES)
    children = dict.fromkeys(child.url for child in sitemap.parse(answer).children)
    named = [url for url in children if (found := NEWS_SITEMAP.search(url)) and not NO_NEWS.match(found["module"])]
    if not named:
        raise not_a_source(answer, "NukeViet sitemap index")
    return index, sorted(named, key=lambda url: (".news.xml" not in url, "-vi." not in url))


def rss_of(news_sitemap: str) -> str:
    """The RSS address of the module whose sitemap this is."""
    found = NEWS_SITEMAP.search(news_sitemap)
    return urljoin(news_sitemap, f"/{found['language']}/{found['module']}/rss/") if found else ""


async def _learn_titles(
    visit: Visit, modules: Mapping[str, Sequence[Entry]], recent: Sequence[Dated], pages: Pages
) -> None:
    """Ask the RSS of each module that has a new article for its titles."""
    new = {item.entry.url for item in recent} - visit.known.pages.keys()
    for at, entries in modules.items():
        if any(entry.url in new for entry in entries):
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


def _coverage(
    modules: Mapping[str, Sequence[Entry]], dated: Sequence[Dated], start: datetime | None, look: Look
) -> datetime | None:
    """Below 1,000 entries a sitemap holds everything since *start*; a full one what is younger than its oldest."""
    if start is None:
        return None
    moments = {item.entry.url: item.moment for item in dated}
    full = [entries for entries in modules.values() if len(entries) >= FULL]
    ends = (min(moments[entry.url] for entry in entries) for entries in full)
    return max(start, *(surely_after(*end, look.zone, look.now) for end in ends), EVER)
