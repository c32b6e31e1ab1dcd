"""The targets of a plan, one row each, with two marks: what is reached, and what is expected today."""

from __future__ import annotations

from typing import Any

import pandas as pd

from dashboards.charts import house, rows, styles
from dashboards.charts.colours import INK, PALETTE, TRACK
from dashboards.charts.drawing import Aim, Caption, Drawing, Shape
from dashboards.charts.texts import plain
from dashboards.charts.values import one
from metrics.words import ICONS, WORDS, Status, between, number, percent

HEADINGS = ["Mục", "Chỉ tiêu", "Đã đạt (thấp nhất)", "Đã đạt (cao nhất)", "Kỳ vọng hôm nay", "Mức giao", "Trạng thái"]
SHARES = ["Đã đạt so với mức giao (%)", "Kỳ vọng so với mức giao (%)"]
MOST = 40
LEAST, END = -0.25, 1.25
"""Where the axis is cut, as shares of the target."""
REACHED, UNSURE, EXPECTED, GOAL = "Đã đạt", "Khoảng chưa chắc", "Kỳ vọng hôm nay", "Mức giao"


def draw(frame: pd.DataFrame, aim: Aim, caption: Caption) -> Drawing:
    """Bars in shares of each target, so that a growth of 5 % and a count of 12 stand side by side.

    frame: one row for each target in plan order, as Store.progress keeps them, with subject "": clause and title
    (texts of the plan), status (word of metrics.words.Status), low, high, goal, expected (float, NA: not known or
    nothing to reach; ratios, or plain numbers where `counts` is True), counts (bool). A target without a value has no
    bar: missing is not 0. The stretch between low and high is not known for sure, and drawn as a pattern.
    """
    shown = [_facts(row) for row in frame.head(MOST).to_dict("records")]
    table = _table(frame)
    if not shown:
        return house.nothing(caption, table)
    data = [_track(shown), *_bars(shown), _marks(shown, "expected", EXPECTED), _marks(shown, "one", GOAL)]
    least = min([0.0, *(fact["low"] for fact in shown if fact["low"] is not None)])
    labels = rows.labels([fact["title"] for fact in shown], least, [fact["words"] for fact in shown])
    spec = house.spec(
        [*data, labels],
        caption,
        height=rows.height(len(shown), 2),
        xaxis={"range": [least - 0.02, END + 0.02], "tickformat": ".0%", "tickvals": [0, 0.5, 1], "zeroline": False},
        yaxis=rows.axis(len(shown)),
        left=rows.LEFT,
        under="Mức giao của mỗi chỉ tiêu = 100 %",
    )
    sentence, omitted = _sentence(frame, caption), len(frame) - len(shown)
    return house.drawing(caption, spec, sentence, table, Shape.BAR, HEADINGS[1], SHARES, omitted)


def _facts(row: dict[Any, Any]) -> dict[str, Any]:
    """What is drawn of one target: shares of its goal, cut to the axis, and the words above the bar."""
    goal = one(row["goal"])
    share = {name: _share(one(row[name]), goal) for name in ("low", "high", "expected")}
    status = Status(row["status"])
    value = _value(row, goal)
    title = f"{plain(row['clause'], 12)} {plain(row['title'])}"
    return {**share, "one": 1.0 if goal else None, "title": title, "words": f"{ICONS[status]} {WORDS[status]}: {value}"}


def _share(value: float | None, goal: float | None) -> float | None:
    return None if value is None or not goal else round(min(max(value / goal, LEAST), END), 3)


def _value(row: dict[Any, Any], goal: float | None) -> str:
    low, high = one(row["low"]), one(row["high"])
    if low is None or high is None:
        return "chưa có số"
    promised = f", mức giao {number(goal) if row['counts'] else percent(goal)}" if goal is not None else ""
    if row["counts"]:
        return f"{number(low)}{promised}"
    return f"{between(low, high, goal)}{promised}"


def _track(shown: list[dict[str, Any]]) -> dict[str, Any]:
    whole = [fact["one"] for fact in shown]
    return rows.bars(whole, "", {"color": TRACK}, showlegend=False, hoverinfo="skip")


def _bars(shown: list[dict[str, Any]]) -> list[dict[str, Any]]:
    sure = [fact["low"] for fact in shown]
    rest = [_between(fact["low"], fact["high"]) for fact in shown]
    hover = {"hovertemplate": "%{x:.0%} mức giao<extra>%{fullData.name}</extra>"}
    traces = [rows.bars(sure, REACHED, styles.bar(0), **hover)]
    if any(rest):
        base = {"base": [fact["low"] or 0 for fact in shown], "hoverinfo": "skip"}
        traces.append(rows.bars(rest, UNSURE, styles.filled("#FFFFFF", PALETTE[0], "/"), **base))
    return traces


def _between(low: float | None, high: float | None) -> float | None:
    return None if low is None or high is None or high <= low else round(high - low, 3)


def _marks(shown: list[dict[str, Any]], name: str, words: str) -> dict[str, Any]:
    """A mark across each bar: a diamond for what is expected today, an upright line for the whole target."""
    symbol = {"symbol": "diamond-open", "size": 10} if name == "expected" else {"symbol": "line-ns-open", "size": 18}
    return {
        "type": "scatter",
        "mode": "markers",
        "name": words,
        "x": [fact[name] for fact in shown],
        "y": [place + rows.MIDDLE for place in range(len(shown))],
        "marker": {**symbol, "color": INK, "line": {"width": 2.5, "color": INK}},
        "hovertemplate": "%{x:.0%} mức giao<extra>%{fullData.name}</extra>",
    }


def _table(frame: pd.DataFrame) -> pd.DataFrame:
    goal = frame["goal"].astype("Float64")
    table = pd.DataFrame(
        {
            HEADINGS[0]: [plain(word) for word in frame["clause"]],
            HEADINGS[1]: [plain(word) for word in frame["title"]],
            HEADINGS[2]: frame["low"].astype("Float64").to_numpy(),
            HEADINGS[3]: frame["high"].astype("Float64").to_numpy(),
            HEADINGS[4]: frame["expected"].astype("Float64").to_numpy(),
            HEADINGS[5]: goal.to_numpy(),
            HEADINGS[6]: [WORDS[Status(word)] for word in frame["status"]],
        }
    )
    for heading, name in zip(SHARES, ("low", "expected"), strict=True):
        share = frame[name].astype("Float64") / goal.mask(goal == 0) * 100
        table[heading] = share.round(1).to_numpy()
    return table


def _sentence(frame: pd.DataFrame, caption: Caption) -> str:
    """«5/20 chỉ tiêu đạt, 9 đúng tiến độ, 3 nguy cơ (số liệu đến 20/11/2026).»"""
    counts = frame["status"].value_counts()
    told = [f"{counts[status]} {WORDS[status].lower()}" for status in Status if counts.get(status.value, 0)]
    return f"{len(frame)} chỉ tiêu ({house.cut_off(caption)}): {', '.join(told)}."
