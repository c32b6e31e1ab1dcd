"""The public feed of a channel: what stands in without a key, and never says that a channel is gone."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from collectors.base import CollectError
from collectors.youtube.feed import parse
from store.records import Counts, DateSource, FailureKind
from tests.collector_contract import NOW, ids
from tests.scripted_server import Said, always
from tests.site_server import MAILBOX, PERSON
from tests.test_youtube import Looking, keyed
from tests.wallets import FixedWallet
from tests.youtube_channel import CHANNEL, DAY, Tube, body, daily, stamp

NOTHING = FixedWallet({})
FEED = body("feed_videos.xml").decode()
ENTRY = re.search(r" <entry>.*</entry>\n", FEED, re.DOTALL)


def feed(count: int) -> Said:
    """A feed of *count* videos, one a day, made from the saved one."""
    assert ENTRY
    entries = [
        ENTRY[0]
        .replace("vid00000001", f"vid{number:08d}")
        .replace("2026-11-19T12:00:05+00:00", stamp(NOW - number * DAY))
        for number in range(1, count + 1)
    ]
    return Said(FEED.replace(ENTRY[0], "".join(entries)).encode())


def read(said: Said, **known: Any):
    return Looking().look(always(said), wallet=NOTHING, **known)


def test_the_saved_feed_is_read():
    (post,) = parse(body("feed_videos.xml"))
    assert (post.platform_id, post.title) == ("vid00000001", "Mỗi ngày một tin tốt 19/11")
    assert post.published_at == datetime(2026, 11, 19, 12, 0, 5, tzinfo=UTC)
    assert (post.counts, post.date_source) == (Counts(reactions=57, views=1203), DateSource.FEED)
    assert post.excerpt == "#MỗiNgàyMộtTinTốt"


def test_the_feed_covers_from_its_oldest_video_and_knows_no_count_of_the_channel():
    reading = read(feed(15))
    assert len(reading.posts) == 15
    assert reading.coverage_from == NOW - 15 * DAY
    assert reading.snapshots == ()
    assert "chưa có khóa API" in reading.notes[0]


def test_an_empty_feed_proves_nothing():
    reading = read(feed(0))
    assert (reading.posts, reading.coverage_from) == ((), None)


@pytest.mark.parametrize("status", [403, 404, 500, 503])
def test_a_feed_that_is_down_says_nothing_about_the_channel(status):
    error = Looking().refusal(always(Said(b"Not found", status)), wallet=NOTHING)
    assert error.kind is FailureKind.NETWORK
    assert "nguồn công khai" in error.sentence.lower()


def test_a_feed_that_asks_to_wait_is_a_throttle():
    error = Looking().refusal(always(Said(b"", 429, {"Retry-After": "1"})), wallet=NOTHING, tries=1)
    assert (error.kind, error.retry_at is not None) == (FailureKind.THROTTLED, True)


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"<html><body>Consent</body></html>",
        b"{}",
        FEED.replace("yt:videoId", "yt:clipId").encode(),
        FEED[:900].encode(),
    ],
)
def test_what_is_no_feed_is_drift(broken):
    with pytest.raises(CollectError) as caught:
        parse(broken)
    assert caught.value.kind is FailureKind.DRIFT


def test_a_handle_without_a_key_says_what_to_do():
    class ByHandle(Looking):
        address = "@kenhmaua"

    error = ByHandle().refusal(always(feed(1)), wallet=NOTHING)
    assert error.kind is FailureKind.AUTH
    assert "/channel/UC" in error.sentence


def test_what_the_api_taught_is_kept_while_the_feed_stands_in():
    known = keyed(Tube(daily(3))).cursor
    assert read(feed(3), cursor=known).cursor == known
    assert read(feed(3)).cursor["id"] == CHANNEL


def test_no_author_enters():
    crowded = FEED.replace("<name>Kênh Mẫu A</name>", f"<name>{PERSON}</name><email>{MAILBOX}</email>")
    reading = read(Said(crowded.encode()))
    assert ids(reading.posts) == ["vid00000001"]
    assert PERSON not in repr(reading)
    assert MAILBOX not in repr(reading)
