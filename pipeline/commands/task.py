"""`nhip task list`, `done` and `undo`: the duties of the plans, and an office's word that one of them is done."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from collectors.exports.persons import EMAIL, tells_of_a_person
from config.models import Config
from config.plan_models import Plan, Row
from metrics.periods import local_date, week_of
from metrics.words import ICONS, WORDS, Status, day, number
from pipeline import show
from pipeline.clock import Clock, utc_now
from pipeline.commands.check import chosen
from pipeline.duties import DutyAnswer, due_days, duties_of, is_done_once
from pipeline.figure_asked import office_of
from pipeline.occurrences import Occurrence, dated_occurrence, duty_of
from pipeline.problems import UserError
from pipeline.questions import Moment
from pipeline.ticks import DONE, UNDONE, Tick, ticks_at
from pipeline.workplace import clock_for, local_text, open_workplace
from store.records import Edit
from store.verbs import OPERATOR, Store

FINE, LATE = 0, 1
TEXT_CAP = 500
LINK = re.compile(r"https?://[^\s/@]+(?:/\S*)?")
HEADERS = ("Trạng thái", "Mã", "Lần", "Hạn", "Việc", "Chủ trì", "Ghi nhận")
NOTHING = "–"


@dataclass(frozen=True)
class Words:
    """What a person wrote after `nhip task done` or `undo`, word by word."""

    row: str
    plan: str | None = None
    occurrence: str = ""
    by: str = ""
    reason: str = ""
    evidence: str = ""
    on: str = ""


@dataclass(frozen=True)
class Desk:
    """One district at the moment a person works at it."""

    config: Config
    store: Store
    now: datetime

    @property
    def today(self) -> date:
        return local_date(self.now, self.config.district.tz)

    @property
    def ticks(self) -> dict[str, Tick]:
        return ticks_at(self.store, self.now, self.config.district.tz)

    def duty(self, words: Words) -> tuple[Plan, Row]:
        return duty_of(chosen(self.config, [words.plan] if words.plan else [], self.today), words.row)


# --- the list ----------------------------------------------------------------------------------------------------


def list_(folder: Path, *, plan: str | None, at: str | None, as_json: bool, clock: Clock = utc_now) -> int:
    """0 when nothing is overdue, 1 when something is. Writes nothing."""
    with open_workplace(folder) as (config, store):
        now = clock()
        as_of = clock_for(at, config.district.tz)() if at else now
        if as_of > now:
            raise UserError("Chưa đến thời điểm ghi ở --at. Chọn thời điểm đã qua, hoặc bỏ --at.")
        today = local_date(as_of, config.district.tz)
        plans = chosen(config, [plan] if plan else [], today)
        moment = Moment(config, as_of, week_of(today, config.district.tz), store.figures(as_of))
        found = duties_of(plans, moment, store)
    if as_json:
        show.print_json(_listed(moment, found))
    else:
        _print(moment, plans, found)
    return LATE if any(one.said.status == Status.OVERDUE for one in found) else FINE


def _print(moment: Moment, plans: list[Plan], found: list[DutyAnswer]) -> None:
    organisation = moment.config.district.organisation
    made_up = " Dữ liệu minh họa." if organisation.illustration else ""
    show.say(f"{organisation.name}. Việc của các kế hoạch đến {_when(moment, moment.as_of)}.{made_up}")
    for plan in plans:
        own = [one for one in found if one.plan is plan]
        if own:
            show.say(f"\nKế hoạch {plan.document.title}. Mã: {plan.slug}.")
            _print_plan(moment, own, whole=len(plans) == 1)
    late = sum(one.said.status == Status.OVERDUE for one in found)
    show.say(f"\n{number(late)} việc quá hạn." if late else "\nKhông có việc nào quá hạn.")
    show.say("Đánh dấu đã xong: nhip task done MÃ --occurrence LẦN --by BỘ_PHẬN --evidence LIÊN_KẾT.")


def _print_plan(moment: Moment, own: list[DutyAnswer], *, whole: bool) -> None:
    """The duties with a day and those that somebody did; the others only where this is the one plan that is shown."""
    shown = [one for one in own if whole or one.ticks or not one.is_standing]
    if shown:
        show.print_table("", HEADERS, [_cells(moment, one) for one in shown])
    if others := len(own) - len(shown):
        show.say(f"{others} việc thường xuyên, định kỳ hoặc không nêu hạn, xem bằng --plan {own[0].plan.slug}.")


def _cells(moment: Moment, one: DutyAnswer) -> tuple[str, ...]:
    status = Status(one.said.status)
    due = NOTHING if one.due is None else day(one.due)
    name = Occurrence(one.plan, one.row, one.due).name or NOTHING
    owner = ", ".join(one.row.owner)
    return f"{ICONS[status]} {WORDS[status]}", one.row.id, name, due, one.row.title, owner, _noted(moment, one)


def _noted(moment: Moment, one: DutyAnswer) -> str:
    if not one.ticks:
        return one.said.sentence if one.said.facts["done_at"] else NOTHING
    last = one.ticks[-1]
    before = f" ({len(one.ticks)} lần)" if len(one.ticks) > 1 else ""
    return f"xong {day(last.on)}, {last.by} ghi {_when(moment, last.noted_at)}{before}"


def _when(moment: Moment, at: datetime) -> str:
    return local_text(at, moment.config.district.tz)


def _listed(moment: Moment, found: list[DutyAnswer]) -> dict[str, Any]:
    organisation = moment.config.district.organisation
    head = {"organisation": organisation.name, "illustration": organisation.illustration, "as_of": moment.as_of}
    return head | {"tasks": [_facts(one) for one in found]}


def _facts(one: DutyAnswer) -> dict[str, Any]:
    row, status = one.row, Status(one.said.status)
    named = {"plan": one.plan.slug, "row": row.id, "clause": row.clause, "title": row.title, "owner": list(row.owner)}
    when = {"occurrence": Occurrence(one.plan, row, one.due).name, "due": one.due}
    told = {"status": status.value, "word": WORDS[status], "sentence": one.said.sentence}
    return named | when | told | {"ticks": [_tick_facts(tick) for tick in one.ticks]}


def _tick_facts(tick: Tick) -> dict[str, Any]:
    told = {"by": tick.by, "reason": tick.reason, "evidence": tick.evidence}
    return {"done_on": tick.on, "noted_at": tick.noted_at} | told


# --- done --------------------------------------------------------------------------------------------------------


def done(folder: Path, words: Words, *, clock: Clock = utc_now) -> int:
    """0 when the tick was kept, or stood there already word for word; UserError when it cannot be right."""
    with open_workplace(folder) as (config, store):
        desk = Desk(config, store, clock())
        office, words = office_of(words.by), _checked(words)
        if not (words.reason or words.evidence):
            raise UserError("Cần minh chứng hoặc lý do. Viết như --evidence https://… hoặc --reason «Báo cáo số …».")
        occurrence = _occurrence(desk, words)
        on = occurrence.on or desk.today
        standing = desk.ticks.get(occurrence.mark)
        if standing:
            _refuse_other(occurrence, standing, words)
            show.say(f"Đã có từ trước, không có gì thay đổi: {occurrence.title}.")
            return FINE
        after = {"done_on": str(on), "evidence": words.evidence}
        edit = Edit(desk.now, office, OPERATOR, DONE, occurrence.mark, None, after, words.reason)
        store.note_edits([edit])
        show.say_illustration(made_up=config.district.organisation.illustration)
        show.say(f"Đã ghi: {occurrence.title}: {_how(occurrence, on)}. {office} ghi nhận.")
    return FINE


def _checked(words: Words) -> Words:
    """The same with its texts trimmed; whatever tells of a person is refused."""
    reason, evidence = " ".join(words.reason.split()), words.evidence.strip()
    if max(len(reason), len(evidence)) > TEXT_CAP:
        raise UserError(f"Lý do hoặc liên kết dài hơn {TEXT_CAP} ký tự. Đề nghị viết lại ngắn gọn.")
    if evidence and not LINK.fullmatch(evidence):
        raise UserError("Minh chứng phải là một liên kết, như --evidence https://…; số văn bản thì ghi vào --reason.")
    if tells_of_a_person(reason) or EMAIL.search(evidence):
        raise UserError("Nội dung giống thông tin của một cá nhân. Đề nghị chỉ ghi việc, văn bản và bộ phận.")
    return replace(words, reason=reason, evidence=evidence)


def _occurrence(desk: Desk, words: Words) -> Occurrence:
    """What is ticked off, with the day it was done."""
    plan, row = desk.duty(words)
    on = _past_day(desk, plan, "--on", words.on) if words.on.strip() else None
    if due_days(plan, row, desk.config, desk.today):
        return replace(dated_occurrence(plan, row, words.occurrence, desk.config, desk.today), on=on)
    if words.occurrence.strip():
        named = _past_day(desk, plan, "--occurrence", words.occurrence)
        if on not in (None, named):
            raise UserError("Việc này không có hạn: --occurrence và --on là cùng một ngày. Đề nghị chỉ ghi một.")
        on = named
    if is_done_once(row) and (before := _deeds(desk, plan, row)):
        on = before[0]
    return Occurrence(plan, row, None, on or desk.today)


def _deeds(desk: Desk, plan: Plan, row: Row) -> list[date]:
    """The days on which a duty without a date stands ticked off."""
    prefix = f"{plan.slug}/{row.id}/"
    return sorted(date.fromisoformat(mark.removeprefix(prefix)) for mark in desk.ticks if mark.startswith(prefix))


def _past_day(desk: Desk, plan: Plan, option: str, text: str) -> date:
    try:
        found = date.fromisoformat(text.strip())
    except ValueError as error:
        raise UserError(f"Không hiểu ngày ở {option}. Viết như {option} 2026-11-20.") from error
    if found > desk.today:
        raise UserError(f"Ngày {day(found)} chưa tới nên chưa thể ghi là đã xong. Đề nghị ghi sau khi xong.")
    if found < plan.in_force.start:
        start = day(plan.in_force.start)
        raise UserError(f"Ngày {day(found)} trước khi kế hoạch có hiệu lực ({start}). Đề nghị kiểm tra lại {option}.")
    return found


def _refuse_other(occurrence: Occurrence, standing: Tick, words: Words) -> None:
    said = (words.reason, words.evidence)
    if said != (standing.reason, standing.evidence) or (words.on and occurrence.on != standing.on):
        raise UserError(
            f"{occurrence.title}: {standing.by} đã ghi xong ngày {day(standing.on)}. "
            f"Muốn ghi lại, bỏ đánh dấu trước bằng «nhip task undo {occurrence.row.id}»."
        )


def _how(occurrence: Occurrence, on: date) -> str:
    late = (on - occurrence.due).days if occurrence.due else None
    timely = "" if late is None else f", trễ {number(late)} ngày" if late > 0 else ", đúng hạn"
    return f"hoàn thành ngày {day(on)}{timely}"


# --- undo --------------------------------------------------------------------------------------------------------


def undo(folder: Path, words: Words, *, clock: Clock = utc_now) -> int:
    """0 when the tick is taken back, as a new row of the audit log; UserError when there is none."""
    with open_workplace(folder) as (config, store):
        desk = Desk(config, store, clock())
        office, words = office_of(words.by), _checked(words)
        if not words.reason:
            raise UserError('Cần ghi lý do bỏ đánh dấu. Viết như --reason "Ghi nhầm việc".')
        occurrence = _ticked(desk, words)
        standing = desk.ticks.get(occurrence.mark)
        if standing is None:
            raise UserError(f"{occurrence.title} chưa được đánh dấu là đã xong nên không có gì để bỏ.")
        before = {"done_on": str(standing.on), "evidence": standing.evidence, "by": standing.by}
        store.note_edits([Edit(desk.now, office, OPERATOR, UNDONE, occurrence.mark, before, None, words.reason)])
        show.say_illustration(made_up=config.district.organisation.illustration)
        show.say(f"Đã bỏ đánh dấu: {occurrence.title}. Lần ghi trước vẫn còn trong nhật ký: nhip audit.")
    return FINE


def _ticked(desk: Desk, words: Words) -> Occurrence:
    plan, row = desk.duty(words)
    if due_days(plan, row, desk.config, desk.today):
        return dated_occurrence(plan, row, words.occurrence, desk.config, desk.today)
    if words.occurrence.strip():
        return Occurrence(plan, row, None, _past_day(desk, plan, "--occurrence", words.occurrence))
    deeds = _deeds(desk, plan, row)
    if len(deeds) > 1:
        raise UserError(
            f"Việc «{row.id}» đã ghi xong nhiều lần. Đề nghị thêm --occurrence: {', '.join(map(str, deeds))}."
        )
    return Occurrence(plan, row, None, deeds[0] if deeds else desk.today)
