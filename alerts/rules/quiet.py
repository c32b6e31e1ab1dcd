"""A unit published nothing for too long, and complete looks prove it (facts: fair silence)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from alerts.base import Finding, Rule
from alerts.rules.facts import day_text, moment, names_of, optional
from alerts.watched import Watched
from metrics.quiet import State
from store.records import Case

UNSURE = (State.UNKNOWN.value, State.RESTING.value)
SECOND = timedelta(seconds=1)
"""A deadline is the end of a local day: that day is its last one."""


def find(watched: Watched) -> list[Finding]:
    """The quiet units for sure, and as unsure those that rest or could not be seen up to now.

    `since` is the deadline after the last own post: it stays as long as there is no newer one.
    """
    frame = watched.quiet
    rows = frame[(frame["kind"] == "unit") & frame["state"].isin([State.QUIET.value, *UNSURE])]
    return [_finding(watched, row) for row in rows.to_dict("records")]


def _finding(watched: Watched, row: dict[Any, Any]) -> Finding:
    config, slug = watched.config, row["subject"]
    zone = config.district.tz
    due = None if optional(row["due_at"]) is None else moment(row["due_at"])
    facts = {
        "unit": slug,
        "unit_name": config.units[slug].name,
        "last_post": day_text(optional(row["last_post_at"]), zone),
        "silent_days": optional(row["silent_days"]),
        "seen_until": day_text(optional(row["proved_until"]), zone),
        "due": day_text(due and due - SECOND, zone),
        "rhythm_days": _rhythm(optional(row["own_rhythm_days"])),
        "notes": list(row["notes"]),
        "channels": list(row["channels"]),
        "channel_names": names_of(row["channels"], config.channels),
    }
    sure = row["state"] == State.QUIET.value
    return Finding(Rule.QUIET, slug, due or watched.as_of, facts, sure)


def ended(watched: Watched, case: Case) -> datetime | None:
    """The newest own post, when it is of a later day than the last one that was known when the case was opened."""
    frame, known = watched.quiet, case.facts.get("last_post")
    unit = frame[(frame["kind"] == "unit") & (frame["subject"] == case.subject)]
    posted = next((moment(at) for at in unit["last_post_at"].dropna()), None)
    day = day_text(posted, watched.config.district.tz)
    return posted if day and (known is None or day > known) else None


def _rhythm(days: float | None) -> int | None:
    """Whole days between its own posts; several posts a day are no hint worth a sentence."""
    return round(days) if days is not None and days >= 1 else None
