"""Whom a case is told to, and in which step. Pure.

A step of a ladder falls due that many local days after the case was opened. One digest takes a case at most one
step further, and only when everybody was told the step before: after a stop of ours no step is jumped, and the
committee is never told before the unit was reminded in an earlier digest. A step that nobody would receive is
passed over. The steps of a consent are days before its end: there the highest one due counts, at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from alerts.base import Finding, Item, Rule
from alerts.casework import Key, Weighed, finding_of
from alerts.wording import BACK
from config.alert_models import Alerts, Receiver, Step
from metrics.periods import local_date
from store.records import Case, CaseState

SPEAKING = (CaseState.NEW, CaseState.OPEN)
Told = AbstractSet[tuple[int, str, str]]
"""Case, receiver, step: what went into the outbox and was not given up."""
Steps = Sequence[Step]


def due_items(
    cases: Iterable[Case], weighed: Weighed, alerts: Alerts, told: Told, now: datetime, zone: ZoneInfo
) -> list[Item]:
    """What a digest of now is to say of the cases that stand.

    Silent are those that somebody looks after or put off, and those of which nothing sure is known.
    """
    ears, heard = Ears(alerts.receivers), _by_case(told)
    items = []
    for case in cases:
        found = finding_of(case, weighed)
        if found is None or not found.sure or case.state not in SPEAKING:
            continue
        steps, days = alerts.ladders[found.rule.value], days_on_ladder(case, found, now, zone)
        for receiver, step in next_told(found, steps, days, ears, heard[case.id]):
            items.append(Item(receiver, case, step.name, found.facts))
    return items


def back_items(
    over: Iterable[Case],
    standing: Iterable[Case],
    settled: Mapping[Key, datetime],
    receivers: Mapping[str, Receiver],
    told: Told,
) -> list[Item]:
    """«Hoạt động trở lại»: each receiver is told once that the newest case of a subject they knew of is over.

    Not while the subject has a case again, and not when a person called it resolved (*settled*).
    """
    again = {(case.rule, case.subject) for case in standing}
    heard = _by_case(told)
    newest: dict[tuple[str, Key], Case] = {}
    for case in sorted(over, key=lambda case: case.id):
        key = (case.rule, case.subject)
        newest |= {(receiver, key): case for receiver, step in heard[case.id] if step != BACK}
    return [
        Item(receiver, case, BACK, case.facts)
        for (receiver, key), case in sorted(newest.items(), key=lambda pair: (pair[1].id, pair[0]))
        if key not in again and settled.get(key) != case.since
        if receiver in receivers and (receiver, BACK) not in heard[case.id]
    ]


class Ears:
    """Who listens: receivers by role, and those of one unit."""

    def __init__(self, receivers: Mapping[str, Receiver]) -> None:
        self.by_role: dict[tuple[str, str | None], list[str]] = defaultdict(list)
        for slug, receiver in sorted(receivers.items()):
            self.by_role[receiver.role, receiver.unit].append(slug)

    def of(self, step: Step, unit: str | None) -> list[str]:
        """The receivers of a step of a case about *unit*."""
        keys = [(role, unit if role == "unit" else None) for role in step.to]
        return [slug for role, whose in keys if role != "unit" or unit for slug in self.by_role.get((role, whose), ())]


def days_on_ladder(case: Case, found: Finding, now: datetime, zone: ZoneInfo) -> int | None:
    """Local days since the opening; of a consent since 30 days before its end; None when it has ended."""
    if found.rule is not Rule.TOKEN:
        return (local_date(now, zone) - local_date(case.opened_at, zone)).days
    if found.facts.get("ends") is None:
        return None
    return (local_date(now, zone) - local_date(found.since, zone)).days


def next_told(
    found: Finding, steps: Steps, days: int | None, ears: Ears, heard: AbstractSet[tuple[str, str]]
) -> list[tuple[str, Step]]:
    """Receiver and step, for those whom the next digest has to tell."""
    names = [step.name for step in steps]
    reached = max((names.index(step) for _, step in heard if step in names), default=-1)
    owed = partial(_owed, found.facts.get("unit"), steps, ears=ears, heard=heard)
    due = [number for number, step in enumerate(steps) if days is None or step.day <= days]
    if found.rule is Rule.TOKEN:
        return owed(max([reached, *due]))
    late = owed(reached)
    ahead = (told for number in due if number > reached and (told := owed(number)))
    return late or next(ahead, [])


def _owed(
    unit: str | None, steps: Steps, level: int, *, ears: Ears, heard: AbstractSet[tuple[str, str]]
) -> list[tuple[str, Step]]:
    """Who was not told the highest of their steps up to *level*, nor a higher one."""
    own = {receiver: number for number in range(level + 1) for receiver in ears.of(steps[number], unit)}
    return [
        (receiver, steps[number])
        for receiver, number in own.items()
        if not any((receiver, step.name) in heard for step in steps[number:])
    ]


def _by_case(told: Told) -> dict[int, set[tuple[str, str]]]:
    heard: dict[int, set[tuple[str, str]]] = defaultdict(set)
    for case, receiver, step in told:
        heard[case].add((receiver, step))
    return heard
