"""What the schedule and the command line do, as functions: collect and check.

A look is taken from the ledger, done without touching the store, and recorded with many others in one
transaction (rows, cursor and ledger row together), so a crash loses at most work that another look repeats.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from collectors import COLLECTORS
from collectors.base import CollectError, Look
from collectors.client import Client
from config.models import Channel, Config, District, Organisation
from pipeline.clock import Clock
from pipeline.schedule import scheduled_moments
from store.errors import StoreError
from store.records import Failure, FailureKind, LookResult, Reading, Slot, TakenSlot
from store.verbs import Store

LOOK_DEADLINE = timedelta(minutes=5)
LEASE = 2 * LOOK_DEADLINE + timedelta(minutes=1)
"""A slot may wait for one wave of looks before its own: two deadlines and a margin."""
LOOK_BACK = timedelta(days=60)
"""Scheduled moments older than this are forgotten rather than recorded as missed."""
RETRY_PAUSE = timedelta(minutes=15)
GATHER_SECONDS = 0.25

log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass
class Collection:
    """What one round of collecting did, for people and for exit codes."""

    results: list[LookResult] = field(default_factory=list, repr=False)
    """Not in the repr: `asyncio.run` prints its main task, with its result, to find out about signals."""
    refused: list[TakenSlot] = field(default_factory=list)
    missed: int = 0

    @property
    def failures(self) -> list[LookResult]:
        return [result for result in self.results if isinstance(result.outcome, Failure)]


def worker_name() -> str:
    """Who holds a lease: unique per process start."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


@asynccontextmanager
async def open_client(config: Config, clock: Clock) -> AsyncIterator[Client]:
    """The way out, with the limits of district.toml."""
    network = config.district.network
    async with Client(
        contact=config.district.organisation.contact,
        allow=network.allow,
        concurrent=network.concurrent,
        gap_seconds=network.gap_seconds,
        deadline_seconds=network.deadline_seconds,
        trust=extra_certificates(config),
        now=clock,
    ) as client:
        yield client


def extra_certificates(config: Config) -> dict[str, Path]:
    """Host -> PEM file, for sites that forget to send an intermediate certificate."""
    return {
        urlsplit(channel.address).hostname or "": config.folder / channel.website.ca_bundle
        for channel in config.watched()
        if channel.website.ca_bundle
    }


def bare_config(folder: Path) -> Config:
    """The usual limits without any configuration, to try an address before there is a district."""
    organisation = Organisation(name="Nhịp Đoàn", contact="chưa khai báo")
    return Config(folder, District(organisation=organisation, kinds={}, labels={}), units={}, channels={})


def due_slots(config: Config, store: Store, now: datetime, only: Sequence[str] = ()) -> tuple[list[Slot], int]:
    """The slots to do now, and how many scheduled moments were found to have been missed."""
    channels = [channel.slug for channel in collectable(config, only)]
    moments = scheduled_moments(config.district.schedule, config.district.tz, now - LOOK_BACK, now)
    missed = store.record_missed(channels, moments, now)
    return store.expected_slots(channels, moments, now), missed


def next_moment(config: Config, now: datetime) -> datetime | None:
    """The next scheduled moment after *now*."""
    coming = scheduled_moments(config.district.schedule, config.district.tz, now, now + timedelta(days=2))
    return coming[0] if coming else None


def slots_at(config: Config, now: datetime, only: Sequence[str] = ()) -> list[Slot]:
    """One unscheduled slot per channel at this very moment."""
    moment = now.replace(microsecond=0)
    return [Slot(channel.slug, moment) for channel in collectable(config, only)]


def failed_slots(config: Config, store: Store, now: datetime, only: Sequence[str] = ()) -> list[Slot]:
    """An extra slot for each channel whose newest look failed: a person who asks need not wait for the pause."""
    last = store.last_looks()
    failed = set(last.loc[last["state"] == "failed", "channel"])
    return [slot for slot in slots_at(config, now, only) if slot.channel in failed]


def collectable(config: Config, only: Sequence[str] = ()) -> list[Channel]:
    return [
        channel for channel in config.watched() if channel.platform in COLLECTORS and (not only or channel.slug in only)
    ]


async def collect(
    config: Config,
    store: Store,
    slots: Sequence[Slot],
    clock: Clock,
    *,
    owner: str | None = None,
    on_result: Callable[[LookResult], None] | None = None,
) -> Collection:
    """Look at the channels of these slots and record what came back. Slots that others hold are left to them."""
    async with open_client(config, clock) as client:
        round_ = _Round(config, store, client, clock, owner or worker_name(), on_result)
        return await round_.run(slots)


class _Round:
    """One round: a few slots are taken at a time, looked at side by side, and recorded in batches."""

    def __init__(
        self,
        config: Config,
        store: Store,
        client: Client,
        clock: Clock,
        owner: str,
        on_result: Callable[[LookResult], None] | None,
    ) -> None:
        self._config, self._store, self._client = config, store, client
        self._clock, self._owner, self._on_result = clock, owner, on_result
        self._done: asyncio.Queue[LookResult] = asyncio.Queue()
        self._all_done = asyncio.Event()
        self._open: dict[Slot, TakenSlot] = {}
        self._hosts: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._collection = Collection()

    async def run(self, slots: Sequence[Slot]) -> Collection:
        """Look and write side by side; when either fails or the round is stopped, nothing finished is lost."""
        looks, writer = asyncio.create_task(self._look_at_all(slots)), asyncio.create_task(self._write())
        try:
            await asyncio.wait({looks, writer}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            looks.cancel()
            await _finish(asyncio.create_task(self._close(looks, writer)))
        return self._collection

    async def _close(self, looks: asyncio.Task[None], writer: asyncio.Task[None]) -> None:
        """Record what is finished, give back what is not, then tell what went wrong first."""
        await asyncio.wait({looks})
        self._all_done.set()
        await asyncio.wait({writer})
        with suppress(StoreError):  # then the leases run out by themselves
            await asyncio.to_thread(self._store.release, list(self._open.values()))
        for task in (writer, looks):
            if not task.cancelled() and (error := task.exception()):
                raise _first(error)

    async def _look_at_all(self, slots: Sequence[Slot]) -> None:
        """Waves are taken while the one before is still being looked at, so that the network never waits."""
        size = self._config.district.network.concurrent
        room = asyncio.Semaphore(2 * size)
        async with asyncio.TaskGroup() as looks:
            for start in range(0, len(slots), size):
                wave = slots[start : start + size]
                for _ in wave:
                    await room.acquire()
                taken = await self._take(wave)
                for each in taken:
                    looks.create_task(self._look_at(each)).add_done_callback(lambda _: room.release())
                for _ in range(len(wave) - len(taken)):
                    room.release()

    async def _take(self, wave: Sequence[Slot]) -> list[TakenSlot]:
        """The slots of a wave that are ours now; known as open even when the round is stopped meanwhile."""

        def take() -> list[TakenSlot]:
            taken = self._store.take(wave, self._owner, self._clock(), LEASE)
            self._open |= {each.slot: each for each in taken}
            return taken

        return await _finish(asyncio.ensure_future(asyncio.to_thread(take)))

    async def _look_at(self, taken: TakenSlot) -> None:
        """Channels on one host take turns, so that waiting for the host counts against nobody's deadline."""
        channel = self._config.channels[taken.slot.channel]
        async with self._hosts[urlsplit(channel.address).hostname or channel.slug]:
            self._done.put_nowait(await look_at(channel, taken, self._client, self._clock, self._config))

    async def _write(self) -> None:
        """Record finished looks, as many as there are in one transaction, until all are done."""
        while not (self._all_done.is_set() and self._done.empty()):
            await self._gather()
            await self._record([self._done.get_nowait() for _ in range(self._done.qsize())])

    async def _gather(self) -> None:
        """Wait a moment for looks to finish, unless no more will come."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._all_done.wait(), GATHER_SECONDS)

    async def _record(self, results: Sequence[LookResult]) -> None:
        if not results:
            return
        refused = await asyncio.to_thread(self._store.record, results)
        self._collection.refused += refused
        for result in results:
            self._open.pop(result.taken.slot, None)
            if result.taken not in refused:
                self._collection.results.append(result)
                _tell(result)
            if self._on_result:
                self._on_result(result)


async def look_at(channel: Channel, taken: TakenSlot, client: Client, clock: Clock, config: Config) -> LookResult:
    """One look, whatever happens: a reading, or a failure that says why. A bug fails this look only."""
    look = Look(client, now=clock(), zone=config.district.tz, cursor=taken.cursor)
    outcome: Reading | Failure
    try:
        async with asyncio.timeout(LOOK_DEADLINE.total_seconds()):
            outcome = await COLLECTORS[channel.platform](channel, look)
    except CollectError as error:
        facts = {"channel": channel.slug, "kind": error.kind.value, "detail": error.detail}
        log.info("look refused", extra=facts)
        outcome = error.as_failure()
    except TimeoutError:
        outcome = Failure(FailureKind.NETWORK, "Trang trả lời quá chậm nên lần xem này bị dừng. Hệ thống tự thử lại.")
    except Exception:  # a bug in one collector must not stop the other channels
        log.exception("look crashed", extra={"channel": channel.slug})
        outcome = Failure(
            FailureKind.DRIFT, "Chương trình gặp lỗi khi đọc trang này. Đề nghị báo người phụ trách kỹ thuật."
        )
    outcome = _with_pause(outcome, taken.attempt, clock())
    return LookResult(taken, look.now, clock(), outcome, look.requests, look.received_bytes)


def _with_pause(outcome: Reading | Failure, attempt: int, now: datetime) -> Reading | Failure:
    """A failure that names no moment is tried again after a pause that grows with every attempt."""
    if isinstance(outcome, Reading) or outcome.retry_at:
        return outcome
    return replace(outcome, retry_at=now + attempt * RETRY_PAUSE)


def _first(error: BaseException) -> BaseException:
    """What really happened, out of the groups that side-by-side work wraps it in."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


async def _finish(task: asyncio.Future[T]) -> T:
    """Wait for a step that must not be left half-way, even while this task is being cancelled."""
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise


def _tell(result: LookResult) -> None:
    if log.isEnabledFor(logging.INFO):
        seconds = (result.finished_at - result.started_at).total_seconds()
        facts = {"channel": result.taken.slot.channel, "requests": result.requests, "seconds": seconds}
        log.info("look", extra=facts | _outcome(result.outcome))


def _outcome(outcome: Reading | Failure) -> dict[str, object]:
    if isinstance(outcome, Failure):
        return {"outcome": outcome.kind.value}
    return {"outcome": "unchanged" if outcome.unchanged else "ok", "posts": len(outcome.posts)}
