"""Feeds as real sites write them, and as nobody should."""

from __future__ import annotations

import random
import socket
import time
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.base import CollectError
from collectors.client import Answer
from collectors.website import feed, loose
from collectors.website.visit import oldest_of_list, surely_after
from store.records import Confidence, DateSource, FailureKind, Post
from tests.site_server import HCMC, MAILBOX, PAYLOADS, PERSON, Article, Reply, atom, json_feed, rss

NOW = datetime(2026, 11, 20, 12, tzinfo=HCMC)
MORNING = datetime(2026, 11, 20, 1, 30, tzinfo=UTC)
BASE = "https://doan-mau.example"
ITEM = "<item><title>{title}</title><link>https://doan-mau.example/1</link><pubDate>{date}</pubDate></item>"


def answer(body: bytes, kind: str = "text/xml") -> Answer:
    return Answer(url=f"{BASE}/feed/", status=200, headers={"content-type": kind}, body=body)


def parse(body: bytes, kind: str = "text/xml") -> tuple[list[Post], tuple[str, ...]]:
    return feed.parse(answer(body, kind), HCMC, NOW)


def sample(name: str) -> tuple[list[Post], tuple[str, ...]]:
    return parse((PAYLOADS / name).read_bytes())


def channel(items: str, head: str = '<?xml version="1.0" encoding="utf-8"?>') -> bytes:
    return f'{head}<rss version="2.0"><channel><title>t</title>{items}</channel></rss>'.encode()


def refused(body: bytes, kind: str = "text/xml") -> CollectError:
    with pytest.raises(CollectError) as raised:
        parse(body, kind)
    return raised.value


def test_joomla() -> None:
    (post,), notes = sample("joomla_category_feed.xml")
    assert (post.title, post.published_at, post.date_confidence) == (
        "Hoạt động tuần",
        MORNING,
        Confidence.EXACT,
    )
    assert (post.platform_id, post.categories) == ("doan-mau.example/tin-tuc/12-hoat-dong-tuan", ("Tin tức",))
    assert notes == ()


def test_sharepoint() -> None:
    (post,), _ = sample("sharepoint_listfeed.xml")
    assert post.published_at == datetime(2026, 11, 19, 8, 5, tzinfo=UTC)
    assert post.platform_id.endswith("ViewPost.aspx?ID=275")
    assert "Ban biên tập" not in repr(post)


def test_nukeviet_minutes_are_the_month_so_only_the_hour_counts() -> None:
    (post,), _ = sample("nukeviet_rss.xml")
    assert (post.published_at, post.date_confidence) == (MORNING.replace(minute=0), Confidence.HOUR)
    assert post.platform_id == "doan-mau.example/vi/news/tin-tot/ngay-chu-nhat-xanh-57.html"


def test_a_corrected_nukeviet_is_believed_to_the_minute() -> None:
    body = (PAYLOADS / "nukeviet_rss.xml").read_bytes().replace(b"01:11:00", b"01:30:00")
    (post,), _ = parse(body)
    assert (post.published_at, post.date_confidence) == (MORNING, Confidence.EXACT)


def test_json_feed() -> None:
    (post,), _ = sample("json_feed_1_1.json")
    assert (post.title, post.published_at, post.categories) == ("Tin tốt", MORNING, ("tin tốt",))


def test_a_json_feed_may_say_null_for_what_it_does_not_have() -> None:
    nulls = '{"id": 7, "url": null, "title": "Tin", "date_published": null, "tags": null, "summary": null}'
    (post,), _ = parse(f'{{"version": "https://jsonfeed.org/version/1", "items": [{nulls}]}}'.encode())
    assert (post.platform_id, post.published_at, post.categories) == ("7", None, ())


def test_rdf() -> None:
    body = (
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/"><channel/><item><title>Tin</title>'
        "<link>https://doan-mau.example/1</link><dc:date>2026-11-20T08:30:00+07:00</dc:date>"
        f"<dc:creator>{PERSON}</dc:creator></item></rdf:RDF>"
    )
    (post,), _ = parse(body.encode())
    assert (post.title, post.published_at) == ("Tin", MORNING)


def test_atom_takes_published_and_trusts_updated_less() -> None:
    entry = "<entry><title type='xhtml'><div>Tin <b>tốt</b></div></title><link href='/1'/>{}</entry>"
    stamp = "<{0}>2026-11-20T08:30:00+07:00</{0}>"
    body = '<feed xmlns="http://www.w3.org/2005/Atom">{}</feed>'
    (exact,), _ = parse(body.format(entry.format(stamp.format("published"))).encode())
    (guess,), _ = parse(body.format(entry.format(stamp.format("updated"))).encode())
    assert (exact.title, exact.link) == ("Tin tốt", f"{BASE}/1")
    assert (exact.date_confidence, guess.date_confidence) == (Confidence.EXACT, Confidence.LOW)


@pytest.mark.parametrize(
    ("name", "title", "link", "at", "note"),
    [
        ("broken_rss_bare_ampersand.xml", "Đoàn & Hội", "/?tab=news&id=1", MORNING, feed.LOOSE),
        ("broken_rss_html_entity.xml", "Thông báo Đoàn", "/1", MORNING - timedelta(days=15), feed.LOOSE),
        ("broken_rss_php_notice_first.xml", "Tin", "/1", None, feed.REPAIRED),
    ],
)
def test_broken_feeds_lose_nothing_and_are_reported(
    name: str, title: str, link: str, at: datetime | None, note: str
) -> None:
    (post,), notes = sample(name)
    assert (post.title, post.link, post.published_at) == (title, BASE + link, at)
    assert note in notes


BROKEN = {
    "byte order mark": b"\xef\xbb\xbf" + channel(ITEM.format(title="Tin", date="20/11/2026 08:30")),
    "blank lines first": b"\n\n" + channel(ITEM.format(title="Tin", date="20/11/2026 08:30")),
    "declared utf-16": channel(
        ITEM.format(title="Tin", date="20/11/2026 08:30"), "<?xml version='1.0' encoding='utf-16'?>"
    ),
    "really utf-16": channel(ITEM.format(title="Tin", date="20/11/2026 08:30"), "").decode().encode("utf-16"),
    "control characters": channel(ITEM.format(title="T\x08in", date="20/11/2026 08:30")),
    "NUL": channel(ITEM.format(title="T\x00in", date="20/11/2026 08:30")),
    "cut off": channel(ITEM.format(title="Tin", date="20/11/2026 08:30"))[:-20],
    "Vietnamese afternoon": channel(ITEM.format(title="Tin", date="20/11/2026 8:30:00 SA")),
    "GMT+7": channel(ITEM.format(title="Tin", date="Fri, 20 Nov 2026 08:30:00 GMT+7")),
}


@pytest.mark.parametrize("defect", BROKEN)
def test_usual_defects_change_neither_title_nor_date(defect: str) -> None:
    posts, _ = parse(BROKEN[defect])
    assert [(post.title, post.published_at) for post in posts] == [("Tin", MORNING)]


def test_day_first_even_where_libraries_read_may() -> None:
    (post,), _ = parse(channel(ITEM.format(title="Tin", date="05/11/2026 08:30:00")))
    assert post.published_at == datetime(2026, 11, 5, 1, 30, tzinfo=UTC)


def test_an_undated_item_waits_for_the_moment_it_is_first_seen() -> None:
    (post,), notes = parse(channel(ITEM.format(title="Tin", date="")))
    assert (post.published_at, post.date_source) == (None, DateSource.FIRST_SEEN)
    assert post.date_confidence is Confidence.LOW
    assert feed.UNDATED.format(count=1) in notes


def test_the_guid_serves_when_there_is_no_link() -> None:
    posts, _ = parse(
        channel("<item><guid>news_57</guid></item><item><guid>https://doan-mau.example/5</guid></item><item/>")
    )
    assert [post.platform_id for post in posts] == ["news_57", "doan-mau.example/5"]


@pytest.mark.parametrize("body", [rss, atom, json_feed])
def test_authors_and_mailboxes_never_pass(body: Callable[[list[Article], str], Reply]) -> None:
    item = Article(1, f"Tin của {MAILBOX}", MORNING, excerpt=f"Gửi {MAILBOX}")
    posts, notes = parse(body([item], BASE).body)
    assert len(posts) == 1
    assert PERSON not in repr((posts, notes))
    assert MAILBOX not in repr((posts, notes))


NO_FEEDS = {
    "nothing": b"",
    "spaces": b"  \n ",
    "html": b"<!DOCTYPE html><html><body>Xin ch\xc3\xa0o</body></html>",
    "xhtml": b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><body/></html>',
    "other xml": b"<urlset><url/></urlset>",
    "other json": b'{"posts": []}',
    "json list": b"[1, 2]",
    "json of another version": b'{"version": "2", "items": []}',
    "a path": b"/etc/passwd",
    "an address": b"http://127.0.0.1:9/feed",
    "not well-formed and empty": b"<rss><channel>",
    "binary": bytes(range(256)),
}


@pytest.mark.parametrize("what", NO_FEEDS)
def test_what_is_no_feed_is_a_typed_error(what: str) -> None:
    assert refused(NO_FEEDS[what]).kind is FailureKind.DRIFT


def test_a_challenge_page_is_blocked_rather_than_drift() -> None:
    error = refused(b'<html><head><title>Just a moment...</title></head><div id="cf-chl-widget"></div></html>')
    assert error.kind is FailureKind.BLOCKED
    assert "xác minh" in error.sentence


def test_entities_are_refused_before_they_can_grow() -> None:
    started = time.perf_counter()
    assert refused((PAYLOADS / "hostile_billion_laughs.xml").read_bytes()).kind is FailureKind.DRIFT
    assert time.perf_counter() - started < 0.2


def test_an_external_entity_reads_no_file(tmp_path: Path) -> None:
    secret = tmp_path / "canary.txt"
    secret.write_text("CANARY")
    body = (
        f'<!DOCTYPE rss [<!ENTITY x SYSTEM "file://{secret}">]>' + channel(ITEM.format(title="&x;", date="")).decode()
    )
    assert "CANARY" not in str(refused(body.encode()))


@pytest.mark.parametrize("prefix", [b"", b"<rss>&nbsp;"])
def test_a_body_that_is_a_path_or_an_address_opens_nothing(prefix: bytes, tmp_path: Path) -> None:
    canary = tmp_path / "feed.xml"
    canary.write_bytes(channel(ITEM.format(title="CANARY", date="")))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/feed.xml"
        for body in (str(canary), f"file://{canary}", address):
            assert "CANARY" not in str(refused(prefix + body.encode()))
            with pytest.raises(CollectError):
                loose.items(prefix + body.encode())
        with pytest.raises(TimeoutError):
            listener.accept()


HOSTILE = {
    "character past Unicode": channel(ITEM.format(title="Tin &#x110000; &nbsp;", date="")),
    "character zero": channel(ITEM.format(title="Tin &#0; &nbsp;", date="")),
    "surrogate": channel(ITEM.format(title="Tin &#xD800; &nbsp;", date="")),
    "deep nesting": b"<rss><channel><item>" + b"<a>" * 200_000,
    "deep and closed": b"<rss><channel><item>" + b"<a>" * 50_000 + b"</a>" * 50_000 + b"</item></channel></rss>",
    "large title": channel(ITEM.format(title="T" * 14_000_000, date="")),
    "many broken tags": b"<rss><channel>" + b"<item>&x;</item>" * 100_000,
    "long date": channel(ITEM.format(title="T", date="1" * 100_000)),
    "many attributes": b"<rss " + b" ".join(b"a%d='1'" % n for n in range(50_000)) + b"/>",
    "scripts without end": channel(
        f"<item><guid>1</guid><description>{'&lt;script&gt;' * 2000}</description></item>" * 200
    ),
    "deep json": b'{"version":"https://jsonfeed.org/version/1","items":' + b"[" * 100_000,
}


@pytest.mark.parametrize("attack", HOSTILE)
def test_hostile_feeds_end_soon_in_posts_or_a_typed_error(attack: str) -> None:
    tracemalloc.start()
    started = time.perf_counter()
    try:
        posts, _ = parse(HOSTILE[attack])
    except CollectError:
        posts = []
    spent, (_, peak) = time.perf_counter() - started, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert all(len(post.title) <= 1000 for post in posts)
    assert spent < 5
    assert peak < 150 * 2**20


def test_direction_marks_cannot_disguise_a_title() -> None:
    (post,), _ = parse(channel(ITEM.format(title="Tin\u202egnôhk", date="")))
    assert post.title == "Tingnôhk"


SEEDS = [
    (PAYLOADS / name).read_bytes()
    for name in (
        "nukeviet_rss.xml",
        "joomla_category_feed.xml",
        "broken_rss_html_entity.xml",
        "json_feed_1_1.json",
    )
] + [atom([Article(1, "Tin", MORNING)], BASE).body]
SPICE = [
    b"&#x110000;",
    b"&nbsp;",
    b"<![CDATA[",
    b"]]>",
    b"\x00",
    b"\xff\xfe",
    b"<item>",
    b"</item>",
    b"<!--",
    b"&",
    b"<",
]


def mutated(body: bytes, seed: int) -> bytes:
    dice, changed = random.Random(seed), bytearray(body)
    for _ in range(dice.randint(1, 6)):
        place = dice.randrange(len(changed) + 1)
        length = dice.choice([0, 1, 1, 8, 60])
        changed[place : place + length] = dice.choice([b"", dice.randbytes(2), dice.choice(SPICE)])
    return bytes(changed)


@settings(max_examples=1500, deadline=None)
@given(st.sampled_from(SEEDS), st.integers(0, 2**32))
def test_of_a_damaged_feed_only_posts_or_a_typed_error_come_back(body: bytes, seed: int) -> None:
    try:
        posts, _ = parse(mutated(body, seed))
    except CollectError:
        return
    for post in posts:
        assert post.platform_id
        f"{post.title}{post.excerpt}{post.link}".encode()


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(SEEDS[:3]), st.integers(0, 2**32))
def test_feedparser_itself_never_escapes_its_leash(body: bytes, seed: int) -> None:
    try:
        found = loose.items(mutated(body, seed))
    except CollectError:
        return
    assert all(isinstance(text, str) for fields in found for text in fields[:-1])


def dated(*days: int) -> list[Post]:
    return [
        Post(str(n), "t", "", MORNING - timedelta(days=day), DateSource.FEED, Confidence.EXACT)
        for n, day in enumerate(days)
    ]


@pytest.mark.parametrize(
    ("days_ago", "covered_days"),
    [
        ((0, 1, 2, 3), 3),
        ((400, 0, 1, 2), 2),
        ((400, 300, 0, 1), 1),
        ((3, 2, 1, 0), 3),
        ((5,), 5),
        ((0, 2, 1, 4, 3), 3),
        ((0, 684, 0), 0),
        ((684, 0), 0),
    ],
)
def test_a_list_covers_from_its_oldest_post_and_what_stands_above_a_newer_one_proves_nothing(
    days_ago: tuple[int, ...], covered_days: int
) -> None:
    assert oldest_of_list(dated(*days_ago), HCMC, NOW) == MORNING - timedelta(days=covered_days)


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=30))
def test_coverage_never_reaches_further_back_than_the_oldest_post(days_ago: list[int]) -> None:
    posts = dated(*days_ago)
    covered = oldest_of_list(posts, HCMC, NOW)
    assert covered is not None
    assert covered >= MORNING - timedelta(days=max(days_ago))
    rising = sorted(posts, key=lambda post: post.published_at or MORNING)
    deepest = max(days_ago) if len(days_ago) > 2 else min(days_ago)
    assert oldest_of_list(rising, HCMC, NOW) == MORNING - timedelta(days=deepest)


@pytest.mark.parametrize(
    ("at", "confidence", "covered"),
    [
        ("2026-11-18T08:30:00+07:00", Confidence.EXACT, "2026-11-18T08:30:00+07:00"),
        ("2026-11-18T08:30:00+07:00", Confidence.LOW, "2026-11-18T08:30:00+07:00"),
        ("2026-11-18T08:00:00+07:00", Confidence.HOUR, "2026-11-19T00:00:00+07:00"),
        ("2026-11-18T00:00:00+07:00", Confidence.DAY, "2026-11-19T00:00:00+07:00"),
        ("2026-11-18T00:00:00+07:00", Confidence.EXACT, "2026-11-19T00:00:00+07:00"),
        ("2026-11-18T00:00:00+00:00", Confidence.EXACT, "2026-11-19T00:00:00+07:00"),
        ("2026-11-20T00:00:00+07:00", Confidence.DAY, NOW.isoformat()),
    ],
)
def test_a_day_of_which_the_end_of_the_list_names_no_minute_is_not_wholly_covered(
    at: str, confidence: Confidence, covered: str
) -> None:
    assert surely_after(datetime.fromisoformat(at), confidence, HCMC, NOW) == datetime.fromisoformat(covered)


def test_without_dates_nothing_is_covered() -> None:
    assert oldest_of_list([], HCMC, NOW) is None
