"""Numbers of a few persons never leave the program: not in the table, not in CSV or JSON, not in the explanation."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from config.measures import load_measures
from pipeline.commands import figure_show
from pipeline.figure_words import kept_back
from store.records import Figure
from store.verbs import open_store
from tests.checked import add_plan, check, targets
from tests.command_line import Said
from tests.figure_builders import write_district
from tests.small_district import FRIDAY

STAFF, SESSIONS = load_measures()["staff-trained"], load_measures()["training-sessions"]
AT = "2026-11-20T09:00"
ROWS = """
[rows.CT5]
clause = "II.5"
title = "100% cán bộ được bồi dưỡng"
text = "100% cán bộ được bồi dưỡng"
kind = "share"
classes = ["reported"]
indicator = "reported_share"
goal = { value = 100 }
scope = { grassroots = true }
[rows.CT6a]
clause = "II.6"
title = "Tăng 5% tuyên truyền viên"
text = "tăng 5% tuyên truyền viên"
kind = "growth"
classes = ["reported"]
indicator = "reported_growth"
goal = { value = 5 }
period = "year"
reckon = { baseline = "period_start", yearly = "simple" }
scope = { grassroots = true }
"""
WARD = '[units.phuong-{name}]\nname = "Đoàn phường {name} (mẫu)"\nkind = "phuong"\nstart = 2025-01-01\n'
QUARTER = (date(2026, 7, 1), date(2026, 10, 1))
YEARS = ((date(2025, 1, 1), date(2026, 1, 1)), (date(2026, 1, 1), date(2027, 1, 1)))


@pytest.mark.parametrize(
    ("told", "hidden"),
    [
        ({}, set()),
        ({"a": [12, 40], "b": [30, 30]}, set()),
        ({"a": [9, 40], "b": [30, 30], "c": [20, 25]}, {"a", "c"}),  # the sum less b and c would tell a
        ({"a": [9, 40], "b": [30, 30]}, {"a", "b"}),
        ({"a": [9, 40], "b": [3, 4], "c": [20, 25]}, {"a", "b"}),  # two hide each other
        ({"a": [9, 40]}, {"a"}),
        ({"a": [0, 0], "b": [None, None], "c": [10, 10]}, {"a", "c"}),  # zero persons are few, none told is nothing
        ({"a": [10, 10], "b": [11, 11]}, set()),  # ten may be shown
        ({"b": [20, 20], "a": [20, 20], "c": [1, 20]}, {"a", "c"}),  # the same for everybody who looks: by name
    ],
)
def test_which_units_are_not_shown(told: Mapping[str, list[int | None]], hidden: set[str]):
    assert kept_back(STAFF, told) == hidden


def test_things_that_are_no_persons_are_always_shown():
    assert kept_back(SESSIONS, {"a": [1], "b": [2]}) == set()


# --- in the check ------------------------------------------------------------------------------------------------


def district(folder: Path, staff: Mapping[str, tuple[int, int]], heads: Mapping[str, tuple[int, int]]) -> Path:
    """A district of wards that reported trained ÷ staff for a quarter, and propagandists for two years."""
    add_plan(write_district(folder / "quan"), ROWS)
    names = staff.keys() | heads.keys()
    quan = '[units.quan-doan]\nname = "Quận Đoàn (mẫu)"\nkind = "quan"\nstart = 2020-01-01\n'
    wards = "".join(WARD.format(name=name) for name in sorted(names))
    (folder / "quan" / "units.toml").write_text(quan + wards, encoding="utf-8")
    channels = folder / "quan" / "channels.toml"
    text = channels.read_text("utf-8").replace("phuong-mot", f"phuong-{min(names)}")
    channels.write_text(text.replace("2025-07-01", "2025-01-01"), encoding="utf-8")
    figures = [
        reported(name, "staff-trained", QUARTER, numerator=one[0], denominator=one[1]) for name, one in staff.items()
    ]
    figures += [
        reported(name, "propagandists", year, value=value)
        for name, values in heads.items()
        for year, value in zip(YEARS, values, strict=True)
    ]
    check(folder / "quan", AT)  # makes the database know the units
    with open_store(f"sqlite:///{folder / 'quan' / 'nhip.sqlite3'}") as store:
        store.add_figures(figures)
    return folder / "quan"


def reported(name: str, measure: str, period: tuple[date, date], **numbers: Any) -> Figure:
    return Figure(f"phuong-{name}", measure, *period, "Văn phòng (mẫu)", FRIDAY, "Sổ theo dõi (mẫu)", **numbers)


STAFF_TOLD = {"an": (711, 722), "binh": (5, 8), "cat": (27, 29), "du": (441, 442)}
HEADS_TOLD = {"an": (311, 333), "binh": (7, 31), "cat": (611, 622), "du": (41, 43)}
SECRETS = {"5", "8", "27", "29", "7", "31", "41", "43"}
"""Of the few persons, and of the smallest other unit, which would tell them."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return district(tmp_path_factory.mktemp("few"), STAFF_TOLD, HEADS_TOLD)


def numbers_in(text: str) -> set[str]:
    """Every number of a text but days, hours, clauses and the limit itself."""
    plain = re.sub(r"\d{1,2}[/:]\d{2}(/\d{4})?|II\.\d|CT\d|dưới 10 người|[0-9a-f]{64}", "", text)
    return set(re.findall(r"(?<![\d.,-])\d+(?![\d]|[.,]\d)", plain))


def test_the_whole_is_shown_with_its_exact_sum(folder: Path):
    said = targets(check(folder, AT, as_json=True))
    assert said["CT5"]["sentence"].startswith("1.184/1.201 người (98,6 %) trong số 4/4 đơn vị đã báo cáo")
    assert "970 → 1.029" in said["CT6a"]["sentence"]


def test_a_unit_with_few_persons_and_the_one_that_would_tell_them_show_a_word_and_no_number(folder: Path):
    for row in ("CT5", "CT6a"):
        subjects = {one["subject"]: one for one in targets(check(folder, AT, as_json=True))[row]["subjects"]}
        hidden = {name for name, one in subjects.items() if "giữ kín" in one["sentence"]}
        assert hidden == {"phuong-binh", "phuong-cat" if row == "CT5" else "phuong-du"}
        for name in hidden:
            one = subjects[name]
            assert [one[key] for key in ("low", "high", "needed_per_week", "forecast_low")] == [None] * 4
            assert one["sentence"] == f"Con số được giữ kín để bảo vệ nhóm dưới 10 người: {one['word'].lower()}."


def test_the_csv_has_empty_cells_there(folder: Path):
    rows = list(csv.DictReader(io.StringIO(check(folder, AT, as_csv=True).out)))
    hidden = [row for row in rows if "giữ kín" in row["sentence"]]
    assert {(row["row"], row["subject"]) for row in hidden} == {
        ("CT5", "phuong-binh"), ("CT5", "phuong-cat"), ("CT6a", "phuong-binh"), ("CT6a", "phuong-du"),
    }  # fmt: skip
    assert {row["low"] + row["high"] for row in hidden} == {""}


@pytest.mark.parametrize(("row", "subject"), [("CT5", "binh"), ("CT5", "cat"), ("CT6a", "binh"), ("CT6a", "du")])
def test_the_explanation_of_such_a_unit_names_the_source_and_not_the_number(row: str, subject: str, folder: Path):
    said = check(folder, AT, explain=row, subject=f"phuong-{subject}")
    assert "nguồn Sổ theo dõi (mẫu)" in said.out
    assert "Mã đối chiếu" not in said.out
    assert numbers_in(said.out) & (SECRETS - {"5", "8"} if row == "CT6a" else {"8", "27", "29"}) == set()
    assert "÷" not in said.out


def test_the_explanation_of_the_whole_lists_the_others_so_that_they_cannot_be_subtracted(folder: Path):
    said = check(folder, AT, explain="CT5")
    assert "711/722" in said.out
    assert "441/442" in said.out
    assert numbers_in(said.out) & {"27", "29", "8"} == set()
    assert "1.184 ÷ 1.201 = 98,5845 %" in said.out


def test_where_one_unit_alone_reported_the_whole_says_no_more_than_the_unit(tmp_path: Path):
    alone = district(tmp_path, {"an": (5, 8)}, {"binh": (50, 60)})
    said = targets(check(alone, AT, as_json=True))["CT5"]
    assert "giữ kín" in said["sentence"]
    assert (said["low"], said["high"]) == (None, None)


def test_the_list_of_figures_keeps_the_same_ones_back(folder: Path, capsys: pytest.CaptureFixture[str]):
    for unit in (None, "phuong-cat"):
        figure_show.run(folder, measure="staff-trained", period=None, unit=unit, at=AT, as_json=True)
        figures = {one["unit"]: one for one in json.loads(capsys.readouterr().out)["figures"]}
        assert (figures["phuong-cat"]["numerator"], figures["phuong-cat"]["denominator"]) == ("giữ kín",) * 2
        assert figures["phuong-cat"]["versions"][0]["numerator"] == "giữ kín"
        assert unit or figures["phuong-binh"]["numerator"] == "< 10"
        assert unit or figures["phuong-an"]["numerator"] == 711
    figure_show.run(folder, measure="staff-trained", period=None, unit=None, at=AT, as_json=False)
    assert numbers_in(capsys.readouterr().out) & {"27", "29"} == set()


def test_nothing_printed_by_default_tells_them(folder: Path):
    said: Said = check(folder, AT)
    assert numbers_in(said.out) & {"27", "29", "31", "41", "43"} == set()
