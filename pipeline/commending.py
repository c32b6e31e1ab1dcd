"""What a commendation is judged from: the motto and the growth of the units over a period, and what is still open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pandas as pd

from config.models import Config
from config.plan_models import Plan
from metrics.commend import commend, rule_sentences
from metrics.pace import Pace
from metrics.periods import DAY, WEEK, Period, local_date
from metrics.progress import Target, progress
from pipeline import checking
from pipeline.gathering import Gathered
from pipeline.questions import CADENCE, Moment, Question, questions_of
from store.verbs import Store

WEEKS = 5
"""So many weeks are looked at when nobody names a period: the fewest that hold twenty working days with holidays."""
PRAISE_ROW = "NV4"
"""The row of the plans that asks to commend; all our plans call it so."""


@dataclass(frozen=True)
class Commendation:
    """The units as `metrics.commend` places them, and the rule in words."""

    period: Period
    rows: pd.DataFrame
    rule: list[str]
    source: tuple[str, str]
    """The clause that asks to commend, and its plan; both empty where no plan does."""


def last_weeks(week: Period) -> Period:
    """The weeks that are looked at for the meeting of one week, which is the last of them."""
    return Period(week.end - WEEKS * WEEK, week.end, week.zone)


def commendation(config: Config, store: Store, period: Period, as_of: datetime) -> Commendation:
    """Who could be commended for a period, as it was known at a moment; one that is over is judged a day after it."""
    judged_at = min(as_of, period.end_at + DAY)
    today = local_date(judged_at, period.zone)
    moment = Moment(config, judged_at, period, store.figures(judged_at))
    plans = [plan for plan in config.plans.values() if plan.binds_on(min(today, period.last))]
    questions = [one for plan in plans for one in questions_of(plan, moment)]
    grows = next(
        (one for one in questions if one.row.indicator == "audience_growth" and one.row.scope.binds_units), None
    )
    clause = f"{grows.row.clause}, {grows.plan.slug}" if grows else ""
    growth = None if grows is None else _growth(grows, store, moment)
    cells, labels = _cells(config, store, moment, questions), config.district.labels
    open_now = pd.DataFrame(_open(config, store, judged_at), columns=["unit", "incident"])
    rows = commend(cells, growth, open_now, labels, clause)
    return Commendation(period, rows, rule_sentences(labels, clause), _asked_by(plans))


def _cells(config: Config, store: Store, moment: Moment, questions: Sequence[Question]) -> pd.DataFrame:
    """The motto as the first plan understands it that asks for it."""
    asked = next((one for one in questions if one.row.indicator in CADENCE), None)
    if asked is None:
        return checking.check_motto(config, store, moment.period, moment.as_of)
    return Gathered(store, moment, [asked]).cells(asked)


def _growth(question: Question, store: Store, moment: Moment) -> pd.DataFrame:
    """How the counts of each unit grew, whichever way the plan itself adds them up."""
    asks = tuple(replace(ask, by="unit") for ask in question.asks)
    by_unit = replace(question, asks=asks)
    gathered = Gathered(store, moment, [by_unit])
    rows = pd.concat([gathered.measured(by_unit, ask).rows for ask in asks], ignore_index=True)
    today = local_date(question.as_of, question.period.zone)
    return progress(rows, Target(question.goal, Pace.LINE, question.deadline), question.period, today)


def _open(config: Config, store: Store, at: datetime) -> Iterator[tuple[str, str]]:
    """The units whose channels have a count that waits for a word."""
    suspects = store.open_suspects()
    day = local_date(at, config.district.tz)
    for slug in dict.fromkeys(suspects.loc[suspects["observed_at"] <= at, "channel"].tolist()):
        channel = config.channels.get(slug)
        unit: Any = channel.owner_on(day) if channel else None
        if channel and unit:
            yield unit, f"số liệu khác thường của {channel.name} chờ xác nhận"


def _asked_by(plans: Sequence[Plan]) -> tuple[str, str]:
    found = next((plan for plan in plans if PRAISE_ROW in plan.rows), None)
    return (found.rows[PRAISE_ROW].clause, found.slug) if found else ("", "")
