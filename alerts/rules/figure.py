"""A unit has not handed in a figure, or a duty of a plan was not done, and its day has passed."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from alerts.base import Finding, Rule
from alerts.watched import Watched
from metrics.periods import DAY, local_date, midnight
from metrics.words import Status
from store.records import Case

FORGOTTEN = 90 * DAY
"""What is overdue for longer is history: the check shows it, an alert helps nobody."""
REPORTED = (
    Status.MET, Status.ON_PACE, Status.BEHIND, Status.AT_RISK, Status.NOT_MET, Status.SHOWN, Status.DONE_LATE
)  # fmt: skip
"""A unit with a figure has one of these words, however good it is; a duty that was done is met, or done late."""


def find(watched: Watched) -> list[Finding]:
    """One finding for each unit and row, or duty and day, that is overdue for at most 90 days."""
    today = local_date(watched.as_of, watched.config.district.tz)
    rows = watched.progress
    late = rows[(rows["status"] == Status.OVERDUE.value) & (rows["subject"] != "") & rows["due"].notna()]
    found = [(said, said["due"]) for said in late.to_dict("records") if today - said["due"] <= FORGOTTEN]
    return [_finding(watched, said, due, today) for said, due in found]


def _finding(watched: Watched, said: dict[Any, Any], due: date, today: date) -> Finding:
    config = watched.config
    plan = config.plans[said["plan"]]
    row, unit = plan.rows[said["target"]], config.units.get(said["subject"])
    facts = {
        "plan": plan.slug,
        "row": row.id,
        "clause": row.clause,
        "title": row.title,
        "unit": unit.slug if unit else None,
        "unit_name": unit.name if unit else None,
        "due": due.isoformat(),
        "days_late": (today - due).days,
    }
    subject = f"{plan.slug}/{row.id}/{said['subject']}"
    return Finding(Rule.FIGURE, subject, midnight(due + DAY, config.district.tz), facts)


def ended(watched: Watched, case: Case) -> datetime | None:
    """Now, when the check knows the result of that very due day: neither the next one nor the end of a plan is one."""
    rows = watched.progress[watched.progress["status"].isin(REPORTED)]
    places = rows["plan"].astype(str) + "/" + rows["target"].astype(str) + "/" + rows["subject"].astype(str)
    known = {str(due) for due in rows["due"][places == case.subject]}
    return watched.as_of if case.facts.get("due") in known else None
