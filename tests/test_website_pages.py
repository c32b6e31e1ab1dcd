"""Article pages, sitemaps, listings and visitor counters as plain functions of a page."""

from __future__ import annotations

import csv
import gzip
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.base import CollectError
from collectors.client import Answer
from collectors.payload import decode_json
from collectors.website import article, blogger, counter, listing, sitemap, wordpress
from collectors.website.visit import Page
from config.models import Listing
from store.records import EVER, Confidence, DateSource, FailureKind
from tests.site_server import HCMC, PAYLOADS

NOW = datetime(2026, 11, 20, 12, tzinfo=HCMC)
BASE = "https://doan-mau.example"
MORNING = datetime(2026, 11, 20, 1, 30, tzinfo=UTC)


def html(name: str) -> str:
    return (PAYLOADS / name).read_text(encoding="utf-8")


def page(text: str, url: str = f"{BASE}/bai", selector: str | None = None) -> Page:
    return article.read_page(text, url, HCMC, NOW, selector)


def when(found: Page) -> datetime | None:
    return None if found.at is None else datetime.fromtimestamp(found.at, UTC)


def answer(body: bytes) -> Answer:
    return Answer(url=f"{BASE}/sitemap.xml", status=200, headers={}, body=body)


def test_json_ld_of_the_article_comes_first_and_its_modification_is_ignored() -> None:
    found = page(html("article_jsonld_og.html"))
    assert when(found) == datetime(2026, 11, 5, 1, 30, tzinfo=UTC)
    assert (found.source, found.confidence) == (DateSource.JSONLD, Confidence.EXACT)


def test_nukeviet_microdata_is_right_where_its_open_graph_is_malformed() -> None:
    found = page(html("nukeviet_article.html"))
    assert (found.title, when(found), found.source) == ("Ngày chủ nhật xanh", MORNING, DateSource.MICRODATA)


LD = '<script type="application/ld+json">{}</script>'
MARKS = {
    DateSource.JSONLD: LD.format('[{"@type":["Thing","BlogPosting"],"datePublished":"2026-11-20T08:30:00+07:00"}]'),
    DateSource.MICRODATA: '<meta itemprop="datePublished" content="2026-11-20T08:30:00+07:00">',
    DateSource.OPEN_GRAPH: '<meta property="article:published_time" content="2026-11-20+0708:30:00">',
    DateSource.TIME_TAG: '<time datetime="2026-11-20T01:30:00Z">20/11</time>',
    DateSource.TEXT: '<p class="dang">Đăng ngày 20/11/2026 lúc 8 giờ 30</p>',
}


@pytest.mark.parametrize("source", MARKS)
def test_each_mark_of_a_date_is_read_to_the_minute(source: DateSource) -> None:
    found = page(f"<html><body>{MARKS[source]}</body></html>", selector="p.dang")
    assert (when(found), found.source, found.confidence) == (MORNING, source, Confidence.EXACT)


def test_marks_are_believed_in_their_order_of_trust() -> None:
    remaining = list(MARKS)
    while remaining:
        text = "".join(MARKS[source] for source in reversed(remaining))
        assert page(text, selector="p.dang").source is remaining.pop(0)


def test_a_date_in_the_address_is_a_day() -> None:
    found = page("<p>Tin</p>", url=f"{BASE}/portal/pages/2021-05-21/bai.aspx")
    assert (when(found), found.source, found.confidence) == (
        datetime(2021, 5, 20, 17, tzinfo=UTC),
        DateSource.URL,
        Confidence.DAY,
    )


UNDATED = [
    "",
    "<p>Không có ngày</p>",
    LD.format("{broken"),
    LD.format('{"@type":"NewsArticle","datePublished":20261120}'),
    LD.format(
        '{"@graph":[{"@type":"WebPage","datePublished":"2026-11-20"},{"@type":"ImageObject","datePublished":"2026-11-19"}]}'
    ),
    LD.format("[" * 5000 + "]" * 5000),
    '<time datetime="sớm">sớm</time>',
    "<p>Thông báo ngày 20/11/2026</p>",
]


@pytest.mark.parametrize("text", UNDATED)
def test_without_a_clear_mark_the_date_is_unknown_never_guessed(text: str) -> None:
    assert page(text).at is None


@given(st.text(max_size=500), st.sampled_from(["{}", "<time datetime='{}'>", LD]))
def test_any_page_is_read_without_trouble(text: str, around: str) -> None:
    assert isinstance(page(around.replace("{}", text)), Page)


def test_the_plain_listing_gives_links_titles_and_printed_dates() -> None:
    rules = Listing(item="div.tin", link="a", title="a.tieude", date="span.ngay")
    entries = listing.parse(html("listing_plain.html"), f"{BASE}/index.php", rules, HCMC, NOW)
    assert [entry.link for entry in entries] == [
        f"{BASE}/index.php?tab=news&lang=vi&id=2103",
        f"{BASE}/index.php?tab=news&lang=vi&id=2102",
        f"{BASE}/chitiet.aspx?id=77",
    ]
    assert entries[0].title == "Ra quân Tháng Thanh niên"
    assert [entry.date and (entry.date.at, entry.date.confidence) for entry in entries] == [
        (MORNING, Confidence.EXACT),
        (datetime(2026, 11, 4, 17, tzinfo=UTC), Confidence.DAY),
        None,
    ]


def test_the_nukeviet_index_and_news_sitemap() -> None:
    index = sitemap.parse(answer((PAYLOADS / "nukeviet_sitemap_index.xml").read_bytes()))
    assert [child.url.rpartition("/")[2] for child in sitemap.choose_children(index.children)] == [
        "sitemap-vi.news.xml"
    ]
    news = sitemap.parse(answer((PAYLOADS / "nukeviet_sitemap_news.xml").read_bytes()))
    dated = sitemap.datable(news.entries, HCMC, NOW)
    assert [item.moment.at for item in dated] == [MORNING, datetime(2026, 11, 18, 8, 2, 11, tzinfo=UTC)]


def test_a_google_news_sitemap_states_title_and_publishing_moment() -> None:
    (entry,) = sitemap.parse(answer((PAYLOADS / "google_news_sitemap.xml").read_bytes())).entries
    assert (entry.title, entry.published) == ("Tin tốt", True)
    (item,) = sitemap.datable([entry], HCMC, NOW)
    assert item.moment.at == MORNING
    assert sitemap.newest_first([item], None, HCMC, NOW)[1] == MORNING


def test_a_sitemap_without_dates_is_refused_as_a_way() -> None:
    entries = sitemap.parse(answer((PAYLOADS / "wp_sitemap_posts_no_lastmod.xml").read_bytes())).entries
    with pytest.raises(CollectError) as raised:
        sitemap.datable(entries, HCMC, NOW)
    assert raised.value.kind is FailureKind.DRIFT


def urls(days_ago: list[int]) -> bytes:
    rows = "".join(
        f"<url><loc>{BASE}/bai-{n}</loc><lastmod>{(NOW - timedelta(days=days)).isoformat()}</lastmod></url>"
        for n, days in enumerate(days_ago)
    )
    return f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{rows}</urlset>'.encode()


def test_a_sitemap_that_dates_everything_today_is_refused() -> None:
    lying = sitemap.parse(answer(urls([0] * 9 + [3]))).entries
    with pytest.raises(CollectError) as raised:
        sitemap.datable(lying, HCMC, NOW)
    assert "hôm nay" in raised.value.sentence
    busy = sitemap.parse(answer(urls([0] * 8 + [3, 4]))).entries
    assert len(sitemap.datable(busy, HCMC, NOW)) == 10


def test_a_gzipped_sitemap_is_unpacked_under_a_cap() -> None:
    assert len(sitemap.parse(answer(gzip.compress(urls([1, 2])))).entries) == 2
    for body in (gzip.compress(urls([1, 2]))[:-9], gzip.compress(b"<urlset>" + b" " * 40_000_000)):
        with pytest.raises(CollectError):
            sitemap.parse(answer(body))


@pytest.mark.parametrize("body", [b"", b"<html></html>", b"<rss/>", b"{}", b"https://a.example/1\n", b"<urlset><url>"])
def test_what_is_no_sitemap_is_a_typed_error(body: bytes) -> None:
    with pytest.raises(CollectError):
        sitemap.parse(answer(body))


def test_a_sitemap_read_whole_covers_everything_and_a_cut_one_its_newest_part() -> None:
    few = sitemap.datable(sitemap.parse(answer(urls([1, 2, 3]))).entries, HCMC, NOW)
    assert sitemap.newest_first(few, None, HCMC, NOW)[1] == EVER
    many = sitemap.datable(sitemap.parse(answer(urls(list(range(2500))))).entries, HCMC, NOW)
    taken, covered = sitemap.newest_first(many, None, HCMC, NOW)
    assert (len(taken), covered) == (2000, taken[-1].moment.at)


@pytest.mark.parametrize(
    ("url", "title", "columns"),
    [
        ("/vi/news/tin-tot/ngay-chu-nhat-xanh-57.html", "ngay chu nhat xanh", ("news", "tin-tot")),
        ("/2026/11/cau-chuyen-dep/", "cau chuyen dep", ()),
        ("/tin-tuc/hien_mau.aspx", "hien mau", ("tin-tuc",)),
    ],
)
def test_an_address_tells_words_and_columns_when_nothing_else_does(
    url: str, title: str, columns: tuple[str, ...]
) -> None:
    assert sitemap.title_from(BASE + url) == title
    assert sitemap.columns_of(BASE + url) == columns


@pytest.mark.parametrize(
    ("path", "is_one"),
    [("/", False), ("/category/tin/", False), ("/tag/doan", False), ("/tin/bai-1", True), ("/?p=5", True)],
)
def test_front_pages_and_archives_are_no_articles(path: str, is_one: bool) -> None:
    assert sitemap.is_article(BASE + path) is is_one


def counters() -> list[tuple[str, int | None]]:
    """The visitor counters of the table; the view count of a single article is none."""
    with (PAYLOADS / "counter_strings.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    visits = [(row["text"], "" if "per-article" in row["note"] else row["expected"]) for row in rows]
    return [(text, int(expected) if expected else None) for text, expected in visits]


@pytest.mark.parametrize(("text", "expected"), counters())
def test_every_counter_seen_on_a_real_page_is_read_right(text: str, expected: int | None) -> None:
    assert counter.read_count(text) == expected


def test_the_nukeviet_counter_block_gives_the_total_and_not_the_visitors_of_this_moment() -> None:
    assert counter.total_visits(html("nukeviet_counter.html")) == 1_234_567
    assert counter.total_visits(html("listing_plain.html")) == 1_234_567
    assert counter.total_visits(html("article_jsonld_og.html")) is None


def test_a_view_count_of_an_article_is_not_the_visitor_counter() -> None:
    assert counter.total_visits("<p>Lượt xem: 3077</p>") is None


@given(st.integers(0, 10**12), st.sampled_from([",", ".", " ", "\u00a0", ""]))
def test_a_counter_is_read_whatever_its_thousands_mark(count: int, mark: str) -> None:
    printed = f"{count:,}".replace(",", mark)
    assert counter.read_count(f"Đang truy cập: 12 | Tổng lượt truy cập: {printed} | Hôm nay: 9") == count


def test_wordpress_posts_carry_only_what_was_asked_for() -> None:
    newest, older = decode_json((PAYLOADS / "wp_posts_fields_ok.json").read_bytes(), list[wordpress.WordPressPost])
    post = wordpress.to_post(newest, {})
    assert (post.platform_id, post.published_at, post.date_source) == ("wp:412", MORNING, DateSource.API)
    assert post.title == "Mỗi ngày một tin tốt: Ngày chủ nhật xanh – tuyến đường sạch"
    assert older.id == 411
    (whole,) = decode_json((PAYLOADS / "wp_posts_full_item.json").read_bytes(), list[wordpress.WordPressPost])
    assert not hasattr(whole, "author")


@pytest.mark.parametrize("date", [None, "", "0000-00-00T00:00:00", "-0001-11-30T00:00:00"])
def test_a_wordpress_post_without_a_real_date_is_undated(date: str | None) -> None:
    post = wordpress.WordPressPost(id=1, link=f"{BASE}/1", title=wordpress.Rendered("Tin"), date_gmt=date)
    assert wordpress.to_post(post, {}).published_at is None


def test_the_page_counts_of_wordpress_come_from_its_headers() -> None:
    lines = [line.partition(": ") for line in html("wp_posts_headers.txt").splitlines()[1:]]
    headers = {name.lower(): value for name, _, value in lines}
    page_one = Answer(url=BASE, status=200, headers=headers, body=b"[]")
    assert wordpress.count_header(page_one, "x-wp-total") == 127
    assert wordpress.count_header(page_one, "x-wp-totalpages") == 2
    assert wordpress.count_header(page_one, "x-wp-missing") is None


def test_blogger_states_its_total_and_dates_with_their_offset() -> None:
    body = (PAYLOADS / "blogger_posts_summary_alt_json.json").read_bytes()
    feed = decode_json(body, blogger.Blog).feed
    post = blogger.to_post(feed.entry[0], BASE, HCMC)
    assert blogger.stated_total(feed) == 58
    assert (post.title, post.published_at, post.categories) == (
        "Câu chuyện đẹp tuần 47",
        MORNING,
        ("Tin tốt",),
    )
