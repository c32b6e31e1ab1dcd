"""How the channels grew against the target: each as an index, its baseline = 100."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from dashboards.charts import house, styles
from dashboards.charts.drawing import Aim, Caption, Drawing, Shape, Spec
from dashboards.charts.texts import inert, named, plain
from dashboards.charts.values import DAY_MS, Floats, day_ms, floats, listed_rows, thinned
from metrics.pace import elapsed
from metrics.words import day, number

HEIGHT = 300
MOST = 60
"""So many lines are drawn; only the first `styles.MOST` have a look and a name of their own."""
DAY = "Ngày"
OTHERS = "Các kênh khác"
GOAL, PACE = "Chỉ tiêu", "Tiến độ đều"
LEGEND = 28
"""Letters of a name in the legend."""
CONTEXT_POINTS = 90
HOVER = "%{x|%d/%m/%Y}: %{y:.4~f}<extra>%{fullData.name}</extra>"


def draw(frame: pd.DataFrame, aim: Aim, caption: Caption) -> Drawing:
    """Lines of every channel from its baseline (= 100), with pace, target, forecast and marks.

    frame: one row for each local day without a gap (index: naive midnights), one column for each channel under the
    name to be shown, in the order of importance: the count at the end of that day (float64; what
    metrics.forecast.daily_matrix gives, turned). Missing or suspect is NaN and stays a gap; 0 is a count. aim.bases
    and aim.forecasts hold counts under the same names; a channel without a baseline, or with one of 0, has no line.
    aim.goal, period, today and marks are as in the plan. Clause: II-CT.4, growth of 5 % a year.
    """
    _, *names = named([DAY, *frame.columns.tolist()])
    index = _index(frame, aim)
    drawn = np.flatnonzero(np.isfinite(index).any(axis=1))
    if not len(drawn):
        table = pd.DataFrame(columns=[DAY, *names])
        return house.nothing(caption, table)
    spec = _spec(frame, index, drawn[:MOST], names, aim, caption)
    table = pd.DataFrame(np.round(index.T, 2), columns=pd.Index(names, dtype=object))
    table.insert(0, DAY, frame.index, allow_duplicates=True)
    told = _sentence(frame.index, index, drawn, names, aim, caption)
    native = [names[place] for place in drawn[: styles.MOST]]
    omitted = max(0, len(drawn) - MOST)
    return house.drawing(caption, spec, told, table, Shape.LINE, DAY, native, omitted)


def _index(frame: pd.DataFrame, aim: Aim) -> Floats:
    """Channels × days."""
    bases = np.array([aim.bases.get(name, np.nan) for name in frame.columns.tolist()], dtype=np.float64)
    usable = np.where(bases > 0, bases, np.nan)
    return floats(floats(frame).T * (100 / usable)[:, None])


def _spec(frame: pd.DataFrame, index: Floats, drawn: Any, names: list[str], aim: Aim, caption: Caption) -> Spec:
    start = day_ms(frame.index[0])
    own = drawn[: styles.MOST]
    data = _context(index[drawn[styles.MOST :]], start)
    short = named(plain(names[place], LEGEND) for place in own)
    for look, (place, line) in enumerate(zip(own.tolist(), listed_rows(index[own]), strict=True)):
        data += _channel(line, start, inert(short[look]), styles.line(look))
        data += _band(frame, line, place, aim, styles.line(look))
    data += _lines_of_target(aim)
    return house.spec(
        data,
        caption,
        height=HEIGHT,
        xaxis=house.days(start, _end(frame, aim)),
        yaxis={"tickformat": ".4~f", "nticks": 6},
        under="Chỉ số, mốc = 100" + ("; vùng mờ: dự báo cuối kỳ, khoảng 80 %" if aim.forecasts else ""),
        marks=aim.marks,
    )


def _end(frame: pd.DataFrame, aim: Aim) -> int:
    return day_ms(max(frame.index[-1].date(), aim.period.last if aim.period else date.min))


def _channel(line: list[float | None], start: int, name: str, look: dict[str, Any]) -> list[dict[str, Any]]:
    """The line, and points that stand between two gaps, which a line would not show."""
    base = {"type": "scatter", "name": name, "hovertemplate": HOVER, **look}
    thin = {**look["marker"], "maxdisplayed": 12}
    trace = {
        **base,
        "mode": "lines+markers",
        "marker": thin,
        "x0": start,
        "dx": DAY_MS,
        "y": line,
        "connectgaps": False,
    }
    if None not in line:
        return [trace]
    padded = [None, *line, None]
    alone = [place for place, one in enumerate(line) if one is not None and padded[place] is padded[place + 2] is None]
    points = {"x": [start + place * DAY_MS for place in alone], "y": [line[place] for place in alone]}
    return [trace, {**base, "mode": "markers", "showlegend": False, **points}] if alone else [trace]


def _context(lines: Floats, start: int) -> list[dict[str, Any]]:
    """The other channels as thin lines without a name, drawn from every fourth day or so of a year."""
    step = max(1, lines.shape[1] // CONTEXT_POINTS)
    words = {"type": "scatter", "mode": "lines", "name": OTHERS, "hoverinfo": "skip"}
    base = {**words, "line": styles.CONTEXT_LINE, "x0": start, "dx": step * DAY_MS}
    rows = listed_rows(thinned(lines, step), 1)
    return [{**base, "showlegend": place == 0, "y": row} for place, row in enumerate(rows)]


def _band(
    frame: pd.DataFrame, line: list[float | None], place: int, aim: Aim, look: dict[str, Any]
) -> list[dict[str, Any]]:
    """A fan from the last known value to where the channel will end."""
    name = frame.columns[place]
    foreseen = aim.forecasts.get(name)
    if foreseen is None or aim.period is None or not np.isfinite(foreseen).all():
        return []
    last = max(day for day, one in enumerate(line) if one is not None)
    low, high = (round(100 * edge / aim.bases[name], 2) for edge in foreseen)
    now, end = day_ms(frame.index[last]), day_ms(aim.period.last)
    y = [line[last], high, low, line[last]]
    thin = {**look["line"], "width": 1}
    fan = {"x": [now, end, end, now], "y": y, "mode": "lines", "line": thin, "fill": "toself", "opacity": 0.15}
    return [{"type": "scatter", **fan, "fillcolor": thin["color"], "showlegend": False, "hoverinfo": "skip"}]


def _lines_of_target(aim: Aim) -> list[dict[str, Any]]:
    """The target across the whole period, and the straight line that leads to it."""
    if aim.goal is None or aim.period is None:
        return []
    days = [day_ms(aim.period.start), day_ms(aim.period.last)]
    goal = round(100 * (1 + aim.goal), 2)
    line = {"type": "scatter", "mode": "lines", "x": days, "hoverinfo": "skip"}
    return [
        {**line, "name": GOAL, "y": [goal, goal], "line": styles.GOAL_LINE},
        {**line, "name": PACE, "y": [100, goal], "line": styles.PACE_LINE},
    ]


def _sentence(days: pd.Index[Any], index: Floats, drawn: Any, names: list[str], aim: Aim, caption: Caption) -> str:
    """«Từ 01/01/2026 đến 20/11/2026 (số liệu đến …), mốc = 100: A 104,8; B 101,2; chỉ tiêu cuối kỳ 105 …»"""
    parts = [f"{names[place]} {_decimal(_last(index[place]))}" for place in drawn[: styles.MOST]]
    if more := len(drawn) - styles.MOST:
        parts += [f"và {number(more)} kênh khác"] if more > 0 else []
    span = f"Từ {day(days[0])} đến {day(days[-1])} ({house.cut_off(caption)})"
    told = [f"{span}, chỉ số so với mốc = 100: {', '.join(parts)}"]
    if aim.goal is not None and aim.period is not None:
        pace = f", tiến độ đều đến nay {_decimal(_pace_now(aim, aim.today))}" if aim.today else ""
        told.append(f"chỉ tiêu cuối kỳ {_decimal(100 * (1 + aim.goal))}{pace}")
    if unseen := len(names) - len(drawn):
        told.append(f"{number(unseen)} kênh chưa có mốc hoặc số liệu")
    breaks = [mark.sentence for mark in aim.marks if mark.sentence]
    return " ".join(["; ".join(told) + ".", *breaks])


def _pace_now(aim: Aim, today: date) -> float:
    return 100 * (1 + (aim.goal or 0) * elapsed(aim.period, today)) if aim.period else 100.0


def _last(values: Floats) -> float:
    return float(values[np.flatnonzero(np.isfinite(values))[-1]])


def _decimal(value: float) -> str:
    whole, _, rest = f"{value:,.1f}".partition(".")
    return whole.replace(",", ".") + ("" if rest == "0" else f",{rest}")
