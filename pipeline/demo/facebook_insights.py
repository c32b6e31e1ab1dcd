"""Daily insights of a simulated Page: 93 days a question, two years back, days that end at midnight Pacific."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pipeline.demo.facebook_errors import bad_parameter, error
from pipeline.demo.facebook_posts import moment
from pipeline.demo.totals import Totals, chance, comings_and_goings
from pipeline.demo.world import Account, Trouble

PACIFIC = ZoneInfo("America/Los_Angeles")
LONGEST = timedelta(days=93)
KEPT = timedelta(days=730)
KEPT_WHEN_HIDDEN = timedelta(days=5)
SETTLING = timedelta(hours=30)
"""A day appears so long after its end."""
ONE_GAP_IN = 60
"""One day in so many is missing."""
SMALL_PAGE = 100

Measure = Callable[[Totals, date, datetime, datetime], int]


def _follows(totals: Totals, _: date, __: datetime, end: datetime) -> int:
    return totals.account.followers(end)


def _won(totals: Totals, day: date, start: datetime, end: datetime) -> int:
    return comings_and_goings(totals.account, day, start, end)[0]


def _lost(totals: Totals, day: date, start: datetime, end: datetime) -> int:
    return comings_and_goings(totals.account, day, start, end)[1]


def _engagements(totals: Totals, _: date, start: datetime, end: datetime) -> int:
    gained = totals.gained(start, end)
    return gained.reactions + gained.comments + gained.shares


def _views(totals: Totals, _: date, start: datetime, end: datetime) -> int:
    return totals.gained(start, end).views


def _viewers(totals: Totals, _: date, start: datetime, end: datetime) -> int:
    return totals.gained(start, end).views * 3 // 5


def _visits(totals: Totals, _: date, start: datetime, end: datetime) -> int:
    return totals.gained(start, end).views // 40


METRICS: Mapping[str, Measure] = {
    "page_follows": _follows,
    "page_daily_follows": _won,
    "page_daily_follows_unique": _won,
    "page_daily_unfollows_unique": _lost,
    "page_post_engagements": _engagements,
    "page_media_view": _views,
    "page_total_media_view_unique": _viewers,
    "page_views_total": _visits,
}
"""The metrics that live; one that does not rejects the whole question."""


def insights(totals: Totals, at: datetime, query: Mapping[str, str], url: str) -> dict[str, Any]:
    """The answer to one question; raises Refusal. A Page under 100 followers gets an empty one."""
    metrics = _metrics(query.get("metric", ""))
    if query.get("period", "day") != "day":
        raise bad_parameter("The value of period must be day for this simulated Page")
    since, until = _window(query, at)
    if totals.account.followers(at) < SMALL_PAGE:
        return {"data": [], "paging": {}}
    ends = list(_day_ends(totals.account, at, since, until))
    step = until - since
    return {
        "data": [_series(totals, metric, ends) for metric in metrics],
        "paging": {
            "previous": f"{url}&since={int((since - step).timestamp())}&until={int(since.timestamp())}",
            "next": f"{url}&since={int(until.timestamp())}&until={int((until + step).timestamp())}",
        },
    }


def _metrics(text: str) -> list[str]:
    names = [name for name in text.split(",") if name]
    if not names:
        message = (
            "No metric was specified to be fetched. Please specify one or more metrics to be fetched and try again."
        )
        raise error(3001, message, subcode=1504028)
    if not METRICS.keys() >= set(names):
        raise bad_parameter("The value must be a valid insights metric")
    return names


def _window(query: Mapping[str, str], at: datetime) -> tuple[datetime, datetime]:
    until = _moment(query.get("until")) or at
    since = _moment(query.get("since")) or until - timedelta(days=2)
    if until - since > LONGEST:
        raise bad_parameter("There cannot be more than 93 days (8035200 s) between since and until")
    return since, until


def _moment(text: str | None) -> datetime | None:
    """A day (its midnight Pacific) or a unix second."""
    if not text:
        return None
    try:
        if text.isdecimal():
            return datetime.fromtimestamp(int(text), UTC)
        return _midnight(date.fromisoformat(text))
    except (ValueError, OverflowError) as problem:
        raise bad_parameter("Invalid parameter: since and until must be dates or unix seconds") from problem


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), PACIFIC).astimezone(UTC)


def _day_ends(account: Account, at: datetime, since: datetime, until: datetime) -> Iterator[datetime]:
    """The ends of the days that are known: not the last ones, not before the Page, and one in sixty is missing."""
    kept = KEPT_WHEN_HIDDEN if account.has(Trouble.UNPUBLISHED, at) else KEPT
    earliest = max(since, at - kept, account.opened_at)
    day = since.astimezone(PACIFIC).date()
    while (end := _midnight(day := day + timedelta(days=1))) <= min(until, at - SETTLING):
        if end > earliest and chance(ONE_GAP_IN, account.id, day):
            yield end


def _series(totals: Totals, metric: str, ends: list[datetime]) -> dict[str, Any]:
    measure = METRICS[metric]
    values = []
    for end in ends:
        day = end.astimezone(PACIFIC).date() - timedelta(days=1)
        values.append({"value": measure(totals, day, _midnight(day), end), "end_time": moment(end)})
    return {
        "name": metric,
        "period": "day",
        "values": values,
        "title": metric,
        "description": metric,
        "id": f"{totals.account.id}/insights/{metric}/day",
    }
