"""The motto as an indicator: days (weeks) with an item out of the days (weeks) due, from the cells of `cadence`.

An unknown slot may be a met or a missed one: it widens the answer and is never held against a unit.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from metrics.asking import Ask, Facts, Level, Measured, Why, inputs_of
from metrics.cadence import NO_CHANNEL
from metrics.precision import floats, ratio

COUNTED = ("met", "missed", "unknown", "pending")


def daily_item(facts: Facts, ask: Ask) -> Measured:
    """The share of days due with an item, by unit; in total the share of units that kept every day so far."""
    return _kept(facts, ask, "day")


def weekly_item(facts: Facts, ask: Ask) -> Measured:
    """The same by weeks."""
    return _kept(facts, ask, "week")


def _kept(facts: Facts, ask: Ask, every: str) -> Measured:
    """Rows also have: unit, due, met, missed, unknown, pending (Int64: slots, in total of all units together)."""
    cells = _cells(facts.cells, ask, every)
    units = _by_unit(cells, ask.level)
    rows = units if ask.by == "unit" else in_total(units)
    return Measured(rows, _inputs(cells, "" if ask.by == "total" else None))


def _cells(cells: pd.DataFrame, ask: Ask, every: str) -> pd.DataFrame:
    wanted = cells["every"] == every
    if ask.label:
        wanted &= cells["label"] == ask.label
    if ask.units is not None:
        wanted &= cells["unit"].isin(list(ask.units))
    return cells[wanted]


def _by_unit(cells: pd.DataFrame, level: Level) -> pd.DataFrame:
    state = cells[level].astype(str)
    unknown = state == "unknown"
    facts = {name: state == name for name in COUNTED}
    blind = unknown & (cells["reason"].astype(str) == NO_CHANNEL)
    flags = pd.DataFrame({**facts, "due": cells["due"], "lost": unknown & cells["failed"], "blind": blind})
    rows = flags.astype(np.int64).groupby(cells["unit"], sort=True).sum().astype("Int64").reset_index()
    past = rows["met"] + rows["missed"] + rows["unknown"]
    rows = rows.assign(subject=rows["unit"], wanted=past, known=rows["met"] + rows["missed"], failed=rows["lost"] > 0)
    rows["low"] = ratio(floats(rows["met"]), floats(past))
    rows["high"] = ratio(floats(rows["met"] + rows["unknown"]), floats(past))
    rows["shown"] = ratio(floats(rows["met"]), floats(rows["known"]))
    return rows.assign(failed=rows["failed"].astype(bool), why=_why(rows)).drop(columns=["lost", "blind"])


def _why(rows: pd.DataFrame) -> Any:
    nothing = rows["known"] == 0
    conditions = [
        rows["due"] == 0,
        rows["wanted"] == 0,
        nothing & (rows["blind"] == rows["unknown"]),
        nothing & rows["failed"],
    ]
    reasons = [str(why) for why in (Why.RESTING, Why.PENDING, Why.NO_CHANNEL, Why.FAILED)]
    return np.select([np.asarray(one, dtype=bool) for one in conditions], reasons, str(Why.NONE))


def in_total(units: pd.DataFrame) -> pd.DataFrame:
    """One row: the share of units that reach all that could be asked of them; those that rest are left out.

    A unit that may still turn out to have reached it counts in `high` only.
    """
    asked = units[units["wanted"] > 0]
    reached, possible = (asked["low"] >= 1).sum(), (asked["high"] >= 1).sum()
    certain = reached + (asked["high"] < 1).sum()
    number = len(asked)
    sums = {name: units[name].sum() for name in ("due", *COUNTED) if name in units}
    row = pd.DataFrame(
        {"subject": "", **sums, "known": certain, "wanted": number, "reached": reached, "possible": possible}, index=[0]
    ).astype(dict.fromkeys((*sums, "known", "wanted", "reached", "possible"), "Int64"))
    row["low"], row["high"] = (ratio(floats(row[name]), floats(row["wanted"])) for name in ("reached", "possible"))
    row["shown"] = ratio(floats(row["reached"]), floats(row["known"]))
    failed = bool((asked["failed"] & (asked["known"] < asked["wanted"])).any())
    idle = Why.RESTING if number == 0 and (units["why"] == Why.RESTING).all() else Why.PENDING
    unseen = Why.FAILED if failed else Why.MISSING
    why = idle if number == 0 else unseen if certain == 0 else Why.NONE
    return row.assign(failed=failed, why=str(why)).drop(columns="possible")


def _inputs(cells: pd.DataFrame, subject: str | None) -> pd.DataFrame:
    """The items that count: one row each, `at` the slot they lie in."""
    items = cells[["unit", "slot", "posts"]].explode("posts").dropna(subset=["posts"])
    named = items.rename(columns={"posts": "ref", "slot": "at"})
    named = named.assign(subject=items["unit"] if subject is None else subject, source="post", value=1)
    return inputs_of(named, "item")
