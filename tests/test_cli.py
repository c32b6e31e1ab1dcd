"""What a person gets who types the commands."""

from __future__ import annotations

import os
import pty
import resource
import shlex
import shutil
import socket
import sqlite3
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from config.load import EXAMPLES, load_config
from pipeline import jobs
from store.verbs import open_store
from tests.command_line import ROOT, Said, command, environment, nhip, run_nhip
from tests.small_district import FRIDAY, FeedSite, daily_items, feed_site, feeds_on_loopback, write_config

HCMC = ZoneInfo("Asia/Ho_Chi_Minh")
NINE = "2026-11-20T09:00"
WORKDAYS = ("2026-11-16", "2026-11-17", "2026-11-18", "2026-11-19", "2026-11-20")
COMMANDS = ("init", "doctor", "probe", "collect", "check", "confirm", "run")
HEAVY = ("pandas", "numpy", "sqlalchemy", "httpx", "aiohttp", "plotly", "pydantic", "lxml", "apscheduler", "rich")
ENGLISH = ("usage", "options", "commands", "arguments", "show", "message", "required", "default", "env var", "<")

Place = Callable[..., Path]


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=HCMC)


def dump(folder: Path) -> list[str]:
    """Everything the database holds, as SQL."""
    with closing(sqlite3.connect(folder / "nhip.sqlite3")) as connection:
        return list(connection.iterdump())


@pytest.fixture
def place(tmp_path: Path, created_file: Path) -> Place:
    """Makes a configuration folder, with a fresh database, for the feeds at these addresses."""

    def make(*addresses: str) -> Path:
        folder = write_config(tmp_path / "district", addresses)
        shutil.copy(created_file, folder / "nhip.sqlite3")
        return folder

    return make


@pytest.fixture
def district(tmp_path: Path, place: Place) -> Iterator[Path]:
    """Two units that published one «Tin tốt» on each of the last 30 days."""
    with feeds_on_loopback(tmp_path / "sites", 2, days=30) as addresses:
        yield place(*addresses)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[FeedSite]:
    with feed_site(tmp_path / "site") as opened:
        yield opened


@pytest.fixture
def dead_address() -> str:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}/feed.xml"


# --- init -------------------------------------------------------------------------------------------------------


def test_init_writes_an_example_that_loads_and_a_database_that_opens(tmp_path: Path):
    folder = tmp_path / "mới" / "quận đoàn"
    said = nhip("init", folder)
    assert (said.code, said.err) == (0, "")
    assert {path.name for path in folder.iterdir()} == {*EXAMPLES, "plans", "nhip.sqlite3"}
    assert load_config(folder).watched()
    for word in ("doctor", "collect", "check"):
        assert shlex.join(["nhip", "--config", str(folder), word]) in said.out
    assert nhip("--config", folder, "check", "--at", NINE).code == 1  # tasks of the example plan are past their day


def test_init_again_keeps_the_edited_configuration_and_all_data(district: Path):
    assert nhip("--config", district, "collect", "--at", NINE).code == 0
    before = dump(district), (district / "district.toml").read_bytes()
    said = nhip("init", district)
    assert said.code == 0
    assert "giữ nguyên" in said.out.lower()
    assert (dump(district), (district / "district.toml").read_bytes()) == before


def test_the_folder_may_come_from_the_environment(district: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NHIP_CONFIG", str(district))
    assert nhip("collect", "--at", NINE).code == 0
    assert len(nhip("check", "--at", NINE, "--json").json()["sentences"]) == 2


# --- doctor and probe -------------------------------------------------------------------------------------------


def test_doctor_finds_nothing_to_fix_where_everything_is_in_order(district: Path):
    said = nhip("--config", district, "doctor")
    assert (said.code, said.err) == (0, "")
    assert "Không có lỗi" in said.out
    assert said.out.count("✔ Đọc được (feed)") == 2


def test_doctor_names_the_channel_that_cannot_be_read_and_what_to_do(site: FeedSite, place: Place, dead_address: str):
    site.publish(("Tin tốt", FRIDAY))
    folder = place(site.address, dead_address)
    said = nhip("--config", folder, "doctor", "--json")
    good, bad = said.json()["channels"]
    assert said.code == 1
    assert (good["readable"], good["fix"]) == (True, "")
    assert (bad["channel"], bad["readable"]) == ("trang-1", False)
    assert "Đề nghị" in bad["fix"]


def test_doctor_tells_when_a_channel_was_last_read(district: Path):
    nhip("--config", district, "collect", "--at", NINE)
    first, _ = nhip("--config", district, "doctor", "--json").json()["channels"]
    assert datetime.fromisoformat(first["last_done_at"]) == FRIDAY


def test_probe_prints_lines_that_can_be_pasted(site: FeedSite, place: Place):
    site.publish(*daily_items(FRIDAY, 3))
    (site.file.parent / "index.html").write_text(
        "<html><head><link rel='alternate' type='application/rss+xml' href='/feed.xml'></head></html>"
    )
    folder = place(site.address)
    said = nhip("--config", folder, "probe", site.base)
    assert said.code == 0
    pasted = tomllib.loads(said.out.rsplit("\n  ", 1)[1])
    assert pasted == {"website": {"way": "feed", "at": site.address}}
    assert nhip("--config", folder, "probe", site.base, "--json").json()["way"] == "feed"


def test_probe_of_a_site_that_is_down_says_so(place: Place, dead_address: str):
    said = nhip("--config", place(dead_address), "probe", dead_address)
    assert said.code == 1
    assert "máy chủ từ chối kết nối" in said.err
    found = nhip("--config", place(dead_address), "probe", dead_address, "--json")
    assert (found.code, found.json()["way"]) == (1, None)


# --- collect ----------------------------------------------------------------------------------------------------


def test_collect_reads_what_is_due_and_a_second_time_changes_nothing(district: Path):
    first = nhip("--config", district, "collect", "--at", NINE)
    assert (first.code, first.err) == (0, "")
    assert "2/2 kênh đọc được." in first.out
    before = dump(district)
    second = nhip("--config", district, "collect", "--at", NINE)
    assert second.code == 0
    assert "không có gì thay đổi" in second.out
    assert "Lần tới: 18:30 20/11/2026." in second.out
    assert dump(district) == before


def test_collect_now_looks_again_and_doubles_no_post(district: Path):
    nhip("--config", district, "collect", "--at", NINE)
    again = nhip("--config", district, "collect", "--now", "--at", "2026-11-20T09:05", "--json").json()["looks"]
    assert [look["outcome"] for look in again] == ["unchanged", "unchanged"]
    with closing(sqlite3.connect(district / "nhip.sqlite3")) as connection:
        assert connection.execute("SELECT count(*), count(DISTINCT link) FROM post").fetchone() == (60, 60)


def test_collect_reads_only_the_channels_that_were_named(district: Path):
    looks = nhip("--config", district, "collect", "--channel", "trang-1", "--at", NINE, "--json").json()["looks"]
    assert [look["channel"] for look in looks] == ["trang-1"]
    looks = nhip("--config", district, "collect", "--at", NINE, "--json").json()["looks"]
    assert [look["channel"] for look in looks] == ["trang-0"]


def test_looks_that_were_missed_are_told(district: Path):
    nhip("--config", district, "collect", "--at", "2026-11-18T09:00")
    said = nhip("--config", district, "collect", "--at", NINE)
    assert "6 lượt theo lịch đã lỡ" in said.out  # evening, morning, evening, for two channels


def test_collect_ends_with_1_when_one_channel_fails_and_keeps_the_other(
    site: FeedSite, place: Place, dead_address: str
):
    site.publish(("Tin tốt", FRIDAY - timedelta(hours=1)))
    folder = place(site.address, dead_address)
    said = nhip("--config", folder, "collect", "--at", NINE)
    assert said.code == 1
    assert "1/2 kênh đọc được." in said.out
    assert "⚙ Lỗi thu thập" in said.out
    assert nhip("--config", folder, "check", "--at", NINE, "--json").states()["2026-11-20"] == "met"


def test_collect_with_samples_only_says_what_to_edit(tmp_path: Path, created_file: Path):
    nhip("init", tmp_path)
    channels = tmp_path / "channels.toml"
    lines = channels.read_text("utf-8").replace('address = "https://doan-mau.example/"\n', "sample = true\n")
    channels.write_text(lines, "utf-8")
    for words in ((), ("--now",), ("--now", "--channel", "fanpage-bttt")):
        said = nhip("--config", tmp_path, "collect", *words)
        assert said.code == 0
        assert "kênh mẫu (sample = true)" in said.out


# --- check ------------------------------------------------------------------------------------------------------


def test_check_says_week_cut_off_clause_and_illustration_unit_by_unit(district: Path):
    nhip("--config", district, "collect", "--at", NINE)
    said = nhip("--config", district, "check", "--at", NINE)
    assert (said.code, said.err) == (0, "")
    assert "Tuần 47 (16/11–22/11/2026)" in said.out
    assert "Số liệu đến 09:00 20/11/2026." in said.out
    assert "Dữ liệu minh họa." in said.out
    assert "căn cứ mục II-CT.2." in said.out
    for unit in ("Đoàn phường don-vi-0", "Đoàn phường don-vi-1"):
        (line,) = (line for line in said.out.splitlines() if line.startswith(unit))
        assert "✔ ✔ ✔ ✔ ✔ … …" in line
        assert "có tin tốt 5/5 ngày" in line
    assert "2/2 đơn vị thực hiện đủ đến nay" in said.out


def test_real_data_is_not_called_an_illustration(district: Path):
    toml = district / "district.toml"
    toml.write_text(toml.read_text("utf-8").replace("illustration = true", "illustration = false"), "utf-8")
    assert "minh họa" not in nhip("--config", district, "check", "--at", NINE).out
    assert nhip("--config", district, "check", "--at", NINE, "--json").json()["illustration"] is False


def test_check_as_json_says_the_same_in_facts(district: Path):
    nhip("--config", district, "collect", "--at", NINE)
    said = nhip("--config", district, "check", "--at", NINE, "--json")
    facts = said.json()
    assert (said.code, facts["illustration"]) == (0, True)
    assert facts["period"] == {"title": "Tuần 47 (16/11–22/11/2026)", "start": "2026-11-16", "end": "2026-11-23"}
    assert datetime.fromisoformat(facts["as_of"]) == FRIDAY
    assert said.states() == dict.fromkeys(WORKDAYS, "met") | {"2026-11-21": "pending", "2026-11-22": "pending"}
    assert said.states(label="cau-chuyen-dep") == {"2026-11-16": "pending"}
    assert facts["sentences"]["don-vi-0"].startswith("Tuần 47 (16/11–22/11/2026): có tin tốt 5/5 ngày")


def test_check_of_a_past_week_that_was_read_ends_with_1_when_the_story_is_missing(district: Path):
    nhip("--config", district, "collect", "--at", NINE)
    said = nhip("--config", district, "check", "--week", "2026-W46", "--at", NINE, "--json")
    assert said.code == 1
    assert set(said.states().values()) == {"met"}
    assert said.states(label="cau-chuyen-dep") == {"2026-11-09": "missed"}
    assert "0/2 đơn vị" in nhip("--config", district, "check", "--week", "2026-W46", "--at", NINE).out


def test_check_of_a_week_nobody_looked_at_ends_with_2(district: Path):
    nhip("--config", district, "collect", "--at", NINE)
    said = nhip("--config", district, "check", "--week", "2026-W20", "--at", NINE, "--json")
    assert said.code == 2
    assert set(said.states().values()) == {"unknown"}


def test_a_failed_look_is_not_yet_verified_and_never_missing(place: Place, dead_address: str):
    folder = place(dead_address)
    assert nhip("--config", folder, "collect", "--at", NINE).code == 1
    said = nhip("--config", folder, "check", "--at", NINE, "--json")
    sentence = said.json()["sentences"]["don-vi-0"]
    assert said.code == 2
    assert "missed" not in said.states().values()
    assert "chưa xác minh" in sentence
    assert not any(words in sentence for words in ("chưa có tin tốt", "chưa ghi nhận"))
    assert "✖ " not in nhip("--config", folder, "check", "--at", NINE).out.split("✔ có ·")[0]


def test_posts_around_midnight_count_on_their_local_day(site: FeedSite, place: Place):
    site.publish(
        ("Tin tốt sau nửa đêm", local("2026-11-19T00:30")),
        ("Tin tốt trước nửa đêm", local("2026-11-17T23:50").astimezone(UTC)),
        ("Bài cũ", local("2026-11-01T08:00")),
    )
    folder = place(site.address)
    nhip("--config", folder, "collect", "--at", NINE)
    states = nhip("--config", folder, "check", "--at", NINE, "--json").states()
    assert [states[day] for day in WORKDAYS] == ["missed", "met", "missed", "met", "pending"]


def test_a_future_post_does_not_count_before_its_time(site: FeedSite, place: Place):
    site.publish(("Tin tốt hẹn giờ", local("2026-11-19T08:00")), ("Bài cũ", local("2026-11-01T08:00")))
    folder = place(site.address)
    nhip("--config", folder, "collect", "--at", "2026-11-18T09:00")
    for at, state in (("2026-11-18T09:00", "pending"), ("2026-11-19T07:59", "pending"), ("2026-11-19T08:00", "met")):
        states = nhip("--config", folder, "check", "--at", at, "--json").states()
        assert (at, states["2026-11-19"]) == (at, state)
        assert states["2026-11-18"] != "met"


def test_a_replayed_moment_does_not_know_what_came_later(site: FeedSite, place: Place):
    site.publish(("Tin tốt", local("2026-11-19T08:00")), ("Bài cũ", local("2026-11-01T08:00")))
    folder = place(site.address)
    nhip("--config", folder, "collect", "--at", NINE)
    before = nhip("--config", folder, "check", "--week", "2026-W47", "--at", "2026-11-19T09:00", "--json")
    assert set(before.states().values()) == {"unknown", "pending"}


def test_a_new_hashtag_labels_past_posts_on_the_next_check(site: FeedSite, place: Place):
    site.publish(("Bạn tôi #1ngay1tintot", local("2026-11-17T08:00")), ("Bài cũ", local("2026-11-01T08:00")))
    folder = place(site.address)
    nhip("--config", folder, "collect", "--at", NINE)
    assert nhip("--config", folder, "check", "--at", NINE, "--json").states()["2026-11-17"] == "missed"
    toml = folder / "district.toml"
    text = toml.read_text("utf-8")
    toml.write_text(
        text.replace('phrases = ["tin tốt"]', 'phrases = ["tin tốt"]\nhashtags = ["#1ngay1tintot"]'), "utf-8"
    )
    assert nhip("--config", folder, "check", "--at", NINE, "--json").states()["2026-11-17"] == "met"
    toml.write_text(text, "utf-8")
    assert nhip("--config", folder, "check", "--at", NINE, "--json").states()["2026-11-17"] == "missed"


# --- confirm ----------------------------------------------------------------------------------------------------


@pytest.fixture
def judged(site: FeedSite, place: Place) -> tuple[Path, str, Callable[[str], str]]:
    """A post of an hour ago, read: the folder, its link, and its state at one level."""
    published = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(hours=1)
    day = published.astimezone(HCMC).date()
    week = f"{day:%G-W%V}"
    site.publish(("Tin tốt hôm nay", published), ("Bài cũ", published - timedelta(days=20)))
    folder = place(site.address)
    assert nhip("--config", folder, "collect", "--now").code == 0

    def state(level: str) -> str:
        said = nhip("--config", folder, "check", "--week", week, "--json")
        return said.states(level=level)[day.isoformat()]

    return folder, site.link(published), state


def test_a_confirmed_post_counts_at_the_confirmed_level(judged):
    folder, link, state = judged
    assert (state("labelled"), state("confirmed")) == ("met", "pending")
    said = nhip("--config", folder, "confirm", link, "tin-tot", "--by", "Ban Tuyên giáo")
    assert (said.code, said.err) == (0, "")
    assert "Ban Tuyên giáo xác nhận bài «Tin tốt hôm nay» là «Tin tốt»" in said.out
    assert (state("labelled"), state("confirmed")) == ("met", "met")


def test_a_rejected_post_counts_no_more_and_the_newest_word_wins(judged):
    folder, link, state = judged
    said = nhip("--config", folder, "confirm", link, "tin-tot", "--by", "Ban Tuyên giáo", "--reject")
    assert said.code == 0
    assert "không phải «Tin tốt»" in said.out
    assert state("labelled") != "met"
    assert state("any_post") == "met"
    nhip("--config", folder, "confirm", link, "tin-tot", "--by", "Thường trực")
    assert (state("labelled"), state("confirmed")) == ("met", "met")


# --- the command line itself ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_is_in_vietnamese_only(name: str):
    said = nhip(*name.split(), "--help")
    assert (said.code, said.err) == (0, "")
    assert "Cách dùng:" in said.out
    assert not [word for word in ENGLISH if word in said.out.lower()]


def test_no_words_at_all_give_the_help():
    assert nhip().out.startswith("Cách dùng:")
    assert nhip().code == 0


def test_help_answers_at_once_and_leaves_heavy_modules_alone():
    code = (
        "import sys; sys.argv = ['nhip', '--help']\n"
        "from pipeline.cli import main\n"
        "try: main()\n"
        f"finally: print(sorted(set({HEAVY}) & set(sys.modules)), file=sys.stderr)"
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.stderr.strip() == "[]"
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.3


LISTING: tuple[tuple[str, ...], ...] = (
    ("doctor",),
    ("collect", "--at", "2026-11-20T09:00"),
    ("collect", "--now", "--at", "2026-11-20T09:01"),
    ("check", "--at", "2026-11-20T09:02"),
    ("check", "--week", "2026-W30"),
)


@pytest.mark.parametrize("words", LISTING, ids=" ".join)
def test_every_command_that_lists_answers_in_json_alone(words: tuple[str, ...], district: Path):
    said = nhip("--config", district, *words, "--json")
    assert isinstance(said.json(), dict)
    assert said.err == ""


def test_what_goes_into_a_pipe_has_no_colours_and_is_utf_8(district: Path):
    piped = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "FORCE_COLOR": "1", "TERM": "xterm-256color"}
    for words in (("collect", "--at", NINE), ("check", "--at", NINE), ("--help",)):
        said = run_nhip("--config", district, *words, env=piped)
        assert (said.code, said.err) == (0, "")
        assert "\x1b" not in said.out
    assert "Đoàn phường don-vi-0" in run_nhip("--config", district, "check", "--at", NINE, env=piped).out


def on_a_terminal(*words: object) -> Said:
    ours, theirs = pty.openpty()
    terminal = {"TERM": "xterm", "COLUMNS": "160", "LINES": "50"}
    child = subprocess.Popen(command(*words), stdout=theirs, stderr=theirs, env=environment(terminal))
    os.close(theirs)
    out = b""
    with os.fdopen(ours, "rb", buffering=0) as screen:
        while chunk := _read(screen.fileno()):
            out += chunk
    return Said(child.wait(30), out.decode(), "")


def _read(screen: int) -> bytes:
    try:
        return os.read(screen, 65536)
    except OSError:  # the last writer has gone
        return b""


def test_on_a_terminal_the_answer_is_a_framed_table(district: Path):
    nhip("--config", district, "collect", "--at", NINE)
    said = on_a_terminal("--config", district, "check", "--at", NINE)
    assert said.code == 0
    assert "│ Đoàn phường don-vi-0 │" in said.out


@pytest.mark.parametrize("at", [NINE, "2199-01-01"])
def test_a_real_site_is_read_now_or_not_at_all(at: str, district: Path):
    toml = district / "district.toml"
    toml.write_text(toml.read_text("utf-8").replace("illustration = true", "illustration = false"), "utf-8")
    before = dump(district)
    said = nhip("--config", district, "collect", "--now", "--at", at)
    assert said.code == 64
    assert "--at của lệnh collect chỉ dùng cho dữ liệu minh họa" in said.err
    assert dump(district) == before


def test_a_week_that_has_not_begun_cannot_be_judged(district: Path):
    said = nhip("--config", district, "check", "--at", NINE, "--week", "2026-W48")
    assert said.code == 2
    assert "chưa bắt đầu" in said.err


def test_slots_that_somebody_else_holds_are_told(district: Path):
    config = load_config(district)
    at = datetime.fromisoformat("2026-11-20T08:59:00+07:00")
    with open_store(f"sqlite:///{district / 'nhip.sqlite3'}") as store:
        store.sync(config.units.values(), config.channels.values(), at)
        slots, _ = jobs.due_slots(config, store, at)
        store.take(slots, "another process", at, jobs.LEASE)
    said = nhip("--config", district, "collect", "--at", NINE)
    assert said.code == 1
    assert "2 kênh đang được một tiến trình khác đọc" in said.out


def test_whoever_forgets_the_folder_is_told_how_to_name_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NHIP_CONFIG", raising=False)
    said = nhip("check")
    assert said.code == 64
    assert said.err.startswith("Chưa chỉ ra thư mục cấu hình.")
