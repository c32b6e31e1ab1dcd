"""A process that renews a token and can be killed at a named step, or at any moment."""

from __future__ import annotations

import asyncio
import functools
import multiprocessing
import time
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from collectors.base import CollectError
from collectors.client import Client
from pipeline.clock import frozen_at
from pipeline.keyring import Keyring
from pipeline.outfit import open_client
from store.tokens import Tokens
from store.vault import Vault
from store.verbs import open_store
from tests.token_server import CONSENTS, config_for

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.token_killing"])

STEPS = ("before hold", "held", "request sent", "answered", "before commit", "inside commit", "committed")
"""Every place where a process that dies could lose a token; «inside commit» dies with its rows written."""


def open_once(folder: Path, url: str, base: str, environ: dict[str, str], now: datetime) -> str:
    """What a look gets: the access token, or the kind of its failure."""
    config = config_for(folder, base, deadline=5)

    async def go() -> str:
        async with open_client(config, frozen_at(now)) as client:
            keyring = Keyring(store, Vault(folder, environ), config, client, frozen_at(now), CONSENTS, environ=environ)
            creds = await keyring.open("tiktok", "kenh-mot")
            return creds.access.reveal() if creds.access else ""

    with open_store(url) as store:
        try:
            return asyncio.run(go())
        except CollectError as error:
            return error.kind.value


class Steps:
    """Stops for ever when the wanted step is reached, after telling the parent."""

    def __init__(self, wanted: str, parent: Connection) -> None:
        self._wanted, self._parent, self._rotating = wanted, parent, False

    def reach(self, step: str) -> None:
        if step == self._wanted:
            self._parent.send(step)
            time.sleep(60)

    def around(self, verb: str, before: str, after: str) -> None:
        original = getattr(Tokens, verb)

        @functools.wraps(original)
        def wrapped(*given: Any) -> Any:
            self.reach(before)
            self._rotating = verb == "rotate"
            answer = original(*given)
            self.reach(after)
            return answer

        setattr(Tokens, verb, wrapped)

    def around_request(self) -> None:
        original = Client._exchange

        async def wrapped(client: Client, *given: Any) -> Any:
            if self._wanted != "request sent":
                answer = await original(client, *given)
                self.reach("answered")
                return answer
            asking = asyncio.create_task(original(client, *given))
            await asyncio.sleep(0.2)
            self.reach("request sent")
            return await asking

        setattr(Client, "_exchange", wrapped)  # noqa: B010 - a wrapper has another signature than the method

    def watch_sql(self) -> None:
        def committing(_: Any) -> None:
            if self._rotating:
                self.reach("inside commit")

        event.listen(Engine, "commit", committing)


def _child(step: str, parent: Connection, *given: Any) -> None:
    steps = Steps(step, parent)
    steps.around("hold", "before hold", "held")
    steps.around("rotate", "before commit", "committed")
    steps.around_request()
    steps.watch_sql()
    parent.send("started")
    parent.send(open_once(*given))


def start(step: str, *given: Any) -> tuple[Any, Connection]:
    ours, theirs = CONTEXT.Pipe(duplex=False)
    child = CONTEXT.Process(target=_child, args=(step, theirs, *given))
    child.start()
    theirs.close()
    return child, ours


def kill_at(step: str, *given: Any) -> str:
    """Lets a process run until *step* and kills it there; the last thing it said."""
    child, pipe = start(step, *given)
    said = [pipe.recv() for _ in range(2) if pipe.poll(30)]
    _kill(child)
    return str(said[-1])


def kill_after(seconds: float, *given: Any) -> None:
    """Kills a process some time after it started its work."""
    child, pipe = start("", *given)
    pipe.recv()
    time.sleep(seconds)
    _kill(child)


def _kill(child: Any) -> None:
    child.kill()
    child.join(10)
