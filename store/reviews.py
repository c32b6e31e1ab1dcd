"""The reviews of weeks: closed, reopened and closed again, each time as a new row; notes stand beside them."""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import Connection, RowMapping, func, insert, select

from store import audit
from store.records import Edit, ReviewNote, ReviewTurn
from store.schema import audit as audit_table
from store.schema import review, review_note

CLOSE, REOPEN, WRITE = "review.close", "review.reopen", "review.note"


def close(connection: Connection, week: date, content: str, by: str, at: datetime, role: str) -> str:
    """Returns the SHA-256 of the content. LookupError when the week is closed already."""
    last = _last_turn(connection, week)
    if last % 2:
        raise LookupError(f"{week} is closed already")
    sha256 = hashlib.sha256(content.encode()).hexdigest()
    row = {"week": week, "turn": last + 1, "content": content, "sha256": sha256, "at": at, "by": by, "reason": ""}
    connection.execute(insert(review).values(row))
    audit.write(connection, [Edit(at, by, role, CLOSE, _subject(week, last + 1), None, {"sha256": sha256}, "")])
    return sha256


def reopen(connection: Connection, week: date, by: str, reason: str, at: datetime, role: str) -> None:
    """LookupError when the week is not closed."""
    last = _last_turn(connection, week)
    if not last % 2:
        raise LookupError(f"{week} is not closed")
    sha256 = connection.execute(
        select(review.c.sha256).where(review.c.week == week, review.c.turn == last)
    ).scalar_one()
    row = {"week": week, "turn": last + 1, "content": None, "sha256": None, "at": at, "by": by, "reason": reason}
    connection.execute(insert(review).values(row))
    edit = Edit(at, by, role, REOPEN, _subject(week, last + 1), {"sha256": sha256}, None, reason)
    audit.write(connection, [edit])


def add_note(connection: Connection, note: ReviewNote, role: str) -> int:
    """Returns the number of the note in its week."""
    _lock(connection, "review_note")
    newest = select(func.coalesce(func.max(review_note.c.number), 0)).where(review_note.c.week == note.week)
    number = int(connection.execute(newest).scalar_one()) + 1
    said = {name: getattr(note, name) for name in ("text", "owner", "due")}
    connection.execute(insert(review_note).values(week=note.week, number=number, by=note.by, at=note.at, **said))
    edit = Edit(note.at, note.by, role, WRITE, f"{note.week}/note/{number}", None, said, "")
    audit.write(connection, [edit])
    return number


def turns(connection: Connection, week: date) -> list[ReviewTurn]:
    """Oldest first, each held against its own seal and the one in the audit log."""
    rows = connection.execute(select(review).where(review.c.week == week).order_by(review.c.turn)).mappings().all()
    sealed = _sealed(connection, week) if rows else {}
    return [_turn(row, sealed.get(_subject(week, row["turn"]))) for row in rows]


def notes(connection: Connection, week: date) -> list[ReviewNote]:
    """In the order they were written."""
    names = ("week", "text", "by", "at", "owner", "due")
    statement = select(*(review_note.c[name] for name in names)).where(review_note.c.week == week)
    rows = connection.execute(statement.order_by(review_note.c.number)).mappings()
    return [ReviewNote(**row) for row in rows]


def _turn(row: RowMapping, sealed: str | None) -> ReviewTurn:
    content = row["content"]
    fits = content is None or hashlib.sha256(content.encode()).hexdigest() == row["sha256"] == sealed
    return ReviewTurn(**row, is_intact=fits)


def _sealed(connection: Connection, week: date) -> dict[str, Any]:
    """What the audit log says was closed, by its subject: whoever changes both rows still meets the chain there."""
    here = (audit_table.c.action == CLOSE, audit_table.c.subject.startswith(f"{week}/", autoescape=True))
    rows = connection.execute(select(audit_table.c.subject, audit_table.c.after).where(*here))
    return {row.subject: orjson.loads(row.after)["sha256"] for row in rows}


def _last_turn(connection: Connection, week: date) -> int:
    """Nobody else adds a turn before this transaction ends."""
    _lock(connection, "review")
    newest = select(func.coalesce(func.max(review.c.turn), 0)).where(review.c.week == week)
    return int(connection.execute(newest).scalar_one())


def _lock(connection: Connection, table: str) -> None:
    if connection.dialect.name != "sqlite":  # there, a writer is alone anyway
        connection.exec_driver_sql(f"LOCK TABLE {table} IN EXCLUSIVE MODE")


def _subject(week: date, turn: int) -> str:
    return f"{week}/{turn}"
