"""How many posts each platform had in each month."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from dashboards.charts import house, styles
from dashboards.charts.drawing import Aim, Caption, Drawing, Shape
from dashboards.charts.texts import inert, named
from dashboards.charts.values import Floats, floats, known_ms, listed
from metrics.telling import PLATFORM_NAMES
from metrics.words import number

HEIGHT = 280
MOST_MONTHS = 36
NAMES = {**PLATFORM_NAMES, "website": "Trang thông tin điện tử"}
TOTAL = "Cộng"


def draw(frame: pd.DataFrame, aim: Aim, caption: Caption) -> Drawing:
    """Stacked bars of months, one pattern for each platform; a month that is not wholly known is marked «?».

    frame: one row for each platform and month: platform (word of the config), month (naive midnight of its first
    local day), posts (Int64: own posts published in it; 0 is none, NA: not wholly read, and then the sum of the month
    is missing, too). The newest MOST_MONTHS months are drawn.
    """
    pivot = frame.pivot(index="month", columns="platform", values="posts").sort_index().tail(MOST_MONTHS)
    platforms = [name for name in NAMES if name in pivot] + sorted(str(name) for name in set(pivot) - set(NAMES))
    counts = floats(pivot[platforms].astype("Float64")).T if platforms else np.empty((0, 0))
    table = _table(pivot.index, platforms, counts)
    if not np.isfinite(counts).any():
        return house.nothing(caption, table)
    months = known_ms(pivot.index)
    data = [_bars(months, counts[place], name, place) for place, name in enumerate(platforms[: styles.MOST])]
    spec = house.spec(
        data,
        caption,
        height=HEIGHT,
        xaxis={"type": "date", "tickformat": "%m/%Y", "nticks": 5, "tickangle": 0, "showgrid": False},
        yaxis={"rangemode": "tozero", "nticks": 6, "tickformat": ",d"},
        under="Dấu ? là tháng chưa đọc đủ bài" if np.isnan(counts).any() else "",
        notes=_unsure(months, counts),
    )
    spec["layout"]["barmode"] = "stack"
    native = named(NAMES.get(name, name) for name in platforms)
    told = _sentence(pivot.index, counts, platforms, caption)
    return house.drawing(caption, spec, told, table, Shape.STACKED, "Tháng", native)


def _bars(months: list[int | None], counts: Floats, platform: str, place: int) -> dict[str, Any]:
    return {
        "type": "bar",
        "name": inert(NAMES.get(platform, platform)),
        "x": months,
        "y": listed(counts),
        "marker": styles.bar(place),
        "hovertemplate": "%{x|%m/%Y}: %{y:,d} bài<extra>%{fullData.name}</extra>",
    }


def _unsure(months: list[int | None], counts: Floats) -> list[dict[str, Any]]:
    """A «?» over every month of which not all is known."""
    heights = np.nansum(counts, axis=0)
    note = {"text": "?", "yanchor": "bottom", "showarrow": False, "font": {"size": 13}}
    open_months = np.flatnonzero(np.isnan(counts).any(axis=0)).tolist()
    return [{**note, "x": months[place], "y": float(heights[place])} for place in open_months]


def _table(months: pd.Index[Any], platforms: list[str], counts: Floats) -> pd.DataFrame:
    headings = named(NAMES.get(name, name) for name in platforms)
    columns = {name: pd.array(listed(row), "Int64") for name, row in zip(headings, counts, strict=True)}
    total = pd.array(listed(counts.sum(axis=0)) if len(counts) else [], "Int64")
    return pd.DataFrame({"Tháng": [f"{month:%m/%Y}" for month in months], **columns, TOTAL: total})


def _sentence(months: pd.Index[Any], counts: Floats, platforms: list[str], caption: Caption) -> str:
    """«Từ 01/2026 đến 11/2026 (số liệu đến …): 1.240 bài, nhiều nhất trên Facebook (800); 2 tháng chưa đọc đủ.»"""
    sums = np.nansum(counts, axis=1)
    most = int(sums.argmax())
    name = NAMES.get(platforms[most], platforms[most])
    span = f"Từ {months[0]:%m/%Y} đến {months[-1]:%m/%Y} ({house.cut_off(caption)})"
    unsure = int(np.isnan(counts).any(axis=0).sum())
    least = "ít nhất " if unsure else ""
    more = f"; {unsure} tháng chưa đọc đủ bài" if unsure else ""
    return f"{span}: {least}{number(sums.sum())} bài, nhiều nhất trên {name} ({number(sums[most])} bài){more}."
