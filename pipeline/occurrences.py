"""Which duty a person means, and which time of it: «TC3», «2026-Q3», a day, or the only one there is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from config.models import Config
from config.plan_due import Due
from config.plan_models import Plan, Row
from config.problems import shorten
from metrics.words import day
from pipeline.duties import DUTIES, due_days
from pipeline.problems import UserError
from pipeline.ticks import mark_of

MOST_NAMED = 4
NAMES = {"every_month": "{0:%Y-%m}", "every_quarter": "{0:%Y}-Q{1}", "every_half_year": "{0:%Y}-H{2}"}


@dataclass(frozen=True)
class Occurrence:
    """One time of a duty. `due` is None for a duty without a date: it is named by the day it was done."""

    plan: Plan
    row: Row
    due: date | None
    on: date | None = None

    @property
    def mark(self) -> str:
        """Its name in the audit log."""
        day = self.due or self.on
        if day is None:
            raise ValueError("neither due nor done on a day")
        return mark_of(self.plan.slug, self.row.id, day)

    @property
    def name(self) -> str:
        """What --occurrence wants: «2026-Q3», «2026-H1» (half a year), «2026-11», «2026», or a day."""
        if self.due is None or self.row.due is None:
            return str(self.on or "")
        return name_of(self.row.due, self.due)

    @property
    def title(self) -> str:
        """«TC3 «Cơ sở Đoàn báo cáo số liệu hằng quý», lần 2026-Q3 (hạn 05/10/2026)»"""
        head = f"{self.row.id} «{self.row.title}»"
        when = f" (hạn {day(self.due)})" if self.due else ""
        return f"{head}, lần {self.name}{when}" if self.is_one_of_many else f"{head}{when}"

    @property
    def is_one_of_many(self) -> bool:
        return self.row.due is None or self.due is None or self.row.due.recurs


def name_of(rule: Due, due: date) -> str:
    """The period that a due day ends, by the calendar: «2026-Q3» for 5 October where reports come five days later."""
    if rule.at:
        return rule.at
    last = due - timedelta(days=rule.offset_days)
    form = "{0:%Y}" if rule.rule == "every_year" else NAMES.get(rule.rule, "{0}")
    return form.format(last, (last.month + 2) // 3, (last.month + 5) // 6)


def duty_of(plans: Sequence[Plan], row: str) -> tuple[Plan, Row]:
    """The one duty with this id in the plans; UserError when there is none, several, or when it is a target."""
    wanted = row.strip().casefold()
    found = [(plan, one) for plan in plans for one in plan.rows.values() if one.id.casefold() == wanted]
    duties = [(plan, one) for plan, one in found if one.indicator in DUTIES]
    if len(duties) == 1:
        return duties[0]
    if duties:
        names = ", ".join(plan.slug for plan, _ in duties)
        raise UserError(f"Việc «{row}» có trong nhiều kế hoạch: {names}. Đề nghị thêm --plan MÃ.")
    if found:
        raise UserError(
            f"Dòng «{row}» ({found[0][1].title}) không phải là việc để đánh dấu: hệ thống tính từ số liệu. "
            f"Đề nghị xem bằng «nhip check --explain {found[0][1].id}», các việc: nhip task list."
        )
    where = ", ".join(plan.slug for plan in plans) or "chưa có kế hoạch nào"
    raise UserError(
        f"Không có việc «{shorten(row)}» trong các kế hoạch đang xem ({where}). Đề nghị xem danh sách: nhip task list."
    )


def dated_occurrence(plan: Plan, row: Row, text: str, config: Config, today: date) -> Occurrence:
    """The time of a duty with due days that is meant; without a text the only one there is."""
    days = due_days(plan, row, config, today)
    known = [Occurrence(plan, row, due) for due in days]
    wanted = text.strip().casefold()
    if not wanted and len(known) == 1:
        return known[0]
    if not wanted:
        raise UserError(f"Việc «{row.id}» có nhiều lần. Đề nghị ghi rõ --occurrence: {_named(known)}.")
    for one in known:
        if wanted in (one.name.casefold(), str(one.due)):
            return one
    raise UserError(
        f"Việc «{row.id}» không có lần «{shorten(text)}», hoặc chưa tới lần ấy. Các lần gần đây: {_named(known)}."
    )


def _named(known: Sequence[Occurrence]) -> str:
    return ", ".join(f"{one.name} (hạn {day(one.due)})" for one in known[-MOST_NAMED:] if one.due)
