"""kill -9 anywhere in a turn of the alerts, against a real mail server: no alert lost, no second copy unmarked."""

from __future__ import annotations

import random
import re
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from alerts.delivery import REPEATED
from store.records import CaseState
from store.verbs import open_store
from tests.alerting_killing import DAY, START, STEPS, kill_after, kill_at, side_by_side, units_of
from tests.beside import beside
from tests.conftest import NewUrl
from tests.invariants import assert_invariants
from tests.mail_server import Mail, MailServer
from tests.small_district import CHANNEL, DISTRICT, UNIT

KEY = re.compile(r"^Mã tin: (.+)$", re.MULTILINE)
LADDER = [("noticed", "doi"), ("remind", "the unit itself"), ("report", "thuong-vu")]
BEGUN = 3
SENT_AND_NOT_MARKED = {"after sending", "before delivered", "inside delivered"}
CALM_DAYS = 3
"""Days without kills at the end: everything that lies behind is caught up with."""
ALERTS = """
[ladders]
quiet = [
  {{ day = 0, name = "noticed", to = ["team"] }},
  {{ day = 1, name = "remind", to = ["unit"] }},
  {{ day = 2, name = "report", to = ["committee"] }},
]
[receivers.doi]
name = "Tổ truyền thông (mẫu)"
role = "team"
ways = ["email:doi@doan-mau.example"]
[receivers.thuong-vu]
name = "Ban Thường vụ (mẫu)"
role = "committee"
ways = ["email:thuong-vu@doan-mau.example"]
{units}
[smtp]
{smtp}
"""
RECEIVER = '[receivers.{slug}]\nname = "Đoàn (mẫu)"\nrole = "unit"\nunit = "{slug}"\n'
RECEIVER += 'ways = ["email:{slug}@doan-mau.example"]\n'


@dataclass
class Post:
    """A district, its database, and all the mail that ever arrived."""

    folder: Path
    url: str
    server: MailServer
    days: int = 0
    first: int = 0
    """From which day on its mail arrives at this server."""

    def calm(self, days: int, processes: int = 1) -> None:
        """Days without a kill, on which so many processes hold the same turns."""
        assert side_by_side(processes, self.folder, self.url, range(self.days, self.days + days)) == [0] * processes
        self.days += days

    def copies(self) -> dict[str, list[bool]]:
        """Key -> of every copy in order, whether it says that it may be one."""
        found: dict[str, list[bool]] = defaultdict(list)
        for mail in self.server.mails:
            text = mail.body("plain")
            found[key_of(mail)].append(REPEATED in text)
        return found

    def assert_all_told(self) -> None:
        """After some calm days everybody was told everything, in order, and each message has one unmarked copy."""
        self.calm(CALM_DAYS)
        assert_invariants(self.url)
        with open_store(self.url) as store:
            cases, sent = store.cases(open_only=False), store.deliveries(START)
            told = store.told([case.id for case in cases])
        opened = Counter(case.subject for case in cases)
        assert {f"don-vi-{2 * day + 1}" for day in range(self.days)} <= set(opened)
        assert set(opened.values()) == {1}
        heard = defaultdict(set)
        for number, receiver, step in told:
            heard[number].add((step, receiver))
        for case in cases:
            self._assert_heard(case.subject, case.state, heard[case.id])
        assert set(sent["state"]) == {"sent"}
        self._assert_honest_copies(set(sent.loc[sent["created_at"] >= START + self.first * DAY, "key"]))

    def _assert_heard(self, subject: str, state: CaseState, heard: set[tuple[str, str]]) -> None:
        day, stays = int(subject.rpartition("-")[2]) // 2, int(subject.rpartition("-")[2]) % 2 == 1
        whole = [(step, subject if receiver == "the unit itself" else receiver) for step, receiver in LADDER]
        if stays:
            age = self.days - 1 - day
            assert state is CaseState.OPEN
            assert heard == set(whole[: age + 1]), (subject, age)
            return
        climbed = {line for line in heard if line[0] != "back"}
        assert climbed == set(whole[: len(climbed)]), subject
        if state is CaseState.RESOLVED:
            assert {who for step, who in heard if step == "back"} == {who for _, who in climbed}, subject

    def _assert_honest_copies(self, keys: set[str]) -> None:
        copies = self.copies()
        assert set(copies) == keys
        assert {key: marks for key, marks in copies.items() if not all(marks[1:])} == {}
        went = {(mail.receivers[0].partition("@")[0], key_of(mail)) for mail in self.server.mails}
        assert [pair for pair in went if pair[1].split("/")[1] != pair[0]] == []


def key_of(mail: Mail) -> str:
    return str(KEY.findall(mail.body("plain"))[-1])


@pytest.fixture
def post(tmp_path: Path, store_url: str) -> Iterator[Post]:
    with beside(MailServer(tmp_path, security="none")) as server:
        yield new_post(tmp_path, store_url, server, 12)


def new_post(tmp_path: Path, url: str, server: MailServer, days: int) -> Post:
    folder = tmp_path / "quan"
    folder.mkdir()
    units = [unit for day in range(days) for unit in units_of(day)]
    smtp = "\n".join(f"{key} = {value!r}" for key, value in server.settings.items())
    (folder / "district.toml").write_text(DISTRICT.replace("{allow}", ""), "utf-8")
    (folder / "units.toml").write_text("\n".join(UNIT.format(slug=unit) for unit in units), "utf-8")
    channel = CHANNEL.format(slug="trang", unit="don-vi-0", address="http://127.0.0.1:9/")
    (folder / "channels.toml").write_text(channel, "utf-8")
    receivers = "\n".join(RECEIVER.format(slug=unit) for unit in units)
    (folder / "alerts.toml").write_text(ALERTS.format(units=receivers, smtp=smtp), "utf-8")
    return Post(folder, url, server)


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory, created_file: Path) -> Path:
    """The store after some days, from where on there are cases to open, to turn and to end."""
    folder = tmp_path_factory.mktemp("begun")
    shutil.copy(created_file, folder / "store.sqlite3")
    with beside(MailServer(folder, security="none")) as server:
        new_post(folder, f"sqlite:///{folder / 'store.sqlite3'}", server, BEGUN).calm(BEGUN)
    return folder / "store.sqlite3"


@pytest.mark.parametrize("step", STEPS)
def test_after_a_kill_at_any_step_the_next_days_tell_everything(step: str, tmp_path: Path, begun: Path):
    shutil.copy(begun, tmp_path / "store.sqlite3")
    with beside(MailServer(tmp_path, security="none")) as server:
        post = new_post(tmp_path, f"sqlite:///{tmp_path / 'store.sqlite3'}", server, 8)
        post.days = post.first = BEGUN
        assert kill_at(step, post.folder, post.url, post.days, "killed") == step
        assert_invariants(post.url)
        post.days += 1
        post.assert_all_told()
        again = [key for key, marks in post.copies().items() if len(marks) > 1]
    assert again or step not in SENT_AND_NOT_MARKED
    assert not again or step.endswith(("delivered", "sending"))


def test_two_processes_that_hold_the_same_turns_send_every_message_once(post: Post):
    for _ in range(4):
        post.calm(1, processes=2)
    post.assert_all_told()
    assert {len(marks) for marks in post.copies().values()} == {1}


def kill_often(post: Post, times: int) -> Counter[str]:
    """How the killed turns had ended; now and then two processes are killed on one day."""
    moments = random.Random(20261120)
    ends: Counter[str] = Counter()
    for number in range(times):
        for owner in ("killed", "killed too")[: 1 + (number % 5 == 0)]:
            ends[kill_after(moments.uniform(0, 0.8), post.folder, post.url, post.days, f"{owner} {number}")] += 1
        assert_invariants(post.url)
        post.days += 1
    return ends


def report(post: Post, ends: Counter[str]) -> Sequence[tuple[str, int]]:
    copies = post.copies()
    return [
        ("days", post.days),
        ("killed", ends["started"]),
        ("ended before the kill", ends["ended"]),
        ("messages", len(copies)),
        ("copies", sum(map(len, copies.values()))),
        ("copies that say so", sum(sum(marks) for marks in copies.values())),
    ]


def test_kills_at_random_moments_lose_no_alert(tmp_path: Path, created_file: Path):
    url = f"sqlite:///{tmp_path / 'store.sqlite3'}"
    (tmp_path / "store.sqlite3").write_bytes(created_file.read_bytes())
    with beside(MailServer(tmp_path, security="none")) as server:
        post = new_post(tmp_path, url, server, 30)
        ends = kill_often(post, 10)
        post.assert_all_told()
    assert ends["started"] >= 3


@pytest.mark.soak
def test_two_hundred_kills_lose_no_alert(tmp_path: Path, new_url: NewUrl, record_testsuite_property: Any):
    with beside(MailServer(tmp_path, security="none")) as server:
        post = new_post(tmp_path, new_url(), server, 210)
        ends = kill_often(post, 200)
        post.assert_all_told()
    record_testsuite_property("kills", dict(report(post, ends)))
    assert ends["started"] >= 50
