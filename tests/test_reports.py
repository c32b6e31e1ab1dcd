"""The files of a report, opened again: number by number, text by text, and with LibreOffice."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import subprocess
import unicodedata
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pptx as office
import pytest
from lxml import etree
from lxml import html as lxml_html
from openpyxl.utils.escape import unescape

from dashboards.charts import CHARTS
from dashboards.charts.drawing import Shape
from dashboards.charts.texts import plain
from dashboards.reports import REPORTS, Page, Studio, html, pptx, write_reports, xlsx
from dashboards.reports.browser import Browser
from dashboards.reports.cells import columns, decimals, shown
from dashboards.reports.files import put
from dashboards.reports.finding import NONE_FOUND, find_browser
from tests import chart_builders
from tests.conftest import need
from tests.report_builders import (
    HOSTILE,
    cases,
    drawing,
    growth,
    heading,
    hostile_pages,
    months,
    need_browser,
    page,
    pages,
    shares,
    states,
)

NO_BROWSER = {"PATH": "/nowhere"}
WITHOUT = Studio(NO_BROWSER)
NEEDS_A_BROWSER = {"pdf", "pictures"}
OFFICE = next(filter(None, map(shutil.which, ("soffice", "libreoffice"))), None)
SHEETS = ["Biểu 1", "Biểu 2", "Biểu 3", "Biểu 4", "Biểu 5", "Biểu 6", "Nguồn và định nghĩa"]


def workbook(made: list[Page], out: Path) -> Any:
    (path,) = xlsx.write(made, heading(), out, WITHOUT)
    return openpyxl.load_workbook(path)


def deck(made: list[Page], out: Path) -> Any:
    (path,) = pptx.write(made, heading(), out, WITHOUT)
    return office.Presentation(str(path))


def webpage(made: list[Page], out: Path) -> Any:
    (path,) = html.write(made, heading(), out, WITHOUT)
    return lxml_html.fromstring(path.read_bytes())


# --- all of them ------------------------------------------------------------------------------------------------


def test_every_report_writes_its_files_under_fixed_names(tmp_path: Path):
    need_browser()
    with Studio() as studio:
        done = write_reports(hostile_pages()[:2], heading(), tmp_path / "báo cáo", studio)
    assert done.missing == []
    numbered = {f"bieu-do-0{number}.{kind}" for number in (1, 2) for kind in ("png", "svg")}
    assert {path.name for path in done.paths} == {
        f"bao-cao.{kind}" for kind in ("html", "pdf", "pptx", "xlsx")
    } | numbered
    assert set(done.paths) == set((tmp_path / "báo cáo").iterdir())


def test_without_a_browser_everything_but_pictures_and_pdf_comes_out(tmp_path: Path):
    done = write_reports(pages(), heading(), tmp_path, Studio(NO_BROWSER))
    assert {path.name for path in done.paths} == {"bao-cao.html", "bao-cao.pptx", "bao-cao.xlsx"}
    assert done.missing == [NONE_FOUND]


@pytest.mark.parametrize("name", sorted(REPORTS.keys() - NEEDS_A_BROWSER))
def test_the_same_report_is_the_same_file(name: str, tmp_path: Path):
    first, again = (REPORTS[name](pages(), heading(), tmp_path / part, WITHOUT)[0].read_bytes() for part in "ab")
    assert first == again


@pytest.mark.parametrize("name", sorted(REPORTS.keys() - NEEDS_A_BROWSER))
def test_a_report_without_pages_is_still_a_file(name: str, tmp_path: Path):
    (path,) = REPORTS[name]([], heading(), tmp_path, WITHOUT)
    assert path.stat().st_size > 1000


@pytest.mark.parametrize("name", CHARTS)
def test_every_chart_of_the_house_stands_in_every_file(name: str, tmp_path: Path):
    drawn = chart_builders.drawn(name)
    one = page(drawn, "Biểu của hệ thống")
    book = workbook([one], tmp_path)
    assert book["Biểu 1"].max_row == 5 + len(drawn.table)
    assert bool(book["Biểu 1"]._charts) == (drawn.shape is not Shape.TABLE)
    slide = deck([one], tmp_path).slides[1]
    assert slide.shapes.title.text_frame.text == plain(drawn.sentence, 600)
    assert any(shape.has_chart or shape.has_table for shape in slide.shapes)
    assert webpage([one], tmp_path).xpath("//section[1]/p[1]/text()") == [plain(drawn.sentence, 1200)]


# --- cells ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (1234, "1.234"),
        (1234.0, "1.234"),
        (0, "0"),
        (-5, "-5"),
        (None, ""),
        (pd.NA, ""),
        (float("nan"), ""),
        (float("inf"), ""),
        (pd.NaT, ""),
        (True, "Có"),
        (date(2026, 11, 20), "20/11/2026"),
        (pd.Timestamp("2026-11-20"), "20/11/2026"),
        (pd.Timestamp("2026-11-20 06:05"), "06:05 20/11/2026"),
        ("Đoàn phường\nMột", "Đoàn phường Một"),
        ("", ""),
    ],
)
def test_a_cell_reads_as_people_write(raw: Any, text: str):
    ((cell,),) = columns(pd.DataFrame({"x": pd.Series([raw], dtype=object)}))
    assert shown(cell) == text


@pytest.mark.parametrize(
    ("numbers", "digits", "text"),
    [([1, 2], 0, "2"), ([1, 2.5], 1, "2,5"), ([0.05, 0.0443], 4, "0,0443"), ([1 / 3], 4, "0,3333"), ([None], 0, "")],
)
def test_the_numbers_of_a_column_have_as_many_decimals_as_they_need(numbers: list[Any], digits: int, text: str):
    assert decimals(numbers) == digits
    assert shown(numbers[-1], digits) == text


def test_a_file_is_there_wholly_or_as_it_was(tmp_path: Path):
    path = put(tmp_path / "a" / "bao-cao.txt", b"first")
    with pytest.raises(TypeError):
        put(path, "not bytes")  # type: ignore[arg-type]
    assert path.read_bytes() == b"first"
    assert list(path.parent.iterdir()) == [path]


def test_a_link_in_the_folder_is_replaced_and_not_followed(tmp_path: Path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("untouched")
    (tmp_path / "bao-cao.xlsx").symlink_to(elsewhere)
    put(tmp_path / "bao-cao.xlsx", b"new")
    assert elsewhere.read_text() == "untouched"
    assert not (tmp_path / "bao-cao.xlsx").is_symlink()


# --- the workbook -----------------------------------------------------------------------------------------------


def test_the_workbook_holds_every_table_number_by_number(tmp_path: Path):
    book = workbook(pages(), tmp_path)
    assert book.sheetnames == SHEETS
    sheet = book["Biểu 1"]
    assert [cell.value for cell in sheet[5]] == ["Ngày", "Fanpage", "TikTok (chỉ số)", *[None] * 3]
    assert (sheet["A6"].value, sheet["B6"].value, sheet["C6"].value) == (datetime(2026, 10, 1), 1240, 100)  # noqa: DTZ001
    assert (sheet["B46"].value, sheet["C46"].value) == (None, 105)  # a missing day is an empty cell
    assert sheet["A6"].number_format == "dd/mm/yyyy"
    assert (sheet["B6"].number_format, sheet["C6"].number_format) == ("[$-42A]#,##0", "[$-42A]#,##0.000")
    assert sheet.max_row == 5 + 75
    assert book["Biểu 5"]["B7"].number_format == "hh:mm dd/mm/yyyy"
    assert book["Biểu 5"]["D6"].value == "Có"


def test_each_sheet_says_its_message_source_and_cut_off(tmp_path: Path):
    sheet = workbook(pages(), tmp_path)["Biểu 2"]
    assert sheet["A1"].value == "Biểu số 2"
    assert sheet["A2"].value.startswith("Từ 01/10/2026 đến 14/12/2026")
    for words in ("Dữ liệu minh họa", "Nguồn: Facebook", "Số liệu đến 06:00 14/12/2026", "Căn cứ: II-CT.4"):
        assert words in sheet["A3"].value


def test_the_last_sheet_tells_sources_and_definitions(tmp_path: Path):
    more = heading(notes=["Đã chốt ngày 20/12/2026."], definitions=[("Tin tốt", "Bài có nhãn tin tốt.")])
    (path,) = xlsx.write([page(growth())], more, tmp_path, WITHOUT)
    sheet = openpyxl.load_workbook(path)["Nguồn và định nghĩa"]
    rows = [[cell for cell in row if cell] for row in sheet.iter_rows(values_only=True)]
    assert rows[1:6] == [[line] for line in more.lines]
    assert ["Biểu 1", "Tăng trưởng các kênh", "II-CT.4", "Facebook, TikTok", plain(growth().foot)] in rows
    assert ["Tin tốt", "Bài có nhãn tin tốt."] in rows
    assert ["Ô trống, chỗ đứt của đường", "Chưa có số liệu; không phải là 0."] in rows


@pytest.mark.parametrize(
    ("drawn", "kind", "way"),
    [
        (growth(), "lineChart", None),
        (states(), "barChart", "bar"),
        (shares(), "barChart", "bar"),
        (months(), "barChart", "col"),
    ],
)
def test_a_table_has_its_native_chart_beside_it(drawn: Any, kind: str, way: str | None, tmp_path: Path):
    workbook([page(drawn)], tmp_path)
    chart = part(tmp_path / "bao-cao.xlsx", "xl/charts/chart1.xml")
    (found,) = chart.xpath(f"//*[local-name()='{kind}']")
    assert found.xpath("./*[local-name()='barDir']/@val") == ([way] if way else [])
    headings = found.xpath(".//*[local-name()='tx']//*[local-name()='f']/text()")
    columns_of = [list(drawn.table.columns).index(name) for name in drawn.series]
    assert headings == [f"'Biểu 1'!${'ABCD'[at]}$5" for at in columns_of]
    blanks = chart.xpath("//*[local-name()='dispBlanksAs']/@val")
    assert blanks in ([], ["gap"])  # a gap is what a chart does by itself
    dashes = chart.xpath("//*[local-name()='prstDash']/@val") + chart.xpath("//*[local-name()='pattFill']/@prst")
    assert len(set(dashes)) == len(drawn.series) - (0 if way is None and "solid" in dashes else 1)


def part(path: Path, name: str) -> Any:
    with zipfile.ZipFile(path) as archive:
        return etree.fromstring(archive.read(name))


# --- the slides -------------------------------------------------------------------------------------------------


def test_every_slide_has_one_message_and_its_numbers(tmp_path: Path):
    slides = list(deck(pages(), tmp_path).slides)
    assert len(slides) == 6 + 2
    assert slides[0].shapes.title.text_frame.text == "Báo cáo năm 2026 (mẫu)"
    assert "Dữ liệu minh họa" in texts_of(slides[0])
    (chart,) = [shape.chart for shape in slides[1].shapes if shape.has_chart]
    assert [series.name for series in chart.plots[0].series] == ["Fanpage", "TikTok (chỉ số)"]
    counts = list(chart.plots[0].series[0].values)
    assert (counts[0], counts[40], counts[74]) == (1240, None, 1314)
    assert len(chart.plots[0].categories) == 75
    for slide in slides[1:-1]:
        assert slide.shapes.title.text_frame.text.endswith(".")
        assert any("Số liệu đến 06:00 14/12/2026 · Căn cứ: II-CT.4" in text for text in texts_of(slide))
    table = next(shape.table for shape in slides[5].shapes if shape.has_table)
    assert [cell.text for cell in table.rows[2].cells] == ["Chi đoàn B (mẫu)", "07:30 09/11/2026", "5", "Không"]


def test_a_slide_is_as_wide_as_a_screen_and_speaks_vietnamese(tmp_path: Path):
    made = deck([page(growth())], tmp_path)
    assert round(made.slide_width / made.slide_height, 2) == 1.78
    languages = part(tmp_path / "bao-cao.pptx", "ppt/slides/slide2.xml").xpath("//@lang")
    assert set(languages) == {"vi-VN"}
    assert made.core_properties.author == made.core_properties.last_modified_by == "Quận Đoàn Mẫu"


def test_a_long_table_shows_its_beginning_and_says_how_much_is_left(tmp_path: Path):
    long = drawing(pd.DataFrame({"Đơn vị": [f"Đơn vị {n}" for n in range(3300)], "Số": range(3300)}), Shape.TABLE)
    slide = deck([page(long)], tmp_path).slides[1]
    table = next(shape.table for shape in slide.shapes if shape.has_table)
    assert len(table.rows) == 1 + 12
    assert "Còn 3.288 dòng, xem tệp số liệu." in texts_of(slide)


def texts_of(slide: Any) -> list[str]:
    return [line.text for shape in slide.shapes if shape.has_text_frame for line in shape.text_frame.paragraphs]


# --- the page ---------------------------------------------------------------------------------------------------


def test_the_page_holds_every_table_in_vietnamese_numbers(tmp_path: Path):
    tree = webpage(pages(), tmp_path)
    rows = [["".join(cell.itertext()) for cell in row] for row in tree.xpath("//section[1]//tbody/tr")]
    assert rows[0] == ["01/10/2026", "1.240", "100,000"]
    assert rows[40] == ["10/11/2026", "", "105,000"]
    assert len(rows) == 75
    assert tree.xpath("//section[1]/div[@class='clause']/text()") == ["Căn cứ: II-CT.4"]
    assert "Dữ liệu minh họa" in tree.xpath("//div[@class='lines']/p/text()")
    assert [one.get("class") for one in tree.xpath("//details")] == ["long"]  # folded, and not on paper


def test_with_a_browser_the_page_has_pictures_and_no_script(tmp_path: Path):
    need_browser()
    with Studio() as studio:
        (path,) = html.write(pages(), heading(), tmp_path, studio)
    tree: Any = lxml_html.fromstring(path.read_bytes())
    assert tree.xpath("//script") == []
    assert [image.get("src")[:26] for image in tree.xpath("//img")] == ["data:image/svg+xml;base64,"] * 6
    assert tree.xpath("//img/@alt")[0] == growth().sentence
    assert "script-src 'none'" in tree.xpath("//meta/@content")[0]
    assert path.stat().st_size < 300_000


def test_without_a_browser_the_page_brings_the_library_once(tmp_path: Path):
    tree = webpage(pages(), tmp_path)
    assert len(tree.xpath("//script[not(@type)]")) == 2
    figures = [json.loads(one.text) for one in tree.xpath("//script[@type='application/json']")]
    assert [figure["data"] for figure in figures] == [made.drawing.spec["data"] for made in pages()]
    assert tree.xpath("//script/@src | //link | //@href") == []


def test_the_page_without_pictures_draws_itself_from_the_disk(tmp_path: Path):
    """In a real browser, opened as a file, with all that it asks for and complains of counted."""
    need_browser()
    (path,) = html.write([*pages(), *hostile_pages()], heading(), tmp_path, WITHOUT)
    with Browser(find_browser()) as browser, browser.within(60), browser.tab() as tab:
        watch = "addEventListener('securitypolicyviolation', e => (window.bad ??= []).push(e.violatedDirective));"
        told = "window.alert = () => (window.bad ??= []).push('alert'); addEventListener('error', e => window.alert());"
        tab.call("Page.addScriptToEvaluateOnNewDocument", source=watch + told)
        tab.call("Page.enable")
        tab.call("Page.navigate", url=path.as_uri())
        tab.value("new Promise(done => document.readyState == 'complete' ? done() : addEventListener('load', done))")
        drawn = tab.value("document.querySelectorAll('[data-chart] svg.main-svg').length >= 6 * 2")
        assert (drawn, tab.value("window.bad ?? []")) == (True, [])
        assert tab.value("performance.getEntriesByType('resource').filter(e => !e.name.startsWith('data')).length") == 0


# --- texts that mean harm ---------------------------------------------------------------------------------------

SHAPES = [Shape.BAR, Shape.STACKED, Shape.COLUMN, Shape.TABLE]


@pytest.mark.parametrize("shape", SHAPES)
def test_no_text_becomes_a_formula_or_a_link_in_the_workbook(shape: Shape, tmp_path: Path):
    book = workbook(hostile_pages(shape), tmp_path)
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n", "d"}
    assert not any(cell.hyperlink for cell in cells)
    assert book.sheetnames[0] == "Biểu 1"
    inert_package((tmp_path / "bao-cao.xlsx").read_bytes())
    texts = [unescape(book["Biểu 1"].cell(row, 1).value or "") for row in range(6, 6 + len(HOSTILE))]
    assert texts == [plain(text) for text in HOSTILE]


@pytest.mark.parametrize("shape", SHAPES)
def test_no_text_becomes_a_formula_or_a_link_on_the_slides(shape: Shape, tmp_path: Path):
    made = deck(hostile_pages(shape), tmp_path)
    assert [slide.shapes.title.text_frame.text for slide in made.slides][1:-2] == [plain(text, 600) for text in HOSTILE]
    inert_package((tmp_path / "bao-cao.pptx").read_bytes())


def inert_package(content: bytes) -> None:
    """No formula, no link and nothing outside, in an office file and in the workbooks inside it."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            data = archive.read(name)
            if name.endswith(".xlsx"):
                inert_package(data)
            elif name.endswith((".xml", ".rels")):
                tree: Any = etree.fromstring(data)
                inside_sheet = "/worksheets/" in name
                assert not tree.xpath("//*[local-name()='hyperlink' or local-name()='hlinkClick']"), name
                assert not (inside_sheet and tree.xpath("//*[local-name()='f']")), name
                assert not tree.xpath("//@TargetMode[. = 'External']"), name


def test_no_text_becomes_markup_on_the_page(tmp_path: Path):
    tree = webpage(hostile_pages(), tmp_path)
    assert len(tree.xpath("//script[not(@type)]")) == 2
    assert tree.xpath("//img | //a | //b | //@onerror") == []
    titles = ["".join(title.itertext()).partition(". ")[2] for title in tree.xpath("//h2")]
    assert titles[: len(HOSTILE)] == [plain(text) for text in HOSTILE]


def test_a_megabyte_of_a_name_costs_a_line(tmp_path: Path):
    write_reports(
        [page(drawing(pd.DataFrame({"a" * 1_000_000: ["b" * 1_000_000]}), Shape.TABLE))], heading(), tmp_path, WITHOUT
    )
    assert (tmp_path / "bao-cao.xlsx").stat().st_size < 20_000
    assert (tmp_path / "bao-cao.pptx").stat().st_size < 60_000


# --- LibreOffice ------------------------------------------------------------------------------------------------


def converted(path: Path, kind: str, pattern: str) -> dict[str, Path]:
    """What LibreOffice makes of a file, by name."""
    need(OFFICE, "apt-get install libreoffice-calc-nogui libreoffice-impress-nogui")
    out = path.parent / "office"
    profile = f"-env:UserInstallation={(path.parent / 'profile').as_uri()}"
    words = [str(OFFICE), profile, "--headless", "--convert-to", kind, "--outdir", str(out), str(path)]
    subprocess.run(words, check=True, capture_output=True, timeout=110, env={**os.environ, "HOME": str(path.parent)})
    found = {one.name: one for one in out.glob(pattern)}
    need(found, "apt-get install libreoffice-calc-nogui libreoffice-impress-nogui")
    return found


def test_libreoffice_reads_every_cell_of_the_workbook(tmp_path: Path):
    made = [*pages(), *hostile_pages(Shape.TABLE)[:1]]
    (path,) = xlsx.write(made, heading(), tmp_path, WITHOUT)
    every_sheet = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,true,false,false,-1"
    found = converted(path, every_sheet, "*.csv")
    assert len(found) == len(made) + 1
    for number, one in enumerate(made, start=1):
        rows = list(csv.reader(found[f"bao-cao-Biểu {number}.csv"].read_text("utf-8-sig").splitlines()))
        cells = columns(one.drawing.table)
        digits = [decimals(column) for column in cells]
        wide = len(cells)
        assert rows[0][0] == one.title
        assert [row[:wide] for row in rows[5:]] == [
            [shown(cell, digits[place]) for place, cell in enumerate(row)] for row in zip(*cells, strict=True)
        ]


def test_libreoffice_reads_every_slide_and_every_number_of_its_chart(tmp_path: Path):
    made = [page(growth()), page(states()), page(shares()), page(cases()), *hostile_pages()[:3]]
    (path,) = pptx.write(made, heading(), tmp_path, WITHOUT)
    (found,) = converted(path, "odp", "*.odp").values()
    with zipfile.ZipFile(found) as archive:
        content: Any = etree.fromstring(archive.read("content.xml"))
        tables = [etree.fromstring(archive.read(name)) for name in archive.namelist() if CHART_PART.fullmatch(name)]
    assert [title(slide) for slide in content.xpath("//*[local-name()='page']")][1:-1] == [
        plain(one.drawing.sentence) for one in made
    ]
    numbers = sorted(sorted(chart_numbers(table)) for table in tables)
    charted = [made[place] for place in (0, 1, 2, 4, 5, 6)]
    assert numbers == sorted(sorted(expected(one)) for one in charted)


CHART_PART = re.compile(r"Object [^/]+/content\.xml")


def title(slide: Any) -> str:
    (found,) = slide.xpath(".//*[@*[local-name()='class'] = 'title']")
    return "".join(found.itertext())


def chart_numbers(tree: Any) -> Iterator[float]:
    body = tree.xpath("//*[local-name()='table-rows']//*[local-name()='table-cell'][position() > 1]")
    for cell in body:
        for value in cell.xpath("@*[local-name()='value']"):
            if value != "NaN":
                yield round(float(value), 3)


def expected(one: Page) -> list[float]:
    numbers = [number for name in one.drawing.series for number in one.drawing.table[name].dropna()]
    return [round(float(number), 3) for number in numbers]


def test_pages_of_a_year_keep_their_diacritics(tmp_path: Path):
    """Every letter of Vietnamese, composed and decomposed, is the same composed letter in every file."""
    words = "Đảng ủy, ừ, ỡ, ặ, ễ, ợ, ữ, ỵ; Nguyễn Ái Quốc"
    given = replace(page(growth()), title=unicodedata.normalize("NFD", words))
    assert given.title != words
    assert workbook([given], tmp_path)["Biểu 1"]["A1"].value == words
    assert words in texts_of(deck([given], tmp_path).slides[1])
    assert webpage([given], tmp_path).xpath("//h2/text()")[0] == f"1. {words}"
