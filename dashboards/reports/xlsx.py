"""An Excel workbook: a sheet for every table with a native chart beside it, and one of sources and definitions.

Texts are always text cells: nothing in them becomes a formula or a link. Numbers are numbers, days are days. The same
report at the same cut-off is the same bytes.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import UTC, date
from pathlib import Path
from typing import Any

from dashboards.charts.drawing import Shape
from dashboards.charts.texts import plain
from dashboards.reports.cells import MOST_DECIMALS, Value, columns, decimals, is_day, number_format, shown
from dashboards.reports.files import put
from dashboards.reports.native import HEIGHT_A_BAR, LOOKS, Look, Native
from dashboards.reports.page import Heading, Page
from dashboards.reports.studio import Studio

NAME = "bao-cao.xlsx"
SOURCES = "Nguồn và định nghĩa"
OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "nan_inf_to_errors": False,
}
HEAD, FIRST = 4, 5
"""The rows of the headings and of the first data."""
TEXT, ALT, WIDEST, NARROWEST = 1200, 255, 60, 9
LINE = 15
"""The height of one line of text, in points."""
STYLES: dict[str, dict[str, Any]] = {
    "title": {"bold": True, "font_size": 14},
    "note": {"text_wrap": True, "valign": "top"},
    "small": {"font_color": "#55606B", "italic": True},
    "heading": {"bold": True, "border": 1, "bg_color": "#E6F0FB", "text_wrap": True, "valign": "vcenter"},
    "text": {"border": 1, "text_wrap": True, "valign": "top", "num_format": "@"},
    "empty": {"border": 1},
    "day": {"border": 1, "num_format": "dd/mm/yyyy", "align": "left", "valign": "top"},
    "moment": {"border": 1, "num_format": "hh:mm dd/mm/yyyy", "align": "left", "valign": "top"},
    **{
        f"number {at}": {"border": 1, "num_format": number_format(at), "valign": "top"}
        for at in range(MOST_DECIMALS + 1)
    },
}
Styles = Mapping[str, Any]


def write(pages: Sequence[Page], heading: Heading, out: Path, studio: Studio) -> list[Path]:
    """«bao-cao.xlsx» with the sheets «Biểu 1», «Biểu 2», … and «Nguồn và định nghĩa»; needs no browser."""
    import xlsxwriter

    file = io.BytesIO()
    with xlsxwriter.Workbook(file, OPTIONS) as book:
        created = heading.until.astimezone(UTC).replace(tzinfo=None)
        author = plain(heading.organisation)
        book.set_properties({"title": plain(heading.title), "author": author, "created": created})
        styles = {name: book.add_format(style) for name, style in STYLES.items()}
        for number, page in enumerate(pages, start=1):
            _write_page(book, f"Biểu {number}", page, styles)
        _write_sources(book.add_worksheet(SOURCES), pages, heading, styles)
    return [put(out / NAME, file.getvalue())]


def _write_page(book: Any, name: str, page: Page, styles: Styles) -> None:
    sheet = book.add_worksheet(name)
    table = page.drawing.table
    cells, headings = columns(table), [plain(one) for one in table.columns]
    _lay_out(sheet, headings, cells)
    across = max(len(headings), 6) - 1
    _write_head(sheet, page, across, styles)
    sheet.set_row(HEAD, 2 * LINE)
    for place, words in enumerate(headings):
        sheet.write_string(HEAD, place, words, styles["heading"])
    numbers = [f"number {decimals(column)}" for column in cells]
    for row in range(len(table)):
        for place, column in enumerate(cells):
            _write_cell(sheet, FIRST + row, place, column[row], styles, numbers[place])
    if native := Native.of(page.drawing):
        chart = _chart(book, name, native)
        told = {"description": plain(page.drawing.sentence, ALT)}
        sheet.insert_chart(HEAD, max(len(headings), 6) + 1, chart, told)


def _lay_out(sheet: Any, headings: Sequence[str], cells: Sequence[list[Value]]) -> None:
    for place, (words, column) in enumerate(zip(headings, cells, strict=True)):
        longest = max(map(_width, column), default=0)
        sheet.set_column(place, place, min(max(longest + 2, len(words) // 2 + 3, NARROWEST), WIDEST))
    sheet.freeze_panes(FIRST, 1)
    sheet.repeat_rows(HEAD)
    _on_paper(sheet)


def _width(cell: Value) -> int:
    return len(shown(cell)) if isinstance(cell, (str, date)) else 0


def _on_paper(sheet: Any) -> None:
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.set_footer("&C&P/&N")


def _write_head(sheet: Any, page: Page, across: int, styles: Styles) -> None:
    sentence = plain(page.drawing.sentence, TEXT)
    sheet.write_string(0, 0, plain(page.title), styles["title"])
    sheet.set_row(1, LINE * (1 + len(sentence) // (12 * across + 12)))
    sheet.merge_range(1, 0, 1, across, "", styles["note"])
    sheet.write_string(1, 0, sentence, styles["note"])
    sheet.write_string(2, 0, plain(page.drawing.foot), styles["small"])


def _write_cell(sheet: Any, row: int, place: int, cell: Value, styles: Styles, number: str) -> None:
    if cell is None:
        sheet.write_blank(row, place, None, styles["empty"])
    elif isinstance(cell, str):
        sheet.write_string(row, place, cell, styles["text"])
    elif isinstance(cell, date):
        sheet.write_datetime(row, place, cell, styles["day" if is_day(cell) else "moment"])
    else:
        sheet.write_number(row, place, cell, styles[number])


def _write_sources(sheet: Any, pages: Sequence[Page], heading: Heading, styles: Styles) -> None:
    sheet.set_column(0, 0, 28)
    sheet.set_column(1, 4, 40)
    _on_paper(sheet)
    sheet.write_string(0, 0, plain(heading.title), styles["title"])
    row = 1
    for line in heading.lines:
        sheet.write_string(row, 0, line)
        row += 1
    listed = [
        (f"Biểu {number}", page.title, page.clause, page.source, page.drawing.foot)
        for number, page in enumerate(pages, start=1)
    ]
    row = _write_list(sheet, row + 1, ("Trang tính", "Nội dung", "Căn cứ", "Nguồn", "Ghi chú"), listed, styles)
    _write_list(sheet, row + 1, ("Từ", "Nghĩa"), heading.words, styles)


def _write_list(sheet: Any, row: int, headings: Sequence[str], rows: Sequence[Sequence[str]], styles: Styles) -> int:
    """A small table of texts; returns the row after it."""
    for style, texts in (("heading", headings), *(("text", texts) for texts in rows)):
        for place, text in enumerate(texts):
            sheet.write_string(row, place, plain(text), styles[style])
        row += 1
    return row


def _chart(book: Any, sheet: str, native: Native) -> Any:
    kind = "line" if native.is_line else "bar" if native.lying else "column"
    chart = book.add_chart({"type": kind, **({"subtype": "stacked"} if native.shape is Shape.STACKED else {})})
    last = FIRST + len(native.labels) - 1
    for place, look in zip(native.places.values(), LOOKS, strict=False):
        drawn = {
            "name": [sheet, HEAD, place],
            "categories": [sheet, FIRST, native.category_place, last, native.category_place],
            "values": [sheet, FIRST, place, last, place],
        }
        chart.add_series(drawn | _look(look, native))
    _axes(chart, native)
    chart.set_legend({"position": "bottom", "none": len(native.series) == 1})
    chart.show_blanks_as("gap")
    chart.set_size({"width": 900, "height": _height(native)})
    return chart


def _look(look: Look, native: Native) -> dict[str, Any]:
    if native.is_line:
        return {"line": {"color": look.colour, "dash_type": look.dash, "width": 2}, "marker": {"type": "none"}}
    edge = {"border": {"color": look.colour}, "gap": 60, "overlap": 100 if native.shape is Shape.STACKED else 0}
    if not look.pattern:
        return edge | {"fill": {"color": look.colour}}
    return edge | {"pattern": {"pattern": look.pattern, "fg_color": look.colour, "bg_color": "#FFFFFF"}}


def _axes(chart: Any, native: Native) -> None:
    along: dict[str, Any] = {"label_position": "low"}
    if native.lying:
        along |= {"reverse": True, "crossing": "max"}  # the first on top, the numbers below
    if native.dated:
        along |= {"date_axis": True, "num_format": "dd/mm", "num_format_linked": False}
    grid = {"visible": True, "line": {"color": "#D9DEE3"}}
    least = {"min": 0} if native.starts_at_zero else {}
    numbers = {"major_gridlines": grid, "num_format": native.number_format, **least}
    chart.set_x_axis(numbers if native.lying else along)
    chart.set_y_axis(along if native.lying else numbers)
    chart.set_title({"none": True})


def _height(native: Native) -> int:
    return max(360, 120 + HEIGHT_A_BAR * len(native.labels)) if native.lying else 420
