"""CSV bytes as one table."""

from __future__ import annotations

import codecs
import csv
import io
import re

from collectors.exports.errors import ExportError
from collectors.exports.guard import check_cells
from collectors.exports.tables import Row, Table

DELIMITERS = ",;\t"
STATED = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)
SAMPLE_LINES = 5


def read_delimited(data: bytes, name: str = "") -> Table:
    """The table of a CSV file in UTF-8 or, with its mark, UTF-16; ExportError for anything else.

    A first line «sep=,» is obeyed and still counts as a row, so that row numbers are those a person sees.
    """
    text = _decoded(data)
    stated = STATED.match(text)
    delimiter = stated[1] if stated else _likeliest(text)
    rows = []
    try:
        for number, cells in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), 1):
            check_cells(tuple(cells), number)
            rows.append(Row(number, tuple(cells)))
    except (csv.Error, TypeError, ValueError) as error:
        raise ExportError(
            "Tệp CSV sai dấu ngoặc kép hoặc dấu ngăn cách. Đề nghị xuất lại tệp từ nền tảng.", len(rows) + 1
        ) from error
    return Table(name, tuple(rows[1:] if stated else rows))


def _decoded(data: bytes) -> str:
    encoding = "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise ExportError(
            "Bảng mã của tệp không phải UTF-8. Đề nghị mở bằng Excel, lưu lại dạng «CSV UTF-8» hoặc .xlsx."
        ) from error
    if "\x00" in text:
        raise ExportError("Tệp không phải là văn bản CSV. Đề nghị chọn tệp .csv, .xlsx hoặc .zip vừa xuất từ nền tảng.")
    return text


def _likeliest(text: str) -> str:
    """Excel in Vietnamese writes «;»: the sign that the first lines hold most of."""
    head = "\n".join(text[:4000].splitlines()[:SAMPLE_LINES])
    unquoted = re.sub(r'"[^"]*"', "", head)
    return max(DELIMITERS, key=unquoted.count)
