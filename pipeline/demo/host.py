"""Everything that the simulated district serves, each platform and each website on a loopback port of its own."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import TypeVar

from aiohttp import web

from pipeline.demo import sites
from pipeline.demo.strict import Clock, Diary
from pipeline.demo.world import World

T = TypeVar("T")
Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
PLATFORMS: dict[str, tuple[str, ...]] = {
    "facebook": ("base", "consent"),
    "tiktok": ("base", "consent", "business_base"),
    "youtube": ("base", "feeds_base", "analytics_base", "consent", "oauth_base"),
    "zalo": ("base", "oauth_base"),
}
"""The settings of the table `platforms` whose address is that platform's server."""
LAST_ANSWERS_SECONDS = 0.2
BACKLOG = 256


@dataclass(frozen=True, slots=True)
class Hosted:
    """A running world. `addresses`: «facebook.base» and its like, and the websites by their channel's slug."""

    addresses: Mapping[str, str]
    diary: Diary


class Host:
    """The servers of a world, within a running event loop; each answer takes *latency* seconds on its way."""

    def __init__(self, world: World, clock: Clock, latency: float = 0.0) -> None:
        self.world, self.clock, self.latency, self.diary = world, clock, latency, Diary()
        self._runners: list[web.BaseRunner] = []

    async def start(self) -> Hosted:
        """Open every port; platforms without an account in this world are left out."""
        addresses: dict[str, str] = {}
        for platform, settings in PLATFORMS.items():
            if self.world.on(platform):
                address = await self.serve(self._platform(platform))
                addresses |= {f"{platform}.{setting}": address for setting in settings}
        for account in self.world.on("website").values():
            handler = sites.server(account, self.clock, self.diary)
            server = web.Server(self._far_away(handler), access_log=None)
            addresses[account.slug] = await self._open(web.ServerRunner(server, shutdown_timeout=LAST_ANSWERS_SECONDS))
        return Hosted(addresses, self.diary)

    async def serve(self, app: web.Application) -> str:
        """The address of an application on a new port."""
        return await self._open(web.AppRunner(app, access_log=None, shutdown_timeout=LAST_ANSWERS_SECONDS))

    def _far_away(self, handler: Handler) -> Handler:
        """The same handler, *latency* seconds away."""
        if not self.latency:
            return handler

        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            await asyncio.sleep(self.latency)
            return await handler(request)

        return handle

    async def stop(self) -> None:
        await asyncio.gather(*(runner.cleanup() for runner in self._runners))

    def _platform(self, name: str) -> web.Application:
        app: web.Application = import_module(f"pipeline.demo.{name}").application(self.world, self.clock, self.diary)
        if self.latency:
            app.middlewares.append(self._delay)
        return app

    @web.middleware
    async def _delay(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        await asyncio.sleep(self.latency)
        return await handler(request)

    async def _open(self, runner: web.BaseRunner) -> str:
        self._runners.append(runner)
        await runner.setup()
        listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
        await web.SockSite(runner, listener, backlog=BACKLOG).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def hosted(world: World, clock: Clock) -> Iterator[Hosted]:
    """A world served from a thread of this process until the block ends; *clock* is asked in that thread."""
    with _loop_in_a_thread() as loop:

        def run(coroutine: Coroutine[object, object, T]) -> T:
            return asyncio.run_coroutine_threadsafe(coroutine, loop).result()

        host = Host(world, clock)
        try:
            yield run(host.start())
        finally:
            run(host.stop())


@contextmanager
def _loop_in_a_thread() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="simulated district", daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
