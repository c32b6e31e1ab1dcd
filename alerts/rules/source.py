"""A channel could not be read three times in a row: our side, a dead site, or a permission that went."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pandas as pd

from alerts.base import Finding, Rule
from alerts.rules.facts import moment
from alerts.watched import Watched
from metrics.periods import local_date, midnight
from store.records import Case

IN_A_ROW = 3
FEWEST = 3
"""So many channels must fail together before it is the network rather than they."""


def find(watched: Watched) -> list[Finding]:
    """Channels whose last three looks failed; as unsure those that were not looked at, or that fail all together."""
    looks = finished(watched)
    runs = failing(looks)
    sure = not network_is_down(looks)
    unseen = {channel.slug for channel in watched.config.watched()} - set(looks["channel"].astype(str))
    found = [_finding(watched, row, sure=sure) for row in runs.to_dict("records")]
    return found + [Finding(Rule.SOURCE, slug, watched.as_of, {}, sure=False) for slug in sorted(unseen)]


def finished(watched: Watched) -> pd.DataFrame:
    """The finished looks that are known, in order of channel and time."""
    looks = watched.looks[watched.looks["state"].isin(["done", "failed"])]
    return looks[looks["started_at"] <= watched.as_of].sort_values(["channel", "started_at"])


def failing(looks: pd.DataFrame) -> pd.DataFrame:
    """The channels whose last three looks failed: channel, first (moment), error and outcome of the last.

    *looks* are finished ones, in order of channel and time.
    """
    failed = looks["state"] == "failed"
    later_good = (~failed)[::-1].groupby(looks["channel"][::-1], sort=False).cumsum()[::-1]
    run = looks[later_good == 0]
    grouped = run.groupby("channel", sort=True)
    rows = grouped.agg(
        first=("started_at", "first"), error=("error", "last"), outcome=("outcome", "last"), times=("state", "size")
    )
    return rows[rows["times"] >= IN_A_ROW].reset_index()


def network_is_down(looks: pd.DataFrame) -> bool:
    """Whether the newest look of every channel failed on the network: then it is ours, and one alert tells it."""
    newest = looks.groupby("channel").tail(1)
    return len(newest) >= FEWEST and bool((newest["outcome"] == "network").all())


def _finding(watched: Watched, row: dict[Any, Any], *, sure: bool) -> Finding:
    config, slug = watched.config, row["channel"]
    channel = config.channels.get(slug)
    owner = channel.owner_on(local_date(watched.as_of, config.district.tz)) if channel else None
    read = watched.last_done.get(slug)
    facts = {
        "channel": slug,
        "channel_name": channel.name if channel else slug,
        "unit_name": config.units[owner].name if owner else None,
        "failed_since": read and read.isoformat(),
        "error": row["error"],
    }
    return Finding(Rule.SOURCE, slug, dark_since(watched, row), facts, sure and channel is not None)


def dark_since(watched: Watched, row: dict[Any, Any]) -> datetime:
    """Since when nothing is known of a failing channel: its last good look, else since it has an owner.

    A channel that left the configuration meanwhile: since the first failure in sight.
    """
    read, channel = watched.last_done.get(row["channel"]), watched.config.channels.get(row["channel"])
    if read is not None or channel is None:
        return read or moment(row["first"])
    return midnight(min(owner.start for owner in channel.owners), watched.config.district.tz)


def ended(watched: Watched, case: Case) -> datetime | None:
    """The newest good look, when it is later than the beginning."""
    read = watched.last_done.get(case.subject)
    return read if read and case.since < read <= watched.as_of else None
