"""Refusing rosters: a file about persons is not ours to read, whatever else it holds.

One phone number, address or paper number in any cell is enough, a text with one in it too. Only what is published
anyway may hold one: the texts and links of the organisation's own posts. A refusal names the column and the row,
never the value.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator

from collectors.exports.errors import ExportError
from collectors.exports.tables import HEADER_WITHIN, Row, Table, heading

_ROLES = r"nguoi|can bo|nhan vien|chuyen vien|cong tac vien|ctv|dong chi"
_DUTIES = (
    r"nhap|lap|phu trach|thuc hien|bao cao|ky|duyet|phe duyet|kiem tra|tong hop|cung cap|dien|ghi|lien he|quan ly"
    r"|quan tri|dang bai|dang tin|viet|bien tap|chup|quay|nop|gui|soan|cap nhat|theo doi (?:so lieu|kenh|trang)"
)
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
    "tên người làm": re.compile(
        rf"(?:ho )?(?:ten )?(?:(?:{_ROLES}) (?:{_DUTIES})\b.*|nguoi dang|can bo|phu trach|tac gia)"
    ),
    "ngày sinh": re.compile(
        r"(?:ngay (?:thang )?(?:nam )?sinh|nam sinh|sinh ngay|date of birth|birth ?(?:day|date)?|dob)\b.*"
    ),
}
PHONE = re.compile(r"(?:\+84|84|0)[2-9]\d{8,9}", re.ASCII)
EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")
PAPER = re.compile(r"\d{9}|\d{12}", re.ASCII)
PAPER_WITHIN = re.compile(r"(?<![\w.,-])(?:\d{9}|\d{12})(?!\w|[.,-]\d)")
LINK = re.compile(r"https?://\S+", re.IGNORECASE)
"""An address may hold the number of a page or of a post."""
SPACING = re.compile(r"[\s.()-]")
SURNAMES = re.compile(r"(?:Nguyễn|Trần|Lê|Phạm|Huỳnh|Hoàng|Phan|Vũ|Võ|Đặng|Bùi|Đỗ|Ngô|Trương)\Z", re.IGNORECASE)
"""The commonest family names, without those that the Union («Đoàn») and the city («Hồ Chí Minh») bear too."""
ID_HEADING = re.compile(r"\bid\b|ma (?:bai viet|trang)\Z")
PHONE_WITHIN = re.compile(r"(?<!\d)(?:\+84[ .]?|84|0)[2-9]\d(?:[ .-]?\d){7,8}(?!\d)", re.ASCII)
CHECKED_CHARACTERS = 60
"""No phone, paper or name is longer."""
AT_LEAST = 2
"""One odd cell is chance, two are a column of them."""


def refuse_rosters(table: Table, known: Collection[str], published: Collection[str] = ()) -> None:
    """ExportError when a heading, a column or a cell tells of persons.

    *known* are the headings of our formats; those of them that are *published* are texts that anybody may read.
    """
    header = next((row for row in table.rows[:HEADER_WITHIN] if _is_header(row, known)), None)
    for row in table.rows[:HEADER_WITHIN]:
        _check_headings(row)
        if row is header:
            break
    below = [row for row in table.rows if header is None or row.number > header.number]
    for place in range(max((len(row.cells) for row in table.rows), default=0)):
        title = heading(_at(header, place)) if header else ""
        if title not in published and not ID_HEADING.search(title):
            _check_column(place, below, is_ours=title in known)


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


def _check_column(place: int, rows: Collection[Row], *, is_ours: bool) -> None:
    for what, number in _first_signs(place, rows):
        raise _refusal(what, place, number)
    for row in rows:
        if what := _within(_at(row, place)):
            raise _refusal_of_cell(what, place, row.number)
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


def _within(cell: str) -> str:
    """What of a person a text holds among other words; "" for nothing, and for a cell that is a bare number."""
    text = LINK.sub(" ", cell)
    if "@" in text and EMAIL.search(text):
        return "thư điện tử"
    if PHONE_WITHIN.search(text):
        return "số điện thoại"
    return "số giấy tờ" if any(map(str.isalpha, text)) and PAPER_WITHIN.search(text) else ""


def tells_of_a_person(text: str) -> bool:
    """Whether a text of our own input is a personal name, or holds a phone number or an e-mail address."""
    return bool(_is_name(text.strip()) or EMAIL.search(text) or PHONE_WITHIN.search(text))


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


def _refusal_of_cell(what: str, place: int, row: int) -> ExportError:
    return ExportError(
        f"ô ở cột {column_name(place)} có {what}. Hệ thống không giữ thông tin của cá nhân. "
        "Đề nghị xóa phần ấy khỏi ô rồi nhập lại.",
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
