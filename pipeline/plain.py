"""Values of frames as JSON has them, and the digest of such values."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date
from math import isnan
from typing import Any

import orjson
import pandas as pd
from pandas.api.types import is_datetime64_any_dtype, is_object_dtype

from metrics.rows import rows_of

PLAIN = frozenset({str, int, bool})
"""Types that are JSON already; most values are, and asking pandas about each of them takes long."""


def plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    """A row of a frame; a missing value is None, a day or a moment is ISO text."""
    return {str(name): _value(value) for name, value in row.items()}


def plain_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """`plain` of every row of a frame."""
    told = {str(name): column for name in frame if (column := _told(frame[name])) is not None}
    return rows_of(frame.assign(**told))


def _told(column: pd.Series[Any]) -> list[Any] | None:
    """The values of a column as JSON has them, where they are anything but numbers or words."""
    if is_datetime64_any_dtype(column.dtype):
        places, moments = pd.factorize(column)
        texts = [*(one.isoformat() for one in moments), None]  # the place of a missing moment is the last: -1
        return [texts[place] for place in places]
    return [_value(one) for one in column] if is_object_dtype(column.dtype) else None


def _value(value: Any) -> Any:
    if value is None or type(value) in PLAIN:
        return value
    if isinstance(value, float):
        return None if isnan(value) else float(value)
    if isinstance(value, (list, tuple)):
        return [_value(one) for one in value]
    if pd.isna(value):
        return None
    if isinstance(value, date):
        return value.isoformat()
    return value.item() if hasattr(value, "item") else value


def digest_of(values: object) -> str:
    """SHA-256 of JSON values, whatever the order of their keys."""
    return hashlib.sha256(orjson.dumps(values, option=orjson.OPT_SORT_KEYS)).hexdigest()
