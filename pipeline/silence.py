"""Which units are quiet, with what the store knows: only the looks and posts that decide something are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

import pandas as pd

from alerts.base import Rule
from config.models import Config
from metrics.quiet import LOOKS, RHYTHM_DAYS, Silent, looks_needed, quiet, stretches
from store.records import Case, CaseState, Flip
from store.verbs import Store

NEWEST = timedelta(0)
RHYTHM = ("published_at", "first_seen_at", "is_share")
ENDED_SNOOZE = 3
"""The first turn at which a case may have a snooze behind it: opened, snoozed, open again."""


def silence(
    config: Config, store: Store, as_of: datetime, cases: Sequence[Case], back: timedelta = NEWEST
) -> pd.DataFrame:
    """metrics.quiet.quiet at a moment; a unit whose case is snoozed rests until the end of that.

    Only looks that decide something are read, and with *back* those of that time too: the proof is shown so far.
    """
    snoozes = _snoozes(store, cases, as_of)
    asked = stretches(config, as_of)
    needed = looks_needed(config, store.last_posts(asked, as_of), snoozes, as_of)
    looks = _looks(store, needed, as_of, back)
    late = sorted({channel for channels in needed.values() for channel in channels})
    recent = store.posts(as_of - timedelta(days=RHYTHM_DAYS), as_of, late, as_of, RHYTHM)
    # Asked again: a look that was recorded meanwhile must not prove anything without its posts.
    last_posts = store.last_posts(asked, as_of)
    return quiet(config, Silent(last_posts, looks, snoozes, recent), as_of)


def _looks(store: Store, needed: Mapping[datetime, list[str]], as_of: datetime, back: timedelta) -> pd.DataFrame:
    until = as_of + timedelta(seconds=1)
    parts = [store.looks(min(first, as_of - back), until, channels, LOOKS) for first, channels in needed.items()]
    return pd.concat(parts, ignore_index=True) if parts else store.looks(until, until, [], LOOKS)


def _snoozes(store: Store, cases: Sequence[Case], as_of: datetime) -> pd.DataFrame:
    """Those that last, and those that ended while their case stayed open: subject, start, until."""
    rows = [row for case in cases if case.rule == Rule.QUIET for row in _snoozes_of(store, case, as_of)]
    frame = pd.DataFrame(rows, columns=["subject", "start", "until"]).astype({"subject": "str"})
    return frame.assign(**{name: pd.to_datetime(frame[name], utc=True) for name in ("start", "until")})


def _snoozes_of(store: Store, case: Case, as_of: datetime) -> Iterator[tuple[str, datetime, datetime | None]]:
    if case.state is CaseState.SNOOZED:
        yield case.subject, case.changed_at, case.snoozed_until
    if case.turn >= ENDED_SNOOZE:
        flips = [flip for flip in store.flips(case.id) if flip.noted_at <= as_of]
        for flip, following in pairwise(flips):
            if flip.after is CaseState.SNOOZED:
                yield case.subject, flip.noted_at, _end(flip, following)


def _end(snooze: Flip, following: Flip) -> datetime:
    """When it was over: as agreed, or before that by a person's word."""
    ended = following.noted_at
    return ended if snooze.snoozed_until is None else min(ended, snooze.snoozed_until)
