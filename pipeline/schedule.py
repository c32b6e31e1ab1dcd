"""The ticker, and what it wakes.

APScheduler only ticks, from memory; the ledger in the store decides what is due. A ticker or a runner that
stays silent ends the process with an error, so that a supervisor (or a person) notices.
"""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from config.models import Schedule

TICK_SECONDS = 60.0
SILENT_TICKS = 3
RUN_LIMIT_SECONDS = 3600.0
STOP_LIMIT_SECONDS = 6.0


def scheduled_moments(schedule: Schedule, zone: ZoneInfo, since: datetime, until: datetime) -> list[datetime]:
    """The moments in `(since, until]` at which channels are to be looked at, in UTC and in order."""
    first, last = since.astimezone(zone).date(), until.astimezone(zone).date()
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    moments = (
        datetime.combine(day, at, tzinfo=zone).astimezone(UTC) for day in days for at in sorted(schedule.looks_at)
    )
    return [moment for moment in moments if since < moment <= until]


class Watch:
    """Ends the process when nobody has beaten for `limit` seconds; it lives in a thread of its own."""

    def __init__(self, name: str, limit: float, on_silence: Callable[[str], None]) -> None:
        self.name = name
        self.limit = limit
        self._on_silence = on_silence
        self._last = time.monotonic()
        self._stopped = threading.Event()

    def beat(self) -> None:
        self._last = time.monotonic()

    def start(self) -> None:
        self.beat()
        threading.Thread(target=self._guard, name=f"watch-{self.name}", daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    def _guard(self) -> None:
        while not self._stopped.wait(self.limit / 10):
            if time.monotonic() - self._last > self.limit:
                self._on_silence(self.name)
                return


class Ticker:
    """Calls `work` on every tick, one at a time; a tick that falls into a running `work` is coalesced."""

    def __init__(
        self,
        work: Callable[[], Awaitable[None]],
        on_silence: Callable[[str], None],
        *,
        tick_seconds: float = TICK_SECONDS,
        run_limit_seconds: float = RUN_LIMIT_SECONDS,
    ) -> None:
        self._work = work
        self._wake = asyncio.Event()
        self._stop = asyncio.Event()
        self._watches = (
            Watch("ticker", SILENT_TICKS * tick_seconds, on_silence),
            Watch("runner", run_limit_seconds, on_silence),
        )
        self.scheduler = AsyncIOScheduler(
            timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        self.scheduler.add_job(self._tick, "interval", seconds=tick_seconds, next_run_time=datetime.now(UTC))

    async def run(self) -> None:
        """Tick until `stop`; a running `work` gets a few seconds to end, then it is cancelled."""
        for watch in self._watches:
            watch.start()
        self.scheduler.start()
        try:
            await self._loop()
        finally:
            self.scheduler.shutdown(wait=False)
            for watch in self._watches:
                watch.stop()

    def stop(self) -> None:
        self._stop.set()
        self._wake.set()

    def beat(self) -> None:
        """The running work says that it gets on."""
        self._watches[1].beat()

    def stop_on_signals(self) -> None:
        """A stop from outside or a closed terminal ends the run in order; on Windows only Ctrl+C does."""
        loop = asyncio.get_running_loop()
        for name in ("SIGTERM", "SIGINT", "SIGHUP"):
            try:
                loop.add_signal_handler(getattr(signal, name), self.stop)
            except (NotImplementedError, AttributeError):
                return

    async def _tick(self) -> None:
        self._watches[0].beat()
        self._wake.set()

    async def _loop(self) -> None:
        while not self._stop.is_set():
            await self._idle()
            if not self._stop.is_set():
                await self._run_once()

    async def _idle(self) -> None:
        """Wait for the next tick; waiting is not silence of the runner."""
        await self._wake.wait()
        self._wake.clear()
        self._watches[1].beat()

    async def _run_once(self) -> None:
        work = asyncio.ensure_future(self._work())
        stopping = asyncio.ensure_future(self._stop.wait())
        await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not work.done():
            await asyncio.wait({work}, timeout=STOP_LIMIT_SECONDS)
            work.cancel()
        await asyncio.gather(work, return_exceptions=self._stop.is_set())
        self._watches[1].beat()
