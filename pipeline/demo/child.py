"""The simulated district in a process of its own, so that serving and collecting do not share one interpreter.

The child tells the same story from the same few numbers. It lives as long as the pipe to its parent, whatever
happens to the parent, and is told the time through a control port.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from aiohttp import web

from pipeline.demo.host import Host
from pipeline.demo.story import make_world

START_SECONDS = 60
STOP_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Report:
    """What the simulated platforms and websites were asked so far."""

    requests: dict[str, int]
    """By platform."""
    violations: tuple[str, ...]
    """What this project must never ask."""


class Child:
    """A context manager: the served district of a seed. `addresses` is what `folder.write_folder` needs.

    *latency* are the seconds that every answer takes on its way.
    """

    def __init__(self, seed: int, units: int, start: datetime, days: int, latency: float = 0.0) -> None:
        asked = {"seed": seed, "units": units, "start": start.timestamp(), "days": days, "latency": latency}
        self._asked = json.dumps(asked)
        self.addresses: dict[str, str] = {}

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "pipeline.demo.child", self._asked]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603 - our own module
        try:
            self._meet()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._control.close()
        self._end()

    def set_clock(self, at: datetime) -> None:
        """From now on it is this moment in the district."""
        self._ask("POST", "/clock", str(at.timestamp()))

    def report(self) -> Report:
        said = json.loads(self._ask("GET", "/diary"))
        return Report(said["requests"], tuple(said["violations"]))

    def _meet(self) -> None:
        """Wait for the child's first line: where it serves."""
        assert self._process.stdout is not None
        watchdog = threading.Timer(START_SECONDS, self._process.kill)
        watchdog.start()
        line = self._process.stdout.readline()
        watchdog.cancel()
        if not line:
            raise RuntimeError("the simulated district did not start")
        said = json.loads(line)
        self.addresses = said["addresses"]
        self._control = http.client.HTTPConnection(urlsplit(said["control"]).netloc, timeout=STOP_SECONDS)

    def _ask(self, method: str, path: str, body: str | None = None) -> bytes:
        self._control.request(method, path, body)
        answer = self._control.getresponse()
        said = answer.read()
        if answer.status != http.client.OK:
            raise RuntimeError(f"the simulated district answered {answer.status} to {path}")
        return said

    def _end(self) -> None:
        """Closing the pipe tells the child to go; one that does not listen is killed."""
        with self._process, suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.close()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()


@dataclass
class Control:
    """The clock of the child, and the port by which the parent sets it."""

    now: datetime
    host: Host = field(init=False)

    def clock(self) -> datetime:
        return self.now

    def application(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/clock", self._set)
        app.router.add_get("/diary", self._tell)
        return app

    async def _set(self, request: web.Request) -> web.Response:
        try:
            self.now = datetime.fromtimestamp(float(await request.text()), UTC)
        except (ValueError, OverflowError, OSError):
            return web.Response(status=400, text="epoch seconds, please")
        return web.Response()

    async def _tell(self, request: web.Request) -> web.Response:
        totals: dict[str, int] = {}
        for key, times in self.host.diary.requests.items():
            totals[key[0]] = totals.get(key[0], 0) + times
        return web.json_response({"requests": totals, "violations": self.host.diary.violations})


async def serve(asked: dict[str, Any]) -> None:
    """Serve the district until the pipe from the parent closes; the first line out says where."""
    start = datetime.fromtimestamp(asked["start"], UTC)
    control = Control(start)
    world = make_world(asked["seed"], asked["units"], start, asked["days"])
    control.host = Host(world, control.clock, asked["latency"])
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    hosted = await control.host.start()
    address = await control.host.serve(control.application())
    sys.stdout.write(json.dumps({"addresses": dict(hosted.addresses), "control": address}) + "\n")
    sys.stdout.flush()
    threading.Thread(target=_await_parents_end, args=(loop, over), daemon=True).start()
    await over.wait()
    await control.host.stop()


def _await_parents_end(loop: asyncio.AbstractEventLoop, over: asyncio.Event) -> None:
    sys.stdin.buffer.read()
    loop.call_soon_threadsafe(over.set)


def _allow_many_ports() -> None:
    """Some systems allow 256 open files until asked for more."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the parent, which then closes the pipe
    _allow_many_ports()
    asyncio.run(serve(json.loads(sys.argv[1])))
