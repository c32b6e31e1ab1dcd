"""Every error a person can cause ends in one Vietnamese sentence and an exit code that says what kind it was."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.command_line import Said, nhip, run_nhip, start_nhip
from tests.conftest import need
from tests.small_district import FRIDAY, FeedSite, feed_site, feeds_on_loopback, write_config

USAGE, STORAGE, CONFIG, INTERRUPTED = 64, 74, 78, 130
NINE = "2026-11-20T09:00"
ENGLISH = re.compile(
    r"\b(error|errno|no such|file|directory|folder|invalid|failed|failure|permission|denied|missing|unexpected|not|"
    r"found|option|argument|command|usage|try|database|disk|unable|cannot|could|connection|refused|line|column|key|warning)\b",
    re.IGNORECASE,
)
QUOTED = re.compile(r"«[^»]*»|--?[a-z]+|\S*/\S*")
"""What a person wrote or has to write, and places: those may be English."""

Args = list[object]
Prepare = Callable[[Path], object]


def assert_told(said: Said, code: int, *words: str, lines: int = 1) -> None:
    """`lines` sentences on stderr, in Vietnamese, that end with a full stop; and nothing on stdout."""
    assert (said.code, said.out) == (code, ""), said
    told = said.err.splitlines()
    assert len(told) == lines, said.err
    for line in told:
        assert line.endswith("."), line
        assert not ENGLISH.search(QUOTED.sub("", line)), line
    for word in words:
        assert word in said.err


@pytest.fixture
def district(tmp_path: Path, created_file: Path) -> Path:
    """A sound configuration with a fresh database; nobody listens at its address."""
    folder = write_config(tmp_path / "district", ["http://127.0.0.1:9/feed.xml"])
    shutil.copy(created_file, folder / "nhip.sqlite3")
    return folder


# --- what a person types ----------------------------------------------------------------------------------------

TYPED: dict[str, tuple[Args, str]] = {
    "a week that is no week": (["check", "--week", "tuần này"], "Không hiểu kỳ «tuần này»"),
    "a week that the calendar does not have": (["check", "--week", "2025-W53"], "Lịch không có kỳ «2025-W53»"),
    "a moment that is no moment": (["check", "--at", "sáng nay"], "Không hiểu thời điểm «sáng nay»"),
    "a day that does not exist": (["collect", "--at", "2026-02-30"], "Không hiểu thời điểm «2026-02-30»"),
    "a moment beyond all calendars": (["check", "--at", "9999-12-31"], "Không hiểu thời điểm «9999-12-31»"),
    "a moment before all calendars": (["check", "--at", "0001-01-01"], "Không hiểu thời điểm «0001-01-01»"),
    "a judgement ahead of its time": (["check", "--at", "2199-01-01"], "Chưa đến thời điểm ghi ở --at"),
    "a look ahead of its time": (["collect", "--at", "2199-01-01"], "Chưa đến thời điểm ghi ở --at"),
    "a word of nobody": (["confirm", "https://x.example/", "tin-tot", "--by", " "], "Chưa ghi bộ phận xác nhận"),
    "an unknown channel": (["collect", "--channel", "trang-9"], "Không có kênh «trang-9»"),
    "an unknown label": (["confirm", "https://x.example/", "tin-xau", "--by", "Ban"], "Không có nhãn «tin-xau»"),
    "an unknown link": (["confirm", "https://x.example/", "tin-tot", "--by", "Ban"], "Chưa có bài nào"),
    "an unknown command": (["chek"], "Câu lệnh chưa đúng. Kiểm tra «chek»."),
    "an unknown option": (["check", "--wek", "2026-W47"], "Câu lệnh chưa đúng. Kiểm tra «--wek»."),
    "an unknown option before the command": (["--verbose", "check"], "Câu lệnh chưa đúng. Kiểm tra «--verbose»."),
    "an option without its value": (["check", "--week"], "Câu lệnh chưa đúng. Kiểm tra «--week»."),
    "a missing argument": (["confirm", "https://x.example/"], "Câu lệnh chưa đúng."),
    "a missing option": (["confirm", "https://x.example/", "tin-tot"], "Câu lệnh chưa đúng. Thiếu «--by»."),
    "one word too many": (["check", "2026-W47"], "Câu lệnh chưa đúng."),
    "init without a folder": (["init"], "Câu lệnh chưa đúng."),
}


@pytest.mark.parametrize("name", TYPED)
def test_wrong_usage_is_told(name: str, district: Path):
    words, sentence = TYPED[name]
    assert_told(nhip("--config", district, *words), USAGE, sentence)


def test_config_without_its_value_is_told():
    assert_told(nhip("--config"), USAGE, "«--config»")


# --- the configuration ------------------------------------------------------------------------------------------


def replaced(name: str, old: str, new: str) -> Prepare:
    def prepare(folder: Path) -> None:
        text = (folder / name).read_text("utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1), "utf-8")

    return prepare


def written(name: str, content: bytes) -> Prepare:
    def prepare(folder: Path) -> None:
        (folder / name).write_bytes(content)

    return prepare


def without(name: str) -> Prepare:
    def prepare(folder: Path) -> None:
        (folder / name).unlink()

    return prepare


def emptied(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


CONFIGURED: dict[str, tuple[Prepare, tuple[str, ...], int]] = {
    "no closing quote": (replaced("district.toml", 'thử nghiệm"', "thử nghiệm"), ("district.toml", "dòng 3"), 1),
    "an unknown key": (replaced("district.toml", "gap_seconds", "gap_second"), ("gap_second", "gap_seconds"), 1),
    "a wrong type": (replaced("district.toml", "deadline_seconds = 5", 'deadline_seconds = "5"'), ("số",), 1),
    "an unknown unit": (replaced("channels.toml", "don-vi-0", "don-vi-7"), ("channels.toml", "don-vi-7"), 1),
    "an unknown kind": (replaced("units.toml", '"phuong"', '"xa"'), ("units.toml", "xa"), 1),
    "an address that is none": (replaced("channels.toml", 'address = "http:', 'address = "htp:'), ("địa chỉ",), 1),
    "not UTF-8": (written("units.toml", "[units.a]\nname = 'Đoàn'".encode("utf-16")), ("units.toml", "UTF-8"), 1),
    "an empty file": (written("units.toml", b""), ("units.toml", "tệp chưa khai báo gì"), 1),
    "a missing file": (without("channels.toml"), ("không có tệp này",), 1),
    "no files at all": (emptied, ("nhip init",), 3),
    "no folder": (shutil.rmtree, ("không có thư mục cấu hình này",), 1),
}


@pytest.mark.parametrize("name", CONFIGURED)
def test_a_bad_configuration_is_told(name: str, district: Path):
    prepare, words, lines = CONFIGURED[name]
    prepare(district)
    assert_told(nhip("--config", district, "check"), CONFIG, *words, lines=lines)


def test_all_problems_of_all_files_are_told_at_once(district: Path):
    replaced("district.toml", "gap_seconds", "gap_second")(district)
    replaced("units.toml", '"phuong"', '"xa"')(district)
    replaced("channels.toml", "don-vi-0", "don-vi-7")(district)
    assert_told(nhip("--config", district, "doctor"), CONFIG, "gap_second", "«xa»", "don-vi-7", lines=3)


def test_a_file_instead_of_the_folder_is_told(district: Path):
    assert_told(nhip("--config", district / "units.toml", "check"), CONFIG, "đây không phải là thư mục")


def test_windows_line_ends_and_a_byte_order_mark_are_no_error(district: Path):
    for path in district.glob("*.toml"):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert nhip("--config", district, "check", "--at", NINE).code == 2


# --- the database -----------------------------------------------------------------------------------------------


def foreign(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE khach_hang (ten)")
        connection.commit()


def newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()


def damaged(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[:8192] + b"\xff" * (len(whole) - 8192))


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:20_000])


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (Path.unlink, "Chưa có cơ sở dữ liệu"),
    "empty": (lambda path: path.write_bytes(b""), "Chưa có cơ sở dữ liệu"),
    "no database at all": (lambda path: path.write_text("xin chào" * 100, "utf-8"), "không phải của Nhịp Đoàn"),
    "of another program": (foreign, "không phải của Nhịp Đoàn"),
    "of a newer version": (newer, "bản mới hơn"),
    "damaged": (damaged, "bị hỏng"),
    "cut off": (cut_off, "bị hỏng"),
}


@pytest.mark.parametrize("words", [("check",), ("collect",), ("doctor",), ("run",)], ids=" ".join)
@pytest.mark.parametrize("name", BROKEN)
def test_a_bad_database_is_told_and_left_as_it_is(name: str, words: Sequence[str], district: Path):
    breaks, sentence = BROKEN[name]
    path = district / "nhip.sqlite3"
    breaks(path)
    before = path.read_bytes() if path.exists() else None
    assert_told(nhip("--config", district, *words), STORAGE, sentence, str(path))
    assert (path.read_bytes() if path.exists() else None) == before


@pytest.mark.parametrize("name", ["no database at all", "of another program", "of a newer version", "damaged"])
def test_init_never_replaces_what_is_there(name: str, district: Path):
    path = district / "nhip.sqlite3"
    BROKEN[name][0](path)
    before = path.read_bytes()
    said = nhip("init", district)
    assert (said.code, len(said.err.splitlines())) == (STORAGE, 1)
    assert BROKEN[name][1] in said.err
    assert path.read_bytes() == before


ADDRESSES: dict[str, tuple[str, str]] = {
    "another kind of database": (
        "mysql://u:hunter2@db.example/nhip",
        "Địa chỉ cơ sở dữ liệu (db.example/nhip) không dùng được",
    ),
    "no address": ("nhip.sqlite3", "Địa chỉ cơ sở dữ liệu (biến NHIP_DATABASE) không dùng được"),
    "a port of letters": ("postgresql://u:hunter2@db.example:abc/nhip", "Địa chỉ cơ sở dữ liệu"),
    "nobody listens": ("postgresql://u:hunter2@127.0.0.1:9/nhip", "Không kết nối được cơ sở dữ liệu ở 127.0.0.1/nhip"),
    "unknown machine": ("postgresql://u:hunter2@nowhere.invalid/nhip", "Không kết nối được"),
}


@pytest.mark.parametrize("words", [("check",), ("init",)], ids=" ".join)
@pytest.mark.parametrize("name", ADDRESSES)
def test_a_wrong_database_address_is_told_without_its_password(
    name: str, words: Sequence[str], district: Path, monkeypatch: pytest.MonkeyPatch
):
    address, sentence = ADDRESSES[name]
    monkeypatch.setenv("NHIP_DATABASE", address)
    said = nhip("--config", district, *words, *([district] if words == ("init",) else []))
    assert (said.code, len(said.err.splitlines())) == (STORAGE, 1)
    assert sentence in said.err
    assert "hunter2" not in said.err + said.out
    assert "hunter2" not in nhip("--debug", "--config", district, "check").err


def test_a_secret_file_that_others_can_read_is_refused(district: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    secret = tmp_path / "database.txt"
    secret.write_text(f"sqlite:///{district / 'nhip.sqlite3'}\n")
    monkeypatch.setenv("NHIP_DATABASE_FILE", str(secret))
    secret.chmod(0o644)
    said = nhip("--config", district, "check")
    assert_told(said, CONFIG, "Người khác có thể đọc tệp bí mật", f"Đề nghị chạy «chmod 600 {secret}».")
    secret.chmod(0o600)
    assert nhip("--config", district, "check", "--at", NINE).code == 2


def test_a_secret_file_that_is_not_there_is_told(district: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NHIP_DATABASE_FILE", str(district / "khong-co"))
    assert_told(nhip("--config", district, "check"), CONFIG, "Không đọc được tệp bí mật")


# --- rights and room --------------------------------------------------------------------------------------------


def without_rights() -> list[str]:
    """What makes a child obey file modes although the tests run as root."""
    if os.geteuid() != 0:
        return []
    need(shutil.which("setpriv"), "as root these tests need setpriv: apt-get install util-linux")
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]


@contextmanager
def mode(path: Path, bits: int) -> Iterator[None]:
    before = path.stat().st_mode
    path.chmod(bits)
    try:
        yield
    finally:
        path.chmod(before)


FORBIDDEN: dict[str, tuple[str, int, Args, int, str]] = {
    "a folder that may not be written": ("", 0o555, ["collect"], STORAGE, "quyền ghi"),
    "a database that may not be written": ("nhip.sqlite3", 0o444, ["collect"], STORAGE, "quyền ghi"),
    "a database that may not be read": ("nhip.sqlite3", 0o000, ["check"], STORAGE, "quyền"),
    "a folder that may not be entered": ("", 0o000, ["check"], CONFIG, "không có quyền đọc tệp"),
    "a file that may not be read": ("units.toml", 0o000, ["check"], CONFIG, "không có quyền đọc tệp"),
}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_missing_rights_are_told(name: str, district: Path):
    file, bits, words, code, sentence = FORBIDDEN[name]
    with mode(district / file, bits):
        said = run_nhip("--config", district, *words, before=without_rights())
    assert_told(said, code, sentence, lines=3 if bits == 0 and not file else 1)


def test_init_in_a_folder_that_may_not_be_written_is_told(tmp_path: Path):
    closed = tmp_path / "closed"
    closed.mkdir()
    with mode(closed, 0o555):
        assert_told(run_nhip("init", closed / "new", before=without_rights()), CONFIG, str(closed), "quyền ghi")
        assert_told(run_nhip("init", closed, before=without_rights()), CONFIG, "quyền ghi")
    assert list(closed.iterdir()) == []


def test_init_over_a_file_is_told(tmp_path: Path):
    (tmp_path / "tệp").write_text("")
    assert_told(nhip("init", tmp_path / "tệp"), CONFIG, str(tmp_path / "tệp"))


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A disk of its own size; only root can have one."""
    need(os.geteuid() == 0, "a full disk needs root for its tmpfs: run this test as root")
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def test_a_full_disk_is_told_and_loses_nothing(district: Path, tmp_path: Path, created_file: Path):
    sites, disk = feeds_on_loopback(tmp_path / "sites", 1, days=3000), small_disk(tmp_path / "disk", "448k")
    with sites as addresses, disk as room:
        folder = write_config(room / "district", addresses)
        shutil.copy(created_file, folder / "nhip.sqlite3")
        assert_told(run_nhip("--config", folder, "collect", "--at", NINE), STORAGE, "hết dung lượng", str(folder))
        subprocess.run(["mount", "-o", "remount,size=32m", room], check=True)
        later = run_nhip("--config", folder, "collect", "--at", "2026-11-20T09:30")
        assert (later.code, "1/1 kênh đọc được." in later.out) == (0, True)


def test_init_on_a_full_disk_is_told(tmp_path: Path):
    with small_disk(tmp_path / "disk", "128k") as disk:
        said = run_nhip("init", disk / "district")
    assert (said.code, len(said.err.splitlines())) == (STORAGE, 1)
    assert "hết dung lượng" in said.err


def test_a_limit_on_file_sizes_is_told(district: Path):
    need(shutil.which("prlimit"), "needs prlimit: apt-get install util-linux")
    said = run_nhip("--config", district, "collect", before=["prlimit", "--fsize=4096"])
    assert_told(said, STORAGE, "Đề nghị")


# --- sites ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("http://10.0.0.5/", "mạng nội bộ"),
        ("http://10.0.0.5:8080/", "cổng 8080"),
        ("http://127.0.0.1/", "mạng nội bộ"),
        ("ftp://doan-mau.example/", "http"),
        ("http://user:hunter2@10.0.0.5/", "mạng nội bộ"),
    ],
)
def test_an_address_that_cannot_be_probed_is_told(address: str, sentence: str, tmp_path: Path):
    said = nhip("--config", tmp_path, "probe", address)
    assert_told(said, 1, sentence)
    assert "hunter2" not in said.err


def test_a_site_that_is_down_fails_its_channel_only_and_says_what_to_do(district: Path):
    said = nhip("--config", district, "collect", "--at", NINE)
    assert (said.code, said.err) == (1, "")
    assert "máy chủ từ chối kết nối. Đề nghị thử mở trang bằng trình duyệt" in said.out


@pytest.fixture
def site(tmp_path: Path) -> Iterator[FeedSite]:
    with feed_site(tmp_path / "site", ("Tin tốt", FRIDAY)) as opened:
        yield opened


def test_a_page_instead_of_a_feed_is_told(site: FeedSite, tmp_path: Path, created_file: Path):
    site.file.write_text("<!doctype html><html><body>Trang chủ</body></html>")
    folder = write_config(tmp_path / "district", [site.address])
    shutil.copy(created_file, folder / "nhip.sqlite3")
    said = nhip("--config", folder, "collect", "--at", NINE)
    assert said.code == 1
    assert "không phải nguồn tin" in said.out


# --- how it ends ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_a_reader_that_closes_the_pipe_is_no_error_and_changes_no_judgement(more: Sequence[str], district: Path):
    child = start_nhip("--config", district, "check", "--at", NINE, *more)
    assert child.stdout is not None
    assert child.stderr is not None
    child.stdout.close()
    with child.stderr as told:
        assert told.read() == b""
    assert child.wait(30) == 2


def test_ctrl_c_is_an_orderly_end(tmp_path: Path, created_file: Path):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        folder = write_config(tmp_path / "district", [f"http://127.0.0.1:{mute.getsockname()[1]}/feed.xml"])
        shutil.copy(created_file, folder / "nhip.sqlite3")
        child = start_nhip("--config", folder, "collect")
        with mute.accept()[0]:
            time.sleep(0.1)
            child.send_signal(signal.SIGINT)
            out, err = child.communicate(timeout=15)
    assert_told(Said(child.returncode, out.decode(), err.decode()), INTERRUPTED, "Đã dừng theo yêu cầu")
    with closing(sqlite3.connect(folder / "nhip.sqlite3")) as connection:
        assert connection.execute("SELECT count(*) FROM look").fetchone() == (0,)


def test_debug_adds_the_traceback_before_the_sentence(district: Path):
    (district / "nhip.sqlite3").unlink()
    said = nhip("--debug", "--config", district, "check")
    assert said.code == STORAGE
    assert "Traceback" in said.err
    assert said.err.splitlines()[-1].startswith("Chưa có cơ sở dữ liệu")
