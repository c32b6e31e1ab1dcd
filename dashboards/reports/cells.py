"""The cells of a table: numbers as numbers, days as days, and every other thing as a harmless line of text."""

from __future__ import annotations

from datetime import date, datetime
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from dashboards.charts.texts import plain

Value = str | int | float | date | None
MOST_DECIMALS = 4


def value(raw: Any) -> Value:
    """What a cell holds: None where nothing is known, never a not-a-number."""
    if raw is None or raw is pd.NA or raw is pd.NaT:
        return None
    if isinstance(raw, (bool, np.bool_)):
        return "Có" if raw else "Không"
    if isinstance(raw, date):
        return raw.to_pydatetime() if isinstance(raw, pd.Timestamp) else raw
    if isinstance(raw, Real):
        return _number(float(raw))
    return plain(raw) or None


def _number(raw: float) -> float | None:
    if not np.isfinite(raw):
        return None
    return int(raw) if raw.is_integer() else raw


def columns(table: pd.DataFrame) -> list[list[Value]]:
    return [[value(raw) for raw in table.iloc[:, place].tolist()] for place in range(table.shape[1])]


def decimals(cells: list[Value]) -> int:
    """How many decimals the numbers of a column need, all alike, four at most."""
    numbers = np.array([one for one in cells if isinstance(one, (int, float))], dtype=np.float64)
    enough = (d for d in range(MOST_DECIMALS) if np.allclose(numbers, np.round(numbers, d), rtol=0, atol=1e-9))
    return next(enough, MOST_DECIMALS)


def shown(cell: Value, digits: int = 0) -> str:
    """As people read it: «1.234,5», «20/11/2026», «06:00 20/11/2026»; empty where nothing is known."""
    if cell is None or isinstance(cell, str):
        return cell or ""
    if isinstance(cell, date):
        return f"{cell:%d/%m/%Y}" if is_day(cell) else f"{cell:%H:%M %d/%m/%Y}"
    return f"{cell:,.{digits}f}".translate(str.maketrans(",.", ".,"))


def number_format(digits: int) -> str:
    """For office programs: those that follow the language of a cell show 1.234,5, others follow the computer's."""
    return f"[$-42A]#,##0{f'.{0:0{digits}}' if digits else ''}"


def is_day(cell: date) -> bool:
    """No hour: a day, or a moment at midnight."""
    return not isinstance(cell, datetime) or (cell.hour, cell.minute, cell.second) == (0, 0, 0)
