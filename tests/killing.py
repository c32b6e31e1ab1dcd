"""A collecting process that can be killed at a named phase or at any moment.

The child is forked from a server that has everything imported, so that a hundred kills take seconds. It runs
the real jobs; wrappers around the real steps tell the parent which phase was reached.
"""

from __future__ import annotations

import asyncio
import functools
import multiprocessing
import time
from collections.abc import Callable
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from collectors.client import Client
from config.load import load_config
from pipeline import checking, jobs
from pipeline.clock import frozen_at
from store.verbs import Store, open_store

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.killing"])

PHASES = (
    "synced",
    "before take",
    "take before commit",
    "taken",
    "asked the site",
    "site answered",
    "before record",
    "record after first rows",
    "record before commit",
    "recorded",
    "labels before commit",
    "labelled",
)
"""Every place where a process that dies could leave something half-done."""


def collect_round(folder: Path, url: str, now: datetime, owner: str) -> int:
    """What `nhip run` does on one tick, at a given moment; returns how many looks were stored."""
    config = load_config(folder)
    with open_store(url) as store:
        store.sync(config.units.values(), config.channels.values(), now)
        slots, _ = jobs.due_slots(config, store, now)
        collection = asyncio.run(jobs.collect(config, store, slots, frozen_at(now), owner=owner))
        checking.label_new_posts(config, store, now)
        return len(collection.results)


class Phases:
    """Stops for ever when the wanted phase is reached, after telling the parent."""

    def __init__(self, wanted: str, parent: Connection) -> None:
        self._wanted, self._parent = wanted, parent
        self.doing = ""

    def reach(self, phase: str) -> None:
        if phase == self._wanted:
            self._parent.send(phase)
            time.sleep(60)

    def around(self, owner: Any, verb: str, before: str | None, after: str | None, doing: str = "") -> None:
        original = getattr(owner, verb)

        @functools.wraps(original)
        def wrapped(*args: Any, **options: Any) -> Any:
            if before:
                self.reach(before)
            self.doing = doing
            answer = original(*args, **options)
            self.doing = ""
            if after:
                self.reach(after)
            return answer

        setattr(owner, verb, wrapped)

    def around_get(self) -> None:
        original = Client.get

        async def wrapped(client: Client, *args: Any, **options: Any) -> Any:
            self.reach("asked the site")
            answer = await original(client, *args, **options)
            self.reach("site answered")
            return answer

        setattr(Client, "get", wrapped)  # noqa: B010 - a wrapper has another signature than the method

    def watch_sql(self) -> None:
        def executed(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            if self.doing == "record" and statement.startswith(("INSERT INTO post", "INSERT INTO snapshot")):
                self.reach("record after first rows")

        event.listen(Engine, "after_cursor_execute", executed)
        event.listen(Engine, "commit", lambda _c: self.reach(f"{self.doing} before commit"))


def _child(phase: str, parent: Connection, folder: Path, url: str, now: datetime, owner: str) -> None:
    phases = Phases(phase, parent)
    phases.around(Store, "sync", None, "synced")
    phases.around(Store, "take", "before take", "taken", doing="take")
    phases.around(Store, "record", "before record", "recorded", doing="record")
    phases.around(Store, "replace_rule_labels", None, "labelled", doing="labels")
    phases.around_get()
    phases.watch_sql()
    parent.send("started")
    collect_round(folder, url, now, owner)
    parent.send("ended")


def start(phase: str, folder: Path, url: str, now: datetime, owner: str) -> tuple[Any, Connection]:
    """The child and the pipe on which it tells «started», the phase it stopped at, or «ended»."""
    ours, theirs = CONTEXT.Pipe(duplex=False)
    child = CONTEXT.Process(target=_child, args=(phase, theirs, folder, url, now, owner))
    child.start()
    theirs.close()
    return child, ours


def kill_at(phase: str, folder: Path, url: str, now: datetime) -> str:
    """Let a child run until *phase*, kill it there; returns the last thing it said."""
    return _kill(start(phase, folder, url, now, f"killed at {phase}"), lambda said: said == phase, 30)


def kill_after(seconds: float, folder: Path, url: str, now: datetime) -> str:
    """Kill a child some time after it started its work."""
    child, pipe = start("", folder, url, now, f"killed after {seconds}")
    _wait(pipe, lambda said: said == "started", 30)
    time.sleep(seconds)
    return _kill((child, pipe), lambda _: True, 0)


def _kill(running: tuple[Any, Connection], reached: Callable[[str], bool], seconds: float) -> str:
    child, pipe = running
    said = _wait(pipe, reached, seconds)
    child.kill()
    child.join(10)
    return said


def _wait(pipe: Connection, reached: Callable[[str], bool], seconds: float) -> str:
    said, end = "", time.monotonic() + seconds
    while pipe.poll(max(0.0, end - time.monotonic())):
        try:
            said = str(pipe.recv())
        except EOFError:
            return said
        if reached(said) or said == "ended":
            return said
    return said
