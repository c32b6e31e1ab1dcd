"""The ledger of looks: which slot is due, who holds it, which was missed.

The ledger is the truth about what ran (facts: missed-run semantics). Every writer first locks the
channels it touches, in one order, so that two workers can neither take one slot nor wait in a circle.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import orjson
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    Row,
    Text,
    and_,
    case,
    delete,
    literal,
    not_,
    null,
    select,
    type_coerce,
    update,
)
from sqlalchemy import bindparam as bind

from store.bulk import append, insert_of, table_of
from store.records import FailureKind, Slot, TakenSlot
from store.schema import channel, epoch, look, moment_of

MOST_ATTEMPTS = 3
"""A slot that failed this often is left alone: the next slot is the next chance."""

ASK_TO_WAIT = (FailureKind.THROTTLED.value, FailureKind.QUOTA.value)

Key = tuple[int, int]
"""A slot as the store knows it: channel id and epoch seconds."""


class Known(NamedTuple):
    """A channel as a writer finds it."""

    id: int
    slug: str
    cursor: str
    closed: bool


def expected_slots(
    connection: Connection, channels: Sequence[str], moments: Sequence[datetime], now: datetime
) -> list[Slot]:
    newest = newest_due(moments, now)
    if newest is None:
        return []
    known = channels_of(connection, channels)
    slots = [Slot(slug, newest) for slug in channels if not known[slug].closed]
    rows = rows_of(connection, known, slots)
    waiting = _waiting(connection, known, now)
    return [slot for slot in slots if slot.channel not in waiting and is_due(rows.get(slot_key(known, slot)), now)]


def newest_due(moments: Sequence[datetime], now: datetime) -> datetime | None:
    return max((moment for moment in moments if moment <= now), default=None)


def is_due(row: Row[Any] | None, now: datetime) -> bool:
    """Whether a slot may be taken: new, abandoned by its worker, or failed and worth another attempt."""
    if row is None:
        return True
    if row.state == "running":
        return bool(row.lease_until <= now)
    if row.state == "failed":
        return row.attempt < MOST_ATTEMPTS and (row.retry_at is None or row.retry_at <= now)
    return False


def _waiting(connection: Connection, known: Mapping[str, Known], now: datetime) -> set[str]:
    """The channels whose source asked us not to come back yet (Retry-After, a used-up quota), whatever the slot."""
    asked_to_wait = and_(look.c.state == "failed", look.c.outcome.in_(ASK_TO_WAIT), look.c.retry_at > now)
    ids = set(connection.execute(select(look.c.channel_id).where(asked_to_wait)).scalars())
    return {slug for slug, found in known.items() if found.id in ids}


def record_missed(connection: Connection, channels: Sequence[str], moments: Sequence[datetime], now: datetime) -> int:
    newest = newest_due(moments, now)
    if newest is None:
        return 0
    known = channels_of(connection, channels, lock=True)
    ids = [found.id for found in known.values()]
    unseen = _unseen(connection, ids, [moment for moment in moments if moment < newest])
    rows = [(channel_id, slot, "missed", 0) for channel_id, slot in unseen]
    return append(connection, look, ("channel_id", "slot", "state", "attempt"), rows) + _give_up(
        connection, ids, newest, now
    )


def _unseen(connection: Connection, ids: Sequence[int], moments: Sequence[datetime]) -> list[Key]:
    """Channel and moment without a ledger row, after the first look at a channel and since it was last opened.

    Looks between the scheduled moments (`--now`) have rows of their own and stand for none of these.
    """
    asked = table_of(connection, {"seconds": BigInteger()}, [(epoch(moment),) for moment in moments])
    opened = type_coerce(channel.c.opened_at, BigInteger) <= asked.c.seconds
    rows = look.alias("rows")
    slot = type_coerce(rows.c.slot, BigInteger)
    same = select(slot).where(rows.c.channel_id == channel.c.id)
    unseen = (
        select(channel.c.id, asked.c.seconds)
        .join(asked, opened)
        .where(channel.c.id.in_(ids), channel.c.closed_at.is_(None))
        .where(same.where(slot < asked.c.seconds).exists(), not_(same.where(slot == asked.c.seconds).exists()))
    )
    return [(channel_id, seconds) for channel_id, seconds in connection.execute(unseen)]


def _give_up(connection: Connection, ids: Sequence[int], newest: datetime, now: datetime) -> int:
    """Slots whose worker died and whose time has passed: a past gauge cannot be read any more."""
    abandoned = and_(look.c.state == "running", look.c.lease_until <= now, look.c.slot < newest)
    change = update(look).where(look.c.channel_id.in_(ids), abandoned)
    return connection.execute(change.values(state="missed", lease_until=None)).rowcount


def take(
    connection: Connection,
    slots: Sequence[Slot],
    owner: str,
    now: datetime,
    lease: timedelta,
    written: dict[Key, TakenSlot],
    *,
    asks: bool = True,
) -> list[TakenSlot]:
    """*written* is what this very call wrote before its connection was lost: it may be stored already."""
    known = channels_of(connection, [slot.channel for slot in slots], lock=True)
    rows = rows_of(connection, known, slots)
    waiting = _waiting(connection, known, now) if asks else set()
    until = now + lease
    taken = {key: one for key, one in written.items() if is_held(rows.get(key), one)}
    for slot in slots:
        key = slot_key(known, slot)
        row = rows.get(key)
        if slot.channel not in waiting and is_due(row, now):
            attempt = 1 if row is None else row.attempt + 1
            taken[key] = TakenSlot(slot, owner, attempt, until, orjson.loads(known[slot.channel].cursor))
    _write_taken(connection, taken)
    written.update(taken)
    return list(taken.values())


def _write_taken(connection: Connection, taken: Mapping[Key, TakenSlot]) -> None:
    if not taken:
        return
    held = ("state", "attempt", "owner", "lease_until", "retry_at")
    rows = [
        {
            "channel_id": key[0],
            "slot": one.slot.moment,
            "state": "running",
            "attempt": one.attempt,
            "owner": one.owner,
            "lease_until": one.lease_until,
            "retry_at": None,
        }
        for key, one in taken.items()
    ]
    new = insert_of(connection, look)
    put = {name: new.excluded[name] for name in held}
    connection.execute(new.on_conflict_do_update(index_elements=["channel_id", "slot"], set_=put), rows)


def release(connection: Connection, taken: Sequence[TakenSlot]) -> None:
    known = channels_of(connection, [one.slot.channel for one in taken], lock=True)
    rows = rows_of(connection, known, [one.slot for one in taken])
    mine = [(key, one) for one in taken if is_held(rows.get(key := slot_key(known, one.slot)), one)]
    first = [_place(key) for key, one in mine if one.attempt == 1]
    again = [_place(key) | {"earlier": one.attempt - 1} for key, one in mine if one.attempt > 1]
    if first:
        connection.execute(delete(look).where(*_here()), first)
    if again:
        connection.execute(update(look).where(*_here()).values(_as_before()), again)


def _as_before() -> dict[str, Any]:
    """The row as the earlier attempt left it: failed, or abandoned in the middle."""
    failed = look.c.outcome.is_not(None)
    return {
        "attempt": bind("earlier"),
        "state": case((failed, "failed"), else_="running"),
        "lease_until": case((failed, null()), else_=literal(0, BigInteger)),
    }


def is_held(row: Row[Any] | None, taken: TakenSlot) -> bool:
    """Whether the slot is still in the hands of the worker that took it."""
    return row is not None and row.state == "running" and _is_his(row, taken)


def was_finished(row: Row[Any] | None, taken: TakenSlot) -> bool:
    """Whether this very attempt has been recorded before."""
    return row is not None and row.state in {"done", "failed"} and _is_his(row, taken)


def _is_his(row: Row[Any], taken: TakenSlot) -> bool:
    return bool(row.owner == taken.owner and row.attempt == taken.attempt)


def channels_of(connection: Connection, slugs: Iterable[str], *, lock: bool = False) -> dict[str, Known]:
    """The channels by slug; LookupError for one that was never synced. *lock* holds them until the end."""
    wanted = sorted(set(slugs))
    asked = table_of(connection, {"slug": Text()}, [(slug,) for slug in wanted])
    statement = (
        select(channel.c.id, channel.c.slug, channel.c.cursor, channel.c.closed_at.is_not(None))
        .join(asked, asked.c.slug == channel.c.slug)
        .order_by(channel.c.id)
    )
    if lock:
        statement = statement.with_for_update(of=channel)
    known = {row.slug: Known(*row) for row in connection.execute(statement)}
    if unknown := [slug for slug in wanted if slug not in known]:
        raise LookupError(f"channels that were never synced: {', '.join(unknown[:5])}")
    return known


def rows_of(connection: Connection, known: Mapping[str, Known], slots: Iterable[Slot]) -> dict[Key, Row[Any]]:
    """The ledger rows of *slots*, by key."""
    keys = {slot_key(known, slot) for slot in slots}
    asked = table_of(connection, {"channel_id": Integer(), "slot": BigInteger()}, keys)
    columns = (look.c.state, look.c.attempt, look.c.owner, look.c.lease_until, look.c.retry_at)
    slot_seconds = type_coerce(look.c.slot, BigInteger)
    statement = select(look.c.channel_id, slot_seconds.label("seconds"), *columns).join(
        asked, and_(asked.c.channel_id == look.c.channel_id, asked.c.slot == slot_seconds)
    )
    return {(row.channel_id, row.seconds): row for row in connection.execute(statement)}


def slot_key(known: Mapping[str, Known], slot: Slot) -> Key:
    return known[slot.channel].id, epoch(slot.moment)


def _place(key: Key) -> dict[str, Any]:
    return {"of_channel": key[0], "of_slot": moment_of(key[1])}


def _here() -> tuple[ColumnElement[bool], ...]:
    return look.c.channel_id == bind("of_channel"), look.c.slot == bind("of_slot")
