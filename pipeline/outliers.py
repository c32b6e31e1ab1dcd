"""Imported counts that lie far from what is stored: a file of another account, or a slip of the keyboard.

A count is compared with the nearest trusted one of its channel, whatever the source of either: files of different
sources never judge each other in the store.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from collectors.exports import Line
from store.judging import is_suspect
from store.records import Snapshot
from store.schema import COUNTS

if TYPE_CHECKING:
    import pandas as pd

NEAR = timedelta(days=7)
"""Within this much of each other, two counts are judged like two readings that follow each other."""
LEAST, MOST = 0.5, 5
"""Further apart, a count must not be less than half of the other, nor more than five times it."""


@dataclass(frozen=True)
class Outlier:
    """One imported count, and the trusted one that it does not fit."""

    row: int
    name: str
    """The count, as in COUNTS."""
    count: int
    at: datetime
    trusted: int
    trusted_at: datetime


@dataclass(frozen=True)
class _Trusted:
    at: datetime
    count: int


def outliers(rows: Iterable[Line], stored: pd.DataFrame) -> list[Outlier]:
    """The counts in *rows* that are out of line with *stored*, the frame of `Store.series` for one channel."""
    known = {name: _trusted(stored, place, name) for place, name in enumerate(COUNTS)}
    return [
        found
        for row in rows
        if isinstance(row.item, Snapshot)
        for name in COUNTS
        if (found := _judged(row.row, row.item, name, known[name]))
    ]


def _trusted(stored: pd.DataFrame, place: int, name: str) -> list[_Trusted]:
    counts = stored[stored[name].notna() & (stored["suspect"].astype(int) & 1 << place == 0)]
    return [_Trusted(at.to_pydatetime(), int(count)) for at, count in _pairs(counts, name)]


def _pairs(frame: pd.DataFrame, name: str) -> Iterable[tuple[Any, Any]]:
    return zip(frame["observed_at"], frame[name], strict=True)


def _judged(row: int, one: Snapshot, name: str, known: Sequence[_Trusted]) -> Outlier | None:
    count: int | None = getattr(one, name)
    if count is None or not known:
        return None
    nearest = min(known, key=lambda trusted: abs(trusted.at - one.observed_at))
    if not is_far(count, nearest.count, abs(nearest.at - one.observed_at)):
        return None
    return Outlier(row, name, count, one.observed_at, nearest.count, nearest.at)


def is_far(count: int, trusted: int, apart: timedelta) -> bool:
    """Whether *count* cannot easily be true so long before or after *trusted*; a trusted zero says nothing."""
    if not trusted:
        return False
    if apart <= NEAR:
        return is_suspect(trusted, count) or is_suspect(count, trusted)
    return not LEAST * trusted <= count <= MOST * trusted
