"""Tiny builders for the tests of reported figures."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl

from pipeline.figure_form import COLUMNS
from store.records import Approval, Figure
from store.verbs import Store, create_store
from tests.small_district import CHANNEL
from tests.small_district import DISTRICT as SMALL_DISTRICT
from tests.store_builders import FRIDAY, UNIT

YEAR = (date(2026, 1, 1), date(2027, 1, 1))
OFFICE = "Đoàn phường Một (mẫu)"
DISTRICT = "Ban Tuyên giáo (mẫu)"


def a_count(value: int = 40, measure: str = "propagandists", **more: Any) -> Figure:
    return a_figure(measure, value=value, **more)


def a_share(numerator: int = 300, denominator: int = 400, measure: str = "linked", **more: Any) -> Figure:
    return a_figure(measure, numerator=numerator, denominator=denominator, **more)


def a_figure(measure: str, **more: Any) -> Figure:
    given: dict[str, Any] = {
        "unit": UNIT.slug,
        "period_start": YEAR[0],
        "period_end": YEAR[1],
        "by": OFFICE,
        "at": FRIDAY,
        "source_note": "Báo cáo năm (mẫu)",
    }
    return Figure(measure=measure, **(given | more))


def an_approval(figure: Figure, turn: int = 1, **more: Any) -> Approval:
    given: dict[str, Any] = {"by": DISTRICT, "at": FRIDAY}
    place = (figure.unit, figure.measure, figure.period_start, figure.period_end)
    return Approval(*place, turn, **(given | more))


def know_the_unit(store: Store) -> None:
    store.sync([UNIT], [], FRIDAY)


def write_district(folder: Path, cut_off: str = "12-31") -> Path:
    """A district with a database, of two wards, one ward that is gone since July 2025, and itself as a unit."""
    folder.mkdir(parents=True)
    quan = '[kinds.quan]\nname = "Quận"\ngrassroots = false\n'
    district = SMALL_DISTRICT.replace("{allow}", "") + f'[reporting_year]\ncut_off = "{cut_off}"\n{quan}'
    (folder / "district.toml").write_text(district, encoding="utf-8")
    (folder / "units.toml").write_text(UNITS_FILE, encoding="utf-8")
    address = "https://mot.example.vn/tin"
    channel = CHANNEL.format(slug="trang-mot", unit="phuong-mot", address=address)
    (folder / "channels.toml").write_text(channel, encoding="utf-8")
    create_store(f"sqlite:///{folder / 'nhip.sqlite3'}", FRIDAY)
    return folder


def cell_of(form: bytes, measure: str, column: str) -> str:
    """Where a spreadsheet shows the cell of a measure: «D9»."""
    page = openpyxl.load_workbook(io.BytesIO(form)).active
    code = COLUMNS["code"]
    (line,) = [line for line in page.iter_rows() if len(line) > code and line[code].value == measure]
    return str(line[COLUMNS[column]].coordinate)


UNITS_FILE = """
[units.quan-doan]
name = "Quận Đoàn (mẫu)"
kind = "quan"
start = 2020-01-01
[units.phuong-mot]
name = "Đoàn phường Một (mẫu)"
kind = "phuong"
start = 2025-07-01
[units.phuong-hai]
name = "Đoàn phường Hai (mẫu)"
kind = "phuong"
start = 2025-07-01
[units.phuong-cu]
name = "Đoàn phường Cũ (mẫu)"
kind = "phuong"
start = 2020-01-01
until = 2025-07-01
"""
