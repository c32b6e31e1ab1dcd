"""Bars that lie, one row for each thing, its words above its bar: so long names can be read on a phone, too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dashboards.charts.colours import INK
from dashboards.charts.texts import inert

ROW, LINE = 42, 22
"""Pixels for one row with a line of words, and for a second line."""
LEFT = 12
LABEL = 52
"""Letters above a bar: what a phone is wide."""
_ABOVE, _ABOVE_TWO = 0.3, 0.36
TOP, THICK = -0.06, 0.32
MIDDLE = TOP + THICK / 2
"""Where a bar begins, how thick it is and where its middle lies, in rows from the middle of its row."""


def places(number: int) -> list[int]:
    return list(range(number))


def labels(words: Sequence[str], start: float = 0, second: Sequence[str] = ()) -> dict[str, Any]:
    """The trace that writes a line or two of words above the rows, from the value *start* of the axis on."""
    texts = [inert(word, LABEL) for word in words]
    if second:
        texts = [f"{one}<br>{inert(two, LABEL)}" for one, two in zip(texts, second, strict=True)]
    return {
        "type": "scatter",
        "mode": "text",
        "x": [start] * len(words),
        "y": [place - (_ABOVE if not second else _ABOVE_TWO) for place in range(len(words))],
        "text": texts,
        "textposition": "middle right",
        "textfont": {"size": 12, "color": INK},
        "cliponaxis": False,
        "hoverinfo": "skip",
        "showlegend": False,
    }


def bars(values: Sequence[float | None], name: str, marker: dict[str, Any], **more: Any) -> dict[str, Any]:
    """One series of bars under the words; None is no bar."""
    bar = {"type": "bar", "orientation": "h", "name": name, "x": list(values), "y": places(len(values))}
    return {**bar, "width": THICK, "offset": TOP, "marker": marker, "hoverinfo": "x", **more}


ALONG: dict[str, Any] = {"zeroline": False, "nticks": 6}
"""For the axis of the values: its zero line would run through the words."""


def axis(number: int) -> dict[str, Any]:
    """The axis of the rows: the first on top, no ticks, since the words stand in the plot."""
    return {"range": [number - 0.6, -0.6], "visible": False}


def height(number: int, lines: int = 1) -> int:
    return max(1, number) * (ROW + LINE * (lines - 1))
