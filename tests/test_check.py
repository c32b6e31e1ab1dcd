"""`nhip check` of plans: what it answers, what it says, how it ends, and that it says the same again."""

from __future__ import annotations

import csv
import io
import re
import shutil
import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.check_words import COLUMNS
from pipeline.problems import UserError
from pipeline.ticks import DONE, mark_of
from store.records import Edit, Evidence, PostLabel
from store.verbs import open_store
from tests.checked import ALIVE, DAILY, GROWTH, MEETING, TASK, add_plan, check, targets
from tests.command_line import nhip
from tests.small_district import FRIDAY, FeedSite, daily_items, feed_site, write_config

NINE = "2026-11-20T09:00"
Place = Callable[..., Path]


@pytest.fixture
def place(tmp_path: Path, created_file: Path) -> Place:
    def make(*addresses: str) -> Path:
        folder = write_config(tmp_path / "district", addresses)
        shutil.copy(created_file, folder / "nhip.sqlite3")
        return folder

    return make


@pytest.fixture
def site(tmp_path: Path) -> Iterator[FeedSite]:
    """One good item on each of the last thirty days."""
    with feed_site(tmp_path / "site", *daily_items(FRIDAY - timedelta(minutes=1), 30)) as opened:
        yield opened


@pytest.fixture
def dead_address() -> str:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}/feed.xml"


def collected(folder: Path, *moments: str) -> Path:
    for at in moments or (NINE,):
        nhip("--config", folder, "collect", "--at", at)
    return folder


def kept_rows(folder: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(folder / "nhip.sqlite3")) as connection:
        return list(connection.execute("SELECT * FROM progress ORDER BY 1, 2, 3, 4, 5, 6, 7"))


# --- how it ends ------------------------------------------------------------------------------------------------


def test_a_unit_that_kept_everything_so_far_is_on_pace_and_the_check_ends_with_0(site: FeedSite, place: Place):
    folder = collected(add_plan(place(site.address), DAILY, ALIVE, MEETING))
    said = check(folder, NINE)
    assert said.code == 0
    assert "▲ Đúng tiến độ  II.2  CT2a" in said.out
    assert "✔ Đạt           II.2  CT2c" in said.out
    assert "1/1 đơn vị có tin tốt đủ mọi ngày đến hạn, chỉ tiêu 100 %: đúng tiến độ." in said.out


def test_something_behind_ends_with_1_even_when_something_else_cannot_be_judged(
    site: FeedSite, place: Place, dead_address: str
):
    site.publish(("Tin tốt", FRIDAY - timedelta(days=1)), ("Bài cũ", FRIDAY - timedelta(days=20)))
    folder = collected(add_plan(place(site.address, dead_address), DAILY, GROWTH))
    facts = targets(check(folder, NINE, as_json=True))
    assert (facts["CT2a"]["status"], facts["CT4.1"]["status"]) == ("at_risk", "too_little")
    assert check(folder, NINE).code == 1


def test_a_collector_that_failed_all_week_is_our_fault_and_never_not_met(place: Place, dead_address: str):
    moments = [f"2026-11-{day:02}T18:30" for day in range(9, 16)]
    folder = collected(add_plan(place(dead_address), DAILY, ALIVE, MEETING), *moments)
    said = check(folder, "2026-11-16T09:00", week="2026-W46", as_json=True)
    assert said.code == 2
    for facts in targets(said).values():
        assert [facts["word"], *(one["word"] for one in facts["subjects"])] == ["Lỗi thu thập"] * 2
    assert "Chưa đạt" not in check(folder, "2026-11-16T09:00", week="2026-W46").out


def test_a_week_that_is_over_without_its_items_is_not_met(site: FeedSite, place: Place):
    site.publish(("Bài mới", FRIDAY - timedelta(days=6)), ("Bài cũ", FRIDAY - timedelta(days=30)))
    folder = collected(add_plan(place(site.address), DAILY), "2026-11-16T08:00")
    said = check(folder, "2026-11-16T09:00", week="2026-W46", as_json=True)
    assert (said.code, targets(said)["CT2a"]["word"]) == (1, "Chưa đạt")


# --- what it says -----------------------------------------------------------------------------------------------


def test_the_sections_of_a_plan_stand_under_it(site: FeedSite, place: Place):
    folder = collected(add_plan(place(site.address), DAILY, GROWTH, TASK))
    said = check(folder, NINE)
    assert said.code == 1  # the task is overdue
    assert "Kế hoạch Kế hoạch mẫu. Ban Thường vụ (mẫu). Mã: mau." in said.out
    assert "⚠ Quá hạn   III.1  NV1" in said.out
    assert "Hạn 30/06/2026, chưa ghi nhận hoàn thành, quá 143 ngày; đề nghị cập nhật kết quả." in said.out
    assert "1 việc thường xuyên, định kỳ hoặc không nêu hạn." in said.out
    assert "Chưa chốt cách tính (1), đề nghị ký ở [choices.mau] của district.toml:" in said.out
    assert "Đang tính: Chỉ tính bài tự đăng (chưa chốt cách tính)." in said.out
    assert "Căn cứ 52/2016/QĐ-TTg hết hiệu lực từ 01/07/2024, thay bằng 49/2024/NĐ-CP." in said.out
    assert "nhưng chưa gắn với kênh nào" in said.out
    assert "Đoàn phường don-vi-0" in said.out.split("Phương châm theo từng đơn vị.")[1]
    assert "Dữ liệu minh họa." in said.out


def test_a_task_that_somebody_ticked_off_is_done_from_that_moment_on(site: FeedSite, place: Place):
    folder = add_plan(place(site.address), TASK)
    done_at = datetime(2026, 7, 3, 2, tzinfo=UTC)
    edit = Edit(done_at, "Văn phòng (mẫu)", "operator", DONE, mark_of("mau", "NV1", date(2026, 6, 30)), None, None, "")
    with open_store(f"sqlite:///{folder / 'nhip.sqlite3'}") as store:
        store.note_edits([edit])
    (before,), (after,) = (check(folder, at, as_json=True).json()["plans"] for at in ("2026-07-02", "2026-07-04"))
    assert (before["duties"][0]["word"], after["duties"][0]["word"]) == ("Quá hạn", "Hoàn thành trễ hạn")
    assert after["duties"][0]["sentence"] == "Hạn 30/06/2026, hoàn thành ngày 03/07/2026, trễ 3 ngày."
    assert check(folder, "2026-07-04").code == 0


def test_a_closed_plan_is_shown_in_its_time_or_by_its_name(site: FeedSite, place: Place):
    folder = add_plan(place(site.address), TASK, until="2026-11-01", closed=True)
    assert check(folder, NINE, as_json=True).json()["plans"] == []
    assert [plan["plan"] for plan in check(folder, NINE, plans=["mau"], as_json=True).json()["plans"]] == ["mau"]
    assert [plan["plan"] for plan in check(folder, "2026-10-01", as_json=True).json()["plans"]] == ["mau"]


def test_motto_shows_the_units_alone(site: FeedSite, place: Place):
    folder = collected(add_plan(place(site.address), DAILY, TASK))
    said = check(folder, NINE, motto=True)
    assert said.code == 0
    assert "Kế hoạch" not in said.out
    assert "1/1 đơn vị thực hiện đủ đến nay" in said.out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"plans": ["khac"]}, "Không có kế hoạch «khac» trong dòng plans của district.toml. Đang có: mau."),
        ({"explain": "CT9"}, "Không có dòng «CT9» trong các kế hoạch đang xem. Các dòng: CT2a."),
        ({"explain": "CT2a", "subject": "khac"}, "Dòng «CT2a» không tính «khac». Các đối tượng: don-vi-0."),
    ],
)
def test_what_is_not_there_is_told_with_what_is(words: dict[str, object], sentence: str, site: FeedSite, place: Place):
    folder = collected(add_plan(place(site.address), DAILY))
    with pytest.raises(UserError, match=re.escape(sentence)):
        check(folder, NINE, **words)


def test_a_plan_that_has_not_begun_cannot_be_judged(site: FeedSite, place: Place):
    folder = add_plan(place(site.address), DAILY)
    with pytest.raises(UserError, match="có hiệu lực từ 01/01/2026") as refused:
        check(folder, "2025-12-01", plans=["mau"])
    assert refused.value.exit_code == 2


# --- for programs -----------------------------------------------------------------------------------------------


def test_the_json_says_every_figure_beside_its_sentence(site: FeedSite, place: Place):
    folder = collected(add_plan(place(site.address), DAILY))
    facts = targets(check(folder, NINE, as_json=True))["CT2a"]
    assert facts["clause"] == "II.2"
    assert (facts["low"], facts["high"], facts["goal"], facts["expected"], facts["coverage"]) == (1, 1, 1, 1, 1)
    assert facts["needed_per_week"] is None
    assert (facts["period_start"], facts["period_end"]) == ("2026-11-16", "2026-11-23")
    assert [(one["subject"], one["status"]) for one in facts["subjects"]] == [("don-vi-0", "on_pace")]


def test_the_csv_has_one_row_for_every_line_and_subject(site: FeedSite, place: Place):
    folder = collected(add_plan(place(site.address), DAILY, TASK))
    rows = list(csv.DictReader(io.StringIO(check(folder, NINE, as_csv=True).out)))
    assert tuple(rows[0]) == COLUMNS
    assert [(row["row"], row["subject"], row["status"]) for row in rows] == [
        ("CT2a", "", "on_pace"),
        ("CT2a", "don-vi-0", "on_pace"),
        ("NV1", "2026-06-30", "overdue"),
        ("NV2", "", "standing"),
    ]
    assert rows[0]["needed_per_week"] == ""


# --- again ------------------------------------------------------------------------------------------------------


def test_a_replay_says_the_same_and_stores_nothing_new(site: FeedSite, place: Place):
    folder = collected(add_plan(place(site.address), DAILY, ALIVE, MEETING, TASK))
    first, kept = check(folder, NINE, as_json=True), kept_rows(folder)
    site.publish(("Tin tốt sau này", FRIDAY + timedelta(hours=5)))
    collected(folder, "2026-11-20T18:30")
    assert check(folder, NINE, as_json=True) == first
    assert kept_rows(folder) == kept
    assert len(kept) == 8  # three targets and their one unit, the dated and the standing task


def test_a_word_given_later_for_then_makes_a_new_version_beside_the_old_one(site: FeedSite, place: Place):
    folder = collected(add_plan(place(site.address), DAILY))
    assert check(folder, NINE).code == 0
    kept = kept_rows(folder)
    with open_store(f"sqlite:///{folder / 'nhip.sqlite3'}") as store:
        posts = store.posts(FRIDAY - timedelta(days=3), FRIDAY)
        given = FRIDAY - timedelta(minutes=1)
        store.confirm_label(
            PostLabel(int(posts["id"][0]), "tin-tot", Evidence.PERSON, "Ban Tuyên giáo (mẫu)", given, upheld=False)
        )
    said = check(folder, NINE)
    assert said.code == 1
    assert "đánh giá lại lần 2: số liệu đầu vào đã thay đổi" in said.out
    assert [row for row in kept_rows(folder) if row[6] == 1] == kept


# --- the arithmetic of a year, in the simulated district ----------------------------------------------------------


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "quan"
    assert nhip("demo", "--days", 40, "--units", 6, "--keep", folder, "--no-serve").code == 0
    return folder


@pytest.fixture(scope="module")
def moment() -> str:
    return (datetime.now(UTC) - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S+00:00")


def test_all_six_targets_and_every_dated_duty_are_answered_in_the_order_of_the_plan(demo: Path, moment: str):
    plans = {plan["plan"]: plan for plan in check(demo, moment, as_json=True).json()["plans"]}
    for slug in ("binh-tan-2024", "doan-phuong-2026"):
        rows = [one["row"] for one in plans[slug]["targets"] if one["row"].startswith("CT")]
        assert {row[:3] for row in rows} == {"CT1", "CT2", "CT3", "CT4", "CT5", "CT6"}
        assert all(one["clause"] and one["sentence"].endswith(".") for one in plans[slug]["targets"])
    clauses = [one["clause"] for one in plans["doan-phuong-2026"]["targets"]]
    assert clauses == sorted(clauses)
    assert {one["row"] for one in plans["ubnd-ha-tinh-2017"]["duties"]} >= {"HT6", "HT8", "HT12"}
    assert {one["row"] for one in plans["tinh-doan-chi-thi-07"]["duties"]} == {"TD1", "TD3b", "TD4d"}
    assert [one["row"] for one in plans["dang-uy-khoi-phu-tho-2022"]["duties"]] == ["DU1", "DU2", "DU3", "DU4"]
    assert plans["mttq-ninh-binh-2017"]["standing"] == 5


def test_what_was_done_long_ago_is_told_in_one_line_with_its_clause(demo: Path, moment: str):
    said = check(demo, moment).out
    assert "Đã xong từ lâu: mục II.6, HT6 (hạn 30/06/2017, đúng hạn); mục II.8, HT8 (hạn 31/07/2017, đúng hạn)." in said
    assert said.count("HT6") == 1


def test_the_explanation_of_a_duty_names_who_ticked_it_off_and_why(demo: Path, moment: str):
    said = check(demo, moment, explain="HT6").out
    assert said.startswith("HT6 · mục II.6 · ")
    assert "Lời văn bản: ứng dụng các phần mềm" in said
    assert re.search(r"Xong ngày \d\d/06/2017: Văn phòng Quận Đoàn \(mẫu\) ghi nhận lúc .*; căn cứ: Dữ liệu", said)


@pytest.mark.parametrize("row", ["CT4.1", "CT4.2", "CT4.3"])
def test_a_person_can_redo_the_growth_from_what_is_printed(row: str, demo: Path, moment: str):
    said = check(demo, moment, explain=row, plans=["doan-phuong-2026"])
    base, now = (bounds(said.out, role) for role in ("số gốc", "số nay"))
    low, high = (now[0] - base[1]) / base[1], (now[1] - base[0]) / base[0]
    assert percent_after("Mức tăng thấp nhất", said.out) == pytest.approx(100 * low, abs=1e-4)
    assert percent_after("Mức tăng cao nhất", said.out) == pytest.approx(100 * high, abs=1e-4)
    goal, passed, whole, line = found(r"= ([\d,]+) % × (\d+)/(\d+) ngày = ([\d,]+) %", said.out)
    assert plain(line) == pytest.approx(plain(goal) * int(passed) / int(whole), abs=1e-4)
    assert "chưa chốt cách tính" in said.out
    assert "Quy tắc: " in said.out


def bounds(text: str, role: str) -> tuple[int, int]:
    """Between which counts an input really lies, from its printed line."""
    (line,) = (line for line in text.splitlines() if line.strip().startswith(f"{role}:"))
    assert "nguồn " in line
    assert ", lúc " in line
    exact = re.sub(r" = ([\d.]+) \(chính xác\)", r" thật từ \1 đến \1)", line)
    low, high = found(r"thật từ ([\d.]+) đến ([\d.]+)\)", exact)
    return int(low.replace(".", "")), int(high.replace(".", ""))


def found(pattern: str, text: str) -> tuple[str, ...]:
    match = re.search(pattern, text)
    assert match, pattern
    return match.groups()


def percent_after(words: str, text: str) -> float:
    return plain(*found(rf"{words} = .* = (-?[\d,]+) %", text))


def plain(number: str) -> float:
    return float(number.replace(",", "."))
