"""The first thing that was ever known of a channel after a moment: where growth starts when nothing is older."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection, and_, select, tuple_

from store.columns import frame_of
from store.schema import COUNTS, channel, snapshot

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("observed_at", *COUNTS, "precision", "source", "suspect")


def first_after(connection: Connection, moment: datetime, count: str, channels: Sequence[str]) -> pd.DataFrame:
    """One seek per channel; a few steps more where the first snapshots do not have the count."""
    later = snapshot.alias("later")
    first = (
        select(later.c.observed_at, later.c.source)
        .where(later.c.channel_id == channel.c.id, later.c.observed_at > moment)
        .where(later.c.suspect == 0, later.c[count].is_not(None))
        .order_by(later.c.observed_at, later.c.source)
        .limit(1)
        .correlate(channel)
        .scalar_subquery()
    )
    found = and_(snapshot.c.channel_id == channel.c.id, tuple_(snapshot.c.observed_at, snapshot.c.source) == first)
    columns = [channel.c.slug.label("channel"), *(snapshot.c[name] for name in COLUMNS)]
    statement = select(*columns).select_from(channel.join(snapshot, found)).where(channel.c.slug.in_(channels))
    return frame_of(connection, statement.order_by(channel.c.slug))
