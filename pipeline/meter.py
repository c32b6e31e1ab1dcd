"""Counts what is spent of daily allowances, over all looks and processes: the `Meter` that a look is given.

Spending is counted in memory and carried to the store in portions, so that a look never waits for the database. Each
process therefore knows up to `PORTION` units too little of every other one: P processes can pass the limit by about
(P - 1) x PORTION units, and a process that is killed leaves about PORTION units uncounted (more only while the
database keeps it waiting). The fifth that is never spent is far more than that.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from collectors.base import Bucket, CollectError
from pipeline.clock import Clock
from store.errors import StoreError
from store.records import FailureKind
from store.verbs import Store

PORTION = 20

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Count:
    """What is known of one day of one allowance: `stored` by all processes, `pending` only here."""

    stored: int
    pending: int = 0

    @property
    def used(self) -> int:
        return self.stored + self.pending


class StoreMeter:
    """Call `flush` (in a thread) with every recorded batch and at the end; portions carry themselves over."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._counts: dict[tuple[str, datetime], _Count] = {}
        self._lock, self._carrying = threading.Lock(), threading.Lock()

    def spend(self, bucket: Bucket, units: int = 1) -> None:
        """Notes a call about to be made; CollectError(QUOTA, retry_at=next day) when it would pass four fifths."""
        resets_at = next_day(bucket, self._clock())
        count = self._count(bucket, resets_at)
        with self._lock:
            if 5 * (count.used + units) > 4 * bucket.units:
                raise CollectError(FailureKind.QUOTA, f"four fifths of {bucket.name} are used", retry_at=resets_at)
            count.pending += units
            is_portion = count.pending >= PORTION
        if is_portion:
            self._carry()

    def exhaust(self, bucket: Bucket) -> datetime:
        """Notes that the platform says nothing is left; the moment of the next day, in UTC."""
        resets_at = next_day(bucket, self._clock())
        count = self._count(bucket, resets_at)
        with self._lock:
            count.pending += max(0, bucket.units - count.used)
        self._carry()
        return resets_at

    def flush(self) -> None:
        """Carries what was spent to the store. When that cannot be done, it waits for the next time."""
        with self._carrying:
            for (name, resets_at), count in list(self._counts.items()):
                self._flush_one(name, resets_at, count)

    def _flush_one(self, name: str, resets_at: datetime, count: _Count) -> None:
        with self._lock:
            units = count.pending
        if not units:
            return
        try:
            stored = self._store.spend(name, resets_at, units)
        except StoreError as error:
            log.warning("allowance not noted", extra={"bucket": name, "detail": error.detail})
            return
        with self._lock:
            count.stored, count.pending = stored, count.pending - units

    def _carry(self) -> None:
        """In a thread when a loop is running: the database may be busy for seconds."""
        if self._carrying.locked():
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.flush()
        else:
            loop.run_in_executor(None, self.flush)

    def _count(self, bucket: Bucket, resets_at: datetime) -> _Count:
        """The first question of a day asks the store; a read waits for no writer."""
        key = (bucket.name, resets_at)
        if key not in self._counts:
            try:
                self._counts[key] = _Count(self._store.spent(*key))
            except StoreError as error:
                raise CollectError(FailureKind.STORAGE, error.detail, sentence=error.sentence) from error
        return self._counts[key]


def next_day(bucket: Bucket, now: datetime) -> datetime:
    """The moment at which the allowance is whole again, in UTC; days of 23 and 25 hours have their own length."""
    from metrics.periods import day_of, local_date

    zone = ZoneInfo(bucket.zone)
    return day_of(local_date(now, zone), zone).end_at.astimezone(UTC)
