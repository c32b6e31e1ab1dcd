"""Days, weeks and years, cut in the local zone. No other module cuts time.

A period is half-open and made of local days; its moments are aware UTC. Weeks are ISO weeks, Monday to
Sunday; each belongs to the month and the year of its Thursday. 29 February is the 28th where there is none.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

DAY = timedelta(days=1)
WEEK = timedelta(weeks=1)
YEARS = range(1990, 2200)


class PeriodError(ValueError):
    """A text that names no period; the message is a Vietnamese sentence."""


@dataclass(frozen=True)
class Period:
    """The local days from `start` up to, but not including, `end`."""

    start: date
    end: date
    zone: ZoneInfo

    @property
    def start_at(self) -> datetime:
        return midnight(self.start, self.zone)

    @property
    def end_at(self) -> datetime:
        """The first moment after the period."""
        return midnight(self.end, self.zone)

    @property
    def last(self) -> date:
        """The last day in the period."""
        return self.end - DAY

    def days(self) -> list[date]:
        return [self.start + number * DAY for number in range((self.end - self.start).days)]

    def weeks(self) -> list[Period]:
        """The ISO weeks whose Thursday lies in the period."""
        thursdays = (day for day in self.days() if day.isoweekday() == 4)
        return [week_of(thursday, self.zone) for thursday in thursdays]

    def with_whole_weeks(self) -> Period:
        """All days of the period and of its weeks: what must be known to judge both."""
        parts = [self, *self.weeks()]
        return Period(min(part.start for part in parts), max(part.end for part in parts), self.zone)

    def title(self) -> str:
        """The name people use: «Tuần 47 (16/11–22/11/2026)», «Tháng 11/2026», «Năm 2026» …"""
        if self == week_of(self.start, self.zone):
            first = f"{self.start:%d/%m}" if self.start.year == self.last.year else f"{self.start:%d/%m/%Y}"
            return f"Tuần {self.start.isocalendar().week} ({first}–{self.last:%d/%m/%Y})"
        if self == month_of(self.start, self.zone):
            return f"Tháng {self.start.month}/{self.start.year}"
        if self == year(self.start.year, self.zone):
            return f"Năm {self.start.year}"
        if self.start == self.last:
            return f"Ngày {self.start:%d/%m/%Y}"
        return f"Từ {self.start:%d/%m/%Y} đến {self.last:%d/%m/%Y}"


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of a local day, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def day_of(day: date, zone: ZoneInfo) -> Period:
    return Period(day, day + DAY, zone)


def week_of(day: date, zone: ZoneInfo) -> Period:
    """The ISO week that a day lies in."""
    monday = day - day.weekday() * DAY
    return Period(monday, monday + WEEK, zone)


def month_of(day: date, zone: ZoneInfo) -> Period:
    start = day.replace(day=1)
    return Period(start, start + calendar.monthrange(day.year, day.month)[1] * DAY, zone)


def year(number: int, zone: ZoneInfo) -> Period:
    return Period(date(number, 1, 1), date(number + 1, 1, 1), zone)


def reporting_year(number: int, cut_off: str, zone: ZoneInfo) -> Period:
    """The year that ends with its cut-off day «MM-DD»: 2026 with 12-14 is 15/12/2025 to 14/12/2026."""
    month, day = map(int, cut_off.split("-"))
    start, last = day_in_year(number - 1, month, day) + DAY, day_in_year(number, month, day)
    return Period(start, last + DAY, zone)


def day_in_year(number: int, month: int, day: int) -> date:
    """A day of the calendar in one year; 29 February becomes the 28th where there is none."""
    return date(number, month, min(day, calendar.monthrange(number, month)[1]))


def local_date(moment: datetime, zone: ZoneInfo) -> date:
    """The local day that a moment falls on."""
    return moment.astimezone(zone).date()


def parse_period(text: str, zone: ZoneInfo) -> Period:
    """«2026-W47», «2026-11», «2026» or «2026-11-20»; PeriodError for anything else."""
    try:
        if period := _parsed(text.strip().upper(), zone):
            return period
    except ValueError as error:
        raise PeriodError(f"Lịch không có kỳ «{text}». Đề nghị kiểm tra lại số ngày, tuần, tháng.") from error
    raise PeriodError(f"Không hiểu kỳ «{text}». Đề nghị viết như 2026-W47, 2026-11, 2026 hoặc 2026-11-20.")


def _parsed(text: str, zone: ZoneInfo) -> Period | None:
    parts = re.fullmatch(r"(?P<year>\d{4})(?:-W(?P<week>\d{2})|-(?P<month>\d{2})(?:-(?P<day>\d{2}))?)?", text)
    if parts is None or int(parts["year"]) not in YEARS:
        return None
    number = int(parts["year"])
    if parts["week"]:
        return week_of(date.fromisocalendar(number, int(parts["week"]), 1), zone)
    if parts["day"]:
        return day_of(date(number, int(parts["month"]), int(parts["day"])), zone)
    if parts["month"]:
        return month_of(date(number, int(parts["month"]), 1), zone)
    return year(number, zone)


def local_day(moments: pd.Series[Any], zone: ZoneInfo) -> pd.Series[Any]:
    """The local day of each UTC moment as a naive midnight, datetime64[s]; a missing moment stays missing."""
    local = pd.to_datetime(moments, utc=True).dt.tz_convert(zone).dt.tz_localize(None)
    return local.dt.floor("D").astype("datetime64[s]")


def day_edges(period: Period) -> npt.NDArray[np.int64]:
    """The epoch seconds at which the days of a period begin, and that at which the last one ends."""
    edges = [*period.days(), period.end]
    return np.array([midnight(day, period.zone).timestamp() for day in edges], dtype=np.int64)
