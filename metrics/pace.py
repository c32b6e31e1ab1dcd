"""Where a target should stand today if it were reached evenly, and what is still to be done each week."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd

from metrics.periods import Period
from metrics.precision import floats

_DUST = 1e-6
"""What a product of decimals may be above the whole number it means."""


class Pace(StrEnum):
    """How far along an indicator is expected to be before its period ends."""

    LINE = "line"
    """Growth: a straight line from the baseline, B·(1 + r·f), f the share of the period that is over."""
    SO_FAR = "so_far"
    """Cadence: the whole target, on the days that were due so far; reached only when the period is over."""
    LEVEL = "level"
    """A share or a state: the whole target at once, reached as soon as it stands."""


def elapsed(period: Period, today: date) -> float:
    """The share of a period's days that are over when a day begins: 0 to 1."""
    days = (min(max(today, period.start), period.end) - period.start).days
    return days / (period.end - period.start).days


def is_over(period: Period, today: date) -> bool:
    return today >= period.end


def weeks_left(period: Period, today: date) -> float:
    """From this day on, today included; 0 when the period is over."""
    return max(0, (period.end - max(today, period.start)).days) / 7


def expected(target: float, pace: Pace, period: Period, today: date) -> float:
    """The value, in the indicator's own ratio, at which it would be exactly on pace today."""
    return target * elapsed(period, today) if pace is Pace.LINE else target


def expected_count(base: pd.Series[Any], rate: float, share: float) -> pd.Series[Any]:
    """Where a count should stand: B·(1 + r·f), Float64."""
    return base.astype("Float64") * (1 + rate * share)


def needed_per_week(base_high: pd.Series[Any], now_low: pd.Series[Any], rate: float, weeks: float) -> Any:
    """How many more a week surely suffice, Int64, counted from the cautious end of both counts; NA after the end."""
    if not weeks:
        return pd.array([None] * len(now_low), dtype="Int64")
    short = floats(base_high) * (1 + rate) - floats(now_low)
    return whole_up(np.maximum(short, 0) / weeks)


def whole_up(numbers: Any) -> Any:
    """Rounded up to whole numbers, Int64; NaN becomes NA."""
    missing = np.isnan(numbers)
    rounded = np.ceil(np.where(missing, 0, numbers) - _DUST).astype(np.int64)
    return pd.arrays.IntegerArray(rounded, missing)
