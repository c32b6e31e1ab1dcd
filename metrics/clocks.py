"""Whose sign of life a post is: the stretches of channels through which every unit speaks.

A unit speaks through the channels that it owns, each in its own time. Until it has posted itself it goes on with the
clock of the units that it follows (mergers, splits), so their channels are its own too as long as they lasted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pandas as pd

from config.models import Channel, Config
from metrics.periods import local_date, midnight

TYPES = {"row": "int64", "channel": "str", "start": "int64", "until": "int64", "shares": "bool", "own": "bool"}
NEVER = 1 << 40
"""An epoch second later than everything: an open end."""


@dataclass(frozen=True)
class Subjects:
    """Who is judged on a day, and through which stretches of which channels."""

    rows: pd.DataFrame
    """kind («unit», «channel»), subject, unit, channels (tuple: those of today), after (working days), kind_of_unit."""
    ties: pd.DataFrame
    """row, channel, start, until (epoch seconds), shares, own (False: of a unit before it)."""

    @classmethod
    def of(cls, config: Config, as_of: datetime) -> Subjects:
        today = local_date(as_of, config.district.tz)
        rows, ties = [], []
        for row, (facts, own, taken_over) in enumerate(_subjects(config, today)):
            rows.append(facts)
            ties += [(row, *stretch, True) for stretch in own] + [(row, *stretch, False) for stretch in taken_over]
        columns = ["kind", "subject", "unit", "channels", "after", "kind_of_unit"]
        tied = pd.DataFrame(ties, columns=list(TYPES))
        return cls(pd.DataFrame(rows, columns=columns), tied.astype(TYPES))


Stretch = tuple[str, int, int, bool]
Listed = tuple[tuple[Any, ...], list[Stretch], list[Stretch]]


def _subjects(config: Config, today: date) -> Iterator[Listed]:
    """Every grassroots unit in force, then every watched channel that somebody owns; each with its stretches."""
    by_unit: dict[str, list[Stretch]] = {}
    of_today: dict[str, list[str]] = {}
    channels = [(channel, owner) for channel in config.watched() if (owner := channel.owner_on(today)) is not None]
    for channel in config.watched():
        for name, stretch in _stretches(config, channel, today):
            by_unit.setdefault(name, []).append(stretch)
    for channel, owner in channels:
        of_today.setdefault(owner, []).append(channel.slug)
    before = _predecessors(config, today)
    for slug, unit in config.units.items():
        if unit.is_valid_on(today) and config.district.kinds[unit.kind].grassroots:
            taken_over = [one for old in sorted(_line(slug, before, set())) for one in by_unit.get(old, ())]
            yield _facts(config, "unit", slug, slug, tuple(of_today.get(slug, ()))), by_unit.get(slug, []), taken_over
    for channel, owner in channels:
        own = [stretch for _, stretch in _stretches(config, channel, today)]
        yield _facts(config, "channel", channel.slug, owner, (channel.slug,)), own, []


def _facts(config: Config, kind: str, subject: str, unit: str, channels: tuple[str, ...]) -> tuple[Any, ...]:
    kind_of_unit = config.units[unit].kind
    silence = config.alerts.silence_for(kind_of_unit)
    return kind, subject, unit, channels, silence.interval + silence.grace, kind_of_unit


def _stretches(config: Config, channel: Channel, today: date) -> Iterator[tuple[str, Stretch]]:
    for owner in channel.owners:
        if owner.start <= today:
            shares = config.alerts.silence_for(config.units[owner.unit].kind).shares
            yield owner.unit, (channel.slug, _second(config, owner.start), _second(config, owner.until), shares)


def _second(config: Config, day: date | None) -> int:
    return NEVER if day is None else int(midnight(day, config.district.tz).timestamp())


def _predecessors(config: Config, today: date) -> dict[str, list[str]]:
    """The units that have ended by today, under each of their successors."""
    before: dict[str, list[str]] = {}
    for slug, unit in config.units.items():
        if unit.until is not None and unit.until <= today:
            for heir in unit.successors:
                before.setdefault(heir, []).append(slug)
    return before


def _line(slug: str, before: Mapping[str, list[str]], seen: set[str]) -> set[str]:
    """All units that a unit follows, and those that they followed."""
    for name in before.get(slug, ()):
        if name not in seen:
            seen.add(name)
            _line(name, before, seen)
    return seen
