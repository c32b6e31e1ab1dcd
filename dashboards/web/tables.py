"""One table, three forms: on a page, as CSV for a spreadsheet, as JSON for a program."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from dashboards.charts.texts import plain
from dashboards.web.told import NOTHING, Badge
from dashboards.web.view import PER_PAGE

FORMULA_SIGNS = "=+-@\t\r\0＝＋－＠"
"""A spreadsheet takes a text that begins with one of these for a formula."""
MOST_LETTERS = 1000
"""Of one cell; control and direction characters are left out."""
_LIKE_A_DAY = re.compile(r"\s*\d{1,4}[/-]\d{1,4}([/-]\d{1,4})?\s*")
NOTE = "Ô chữ dễ bị bảng tính hiểu là công thức hoặc ngày có thêm dấu ' ở đầu; tỷ lệ ghi dạng 0.05."


@dataclass(frozen=True)
class Column:
    """`key` names it for programs. `on_phone`: one of the few facts of a card on a phone."""

    key: str
    title: str
    on_phone: bool = True
    is_number: bool = False


@dataclass(frozen=True)
class Cell:
    """What a person reads, and, where that is a number, a day or a moment, what a program gets."""

    text: str
    value: float | date | datetime | None = None
    href: str = ""
    badge: Badge | None = None


@dataclass(frozen=True)
class Table:
    """`empty` says what is true when there are no rows, and what to do."""

    name: str
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    empty: str
    query: Mapping[str, str]
    """With which the same table is asked for as CSV."""
    total: int = 0
    """Of a table that stands in parts: its rows in all."""

    @property
    def parts(self) -> int:
        return -(-self.total // PER_PAGE)


Given = Cell | Badge | str | float | None


def cells(*given: Given) -> list[Cell]:
    """A row from plain values; what is missing is shown as «–»."""
    return [_cell(one) for one in given]


def _cell(given: Given) -> Cell:
    if isinstance(given, Cell):
        return replace(given, text=plain(given.text, MOST_LETTERS))
    if isinstance(given, Badge):
        return Cell(given.word, badge=given)
    if given is None or given == "":
        return Cell(NOTHING)
    return Cell(plain(given, MOST_LETTERS)) if isinstance(given, str) else Cell(f"{given:,}".replace(",", "."), given)


def as_csv(table: Table, heading: str) -> bytes:
    """UTF-8 with a mark of order, for Excel; the first line says where it is from and how texts are kept harmless."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([f"{heading} {NOTE}"])
    writer.writerow([column.title for column in table.columns])
    writer.writerows([_csv_value(cell) for cell in row] for row in table.rows)
    return text.getvalue().encode("utf-8-sig")


def _csv_value(cell: Cell) -> str:
    if isinstance(cell.value, datetime):
        return cell.value.isoformat(timespec="seconds")
    if cell.value is not None:
        return str(cell.value)
    return "" if cell.text == NOTHING else harmless(cell.text)


def harmless(text: str) -> str:
    """The text with «'» before it where a spreadsheet would reckon it, or take «7/20» for a day."""
    first = text.lstrip(" \n\u00a0")[:1]
    reckoned = first in FORMULA_SIGNS if first else False
    return f"'{text}" if reckoned or _LIKE_A_DAY.fullmatch(text) else text


def as_facts(table: Table) -> list[dict[str, Any]]:
    """One object a row; what is missing is null."""
    keys = [column.key for column in table.columns]
    return [dict(zip(keys, map(_fact, row), strict=True)) for row in table.rows]


def _fact(cell: Cell) -> Any:
    if cell.badge is not None:
        return cell.badge.status
    if cell.value is not None:
        return cell.value.isoformat() if isinstance(cell.value, date) else cell.value
    return None if cell.text == NOTHING else cell.text
