"""Rows of the store as columns of a pandas frame. Imported only when somebody asks for a frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Any

import numpy as np
import orjson
import pandas as pd
from sqlalchemy import BigInteger, Boolean, ColumnElement, Connection, Integer, Select, type_coerce
from sqlalchemy.types import TypeEngine

from store.records import Precision, Source
from store.schema import Moment

Build = Callable[[Sequence[Any]], Any]
"""Makes one column of a frame from the values as they lie in the store."""


def frame_of(connection: Connection, statement: Select[Any]) -> pd.DataFrame:
    """The answer as columns; moments are not made into datetimes one by one on the way."""
    columns = list(statement.selected_columns)
    stored = [
        type_coerce(column, BigInteger).label(column.key) if isinstance(column.type, Moment) else column
        for column in columns
    ]
    rows = connection.execute(statement.with_only_columns(*stored, maintain_column_froms=True)).all()
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


def whole_numbers(values: Sequence[int | None]) -> Any:
    """Int64; a missing count is NA."""
    return pd.arrays.IntegerArray(*_numbers(values))


def answers(values: Sequence[int | None]) -> Any:
    """Yes, no or NA: SQLite answers in numbers."""
    numbers, missing = _numbers(values)
    return pd.arrays.BooleanArray(numbers.astype(bool), missing)


def texts(values: Sequence[str | None]) -> Any:
    return pd.array(values, dtype="str")


def lists(values: Sequence[str | None]) -> Any:
    """Each a tuple of texts; nothing stored is the empty tuple."""
    return pd.Series([tuple(orjson.loads(value)) if value else () for value in values], dtype=object)


def _names(kind: type[IntEnum]) -> Build:
    """The lower-case names of a stored enumeration, as a categorical."""
    members = list(kind)
    places: dict[int | None, int] = {int(member): place for place, member in enumerate(members)}
    names = [member.name.lower() for member in members]

    def build(values: Sequence[int | None]) -> Any:
        codes = np.fromiter((places.get(value, -1) for value in values), np.int8, len(values))
        return pd.Categorical.from_codes(codes, pd.Index(names))

    return build


def _numbers(values: Sequence[int | None]) -> tuple[Any, Any]:
    missing = np.fromiter((value is None for value in values), bool, len(values))
    numbers = np.fromiter((value or 0 for value in values), np.int64, len(values))
    return numbers, missing


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
    (Boolean, answers),
    (Integer, whole_numbers),
)
