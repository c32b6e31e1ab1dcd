"""Sends what lies in the outbox: takes it, hands it over, and notes how that ended.

Whatever dies in between, the message stays in the outbox; its lease runs out, and it is sent again, marked as such.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from alerts.base import Letter, LimitError, PassingError, RefusedError, Transport, TransportError, UnreadyError
from config.alert_ways import kind_of
from config.models import Config
from store.records import Delivery
from store.verbs import Store

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=10)
LONGEST_RUN = timedelta(minutes=10)
"""Behind slow servers the rest waits for the next run, so that whoever calls comes round."""
BATCH = 16
SIDE_BY_SIDE = 4
"""Letters on their way at the same time, by the same kind of way."""
BACK_OFF = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 360))
"""The pause after each failed attempt; the last one from then on."""
GIVE_UP_AFTER = timedelta(days=2)
SHORTEST_REST = timedelta(minutes=1)
UNREADY_REST = timedelta(hours=1)
REPEATED = "Tin gửi lại, có thể trùng với tin trước."
NO_RECEIVER = "Nơi nhận không còn trong alerts.toml. Hệ thống không gửi tin này nữa."
NO_WAY = "Phiên bản này không biết cách gửi «{kind}». Đề nghị sửa ways của nơi nhận trong alerts.toml."
CRASHED = (
    "Lỗi trong chương trình khi gửi theo cách «{kind}». Hệ thống tự thử lại; đề nghị gửi nhật ký cho người phụ trách."
)
_BODY = re.compile(r"<body[^>]*>")


class Outcome(StrEnum):
    """How one attempt ended."""

    SENT = "sent"
    POSTPONED = "postponed"
    MOVED = "moved"  # to the next way of the receiver
    FAILED = "failed"  # given up
    LOST = "lost"  # it took longer than the lease: somebody else sends it


@dataclass(frozen=True, slots=True)
class Sent:
    """How many attempts ended in each way."""

    sent: int = 0
    postponed: int = 0
    moved: int = 0
    failed: int = 0
    lost: int = 0


async def deliver(
    config: Config, store: Store, transports: Mapping[str, Transport], clock: Callable[[], datetime], owner: str
) -> Sent:
    """Sends what is due, until nothing is or some minutes have passed; nothing in quiet hours.

    It goes to where the receiver is reached now: an address that was put right meanwhile counts for what waits too.
    `owner` is who holds the leases: another name for every process.
    StoreError when the outbox cannot be read or written; what is on its way then is heard to its end first.
    """
    book = {slug: receiver.ways for slug, receiver in config.alerts.receivers.items()}
    await asyncio.to_thread(store.readdress, book, NO_RECEIVER, clock())
    post = _Post(config, store, transports, clock)
    counts: Counter[str] = Counter()
    end = clock() + LONGEST_RUN
    while clock() < end and (taken := await post.take(owner)):
        ended = await asyncio.gather(*map(post.handle, taken), return_exceptions=True)
        for one in ended:
            if isinstance(one, BaseException):
                raise one
            counts[one.value] += 1
    return Sent(**counts)


def letter_of(delivery: Delivery) -> Letter:
    """The letter as it goes out; one that may have arrived already says so first."""
    text, html = delivery.text, delivery.html
    if delivery.doubtful:
        text = f"{REPEATED}\n\n{text}"
        html = _with_mark(html)
    return Letter(delivery.key, delivery.subject, text, html, delivery.doubtful)


def _with_mark(html: str) -> str:
    mark = f"<p><strong>{REPEATED}</strong></p>\n"
    body = _BODY.search(html)
    return f"{html[: body.end()]}\n{mark}{html[body.end() :]}" if body else mark + html


class _Post:
    """One run of the delivery."""

    def __init__(
        self, config: Config, store: Store, transports: Mapping[str, Transport], clock: Callable[[], datetime]
    ) -> None:
        self._hours, self._zone = config.alerts.hours, config.district.tz
        self._store, self._transports, self._clock = store, transports, clock
        self._places: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(SIDE_BY_SIDE))

    async def take(self, owner: str) -> list[Delivery]:
        now = self._clock()
        if self._hours.are_quiet_at(now.astimezone(self._zone).time()):
            return []
        return await asyncio.to_thread(self._store.take_deliveries, owner, now, LEASE, BATCH)

    async def handle(self, delivery: Delivery) -> Outcome:
        kind = kind_of(delivery.ways[delivery.way])
        async with self._places[kind]:
            if self._clock() >= delivery.lease_until:
                return Outcome.LOST
            failure = await self._send(delivery, kind)
        outcome = await asyncio.to_thread(self._note, delivery, kind, failure)
        facts = {"key": delivery.key, "way": kind, "attempt": delivery.attempt, "outcome": outcome.value}
        log.info("alert delivery", extra=facts | {"why": str(failure) if failure else ""})
        return outcome

    async def _send(self, delivery: Delivery, kind: str) -> TransportError | None:
        """Why the letter was not accepted. A crash of a transport is its own affair: the other letters go on."""
        transport = self._transports.get(kind)
        if transport is None:
            return RefusedError(NO_WAY.format(kind=kind))
        address = delivery.ways[delivery.way].partition(":")[2]
        try:
            await transport.send(letter_of(delivery), address, self._clock())
        except TransportError as error:
            return error
        except Exception:
            log.exception("alert transport crashed", extra={"key": delivery.key, "way": kind})
            return PassingError(CRASHED.format(kind=kind), doubtful=True)
        return None

    def _note(self, delivery: Delivery, kind: str, failure: TransportError | None) -> Outcome:
        now = self._clock()
        if failure is None:
            return Outcome.SENT if self._store.delivered(delivery, now) else Outcome.LOST
        if isinstance(failure, LimitError | UnreadyError):
            self._store.rest_way(kind, max(failure.retry_at or now + UNREADY_REST, now + SHORTEST_REST))
        if isinstance(failure, RefusedError) or now - delivery.created_at >= GIVE_UP_AFTER:
            return self._leave(delivery, failure, now)
        return self._postpone(delivery, failure, now)

    def _leave(self, delivery: Delivery, failure: TransportError, now: datetime) -> Outcome:
        """This way does not work: the next one, if there is one."""
        if delivery.way + 1 < len(delivery.ways):
            return Outcome.MOVED if self._store.next_way(delivery, str(failure), now) else Outcome.LOST
        return Outcome.FAILED if self._store.give_up(delivery, str(failure), now) else Outcome.LOST

    def _postpone(self, delivery: Delivery, failure: TransportError, now: datetime) -> Outcome:
        """Under a limit it is due at once: the store passes over ways that rest, and waits when all of them do."""
        pause = timedelta(0) if isinstance(failure, LimitError | UnreadyError) else _pause(delivery.attempt)
        doubtful = isinstance(failure, PassingError) and failure.doubtful
        kept = self._store.postponed(delivery, now + pause, str(failure), now, doubtful=doubtful)
        return Outcome.POSTPONED if kept else Outcome.LOST


def _pause(attempt: int) -> timedelta:
    return BACK_OFF[min(attempt, len(BACK_OFF)) - 1]
