"""kill -9 between a case and its message: no case lost, none told by halves, and a second copy says what it is."""

from __future__ import annotations

import random
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from store.records import CaseState
from store.verbs import open_store
from tests.alert_killing import RECEIVERS, REPEATED, STEPS, kill_after, kill_at, one_round, subjects_of
from tests.conftest import NewUrl
from tests.invariants import assert_invariants
from tests.store_builders import FRIDAY, hours


def assert_all_told(url: str, inbox: Path, rounds: int) -> None:
    """After one more round without a kill, everything was told and sent; of each message one copy is unmarked."""
    one_round(url, inbox, rounds, FRIDAY + hours(rounds), "next start")
    assert_invariants(url)
    with open_store(url) as store:
        cases, sent = store.cases(open_only=False), store.deliveries(FRIDAY)
        told = store.told([case.id for case in cases])
    assert sorted(case.subject for case in cases) == [name for n in range(rounds + 1) for name in subjects_of(n)]
    assert CaseState.NEW not in {case.state for case in cases}
    assert set(told) == {(case.id, receiver, "noticed") for case in cases for receiver in RECEIVERS}
    assert set(sent["state"]) == {"sent"}
    assert_honest_copies(inbox, set(sent["key"]))


def assert_honest_copies(inbox: Path, keys: set[str]) -> None:
    copies: dict[str, list[bool]] = defaultdict(list)
    for line in inbox.read_text("utf-8").splitlines():
        copies[line.removesuffix(REPEATED)].append(line.endswith(REPEATED))
    assert set(copies) == keys
    unmarked = {key: marks for key, marks in copies.items() if not all(marks[1:])}
    assert not unmarked, "a second copy that does not say so"


@pytest.mark.parametrize("step", STEPS)
def test_after_a_kill_at_any_step_the_next_round_tells_everything(step: str, store_url: str, tmp_path: Path):
    inbox = tmp_path / "inbox"
    one_round(store_url, inbox, 0, FRIDAY, "first")
    assert kill_at(step, store_url, inbox, 1, FRIDAY + hours(1), "killed") == step
    assert_invariants(store_url)
    assert_all_told(store_url, inbox, 2)


def test_a_message_that_was_sent_and_not_marked_comes_again_and_says_so(store_url: str, tmp_path: Path):
    inbox = tmp_path / "inbox"
    kill_at("before delivered", store_url, inbox, 0, FRIDAY, "killed")
    assert inbox.read_text("utf-8") == "digest/doi/0\n"
    one_round(store_url, inbox, 0, FRIDAY, "too early")
    assert inbox.read_text("utf-8").splitlines() == ["digest/doi/0", "digest/thuong-vu/0"]
    one_round(store_url, inbox, 0, FRIDAY + hours(1), "in time")
    assert inbox.read_text("utf-8").splitlines()[2:] == [f"digest/doi/0{REPEATED}"]


def test_four_who_hold_the_same_rounds_at_once_send_every_message_once(store_url: str, tmp_path: Path):
    inbox, rounds = tmp_path / "inbox", 5
    with ThreadPoolExecutor(4) as pool:
        for number in range(rounds):
            given = (store_url, inbox, number, FRIDAY + hours(number))
            list(pool.map(partial(one_round, *given), "abcd"))
    assert_all_told(store_url, inbox, rounds)
    assert REPEATED not in inbox.read_text("utf-8")


def kill_often(times: int, url: str, inbox: Path) -> None:
    """Now and then two processes at once; the longest round takes as long as the longest wait for the kill."""
    moments = random.Random(20261120)
    for number in range(times):
        given = (url, inbox, number, FRIDAY + hours(number))
        kill_after(moments.uniform(0, 0.12), *given, f"killed {number}")
        if number % 5 == 0:
            kill_after(moments.uniform(0, 0.12), *given, f"killed {number} too")
        assert_invariants(url)
    assert_all_told(url, inbox, times)


def test_kills_at_random_moments_lose_no_case_and_no_message(new_url: NewUrl, tmp_path: Path):
    kill_often(15, new_url(), tmp_path / "inbox")


@pytest.mark.soak
def test_many_more_kills_at_random_moments(new_url: NewUrl, tmp_path: Path):
    kill_often(200, new_url(), tmp_path / "inbox")
