"""YouTube Analytics for the owner of a channel: whole Pacific days, the last ones not ready yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pipeline.demo.totals import Totals, comings_and_goings
from pipeline.demo.world import Counts
from pipeline.demo.youtube_errors import error

PACIFIC = ZoneInfo("America/Los_Angeles")
READY_AFTER = timedelta(hours=60)
FROM_ITEMS: Mapping[str, Callable[[Counts], int]] = {
    "views": lambda gained: gained.views,
    "engagedViews": lambda gained: gained.views * 7 // 10,
    "likes": lambda gained: gained.reactions,
    "comments": lambda gained: gained.comments,
    "shares": lambda gained: gained.shares,
}
SUBSCRIBERS = ("subscribersGained", "subscribersLost")


def report(totals: Totals, query: Mapping[str, str], at: datetime) -> dict[str, Any]:
    """One table by day; raises Refusal for a question that the real one does not support."""
    metrics = query.get("metrics", "").split(",")
    if query.get("dimensions") != "day" or not {*FROM_ITEMS, *SUBSCRIBERS} >= set(metrics):
        raise error(400, "badRequest", "The query is not supported. Check the documentation.", "global")
    first, last = _window(query)
    first = max(first, totals.account.opened_at.astimezone(PACIFIC).date())
    last = min(last, (at - READY_AFTER).astimezone(PACIFIC).date() - timedelta(days=1))
    days = [first + timedelta(days=passed) for passed in range((last - first).days + 1)]
    return {
        "kind": "youtubeAnalytics#resultTable",
        "columnHeaders": [_header("day"), *map(_header, metrics)],
        "rows": [[day.isoformat(), *_values(totals, day, metrics)] for day in days],
    }


def _window(query: Mapping[str, str]) -> tuple[date, date]:
    try:
        return date.fromisoformat(query.get("startDate", "")), date.fromisoformat(query.get("endDate", ""))
    except ValueError as problem:
        raise error(400, "badRequest", "Invalid startDate or endDate", "global") from problem


def _header(name: str) -> dict[str, str]:
    if name == "day":
        return {"name": name, "columnType": "DIMENSION", "dataType": "STRING"}
    return {"name": name, "columnType": "METRIC", "dataType": "INTEGER"}


def _values(totals: Totals, day: date, metrics: list[str]) -> list[int]:
    start, end = (datetime.combine(one, time(), PACIFIC) for one in (day, day + timedelta(days=1)))
    subscribers = dict(zip(SUBSCRIBERS, comings_and_goings(totals.account, day, start, end), strict=True))
    counted = FROM_ITEMS.keys() & set(metrics)
    gained = totals.gained(start, end) if counted else Counts(0, 0, 0, 0)
    return [subscribers[name] if name in subscribers else FROM_ITEMS[name](gained) for name in metrics]
