"""The one template of all charts: fonts, Vietnamese numbers and days, title above, source and clause below.

Every length is fixed in pixels, so that nothing overlaps at 360 as at 1280: titles, legends and feet are broken and
given room for the narrow one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from dashboards.charts.colours import GRID, INK, PALETTE, PAPER, SOFT
from dashboards.charts.drawing import Caption, Drawing, Mark, MarkKind, Shape, Spec
from dashboards.charts.texts import inert, plain, wrapped
from dashboards.charts.values import DAY_MS, day_ms

FONT = "Noto Sans, DejaVu Sans, system-ui, sans-serif"
CONFIG: dict[str, Any] = {"responsive": True, "displayModeBar": False, "typesetMath": False, "scrollZoom": False}
"""For Plotly.newPlot. Without `typesetMath: false` a title with dollar signs would be read as a formula."""
ILLUSTRATION = "Dữ liệu minh họa"
ILLUSTRATION_MARK = f"<b>{ILLUSTRATION}</b>"
NOTHING = "Chưa có số liệu để vẽ."
NOTHING_TO_SAY = "Chưa có số liệu để vẽ biểu đồ này; đề nghị kiểm tra việc thu thập và nhập số liệu."
PHONE = 360
"""Pixels across the narrowest screen."""
HEAD, RIGHT, TITLE, SMALL, TICKS, ENTRY = 18, 14, 21, 15, 30, 21
"""Pixels: above the title, right of the plot, a line of the title and of small text, ticks, a row of the legend."""

_AXIS: dict[str, Any] = {
    "color": SOFT,
    "gridcolor": GRID,
    "linecolor": GRID,
    "zerolinecolor": SOFT,
    "fixedrange": True,
    "automargin": False,
    "tickfont": {"size": 11},
}
TEMPLATE: dict[str, Any] = {
    "layout": {
        "font": {"family": FONT, "size": 12, "color": INK},
        "paper_bgcolor": PAPER,
        "plot_bgcolor": PAPER,
        "colorway": list(PALETTE),
        "separators": ",.",
        "autosize": True,
        "hovermode": "closest",
        "hoverlabel": {"bgcolor": PAPER, "bordercolor": SOFT, "font": {"family": FONT, "color": INK}},
        "xaxis": _AXIS,
        "yaxis": _AXIS,
    }
}
_LONG = 300 * DAY_MS


def spec(
    data: list[dict[str, Any]],
    caption: Caption,
    *,
    height: int,
    xaxis: dict[str, Any],
    yaxis: dict[str, Any],
    left: int = 46,
    under: str = "",
    marks: Sequence[Mark] = (),
    notes: Iterable[dict[str, Any]] = (),
) -> Spec:
    """The figure; *height* is that of the plot alone, *under* a line below the title."""
    head = _head(caption, under)
    foot = wrapped(foot_line(caption), 64)
    top = HEAD + 2 + TITLE * len(head[0]) + SMALL * len(head[1])
    names = [trace["name"] for trace in data if trace.get("showlegend", True)]
    rows = _legend_rows(names, PHONE - left - RIGHT)
    bottom = TICKS + ENTRY * rows + 14 * len(foot) + 18
    annotations = [_foot(foot, left, bottom), *notes, *(_mark_note(mark) for mark in marks)]
    return {
        "data": data,
        "layout": {
            "template": TEMPLATE,
            "height": top + height + bottom,
            "margin": {"l": left, "r": RIGHT, "t": top, "b": bottom},
            "title": _title(*head, 1 - HEAD / (top + height + bottom)),
            "showlegend": rows > 0,
            "legend": _legend(height),
            "xaxis": xaxis,
            "yaxis": yaxis,
            "annotations": annotations,
            "shapes": [_mark_line(mark) for mark in marks],
        },
    }


def drawing(
    caption: Caption,
    spec: Spec,
    sentence: str,
    table: pd.DataFrame,
    shape: Shape = Shape.TABLE,
    category: str = "",
    series: Sequence[str] = (),
    omitted: int = 0,
) -> Drawing:
    """The chart with what its caption says."""
    return Drawing(spec, sentence, table, shape, category, tuple(series), caption.title, foot_line(caption), omitted)


def nothing(caption: Caption, table: pd.DataFrame, sentence: str = NOTHING_TO_SAY) -> Drawing:
    """A chart that says that there is nothing to draw."""
    return drawing(caption, empty(caption), sentence, table)


def days(first: int, last: int) -> dict[str, Any]:
    """An axis of local days; moments on it are naive, in milliseconds. A long one tells months."""
    shown = "%m/%Y" if last - first > _LONG else "%d/%m"
    return {"type": "date", "tickformat": shown, "hoverformat": "%d/%m/%Y", "nticks": 5, "tickangle": 0}


def empty(caption: Caption) -> Spec:
    hidden = {"visible": False, "range": [0, 1]}
    note = {"text": NOTHING, "x": 0.5, "y": 0.5, "xref": "paper", "yref": "paper", "showarrow": False}
    return spec([], caption, height=120, xaxis=hidden, yaxis=hidden, left=14, notes=[note])


def foot_line(caption: Caption) -> str:
    """«Nguồn: … · Số liệu đến 06:00 20/11/2026 · Căn cứ: …»"""
    until = caption.until
    when = f"Số liệu đến {until.astimezone(caption.zone):%H:%M %d/%m/%Y}" if until else "Chưa có số liệu"
    parts = [f"Nguồn: {plain(caption.source, 80)}", when]
    if caption.clause:
        parts.append(f"Căn cứ: {plain(caption.clause, 80)}")
    return " · ".join(parts if not caption.illustration else [ILLUSTRATION, *parts])


def cut_off(caption: Caption) -> str:
    """«số liệu đến 20/11/2026», for a sentence."""
    return f"số liệu đến {caption.until.astimezone(caption.zone):%d/%m/%Y}" if caption.until else "chưa có số liệu"


def _head(caption: Caption, under: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    mark = (ILLUSTRATION_MARK,) if caption.illustration else ()
    return wrapped(plain(caption.title, 120), 40), (*mark, *wrapped(plain(under), 56))


def _title(head: Sequence[str], small: Sequence[str], place: float) -> dict[str, Any]:
    lines = [f"<b>{line}</b>" for line in head] + [f'<span style="font-size:11px">{line}</span>' for line in small]
    return {
        "text": "<br>".join(lines),
        "font": {"size": 15},
        "x": 0,
        "xref": "container",
        "xanchor": "left",
        "y": round(place, 4),
        "yref": "container",
        "yanchor": "top",
        "pad": {"l": 10},
    }


def _legend(height: int) -> dict[str, Any]:
    return {
        "orientation": "h",
        "x": 0,
        "y": round(-TICKS / height, 4),
        "yanchor": "top",
        "font": {"size": 11},
        "itemclick": False,
        "itemdoubleclick": False,
    }


def _legend_rows(names: Sequence[str], room: int) -> int:
    """Rows of a legend on a phone, whose entries all take the width of the longest."""
    if not names:
        return 0
    across = max(1, room // (46 + int(6.3 * max(map(len, names)))))
    return -(-len(names) // across)


def _foot(lines: Sequence[str], left: int, bottom: int) -> dict[str, Any]:
    return {
        "text": "<br>".join(lines),
        "x": 0,
        "y": 0,
        "xref": "paper",
        "yref": "paper",
        "xanchor": "left",
        "yanchor": "bottom",
        "xshift": 10 - left,
        "yshift": 6 - bottom,
        "align": "left",
        "showarrow": False,
        "font": {"size": 10, "color": SOFT},
    }


def _mark_line(mark: Mark) -> dict[str, Any]:
    when = day_ms(mark.day)
    dash = "solid" if mark.kind is MarkKind.BREAK else "dot"
    line = {"color": INK, "width": 1.5 if mark.kind is MarkKind.BREAK else 1, "dash": dash}
    return {"type": "line", "xref": "x", "yref": "paper", "x0": when, "x1": when, "y0": 0, "y1": 1, "line": line}


def _mark_note(mark: Mark) -> dict[str, Any]:
    """The words of a mark, upright beside its line, where they take no width."""
    return {
        "text": inert(mark.words, 28),
        "x": day_ms(mark.day),
        "y": 1,
        "yref": "paper",
        "xanchor": "left",
        "yanchor": "top",
        "textangle": -90,
        "showarrow": False,
        "font": {"size": 10, "color": INK},
    }
