"""A form that came back, as text by meaning. Runs in a process of its own: the file is from outside."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from collectors.exports import ExportError, read_tables
from collectors.exports.persons import column_name, refuse_rosters
from collectors.exports.tables import HEADER_WITHIN, Records, Table, find_records, refuse_doubled
from collectors.website.text import clean
from config.folding import fold
from pipeline.figure_form import HEADINGS, MARK

ALIASES = {name: (fold(heading),) for name, heading in HEADINGS.items()}
KNOWN_HEADINGS = frozenset(alias for known in ALIASES.values() for alias in known)
REQUIRED = ("amount", "whole", "code")
CODE = re.compile(rf"{MARK} ([a-z0-9-]{{1,64}}) ([0-9Q-]{{4,7}})", re.ASCII)
CELL_CAP = 400
NO_FORM = (
    "Tệp không phải là phiếu báo cáo của Nhịp Đoàn, hoặc ô mã ẩn đã bị xóa. "
    "Đề nghị tạo phiếu bằng «nhip figure template», điền rồi nhập lại."
)


@dataclass(frozen=True)
class Line:
    """One measure of a form as it was filled in: cell by meaning, and where each cell stands («D9»)."""

    row: int
    cells: Mapping[str, str]
    places: Mapping[str, str]


@dataclass(frozen=True)
class Form:
    """One sheet: for which unit and period, by its hidden code, and its filled lines."""

    unit: str
    period: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Forms:
    """All forms of one file. `sha256` tells files apart."""

    forms: tuple[Form, ...]
    sha256: str


def read_forms(data: bytes) -> Forms:
    """The forms in a workbook (or in a sheet saved as CSV); ExportError when the file is refused or holds none."""
    tables, _ = read_tables(data)
    for table in tables:
        refuse_rosters(table, KNOWN_HEADINGS)
    forms = tuple(form for table in tables if (form := form_of(table)))
    if not forms:
        raise ExportError(NO_FORM)
    return Forms(forms, hashlib.sha256(data).hexdigest())


def form_of(table: Table) -> Form | None:
    """The form on one sheet; None for a sheet that is none of ours."""
    cells = (cell for row in table.rows[:HEADER_WITHIN] for cell in row.cells)
    code = next((found for cell in cells if (found := CODE.fullmatch(cell.strip()))), None)
    records = find_records(table, ALIASES, REQUIRED)
    if code is None or records is None:
        return None
    refuse_doubled(records, ALIASES, REQUIRED)
    return Form(code[1], code[2], tuple(_lines(records)))


def _lines(records: Records) -> Iterator[Line]:
    """Without the rows that were left empty."""
    letters = {name: column_name(place) for name, place in records.places.items()}
    for number, cells in records:
        filled = {name: clean(cell, CELL_CAP) for name, cell in cells.items()}
        if filled["code"] and any(filled.get(name) for name in ("amount", "whole", "source", "evidence")):
            yield Line(number, filled, {name: f"{letter}{number}" for name, letter in letters.items()})
