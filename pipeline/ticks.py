"""Who ticked a duty of a plan off, as the audit log knows it: a tick and its undoing are two rows, none is changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import orjson
import pandas as pd

from metrics.periods import local_date, midnight

if TYPE_CHECKING:
    from store.verbs import Store

DONE, UNDONE = "task.done", "task.undo"
"""The actions in the audit log; their subject is `mark_of`."""


@dataclass(frozen=True)
class Tick:
    """That a duty was done on a local day, and which office says so, since when and why."""

    on: date
    done_at: datetime
    """The first moment of the day it was done, or, where nobody named a day, the moment it was noted."""
    noted_at: datetime
    by: str
    reason: str
    evidence: str

    def facts(self, occurrence: str) -> dict[str, Any]:
        """The tick as an input of an answer; plain texts only."""
        told = {"by": self.by, "reason": self.reason, "evidence": self.evidence}
        moments = {"at": self.done_at.isoformat(), "noted_at": self.noted_at.isoformat(), "on": str(self.on)}
        return {"role": "done", "ref": occurrence} | moments | told


def mark_of(plan: str, row: str, day: date) -> str:
    """How the audit log names a duty of one day: the day it is due, or, without one, the day it was done."""
    return f"{plan}/{row}/{day}"


def ticks_at(store: Store, as_of: datetime, zone: ZoneInfo) -> dict[str, Tick]:
    """The duties that stood ticked off at a moment, by `mark_of`; of several ticks the first, until it is undone."""
    log = store.audit(actions=(DONE, UNDONE))
    standing: dict[str, Tick] = {}
    for row in log[log["at"] <= as_of].to_dict("records"):
        if row["action"] == DONE:
            standing.setdefault(row["subject"], _tick(row, zone))
        else:
            standing.pop(row["subject"], None)
    return standing


def _tick(row: Mapping[Any, Any], zone: ZoneInfo) -> Tick:
    noted_at = row["at"].to_pydatetime()
    after = {} if pd.isna(row["after"]) else orjson.loads(row["after"])
    done_at = midnight(date.fromisoformat(after["done_on"]), zone) if "done_on" in after else noted_at
    on = local_date(done_at, zone)
    return Tick(on, done_at, noted_at, row["by"], row["reason"], after.get("evidence", ""))
