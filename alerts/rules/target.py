"""A row of a plan is at risk, as the check says."""

from __future__ import annotations

from datetime import date
from typing import Any

from alerts.base import Finding, Rule
from alerts.watched import Watched
from metrics.periods import local_date, midnight
from metrics.words import WORDS, Status

BAD = (Status.AT_RISK, Status.NOT_MET)
GOOD = (Status.MET, Status.ON_PACE, Status.BEHIND, Status.SHOWN, Status.STANDING, Status.NOT_DUE, Status.DONE_LATE)


def find(watched: Watched) -> list[Finding]:
    """The rows that are at risk or not reached, and as unsure those that cannot be judged."""
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
