"""`nhip import` as a person has it: shown first, recorded on request, and never twice."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from collectors.exports import ExportError
from collectors.exports.delimited import read_delimited
from pipeline.apart import run_apart
from pipeline.clock import frozen_at
from pipeline.commands import import_
from pipeline.outliers import is_far
from pipeline.problems import UserError
from store.records import Failure, FailureKind, Reading, Snapshot, Source, Verdict
from store.verbs import open_store
from tests.conftest import need
from tests.export_builders import archive, sample, sheet, workbook
from tests.small_district import write_config
from tests.store_builders import FRIDAY, a_result, days, dump, look, take
from tests.test_exports_formats import CONTENT, META, PHOTO, REEL, TEMPLATE, VIDEO

CHANNEL = (
    '\n[channels.{platform}]\nplatform = "{platform}"\nname = "Kênh {platform} (mẫu)"\naddress = "{address}"\n'
    'owners = [{{ unit = "don-vi-0", start = 2025-07-01 }}]\n'
)
ADDRESSES = {
    "facebook": "https://www.facebook.com/104729385617204",
    "tiktok": "https://www.tiktok.com/@tuoitrebinhtan.mau",
    "youtube": "https://www.youtube.com/@kenhmau",
}


@pytest.fixture
def folder(tmp_path: Path, store_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A district with one channel per platform, on SQLite and on PostgreSQL."""
    monkeypatch.setenv("NHIP_DATABASE", store_url)
    folder = write_config(tmp_path / "quan", ["http://127.0.0.1:9/feed.xml"])
    with (folder / "channels.toml").open("a", encoding="utf-8") as file:
        file.writelines(CHANNEL.format(platform=name, address=address) for name, address in ADDRESSES.items())
        file.write(CHANNEL.format(platform="zalo", address="") + "sample = true\n")
    return folder


@pytest.fixture
def give(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Import bytes for a channel; gives the exit code and what was said."""

    def import_bytes(data: bytes, channel: str, exported: str | None = "2026-11-20", **more: bool) -> tuple[int, str]:
        file = tmp_path / "tep-xuat"
        file.write_bytes(data)
        asked = {"yes": False, "as_json": False} | more
        code = import_.run(folder, file, channel, exported=exported, clock=CLOCK, **asked)
        return code, capsys.readouterr().out

    return import_bytes


def stored(store_url: str, *leave_out: str):
    with open_store(store_url) as store:
        return dump(store, *leave_out)


CLOCK = frozen_at(FRIDAY + days(7))
HISTORY_FILE = sample("tiktok/studio/FollowerHistory.csv")


def test_without_yes_nothing_is_changed(give, store_url: str):
    give(sheet(TEMPLATE), "youtube")  # makes the channels known
    before = stored(store_url)
    code, said = give(HISTORY_FILE, "tiktok")
    assert code == 0
    assert "xem trước, chưa ghi gì" in said
    assert "12.790 người theo dõi" in said
    assert stored(store_url) == before


def test_with_yes_the_rows_are_recorded_as_a_look_that_proves_nothing(give, store_url: str):
    code, said = give(HISTORY_FILE, "tiktok", yes=True)
    assert (code, "Đã ghi 4 dòng mới" in said) == (0, True)
    with open_store(store_url) as store:
        look = store.last_looks().set_index("channel").loc["tiktok"]
        series = store.series(FRIDAY - days(30), FRIDAY, ["tiktok"])
    assert (look["state"], look["snapshots"], bool(look["complete"])) == ("done", 4, True)
    assert series["followers"].tolist() == [12790, 12812, 12805, 12814]
    assert set(series["source"]) == {"tiktok_studio"}


@pytest.mark.parametrize(
    ("channel", "data"),
    [
        ("tiktok", HISTORY_FILE),
        ("tiktok", archive({"a.csv": HISTORY_FILE, "b.csv": sheet(CONTENT, VIDEO)})),
        ("facebook", sheet(META, PHOTO, REEL)),
        ("youtube", workbook(TEMPLATE, ("2026-11-01", 5, "", 3, "", "YouTube Studio"))),
    ],
)
def test_the_same_file_twice_changes_nothing(give, store_url: str, channel: str, data: bytes):
    give(data, channel, yes=True)
    before = stored(store_url)
    code, said = give(data, channel, yes=True)
    assert (code, "Tệp này đã nhập lúc 13:00 27/11/2026; không có gì thay đổi." in said) == (0, True)
    assert stored(store_url) == before


def test_a_file_of_known_days_in_another_form_adds_nothing(give, store_url: str):
    give(HISTORY_FILE, "tiktok", yes=True)
    before = stored(store_url)
    code, said = give(archive({"FollowerHistory.csv": HISTORY_FILE}), "tiktok", yes=True)
    assert (code, "không có gì thay đổi" in said) == (0, True)
    assert stored(store_url) == before


def test_a_later_export_adds_its_new_days_and_newer_counts(give, store_url: str):
    give(archive({"a.csv": HISTORY_FILE, "b.csv": sheet(CONTENT, VIDEO)}), "tiktok", yes=True)
    more = HISTORY_FILE + b'"November 19","12820","0"\n'
    busier = sheet(CONTENT, (*VIDEO[:4], "900", *VIDEO[5:]))
    _, said = give(archive({"a.csv": more, "b.csv": busier}), "tiktok", exported="2026-11-21", yes=True)
    assert "Đã ghi 1 dòng mới; 5 dòng đã có" in said
    counts = stored(store_url)["post_count"]
    assert sorted(row[2] for row in counts) == [812, 900]


def test_an_older_file_gives_posts_no_older_counts(give, store_url: str):
    give(sheet(CONTENT, VIDEO), "tiktok", exported="2026-11-21", yes=True)
    before = stored(store_url, "look", "channel")
    _, said = give(sheet(CONTENT, (*VIDEO[:4], "700", *VIDEO[5:])), "tiktok", exported="2026-11-20", yes=True)
    assert "được giữ nguyên" in said
    assert stored(store_url, "look", "channel") == before


def test_a_stored_number_is_not_overwritten_by_another(give, store_url: str):
    give(HISTORY_FILE, "tiktok", yes=True)
    before = stored(store_url, "look")
    _, said = give(HISTORY_FILE.replace(b"12790", b"12791"), "tiktok", yes=True)
    assert "khác số đã lưu, giữ số cũ" in said
    assert stored(store_url, "look") == before


def test_an_import_leaves_the_cursor_of_its_channel_alone(give, store_url: str):
    give(HISTORY_FILE, "tiktok")
    with open_store(store_url) as store:
        store.database.write(
            lambda c: c.exec_driver_sql("UPDATE channel SET cursor = '{\"x\":1}' WHERE slug = 'tiktok'")
        )
    give(HISTORY_FILE, "tiktok", yes=True)
    (row,) = [row for row in stored(store_url)["channel"] if "tiktok" in row]
    assert row[-1] == '{"x":1}'


def test_several_files_of_one_channel_may_follow_each_other_at_once(give, store_url: str):
    for day in range(10, 14):
        give(sheet(TEMPLATE, (f"2026-11-{day}", day, "", "", "", "")), "facebook", yes=True)
    assert len(stored(store_url)["snapshot"]) == 4


def test_a_source_that_asked_to_be_left_alone_does_not_keep_a_file_waiting(give, store_url: str):
    give(HISTORY_FILE, "tiktok")
    wait = Failure(FailureKind.QUOTA, "Hạn mức đã hết.", retry_at=FRIDAY + days(8))
    with open_store(store_url) as store:
        look(store, "tiktok", wait, FRIDAY + days(6))
    _, said = give(HISTORY_FILE, "tiktok", yes=True)
    assert "Đã ghi 4 dòng mới" in said
    with open_store(store_url) as store:
        assert take(store, "tiktok", at=FRIDAY + days(7)) == [], "a look still has to wait"


def test_the_channel_may_be_held_by_another_process(give, store_url: str):
    give(HISTORY_FILE, "tiktok")
    with open_store(store_url) as store:
        (held,) = take(store, "tiktok", at=FRIDAY + days(7), owner="another")
        _, said = give(HISTORY_FILE, "tiktok", yes=True)
        assert "Đã ghi 4 dòng mới" in said
        assert store.record([a_result(held, Reading())]) == []


@pytest.mark.parametrize("name", ["số liệu tháng 11.csv", "a 'b' \"c\".csv", "-x.csv"])
def test_a_file_may_be_called_anything(folder: Path, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / name
    file.write_bytes(HISTORY_FILE)
    assert import_.run(folder, file, "tiktok", exported="2026-11-20", yes=True, as_json=False, clock=CLOCK) == 0
    assert "Đã ghi 4 dòng mới" in capsys.readouterr().out


def test_nothing_of_the_file_but_its_rows_is_kept(give, store_url: str):
    rows = [("2026-11-18", 5, "", "", "", "bà Nguyễn Thị Mẫu báo"), ("2026-11-17", 5, "", "", "", "trang")]
    give(
        workbook((*TEMPLATE, "Ghi chú riêng"), *((*row, "chuyện riêng") for row in rows), title="Của ông Mẫu"),
        "facebook",
        yes=True,
    )
    kept = str(stored(store_url))
    assert not [word for word in ("Nguyễn", "riêng", "ông", "tep-xuat") if word in kept]


def test_the_answer_for_programs_holds_every_row(give):
    code, said = give(HISTORY_FILE, "tiktok", as_json=True)
    answer = json.loads(said)
    assert (code, answer["new"], answer["recorded"], len(answer["rows"])) == (0, 4, False, 4)
    assert answer["skipped"] == [{"row": 2, "place": "", "reason": "TikTok chưa có số của ngày này"}]


def test_a_file_without_one_usable_row_ends_with_1(give):
    code, said = give(sheet(TEMPLATE, ("2026-11-18", "abc", "", "", "", "")), "facebook", yes=True)
    assert (code, "không có gì thay đổi" in said) == (1, True)


def test_a_long_file_shows_its_first_and_last_rows(give):
    _, said = give(sheet(TEMPLATE, *((f"2026-10-{day:02}", day, "", "", "", "") for day in range(1, 31))), "facebook")
    assert "30 dòng nhập được" in said
    assert "01/10/2026" in said
    assert "30/10/2026" in said
    assert "15/10/2026" not in said


@pytest.mark.parametrize(
    ("channel", "exported", "said"),
    [
        ("khong-co", None, "Các kênh đang có"),
        ("zalo", None, "kênh mẫu"),
        ("tiktok", "20/11/2026", "--exported"),
        ("tiktok", "2999-01-01", "chưa tới"),
        ("youtube", None, "TikTok Studio"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_sentence(give, channel: str, exported: str | None, said: str):
    with pytest.raises(UserError, match=said):
        give(HISTORY_FILE, channel, exported=exported)


def test_a_missing_file_or_a_folder_is_told(folder: Path):
    for file in (folder, folder / "khong-co.csv"):
        with pytest.raises(UserError, match="Không tìm thấy tệp"):
            import_.run(folder, file, "tiktok", exported=None, yes=False, as_json=False)


def seen(store_url: str, channel: str, source: Source, *counts: tuple[int, int | None]) -> None:
    """Looks that read these followers so many days after FRIDAY."""
    with open_store(store_url) as store:
        for day, followers in counts:
            reading = Reading((Snapshot(FRIDAY + days(day), source, followers),))
            look(store, channel, reading, FRIDAY + days(day))


def test_a_file_of_another_account_is_shown_with_both_numbers_and_held_until_somebody_confirms(give, store_url: str):
    give(HISTORY_FILE, "tiktok")
    seen(store_url, "tiktok", Source.TIKTOK_DISPLAY, (0, 15_530))
    code, said = give(HISTORY_FILE, "tiktok")
    assert (code, "Dòng 3: 12.790 người theo dõi ngày 15/11/2026, hệ thống đọc được 15.530 ngày" in said) == (0, True)
    code, said = give(HISTORY_FILE, "tiktok", yes=True)
    assert (code, "Chưa ghi gì vì có số lệch xa" in said, "--confirm" in said) == (1, True, True)
    assert len(stored(store_url)["snapshot"]) == 1
    code, said = give(HISTORY_FILE, "tiktok", yes=True, confirm=True)
    assert (code, "Đã ghi 4 dòng mới" in said) == (0, True)


def test_a_digit_too_many_in_the_template_is_held(give, store_url: str):
    give(sheet(TEMPLATE), "facebook")
    seen(store_url, "facebook", Source.FACEBOOK_PAGE, (-2, 6_189))
    rows = [("2026-11-17", 6_180, "", "", "", "trang"), ("2026-11-18", "620.000", "", "", "", "trang")]
    code, said = give(sheet(TEMPLATE, *rows), "facebook", yes=True, as_json=True)
    answer = json.loads(said)
    assert (code, answer["recorded"]) == (1, False)
    assert [(one["row"], one["count"], one["trusted"]) for one in answer["outliers"]] == [(3, 620_000, 6_189)]


def test_numbers_in_line_with_what_is_stored_need_no_word(give, store_url: str):
    give(HISTORY_FILE, "tiktok")
    seen(store_url, "tiktok", Source.TIKTOK_DISPLAY, (-1, 12_900), (0, 0))
    code, said = give(HISTORY_FILE, "tiktok", yes=True)
    assert (code, "Đã ghi 4 dòng mới" in said, "lệch xa" in said) == (0, True, False), "a doubted zero is no measure"


@pytest.mark.parametrize(
    ("count", "trusted", "apart", "far"),
    [
        (12_790, 15_530, 7, True),
        (15_530, 12_790, 7, True),
        (12_790, 13_000, 7, False),
        (12_790, 15_530, 8, False),
        (7_000, 15_530, 8, True),
        (80_000, 15_530, 8, True),
        (0, 15_530, 300, True),
        (5, 0, 1, False),
        (130, 200, 1, False),
    ],
)
def test_the_further_apart_in_time_the_more_two_counts_may_differ(count: int, trusted: int, apart: int, far: bool):
    assert is_far(count, trusted, days(apart)) is far


def reject(store_url: str, channel: str) -> None:
    with open_store(store_url) as store:
        (row,) = store.open_suspects().to_dict("records")
        moment, source = row["observed_at"].to_pydatetime(), Source[row["source"].upper()]
        store.add_verdict(Verdict(channel, moment, source, False, "Ban Tuyên giáo (mẫu)", "gõ nhầm", FRIDAY + days(1)))


def test_a_rejected_slip_can_be_corrected_by_a_new_file(give, store_url: str):
    good, slip = ("2026-11-17", 6_180, "", "", "", "trang"), ("2026-11-18", 62_000, "", "", "", "trang")
    give(sheet(TEMPLATE, good, slip), "facebook", yes=True, confirm=True)
    reject(store_url, "facebook")
    assert "đã bị bác" in give(sheet(TEMPLATE, slip), "facebook", yes=True)[1], "the same number stays rejected"
    right = sheet(TEMPLATE, ("2026-11-18", 6_200, "", "", "", "trang"))
    _, said = give(right, "facebook")
    assert "mới, thay số đã bị bác" in said
    assert "18/11/2026" in said
    assert give(right, "facebook", yes=True)[0] == 0
    with open_store(store_url) as store:
        value = store.value_at([FRIDAY], ["facebook"]).iloc[0]
    assert (value["followers"], value["observed_at"].second) == (6_200, 59)
    before = stored(store_url, "look")
    assert "đã có" in give(right + b"\r\n", "facebook", yes=True)[1]
    assert stored(store_url, "look") == before


def test_a_zero_in_the_file_is_asked_about(give):
    _, said = give(sheet(TEMPLATE, ("2026-11-18", 0, "", "", "", "trang")), "facebook")
    assert "Dòng 2 ghi 0 người theo dõi. Nếu là chưa có số, đề nghị để trống ô ấy, không ghi 0." in said


@pytest.mark.parametrize("name", ["mau.xlsx", "mau", "mau.csv.zip"])
def test_the_template_is_a_csv_and_says_so(tmp_path: Path, name: str):
    with pytest.raises(UserError, match=r"đuôi \.csv"):
        import_.template(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_the_template_is_written_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "mau.csv"
    assert import_.template(file) == 0
    assert file.read_bytes().startswith(b"\xef\xbb\xbfNg")
    assert "không ghi 0" in capsys.readouterr().out
    with pytest.raises(UserError, match="không ghi đè"):
        import_.template(file)


# --- apart --------------------------------------------------------------------------------------------------------


def hold(megabytes: int) -> int:
    return len(bytearray(megabytes * 2**20))


def end_badly() -> None:
    os.kill(os.getpid(), 9)


def test_work_apart_gives_its_answer_or_its_error():
    assert run_apart(max, 1, 2) == 2
    with pytest.raises(ExportError, match=r"Dòng 3: .*") as caught:
        run_apart(read_delimited, b'a,b\n1,2\n"x')
    assert caught.value.row == 3


def test_work_that_takes_too_long_is_stopped():
    started = time.monotonic()
    with pytest.raises(UserError, match="quá 1 giây"):
        run_apart(time.sleep, 60, seconds=1)
    assert time.monotonic() - started < 5


def test_work_that_takes_too_much_memory_is_stopped():
    need(os.name != "nt", "no memory limits on Windows")
    assert run_apart(hold, 50) == 50 * 2**20
    with pytest.raises(UserError, match="bộ nhớ"):
        run_apart(hold, 2000)


def test_work_that_dies_is_told():
    with pytest.raises(UserError, match="dừng giữa chừng"):
        run_apart(end_badly)
