"""Posts with the counts that were known of them at a moment."""

from __future__ import annotations

from datetime import datetime

import pandas as pd
from sqlalchemy import BigInteger, Connection, and_, func, or_, select, type_coerce

from store.columns import frame_of
from store.schema import POST_COUNTS, channel, epoch, post, post_count

COLUMNS = (channel.c.slug.label("channel"), post.c.title, post.c.published_at)


def post_totals(connection: Connection, start: datetime, end: datetime, as_of: datetime) -> pd.DataFrame:
    """Own posts published in [*start*, *end*) and not gone at *as_of*, each with its newest counts until then."""
    earlier = post_count.alias()
    observed = type_coerce(earlier.c.observed_at, BigInteger)
    newest = (
        select(func.max(observed))
        .where(earlier.c.post_id == post.c.id, observed <= epoch(as_of))
        .correlate(post)
        .scalar_subquery()
    )
    of_newest = and_(post_count.c.post_id == post.c.id, type_coerce(post_count.c.observed_at, BigInteger) == newest)
    statement = (
        select(*COLUMNS, *(post_count.c[name] for name in POST_COUNTS))
        .select_from(post.join(channel, post.c.channel_id == channel.c.id).outerjoin(post_count, of_newest))
        .where(post.c.published_at >= start, post.c.published_at < end, post.c.first_seen_at <= as_of)
        .where(post.c.is_share.is_(False), or_(post.c.gone_at.is_(None), post.c.gone_at > as_of))
        .order_by(post.c.published_at, post.c.id)
    )
    return frame_of(connection, statement)
