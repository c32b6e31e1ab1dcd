"""`nhip review`, as the meeting has it: a draft, notes, the closing, and what stands beside a closed week."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import text

from pipeline.commands.review import TAMPERED, Order, run
from pipeline.problems import UserError
from pipeline.workplace import open_workplace
from store.records import Evidence, PostLabel, Reading, Snapshot, Source, Verdict
from store.verbs import Store, create_store, open_store
from tests.figure_builders import a_count
from tests.small_district import FRIDAY, write_config
from tests.store_builders import a_failure, a_post, days, look

OFFICE = "Ban Tuyên giáo (mẫu)"
SATURDAY = FRIDAY + days(1)
Review = Callable[..., str]
MONDAY = FRIDAY - days(4)


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Week 47 until Friday, 09:00: one unit that publishes every day, one that is silent, one that cannot be read."""
    folder = write_config(tmp_path_factory.mktemp("week") / "quan", [f"http://127.0.0.1:9/tin-{n}" for n in range(3)])
    create_store(f"sqlite:///{folder / 'nhip.sqlite3'}", FRIDAY - days(40))
    district = (folder / "district.toml").read_text(encoding="utf-8")
    (folder / "district.toml").write_text(f'plans = ["doan-phuong-2026"]\n{district}', encoding="utf-8")
    with open_workplace(folder, "2026-11-01"):
        pass  # makes the store know the channels
    with open_store(f"sqlite:///{folder / 'nhip.sqlite3'}") as store:
        _live_through_the_week(store)
    return folder


@pytest.fixture
def folder(lived: Path, tmp_path: Path) -> Path:
    return shutil.copytree(lived, tmp_path / "quan")


def _live_through_the_week(store: Store) -> None:
    items = [a_post(f"tin-{n}", MONDAY + days(n), title=f"Tin tốt và câu chuyện đẹp {n} (mẫu)") for n in range(-7, 5)]
    for number, followers in enumerate((2_000, 2_100)):
        at = FRIDAY - days(7 * (1 - number)) - timedelta(hours=1)
        seen = Snapshot(at, Source.FACEBOOK_PAGE, followers)
        known = tuple(one for one in items if one.published_at and one.published_at <= at)
        look(store, "trang-0", Reading((seen,), known, coverage_from=FRIDAY - days(20)), at)
        look(store, "trang-1", Reading(coverage_from=FRIDAY - days(9)), at)
        look(store, "trang-2", a_failure(), at)


@pytest.fixture
def review(folder: Path, capsys: pytest.CaptureFixture[str]) -> Review:
    capsys.readouterr()

    def asked(week: str | None = "2026-W47", code: int = 0, as_json: bool = False, **order: Any) -> str:
        given = {"at": order.pop("at", None), "clock": order.pop("clock", lambda: FRIDAY)}
        assert run(folder, week, Order(**order), as_json=as_json, **given) == code
        return capsys.readouterr().out

    return asked


def store_of(folder: Path) -> Store:
    return open_store(f"sqlite:///{folder / 'nhip.sqlite3'}")


def test_the_draft_is_one_page_in_the_order_of_the_meeting(review: Review):
    out = review()
    first, *lines = out.splitlines()
    assert first == (
        "Quận Đoàn thử nghiệm. Họp tuần: Tuần 47 (16/11–22/11/2026). Số liệu đến 09:00 20/11/2026. Dữ liệu minh họa."
    )
    assert [line for line in lines if line[:1].isdigit()] == [
        "1. Số liệu tuần",
        "2. Chỉ tiêu nguy cơ",
        "3. Đơn vị im lặng",
        "4. Tin tốt, câu chuyện đẹp",
        "5. Tuyên dương",
        "6. Phân công tuần tới",
        "7. Kết luận",
    ]
    assert len(lines) <= 60


def test_it_says_what_each_unit_did_and_nothing_that_was_not_seen(review: Review):
    out = review()
    quiet = "Đoàn phường don-vi-1: chưa ghi nhận tin, bài mới từ ngày 12/11/2026 (7 ngày đã xác minh, đến 19/11/2026)."
    assert "Trang trang-0: tăng 100 lượt theo dõi trong 7 ngày (2.000 → 2.100)." in out
    assert quiet.replace("7 ngày", "8 ngày") in out
    assert "Lỗi thu thập (phía hệ thống):\n  - Đoàn phường don-vi-2: hệ thống chưa đọc được kênh" in out
    praise = out.split("5. Tuyên dương\n  Theo năm tuần đến hết tuần này:\n")[1].split("\n\n")[0]
    assert praise == (
        "  - [III.5, doan-phuong-2026] Chưa có đơn vị nào đủ điều kiện đề nghị tuyên dương.\n"
        "  - 3 đơn vị chưa đủ số liệu để xét; đề nghị xem bằng «nhip commend»."
    )
    assert "[II.2, doan-phuong-2026] " in out.split("2. Chỉ tiêu nguy cơ")[1].split("3. ")[0]


def test_looking_at_the_draft_writes_no_answers_of_the_check(review: Review, folder: Path):
    review()
    with store_of(folder) as store:
        assert store.progress().empty


def test_programs_get_the_same_as_json(review: Review):
    facts = json.loads(review(as_json=True))
    assert (facts["state"], facts["intact"], facts["history"]) == ("draft", True, [])
    assert facts["review"]["week"] == "2026-W47"
    (quiet,) = facts["review"]["lists"]["quiet"]
    assert (quiet["key"], quiet["status"]) == ("unit/don-vi-1", "quiet")
    assert len(facts["review"]["lists"]["changes"]) <= 5
    assert len(facts["review"]["lists"]["risks"]) <= 3


def test_notes_and_decisions_are_kept_with_their_owner_and_day(review: Review):
    assert review(note="Tăng cường tin tốt (mẫu)").startswith("Đã ghi vào Tuần 47 (16/11–22/11/2026): Ghi chú: ")
    review(decide="Liên hệ đơn vị (mẫu)", owner=OFFICE, due="2026-11-30", by="Văn phòng (mẫu)")
    assert review().endswith(
        "7. Kết luận\n  - Ghi chú: Tăng cường tin tốt (mẫu).\n"
        f"  - Kết luận: Liên hệ đơn vị (mẫu). Thực hiện: {OFFICE}, hạn 30/11/2026.\n"
    )
    notes = json.loads(review(as_json=True))["review"]["notes"]
    assert [one["by"] for one in notes] == ["Quận Đoàn thử nghiệm", "Văn phòng (mẫu)"]


def test_a_closed_week_stays_what_it_was_whatever_comes_later(review: Review, folder: Path):
    review(note="Trước khi chốt (mẫu)")
    said = review(close=True, by=OFFICE)
    frozen = json.loads(review(as_json=True))
    assert frozen["history"][0]["sha256"] in said
    with store_of(folder) as store:
        late = a_post("tre", FRIDAY - days(1), title="Tin tốt muộn (mẫu)")
        look(store, "trang-1", Reading(posts=(late,), coverage_from=FRIDAY - days(9)), SATURDAY)
    again = json.loads(review(as_json=True, clock=lambda: SATURDAY))
    assert again["review"] == frozen["review"]
    content = orjson.dumps(again["review"], option=orjson.OPT_SORT_KEYS)
    assert hashlib.sha256(content).hexdigest() == frozen["history"][0]["sha256"]
    assert again["later"] == {"notes": [], "edits": [], "corrections": []}
    out = review(clock=lambda: SATURDAY)
    assert f"Đã chốt lúc 09:00 20/11/2026, {OFFICE}. Mã kiểm tra SHA-256: " in out
    assert "Sau khi chốt" not in out


def test_what_is_corrected_later_stands_beside_the_closed_week(review: Review, folder: Path):
    review(close=True, by=OFFICE)
    review(note="Sau khi chốt (mẫu)")
    with store_of(folder) as store:
        post = int(store.posts(MONDAY, FRIDAY)["id"].iloc[0])
        store.confirm_label(PostLabel(post, "tin-tot", Evidence.PERSON, OFFICE, SATURDAY, upheld=False))
        store.add_figures([a_count(40, unit="don-vi-0", by=OFFICE, at=SATURDAY)])
        store.add_figures([a_count(40, unit="don-vi-1", by=OFFICE, at=FRIDAY - days(1))])
    later = json.loads(review(as_json=True, clock=lambda: SATURDAY))["later"]
    assert [one["text"] for one in later["notes"]] == ["Sau khi chốt (mẫu)"]
    assert later["edits"] == [
        f"09:00 21/11/2026, {OFFICE}: xác nhận lại nhãn «Tin tốt» của một bài trong tuần.",
        f"09:00 21/11/2026, {OFFICE}: báo cáo «Số tuyên truyền viên cơ sở» của Đoàn phường don-vi-0.",
    ]
    assert "Sau khi chốt (không sửa vào biên bản)\n  - Ghi chú: Sau khi chốt (mẫu)." in review()


def test_a_count_that_was_doubted_later_is_told_beside_with_then_and_now(review: Review, folder: Path):
    with store_of(folder) as store:
        doubted = Snapshot(FRIDAY - timedelta(minutes=5), Source.FACEBOOK_PAGE, 200)
        look(store, "trang-0", Reading((doubted,), coverage_from=FRIDAY - days(9)), FRIDAY - timedelta(minutes=5))
    assert "Trang trang-0: 1 số liệu khác thường đang chờ xác nhận" in review()
    review(close=True, by=OFFICE)
    with store_of(folder) as store:
        store.add_verdict(Verdict("trang-0", doubted.observed_at, doubted.source, True, OFFICE, "Đúng (mẫu)", SATURDAY))
    later = json.loads(review(as_json=True, clock=lambda: SATURDAY))["later"]
    (change,) = [one for one in later["corrections"] if one["key"] == "channel/trang-0"]
    assert "(2.000 → 2.100)" in change["then"]
    assert "giảm 1.800 lượt theo dõi" in change["now"]
    assert any("cho ý kiến về số liệu khác thường của Trang trang-0" in one for one in later["edits"])


def test_reopening_needs_a_reason_and_an_office_and_is_audited(review: Review, folder: Path):
    review(close=True, by=OFFICE)
    for order in ({"reason": "Bổ sung (mẫu)"}, {"by": OFFICE}):
        with pytest.raises(UserError):
            review(reopen=True, **order)
    review(reopen=True, by=OFFICE, reason="Bổ sung (mẫu)")
    assert f"Bản nháp: đã mở lại lúc 09:00 20/11/2026, {OFFICE}. Lý do: Bổ sung (mẫu)." in review()
    review(close=True, by=OFFICE)
    history = json.loads(review(as_json=True))["history"]
    assert [one["state"] for one in history] == ["closed", "reopened", "closed"]
    with store_of(folder) as store:
        assert list(store.audit()["action"]) == ["review.close", "review.reopen", "review.close"]


FORGED = ['\'{"lists": {}, "notes": []}\'', "'[]'", "'khong phai JSON'", "replace(content, 'Tuần 47', 'Tuần 48')"]


@pytest.mark.parametrize("content", FORGED)
def test_a_touched_paper_is_told(review: Review, folder: Path, content: str, capsys: pytest.CaptureFixture[str]):
    review(close=True, by=OFFICE)
    with store_of(folder) as store:
        store.database.write(lambda connection: connection.execute(text("DROP TRIGGER review_keeps")))
        store.database.write(lambda connection: connection.exec_driver_sql(f"UPDATE review SET content = {content}"))
    assert json.loads(review(code=1, as_json=True))["intact"] is False
    assert run(folder, "2026-W47", Order(), clock=lambda: FRIDAY) == 1
    assert capsys.readouterr().err == f"{TAMPERED}\n"


WRONG: list[tuple[str | None, dict[str, Any], str]] = [
    ("2026-11", {}, "không phải là một tuần"),
    ("tuan nay", {}, "Không hiểu kỳ"),
    ("2026-W48", {}, "chưa bắt đầu"),
    (None, {"at": "2026-11-20T10:00"}, "Chưa đến thời điểm"),
    (None, {"note": "a", "close": True}, "Mỗi lần chỉ làm một việc"),
    (None, {"note": " "}, "Nội dung trống"),
    (None, {"note": "x" * 501}, "dài hơn 500"),
    (None, {"note": "Gọi số 0912 345 678"}, "một cá nhân"),
    (None, {"decide": "Gọi đơn vị", "due": "2026-11-30"}, "bộ phận thực hiện"),
    (None, {"decide": "Gọi đơn vị", "owner": "Nguyễn Văn Mẫu", "due": "2026-11-30"}, "không ghi tên người"),
    (None, {"decide": "Gọi đơn vị", "owner": OFFICE, "due": "mai"}, "cần thời hạn"),
    (None, {"close": True}, "Chưa ghi bộ phận"),
    (None, {"close": True, "by": "Nguyễn Văn Mẫu"}, "một cá nhân"),
    (None, {"reopen": True, "by": OFFICE, "reason": "x"}, "chưa chốt"),
]


@pytest.mark.parametrize(("week", "order", "sentence"), WRONG)
def test_half_a_word_is_refused_and_changes_nothing(
    review: Review, folder: Path, week: str | None, order: dict[str, Any], sentence: str
):
    with pytest.raises(UserError, match=sentence):
        review(week, **order)
    with store_of(folder) as store:
        assert store.audit().empty


def test_a_week_that_was_closed_cannot_be_closed_over(review: Review):
    review(close=True, by=OFFICE)
    with pytest.raises(UserError, match="đã chốt"):
        review(close=True, by=OFFICE)


def test_without_a_word_it_is_the_week_of_today(review: Review):
    assert "Họp tuần: Tuần 47" in review(None)
    assert "Họp tuần: Tuần 46" in review(None, at="2026-11-15T09:00")
