"""When messages may leave: the hour of the digest, quiet hours, holidays. Local times of the district."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time

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
        year, week, _ = (self.day - WEEK).isocalendar()
        return f"{year}-W{week:02}"


def digest_moment(now: datetime, hours: Hours, district: District) -> Moment | None:
    """Which digest may leave at *now*; None in quiet hours and before the hour of that day's digest.

    The weekly one takes the place of the daily one on the first working day of an ISO week: on Monday, unless
    that is a holiday. A week without a working day has none.
    """
    local = now.astimezone(district.tz)
    day, at = local.date(), local.time()
    kind: Kind = "weekly" if day == first_working_day(day, district) else "daily"
    if at < (hours.weekly_at if kind == "weekly" else hours.digest_at) or is_quiet(at, hours):
        return None
    return Moment(kind, day, is_holiday(day, district))


def is_quiet(at: time, hours: Hours) -> bool:
    """Whether nobody is to be disturbed at this local time: `[quiet_from, quiet_until)`, over midnight or not."""
    start, end = hours.quiet_from, hours.quiet_until
    return start <= at < end if start <= end else at >= start or at < end


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
