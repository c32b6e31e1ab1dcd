"""Numbers and days as plain JSON values: short, and None where nothing is known."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
DAY_MS = 86_400_000
BEYOND = 1e15
"""Where whole numbers end that floats, and the scripts that draw them, still tell apart."""
_EPOCH = date(1970, 1, 1).toordinal()


def floats(values: Any) -> Floats:
    """A column or matrix as floats; what is missing, infinite or beyond any count is NaN."""
    raw = values.to_numpy(dtype=np.float64, na_value=np.nan) if hasattr(values, "to_numpy") else values
    array = np.asarray(raw, dtype=np.float64)
    usable = np.abs(array) < BEYOND
    return array if usable.all() else np.where(usable, array, np.nan)


def listed(values: Floats, digits: int = 2) -> list[Any]:
    """A row of numbers; whole ones as integers where all are. NaN becomes None."""
    known = np.isfinite(values)
    rounded = np.round(values, digits)
    if known.all():
        return _short(rounded)
    numbers = _short(np.where(known, rounded, 0.0))
    for place in np.flatnonzero(~known).tolist():
        numbers[place] = None
    return numbers


def _short(numbers: Floats) -> list[Any]:
    short: list[Any] = (numbers.astype(np.int64) if _are_whole(numbers) else numbers).tolist()
    return short


def _are_whole(numbers: Floats) -> bool:
    return bool((np.abs(numbers) < 2**53).all() and (numbers == np.rint(numbers)).all())


def listed_rows(matrix: Floats, digits: int = 2) -> list[list[Any]]:
    """The rows of a matrix of numbers, all at once; NaN becomes None."""
    known = np.isfinite(matrix)
    rows: list[list[Any]] = np.round(np.where(known, matrix, 0.0), digits).tolist()
    if not known.all():
        for row, place in np.argwhere(~known).tolist():
            rows[row][place] = None
    return rows


def thinned(matrix: Floats, step: int) -> Floats:
    """Every so-manieth column; missing where any of the columns that it stands for is: a gap may widen, never close."""
    whole = matrix.shape[1] // step * step
    kept = matrix[:, :whole:step].copy()
    for place in range(1, step):
        kept[np.isnan(matrix[:, place:whole:step])] = np.nan
    return kept


def one(value: Any) -> float | None:
    """A single number, or None."""
    return None if value is None or pd.isna(value) or not np.isfinite(float(value)) else float(value)


def day_ms(day: date) -> int:
    """A local day as the milliseconds that plotly shows as this very day."""
    return (day.toordinal() - _EPOCH) * DAY_MS


def epoch_ms(days: Any) -> npt.NDArray[np.int64]:
    """Naive local moments as the milliseconds that plotly shows as these very days; NaT is the least number."""
    return np.asarray(pd.DatetimeIndex(days).as_unit("ms").asi8, dtype=np.int64)


def known_ms(days: Any) -> list[int | None]:
    """The same as a list; NaT becomes None."""
    index = pd.DatetimeIndex(days)
    return [None if missing else moment for moment, missing in zip(epoch_ms(index).tolist(), index.isna(), strict=True)]
