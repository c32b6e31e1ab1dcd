"""Who is quiet by what the store knows, also while other processes write into it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Connection, insert, select

from alerts.base import Rule
from alerts.rules import RULES
from config.models import Config
from metrics.quiet import looks_needed, stretches
from pipeline.silence import silence
from store import schema
from store.records import Case, CaseState
from store.verbs import Store, open_store
from tests.case_builders import open_case, turn
from tests.metric_builders import at, channel, unit
from tests.store_builders import FRIDAY, UNIT, a_channel, a_failure, a_post, days, hours, look, see
from tests.test_alert_rules import watched
from tests.test_quiet import REELS, district

LAST = FRIDAY - days(12)
LONG = {"coverage_from": FRIDAY - days(20)}
KINDS = {"ward": {"name": "Phường"}}


def with_channels(store: Store, *slugs: str) -> Config:
    config = district(units=[UNIT], channels=[a_channel(slug) for slug in slugs], kinds=KINDS)
    store.sync(config.units.values(), config.channels.values(), FRIDAY - days(30))
    return config


def state_of(config: Config, store: Any, now: datetime = FRIDAY, cases: tuple[Case, ...] = ()) -> Any:
    return silence(config, store, now, cases).set_index("kind").loc["unit"]


def test_the_store_answers_with_what_quiet_asks_for(store: Store):
    config = with_channels(store, "k", "t")
    see(store, "k", [a_post("1", LAST)], FRIDAY - days(9))
    seen = [a_post("1", LAST), a_post("2", FRIDAY - days(2), is_share=True)]
    see(store, "k", seen, FRIDAY - hours(2), **LONG, notes=(REELS,))
    see(store, "t", [], FRIDAY - hours(2), **LONG)
    look(store, "t", a_failure(), FRIDAY)
    assert silence(config, store, FRIDAY - days(8), [])["state"].tolist() == ["active", "active", "unknown"]
    answer = silence(config, store, FRIDAY, [])
    assert answer["state"].tolist() == ["quiet"] * 3
    assert answer["last_post_at"].tolist() == [LAST] * 2 + [pd.NaT]
    assert answer["notes"].tolist() == [(REELS,), (REELS,), ()]


class Meanwhile:
    """A store in which somebody else does something right before a verb is used for the first time."""

    def __init__(self, store: Store, verb: str, act: Callable[[], object]) -> None:
        self._store, self._verb, self._act = store, verb, act

    def __getattr__(self, name: str) -> Any:
        if name == self._verb:
            self._verb = ""
            self._act()
        return getattr(self._store, name)


@pytest.mark.parametrize("verb", ["last_posts", "looks", "posts"])
def test_a_look_recorded_while_we_read_proves_nothing_without_its_post(store: Store, verb: str):
    config = with_channels(store, "k")
    see(store, "k", [a_post("1", LAST)], FRIDAY - days(9), **LONG)

    def record() -> None:
        posts = [a_post("1", LAST), a_post("2", FRIDAY - hours(2))]
        see(store, "k", posts, FRIDAY - timedelta(seconds=30), **LONG)

    assert state_of(config, Meanwhile(store, verb, record))["state"] == "active"


def snoozed(store: Store, first: datetime, until: datetime, woken: datetime | None = None) -> Case:
    case = open_case(store, UNIT.slug, first)
    case = turn(store, case, CaseState.SNOOZED, first, "Ban Tuyên giáo (mẫu)", snoozed_until=until)
    return case if woken is None else turn(store, case, CaseState.OPEN, woken)


@pytest.mark.parametrize(("woken", "due"), [(days(5), "2026-11-22 00:00"), (days(7), "2026-11-20 00:00")])
def test_the_days_of_a_snooze_that_ended_do_not_count_afterwards(store: Store, woken: timedelta, due: str):
    """An older post came to light while the case was open: its clock leaves out what was snoozed."""
    config = with_channels(store, "k")
    see(store, "k", [a_post("1", FRIDAY - days(12))], FRIDAY - hours(2), **LONG)
    case = snoozed(store, FRIDAY - days(9), FRIDAY - days(5), FRIDAY - woken)
    assert case.state is CaseState.OPEN
    row = state_of(config, store, cases=(case,))
    assert (row["due_at"], row["state"]) == (at(due), "active" if at(due) > FRIDAY else "quiet")
    assert state_of(config, store)["due_at"] == at("2026-11-17 00:00")


def test_a_snooze_that_lasts_lets_the_unit_rest(store: Store):
    config = with_channels(store, "k")
    see(store, "k", [a_post("1", FRIDAY - days(16))], FRIDAY - hours(2), **LONG)
    case = snoozed(store, FRIDAY - days(1), FRIDAY + days(5))
    assert state_of(config, store, cases=(case,))["state"] == "resting"


def test_with_more_looks_the_proof_is_shown_as_far_as_it_reaches(store: Store):
    config = with_channels(store, "k")
    see(store, "k", [a_post("1", FRIDAY - days(25))], FRIDAY - days(24))
    for ago in range(23, -1, -1):
        see(store, "k", [], FRIDAY - days(ago), coverage_from=FRIDAY - days(ago + 2))
    (needed,) = looks_needed(config, store.last_posts(stretches(config, FRIDAY), FRIDAY), no_snoozes(), FRIDAY)
    assert FRIDAY - days(12) < needed < FRIDAY - days(8)
    near, far = silence(config, store, FRIDAY, []), silence(config, store, FRIDAY, [], back=days(60))
    assert near["state"].tolist() == far["state"].tolist() == ["quiet"] * 2
    assert far["proved_from"].tolist() == [FRIDAY - days(25)] * 2
    assert (near["proved_from"] > far["proved_from"]).all()


def no_snoozes() -> pd.DataFrame:
    frame = pd.DataFrame(columns=["subject", "start", "until"])
    return frame.assign(**{name: pd.to_datetime(frame[name], utc=True) for name in ("start", "until")})


def test_a_silence_whose_looks_stop_is_unsure_and_keeps_its_case(store: Store):
    """From the store to the rule: what was sure on one day is not any more when nobody can look."""
    config = with_channels(store, "k")
    see(store, "k", [a_post("1", LAST)], FRIDAY - hours(2), **LONG)

    def finding(now: datetime) -> Any:
        (one,) = RULES[Rule.QUIET].find(watched(config, now, quiet=silence(config, store, now, [])))
        return one

    first, later = finding(FRIDAY), finding(FRIDAY + days(3))
    assert (first.sure, later.sure) == (True, False)
    assert first.since == later.since
    assert first.facts["silent_days"] == later.facts["silent_days"] == 12


def test_a_country_that_fell_silent_is_judged_in_seconds(created_file: Path, tmp_path: Path):
    """Sixteen thousand channels with two looks a day and not one post, over the months that a look may reach back."""
    count, now = 330, at("2026-10-20 07:00")
    channels = [channel(f"c{n}-{m}", unit=f"u{n}") for n in range(count) for m in range(5)]
    config = district(units=[unit(f"u{n}") for n in range(count)], channels=channels)
    file = tmp_path / "silent.sqlite3"
    file.write_bytes(created_file.read_bytes())
    with open_store(f"sqlite:///{file}") as store:
        store.sync(config.units.values(), config.channels.values(), at("2026-07-01"))
        store.database.write(look_at_all)
        begun = time.process_time()
        found = silence(config, store, now, [])
        assert time.process_time() - begun < 2
    assert set(found["state"]) == {"quiet"}


def look_at_all(connection: Connection) -> None:
    moments = [
        at(f"{day:%Y-%m-%d} {hour}") for day in pd.date_range("2026-09-01", "2026-10-19") for hour in ("06:30", "18:30")
    ]
    moments = [*moments, at("2026-10-20 06:30")]
    ids = connection.execute(select(schema.channel.c.id)).scalars().all()
    rows = [
        {
            "channel_id": one, "slot": moment, "state": "done", "attempt": 1, "started_at": moment,
            "finished_at": moment, "outcome": "ok", "complete": True, "coverage_from": moment - days(2), "notes": "[]",
        }
        for one in ids
        for moment in moments
    ]  # fmt: skip
    connection.execute(insert(schema.look), rows)
