"""A reported figure against the rules: what cannot be true is refused, what is unlikely is asked about.

Nothing here reads or writes a database; sentences are Vietnamese, for the person who hands the figure in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from pydantic_core import PydanticCustomError

from collectors.exports.persons import tells_of_a_person
from config.measures import Measure, load_measures
from config.models import Config, Unit
from config.values import check_url
from pipeline.figure_periods import NAMES, ReportPeriod, period_before
from pipeline.figure_sums import Key, Mismatch, Numbers, find_mismatches
from pipeline.figure_words import said

if TYPE_CHECKING:
    import pandas as pd

HIGHEST = 1_000_000_000
JUMP = 0.30
TEXT_CAP = 300
NEW, KNOWN, CHANGED = "mới", "đã có", "thay số đã báo cáo"

DOUBLED = "số liệu này có hai lần trong tệp; đề nghị chỉ giữ một"


@dataclass(frozen=True)
class Entry:
    """One figure somebody hands in. `place` is the cell of a form; empty at the command line."""

    unit: Unit
    measure: str
    period: ReportPeriod
    numbers: Numbers
    source_note: str
    evidence: str = ""
    place: str = ""

    @property
    def key(self) -> Key:
        return (self.unit.slug, self.measure, *self.period.days)

    @property
    def rule(self) -> Measure:
        return load_measures()[self.measure]


@dataclass(frozen=True)
class Judged:
    """An entry, what it would change, why it is refused, and what a person has to confirm first."""

    entry: Entry
    state: str
    refusal: str | None = None
    questions: tuple[str, ...] = ()

    @property
    def is_to_be_written(self) -> bool:
        return self.refusal is None and self.state != KNOWN


class Shelf:
    """The newest stored version of every figure, by its key."""

    def __init__(self, figures: pd.DataFrame) -> None:
        plain = figures.astype(object).where(figures.notna(), None)
        self.rows: dict[Key, dict[Any, Any]] = {key_of(row): row for row in plain.to_dict("records")}

    def numbers(self, key: Key) -> Numbers | None:
        row = self.rows.get(key)
        return None if row is None else (row["value"], row["numerator"], row["denominator"])

    def of(self, unit: str, days: tuple[date, date]) -> list[dict[Any, Any]]:
        """The rows of one unit and period."""
        return [row for key, row in self.rows.items() if (key[0], key[2:]) == (unit, days)]

    def state(self, entry: Entry) -> str:
        row = self.rows.get(entry.key)
        if row is None:
            return NEW
        same = (self.numbers(entry.key), row["source_note"], row["evidence"])
        return KNOWN if same == (entry.numbers, entry.source_note, entry.evidence) else CHANGED


def key_of(row: Mapping[Any, Any]) -> Key:
    return row["unit"], row["measure"], row["period_start"].date(), row["period_end"].date()


def judge(entries: Sequence[Entry], config: Config, shelf: Shelf, today: date) -> list[Judged]:
    """Every entry by itself, against the period before, and against the others of its unit and period."""
    times = Counter(entry.key for entry in entries)
    judged = [_judge_alone(entry, config, shelf, today, times[entry.key]) for entry in entries]
    sound = {one.entry.key: one for one in judged if one.refusal is None}
    for mismatch in find_mismatches({key: one.entry.numbers for key, one in sound.items()}, shelf.numbers):
        own = {key: sound[key] for key in mismatch.keys}
        if any(one.is_to_be_written for one in own.values()):
            sound |= {key: _doubt(one, mismatch) for key, one in own.items()}
    return [sound.get(one.entry.key, one) if one.refusal is None else one for one in judged]


def _judge_alone(entry: Entry, config: Config, shelf: Shelf, today: date, times: int) -> Judged:
    state = shelf.state(entry)
    refusal = DOUBLED if times > 1 else next(_refusals(entry, today), None)
    if refusal or state == KNOWN:
        return Judged(entry, state, refusal)
    return Judged(entry, state, questions=tuple(_jumps(entry, config, shelf)))


def _doubt(one: Judged, mismatch: Mismatch) -> Judged:
    if mismatch.together:
        return replace(one, refusal=mismatch.sentence)
    return replace(one, questions=(*one.questions, mismatch.sentence))


def _refusals(entry: Entry, today: date) -> Iterator[str]:
    yield from _wrong_period(entry, today)
    yield from _wrong_numbers(entry)
    if entry.evidence and not _is_link(entry.evidence):
        yield "minh chứng không phải là địa chỉ trang web; đề nghị viết như https://doan-mau.example/bao-cao"
    for what, text in (("nguồn số liệu", entry.source_note), ("minh chứng", entry.evidence)):
        if len(text) > TEXT_CAP:
            yield f"{what} dài hơn {TEXT_CAP} ký tự; đề nghị viết ngắn lại"
        if tells_of_a_person(text):
            yield f"{what} giống thông tin của một cá nhân; đề nghị chỉ ghi tên văn bản hoặc bộ phận"
    if not entry.source_note.strip():
        yield "chưa ghi nguồn số liệu; đề nghị ghi tên báo cáo, sổ theo dõi hoặc văn bản"


def _wrong_period(entry: Entry, today: date) -> Iterator[str]:
    period, every = entry.period, entry.rule.every
    if period.rhythm not in every:
        wanted = ", ".join(NAMES[rhythm] for rhythm in every)
        yield f"số liệu này báo cáo theo {wanted}, không theo {NAMES[period.rhythm]}; đề nghị ghi lại kỳ"
    if period.start > today:
        yield f"kỳ {period.name} chưa tới; đề nghị kiểm tra lại kỳ báo cáo"
    if not period.touches(entry.unit):
        yield f"«{entry.unit.name}» không hoạt động trong kỳ {period.name}; đề nghị kiểm tra lại đơn vị hoặc kỳ"


def _wrong_numbers(entry: Entry) -> Iterator[str]:
    value, numerator, denominator = entry.numbers
    if entry.rule.kind == "count" and (value is None or (numerator, denominator) != (None, None)):
        yield "số liệu này là một số; đề nghị chỉ ghi số ấy, không ghi tử số và mẫu số"
    if entry.rule.kind == "share" and (numerator is None or denominator is None or value is not None):
        yield "số liệu này là tỷ lệ; đề nghị ghi đủ hai số: tử số và mẫu số, không ghi %"
    if any(number > HIGHEST for number in entry.numbers if number is not None):
        yield "số lớn bất thường; đề nghị kiểm tra lại"
    if numerator is not None and denominator is not None and numerator > denominator:
        yield "tử số lớn hơn mẫu số nên tỷ lệ quá 100 %; đề nghị kiểm tra lại hai số"


def _is_link(text: str) -> bool:
    try:
        check_url(text)
    except PydanticCustomError:
        return False
    return True


def _jumps(entry: Entry, config: Config, shelf: Shelf) -> Iterator[str]:
    """Relative to the same measure one period earlier; from nothing, no jump can be reckoned."""
    period = period_before(entry.period, config)
    numbers = period and shelf.numbers((entry.unit.slug, entry.measure, *period.days))
    if not period or not numbers:
        return
    pairs = zip(entry.numbers, numbers, strict=True)
    if any(old and new is not None and abs(new - old) > JUMP * old for new, old in pairs):
        then, now = said(entry.rule, numbers), said(entry.rule, entry.numbers)
        yield f"khác kỳ trước hơn {JUMP:.0%} (kỳ {period.name}: {then}; kỳ này: {now})".replace("%", " %")
