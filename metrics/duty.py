"""Tasks of a plan: what is done, late, soon due, or stands for ever."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd

from metrics.asking import Ask, Facts, Measured, Why, inputs_of
from metrics.periods import local_day
from metrics.precision import floats, ratio

SOON_DAYS = 7


class Duty(StrEnum):
    """How one task stands."""

    DONE = "done"
    DONE_LATE = "done_late"
    LATE = "late"
    DUE_SOON = "due_soon"
    NOT_DUE = "not_due"
    STANDING = "standing"
    """It has no date: «thường xuyên», «định kỳ» without an interval, «khi phát sinh»."""


def task(facts: Facts, ask: Ask) -> Measured:
    """How every task stands, or in total the share of dated tasks due by now that were done in time.

    `facts.tasks`: task, due (day or NaT), done_at (moment or NaT), owner. A task is due through the whole of its
    day. Rows by task (ask.by "unit") also have: task, owner, due, done_at, duty (`Duty`), days (Int64: late by,
    or left when negative; NA without a date).
    """
    rows = judged(facts)
    inputs = inputs_of(
        rows[rows["done_at"].notna()]
        .assign(ref=lambda done: done["task"], at=lambda done: done["done_at"])
        .assign(source=lambda done: done["owner"], value=1),
        "done",
    )
    if ask.by == "total":
        return Measured(_in_total(rows), inputs.assign(subject=""))
    return Measured(rows, inputs)


def judged(facts: Facts) -> pd.DataFrame:
    """One row per task; what was done after `as_of` is not done yet."""
    zone, today = facts.config.district.tz, pd.Timestamp(facts.today)
    done_at = pd.to_datetime(facts.tasks["done_at"], utc=True)
    done_at = done_at.where(done_at <= facts.as_of)
    due = pd.to_datetime(facts.tasks["due"]).astype("datetime64[s]")
    done_on = local_day(done_at, zone)
    late_by = (done_on.fillna(today) - due).dt.days.astype("Int64")
    rows = facts.tasks[["task", "owner"]].assign(subject=facts.tasks["task"], due=due, done_at=done_at, days=late_by)
    rows["duty"] = _state(due, done_on, late_by)
    done = rows["duty"].isin([str(Duty.DONE), str(Duty.DONE_LATE)])
    share = done.astype("Float64").where(done | (rows["duty"] == Duty.LATE))
    waits = ~done & (rows["duty"] != Duty.LATE)
    return rows.assign(
        low=share, high=share, shown=share, known=(~waits).astype("Int64"), wanted=due.notna().astype("Int64"),
        failed=False, why=np.where(waits, str(Why.PENDING), str(Why.NONE)),
    )  # fmt: skip


def _state(due: pd.Series[Any], done_on: pd.Series[Any], late_by: pd.Series[Any]) -> Any:
    done, dated, days = done_on.notna(), due.notna(), late_by.fillna(0).astype(int)
    conditions = [done & dated & (days > 0), done, ~dated, days > 0, days >= -SOON_DAYS]
    states = (Duty.DONE_LATE, Duty.DONE, Duty.STANDING, Duty.LATE, Duty.DUE_SOON)
    return np.select([np.asarray(one, dtype=bool) for one in conditions], [str(one) for one in states], Duty.NOT_DUE)


def _in_total(rows: pd.DataFrame) -> pd.DataFrame:
    counts = rows["duty"].value_counts()
    number = {name: int(counts.get(str(name), 0)) for name in Duty}
    in_time = int(((rows["duty"] == Duty.DONE) & rows["due"].notna()).sum())
    due = in_time + number[Duty.DONE_LATE] + number[Duty.LATE]
    row = pd.DataFrame(
        {"subject": "", "known": due, "wanted": due, **{str(k): v for k, v in number.items()}}, index=[0]
    )
    row = row.astype(dict.fromkeys(("known", "wanted", *map(str, Duty)), "Int64"))
    share = ratio(floats(pd.Series([in_time])), floats(row["wanted"]))
    return row.assign(low=share, high=share, shown=share, failed=False, why=str(Why.NONE if due else Why.PENDING))
