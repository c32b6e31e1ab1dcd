"""A row of a plan is at risk, as the check says."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from alerts.base import Finding, Rule
from alerts.watched import Watched
from metrics.periods import local_date, midnight
from metrics.words import WORDS, Status
from store.records import Case

BAD = (Status.AT_RISK, Status.NOT_MET)
WELL = (Status.MET, Status.ON_PACE, Status.BEHIND)
GOOD = (Status.MET, Status.ON_PACE, Status.BEHIND, Status.SHOWN, Status.STANDING, Status.DONE_LATE)


def find(watched: Watched) -> list[Finding]:
    """The rows that are at risk or not reached; as unsure those that cannot be judged, or not yet in this period."""
    lines = watched.progress[watched.progress["subject"] == ""]
    return [_finding(watched, row) for row in lines.to_dict("records") if Status(row["status"]) not in GOOD]


def _finding(watched: Watched, said: dict[Any, Any]) -> Finding:
    plan = watched.config.plans[said["plan"]]
    row = plan.rows[said["target"]]
    status = Status(said["status"])
    facts = {
        "plan": plan.slug,
        "row": row.id,
        "clause": row.clause,
        "title": row.title,
        "status_word": WORDS[status],
        "sentence": said["sentence"],
    }
    return Finding(Rule.TARGET, f"{plan.slug}/{row.id}", _since(watched, said), facts, status in BAD)


def _since(watched: Watched, said: dict[Any, Any]) -> Any:
    """The start of the quarter: a case that a person settled rests that long, not for the whole year."""
    zone = watched.config.district.tz
    today = local_date(watched.as_of, zone)
    quarter = date(today.year, 3 * ((today.month - 1) // 3) + 1, 1)
    return midnight(max(quarter, said["start"]), zone)


def ended(watched: Watched, case: Case) -> datetime | None:
    """Now, when the check has a good word for the row."""
    rows = watched.progress[watched.progress["subject"] == ""]
    places = rows["plan"].astype(str) + "/" + rows["target"].astype(str)
    return watched.as_of if rows["status"][places == case.subject].isin(WELL).any() else None
