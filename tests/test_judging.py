"""Judging a count before it counts."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path
from shutil import copy
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.judging import WITNESS_AFTER, Judge, is_suspect
from store.records import Precision, Reading, Snapshot, Source, Verdict
from store.verbs import Store, open_store
from tests.store_builders import FRIDAY, a_result, days, dump, hours, look, take, watch

PAGE = Source.FACEBOOK_PAGE


@pytest.mark.parametrize(
    ("before", "count", "suspect"),
    [
        (None, 0, False),  # nothing to compare with
        (5, None, False),  # missing is missing, not a drop
        (0, 900, False),  # from nothing to something
        (5, 0, True),  # zero after non-zero
        (1, 0, True),
        (100, 50, False),  # half is still a possible purge
        (100, 49, True),
        (999, 500, False),
        (1_000, 900, False),  # a tenth from 1,000 up
        (1_000, 899, True),
        (48_213, 43_391, True),
        (48_213, 43_392, False),
        (100, 500, False),
        (100, 501, True),  # more than five times
        (7, 7, False),
    ],
)
def test_what_cannot_easily_be_true_is_suspect(before: int | None, count: int | None, suspect: bool):
    assert is_suspect(before, count) is suspect


def judged(*readings: tuple[float, int | None]) -> list[int]:
    judge = Judge(1)
    return [judge.judge(int(hour * 3600), (value,)) for hour, value in readings]


def test_a_zero_for_a_day_never_counts_and_the_next_good_reading_does():
    assert judged((0, 5_000), (12, 0), (16, 0), (24, 5_010)) == [0, 1, 1, 0]


def test_a_second_reading_six_hours_later_that_agrees_counts():
    assert judged((0, 5_000), (12, 0), (17.9, 0), (18, 0)) == [0, 1, 1, 0]


def test_two_readings_within_six_hours_are_one_glitch():
    assert judged((0, 5_000), (12, 100), (13, 100), (14, 100)) == [0, 1, 1, 1]


def test_a_second_reading_that_says_something_else_again_is_no_witness():
    assert judged((0, 5_000), (12, 100), (24, 20_000_000), (36, 12)) == [0, 1, 1, 1]


def test_a_second_reading_may_have_moved_on_a_little():
    assert judged((0, 5_000), (12, 2_000), (24, 1_950)) == [0, 1, 0]


def test_after_a_confirmed_drop_the_new_level_is_the_measure():
    assert judged((0, 5_000), (12, 2_000), (24, 2_000), (36, 1_990), (48, 5_000), (60, 26_000)) == [0, 1, 0, 0, 0, 1]


def test_a_missing_count_neither_confirms_nor_forgets():
    assert judged((0, 5_000), (12, None), (24, 0), (30, None), (31, 0)) == [0, 0, 1, 0, 0]


def test_a_doubt_about_one_count_is_no_doubt_about_another():
    judge = Judge(2)
    assert [judge.judge(hour, values) for hour, values in [(0, (100, 90)), (1, (101, 0)), (2, (0, 0))]] == [0, 2, 3]


def test_a_suspect_count_is_stored_but_is_nobodys_value(store: Store):
    watch(store, "kenh")
    for n, followers in enumerate([5_000, 0, 5_002]):
        look(store, "kenh", reading(n, followers), FRIDAY + days(n))
    series = store.series(FRIDAY, FRIDAY + days(9))
    assert series["followers"].tolist() == [5_000, 0, 5_002]
    assert series["suspect"].tolist() == [0, 1, 0]
    asked = [FRIDAY + days(n) for n in range(3)]
    assert store.value_at(asked)["followers"].tolist() == [5_000, 5_000, 5_002]


def reading(day: float, followers: int | None, source: Source = PAGE) -> Reading:
    return Reading((Snapshot(FRIDAY + days(day), source, followers=followers),))


def test_a_later_witness_counts_from_its_own_moment_on_and_no_earlier(store: Store):
    watch(store, "kenh")
    look(store, "kenh", reading(0, 5_000), FRIDAY)
    look(store, "kenh", reading(1, 100), FRIDAY + days(1))
    before = store.value_at([FRIDAY + days(1)])
    look(store, "kenh", reading(2, 99), FRIDAY + days(2))
    assert store.value_at([FRIDAY + days(1)]).equals(before)
    assert store.value_at([FRIDAY + days(2)])["followers"].tolist() == [99]


def test_history_that_comes_in_one_reading_is_judged_day_by_day(store: Store):
    watch(store, "kenh")
    values = [1_000, 1_001, 0, 1_003, 1_004]
    rows = [Snapshot(FRIDAY - days(9 - n), Source.FACEBOOK_INSIGHTS, one) for n, one in enumerate(values)]
    look(store, "kenh", Reading(tuple(reversed(rows))))
    assert store.series(FRIDAY - days(30), FRIDAY)["suspect"].tolist() == [0, 0, 1, 0, 0]


def test_sources_do_not_judge_each_other(store: Store):
    watch(store, "kenh")
    rows = (Snapshot(FRIDAY, PAGE, 9_000), Snapshot(FRIDAY + hours(1), Source.SHEET, 12, precision=Precision.REPORTED))
    look(store, "kenh", Reading(rows))
    assert store.series(FRIDAY, FRIDAY + days(1))["suspect"].tolist() == [0, 0]


def test_the_same_look_told_twice_changes_no_judgement(store: Store):
    watch(store, "kenh")
    look(store, "kenh", reading(0, 5_000), FRIDAY)
    look(store, "kenh", reading(1, 0), FRIDAY + days(1))
    once = store.series(FRIDAY, FRIDAY + days(9))
    look(store, "kenh", reading(1, 0), FRIDAY + days(2))
    assert store.series(FRIDAY, FRIDAY + days(9)).equals(once)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.none() | st.sampled_from([0, 40, 100, 101, 5_000, 5_100, 90_000]), max_size=8))
def test_looks_one_by_one_are_judged_like_one_history(created_file: Path, values: list[int | None]):
    with TemporaryDirectory() as folder, open_store(f"sqlite:///{copy(created_file, folder)}") as store:
        watch(store, "kenh", "mot-lan")
        for n, value in enumerate(values):
            look(store, "kenh", reading(n, value), FRIDAY + days(n))
        snapshots = [one for n, value in enumerate(values) for one in reading(n, value).snapshots]
        look(store, "mot-lan", Reading(tuple(reversed(snapshots))))
        suspect = [store.series(FRIDAY, FRIDAY + days(99), [slug])["suspect"].tolist() for slug in ("kenh", "mot-lan")]
    assert suspect == [judged(*((24 * n, value) for n, value in enumerate(values)))] * 2


def test_a_count_that_was_hidden_for_a_while_is_not_forgotten(store: Store):
    watch(store, "kenh")
    for n, followers in enumerate([5_000, None, 0]):
        look(store, "kenh", reading(n, followers), FRIDAY + days(n))
    assert store.series(FRIDAY, FRIDAY + days(9))["suspect"].tolist() == [0, 0, 1]


def test_a_long_history_and_a_thousand_doubts_are_judged_quickly(store: Store):
    """A row for every day of 27 years, then doubts within six hours: many seconds would mean a square law."""
    watch(store, "kenh")
    history = tuple(Snapshot(FRIDAY - days(n), PAGE, 5_000 + n % 7) for n in range(1, 10_000))
    doubts = tuple(Snapshot(FRIDAY + hours(n / 200), PAGE, 10) for n in range(1_000))
    started = time.monotonic()
    look(store, "kenh", Reading(history + doubts))
    look(store, "kenh", reading(101, 5_010), FRIDAY + days(101))
    assert time.monotonic() - started < 5
    assert store.series(FRIDAY, FRIDAY + days(102))["suspect"].tolist() == [1] * 1_000 + [0]


def test_a_history_that_is_partly_known_counts_only_its_new_days(store: Store):
    watch(store, "mot", "hai")
    known, wider = ([Snapshot(FRIDAY - days(n), PAGE, 100) for n in range(length)] for length in (3, 5))
    look(store, "mot", Reading(tuple(known)))
    taken = take(store, "mot", "hai", at=FRIDAY + days(1))
    store.record([a_result(one, Reading(tuple(wider))) for one in taken])
    assert store.last_looks().set_index("channel")["snapshots"].to_dict() == {"mot": 2, "hai": 5}


def test_two_channels_of_one_batch_are_judged_apart(store: Store):
    watch(store, "lon", "nho")
    look(store, "lon", reading(0, 50_000))
    look(store, "nho", reading(0, 50))
    look(store, "lon", reading(1, 60), FRIDAY + days(1))
    look(store, "nho", reading(1, 60), FRIDAY + days(1))
    frame = store.series(FRIDAY + days(1), FRIDAY + days(2)).set_index("channel")
    assert frame["suspect"].to_dict() == {"lon": 1, "nho": 0}


@given(st.lists(st.integers(0, 10_000), max_size=12))
def test_what_counts_never_leaps_without_a_witness(values: list[int]):
    hour = WITNESS_AFTER // 3600
    bits = judged(*((n * hour, value) for n, value in enumerate(values)))
    counted = [(n, value) for n, (value, bit) in enumerate(zip(values, bits, strict=True)) if not bit]
    for (_, before), (n, count) in pairwise(counted):
        witnesses = [value for value, bit in zip(values[:n], bits[:n], strict=True) if bit]
        assert not is_suspect(before, count) or any(
            value == count or not is_suspect(value, count) for value in witnesses
        )


@given(st.lists(st.integers(0, 10_000), max_size=12), st.integers(0, 12))
def test_a_later_reading_never_changes_an_earlier_judgement(values: list[int], cut: int):
    readings = [(n * 6, value) for n, value in enumerate(values)]
    assert judged(*readings[:cut]) == judged(*readings)[:cut]


# --- what people say ---


def word(day: float, *, accepted: bool, at: float = 5) -> Verdict:
    moment = FRIDAY + days(day)
    return Verdict("kenh", moment, PAGE, accepted, "Ban Tuyên giáo", "Trang vừa được gộp", FRIDAY + days(at))


@pytest.fixture
def doubted(store: Store) -> Store:
    """5,000 on Friday, 100 on Saturday."""
    watch(store, "kenh")
    look(store, "kenh", reading(0, 5_000), FRIDAY)
    look(store, "kenh", reading(1, 100), FRIDAY + days(1))
    return store


def test_an_open_suspect_is_listed_until_somebody_or_something_settles_it(doubted: Store):
    (row,) = doubted.open_suspects().to_dict("records")
    assert (row["channel"], row["source"], row["followers"], row["suspect"]) == ("kenh", "facebook_page", 100, 1)
    look(doubted, "kenh", reading(2, 5_001), FRIDAY + days(2))
    assert len(doubted.open_suspects()) == 0


def test_a_count_that_a_person_confirms_counts(doubted: Store):
    doubted.add_verdict(word(1, accepted=True))
    assert len(doubted.open_suspects()) == 0
    assert doubted.value_at([FRIDAY + days(1)])["followers"].tolist() == [100]


def test_a_count_that_a_person_rejects_never_counts_and_is_no_witness(doubted: Store):
    doubted.add_verdict(word(1, accepted=False))
    look(doubted, "kenh", reading(2, 100), FRIDAY + days(2))
    assert doubted.value_at([FRIDAY + days(3)])["followers"].tolist() == [5_000]
    assert len(doubted.open_suspects()) == 1


def test_the_last_word_holds_and_the_first_is_kept(doubted: Store):
    doubted.add_verdict(word(1, accepted=True))
    doubted.add_verdict(word(1, accepted=False, at=6))
    assert doubted.value_at([FRIDAY + days(1)])["followers"].tolist() == [5_000]
    assert [row[-1] for row in dump(doubted)["verdict"]] == [True, False]


def test_nobody_can_confirm_what_nobody_doubts(doubted: Store):
    for day in (0, 0.5):
        with pytest.raises(LookupError):
            doubted.add_verdict(word(day, accepted=True))
