"""`nhip figure set`, `approve` and `template`: a number handed in by an office, its approval, and the empty forms."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from config.models import Config, Unit
from metrics.periods import local_date
from pipeline import show
from pipeline.clock import Clock, utc_now
from pipeline.figure_asked import measure_of, office_of, unit_of
from pipeline.figure_form import write_form
from pipeline.figure_numbers import UnreadableError, read_whole
from pipeline.figure_periods import ReportPeriod, parse_report_period
from pipeline.figure_plans import asked_measures
from pipeline.figure_words import said
from pipeline.figures import KNOWN, Entry, Judged, Shelf, judge
from pipeline.problems import UserError
from pipeline.workplace import open_workplace
from store.records import Approval, Figure
from store.verbs import Store

BY_HAND = "nhập tay"
CONFIRMED = "đã xác nhận"


@dataclass(frozen=True)
class Words:
    """What a person wrote after `nhip figure set`, word by word."""

    unit: str
    measure: str
    period: str
    value: str | None = None
    numerator: str | None = None
    denominator: str | None = None
    source: str = ""
    evidence: str = ""


def set_figure(folder: Path, words: Words, *, by: str, confirm: bool, clock: Clock = utc_now) -> int:
    """0 when the figure was kept or known already; UserError when it cannot be true, or has to be confirmed."""
    with open_workplace(folder) as (config, store):
        office, now = office_of(by), clock()
        entry = _entry(words, config)
        shelf = Shelf(store.figures(units=[entry.unit.slug]))
        (judged,) = judge([entry], config, shelf, local_date(now, config.district.tz))
        _refuse(judged, confirm=confirm)
        if judged.is_to_be_written:
            reason = f"{BY_HAND}, {CONFIRMED}" if judged.questions else BY_HAND
            store.add_figures([figure_of(entry, office, now)], reason)
        done = "Đã có từ trước, không có gì thay đổi" if judged.state == KNOWN else f"Đã ghi ({judged.state})"
        show.say(f"{done}: {sentence_of(entry)}.")
    return 0


def _entry(words: Words, config: Config) -> Entry:
    measure_of(words.measure)
    unit, period = unit_of(config, words.unit), parse_report_period(words.period, config)
    written = (words.value, words.numerator, words.denominator)
    value, numerator, denominator = map(_whole, ("--value", "--numerator", "--denominator"), written)
    numbers = (value, numerator, denominator)
    return Entry(unit, words.measure, period, numbers, words.source.strip(), words.evidence.strip())


def _whole(option: str, text: str | None) -> int | None:
    try:
        return None if text is None else read_whole(text)
    except UnreadableError as error:
        raise UserError(f"Giá trị ở {option} {error}.") from error


def _refuse(judged: Judged, *, confirm: bool) -> None:
    if judged.refusal:
        raise UserError(f"Không ghi «{judged.entry.rule.name}»: {judged.refusal}.")
    if judged.questions and not confirm:
        asked = "; ".join(judged.questions)
        raise UserError(f"Chưa ghi «{judged.entry.rule.name}»: {asked}. Nếu số đúng là vậy, thêm --confirm.")


def figure_of(entry: Entry, by: str, now: datetime) -> Figure:
    value, numerator, denominator = entry.numbers
    return Figure(
        entry.unit.slug,
        entry.measure,
        *entry.period.days,
        by=by,
        at=now,
        source_note=entry.source_note,
        value=value,
        numerator=numerator,
        denominator=denominator,
        evidence=entry.evidence,
    )


def sentence_of(entry: Entry) -> str:
    """«Đoàn phường Một, Số tuyên truyền viên cơ sở, Năm 2026 (…): 40»."""
    return f"{entry.unit.name}, {entry.rule.name}, {entry.period.title}: {said(entry.rule, entry.numbers)}"


# --- approval ----------------------------------------------------------------------------------------------------


def approve(folder: Path, unit: str, *, period: str, measure: str | None, by: str, clock: Clock = utc_now) -> int:
    """0 when everything the unit reported for the period (or its one measure) is approved; 1 when there is nothing."""
    with open_workplace(folder) as (config, store):
        wanted = [measure] if measure else None
        if measure:
            measure_of(measure)
        one, asked, office = unit_of(config, unit), parse_report_period(period, config), office_of(by)
        rows = Shelf(store.figures(measures=wanted, units=[one.slug])).of(one.slug, asked.days)
        if not rows:
            show.say(f"{one.name} chưa báo cáo số liệu nào cho kỳ {asked.name}; không có gì để phê duyệt.")
            return 1
        words = [Approval(one.slug, row["measure"], *asked.days, row["turn"], office, clock()) for row in rows]
        new = _approve(store, words)
        show.say(f"Đã phê duyệt {new} số liệu của {one.name}, {asked.title}; {len(rows) - new} số đã duyệt từ trước.")
    return 0


def _approve(store: Store, words: list[Approval]) -> int:
    try:
        return store.approve_figures(words)
    except LookupError as error:
        raise UserError("Số liệu vừa được thay trong lúc phê duyệt. Đề nghị xem lại rồi phê duyệt lần nữa.") from error


# --- forms -------------------------------------------------------------------------------------------------------


def template(folder: Path, *, unit: str | None, every: bool, period: str, out: Path, clock: Clock = utc_now) -> int:
    """Write the empty form of one unit, or of all units that are asked for the period; nothing is overwritten.

    *out* is a file for one unit when it ends with «.xlsx», else a folder. 1 when nobody is asked for anything.
    """
    with open_workplace(folder) as (config, _):
        asked = parse_report_period(period, config)
        if (unit is None) != every:
            raise UserError("Chưa rõ phiếu cho đơn vị nào. Thêm --unit MÃ_ĐƠN_VỊ, hoặc --all cho mọi đơn vị.")
        units = _all_asked(config, asked) if unit is None else [unit_of(config, unit)]
        lines = len(asked_measures(config, asked))
        if not (units and lines):
            show.say(f"Không có đơn vị hoặc số liệu nào phải báo cáo cho kỳ {asked.name} nên không tạo phiếu.")
            return 1
        files = _files(out, units, asked, one_file=unit is not None and out.suffix.lower() == ".xlsx")
        for file, one in files.items():
            _write(file, write_form(config, one, asked, clock()))
            show.say(f"Đã tạo {file}: {lines} dòng số liệu.")
    show.say(
        "Đơn vị điền các ô nền vàng rồi gửi lại. Nhập phiếu: nhip figure import TỆP (xem trước), thêm --yes để ghi."
    )
    return 0


def _all_asked(config: Config, period: ReportPeriod) -> list[Unit]:
    return [one for one in config.units.values() if period.is_asked_of(config, one)]


def _files(out: Path, units: list[Unit], period: ReportPeriod, *, one_file: bool) -> dict[Path, Unit]:
    """Where each form goes; none of the places is taken. Names in a folder are made of codes only."""
    if one_file:
        files = {out: units[0]}
    else:
        out.mkdir(parents=True, exist_ok=True)
        files = {out / f"{one.slug}-{period.name}.xlsx": one for one in units}
    _refuse_taken(files)
    return files


def _refuse_taken(files: dict[Path, Unit]) -> None:
    taken = next((file for file in files if file.exists()), None)
    if taken:
        raise UserError(f"Đã có tệp {taken}. Đề nghị chọn nơi khác, hệ thống không ghi đè.")


def _write(file: Path, form: bytes) -> None:
    with file.open("xb") as opened:
        opened.write(form)
