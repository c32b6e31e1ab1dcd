"""XLSX bytes as tables, one per sheet. Sizes are judged on the raw parts: a sheet may claim anything."""

from __future__ import annotations

import codecs
import io
import re
import warnings
from datetime import date, datetime
from typing import Any
from zipfile import ZipFile

from collectors.exports import guard
from collectors.exports.errors import ExportError
from collectors.exports.tables import Row, Table
from collectors.website.text import clean

FORBIDDEN = {
    re.compile(r"vbaproject|macrosheets|activex|\.bin$", re.IGNORECASE): "macro hoặc thành phần chạy được",
    re.compile(r"externallinks?/|connections\.xml|querytables?/", re.IGNORECASE): "liên kết tới tệp hoặc máy khác",
    re.compile(r"embeddings/", re.IGNORECASE): "tệp khác nhúng bên trong",
}
HARMLESS = re.compile(r"printersettings/printersettings\d*\.bin$", re.IGNORECASE)
WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, b"<\x00", b"\x00<")
SHEET = re.compile(rb"<(?:\w+:)?sheetData")
DECLARATIONS = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
CELL = re.compile(rb"<(?:\w+:)?c\s[^>]{0,200}?\br=[\"']([A-Z]{1,7})(\d{1,9})[\"']")
DIMENSION = re.compile(rb"<(?:\w+:)?dimension\s[^>]{0,200}?\bref=[\"'](?:[A-Z]+\d+:)?([A-Z]{1,7})(\d{1,9})[\"']")
ROW = re.compile(rb"<(?:\w+:)?row[\s/>]")
UNCOMPUTED = re.compile(
    rb"<c\s[^>]{0,200}?\br=[\"']([A-Z]+\d+)[\"'][^>]{0,200}>\s?<f\b[^>]{0,200}(?:/>|>[^<]{0,8192}</f>)\s?(?:<v\s?/>|<v></v>)?\s?</c>"
)
EXACT_FLOAT = 10**15
"""A spreadsheet keeps fifteen digits; a longer number has lost its end."""


def is_workbook(archive: ZipFile) -> bool:
    return "[Content_Types].xml" in archive.namelist()


def read_workbook(data: bytes, archive: ZipFile) -> list[Table]:
    """The sheets of a workbook; ExportError for macros, links, absurd sizes or damage. Formulas are never run."""
    for entry in archive.infolist():
        _check_part(entry.filename, guard.unpack(archive, entry))
    import openpyxl

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
            return [Table(clean(sheet.title, 60), _rows(sheet)) for sheet in book.worksheets]
    except (ExportError, MemoryError):
        raise
    except Exception as error:  # a damaged workbook raises whatever it likes in there
        raise ExportError(guard.DAMAGED) from error


def _check_part(name: str, part: bytes) -> None:
    for pattern, what in FORBIDDEN.items():
        if pattern.search(name) and not HARMLESS.search(name):
            raise ExportError(f"Tệp Excel có {what}. Đề nghị chép bảng số liệu sang một tệp .xlsx mới rồi nhập lại.")
    if DECLARATIONS.search(part) or part.startswith(WIDE):
        raise ExportError(guard.DAMAGED)
    if SHEET.search(part):
        _check_sheet(part)


def _check_sheet(part: bytes) -> None:
    corners = [*DIMENSION.findall(part[:10_000]), *CELL.findall(part)]
    if any(int(row) > guard.ROWS for _, row in corners) or len(ROW.findall(part)) > guard.ROWS:
        raise ExportError(guard.TOO_LONG)
    if any(_column(letters) > guard.COLUMNS for letters, _ in corners):
        raise ExportError(guard.TOO_WIDE)
    if empty := UNCOMPUTED.search(part):
        place = empty[1].decode("ascii")
        raise ExportError(
            f"Ô {place} là công thức chưa có kết quả. Đề nghị mở tệp bằng Excel, chờ tính xong, lưu lại rồi nhập."
        )


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number


def _rows(sheet: Any) -> tuple[Row, ...]:
    rows = []
    values = sheet.iter_rows(min_row=1, max_row=guard.ROWS, min_col=1, max_col=guard.COLUMNS, values_only=True)
    for number, found in enumerate(values, 1):
        cells = tuple(_text(value) for value in found)
        if any(cells):
            guard.check_cells(cells, number)
            rows.append(Row(number, cells))
    return tuple(rows)


def _text(value: object) -> str:
    """A cell the way a CSV would say it; a number that lost digits stays visibly mangled."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(" ") if value.time() != datetime.min.time() else value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _number(value)
    return str(value)


def _number(value: float) -> str:
    if abs(value) >= EXACT_FLOAT or value != value:  # noqa: PLR0124 - NaN
        return f"{value:.5E}"
    return str(int(value)) if value == int(value) else repr(value)
