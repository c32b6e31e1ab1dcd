"""The tasks and report cycles of the plans: which are due on a day, and whether somebody has ticked them off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd

from config.measures import load_measures
from config.models import Config
from config.plan_due import due_dates
from config.plan_models import Plan, Row
from metrics.asking import Ask, Facts
from metrics.duty import Duty, task
from metrics.periods import DAY, Period, local_date
from metrics.words import STATUS_OF_DUTY, day, number
from pipeline.plain import digest_of, plain
from pipeline.ticks import Tick, mark_of, ticks_at
from store.records import Said

if TYPE_CHECKING:
    from pipeline.questions import Moment
    from store.verbs import Store

DUTIES = ("task", "reported_count")
AHEAD = timedelta(days=400)
WITHOUT_DATE = {
    "periodic": "Việc định kỳ, văn bản không nêu mấy tháng một lần",
    "on_occurrence": "Việc làm khi phát sinh",
    "undated": "Việc làm một lần, văn bản không nêu thời hạn",
}


@dataclass(frozen=True)
class DutyAnswer:
    """How one duty stands on one of its days; a standing duty has none."""

    plan: Plan
    row: Row
    due: date | None
    said: Said
    ticks: tuple[Tick, ...] = ()
    """Who says that it was done; of a duty without a date every time it was."""

    @property
    def is_standing(self) -> bool:
        return self.due is None


One = tuple[Plan, Row, date | None]


def duties_of(plans: Sequence[Plan], moment: Moment, store: Store) -> list[DutyAnswer]:
    """Of every task and cycle the last day it was due and the next one; of one without a date one answer."""
    found = [(plan, row, due) for plan in plans for row in _rows(plan) for due in _shown_days(plan, row, moment)]
    if not found:
        return []
    ticks = ticks_at(store, moment.as_of, moment.config.district.tz)
    own = [_own(one, ticks) for one in found]
    tasks = pd.DataFrame(
        {
            "task": [row.title for _, row, _ in found],
            "due": pd.Series([due for _, _, due in found], dtype="datetime64[s]"),
            "done_at": pd.Series(
                [_done_at(one, done, moment) for one, done in zip(found, own, strict=True)], dtype="datetime64[s, UTC]"
            ),
            "owner": [", ".join(row.owner) for _, row, _ in found],
        }
    )
    facts = Facts(moment.config, moment.as_of, tasks=tasks)
    judged = task(facts, Ask(moment.period, by="unit")).rows.to_dict("records")
    return [
        DutyAnswer(*one, _said(*one, done, plain(facts), moment), done)
        for one, done, facts in zip(found, own, judged, strict=True)
    ]


def due_days(plan: Plan, row: Row, config: Config, today: date) -> list[date]:
    """The due days of a row in the time of its plan, up to the next one; empty for a duty without a date."""
    if row.due is None:
        return []
    span = plan.in_force
    end = min(span.until or date.max, today + AHEAD)
    days = due_dates(row.due, span.start, max(end, span.start), config.district.reporting_year.cut_off)
    return [*(one for one in days if one < today), *[one for one in days if one >= today][:1]]


def _rows(plan: Plan) -> Iterator[Row]:
    return (row for row in plan.rows.values() if row.indicator in DUTIES)


def _shown_days(plan: Plan, row: Row, moment: Moment) -> list[date | None]:
    days = due_days(plan, row, moment.config, moment.today)
    return [*[one for one in days if one < moment.today][-1:], *(one for one in days if one >= moment.today)] or [None]


def _own(one: One, ticks: Mapping[str, Tick]) -> tuple[Tick, ...]:
    """The ticks of one duty in the order of the days it was done."""
    plan, row, due = one
    if due is not None:
        found = ticks.get(mark_of(plan.slug, row.id, due))
        return (found,) if found else ()
    prefix = f"{plan.slug}/{row.id}/"
    return tuple(sorted((tick for mark, tick in ticks.items() if mark.startswith(prefix)), key=lambda tick: tick.on))


def is_done_once(row: Row) -> bool:
    """Whether a duty without a date is over when it was done: it is neither standing nor periodic."""
    return row.due is not None and row.due.rule == "undated"


def _done_at(one: One, own: Sequence[Tick], moment: Moment) -> Any:
    """A duty to report is done by the first report for a period that ends on, or holds, its day."""
    _, row, due = one
    if due is None and not is_done_once(row):
        return pd.NaT
    if own or due is None or row.indicator != "reported_count":
        return own[0].done_at if own else pd.NaT
    names = [slug for slug, measure in load_measures().items() if row.id in measure.rows]
    figures, day_due = moment.figures, pd.Timestamp(due)
    told = figures[figures["measure"].isin(names)]
    told = told[(told["period_start"] <= day_due) & (day_due < told["period_end"])]
    return told["first_at"].min() if len(told) else pd.NaT


def _said(plan: Plan, row: Row, due: date | None, own: Sequence[Tick], facts: dict[str, Any], moment: Moment) -> Said:
    period = _period(due, moment)
    status = STATUS_OF_DUTY[Duty(facts["duty"])]
    facts |= {"status": status.value, "to": list(row.to), "cooperating": list(row.cooperating)}
    subject = "" if due is None else str(due)
    inputs = [tick.facts(subject or str(tick.on)) for tick in own]
    if facts["done_at"] and not own:
        inputs = [{"role": "done", "ref": subject, "at": facts["done_at"]}]
    digest = digest_of([plan.slug, row.id, subject, str(moment.today), facts, inputs])
    return Said(
        plan.slug, row.id, subject, period.start, period.end, moment.as_of, status.value, facts["low"],
        facts["high"], None, _sentence(row, due, facts, own, moment), facts, inputs, digest,
    )  # fmt: skip


def _period(due: date | None, moment: Moment) -> Period:
    return moment.period if due is None else Period(due, due + DAY, moment.config.district.tz)


def _sentence(row: Row, due: date | None, facts: Mapping[str, Any], own: Sequence[Tick], moment: Moment) -> str:
    """«Hạn 31/03/2017, chưa ghi nhận hoàn thành, quá 12 ngày; đề nghị cập nhật kết quả.»"""
    if due is None:
        return _sentence_without_date(row, own)
    head, days = f"Hạn {day(due)}", facts["days"]
    if facts["done_at"]:
        done_on = local_date(datetime.fromisoformat(facts["done_at"]), moment.config.district.tz)
        done = f"{head}, hoàn thành ngày {day(done_on)}"
        return f"{done}, trễ {number(days)} ngày." if days > 0 else f"{done}, đúng hạn."
    if days > 0:
        return f"{head}, chưa ghi nhận hoàn thành, quá {number(days)} ngày; đề nghị cập nhật kết quả."
    return f"{head}, còn {number(-days)} ngày." if days else f"{head}, hôm nay là ngày cuối."


def _sentence_without_date(row: Row, own: Sequence[Tick]) -> str:
    rule = row.due.rule if row.due else "standing"
    head = WITHOUT_DATE.get(rule, "Việc thường xuyên, văn bản không nêu ngày đến hạn")
    if not own:
        return f"{head}."
    if is_done_once(row):
        return f"{head}; hoàn thành ngày {day(own[0].on)}."
    return f"{head}; đã ghi nhận {number(len(own))} lần, gần nhất ngày {day(own[-1].on)}."
