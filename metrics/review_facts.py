"""What the review of a week may look at, and what it says: plain frozen facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import pandas as pd

from config.models import Config
from metrics.periods import Period
from metrics.review_moves import COLUMNS

PROGRESS = ("plan", "row", "clause", "title", "subject", "status", "low", "high", "target", "sentence")
"""The columns that say how a target stands; `target` is the ratio to reach."""


@dataclass(frozen=True)
class Duty:
    """A task that is not done. `days` are left until its day, negative when it has passed."""

    ref: str
    clause: str
    title: str
    owner: str
    due: date
    days: int


@dataclass(frozen=True)
class Owed:
    """A figure whose day to be handed in has passed, and the names of the units that owe it."""

    ref: str
    title: str
    clause: str
    period: str
    due: date
    units: tuple[str, ...]


def _none(*columns: str) -> pd.DataFrame:
    return pd.DataFrame(columns=list(columns))


@dataclass(frozen=True)
class Week:
    """All that the review of one week may look at."""

    config: Config
    period: Period
    now: pd.DataFrame = field(default_factory=lambda: _none(*PROGRESS))
    """How every target stands: PROGRESS, needed_per_week, and heads (Int64: the fewest persons its sentence tells)."""
    before: pd.DataFrame = field(default_factory=lambda: _none(*PROGRESS))
    """The same a week before."""
    moves: pd.DataFrame = field(default_factory=lambda: _none(*COLUMNS))
    """metrics.review_moves.weekly_moves."""
    cells: pd.DataFrame | None = None
    """metrics.cadence.cadence of the week and at least one before it; None: no label is asked for."""
    praise: pd.DataFrame | None = None
    """metrics.commend.commend over the last weeks; None: there is no label to commend by."""
    praise_source: tuple[str, str] = ("", "")
    """The clause that asks to commend, and its plan; empty where no plan does."""
    duties: Sequence[Duty] = ()
    owed: Sequence[Owed] = ()
    suspects: Sequence[str] = ()
    """The channel of every count that waits for a word."""
    tokens: Sequence[tuple[str, str]] = ()
    """Connections that end, or have ended: a name, and what to do."""


@dataclass(frozen=True)
class Item:
    """One line. `key` names what it is about and stays the same from one review to the next."""

    key: str
    sentence: str
    clause: str = ""
    status: str = ""
    needed_per_week: int | None = None
    plan: str = ""
    """Whose clause it is, and the clauses of other plans that ask the same; empty for what no plan asks."""


@dataclass(frozen=True)
class Review:
    """The lists of the meeting, in its order; `unlisted` counts what a limit kept out, by list."""

    changes: tuple[Item, ...]
    risks: tuple[Item, ...]
    quiet: tuple[Item, ...]
    unverified: tuple[Item, ...]
    failed: tuple[Item, ...]
    motto: tuple[Item, ...]
    praise: tuple[Item, ...]
    duties: tuple[Item, ...]
    owed: tuple[Item, ...]
    suspects: tuple[Item, ...]
    tokens: tuple[Item, ...]
    unlisted: Mapping[str, int]
