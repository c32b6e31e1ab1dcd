"""Small worlds, a clock that moves when told, and one simulated platform behind a real loopback port."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from aiohttp import web

from pipeline.demo.strict import Diary
from pipeline.demo.world import DAY, Account, Counts, Item, Spell, Trouble, World

REDIRECT = "https://doan-mau.example/xong"
PAYLOADS = Path(__file__).parent / "payloads"
START = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ALWAYS = (START + timedelta(seconds=1), NOW + 400 * DAY)
"""From just after the first tokens were given."""


@dataclass
class Clock:
    """The simulated moment."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Simulated:
    """A running platform: ask it, and read what it wrote down."""

    netloc: str
    clock: Clock
    diary: Diary
    headers: dict[str, str] = field(default_factory=dict)
    """Sent with every request."""
    query: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, headers: Mapping[str, str] | None = None, /, **query: object) -> Reply:
        asked = urlencode(self.query | {name: str(value) for name, value in query.items()})
        return self._ask("GET", f"{path}?{asked}" if asked else path, headers)

    def form(self, path: str, headers: Mapping[str, str] | None = None, /, **fields: object) -> Reply:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._ask("POST", path, {**kind, **(headers or {})}, urlencode(fields))

    def post(self, path: str, body: object, **query: object) -> Reply:
        return self._ask("POST", f"{path}?{urlencode(query)}", {"Content-Type": "application/json"}, json.dumps(body))

    def consent(self, path: str, **query: object) -> dict[str, str]:
        """What the consent page brings back to the redirect address."""
        asked = {"redirect_uri": REDIRECT, "state": "mau", **query}
        reply = self._ask("GET", f"{path}?{urlencode(asked)}", None)
        assert reply.status == 302, reply.body
        brought = dict(parse_qsl(urlsplit(reply.headers["location"]).query))
        assert brought.pop("state") == "mau"
        return brought

    def _ask(self, method: str, path: str, headers: Mapping[str, str] | None, body: str | None = None) -> Reply:
        connection = HTTPConnection(self.netloc, timeout=10)
        try:
            connection.request(method, path, body, {**self.headers, **(headers or {})})
            answer = connection.getresponse()
            told = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, told, answer.read())
        finally:
            connection.close()


@contextmanager
def simulated(platform: Any, world: World, **options: Any) -> Iterator[Simulated]:
    """The application of a platform's module, served from a thread with a loop of its own."""
    clock, diary = Clock(), Diary()
    app = platform.application(world, clock, diary, **options)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    try:
        yield Simulated(asyncio.run_coroutine_threadsafe(_open(runner), loop).result(10), clock, diary)
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _open(runner: web.AppRunner) -> str:
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    return f"{host}:{port}"


def item(number: int, at: datetime, **more: Any) -> Item:
    words: dict[str, Any] = {"title": f"Tin tốt số {number} (mẫu)", "text": "#MỗiNgàyMộtTinTốt Dữ liệu minh họa"}
    return Item(number, at, **(words | {"final": Counts(40, 4, 2, 400), "seconds": 42} | more))


def daily(count: int, newest: datetime = NOW - timedelta(hours=3), **more: Any) -> list[Item]:
    """One item a day; the last of them at *newest*."""
    return [item(count - back, newest - back * DAY, **more) for back in range(count - 1, -1, -1)]


def account(platform: str, items: Sequence[Item] = (), *troubles: Trouble, **more: Any) -> Account:
    """An account with about 12,340 followers that is in trouble all the time."""
    words: dict[str, Any] = {
        "slug": f"{platform}-mau",
        "id": f"{platform}-1",
        "handle": f"{platform}.mau",
        "name": "Đoàn mẫu (mẫu)",
    }
    told = {"opened_at": START - 800 * DAY, "audience": [12_000 + day for day in range(1300)]}
    spells = [Spell(one, *ALWAYS) for one in troubles]
    return Account(platform=platform, items=items, spells=spells, **(words | told | more))


def world(*accounts: Account) -> World:
    return World(7, START, NOW + 30 * DAY, accounts)


def sample(name: str) -> Any:
    """A saved answer of the real platform."""
    return json.loads((PAYLOADS / name).read_bytes())


def differences(real: Any, ours: Any, place: str = "") -> set[str]:
    """Keys and types that only one of two answers has: «-a.b» is missing in ours, «+a.b» is too much."""
    if isinstance(real, dict) and isinstance(ours, dict):
        lost = {f"-{place}{key}" for key in real.keys() - ours.keys()}
        extra = {f"+{place}{key}" for key in ours.keys() - real.keys()}
        inner = (differences(real[key], ours[key], f"{place}{key}.") for key in real.keys() & ours.keys())
        return lost.union(extra, *inner)
    if isinstance(real, list) and isinstance(ours, list):
        return differences(_merged(real), _merged(ours), place) if real and ours else set()
    return set() if type(real) is type(ours) else {f"!{place}{type(ours).__name__}"}


def _merged(elements: list[Any]) -> Any:
    """One element with every key, at every depth, that any of them has."""
    if not all(isinstance(one, dict) for one in elements):
        return elements[0]
    keys = dict.fromkeys(key for one in elements for key in one)
    return {key: _merged([one[key] for one in elements if key in one]) for key in keys}
