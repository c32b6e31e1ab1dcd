"""Shares and head counts that units report; units that did not are shown, and bound the whole."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from metrics.periods import Period, year
from metrics.share import reported_growth, reported_share
from tests.metric_builders import HCMC, ask, config_of, facts, figure, figures, share, unit

Y2025 = year(2025, HCMC)
FOUR = config_of(
    [unit(name, members=[{"start": "2025-01-01", "count": count}] if count else [])
     for name, count in (("a", 100), ("b", 200), ("c", 300), ("d", None))]
)  # fmt: skip
ABC = ["a", "b", "c"]


def whole(*rows: dict[str, Any], units: Any = ABC, as_of: str = "2026-12-31", **more: Any) -> dict[str, Any]:
    known = facts(FOUR, as_of, figures=figures(*rows))
    return dict(
        reported_share(known, ask("total", units=units, **{"measure": "linked", "of_members": True, **more})).rows.iloc[
            0
        ]
    )


A, B, C = figure("a", 80, 100), figure("b", 150, 200), figure("c", 240, 300)


@pytest.mark.parametrize(
    ("rows", "shown", "low", "high"),
    [
        ([A, B, C], 0.7833, 0.7833, 0.7833),  # 470/600
        ([A, B], 0.7667, 0.3833, 0.8833),  # 230/300; c has 300 members: 230/600 … 530/600
        ([A], 0.8, 0.1333, 0.9667),  # 80/100; 80/600 … 580/600
        ([C], 0.8, 0.4, 0.9),  # 240/300; 240/600 … 540/600
        ([], None, 0.0, 1.0),
        ([figure("a", 0, 100), B, C], 0.65, 0.65, 0.65),  # 390/600: a reported zero is a zero
        ([figure("a", 0, 0), B, C], 0.78, 0.78, 0.78),  # 390/500: nobody in scope there
    ],
)
def test_the_share_of_those_who_reported_and_the_bounds_of_the_whole(rows, shown, low, high):
    row = whole(*rows)
    assert [share(row[name]) for name in ("shown", "low", "high")] == [shown, low, high]


def test_missing_units_are_counted_and_shown():
    row = whole(A, B)
    assert (row["known"], row["wanted"], row["missing"], row["why"]) == (2, 3, 1, "")
    assert whole()["why"] == "not_reported"


def test_a_missing_unit_of_unknown_size_leaves_everything_open():
    row = whole(A, B, C, units=[*ABC, "d"])
    assert [share(row[name]) for name in ("shown", "low", "high")] == [0.7833, None, None]


Q1, Q2 = (Period(date(2026, month, 1), date(2026, month + 3, 1), HCMC) for month in (1, 4))


@pytest.mark.parametrize(
    ("earlier", "low", "high"),
    [
        ([], None, None),  # how many of them there are nobody knows: 300 members say nothing of it
        ([figure("c", 5, 10, period=Q1)], 0.9286, 0.9643),  # 260/280, 270/280
        ([figure("c", 5, 10, period=Q1), figure("c", 9, 20, period=Y2025)], 0.9286, 0.9643),  # the later one
        ([figure("c", 5, 10, period=Q1), figure("c", 5, 20, period=Q1, turn=2)], 0.8966, 0.9655),  # as corrected
        ([figure("c", 5, 10, period=Q1, measure="trained")], None, None),
    ],
)
def test_a_missing_unit_is_as_large_as_it_last_said_for_the_same_measure(earlier, low, high):
    rows = [figure("a", 80, 90, period=Q2), figure("b", 180, 180, period=Q2), *earlier]
    known = facts(FOUR, "2026-08-31", figures=figures(*rows))
    row = reported_share(known, ask("total", Q2, units=ABC, measure="linked")).rows.iloc[0]
    assert (share(row["low"]), share(row["high"]), share(row["shown"])) == (low, high, 0.963)  # 260/270


@pytest.mark.parametrize(("day", "early"), [("2026-12-31", True), ("2027-01-01", False)])
def test_a_report_for_a_period_that_still_runs_is_marked(day, early):
    assert [whole(A, as_of=day)["early"], heads(*count("a", 40, 42), as_of=day)["early"]] == [early, early]


def test_a_correction_counts_from_the_moment_it_was_given():
    later = figure("a", 60, 100, told="2026-08-01", turn=2)
    assert whole(A, later, B, C, as_of="2026-07-31")["numerator"] == 470
    assert whole(A, later, B, C)["numerator"] == 450  # 60 + 150 + 240


def test_figures_of_another_period_or_measure_do_not_count():
    assert whole(figure("a", 1, 1, period=Y2025), figure("b", 1, 1, measure="trained"))["known"] == 0


def test_a_unit_that_ended_before_the_period_has_nothing_to_report():
    config = config_of([unit("a"), unit("gone", until="2026-01-01")])
    rows = reported_share(facts(config, "2026-12-31"), ask("unit", measure="linked")).rows
    assert rows["unit"].tolist() == ["a"]


def test_by_unit_every_unit_has_its_row_and_its_reason():
    known = facts(FOUR, "2026-12-31", figures=figures(A, figure("b", 0, 0)))
    rows = reported_share(known, ask("unit", measure="linked")).rows.set_index("unit")
    assert rows["why"].to_dict() == {"a": "", "b": "no_members", "c": "not_reported", "d": "not_reported"}
    assert share(rows.loc["a", "low"]) == 0.8


def test_both_numbers_of_a_share_can_be_traced():
    known = facts(FOUR, "2026-12-31", figures=figures(A))
    inputs = reported_share(known, ask("unit", measure="linked")).inputs
    assert inputs[["subject", "role", "ref", "source", "value"]].to_numpy().tolist() == [
        ["a", "numerator", "a", "báo cáo (mẫu)", 80],
        ["a", "denominator", "a", "báo cáo (mẫu)", 100],
    ]


def heads(*rows: dict[str, Any], by: Any = "total", units: Any = ABC, as_of: str = "2026-12-31") -> dict[str, Any]:
    known = facts(FOUR, as_of, figures=figures(*rows))
    asked = ask(by, units=units, measure="people", baseline_period=Y2025)
    return dict(reported_growth(known, asked).rows.iloc[0])


def count(slug: str, first: int | None, last: int | None) -> list[dict[str, Any]]:
    both = [(Y2025, first), (ask().period, last)]
    return [figure(slug, value=n, period=period, measure="people") for period, n in both if n is not None]


@pytest.mark.parametrize(
    ("people", "shown", "low", "why"),
    [
        ([("a", 40, 42), ("b", 60, 63), ("c", 100, 105)], 0.05, 0.05, ""),  # 10/200
        ([("a", 40, 42), ("b", 60, 66)], 0.08, None, "missing"),  # 8/100 among two of three
        ([("a", 40, 38), ("b", 60, 60), ("c", 100, 100)], -0.01, -0.01, ""),  # −2/200
        ([("a", 40, None), ("b", None, 60), ("c", 100, 110)], 0.1, None, "missing"),  # 10/100: c alone told both
        ([("a", 40, None)], None, None, "not_reported"),
        ([("a", 0, 3), ("b", 0, 0), ("c", 0, 0)], None, None, "zero_base"),
        ([("a", 0, 3), ("b", 50, 50), ("c", 50, 50)], 0.03, 0.03, ""),  # 3/100
    ],
)
def test_head_counts_at_two_dates_are_compared_where_both_were_told(people, shown, low, why):
    row = heads(*(row for one in people for row in count(*one)))
    assert (share(row["shown"]), share(row["low"]), row["why"]) == (shown, low, why)


def test_head_counts_by_unit():
    row = heads(*count("a", 40, 42), by="unit")
    assert (row["unit"], share(row["low"]), row["why"]) == ("a", 0.05, "")  # 2/40


@pytest.mark.parametrize(
    ("first", "last", "why"),
    [(None, 30, "before_merger"), (None, None, "not_reported"), (20, 30, "")],
)
def test_a_merged_unit_lacks_its_base_and_not_its_report(first, last, why):
    config = config_of([unit("old", until="2026-07-01", successors=["new"]), unit("new", start="2026-07-01")])
    known = facts(config, "2026-12-31", figures=figures(*count("new", first, last)))
    asked = ask("unit", units=["new"], measure="people", baseline_period=Y2025)
    assert reported_growth(known, asked).rows["why"].tolist() == [why]


def test_a_unit_that_only_told_the_later_count_lacks_its_base():
    assert heads(*count("a", None, 40), by="unit", units=["a"])["why"] == "no_base"


SHARES = st.lists(
    st.tuples(st.sampled_from("abcd"), st.integers(0, 300), st.integers(0, 300), st.integers(1, 5)), max_size=8
)


@settings(deadline=None, max_examples=30)
@given(SHARES, st.randoms(use_true_random=False))
def test_the_order_of_the_reports_changes_nothing(told, random):
    rows = [
        figure(name, min(n, m), m, turn=turn)
        for name, n, m, turn in {one[0] + str(one[3]): one for one in told}.values()
    ]
    mixed = random.sample(rows, len(rows))
    for by in ("unit", "total"):
        one, other = (
            reported_share(facts(FOUR, "2026-12-31", figures=figures(*some)), ask(by, measure="linked")).rows
            for some in (rows, mixed)
        )
        assert_frame_equal(one, other)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 300), st.integers(0, 200))
def test_whatever_the_missing_units_report_the_whole_lies_within_the_bounds(third, second):
    part = whole(A)
    full = whole(A, figure("b", second, 200), figure("c", third, 300))
    assert part["low"] - 1e-12 <= full["low"] <= part["high"] + 1e-12
