"""Letting go of what a platform's terms do not allow to be kept: snapshots by source, and what belongs to them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Connection, Select, and_, delete, exists, func, not_, or_, select, update

from store.columns import frame_of
from store.records import KEPT_FOR, KEYED_PLATFORM
from store.schema import channel, look, post, post_count, snapshot

if TYPE_CHECKING:
    import pandas as pd

TEXTS_KEPT_FOR = timedelta(days=30)
"""Titles and counts read with a plain YouTube key; refreshed by the monthly full look (facts: YouTube 1.9, 1.12)."""


def bound_rows(connection: Connection) -> pd.DataFrame:
    statement = (
        select(
            channel.c.slug.label("channel"),
            snapshot.c.source,
            func.min(snapshot.c.observed_at).label("oldest"),
            func.count().label("rows"),
        )
        .join(channel, channel.c.id == snapshot.c.channel_id)
        .where(snapshot.c.source.in_([int(source) for source in KEPT_FOR]))
        .group_by(channel.c.slug, snapshot.c.source)
        .order_by(channel.c.slug)
    )
    return frame_of(connection, statement)


def purge(connection: Connection, owned: Collection[str], now: datetime) -> int:
    keyed = {row.slug: row.id for row in connection.execute(_keyed())}
    unowned = [found for slug, found in keyed.items() if slug not in owned]
    sources = [(int(source), now - kept) for source, kept in KEPT_FOR.items()]
    dropped = sum(_drop_snapshots(connection, keyed.values(), source, before) for source, before in sources)
    dropped += _drop_post_counts(connection, unowned, now - TEXTS_KEPT_FOR)
    _drop_texts(connection, unowned, now - TEXTS_KEPT_FOR)
    return dropped


def _keyed() -> Select[tuple[str, int]]:
    """Those that are not configured any more too: what they left is bound by the same terms."""
    keyed = select(channel.c.slug, channel.c.id).where(channel.c.platform == KEYED_PLATFORM)
    return keyed.order_by(channel.c.id).with_for_update()


def _drop_snapshots(connection: Connection, ids: Iterable[int], source: int, before: datetime) -> int:
    """By channel, because that is how the table is sorted."""
    of_source = and_(snapshot.c.source == source, snapshot.c.observed_at < before)
    return connection.execute(delete(snapshot).where(snapshot.c.channel_id.in_(ids), of_source)).rowcount


def _drop_post_counts(connection: Connection, ids: Iterable[int], before: datetime) -> int:
    of_channels = post_count.c.post_id.in_(select(post.c.id).where(post.c.channel_id.in_(ids)))
    return connection.execute(delete(post_count).where(of_channels, post_count.c.observed_at < before)).rowcount


def _drop_texts(connection: Connection, ids: Iterable[int], before: datetime) -> None:
    """The words of posts that are gone, or that nobody could refresh; that they existed, and their labels, stay."""
    stale = select(channel.c.id).where(channel.c.id.in_(ids), not_(_was_read(since=before)))
    unrefreshed = or_(post.c.gone_at < before, post.c.channel_id.in_(stale))
    here = and_(post.c.channel_id.in_(ids), unrefreshed, post.c.first_seen_at < before, post.c.title != "")
    connection.execute(update(post).where(here).values(title="", excerpt=""))


def _was_read(since: datetime) -> ColumnElement[bool]:
    return exists().where(look.c.channel_id == channel.c.id, look.c.state == "done", look.c.started_at >= since)
