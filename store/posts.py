"""Posts as readings bring them: new, changed, missing, gone and back again; and their counts."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    Row,
    Subquery,
    Text,
    Update,
    and_,
    func,
    or_,
    select,
    type_coerce,
    update,
)
from sqlalchemy import bindparam as bind

from store.bulk import append, table_of
from store.entry import Entry
from store.records import EVER, Confidence, Counts, DateSource, Post
from store.schema import POST_COUNTS, Moment, epoch, post, post_count

Values = tuple[Any, ...]
PostKey = tuple[int, str]
"""Channel id and the platform's own id of the post."""

NEW_COLUMNS = (
    "channel_id",
    "platform_id",
    "published_at",
    "date_source",
    "date_confidence",
    "title",
    "excerpt",
    "link",
    "kind",
    "is_share",
    "categories",
    "first_seen_at",
)
DATE_COLUMNS = NEW_COLUMNS[2:5]
TEXT_COLUMNS = NEW_COLUMNS[5:11]
STATED_COLUMNS = (*DATE_COLUMNS, *TEXT_COLUMNS)
SIGHT_COLUMNS = ("missing_since", "gone_at")
CHANGING_COLUMNS = (*STATED_COLUMNS, *SIGHT_COLUMNS, "rules")

CERTAINTY = {Confidence.EXACT: 0, Confidence.HOUR: 1, Confidence.DAY: 2, Confidence.LOW: 3}
FIRST_SEEN_CERTAINTY = 4
"""Any date that the source shows is better than the moment we first saw the post."""


def record_posts(connection: Connection, entries: Sequence[Entry]) -> None:
    """Stores what each reading says of its posts; every channel occurs once."""
    by_channel = {entry.channel_id: entry for entry in entries}
    seen = {(entry.channel_id, one.platform_id): one for entry in entries for one in reversed(entry.reading.posts)}
    known = _known_posts(connection, seen)
    _add_new(connection, by_channel, {key: one for key, one in seen.items() if key not in known})
    timely = {key: one for key, one in seen.items() if not by_channel[key[0]].late}
    _change_known(connection, timely, known)
    _note_missing(connection, [entry for entry in entries if _misses(entry)], seen)
    _record_counts(connection, by_channel, timely)


def _known_posts(connection: Connection, keys: Iterable[PostKey]) -> dict[PostKey, Row[Any]]:
    asked = _asked_posts(connection, keys)
    columns = [_plainly(post.c[name]) for name in (*STATED_COLUMNS, *SIGHT_COLUMNS, "rules")]
    statement = select(post.c.id, post.c.channel_id, post.c.platform_id, *columns).join(asked, _same_post(asked))
    return {(row.channel_id, row.platform_id): row for row in connection.execute(statement).all()}


def _asked_posts(connection: Connection, keys: Iterable[PostKey]) -> Subquery:
    return table_of(connection, {"channel_id": Integer(), "platform_id": Text()}, keys)


def _same_post(asked: Subquery) -> ColumnElement[bool]:
    return and_(asked.c.channel_id == post.c.channel_id, asked.c.platform_id == post.c.platform_id)


def _plainly(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Moments as the seconds that are stored."""
    return type_coerce(column, BigInteger).label(column.key) if isinstance(column.type, Moment) else column


def _add_new(connection: Connection, by_channel: Mapping[int, Entry], new: Mapping[PostKey, Post]) -> None:
    rows = []
    for (channel_id, platform_id), one in new.items():
        entry = by_channel[channel_id]
        entry.posts += 1
        rows.append((channel_id, platform_id, *_stated(one, entry.seen_at), entry.seen_at))
    append(connection, post, NEW_COLUMNS, rows)


def _stated(one: Post, seen_at: int) -> Values:
    """What a reading says of a post, in the order of STATED_COLUMNS."""
    return (*_date(one, seen_at), *_text(one))


def _date(one: Post, seen_at: int) -> Values:
    if one.published_at is None:
        return seen_at, DateSource.FIRST_SEEN.value, Confidence.LOW.value
    return epoch(one.published_at), one.date_source.value, one.date_confidence.value


def _text(one: Post) -> Values:
    categories = orjson.dumps(one.categories).decode()
    return one.title, one.excerpt, one.link, one.kind, one.is_share, categories


def _change_known(connection: Connection, seen: Mapping[PostKey, Post], known: Mapping[PostKey, Row[Any]]) -> None:
    """Only posts that really differ are written."""
    changes = []
    for key in seen.keys() & known.keys():
        row = known[key]
        if _is_as_stated(row, seen[key]):
            continue
        before = row._asdict()
        after = before | _changes(before, seen[key])
        if after != before:
            changes.append({"of_post": before["id"]} | {name: after[name] for name in CHANGING_COLUMNS})
    if changes:
        changes.sort(key=lambda change: change["of_post"])
        connection.execute(_seconds_update(), changes)


def _is_as_stated(row: Row[Any], one: Post) -> bool:
    """Whether nothing can have changed; most posts of most looks end here."""
    sighted = row.missing_since is None and row.gone_at is None
    return sighted and tuple(row[3:12]) == _stated(one, row.published_at)


def _changes(before: Mapping[str, Any], one: Post) -> dict[str, Any]:
    """A post seen again is neither missing nor gone; its first date stays unless a surer one is shown.

    A changed text is to be judged for labels again.
    """
    changes: dict[str, Any] = dict.fromkeys(SIGHT_COLUMNS)
    text = dict(zip(TEXT_COLUMNS, _text(one), strict=True))
    if any(before[name] != value for name, value in text.items()):
        changes |= text | {"rules": None}
    date = dict(zip(DATE_COLUMNS, _date(one, before["published_at"]), strict=True))
    if _certainty(date) < _certainty(before):
        changes |= date
    return changes


def _certainty(date: Mapping[str, Any]) -> int:
    first_seen = date["date_source"] == DateSource.FIRST_SEEN
    return FIRST_SEEN_CERTAINTY if first_seen else CERTAINTY[Confidence(date["date_confidence"])]


def _seconds_update() -> Update:
    values = {
        name: bind(name, type_=BigInteger) if isinstance(post.c[name].type, Moment) else bind(name)
        for name in CHANGING_COLUMNS
    }
    return update(post).where(post.c.id == bind("of_post")).values(values)


def _misses(entry: Entry) -> bool:
    """Whether a post that is not in this reading is missed by it."""
    reading = entry.reading
    return reading.complete and reading.coverage_from is not None and not entry.late


def _note_missing(connection: Connection, entries: Sequence[Entry], seen: Container[PostKey]) -> None:
    """Missing the first time, gone the second: one look may have caught the site half-way.

    An unchanged source still misses what the look before it missed, and nothing else.
    """
    if not entries:
        return
    seen_at = {entry.channel_id: entry.seen_at for entry in entries}
    missing = [row for row in _covered_posts(connection, entries) if (row.channel_id, row.platform_id) not in seen]
    first = [_sight(row, seen_at) for row in missing if row.missing_since is None]
    second = [_sight(row, seen_at) for row in missing if _was_missing(row, seen_at[row.channel_id])]
    here = update(post).where(post.c.id == bind("of_post"))
    for name, rows in (("missing_since", first), ("gone_at", second)):
        if rows:
            connection.execute(here.values({name: bind("seen_at", type_=BigInteger)}), rows)


def _was_missing(row: Row[Any], seen_at: int) -> bool:
    """Two looks begun in one second are one look."""
    return row.missing_since is not None and row.missing_since < seen_at


def _sight(row: Row[Any], seen_at: Mapping[int, int]) -> dict[str, int]:
    return {"of_post": row.id, "seen_at": seen_at[row.channel_id]}


def _covered_posts(connection: Connection, entries: Sequence[Entry]) -> Sequence[Row[Any]]:
    """The posts that these readings must hold if they still exist.

    A post whose date is only the moment we first saw it may be older than a window that shows no dates.
    """
    floors = [(entry.channel_id, epoch(entry.reading.coverage_from or EVER)) for entry in entries]
    asked = table_of(connection, {"channel_id": Integer(), "floor": BigInteger()}, floors)
    unchanged = [entry.channel_id for entry in entries if entry.reading.unchanged]
    published = type_coerce(post.c.published_at, BigInteger)
    statement = select(
        post.c.id,
        post.c.channel_id,
        post.c.platform_id,
        type_coerce(post.c.missing_since, BigInteger).label("missing_since"),
    ).join(asked, and_(asked.c.channel_id == post.c.channel_id, published > asked.c.floor))
    sure = or_(post.c.date_source != DateSource.FIRST_SEEN.value, asked.c.floor == epoch(EVER))
    looked_for = or_(post.c.missing_since.is_not(None), post.c.channel_id.not_in(unchanged))
    return connection.execute(statement.where(post.c.gone_at.is_(None), sure, looked_for)).all()


def _record_counts(connection: Connection, by_channel: Mapping[int, Entry], seen: Mapping[PostKey, Post]) -> None:
    counted = {key: _counts(one) for key, one in seen.items() if one.counts is not None}
    if not counted:
        return
    latest = _latest_counts(connection, counted)
    rows = [
        (row.id, by_channel[row.channel_id].seen_at, *counts)
        for row in latest
        if (counts := counted[row.channel_id, row.platform_id]) != tuple(row[3:])
    ]
    append(connection, post_count, ("post_id", "observed_at", *POST_COUNTS), rows)


def _counts(one: Post) -> Values:
    counts = one.counts or Counts()
    return counts.reactions, counts.comments, counts.shares, counts.views


def _latest_counts(connection: Connection, keys: Iterable[PostKey]) -> Sequence[Row[Any]]:
    asked = _asked_posts(connection, keys)
    earlier = post_count.alias()
    newest = (
        select(func.max(earlier.c.observed_at)).where(earlier.c.post_id == post.c.id).correlate(post).scalar_subquery()
    )
    of_newest = and_(post_count.c.post_id == post.c.id, post_count.c.observed_at == newest)
    columns = [post_count.c[name] for name in POST_COUNTS]
    statement = select(post.c.id, post.c.channel_id, post.c.platform_id, *columns)
    return connection.execute(
        statement.select_from(asked).join(post, _same_post(asked)).outerjoin(post_count, of_newest)
    ).all()
