"""What must hold in every store, whatever happened to the processes that wrote it."""

from __future__ import annotations

from datetime import datetime

import orjson
from sqlalchemy import Connection, text

from store.records import KEPT_FOR, KEYED_PLATFORM, SYSTEM, Confidence, DateSource, Precision, Source
from store.schema import epoch, metadata
from store.verbs import open_store

SOURCES = ", ".join(str(int(source)) for source in Source)
PRECISIONS = ", ".join(str(int(precision)) for precision in Precision)
DATE_SOURCES = ", ".join(f"'{source}'" for source in DateSource)
CONFIDENCES = ", ".join(f"'{confidence}'" for confidence in Confidence)

BROKEN: dict[str, str] = {
    "I3 a done look has other posts than it declares": """
        SELECT looks.channel_id, looks.started_at, declared, stored FROM
          (SELECT channel_id, started_at, sum(posts) AS declared FROM look WHERE state = 'done'
           GROUP BY channel_id, started_at) AS looks
        LEFT JOIN (SELECT channel_id, first_seen_at, count(*) AS stored FROM post
           GROUP BY channel_id, first_seen_at) AS rows
          ON rows.channel_id = looks.channel_id AND rows.first_seen_at = looks.started_at
        WHERE declared <> coalesce(stored, 0)""",
    "I3 a post that no done look brought": """
        SELECT post.id FROM post WHERE NOT EXISTS (SELECT 1 FROM look WHERE state = 'done'
          AND look.channel_id = post.channel_id AND look.started_at = post.first_seen_at)""",
    "I4 a finished look without its moments or its outcome": """
        SELECT channel_id, slot FROM look WHERE state IN ('done', 'failed')
          AND (started_at IS NULL OR finished_at IS NULL OR outcome IS NULL OR finished_at < started_at)""",
    "I4 a done look that names a failure": """
        SELECT channel_id, slot FROM look
        WHERE state = 'done' AND (error IS NOT NULL OR outcome NOT IN ('ok', 'unchanged'))""",
    "I6 a snapshot without source or precision": f"""
        SELECT channel_id, observed_at FROM snapshot
        WHERE source NOT IN ({SOURCES}) OR precision NOT IN ({PRECISIONS})""",
    "I6 a post whose date has no source": f"""
        SELECT id FROM post
        WHERE date_source NOT IN ({DATE_SOURCES}) OR date_confidence NOT IN ({CONFIDENCES})""",
    "I6 a post that stands at the moment it was first seen, but does not": """
        SELECT id FROM post WHERE date_source = 'first-seen' AND published_at <> first_seen_at""",
    "I7 a word of a person without its turn, or a rule with one": """
        SELECT post_id, label FROM post_label WHERE (evidence = 'person') = (turn = 0)""",
    "I8 a failed look that left rows or named no failure": """
        SELECT channel_id, slot FROM look
        WHERE state = 'failed' AND (snapshots <> 0 OR posts <> 0 OR error IS NULL)""",
    "I8 a post that is gone and was never missing": """
        SELECT id FROM post
        WHERE gone_at IS NOT NULL AND (missing_since IS NULL OR missing_since >= gone_at)""",
    "I9 a secret that is not sealed, or held although it is dead": """
        SELECT name FROM secret WHERE ciphertext NOT LIKE 'gAAAA%' OR previous NOT LIKE 'gAAAA%'
          OR version < 1 OR (state = 'needs_consent' AND holder IS NOT NULL)""",
    "I11 a case that is not as its newest flip says": """
        SELECT cases.id FROM alert_case AS cases
        LEFT JOIN flip ON flip.case_id = cases.id AND flip.turn = cases.turn
        WHERE flip.turn IS NULL OR flip.after <> cases.state OR flip.noted_at <> cases.changed_at
          OR coalesce(flip.snoozed_until, 0) <> coalesce(cases.snoozed_until, 0)""",
    "I11 a case with a gap in its flips": """
        SELECT cases.id FROM alert_case AS cases LEFT JOIN flip ON flip.case_id = cases.id
        GROUP BY cases.id, cases.turn HAVING cases.turn <> count(flip.turn) OR cases.turn <> max(flip.turn)""",
    "I11 a flip that does not begin where the one before it ended": """
        SELECT later.case_id, later.turn FROM flip AS later LEFT JOIN flip AS earlier
          ON earlier.case_id = later.case_id AND earlier.turn = later.turn - 1
        WHERE coalesce(later.before, '') <> coalesce(earlier.after, '') OR later.before = 'resolved'""",
    "I11 a first flip that is not the opening": """
        SELECT cases.id FROM alert_case AS cases JOIN flip ON flip.case_id = cases.id AND flip.turn = 1
        WHERE after <> 'new' OR at <> since OR noted_at <> opened_at""",
    "I11 two open cases of one subject": """
        SELECT rule, subject FROM alert_case WHERE state <> 'resolved' GROUP BY rule, subject HAVING count(*) > 1""",
    "I11 a turn by hand that the audit log does not know": f"""
        SELECT flip.case_id, flip.turn FROM flip JOIN alert_case AS cases ON cases.id = flip.case_id
        WHERE flip."by" <> '{SYSTEM}' AND NOT EXISTS (SELECT 1 FROM audit
          WHERE audit.at = flip.noted_at AND audit."by" = flip."by"
            AND audit.action = 'alert.' || flip.after AND audit.subject = cases.rule || '/' || cases.subject)""",
    "I12 a case that became open without a message": """
        SELECT case_id FROM flip WHERE before = 'new' AND after = 'open'
          AND NOT EXISTS (SELECT 1 FROM delivery WHERE created_at = noted_at)""",
    "I12 something told by a message to somebody else": """
        SELECT case_id, step FROM told JOIN delivery ON delivery.id = delivery_id
        WHERE delivery.receiver <> told.receiver""",
    "I12 a message sent in no attempt, or tried before it was there": """
        SELECT key FROM delivery WHERE (state IN ('sending', 'sent') AND attempt < 1)
          OR finished_at < created_at OR next_at < created_at OR way < 0""",
}


UNDECLARED = """
    SELECT channel.id, declared, dropped, stored FROM channel
    LEFT JOIN (SELECT channel_id, sum(snapshots) AS declared,
        sum(CASE WHEN started_at < :before THEN snapshots ELSE 0 END) AS dropped
      FROM look GROUP BY channel_id) AS looks ON looks.channel_id = channel.id
    LEFT JOIN (SELECT channel_id, count(*) AS stored FROM snapshot GROUP BY channel_id) AS rows
      ON rows.channel_id = channel.id
    WHERE coalesce(stored, 0) > coalesce(declared, 0) OR coalesce(stored, 0) <
      coalesce(declared, 0) - CASE WHEN platform = :platform THEN coalesce(dropped, 0) ELSE 0 END"""
"""Snapshots and the looks that declare them; what looks of a keyed platform declared long ago may be gone."""

OVERDUE = "SELECT channel_id, observed_at FROM snapshot WHERE source = :source AND observed_at < :before"


def assert_invariants(url: str, now: datetime | None = None, purged_at: datetime | None = None) -> None:
    """Fails with every broken rule and its first rows.

    With *now*, the moment of a recovery tick that has just ended, no slot may hang under an expired lease. With
    *purged_at*, what may be kept for a limited time only is gone from then on, and nothing else is.
    """
    with open_store(url) as store:
        broken = store.database.read(lambda connection: list(_broken(connection, now, purged_at)))
    assert not broken, "\n".join(broken)


def _broken(connection: Connection, now: datetime | None, purged_at: datetime | None) -> list[str]:
    findings = _unsound(connection) + _doubled(connection) + _undeclared(connection, purged_at)
    for rule, query in BROKEN.items():
        if rows := connection.execute(text(query)).all():
            findings.append(f"{rule}: {rows[:3]}")
    if now is not None:
        findings += _hanging(connection, now)
    for slug, cursor in connection.execute(text("SELECT slug, cursor FROM channel")):
        assert isinstance(orjson.loads(cursor), dict), slug
    return findings


def _unsound(connection: Connection) -> list[str]:
    if connection.dialect.name != "sqlite":
        return []
    pages = connection.execute(text("PRAGMA integrity_check")).scalars().all()
    orphans = connection.execute(text("PRAGMA foreign_key_check")).all()
    return [f"I1 {finding}" for finding in pages if finding != "ok"] + [f"I1 orphan {row}" for row in orphans]


def _doubled(connection: Connection) -> list[str]:
    """Counts the rows themselves: a damaged index would hide a twin from a unique constraint."""
    keys = {table.name: [column.name for column in table.primary_key] for table in metadata.sorted_tables}
    keys |= {"post": ["channel_id", "platform_id"], "channel": ["slug"], "unit": ["slug"], "delivery": ["key"]}
    findings = []
    for table, names in keys.items():
        key = ", ".join(names)
        query = f"SELECT {key} FROM {table} GROUP BY {key} HAVING count(*) > 1"
        if rows := connection.execute(text(query)).all():
            findings.append(f"I2 doubled in {table}: {rows[:3]}")
    return findings


def _undeclared(connection: Connection, purged_at: datetime | None) -> list[str]:
    findings = []
    for source, kept in KEPT_FOR.items():
        before = {"before": epoch(purged_at - kept) if purged_at else 0}
        if rows := connection.execute(text(OVERDUE), before | {"source": int(source)}).all():
            findings.append(f"I10 kept for too long: {rows[:3]}")
        if rows := connection.execute(text(UNDECLARED), before | {"platform": KEYED_PLATFORM}).all():
            findings.append(f"I3 a channel has other snapshots than its looks declare: {rows[:3]}")
    return findings


def _hanging(connection: Connection, now: datetime) -> list[str]:
    query = text("SELECT channel_id, slot FROM look WHERE state = 'running' AND lease_until <= :now")
    return [f"I5 hangs: {row}" for row in connection.execute(query, {"now": epoch(now)})]
