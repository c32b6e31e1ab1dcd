"""What the cells of some weeks say about the units: who is quiet for sure, who could not be seen, and the motto.

A unit is called quiet only where complete looks prove every day of it; a failed look is our own fault and said so.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd

from config.models import Label
from metrics.cadence import NO_CHANNEL
from metrics.periods import Period
from metrics.summary import NOUNS, summary
from metrics.words import day, number

FEWEST_DAYS = 3
"""So many proved days without a post before a unit is called quiet (weeks, where no label asks for days: one)."""


MOST_LAG = 2
"""So many last days may still wait for their look: the silence before them is proved all the same."""


class Presence(StrEnum):
    """How a unit was seen in a week."""

    ACTIVE = "active"
    QUIET = "quiet"
    FAILED = "failed"
    """Our own looks failed."""
    UNVERIFIED = "unverified"
    """Not every day was seen, or the unit has no channel."""
    NOTHING = "nothing"
    """It rests, or it is too early to say."""


def presence(cells: pd.DataFrame, week: Period) -> pd.DataFrame:
    """How each unit stands at the end of the cells known: unit, state (`Presence`), since, until, proved, open, reason.

    *cells*: `cadence` of the week and some weeks before it. since, until: the first and last day of the proved stretch
    without an own post at the end, NaT without one; proved: how many days of it were proved; open (bool): the stretch
    may have begun before the first cell; reason: why something could not be seen.
    """
    days = _without_lag(_one_per_day(cells), pd.Timestamp(week.start))
    runs = _silent_runs(days)
    rows = _this_week(days[days["slot"] >= pd.Timestamp(week.start)]).merge(runs, on="unit", how="left")
    fewest = FEWEST_DAYS if (days["every"] == "day").any() else 1
    proved = rows["proved"].fillna(0).astype(int)
    conditions = [
        rows["posted"],
        rows["lost"],
        rows["unknown"] > 0,
        (rows["missed"] > 0) & (proved >= fewest),
    ]
    states = [Presence.ACTIVE, Presence.FAILED, Presence.UNVERIFIED, Presence.QUIET]
    chosen = np.select([np.asarray(one, dtype=bool) for one in conditions], list(map(str, states)), Presence.NOTHING)
    kept = rows[["unit", "since", "until", "reason"]].assign(proved=proved, open=rows["open"].eq(True), state=chosen)
    return kept.sort_values("unit", ignore_index=True)


def _one_per_day(cells: pd.DataFrame) -> pd.DataFrame:
    """The cells of one label, by days if any label asks for them: whether there was any own post is the same in all."""
    order = cells[["every", "label"]].drop_duplicates().astype(str).sort_values(["every", "label"])
    first = order["label"].iloc[0] if len(order) else ""
    one = cells[cells["label"].astype(str) == first].sort_values(["unit", "slot"], ignore_index=True)
    state, posted = one["any_post"].astype(str), one["own_posts"] > 0
    return one[["unit", "slot", "every", "reason"]].assign(
        posted=posted,
        missed=(state == "missed") & ~posted,
        unknown=(state == "unknown") & ~posted,
        lost=(state == "unknown") & ~posted & one["failed"],
    )


def _without_lag(days: pd.DataFrame, start: pd.Timestamp) -> pd.DataFrame:
    """Without the last days that only wait for their look, where days of the week before them are proved silent."""
    tail = days["unknown"] & ~_from_here_on(days, days["posted"] | days["missed"])
    of_unit = pd.DataFrame(
        {"waits": tail, "lost": tail & days["lost"], "silent": days["missed"] & (days["slot"] >= start)}
    )
    sums = of_unit.groupby(days["unit"]).transform("sum")
    lag = tail & (sums["waits"] <= MOST_LAG) & (sums["lost"] == 0) & (sums["silent"] > 0)
    return days[~lag]


def _from_here_on(days: pd.DataFrame, which: pd.Series[Any]) -> pd.Series[Any]:
    """Whether this day of the unit or a later one is of that kind."""
    return which[::-1].astype(int).groupby(days["unit"][::-1], sort=False).cummax()[::-1] > 0


def _silent_runs(days: pd.DataFrame) -> pd.DataFrame:
    """The proved stretch without a post at the end of each unit's days: unit, since, proved, open."""
    broken = days["posted"] | days["unknown"]
    silent = days[~_from_here_on(days, broken) & days["missed"]]
    runs = silent.groupby("unit", sort=True)["slot"].agg(since="min", until="max", proved="size").reset_index()
    whole = set(days["unit"]) - set(days.loc[broken, "unit"])
    return runs.assign(open=runs["unit"].isin(whole) & (runs["since"] == days["slot"].min()))


def _this_week(days: pd.DataFrame) -> pd.DataFrame:
    why = days["reason"].astype(object).where(days["unknown"])
    flags = days[["unit", "posted", "missed", "unknown", "lost"]].assign(reason=why)
    numbers: dict[str, Any] = {"posted": "any", "missed": "sum", "unknown": "sum", "lost": "any", "reason": "first"}
    return flags.groupby("unit", sort=True).agg(numbers).reset_index().fillna({"reason": ""})


def quiet_sentence(row: Mapping[Any, Any], name: str) -> str:
    """«Đoàn phường Một: chưa ghi nhận tin, bài mới từ ngày 16/11/2026 (5 ngày đã xác minh, đến 20/11/2026).»"""
    since = f"từ ngày {day(row['since'])}{' hoặc sớm hơn' if row['open'] else ''}"
    return f"{name}: chưa ghi nhận tin, bài mới {since} ({row['proved']} ngày đã xác minh, đến {day(row['until'])})."


def unseen_sentence(row: Mapping[Any, Any], name: str) -> str:
    """What keeps a unit from being judged, and who should do something."""
    if row["state"] == Presence.FAILED:
        return f"{name}: hệ thống chưa đọc được kênh trong tuần; đề nghị kiểm tra kết nối và quyền truy cập."
    if row["reason"] == NO_CHANNEL:
        return f"{name}: {NO_CHANNEL}; đề nghị bổ sung vào danh mục kênh."
    return f"{name}: chưa xác minh được ({row['reason']}); hệ thống sẽ xác minh khi đọc đủ."


def motto(cells: pd.DataFrame, labels: Mapping[str, Label], week: Period) -> dict[str, str]:
    """One sentence per label about all units of the week, beside the number of items of the week before."""
    start = pd.Timestamp(week.start)
    own = cells[cells["slot"] >= start]
    before = cells[(cells["slot"] < start) & (cells["slot"] >= start - pd.Timedelta(days=7))]
    rows = summary(own)
    return {
        slug: _motto_sentence(rows[(rows["label"] == slug) & (rows["due"] > 0)], label, _items(own, slug), before)
        for slug, label in labels.items()
    }


def _motto_sentence(rows: pd.DataFrame, label: Label, items: int, before: pd.DataFrame) -> str:
    if rows.empty:
        return f"{label.name}: không có đơn vị nào đến hạn trong tuần."
    short = int((rows["missed"] > 0).sum())
    unsure = int(((rows["missed"] == 0) & (rows["unknown"] > 0)).sum())
    waiting = int(((rows["missed"] == 0) & (rows["unknown"] == 0) & (rows["met"] == 0)).sum())
    others = ((short, "còn thiếu"), (unsure, "chưa xác minh được"), (waiting, "còn thời gian"))
    parts = [f"{len(rows) - short - unsure - waiting}/{len(rows)} đơn vị thực hiện đủ đến nay"]
    parts += [f"{count} đơn vị {how}" for count, how in others if count]
    slots = f"{number(items)} {NOUNS[label.every]} có {label.name[:1].lower()}{label.name[1:]}"
    earlier = f" (tuần trước {number(_items(before, str(rows['label'].iloc[0])))})" if len(before) else ""
    return f"{label.name}: {', '.join(parts)}; cộng {slots}{earlier}."


def _items(cells: pd.DataFrame, label: str) -> int:
    """How many slots of all units have the label."""
    return int(((cells["label"].astype(str) == label) & (cells["labelled"] == "met")).sum())
