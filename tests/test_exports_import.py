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
from pipeline.problems import UserError
from store.verbs import open_store
from tests.conftest import need
from tests.export_builders import archive, sample, sheet, workbook
from tests.small_district import write_config
from tests.store_builders import FRIDAY, days, dump
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
    assert (code, "đã nhập trước đây" in said) == (0, True)
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
