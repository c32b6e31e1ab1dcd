"""Finding the way into a site, and saying what was tried."""

from __future__ import annotations

import asyncio
import tomllib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from collectors.base import CollectError, Look
from collectors.client import Answer, Client
from collectors.website import WAYS, ProbeResult, probe
from collectors.website.probe import FEEDS_TRIED, WAY_NAMES, signs_of
from config.models import Listing, WebsiteOptions
from store.records import FailureKind
from tests.site_server import (
    HCMC,
    PAYLOADS,
    Blogger,
    FeedSite,
    ListingSite,
    NukeViet,
    Reply,
    Request,
    Served,
    SitemapSite,
    WordPress,
    page,
    payload,
    rss,
    serving,
)
from tests.test_website_sites import articles

NOW = datetime(2026, 11, 20, 12, tzinfo=HCMC)
BASE = "https://doan-mau.example"


def try_ways(served: Served, options: WebsiteOptions | None = None) -> ProbeResult:
    async def run() -> ProbeResult:
        contact = "truyenthong@quan-doan.example"
        async with Client(contact=contact, allow=[served.place], gap_seconds=0, deadline_seconds=5) as client:
            return await probe(served.url, Look(client, NOW.astimezone(UTC), HCMC), options)

    return asyncio.run(run())


def feed_at(path: str, generator: str = "", *, announced: bool = False) -> FeedSite:
    return FeedSite(rss(articles(3), BASE), path, generator, announced)


FINDS: dict[str, tuple[Any, str, str]] = {
    "wordpress": (WordPress(articles(3)), "wordpress", "/wp-json/"),
    "wordpress with plain links": (WordPress(articles(3), plain_links=True), "wordpress", "/?rest_route=/"),
    "wordpress without rest": (WordPress(articles(3), off=page("", status=403)), "feed", "/feed/"),
    "nukeviet": (NukeViet(articles(3)), "nukeviet", "/sitemap.xml"),
    "blogger": (Blogger(articles(3)), "blogger", "/"),
    "announced feed": (feed_at("/tin/nguon.rss", announced=True), "feed", "/tin/nguon.rss"),
    "hugo": (feed_at("/index.xml", "Hugo 0.150"), "feed", "/index.xml"),
    "joomla": (feed_at("/?format=feed&type=rss", "Joomla! - CMS"), "feed", "/?format=feed&type=rss"),
    "unannounced feed": (feed_at("/atom.xml"), "feed", "/atom.xml"),
    "the address is the feed": (feed_at("/"), "feed", "/"),
    "static site": (SitemapSite(articles(3)), "sitemap", ""),
}


@pytest.mark.parametrize("kind", FINDS)
def test_the_best_way_is_found_and_can_be_pasted_into_the_configuration(kind: str) -> None:
    site, way, at = FINDS[kind]
    with serving(site) as served:
        found = try_ways(served)
        pasted = tomllib.loads(found.toml())["website"]
    assert (found.way, found.posts) == (way, 3)
    assert found.newest == articles(3)[0].at.astimezone(UTC)
    assert WebsiteOptions(**pasted).way == way
    assert pasted.get("at", "").removeprefix(served.url) == at
    assert any("3 bài" in line for line in found.evidence)


def test_a_probe_costs_few_requests_even_of_a_large_site() -> None:
    with serving(WordPress(articles(900, step=timedelta(hours=2)))) as served:
        assert try_ways(served).way == "wordpress"
        assert len(served.asked) <= 4


def test_at_most_eight_feed_addresses_are_tried() -> None:
    with serving(ListingSite(articles(2))) as served:
        found = try_ways(served)
        tried = [refused for refused in found.refused if refused.way == "feed"]
        assert len(served.asked) <= 1 + FEEDS_TRIED + 6
    assert (found.way, found.toml()) == (None, "")
    assert len(tried) == FEEDS_TRIED
    assert all(refused.why.startswith(tuple("KTĐĐ")) and "." in refused.why for refused in found.refused)


class DeadFeeds(FeedSite):
    """A theme that announces more feeds than the site has."""

    def answer(self, request: Request, base: str) -> Reply:
        if request.path != "/":
            return super().answer(request, base)
        links = (f'<link rel="alternate" type="application/rss+xml" href="/dead-{n}.xml">' for n in range(20))
        return page("", "".join(links))


def test_announced_feeds_count_among_the_eight() -> None:
    with serving(DeadFeeds(rss(articles(2), BASE), path="/rss.xml")) as served:
        found = try_ways(served)
        assert sum(path.startswith("/dead-") for path in served.asked) == 3
    assert found.way == "feed"
    with serving(DeadFeeds(rss([], BASE), path="/none")) as served:
        found = try_ways(served)
    assert sum(refused.way == "feed" for refused in found.refused) == FEEDS_TRIED


def test_a_listing_is_the_last_way_when_its_selectors_are_known() -> None:
    with serving(ListingSite(articles(2))) as served:
        found = try_ways(served, WebsiteOptions(listing=Listing(item="div.tin", date=".ngay")))
    assert found.way == "listing"


class Folder(FeedSite):
    """A Union's page in a folder of the school's site, whose feed is the school's."""

    def answer(self, request: Request, base: str) -> Reply:
        if request.path == "/doan/":
            return page("", '<link rel="alternate" type="application/rss+xml" href="/rss.xml">')
        return super().answer(request, base)


def test_a_column_of_a_shared_site_is_pointed_out() -> None:
    with serving(Folder(rss(articles(2), BASE))) as served:
        assert not any("dùng chung" in line for line in try_ways(served).evidence)
        served.url += "/doan/"
        assert any("dùng chung" in line for line in try_ways(served).evidence)


class CommentsOnly(FeedSite):
    def answer(self, request: Request, base: str) -> Reply:
        if request.path == "/":
            return page("", '<link rel="alternate" type="application/rss+xml" href="/comments/feed/">')
        return super().answer(request, base)


def test_the_feed_of_comments_is_never_asked_for() -> None:
    with serving(CommentsOnly(rss(articles(1), BASE), path="/feed/")) as served:
        assert try_ways(served).way == "feed"
        assert not any("comment" in path for path in served.asked)


def test_an_empty_feed_is_no_way_and_is_listed_as_tried() -> None:
    with serving(FeedSite(rss([], BASE))) as served:
        found = try_ways(served)
    assert found.way is None
    assert any("chưa có bài" in refused.why for refused in found.refused)


class Blocked:
    """A home page behind a wall, the feed left open."""

    def answer(self, request: Request, base: str) -> Reply:
        return rss(articles(2), BASE) if request.path == "/feed/" else page("403", status=403)


def test_a_walled_home_page_does_not_hide_an_open_feed() -> None:
    with serving(Blocked()) as served:
        assert try_ways(served).at == f"{served.url}/feed/"


def test_a_dead_address_is_an_error_with_its_own_sentence() -> None:
    with serving(WordPress([])) as served:
        pass
    with pytest.raises(CollectError) as raised:
        try_ways(served)
    assert raised.value.kind is FailureKind.NETWORK


def test_a_missing_page_is_gone() -> None:
    with serving(FeedSite(rss([], BASE))) as served:
        served.url += "/khong-co"
        with pytest.raises(CollectError) as raised:
            try_ways(served)
    assert raised.value.kind is FailureKind.GONE


def test_the_nukeviet_counter_page_shows_its_generator() -> None:
    body = payload("nukeviet_counter.html", kind="text/html").body
    signs = signs_of(Answer(url=f"{BASE}/", status=200, headers={"content-type": "text/html"}, body=body))
    assert (signs.nukeviet, signs.wordpress) == (True, False)


def test_every_way_has_a_name_for_people() -> None:
    assert WAYS.keys() == WAY_NAMES.keys()


def test_every_saved_payload_is_used_by_a_test() -> None:
    tests = "".join(path.read_text(encoding="utf-8") for path in PAYLOADS.parents[1].glob("test_*.py"))
    servers = (PAYLOADS.parents[1] / "site_server.py").read_text(encoding="utf-8")
    unused = [path.name for path in PAYLOADS.iterdir() if path.name not in tests + servers]
    assert unused == []
