"""What the check said: answers that are added once and never changed, so that a replay repeats them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Row,
    String,
    and_,
    func,
    insert,
    or_,
    select,
    type_coerce,
)

from store.bulk import table_of
from store.columns import frame_of
from store.records import Said, Week
from store.schema import epoch, moment_of, progress

if TYPE_CHECKING:
    import pandas as pd

SUBJECT = ("plan", "target", "subject")
STORED = tuple(column.name for column in progress.columns)
KEY = ("target", "subject", "period_start", "period_end", "turn")
Key = tuple[str, str, str, date, date, int]


def keep(connection: Connection, answers: Sequence[Said]) -> list[Said]:
    """The answers that stand, in the same order: the stored one where the inputs were the same."""
    if connection.dialect.name != "sqlite":  # there, a writer is alone anyway
        connection.exec_driver_sql("LOCK TABLE progress IN SHARE ROW EXCLUSIVE MODE")
    known = _known(connection, answers)
    standing, new = [], []
    for answer in answers:
        versions = known.setdefault(_key(answer), [])
        said = next((one for one in versions if one.digest == answer.digest), None)
        if said is None:
            said = replace(answer, turn=len(versions) + 1) if versions else answer
            versions.append(said)
            new.append(_row(said))
        standing.append(said)
    if new:
        connection.execute(insert(progress), new)
    return standing


def newest(connection: Connection, as_of: datetime | None, plans: Collection[str] | None) -> pd.DataFrame:
    asked = [] if as_of is None else [progress.c.as_of <= as_of]
    asked += [] if plans is None else [progress.c.plan.in_(plans)]
    subject = [progress.c[name] for name in SUBJECT]
    last = func.row_number().over(
        partition_by=subject, order_by=[progress.c[name].desc() for name in ("as_of", "period_end", "turn")]
    )
    ranked = select(progress, last.label("place")).where(*asked).subquery("ranked")
    columns = [ranked.c[name] for name in STORED]
    return frame_of(connection, select(*columns).where(ranked.c.place == 1).order_by(*columns[:4]))


@dataclass(frozen=True)
class Wanted:
    """What is asked of the newest check of a week."""

    plan: str
    targets: tuple[str, ...]
    weekly: frozenset[str]
    subjects: Collection[str] | None
    columns: Sequence[str] | None


def checked(connection: Connection, wanted: Wanted, week: Week, as_of: datetime) -> pd.DataFrame:
    """Goes back from check to check until every target is found; usually the first one has them all.

    A check made after the week speaks for it where it was made for it; of what it says besides, what was said in the
    week itself stands above it.
    """
    import pandas as pd

    later = _later_check(connection, wanted, week, as_of)
    within = _moments(connection, wanted.plan, week.start_at, min(week.end_at, as_of))
    turns = [(later, wanted.weekly), *((one, None) for one in within), (later, None)]
    missing, parts = set(wanted.targets), []
    for moment, only in turns:
        asked = missing if only is None else missing & only
        if moment is not None and asked:
            there = _answered(connection, wanted, week, moment, asked)
            parts.append(_said_then(connection, wanted, week, moment, there))
            missing -= there
    found = [part for part in parts if len(part)]
    frame = pd.concat(found, ignore_index=True) if found else _said_then(connection, wanted, week, as_of, ())
    return frame if wanted.columns is None else frame[list(wanted.columns)]


def _moments(connection: Connection, plan: str, after: datetime, until: datetime) -> Iterator[datetime]:
    """When the plan was checked in a stretch of time, newest first; each is one seek."""
    newest = select(func.max(progress.c.as_of)).where(progress.c.plan == plan, progress.c.as_of > after)
    found = connection.scalar(newest.where(progress.c.as_of <= until))
    while found is not None:
        yield found
        found = connection.scalar(newest.where(progress.c.as_of < found))


def _later_check(connection: Connection, wanted: Wanted, week: Week, as_of: datetime) -> datetime | None:
    """When the week was last checked after its end; steps from check to check, whatever lies between."""
    if not wanted.weekly or as_of <= week.end_at:
        return None
    at = type_coerce(progress.c.as_of, BigInteger)
    of_plan = and_(progress.c.plan == wanted.plan, at <= epoch(as_of))
    first = select(func.min(at).label("at")).where(of_plan, at > epoch(week.end_at))
    steps = first.cte("steps", recursive=True)
    after = select(func.min(at)).where(of_plan, at > steps.c.at).correlate(steps).scalar_subquery()
    steps = steps.union_all(select(after).where(steps.c.at.is_not(None)))
    mine = and_(at == steps.c.at, progress.c.plan == wanted.plan, progress.c.target.in_(sorted(wanted.weekly)))
    own = select(func.max(at)).select_from(steps.join(progress, and_(mine, progress.c.subject == "", *_of(week))))
    found = connection.scalar(own)
    return None if found is None else moment_of(found)


def _of(week: Week) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return progress.c.period_start == week.start, progress.c.period_end == week.end


def _answered(
    connection: Connection, wanted: Wanted, week: Week, moment: datetime, targets: Collection[str]
) -> set[str]:
    """Which targets a check answered at all, whomever it spoke of: who is left out of it has no answer any more."""
    asked = table_of(connection, {"target": String()}, [(one,) for one in sorted(targets)])
    here = and_(*_there(wanted, week, moment), progress.c.target == asked.c.target)
    statement = select(asked.c.target).where(select(progress.c.plan).where(here).correlate(asked).exists())
    return set(connection.scalars(statement))


def _there(wanted: Wanted, week: Week, moment: datetime) -> tuple[ColumnElement[bool], ...]:
    fits = or_(progress.c.target.not_in(sorted(wanted.weekly)), and_(*_of(week)))
    return progress.c.plan == wanted.plan, progress.c.as_of == moment, fits


def _said_then(
    connection: Connection, wanted: Wanted, week: Week, moment: datetime, targets: Collection[str]
) -> pd.DataFrame:
    """What one check said; of answers for the same period, the last turn."""
    here = [*_there(wanted, week, moment), progress.c.target.in_(sorted(targets))]
    here += [] if wanted.subjects is None else [progress.c.subject.in_(sorted(wanted.subjects))]
    names = wanted.columns or STORED
    columns = [progress.c[name] for name in dict.fromkeys((*KEY, *names))]
    frame = frame_of(connection, select(*columns).where(*here).order_by(*(progress.c[name] for name in KEY)))
    return frame.drop_duplicates(list(KEY[:-1]), keep="last", ignore_index=True)


def _known(connection: Connection, answers: Iterable[Said]) -> dict[Key, list[Said]]:
    """All versions of the answers for the same moments, oldest first."""
    wanted = {(one.plan, one.as_of) for one in answers}
    known: dict[Key, list[Said]] = {}
    for plan, as_of in sorted(wanted):
        here = and_(progress.c.plan == plan, progress.c.as_of == as_of)
        for row in connection.execute(select(progress).where(here).order_by(progress.c.turn)):
            said = _said(row)
            known.setdefault(_key(said), []).append(said)
    return known


def _key(one: Said) -> Key:
    return one.plan, one.target, one.subject, one.period_start, one.period_end, epoch(one.as_of)


def _said(row: Row[Any]) -> Said:
    stored = dict(row._mapping)
    return Said(**stored | {name: orjson.loads(stored[name]) for name in ("facts", "inputs")})


def _row(said: Said) -> dict[str, Any]:
    texts = {name: orjson.dumps(getattr(said, name)).decode() for name in ("facts", "inputs")}
    return {name: getattr(said, name) for name in STORED} | texts
