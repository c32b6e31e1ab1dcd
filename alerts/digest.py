"""One message for each receiver and local day: all that is due for them, as a draft for the outbox."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pandas as pd

from alerts.base import Item, Rule
from alerts.hours import Made, Moment
from alerts.ladder import Told
from alerts.letters import Written
from alerts.wording import Kind, letter_of
from config.models import Config
from metrics.periods import local_date
from store.records import Case, CaseState, Draft, Turn

log = logging.getLogger(__name__)

URGENT = frozenset({Rule.TOKEN, Rule.PIPELINE})
"""What is told on a holiday too: the figures of every day that it lasts are lost."""
DAILY, WEEKLY = "digest/", "week/"
"""How the keys of digests begin."""
TOLD = "Đã đưa vào tin gửi đi."


def drafts_of(
    items: Iterable[Item], standing: Sequence[Case], told: Told, config: Config, moment: Moment, now: datetime
) -> list[Draft]:
    """The drafts of the day: at most one per receiver, none where there is nothing to tell.

    The weekly one goes to the team and the committee in any case and lists *standing* too; units get their
    daily one. What cannot be worded is logged and left out, and falls due again in the next digest.
    """
    due = defaultdict(list)
    for item in items:
        if not moment.is_holiday or item.case.rule in URGENT:
            due[item.receiver].append(item)
    drafts = []
    for receiver in config.alerts.receivers:
        page = Page.of(receiver, config, moment, now)
        rest = page.listed(standing, told) if page.kind == "weekly" else ()
        if due[receiver] or page.kind == "weekly":
            drafts.append(page.draft(due[receiver], rest))
    return [draft for draft in drafts if draft]


def made_of(outbox: pd.DataFrame, zone: ZoneInfo) -> Made:
    """The digests among the messages of an outbox (Store.deliveries).

    A weekly one names no day: that is the one on which it was made.
    """
    made = list(zip(outbox["key"].astype(str), outbox["created_at"], strict=True))
    days = {date.fromisoformat(_what(key)) for key, _ in made if key.startswith(DAILY)}
    weekly = [(_what(key), local_date(at, zone)) for key, at in made if key.startswith(WEEKLY)]
    return Made(days | {day for _, day in weekly}, {week for week, _ in weekly})


def _what(key: str) -> str:
    """The day or week that a digest is of: the end of its key."""
    return key.rpartition("/")[2]


def first_told(cases: Iterable[Case], now: datetime) -> list[Turn]:
    """What becomes of the cases nobody was told of yet, once a message tells them: they are open."""
    new = (case for case in cases if case.state is CaseState.NEW)
    return [Turn(case.id, case.turn, CaseState.OPEN, now, TOLD) for case in new]


@dataclass(frozen=True, slots=True)
class Page:
    """The digest of one receiver on one day, before anything stands on it."""

    receiver: str
    config: Config
    kind: Kind
    key: str
    now: datetime

    @classmethod
    def of(cls, receiver: str, config: Config, moment: Moment, now: datetime) -> Page:
        weekly = moment.kind == "weekly" and config.alerts.receivers[receiver].role != "unit"
        if weekly:
            return cls(receiver, config, "weekly", f"{WEEKLY}{receiver}/{moment.week}", now)
        return cls(receiver, config, "daily", f"{DAILY}{receiver}/{moment.day}", now)

    def listed(self, standing: Iterable[Case], told: Told) -> list[Case]:
        """What a weekly digest lists as still open: to the team everything, to others what their ladders tell them.

        The committee reads of a unit only after it was told of that case: never before the unit itself.
        """
        role = self.config.alerts.receivers[self.receiver].role
        if role == "team":
            return list(standing)
        ladders = self.config.alerts.ladders.items()
        rules = {str(rule) for rule, steps in ladders if any(role in step.to for step in steps)}
        known = {case for case, receiver, _ in told if receiver == self.receiver}
        return [case for case in standing if case.rule in rules and (case.id in known or not case.facts.get("unit"))]

    def draft(self, items: Sequence[Item], rest: Sequence[Case]) -> Draft | None:
        """The message of these items and cases that stand; None when nothing of it can be worded."""
        written = self._written(items, rest)
        if written is None:
            items = [item for item in items if self._written([item], ())]
            rest = [case for case in rest if self._written((), [case])]
            written = self._written(items, rest) if items or self.kind == "weekly" else None
        if written is None:
            return None
        ways = self.config.alerts.receivers[self.receiver].ways
        told = tuple((item.case.id, item.step) for item in items)
        return Draft(self.key, self.receiver, ways, written.subject, written.text, written.html, told)

    def _written(self, items: Sequence[Item], rest: Sequence[Case]) -> Written | None:
        try:
            return letter_of(self.receiver, items, rest, self.config, self.kind, key=self.key, now=self.now)
        except Exception:
            cases = [item.case.id for item in items] + [case.id for case in rest]
            log.exception("alert cannot be worded", extra={"key": self.key, "cases": cases[:10]})
            return None
