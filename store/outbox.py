"""The outbox: a message lies here before anything is sent, and stays until it is sent or given up.

A worker holds a message by a lease. `next_at` is the moment from which it may be taken: of one that is being sent
that is the end of the lease, of one that is finished there is none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import Connection, Integer, RowMapping, and_, func, insert, literal, or_, select, update

from config.alert_ways import kind_of
from store import cases
from store.bulk import insert_of, table_of
from store.columns import frame_of
from store.records import Delivery, DeliveryState, Draft, OutboxState, Turn
from store.schema import delivery, told, way_rest

if TYPE_CHECKING:
    import pandas as pd

OVERDUE_AFTER = timedelta(hours=1)
FAILURES_SHOWN_FOR = timedelta(days=7)
TAKEN = ("id", "key", "receiver", "way", "subject", "text", "html", "attempt", "doubtful", "owner", "created_at")
LISTED = ("key", "receiver", "ways", "way", "state", "attempt", "created_at", "next_at", "finished_at", "error")

Line = tuple[int, str, str]
"""Case, receiver and step."""


def enqueue(
    connection: Connection, drafts: Sequence[Draft], turns: Iterable[Turn], now: datetime, role: str
) -> list[str]:
    if connection.dialect.name != "sqlite":  # there, a writer is alone anyway
        connection.exec_driver_sql("LOCK TABLE told IN EXCLUSIVE MODE")
    known = set(told_lines(connection, {number for draft in drafts for number, _ in draft.items}))
    fresh = list(_fresh(drafts, _known_keys(connection, drafts), known))
    if not fresh:
        return []
    ids = _put(connection, fresh, now)
    lines = [
        {"case_id": number, "receiver": draft.receiver, "step": step, "delivery_id": ids[draft.key]}
        for draft in fresh
        for number, step in dict.fromkeys(draft.items)
    ]
    if lines:
        connection.execute(insert(told), lines)
    mentioned = {line["case_id"] for line in lines}
    cases.turn_cases(connection, [turn for turn in turns if turn.case in mentioned], now, role)
    return [draft.key for draft in fresh]


def told_lines(connection: Connection, numbers: Collection[int]) -> dict[Line, datetime]:
    asked = table_of(connection, {"id": Integer()}, [(number,) for number in numbers])
    statement = (
        select(told.c.case_id, told.c.receiver, told.c.step, delivery.c.created_at)
        .join(asked, asked.c.id == told.c.case_id)
        .join(delivery, delivery.c.id == told.c.delivery_id)
    )
    return {(row.case_id, row.receiver, row.step): row.created_at for row in connection.execute(statement)}


def readdress(connection: Connection, book: Mapping[str, Sequence[str]], gone: str, now: datetime) -> None:
    """Only what is in nobody's hands; that its owner is taken away keeps a late worker from touching it."""
    idle = or_(delivery.c.state == DeliveryState.WAITING, delivery.c.next_at <= now)
    waiting = select(*(delivery.c[name] for name in ("id", "receiver", "ways", "created_at")))
    here = waiting.where(delivery.c.next_at.is_not(None), idle).order_by(delivery.c.id).with_for_update()
    for row in connection.execute(here).all():
        ways, at = book.get(row.receiver), max(row.created_at, now)
        put: dict[str, Any] = {"state": DeliveryState.FAILED, "next_at": None, "finished_at": at, "error": gone}
        if ways is not None:
            doubtful = or_(delivery.c.doubtful, delivery.c.state == DeliveryState.SENDING)
            put = {"state": DeliveryState.WAITING, "next_at": at, "way": 0, "ways": _text(ways), "doubtful": doubtful}
        if put.get("ways") != row.ways:
            connection.execute(update(delivery).where(delivery.c.id == row.id).values(owner=None, **put))


def take(connection: Connection, owner: str, now: datetime, lease: timedelta, most: int) -> list[Delivery]:
    due = select(delivery.c.id, delivery.c.ways, delivery.c.way).where(delivery.c.next_at <= now)
    rows = connection.execute(due.order_by(delivery.c.created_at, delivery.c.id).with_for_update()).all()
    resting = _resting(connection, now)
    ways = ((row.id, _open_way(orjson.loads(row.ways), row.way, resting)) for row in rows)
    chosen = [(number, way) for number, way in ways if way is not None][:most]
    if not chosen:
        return []
    asked = table_of(connection, {"id": Integer(), "way": Integer()}, chosen)
    change = (
        update(delivery)
        .where(delivery.c.id == asked.c.id)
        .values(
            state=DeliveryState.SENDING,
            way=asked.c.way,
            attempt=delivery.c.attempt + 1,
            doubtful=or_(delivery.c.doubtful, delivery.c.state == DeliveryState.SENDING),
            owner=owner,
            next_at=now + lease,
        )
    )
    taken = connection.execute(change.returning(*delivery.c)).mappings()
    return sorted((_delivery(row) for row in taken), key=lambda one: (one.created_at, one.id))


def delivered(connection: Connection, taken: Delivery, now: datetime) -> bool:
    return _end(connection, taken, state=DeliveryState.SENT, next_at=None, finished_at=now, error=None)


def postponed(
    connection: Connection, taken: Delivery, next_at: datetime, error: str, now: datetime, *, doubtful: bool
) -> bool:
    put = {"state": DeliveryState.WAITING, "next_at": max(next_at, now), "error": error}
    return _end(connection, taken, **put, doubtful=or_(delivery.c.doubtful, literal(doubtful)))


def next_way(connection: Connection, taken: Delivery, error: str, now: datetime) -> bool:
    if taken.way + 1 == len(taken.ways):
        raise ValueError(f"no way is left for {taken.key}")
    put = {"state": DeliveryState.WAITING, "way": taken.way + 1, "next_at": now, "error": error}
    return _end(connection, taken, **put)


def give_up(connection: Connection, taken: Delivery, error: str, now: datetime) -> bool:
    return _end(connection, taken, state=DeliveryState.FAILED, next_at=None, finished_at=now, error=error)


def rest_way(connection: Connection, kind: str, until: datetime) -> None:
    """A rest is never made shorter by another worker that heard of an earlier end."""
    new = insert_of(connection, way_rest).values(kind=kind, until=until)
    longer = new.on_conflict_do_update(
        index_elements=["kind"], set_={"until": new.excluded.until}, where=way_rest.c.until < new.excluded.until
    )
    connection.execute(longer)


def deliveries(connection: Connection, since: datetime) -> pd.DataFrame:
    statement = select(*(delivery.c[name] for name in LISTED)).where(delivery.c.created_at >= since)
    frame = frame_of(connection, statement.order_by(delivery.c.created_at, delivery.c.id))
    tried = zip(frame.pop("ways"), frame["way"], strict=True)
    frame["way"] = [kind_of(orjson.loads(ways)[way]) for ways, way in tried]
    return frame.astype({"way": "str"})


def state(connection: Connection, now: datetime) -> OutboxState:
    waits = delivery.c.next_at.is_not(None)
    counted = select(
        func.count().filter(waits), func.count().filter(waits, delivery.c.created_at <= now - OVERDUE_AFTER)
    )
    lately = and_(delivery.c.finished_at > now - FAILURES_SHOWN_FOR, delivery.c.finished_at <= now)
    failed = select(delivery.c.receiver, func.max(delivery.c.finished_at), func.count())
    failed = failed.where(delivery.c.state == DeliveryState.FAILED, lately).group_by(delivery.c.receiver)
    rows = connection.execute(failed.order_by(delivery.c.receiver)).all()
    unsent = {receiver: newest for receiver, newest, _ in rows}
    waiting, overdue = connection.execute(counted).one()
    return OutboxState(waiting, overdue, sum(count for *_, count in rows), _resting(connection, now), unsent)


def forget_texts(connection: Connection, before: datetime) -> None:
    """What was written in messages that were finished before then; that they were sent, and when, stays."""
    old = and_(delivery.c.finished_at < before, delivery.c.text != "")
    connection.execute(update(delivery).where(old).values(text="", html=""))


def _fresh(drafts: Iterable[Draft], keys: set[str], known: set[Line]) -> Iterator[Draft]:
    for draft in drafts:
        lines = {(number, draft.receiver, step) for number, step in draft.items}
        if draft.key not in keys and lines.isdisjoint(known):
            keys.add(draft.key)
            known |= lines
            yield draft


def _known_keys(connection: Connection, drafts: Iterable[Draft]) -> set[str]:
    statement = select(delivery.c.key).where(delivery.c.key.in_([draft.key for draft in drafts]))
    return set(connection.execute(statement).scalars())


def _put(connection: Connection, drafts: Iterable[Draft], now: datetime) -> dict[str, int]:
    """The new deliveries, by key."""
    new = insert(delivery).returning(delivery.c.key, delivery.c.id)
    found = connection.execute(new, [_row(draft, now) for draft in drafts])
    return {row.key: row.id for row in found}


def _row(draft: Draft, now: datetime) -> dict[str, Any]:
    if not draft.ways:
        raise ValueError(f"a message without a way: {draft.key}")
    plain = {name: getattr(draft, name) for name in ("key", "receiver", "subject", "text", "html")}
    return plain | {"ways": _text(draft.ways), "created_at": now, "next_at": now}


def _text(ways: Sequence[str]) -> str:
    return orjson.dumps(list(ways)).decode()


def _resting(connection: Connection, now: datetime) -> dict[str, datetime]:
    rows = connection.execute(select(way_rest).where(way_rest.c.until > now))
    return {row.kind: row.until for row in rows}


def _open_way(ways: Sequence[str], come_to: int, resting: Collection[str]) -> int | None:
    """The first that does not rest, from the one it has come to; None when all do."""
    return next((way for way in range(come_to, len(ways)) if kind_of(ways[way]) not in resting), None)


def _delivery(row: RowMapping) -> Delivery:
    plain = {name: row[name] for name in TAKEN}
    return Delivery(**plain, ways=tuple(orjson.loads(row["ways"])), lease_until=row["next_at"])


def _end(connection: Connection, taken: Delivery, **put: Any) -> bool:
    """Whether it was still in the hands of that very attempt."""
    his = (delivery.c.id == taken.id, delivery.c.owner == taken.owner, delivery.c.attempt == taken.attempt)
    return connection.execute(update(delivery).where(*his).values(owner=None, **put)).rowcount == 1
