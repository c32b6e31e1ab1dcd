"""How much of the allowance is used up, as the answer's headers say (facts: Facebook 1.9)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import msgspec

SPARING = 75.0
"""Percent from which on only the needed calls are made."""
FULL = 90.0
"""Percent from which on the Page is left alone: calls made while throttled prolong the throttle."""
APP_HEADERS = ("x-app-usage", "x-page-usage")
BUSINESS_HEADER = "x-business-use-case-usage"


class Load(msgspec.Struct):
    """One object of a usage header: percentages, and minutes."""

    call_count: float = 0
    total_time: float = 0
    total_cputime: float = 0
    estimated_time_to_regain_access: float = 0

    def percent(self) -> float:
        return max(self.call_count, self.total_time, self.total_cputime)


@dataclass(frozen=True, slots=True)
class Usage:
    """The highest percentage that any header names, and how long to wait when one says so."""

    percent: float = 0.0
    regain: timedelta | None = None

    @property
    def is_sparing(self) -> bool:
        return self.percent >= SPARING

    @property
    def is_full(self) -> bool:
        return self.percent >= FULL


def usage_of(headers: Mapping[str, str]) -> Usage:
    """What the headers say; they are often absent, and unreadable ones say nothing."""
    loads = [*_app_loads(headers), *_business_loads(headers)]
    minutes = max((load.estimated_time_to_regain_access for load in loads), default=0.0)
    percent = max((load.percent() for load in loads), default=0.0)
    return Usage(percent, timedelta(minutes=min(minutes, 1440)) if minutes > 0 else None)


def _app_loads(headers: Mapping[str, str]) -> Iterable[Load]:
    for name in APP_HEADERS:
        try:
            yield msgspec.json.decode(headers.get(name, "{}"), type=Load)
        except msgspec.DecodeError:
            continue


def _business_loads(headers: Mapping[str, str]) -> Iterable[Load]:
    try:
        named = msgspec.json.decode(headers.get(BUSINESS_HEADER, "{}"), type=dict[str, list[Load]])
    except msgspec.DecodeError:
        return
    for loads in named.values():
        yield from loads
