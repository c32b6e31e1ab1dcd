"""What the schedule and the command line do, as functions: collect and check.

A look is taken from the ledger, done without touching the store, and recorded with many others in one
transaction (rows, cursor and ledger row together), so a crash loses at most work that another look repeats.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import structlog

from collectors import COLLECTORS
from collectors.base import CollectError, Look
from collectors.client import Client
from config.models import Channel, Config, District, Organisation
from pipeline.clock import Clock
from pipeline.schedule import scheduled_moments
from store.records import Failure, FailureKind, LookResult, Reading, Slot, TakenSlot
from store.verbs import Store

LOOK_DEADLINE = timedelta(minutes=5)
LEASE = 2 * LOOK_DEADLINE + timedelta(minutes=1)
"""A slot may wait for one wave of looks before its own: two deadlines and a margin."""
LOOK_BACK = timedelta(days=60)
"""Scheduled moments older than this are forgotten rather than recorded as missed."""
BATCH = 64
GATHER_SECONDS = 0.1

log = structlog.get_logger()


@dataclass
class Collection:
    """What one round of collecting did, for people and for exit codes."""

    results: list[LookResult] = field(default_factory=list)
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
        self._done: asyncio.Queue[LookResult | None] = asyncio.Queue()
        self._open: dict[Slot, TakenSlot] = {}
        self._collection = Collection()

    async def run(self, slots: Sequence[Slot]) -> Collection:
        writer = asyncio.create_task(self._write())
        try:
            await self._look_at_all(slots)
        finally:
            self._done.put_nowait(None)
            await _finish(writer)
            await _finish(asyncio.ensure_future(asyncio.to_thread(self._store.release, list(self._open.values()))))
        return self._collection

    async def _look_at_all(self, slots: Sequence[Slot]) -> None:
        places = self._config.district.network.concurrent
        running: set[asyncio.Task[None]] = set()
        waiting = list(reversed(slots))
        try:
            while waiting or running:
                wave = [waiting.pop() for _ in range(min(len(waiting), max(0, places - len(running))))]
                running |= {asyncio.create_task(self._look_at(taken)) for taken in await self._take(wave)}
                if running:
                    running = await _some_done(running, places)
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _take(self, wave: Sequence[Slot]) -> list[TakenSlot]:
        if not wave:
            return []
        taken = await asyncio.to_thread(self._store.take, wave, self._owner, self._clock(), LEASE)
        self._open |= {each.slot: each for each in taken}
        return taken

    async def _look_at(self, taken: TakenSlot) -> None:
        channel = self._config.channels[taken.slot.channel]
        self._done.put_nowait(await look_at(channel, taken, self._client, self._clock, self._config))

    async def _write(self) -> None:
        """Record finished looks until the end mark, as many as are there in one transaction."""
        open_end = True
        while open_end:
            batch = await _next_batch(self._done)
            open_end = batch[-1] is not None
            await self._record([result for result in batch if result is not None])

    async def _record(self, results: Sequence[LookResult]) -> None:
        if not results:
            return
        refused = await asyncio.to_thread(self._store.record, results)
        self._collection.refused += refused
        for result in results:
            self._open.pop(result.taken.slot, None)
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
        log.info("look refused", channel=channel.slug, kind=error.kind.value, detail=error.detail)
        outcome = error.as_failure()
    except TimeoutError:
        outcome = Failure(FailureKind.NETWORK, "Trang trả lời quá chậm nên lần xem này bị dừng. Hệ thống tự thử lại.")
    except Exception:
        log.exception("look crashed", channel=channel.slug)
        outcome = Failure(
            FailureKind.DRIFT, "Chương trình gặp lỗi khi đọc trang này. Đề nghị báo người phụ trách kỹ thuật."
        )
    return LookResult(taken, look.now, clock(), outcome, look.requests, look.received_bytes)


async def _some_done(running: set[asyncio.Task[None]], places: int) -> set[asyncio.Task[None]]:
    """Wait until at least one look ended, and for a moment more so that slots are taken in handfuls."""
    done, pending = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    if len(pending) > places // 2:
        more, pending = await asyncio.wait(pending, timeout=GATHER_SECONDS / 10)
        done |= more
    for task in done:
        task.result()
    return pending


async def _next_batch(queue: asyncio.Queue[LookResult | None]) -> list[LookResult | None]:
    """Everything that is finished, after a short wait for more; the end mark always comes last."""
    batch = [await queue.get()]
    if batch[-1] is not None and queue.qsize() < BATCH:
        await asyncio.sleep(GATHER_SECONDS)
    while batch[-1] is not None and not queue.empty() and len(batch) < 4 * BATCH:
        batch.append(queue.get_nowait())
    return batch


async def _finish(task: asyncio.Future[None]) -> None:
    """Wait for a closing step even while this task is being cancelled."""
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise


def _tell(result: LookResult) -> None:
    outcome = result.outcome
    facts: Mapping[str, object] = (
        {"outcome": outcome.kind.value}
        if isinstance(outcome, Failure)
        else {"outcome": "unchanged" if outcome.unchanged else "ok", "posts": len(outcome.posts)}
    )
    seconds = (result.finished_at - result.started_at).total_seconds()
    log.info("look", channel=result.taken.slot.channel, requests=result.requests, seconds=seconds, **facts)
