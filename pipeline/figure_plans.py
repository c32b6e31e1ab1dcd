"""Which figures the plans of the district ask for in a period, and by which clause."""

from __future__ import annotations

from collections.abc import Mapping

from config.measures import Measure, load_measures
from config.models import Config
from config.plan_models import Plan, Row
from pipeline.figure_periods import ReportPeriod


def asked_measures(config: Config, period: ReportPeriod) -> Mapping[str, Measure]:
    """The measures of the period's kind that a plan in force asks for; all of its kind while no plan is."""
    fitting = {slug: rule for slug, rule in load_measures().items() if period.rhythm in rule.every}
    plans = _in_force(config, period)
    rows = {row for plan in plans for row in _reported(plan)}
    return {slug: rule for slug, rule in fitting.items() if rows.intersection(rule.rows)} if plans else fitting


def clause_of(config: Config, period: ReportPeriod, rule: Measure) -> str:
    """«mục II-CT.3», of the first plan in force that asks for it; the row itself, «CT3», while none is."""
    by_row = [_reported(plan) for plan in _in_force(config, period)]
    clause = next((rows[row].clause for rows in by_row for row in rule.rows if row in rows), None)
    return f"mục {clause}" if clause else rule.rows[0]


def _reported(plan: Plan) -> Mapping[str, Row]:
    """The rows that want figures of the units: another plan may mean something else by the same id."""
    return {row.id: row for row in plan.rows.values() if "reported" in row.classes}


def _in_force(config: Config, period: ReportPeriod) -> list[Plan]:
    return [plan for plan in config.plans.values() if period.touches(plan.in_force)]
