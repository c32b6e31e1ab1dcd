"""Whole turns of the alerts in a process that can be killed at a named step or any moment.

Rules that say what the test wants, and else the real thing: configuration, round, ladder, outbox, delivery, SMTP.
"""

from __future__ import annotations

import asyncio
import functools
import multiprocessing
import time
from contextlib import suppress
from datetime import datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from alerts import rules
from alerts.base import Finding, Rule
from alerts.transports.email import EmailTransport
from alerts.watched import Watched
from config.load import load_config
from pipeline.alerting import Alerting, Told
from pipeline.clock import frozen_at
from store.verbs import Store, open_store

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.alerting_killing"])

START = datetime.fromisoformat("2026-03-03T08:00:00+07:00")
"""A Tuesday, at an hour at which digests leave."""
DAY = timedelta(days=1)
VERBS = ("open_cases", "turn_cases", "enqueue", "take_deliveries", "delivered", "beat")
STEPS = (
    *(f"{place} {verb}" for verb in VERBS for place in ("before", "inside", "after")),
    "before sending",
    "after sending",
)
"""«inside» dies with all its rows written, right before they are committed."""
LASTS = 3
"""Days after which every second unit publishes again."""


def units_of(day: int) -> list[str]:
    """The units whose silence comes to its end on a day: one that publishes again soon, and one that does not."""
    return [f"don-vi-{2 * day}", f"don-vi-{2 * day + 1}"]


def silent_on(day: int) -> list[str]:
    fresh = [units_of(since) for since in range(day + 1)]
    return [two[1] for two in fresh] + [two[0] for since, two in enumerate(fresh) if day - since < LASTS]


def plant(day: int) -> None:
    """The rules of this process find who is silent on a day, and nothing else."""

    def find(watched: Watched) -> list[Finding]:
        return [
            Finding(
                Rule.QUIET, unit, START - DAY, {"unit": unit, "unit_name": unit, "channels": [], "due": "2026-03-01"}
            )
            for unit in silent_on(day)
        ]

    assert isinstance(rules.RULES, dict)
    found = {rule: find if rule is Rule.QUIET else lambda _: [] for rule in Rule}
    rules.RULES.update({rule: rules.Check(found[rule], lambda watched, _: watched.as_of) for rule in Rule})


def one_turn(folder: Path, url: str, day: int, owner: str) -> Told:
    """What `nhip alert send` does on a day of the test."""
    plant(day)
    config, now = load_config(folder), START + day * DAY
    with open_store(url) as store:
        store.sync(config.units.values(), config.channels.values(), now)
        return asyncio.run(Alerting(owner).turn(config, store, frozen_at(now)))


class Steps:
    """Stops for ever when the wanted step is reached, after telling the parent."""

    def __init__(self, wanted: str, parent: Connection) -> None:
        self._wanted, self._parent, self._doing = wanted, parent, ""

    def reach(self, step: str) -> None:
        if step == self._wanted:
            self._parent.send(step)
            time.sleep(60)

    def around(self, verb: str) -> None:
        original = getattr(Store, verb)

        @functools.wraps(original)
        def wrapped(*given: Any, **more: Any) -> Any:
            self.reach(f"before {verb}")
            self._doing = verb
            answer = original(*given, **more)
            self._doing = ""
            self.reach(f"after {verb}")
            return answer

        setattr(Store, verb, wrapped)

    def around_sending(self) -> None:
        original = EmailTransport.send

        async def wrapped(transport: EmailTransport, *given: Any) -> None:
            self.reach("before sending")
            await original(transport, *given)
            self.reach("after sending")

        setattr(EmailTransport, "send", wrapped)  # noqa: B010 - a wrapper has another signature than the method

    def watch_commits(self) -> None:
        event.listen(Engine, "commit", lambda _: self.reach(f"inside {self._doing}"))


def _child(step: str, parent: Connection, *given: Any) -> None:
    steps = Steps(step, parent)
    for verb in VERBS:
        steps.around(verb)
    steps.around_sending()
    steps.watch_commits()
    parent.send("started")
    one_turn(*given)
    parent.send("ended")


def _start(step: str, *given: Any) -> tuple[Any, Connection]:
    ours, theirs = CONTEXT.Pipe(duplex=False)
    child = CONTEXT.Process(target=_child, args=(step, theirs, *given))
    child.start()
    theirs.close()
    return child, ours


def kill_at(step: str, *given: Any) -> str:
    """Lets a process run until *step* and kills it there; the last thing it said."""
    child, pipe = _start(step, *given)
    said = [pipe.recv() for _ in range(2) if pipe.poll(30)]
    child.kill()
    child.join(10)
    return str(said[-1])


def kill_after(seconds: float, *given: Any) -> str:
    """Kills a process some time after it started its work; the last thing it said."""
    child, pipe = _start("", *given)
    said = pipe.recv()
    time.sleep(seconds)
    child.kill()
    child.join(10)
    with suppress(EOFError):
        said = pipe.recv()
    return str(said)


def side_by_side(count: int, folder: Path, url: str, days: range) -> list[int]:
    """So many processes hold the same turns at once; their exit codes."""
    given = [(folder, url, days, f"one of many {number}") for number in range(count)]
    running = [CONTEXT.Process(target=_turns, args=one) for one in given]
    for child in running:
        child.start()
    for child in running:
        child.join(60)
    return [child.exitcode if child.exitcode is not None else -1 for child in running]


def _turns(folder: Path, url: str, days: range, owner: str) -> None:
    for day in days:
        one_turn(folder, url, day, owner)
