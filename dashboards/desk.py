"""What the pages read: the store, and the answers that the pipeline puts together for them.

Pages draw what they are handed; they judge nothing. Numbers of a few persons are taken out before they come here.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

import pandas as pd

from config.models import Config
from config.plan_models import Plan, Row
from metrics.periods import Period
from store.records import Case, CaseState, OutboxState, Said
from store.verbs import Store


@dataclass(frozen=True)
class Target:
    """What the check said of one measured row of a plan."""

    row: Row
    line: Said | None
    """The row as a whole; None when the check has not answered it."""
    subjects: tuple[Said, ...]
    """Each channel or unit, of those that were asked for."""


@dataclass(frozen=True)
class Duty:
    """How a task or report cycle stands on one of its days; `due` is None for one without a date."""

    row: Row
    due: date | None
    said: Said


@dataclass(frozen=True)
class Checked:
    """The newest check of a plan for a week; nothing in it when the week was never checked."""

    plan: Plan
    week: Period
    targets: tuple[Target, ...]
    duties: tuple[Duty, ...]

    @property
    def as_of(self) -> datetime | None:
        """The newest moment that was judged; None when the week was never checked."""
        lines = [one.line.as_of for one in self.targets if one.line] + [one.said.as_of for one in self.duties]
        return max(lines, default=None)

    def target(self, row: str) -> Target | None:
        return next((one for one in self.targets if one.row.id == row), None)


@dataclass(frozen=True)
class Token:
    """How the consent behind one or more channels stands; `fix` must be done, `advice` can wait."""

    title: str
    channel: str
    """Empty for one consent that opens several channels."""
    platform: str
    text: str
    days_left: int | None
    fix: str
    advice: str


@dataclass(frozen=True)
class Allowance:
    """How much of a daily allowance of a platform is used."""

    name: str
    used: int
    units: int
    resets_at: datetime


@dataclass(frozen=True)
class Reported:
    """One reported figure as it may be shown, in words."""

    measure: str
    period: str
    told: str
    at: datetime
    by: str
    days_late: int
    approved_by: str | None


@dataclass(frozen=True)
class Step:
    """One step of the ladder of a case: who is told, from which day on, and who was."""

    day: date
    name: str
    to: tuple[str, ...]
    told: tuple[str, ...]


@dataclass(frozen=True)
class CaseWords:
    """A case in the words of the team."""

    case: Case
    kind: str
    about: str
    state: str
    sentence: str
    unit: str | None
    """The unit that it is about, if it is about one."""


@dataclass(frozen=True)
class Health:
    """Whether the program is alive."""

    sentences: tuple[str, ...]
    is_fine: bool
    is_stopped: bool
    """The schedule or the alerts stood still when they should run."""
    beats: Mapping[str, datetime]
    outbox: OutboxState


@dataclass(frozen=True)
class Edited:
    """One change by hand, in words; `before` and `after` are empty where nothing was."""

    at: datetime
    by: str
    title: str
    subject: str
    before: str
    after: str
    reason: str


@dataclass(frozen=True)
class Order:
    """An office's word on a case that stood at `turn`."""

    case: int
    turn: int
    after: CaseState
    by: str
    reason: str
    until: str = ""
    """The last day of a snooze, ISO; empty for anything else."""


class RefusedError(Exception):
    """What was asked for cannot be done; the text is the Vietnamese sentence for the person who asked."""


class Desk(Protocol):
    """Everything a page may ask. Reading never writes; StoreError when the database cannot answer."""

    @property
    def config(self) -> Config:
        """The newest configuration that makes sense."""
        ...

    @property
    def stamp(self) -> str:
        """Changes with the configuration."""
        ...

    @property
    def store(self) -> Store:
        """For reading alone."""
        ...

    def now(self) -> datetime: ...

    def mark(self) -> Hashable:
        """The state of the data: equal marks, equal data. Cheap, and asked often."""
        ...

    def checked(
        self,
        plan: Plan,
        week: Period,
        *,
        rows: Collection[str] | None = None,
        subjects: Collection[str] | None = None,
    ) -> Checked:
        """What the newest check of a week said of *rows* (all), and of these *subjects* (all)."""
        ...

    def words(self, plan: Plan, week: Period, rows: Collection[str]) -> pd.DataFrame:
        """Of every subject of *rows* its word: target, subject, status, low (Float64; NA for reported figures)."""
        ...

    def explained(self, plan: Plan, row: str, subject: str | None, week: Period) -> Sequence[str]:
        """The arithmetic of an answer, step by step. RefusedError when the check has not answered it."""
        ...

    def case_words(self, cases: Sequence[Case]) -> list[CaseWords]: ...

    def ladder(self, case: Case) -> list[Step]: ...

    def turn(self, order: Order) -> None:
        """Turns a case, noted in the audit log. RefusedError when it cannot be done."""
        ...

    def tokens(self) -> Sequence[Token]: ...

    def allowances(self) -> Sequence[Allowance]: ...

    def reported(self, unit: str) -> Sequence[Reported]:
        """What a unit reported, newest period first."""
        ...

    def edits(self, last: int) -> Sequence[Edited]:
        """The newest changes by hand, newest first."""
        ...

    def health(self) -> Health: ...
