"""`nhip figure import`: forms that units sent back, shown first and recorded on request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from collectors.exports import ExportError
from config.models import Config
from metrics.periods import local_date
from pipeline import show
from pipeline.apart import run_apart
from pipeline.clock import Clock, utc_now
from pipeline.commands.figure import figure_of
from pipeline.figure_entries import BadCellError, entries_of
from pipeline.figure_reading import Forms, read_forms
from pipeline.figure_words import said
from pipeline.figures import Judged, Shelf, judge
from pipeline.problems import UserError
from pipeline.uploads import read_upload
from pipeline.workplace import open_workplace
from store.verbs import Store

MARK_LENGTH = 16
HEADERS = ("Ô", "Đơn vị", "Kỳ", "Nội dung", "Số liệu", "So với số đã lưu")


@dataclass(frozen=True)
class Plan:
    """What the forms of one file would change."""

    sha256: str
    judged: tuple[Judged, ...]
    bad: tuple[BadCellError, ...]

    @property
    def sound(self) -> list[Judged]:
        return [one for one in self.judged if one.refusal is None]

    @property
    def new(self) -> list[Judged]:
        return [one for one in self.judged if one.is_to_be_written]

    @property
    def asked(self) -> list[Judged]:
        return [one for one in self.new if one.questions]

    def is_answered(self, times_yes: int) -> bool:
        """One «yes» writes; a second one also answers what was asked."""
        return times_yes > bool(self.asked)


def run(folder: Path, file: Path, *, yes: int, as_json: bool, clock: Clock = utc_now) -> int:
    """0 when the forms were shown, recorded or known already; 1 when nothing in them can be recorded, or an
    unlikely number still waits for a second --yes."""
    data = read_upload(file)
    with open_workplace(folder) as (config, store):
        try:
            forms = run_apart(read_forms, data)
        except ExportError as refusal:
            raise UserError(f"Không nhập tệp này. {refusal.sentence[:1].upper()}{refusal.sentence[1:]}") from refusal
        now = clock()
        plan = _plan(forms, config, store, now)
        recorded = bool(plan.new) and plan.is_answered(yes)
        if recorded:
            _record(plan, store, now)
        if as_json:
            show.print_json(_facts(plan, recorded=recorded))
        else:
            _print(plan, recorded=recorded, yes=yes)
    return 1 if not plan.sound or (yes and plan.new and not recorded) else 0


def _plan(forms: Forms, config: Config, store: Store, now: datetime) -> Plan:
    entries, bad = entries_of(forms.forms, config)
    shelf = Shelf(store.figures(units={form.unit for form in forms.forms}))
    judged = judge(entries, config, shelf, local_date(now, config.district.tz))
    return Plan(forms.sha256, tuple(judged), tuple(bad))


def _record(plan: Plan, store: Store, now: datetime) -> None:
    """In the name of the unit that filled the form in; the audit log keeps which file it was."""
    confirmed = ", đã xác nhận" if plan.asked else ""
    reason = f"nhập từ phiếu, mã tệp {plan.sha256[:MARK_LENGTH]}{confirmed}"
    store.add_figures([figure_of(one.entry, one.entry.unit.name, now) for one in plan.new], reason)


# --- what a person reads -----------------------------------------------------------------------------------------


def _print(plan: Plan, *, recorded: bool, yes: int) -> None:
    if plan.sound:
        show.print_table(f"{len(plan.sound)} số liệu nhận được", HEADERS, [_cells(one) for one in plan.sound])
    for one in plan.judged:
        if one.refusal:
            show.say(f"Không nhận ô {one.entry.place} («{one.entry.rule.name}»): {one.refusal}.")
    for bad in plan.bad:
        show.say(f"Không nhận ô {bad.place}: {bad.reason}.")
    for one in plan.asked:
        show.say(f"Cần xác nhận ô {one.entry.place} («{one.entry.rule.name}»): {'; '.join(one.questions)}.")
    show.say()
    show.say(_verdict(plan, recorded=recorded, yes=yes))


def _cells(one: Judged) -> tuple[str, ...]:
    entry = one.entry
    numbers = said(entry.rule, entry.numbers)
    return entry.place, entry.unit.name, entry.period.name, entry.rule.name, numbers, one.state


def _verdict(plan: Plan, *, recorded: bool, yes: int) -> str:
    new, known = len(plan.new), len(plan.sound) - len(plan.new)
    if not plan.sound:
        return "Không có số liệu nào nhận được; không có gì thay đổi."
    if recorded:
        return f"Đã ghi {new} số liệu; {known} số đã có từ trước."
    if not new:
        return "Mọi số liệu của phiếu này đã có từ trước; không có gì thay đổi."
    if plan.asked:
        first = "Chưa ghi gì: " if yes else "Đây là bản xem trước, chưa ghi gì: "
        return f"{first}{len(plan.asked)} số cần xác nhận. Nếu các số đúng là vậy, ghi bằng --yes --yes."
    return f"Đây là bản xem trước, chưa ghi gì. Sẽ ghi {new} số liệu, {known} số đã có. Muốn ghi, thêm --yes."


def _facts(plan: Plan, *, recorded: bool) -> dict[str, object]:
    return {
        "sha256": plan.sha256,
        "recorded": recorded,
        "new": len(plan.new),
        "known": len(plan.sound) - len(plan.new),
        "figures": [_figure_facts(one) for one in plan.judged],
        "bad_cells": [{"place": bad.place, "reason": bad.reason} for bad in plan.bad],
    }


def _figure_facts(one: Judged) -> dict[str, object]:
    entry = one.entry
    return {
        "place": entry.place,
        "unit": entry.unit.slug,
        "measure": entry.measure,
        "period": entry.period.name,
        "said": said(entry.rule, entry.numbers),
        "state": one.state,
        "refusal": one.refusal,
        "questions": list(one.questions),
    }
