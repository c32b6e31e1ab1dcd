"""What people say about suspect counts. A word is added and never changed; the newest one holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection, Select, and_, exists, func, insert, not_, select, update

from store.columns import frame_of
from store.ledger import channels_of
from store.records import Verdict
from store.schema import COUNTS, channel, snapshot, verdict

if TYPE_CHECKING:
    import pandas as pd

ALL_COUNTS = 2 ** len(COUNTS) - 1
"""Doubt about every count of a snapshot."""


def open_suspects(connection: Connection) -> pd.DataFrame:
    later, said = snapshot.alias("later"), verdict.alias("said")
    overtaken = exists().where(
        later.c.channel_id == snapshot.c.channel_id,
        later.c.source == snapshot.c.source,
        later.c.observed_at > snapshot.c.observed_at,
        later.c.suspect == 0,
    )
    judged = exists().where(
        said.c.channel_id == snapshot.c.channel_id,
        said.c.observed_at == snapshot.c.observed_at,
        said.c.source == snapshot.c.source,
    )
    statement = _suspects().where(not_(overtaken), not_(judged))
    return frame_of(connection, statement.order_by(channel.c.slug, snapshot.c.observed_at))


def rejected(connection: Connection, slug: str) -> pd.DataFrame:
    said = verdict.alias("said")
    judged = exists().where(
        said.c.channel_id == snapshot.c.channel_id,
        said.c.observed_at == snapshot.c.observed_at,
        said.c.source == snapshot.c.source,
    )
    statement = _suspects().where(judged, channel.c.slug == slug)
    return frame_of(connection, statement.order_by(snapshot.c.observed_at))


def _suspects() -> Select[tuple[object, ...]]:
    columns = ("observed_at", "source", *COUNTS, "suspect")
    named = channel.c.slug.label("channel")
    return (
        select(named, *(snapshot.c[name] for name in columns))
        .join(channel, channel.c.id == snapshot.c.channel_id)
        .where(snapshot.c.suspect != 0)
    )


def add_verdict(connection: Connection, word: Verdict) -> None:
    """LookupError when there is no such snapshot, or nobody ever doubted it."""
    found = channels_of(connection, [word.channel], lock=True)[word.channel]
    here = (
        snapshot.c.channel_id == found.id,
        snapshot.c.observed_at == word.observed_at,
        snapshot.c.source == int(word.source),
    )
    place = {"channel_id": found.id, "observed_at": word.observed_at, "source": int(word.source)}
    same = and_(*(verdict.c[name] == value for name, value in place.items()))
    turn = connection.execute(select(func.count()).select_from(verdict).where(same)).scalar_one()
    doubted = connection.execute(select(snapshot.c.suspect).where(*here)).scalar_one_or_none()
    if doubted is None or not (doubted or turn):
        raise LookupError(f"no suspect count of {word.channel} at {word.observed_at}")
    said = {"at": word.at, "by": word.by, "reason": word.reason, "accepted": word.accepted}
    connection.execute(insert(verdict).values(**place, turn=turn, **said))
    connection.execute(
        update(snapshot).where(*here).values(suspect=0 if word.accepted else doubted or 2 ** len(COUNTS) - 1)
    )
