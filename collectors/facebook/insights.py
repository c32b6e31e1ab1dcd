"""The daily history of followers, which Facebook keeps for two years: a baseline can be recovered from it.

A day ends at midnight in California (07:00 or 08:00 UTC), and its value is settled three days later: only
settled days are taken, so nothing ever has to be revised. Gaps stay gaps (facts: Facebook 1.8).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from collectors.base import CollectError
from collectors.facebook.errors import FACEBOOK, DeadMetricError
from collectors.facebook.graph import Graph
from collectors.facebook.known import Known, is_due, moment, seconds
from collectors.facebook.posts import moment_of
from collectors.payload import Count
from collectors.refusals import understood
from store.records import Snapshot, Source

FOLLOWERS = "page_follows"
"""Followers in all at the end of a day; the only metric that is a count of ours, so the only one asked for."""
DEAD = ("page_fans", "page_fan_adds", "page_fan_removes", "page_impressions", "page_impressions_unique")
"""Gone since 2025-11-15, whatever old guides say; naming one rejects the whole request."""

WINDOW = timedelta(days=90)
HISTORY = timedelta(days=730)
SETTLED = timedelta(days=3)
ASK_EVERY = timedelta(hours=20)
ASK_DEAD_AGAIN = timedelta(days=30)
MOST_WINDOWS = 9

GONE_METRIC = (
    "Facebook không còn cho số người theo dõi từng ngày ({metric}), chỉ còn số tại lúc đọc. "
    "Đề nghị báo người bảo trì hệ thống."
)
TOO_SMALL = (
    "Facebook chưa có số người theo dõi từng ngày của Trang này (thường vì Trang dưới 100 người theo dõi). "
    "Đề nghị nhập tay số gốc đầu kỳ nếu cần."
)
FAILED = "Chưa đọc được số người theo dõi từng ngày. {sentence}"


class Value(msgspec.Struct):
    end_time: str
    value: Count | None = None


class Metric(msgspec.Struct):
    name: str
    values: list[Value] = []


class Insights(msgspec.Struct):
    data: list[Metric]


@dataclass(frozen=True, slots=True)
class History:
    """Daily snapshots that were not known yet, what there is to tell, and what the next look should know."""

    known: Known
    snapshots: tuple[Snapshot, ...] = ()
    notes: tuple[str, ...] = ()


def parse_history(body: bytes, settled_by: datetime) -> tuple[Snapshot, ...]:
    """The settled days of the answer, oldest first; a day without a value does not exist."""
    return tuple(
        Snapshot(at, Source.FACEBOOK_INSIGHTS, followers=day.value)
        for metric in understood(body, Insights, FACEBOOK).data
        if metric.name == FOLLOWERS
        for day in metric.values
        if day.value is not None and (at := moment_of(day.end_time)) <= settled_by
    )


async def read_history(graph: Graph, page: str, known: Known) -> History:
    """New settled days since the last look, at most once a day; a refusal is a note and fails nothing."""
    now = graph.look.now
    died_at = known.dead.get(FOLLOWERS)
    if died_at is not None and not is_due(died_at, now, ASK_DEAD_AGAIN):
        return History(known, notes=(GONE_METRIC.format(metric=FOLLOWERS),))
    if graph.usage.is_sparing or not is_due(known.history_at, now, ASK_EVERY):
        return History(known)
    return await _walked(graph, page, msgspec.structs.replace(known, history_at=seconds(now), dead={}))


async def _walked(graph: Graph, page: str, known: Known) -> History:
    """Oldest window first: what a failure cuts off is read on from there the next day."""
    now, days, asked = graph.look.now, dict[datetime, Snapshot](), 0
    for since, until in windows(start_of(known, graph), now):
        try:
            found = await _window(graph, page, since, until)
        except CollectError as error:
            return failed(known, tuple(days.values()), error, now)
        days |= {day.observed_at: day for day in found if day.observed_at > since}
        known = msgspec.structs.replace(known, history_until=reached(since, until, found, now))
        asked += 1
        if graph.usage.is_sparing:
            return History(known, tuple(days.values()))
    return told(known, tuple(days.values()), asked)


async def _window(graph: Graph, page: str, since: datetime, until: datetime) -> tuple[Snapshot, ...]:
    query = {"metric": FOLLOWERS, "period": "day", "since": f"{since:%Y-%m-%d}", "until": f"{until:%Y-%m-%d}"}
    return parse_history(await graph.get(f"{page}/insights", query), graph.look.now - SETTLED)


def start_of(known: Known, graph: Graph) -> datetime:
    """Where reading goes on: after the last stored day, at first a little before the horizon, 2 years at most."""
    earliest = graph.look.now - HISTORY + timedelta(days=1)
    wanted = graph.look.horizon - SETTLED if known.history_until is None else moment(known.history_until)
    return max(earliest, wanted)


def windows(start: datetime, now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Stretches of at most 90 days from *start* to *now*."""
    for _ in range(MOST_WINDOWS):
        if now - start <= SETTLED:
            return
        yield start, min(start + WINDOW, now)
        start += WINDOW


def reached(since: datetime, until: datetime, found: tuple[Snapshot, ...], now: datetime) -> int:
    """Up to where history is read: a settled window counts also when it is empty, the last one ends with its days."""
    if until <= now - SETTLED:
        return seconds(until)
    return seconds(max((day.observed_at for day in found), default=since))


def failed(known: Known, days: tuple[Snapshot, ...], error: CollectError, now: datetime) -> History:
    if isinstance(error, DeadMetricError):
        dead = msgspec.structs.replace(known, dead={FOLLOWERS: seconds(now)})
        return History(dead, days, (GONE_METRIC.format(metric=FOLLOWERS),))
    return History(known, days, (FAILED.format(sentence=error.sentence),))


def told(known: Known, days: tuple[Snapshot, ...], asked: int) -> History:
    """A Page that never had any history is told of once."""
    if days:
        return History(msgspec.structs.replace(known, history="some"), days)
    if known.history or not asked:
        return History(known)
    return History(msgspec.structs.replace(known, history="none"), notes=(TOO_SMALL,))
