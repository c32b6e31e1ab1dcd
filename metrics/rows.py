"""The rows of a frame one by one, for what can only be said one by one: sentences and JSON."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd


def rows_of(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Each row by the names of its columns; None where something is missing, moments as pandas has them."""
    names = [str(name) for name in frame]  # the store's own names are a kind of str that JSON does not take
    values = zip(*(_values(frame[name]) for name in names), strict=True)
    return [dict(zip(names, row, strict=True)) for row in values]


def _values(column: pd.Series[Any]) -> list[Any]:
    """Column by column: asking pandas for every single value takes five times as long."""
    values = np.array(column.array, dtype=object)
    values[column.isna().to_numpy()] = None
    return list(values)
