"""Writing down what looks brought back: rows, cursor and ledger in one transaction.

A look that changes nothing writes nothing but its own row in the ledger.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

import orjson
from sqlalchemy import BigInteger, Connection, Integer, and_, select, type_coerce, update
from sqlalchemy import bindparam as bind

from store.bulk import Row, append, table_of
from store.entry import Entry
from store.judging import judged
from store.ledger import Key, channels_of, is_held, rows_of, slot_key, was_finished
from store.posts import record_posts
from store.records import Failure, LookResult, Reading, Snapshot, TakenSlot
from store.schema import channel, epoch, look, moment_of, snapshot

SNAPSHOT_COLUMNS = tuple(column.name for column in snapshot.columns)


def record(connection: Connection, results: Sequence[LookResult]) -> list[TakenSlot]:
    known = channels_of(connection, [result.taken.slot.channel for result in results], lock=True)
    rows = rows_of(connection, known, [result.taken.slot for result in results])
    held: dict[Key, LookResult] = {}
    refused: list[TakenSlot] = []
    for result in results:
        key = slot_key(known, result.taken.slot)
        row = rows.get(key)
        if is_held(row, result.taken):
            held.setdefault(key, result)
        elif not was_finished(row, result.taken):
            refused.append(result.taken)
    _record_failures(connection, held)
    cursors = {found.id: found.cursor for found in known.values()}
    for entries in _rounds(_entries(connection, held)):
        _record_readings(connection, cursors, entries)
    return refused


def _entries(connection: Connection, held: Mapping[Key, LookResult]) -> list[Entry]:
    """The readings, oldest look first: what a later one says of a post comes last.

    A slot can be late and its look the newest all the same: it was tried again.
    """
    newest = _newest_done(connection, {key[0] for key in held})
    return [
        Entry(key, result, result.outcome, late=epoch(result.started_at) < newest.get(key[0], 0))
        for key, result in sorted(held.items(), key=lambda item: (item[1].started_at, item[0]))
        if isinstance(result.outcome, Reading)
    ]


def _newest_done(connection: Connection, ids: Iterable[int]) -> dict[int, int]:
    """When the newest stored reading was begun, in epoch seconds, per channel that has one."""
    asked = table_of(connection, {"id": Integer()}, [(one,) for one in ids])
    newest = (
        select(type_coerce(look.c.started_at, BigInteger))
        .where(look.c.channel_id == asked.c.id, look.c.state == "done")
        .order_by(look.c.started_at.desc())
        .limit(1)
        .scalar_subquery()
    )
    found = connection.execute(select(asked.c.id, newest.label("begun")))
    return {row.id: row.begun for row in found if row.begun is not None}


def _rounds(entries: Iterable[Entry]) -> list[list[Entry]]:
    """Batches in which every channel occurs once, in the order of its looks."""
    rounds: list[list[Entry]] = []
    turn: dict[int, int] = {}
    for entry in entries:
        place = turn.get(entry.channel_id, 0)
        turn[entry.channel_id] = place + 1
        if place == len(rounds):
            rounds.append([])
        rounds[place].append(entry)
    return rounds


def _record_readings(connection: Connection, cursors: dict[int, str], entries: Sequence[Entry]) -> None:
    _record_snapshots(connection, entries)
    record_posts(connection, entries)
    _move_cursors(connection, cursors, entries)
    _finish(connection, [_done_row(entry) for entry in entries])


def _record_snapshots(connection: Connection, entries: Sequence[Entry]) -> None:
    """All at once; when some were known already, once more one by one, to count what each look brought."""
    rows = {entry.key: _snapshot_rows(entry.channel_id, entry.reading.snapshots) for entry in entries}
    everything = judged(connection, [row for some in rows.values() for row in some])
    attempt = connection.begin_nested()
    if append(connection, snapshot, SNAPSHOT_COLUMNS, everything) == len(everything):
        attempt.commit()
        for entry in entries:
            entry.snapshots = len(rows[entry.key])
        return
    attempt.rollback()
    remaining = iter(everything)
    for entry in entries:
        own = list(islice(remaining, len(rows[entry.key])))
        entry.snapshots = append(connection, snapshot, SNAPSHOT_COLUMNS, own)


def _snapshot_rows(channel_id: int, snapshots: Iterable[Snapshot]) -> list[Row]:
    return [
        (
            channel_id,
            epoch(one.observed_at),
            int(one.source),
            one.followers,
            one.likes,
            one.posts,
            one.views,
            int(one.precision),
            0,
        )
        for one in snapshots
    ]


def _move_cursors(connection: Connection, cursors: dict[int, str], entries: Iterable[Entry]) -> None:
    """*cursors* are those that are stored now."""
    moved = []
    for entry in entries:
        cursor = orjson.dumps(entry.reading.cursor, option=orjson.OPT_SORT_KEYS).decode()
        if not entry.late and cursor != cursors[entry.channel_id]:
            cursors[entry.channel_id] = cursor
            moved.append({"of_channel": entry.channel_id, "cursor": cursor})
    if moved:
        connection.execute(update(channel).where(channel.c.id == bind("of_channel")), moved)


def _record_failures(connection: Connection, held: Mapping[Key, LookResult]) -> None:
    _finish(
        connection,
        [
            _ledger_row(key, result)
            | {
                "state": "failed",
                "outcome": failure.kind.value,
                "error": failure.sentence,
                "retry_at": failure.retry_at,
            }
            for key, result in held.items()
            if isinstance(failure := result.outcome, Failure)
        ],
    )


def _done_row(entry: Entry) -> dict[str, Any]:
    reading = entry.reading
    return _ledger_row(entry.key, entry.result) | {
        "state": "done",
        "outcome": "unchanged" if reading.unchanged else "ok",
        "complete": reading.complete,
        "coverage_from": reading.coverage_from,
        "snapshots": entry.snapshots,
        "posts": entry.posts,
        "notes": orjson.dumps(reading.notes).decode() if reading.notes else None,
    }


def _ledger_row(key: Key, result: LookResult) -> dict[str, Any]:
    return {
        "of_channel": key[0],
        "of_slot": moment_of(key[1]),
        "lease_until": None,
        "started_at": result.started_at,
        "finished_at": result.finished_at,
        "error": None,
        "retry_at": None,
        "requests": result.requests,
        "received_bytes": result.received_bytes,
    }


def _finish(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        here = and_(look.c.channel_id == bind("of_channel"), look.c.slot == bind("of_slot"))
        connection.execute(update(look).where(here), rows)
