"""What the check said: answers that are added once and never changed, so that a replay repeats them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import Connection, Row, and_, func, insert, select

from store.columns import frame_of
from store.records import Said
from store.schema import epoch, moment_of, progress

if TYPE_CHECKING:
    import pandas as pd

SUBJECT = ("plan", "target", "subject")
STORED = tuple(column.name for column in progress.columns)
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
            said = replace(answer, turn=len(versions) + 1)
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
    return {name: getattr(said, name) for name in STORED} | texts | {"as_of": moment_of(epoch(said.as_of))}
