"""Whether a program that stands still is seen: by its beats, by what waits in the outbox, in `nhip doctor`."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from config.load import load_config
from pipeline import alerting
from pipeline.alerting import ALERTS, SCHEDULE, Alerting
from pipeline.clock import frozen_at, utc_now
from pipeline.pulse import Pulse
from pipeline.watching import checked
from store.errors import StoreError, Trouble
from store.records import OutboxState
from store.verbs import Store, open_store
from tests.case_builders import a_draft
from tests.command_line import nhip
from tests.metric_builders import HCMC
from tests.small_district import FRIDAY, feed_site, write_config

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
EMPTY = OutboxState(0, 0, 0, {})


def pulse(ago: Mapping[str, timedelta]) -> Pulse:
    return Pulse({name: FRIDAY - since for name, since in ago.items()}, EMPTY, FRIDAY)


BEATS: list[tuple[Mapping[str, timedelta], bool, str]] = [
    ({}, True, "Lịch tự động: chưa chạy lần nào."),
    ({"alerts": DAY}, True, "Lịch tự động: chưa chạy lần nào."),  # «nhip alert send» by hand
    ({"schedule": MINUTE, "alerts": 14 * MINUTE}, True, "Lịch tự động: đang chạy, nhịp gần nhất 08:59 20/11/2026."),
    ({"schedule": 30 * MINUTE, "alerts": HOUR}, True, "Lịch tự động: đang chạy"),
    ({"schedule": 31 * MINUTE, "alerts": 31 * MINUTE}, False, "Lịch tự động đã ngừng từ 08:29 20/11/2026."),
    ({"schedule": 3 * DAY}, False, "Đề nghị chạy lại «nhip run»."),
    ({"schedule": MINUTE, "alerts": 61 * MINUTE}, False, "Việc xét cảnh báo không trọn vẹn từ 07:59 20/11/2026."),
    ({"schedule": MINUTE}, False, "Việc xét cảnh báo chưa lần nào trọn vẹn."),
]


@pytest.mark.parametrize(("ago", "fine", "sentence"), BEATS, ids=lambda value: str(value)[:50])
def test_an_old_beat_is_told_with_what_to_do(ago: Mapping[str, timedelta], fine: bool, sentence: str):
    found = pulse(ago)
    said = list(found.sentences(HCMC))
    assert found.is_fine == fine
    assert any(sentence in one for one in said)
    assert len(said) == 1 + (found.alerts_stopped is not None or found.alerts_never)
    assert all(one.endswith(".") for one in said)


def test_messages_that_wait_for_long_or_were_given_up_are_told(store: Store):
    store.enqueue([a_draft("digest/doi/1"), a_draft("digest/doi/2")], [], FRIDAY)
    assert Pulse({}, store.outbox_state(FRIDAY + HOUR - MINUTE), FRIDAY).is_fine
    late = Pulse({}, store.outbox_state(FRIDAY + HOUR), FRIDAY)
    assert (late.is_fine, list(late.sentences(HCMC))[1][:31]) == (False, "2 tin chờ gửi quá một giờ. Đề n")
    one, other = store.take_deliveries("test", FRIDAY, MINUTE, 2)
    assert store.delivered(one, FRIDAY)
    assert store.give_up(other, "Địa chỉ không có (mẫu).", FRIDAY)
    given_up = Pulse({}, store.outbox_state(FRIDAY + DAY), FRIDAY)
    assert (given_up.is_fine, "1 tin không gửi được trong 7 ngày." in list(given_up.sentences(HCMC))[1]) == (
        False,
        True,
    )


def test_a_way_that_rests_is_told_and_no_fault(store: Store):
    store.rest_way("zalo", FRIDAY + DAY)
    found = Pulse({}, store.outbox_state(FRIDAY), FRIDAY)
    assert found.is_fine
    assert "Cách gửi «zalo» tạm nghỉ đến 09:00 21/11/2026" in list(found.sentences(HCMC))[1]


@pytest.fixture
def folder(tmp_path: Path, created_file: Path) -> Path:
    folder = write_config(tmp_path / "quan", ["http://127.0.0.1:9/tin.xml"])
    shutil.copy(created_file, folder / "nhip.sqlite3")
    return folder


def beat(folder: Path, name: str, at: datetime) -> None:
    with open_store(f"sqlite:///{folder / 'nhip.sqlite3'}") as store:
        store.beat(name, at)


def test_the_doctor_shows_a_schedule_that_stands_still(folder: Path, tmp_path: Path):
    with feed_site(tmp_path / "site", ("Tin tốt (mẫu)", FRIDAY)) as site:
        write_config(folder, [site.address])
        assert nhip("--config", folder, "doctor").code == 0
        beat(folder, SCHEDULE, utc_now())
        beat(folder, ALERTS, utc_now())
        running = nhip("--config", folder, "doctor")
        beat(folder, SCHEDULE, utc_now() - HOUR)
        stopped = nhip("--config", folder, "doctor")
    assert (running.code, "Lịch tự động: đang chạy" in running.out) == (0, True)
    assert (stopped.code, "Lịch tự động đã ngừng từ" in stopped.out) == (1, True)


# --- when a round is held ------------------------------------------------------------------------------------------


def turn(folder: Path, one: Alerting, at: datetime) -> Mapping[str, datetime]:
    """Holds a round; the beats after it."""
    config = load_config(folder)
    with open_store(f"sqlite:///{folder / 'nhip.sqlite3'}") as store:
        store.sync(config.units.values(), config.channels.values(), at)
        asyncio.run(one.turn(config, store, frozen_at(at)))
        return store.beats()


def test_a_round_is_due_with_news_and_every_quarter_of_an_hour(folder: Path):
    one = Alerting("test")
    assert one.is_due(FRIDAY, news=False)
    assert turn(folder, one, FRIDAY) == {ALERTS: FRIDAY}
    assert not one.is_due(FRIDAY + 14 * MINUTE, news=False)
    assert one.is_due(FRIDAY + MINUTE, news=True)
    assert one.is_due(FRIDAY + 15 * MINUTE, news=False)


def raising(error: Exception) -> Callable[..., Any]:
    def crash(*_: Any) -> Any:
        raise error

    return crash


def test_a_bug_is_tried_again_after_a_while_and_a_busy_store_at_once(folder: Path, monkeypatch: pytest.MonkeyPatch):
    for error, again in ((ZeroDivisionError(), False), (StoreError(Trouble.LOCKED, "here", "locked"), True)):
        one = Alerting("test")
        monkeypatch.setattr(alerting, "watch", raising(error))
        with pytest.raises(type(error)):
            turn(folder, one, FRIDAY)
        assert one.is_due(FRIDAY + MINUTE, news=False) == again


def test_a_check_that_crashes_is_asked_again_in_the_next_round(folder: Path, monkeypatch: pytest.MonkeyPatch):
    one = Alerting("test")
    monkeypatch.setattr(alerting, "checked", raising(ZeroDivisionError()))
    assert turn(folder, one, FRIDAY) == {}
    monkeypatch.setattr(alerting, "checked", checked)
    assert turn(folder, one, FRIDAY + 15 * MINUTE) == {ALERTS: FRIDAY + 15 * MINUTE}
