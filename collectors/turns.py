"""Whose turn it is: a few requests at a time per host, a pause between them, a rest for failing hosts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import heappop, heappush
from types import MappingProxyType

from collectors.base import CollectError
from store.records import FailureKind

STORM = 3
"""Failed visits in a row after which a host is left alone."""
REST = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Pace:
    """How many requests a host gets at the same time, and how long each place then stays empty."""

    places: int
    gap_seconds: float


class Host:
    """What is remembered of one host while the program runs. `free_at` are monotonic seconds."""

    __slots__ = ("failures", "free_at", "gap", "places", "rests_until")

    def __init__(self, pace: Pace) -> None:
        self.places = asyncio.Semaphore(pace.places)
        self.gap = pace.gap_seconds
        self.free_at = [0.0] * pace.places
        self.rests_until: datetime | None = None
        self.failures = 0

    def note(self, now: datetime, *, failed: bool) -> None:
        """How one visit ended: the third network failure or 5xx in a row sends the host to rest."""
        self.failures = self.failures + 1 if failed else 0
        if self.failures >= STORM:
            self.rests_until = now + REST


class Turns:
    """Hands out turns: at most `concurrent` in all, and on each host at its own pace or the usual one."""

    def __init__(self, concurrent: int, usual: Pace, paces: Mapping[str, Pace] = MappingProxyType({})) -> None:
        self._places = asyncio.Semaphore(concurrent)
        self._usual, self._paces = usual, paces
        self._hosts: dict[str, Host] = {}

    @asynccontextmanager
    async def take(self, name: str, now: Callable[[], datetime]) -> AsyncIterator[Host]:
        """Wait for the turn of host *name*; CollectError(NETWORK) at once while the host rests."""
        host = self._hosts.get(name) or self._open(name)
        async with host.places:
            if host.rests_until and now() < host.rests_until:
                raise _resting(name)
            free_at = heappop(host.free_at)
            try:
                if (wait := free_at - time.monotonic()) > 0:
                    await asyncio.sleep(wait)
                async with self._places:
                    try:
                        yield host
                    finally:
                        free_at = time.monotonic() + host.gap
            finally:
                heappush(host.free_at, free_at)

    def _open(self, name: str) -> Host:
        self._hosts[name] = host = Host(self._paces.get(name, self._usual))
        return host


def _resting(name: str) -> CollectError:
    sentence = (
        f"Máy chủ «{name}» vừa lỗi {STORM} lần liên tiếp nên hệ thống tạm nghỉ {REST.seconds // 60} phút "
        "rồi tự thử lại. Đề nghị thử mở trang bằng trình duyệt; nếu không mở được, báo người quản trị trang."
    )
    return CollectError(FailureKind.NETWORK, f"{name} rests after {STORM} failed visits", sentence=sentence)
