"""What the store gives out: tidy pandas frames, built from the few rows that were asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    FromClause,
    Integer,
    Select,
    and_,
    func,
    not_,
    or_,
    select,
    true,
    tuple_,
    type_coerce,
)

from store.bulk import table_of
from store.ledger import channels_of
from store.posts import NEW_COLUMNS, SIGHT_COLUMNS
from store.records import Evidence
from store.schema import COUNTS, Moment, channel, epoch, look, post, post_label, snapshot

if TYPE_CHECKING:
    import pandas as pd

LOOK_COLUMNS = (
    "slot",
    "state",
    "attempt",
    "outcome",
    "error",
    "complete",
    "coverage_from",
    "started_at",
    "finished_at",
    "retry_at",
    "snapshots",
    "posts",
    "notes",
    "requests",
    "received_bytes",
)
SNAPSHOT_COLUMNS = ("observed_at", *COUNTS, "precision", "source")
POST_COLUMNS = ("id", *NEW_COLUMNS[1:], *SIGHT_COLUMNS)
LABEL_COLUMNS = ("post_id", "label", "evidence", "at", "detail", "upheld")


def series(connection: Connection, start: datetime, end: datetime, channels: Sequence[str] | None) -> pd.DataFrame:
    at = snapshot.c.observed_at
    statement = (
        select(channel.c.slug.label("channel"), *_snapshot_columns(snapshot), snapshot.c.suspect)
        .select_from(_wanted(connection, channels).join(snapshot, snapshot.c.channel_id == channel.c.id))
        .where(at >= start, at < end)
        .order_by(channel.c.slug, at, snapshot.c.source)
    )
    return _frame(connection, statement)


def value_at(connection: Connection, asked_moments: Sequence[datetime], channels: Sequence[str] | None) -> pd.DataFrame:
    rows = [(epoch(moment),) for moment in sorted(set(asked_moments))]
    asked = table_of(connection, {"moment": BigInteger()}, rows)
    pairs = _wanted(connection, channels).join(asked, true())
    seek = _seek_in_place if connection.dialect.name == "sqlite" else _seek_lateral
    source, found = seek(pairs, asked)
    moment = type_coerce(asked.c.moment, Moment).label("moment")
    columns = (channel.c.slug.label("channel"), moment, *_snapshot_columns(found))
    return _frame(connection, select(*columns).select_from(source).order_by(channel.c.slug, asked.c.moment))


def _seek_in_place(pairs: FromClause, asked: FromClause) -> tuple[FromClause, FromClause]:
    """SQLite: one seek finds the key, a second one its row."""
    before = _newest_before(asked, snapshot.alias("earlier"), ("observed_at", "source")).scalar_subquery()
    key = tuple_(snapshot.c.observed_at, snapshot.c.source)
    found = and_(snapshot.c.channel_id == channel.c.id, key == before)
    return pairs.outerjoin(snapshot, found), snapshot


def _seek_lateral(pairs: FromClause, asked: FromClause) -> tuple[FromClause, FromClause]:
    """PostgreSQL: one seek per channel and moment, which it does not find by itself in the other form."""
    found = _newest_before(asked, snapshot.alias("earlier"), SNAPSHOT_COLUMNS).lateral("found")
    return pairs.outerjoin(found, true()), found


def _newest_before(asked: FromClause, earlier: FromClause, names: Sequence[str]) -> Select[Any]:
    """The newest snapshot that counts at or before the asked moment."""
    at = earlier.c.observed_at
    return (
        select(*(earlier.c[name] for name in names))
        .where(
            earlier.c.channel_id == channel.c.id,
            type_coerce(at, BigInteger) <= asked.c.moment,
            earlier.c.suspect == 0,
        )
        .order_by(at.desc(), earlier.c.source.desc())
        .limit(1)
        .correlate(channel, asked)
    )


def posts(
    connection: Connection,
    start: datetime,
    end: datetime,
    channels: Sequence[str] | None,
    as_of: datetime | None,
    columns: Sequence[str] | None,
) -> pd.DataFrame:
    statement = (
        _select_posts(columns or POST_COLUMNS)
        .select_from(_wanted(connection, channels).join(post, post.c.channel_id == channel.c.id))
        .where(post.c.published_at >= start, post.c.published_at < end)
    )
    if as_of is not None:
        statement = statement.where(post.c.first_seen_at <= as_of)
    return _frame(connection, statement)


def find_post(connection: Connection, link: str) -> pd.DataFrame:
    statement = _select_posts().select_from(post.join(channel, post.c.channel_id == channel.c.id))
    return _frame(connection, statement.where(post.c.link == link))


def labels(connection: Connection, post_ids: Iterable[int], as_of: datetime | None) -> pd.DataFrame:
    asked = table_of(connection, {"id": Integer()}, [(int(one),) for one in post_ids])
    by_person = post_label.c.evidence == Evidence.PERSON.value
    statement = (
        select(*(post_label.c[name] for name in LABEL_COLUMNS))
        .join(asked, asked.c.id == post_label.c.post_id)
        .order_by(post_label.c.post_id, post_label.c.label, by_person.desc(), post_label.c.turn.desc())
        .order_by(post_label.c.evidence)
    )
    if as_of is not None:
        statement = statement.where(or_(not_(by_person), post_label.c.at <= as_of))
    return _frame(connection, statement).drop_duplicates(["post_id", "label"], ignore_index=True)


def looks(
    connection: Connection,
    start: datetime,
    end: datetime,
    channels: Sequence[str] | None,
    columns: Sequence[str] | None,
) -> pd.DataFrame:
    covers = func.coalesce(type_coerce(look.c.coverage_from, BigInteger), type_coerce(look.c.started_at, BigInteger))
    finished = and_(look.c.channel_id == channel.c.id, look.c.started_at >= start, covers < epoch(end))
    statement = (
        _select_looks(columns or LOOK_COLUMNS)
        .select_from(_wanted(connection, channels).join(look, finished))
        .where(look.c.state.in_(("done", "failed")))
        .order_by(channel.c.slug, look.c.slot)
    )
    return _frame(connection, statement)


def missed_slots(connection: Connection, since: datetime, until: datetime) -> pd.DataFrame:
    missed = (look.c.state == "missed", look.c.slot >= since, look.c.slot <= until)
    counted = func.count().label("channels")
    open_channels = look.join(channel, and_(look.c.channel_id == channel.c.id, channel.c.closed_at.is_(None)))
    grouped = select(look.c.slot, counted).select_from(open_channels).where(*missed).group_by(look.c.slot)
    return _frame(connection, grouped.order_by(look.c.slot))


def last_looks(connection: Connection, channels: Sequence[str] | None = None) -> pd.DataFrame:
    newest = look.alias("newest")
    newest_slot = (
        select(newest.c.slot)
        .where(newest.c.channel_id == channel.c.id)
        .order_by(newest.c.slot.desc())
        .limit(1)
        .correlate(channel)
        .scalar_subquery()
    )
    done = look.alias("done")
    last_done = (
        select(done.c.started_at)
        .where(done.c.channel_id == channel.c.id, done.c.state == "done")
        .order_by(done.c.slot.desc())
        .limit(1)
        .correlate(channel)
        .scalar_subquery()
    )
    of_newest = and_(look.c.channel_id == channel.c.id, look.c.slot == newest_slot)
    statement = (
        _select_looks(LOOK_COLUMNS, last_done.label("last_done_at"))
        .select_from(_wanted(connection, channels).outerjoin(look, of_newest))
        .where(channel.c.closed_at.is_(None))
        .order_by(channel.c.slug)
    )
    return _frame(connection, statement)


def _select_posts(names: Sequence[str] = POST_COLUMNS) -> Select[Any]:
    columns = (post.c[name] for name in names)
    return select(channel.c.slug.label("channel"), *columns).order_by(channel.c.slug, post.c.published_at, post.c.id)


def _select_looks(names: Sequence[str], *more: ColumnElement[Any]) -> Select[Any]:
    columns = (look.c[name] for name in names)
    return select(channel.c.slug.label("channel"), *columns, *more)


def _snapshot_columns(found: FromClause) -> list[ColumnElement[Any]]:
    return [found.c[name] for name in SNAPSHOT_COLUMNS]


def _wanted(connection: Connection, channels: Sequence[str] | None) -> FromClause:
    """The channels that were asked for; None asks for all, closed ones too."""
    if channels is None:
        return channel
    ids = [(known.id,) for known in channels_of(connection, channels).values()]
    wanted = table_of(connection, {"id": Integer()}, ids, name="wanted")
    return channel.join(wanted, wanted.c.id == channel.c.id)


def _frame(connection: Connection, statement: Select[Any]) -> pd.DataFrame:
    from store.columns import frame_of

    return frame_of(connection, statement)
