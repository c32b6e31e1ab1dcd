"""The XLSX form of a unit: what a spreadsheet program shows, and what is read back from whatever comes in."""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors.exports import ExportError
from collectors.exports.tables import Row, Table
from config.load import load_config
from config.measures import load_measures
from config.models import Config
from pipeline.figure_entries import BadCellError, entries_of
from pipeline.figure_form import COLUMNS, HEADING_ROW, write_form
from pipeline.figure_periods import parse_report_period
from pipeline.figure_plans import asked_measures
from pipeline.figure_reading import Form, Forms, form_of, read_forms
from pipeline.figures import Entry, Shelf, judge
from pipeline.problems import UserError
from tests.conftest import need
from tests.export_builders import archive, sheet
from tests.figure_builders import cell_of, write_district

NOW = datetime(2026, 11, 20, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    return load_config(write_district(tmp_path_factory.mktemp("forms") / "quan"))


def a_form(config: Config, unit: str = "phuong-mot", period: str = "2026") -> bytes:
    return write_form(config, config.units[unit], parse_report_period(period, config), NOW)


def opened(form: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(form)).active


def row_of(measure: str, period: str = "2026", *, config: Config) -> int:
    return HEADING_ROW + 2 + list(asked_measures(config, parse_report_period(period, config))).index(measure)


def filled(form: bytes, config: Config, cells: Mapping[tuple[str, str], object], period: str = "2026") -> bytes:
    """The form as a unit sends it back: (measure, column) -> what it wrote there."""
    book = openpyxl.load_workbook(io.BytesIO(form))
    for (measure, column), value in cells.items():
        book.active.cell(row_of(measure, period, config=config), COLUMNS[column] + 1).value = value
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def read(data: bytes, config: Config) -> tuple[list[Entry], list[BadCellError]]:
    return entries_of(read_forms(data).forms, config)


# --- the empty form ---------------------------------------------------------------------------------------------


def test_a_form_names_its_unit_its_period_and_its_deadline(config: Config):
    cells = [row[0].value for row in opened(a_form(config)).iter_rows(max_row=HEADING_ROW)]
    assert cells[0] == "PHIẾU BÁO CÁO SỐ LIỆU. Dữ liệu minh họa"
    assert "Đoàn phường Một (mẫu)" in cells[2]
    assert "Năm 2026 (01/01/2026–31/12/2026). Hạn nộp: 10/01/2027" in cells[3]


@pytest.mark.parametrize("period", ["2026", "2026-Q3", "2026-11"])
def test_a_form_has_one_line_for_each_measure_of_its_kind_of_period(config: Config, period: str):
    codes = [row[COLUMNS["code"]].value for row in opened(a_form(config, period=period)).iter_rows(HEADING_ROW + 2)]
    rhythm = parse_report_period(period, config).rhythm
    assert codes == [slug for slug, rule in load_measures().items() if rhythm in rule.every]
    assert codes


def test_only_the_cells_to_fill_can_be_written_to(config: Config):
    page = opened(a_form(config))
    assert page.protection.sheet
    for slug, rule in asked_measures(config, parse_report_period("2026", config)).items():
        row = row_of(slug, config=config)
        open_cells = {name for name, at in COLUMNS.items() if not page.cell(row, at + 1).protection.locked}
        assert open_cells == {"amount", "source", "evidence"} | ({"whole"} if rule.kind == "share" else set())


def test_the_code_is_hidden_and_whole_numbers_are_asked_for(config: Config):
    page = opened(a_form(config))
    assert page.column_dimensions["I"].hidden
    rules = page.data_validations.dataValidation
    assert {rule.type for rule in rules} == {"whole"}
    shares = sum(rule.kind == "share" for rule in asked_measures(config, parse_report_period("2026", config)).values())
    assert len(rules) == len(asked_measures(config, parse_report_period("2026", config))) + shares


HOSTILE = ("=1+1", "+1", "-1", "@SUM(A1)", "{=1}", "https://doan-mau.example/", "internal:A1", "\tx")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_never_becomes_a_formula_or_a_link(config: Config, name: str):
    unit = config.units["phuong-mot"].model_copy(update={"name": name})
    organisation = config.district.organisation.model_copy(update={"name": name})
    district = config.district.model_copy(update={"organisation": organisation})
    form = write_form(replace(config, district=district), unit, parse_report_period("2026", config), NOW)
    page = opened(form)
    cells = [cell for row in page.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n"}
    assert not any(cell.hyperlink for cell in cells)
    assert page["A3"].value == f"Đơn vị: {name}"


def test_the_same_form_at_the_same_moment_is_the_same_file(config: Config):
    assert a_form(config) == a_form(config)


def test_libreoffice_shows_the_form_as_it_was_written(config: Config, tmp_path: Path):
    office = shutil.which("soffice") or shutil.which("libreoffice")
    need(office, "install LibreOffice Calc to try the form in it")
    data = filled(a_form(config), config, {("linked", "amount"): 300, ("linked", "whole"): 400})
    (tmp_path / "phieu.xlsx").write_bytes(data)
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    words = [str(office), profile, "--headless", "--convert-to", "csv:Text - txt - csv (StarCalc):44,34,76"]
    subprocess.run(
        [*words, "--outdir", tmp_path, tmp_path / "phieu.xlsx"], check=True, capture_output=True, timeout=120
    )
    shown = (tmp_path / "phieu.csv").read_bytes()
    rows = list(csv.reader(io.StringIO(shown.decode("utf-8-sig"))))
    assert rows[2][0] == "Đơn vị: Đoàn phường Một (mẫu)"
    (linked,) = [row for row in rows if row[COLUMNS["code"]] == "linked"]
    assert (linked[COLUMNS["amount"]], linked[COLUMNS["whole"]]) == ("300", "400")
    assert read(shown, config)[0][0].numbers == (None, 300, 400)


# --- read back --------------------------------------------------------------------------------------------------


def test_a_filled_form_comes_back_number_by_number(config: Config):
    data = filled(
        a_form(config),
        config,
        {
            ("linked", "amount"): 300,
            ("linked", "whole"): "400",
            ("propagandists", "amount"): 0,
            ("propagandists", "source"): "Sổ theo dõi (mẫu)",
            ("propagandists", "evidence"): "https://doan-mau.example/bao-cao",
        },
    )
    (linked, propagandists), bad = read(data, config)
    assert bad == []
    assert (linked.unit.slug, linked.period.name, linked.measure) == ("phuong-mot", "2026", "linked")
    assert (linked.numbers, linked.place) == ((None, 300, 400), "D9 và E9")
    assert linked.source_note == "Phiếu báo cáo của đơn vị"
    assert (propagandists.numbers, propagandists.place) == ((0, None, None), cell_of(data, "propagandists", "amount"))
    assert propagandists.evidence == "https://doan-mau.example/bao-cao"


def test_an_empty_form_reports_nothing_and_no_zero(config: Config):
    assert read(a_form(config), config) == ([], [])


STAFF, STAFF_OF = ("propagandists", "amount"), ("propagandists", "whole")
LINKED, LINKED_OF = ("linked", "amount"), ("linked", "whole")
CODE = ("linked", "code")


@pytest.mark.parametrize(
    ("cells", "place", "reason"),
    [
        ({STAFF: -3}, STAFF, "là số âm"),
        ({STAFF: 3.5}, STAFF, "dấu chấm hoặc phẩy"),
        ({STAFF: "1.234"}, STAFF, "dấu chấm hoặc phẩy"),
        ({STAFF: "nhiều"}, STAFF, "không phải là số nguyên"),
        ({STAFF: True}, STAFF, "không phải là số nguyên"),
        ({STAFF: date(2026, 1, 1)}, STAFF, "không phải là số nguyên"),
        ({STAFF_OF: 5, STAFF: 5}, STAFF_OF, "không dùng cho số liệu này"),
        ({("propagandists", "source"): "Sổ (mẫu)"}, STAFF, "còn trống"),
        ({LINKED: "75%", LINKED_OF: 400}, LINKED, "tỷ lệ %"),
        ({LINKED: 300}, LINKED_OF, "còn trống"),
        ({LINKED_OF: 300}, LINKED, "còn trống"),
        ({LINKED: 30, CODE: "ma-cu"}, CODE, "không còn dùng"),
    ],
)
def test_a_bad_cell_is_named_with_its_reason_and_spoils_no_other_line(config, cells, place, reason):
    data = filled(a_form(config), config, cells | {("reach", "amount"): 1234})
    entries, bad = read(data, config)
    assert [(one.place, reason in one.reason) for one in bad] == [(cell_of(a_form(config), *place), True)]
    assert [entry.measure for entry in entries] == ["reach"]


def test_a_roster_in_a_form_is_refused_whole(config: Config):
    names = {("linked", "amount"): 300, ("linked", "whole"): 400}
    book = openpyxl.load_workbook(io.BytesIO(filled(a_form(config), config, names)))
    page = book.create_sheet("Danh sách")
    for row in (("STT", "Họ và tên", "Số điện thoại"), (1, "Nguyễn Văn Mẫu", "0912345678")):
        page.append(row)
    out = io.BytesIO()
    book.save(out)
    with pytest.raises(ExportError, match="Hệ thống không nhận danh sách người"):
        read_forms(out.getvalue())


def test_phone_numbers_in_a_column_are_refused_without_repeating_them(config: Config):
    data = filled(a_form(config), config, {("linked", "source"): "0912 345 678", ("reach", "source"): "0912 345 679"})
    with pytest.raises(ExportError, match="số điện thoại") as refused:
        read_forms(data)
    assert "345" not in refused.value.sentence


def test_a_form_saved_as_csv_reads_the_same(config: Config):
    data = filled(a_form(config), config, {("linked", "amount"): 300, ("linked", "whole"): 400})
    rows = [["" if cell is None else cell for cell in row] for row in opened(data).iter_rows(values_only=True)]
    assert read(sheet(*rows), config)[0][0].numbers == (None, 300, 400)


@pytest.mark.parametrize(
    "data",
    [b"", b"hello", sheet(("a", "b"), (1, 2)), archive({"a.csv": sheet(("a", "b"))}), b"PK\x03\x04" + b"x" * 100],
)
def test_what_is_no_form_is_refused_with_a_sentence(data: bytes):
    with pytest.raises(ExportError) as refused:
        read_forms(data)
    assert refused.value.sentence.endswith(".")
    assert "Đề nghị" in refused.value.sentence


# --- whatever comes in ------------------------------------------------------------------------------------------


def reads_or_says_why(data: bytes, config: Config) -> None:
    try:
        entries, bad = read(data, config)
    except (ExportError, UserError) as error:
        refusal = getattr(error, "sentence", str(error))
    else:
        refusal = "Được."
        assert all(one.place and one.reason for one in bad)
        assert len(judge(entries, config, Shelf(pd.DataFrame()), NOW.date())) == len(entries)
    assert refusal.endswith(".")


@given(st.binary(max_size=2_000))
def test_any_bytes_are_read_or_refused_with_a_sentence(config: Config, data: bytes):
    reads_or_says_why(data, config)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.data_too_large])
@given(data=st.data())
def test_a_damaged_form_is_read_or_refused_with_a_sentence(config: Config, data: st.DataObject):
    form = bytearray(a_form(config))
    for place in data.draw(st.lists(st.integers(0, len(form) - 1), min_size=1, max_size=20)):
        form[place] = data.draw(st.integers(0, 255))
    reads_or_says_why(bytes(form[: data.draw(st.integers(1, len(form)))]), config)


CELLS = st.one_of(st.text(max_size=30), st.from_regex(r"-?[0-9]{1,14}([.,][0-9]{1,3})?%?", fullmatch=True), st.just(""))


@settings(deadline=None)
@given(cells=st.lists(st.tuples(CELLS, CELLS, CELLS, CELLS), max_size=4))
def test_whatever_stands_in_its_cells_a_form_gives_figures_or_reasons(config: Config, cells: list[tuple[str, ...]]):
    head = Row(1, ("nhip-phieu-1 phuong-mot 2026",))
    heading = Row(2, ("Mã", "Số liệu (tử số)", "Tổng số trong diện (mẫu số)", "Nguồn số liệu", "Liên kết minh chứng"))
    slugs = ("linked", "propagandists", "reach", "ma-cu")
    lines = [Row(at, (slug, *some)) for at, (slug, some) in enumerate(zip(slugs, cells, strict=False), 3)]
    form = form_of(Table("", (head, heading, *lines)))
    assert isinstance(form, Form)
    entries, bad = entries_of(Forms((form,), "").forms, config)
    assert len(entries) + len(bad) == len(form.lines)
    for one in judge(entries, config, Shelf(pd.DataFrame()), NOW.date()):
        assert one.refusal is not None or one.is_to_be_written
