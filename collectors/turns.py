"""Whose turn it is: one request at a time per host, a pause between two, a rest for failing hosts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from collectors.base import CollectError
from store.records import FailureKind

STORM = 3
"""Failed visits in a row after which a host is left alone."""
REST_SECONDS = 15 * 60.0


class Host:
    """What is remembered of one host while the program runs. Moments are monotonic seconds."""

    __slots__ = ("failures", "free_at", "lock", "rests_until")

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.free_at = 0.0
        self.rests_until = 0.0
        self.failures = 0

    def note(self, *, failed: bool) -> None:
        """How one visit ended: the third network failure or 5xx in a row sends the host to rest."""
        self.failures = self.failures + 1 if failed else 0
        if self.failures >= STORM:
            self.rests_until = time.monotonic() + REST_SECONDS


class Turns:
    """Hands out turns: at most `concurrent` in all, one per host, `gap_seconds` apart on one host."""

    def __init__(self, concurrent: int, gap_seconds: float) -> None:
        self._places = asyncio.Semaphore(concurrent)
        self._gap = gap_seconds
        self._hosts: dict[str, Host] = {}

    @asynccontextmanager
    async def take(self, name: str) -> AsyncIterator[Host]:
        """Wait for the turn of host *name*; CollectError(NETWORK) at once while the host rests."""
        host = self._hosts.get(name) or self._hosts.setdefault(name, Host())
        async with host.lock:
            now = time.monotonic()
            if now < host.rests_until:
                raise _resting(name)
            if now < host.free_at:
                await asyncio.sleep(host.free_at - now)
            async with self._places:
                try:
                    yield host
                finally:
                    host.free_at = time.monotonic() + self._gap


def _resting(name: str) -> CollectError:
    sentence = (
        f"Máy chủ «{name}» vừa lỗi {STORM} lần liên tiếp nên hệ thống tạm nghỉ {REST_SECONDS / 60:.0f} phút "
        "rồi tự thử lại. Đề nghị thử mở trang bằng trình duyệt; nếu không mở được, báo người quản trị trang."
    )
    return CollectError(FailureKind.NETWORK, f"{name} rests after {STORM} failed visits", sentence=sentence)
