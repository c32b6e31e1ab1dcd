"""The posts that moved most people, by their public counts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from dashboards.charts import house, rows, styles
from dashboards.charts.drawing import Aim, Caption, Drawing, Shape
from dashboards.charts.texts import plain
from dashboards.charts.values import floats, listed
from metrics.telling import PLATFORM_NAMES
from metrics.words import number

MOST = 10
HEADINGS = ["Thứ hạng", "Bài", "Kênh", "Nền tảng", "Ngày đăng", "Số lượt"]
UNTITLED = "(không có tiêu đề)"


def draw(frame: pd.DataFrame, aim: Aim, caption: Caption) -> Drawing:
    """Bars of the posts with the highest count, their titles as text above them.

    frame: one row for each post: title (text from outside, any length), channel (the name to be shown), platform (word
    of the config), published_at (aware UTC moment, NaT: not known), total (Int64: interactions, or views, as
    aim.noun says; NA: not known, and then the post has no place). Equals stand in the order of the frame. Titles are
    cut, escaped and never a link; the table keeps them unescaped. Days are those of caption.zone.
    """
    known = frame[frame["total"].notna()]
    ordered = known.sort_values("total", ascending=False, kind="stable").head(MOST)
    table = _table(ordered, caption)
    if ordered.empty:
        return house.nothing(caption, table)
    totals = floats(ordered["total"])
    noun = plain(aim.noun, 40) or "lượt"
    hover = {"hovertemplate": "%{x:,d}<extra></extra>"}
    words = [f"{number(total)} {noun} · {name}" for total, name in zip(totals, table[HEADINGS[2]], strict=True)]
    spec = house.spec(
        [
            rows.bars(listed(totals), noun, styles.bar(0), showlegend=False, **hover),
            rows.labels(list(table[HEADINGS[1]]), 0, words),
        ],
        caption,
        height=rows.height(len(ordered), 2),
        xaxis={"range": [0, float(np.max(totals, initial=1)) * 1.04], "tickformat": ",d", **rows.ALONG},
        yaxis=rows.axis(len(ordered)),
        left=rows.LEFT,
        under=f"{noun[:1].upper()}{noun[1:]}; {len(ordered)} bài cao nhất trong {number(len(frame))} bài",
    )
    told = _sentence(table, noun, len(frame) - len(known), caption)
    omitted = len(known) - len(ordered)
    return house.drawing(caption, spec, told, table, Shape.BAR, HEADINGS[1], [HEADINGS[5]], omitted)


def _table(ordered: pd.DataFrame, caption: Caption) -> pd.DataFrame:
    published = pd.to_datetime(ordered["published_at"], utc=True).dt.tz_convert(caption.zone).dt.tz_localize(None)
    columns: list[Any] = [
        list(range(1, len(ordered) + 1)),
        [plain(title) or UNTITLED for title in ordered["title"]],
        [plain(name) for name in ordered["channel"]],
        [PLATFORM_NAMES.get(str(name), str(name)) for name in ordered["platform"]],
        published.dt.normalize().to_numpy(),
        ordered["total"].astype("Int64").to_numpy(),
    ]
    return pd.DataFrame(dict(zip(HEADINGS, columns, strict=True)))


def _sentence(table: pd.DataFrame, noun: str, unknown: int, caption: Caption) -> str:
    """«Cao nhất là «Tin tốt …» của Trang quận với 1.240 lượt tương tác (số liệu đến 20/11/2026).»"""
    first = table.iloc[0]
    head = f"Cao nhất là «{plain(first[HEADINGS[1]], 60)}» của {plain(first[HEADINGS[2]], 40)}"
    more = f"; {number(unknown)} bài chưa có số liệu" if unknown else ""
    return f"{head} với {number(first[HEADINGS[5]])} {noun} ({house.cut_off(caption)}){more}."
