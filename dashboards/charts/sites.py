"""The units' websites: days since the last article, articles of the window, and how often the site answered."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from dashboards.charts import house, rows, styles
from dashboards.charts.drawing import Aim, Caption, Drawing, Shape
from dashboards.charts.texts import plain
from dashboards.charts.values import floats, listed, one
from metrics.presence import ALIVE, BLIND, IDLE
from metrics.words import number, percent

MOST = 40
WORDS = {ALIVE: "Đang hoạt động", IDLE: "Chưa ghi nhận bài mới", BLIND: "Chưa xác minh"}
HEADINGS = ["Trang", "Trạng thái", "Số ngày từ bài gần nhất", "Bài trong kỳ", "Lần trả lời", "Lần đọc", "Lượt truy cập"]


def draw(frame: pd.DataFrame, aim: Aim, caption: Caption) -> Drawing:
    """Bars of days since the last article, longest on top; a site without a known article has words and no bar.

    frame: rows of metrics.presence.site_presence by channel: channel (the name to be shown), state (alive, idle,
    blind: nothing can be said), idle_days, posts, looks, answered (Int64; NA not known, 0 is none), and, where the
    site shows it, visits (Int64; informational). A failed look does not say whose fault it is.
    """
    ordered = frame.sort_values("idle_days", ascending=False, na_position="first", kind="stable")
    table = _table(ordered)
    shown, omitted = ordered.head(MOST), max(0, len(frame) - MOST)
    if shown.empty:
        return house.nothing(caption, table)
    data = _bars(shown)
    names = [plain(name) for name in shown["channel"]]
    longest = np.nanmax(floats(shown["idle_days"]), initial=1)
    spec = house.spec(
        [*data, rows.labels(names, 0, [_label(row) for row in shown.to_dict("records")])],
        caption,
        height=rows.height(len(shown), 2),
        xaxis={"range": [0, float(longest) * 1.04], "tickformat": ",d", **rows.ALONG},
        yaxis=rows.axis(len(shown)),
        left=rows.LEFT,
        under="Số ngày từ bài gần nhất" + (f"; còn {number(omitted)} trang không vẽ" if omitted else ""),
    )
    told = _sentence(frame, caption)
    return house.drawing(caption, spec, told, table, Shape.BAR, HEADINGS[0], [HEADINGS[2]], omitted)


def _bars(shown: pd.DataFrame) -> list[dict[str, Any]]:
    days, state = floats(shown["idle_days"]), shown["state"].astype(str).to_numpy()
    hover = {"hovertemplate": "%{x} ngày<extra>%{fullData.name}</extra>"}
    return [
        rows.bars(listed(np.where(state == word, days, np.nan)), name, styles.bar(place), **hover)
        for place, (word, name) in enumerate(WORDS.items())
        if (state == word).any()
    ]


def _label(row: dict[Any, Any]) -> str:
    """«3 ngày · 12 bài · trả lời 58/60»"""
    days, looks = one(row["idle_days"]), one(row["looks"])
    since = "chưa rõ bài gần nhất" if days is None else f"{number(days)} ngày"
    posts = one(row["posts"])
    articles = "" if posts is None else f" · {number(posts)} bài"
    answers = f" · trả lời {number(one(row['answered']) or 0)}/{number(looks)}" if looks else " · chưa đọc lần nào"
    return f"{since}{articles}{answers}"


def _table(ordered: pd.DataFrame) -> pd.DataFrame:
    numbers = ("idle_days", "posts", "answered", "looks")
    visits = ordered["visits"] if "visits" in ordered else pd.Series(pd.NA, index=ordered.index)
    columns = [
        [plain(name) for name in ordered["channel"]],
        [WORDS[word] for word in ordered["state"].astype(str)],
        *(ordered[name].astype("Int64").to_numpy() for name in numbers),
        visits.astype("Int64").to_numpy(),
    ]
    return pd.DataFrame(dict(zip(HEADINGS, columns, strict=True)))


def _sentence(frame: pd.DataFrame, caption: Caption) -> str:
    """«18/20 trang đang hoạt động (90 %, số liệu đến 20/11/2026); 1 chưa ghi nhận bài mới; 1 chưa xác minh.»"""
    counts = frame["state"].astype(str).value_counts()
    alive = int(counts.get(ALIVE, 0))
    head = f"{number(alive)}/{number(len(frame))} trang đang hoạt động ({percent(alive / len(frame))}"
    others = [f"; {number(counts[word])} {WORDS[word].lower()}" for word in (IDLE, BLIND) if word in counts]
    return f"{head}, {house.cut_off(caption)}){''.join(others)}."
