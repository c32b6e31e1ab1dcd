"""When we can say of several channels together that we saw all they published."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd

from config.models import Schedule
from metrics.periods import DAY

CHANGES = ("owned", "unread")
SLACK = timedelta(hours=2)
"""So long after its hour a look may still come."""


def longest_gap(schedule: Schedule) -> timedelta:
    """The longest time between two scheduled looks."""
    minutes = sorted(at.hour * 60 + at.minute for at in schedule.looks_at)
    following = [*minutes[1:], minutes[0] + DAY // timedelta(minutes=1)]
    return timedelta(minutes=max(after - before for before, after in zip(minutes, following, strict=True)))


def proved_together(ties: pd.DataFrame, spans: pd.DataFrame) -> pd.DataFrame:
    """The longest stretches in which a subject has channels, and all of them were read: row, start, end.

    *ties*: row, channel, start, until: when the subject speaks through a channel. *spans*: `coverage.proved_spans`.
    Half-open, in epoch seconds, in order and apart.
    """
    read = ties.merge(spans, on="channel", suffixes=("", "_read"))
    first = read[["start", "start_read"]].max(axis=1)
    last = read[["until", "end"]].min(axis=1)
    inside = first < last
    changes = [
        _changes(ties["row"], ties["start"], owned=1, unread=1),
        _changes(ties["row"], ties["until"], owned=-1, unread=-1),
        _changes(read["row"][inside], first[inside], owned=0, unread=-1),
        _changes(read["row"][inside], last[inside], owned=0, unread=1),
    ]
    steps = pd.concat(changes).groupby(["row", "at"])[list(CHANGES)].sum().groupby("row").cumsum().reset_index()
    return _runs(steps[["row", "at"]].assign(proved=(steps["owned"] > 0) & (steps["unread"] == 0)))


def _changes(row: pd.Series, at: pd.Series, owned: int, unread: int) -> pd.DataFrame:
    return pd.DataFrame({"row": row, "at": at, "owned": owned, "unread": unread})


def _runs(steps: pd.DataFrame) -> pd.DataFrame:
    """From each step at which the proof begins to the one at which it ends; at its last step no subject has any."""
    before = steps.groupby("row")["proved"].shift(fill_value=False)
    begins, ends = steps[steps["proved"] & ~before], steps[~steps["proved"] & before]
    return pd.DataFrame(
        {"row": begins["row"].to_numpy(), "start": begins["at"].to_numpy(), "end": ends["at"].to_numpy()}
    )
