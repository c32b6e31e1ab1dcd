"""The same months of several years side by side."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from dashboards.charts import house, styles
from dashboards.charts.drawing import Aim, Caption, Drawing, Shape
from dashboards.charts.texts import inert, plain
from dashboards.charts.values import Floats, floats, listed
from metrics.words import number, percent

HEIGHT = 280
MOST = 4
MONTHS = range(1, 13)
UNFINISHED = "chưa hết tháng"


def draw(frame: pd.DataFrame, aim: Aim, caption: Caption) -> Drawing:
    """Upright bars for every month, one series for each year, the newest first in the eye.

    frame: one row for each year and month: year (int; the year as the reports cut it), month (1–12), value (Float64:
    a count of the month, or a level at its end; NA: not known, no bar and no 0), whole (bool; False: the month is not
    over, and its value may still grow). The newest MOST years are drawn. aim.noun names what is counted. The
    sentence compares the newest whole month that both of the last two years know, never an unfinished one.
    """
    years = sorted({int(year) for year in frame["year"]})[-MOST:]
    values = {year: _months(frame, year, "value") for year in years}
    table = pd.DataFrame({"Tháng": list(MONTHS), **{str(year): _column(values[year]) for year in years}})
    if not any(np.isfinite(one).any() for one in values.values()):
        return house.nothing(caption, table)
    data = [_bars(frame, year, values[year], place) for place, year in enumerate(reversed(years))][::-1]
    spec = house.spec(
        data,
        caption,
        height=HEIGHT,
        xaxis={"tickmode": "array", "tickvals": list(MONTHS), "ticktext": [f"T{month}" for month in MONTHS]},
        yaxis={"rangemode": "tozero", "nticks": 6, "tickformat": ",d"},
        left=58,
        under=_under(frame[frame["year"].isin(years)], aim),
    )
    spec["layout"]["barmode"] = "group"
    told = _sentence(values, _whole(frame, years), years, aim, caption)
    return house.drawing(caption, spec, told, table, Shape.COLUMN, "Tháng", [str(year) for year in years])


def _under(drawn: pd.DataFrame, aim: Aim) -> str:
    unit = plain(aim.noun[:1].upper() + aim.noun[1:])
    open_months = not drawn.loc[drawn["value"].notna(), "whole"].all()
    return "; ".join(part for part in (unit, "dấu … là tháng chưa hết" if open_months else "") if part)


def _months(frame: pd.DataFrame, year: int, name: str) -> Floats:
    """The twelve months of a year."""
    own = frame[frame["year"] == year]
    months = np.full(len(MONTHS), np.nan)
    months[own["month"].to_numpy(dtype=int) - 1] = floats(own[name])
    return months


def _whole(frame: pd.DataFrame, years: list[int]) -> dict[int, Any]:
    return {year: _months(frame.assign(whole=frame["whole"].astype(float)), year, "whole") == 1 for year in years}


def _column(months: Floats) -> Any:
    return pd.array(listed(months), dtype="Float64")


def _bars(frame: pd.DataFrame, year: int, months: Floats, place: int) -> dict[str, Any]:
    whole = _whole(frame, [year])[year]
    words = ["" if done or np.isnan(one) else f" ({UNFINISHED})" for done, one in zip(whole, months, strict=True)]
    return {
        "type": "bar",
        "name": inert(year),
        "x": list(MONTHS),
        "y": listed(months),
        "marker": styles.bar(place),
        "text": ["…" if word else "" for word in words],
        "textposition": "outside",
        "customdata": words,
        "hovertemplate": "Tháng %{x}: %{y:,d}%{customdata}<extra>%{fullData.name}</extra>",
    }


def _sentence(values: dict[int, Floats], whole: dict[int, Any], years: list[int], aim: Aim, caption: Caption) -> str:
    """«Tháng 10/2026: 120 bài, so với cùng kỳ năm 2025 (100 bài) tăng 20 % (số liệu đến 20/11/2026).»"""
    noun = f" {plain(aim.noun, 40)}" if aim.noun else ""
    last = years[-1]
    before = years[-2] if len(years) > 1 else None
    known = np.isfinite(values[last]) & whole[last]
    both = known & np.isfinite(values[before]) & whole[before] if before is not None else known & False
    if not both.any():
        return f"Chưa có tháng nào đủ số liệu để so với cùng kỳ ({house.cut_off(caption)}); hệ thống sẽ so khi có."
    month = int(np.flatnonzero(both)[-1])
    now, then = float(values[last][month]), float(values[before or last][month])
    told = f"Tháng {month + 1}/{last}: {number(now)}{noun}, cùng kỳ năm {before}: {number(then)}{noun}"
    return f"{told}, {_change(now, then)} ({house.cut_off(caption)})."


def _change(now: float, then: float) -> str:
    if now == then:
        return "không đổi"
    way = "tăng" if now > then else "giảm"
    return f"{way} {percent(abs(now - then) / then)}" if then else f"{way} {number(abs(now - then))}"
