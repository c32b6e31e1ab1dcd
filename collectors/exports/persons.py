"""Refusing rosters: a file about persons is not ours to read, whatever else it holds.

A refusal names the column and the row, never the value.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator

from collectors.exports.errors import ExportError
from collectors.exports.tables import HEADER_WITHIN, Row, Table, heading

HEADINGS = {
    "họ tên": re.compile(
        r"ho|(?:stt )?(?:ho va ten|ho ten|ho va chu dem|ho dem|ten (?:doan|hoi|dang|doi) vien"
        r"|ten hoc sinh|ten sinh vien|ten can bo|full ?name|first ?name|last ?name|surname|given name)\b.*"
    ),
    "số điện thoại": re.compile(r"(?:so )?(?:dtdd|sdt|dien thoai|dt di dong|di dong|phone|mobile|telephone)\b.*"),
    "số giấy tờ": re.compile(
        r".*\b(?:cccd|cmnd|can cuoc|chung minh|dinh danh|ho chieu|citizen id|id card|passport|so the doan)\b.*"
    ),
    "thư điện tử": re.compile(r"(?:dia chi )?(?:e ?mail|thu dien tu|hop thu)\b.*"),
    "ngày sinh": re.compile(
        r"(?:ngay (?:thang )?(?:nam )?sinh|nam sinh|sinh ngay|date of birth|birth ?(?:day|date)?|dob)\b.*"
    ),
}
PHONE = re.compile(r"(?:\+84|84|0)[2-9]\d{8,9}", re.ASCII)
EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")
PAPER = re.compile(r"\d{9}|\d{12}", re.ASCII)
SPACING = re.compile(r"[\s.()-]")
SURNAMES = re.compile(r"(?:Nguyễn|Trần|Lê|Phạm|Huỳnh|Hoàng|Phan|Vũ|Võ|Đặng|Bùi|Đỗ|Ngô|Trương)\Z", re.IGNORECASE)
"""The commonest family names, without those that the Union («Đoàn») and the city («Hồ Chí Minh») bear too."""
ID_HEADING = re.compile(r"\bid\b|ma (?:bai viet|trang)\Z")
CHECKED_CHARACTERS = 60
"""No phone, paper or name is longer; a post may well mention a phone in its text."""
AT_LEAST = 2
"""One odd cell is chance, two are a column of them."""


def refuse_rosters(table: Table, known: Collection[str]) -> None:
    """ExportError when a heading or a column tells of persons. *known* are the headings of our formats."""
    header = next((row for row in table.rows[:HEADER_WITHIN] if _is_header(row, known)), None)
    for row in table.rows[:HEADER_WITHIN]:
        _check_headings(row)
        if row is header:
            break
    below = [row for row in table.rows if header is None or row.number > header.number]
    for place in range(max((len(row.cells) for row in table.rows), default=0)):
        title = heading(_at(header, place)) if header else ""
        _check_column(place, below, is_ours=title in known, is_id=bool(ID_HEADING.search(title)))


def _is_header(row: Row, known: Collection[str]) -> bool:
    return sum(heading(cell) in known for cell in row.cells) >= 2


def _at(row: Row, place: int) -> str:
    return row.cells[place] if place < len(row.cells) else ""


def _check_headings(row: Row) -> None:
    for place, cell in enumerate(row.cells):
        words = heading(cell)
        for what, pattern in HEADINGS.items():
            if words and pattern.fullmatch(words):
                raise _refusal(what, place, row.number)


def _check_column(place: int, rows: Collection[Row], *, is_ours: bool, is_id: bool) -> None:
    if is_id:
        return
    for what, number in _first_signs(place, rows):
        raise _refusal(what, place, number)
    if is_ours:
        return
    filled = [(row.number, cell) for row in rows if (cell := _at(row, place).strip())]
    for what, is_sign in (("số giấy tờ", _is_paper), ("họ tên", _is_name)):
        found = [number for number, cell in filled if is_sign(cell)]
        if len(found) >= AT_LEAST and 2 * len(found) >= len(filled):
            raise _refusal(what, place, found[0])


def _first_signs(place: int, rows: Collection[Row]) -> Iterator[tuple[str, int]]:
    for row in rows:
        cell = _at(row, place).strip()
        if len(cell) <= CHECKED_CHARACTERS:
            if PHONE.fullmatch(SPACING.sub("", cell)):
                yield "số điện thoại", row.number
            if "@" in cell and EMAIL.fullmatch(cell):
                yield "thư điện tử", row.number


def _is_paper(cell: str) -> bool:
    return bool(PAPER.fullmatch(cell))


def _is_name(cell: str) -> bool:
    words = unicodedata.normalize("NFC", cell[: CHECKED_CHARACTERS + 1]).split()
    is_short = len(cell) <= CHECKED_CHARACTERS and 2 <= len(words) <= 5
    return bool(is_short and SURNAMES.match(words[0]) and all(word[0].isupper() and word.isalpha() for word in words))


def _refusal(what: str, place: int, row: int) -> ExportError:
    return ExportError(
        f"cột {column_name(place)} giống {what} của cá nhân. Hệ thống không nhận danh sách người. "
        "Đề nghị bỏ hẳn cột này, chỉ giữ số liệu của kênh.",
        row,
    )


def column_name(place: int) -> str:
    """The letters a spreadsheet gives the column: 0 is A, 26 is AA."""
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
