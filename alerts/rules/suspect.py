"""A count is held back until a second reading agrees or a person says that it is right."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from alerts.base import Finding, Rule
from alerts.rules.facts import moment, optional
from alerts.watched import Watched
from store.records import KEPT_FOR, KEYED_PLATFORM, Case

NAMES = {"followers": "lượt theo dõi", "likes": "lượt thích", "posts": "số bài", "views": "lượt xem"}
"""In the order of the bits that say which count is doubted."""


def find(watched: Watched) -> list[Finding]:
    """One finding per channel, about its oldest count that waits for a word."""
    known = watched.suspects[watched.suspects["observed_at"] <= watched.as_of]
    first = known.sort_values(["channel", "observed_at"]).drop_duplicates("channel")
    return [_finding(watched, row) for row in first.to_dict("records")]


def _finding(watched: Watched, row: dict[Any, Any]) -> Finding:
    channel = watched.config.channels.get(row["channel"])
    count = next(name for place, name in enumerate(NAMES) if int(row["suspect"]) >> place & 1)
    at = moment(row["observed_at"])
    facts = {
        "channel": row["channel"],
        "channel_name": channel.name if channel else row["channel"],
        "count_name": NAMES[count],
        "value": optional(row[count]),
        "at": at.isoformat(),
    }
    return Finding(Rule.SUSPECT, row["channel"], at, facts)


def ended(watched: Watched, case: Case) -> datetime | None:
    """Now: a doubted count leaves the list by a second reading or a person's word, or when it may no longer be kept."""
    channel = watched.config.channels.get(case.subject)
    keyed = channel is None or channel.platform == KEYED_PLATFORM
    return None if keyed and case.since < watched.as_of - min(KEPT_FOR.values()) else watched.as_of
