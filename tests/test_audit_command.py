"""`nhip audit` and what `nhip doctor` says of the log: who changed what, before and after, in Vietnamese words."""

from __future__ import annotations

import shutil
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from pipeline.audit_words import KINDS, entry_of
from pipeline.workplace import open_workplace
from store.records import Edit, Evidence, PostLabel, Reading, ReviewNote, Snapshot, Source, Verdict
from store.verbs import Store, open_store
from tests.checked import TASK, add_plan
from tests.command_line import nhip
from tests.figure_builders import a_count, a_share, an_approval
from tests.small_district import FRIDAY, write_config
from tests.store_builders import a_post, days, look

OFFICE = "Ban Tuyên giáo (mẫu)"
MONDAY = date(2026, 11, 16)
QUIET = "quiet/don-vi-0"
TICK = ("task.done", "mau/NV1/2026-06-30")


@pytest.fixture
def folder(tmp_path: Path, created_file: Path) -> Path:
    made = write_config(tmp_path / "quan", ["http://127.0.0.1:9/feed.xml"])
    shutil.copy(created_file, made / "nhip.sqlite3")
    with open_workplace(add_plan(made, TASK), "2026-11-01"):
        pass  # makes the store know the channel
    return made


def store_of(folder: Path) -> Store:
    return open_store(f"sqlite:///{folder / 'nhip.sqlite3'}")


def do_everything(store: Store) -> None:
    """One change of each kind that the log knows."""
    followers = [Snapshot(FRIDAY - days(n), Source.FACEBOOK_PAGE, count) for n, count in ((2, 2_000), (1, 20))]
    item = a_post("bai", FRIDAY - days(1), title="Tin tốt (mẫu)")
    for seen in followers:
        look(store, "trang-0", Reading((seen,), (item,), coverage_from=FRIDAY - days(9)), seen.observed_at)
    (row,) = store.open_suspects().to_dict("records")
    store.add_verdict(
        Verdict("trang-0", row["observed_at"].to_pydatetime(), Source.FACEBOOK_PAGE, False, OFFICE, "Sai (mẫu)", FRIDAY)
    )
    post = int(store.posts(FRIDAY - days(9), FRIDAY)["id"].iloc[0])
    store.confirm_label(PostLabel(post, "tin-tot", Evidence.PERSON, OFFICE, FRIDAY, upheld=False))
    share = a_share(unit="don-vi-0", by=OFFICE)
    store.add_figures([share, a_count(7, unit="don-vi-0", by=OFFICE)], "nhập tay")
    store.approve_figures([an_approval(share)])
    store.add_review_note(ReviewNote(MONDAY, "Liên hệ (mẫu)", OFFICE, FRIDAY, OFFICE, date(2026, 11, 30)))
    store.close_review(MONDAY, "{}", OFFICE, FRIDAY)
    store.reopen_review(MONDAY, OFFICE, "Bổ sung (mẫu)", FRIDAY)
    store.close_period("2026", "{}", OFFICE, FRIDAY)
    store.reopen_period("2026", OFFICE, "Bổ sung (mẫu)", FRIDAY)
    after = {"done_on": "2026-06-29", "evidence": "https://doan-mau.example/1"}
    store.note_edits([Edit(FRIDAY, OFFICE, "operator", *TICK, None, after, "Báo cáo (mẫu)")])
    store.note_edits([Edit(FRIDAY, OFFICE, "operator", "task.undo", TICK[1], after, None, "Nhầm (mẫu)")])
    for state in ("open", "acknowledged", "snoozed", "resolved"):
        turned = {"state": state, "snoozed_until": "2026-11-30T16:59:59+00:00" if state == "snoozed" else None}
        store.note_edits([Edit(FRIDAY, OFFICE, "operator", f"alert.{state}", QUIET, {"state": "open"}, turned, "")])


def rows(folder: Path, *words: str) -> list[dict[str, Any]]:
    return list(nhip("--config", folder, "audit", "--json", *words).json()["rows"])


def test_every_kind_of_change_is_told_in_words(folder: Path):
    with store_of(folder) as store:
        do_everything(store)
    found = {one["action"]: one for one in rows(folder)}
    assert set(found) == set(KINDS)
    told = {action: (one["subject"], one["before"], one["after"]) for action, one in found.items()}
    year = "kỳ từ 01/01/2026 đến trước 01/01/2027"
    duty = "NV1 «Báo cáo sơ kết» (mau), hạn 30/06/2026"
    done = "xong ngày 29/06/2026, minh chứng https://doan-mau.example/1"
    week = "Tuần 47 (16/11–22/11/2026)"
    assert told["count.judge"] == ("Trang trang-0, số liệu lúc 09:00 19/11/2026", "", "bác, không tính")
    assert told["label.confirm"] == ("bài số 1, nhãn «Tin tốt»", "", "không phải")
    assert told["figure.report"] == (f"Đoàn phường don-vi-0, Số tuyên truyền viên cơ sở, {year}", "", "< 10")
    assert told["figure.approve"][1:] == ("300/400 (75,0 %)", f"300/400 (75,0 %), {an_approval(a_count()).by} đã duyệt")
    assert told["review.note"] == (week, "", f"Liên hệ (mẫu) (thực hiện: {OFFICE}, hạn 30/11/2026)")
    assert told["review.close"][0] == told["review.reopen"][0] == week
    assert told["review.close"][2] == told["review.reopen"][1] != ""
    assert told["closing.close"][0] == told["closing.reopen"][0] == "Năm 2026"
    assert told["closing.close"][2] == told["closing.reopen"][1] != ""
    assert told["alert.snoozed"] == (
        "Chưa có tin, bài: Đoàn phường don-vi-0",
        "Đang mở",
        "Tạm hoãn đến 23:59 30/11/2026",
    )
    assert (told["task.done"], told["task.undo"]) == ((duty, "", done), (duty, done, ""))


def test_a_number_of_few_persons_is_nowhere_in_the_answer(folder: Path):
    with store_of(folder) as store:
        store.add_figures([a_count(7, unit="don-vi-0", by=OFFICE)])
    assert rows(folder)[0]["after"] == "< 10"
    assert " 7 " not in nhip("--config", folder, "audit").out


def write_notes(store: Store, count: int) -> None:
    for n in range(count):
        store.add_review_note(ReviewNote(MONDAY, f"Ghi chú {n} (mẫu)", OFFICE, FRIDAY))


def test_the_newest_rows_come_oldest_first_by_one_query(store: Store):
    write_notes(store, 5)
    store.note_edits([Edit(FRIDAY, OFFICE, "operator", *TICK, None, None, "")])
    asked: list[str] = []
    event.listen(store.database.engine, "before_cursor_execute", lambda *said: asked.append(said[2]))
    assert store.audit(3)["number"].tolist() == [4, 5, 6]
    assert sum("FROM audit" in one for one in asked) == 1
    assert store.audit(actions=["task.done"])["number"].tolist() == [6]
    assert store.audit(2, ["review.note"])["number"].tolist() == [4, 5]
    assert len(store.audit()) == len(store.audit(99)) == 6


def test_so_many_rows_are_shown_as_were_asked_for(folder: Path):
    with store_of(folder) as store:
        write_notes(store, 30)
    assert [one["number"] for one in rows(folder)] == list(range(11, 31))
    said = nhip("--config", folder, "audit", "--last", "2")
    assert said.code == 0
    assert said.out.startswith("Dữ liệu minh họa.\nSố  Lúc               Bộ phận               Vai trò         Việc")
    assert "29  09:00 20/11/2026  Ban Tuyên giáo (mẫu)  người vận hành  Ghi vào họp tuần" in said.out
    assert said.out.endswith("Còn 28 dòng cũ hơn; xem thêm bằng --last.\n")


def test_an_empty_log_says_so(folder: Path):
    assert nhip("--config", folder, "audit").out == "Chưa có thay đổi nào được ghi bằng tay.\n"


@pytest.mark.parametrize(
    ("action", "subject", "facts"),
    [
        ("alert.open", "khac/don-vi-0", '{"state":"open"}'),
        ("figure.report", "don-vi-0/khong-con", '{"value":3}'),
        ("task.done", "mau", "{}"),
    ],
)
def test_what_is_not_understood_is_told_as_the_log_has_it(folder: Path, action: str, subject: str, facts: str):
    with open_workplace(folder) as (config, store):
        store.note_edits([Edit(FRIDAY, OFFICE, "clerk", action, subject, None, {}, "")])
        row = store.audit(1).iloc[0].to_dict()
        entry = entry_of(config, row | {"after": facts})
    assert (entry.subject, entry.role, entry.reason) == (subject, "clerk", "")


# --- the doctor --------------------------------------------------------------------------------------------------


def test_the_doctor_says_that_the_log_holds_together(folder: Path):
    assert "Nhật ký: chưa có dòng nào." in nhip("--config", folder, "doctor").out
    with store_of(folder) as store:
        do_everything(store)
        seal, number = store.verify_audit().seal, store.verify_audit().rows
    told = f"Nhật ký: {number} dòng nối tiếp nhau, không có dòng nào bị sửa. Mã dòng cuối: {seal[:12]}."
    assert told in nhip("--config", folder, "doctor").out


def _execute(statement, connection):
    connection.execute(text(statement))


def test_the_doctor_says_from_which_row_a_touched_log_is_broken(folder: Path):
    with store_of(folder) as store:
        do_everything(store)
        for statement in ("DROP TRIGGER audit_keeps", "UPDATE audit SET reason = 'khác' WHERE number = 4"):
            store.database.write(partial(_execute, statement))
    said = nhip("--config", folder, "doctor")
    assert said.code == 1
    assert "Nhật ký: đứt từ dòng số 4, có dòng đã bị sửa hoặc xóa. Đề nghị giữ nguyên cơ sở dữ liệu, " in said.out
    assert nhip("--config", folder, "doctor", "--json").json()["audit"]["broken_at"] == 4
