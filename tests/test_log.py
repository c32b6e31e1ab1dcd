"""Log lines that a machine can read and that hold no secret."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from contextlib import redirect_stderr
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.log import set_up_log
from pipeline.problems import UserError, report
from pipeline.redact import redact

SECRET = "EAAGm0PX4ZCps" + "BAKZ"
LEAKS = [
    "code_verifier={}",
    "https://graph.example/me?access_token={}&limit=5",
    "https://graph.example/me?limit=5&key={}",
    "https://nhip:{}@db.example/nhip",
    "postgresql+psycopg://nhip:{}@db.example:5432/nhip",
    "postgresql://nhip:p@{}@db.example/nhip",
    "Authorization: Bearer {}",
    "authorization=Bearer {}",
    "password={}",
    "PGPASSWORD={}",
    "client_secret = {}",
    "appsecret_proof={}",
    "refresh-token: {}",
    "api_key={}, retry",
    "apikey={};x",
    "?url=https%3A%2F%2Fx.example%2F&access_token%3D{}",
    '{{"access_token": "{}", "expires_in": 5183944}}',
    "{{'token': '{}'}}",
    "sig={}",
    "oauth code={}",
]
HARMLESS = [
    "Không có kênh «trang-9» trong channels.toml. Các kênh đang có: trang-0, trang-1.",
    "Không đọc được https://doan-mau.example/tin-tuc/: máy chủ từ chối kết nối.",
    "units.toml, bảng [units.an-lac], khóa «kind»: chưa khai báo. Cách sửa: chọn một trong: phuong.",
    "Số liệu đến 09:00 20/11/2026.",
    "truyenthong@doan-mau.example",
    "tokens=7",
]


@pytest.mark.parametrize("text", LEAKS)
def test_what_looks_like_a_secret_is_taken_out(text: str):
    shown = redact(text.format(SECRET))
    assert SECRET not in shown
    assert "***" in shown


@pytest.mark.parametrize("text", HARMLESS)
def test_sentences_for_people_stay_as_they_are(text: str):
    assert redact(text) == text


def test_the_place_of_a_database_stays_readable():
    assert redact(f"postgresql://nhip:{SECRET}@db.example/nhip") == "postgresql://***@db.example/nhip"


@given(st.sampled_from(LEAKS), st.from_regex(r"[A-Za-z0-9._-]{8,60}", fullmatch=True))
def test_whatever_the_secret_is_it_does_not_survive(text: str, secret: str):
    assert f"{secret}" not in redact(text.format(secret))


@given(st.text())
def test_taking_out_twice_changes_nothing_more(text: str):
    once = redact(text)
    assert redact(once) == once


def test_what_a_person_reads_holds_no_secret_either(capsys: pytest.CaptureFixture[str]):
    for debug in (False, True):
        report(UserError(f"Không mở được https://x.example/?token={SECRET}."), debug=debug)
        report(OSError(2, "no", f"/data/key={SECRET}"), debug=debug)
    assert SECRET not in capsys.readouterr().err


# --- JSON lines -------------------------------------------------------------------------------------------------


@pytest.fixture
def stderr() -> Iterator[io.StringIO]:
    """What the log writes; the logging of the test run is put back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    levels = {name: logging.getLogger(name).level for name in ("httpx", "sqlalchemy", "apscheduler")}
    yield io.StringIO()
    root.handlers = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)


def log_into(stderr: io.StringIO, *level: int) -> None:
    with redirect_stderr(stderr):
        set_up_log(*level)


def lines(stderr: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stderr.getvalue().splitlines()]


def test_an_event_is_one_line_with_its_facts(stderr: io.StringIO):
    log_into(stderr, logging.INFO)
    logging.getLogger("pipeline.jobs").info("look", extra={"channel": "trang-0", "posts": 3, "seconds": 0.25})
    (line,) = lines(stderr)
    assert abs(datetime.fromisoformat(line.pop("at")) - datetime.now(UTC)).total_seconds() < 60
    assert line == {"level": "info", "event": "look", "channel": "trang-0", "posts": 3, "seconds": 0.25}


def test_line_breaks_and_vietnamese_stay_inside_the_line(stderr: io.StringIO):
    log_into(stderr, logging.INFO)
    logging.getLogger("x").info('một\nhai\r\n{"event": "giả"}\u2028%s', "ba", extra={"name_": "Đoàn\nphường"})
    (line,) = (json.loads(text) for text in stderr.getvalue().split("\n") if text)
    assert line["event"] == 'một\nhai\r\n{"event": "giả"}\u2028ba'
    assert line["name_"] == "Đoàn\nphường"


class Said:
    def __str__(self) -> str:
        return f"token={SECRET}"


def test_no_part_of_a_line_holds_a_secret(stderr: io.StringIO):
    log_into(stderr, logging.INFO)
    facts = {"text": f"token={SECRET}", "thing": Said(), "error": ValueError(f"key={SECRET}"), "list": [Said()]}
    error = ConnectionError(f"https://x.example/?access_token={SECRET}")
    logging.getLogger("x").error("asked %s", f"https://u:{SECRET}@x.example/", extra=facts, exc_info=error)
    (line,) = lines(stderr)
    assert SECRET not in stderr.getvalue()
    assert "ConnectionError" in line["traceback"]


def test_values_that_json_does_not_know_are_still_told(stderr: io.StringIO):
    log_into(stderr, logging.INFO)
    logging.getLogger("x").info("odd", extra={"ids": {3}, "number": 2**80, "bytes_": b"\xff", "text": "\ud800"})
    (line,) = lines(stderr)
    assert line["event"] == "odd"
    assert line["ids"] == "{3}"


def test_quiet_by_default_and_libraries_only_from_a_warning_on(stderr: io.StringIO):
    log_into(stderr)
    logging.getLogger("pipeline.jobs").info("look")
    logging.getLogger("pipeline.jobs").warning("slots missed")
    assert lines(stderr) == []
    log_into(stderr, logging.INFO)
    for name in ("httpx", "sqlalchemy.engine", "apscheduler.executors.default"):
        logging.getLogger(name).info("chatter")
        logging.getLogger(name).warning("trouble")
    assert [line["event"] for line in lines(stderr)] == ["trouble"] * 3


def test_setting_up_twice_writes_every_event_once(stderr: io.StringIO):
    log_into(stderr, logging.INFO)
    log_into(stderr, logging.INFO)
    logging.getLogger("x").info("once")
    assert len(lines(stderr)) == 1
