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
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from collectors import COLLECTORS
from collectors.base import CollectError
from config.models import Channel, Config
from config.platforms import Platform
from pipeline.clock import Clock
from pipeline.outfit import Outfit, open_outfit
from pipeline.schedule import scheduled_moments
from pipeline.secret_names import KEYED, split
from pipeline.steps import finish
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


def width(config: Config, platform: str) -> int:
    """How many channels of a platform are looked at side by side."""
    settings = getattr(config.district.platforms, platform, None)
    return settings.concurrent if isinstance(settings, Platform) else config.district.network.concurrent


def let_go(store: Store, now: datetime) -> int:
    """Drop what a platform's terms do not allow to be kept any longer; how many rows."""
    return store.purge(owned(store), now)


def owned(store: Store) -> set[str]:
    """The channels that are read with their owner's consent rather than with a plain key."""
    states = [state for state in store.token_states() if not state.needs_consent]
    return {slug for grant, slug in (split(state.name) for state in states) if grant == KEYED}


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
    async with open_outfit(config, store, clock) as outfit:
        collection = await collect_with(outfit, store, slots, owner=owner, on_result=on_result)
        await check_tokens(outfit)
    return collection


async def check_tokens(outfit: Outfit) -> None:
    """Ask the platforms about every token, at most once a day; whatever comes of it, the round stays good."""
    try:
        await outfit.keyring.check_tokens()
    except CollectError as error:
        log.warning("tokens not checked", extra={"detail": error.detail})


async def collect_with(
    outfit: Outfit,
    store: Store,
    slots: Sequence[Slot],
    *,
    owner: str | None = None,
    on_result: Callable[[LookResult], None] | None = None,
) -> Collection:
    """As `collect`, with an outfit that outlives the round."""
    return await _Round(outfit, store, owner or worker_name(), on_result).run(slots)


class _Round:
    """One round: a few slots are taken at a time, looked at side by side, and recorded in batches."""

    def __init__(
        self, outfit: Outfit, store: Store, owner: str, on_result: Callable[[LookResult], None] | None
    ) -> None:
        self._outfit, self._store = outfit, store
        self._owner, self._on_result = owner, on_result
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
            await finish(asyncio.create_task(self._close(looks, writer)))
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
        """Every platform has a lane of its own, so that none waits for another."""
        lanes: defaultdict[str, list[Slot]] = defaultdict(list)
        await self._outfit.keyring.load([self._channel(slot) for slot in slots])
        for slot in slots:
            lanes[self._channel(slot).platform].append(slot)
        async with asyncio.TaskGroup() as looks:
            for platform, some in lanes.items():
                looks.create_task(self._look_along(some, width(self._outfit.config, platform), looks))

    async def _look_along(self, slots: Sequence[Slot], size: int, looks: asyncio.TaskGroup) -> None:
        """Waves are taken while the one before is still being looked at, so that the network never waits."""
        room = asyncio.Semaphore(2 * size)
        for start in range(0, len(slots), size):
            wave = slots[start : start + size]
            for _ in wave:
                await room.acquire()
            taken = await self._take(wave)
            for each in taken:
                looks.create_task(self._look_at(each)).add_done_callback(lambda _: room.release())
            for _ in range(len(wave) - len(taken)):
                room.release()

    def _channel(self, slot: Slot) -> Channel:
        return self._outfit.config.channels[slot.channel]

    async def _take(self, wave: Sequence[Slot]) -> list[TakenSlot]:
        """The slots of a wave that are ours now; known as open even when the round is stopped meanwhile."""

        def take() -> list[TakenSlot]:
            taken = self._store.take(wave, self._owner, self._outfit.clock(), LEASE)
            self._open |= {each.slot: each for each in taken}
            return taken

        return await finish(asyncio.ensure_future(asyncio.to_thread(take)))

    async def _look_at(self, taken: TakenSlot) -> None:
        """Channels on one host take turns, so that waiting for the host counts against nobody's deadline."""
        channel = self._channel(taken.slot)
        host = urlsplit(channel.address).netloc if channel.platform == "website" else None
        async with self._hosts[host or channel.slug]:
            self._done.put_nowait(await look_at(channel, taken, self._outfit))

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


async def look_at(channel: Channel, taken: TakenSlot, outfit: Outfit) -> LookResult:
    """One look, whatever happens: a reading, or a failure that says why. A bug fails this look only."""
    look = outfit.look(channel, taken)
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
    now = outfit.clock()
    return LookResult(
        taken, look.now, now, _with_pause(outcome, taken.attempt, now), look.requests, look.received_bytes
    )


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


def _tell(result: LookResult) -> None:
    if log.isEnabledFor(logging.INFO):
        seconds = (result.finished_at - result.started_at).total_seconds()
        facts = {"channel": result.taken.slot.channel, "requests": result.requests, "seconds": seconds}
        log.info("look", extra=facts | _outcome(result.outcome))


def _outcome(outcome: Reading | Failure) -> dict[str, object]:
    if isinstance(outcome, Failure):
        return {"outcome": outcome.kind.value}
    return {"outcome": "unchanged" if outcome.unchanged else "ok", "posts": len(outcome.posts)}
