"""When messages may leave: the hour of the digest, quiet hours, holidays. Local times of the district."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime

from alerts.wording import Kind
from config.alert_models import Hours
from config.models import District
from metrics.calendar import WEEKDAYS, public_holidays
from metrics.periods import WEEK, week_of


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment at which a digest may leave."""

    kind: Kind
    day: date
    """The local day that the digest is of."""
    is_holiday: bool
    """Only what cannot wait is told."""

    @property
    def week(self) -> str:
        """«2026-W47»: the week before, which a weekly digest sums up."""
        return _week_before(self.day)


@dataclass(frozen=True, slots=True)
class Made:
    """The digests that lie in the outbox, by what their keys say: the clock may have been wrong when they were made."""

    days: AbstractSet[date] = frozenset()
    """Local days of which a digest was made."""
    weeks: AbstractSet[str] = frozenset()
    """Weeks that were summed up."""


NOTHING = Made()


def digest_moment(now: datetime, hours: Hours, district: District, made: Made = NOTHING) -> Moment | None:
    """Which digest may leave at *now*; None in quiet hours, before the hour of that day's digest, and after it.

    The weekly one takes the place of the daily one on the first working day of an ISO week: on Monday, unless
    that is a holiday. When we stood still then, it leaves with the first digest afterwards, if we were at work in
    the week that it sums up. A week without a working day has none.
    """
    local = now.astimezone(district.tz)
    day, at = local.date(), local.time()
    kind: Kind = "weekly" if _is_weekly(day, district, made) else "daily"
    if at < (hours.weekly_at if kind == "weekly" else hours.digest_at) or hours.are_quiet_at(at):
        return None
    return None if day in made.days else Moment(kind, day, is_holiday(day, district))


def _is_weekly(day: date, district: District, made: Made) -> bool:
    first = first_working_day(day, district)
    if first is None or day < first or _week_before(day) in made.weeks:
        return False
    worked = not made.days.isdisjoint(week_of(day - WEEK, district.tz).days())
    return day == first or worked


def _week_before(day: date) -> str:
    year, week, _ = (day - WEEK).isocalendar()
    return f"{year}-W{week:02}"


def first_working_day(day: date, district: District) -> date | None:
    """The first day of the week of *day* that is neither a holiday nor a rest weekday; None when there is none."""
    rest = district.calendar.rest_weekdays
    working = (one for one in week_of(day, district.tz).days() if WEEKDAYS[one.weekday()] not in rest)
    return next((one for one in working if not is_holiday(one, district)), None)


def is_holiday(day: date, district: District) -> bool:
    """A public holiday, or a day that the district added to its calendar; not a mere rest weekday."""
    calendar = district.calendar
    if day in calendar.remove:
        return False
    return day in {named.day for named in calendar.add} or (
        calendar.public_holidays and day in public_holidays(day.year)
    )
