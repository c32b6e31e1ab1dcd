"""Between which whole numbers a shown count really lies, and what that does to growth."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from store.records import Precision

Floats = npt.NDArray[np.float64]
_POWERS = 10 ** np.arange(19, dtype=np.int64)
_EXACT_DIGITS = 3
_ROUNDED_PERCENT = 5


def bounds(values: pd.Series[Any], precision: pd.Series[Any]) -> pd.DataFrame:
    """The lowest and highest count that may stand behind each shown one: low, high (Int64, NA for a missing one).

    `floor3` keeps three digits and cuts the rest off, `rounded` is within 5 % of the truth; all others are as shown.
    """
    missing = values.isna().to_numpy(dtype=bool)
    shown = values.astype("Int64").to_numpy(dtype=np.int64, na_value=0).astype(np.int64)
    kinds = precision.astype(object)
    cut = (kinds == Precision.FLOOR3.name.lower()).to_numpy(dtype=bool)
    rounded = (kinds == Precision.ROUNDED.name.lower()).to_numpy(dtype=bool)
    low = np.where(rounded, -(-shown * (100 - _ROUNDED_PERCENT) // 100), shown)
    high = np.select([cut, rounded], [shown + step(shown) - 1, shown * (100 + _ROUNDED_PERCENT) // 100], shown)
    arrays = (pd.arrays.IntegerArray(side.astype(np.int64), missing.copy()) for side in (low, high))
    return pd.DataFrame(dict(zip(("low", "high"), arrays, strict=True)), index=values.index)


def step(shown: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """What one more in the last shown digit of a three-digit count is worth: 1, 10, 100 …"""
    digits = np.searchsorted(_POWERS, shown, side="right")
    return _POWERS[np.maximum(digits - _EXACT_DIGITS, 0)]


def grown(base_low: pd.Series[Any], base_high: pd.Series[Any], low: pd.Series[Any], high: pd.Series[Any]) -> Any:
    """Between which ratios growth really lies: low, high (Float64); NA where an end is missing or began at zero."""
    first_low, first_high, last_low, last_high = map(floats, (base_low, base_high, low, high))
    return pd.DataFrame(
        {"low": ratio(last_low - first_high, first_high), "high": ratio(last_high - first_low, first_low)},
        index=base_low.index,
    )


def ratio(part: Floats, whole: Floats) -> Any:
    """A quotient as Float64, NA where the whole is zero or either is missing. Of whole numbers it is exact enough
    to be compared with a target as it is written: 3/20 is 0.15."""
    with np.errstate(divide="ignore", invalid="ignore"):
        quotient = np.where(whole > 0, part / whole, np.nan)
    return pd.array(quotient, dtype="Float64")


def floats(values: pd.Series[Any]) -> Floats:
    """A column as plain floats; missing ones are NaN."""
    return np.asarray(values.astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)
