"""On which days each unit had an item: a strip of days for every unit, four states in four patterns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from dashboards.charts import grid, house, styles
from dashboards.charts.drawing import Aim, Caption, Drawing, Shape
from dashboards.charts.grid import ORDER, Grid
from dashboards.charts.values import DAY_MS
from metrics.words import number, percent

MOST = 50
SINGLE_DAYS = 62
"""Up to so many days every day is a cell of its own; in a longer strip equal days grow together."""


def draw(frame: pd.DataFrame, aim: Aim, caption: Caption) -> Drawing:
    """Cells of units × days: có, không có, nghỉ, không rõ; a day that is not over, or not the unit's, stays empty.

    frame: one row for each unit and local day, as metrics.cadence.cadence gives them for one label: unit (the name to
    be shown; categorical is faster), slot (datetime64, naive local midnight), state (metrics.cadence.State of one
    level). Unknown is a day that was not seen, never a missed one. At most MOST units are drawn, those with most
    missed days first; the table counts all of them. Clause: II-CT.2, one item a day.
    """
    drawn = Grid.of(frame, MOST)
    if not drawn.units:
        return house.nothing(caption, drawn.counts)
    data = [_cells(drawn, state) for state in styles.STATES]
    yaxis, left, row = grid.axis(drawn.units)
    first, end = int(drawn.slots[0]), int(drawn.slots[-1]) + DAY_MS
    spec = house.spec(
        data,
        caption,
        height=max(60, row * len(drawn.units)),
        xaxis={**house.days(first, end), "range": [first, end], "showgrid": False},
        yaxis=yaxis,
        left=left,
        under=under(drawn, "ngày"),
    )
    spec["layout"]["barmode"] = "overlay"
    native = [grid.WORDS[state] for state in styles.STATES]
    told = sentence(drawn, "ngày", caption)
    return house.drawing(caption, spec, told, drawn.counts, Shape.STACKED, grid.UNIT, native, drawn.omitted)


def _cells(drawn: Grid, state: str) -> dict[str, Any]:
    """The bars of one state: where each begins, how long it is, in which row."""
    row, first, length = _runs(drawn.codes, ORDER.index(state), merge=len(drawn.slots) > SINGLE_DAYS)
    look = styles.STATES[state]
    return {
        "type": "bar",
        "orientation": "h",
        "name": look.words,
        "base": drawn.slots[first].tolist(),
        "x": (length * DAY_MS).tolist(),
        "y": row.tolist(),
        "width": 0.82,
        "marker": {"line": {"color": "#FFFFFF", "width": 1}, **look.cell},
        "hovertemplate": "%{base|%d/%m/%Y}<extra>%{fullData.name}</extra>",
    }


def _runs(codes: Any, code: int, *, merge: bool) -> tuple[Any, Any, Any]:
    """Row, first slot and number of slots of every stretch of a state."""
    same = codes == code
    if not merge:
        row, first = np.nonzero(same)
        return row, first, np.ones(len(row), np.int64)
    steps = np.diff(same.astype(np.int8), axis=1, prepend=0, append=0)
    row, first = np.nonzero(steps == 1)
    return row, first, np.nonzero(steps == -1)[1] - first


def under(drawn: Grid, noun: str) -> str:
    more = f"; còn {number(drawn.omitted)} đơn vị không vẽ" if drawn.omitted else ""
    return f"Xếp theo số {noun} không có, nhiều nhất ở trên{more}"


def sentence(drawn: Grid, noun: str, caption: Caption) -> str:
    """«Từ 24/10/2026 đến 20/11/2026 (số liệu đến …), 20 đơn vị: 420/500 ngày đến hạn đã rõ có tin, … »"""
    met, missed, unknown = (drawn.total(state) for state in ("met", "missed", "unknown"))
    days = int(drawn.slots[0]), int(drawn.slots[-1]) + (6 * DAY_MS if noun == "tuần" else 0)
    first, last = (pd.Timestamp(day, unit="ms") for day in days)
    known = met + missed
    share = f" ({percent(met / known)})" if known else ""
    units = number(len(drawn.counts))
    span = f"Từ {first:%d/%m/%Y} đến {last:%d/%m/%Y} ({house.cut_off(caption)}), {units} đơn vị"
    blind = f"; {number(unknown)} {noun} chưa xác minh được" if unknown else ""
    return f"{span}: có {number(met)}/{number(known)} {noun} đã rõ{share}{blind}."
