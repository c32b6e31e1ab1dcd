"""Twelve charts of 50 units and 365 days: as specs with orjson, against plotly's own figures of the same charts."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import orjson
import pandas as pd
import plotly.graph_objects as go

from benchmarks.harness import compare, print_costs, print_goal
from dashboards.charts import CHARTS, Aim, Caption, Drawing
from metrics.periods import year

UNITS, DAYS, PAGE = 50, 365, 12
ROUNDS = 20
"""Pages built in one measured run, so that a page of milliseconds stands above the noise."""
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
CAPTION = Caption(
    "Lượt theo dõi (mẫu)", "Facebook (mẫu)", datetime(2026, 12, 31, 17, tzinfo=UTC), "II-CT.4", ZONE, illustration=True
)


Page = Callable[[], list[Drawing]]


def charts() -> None:
    """Line charts of 50 channels, and strips of 50 units, a page of twelve each."""
    print(f"\n12 charts x {UNITS} units x {DAYS} days, built afresh from their frames")
    lines, cells = _lines(), _cells()

    def line() -> Drawing:
        return CHARTS["audience"](*lines, CAPTION)

    def strip() -> Drawing:
        return CHARTS["heat-strip"](cells, Aim(), CAPTION)

    _measure("12 line charts", lambda: [line() for _ in range(PAGE)], 10)
    _measure("11 line charts and a strip", lambda: [*(line() for _ in range(PAGE - 1)), strip()], 10)
    _measure("12 strips of days", lambda: [strip() for _ in range(PAGE)], 40)


def _measure(name: str, page: Page, limit: float) -> None:
    def specs() -> None:
        for _ in range(ROUNDS):
            _body(page())

    costs = compare({f"{ROUNDS} pages of specs + orjson": specs, "1 page of go.Figure + to_json": _figures(page)})
    ours, theirs = costs.values()
    print_costs(name, costs, f"{ROUNDS} pages of specs + orjson")
    print_goal("one page, CPU", 1000 * ours.cpu / ROUNDS, limit, "ms")
    print_goal("the same as go.Figure", theirs.cpu * ROUNDS / ours.cpu, 3, at_least=True)
    print(f"  {len(_body(page())) / 1000:.0f} kB of JSON a page")


def _lines() -> tuple[pd.DataFrame, Aim]:
    random = np.random.default_rng(1)
    counts = 10_000 + random.integers(0, 9, (DAYS, UNITS)).cumsum(axis=0).astype(np.float64)
    counts[100:105, ::7] = np.nan
    days = pd.date_range("2026-01-01", periods=DAYS)
    frame = pd.DataFrame(counts, index=days, columns=[f"Kênh mẫu {number}" for number in range(UNITS)])
    return frame, Aim(0.05, year(2026, ZONE), date(2026, 12, 31), dict.fromkeys(frame.columns, 10_000.0))


def _cells() -> pd.DataFrame:
    """A year of a motto: Sundays rest, most days have an item, one unit in ten cannot be seen."""
    days = pd.date_range("2026-01-01", periods=DAYS)
    state = np.where(np.random.default_rng(2).random((UNITS, DAYS)) < 0.85, 0, 1)
    state[::10] = 2
    state[:, days.day_of_week == 6] = 4
    names = [f"Đoàn phường mẫu {number}" for number in range(UNITS)]
    units = pd.Categorical(np.repeat(names, DAYS), names)
    states = np.array(["met", "missed", "unknown", "pending", "resting"])[state.ravel()]
    return pd.DataFrame({"unit": units, "slot": np.tile(days, UNITS), "state": pd.Categorical(states)})


def _body(page: list[Drawing]) -> bytes:
    return orjson.dumps([one.spec for one in page])


def _figures(page: Page) -> Callable[[], object]:
    """One page as plotly's checked figures; the charts themselves are drawn before."""
    specs = [one.spec for one in page()]
    return lambda: [go.Figure(deepcopy(spec)).to_json() for spec in specs]
