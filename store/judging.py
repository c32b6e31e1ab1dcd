"""Judging a count before it counts: one that cannot easily be true waits for a second one, or for a person.

A zero after a number, a drop by half (by a tenth from 1,000 up) and a jump to more than five times are suspect.
A later reading that agrees with a suspect one, six hours or more after it, counts again; the suspect one itself
stays suspect, so that what was answered for an earlier day never changes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    FromClause,
    Integer,
    SmallInteger,
    and_,
    exists,
    func,
    not_,
    or_,
    select,
    type_coerce,
)

from store.bulk import Row, table_of
from store.schema import COUNTS, snapshot, verdict

WITNESS_AFTER = 6 * 3600
"""Seconds after which a second reading is a second look and not the same glitch."""

Values = Sequence[int | None]
"""The counts of one snapshot, in the order of the columns; each may be missing."""
Key = tuple[int, int]
"""Channel id and source: counts of different sources do not judge each other."""
_COUNTS = slice(3, 3 + len(COUNTS))
"""Where the counts stand in a row on its way to the table."""
_PICKS = [itemgetter(place) for place in range(_COUNTS.start, _COUNTS.stop)]


def is_suspect(before: int | None, count: int | None) -> bool:
    """Whether *count* cannot easily follow *before*; without either there is nothing to judge."""
    if not before or count is None:
        return False
    lowest = 0.9 * before if before >= 1000 else 0.5 * before
    return count < lowest or count == 0 or count > 5 * before


@dataclass(frozen=True, slots=True)
class Seen:
    """One earlier snapshot as the store holds it: `doubted` are the bits of its suspect counts."""

    at: int
    values: Values
    doubted: int


class Judge:
    """The memory needed to judge the snapshots of one channel and source, fed oldest first."""

    def __init__(self, counts: int, seen: Iterable[Seen] = ()) -> None:
        self._trusted: list[int | None] = [None] * counts
        self._doubted: list[list[tuple[int, int]]] = [[] for _ in range(counts)]
        for one in seen:
            for place, value in enumerate(one.values):
                self._remember(place, one.at, value, doubted=bool(one.doubted >> place & 1))

    def judge(self, at: int, values: Values) -> int:
        """The bits of the counts in *values* that are suspect; remembers them for the next snapshot."""
        bits = 0
        for place, value in enumerate(values):
            doubted = is_suspect(self._trusted[place], value) and not self._is_confirmed(place, at, value)
            self._remember(place, at, value, doubted=doubted)
            bits |= doubted << place
        return bits

    def _is_confirmed(self, place: int, at: int, value: int | None) -> bool:
        """An earlier doubted count says the same: equal, or as near as one count may follow another."""
        return any(
            value == earlier or not (is_suspect(earlier, value) or earlier == 0)
            for seen_at, earlier in self._doubted[place]
            if at - seen_at >= WITNESS_AFTER
        )

    def _remember(self, place: int, at: int, value: int | None, *, doubted: bool) -> None:
        if value is None:
            return
        if doubted:
            self._doubted[place].append((at, value))
        else:
            self._trusted[place] = value
            self._doubted[place].clear()


def judged(connection: Connection, rows: Sequence[Row]) -> list[Row]:
    """*rows* of the snapshot table, each with the bits of its suspect counts in the last column."""
    given = list(rows)
    series = [one for one in _series(given) if one.present]
    seen: defaultdict[Key, list[Seen]] = defaultdict(list)
    for channel_id, source, at, doubted, *counts in _since_trusted(connection, series) if series else ():
        seen[channel_id, source].append(Seen(at, counts, doubted))
    for one in series:
        if one.is_calm_after(seen[one.key]):
            continue
        judge = Judge(len(COUNTS), seen[one.key])
        for place in one.places:
            row = given[place]
            given[place] = (*row[:-1], judge.judge(row[1], row[_COUNTS]))
    return given


@dataclass(frozen=True, slots=True)
class _Series:
    """The rows of one channel and source on their way to the table, oldest first."""

    key: Key
    places: Sequence[int]
    """Where they stand in the batch."""
    since: int
    columns: Sequence[Values]
    """Their counts, one column each."""

    @property
    def present(self) -> int:
        """The bits of the counts that occur: a count that a source never gives needs no memory."""
        return sum(1 << place for place, one in enumerate(self.columns) if one.count(None) < len(one))

    def is_calm_after(self, seen: Sequence[Seen]) -> bool:
        """Nothing can be suspect: no open doubt, and every count is within a tenth below and five times the last."""
        if any(one.doubted for one in seen):
            return False
        befores = zip(*(one.values for one in seen), strict=True) if seen else [()] * len(self.columns)
        return all(_is_calm((*before, *column)) for before, column in zip(befores, self.columns, strict=True))


def _is_calm(column: Values) -> bool:
    before = 0
    for count in column:
        if count is not None:
            if not 0.9 * before <= count <= 5 * before and before:
                return False
            before = count
    return True


def _series(rows: Sequence[Row]) -> list[_Series]:
    by_key: defaultdict[Key, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        by_key[row[0], row[2]].append(place)
    return [_one_series(key, places, rows) for key, places in by_key.items()]


def _one_series(key: Key, places: list[int], rows: Sequence[Row]) -> _Series:
    places.sort(key=lambda place: rows[place][1])
    ordered = [rows[place] for place in places]
    return _Series(key, places, ordered[0][1], [list(map(pick, ordered)) for pick in _PICKS])


def _since_trusted(connection: Connection, series: Sequence[_Series]) -> Iterable[Row]:
    """Per channel and source the last snapshot before a moment that nobody doubts, and all after it, in order.

    It must hold every count that is to be judged: one that was hidden for a while is not forgotten.
    """
    types = {"channel_id": Integer(), "source": SmallInteger(), "before": BigInteger(), "present": SmallInteger()}
    asked = table_of(connection, types, [(*one.key, one.since, one.present) for one in series])
    earlier = snapshot.alias("earlier")
    known = (
        or_(asked.c.present.bitwise_and(1 << place) == 0, earlier.c[name].is_not(None))
        for place, name in enumerate(COUNTS)
    )
    newest = (
        select(type_coerce(earlier.c.observed_at, BigInteger))
        .where(*_same(earlier, asked), earlier.c.suspect == 0, *known)
        .order_by(earlier.c.observed_at.desc())
        .limit(1)
        .correlate(asked)
        .scalar_subquery()
    )
    at = type_coerce(snapshot.c.observed_at, BigInteger).label("at")
    columns = (snapshot.c.channel_id, snapshot.c.source, at, snapshot.c.suspect, *(snapshot.c[name] for name in COUNTS))
    since = and_(*_same(snapshot, asked), type_coerce(snapshot.c.observed_at, BigInteger) >= func.coalesce(newest, 0))
    seen = select(*columns).join(asked, since).where(not_(_is_rejected())).order_by(at)
    return [tuple(row) for row in connection.execute(seen)]


def _is_rejected() -> ColumnElement[bool]:
    """A person said that this count is false: it is no witness for another one."""
    keys = ("channel_id", "observed_at", "source")
    same = and_(*(verdict.c[name] == snapshot.c[name] for name in keys))
    return and_(snapshot.c.suspect != 0, exists().where(same, not_(verdict.c.accepted)))


def _same(table: FromClause, asked: FromClause) -> tuple[ColumnElement[bool], ...]:
    return (
        table.c.channel_id == asked.c.channel_id,
        table.c.source == asked.c.source,
        type_coerce(table.c.observed_at, BigInteger) < asked.c.before,
    )
