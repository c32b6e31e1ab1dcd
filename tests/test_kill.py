"""kill -9 while collecting: nothing lost, nothing doubled, and the next start takes over."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.jobs import LEASE
from store.verbs import open_store
from tests.conftest import NewUrl
from tests.invariants import assert_invariants
from tests.killing import PHASES, collect_round, kill_after, kill_at
from tests.small_district import FRIDAY, feeds_on_loopback, write_config

SITES, DAYS = 6, 10


@pytest.fixture
def district(tmp_path: Path) -> Iterator[Path]:
    with feeds_on_loopback(tmp_path / "sites", SITES, DAYS) as addresses:
        yield write_config(tmp_path / "district", addresses)


def assert_whole(url: str, folder: Path) -> None:
    """After one more start, everything is there exactly once."""
    later = FRIDAY + LEASE + timedelta(minutes=1)
    collect_round(folder, url, later, "next start")
    assert_invariants(url, later)
    with open_store(url) as store:
        posts = store.posts(FRIDAY - timedelta(days=30), later)
        looks = store.last_looks()
        labels = store.labels(posts["id"].tolist())
    assert posts.groupby("channel").size().to_dict() == {f"trang-{n}": DAYS for n in range(SITES)}
    assert set(looks["state"]) == {"done"}
    assert len(labels) == SITES * DAYS


@pytest.mark.parametrize("phase", PHASES)
def test_a_kill_at_any_phase_loses_nothing_and_doubles_nothing(phase, district, store_url):
    assert kill_at(phase, district, store_url, FRIDAY) == phase
    assert_invariants(store_url, FRIDAY)
    assert_whole(store_url, district)


def test_a_slot_that_is_held_by_a_dead_worker_is_left_alone_until_its_lease_ends(district, store_url):
    kill_at("taken", district, store_url, FRIDAY)
    assert collect_round(district, store_url, FRIDAY + LEASE - timedelta(seconds=1), "too early") == 0
    assert collect_round(district, store_url, FRIDAY + LEASE + timedelta(seconds=1), "in time") == SITES


def kill_often(times: int, district: Path, new_url: Callable[[], str]) -> None:
    """Kill rounds at random moments; a database is killed a few times in a row before it must be whole."""
    moments = random.Random(20261120)
    url, now = new_url(), FRIDAY
    for number in range(times):
        kill_after(moments.uniform(0, 0.4), district, url, now)
        assert_invariants(url, now)
        if number % 5 == 4:
            assert_whole(url, district)
            url = new_url()


def test_kills_at_random_moments_lose_nothing_and_double_nothing(district, new_url: NewUrl):
    kill_often(50, district, new_url)


@pytest.mark.soak
def test_many_more_kills_at_random_moments(district, new_url: NewUrl):
    kill_often(500, district, new_url)
