"""The units by their places, with the rule that gives them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from dashboards.charts import house, rows, styles
from dashboards.charts.drawing import Aim, Caption, Drawing, Shape
from dashboards.charts.texts import plain
from dashboards.charts.values import floats, listed, one
from metrics.commend import Group
from metrics.words import number, percent

MOST = 20
GROUPS = {
    Group.CANDIDATE: "Được đề nghị tuyên dương",
    Group.NOT_YET: "Chưa đưa vào danh sách",
    Group.TOO_LITTLE: "Chưa đủ số liệu",
}
HEADINGS = ["Thứ hạng", "Đơn vị", "Nhóm", "Số ngày thực hiện (%)", "Có người xác nhận (%)", "Tăng trưởng (%)", "Lý do"]


def draw(frame: pd.DataFrame, aim: Aim, caption: Caption) -> Drawing:
    """Bars of the share of due days kept, in the order of the frame; the rule of the places stands below the title.

    frame: rows of metrics.commend.commend in its order: unit (the name to be shown), place (Int64, NA: none), group
    (word of metrics.commend.Group), kept, confirmed, growth (Float64 ratios, NA: not known, which is no bar and no 0),
    reason (text). aim.rule is the rule in one sentence. At most MOST are drawn, the table has all. Clause: NV4.
    """
    shown = frame.head(MOST)
    table = _table(frame)
    if shown.empty:
        return house.nothing(caption, table)
    data = _bars(shown)
    omitted = len(frame) - len(shown)
    more = f" Còn {number(omitted)} đơn vị không vẽ." if omitted else ""
    spec = house.spec(
        [*data, rows.labels([_label(row) for row in shown.to_dict("records")])],
        caption,
        height=rows.height(len(shown)),
        xaxis={"range": [0, 1.02], "tickformat": ".0%", **rows.ALONG},
        yaxis=rows.axis(len(shown)),
        left=rows.LEFT,
        under=f"{aim.rule}{more}".strip(),
    )
    told = _sentence(frame, caption)
    return house.drawing(caption, spec, told, table, Shape.BAR, HEADINGS[1], [HEADINGS[3]], omitted)


def _bars(shown: pd.DataFrame) -> list[dict[str, Any]]:
    kept, group = floats(shown["kept"]), shown["group"].astype(str).to_numpy()
    traces = []
    for place, (word, name) in enumerate(GROUPS.items()):
        own = group == word.value
        if own.any():
            traces.append(rows.bars(listed(np.where(own, kept, np.nan), 4), name, styles.bar(place)))
    return [{**trace, "hovertemplate": "%{x:.1%}<extra>%{fullData.name}</extra>"} for trace in traces]


def _label(row: dict[Any, Any]) -> str:
    """«1. Đoàn phường Một: 98,2 %»; without a place no number."""
    place = one(row["place"])
    kept = one(row["kept"])
    value = "chưa đủ số liệu" if kept is None else percent(kept)
    return f"{'' if place is None else f'{int(place)}. '}{plain(row['unit'], 34)}: {value}"


def _table(frame: pd.DataFrame) -> pd.DataFrame:
    shares = {heading: _hundredths(frame[name]) for heading, name in zip(HEADINGS[3:6], SHARES, strict=True)}
    columns = {
        HEADINGS[0]: frame["place"].astype("Int64").to_numpy(),
        HEADINGS[1]: [plain(name) for name in frame["unit"]],
        HEADINGS[2]: [GROUPS[Group(word)] for word in frame["group"]],
        **shares,
        HEADINGS[6]: [plain(reason) for reason in frame["reason"]],
    }
    return pd.DataFrame(columns)


SHARES = ("kept", "confirmed", "growth")


def _hundredths(values: pd.Series[Any]) -> Any:
    return (values.astype("Float64") * 100).round(1).to_numpy()


def _sentence(frame: pd.DataFrame, caption: Caption) -> str:
    """«20 đơn vị (số liệu đến 20/11/2026): 3 được đề nghị tuyên dương, 15 …; đứng đầu: A (98,2 % số ngày …).»"""
    counts = frame["group"].astype(str).value_counts()
    parts = [f"{number(counts[word.value])} {name.lower()}" for word, name in GROUPS.items() if word.value in counts]
    first = frame[frame["place"].eq(1).fillna(False).astype(bool)]
    names = ", ".join(plain(name, 40) for name in first["unit"].head(3))
    best = f"; đứng đầu: {names}" if names else ""
    return f"{number(len(frame))} đơn vị ({house.cut_off(caption)}): {', '.join(parts)}{best}."
