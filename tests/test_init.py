"""`nhip init`: a folder to edit, with the plan in it, and nothing that is there is touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.load import TEMPLATE, load_config
from config.plan_files import packaged_plans
from tests.command_line import nhip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    assert nhip("init", tmp_path / "quan").code == 0
    return tmp_path / "quan"


def test_the_plan_lies_there_to_be_edited_and_explains_itself_in_vietnamese(folder: Path):
    text = (folder / TEMPLATE).read_text(encoding="utf-8")
    assert text.startswith("# KẾ HOẠCH MẪU")
    assert "tệp này trong thư mục plans/ của đơn vị («nhip init» chép sẵn)" in text
    assert Path(TEMPLATE).stem in load_config(folder).district.plans


def test_what_is_edited_there_counts_instead_of_what_the_program_has(folder: Path):
    path = folder / TEMPLATE
    path.write_text(path.read_text("utf-8").replace("goal = { value = 75 }", "goal = { value = 80 }"), "utf-8")
    goal = load_config(folder).plans[path.stem].rows["CT3"].goal
    assert goal is not None
    assert goal.value == 80


def test_the_doctor_is_content_with_it_and_names_the_row_that_is_wrong(folder: Path):
    assert "Không có lỗi." in nhip("--config", folder, "doctor").out
    path = folder / TEMPLATE
    path.write_text(path.read_text("utf-8").replace('indicator = "reported_growth"', 'indicator = "sai"'), "utf-8")
    said = nhip("--config", folder, "doctor")
    assert said.code == 78
    assert f"{TEMPLATE}" in said.err + said.out
    assert "rows.CT6a" in said.err + said.out


def test_what_to_do_next_names_the_plan(folder: Path, tmp_path: Path):
    said = nhip("init", tmp_path / "another")
    assert f"Mở {tmp_path / 'another' / TEMPLATE}, sửa cho đúng kế hoạch của đơn vị" in said.out


def test_a_second_time_changes_nothing(folder: Path):
    path = folder / TEMPLATE
    path.write_text(path.read_text("utf-8") + "# một dòng ghi thêm\n", "utf-8")
    before = {one: one.read_bytes() for one in folder.rglob("*.toml")}
    assert "Giữ nguyên cấu hình" in nhip("init", folder).out
    assert {one: one.read_bytes() for one in folder.rglob("*.toml")} == before


def test_a_folder_in_use_gets_no_plan_that_nobody_asked_for(folder: Path):
    (folder / TEMPLATE).unlink()
    assert nhip("init", folder).code == 0
    assert not (folder / TEMPLATE).exists()
    assert load_config(folder).plans[Path(TEMPLATE).stem].rows


def test_the_copy_is_the_packaged_plan(folder: Path):
    assert (folder / TEMPLATE).read_bytes() == packaged_plans()[Path(TEMPLATE).stem].read_bytes()
