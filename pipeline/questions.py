"""What the rows of a plan ask on a day: which indicator, of whom, for which period, against which promise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from config.measures import Measure, load_measures
from config.models import Config, Span
from config.plan_choices import Reckoning
from config.plan_due import reporting_years
from config.plan_models import Plan, Row
from config.plan_scope import channels_bound, units_bound
from metrics.asking import Ask, By
from metrics.periods import DAY, Period, local_date, reporting_year, week_of
from pipeline.figure_periods import ReportPeriod, parse_report_period, period_before

if TYPE_CHECKING:
    import pandas as pd

CADENCE = ("daily_item", "weekly_item")
GROWTH = ("audience_growth", "engagement_proxy")
REPORTED = ("reported_share", "reported_growth")
PRESENCE = ("site_presence", "channel_presence")
MEETING = "units_meeting"
MEASURED = (*GROWTH, *CADENCE, *PRESENCE, *REPORTED, MEETING)
COUNTED: dict[str, By] = {"each_channel": "channel", "each_unit": "unit", "total": "total"}


@dataclass(frozen=True)
class Moment:
    """When is judged, and which week, day or month the motto is judged for."""

    config: Config
    as_of: datetime
    period: Period
    figures: pd.DataFrame
    """Store.figures of that moment."""

    @property
    def today(self) -> date:
        return local_date(self.as_of, self.config.district.tz)


@dataclass(frozen=True)
class Question:
    """One row of a plan, made ready to be asked."""

    plan: Plan
    row: Row
    asks: tuple[Ask, ...]
    """One for each count that must reach the goal; each asks for the subjects."""
    period: Period
    """What the answer is held against: a report may be for a part of it."""
    as_of: datetime
    goal: float | None
    """A ratio; None: nothing to reach."""
    deadline: date | None = None
    whole: Literal["total", "each", "alone"] = "total"
    """How the line of the target comes about: measured in total, from what each subject says, or from its only one."""
    unread: tuple[str, ...] = ()
    """Why named channels cannot be read, Vietnamese."""

    @property
    def reckoning(self) -> Reckoning:
        return self.plan.reckoning(self.row)


def questions_of(plan: Plan, moment: Moment) -> Iterator[Question]:
    """The measurable rows of a plan in clause order; narrative rows and duties are no questions."""
    for row in plan.rows.values():
        if row.indicator in GROWTH:
            yield _growth(plan, row, moment)
        elif row.indicator in (*CADENCE, MEETING):
            yield _cadence(plan, row, moment)
        elif row.indicator in PRESENCE:
            yield _presence(plan, row, moment)
        elif row.indicator in REPORTED:
            yield _reported(plan, row, moment)


def _goal(row: Row) -> float | None:
    if row.goal is None or row.goal.value is None or row.indicator == "engagement_proxy":
        return None
    return row.goal.value / 100 if row.goal.unit == "percent" else row.goal.value


def _growth(plan: Plan, row: Row, moment: Moment) -> Question:
    period, goal = _stretch(plan, row, moment)
    as_of = min(moment.as_of, moment.period.end_at, period.end_at)
    day = min(moment.today, period.last)
    channels, unread = channels_bound(moment.config, plan, row, day)
    reckoning = plan.reckoning(row)
    by = "channel" if row.scope.channels else COUNTED[reckoning.counted or "each_channel"]
    if row.indicator == "engagement_proxy":
        by = "total"
    slugs = [channel.slug for channel in channels]
    asks = [
        Ask(period, by=by, baseline_day=_base_day(period, reckoning), count=count, channels=slugs)
        for count in _counts(reckoning)
    ]
    alone = len(slugs) == 1 or (by == "total" and row.indicator == "audience_growth")
    whole: Literal["alone", "each"] = "alone" if alone and len(asks) == 1 else "each"
    return Question(plan, row, tuple(asks), period, as_of, goal, whole=whole, unread=tuple(unread))


def _counts(reckoning: Reckoning) -> Sequence[Literal["followers", "likes"]]:
    return ("followers", "likes") if reckoning.measure == "each" else (reckoning.measure or "followers",)


def _base_day(period: Period, reckoning: Reckoning) -> date:
    return reckoning.baseline_day or period.start - DAY


def _stretch(plan: Plan, row: Row, moment: Moment) -> tuple[Period, float | None]:
    """The days from the baseline to the deadline that is next, and what is promised for it."""
    zone, cut_off = moment.config.district.tz, moment.config.district.reporting_year.cut_off
    span, goal, reckoning = plan.span_of(row), _goal(row), plan.reckoning(row)
    years = reporting_years(span, cut_off) if row.period == "year" else []
    number = max((place for place, one in enumerate(years) if one.start <= moment.today), default=0)
    if not years:
        return _whole(span, moment), goal
    if reckoning.baseline == "period_start" or goal is None:
        return Period(years[number].start, years[number].until or moment.today, zone), goal
    promised = (1 + goal) ** (number + 1) - 1 if reckoning.yearly == "compound" else goal * (number + 1)
    return Period(span.start, years[number].until or moment.today, zone), promised


def _whole(span: Span, moment: Moment) -> Period:
    """The time of a plan; of one without an end, the present reporting year."""
    zone, cut_off = moment.config.district.tz, moment.config.district.reporting_year.cut_off
    if span.until is not None:
        return Period(span.start, span.until, zone)
    this = reporting_year(moment.today.year, cut_off, zone)
    return this if moment.today < this.end else reporting_year(moment.today.year + 1, cut_off, zone)


def _cadence(plan: Plan, row: Row, moment: Moment) -> Question:
    """The week that is asked for; of a plan that is over, its last one."""
    span, period = plan.span_of(row), moment.period
    if span.until is not None and period.start >= span.until:
        period = week_of(span.until - DAY, period.zone)
    units = [unit.slug for unit in units_bound(moment.config, row.scope, min(moment.today, period.last))]
    ask = Ask(period, by="unit", label=row.label or "", units=units)
    return Question(plan, row, (ask,), period, moment.as_of, _goal(row))


def _presence(plan: Plan, row: Row, moment: Moment) -> Question:
    period = _whole(plan.span_of(row), moment)
    as_of = min(moment.as_of, moment.period.end_at, period.end_at)
    day = min(moment.today, period.last)
    channels, unread = channels_bound(moment.config, plan, row, day)
    units = [unit.slug for unit in units_bound(moment.config, row.scope, day)]
    by: By = "unit" if row.indicator == "channel_presence" and row.scope.binds_units else "channel"
    named = None if by == "channel" else units
    ask = Ask(period, by=by, units=named, channels=[channel.slug for channel in channels])
    return Question(plan, row, (ask,), period, as_of, _goal(row), unread=tuple(unread))


def measure_of(row: Row, kind: str) -> tuple[str, Measure] | None:
    """The figure that units report for a row."""
    return next(((slug, one) for slug, one in load_measures().items() if row.id in one.rows and one.kind == kind), None)


def _reported(plan: Plan, row: Row, moment: Moment) -> Question:
    """A row that no form asks about has no ask, nor has one that decides nothing and that nobody reported on."""
    growth = row.indicator == "reported_growth"
    found = measure_of(row, "count" if growth else "share")
    period = _whole(plan.span_of(row), moment)
    if growth:
        period, _ = _stretch(plan, row, moment)
    goal, aside = _goal(row), _is_one_of_many(plan, row)
    if found is None or (aside and not _told(found[0], moment)):
        return Question(plan, row, (), period, moment.as_of, goal)
    goal = None if aside else goal
    slug, measure = found
    told = report_period(slug, measure, plan.span_of(row), moment)
    before = period_before(told, moment.config)
    units = [unit.slug for unit in units_bound(moment.config, row.scope, min(moment.today, told.end - DAY))]
    ask = Ask(_days(told, moment), by="unit", measure=slug, of_members=measure.of_members, units=units)
    if growth:
        period = ask.period
    if growth and before is not None:
        ask = replace(ask, baseline_period=_days(before, moment))
    return Question(plan, row, (ask,), period, moment.as_of, goal, deadline=told.due_on(measure))


def _is_one_of_many(plan: Plan, row: Row) -> bool:
    """A row of one channel decides nothing where it is enough to be linked with any of them."""
    return len(row.scope.channels) == 1 and plan.reckoning(row).reached_by == "any_channel"


def _days(told: ReportPeriod, moment: Moment) -> Period:
    return Period(told.start, told.end, moment.config.district.tz)


def report_period(slug: str, measure: Measure, span: Span, moment: Moment) -> ReportPeriod:
    """The period whose figure counts today: the newest whose deadline has passed, whoever reported early for another.

    It is one of the rhythm in which units report: the first of `every` with a figure that is due. While nobody has
    reported for a period that is due, it is a newer one that somebody did report for.
    """
    begun = [one for one in _report_periods(measure, span, moment) if one.start <= moment.today]
    due = [one for one in begun if moment.today > one.due_on(measure)]
    told = [one for one in begun if one.days in _told(slug, moment)]
    rhythms = {one.rhythm for one in told if one in due}
    if told and not rhythms:
        return max(told, key=_newest)
    rhythm = next((one for one in measure.every if one in rhythms), measure.every[0])
    in_rhythm = [one for one in due if one.rhythm == rhythm]
    return max(in_rhythm, key=_newest) if in_rhythm else min(begun, key=_newest)


def _newest(one: ReportPeriod) -> tuple[date, timedelta]:
    return one.end, one.end - one.start


def _told(slug: str, moment: Moment) -> set[tuple[date, date]]:
    figures = moment.figures[moment.figures["measure"] == slug]
    return {
        (start.date(), end.date()) for start, end in zip(figures["period_start"], figures["period_end"], strict=True)
    }


def _report_periods(measure: Measure, span: Span, moment: Moment) -> list[ReportPeriod]:
    """Those that a plan can ask for, up to the running ones; never none."""
    years = range(max(span.start.year, moment.today.year - 2) - 1, moment.today.year + 2)
    if span.until is not None and span.until < moment.today:
        years = range(span.until.year - 2, span.until.year + 1)
    names = [
        name
        for year in years
        for rhythm in measure.every
        for name in {
            "year": [str(year)],
            "quarter": [f"{year}-Q{number}" for number in range(1, 5)],
            "month": [f"{year}-{number:02}" for number in range(1, 13)],
        }[rhythm]
    ]
    periods = [parse_report_period(name, moment.config) for name in names]
    inside = [one for one in periods if one.end > span.start and (span.until is None or one.start < span.until)]
    return inside or periods
