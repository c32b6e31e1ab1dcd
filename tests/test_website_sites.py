"""Whole looks at whole sites: the real collector, the real client, real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from collectors import COLLECTORS
from collectors.base import CollectError, Look
from collectors.client import Client
from config.models import Channel, Listing, Owner, WebsiteOptions
from store.records import EVER, Confidence, DateSource, FailureKind, Post, Reading, Source
from tests.site_server import (
    HCMC,
    MAILBOX,
    PERSON,
    Article,
    Blogger,
    FeedSite,
    ListingSite,
    NukeViet,
    Reply,
    Served,
    SitemapSite,
    WordPress,
    atom,
    json_feed,
    page,
    payload,
    rss,
    serving,
)

NOW = datetime(2026, 11, 20, 12, tzinfo=HCMC)
HALF_PAST_MIDNIGHT = datetime(2026, 11, 20, 0, 30, tzinfo=HCMC)
BASE = "https://doan-mau.example"


def articles(count: int, newest: datetime = HALF_PAST_MIDNIGHT, step: timedelta = timedelta(days=1)) -> list[Article]:
    """*count* articles, the first one the newest and the one with the highest number."""
    return [Article(count - i, f"Tin tốt số {count - i}", HALF_PAST_MIDNIGHT - i * step) for i in range(count)]


def channel(address: str, **options: Any) -> Channel:
    owners = (Owner(unit="doan-truong-mau", start=date(2020, 1, 1)),)
    website = WebsiteOptions(**options)
    return Channel(slug="site", platform="website", name="Trang mẫu", address=address, owners=owners, website=website)


async def look_at(served: Served, cursor: Mapping[str, Any], now: datetime, options: Mapping[str, Any]) -> Reading:
    contact = "truyenthong@quan-doan.example"
    async with Client(contact=contact, allow=[served.place], gap_seconds=0, deadline_seconds=10) as client:
        look = Look(client, now.astimezone(UTC), HCMC, cursor)
        return await COLLECTORS["website"](channel(served.url, **options), look)


def look(served: Served, after: Reading | None = None, now: datetime = NOW, **options: Any) -> Reading:
    """One look, knowing what the reading before it left in its cursor."""
    return asyncio.run(look_at(served, after.cursor if after else {}, now, options))


def local_day(post: Post) -> date:
    assert post.published_at is not None
    return post.published_at.astimezone(HCMC).date()


SITES: dict[str, tuple[Any, dict[str, Any]]] = {
    "wordpress": (WordPress(articles(3)), {"way": "wordpress"}),
    "wordpress with plain links": (WordPress(articles(3), plain_links=True), {"way": "wordpress"}),
    "nukeviet": (NukeViet(articles(3)), {"way": "nukeviet"}),
    "blogger": (Blogger(articles(3)), {"way": "blogger"}),
    "feed found by itself": (FeedSite(rss(articles(3), BASE)), {"way": "feed"}),
    "rss": (FeedSite(rss(articles(3), BASE)), {"way": "feed", "at": "/rss.xml"}),
    "atom": (FeedSite(atom(articles(3), BASE)), {"way": "feed", "at": "/rss.xml"}),
    "json feed": (FeedSite(json_feed(articles(3), BASE)), {"way": "feed", "at": "/rss.xml"}),
    "sitemap": (SitemapSite(articles(3)), {"way": "sitemap"}),
    "listing": (
        ListingSite(articles(3)),
        {"way": "listing", "listing": Listing(item="div.tin", date="span.ngay")},
    ),
    "listing without dates": (
        ListingSite(articles(3), dates_shown=False),
        {"way": "listing", "listing": Listing(item="div.tin"), "article_date": "p.dang"},
    ),
}


@pytest.mark.parametrize("kind", SITES)
def test_a_site_is_read_to_the_minute_and_a_second_look_finds_nothing_new(kind: str) -> None:
    site, options = SITES[kind]
    with serving(site) as served:
        first = look(served, **options)
        second = look(served, first, **options)
    assert [post.title for post in first.posts] == ["Tin tốt số 3", "Tin tốt số 2", "Tin tốt số 1"]
    assert [post.published_at for post in first.posts] == [a.at.astimezone(UTC) for a in articles(3)]
    assert {post.date_confidence for post in first.posts} == {Confidence.EXACT}
    assert first.complete
    assert second.unchanged
    assert second.posts == ()
    assert second.coverage_from == first.coverage_from


@pytest.mark.parametrize("kind", SITES)
def test_a_post_half_an_hour_after_midnight_belongs_to_the_local_day(kind: str) -> None:
    site, options = SITES[kind]
    with serving(site) as served:
        newest = look(served, **options).posts[0]
    assert local_day(newest) == date(2026, 11, 20)


@pytest.mark.parametrize("kind", SITES)
def test_no_person_ever_enters_a_reading(kind: str) -> None:
    site, options = SITES[kind]
    with serving(site) as served:
        seen = repr(look(served, **options))
    assert "Tin tốt số 3" in seen
    assert PERSON not in seen
    assert MAILBOX not in seen


@pytest.mark.parametrize("kind", SITES)
def test_two_first_looks_give_the_same_reading(kind: str) -> None:
    site, options = SITES[kind]
    with serving(site) as served:
        assert look(served, **options) == look(served, **options)


@pytest.mark.parametrize("kind", [kind for kind in SITES if "listing" not in kind])
def test_auto_finds_the_way_by_itself_and_keeps_to_it(kind: str) -> None:
    site, _ = SITES[kind]
    with serving(site) as served:
        first = look(served)
        asked = len(served.asked)
        second = look(served, first)
        assert len(served.asked) - asked <= 2
    assert len(first.posts) == 3
    assert first.cursor["way"] == SITES[kind][1]["way"]
    assert second.unchanged


def test_wordpress_is_read_to_its_first_post_over_three_pages() -> None:
    site = WordPress(articles(250, step=timedelta(hours=9)))
    with serving(site) as served:
        reading = look(served, way="wordpress")
    assert len({post.platform_id for post in reading.posts}) == len(reading.posts) == 250
    assert reading.coverage_from == EVER
    assert reading.complete
    assert [snapshot.posts for snapshot in reading.snapshots] == [250]


class GrowingWordPress(WordPress):
    """A post appears while the pages are turned, so each page repeats the last item of the one before."""

    def _posts(self, asked: dict[str, str], base: str) -> Reply:
        if asked.get("page", "1") != "1":
            number = len(self.articles) + 1
            self.articles.insert(0, Article(number, f"Mới {number}", NOW - timedelta(minutes=number)))
        return super()._posts(asked, base)


def test_a_post_on_two_pages_is_one_post() -> None:
    with serving(GrowingWordPress(articles(250, step=timedelta(hours=9)))) as served:
        reading = look(served, way="wordpress")
    numbers = [post.platform_id for post in reading.posts]
    assert len(numbers) == len(set(numbers)) >= 250


def test_wordpress_without_its_total_headers_is_read_until_a_short_page() -> None:
    with serving(WordPress(articles(130), totals=False)) as served:
        reading = look(served, way="wordpress")
    assert (len(reading.posts), reading.complete, reading.snapshots) == (130, True, ())


def test_a_site_larger_than_one_look_is_incomplete_and_says_so() -> None:
    with serving(WordPress(articles(2050, step=timedelta(hours=1)))) as served:
        reading = look(served, way="wordpress")
    assert len(reading.posts) == 2000
    assert not reading.complete
    assert reading.coverage_from == min(post.published_at for post in reading.posts if post.published_at)
    assert any("2000 bài" in note for note in reading.notes)


def test_later_looks_ask_wordpress_only_for_the_last_weeks() -> None:
    site = WordPress(articles(150))
    with serving(site) as served:
        first = look(served, way="wordpress")
        site.articles.append(Article(151, "Tin tốt mới", NOW - timedelta(hours=1)))
        second = look(served, first, now=NOW + timedelta(hours=12), way="wordpress")
    assert "Tin tốt mới" in {post.title for post in second.posts}
    assert len(second.posts) < 20
    assert second.coverage_from == HALF_PAST_MIDNIGHT.astimezone(UTC) - timedelta(days=14)
    assert min(post.published_at for post in second.posts if post.published_at) > second.coverage_from


def test_once_a_week_everything_is_read_again() -> None:
    site = WordPress(articles(150))
    with serving(site) as served:
        first = look(served, way="wordpress")
        later = look(served, first, now=NOW + timedelta(days=7), way="wordpress")
    assert len(later.posts) == 150
    assert not later.unchanged


@pytest.mark.parametrize("kind", ["wordpress", "nukeviet", "blogger", "sitemap", "listing"])
def test_a_deleted_post_is_absent_from_the_next_look(kind: str) -> None:
    site, options = SITES[kind]
    site = type(site)(articles(3))
    with serving(site) as served:
        first = look(served, **options)
        del site.articles[1]
        second = look(served, first, now=NOW + timedelta(hours=12), **options)
    assert [post.title for post in second.posts] == ["Tin tốt số 3", "Tin tốt số 1"]
    assert second.coverage_from is not None
    assert second.coverage_from <= articles(3)[1].at
    assert second.complete


def test_wordpress_columns_and_tags_come_with_their_names() -> None:
    labelled = [Article(1, "Bài một", NOW, "Tin tốt", ("Đoàn viên", "Hội"))]
    with serving(WordPress(labelled)) as served:
        reading = look(served, way="wordpress")
        renewed = look(served, reading, now=NOW + timedelta(days=1), way="wordpress")
        names_asked = [path for path in served.asked if "/tags" in path or "/categories" in path]
    assert set(reading.posts[0].categories) == {"Tin tốt", "Đoàn viên", "Hội"}
    assert renewed.unchanged
    assert len(names_asked) == 2


def test_one_column_of_a_shared_site_can_be_read_alone() -> None:
    shared = [Article(1, "Của trường", NOW, "khac"), Article(2, "Của Đoàn", NOW, "doan")]
    sites: list[tuple[Any, dict[str, Any]]] = [
        (WordPress(shared), {"way": "wordpress"}),
        (Blogger(shared), {"way": "blogger"}),
        (FeedSite(rss(shared, BASE)), {"way": "feed", "at": "/rss.xml"}),
    ]
    for site, options in sites:
        with serving(site) as served:
            reading = look(served, category="doan", **options)
        assert [post.title for post in reading.posts] == ["Của Đoàn"], options


def test_a_column_that_does_not_exist_is_an_error_not_silence() -> None:
    with serving(WordPress(articles(2))) as served, pytest.raises(CollectError) as raised:
        look(served, way="wordpress", category="khong-co")
    assert raised.value.kind is FailureKind.GONE
    assert "khong-co" in raised.value.sentence


def test_a_feed_that_names_no_columns_cannot_be_cut_by_column() -> None:
    with serving(NoColumns()) as served, pytest.raises(CollectError) as raised:
        look(served, way="feed", at="/rss.xml", category="doan")
    assert raised.value.kind is FailureKind.DRIFT


class NoColumns(FeedSite):
    def __init__(self) -> None:
        super().__init__(payload("broken_rss_php_notice_first.xml", kind="text/xml"))


OFF = {
    "rest_cannot_access": (payload("wp_error_401_rest_cannot_access.json", 401), FailureKind.PERMISSION),
    "rest_not_logged_in": (payload("wp_error_401_rest_not_logged_in.json", 401), FailureKind.PERMISSION),
    "rest_no_route": (payload("wp_error_404_rest_no_route.json", 404), FailureKind.DRIFT),
    "rest_invalid_param": (payload("wp_error_400_bad_param.json", 400), FailureKind.DRIFT),
    "firewall": (page("403 Forbidden", status=403), FailureKind.BLOCKED),
    "html with 200": (payload("wp_html_instead_of_json.html", kind="text/html"), FailureKind.DRIFT),
    "challenge with 200": (page('<script src="/cdn-cgi/challenge-platform/x.js">'), FailureKind.BLOCKED),
    "nothing": (Reply(b""), FailureKind.DRIFT),
}


@pytest.mark.parametrize("how", OFF)
def test_a_switched_off_rest_interface_is_a_typed_error_never_an_empty_site(how: str) -> None:
    reply, kind = OFF[how]
    with serving(WordPress(articles(3), off=reply)) as served, pytest.raises(CollectError) as raised:
        look(served, way="wordpress")
    assert raised.value.kind is kind
    assert "Đề nghị" in raised.value.sentence


@pytest.mark.parametrize("how", OFF)
def test_auto_falls_back_to_the_feed_when_rest_is_off_and_posts_keep_their_identity(how: str) -> None:
    with serving(WordPress(articles(3), off=OFF[how][0])) as served:
        reading = look(served)
    assert reading.cursor["way"] == "feed"
    assert [post.platform_id for post in reading.posts] == ["wp:3", "wp:2", "wp:1"]


def test_an_honestly_empty_wordpress_is_a_success_without_posts() -> None:
    with serving(WordPress([])) as served:
        for way in ("wordpress", "auto"):
            reading = look(served, way=way)
            assert (reading.posts, reading.coverage_from, reading.complete) == ((), EVER, True)
            assert reading.snapshots[0].posts == 0


def test_a_way_that_is_gone_is_searched_again_in_the_same_look() -> None:
    site = WordPress(articles(3))
    with serving(site) as served:
        first = look(served)
        site.off = OFF["rest_cannot_access"][0]
        second = look(served, first, now=NOW + timedelta(hours=12))
        third = look(served, second, now=NOW + timedelta(hours=24))
    assert (first.cursor["way"], second.cursor["way"]) == ("wordpress", "feed")
    assert any("đã chuyển sang" in note for note in second.notes)
    assert {post.platform_id for post in second.posts} == {post.platform_id for post in first.posts}
    assert third.unchanged


def test_a_dead_way_without_another_one_keeps_its_own_error() -> None:
    site = WordPress(articles(3), feed_open=False)
    with serving(site) as served:
        first = look(served)
        site.off = OFF["rest_cannot_access"][0]
        with pytest.raises(CollectError) as raised:
            look(served, first, now=NOW + timedelta(hours=12))
    assert raised.value.kind is FailureKind.PERMISSION


def test_nukeviet_takes_exact_dates_from_the_sitemap_and_titles_from_rss_pages_and_addresses() -> None:
    site = NukeViet(articles(60))
    with serving(site) as served:
        reading = look(served, way="nukeviet")
        pages_read = sum(path.endswith(".html") for path in served.asked)
    assert reading.coverage_from == EVER
    assert {post.date_source for post in reading.posts} == {DateSource.SITEMAP}
    assert [post.published_at for post in reading.posts] == [a.at.astimezone(UTC) for a in articles(60)]
    assert pages_read == 20
    assert [post.title for post in reading.posts[:50]] == [a.title for a in articles(60)[:50]]
    assert reading.posts[50].title == "bai so 10"
    assert "tin-tot" in reading.posts[0].categories
    assert any("10 bài" in note for note in reading.notes)


def test_nukeviet_with_a_full_sitemap_covers_from_its_oldest_entry() -> None:
    site = NukeViet(articles(1001, step=timedelta(hours=3)))
    with serving(site) as served:
        reading = look(served, way="nukeviet")
    assert len(reading.posts) == 1000
    assert reading.coverage_from == min(post.published_at for post in reading.posts if post.published_at)


def test_a_new_nukeviet_article_costs_three_requests_and_keeps_the_known_titles() -> None:
    site = NukeViet(articles(60))
    with serving(site) as served:
        first = look(served, way="nukeviet")
        site.articles.append(Article(61, "Tin tốt hôm nay", NOW))
        served.asked.clear()
        second = look(served, first, now=NOW + timedelta(hours=1), way="nukeviet", at=None)
        asked = list(served.asked)
    assert [path.partition("?")[0] for path in asked] == ["/sitemap.xml", "/sitemap-vi.news.xml", "/vi/news/rss/"]
    assert second.posts[0].title == "Tin tốt hôm nay"
    known = {post.platform_id: post.title for post in first.posts}
    assert all(known[post.platform_id] == post.title for post in second.posts[1:])


def test_nukeviet_without_rss_reads_titles_from_the_article_pages() -> None:
    with serving(NukeViet(articles(3), rss_open=False)) as served:
        reading = look(served, way="nukeviet")
    assert [post.title for post in reading.posts] == [a.title for a in articles(3)]


def test_blogger_is_paged_by_its_own_total() -> None:
    with serving(Blogger(articles(400))) as served:
        reading = look(served, way="blogger")
        later = look(served, reading, now=NOW + timedelta(hours=12), way="blogger")
    assert len(reading.posts) == 400
    assert reading.coverage_from == EVER
    assert reading.snapshots[0].posts == 400
    assert len(later.posts) == 15


def test_a_feed_honours_conditional_requests_and_a_full_read_once_a_week() -> None:
    site = FeedSite(rss(articles(3), BASE))
    with serving(site) as served:
        first = look(served, way="feed", at="/rss.xml")
        second = look(served, first, now=NOW + timedelta(hours=12), way="feed", at="/rss.xml")
        weekly = look(served, second, now=NOW + timedelta(days=7), way="feed", at="/rss.xml")
    assert first.cursor["etag"]
    assert second.unchanged
    assert second.coverage_from == first.coverage_from == articles(3)[-1].at.astimezone(UTC)
    assert len(weekly.posts) == 3


def test_a_feed_that_had_items_and_has_none_is_broken_not_silent() -> None:
    site = FeedSite(rss(articles(3), BASE))
    with serving(site) as served:
        first = look(served, way="feed", at="/rss.xml")
        site.reply = rss([], BASE)
        with pytest.raises(CollectError) as raised:
            look(served, first, way="feed", at="/rss.xml")
    assert raised.value.kind is FailureKind.DRIFT


def test_an_empty_feed_on_the_first_look_promises_nothing() -> None:
    with serving(FeedSite(rss([], BASE))) as served:
        reading = look(served, way="feed", at="/rss.xml")
    assert (reading.posts, reading.coverage_from) == ((), None)
    assert reading.notes


def test_auto_may_start_at_another_address_and_still_keeps_to_what_it_found() -> None:
    with serving(FeedSite(rss(articles(3), BASE))) as served:
        first = look(served, at=f"{served.url}/")
        served.asked.clear()
        second = look(served, first, at=f"{served.url}/")
        assert served.asked == ["/rss.xml"]
    assert second.unchanged


def test_an_other_configuration_starts_from_nothing() -> None:
    with serving(WordPress(articles(3))) as served:
        first = look(served, way="wordpress")
        second = look(served, first, way="feed", at="/feed/")
    assert not second.unchanged
    assert len(second.posts) == 3


@pytest.mark.parametrize("cursor", [{"full_at": "hôm qua"}, {"later": {"version": 9}}, {"pages": [1]}, {"asked": None}])
def test_a_strange_cursor_is_a_first_look(cursor: dict[str, Any]) -> None:
    with serving(WordPress(articles(3))) as served:
        reading = asyncio.run(look_at(served, cursor, NOW, {"way": "wordpress"}))
    assert len(reading.posts) == 3


def test_a_future_date_is_kept_as_stated_and_noted() -> None:
    ahead = [Article(1, "Sắp tới", NOW + timedelta(days=3)), Article(2, "Hôm nay", NOW - timedelta(hours=1))]
    with serving(FeedSite(rss(ahead, BASE))) as served:
        reading = look(served, way="feed", at="/rss.xml")
    assert reading.posts[0].published_at == (NOW + timedelta(days=3)).astimezone(UTC)
    assert any("tương lai" in note for note in reading.notes)
    assert reading.cursor["newest"] == int((NOW - timedelta(hours=1)).timestamp())


def test_sitemap_dates_come_from_the_article_page_because_lastmod_is_the_last_change() -> None:
    changed = SitemapSite(articles(3), modified={1: NOW})
    with serving(changed) as served:
        reading = look(served, way="sitemap")
    assert {post.title: post.published_at for post in reading.posts} == {
        a.title: a.at.astimezone(UTC) for a in articles(3)
    }
    assert {post.date_source for post in reading.posts} == {DateSource.TIME_TAG}


def test_a_modification_date_alone_is_a_guess() -> None:
    with serving(SitemapSite(articles(3), pages_dated=False)) as served:
        reading = look(served, way="sitemap")
    assert {post.date_confidence for post in reading.posts} == {Confidence.LOW}
    assert any("phỏng đoán" in note for note in reading.notes)


def test_article_pages_are_read_twenty_a_look_and_never_twice() -> None:
    site = ListingSite(articles(30), dates_shown=False)
    options: dict[str, Any] = {"way": "listing", "listing": Listing(item="div.tin"), "article_date": "p.dang"}
    with serving(site) as served:
        first = look(served, **options)
        second = look(served, first, **options)
        third = look(served, second, **options)
        pages = [path for path in served.asked if "id=" in path]
    assert (first.complete, second.complete, third.unchanged) == (False, True, True)
    assert sum(post.published_at is None for post in first.posts) == 10
    assert (first.coverage_from, second.coverage_from) == (None, articles(30)[-1].at.astimezone(UTC))
    assert len(pages) == len(set(pages)) == 30


def test_the_visitor_counter_is_a_snapshot_of_its_own() -> None:
    site = ListingSite(articles(2), footer="<div>Đang truy cập: 3 | Lượt truy cập: 1.234.567</div>")
    options: dict[str, Any] = {
        "way": "listing",
        "listing": Listing(item="div.tin", date=".ngay"),
        "counter": True,
    }
    with serving(site) as served:
        first = look(served, **options)
        second = look(served, first, **options)
    assert [(shot.source, shot.views) for shot in first.snapshots] == [(Source.SITE, 1_234_567)]
    assert second.unchanged
    assert second.snapshots == first.snapshots


def test_a_missing_counter_is_noted_and_never_a_zero() -> None:
    options: dict[str, Any] = {
        "way": "listing",
        "listing": Listing(item="div.tin", date=".ngay"),
        "counter": True,
    }
    with serving(ListingSite(articles(2))) as served:
        reading = look(served, **options)
    assert reading.snapshots == ()
    assert any("bộ đếm" in note for note in reading.notes)


def test_a_listing_whose_items_are_gone_is_broken_and_names_the_selector() -> None:
    with serving(ListingSite(articles(2))) as served, pytest.raises(CollectError) as raised:
        look(served, way="listing", listing=Listing(item="li.khong-co"))
    assert raised.value.kind is FailureKind.DRIFT
    assert "li.khong-co" in raised.value.sentence


def test_a_listing_with_a_bad_selector_says_what_to_correct() -> None:
    with serving(ListingSite(articles(2))) as served, pytest.raises(CollectError) as raised:
        look(served, way="listing", listing=Listing(item="div[["))
    assert "«div[[»" in raised.value.sentence


def test_a_site_without_any_way_in_says_what_to_do() -> None:
    with serving(ListingSite([])) as served, pytest.raises(CollectError) as raised:
        look(served)
    assert "listing" in raised.value.sentence
