"""Days, weeks and years are cut in the local zone: tables of edges."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.periods import (
    Period,
    PeriodError,
    day_edges,
    day_in_year,
    local_date,
    local_day,
    month_of,
    parse_period,
    reporting_year,
    week_of,
    year,
)

HCMC = ZoneInfo("Asia/Ho_Chi_Minh")
BERLIN = ZoneInfo("Europe/Berlin")


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("utc", "day"),
    [
        ("2026-12-31T16:59:59", date(2026, 12, 31)),
        ("2026-12-31T17:00:00", date(2027, 1, 1)),
        ("2026-11-19T17:30:00", date(2026, 11, 20)),  # 00:30 local time
        ("2026-11-20T16:59:59", date(2026, 11, 20)),
        ("2026-11-15T23:30:00", date(2026, 11, 16)),  # late on Sunday in UTC, Monday here
        ("2024-02-28T17:00:00", date(2024, 2, 29)),
        ("1970-01-01T00:00:00", date(1970, 1, 1)),
    ],
)
def test_a_moment_belongs_to_its_local_day(utc: str, day: date) -> None:
    assert local_date(moment(utc), HCMC) == day
    days = local_day(pd.Series([moment(utc), None]), HCMC)
    assert days.dtype == "datetime64[s]"
    assert days[0] == pd.Timestamp(day)
    assert pd.isna(days[1])


def test_no_moments_have_no_days() -> None:
    assert local_day(pd.Series([], dtype=object), HCMC).empty


@pytest.mark.parametrize(
    ("text", "start", "last", "title"),
    [
        ("2026-W47", date(2026, 11, 16), date(2026, 11, 22), "Tuần 47 (16/11–22/11/2026)"),
        ("2026-w47 ", date(2026, 11, 16), date(2026, 11, 22), "Tuần 47 (16/11–22/11/2026)"),
        ("2026-W53", date(2026, 12, 28), date(2027, 1, 3), "Tuần 53 (28/12/2026–03/01/2027)"),
        ("2027-W01", date(2027, 1, 4), date(2027, 1, 10), "Tuần 1 (04/01–10/01/2027)"),
        ("2025-W01", date(2024, 12, 30), date(2025, 1, 5), "Tuần 1 (30/12/2024–05/01/2025)"),
        ("2020-W53", date(2020, 12, 28), date(2021, 1, 3), "Tuần 53 (28/12/2020–03/01/2021)"),
        ("2026-11", date(2026, 11, 1), date(2026, 11, 30), "Tháng 11/2026"),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29), "Tháng 2/2024"),
        ("2026-12", date(2026, 12, 1), date(2026, 12, 31), "Tháng 12/2026"),
        ("2026", date(2026, 1, 1), date(2026, 12, 31), "Năm 2026"),
        ("2024-02-29", date(2024, 2, 29), date(2024, 2, 29), "Ngày 29/02/2024"),
    ],
)
def test_a_text_names_a_period(text: str, start: date, last: date, title: str) -> None:
    period = parse_period(text, HCMC)
    assert (period.start, period.last, period.title()) == (start, last, title)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("2025-W53", "Lịch không có kỳ «2025-W53»"),
        ("2026-W00", "Lịch không có kỳ"),
        ("2026-13", "Lịch không có kỳ"),
        ("2026-02-29", "Lịch không có kỳ"),
        ("0000", "Không hiểu kỳ «0000»"),
        ("9999", "Không hiểu kỳ"),
        ("2026-W4", "Không hiểu kỳ"),
        ("20/11/2026", "Không hiểu kỳ"),
        ("", "Không hiểu kỳ"),
        ("２０２６-W99", "Lịch không có kỳ"),
    ],
)
def test_a_text_that_names_none_is_refused_in_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(PeriodError, match=sentence):
        parse_period(text, HCMC)


@pytest.mark.parametrize(
    ("number", "cut_off", "start", "last"),
    [
        (2026, "12-14", date(2025, 12, 15), date(2026, 12, 14)),
        (2026, "12-31", date(2026, 1, 1), date(2026, 12, 31)),
        (2024, "02-29", date(2023, 3, 1), date(2024, 2, 29)),
        (2025, "02-29", date(2024, 3, 1), date(2025, 2, 28)),
        (2024, "02-28", date(2023, 3, 1), date(2024, 2, 28)),
    ],
)
def test_a_reporting_year_ends_on_its_cut_off(number: int, cut_off: str, start: date, last: date) -> None:
    period = reporting_year(number, cut_off, HCMC)
    assert (period.start, period.last) == (start, last)


def test_a_reporting_year_has_its_own_title() -> None:
    assert reporting_year(2026, "12-14", HCMC).title() == "Từ 15/12/2025 đến 14/12/2026"
    assert reporting_year(2026, "12-31", HCMC) == year(2026, HCMC)


@given(st.integers(1991, 2198), st.dates(date(2024, 1, 1), date(2024, 12, 31)).map(lambda day: f"{day:%m-%d}"))
def test_reporting_years_follow_each_other_without_a_gap(number: int, cut_off: str) -> None:
    assert reporting_year(number, cut_off, HCMC).end == reporting_year(number + 1, cut_off, HCMC).start


def test_29_february_is_the_28th_where_there_is_none() -> None:
    assert [day_in_year(number, 2, 29).day for number in (2023, 2024, 2100)] == [28, 29, 28]


def test_a_period_begins_and_ends_at_local_midnight() -> None:
    week = parse_period("2026-W47", HCMC)
    assert (week.start_at, week.end_at) == (moment("2026-11-15T17:00:00"), moment("2026-11-22T17:00:00"))


def test_a_day_with_a_clock_change_has_23_or_25_hours() -> None:
    edges = day_edges(Period(date(2026, 3, 28), date(2026, 3, 31), BERLIN))
    assert [int(hours) for hours in (edges[1:] - edges[:-1]) // 3600] == [24, 23, 24]


def test_every_week_belongs_to_the_month_and_year_of_its_thursday() -> None:
    assert len(year(2026, HCMC).weeks()) == 53
    assert [week.start for week in month_of(date(2026, 12, 1), HCMC).weeks()][-1] == date(2026, 12, 28)
    assert month_of(date(2027, 1, 1), HCMC).weeks()[0].start == date(2027, 1, 4)


@given(st.dates(date(1995, 1, 1), date(2190, 12, 31)))
def test_the_weeks_of_months_and_years_neither_overlap_nor_miss(day: date) -> None:
    months = [month_of(date(day.year, number, 1), HCMC) for number in range(1, 13)]
    of_months = [week for month in months for week in month.weeks()]
    assert of_months == year(day.year, HCMC).weeks()
    assert all(before.end == after.start for before, after in pairwise(of_months))
    assert week_of(day, HCMC).weeks() == [week_of(day, HCMC)]


def test_a_month_with_its_whole_weeks_reaches_into_its_neighbours() -> None:
    span = month_of(date(2026, 12, 1), HCMC).with_whole_weeks()
    assert (span.start, span.last) == (date(2026, 11, 30), date(2027, 1, 3))


def test_a_lonely_friday_has_no_week() -> None:
    friday = parse_period("2026-11-20", HCMC)
    assert friday.weeks() == []
    assert friday.with_whole_weeks() == friday
    assert friday.days() == [date(2026, 11, 20)]


@given(st.integers(820_454_400, 4_102_444_800), st.sampled_from([HCMC, BERLIN, ZoneInfo("UTC")]))
def test_a_moment_lies_in_the_day_that_is_cut_for_it(epoch: int, zone: ZoneInfo) -> None:
    now = datetime.fromtimestamp(epoch, UTC)
    today = local_date(now, zone)
    period = Period(today, today + timedelta(days=1), zone)
    assert period.start_at <= now < period.end_at
