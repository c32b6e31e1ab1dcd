"""Whether anything was written since: one cheap question, so that pages are built once for each state of the data."""

from __future__ import annotations

from threading import Lock

from sqlalchemy import Connection

from store.database import Database, is_sqlite

MARKS = {"sqlite": "PRAGMA data_version", "postgresql": "SELECT pg_current_snapshot()::text"}
"""Both change with every commit of somebody else; the first only on one and the same connection."""


class Changes:
    """The state of the data as a mark: equal marks, equal data. A mark means nothing to another object or process."""

    def __init__(self, database: Database) -> None:
        self._database, self._lock = database, Lock()
        self._statement = MARKS["sqlite" if is_sqlite(database.url) else "postgresql"]
        self._connection: Connection | None = None
        self._renewed = 0

    def mark(self) -> tuple[int, str]:
        """StoreError when the database cannot be asked."""
        with self._lock, self._database.faults():
            if self._connection is None or self._connection.invalidated:
                self._renew()
            assert self._connection is not None
            with self._connection.begin():
                return self._renewed, str(self._connection.exec_driver_sql(self._statement).scalar_one())

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def _renew(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None
        self._connection = self._database.engine.connect()
        self._renewed += 1
