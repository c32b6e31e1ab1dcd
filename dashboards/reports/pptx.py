"""Slides, 16:9: one message as the title of each, with a native chart that can be edited, or a table.

Nothing in them is a link, and the small workbooks inside the charts hold no formula. The same report at the same
cut-off is the same bytes.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pptx
import xlsxwriter
from pptx.chart.data import CategoryChartData
from pptx.dml.color import RGBColor
from pptx.enum.chart import XL_CHART_TYPE, XL_LEGEND_POSITION, XL_MARKER_STYLE, XL_TICK_LABEL_POSITION, XL_TICK_MARK
from pptx.enum.dml import MSO_LINE, MSO_PATTERN
from pptx.enum.lang import MSO_LANGUAGE_ID
from pptx.enum.text import PP_ALIGN
from pptx.util import Inches, Pt

from dashboards.charts.drawing import Drawing, Shape
from dashboards.charts.texts import plain
from dashboards.reports.cells import columns, decimals, shown
from dashboards.reports.files import put
from dashboards.reports.native import LOOKS, Look, Native
from dashboards.reports.page import Heading, Page
from dashboards.reports.studio import Studio

_rgb: Any = RGBColor.from_string  # the library has types for some of its parts only
_chart_data: Any = CategoryChartData

NAME = "bao-cao.pptx"
WIDE, HIGH = Inches(13.333), Inches(7.5)
LEFT, ACROSS = Inches(0.5), Inches(12.333)
TITLE_ONLY = 5
SENTENCE = 600
ROWS, COLUMNS = 12, 7
SINCE = datetime(2000, 1, 1)  # noqa: DTZ001 - office files know no zone
"""What of a table can be read from the back of a room."""
INK, SOFT = _rgb("1F2933"), _rgb("46566B")
KINDS = {
    (Shape.LINE, False): XL_CHART_TYPE.LINE,
    (Shape.BAR, True): XL_CHART_TYPE.BAR_CLUSTERED,
    (Shape.STACKED, True): XL_CHART_TYPE.BAR_STACKED,
    (Shape.STACKED, False): XL_CHART_TYPE.COLUMN_STACKED,
    (Shape.COLUMN, False): XL_CHART_TYPE.COLUMN_CLUSTERED,
}


def write(pages: Sequence[Page], heading: Heading, out: Path, studio: Studio) -> list[Path]:
    """«bao-cao.pptx»: a first slide, one for each page, and one of words; needs no browser."""
    deck = pptx.Presentation()
    deck.slide_width, deck.slide_height = WIDE, HIGH
    _describe(deck, heading)
    _write_first(deck, heading)
    for number, page in enumerate(pages, start=2):
        _write_page(deck, page, number)
    _write_words(deck, heading)
    file = io.BytesIO()
    deck.save(file)
    return [put(out / NAME, _timeless(file.getvalue()))]


def _describe(deck: Any, heading: Heading) -> None:
    about = deck.core_properties
    about.title, about.author = plain(heading.title), plain(heading.organisation)
    about.last_modified_by = plain(heading.organisation)
    about.comments = ""
    about.created = about.modified = heading.until.astimezone(UTC).replace(tzinfo=None)


def _write_first(deck: Any, heading: Heading) -> None:
    slide = _slide(deck, heading.title, Inches(2.2), 36)
    _write_lines(slide, heading.lines, Inches(3.6), Inches(3), 18)


def _write_page(deck: Any, page: Page, number: int) -> None:
    drawing = page.drawing
    slide = _slide(deck, drawing.sentence, Inches(0.35))
    if native := Native.of(drawing):
        _insert_chart(slide, native)
    elif not drawing.table.empty:
        _insert_table(slide, drawing)
    _write_lines(slide, [plain(page.title), plain(drawing.foot)], Inches(6.72), Inches(0.6), 11)
    box = slide.shapes.add_textbox(Inches(12.2), Inches(6.95), Inches(0.8), Inches(0.35))
    _write(box.text_frame.paragraphs[0], str(number), 11)


def _write_words(deck: Any, heading: Heading) -> None:
    slide = _slide(deck, "Nguồn và định nghĩa", Inches(0.35), 28)
    lines = [f"{word}: {meaning}" for word, meaning in heading.words]
    _write_lines(slide, lines, Inches(1.5), Inches(5), 16)


def _slide(deck: Any, title: str, top: Any, size: int | None = None) -> Any:
    """A slide with its message as its title, the longer the smaller."""
    slide = deck.slides.add_slide(deck.slide_layouts[TITLE_ONLY])
    shape = slide.shapes.title
    shape.left, shape.top, shape.width, shape.height = LEFT, top, ACROSS, Inches(1.3)
    text = plain(title, SENTENCE)
    shape.text_frame.word_wrap = True
    shape.text_frame.paragraphs[0].alignment = PP_ALIGN.LEFT
    _write(shape.text_frame.paragraphs[0], text, size or _size(text), bold=True)
    return slide


def _size(text: str) -> int:
    return next((size for most, size in ((90, 28), (180, 22), (320, 17)) if len(text) <= most), 13)


def _write_lines(slide: Any, lines: Sequence[str], top: Any, height: Any, size: int) -> None:
    frame = slide.shapes.add_textbox(LEFT, top, Inches(11.6), height).text_frame
    frame.word_wrap = True
    for place, line in enumerate(lines):
        _write(frame.paragraphs[0] if place == 0 else frame.add_paragraph(), line, size, colour=SOFT)


def _write(paragraph: Any, text: str, size: int, *, bold: bool = False, colour: Any = INK) -> None:
    run = paragraph.add_run()
    run.text = text
    run.font.size, run.font.bold, run.font.color.rgb = Pt(size), bold, colour
    run.font.language_id = MSO_LANGUAGE_ID.VIETNAMESE


# --- charts -----------------------------------------------------------------------------------------------------


def _insert_chart(slide: Any, native: Native) -> None:
    data = _chart_data(number_format=native.number_format)
    data.categories = native.labels if native.dated else [shown(label) for label in native.labels]
    for name, numbers in native.series.items():
        data.add_series(name, numbers)
    kind = KINDS[native.shape, native.lying]
    chart = slide.shapes.add_chart(kind, LEFT, Inches(1.75), ACROSS, Inches(4.9), data).chart
    chart.part.chart_workbook.update_from_xlsx_blob(_workbook(native))
    chart.font.size = Pt(12)
    chart.has_title = False
    chart.has_legend = len(native.series) > 1
    if chart.has_legend:
        chart.legend.position, chart.legend.include_in_layout = XL_LEGEND_POSITION.BOTTOM, False
    _axes(chart, native)
    if not native.is_line:
        chart.plots[0].gap_width = 60
    for series, look in zip(chart.plots[0].series, LOOKS, strict=False):
        _dress(series, look, native)


def _axes(chart: Any, native: Native) -> None:
    along, up = chart.category_axis, chart.value_axis
    along.tick_label_position = XL_TICK_LABEL_POSITION.LOW
    if native.lying:  # the first on top, the numbers below
        along.reverse_order, up.tick_label_position = True, XL_TICK_LABEL_POSITION.HIGH
    if native.starts_at_zero:
        up.minimum_scale = 0
    up.major_tick_mark = XL_TICK_MARK.NONE
    up.format.line.fill.background()
    up.major_gridlines.format.line.color.rgb = _rgb("D9DEE3")
    up.tick_labels.number_format, up.tick_labels.number_format_is_linked = native.number_format, False
    if native.dated:
        along.tick_labels.number_format, along.tick_labels.number_format_is_linked = "dd/mm", False


def _dress(series: Any, look: Look, native: Native) -> None:
    colour = _rgb(look.colour.lstrip("#"))
    if native.is_line:
        series.smooth = False
        series.marker.style = XL_MARKER_STYLE.NONE
        line = series.format.line
        line.color.rgb, line.width, line.dash_style = colour, Pt(2), getattr(MSO_LINE, look.office_dash)
        return
    fill = series.format.fill
    if look.office_pattern:
        fill.patterned()
        fill.pattern = getattr(MSO_PATTERN, look.office_pattern)
        fill.fore_color.rgb, fill.back_color.rgb = colour, _rgb("FFFFFF")
    else:
        fill.solid()
        fill.fore_color.rgb = colour
    series.format.line.color.rgb = colour


def _workbook(native: Native) -> bytes:
    """What «Edit data» opens: where python-pptx puts it, but with every text as a text."""
    file = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "default_date_format": "dd/mm/yyyy",
    }
    with xlsxwriter.Workbook(file, options) as book:
        book.set_properties({"created": SINCE})  # the moment of packing would make every file differ
        sheet = book.add_worksheet("Sheet1")
        for place, (name, numbers) in enumerate({"": native.labels, **native.series}.items()):
            sheet.write_string(0, place, name)
            sheet.write_column(1, place, numbers)
    return file.getvalue()


# --- tables -----------------------------------------------------------------------------------------------------


def _insert_table(slide: Any, drawing: Drawing) -> None:
    table = drawing.table.iloc[:ROWS, :COLUMNS]
    cells = columns(table)
    texts = [[shown(cell, decimals(column)) for cell in column] for column in cells]
    frame = slide.shapes.add_table(
        len(table) + 1, len(cells), LEFT, Inches(1.75), ACROSS, Inches(0.36) * (len(table) + 1)
    )
    for place, heading in enumerate(table.columns):
        for row, text in enumerate([plain(heading), *texts[place]]):
            _write(frame.table.cell(row, place).text_frame.paragraphs[0], text, 12, bold=row == 0)
    if more := len(drawing.table) - len(table):
        _write_lines(slide, [f"Còn {shown(more)} dòng, xem tệp số liệu."], Inches(6.4), Inches(0.35), 11)


def _timeless(content: bytes) -> bytes:
    """The same package without the moment at which each part was packed."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            new.writestr(zipfile.ZipInfo(part.filename), old.read(part), zipfile.ZIP_DEFLATED)
    return file.getvalue()
