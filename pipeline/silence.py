"""Which units are quiet, with what the store knows: only the looks and posts that decide something are read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pandas as pd

from alerts.base import Rule
from config.models import Config
from metrics.quiet import RHYTHM_DAYS, Silent, looks_from, overdue, quiet, stretches
from store.records import Case, CaseState
from store.verbs import Store


def silence(config: Config, store: Store, as_of: datetime, cases: Sequence[Case]) -> pd.DataFrame:
    """metrics.quiet.quiet at a moment; a unit whose case is snoozed rests until the end of that."""
    snoozes = _snoozes(cases)
    last_posts = store.last_posts(stretches(config, as_of), as_of)
    late = overdue(config, last_posts, snoozes, as_of)
    looks = store.looks(looks_from(as_of, config.district.tz), as_of + timedelta(seconds=1), late)
    recent = store.posts(as_of - timedelta(days=RHYTHM_DAYS), as_of, late, as_of)
    return quiet(config, Silent(last_posts, looks, snoozes, recent), as_of)


def _snoozes(cases: Sequence[Case]) -> pd.DataFrame:
    rows = [
        (case.subject, case.changed_at, case.snoozed_until)
        for case in cases
        if case.rule == Rule.QUIET and case.state is CaseState.SNOOZED
    ]
    frame = pd.DataFrame(rows, columns=["subject", "start", "until"]).astype({"subject": "str"})
    return frame.assign(**{name: pd.to_datetime(frame[name], utc=True) for name in ("start", "until")})
