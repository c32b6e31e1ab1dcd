"""The newest post in each of many stretches of time, or else the first moment that was read: where silence starts."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Connection,
    Integer,
    ScalarSelect,
    Text,
    and_,
    func,
    not_,
    or_,
    select,
    type_coerce,
)

from store.bulk import Row, Types, table_of
from store.schema import channel, epoch, look, post

if TYPE_CHECKING:
    import pandas as pd

KEYS = ("channel", "start", "until", "shares")
ASKED: Types = {"place": Integer(), "slug": Text(), "first": BigInteger(), "before": BigInteger(), "shares": Boolean()}

FIRST_LOOKS = 200
"""How many are asked: their cost is bounded, and later ones are not expected to reach further back than all these."""


def last_posts(connection: Connection, stretches: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    """One seek per stretch in the index of (channel, published_at), whatever the history."""
    from store.columns import moments

    asked = table_of(connection, ASKED, _rows(stretches, epoch(as_of) + 1))
    newest = _newest(asked.c, as_of).label("published_at")
    statement = select(asked.c.place, newest).join(channel, channel.c.slug == asked.c.slug)
    found = {row.place: row.published_at for row in connection.execute(statement)}
    last = [found.get(place) for place in range(len(stretches))]
    slugs = stretches["channel"].tolist()
    read = _read_from(connection, {slug for slug, at in zip(slugs, last, strict=True) if at is None}, as_of)
    begun = [None if at is not None else read.get(slug) for slug, at in zip(slugs, last, strict=True)]
    answer = stretches[list(KEYS)].reset_index(drop=True)
    return answer.assign(last_post_at=moments(last), read_from=moments(begun))


def _read_from(connection: Connection, slugs: Collection[str], as_of: datetime) -> dict[str, int]:
    """The earliest moment that the first complete looks at each channel tell about."""
    asked = table_of(connection, {"slug": Text()}, [(slug,) for slug in sorted(slugs)])
    good = (look.c.state == "done", look.c.complete, look.c.started_at <= as_of, look.c.channel_id == channel.c.id)
    coverage = select(type_coerce(look.c.coverage_from, BigInteger).label("at")).where(*good)
    early = coverage.order_by(look.c.started_at).limit(FIRST_LOOKS).correlate(channel).subquery("early")
    first = select(func.min(early.c.at)).scalar_subquery()
    statement = select(asked.c.slug, first.label("at")).join(channel, channel.c.slug == asked.c.slug)
    return {row.slug: row.at for row in connection.execute(statement) if row.at is not None}


def _rows(stretches: pd.DataFrame, end: int) -> list[Row]:
    """The stretches as they are asked for, none longer than up to *end*."""
    seconds = {name: stretches[name].dt.as_unit("s").astype("int64") for name in ("start", "until")}
    before = seconds["until"].where(stretches["until"].notna(), end).clip(upper=end)
    shares = stretches["shares"].astype(bool)
    columns = (stretches["channel"].tolist(), seconds["start"].tolist(), before.tolist(), shares.tolist())
    return [(place, *row) for place, row in enumerate(zip(*columns, strict=True))]


def _newest(asked: Any, as_of: datetime) -> ScalarSelect[int]:
    published = type_coerce(post.c.published_at, BigInteger)
    inside = and_(post.c.channel_id == channel.c.id, published >= asked.first, published < asked.before)
    known = and_(post.c.first_seen_at <= as_of, or_(not_(post.c.is_share), asked.shares))
    return (
        select(published)
        .where(inside, known)
        .order_by(published.desc())
        .limit(1)
        .correlate_except(post)
        .scalar_subquery()
    )
