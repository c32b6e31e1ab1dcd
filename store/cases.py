"""The cases of the alerts: opened once, turned by compare-and-set; every turn is a flip that is never changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Integer, RowMapping, Select, and_, func, insert, select, text, update
from sqlalchemy import bindparam as bind

from store import audit
from store.bulk import insert_of, table_of
from store.records import SYSTEM, Case, CaseState, Edit, Flip, Opening, Turn
from store.schema import UNRESOLVED, alert_case, flip, whole

STANDS = ("state", "changed_at", "snoozed_until", "turn")
"""What a flip changes of its case."""


def open_cases(connection: Connection, openings: Iterable[Opening], now: datetime) -> list[Case]:
    """One statement decides which are new, so that two processes open each of them once.

    In one order, so that two processes never wait for each other in a circle.
    """
    rows = [_new(one, now) for one in sorted(openings, key=lambda one: (one.rule, one.subject))]
    if not rows:
        return []
    new = insert_of(connection, alert_case).on_conflict_do_nothing().returning(*alert_case.c)
    opened = sorted((_case(row) for row in connection.execute(new, rows).mappings()), key=lambda case: case.id)
    _note(connection, [Flip(one.id, 1, None, one.state, one.since, now, SYSTEM, "", None) for one in opened])
    return opened


def turn_cases(connection: Connection, turns: Iterable[Turn], now: datetime, role: str) -> list[Case]:
    """Of two turns of one case, the first counts: the other does not know what it became."""
    given = list(turns)
    found = _locked(connection, [turn.case for turn in given])
    turned: list[Case] = []
    flips: list[Flip] = []
    edits: list[Edit] = []
    for turn in given:
        case = found.pop(turn.case, None)
        if case is None or case.turn != turn.turn or case.state is CaseState.RESOLVED:
            continue
        turned.append(_turned(case, turn, now))
        flips.append(_flip(case, turn, now))
        edits += [_edit(case, turned[-1], turn, role)] if turn.by != SYSTEM else []
    if turned:
        _put(connection, turned)
        _note(connection, flips)
        audit.write(connection, edits)
    return turned


def cases(connection: Connection, as_of: datetime | None, *, open_only: bool) -> list[Case]:
    statement = _standing(open_only) if as_of is None else _stood(as_of, open_only)
    found = (_case(row) for row in connection.execute(statement).mappings())
    return sorted(found, key=lambda case: case.id)


def resolved(connection: Connection, since: datetime) -> list[tuple[Case, Flip]]:
    over = (alert_case.c.state == CaseState.RESOLVED, alert_case.c.changed_at >= since)
    ended = select(flip).join(alert_case, and_(flip.c.case_id == alert_case.c.id, flip.c.turn == alert_case.c.turn))
    flips = {row["case_id"]: _read_flip(row) for row in connection.execute(ended.where(*over)).mappings()}
    rows = connection.execute(select(alert_case).where(*over).order_by(alert_case.c.id)).mappings()
    return [(case, flips[case.id]) for case in map(_case, rows) if case.id in flips]


def case(connection: Connection, number: int) -> Case | None:
    row = connection.execute(select(alert_case).where(alert_case.c.id == number)).mappings().one_or_none()
    return None if row is None else _case(row)


def flips(connection: Connection, number: int) -> list[Flip]:
    rows = connection.execute(select(flip).where(flip.c.case_id == number).order_by(flip.c.turn)).mappings()
    return [_read_flip(row) for row in rows]


def settled(connection: Connection) -> dict[tuple[str, str], datetime]:
    by_hand = and_(flip.c.case_id == alert_case.c.id, flip.c.after == CaseState.RESOLVED, flip.c.by != SYSTEM)
    newest = select(alert_case.c.rule, alert_case.c.subject, func.max(flip.c.noted_at).label("said_at"))
    statement = newest.join(flip, by_hand).group_by(alert_case.c.rule, alert_case.c.subject)
    return {(row.rule, row.subject): row.said_at for row in connection.execute(statement)}


def _standing(open_only: bool) -> Select[Any]:
    statement = select(alert_case)
    return statement.where(text(UNRESOLVED)) if open_only else statement


def _stood(as_of: datetime, open_only: bool) -> Select[Any]:
    """As the newest flip that was noted by then left them."""
    newest = (
        select(flip.c.case_id, func.max(flip.c.turn).label("turn"))
        .where(flip.c.noted_at <= as_of)
        .group_by(flip.c.case_id)
        .subquery("newest")
    )
    columns = [column for column in alert_case.c if column.key not in STANDS]
    stood = [flip.c.after.label("state"), flip.c.noted_at.label("changed_at"), flip.c.snoozed_until, flip.c.turn]
    statement = (
        select(*columns, *stood)
        .join(newest, newest.c.case_id == alert_case.c.id)
        .join(flip, and_(flip.c.case_id == newest.c.case_id, flip.c.turn == newest.c.turn))
    )
    return statement.where(flip.c.after != CaseState.RESOLVED) if open_only else statement


def _locked(connection: Connection, numbers: Sequence[int]) -> dict[int, Case]:
    """Nobody else turns these cases before this transaction ends; they can be told meanwhile."""
    if not numbers:
        return {}
    asked = table_of(connection, {"id": Integer()}, [(number,) for number in numbers])
    here = select(alert_case).where(alert_case.c.id.in_(select(asked.c.id))).order_by(alert_case.c.id)
    rows = connection.execute(here.with_for_update(key_share=True)).mappings()
    return {row["id"]: _case(row) for row in rows}


def _put(connection: Connection, turned: Sequence[Case]) -> None:
    rows = [{"of_case": one.id} | {name: getattr(one, name) for name in STANDS} for one in turned]
    connection.execute(update(alert_case).where(alert_case.c.id == bind("of_case")), rows)


def _note(connection: Connection, noted: Sequence[Flip]) -> None:
    rows = [
        {
            "case_id": one.case,
            "turn": one.turn,
            "before": one.before,
            "after": one.after,
            "at": one.at,
            "noted_at": one.noted_at,
            "by": one.by,
            "reason": one.reason,
            "snoozed_until": one.snoozed_until,
        }
        for one in noted
    ]
    if rows:
        connection.execute(insert(flip), rows)


def _new(opening: Opening, now: datetime) -> dict[str, Any]:
    return {
        "rule": opening.rule,
        "subject": opening.subject,
        "state": CaseState.NEW,
        "since": whole(opening.since),
        "opened_at": whole(now),
        "changed_at": whole(now),
        "facts": orjson.dumps(dict(opening.facts)).decode(),
        "turn": 1,
    }


def _turned(case: Case, turn: Turn, now: datetime) -> Case:
    until = None if turn.snoozed_until is None else whole(turn.snoozed_until)
    return replace(case, state=turn.after, changed_at=whole(now), snoozed_until=until, turn=case.turn + 1)


def _flip(case: Case, turn: Turn, now: datetime) -> Flip:
    at = whole(turn.at)
    return Flip(case.id, case.turn + 1, case.state, turn.after, at, now, turn.by, turn.reason, turn.snoozed_until)


def _edit(before: Case, after: Case, turn: Turn, role: str) -> Edit:
    subject = f"{before.rule}/{before.subject}"
    action = f"alert.{turn.after}"
    return Edit(after.changed_at, turn.by, role, action, subject, _told(before), _told(after), turn.reason)


def _told(case: Case) -> Mapping[str, Any]:
    until = {"snoozed_until": case.snoozed_until.isoformat()} if case.snoozed_until else {}
    return {"case": case.id, "state": case.state.value, **until}


def _case(row: RowMapping) -> Case:
    return Case(**{**row, "state": CaseState(row["state"]), "facts": orjson.loads(row["facts"])})


def _read_flip(row: RowMapping) -> Flip:
    said = dict(row)
    before = said.pop("before")
    return Flip(
        case=said.pop("case_id"),
        before=None if before is None else CaseState(before),
        after=CaseState(said.pop("after")),
        **said,
    )
