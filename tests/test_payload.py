from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.base import CollectError
from collectors.payload import DEEPEST, Count, decode_json
from store.records import FailureKind


class Item(msgspec.Struct):
    title: str = ""
    views: Count | None = None


class Page(msgspec.Struct):
    items: list[Item] = []


def failure(body: bytes, shape: type[Any] = Item) -> CollectError:
    with pytest.raises(CollectError) as caught:
        decode_json(body, shape)
    return caught.value


def test_only_declared_fields_exist() -> None:
    item = decode_json(b'{"title": "Tin", "author": {"name": "x"}, "views": 3}', Item)
    assert msgspec.structs.asdict(item) == {"title": "Tin", "views": 3}


def test_a_missing_count_stays_missing() -> None:
    assert decode_json(b"{}", Item).views is None
    assert decode_json(b'{"views": null}', Item).views is None
    assert decode_json(b'{"views": 0}', Item).views == 0


@pytest.mark.parametrize(
    "count",
    [
        *("NaN", "Infinity", "-Infinity", "1e400", "-1", "9223372036854775808", "9" * 5000),
        *("true", "false", "1e3", "1.0", "1.5", "[]", "{}", "01", "+1", "0x10"),
        *('"12"', '"1.2K"', '"1,234"', '" 12 "', '"１２３"', '"١٢٣"'),
    ],
)
def test_only_whole_numbers_are_counts(count: str) -> None:
    assert failure(b'{"views": %s}' % count.encode()).kind is FailureKind.DRIFT


def test_the_largest_count_fits_the_store() -> None:
    assert decode_json(b'{"views": 9223372036854775807}', Item).views == 2**63 - 1


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "trống"),
        (b"  \r\n", "trống"),
        (b"null", "không đúng kiểu"),
        (b"[]", "không đúng kiểu"),
        (b'"text"', "không đúng kiểu"),
        (b"12", "không đúng kiểu"),
        (b'{"items": {}}', "không đúng kiểu"),
        (b'{"items": [{"title": 5}]}', "không đúng kiểu"),
        (b'{"items": [', "bị hỏng"),
        (b'{"items": []} trailing', "bị hỏng"),
        (b'{"other": NaN}', "bị hỏng"),
        (b'{"items": [{"title": "\xff"}]}', "bị hỏng"),
        (b"<!doctype html><title>Error</title>", "HTML"),
        (b"<?xml version='1.0'?><error/>", "HTML"),
    ],
)
def test_everything_else_is_drift_and_says_why(body: bytes, said: str) -> None:
    error = failure(body, Page)
    assert error.kind is FailureKind.DRIFT
    assert said in error.sentence
    assert "nhip probe" in error.sentence


@pytest.mark.parametrize(
    "page",
    [
        b"<html><form><input type='password'></form></html>",
        b"<html><title>Just a moment...</title></html>",
        b"\n<html><div class='g-reCAPTCHA'></div></html>",
    ],
)
def test_a_login_or_challenge_page_is_blocked(page: bytes) -> None:
    assert failure(page).kind is FailureKind.BLOCKED


def test_a_byte_order_mark_is_no_content() -> None:
    assert decode_json(b'\xef\xbb\xbf{"views": 1}', Item).views == 1


@pytest.mark.parametrize(
    ("escaped", "text"),
    [
        (rb"\ud83d", "\ufffd"),
        (rb"a\ude00b", "a\ufffdb"),
        (rb"\ud83dx \uD83D\uDE00", "\ufffdx 😀"),
        (rb"\ud83d\ud83d\ude00", "\ufffd😀"),
        (rb"\\ud83d \ud83d", "\\ud83d \ufffd"),
    ],
)
def test_half_an_emoji_is_replaced(escaped: bytes, text: str) -> None:
    title = decode_json(b'{"title": "%s"}' % escaped, Item).title
    assert title == text
    title.encode()


@pytest.mark.parametrize("opener", ["[", '{"a":', '[{"a":'])
def test_bottomless_json_is_drift_at_once(opener: str) -> None:
    started = time.perf_counter()
    error = failure(b'{"other": ' + opener.encode() * 100_000)
    assert error.kind is FailureKind.DRIFT
    assert time.perf_counter() - started < 1


def nested(depth: int) -> bytes:
    return b'{"other": ' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"


def test_the_depth_limit_is_exact() -> None:
    decode_json(nested(DEEPEST), Item)
    assert "deeper" in failure(nested(DEEPEST + 1)).detail


def test_brackets_in_texts_are_not_depth() -> None:
    smileys = ":[ " * 100 + '\\" ' + "{[" * 100
    assert decode_json(json.dumps({"title": smileys}).encode(), Item).title == smileys


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=20))
def test_any_valid_json_is_read_as_json_reads_it(value: Any) -> None:
    assert decode_json(json.dumps([value]).encode(), list[Any]) == [value]


@given(st.binary(max_size=200))
def test_no_bytes_do_worse_than_a_collect_error(body: bytes) -> None:
    with suppress(CollectError):
        assert isinstance(decode_json(body, Page), Page)
