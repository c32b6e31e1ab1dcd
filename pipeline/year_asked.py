"""Which year is asked for: its days, its cut-off, and the moment at which it is judged."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd

from config.models import Config
from config.plan_models import Plan
from metrics.periods import DAY, YEARS, Period, local_date, reporting_year
from pipeline.problems import UserError
from pipeline.questions import Moment
from store.verbs import Store

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

SECOND = timedelta(seconds=1)
LEAP = 2024


@dataclass(frozen=True)
class Year:
    """A reporting year of one district, judged at one moment."""

    config: Config
    store: Store
    number: int
    cut_off: str
    """Its last day, «MM-DD»."""
    as_of: datetime
    """When it is judged: a day after its end at the latest, for looks of that day prove the last day of the year."""
    known_at: datetime
    """Figures that units hand in are those known at this moment: reports about a year come after its end."""

    @property
    def zone(self) -> ZoneInfo:
        return self.config.district.tz

    @property
    def period(self) -> Period:
        return reporting_year(self.number, self.cut_off, self.zone)

    @property
    def until(self) -> datetime:
        """The cut-off: counts and posts after it are not in the numbers."""
        return min(self.as_of, self.period.end_at - SECOND)

    @property
    def days(self) -> Period:
        """The days that have begun."""
        return replace(self.period, end=min(self.period.end, local_date(self.until, self.zone) + DAY))

    @property
    def is_over(self) -> bool:
        return self.as_of >= self.period.end_at

    @property
    def plans(self) -> list[Plan]:
        """Those that bound on some day of the year, in the order of the district."""
        last = self.days.last
        return [plan for plan in self.config.plans.values() if plan.binds_on(last) or _touches(plan, self.days)]

    def moment(self) -> YearMoment:
        figures = self.store.figures(self.known_at)
        return YearMoment(self.config, self.as_of, self.period, figures.assign(at=_by(figures["at"], self.as_of)))


class YearMoment(Moment):
    """A moment after the year whose questions are still those of the year."""

    @property
    def today(self) -> date:
        return min(super().today, self.period.last)


def year_asked(config: Config, store: Store, number: int, cut_off: str | None, now: datetime) -> Year:
    """UserError for a year that has not begun, or a day that is none."""
    if number not in YEARS:
        raise UserError(f"Không hiểu năm «{number}». Đề nghị viết như 2026.")
    day = district_cut_off(config) if cut_off is None else parse_cut_off(cut_off)
    at = now.replace(microsecond=0)
    year = Year(config, store, number, day, at, at)
    if year.period.start_at > at:
        raise UserError(
            f"Năm báo cáo {number} bắt đầu ngày {year.period.start:%d/%m/%Y} nên chưa có gì để báo cáo. "
            "Đề nghị chọn năm khác."
        )
    return replace(year, as_of=min(at, year.period.end_at + DAY))


def district_cut_off(config: Config) -> str:
    return config.district.reporting_year.cut_off


def parse_cut_off(text: str) -> str:
    """«14/12», as people write it, or «12-14», as the configuration does, as «12-14»."""
    parts = re.fullmatch(r"(?P<day>\d{1,2})/(?P<month>\d{1,2})|(?P<m>\d{2})-(?P<d>\d{2})", text.strip(), re.ASCII)
    if parts is not None:
        month, day = int(parts["month"] or parts["m"]), int(parts["day"] or parts["d"])
        try:
            return f"{date(LEAP, month, day):%m-%d}"
        except ValueError:
            pass
    raise UserError(f"Không hiểu ngày chốt số liệu «{text[:20]}». Đề nghị viết như 14/12 hoặc 12-14.")


def _touches(plan: Plan, days: Period) -> bool:
    span = plan.in_force
    return span.start < days.end and (span.until is None or days.start < span.until)


def _by(moments: pd.Series[Any], latest: datetime) -> pd.Series[Any]:
    """What came later counts as if it had come in time: its numbers are about the year."""
    return moments.mask(moments > pd.Timestamp(latest), pd.Timestamp(latest))
