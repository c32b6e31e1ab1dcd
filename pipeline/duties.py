"""The tasks and report cycles of the plans: which are due on a day, and whether somebody has ticked them off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd

from config.measures import load_measures
from config.plan_due import due_dates
from config.plan_models import Plan, Row
from metrics.asking import Ask, Facts
from metrics.duty import Duty, task
from metrics.periods import DAY, Period
from metrics.words import STATUS_OF_DUTY, day, number
from pipeline.plain import digest_of, plain
from store.records import Said

if TYPE_CHECKING:
    from pipeline.questions import Moment
    from store.verbs import Store

DUTIES = ("task", "reported_count")
DONE = "task.done"
"""The action in the audit log that ticks a duty off; its subject is `mark_of`."""
AHEAD = timedelta(days=400)


@dataclass(frozen=True)
class DutyAnswer:
    """How one duty stands on one of its days; a standing duty has none."""

    plan: Plan
    row: Row
    due: date | None
    said: Said

    @property
    def is_standing(self) -> bool:
        return self.due is None


def mark_of(plan: str, row: str, due: date) -> str:
    """How the audit log names a duty of one day."""
    return f"{plan}/{row}/{due}"


def duties_of(plans: Sequence[Plan], moment: Moment, store: Store) -> list[DutyAnswer]:
    """Of every task and cycle the last day it was due and the next one; of one without a date one answer."""
    found = [(plan, row, due) for plan in plans for row in _rows(plan) for due in _days(plan, row, moment)]
    if not found:
        return []
    marks = _marks(store)
    tasks = pd.DataFrame(
        {
            "task": [row.title for _, row, _ in found],
            "due": pd.Series([due for _, _, due in found], dtype="datetime64[s]"),
            "done_at": pd.Series([_done_at(one, marks, moment) for one in found], dtype="datetime64[s, UTC]"),
            "owner": [", ".join(row.owner) for _, row, _ in found],
        }
    )
    facts = Facts(moment.config, moment.as_of, tasks=tasks)
    judged = task(facts, Ask(moment.period, by="unit")).rows.to_dict("records")
    return [DutyAnswer(*one, _said(*one, plain(facts), moment)) for one, facts in zip(found, judged, strict=True)]


def _rows(plan: Plan) -> Iterator[Row]:
    return (row for row in plan.rows.values() if row.indicator in DUTIES)


def _days(plan: Plan, row: Row, moment: Moment) -> list[date | None]:
    if row.due is None:
        return [None]
    today, span = moment.today, plan.in_force
    end = min(span.until or date.max, today + AHEAD)
    days = due_dates(row.due, span.start, max(end, span.start), moment.config.district.reporting_year.cut_off)
    before, after = [one for one in days if one < today], [one for one in days if one >= today]
    return [*before[-1:], *after[:1]] or [None]


def _marks(store: Store) -> dict[str, datetime]:
    """When each duty was first ticked off."""
    log = store.audit()
    done = log[log["action"] == DONE].drop_duplicates("subject")
    return dict(zip(done["subject"], done["at"], strict=True))


def _done_at(one: tuple[Plan, Row, date | None], marks: Mapping[str, datetime], moment: Moment) -> Any:
    """A duty to report is done by the first report for a period that ends on, or holds, its day."""
    plan, row, due = one
    if due is None:
        return pd.NaT
    marked = marks.get(mark_of(plan.slug, row.id, due), pd.NaT)
    if row.indicator != "reported_count" or not pd.isna(marked):
        return marked
    names = [slug for slug, measure in load_measures().items() if row.id in measure.rows]
    figures, day_due = moment.figures, pd.Timestamp(due)
    told = figures[figures["measure"].isin(names)]
    told = told[(told["period_start"] <= day_due) & (day_due < told["period_end"])]
    return told["first_at"].min() if len(told) else pd.NaT


def _said(plan: Plan, row: Row, due: date | None, facts: dict[str, Any], moment: Moment) -> Said:
    period = _period(due, moment)
    status = STATUS_OF_DUTY[Duty(facts["duty"])]
    facts |= {"status": status.value, "to": list(row.to), "cooperating": list(row.cooperating)}
    subject = "" if due is None else str(due)
    inputs = [{"role": "done", "ref": subject, "at": facts["done_at"]}] if facts["done_at"] else []
    digest = digest_of([plan.slug, row.id, subject, str(moment.today), facts, inputs])
    return Said(
        plan.slug, row.id, subject, period.start, period.end, moment.as_of, status.value, facts["low"],
        facts["high"], None, _sentence(row, due, facts), facts, inputs, digest,
    )  # fmt: skip


def _period(due: date | None, moment: Moment) -> Period:
    return moment.period if due is None else Period(due, due + DAY, moment.config.district.tz)


def _sentence(row: Row, due: date | None, facts: Mapping[str, Any]) -> str:
    """«Hạn 31/03/2017, chưa ghi nhận hoàn thành, quá 12 ngày; đề nghị cập nhật kết quả.»"""
    if due is None:
        return f"Việc {'định kỳ' if row.kind == 'cycle' else 'thường xuyên'}, văn bản không nêu ngày đến hạn."
    head, days = f"Hạn {day(due)}", facts["days"]
    if facts["done_at"]:
        done = f"{head}, hoàn thành ngày {day(date.fromisoformat(facts['done_at'][:10]))}"
        return f"{done}, trễ {number(days)} ngày." if days > 0 else f"{done}."
    if days > 0:
        return f"{head}, chưa ghi nhận hoàn thành, quá {number(days)} ngày; đề nghị cập nhật kết quả."
    return f"{head}, còn {number(-days)} ngày."
