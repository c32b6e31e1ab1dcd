"""Our own schedule stood still, or nothing on the network answers: what was not looked at is told as ours."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pandas as pd

from alerts.base import Finding, Rule
from alerts.rules.facts import moment
from alerts.rules.source import finished, network_is_down
from alerts.watched import Watched
from metrics.periods import DAY

SLACK = timedelta(hours=2)
"""So long after its hour a look may still come."""


def find(watched: Watched) -> list[Finding]:
    """A stop that is not over for a day yet, a schedule that stands still now, a network on which nothing answers."""
    return [*_schedule(watched), *_network(watched)]


def _schedule(watched: Watched) -> list[Finding]:
    stop, late = last_stop(watched), _overdue(watched)
    if stop.empty and late is None:
        return []
    since = moment(stop["slot"].min()) if len(stop) else late
    looks = watched.looks
    ended = None if late is not None or looks.empty else moment(looks["started_at"].max()).isoformat()
    facts = {
        "since": since.isoformat(),
        "until": ended,
        "missed": int(stop["channels"].sum()),
        "detail": "schedule",
    }
    return [Finding(Rule.PIPELINE, "schedule", since, facts)]


def last_stop(watched: Watched) -> pd.DataFrame:
    """The missed looks of the newest stop, if it ended less than a day ago: rows of `missed` that follow each other."""
    missed = watched.missed.sort_values("slot")
    apart = missed["slot"].diff() > longest_gap(watched)
    newest = missed[apart.cumsum() == apart.sum()]
    return newest if len(newest) and newest["slot"].max() > watched.as_of - DAY else missed[:0]


def _overdue(watched: Watched) -> Any:
    """Since when a scheduled look is owed that nobody began, None when all is well or nothing was ever looked at."""
    if watched.looks.empty:
        return None
    newest = moment(watched.looks["started_at"].max())
    allowed = newest + longest_gap(watched) + SLACK
    return allowed if allowed < watched.as_of else None


def longest_gap(watched: Watched) -> timedelta:
    """The longest time between two scheduled looks."""
    minutes = sorted(at.hour * 60 + at.minute for at in watched.config.district.schedule.looks_at)
    following = [*minutes[1:], minutes[0] + DAY // timedelta(minutes=1)]
    return timedelta(minutes=max(after - before for before, after in zip(minutes, following, strict=True)))


def _network(watched: Watched) -> list[Finding]:
    looks = finished(watched)
    if not network_is_down(looks):
        return []
    newest = looks.groupby("channel").tail(1)
    since = moment(newest["started_at"].min())
    facts = {"since": since.isoformat(), "until": None, "missed": len(newest), "detail": "network"}
    return [Finding(Rule.PIPELINE, "network", since, facts)]
