"""The form of one unit and period as an XLSX workbook: one sheet, yellow cells to fill, a hidden code to read it back.

Every text is written as a text: nothing in it becomes a formula or a link (facts: spreadsheets).
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import xlsxwriter

from config.measures import Measure
from config.models import Config, Unit
from pipeline.figure_periods import ReportPeriod
from pipeline.figure_plans import asked_measures, clause_of
from pipeline.figures import HIGHEST

MARK = "nhip-phieu-1"
"""The form's own name and version, in its hidden cell."""
HEADINGS = {
    "number": "STT",
    "name": "Nội dung",
    "clause": "Mục trong kế hoạch",
    "amount": "Số liệu (tử số)",
    "whole": "Tổng số trong diện (mẫu số)",
    "source": "Nguồn số liệu",
    "evidence": "Liên kết minh chứng",
    "note": "Cách ghi",
    "code": "Mã",
}
"""What a column means -> its heading, in the order of the sheet."""
WIDTHS = (5, 44, 14, 14, 16, 30, 30, 50, 4)
COLUMNS = {name: place for place, name in enumerate(HEADINGS)}
HEADING_ROW = 6
LINE = 15
"""The height of one line of text, in points."""
STYLES: dict[str, dict[str, Any]] = {
    "title": {"bold": True, "font_size": 14},
    "plain": {},
    "heading": {"bold": True, "border": 1, "bg_color": "#E6F0FB", "text_wrap": True, "valign": "vcenter"},
    "text": {"border": 1, "text_wrap": True, "valign": "top"},
    "input": {"border": 1, "bg_color": "#FFF9DB", "locked": False, "num_format": "0", "valign": "top"},
    "words": {
        "border": 1,
        "bg_color": "#FFF9DB",
        "locked": False,
        "num_format": "@",
        "text_wrap": True,
        "valign": "top",
    },
    "closed": {"border": 1, "bg_color": "#F0F0F0"},
}


def write_form(config: Config, unit: Unit, period: ReportPeriod, now: datetime) -> bytes:
    """The workbook. *now* is only its creation date: the same form at the same moment is the same bytes."""
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(out, options) as book:
        book.set_properties({"title": f"Phiếu báo cáo số liệu {period.name}", "created": now})
        sheet = book.add_worksheet("Phiếu báo cáo")
        styles = {name: book.add_format(style) for name, style in STYLES.items()}
        _lay_out(sheet)
        _write_head(sheet, styles, config, unit, period)
        for at, (slug, rule) in enumerate(asked_measures(config, period).items(), 1):
            _write_measure(sheet, styles, at, slug, rule, clause_of(config, period, rule))
    return out.getvalue()


def _lay_out(sheet: Any) -> None:
    for place, width in enumerate(WIDTHS):
        sheet.set_column(place, place, width, None, {"hidden": place == COLUMNS["code"]})
    sheet.freeze_panes(HEADING_ROW + 1, 2)
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(HEADING_ROW)
    sheet.protect()


def _write_head(sheet: Any, styles: Mapping[str, Any], config: Config, unit: Unit, period: ReportPeriod) -> None:
    organisation = config.district.organisation
    made_up = ". Dữ liệu minh họa" if organisation.illustration else ""
    due = min(period.due_on(rule) for rule in asked_measures(config, period).values())
    lines = (
        f"PHIẾU BÁO CÁO SỐ LIỆU{made_up}",
        f"Gửi: {organisation.name}",
        f"Đơn vị: {unit.name}",
        f"Kỳ báo cáo: {period.title}. Hạn nộp: {due:%d/%m/%Y}",
        "Chỉ điền các ô nền vàng. Ghi số nguyên liền nhau (1234); chưa có số thì để trống, không ghi 0.",
        "Không ghi họ tên, số điện thoại hay danh sách người.",
    )
    for row, line in enumerate(lines):
        sheet.write_string(row, 0, line, styles["plain" if row else "title"])
    sheet.write_string(0, COLUMNS["code"], f"{MARK} {unit.slug} {period.name}")
    sheet.set_row(HEADING_ROW, 2 * LINE)
    for name, place in COLUMNS.items():
        sheet.write_string(HEADING_ROW, place, HEADINGS[name], styles["heading"])


def _write_measure(sheet: Any, styles: Mapping[str, Any], at: int, slug: str, rule: Measure, clause: str) -> None:
    row = HEADING_ROW + at
    name = f"{rule.name}\nMẫu số: {rule.of}" if rule.of else rule.name
    sheet.set_row(row, LINE * max(_lines(name, "name"), _lines(rule.note, "note")))
    sheet.write_number(row, COLUMNS["number"], at, styles["text"])
    for column, text in (("name", name), ("clause", clause), ("note", rule.note), ("code", slug)):
        sheet.write_string(row, COLUMNS[column], text, styles["text"])
    for column in ("source", "evidence"):
        sheet.write_blank(row, COLUMNS[column], None, styles["words"])
    for column, what in (("amount", rule.name), ("whole", rule.of)):
        sheet.write_blank(row, COLUMNS[column], None, styles["input" if what else "closed"])
        if what:
            sheet.data_validation(row, COLUMNS[column], row, COLUMNS[column], _whole_numbers(what))


def _lines(text: str, column: str) -> int:
    """How many lines a text takes in its column: no program widens a row by itself, on paper either."""
    width = WIDTHS[COLUMNS[column]] - 6  # words break before the edge
    return sum(-(-len(line) // width) for line in text.split("\n"))


def _whole_numbers(what: str) -> dict[str, Any]:
    """Spreadsheets allow 255 characters of advice."""
    return {
        "validate": "integer",
        "criteria": "between",
        "minimum": 0,
        "maximum": HIGHEST,
        "input_title": "Cách ghi",
        "input_message": f"{what}: ghi số nguyên. Chưa có số thì để trống."[:255],
        "error_title": "Chưa phải số nguyên",
        "error_message": "Đề nghị ghi số nguyên từ 0 trở lên, ví dụ 1234; không ghi chữ, dấu % hay số lẻ.",
    }
