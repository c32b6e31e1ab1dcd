"""Units and channels as the configuration names them: added, changed, closed, opened again, never deleted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, bindparam, select, update

from config.models import Channel, Unit
from store.bulk import insert_of
from store.schema import channel, unit


def sync(connection: Connection, units: Iterable[Unit], channels: Iterable[Channel], now: datetime) -> None:
    _sync(connection, unit, {one.slug: _unit_row(one) for one in units}, now, {})
    _sync(connection, channel, {one.slug: _channel_row(one) for one in channels}, now, {"opened_at": now})


def _unit_row(one: Unit) -> dict[str, Any]:
    return {"name": one.name, "kind": one.kind, "start": one.start, "until": one.until}


def _channel_row(one: Channel) -> dict[str, Any]:
    return {"platform": one.platform, "name": one.name, "address": one.address}


def _sync(
    connection: Connection,
    table: Table,
    wanted: Mapping[str, dict[str, Any]],
    now: datetime,
    opening: Mapping[str, Any],
) -> None:
    """A second sync of the same configuration writes nothing; *opening* is set on what is new or open again."""
    stored = {row.slug: row._asdict() for row in connection.execute(select(table).with_for_update())}
    new = [{"slug": slug, **row, **opening} for slug, row in wanted.items() if slug not in stored]
    changed = [
        {"of_slug": slug, **row}
        for slug, row in wanted.items()
        if slug in stored and row != {name: stored[slug][name] for name in row}
    ]
    opened = [slug for slug in wanted if slug in stored and stored[slug]["closed_at"] is not None]
    closed = [slug for slug, row in stored.items() if slug not in wanted and row["closed_at"] is None]
    here = update(table).where(table.c.slug == bindparam("of_slug"))
    if new:
        connection.execute(insert_of(connection, table).on_conflict_do_nothing(), new)
    if changed:
        connection.execute(here, changed)
    if opened:
        connection.execute(here.values(closed_at=None, **opening), [{"of_slug": slug} for slug in opened])
    if closed:
        connection.execute(here.values(closed_at=now), [{"of_slug": slug} for slug in closed])
