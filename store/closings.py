"""The closings of periods: frozen figures of a year, say; closed, reopened and closed again, each time as a new row."""

from __future__ import annotations

from sqlalchemy import Connection

from store.records import ClosingTurn
from store.schema import closing
from store.sealed import Sealed

CLOSINGS = Sealed(closing, "period", "closing")


def turns(connection: Connection, period: str) -> list[ClosingTurn]:
    """Oldest first, each held against its own seal and the one in the audit log."""
    return [ClosingTurn(**row) for row in CLOSINGS.turns(connection, period)]
