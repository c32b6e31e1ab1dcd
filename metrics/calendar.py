"""The days on which nothing is due, and why."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache
from typing import get_args

import holidays
import pandas as pd

from config.models import District, Weekday

WEEKDAYS: tuple[str, ...] = get_args(Weekday)
WEEKDAY_NAMES = ("Thứ Hai", "Thứ Ba", "Thứ Tư", "Thứ Năm", "Thứ Sáu", "Thứ Bảy", "Chủ nhật")


def rest_days(district: District, start: date, end: date) -> pd.DataFrame:
    """The rest days of every kind of unit in `[start, end)`: kind, day (naive midnight), Vietnamese reason.

    A break gives its name before a holiday, a holiday before a weekday. `calendar.remove` takes a day out of
    the common calendar, not out of the breaks of a kind.
    """
    common = _common(district, start, end)
    rows = []
    for slug, kind in district.kinds.items():
        breaks = {
            day: pause.name for pause in kind.breaks for day in _days(max(start, pause.start), min(end, pause.until))
        }
        rows += [(slug, day, reason) for day, reason in sorted({**common, **breaks}.items())]
    frame = pd.DataFrame(rows, columns=["kind", "day", "reason"])
    return frame.astype({"day": "datetime64[s]"})


def _common(district: District, start: date, end: date) -> dict[date, str]:
    """The rest days of everybody: weekdays, public holidays, then what the district adds and removes."""
    rules = district.calendar
    resting = {WEEKDAYS.index(name) for name in rules.rest_weekdays}
    reasons = {day: WEEKDAY_NAMES[day.weekday()] for day in _days(start, end) if day.weekday() in resting}
    if rules.public_holidays:
        for year in range(start.year, end.year + 1):
            reasons |= public_holidays(year)
    reasons |= {named.day: named.name for named in rules.add}
    return {day: why for day, why in reasons.items() if start <= day < end and day not in rules.remove}


@lru_cache(maxsize=64)
def public_holidays(year: int) -> Mapping[date, str]:
    """The public holidays of Viet Nam that the `holidays` package knows for a year, with Vietnamese names.

    A weekend that touches three holidays in a row belongs to them: nobody works between Tết and its Sunday.
    """
    days = dict(holidays.country_holidays("VN", years=year, language="vi"))
    runs = [day for day in sorted(days) if all(day + timedelta(days=n) in days for n in range(3))]
    for first in runs:
        last = first + timedelta(days=2)
        days = {**_weekend(first, -1, days[first]), **_weekend(last, 1, days[last]), **days}
    return days


def _weekend(day: date, step: int, name: str) -> dict[date, str]:
    """The Saturdays and Sundays right before or after a day."""
    found = {}
    while (day := day + timedelta(days=step)).weekday() >= 5:
        found[day] = name
    return found


def _days(start: date, end: date) -> list[date]:
    return [start + timedelta(days=number) for number in range((end - start).days)]
