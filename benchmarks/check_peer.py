"""The weekly check as DuckDB SQL written by hand: growth, the motto and the presence of every unit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb

Moments = Mapping[str, int]
"""Epoch seconds by name: base, now, monday (of the week), next_monday, since (of the presence window), today."""

GROWTH = """
WITH ends AS (
    SELECT channel_id,
        max_by({'shown': followers, 'cut': precision = 1}, observed_at) FILTER (observed_at <= $base) AS base,
        max_by({'shown': followers, 'cut': precision = 1}, observed_at) FILTER (observed_at <= $now) AS last
    FROM snapshot WHERE suspect = 0 AND followers IS NOT NULL GROUP BY channel_id
), bounds AS (
    SELECT channel_id, base.shown AS base_low, last.shown AS now_low,
        base.shown + CASE WHEN base.cut THEN 10 ** greatest(length(base.shown::TEXT) - 3, 0) - 1 ELSE 0 END
            AS base_high,
        last.shown + CASE WHEN last.cut THEN 10 ** greatest(length(last.shown::TEXT) - 3, 0) - 1 ELSE 0 END
            AS now_high
    FROM ends
)
SELECT slug, (now_low - base_high) / base_high AS low, (now_high - base_low) / base_low AS high
FROM bounds JOIN channel USING (channel_id) ORDER BY slug
"""
SPANS = """
WITH good AS (
    SELECT channel_id, coverage_from AS first, started_at AS last FROM look
    WHERE state = 'done' AND complete AND coverage_from IS NOT NULL AND started_at BETWEEN $since AND $now
), marked AS (
    SELECT *, max(last) OVER (PARTITION BY channel_id ORDER BY first
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS reached FROM good
), islands AS (
    SELECT *, count(*) FILTER (reached IS NULL OR first > reached)
        OVER (PARTITION BY channel_id ORDER BY first) AS island FROM marked
)
SELECT channel_id, min(first) AS first, max(last) AS last FROM islands GROUP BY channel_id, island
"""
MOTTO = f"""
WITH spans AS ({SPANS}),
days AS (SELECT nth, $monday + nth * 86400 AS day FROM range(7) AS each (nth)),
units AS (SELECT unit, count(*) AS owned FROM channel GROUP BY unit),
read AS (
    SELECT unit, nth, count(*) AS read FROM spans JOIN channel USING (channel_id)
    JOIN days ON spans.first <= day AND day + 86400 <= spans.last GROUP BY unit, nth
), carried AS (
    SELECT post_id, label, arg_max(upheld, (evidence = 'person')::INT) AS upheld FROM post_label
    WHERE evidence <> 'person' OR "at" <= $now GROUP BY post_id, label
), found AS (
    SELECT unit, (published_at - $monday) // 86400 AS nth, label
    FROM post JOIN channel USING (channel_id) JOIN carried ON post_id = id
    WHERE upheld AND NOT is_share AND first_seen_at <= $now
        AND published_at >= $monday AND published_at < least($next_monday, $now + 1)
    GROUP BY ALL
), daily AS (
    SELECT unit, nth, coalesce(read = owned, false) AS proved,
        EXISTS (FROM found WHERE found.unit = units.unit AND found.nth = days.nth AND label = 'tin-tot') AS met
    FROM units CROSS JOIN days LEFT JOIN read USING (unit, nth)
), weekly AS (
    SELECT unit, bool_and(proved) AS proved,
        EXISTS (FROM found WHERE found.unit = daily.unit AND label = 'cau-chuyen-dep') AS met
    FROM daily GROUP BY unit
)
SELECT unit, 'day' AS every, nth,
    CASE WHEN met THEN 'met' WHEN proved THEN 'missed' ELSE 'unknown' END AS state FROM daily
UNION ALL
SELECT unit, 'week', 0, CASE WHEN met THEN 'met' WHEN proved THEN 'missed' ELSE 'unknown' END FROM weekly
ORDER BY ALL
"""
PRESENCE = f"""
WITH spans AS ({SPANS}),
proved AS (
    SELECT channel_id, sum(least(floor((last - $since) / 86400), 30) - greatest(ceil((first - $since) / 86400), 0))
        AS days FROM spans WHERE last - first >= 86400 GROUP BY channel_id
), last_look AS (SELECT channel_id, arg_max(state, started_at) AS state FROM look
    WHERE started_at BETWEEN $since AND $now GROUP BY channel_id),
posts AS (SELECT channel_id, count(*) AS posts FROM post
    WHERE NOT is_share AND published_at BETWEEN $since AND $now AND first_seen_at <= $now GROUP BY channel_id)
SELECT slug, CASE
    WHEN coalesce(posts, 0) > 0 AND NOT (platform = 'website' AND state = 'failed') THEN 'alive'
    WHEN coalesce(posts, 0) = 0 AND coalesce(days, 0) >= 30 THEN 'idle' ELSE 'blind' END AS state
FROM channel LEFT JOIN posts USING (channel_id) LEFT JOIN proved USING (channel_id)
    LEFT JOIN last_look USING (channel_id) ORDER BY slug
"""
QUESTIONS = {"growth": GROWTH, "motto": MOTTO, "presence": PRESENCE}


def ask(folder: Path, moments: Moments) -> dict[str, list[tuple[Any, ...]]]:
    """The answers by question: growth (channel, low, high), motto (unit, every, day, state), presence
    (channel, state)."""
    with duckdb.connect(str(folder / "peer.duckdb"), read_only=True) as peer:
        return {
            name: peer.execute(sql, {key: value for key, value in moments.items() if f"${key}" in sql}).fetchall()
            for name, sql in QUESTIONS.items()
        }
