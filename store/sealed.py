"""Papers that are closed, reopened and closed again, each time as a new row whose content is sealed with SHA-256.

The audit log keeps every seal as well: whoever changes a row and its seal together still meets the chain there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import Column, Connection, Table, func, insert, select

from store import audit
from store.records import Edit
from store.schema import audit as audit_table

Key = date | str


@dataclass(frozen=True)
class Sealed:
    """One kind of paper: its table (turn, content, sha256, at, by, reason), and the column that says of what it is."""

    table: Table
    key: str
    action: str
    """The first part of its actions in the audit log: «review» gives «review.close» and «review.reopen»."""

    def close(
        self, connection: Connection, key: Key, content: str, by: str, at: datetime, role: str, reason: str = ""
    ) -> str:
        """Returns the SHA-256 of the content. LookupError when it is closed already."""
        last = self._last_turn(connection, key)
        if last % 2:
            raise LookupError(f"{key} is closed already")
        sha256 = hashlib.sha256(content.encode()).hexdigest()
        row = {"turn": last + 1, "content": content, "sha256": sha256, "at": at, "by": by, "reason": reason}
        connection.execute(insert(self.table).values({self.key: key} | row))
        subject = _subject(key, last + 1)
        audit.write(connection, [Edit(at, by, role, f"{self.action}.close", subject, None, {"sha256": sha256}, reason)])
        return sha256

    def reopen(self, connection: Connection, key: Key, by: str, reason: str, at: datetime, role: str) -> None:
        """LookupError when it is not closed."""
        last = self._last_turn(connection, key)
        if not last % 2:
            raise LookupError(f"{key} is not closed")
        newest = select(self.table.c.sha256).where(self._column == key, self.table.c.turn == last)
        sha256 = connection.execute(newest).scalar_one()
        row = {"turn": last + 1, "content": None, "sha256": None, "at": at, "by": by, "reason": reason}
        connection.execute(insert(self.table).values({self.key: key} | row))
        subject = _subject(key, last + 1)
        edit = Edit(at, by, role, f"{self.action}.reopen", subject, {"sha256": sha256}, None, reason)
        audit.write(connection, [edit])

    def turns(self, connection: Connection, key: Key) -> Iterator[dict[str, Any]]:
        """The rows, oldest first, with `is_intact`: whether each fits its own seal and the one in the audit log."""
        statement = select(self.table).where(self._column == key).order_by(self.table.c.turn)
        rows = connection.execute(statement).mappings().all()
        sealed = self._seals(connection, key) if rows else {}
        for row in rows:
            content, seal = row["content"], sealed.get(_subject(key, row["turn"]))
            fits = content is None or hashlib.sha256(content.encode()).hexdigest() == row["sha256"] == seal
            yield {**row, "is_intact": fits}

    @property
    def _column(self) -> Column[Any]:
        return self.table.c[self.key]

    def _seals(self, connection: Connection, key: Key) -> dict[str, Any]:
        """What the audit log says was closed, by its subject."""
        names = audit_table.c
        here = (names.action == f"{self.action}.close", names.subject.startswith(f"{key}/", autoescape=True))
        rows = connection.execute(select(names.subject, names.after).where(*here))
        return {row.subject: orjson.loads(row.after)["sha256"] for row in rows}

    def _last_turn(self, connection: Connection, key: Key) -> int:
        """Nobody else adds a turn before this transaction ends."""
        lock(connection, self.table)
        newest = select(func.coalesce(func.max(self.table.c.turn), 0)).where(self._column == key)
        return int(connection.execute(newest).scalar_one())


def lock(connection: Connection, table: Table) -> None:
    """Nobody else adds to the table before this transaction ends."""
    if connection.dialect.name != "sqlite":  # there, a writer is alone anyway
        connection.exec_driver_sql(f"LOCK TABLE {table.name} IN EXCLUSIVE MODE")


def _subject(key: Key, turn: int) -> str:
    return f"{key}/{turn}"
