"""What single cells say: counts and platform ids."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from collectors.exports.errors import ExportError, UnusableError
from collectors.exports.tables import Cells

MISSING = {"", "-", "--", "—", "–", "n/a", "na", "null", "none", "undefined", "nan", "không có"}
PLAIN = re.compile(r"[0-9]{1,15}(?:\.0{1,2})?")
GROUPED = re.compile(r"[0-9]{1,3}([,. \u00a0\u202f])[0-9]{3}(?:\1[0-9]{3}){0,3}")
SHORT = re.compile(r"([0-9]{1,3}(?:[.,][0-9]{1,3})?)\s?([KkMm])")
FACTORS = {"k": 1_000, "m": 1_000_000}
MANGLED = re.compile(r"\d(?:[.,]\d+)?E\+?\d+", re.IGNORECASE)
ID = re.compile(r"[1-9][0-9]{4,24}")
HIGHEST = 10**12
CUT_SHORT = (
    "mã bài hoặc mã trang đã bị bảng tính rút gọn (kiểu 8.72913E+14) nên mất các chữ số cuối. "
    "Đề nghị nhập tệp gốc tải từ Meta, không mở và lưu lại bằng Excel."
)


class Count(NamedTuple):
    """A count and whether it was shown rounded («1.2K»)."""

    value: int
    rounded: bool = False


def read_counts(cells: Cells, names: Iterable[str]) -> dict[str, Count | None]:
    """The counts of one row by meaning; UnusableError names the column that holds anything else."""
    return {name: _named_count(cells, name) for name in names}


def _named_count(cells: Cells, name: str) -> Count | None:
    try:
        return read_count(cells.get(name, ""))
    except UnusableError as problem:
        raise UnusableError(f"cột «{cells.titles[name]}» {problem}") from problem


def read_count(text: str) -> Count | None:
    """The count in a cell; None when the platform had none. UnusableError for anything that is no whole count."""
    text = text.strip()
    if text.lower() in MISSING:
        return None
    if PLAIN.fullmatch(text):
        return _sane(int(text.partition(".")[0]))
    if GROUPED.fullmatch(text):
        return _sane(int(re.sub(r"\D", "", text)))
    if short := SHORT.fullmatch(text):
        return _expanded(short[1].replace(",", "."), FACTORS[short[2].lower()])
    if text.startswith(("-", "−")):
        raise UnusableError("có số âm; số đếm không thể nhỏ hơn 0")
    raise UnusableError("có ô không phải là số đếm nguyên")


def _sane(value: int, *, rounded: bool = False) -> Count:
    if value > HIGHEST:
        raise UnusableError("có số lớn bất thường")
    return Count(value, rounded)


def _expanded(digits: str, factor: int) -> Count:
    if len(digits.replace(".", "").lstrip("0")) < 2:
        raise UnusableError("có số làm tròn quá thô (kiểu 1K); cần ít nhất hai chữ số")
    whole, _, part = digits.partition(".")
    return _sane(int(whole) * factor + int(part.ljust(3, "0")) * factor // 1_000, rounded=True)


def read_id(text: str, row: int) -> str | None:
    """A platform's numeric id, or None when the cell holds none; ExportError for one a spreadsheet has mangled."""
    text = text.strip().strip("'")
    if MANGLED.fullmatch(text):
        raise ExportError(
            CUT_SHORT,
            row,
        )
    return text if ID.fullmatch(text) else None
