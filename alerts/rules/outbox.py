"""Messages that reached nobody: the ladder goes on without them, so a person has to know of it."""

from __future__ import annotations

from alerts.base import Finding, Rule
from alerts.watched import Watched

SUBJECT = "outbox"


def find(watched: Watched) -> list[Finding]:
    """One finding that names the receivers whose messages were given up in the last seven days, if they still exist.

    It began with the newest of these: what a person settled comes back with the next one.
    """
    receivers = watched.config.alerts.receivers
    lost = {slug: at for slug, at in watched.unsent.items() if slug in receivers}
    if not lost:
        return []
    since = max(lost.values())
    facts = {
        "since": since.isoformat(),
        "until": None,
        "missed": len(lost),
        "detail": SUBJECT,
        "receivers": [receivers[slug].name for slug in sorted(lost)],
    }
    return [Finding(Rule.PIPELINE, SUBJECT, since, facts)]
