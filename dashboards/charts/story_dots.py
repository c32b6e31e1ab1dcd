"""In which weeks each unit had a story: one dot for every unit and week, its state told by its shape."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from dashboards.charts import grid, house, styles
from dashboards.charts.drawing import Aim, Caption, Drawing, Shape
from dashboards.charts.grid import ORDER, Grid
from dashboards.charts.heat_strip import sentence, under
from dashboards.charts.values import DAY_MS

MOST = 50
WEEK_MS = 7 * DAY_MS
_ROOM = 210
"""Pixels that a phone has for the dots of a row."""


def draw(frame: pd.DataFrame, aim: Aim, caption: Caption) -> Drawing:
    """Dots of units × weeks: full for a story, open for none, a dash for rest, a cross for unknown.

    frame: one row for each unit and ISO week, as metrics.cadence.cadence gives them for one weekly label: unit (the
    name to be shown), slot (datetime64, the local Monday, naive), state (metrics.cadence.State). A week that is not
    over and has no story yet stays empty. The table counts all units. Clause: II-CT.2, one story a week.
    """
    drawn = Grid.of(frame, MOST)
    if not drawn.units:
        return house.nothing(caption, drawn.counts)
    size = max(4, min(13, _ROOM // len(drawn.slots)))
    yaxis, left, row = grid.axis(drawn.units)
    first, end = int(drawn.slots[0]) - WEEK_MS, int(drawn.slots[-1]) + WEEK_MS
    spec = house.spec(
        [_dots(drawn, state, size) for state in styles.STATES],
        caption,
        height=max(60, row * len(drawn.units)),
        xaxis={**house.days(first, end), "range": [first, end], "showgrid": False},
        yaxis=yaxis,
        left=left,
        under=under(drawn, "tuần"),
    )
    native = [grid.WORDS[state] for state in styles.STATES]
    told = sentence(drawn, "tuần", caption)
    return house.drawing(caption, spec, told, drawn.counts, Shape.STACKED, grid.UNIT, native, drawn.omitted)


def _dots(drawn: Grid, state: str, size: int) -> dict[str, Any]:
    row, slot = np.nonzero(drawn.codes == ORDER.index(state))
    look = styles.STATES[state]
    edge = {"color": look.colour, "width": 1.8}
    return {
        "type": "scatter",
        "mode": "markers",
        "name": look.words,
        "x": drawn.slots[slot].tolist(),
        "y": row.tolist(),
        "marker": {"symbol": look.symbol, "color": look.colour, "size": size, "line": edge},
        "hovertemplate": "Tuần từ %{x|%d/%m/%Y}<extra>%{fullData.name}</extra>",
    }
