"""What units report: versions that follow each other, and nothing that is ever changed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, insert, select

from store import audit
from store.columns import frame_of
from store.records import Approval, Edit, Figure
from store.schema import NUMBERS, reported_figure, unit

if TYPE_CHECKING:
    import pandas as pd

KEY = ("unit_id", "measure", "period_start", "period_end")
STATED = (*NUMBERS, "source_note", "evidence")
"""What a version says; the same once more is no new version."""
RECORDED = func.coalesce(reported_figure.c.approved_at, reported_figure.c.at)
"""When a version came to be: an approval repeats the figure, and with it the moment it was reported."""

Stored = dict[str, Any]


def add(connection: Connection, figures: Sequence[Figure], reason: str, role: str) -> int:
    """LookupError for a unit that was never synced: then none is kept."""
    ids = _lock_units(connection, {one.unit for one in figures})
    edits = [_add(connection, ids[one.unit], one, reason, role) for one in figures]
    return _note(connection, edits)


def approve(connection: Connection, approvals: Sequence[Approval], role: str) -> int:
    """LookupError when a figure is not, or no longer, the version that was approved: then none is."""
    ids = _lock_units(connection, {one.unit for one in approvals})
    edits = [_approve(connection, ids[one.unit], one, role) for one in approvals]
    return _note(connection, edits)


def figures(
    connection: Connection,
    as_of: datetime | None,
    measures: Collection[str] | None,
    units: Collection[str] | None,
) -> pd.DataFrame:
    """One seek per figure: the versions of a key lie side by side."""
    asked = _asked(measures, units) + ([] if as_of is None else [as_of >= RECORDED])
    key = [reported_figure.c[name] for name in KEY]
    first, last = func.min(reported_figure.c.at).label("first_at"), func.max(reported_figure.c.turn).label("turn")
    newest = select(*key, first, last).where(*asked).group_by(*key).subquery("newest")
    same = and_(*(reported_figure.c[name] == newest.c[name] for name in (*KEY, "turn")))
    return frame_of(connection, _in_order(_said().add_columns(newest.c.first_at).join(newest, same)))


def versions(connection: Connection, measures: Collection[str] | None, units: Collection[str] | None) -> pd.DataFrame:
    return frame_of(connection, _in_order(_said().where(*_asked(measures, units))))


def _said() -> Select[Any]:
    own = ("measure", "period_start", "period_end", *NUMBERS, "at", "by", "source_note", "evidence", "turn")
    approved = reported_figure.c.approved_by.is_not(None).label("approved")
    columns = [reported_figure.c[name] for name in own]
    approval = [approved, reported_figure.c.approved_by, reported_figure.c.approved_at]
    joined = reported_figure.join(unit, unit.c.id == reported_figure.c.unit_id)
    return select(unit.c.slug.label("unit"), *columns, *approval).select_from(joined)


def _in_order(statement: Select[Any]) -> Select[Any]:
    names = ("measure", "period_start", "period_end", "turn")
    return statement.order_by(unit.c.slug, *(reported_figure.c[name] for name in names))


def _asked(measures: Collection[str] | None, units: Collection[str] | None) -> list[ColumnElement[bool]]:
    asked: list[ColumnElement[bool]] = []
    if measures is not None:
        asked.append(reported_figure.c.measure.in_(measures))
    if units is not None:
        asked.append(reported_figure.c.unit_id.in_(select(unit.c.id).where(unit.c.slug.in_(units))))
    return asked


def _lock_units(connection: Connection, slugs: Collection[str]) -> dict[str, int]:
    """Nobody else adds a version for these units before the end."""
    here = select(unit.c.slug, unit.c.id).where(unit.c.slug.in_(slugs)).order_by(unit.c.id).with_for_update()
    found: dict[str, int] = {row.slug: row.id for row in connection.execute(here)}
    if missing := set(slugs) - found.keys():
        raise LookupError(f"units that are not in the store: {', '.join(sorted(missing))}")
    return found


def _newest(connection: Connection, unit_id: int, one: Figure | Approval) -> Stored | None:
    place = _place(unit_id, one)
    here = [reported_figure.c[name] == value for name, value in place.items()]
    newest = select(reported_figure).where(*here).order_by(reported_figure.c.turn.desc()).limit(1)
    found = connection.execute(newest).mappings().one_or_none()
    return None if found is None else dict(found)


def _place(unit_id: int, one: Figure | Approval) -> Stored:
    return {
        "unit_id": unit_id,
        "measure": one.measure,
        "period_start": one.period_start,
        "period_end": one.period_end,
    }


def _add(connection: Connection, unit_id: int, one: Figure, reason: str, role: str) -> Edit | None:
    last = _newest(connection, unit_id, one)
    stated = {name: getattr(one, name) for name in STATED}
    if last is not None and stated == {name: last[name] for name in STATED}:
        return None
    turn = last["turn"] + 1 if last else 1
    row = _place(unit_id, one) | stated | {"turn": turn, "by": one.by, "at": one.at}
    connection.execute(insert(reported_figure).values(row))
    return Edit(one.at, one.by, role, "figure.report", _subject(one), _facts(last), _facts(row), reason)


def _approve(connection: Connection, unit_id: int, one: Approval, role: str) -> Edit | None:
    last = _newest(connection, unit_id, one)
    if last is None or last["turn"] != one.turn:
        raise LookupError(f"{_subject(one)} is not at version {one.turn}")
    if last["approved_by"] is not None:
        return None
    row = last | {"turn": one.turn + 1, "approved_by": one.by, "approved_at": one.at}
    connection.execute(insert(reported_figure).values(row))
    return Edit(one.at, one.by, role, "figure.approve", _subject(one), _facts(last), _facts(row), "")


def _note(connection: Connection, edits: Iterable[Edit | None]) -> int:
    done = [edit for edit in edits if edit is not None]
    audit.write(connection, done)
    return len(done)


def _subject(one: Figure | Approval) -> str:
    return f"{one.unit}/{one.measure}/{one.period_start}/{one.period_end}"


def _facts(row: Stored | None) -> Stored | None:
    return None if row is None else {name: row.get(name) for name in (*STATED, "turn", "by", "approved_by")}
