"""Which audiences moved most in a week, and which rose more than in any week of the quarter before."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd

from metrics.precision import Floats, bounds
from metrics.words import number

WEEKS_BACK = 12
"""How many earlier weeks a record is held against."""
FEWEST_WEEKS = 8
"""So many of them must be known, else nothing is called a record."""
FRESH = timedelta(days=3)
"""A count read longer before the end of a week says nothing of that end."""
LEAST_SHARE, LEAST_COUNT = 0.001, 10
"""A smaller move is not worth telling: both must be reached for sure. 5 % a year are 0.1 % a week."""
COLUMNS = ("channel", "before", "now", "low", "high", "share", "record")


def weekly_moves(points: pd.DataFrame) -> pd.DataFrame:
    """How the followers of each channel moved in the last week, biggest sure move first; small ones are left out.

    *points*: what Store.value_at gives for moments that lie a week apart; the last two bound the week. Columns:
    channel, before and now (followers as shown), low and high (between which the move really lies), share (its
    sure part of what was there before), record (bool: it surely rose more than in every known week before).
    """
    ends = _ends(points)
    if len(ends["shown"].columns) < 2:
        return pd.DataFrame(columns=list(COLUMNS))
    low, high, shown = (ends[name].to_numpy(dtype=np.float64) for name in ("low", "high", "shown"))
    gain_low, gain_high = low[:, 1:] - high[:, :-1], high[:, 1:] - low[:, :-1]
    sure = np.fmax(np.fmax(gain_low[:, -1], -gain_high[:, -1]), 0)
    rows = pd.DataFrame(
        {
            "channel": ends["shown"].index.astype(str),
            "before": shown[:, -2],
            "now": shown[:, -1],
            "low": gain_low[:, -1],
            "high": gain_high[:, -1],
            "share": np.divide(sure, high[:, -2], out=np.zeros(len(sure)), where=high[:, -2] > 0),
            "record": _is_record(gain_low, gain_high),
        }
    )
    told = rows[(rows["share"] >= LEAST_SHARE) & (sure >= LEAST_COUNT)]
    ordered: pd.DataFrame = told.sort_values(["share", "channel"], ascending=[False, True], ignore_index=True)
    return ordered


def _ends(points: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Channels × moments: the lowest, the highest and the shown count; NaN where nothing fresh is known."""
    fresh = points[(points["moment"] - points["observed_at"] <= FRESH) & points["followers"].notna()]
    known = fresh[["channel", "moment"]].join(bounds(fresh["followers"], fresh["precision"]))
    known = known.assign(shown=fresh["followers"], channel=known["channel"].astype(str))
    known = known.astype(dict.fromkeys(("low", "high", "shown"), "float64"))
    moments = np.sort(points["moment"].unique())
    tables = {name: known.pivot(index="channel", columns="moment", values=name) for name in ("low", "high", "shown")}
    return {name: table.reindex(columns=moments) for name, table in tables.items()}


def _is_record(gain_low: Floats, gain_high: Floats) -> Any:
    earlier = gain_high[:, :-1]
    known = (~np.isnan(earlier)).sum(axis=1) >= FEWEST_WEEKS
    best = np.max(np.where(np.isnan(earlier), -np.inf, earlier), axis=1, initial=-np.inf)
    return known & (gain_low[:, -1] > best) & (gain_low[:, -1] > 0)


def move_sentence(row: Any, name: str) -> str:
    """«Trang quận: tăng 120 lượt theo dõi trong 7 ngày (12.874 → 12.994).»"""
    low, high = (row["low"], row["high"]) if row["low"] > 0 else (-row["high"], -row["low"])
    amount = number(low) if low == high else f"từ {number(low)} đến {number(high)}"
    record = f", mức tăng cao nhất trong {WEEKS_BACK + 1} tuần" if row["record"] else ""
    way = "tăng" if row["low"] > 0 else "giảm"
    ends = f"{number(row['before'])} → {number(row['now'])}"
    return f"{name}: {way} {amount} lượt theo dõi trong 7 ngày ({ends}){record}."
