"""`nhip run` with everything real around it: silent sites, a mail server, a watchman, a person who edits."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web

from store.records import CaseState
from store.verbs import Store, open_store
from tests.beside import beside
from tests.command_line import environment, nhip
from tests.invariants import assert_invariants
from tests.mail_server import MailServer
from tests.small_district import CHANNEL, UNIT, FeedSite, feed_site, write_config
from tests.test_run import Running, database, due_hours_ago, running, until
from tests.transport_contract import web_server

SITES = 3
ALERTS = """
ping = "http://{watchman}/nhip/mau"
[hours]
quiet_from = 00:00:00
quiet_until = 00:00:00
digest_at = 00:00:00
weekly_at = 00:00:00
[receivers.doi]
name = "Tổ truyền thông (mẫu)"
role = "team"
ways = ["email:doi@doan-mau.example"]
[smtp]
"""
A_RULE = "from alerts.base import Rule; from alerts.rules import RULES; RULES[Rule.SUSPECT] = None"
THE_CHECK = "from pipeline import alerting; alerting.checked = None"
EVERYTHING = "from pipeline import alerting; alerting.watch = None"


@contextmanager
def running_with(plant: str, folder: Path) -> Iterator[Running]:
    """`nhip run` with a fault planted where only a bug could put it."""
    start = f"import runpy; {plant}; runpy.run_module('tests.quick_run', run_name='__main__', alter_sys=True)"
    words = [sys.executable, "-c", start, "0.2", "0", "--config", str(folder), "run"]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, env=environment(), text=True, encoding="utf-8", stdout=pipe, stderr=pipe) as child:
        started = Running(child)
        try:
            yield started
        finally:
            child.kill()
            started.ended(10)


class Watchman:
    """Somebody outside who is asked after every good round."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        return web.Response(text="OK")

    def application(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/{path:.*}", self.answer)
        return app


class Town:
    """A district whose units fell silent three weeks ago, and everybody whom the program speaks to."""

    def __init__(self, folder: Path, site: FeedSite, mail: MailServer, watchman: Watchman) -> None:
        self.folder, self.site, self.mail, self.watchman = folder, site, mail, watchman

    @property
    def mails(self) -> list[str]:
        return [mail.body("plain") for mail in self.mail.mails]

    @contextmanager
    def store(self) -> Iterator[Store]:
        with open_store(database(self.folder)) as store:
            yield store

    def states(self) -> list[CaseState]:
        with self.store() as store:
            return [case.state for case in store.cases(open_only=False)]

    def beats(self) -> set[str]:
        with self.store() as store:
            return set(store.beats())

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.folder / name
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new), "utf-8")


@pytest.fixture
def town(tmp_path: Path, created_file: Path) -> Iterator[Town]:
    old = datetime.now(UTC).replace(microsecond=0) - timedelta(days=21)
    items = [("Tin tốt (mẫu)", old), ("Tin tốt (mẫu)", old - timedelta(days=40))]
    watchman = Watchman()
    with (
        feed_site(tmp_path / "site", *items) as site,
        beside(web_server(watchman.application())) as host,
        beside(MailServer(tmp_path, security="none")) as mail,
    ):
        folder = due_hours_ago(
            write_config(tmp_path / "quan", [f"{site.address}?so={number}" for number in range(SITES)])
        )
        shutil.copy(created_file, folder / "nhip.sqlite3")
        smtp = "\n".join(f"{key} = {value!r}" for key, value in mail.settings.items())
        (folder / "alerts.toml").write_text(ALERTS.replace("{watchman}", host) + smtp, "utf-8")
        town = Town(folder, site, mail, watchman)
        town.edit("district.toml", "allow = [", f'allow = ["{host}", ')
        yield town


def test_it_looks_notices_tells_beats_and_pings_and_tells_nothing_twice(town: Town):
    with running(town.folder) as run:
        until(lambda: town.mails and town.watchman.asked)
        time.sleep(1)  # a few more ticks
        assert run.stop() == 0
    (mail,) = town.mails
    assert all(f"Đoàn phường don-vi-{number}: chưa ghi nhận tin, bài mới từ ngày" in mail for number in range(SITES))
    assert town.states() == [CaseState.OPEN] * SITES
    assert town.watchman.asked == ["/nhip/mau"]
    assert town.beats() == {"schedule", "alerts"}
    assert any(f"{SITES} cảnh báo mới, 1 tin được soạn." in line for line in run.out)
    assert all(line.startswith("{") for line in run.err)
    assert_invariants(database(town.folder))


def test_two_runs_on_one_database_send_once(town: Town):
    with running(town.folder) as one, running(town.folder) as other:
        until(lambda: town.mails)
        time.sleep(1.5)
        assert (one.stop(), other.stop()) == (0, 0)
    assert len(town.mails) == 1
    assert town.states() == [CaseState.OPEN] * SITES


@pytest.mark.parametrize("plant", [A_RULE, THE_CHECK], ids=["rule", "check"])
def test_what_one_rule_breaks_keeps_the_others_telling_and_the_watchman_without_a_sign(plant: str, town: Town):
    with running_with(plant, town.folder) as run:
        until(lambda: town.mails)
        time.sleep(0.5)
        assert run.stop() == 0
    assert "chưa ghi nhận tin, bài mới" in town.mails[0]
    assert town.watchman.asked == []
    assert town.beats() == {"schedule"}
    assert run.events("alert rule crashed")
    said = nhip("--config", town.folder, "doctor")
    assert (said.code, "Việc xét cảnh báo chưa lần nào trọn vẹn." in said.out) == (1, True)


def test_alerts_that_crash_altogether_stop_no_look_and_are_told_once(town: Town):
    with running_with(EVERYTHING, town.folder) as run:
        until(lambda: run.said("Việc xét cảnh báo gặp lỗi; việc thu thập vẫn chạy."))
        time.sleep(1)  # a few more ticks
        assert run.child.poll() is None
        add_unit(town)
        until(lambda: len(run.events("look")) == SITES + 1)
        assert run.stop() == 0
    assert len(run.events("alerts crashed")) == 2  # once with each round of looks, not on every tick
    assert (town.mails, town.watchman.asked) == ([], [])


def add_unit(town: Town) -> None:
    """One more silent unit, whose website is due at once."""
    for name, text in (
        ("units.toml", UNIT.format(slug="don-vi-moi")),
        ("channels.toml", CHANNEL.format(slug="trang-moi", unit="don-vi-moi", address=f"{town.site.address}?so=moi")),
    ):
        path = town.folder / name
        path.write_text(f"{path.read_text('utf-8')}\n{text}", "utf-8")


def test_an_edit_while_it_runs_counts_from_the_next_round_on_and_a_broken_one_never(town: Town):
    good = (town.folder / "alerts.toml").read_text("utf-8")
    town.edit("alerts.toml", 'role = "team"', 'role = "unit"\nunit = "don-vi-0"')  # told from the third day on
    with running(town.folder) as run:
        until(lambda: "alerts" in town.beats())
        town.edit("alerts.toml", 'role = "unit"', 'role = "doi"')
        until(lambda: run.said("Cấu hình mới chưa dùng được, tạm giữ cấu hình cũ"))
        assert set(town.states()) == {CaseState.NEW}
        (town.folder / "alerts.toml").write_text(good, "utf-8")
        add_unit(town)
        until(lambda: town.mails)
        assert run.stop() == 0
    assert "chưa ghi nhận tin, bài mới" in town.mails[0]


def test_a_mail_server_that_is_down_holds_up_nothing_and_gets_the_message_later(town: Town):
    town.mail.at_mail = "451 thử lại sau"
    with running(town.folder) as run:
        until(lambda: town.watchman.asked)
        assert run.stop() == 0
    assert town.mails == []
    with town.store() as store:
        (state,) = store.deliveries(datetime.now(UTC) - timedelta(hours=1))["state"]
        assert (state, store.outbox_state(datetime.now(UTC)).waiting) == ("waiting", 1)


def test_a_watchman_who_does_not_answer_is_no_trouble_of_ours(town: Town):
    town.edit("alerts.toml", "/nhip/mau", ":9/nhip")
    town.edit("alerts.toml", 'ping = "http://', 'ping = "http://127.0.0.1:9/" # ')
    with running(town.folder) as run:
        until(lambda: town.mails)
        until(lambda: "alerts" in town.beats())
        assert run.stop() == 0
    assert town.watchman.asked == []
