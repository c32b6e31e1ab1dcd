"""A consent ends within 30 days, or the platform refuses it: only a person can give it again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from alerts.base import Finding, Rule
from alerts.rules.facts import day_text
from alerts.rules.source import dark_since, failing, finished
from alerts.watched import TokenEnd, Watched
from config.models import Channel
from store.records import Case

AHEAD = timedelta(days=30)
REFUSED = "auth"
"""The outcome of looks that only a new consent can change; a hidden page is told as a source."""


def find(watched: Watched) -> list[Finding]:
    """Every consent that a person has to renew; it began 30 days before the end, or when it was refused.

    A consent that opens many channels may be good while the owner of one of them took it back: its looks tell.
    """
    return [_finding(watched, one) for one in watched.tokens] + list(_refused(watched))


def _finding(watched: Watched, one: TokenEnd) -> Finding:
    channel = watched.config.channels.get(one.channel)
    facts = {
        "name": one.name,
        "title": one.title,
        "channel": one.channel,
        "channel_name": channel.name if channel else one.title,
        "platform": one.title.partition(":")[0],
        "ends": day_text(one.ends_at, watched.config.district.tz),
        "days_left": one.days_left,
        "fix": one.fix,
    }
    since = one.noticed_at if one.ends_at is None else min(one.ends_at - AHEAD, watched.as_of)
    return Finding(Rule.TOKEN, one.name, since, facts)


def _refused(watched: Watched) -> Iterator[Finding]:
    """The channels that fail for want of a permission, unless their own consent tells it already."""
    told = {one.channel for one in watched.tokens}
    for row in failing(finished(watched)).to_dict("records"):
        channel = watched.config.channels.get(row["channel"])
        if channel is not None and row["outcome"] == REFUSED and channel.slug not in told:
            yield _of_channel(watched, channel, row)


def _of_channel(watched: Watched, channel: Channel, row: dict[Any, Any]) -> Finding:
    facts = {
        "name": channel.slug,
        "title": channel.name,
        "channel": channel.slug,
        "channel_name": channel.name,
        "platform": channel.platform,
        "ends": None,
        "days_left": None,
        "fix": row["error"],
    }
    return Finding(Rule.TOKEN, f"channel:{channel.slug}", dark_since(watched, row), facts)


def ended(watched: Watched, case: Case) -> datetime | None:
    """Now, when that consent works again; or the moment when a channel that was refused was read since."""
    if case.subject in watched.consents:
        return watched.as_of
    read = watched.last_done.get(case.facts.get("channel") or "")
    refused = case.facts.get("ends") is None
    return read if refused and read and case.opened_at < read <= watched.as_of else None
