"""What the review of a week is made of: everything is read from the store here, and judged in `metrics.review`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

import pandas as pd

from collectors import CONSENTS
from config.models import Config
from config.plan_models import Row
from metrics.periods import DAY, WEEK, Period, local_date, week_of
from metrics.review import review
from metrics.review_facts import PROGRESS, Duty, Owed, Review, Week
from metrics.review_moves import WEEKS_BACK, weekly_moves
from metrics.words import Status
from pipeline import checking
from pipeline.commending import commendation, last_weeks
from pipeline.judgement import Judgement, judge
from pipeline.questions import REPORTED, Moment
from pipeline.tokens_report import token_findings
from store.records import ReviewTurn, Said
from store.vault import Vault
from store.verbs import Store

CELL_WEEKS = 4
"""How many weeks before the reviewed one tell since when a unit is silent."""
ENDING = ("ending", "expired", "needs_consent")
DONE = (Status.MET, Status.DONE_LATE)
PERSONS = ("numerator", "denominator", "base_value", "now_value")
"""The figures of a reported row that a sentence tells."""


def draft(config: Config, store: Store, period: Period, as_of: datetime) -> Review:
    """The review of a week as it is known at a moment.

    The targets of a week that is over are judged a day after its end: looks of that day prove the last one of the week.
    """
    checking.label_new_posts(config, store, as_of)
    until, judged_at = min(as_of, period.end_at), min(as_of, period.end_at + DAY)
    now = judged(config, store, period, judged_at)
    before = judged(config, store, week_of(period.start - WEEK, period.zone), judged_at - WEEK)
    today = local_date(as_of, config.district.tz)
    suspects = store.open_suspects()
    praise = commendation(config, store, last_weeks(period), as_of) if config.district.labels else None
    week = Week(
        config,
        period,
        now=standing(config, now),
        before=standing(config, before),
        moves=weekly_moves(store.value_at([until - weeks * WEEK for weeks in range(WEEKS_BACK + 2)])),
        cells=_cells(config, store, period, as_of),
        praise=praise.rows if praise else None,
        praise_source=praise.source if praise else ("", ""),
        duties=list(duties(now, period, today)),
        owed=list(owed(config, now)),
        suspects=suspects.loc[suspects["observed_at"] <= as_of, "channel"].tolist(),
        tokens=_tokens(config, store, as_of),
    )
    return review(week)


def is_closed(turns: list[ReviewTurn]) -> bool:
    return bool(turns) and turns[-1].content is not None


def _cells(config: Config, store: Store, period: Period, as_of: datetime) -> pd.DataFrame | None:
    if not config.district.labels:
        return None
    return checking.check_motto(config, store, Period(period.start - CELL_WEEKS * WEEK, period.end, period.zone), as_of)


def duties(found: Judgement, week: Period, today: date) -> Iterator[Duty]:
    """What falls due in the week and in the one after it, or fell due before, and is not done."""
    for one in found.duties:
        if one.due is not None and one.due < week.end + WEEK and one.said.status not in DONE:
            ref, owner = f"{one.plan.slug}/{one.row.id}", ", ".join(one.row.owner)
            yield Duty(ref, one.row.clause, one.row.title, owner, one.due, (one.due - today).days)


def owed(config: Config, found: Judgement) -> Iterator[Owed]:
    """The reported figures whose day has passed, and the units that have not handed them in."""
    for answer in found.answers:
        question, row = answer.question, answer.question.row
        late = [said for said in answer.subjects if said.status == Status.OVERDUE and said.subject in config.units]
        if row.indicator in REPORTED and late:
            names = tuple(config.units[said.subject].name for said in late)
            due = question.deadline or question.period.last
            yield Owed(f"{question.plan.slug}/{row.id}", row.title, row.clause, question.period.title(), due, names)


def _tokens(config: Config, store: Store, as_of: datetime) -> list[tuple[str, str]]:
    found = token_findings(store.token_states(), as_of, config, CONSENTS, fits=Vault(config.folder).fits)
    return [(one.title, one.fix or one.advice) for one in found if one.state in ENDING]


# --- how the targets stand ---------------------------------------------------------------------------------------


class Onlooker(Store):
    """A store to which nothing is added: a look at the paper is no check, whose answers would be kept."""

    def keep_progress(self, answers: Sequence[Said]) -> list[Said]:
        return list(answers)


def judged(config: Config, store: Store, week: Period, at: datetime) -> Judgement:
    """What `nhip check` says at a moment of everything in the plans that bind then."""
    today = local_date(at, config.district.tz)
    plans = [plan for plan in config.plans.values() if plan.binds_on(today)]
    return judge(plans, Moment(config, at, week, store.figures(at)), Onlooker(store.database))


def standing(config: Config, found: Judgement) -> pd.DataFrame:
    """Every target as a whole and its channels, as a frame for `Week`."""
    rows = [
        _stood(answer.question.row, said)
        for answer in found.answers
        for said in (answer.line, *answer.subjects)
        if said.subject.split("/")[0] not in config.units
    ]
    return pd.DataFrame(rows, columns=[*PROGRESS, "needed_per_week", "heads"])


def _stood(row: Row, said: Said) -> dict[str, Any]:
    same = {name: getattr(said, name) for name in ("plan", "subject", "status", "low", "high", "sentence")}
    persons = [said.facts.get(name) for name in PERSONS] if row.indicator in REPORTED else []
    heads = min((number for number in persons if number is not None), default=None)
    told = {"needed_per_week": said.facts.get("needed_per_week"), "heads": heads, "target": said.goal}
    return {"row": row.id, "clause": row.clause, "title": row.title} | same | told
