"""The documents' time words mean these days, whatever the reporting year's cut-off."""

import itertools
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.models import Span
from config.plan_due import MONTHS_BETWEEN, STUB, Due, due_dates, reporting_years

DAY = timedelta(days=1)
FOREVER = (date(1990, 1, 1), date(2100, 1, 1))


def days(due: dict[str, Any], start: date = date(2026, 1, 1), end: date = date(2027, 1, 1), cut_off: str = "12-14"):
    return due_dates(Due.model_validate(due), start, end, cut_off)


@pytest.mark.parametrize(
    ("due", "day"),
    [
        ({"rule": "date", "by": date(2022, 7, 15)}, date(2022, 7, 15)),
        ({"rule": "date", "before": date(2022, 7, 15)}, date(2022, 7, 14)),
        ({"rule": "date", "before": date(2024, 3, 1)}, date(2024, 2, 29)),
        ({"rule": "month", "at": "2017-06"}, date(2017, 6, 30)),
        ({"rule": "month", "at": "2017-12"}, date(2017, 12, 31)),
        ({"rule": "month", "at": "2024-02"}, date(2024, 2, 29)),
        ({"rule": "quarter", "at": "2017-Q1"}, date(2017, 3, 31)),
        ({"rule": "quarter", "at": "2017-Q4"}, date(2017, 12, 31)),
    ],
)
def test_a_single_deadline_is_its_last_day_on_time(due: dict[str, Any], day: date):
    assert days(due, *FOREVER) == [day]
    assert days(due, day, day + DAY) == [day]
    assert days(due, day + DAY, FOREVER[1]) == []
    assert days(due, FOREVER[0], day) == []


@pytest.mark.parametrize(
    ("rule", "cut_off", "found"),
    [
        ("every_year", "12-14", [(12, 14)]),
        ("every_year", "12-31", [(12, 31)]),
        ("every_half_year", "12-14", [(6, 14), (12, 14)]),
        ("every_half_year", "12-31", [(6, 30), (12, 31)]),
        ("every_half_year", "06-30", [(6, 30), (12, 31)]),
        ("every_quarter", "12-14", [(3, 14), (6, 14), (9, 14), (12, 14)]),
        ("every_quarter", "12-31", [(3, 31), (6, 30), (9, 30), (12, 31)]),
        ("every_month", "11-30", [(month, (date(2026, month % 12 + 1, 1) - DAY).day) for month in range(1, 13)]),
    ],
)
def test_a_recurring_duty_follows_the_reporting_year(rule: str, cut_off: str, found: list[tuple[int, int]]):
    assert [(day.month, day.day) for day in days({"rule": rule}, cut_off=cut_off)] == found


def test_a_cut_off_on_leap_day_is_the_last_of_february():
    ends = days({"rule": "every_year"}, date(2023, 1, 1), date(2026, 1, 1), "02-29")
    assert ends == [date(2023, 2, 28), date(2024, 2, 29), date(2025, 2, 28)]


def test_an_offset_moves_the_day_and_may_carry_it_into_the_next_year():
    late = {"rule": "every_year", "offset_days": 20}
    assert days(late, date(2026, 1, 1), date(2027, 1, 4)) == [date(2026, 1, 3), date(2027, 1, 3)]
    assert days({"rule": "every_half_year", "offset_days": -5}) == [date(2026, 6, 9), date(2026, 12, 9)]


@pytest.mark.parametrize("rule", ["standing", "periodic", "on_occurrence", "undated"])
def test_a_duty_without_a_date_never_falls_due(rule: str):
    assert days({"rule": rule}, *FOREVER) == []


def test_the_last_days_of_a_plan_after_the_cut_off_belong_to_its_last_year():
    binh_tan = Span(start=date(2024, 3, 14), until=date(2026, 1, 1))
    assert [(year.start, year.until) for year in reporting_years(binh_tan, "12-14")] == [
        (date(2024, 3, 14), date(2024, 12, 15)),
        (date(2024, 12, 15), date(2026, 1, 1)),
    ]
    assert [year.until for year in reporting_years(binh_tan, "12-31")] == [date(2025, 1, 1), date(2026, 1, 1)]


def test_a_plan_without_an_end_has_no_list_of_years():
    assert reporting_years(Span(start=date(2017, 2, 15)), "12-14") == []


CUT_OFFS = st.dates(date(2024, 1, 1), date(2024, 12, 31)).map(lambda day: f"{day:%m-%d}")
STARTS = st.dates(date(2000, 1, 1), date(2060, 1, 1))
LENGTHS = st.integers(1, 4000)
RECURRING = st.builds(Due, rule=st.sampled_from(sorted(MONTHS_BETWEEN)), offset_days=st.integers(-92, 92))


@given(RECURRING, STARTS, LENGTHS, CUT_OFFS)
def test_due_days_are_in_order_once_each_and_inside(due: Due, start: date, length: int, cut_off: str):
    end = start + length * DAY
    found = due_dates(due, start, end, cut_off)
    assert found == sorted(set(found))
    assert all(start <= day < end for day in found)


@given(RECURRING, STARTS, LENGTHS, LENGTHS, CUT_OFFS)
def test_two_stretches_together_have_the_due_days_of_both(due: Due, start: date, one: int, two: int, cut_off: str):
    middle, end = start + one * DAY, start + (one + two) * DAY
    parts = due_dates(due, start, middle, cut_off) + due_dates(due, middle, end, cut_off)
    assert due_dates(due, start, end, cut_off) == parts


@given(RECURRING, STARTS, CUT_OFFS)
def test_every_twelve_months_hold_as_many_due_days_as_the_rhythm_says(due: Due, start: date, cut_off: str):
    found = due_dates(due, start, start + timedelta(days=3 * 365 + 1), cut_off)
    step = MONTHS_BETWEEN[due.rule]
    assert abs(len(found) - 36 // step) <= 1
    gaps = [(later - day).days for day, later in itertools.pairwise(found)]
    assert all(abs(gap - step * 30.44) <= 4 for gap in gaps)


@given(STARTS, CUT_OFFS, st.integers(0, 92))
def test_an_offset_only_moves(start: date, cut_off: str, offset: int):
    plain, moved = Due(rule="every_quarter"), Due(rule="every_quarter", offset_days=offset)
    shift, end = offset * DAY, start + 1000 * DAY
    assert due_dates(moved, start + shift, end + shift, cut_off) == [
        day + shift for day in due_dates(plain, start, end, cut_off)
    ]


@given(STARTS, st.integers(1, 4000), CUT_OFFS)
def test_reporting_years_cover_a_span_without_gap_or_stub(start: date, length: int, cut_off: str):
    span = Span(start=start, until=start + length * DAY)
    years = reporting_years(span, cut_off)
    assert (years[0].start, years[-1].until) == (span.start, span.until)
    assert [year.until for year in years[:-1]] == [year.start for year in years[1:]]
    assert len(years) == 1 or all(year.until - year.start >= STUB for year in years if year.until)
