"""A process that opens, tells and sends like a round of the alerts, and can be killed at a named step or any moment.

What it sends goes into a file, one line per message with its key, as into an inbox that nobody can empty.
"""

from __future__ import annotations

import functools
import multiprocessing
import os
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from store.records import CaseState, Delivery
from store.verbs import Store, open_store
from tests.case_builders import OFFICE, a_draft, a_turn, an_opening

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.alert_killing"])

LEASE = timedelta(minutes=10)
RECEIVERS = ("doi", "thuong-vu")
VERBS = ("open_cases", "turn_cases", "enqueue", "take_deliveries", "delivered")
STEPS = tuple(f"{place} {verb}" for verb in VERBS for place in ("before", "inside", "after"))
"""«inside» dies with all its rows written, right before they are committed."""
REPEATED = " (gửi lại)"


def subjects_of(number: int) -> list[str]:
    """What is wrong in one round: things that an office settles a round later (the even ones), and that stay."""
    return [f"don-vi-{number:03}-{n}" for n in range(4)]


def one_round(url: str, inbox: Path, number: int, now: datetime, owner: str) -> None:
    """Everything that is wrong by now, told to everybody in one digest each, and sent."""
    with open_store(url) as store:
        known = {case.subject for case in store.cases(open_only=False)}
        wrong = [name for n in range(number + 1) for name in subjects_of(n) if name not in known]
        store.open_cases([an_opening(name, now) for name in wrong], now)
        _settle(store, subjects_of(number - 1), now)
        _tell(store, number, now)
        while taken := store.take_deliveries(owner, now, LEASE, 1):
            for one in taken:
                send(inbox, one)
                store.delivered(one, now)


def _settle(store: Store, names: Iterable[str], now: datetime) -> None:
    even = [case for case in store.cases() if case.subject in names and int(case.subject[-1]) % 2 == 0]
    told = [case for case in even if case.state is CaseState.OPEN]
    store.turn_cases([a_turn(case, CaseState.RESOLVED, now, OFFICE) for case in told], now)


def _tell(store: Store, number: int, now: datetime) -> None:
    standing = store.cases(open_only=False)
    told = store.told([case.id for case in standing])
    drafts = []
    for receiver in RECEIVERS:
        lines = [(case.id, "noticed") for case in standing if (case.id, receiver, "noticed") not in told]
        drafts += [a_draft(f"digest/{receiver}/{number}", *lines)] if lines else []
    new = [case for case in standing if case.state is CaseState.NEW]
    store.enqueue(drafts, [a_turn(case, CaseState.OPEN, now) for case in new], now)


def send(inbox: Path, one: Delivery) -> None:
    line = f"{one.key}{REPEATED if one.doubtful else ''}\n"
    handle = os.open(inbox, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(handle, line.encode())
    finally:
        os.close(handle)


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

    def watch_commits(self) -> None:
        event.listen(Engine, "commit", lambda _: self.reach(f"inside {self._doing}"))


def _child(step: str, parent: Connection, *given: Any) -> None:
    steps = Steps(step, parent)
    for verb in VERBS:
        steps.around(verb)
    steps.watch_commits()
    parent.send("started")
    one_round(*given)
    parent.send("ended")


def kill_at(step: str, *given: Any) -> str:
    """Lets a process run until *step* and kills it there; the last thing it said."""
    child, pipe = _start(step, *given)
    said = [pipe.recv() for _ in range(2) if pipe.poll(30)]
    _kill(child)
    return str(said[-1])


def kill_after(seconds: float, *given: Any) -> None:
    """Kills a process some time after it started its work."""
    child, pipe = _start("", *given)
    pipe.recv()
    time.sleep(seconds)
    _kill(child)


def _start(step: str, *given: Any) -> tuple[Any, Connection]:
    ours, theirs = CONTEXT.Pipe(duplex=False)
    child = CONTEXT.Process(target=_child, args=(step, theirs, *given))
    child.start()
    theirs.close()
    return child, ours


def _kill(child: Any) -> None:
    child.kill()
    child.join(10)
