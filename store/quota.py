"""What is spent of the daily allowances of the platforms, counted over all processes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select

from store.bulk import insert_of
from store.schema import quota


def spend(connection: Connection, bucket: str, resets_at: datetime, units: int) -> int:
    """Adds in the database itself, so that two processes never overwrite each other's count."""
    new = insert_of(connection, quota).values(bucket=bucket, resets_at=resets_at, used=units)
    added = new.on_conflict_do_update(
        index_elements=["bucket", "resets_at"], set_={"used": quota.c.used + new.excluded.used}
    )
    return int(connection.execute(added.returning(quota.c.used)).scalar_one())


def spent(connection: Connection, bucket: str, resets_at: datetime) -> int:
    here = (quota.c.bucket == bucket, quota.c.resets_at == resets_at)
    return connection.execute(select(quota.c.used).where(*here)).scalar() or 0
