"""A share that units report, with the bounds that the missing reports leave open."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from dashboards.charts import house, rows, styles
from dashboards.charts.colours import INK, OPEN, OPEN_FILL
from dashboards.charts.drawing import Aim, Caption, Drawing, Shape, Spec
from dashboards.charts.texts import plain
from dashboards.charts.values import floats, listed, one
from metrics.words import number, percent

MOST = 30
WHOLE = "Toàn quận"
TOLD, OPEN_BOUNDS, GOAL = "Đã báo cáo", "Khoảng có thể, do còn đơn vị chưa báo cáo", "Mức giao"
HEADINGS = ["Đơn vị", "Tử số", "Mẫu số", "Tỷ lệ (%)", "Thấp nhất (%)", "Cao nhất (%)", "Ghi chú"]
RATIOS = ("shown", "low", "high")


def draw(frame: pd.DataFrame, aim: Aim, caption: Caption) -> Drawing:
    """The whole on top with its bounds as a pattern, then every unit, lowest first; the target as an upright line.

    frame: rows of metrics.share.reported_share, the whole as subject "" and every unit: unit (the name to be shown,
    any text for the whole), subject, numerator, denominator (Int64), shown, low, high (Float64 ratios), note (text: why
    there is no number: not reported, kept back because it is about fewer than 10 persons). NA is not reported: words
    without a bar, never 0. What is kept back must have been taken out before. aim.goal: the ratio. Clause: II-CT.5.
    """
    ordered = frame.assign(whole=frame["subject"].astype(str) == "")
    ordered = ordered.sort_values(["whole", "shown"], ascending=[False, True], na_position="last", kind="stable")
    table = _table(ordered)
    shown, omitted = ordered.head(MOST), max(0, len(frame) - MOST)
    if shown.empty:
        return house.nothing(caption, table)
    spec, told = _spec(shown, aim, caption, omitted), _sentence(ordered, aim, caption)
    return house.drawing(caption, spec, told, table, Shape.BAR, HEADINGS[0], [HEADINGS[3]], omitted)


def _spec(shown: pd.DataFrame, aim: Aim, caption: Caption, omitted: int) -> Spec:
    ratio = {name: floats(shown[name]) for name in RATIOS}
    hover = {"hovertemplate": "%{x:.1%}<extra>%{fullData.name}</extra>"}
    data = [rows.bars(listed(ratio["shown"], 4), TOLD, styles.bar(0), **hover)]
    width = ratio["high"] - ratio["low"]
    if (width > 0).any():
        base = {
            "base": [one or 0 for one in listed(ratio["low"], 4)],
            "hoverinfo": "skip",
            "offset": rows.TOP + rows.THICK,
        }
        wide = rows.bars(listed(np.where(width > 0, width, np.nan), 4), OPEN_BOUNDS, PATTERN, **base)
        data.append({**wide, "width": rows.THICK / 2})
    if aim.goal is not None:
        data.append(_goal(aim.goal, len(shown)))
    most = max(1.0, float(np.nanmax(ratio["shown"], initial=0)), aim.goal or 0)
    return house.spec(
        [*data, rows.labels([_label(row) for row in shown.to_dict("records")])],
        caption,
        height=rows.height(len(shown)),
        xaxis={"range": [0, most * 1.02], "tickformat": ".0%", **rows.ALONG},
        yaxis=rows.axis(len(shown)),
        left=rows.LEFT,
        under=f"Còn {number(omitted)} đơn vị không vẽ" if omitted else "",
    )


PATTERN = styles.filled(OPEN_FILL, OPEN, "/")


def _goal(goal: float, number_of_rows: int) -> dict[str, Any]:
    line = {"color": INK, "dash": "8px,5px", "width": 1.5}
    ends = {"x": [goal, goal], "y": [-0.6, number_of_rows - 0.6]}
    return {"type": "scatter", "mode": "lines", "name": GOAL, **ends, "line": line, "hoverinfo": "skip"}


def _label(row: dict[Any, Any]) -> str:
    """«Đoàn phường Một: 80 % (240/300)», «Đoàn phường Hai: chưa báo cáo»"""
    name = WHOLE if row["whole"] else plain(row["unit"], 30)
    share = one(row["shown"])
    if share is None:
        return f"{name}: {plain(row['note'], 20) or 'chưa báo cáo'}"
    part, whole = one(row["numerator"]), one(row["denominator"])
    counts = "" if part is None or whole is None else f" ({number(part)}/{number(whole)})"
    return f"{name}: {percent(share)}{counts}"


def _table(ordered: pd.DataFrame) -> pd.DataFrame:
    names = [WHOLE if whole else plain(name) for whole, name in zip(ordered["whole"], ordered["unit"], strict=True)]
    counts = [ordered[name].astype("Int64").to_numpy() for name in ("numerator", "denominator")]
    ratios = [(ordered[name].astype("Float64") * 100).round(1).to_numpy() for name in RATIOS]
    notes = ["" if pd.isna(note) else plain(note) for note in ordered["note"]]
    return pd.DataFrame(dict(zip(HEADINGS, (names, *counts, *ratios, notes), strict=True)))


def _sentence(ordered: pd.DataFrame, aim: Aim, caption: Caption) -> str:
    """«Toàn quận đạt 80 % (240/300) theo 12/15 đơn vị đã báo cáo, có thể từ 60 % đến 85 %; chỉ tiêu 75 % (…).»"""
    units = ordered[~ordered["whole"]]
    told = int(units["shown"].notna().sum())
    parts = [_whole(row, aim.goal) for row in ordered[ordered["whole"]].head(1).to_dict("records")]
    parts.append(f"{number(told)}/{number(len(units))} đơn vị đã báo cáo")
    if aim.goal is not None:
        parts.append(f"chỉ tiêu {percent(aim.goal)}")
    return f"{'; '.join(parts)} ({house.cut_off(caption)})."


def _whole(row: dict[Any, Any], goal: float | None) -> str:
    share, low, high = (one(row[name]) for name in RATIOS)
    if share is None:
        return f"{WHOLE} chưa có số liệu báo cáo"
    wide = low is not None and high is not None and low < high
    bounds = (
        f", tính cả đơn vị chưa báo cáo từ {percent(low or 0, goal)} đến {percent(high or 0, goal)}" if wide else ""
    )
    return f"{WHOLE} đạt {percent(share, goal)}{bounds}"
