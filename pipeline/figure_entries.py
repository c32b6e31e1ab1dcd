"""From the text of a form to figures that can be judged, or to the cell and the reason why not."""

from __future__ import annotations

from collections.abc import Sequence

from config.measures import Measure, load_measures
from config.models import Config, Unit
from pipeline.figure_asked import unit_of
from pipeline.figure_numbers import UnreadableError, read_whole
from pipeline.figure_periods import ReportPeriod, parse_report_period
from pipeline.figure_reading import Form, Line
from pipeline.figure_sums import Numbers
from pipeline.figures import Entry

OWN_FORM = "Phiếu báo cáo của đơn vị"
"""The source of a number whose line names none."""


class BadCellError(Exception):
    """A line of a form says nothing usable: in which cell, and the Vietnamese reason."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(reason)
        self.place, self.reason = place, reason


def entries_of(forms: Sequence[Form], config: Config) -> tuple[list[Entry], list[BadCellError]]:
    """UserError when a form is for a unit or a period that does not exist."""
    entries: list[Entry] = []
    bad: list[BadCellError] = []
    for form in forms:
        unit, period = unit_of(config, form.unit), parse_report_period(form.period, config)
        for line in form.lines:
            try:
                entries.append(_entry(line, unit, period))
            except BadCellError as error:
                bad.append(error)
    return entries, bad


def _entry(line: Line, unit: Unit, period: ReportPeriod) -> Entry:
    rule = load_measures().get(line.cells["code"])
    if rule is None:
        raise BadCellError(line.places["code"], "có mã số liệu không còn dùng; đề nghị tạo phiếu mới")
    numbers = _numbers(line, rule)
    source = line.cells.get("source") or OWN_FORM
    return Entry(unit, line.cells["code"], period, numbers, source, line.cells.get("evidence", ""), _place(line, rule))


def _place(line: Line, rule: Measure) -> str:
    both = f" và {line.places['whole']}" if rule.kind == "share" else ""
    return f"{line.places['amount']}{both}"


def _numbers(line: Line, rule: Measure) -> Numbers:
    amount, whole = _cell(line, "amount"), _cell(line, "whole")
    if amount is None:
        raise BadCellError(line.places["amount"], "còn trống; đề nghị ghi số, hoặc xóa cả dòng nếu chưa có số")
    if rule.kind == "count" and whole is not None:
        raise BadCellError(line.places["whole"], "không dùng cho số liệu này; đề nghị xóa ô ấy")
    if rule.kind == "count":
        return amount, None, None
    if whole is None:
        raise BadCellError(line.places["whole"], "còn trống; đề nghị ghi đủ tử số và mẫu số")
    return None, amount, whole


def _cell(line: Line, name: str) -> int | None:
    text = line.cells[name]
    try:
        return read_whole(text) if text.strip() else None
    except UnreadableError as error:
        raise BadCellError(line.places[name], str(error)) from error
