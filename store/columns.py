"""Rows of the store as columns of a pandas frame. Imported only when somebody asks for a frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from enum import IntEnum
from sys import intern
from typing import Any

import numpy as np
import orjson
import pandas as pd
from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Connection,
    Date,
    Double,
    Integer,
    Select,
    String,
    Text,
    type_coerce,
)
from sqlalchemy.types import TypeEngine

from store.records import Precision, Source
from store.schema import Moment

Build = Callable[[Sequence[Any]], Any]
"""Makes one column of a frame from the values as they lie in the store."""
ROWS_AT_ONCE = 1_000
"""So many rows become columns together. More would fill the memory with tuples, and take twice as long."""


def frame_of(connection: Connection, statement: Select[Any]) -> pd.DataFrame:
    """The answer as columns; moments and yes or no are not turned into objects one by one on the way."""
    columns = list(statement.selected_columns)
    stored = [
        type_coerce(column, BigInteger).label(column.key) if isinstance(column.type, Moment | Boolean) else column
        for column in columns
    ]
    result = connection.execute(statement.with_only_columns(*stored, maintain_column_froms=True))
    parts = [_part(columns, rows) for rows in result.partitions(ROWS_AT_ONCE)]
    return pd.concat(parts, ignore_index=True) if parts else _part(columns, [])


def _part(columns: Sequence[ColumnElement[Any]], rows: Sequence[Any]) -> pd.DataFrame:
    values = list(zip(*rows, strict=True)) or [()] * len(columns)
    return pd.DataFrame(
        {column.key: _build(column)(some) for column, some in zip(columns, values, strict=True)}, copy=False
    )


def _build(column: ColumnElement[Any]) -> Build:
    if column.key in BUILD_BY_NAME:
        return BUILD_BY_NAME[column.key]
    return next((build for kind, build in BUILD_BY_TYPE if isinstance(column.type, kind)), texts)


def moments(values: Sequence[int | None]) -> Any:
    """Epoch seconds as datetime64[s, UTC]; a missing moment is NaT."""
    seconds, missing = _numbers(values)
    stamps = seconds.astype("datetime64[s]")
    stamps[missing] = np.datetime64("NaT")
    return pd.DatetimeIndex(stamps, tz="UTC")


def local_days(values: Sequence[date | None]) -> Any:
    """datetime64[s] without a zone, at the midnight that begins each day; a missing day is NaT."""
    return pd.DatetimeIndex(np.array(values, dtype="datetime64[s]"))


def whole_numbers(values: Sequence[int | None]) -> Any:
    """Int64; a missing count is NA."""
    return pd.arrays.IntegerArray(*_numbers(values))


def answers(values: Sequence[int | None]) -> Any:
    """Yes, no or NA: SQLite answers in numbers."""
    numbers, missing = _numbers(values)
    return pd.arrays.BooleanArray(numbers.astype(bool), missing)


def ratios(values: Sequence[float | None]) -> Any:
    """Float64; a missing one is NA."""
    return pd.array(values, dtype="Float64")


def texts(values: Sequence[str | None]) -> Any:
    return pd.array(values, dtype="str")


def words(values: Sequence[str | None]) -> Any:
    """Texts of which there are few: each lies in the memory once."""
    return pd.array([value if value is None else intern(value) for value in values], dtype="str")


def lists(values: Sequence[str | None]) -> Any:
    """Each a tuple of texts; nothing stored is the empty tuple."""
    return pd.Series([tuple(orjson.loads(value)) if value else () for value in values], dtype=object)


def _names(kind: type[IntEnum]) -> Build:
    """The lower-case names of a stored enumeration, as a categorical."""
    members = list(kind)
    names = pd.Index([member.name.lower() for member in members])
    places = np.full(max(members) + 1, -1, dtype=np.int8)
    places[[int(member) for member in members]] = range(len(members))

    def build(values: Sequence[Any]) -> Any:
        numbers, missing = _numbers(values)
        return pd.Categorical.from_codes(np.where(missing, -1, places[numbers]), names)

    return build


def _numbers(values: Sequence[int | None]) -> tuple[Any, Any]:
    try:
        return np.fromiter(values, np.int64, len(values)), np.zeros(len(values), dtype=bool)
    except TypeError:  # some are missing
        known = np.array(values, dtype=object)
        missing = pd.isna(known)
        return np.where(missing, 0, known).astype(np.int64), missing


def _ids(values: Sequence[int]) -> Any:
    return np.fromiter(values, np.int64, len(values))


BUILD_BY_NAME: dict[str, Build] = {
    "id": _ids,
    "post_id": _ids,
    "categories": lists,
    "notes": lists,
    "precision": _names(Precision),
    "source": _names(Source),
}
BUILD_BY_TYPE: tuple[tuple[type[TypeEngine[Any]], Build], ...] = (
    (Moment, moments),
    (Date, local_days),
    (Boolean, answers),
    (Integer, whole_numbers),
    (Text, texts),
    (String, words),
    (Double, ratios),
)
