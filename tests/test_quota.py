"""Daily allowances: counted over all processes, stopped at four fifths, whole again at their own midnight."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.base import Bucket, CollectError
from pipeline.clock import frozen_at
from pipeline.meter import PORTION, StoreMeter, next_day
from store.errors import StoreError, Trouble
from store.records import FailureKind
from store.verbs import Store, open_store
from tests.conftest import NewUrl
from tests.store_builders import FRIDAY

CALIFORNIA = "America/Los_Angeles"
UNITS = Bucket("youtube.units", 10_000, CALIFORNIA)
SMALL = Bucket("small", 100, CALIFORNIA)
RESET = datetime(2026, 11, 20, 8, tzinfo=UTC)
"""15:00 in Ho Chi Minh City, in winter."""


def meter(store: Store, now: datetime = FRIDAY) -> StoreMeter:
    return StoreMeter(store, frozen_at(now))


def spent(store: Store, bucket: Bucket = SMALL) -> int:
    return store.spent(bucket.name, RESET)


def test_four_fifths_may_be_spent_and_not_one_more(store):
    one = meter(store)
    for _ in range(80):
        one.spend(SMALL)
    with pytest.raises(CollectError) as refused:
        one.spend(SMALL)
    assert (refused.value.kind, refused.value.retry_at) == (FailureKind.QUOTA, RESET)
    one.flush()
    assert spent(store) == 80


def test_a_call_that_would_pass_the_limit_is_not_made_at_all(store):
    one = meter(store)
    one.spend(SMALL, 79)
    with pytest.raises(CollectError):
        one.spend(SMALL, 2)
    one.spend(SMALL)


def test_another_process_knows_what_was_spent(store):
    first = meter(store)
    first.spend(SMALL, 60)
    assert spent(store) == 60, "a portion carries itself over"
    with pytest.raises(CollectError):
        meter(store).spend(SMALL, 21)


def test_less_than_a_portion_is_carried_by_a_flush(store):
    one = meter(store)
    one.spend(SMALL, PORTION - 1)
    assert spent(store) == 0
    one.flush()
    one.flush()
    assert spent(store) == PORTION - 1


def test_inside_a_loop_the_database_is_asked_in_a_thread(store):
    async def spend() -> None:
        one = meter(store)
        for _ in range(70):
            one.spend(UNITS)
        await asyncio.to_thread(one.flush)

    asyncio.run(spend())
    assert spent(store, UNITS) == 70


def test_the_platform_knows_better_when_nothing_is_left(store):
    assert meter(store).exhaust(SMALL) == RESET
    assert spent(store) == 100
    with pytest.raises(CollectError):
        meter(store).spend(SMALL)


def test_a_new_day_starts_whole(store):
    meter(store).exhaust(SMALL)
    meter(store, RESET).spend(SMALL)
    with pytest.raises(CollectError):
        meter(store, RESET - timedelta(seconds=1)).spend(SMALL)


def test_what_could_not_be_noted_is_noted_the_next_time(store, monkeypatch):
    one = meter(store)

    def busy(*_: object) -> int:
        raise StoreError(Trouble.LOCKED, "nơi này", "busy")

    monkeypatch.setattr(Store, "spend", busy)
    one.spend(SMALL, 30)
    monkeypatch.undo()
    one.flush()
    assert spent(store) == 30


SPEND = """
import sys
from datetime import datetime
from store.verbs import open_store
with open_store(sys.argv[1]) as store:
    for _ in range(50):
        store.spend("small", datetime.fromisoformat(sys.argv[2]), 3)
"""


def test_four_processes_lose_no_unit(new_url: NewUrl):
    url = new_url()
    words = [sys.executable, "-c", SPEND, url, RESET.isoformat()]
    workers = [subprocess.Popen(words, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    assert [worker.communicate(timeout=60)[1] for worker in workers] == [""] * 4
    with open_store(url) as store:
        assert spent(store) == 4 * 50 * 3


@pytest.mark.parametrize(
    ("now", "reset"),
    [
        ("2026-11-20T07:59:59Z", "2026-11-20T08:00:00Z"),
        ("2026-11-20T08:00:00Z", "2026-11-21T08:00:00Z"),
        ("2026-07-01T12:00:00Z", "2026-07-02T07:00:00Z"),
        ("2026-03-08T08:00:00Z", "2026-03-09T07:00:00Z"),  # a day of 23 hours
        ("2026-11-01T07:00:00Z", "2026-11-02T08:00:00Z"),  # a day of 25 hours
    ],
)
def test_the_allowance_is_whole_again_at_midnight_in_california(now, reset):
    assert next_day(UNITS, datetime.fromisoformat(now)) == datetime.fromisoformat(reset)


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2037, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001
    st.sampled_from([CALIFORNIA, "Asia/Ho_Chi_Minh", "UTC", "America/Havana", "Atlantic/Azores"]),
)
def test_every_moment_lies_in_a_day_that_ends_when_the_next_one_begins(now, zone):
    bucket = Bucket("any", 1, zone)
    reset = next_day(bucket, now)
    today = now.astimezone(ZoneInfo(zone)).date()
    assert now < reset <= now + timedelta(hours=25)
    assert reset.astimezone(ZoneInfo(zone)).date() == today + timedelta(days=1)
    assert (reset - timedelta(microseconds=1)).astimezone(ZoneInfo(zone)).date() == today
    assert next_day(bucket, reset) > reset
