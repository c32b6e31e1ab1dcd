"""The reviews of weeks: closed, reopened and closed again, each time as a new row; notes stand beside them."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Connection, func, insert, select

from store import audit
from store.records import Edit, ReviewNote, ReviewTurn
from store.schema import review, review_note
from store.sealed import Sealed, lock

REVIEWS = Sealed(review, "week", "review")
WRITE = "review.note"


def add_note(connection: Connection, note: ReviewNote, role: str) -> int:
    """Returns the number of the note in its week."""
    lock(connection, review_note)
    newest = select(func.coalesce(func.max(review_note.c.number), 0)).where(review_note.c.week == note.week)
    number = int(connection.execute(newest).scalar_one()) + 1
    said = {name: getattr(note, name) for name in ("text", "owner", "due")}
    connection.execute(insert(review_note).values(week=note.week, number=number, by=note.by, at=note.at, **said))
    edit = Edit(note.at, note.by, role, WRITE, f"{note.week}/note/{number}", None, said, "")
    audit.write(connection, [edit])
    return number


def turns(connection: Connection, week: date) -> list[ReviewTurn]:
    """Oldest first, each held against its own seal and the one in the audit log."""
    return [ReviewTurn(**row) for row in REVIEWS.turns(connection, week)]


def notes(connection: Connection, week: date) -> list[ReviewNote]:
    """In the order they were written."""
    names = ("week", "text", "by", "at", "owner", "due")
    statement = select(*(review_note.c[name] for name in names)).where(review_note.c.week == week)
    rows = connection.execute(statement.order_by(review_note.c.number)).mappings()
    return [ReviewNote(**row) for row in rows]
