"""Texts at the edge: encodings, Unicode forms, hostile characters, excerpts, addresses."""

from __future__ import annotations

import csv
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.website.text import (
    EXCERPT_CAP,
    TITLE_CAP,
    UNWANTED,
    clean,
    decode,
    excerpt,
    identity,
    normal_url,
    plain,
    slug,
)
from tests.site_server import PAYLOADS

WORDS = "Thanh niên phải đối đầu"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (WORDS.encode(), "text/html; charset=utf-8"),
        (WORDS.encode(), "text/html; charset=ISO-8859-1"),
        (WORDS.encode(), "text/html; charset=windows-1252"),
        (WORDS.encode(), "text/html; charset=no-such-charset"),
        (WORDS.encode(), "text/html; charset=base64"),
        (WORDS.encode(), ""),
        (b"\xef\xbb\xbf" + WORDS.encode(), "text/xml"),
        (WORDS.encode("utf-16"), "text/xml"),
        (WORDS.encode("utf-16-be"), "text/xml; charset=utf-16-be"),
        (("<?xml encoding='windows-1258'?>" + WORDS).encode("cp1258", "replace"), "text/xml"),
    ],
)
def test_the_words_survive_whatever_the_label_says(body: bytes, content_type: str) -> None:
    read = unicodedata.normalize("NFC", decode(body, content_type))
    assert read.endswith(WORDS) or "1258" in read


def test_a_wrong_inner_charset_around_utf8_is_not_believed() -> None:
    html = decode((PAYLOADS / "nested_charset_lie.html").read_bytes(), "text/html")
    assert "Thanh niên phải đi đầu" in html


def test_windows_1258_is_the_last_resort_for_vietnamese_bytes() -> None:
    spread = "Đoàn viên".encode("cp1258")
    assert unicodedata.normalize("NFC", decode(spread)) == "Đoàn viên"


@given(st.binary(max_size=300), st.text(max_size=40))
def test_any_bytes_decode_to_some_text(body: bytes, content_type: str) -> None:
    assert isinstance(decode(body, f"text/html; charset={content_type}"), str)


def test_nfd_from_a_phone_becomes_nfc() -> None:
    assert clean(unicodedata.normalize("NFD", "#MỗiNgàyMộtTinTốt")) == "#MỗiNgàyMộtTinTốt"


@pytest.mark.parametrize(
    ("dirty", "tidy"),
    [
        ("Tin\x00 tốt", "Tin tốt"),
        ("Tin \u202etốt\u202c", "Tin tốt"),
        ("Tin\u200b\ufeff tốt", "Tin tốt"),
        ("Tin\ud83d tốt", "Tin tốt"),
        ("  Tin \t\n tốt\u00a0 ", "Tin tốt"),
        ("Tin tốt 👨‍👩‍👧", "Tin tốt 👨‍👩‍👧"),
        ("", ""),
    ],
)
def test_control_and_direction_characters_go_and_emoji_stay(dirty: str, tidy: str) -> None:
    assert clean(dirty) == tidy


@given(st.text(max_size=3000))
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    once = clean(text)
    assert clean(once) == once
    assert len(once) <= TITLE_CAP
    assert not UNWANTED.search(once)
    assert unicodedata.is_normalized("NFC", once)
    once.encode()


@pytest.mark.parametrize(
    ("markup", "words"),
    [
        ("Xuân &#8211; Hè", "Xuân – Hè"),
        ("<b>Tin</b> tốt", "Tin tốt"),
        ("&lt;b&gt;Tin&lt;/b&gt; tốt", "Tin tốt"),
        ("Đoàn &amp; Hội", "Đoàn & Hội"),
        ("3 < 5 và 5 > 3", "3 < 5 và 5 > 3"),
        ("&#x110000;&#0;Tin", "\ufffd\ufffdTin"),
        ("Liên hệ rieng.tu@doan-mau.example nhé", "Liên hệ nhé"),
    ],
)
def test_titles_are_words_only(markup: str, words: str) -> None:
    assert plain(markup) == words


def test_a_huge_title_is_cut_at_a_thousand_characters_at_once() -> None:
    assert plain("<b>" + "ỗ" * 20_000_000) == "ỗ" * TITLE_CAP


def test_an_excerpt_keeps_the_hashtags_that_stand_further_down() -> None:
    body = f"<style>p{{}}</style><p>{'Tin ' * 400}</p><p>#TinTốt #MNMTT</p><script>alert(1)</script>"
    words = excerpt(body)
    assert len(words) <= EXCERPT_CAP
    assert words.startswith("Tin Tin")
    assert words.endswith("#TinTốt #MNMTT")
    assert "alert" not in words


def label_words() -> list[str]:
    with (PAYLOADS / "keyword_variants.csv").open(encoding="utf-8", newline="") as file:
        return [row["variant"] for row in csv.DictReader(file)]


@pytest.mark.parametrize("words", label_words())
def test_the_words_that_labels_look_for_pass_unharmed(words: str) -> None:
    assert plain(words) == words
    assert excerpt(f"<p>{words}</p>") == words
    assert words in excerpt(f"{'Nội dung dài. ' * 100} {words}") or not words.startswith("#")


@given(st.text(max_size=2000))
def test_an_excerpt_is_short_and_clean(markup: str) -> None:
    words = excerpt(markup)
    assert len(words) <= EXCERPT_CAP
    assert not UNWANTED.search(words)


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("HTTPS://Doan-Mau.example:443/Bai?id=5#top", "https://doan-mau.example/Bai?id=5"),
        ("http://doan-mau.example", "http://doan-mau.example/"),
        ("http://doan-mau.example:8080/a", "http://doan-mau.example:8080/a"),
        ("https://doan-mau.example/?utm_source=x&id=7&fbclid=y&utm_id=2", "https://doan-mau.example/?id=7"),
        ("?tab=news&id=2103", "https://doan-mau.example/?tab=news&id=2103"),
        ("/bai viet", "https://doan-mau.example/bai%20viet"),
        (" https://doan-mau.example/x\n", "https://doan-mau.example/x"),
        ("javascript:alert(1)", ""),
        ("file:///etc/passwd", ""),
        ("https://[bad", ""),
        ("https://doan-mau.example:99999/", ""),
        ("https://doan-mau.example/" + "a" * 3000, ""),
    ],
)
def test_an_address_has_one_spelling(written: str, normal: str) -> None:
    assert normal_url(written, "https://doan-mau.example/") == normal


@given(st.text(max_size=200))
def test_normalising_an_address_twice_changes_nothing_more(text: str) -> None:
    for written in (text, f"https://doan-mau.example/{text}", f"http://doan-mau.example/?{text}"):
        normal = normal_url(written)
        assert normal_url(normal) == normal


def test_moving_to_https_does_not_double_a_post() -> None:
    assert identity("http://doan-mau.example/a?id=1") == identity("https://doan-mau.example/a?id=1")


def test_a_column_name_has_the_slug_that_content_systems_give_it() -> None:
    assert slug("Tin Tốt – Đoàn") == "tin-tot-doan"
