"""A file as tables of text, and the columns of a table by meaning instead of by place."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from collectors.exports.errors import ExportError
from collectors.website.text import clean
from config.folding import fold

HEADER_WITHIN = 10
"""A header stands in one of the first rows, below a title at most."""
HEADING_CAP = 80

Aliases = Mapping[str, tuple[str, ...]]
"""What a column means -> the folded headings it is known by."""


class Row(NamedTuple):
    """One row and its number as a spreadsheet shows it."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """`name` is the sheet, or the file in the archive; empty for a file that is one table."""

    name: str
    rows: tuple[Row, ...]


class Cells(dict[str, str]):
    """One row, cell by meaning, "" where nothing stands; `titles` are the headings as the file prints them."""

    def __init__(self, cells: Mapping[str, str], titles: Mapping[str, str]) -> None:
        super().__init__(cells)
        self.titles = titles


@dataclass(frozen=True, slots=True)
class Records:
    """The rows below a known header, cell by meaning."""

    header: Row
    places: Mapping[str, int]
    rows: tuple[Row, ...]

    def __iter__(self) -> Iterator[tuple[int, Cells]]:
        """Row number and cells; empty rows are left out."""
        titles = {name: clean(_cell(self.header, place), HEADING_CAP) for name, place in self.places.items()}
        for row in self.rows:
            if any(row.cells):
                yield row.number, Cells({name: _cell(row, place) for name, place in self.places.items()}, titles)

    def unknown(self, known: Collection[str]) -> list[str]:
        """The headings, as printed, that neither the places nor *known* explain."""
        taken = set(self.places.values())
        return [
            clean(cell, HEADING_CAP)
            for place, cell in enumerate(self.header.cells)
            if cell and place not in taken and heading(cell) not in known
        ]


def _cell(row: Row, place: int) -> str:
    return row.cells[place].strip() if place < len(row.cells) else ""


def heading(cell: str) -> str:
    """A heading in the form of the alias tables; "" for a cell too long to be one."""
    return fold(cell) if len(cell) <= HEADING_CAP else ""


def find_records(table: Table, aliases: Aliases, required: Collection[str]) -> Records | None:
    """The records below the first row that has every required column; None when there is no such row."""
    meanings = {alias: name for name, known in aliases.items() for alias in known}
    for at, row in enumerate(table.rows[:HEADER_WITHIN]):
        found = [(meanings.get(heading(cell)), place) for place, cell in enumerate(row.cells)]
        places = {name: place for name, place in reversed(found) if name}
        if places and places.keys() >= set(required):
            return Records(row, places, table.rows[at + 1 :])
    return None


def refuse_doubled(records: Records, aliases: Aliases, names: Collection[str]) -> None:
    """Two columns of one meaning: nobody can tell which of them counts."""
    for name in names:
        twins = [cell for cell in records.header.cells if heading(cell) in aliases[name]]
        if len(twins) > 1:
            raise ExportError(
                f"tệp có hai cột cùng nghĩa: «{clean(twins[0])}» và «{clean(twins[1])}». Đề nghị chỉ giữ một cột.",
                records.header.number,
            )
