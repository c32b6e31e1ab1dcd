"""When each loop of the program last came round: what stands still shows by an old beat."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select

from store.bulk import insert_of
from store.schema import beat as table


def beat(connection: Connection, name: str, now: datetime) -> None:
    new = insert_of(connection, table).values(name=name, at=now)
    connection.execute(new.on_conflict_do_update(index_elements=["name"], set_={"at": new.excluded.at}))


def beats(connection: Connection) -> dict[str, datetime]:
    return {row.name: row.at for row in connection.execute(select(table))}
