"""The audit log: every change by hand, each row sealed together with the one before it, none ever changed."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import Connection, insert, select

from store.columns import frame_of
from store.records import AuditState, Edit, PostLabel, Verdict
from store.schema import audit, epoch

if TYPE_CHECKING:
    import pandas as pd

FIRST = "0" * 64
"""What stands before the first row."""


def write(connection: Connection, edits: Iterable[Edit]) -> None:
    """Adds *edits* to the end of the log; nobody else does before this transaction ends.

    To be called last in a transaction, so that all of them lock in the same order.
    """
    number, previous = _last(connection)
    rows = []
    for number, edit in enumerate(edits, number + 1):  # noqa: B020 - it goes on from the last number
        row = _row(edit) | {"number": number, "previous": previous}
        previous = _seal(row)
        rows.append(row | {"seal": previous})
    if rows:
        connection.execute(insert(audit), rows)


def of_verdict(word: Verdict, role: str) -> Edit:
    subject = f"{word.channel}/{word.source.name.lower()}/{word.observed_at.isoformat()}"
    return Edit(word.at, word.by, role, "count.judge", subject, None, {"accepted": word.accepted}, word.reason)


def of_label(label: PostLabel, role: str) -> Edit:
    subject = f"post {label.post_id}/{label.label}"
    return Edit(label.at, label.detail, role, "label.confirm", subject, None, {"upheld": label.upheld}, "")


def rows(connection: Connection, last: int | None, actions: Collection[str] | None) -> pd.DataFrame:
    statement = select(audit) if actions is None else select(audit).where(audit.c.action.in_(actions))
    if last is None:
        return frame_of(connection, statement.order_by(audit.c.number))
    newest_first = frame_of(connection, statement.order_by(audit.c.number.desc()).limit(last))
    return newest_first[::-1].reset_index(drop=True)


def verify(connection: Connection) -> AuditState:
    known, previous = 0, FIRST
    for found in connection.execute(select(audit).order_by(audit.c.number)).mappings():
        row = dict(found)
        if row["number"] != known + 1 or row["previous"] != previous or row["seal"] != _seal(row):
            return AuditState(known, previous, row["number"])
        known, previous = known + 1, row["seal"]
    return AuditState(known, previous, None)


def _last(connection: Connection) -> tuple[int, str]:
    if connection.dialect.name != "sqlite":  # there, a writer is alone anyway
        connection.exec_driver_sql("LOCK TABLE audit IN EXCLUSIVE MODE")
    newest = select(audit.c.number, audit.c.seal).order_by(audit.c.number.desc()).limit(1)
    found = connection.execute(newest).one_or_none()
    return (found.number, found.seal) if found else (0, FIRST)


def _row(edit: Edit) -> dict[str, Any]:
    plain = {name: getattr(edit, name) for name in ("at", "by", "role", "action", "subject", "reason")}
    return plain | {"before": _text(edit.before), "after": _text(edit.after)}


def _text(facts: Mapping[str, Any] | None) -> str | None:
    return None if facts is None else orjson.dumps(dict(facts), option=orjson.OPT_SORT_KEYS).decode()


def _seal(row: Mapping[str, Any]) -> str:
    """SHA-256 over everything a row says, and so over the seal of the row before it."""
    names = ("number", "by", "role", "action", "subject", "before", "after", "reason", "previous")
    said = [epoch(row["at"]), *(row[name] for name in names)]
    return hashlib.sha256(orjson.dumps(said)).hexdigest()
