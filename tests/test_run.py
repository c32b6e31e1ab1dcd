"""`nhip run` as the process that somebody starts, stops, and forgets about."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.command_line import environment
from tests.invariants import assert_invariants
from tests.small_district import feeds_on_loopback, write_config

HCMC = ZoneInfo("Asia/Ho_Chi_Minh")
STORAGE, CRASHED = 74, 70
NewFolder = Callable[[str], Path]
SITES = 6


class Running:
    """A running `nhip run`: what it has said so far, and how it ended."""

    def __init__(self, child: subprocess.Popen[str]) -> None:
        self.child = child
        self.out: list[str] = []
        self.err: list[str] = []
        streams = ((child.stdout, self.out), (child.stderr, self.err))
        self._readers = [threading.Thread(target=self._read, args=pair) for pair in streams]
        for reader in self._readers:
            reader.start()

    @staticmethod
    def _read(stream: Any, lines: list[str]) -> None:
        with stream:
            lines.extend(stream)

    def events(self, name: str) -> list[dict[str, Any]]:
        """The JSON lines with this event."""
        lines = [json.loads(line) for line in list(self.err) if line.startswith("{")]
        return [line for line in lines if line["event"] == name]

    def said(self, words: str) -> bool:
        return any(words in line for line in list(self.err))

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal; the exit code. More than ten seconds are a failure."""
        self.child.send_signal(number)
        return self.ended(10)

    def ended(self, seconds: float) -> int:
        code = self.child.wait(seconds)
        for reader in self._readers:
            reader.join()
        return code


@contextmanager
def running(folder: Path, tick: float = 0.2, pause_after: float = 0) -> Iterator[Running]:
    words = [sys.executable, "-m", "tests.quick_run", str(tick), str(pause_after), "--config", str(folder), "run"]
    child = subprocess.Popen(
        words, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    )
    started = Running(child)
    try:
        yield started
    finally:
        child.kill()
        started.ended(10)


def until(what: Callable[[], object], seconds: float = 15) -> None:
    """Wait until something holds; a failure when it never does."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.05)


def due_hours_ago(folder: Path) -> Path:
    """One look a day, six hours ago: due now, and nothing else comes due while a test runs."""
    at = (datetime.now(HCMC) - timedelta(hours=6)).strftime("%H:%M:00")
    toml = folder / "district.toml"
    toml.write_text(f"{toml.read_text('utf-8')}[schedule]\nlooks_at = [{at}]\n", "utf-8")
    return folder


@pytest.fixture
def asked() -> list[str]:
    """Every path that the sites were asked for."""
    return []


@pytest.fixture
def district(tmp_path: Path, created_file: Path, asked: list[str]) -> Iterator[Path]:
    with feeds_on_loopback(tmp_path / "sites", SITES, asked=asked) as addresses:
        folder = due_hours_ago(write_config(tmp_path / "district", addresses))
        shutil.copy(created_file, folder / "nhip.sqlite3")
        yield folder


@pytest.fixture
def mute_site() -> Iterator[socket.socket]:
    """A site that takes the connection and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


@pytest.fixture
def mute_district(tmp_path: Path, created_file: Path, mute_site: socket.socket) -> NewFolder:
    def make(name: str) -> Path:
        folder = due_hours_ago(write_config(tmp_path / name, [f"http://127.0.0.1:{mute_site.getsockname()[1]}/"]))
        toml = folder / "district.toml"
        toml.write_text(toml.read_text("utf-8").replace("deadline_seconds = 5", "deadline_seconds = 60"), "utf-8")
        shutil.copy(created_file, folder / "nhip.sqlite3")
        return folder

    return make


def database(folder: Path) -> str:
    return f"sqlite:///{folder / 'nhip.sqlite3'}"


def looks(folder: Path) -> list[tuple[str, int]]:
    """State and attempt of every row of the ledger."""
    with closing(sqlite3.connect(folder / "nhip.sqlite3")) as connection:
        return connection.execute("SELECT state, attempt FROM look").fetchall()


def test_it_looks_once_per_slot_over_many_ticks_and_tells_each_look_as_a_json_line(district: Path, asked: list[str]):
    with running(district, tick=0.1) as run:
        until(lambda: len(run.events("look")) == SITES)
        time.sleep(1)  # ten more ticks
        assert run.stop() == 0
    assert sorted(asked) == [f"/feed-{number}.xml" for number in range(SITES)]
    told = run.events("look")
    assert {line["channel"] for line in told} == {f"trang-{number}" for number in range(SITES)}
    assert {(line["level"], line["outcome"], line["posts"]) for line in told} == {("info", "ok", 10)}
    assert all(datetime.fromisoformat(line["at"]).tzinfo is not None for line in told)
    assert all(line.startswith("{") for line in run.err)
    assert looks(district) == [("done", 1)] * SITES
    assert_invariants(database(district), datetime.now(UTC))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_when_it_looks_next_and_that_it_stopped(number: int, district: Path):
    with running(district) as run:
        until(lambda: run.events("look"))
        assert run.stop(number) == 0
    assert "Nhịp Đoàn đang chạy. Lượt theo lịch tiếp theo: " in run.out[0]
    assert run.out[-1] == "Đã dừng.\n"


def test_a_signal_in_the_middle_of_a_look_ends_it_in_order_and_gives_the_slot_back(
    mute_district: NewFolder, mute_site: socket.socket
):
    one, other = mute_district("one"), mute_district("other")
    with running(one) as first, running(other) as second, mute_site.accept()[0], mute_site.accept()[0]:
        until(lambda: looks(one) == looks(other) == [("running", 1)])
        began = time.monotonic()
        first.child.send_signal(signal.SIGTERM)
        second.child.send_signal(signal.SIGINT)
        assert (first.ended(10), second.ended(10)) == (0, 0)
        assert time.monotonic() - began < 10
    assert first.err == second.err == []
    assert looks(one) == looks(other) == []
    assert_invariants(database(one))


def test_two_runs_on_one_database_never_look_twice(district: Path, asked: list[str]):
    with running(district, tick=0.1) as one, running(district, tick=0.1) as other:
        until(lambda: len(one.events("look") + other.events("look")) == SITES)
        time.sleep(1)
        assert (one.stop(), other.stop()) == (0, 0)
    assert sorted(asked) == [f"/feed-{number}.xml" for number in range(SITES)]
    assert looks(district) == [("done", 1)] * SITES


def test_a_configuration_broken_while_running_is_told_and_the_old_one_stays_until_it_is_mended(district: Path):
    channels = district / "channels.toml"
    good = channels.read_text("utf-8")
    with running(district) as run:
        until(lambda: len(run.events("look")) == SITES)
        channels.write_text(good.replace('"don-vi-0"', '"don-vi-99"'), "utf-8")
        until(lambda: run.said("Cấu hình mới chưa dùng được, tạm giữ cấu hình cũ"))
        until(lambda: run.said("don-vi-99"))
        time.sleep(1)  # a few more ticks
        assert run.child.poll() is None
        channels.write_text(good.replace("[channels.trang-0]", "[channels.trang-moi]"), "utf-8")
        until(lambda: [look for look in run.events("look") if look["channel"] == "trang-moi"])
        assert run.stop() == 0
    assert len(run.events("look")) == SITES + 1
    assert sum("Cấu hình mới chưa dùng được" in line for line in run.err) == 1


def test_a_deleted_database_is_told_and_never_silently_made_anew(district: Path):
    path = district / "nhip.sqlite3"
    with running(district) as run:
        until(lambda: len(run.events("look")) == SITES)
        for file in district.glob("nhip.sqlite3*"):
            file.unlink()
        assert run.ended(15) == STORAGE
    assert "bị xóa hoặc bị thay trong khi chương trình đang chạy" in run.err[-1]
    assert not path.exists()
    assert not [line for line in run.err if "Traceback" in line]


def test_a_silent_ticker_ends_the_process_with_its_own_code(district: Path):
    with running(district, tick=0.2, pause_after=1) as run:
        assert run.ended(15) == CRASHED
    assert run.said("Lịch thu thập đã ngừng hoạt động bất thường")
    assert [event["part"] for event in run.events("schedule silent")] == ["ticker"]
    assert_invariants(database(district))


def test_a_second_start_after_a_kill_takes_over_and_asks_only_what_is_missing(district: Path, asked: list[str]):
    with running(district) as run:
        until(lambda: len(run.events("look")) == SITES)
        run.child.kill()
        run.ended(10)
    with running(district) as run:
        until(lambda: run.out)
        time.sleep(1)
        assert run.stop() == 0
    assert run.events("look") == []
    assert len(asked) == SITES
