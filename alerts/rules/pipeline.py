"""Our own schedule stood still, or nothing on the network answers: what was not looked at is told as ours."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pandas as pd

from alerts.base import Finding, Rule
from alerts.rules import outbox
from alerts.rules.facts import moment
from alerts.rules.source import finished, network_is_down
from alerts.watched import Watched
from metrics.periods import DAY
from metrics.proof import SLACK, longest_gap
from store.records import Case


def find(watched: Watched) -> list[Finding]:
    """A stop that is not over for a day yet, a schedule that stands still now, a network on which nothing answers.

    And messages that reached nobody.
    """
    return [*_schedule(watched), *_network(watched), *outbox.find(watched)]


def _schedule(watched: Watched) -> list[Finding]:
    stop, late = last_stop(watched), _overdue(watched)
    if stop.empty and late is None:
        return []
    since = moment(stop["slot"].min()) if len(stop) else late
    ended = None if late is not None else _first_look_after(stop, watched.looks)
    facts = {
        "since": since.isoformat(),
        "until": ended and ended.isoformat(),
        "missed": int(stop["channels"].sum()),
        "detail": "schedule",
    }
    return [Finding(Rule.PIPELINE, "schedule", since, facts)]


def last_stop(watched: Watched) -> pd.DataFrame:
    """The missed looks of the newest stop, if it ended less than a day ago: rows of `missed` that follow each other."""
    missed = watched.missed.sort_values("slot")
    apart = missed["slot"].diff() > longest_gap(watched.config.district.schedule)
    newest = missed[apart.cumsum() == apart.sum()]
    return newest if len(newest) and newest["slot"].max() > watched.as_of - DAY else missed[:0]


def _first_look_after(stop: pd.DataFrame, looks: pd.DataFrame) -> datetime | None:
    later = looks.loc[looks["started_at"] > stop["slot"].max(), "started_at"]
    return None if later.empty else moment(later.min())


def _overdue(watched: Watched) -> Any:
    """Since when a scheduled look is owed that nobody began, None when all is well or nothing was ever looked at."""
    if watched.looks.empty:
        return None
    newest = moment(watched.looks["started_at"].max())
    allowed = newest + longest_gap(watched.config.district.schedule) + SLACK
    return allowed if allowed < watched.as_of else None


def _network(watched: Watched) -> list[Finding]:
    looks = finished(watched)
    if not network_is_down(looks):
        return []
    newest = looks.groupby("channel").tail(1)
    since = moment(newest["started_at"].min())
    facts = {"since": since.isoformat(), "until": None, "missed": len(newest), "detail": "network"}
    return [Finding(Rule.PIPELINE, "network", since, facts)]


def ended(watched: Watched, case: Case) -> datetime | None:
    """Now, when channels were looked at again; after a dead network one must have been read, too."""
    states = ["done"] if case.subject == "network" else ["done", "failed"]
    again = watched.looks[watched.looks["state"].isin(states) & (watched.looks["started_at"] > case.since)]
    return watched.as_of if len(again) and case.subject != outbox.SUBJECT else None
