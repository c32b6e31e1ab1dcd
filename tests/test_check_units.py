"""`nhip check --units old|new`: wholes move to their heirs, nothing is divided, and nothing is judged or kept."""

from __future__ import annotations

import csv
import io
import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipeline.problems import UserError
from store.records import Figure
from store.verbs import open_store
from tests.checked import DAILY, add_plan, check
from tests.command_line import nhip
from tests.figure_builders import write_district
from tests.small_district import FRIDAY
from tests.test_few import ROWS

AT = "2026-11-20T09:00"
QUARTER = (date(2026, 7, 1), date(2026, 10, 1))
LAST_YEAR, THIS_YEAR = (date(2025, 1, 1), date(2026, 1, 1)), (date(2026, 1, 1), date(2027, 1, 1))
UNIT = '[units.{0}]\nname = "Đoàn phường {1} (mẫu)"\nkind = "phuong"\nstart = {2}\n'
UNITS = "".join(
    [
        UNIT.format("an", "An", "2025-01-01") + 'until = 2026-07-01\nsuccessors = ["moi"]\n',
        UNIT.format("binh", "Bình", "2025-01-01") + 'until = 2026-07-01\nsuccessors = ["moi"]\n',
        UNIT.format("moi", "Mới", "2026-07-01"),
        UNIT.format("cat", "Cát", "2025-01-01") + 'until = 2026-07-01\nsuccessors = ["dong", "tay"]\n',
        UNIT.format("dong", "Đông", "2026-07-01"),
        UNIT.format("tay", "Tây", "2026-07-01"),
        UNIT.format("em", "Êm", "2025-01-01"),
    ]
)
"""An and Bình became Mới; Cát was split into Đông and Tây; Êm stayed."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = add_plan(write_district(tmp_path / "quan"), ROWS)
    (folder / "units.toml").write_text(UNITS, encoding="utf-8")
    channels = (folder / "channels.toml").read_text("utf-8").replace("phuong-mot", "em")
    (folder / "channels.toml").write_text(channels, encoding="utf-8")
    check(folder, AT)
    return folder


def report(folder: Path, *figures: Figure) -> None:
    with open_store(f"sqlite:///{folder / 'nhip.sqlite3'}") as store:
        store.add_figures(figures)


def heads(unit: str, value: int, period: tuple[date, date]) -> Figure:
    return Figure(unit, "propagandists", *period, "Văn phòng (mẫu)", FRIDAY, "Sổ (mẫu)", value=value)


def staff(unit: str, part: int, whole: int) -> Figure:
    return Figure(
        unit, "staff-trained", *QUARTER, "Văn phòng (mẫu)", FRIDAY, "Sổ (mẫu)", numerator=part, denominator=whole
    )


def told(folder: Path, side: str, row: str) -> dict[str, tuple[str, str]]:
    figures: list[dict[str, Any]] = check(folder, AT, units=side, as_json=True, explain=row).json()["figures"]
    return {one["unit"]: (one["told"], one["note"]) for one in figures}


TOGETHER = "Đoàn phường An (mẫu), Đoàn phường Bình (mẫu)"


def test_new_units_have_the_past_of_those_that_merged_into_them(folder: Path):
    report(
        folder, heads("an", 40, LAST_YEAR), heads("binh", 60, LAST_YEAR), heads("moi", 105, THIS_YEAR),
        heads("em", 20, LAST_YEAR), heads("em", 20, THIS_YEAR),
    )  # fmt: skip
    assert told(folder, "new", "CT6a") == {
        "moi": ("100 → 105 (tăng 5 %)", f"cộng từ 2 đơn vị: {TOGETHER}"),
        "dong": ("chưa báo cáo → chưa báo cáo", ""),
        "tay": ("chưa báo cáo → chưa báo cáo", ""),
        "em": ("20 → 20 (không đổi)", ""),
    }


def test_what_was_split_is_not_divided_among_its_heirs(folder: Path):
    report(folder, heads("cat", 90, LAST_YEAR), heads("dong", 50, THIS_YEAR), heads("tay", 41, THIS_YEAR))
    found = told(folder, "new", "CT6a")
    note = "không chia được: đơn vị cũ có nhiều đơn vị kế thừa, hoặc không có đơn vị nào"
    assert found["cat"] == ("90 → chưa báo cáo", note)
    assert (found["dong"][0], found["tay"][0]) == ("chưa báo cáo → 50", "chưa báo cáo → 41")


def test_persons_are_counted_once_where_old_and_new_report_for_the_same_time(folder: Path):
    report(folder, heads("an", 41, THIS_YEAR), heads("binh", 62, THIS_YEAR), heads("moi", 105, THIS_YEAR))
    assert told(folder, "new", "CT6a")["moi"] == ("chưa báo cáo → 105", "")


def test_old_units_have_what_they_told_and_the_common_number_stays_whole(folder: Path):
    report(folder, staff("moi", 70, 90), staff("em", 20, 25))
    found = told(folder, "old", "CT5")
    assert found["an"] == found["binh"] == ("không chia được", "số chung nằm ở Đoàn phường Mới (mẫu)")
    assert found["moi"] == ("70/90 (77,8 %)", f"không chia được: số chung của {TOGETHER}")
    assert found["em"] == ("20/25 (80,0 %)", "")
    assert found["cat"][0] == "không chia được"


def test_numbers_of_a_few_persons_are_not_shown_here_either(folder: Path):
    report(folder, staff("moi", 4, 6), staff("em", 20, 25), staff("dong", 30, 35))
    found = told(folder, "new", "CT5")
    assert (found["moi"][0], found["em"][0], found["dong"][0]) == ("< 10/< 10", "giữ kín", "30/35 (85,7 %)")


def test_it_is_a_table_with_the_day_it_stands_for_and_ends_with_0(folder: Path):
    report(folder, staff("em", 20, 25))
    said = check(folder, AT, units="old")
    assert said.code == 0
    assert said.out.startswith("Số liệu theo đơn vị cũ (ngày 30/06/2026). Số liệu đến 09:00 20/11/2026.")
    assert "Dữ liệu minh họa." in said.out
    assert "II.5  CT5" in said.out
    assert "Số liệu theo đơn vị mới (ngày 20/11/2026)." in check(folder, AT, units="new").out


def test_the_csv_has_one_row_for_each_figure_with_its_clause(folder: Path):
    report(folder, staff("em", 20, 25))
    rows = list(csv.DictReader(io.StringIO(check(folder, AT, units="new", as_csv=True).out)))
    (row,) = [row for row in rows if (row["row"], row["unit"]) == ("CT5", "em")]
    assert (row["clause"], row["told"], row["name"]) == ("II.5", "20/25 (80,0 %)", "Đoàn phường Êm (mẫu)")


def test_nothing_is_kept_of_it(folder: Path):
    def kept() -> int:
        with closing(sqlite3.connect(folder / "nhip.sqlite3")) as connection:
            return int(connection.execute("SELECT count(*) FROM progress").fetchone()[0])

    before = kept()
    report(folder, staff("em", 20, 25))
    check(folder, AT, units="new")
    assert kept() == before


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"units": "cũ"}, "Không có cách xem «cũ». Đề nghị viết --units old hoặc --units new."),
        ({"units": "new", "explain": "CT9"}, "Dòng «CT9» không có số liệu theo đơn vị."),
    ],
)
def test_what_cannot_be_shown_is_told(words: dict[str, Any], sentence: str, folder: Path):
    with pytest.raises(UserError) as refused:
        check(folder, AT, **words)
    assert str(refused.value).startswith(sentence)


def test_without_a_merger_there_are_no_old_units(tmp_path: Path):
    folder = add_plan(write_district(tmp_path / "quan"), DAILY)
    (folder / "units.toml").write_text(UNIT.format("phuong-mot", "Một", "2025-07-01"), encoding="utf-8")
    with pytest.raises(UserError, match="Chưa có đơn vị nào sáp nhập"):
        check(folder, AT, units="old")


def test_the_simulated_district_credits_channels_to_those_who_held_them(tmp_path: Path):
    folder = tmp_path / "demo"
    assert nhip("demo", "--days", 2, "--units", 6, "--keep", folder, "--no-serve").code == 0
    figures = check(folder, None, units="new", explain="CT4.5", as_json=True).json()["figures"]  # type: ignore[arg-type]
    assert {one["row"] for one in figures} == {"CT4.5"}
    assert {one["unit"] for one in figures} >= {"phuong-ben-gio", "phuong-cau-may"}
