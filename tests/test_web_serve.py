"""`nhip serve` as a person starts it: a process, a port, an address, and how it ends."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command_line import nhip, start_nhip
from tests.small_district import write_config


@pytest.fixture
def folder(tmp_path: Path, created_file: Path) -> Path:
    made = write_config(tmp_path / "quan", ["http://127.0.0.1:9/0.xml"])
    shutil.copy(created_file, made / "nhip.sqlite3")
    return made


@pytest.fixture
def served(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The process, and the address that it printed."""
    process = start_nhip("--config", folder, "serve", "--port", 0)
    try:
        assert process.stdout is not None
        said = process.stdout.readline().decode()
        address = re.search(r"http://127\.0\.0\.1:\d+/", said)
        assert address is not None, said
        yield process, address[0]
    finally:
        process.kill()
        process.communicate()


def test_it_prints_an_address_that_answers_and_ends_when_asked(served: tuple[subprocess.Popen[bytes], str]):
    process, address = served
    with urllib.request.urlopen(address, timeout=20) as answer:
        assert "Quận Đoàn thử nghiệm" in answer.read().decode()
        assert "server" not in {name.lower() for name in answer.headers}
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=15)
    assert (process.returncode, out.decode().strip(), err) == (0, "Đã dừng.", b"")


def test_a_reader_who_says_nothing_does_not_keep_others_waiting(served: tuple[subprocess.Popen[bytes], str]):
    _, address = served
    port = int(address.rstrip("/").rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as silent:
        silent.sendall(b"GET / HTTP/1.1\r\n")
        started = time.monotonic()
        with urllib.request.urlopen(f"{address}healthz", timeout=10) as answer:
            assert answer.status == 200
        assert time.monotonic() - started < 5


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.10", "::", "quan-doan.example"])
def test_an_address_that_others_reach_is_refused(folder: Path, host: str):
    said = nhip("--config", folder, "serve", "--host", host)
    assert said.code == 64
    assert f"Chưa có tài khoản đăng nhập nên các trang chỉ mở được trên chính máy này, không mở ở «{host}»." in said.err


def test_a_taken_port_is_told(folder: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        said = nhip("--config", folder, "serve", "--port", taken.getsockname()[1])
    assert said.code == 74
    assert "Cổng mạng đang có chương trình khác dùng." in said.err
