"""The year of the simulated district: breaks of schools, the lunar new year, and days on which everybody posts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

SUNDAY = 6
NEW_YEARS = (
    date(2024, 2, 10),
    date(2025, 1, 29),
    date(2026, 2, 17),
    date(2027, 2, 6),
    date(2028, 1, 26),
    date(2029, 2, 13),
)
"""Day one of Tết; a story outside these years knows none."""
SCHOOL = "truong-hoc"
SCHOOL_BREAKS = (
    ("Nghỉ hè", (6, 1), (8, 24)),
    ("Kiểm tra cuối học kỳ I", (12, 21), (1, 4)),
    ("Kiểm tra cuối học kỳ II", (5, 4), (5, 18)),
)
LOUD = {(3, 26), (4, 30), (5, 19), (6, 1), (7, 27), (9, 2), (10, 15), (11, 20)}
FESTIVE = LOUD | {(1, 9), (2, 3), (5, 15), (8, 19), (12, 22)}


class SchoolBreak(NamedTuple):
    """Local days `[start, until)`."""

    name: str
    start: date
    until: date


def school_breaks(first: date, last: date) -> Iterator[SchoolBreak]:
    """The breaks that touch `[first, last]`, in order of their start."""
    for year in range(first.year - 1, last.year + 1):
        found = [
            SchoolBreak(name, date(year, *start), date(year + (until < start), *until))
            for name, start, until in SCHOOL_BREAKS
        ]
        yield from sorted((b for b in found if b.until > first and b.start <= last), key=lambda b: b.start)


def is_break(unit_kind: str, day: date) -> bool:
    """Schools publish nothing on these days."""
    if unit_kind != SCHOOL:
        return False
    at = (day.month, day.day)
    return any(start <= at < until if start < until else not until <= at < start for _, start, until in SCHOOL_BREAKS)


def is_new_year(day: date) -> bool:
    """Three days before Tết to five days after its first: nearly nothing is published."""
    return any(first - timedelta(days=3) <= day <= first + timedelta(days=5) for first in NEW_YEARS)


def is_festive(day: date) -> bool:
    """A day that everybody keeps and speaks of."""
    return (day.month, day.day) in FESTIVE


def peak(day: date) -> float:
    """How much more is published on a day than usual."""
    return 3.0 if (day.month, day.day) in LOUD else 1.8 if is_festive(day) else 1.0
