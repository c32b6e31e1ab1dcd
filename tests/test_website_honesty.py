"""What a look must not claim: every claim too many lets the programme say that a unit missed a day it did not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from collectors.base import CollectError
from collectors.payload import decode_json
from collectors.website import feed, nukeviet, sitemap, wordpress
from collectors.website.text import identity
from config.models import Listing
from store.records import EVER, FailureKind
from tests.site_server import (
    HCMC,
    Article,
    Blogger,
    FeedSite,
    FixedSite,
    NukeViet,
    Reply,
    Request,
    SitemapSite,
    WordPress,
    as_json,
    page,
    rss,
    serving,
    sitemap_index,
    urlset,
)
from tests.test_website_sites import BASE, HALF_PAST_MIDNIGHT, NOW, articles, look

LATER = NOW + timedelta(hours=12)


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def tale(number: int, days_ago: float) -> Article:
    return Article(number, f"Tin số {number}", ago(days_ago))


def test_an_edited_old_post_in_the_middle_of_a_feed_is_no_depth() -> None:
    mixed = [tale(3, 0.1), tale(2, 684), tale(1, 0.2)]
    with serving(FeedSite(rss(mixed, BASE))) as served:
        reading = look(served, way="feed", at="/rss.xml")
    assert reading.coverage_from == ago(0.2).astimezone(UTC).replace(microsecond=0)


@pytest.mark.parametrize("printed", ["18/11/2026", "18/11/2026 00:00", "Wed, 18 Nov 2026 00:00:00 +0700"])
def test_the_day_a_list_ends_with_is_not_wholly_covered_when_its_posts_have_no_time(printed: str) -> None:
    row = '<div class="tin"><a href="/{0}">Tin</a><span>{1}</span></div>'
    home = page(row.format(2, "20/11/2026 08:30") + row.format(1, printed))
    options: dict[str, Any] = {"way": "listing", "listing": Listing(item="div.tin", date="span")}
    with serving(FeedSite(home, path="/")) as served:
        reading = look(served, **options)
    assert reading.coverage_from == datetime(2026, 11, 19, tzinfo=HCMC)


def test_a_feed_of_days_without_times_does_not_cover_its_last_day() -> None:
    days = [Article(n, "Tin", datetime(2026, 11, n, tzinfo=HCMC)) for n in (20, 19, 18)]
    with serving(FeedSite(rss(days, BASE))) as served:
        reading = look(served, way="feed", at="/rss.xml")
    assert reading.coverage_from == datetime(2026, 11, 19, tzinfo=HCMC)


def test_an_undated_article_in_a_sitemap_makes_its_silence_worthless() -> None:
    texts = {"/sitemap.xml": urlset(("/tin/1", ago(9)), ("/tin/2", ago(8)))}
    with serving(FixedSite(texts)) as served:
        sure = look(served, way="sitemap")
        texts["/sitemap.xml"] = urlset(("/tin/1", ago(9)), ("/tin/2", ago(8)), ("/tin/3", ""), ("/", ""))
        unsure = look(served, way="sitemap")
    assert sure.coverage_from is not None
    assert unsure.coverage_from is None
    assert sitemap.SOME_UNDATED.format(count=1) in unsure.notes


def test_a_modification_date_proves_nothing_of_the_days_before_it() -> None:
    with serving(SitemapSite(articles(3), modified={1: ago(0.1)}, pages_dated=False)) as served:
        assert look(served, way="sitemap").coverage_from == ago(0.1).astimezone(UTC).replace(microsecond=0)


def test_an_undated_item_in_a_feed_may_belong_to_any_day() -> None:
    body = rss(articles(3), BASE).body.replace(
        b"</channel>", b"<item><link>https://a.example/9</link></item></channel>"
    )
    with serving(FeedSite(Reply(body, headers={"Content-Type": "text/xml"}))) as served:
        reading = look(served, way="feed", at="/rss.xml")
    assert (len(reading.posts), reading.coverage_from) == (4, None)


def numbered(count: int) -> dict[str, str]:
    """An index of *count* undated child sitemaps, the last one with the newest articles."""
    children = [f"/bai-{n}.xml" for n in range(1, count + 1)]
    texts = {path: urlset((f"/tin/{n}", ago(count - n))) for n, path in enumerate(children, start=1)}
    return {"/sitemap.xml": sitemap_index(*children)} | texts


def test_undated_child_sitemaps_are_read_from_the_last_and_a_skipped_one_proves_nothing() -> None:
    with serving(FixedSite(numbered(6))) as served:
        six = look(served, way="sitemap")
        read = [path for path in served.asked if path.startswith("/bai-")]
    assert read == [f"/bai-{n}.xml" for n in (6, 5, 4, 3, 2)]
    assert six.coverage_from is None
    assert sitemap.SKIPPED.format(count=1) in six.notes
    with serving(FixedSite(numbered(5))) as served:
        five = look(served, way="sitemap")
    assert len(five.posts) == 5
    assert five.coverage_from is not None


def test_an_index_inside_an_index_is_skipped_and_proves_nothing() -> None:
    texts = numbered(2) | {"/bai-1.xml": sitemap_index("/sau-hon.xml")}
    with serving(FixedSite(texts)) as served:
        assert look(served, way="sitemap").coverage_from is None


def test_an_index_of_pages_and_categories_is_no_way_to_read_articles() -> None:
    texts = {"/sitemap.xml": sitemap_index("/page-sitemap.xml", "/category-sitemap.xml")}
    with serving(FixedSite(texts)) as served, pytest.raises(CollectError) as raised:
        look(served, way="sitemap")
    assert raised.value.kind is FailureKind.DRIFT


def test_a_sitemap_that_lists_no_article_covers_nothing() -> None:
    with serving(FixedSite({"/sitemap.xml": urlset(("/", ago(1)), ("/category/tin/", ago(1)))})) as served:
        reading = look(served, way="sitemap")
    assert (reading.posts, reading.coverage_from) == ((), None)


def test_a_sitemap_that_had_articles_and_has_none_is_broken() -> None:
    site = SitemapSite(articles(3))
    with serving(site) as served:
        first = look(served, way="sitemap")
        site.articles = []
        with pytest.raises(CollectError) as raised:
            look(served, first, now=LATER, way="sitemap")
    assert raised.value.kind is FailureKind.DRIFT


def test_a_sitemap_that_lost_its_newest_article_and_then_all_is_broken_too() -> None:
    site = SitemapSite([tale(2, 1), tale(1, 60)])
    with serving(site) as served:
        first = look(served, way="sitemap")
        del site.articles[0]
        second = look(served, first, now=LATER, way="sitemap")
        site.articles = []
        with pytest.raises(CollectError):
            look(served, second, now=LATER, way="sitemap")
    assert second.posts == ()


def news(at: datetime) -> str:
    return f"<n:publication_date>{at.isoformat()}</n:publication_date><n:title>Tin</n:title>"


def test_a_later_look_at_a_news_sitemap_covers_no_more_than_it_asked_for() -> None:
    head = '<urlset xmlns:n="http://www.google.com/schemas/sitemap-news/0.9"'
    days = (1, 20, 40)
    text = urlset(*((f"/tin/{n}", news(ago(n))) for n in days)).replace("<urlset", head)
    texts = {"/sitemap.xml": text}
    with serving(FixedSite(texts)) as served:
        first = look(served, way="sitemap")
        texts["/sitemap.xml"] = text.replace("</urlset>", "\n</urlset>")
        second = look(served, first, now=LATER, way="sitemap")
    assert (len(first.posts), first.coverage_from) == (3, ago(40).astimezone(UTC))
    assert (len(second.posts), second.coverage_from) == (1, ago(15).astimezone(UTC))


@pytest.mark.parametrize(
    ("site", "way"), [(SitemapSite(articles(30)), "sitemap"), (NukeViet(articles(60)), "nukeviet")]
)
def test_a_look_that_left_article_pages_for_the_next_one_is_incomplete(site: Any, way: str) -> None:
    with serving(site) as served:
        first = look(served, way=way)
        second = look(served, first, now=LATER, way=way)
    assert (first.complete, second.complete) == (False, True)
    assert not second.unchanged


class NamelessWordPress(WordPress):
    """A firewall that closes the columns and tags for a while."""

    closed = False

    def _terms(self, kind: str, asked: dict[str, str]) -> Reply:
        return page("403 Forbidden", status=403) if self.closed else super()._terms(kind, asked)


def test_names_that_are_refused_on_the_weekly_look_are_not_forgotten() -> None:
    site = NamelessWordPress([Article(1, "Bài một", HALF_PAST_MIDNIGHT, "Tin tốt", ("Hội",))])
    with serving(site) as served:
        first = look(served, way="wordpress")
        site.closed = True
        weekly = look(served, first, now=NOW + timedelta(days=7), way="wordpress")
    assert set(weekly.posts[0].categories) == {"Tin tốt", "Hội"}
    assert weekly.complete


def test_while_a_name_is_unknown_the_look_is_incomplete_and_the_next_one_asks_again() -> None:
    site = NamelessWordPress([Article(1, "Bài một", HALF_PAST_MIDNIGHT, "Tin tốt", ("Hội",))])
    site.closed = True
    with serving(site) as served:
        first = look(served, way="wordpress")
        site.closed = False
        second = look(served, first, now=LATER, way="wordpress")
    assert (first.posts[0].categories, first.complete, first.notes) == ((), False, (wordpress.NO_NAMES,))
    assert (set(second.posts[0].categories), second.complete, second.notes) == ({"Tin tốt", "Hội"}, True, ())


class WindowlessWordPress(WordPress):
    """An interface, or a cache before it, that answers every question with `after` with nothing."""

    broken = False

    def _posts(self, asked: dict[str, str], base: str) -> Reply:
        return as_json([]) if "after" in asked or self.broken else super()._posts(asked, base)


class WindowlessBlogger(Blogger):
    broken = False

    def answer(self, request: Request, base: str) -> Reply:
        if "published-min" in request.query or self.broken:
            return as_json({"feed": {"openSearch$totalResults": {"$t": "0"}}})
        return super().answer(request, base)


WINDOWLESS = [(WindowlessWordPress, "wordpress"), (WindowlessBlogger, "blogger")]


@pytest.mark.parametrize(("kind", "way"), WINDOWLESS)
def test_an_empty_window_is_believed_only_after_the_whole_site_was_asked_for(kind: Any, way: str) -> None:
    site = kind(articles(3))
    with serving(site) as served:
        first = look(served, way=way)
        second = look(served, first, now=LATER, way=way)
        site.broken = True
        with pytest.raises(CollectError) as raised:
            look(served, second, now=LATER, way=way)
    assert [post.platform_id for post in second.posts] == [post.platform_id for post in first.posts]
    assert second.coverage_from == EVER
    assert raised.value.kind is FailureKind.DRIFT


@pytest.mark.parametrize(("kind", "way"), [(WordPress, "wordpress"), (Blogger, "blogger")])
def test_a_newest_post_that_was_really_deleted_fails_no_look(kind: Any, way: str) -> None:
    site = kind([tale(2, 1), tale(1, 60)])
    with serving(site) as served:
        first = look(served, way=way)
        del site.articles[0]
        second = look(served, first, now=LATER, way=way)
    assert ([post.title for post in second.posts], second.complete) == (["Tin số 1"], True)


class StuckFeed(FeedSite):
    """A cache that answers 304 to every conditional request, whatever was published since."""

    def answer(self, request: Request, base: str) -> Reply:
        if "if-none-match" in request.headers:
            return Reply(status=304)
        return super().answer(request, base)


def test_a_server_that_answers_304_for_ever_is_read_whole_once_a_day() -> None:
    site = StuckFeed(rss(articles(3), BASE))
    with serving(site) as served:
        first = look(served, way="feed", at="/rss.xml")
        site.reply = rss([tale(9, -0.2), *articles(3)], BASE)
        half_a_day = look(served, first, now=LATER, way="feed", at="/rss.xml")
        a_day = look(served, half_a_day, now=NOW + timedelta(days=1), way="feed", at="/rss.xml")
    assert half_a_day.unchanged
    assert a_day.posts[0].title == "Tin số 9"


def test_an_unchanged_feed_that_offers_no_conditional_requests_leaves_the_cursor_as_it_was() -> None:
    with serving(FeedSite(rss(articles(3), BASE), validators=False)) as served:
        first = look(served, way="feed", at="/rss.xml")
        second = look(served, first, now=LATER, way="feed", at="/rss.xml")
    assert second.unchanged
    assert second.cursor == first.cursor


@dataclass
class Counted:
    """A site with a visitor counter on its home page, or a home page that fails."""

    site: WordPress
    home: Reply

    def answer(self, request: Request, base: str) -> Reply:
        return self.home if request.path == "/" else self.site.answer(request, base)


def test_the_visits_join_the_number_of_posts_in_one_snapshot() -> None:
    site = Counted(WordPress(articles(3)), page("<div>Tổng lượt truy cập: 1.234.567</div>"))
    with serving(site) as served:
        (shot,) = look(served, way="wordpress", counter=True).snapshots
    assert (shot.posts, shot.views) == (3, 1_234_567)


@pytest.mark.parametrize("status", [404, 403, 429, 500, 503])
def test_a_home_page_that_fails_costs_the_visits_and_not_the_look(status: int) -> None:
    with serving(Counted(WordPress(articles(3)), page("", status=status))) as served:
        reading = look(served, way="wordpress", counter=True)
    assert len(reading.posts) == 3
    assert [shot.views for shot in reading.snapshots] == [None]
    assert any("bộ đếm" in note for note in reading.notes)


def modules(names: list[str]) -> dict[str, str]:
    """A NukeViet whose modules hold one article each, the first one the newest."""
    texts = {f"/sitemap-vi.{name}.xml": urlset((f"/vi/{name}/bai-{n}.html", ago(n))) for n, name in enumerate(names, 1)}
    return {"/sitemap.xml": sitemap_index("/sitemap-vi.page.xml", *texts)} | texts


def test_every_news_module_of_a_nukeviet_is_read() -> None:
    texts = modules(["tin-tot", "news"])
    with serving(FixedSite(texts)) as served:
        first = look(served, way="nukeviet")
        same = look(served, first, now=LATER, way="nukeviet")
        texts["/sitemap-vi.tin-tot.xml"] = urlset(("/vi/tin-tot/bai-1.html", ago(1)), ("/vi/tin-tot/moi.html", NOW))
        later = look(served, same, now=LATER, way="nukeviet")
    assert [post.link.rpartition("/")[2] for post in first.posts] == ["bai-1.html", "bai-2.html"]
    assert first.coverage_from == EVER
    assert same.unchanged
    assert [post.link.rpartition("/")[2] for post in later.posts] == ["moi.html", "bai-1.html", "bai-2.html"]


def test_a_nukeviet_with_more_modules_than_a_look_reads_promises_nothing() -> None:
    with serving(FixedSite(modules(["news", "a", "b", "c", "d", "e"]))) as served:
        reading = look(served, way="nukeviet")
    assert (len(reading.posts), reading.coverage_from) == (nukeviet.MODULES_A_LOOK, None)
    assert sitemap.SKIPPED.format(count=1) in reading.notes


def test_a_later_look_at_nukeviet_covers_no_more_than_it_asked_for() -> None:
    site = NukeViet([tale(3, 1), tale(2, 20), tale(1, 40)])
    with serving(site) as served:
        first = look(served, way="nukeviet")
        site.articles.append(tale(4, 0))
        second = look(served, first, now=LATER, way="nukeviet")
    assert (first.coverage_from, len(second.posts)) == (EVER, 2)
    assert second.coverage_from == ago(15).astimezone(UTC)


@pytest.mark.parametrize("field", ["id", "categories", "tags"])
@pytest.mark.parametrize("number", [2**70, -1])
def test_a_wordpress_number_beyond_reason_is_drift(field: str, number: int) -> None:
    item: Mapping[str, Any] = {"id": 1, "link": BASE, "title": {}} | {field: number if field == "id" else [number]}
    with pytest.raises(CollectError) as raised:
        decode_json(as_json([item]).body, list[wordpress.WordPressPost])
    assert raised.value.kind is FailureKind.DRIFT


def test_a_move_to_https_or_to_www_doubles_nothing() -> None:
    assert identity("https://www.doan-mau.example/1") == identity("http://doan-mau.example/1")
    assert identity("https://doan-mau.example/www.html") == "doan-mau.example/www.html"


@pytest.mark.parametrize("kept", [0.5, 0.9])
def test_a_feed_that_is_cut_off_proves_nothing(kept: float) -> None:
    whole = rss([tale(n, n) for n in range(1, 9)], BASE).body.decode()
    cut = whole[: int(len(whole) * kept)]
    with serving(FixedSite({"/rss.xml": cut})) as served:
        reading = look(served, way="feed", at="/rss.xml")
    assert reading.posts
    assert (reading.complete, feed.CUT in reading.notes) == (False, True)


def test_a_feed_that_is_cut_off_before_its_first_item_is_a_failed_look() -> None:
    whole = rss([tale(n, n) for n in range(1, 9)], BASE).body.decode()
    with serving(FixedSite({"/rss.xml": whole[: whole.index("<item>") + 20]})) as served, pytest.raises(CollectError):
        look(served, way="feed", at="/rss.xml")
