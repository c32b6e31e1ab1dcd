"""Frames as JSON: all rows of a frame at once say what each row says alone."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import orjson
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.rows import rows_of
from metrics.words import Status
from pipeline.plain import plain, plain_rows

NOON = pd.Timestamp("2026-11-20 05:00", tz="UTC")
COLUMNS: dict[str, tuple[str, list[Any]]] = {
    "whole": ("Int64", [3, None]),
    "ratio": ("Float64", [0.05, None]),
    "number": ("float64", [1.5, np.nan]),
    "count": ("int64", [7, 0]),
    "yes": ("bool", [True, False]),
    "maybe": ("boolean", [True, None]),
    "word": ("str", ["tốt", None]),
    "kind": ("category", ["a", None]),
    "moment": ("datetime64[s, UTC]", [NOON, None]),
    "day": ("datetime64[s]", [pd.Timestamp("2026-11-20"), None]),
    "fine": ("datetime64[us, UTC]", [NOON + pd.Timedelta(microseconds=5), None]),
    "any": ("object", [date(2026, 11, 20), None]),
    "several": ("object", [("một", 2, None), np.int64(4)]),
    "status": ("object", [Status.MET, "x"]),
}


def a_frame(picks: list[int]) -> pd.DataFrame:
    return pd.DataFrame(
        {name: pd.Series([values[one] for one in picks], dtype=kind) for name, (kind, values) in COLUMNS.items()}
    )


@given(st.lists(st.integers(0, 1), max_size=6))
def test_all_rows_at_once_are_each_row_alone(picks: list[int]):
    frame = a_frame(picks)
    together, alone = plain_rows(frame), [plain(row) for row in frame.to_dict("records")]
    assert orjson.dumps(together) == orjson.dumps(alone)
    assert [[type(value) for value in row.values()] for row in together] == [
        [type(value) for value in row.values()] for row in alone
    ]


def test_the_order_of_the_rows_is_kept_whatever_their_index():
    frame = a_frame([0, 1, 0]).set_index(pd.Index([5, 5, 1]))
    assert [row["whole"] for row in plain_rows(frame)] == [3, None, 3]


@pytest.mark.parametrize(("name", "known"), [("moment", NOON), ("day", pd.Timestamp("2026-11-20")), ("whole", 3)])
def test_a_missing_value_is_none_and_a_moment_stays_one(name: str, known: object):
    assert [row[name] for row in rows_of(a_frame([0, 1]))] == [known, None]


def test_a_frame_without_rows_has_none():
    assert rows_of(a_frame([])) == plain_rows(a_frame([])) == []
