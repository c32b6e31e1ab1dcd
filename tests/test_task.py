"""`nhip task`: duties ticked off with a reason, undone as a new row, and what the check says of them on any day."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from config.plan_due import Due
from pipeline.commands.task import Words, done, list_, undo
from pipeline.occurrences import name_of
from pipeline.problems import UserError
from pipeline.ticks import ticks_at
from store.verbs import Store, open_store
from tests.checked import GROWTH, TASK, add_plan, check
from tests.command_line import nhip
from tests.metric_builders import HCMC
from tests.small_district import FRIDAY, write_config

OFFICE = "Văn phòng (mẫu)"
LINK = "https://doan-mau.example/bao-cao/0912345678"
MORE = """
[rows.TC3]
clause = "IV.2"
title = "Báo cáo số liệu hằng quý"
text = "báo cáo số liệu hằng quý"
kind = "cycle"
classes = ["task"]
indicator = "task"
due = { rule = "every_quarter", offset_days = 5 }
[rows.NV4]
clause = "III.5"
title = "Tuyên dương"
text = "kịp thời tuyên dương"
kind = "task"
classes = ["task"]
indicator = "task"
due = { rule = "on_occurrence" }
[rows.NV5]
clause = "III.6"
title = "Xây dựng quy chế"
text = "xây dựng quy chế"
kind = "task"
classes = ["task"]
indicator = "task"
due = { rule = "undated" }
"""
Told = Callable[..., str]


@pytest.fixture
def folder(tmp_path: Path, created_file: Path) -> Path:
    """On Friday, 20 November: NV1 due 30 June, TC3 five days after each quarter, NV2, NV4 and NV5 without a date."""
    made = write_config(tmp_path / "quan", ["http://127.0.0.1:9/feed.xml"])
    shutil.copy(created_file, made / "nhip.sqlite3")
    return add_plan(made, GROWTH, TASK, MORE)


@pytest.fixture
def told(folder: Path, capsys: pytest.CaptureFixture[str]) -> Told:
    """Does a verb of `nhip task` on Friday, or at another moment, and gives what it says."""

    def does(verb: Callable[..., int], row: str, at: datetime = FRIDAY, **more: Any) -> str:
        given: dict[str, Any] = {"by": OFFICE, "reason": "Báo cáo số 12 (mẫu)"}
        assert verb(folder, Words(row, **(given | more)), clock=lambda: at) == 0
        return capsys.readouterr().out.removeprefix("Dữ liệu minh họa.\n").rstrip("\n")

    return does


def listed(folder: Path, capsys: pytest.CaptureFixture[str], at: str | None = None) -> dict[tuple[str, str], Any]:
    """The duties of `nhip task list --json` by row and occurrence."""
    capsys.readouterr()
    list_(folder, plan=None, at=at, as_json=True, clock=lambda: FRIDAY)
    return {(one["row"], one["occurrence"]): one for one in json.loads(capsys.readouterr().out)["tasks"]}


def store_of(folder: Path) -> Store:
    return open_store(f"sqlite:///{folder / 'nhip.sqlite3'}")


def duty(folder: Path, at: str, row: str, due: str) -> dict[str, Any]:
    """What `nhip check` says of a duty."""
    plans = check(folder, at, as_json=True).json()["plans"]
    (found,) = (one for plan in plans for one in plan["duties"] if (one["row"], one["due"]) == (row, due))
    return dict(found)


# --- done --------------------------------------------------------------------------------------------------------


def test_a_duty_done_in_time_is_no_longer_overdue_and_the_day_before_the_tick_it_still_is(folder: Path, told: Told):
    said = told(done, "nv1", on="2026-06-30", evidence=LINK)
    assert said == (
        f"Đã ghi: NV1 «Báo cáo sơ kết» (hạn 30/06/2026): hoàn thành ngày 30/06/2026, đúng hạn. {OFFICE} ghi nhận."
    )
    after, before = (duty(folder, at, "NV1", "2026-06-30") for at in ("2026-11-20T09:00", "2026-11-20T08:59"))
    assert (before["word"], after["word"]) == ("Quá hạn", "Đạt")
    assert after["sentence"] == "Hạn 30/06/2026, hoàn thành ngày 30/06/2026, đúng hạn."


def test_a_duty_done_late_is_told_with_its_days(folder: Path, told: Told):
    assert told(done, "NV1", on="2026-07-03").endswith(
        "hoàn thành ngày 03/07/2026, trễ 3 ngày. Văn phòng (mẫu) ghi nhận."
    )
    found = duty(folder, "2026-11-20T09:00", "NV1", "2026-06-30")
    assert (found["word"], found["sentence"]) == (
        "Hoàn thành trễ hạn", "Hạn 30/06/2026, hoàn thành ngày 03/07/2026, trễ 3 ngày.",
    )  # fmt: skip


@pytest.mark.parametrize("name", ["2026-Q3", "2026-q3", "2026-10-05"])
def test_one_quarter_is_ticked_off_and_no_other(folder: Path, told: Told, name: str, capsys: Any):
    assert "TC3 «Báo cáo số liệu hằng quý», lần 2026-Q3 (hạn 05/10/2026)" in told(done, "TC3", occurrence=name)
    assert listed(folder, capsys)["TC3", "2026-Q3"]["status"] == "done_late"
    told(done, "TC3", occurrence="2026-Q1")
    with store_of(folder) as store:
        assert set(ticks_at(store, FRIDAY, HCMC)) == {"mau/TC3/2026-10-05", "mau/TC3/2026-04-05"}


def test_the_same_word_twice_is_one_row_and_another_word_is_refused(folder: Path, told: Told):
    told(done, "NV1", on="2026-06-30")
    assert told(done, "NV1", on="2026-06-30").startswith("Đã có từ trước, không có gì thay đổi: NV1 ")
    with pytest.raises(UserError, match="đã ghi xong ngày 30/06/2026"):
        told(done, "NV1", on="2026-07-01")
    with store_of(folder) as store:
        assert len(store.audit()) == 1


def test_a_duty_that_arises_is_done_as_often_as_it_does(folder: Path, told: Told, capsys: Any):
    told(done, "NV4", occurrence="2026-05-19")
    told(done, "NV4")
    found = listed(folder, capsys)["NV4", ""]
    assert (found["word"], found["sentence"]) == (
        "Thường xuyên", "Việc làm khi phát sinh; đã ghi nhận 2 lần, gần nhất ngày 20/11/2026.",
    )  # fmt: skip
    assert [one["done_on"] for one in found["ticks"]] == ["2026-05-19", "2026-11-20"]


def test_a_duty_without_a_date_that_is_done_once_is_done(folder: Path, told: Told, capsys: Any):
    assert listed(folder, capsys)["NV5", ""]["sentence"] == "Việc làm một lần, văn bản không nêu thời hạn."
    told(done, "NV5", on="2026-05-19")
    found = listed(folder, capsys)["NV5", ""]
    assert (found["status"], found["sentence"].split("; ")[1]) == ("met", "hoàn thành ngày 19/05/2026.")
    assert told(done, "NV5").startswith("Đã có từ trước")


def test_the_evidence_is_shown_where_the_check_is_explained(folder: Path, told: Told):
    told(done, "NV1", on="2026-06-30", evidence=LINK)
    assert LINK in check(folder, "2026-11-20T09:00", explain="NV1").out
    assert LINK not in check(folder, "2026-11-20T08:59", explain="NV1").out


# --- undo --------------------------------------------------------------------------------------------------------


def test_undoing_is_a_new_row_and_the_past_stays_what_it_was(folder: Path, told: Told, capsys: Any):
    told(done, "NV1", at=FRIDAY.replace(day=18))
    assert told(undo, "NV1", reason="Ghi nhầm (mẫu)").startswith(
        "Đã bỏ đánh dấu: NV1 «Báo cáo sơ kết» (hạn 30/06/2026)."
    )
    words = [listed(folder, capsys, at)["NV1", "2026-06-30"]["word"] for at in ("2026-11-17", "2026-11-18", None)]
    assert words == ["Quá hạn", "Hoàn thành trễ hạn", "Quá hạn"]
    told(done, "NV1", at=datetime(2026, 11, 20, 3, tzinfo=UTC))
    with store_of(folder) as store:
        assert store.audit()["action"].tolist() == ["task.done", "task.undo", "task.done"]
        assert store.verify_audit().broken_at is None


def test_of_several_deeds_one_is_named_to_be_undone(told: Told):
    told(done, "NV4", occurrence="2026-05-19")
    told(done, "NV4", occurrence="2026-06-01")
    with pytest.raises(UserError, match="--occurrence: 2026-05-19, 2026-06-01"):
        told(undo, "NV4")
    told(undo, "NV4", occurrence="2026-06-01")
    assert "ngày 2026-05-19" in told(undo, "NV4").replace("lần", "ngày")


# --- what is refused ---------------------------------------------------------------------------------------------


WRONG: list[tuple[Callable[..., int], str, dict[str, Any], str]] = [
    (done, "NV9", {}, "Không có việc «NV9» trong các kế hoạch đang xem .mau.. Đề nghị xem danh sách: nhip task list"),
    (done, "NV1", {"plan": "khac"}, "Không có kế hoạch «khac»"),
    (done, "TC3", {}, "có nhiều lần. Đề nghị ghi rõ --occurrence: .*2026-Q3 .hạn 05/10/2026."),
    (done, "TC3", {"occurrence": "2027-Q3"}, "không có lần «2027-Q3», hoặc chưa tới lần ấy"),
    (done, "TC3", {"occurrence": "2026-10-06"}, "không có lần «2026-10-06»"),
    (done, "NV1", {"on": "2026-11-21"}, "Ngày 21/11/2026 chưa tới nên chưa thể ghi là đã xong"),
    (done, "NV4", {"occurrence": "2026-11-21"}, "Ngày 21/11/2026 chưa tới"),
    (done, "NV1", {"on": "2016-06-30"}, "trước khi kế hoạch có hiệu lực .01/01/2026."),
    (done, "NV1", {"on": "30/06/2026"}, "Không hiểu ngày ở --on. Viết như --on 2026-11-20"),
    (done, "NV4", {"occurrence": "2026-05-19", "on": "2026-05-20"}, "cùng một ngày. Đề nghị chỉ ghi một"),
    (done, "NV1", {"by": " "}, "Chưa ghi bộ phận"),
    (done, "NV1", {"by": "Nguyễn Văn Mẫu"}, "--by giống thông tin của một cá nhân"),
    (done, "NV1", {"reason": " "}, "Cần minh chứng hoặc lý do"),
    (done, "NV1", {"reason": "Gọi số 0912 345 678"}, "một cá nhân"),
    (done, "NV1", {"reason": "x" * 501}, "dài hơn 500 ký tự"),
    (done, "NV1", {"evidence": "so 12/BC"}, "Minh chứng phải là một liên kết"),
    (done, "NV1", {"evidence": "https://mau@doan-mau.example/"}, "Minh chứng phải là một liên kết"),
    (done, "NV1", {"evidence": "https://doan-mau.example/?thu=mau@doan-mau.example"}, "một cá nhân"),
    (undo, "NV1", {"reason": ""}, "Cần ghi lý do bỏ đánh dấu"),
    (undo, "NV1", {}, "chưa được đánh dấu là đã xong nên không có gì để bỏ"),
    (undo, "NV4", {}, "chưa được đánh dấu là đã xong"),
]


@pytest.mark.parametrize(("verb", "row", "more", "sentence"), WRONG)
def test_half_a_word_is_refused_and_writes_nothing(
    folder: Path, told: Told, verb: Callable[..., int], row: str, more: dict[str, Any], sentence: str
):
    with pytest.raises(UserError, match=sentence):
        told(verb, row, **more)
    with store_of(folder) as store:
        assert store.audit().empty


def test_a_target_cannot_be_ticked_off(told: Told):
    with pytest.raises(UserError, match="không phải là việc để đánh dấu: hệ thống tính từ số liệu"):
        told(done, "CT4.1")


def test_a_duty_of_two_plans_needs_the_plan(folder: Path, told: Told):
    add_plan(folder, TASK, slug="hai")
    text = (folder / "district.toml").read_text("utf-8").split("\n", 2)
    (folder / "district.toml").write_text(f'plans = ["mau", "hai"]\n{text[2]}', encoding="utf-8")
    with pytest.raises(UserError, match="có trong nhiều kế hoạch: mau, hai"):
        told(done, "NV1")
    told(done, "NV1", plan="hai")
    with store_of(folder) as store:
        assert store.audit()["subject"].tolist() == ["hai/NV1/2026-06-30"]


# --- the list and the names --------------------------------------------------------------------------------------


def test_the_list_shows_every_duty_with_the_name_of_its_time(folder: Path, told: Told, capsys: Any):
    told(done, "NV1", on="2026-06-30")
    assert list_(folder, plan=None, at=None, as_json=False, clock=lambda: FRIDAY) == 1
    out = capsys.readouterr().out
    assert "✔ Đạt           NV1  2026-06-30  30/06/2026  Báo cáo sơ kết" in out
    assert f"xong 30/06/2026, {OFFICE} ghi 09:00 20/11/2026" in out
    assert "⚠ Quá hạn       TC3  2026-Q3     05/10/2026" in out
    assert "\n1 việc quá hạn.\n" in out
    told(done, "TC3", occurrence="2026-Q3")
    assert list_(folder, plan=None, at=None, as_json=False, clock=lambda: FRIDAY) == 0
    with pytest.raises(UserError, match="Chưa đến thời điểm"):
        list_(folder, plan=None, at="2026-11-21", as_json=False, clock=lambda: FRIDAY)


@pytest.mark.parametrize(
    ("due", "day", "name"),
    [
        (Due(rule="every_month"), "2026-02-28", "2026-02"),
        (Due(rule="every_quarter", offset_days=5), "2027-01-05", "2026-Q4"),
        (Due(rule="every_quarter"), "2026-12-14", "2026-Q4"),
        (Due(rule="every_half_year"), "2026-06-30", "2026-H1"),
        (Due(rule="every_half_year", offset_days=10), "2027-01-10", "2026-H2"),
        (Due(rule="every_year"), "2026-12-14", "2026"),
        (Due(rule="quarter", at="2026-Q1"), "2026-03-31", "2026-Q1"),
        (Due(rule="month", at="2017-06"), "2017-06-30", "2017-06"),
        (Due(rule="date", before=date(2026, 7, 1)), "2026-06-30", "2026-06-30"),
    ],
)
def test_a_time_is_named_by_the_period_that_it_ends(due: Due, day: str, name: str):
    assert name_of(due, date.fromisoformat(day)) == name


def test_the_words_of_the_command_line_reach_the_log(folder: Path):
    said = nhip(
        "--config", folder, "task", "done", "NV1", "--by", OFFICE, "--reason", "Báo cáo (mẫu)", "--evidence", LINK
    )
    assert (said.code, said.err) == (0, "")
    assert nhip("--config", folder, "task", "undo", "NV1", "--by", OFFICE, "--reason", "Nhầm (mẫu)").code == 0
    with store_of(folder) as store:
        done_row, undone = store.audit().to_dict("records")
    assert json.loads(done_row["after"])["evidence"] == json.loads(undone["before"])["evidence"] == LINK
