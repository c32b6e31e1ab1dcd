"""Whom a case is told to, and in which step. Pure.

A step of a ladder falls due that many local days after the case was opened, and not before as many days have passed
since each earlier step was told as lie between the two: after a stop of ours, a snooze or Tết no step is jumped, and
whoever was reminded has all the time that the ladder gives. A step that nobody would receive is passed over. What was
put into the outbox counts as told, whatever becomes of it: an address that refuses stops nobody else. The steps of
a consent are days before its end: there the highest one due counts, at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from alerts.base import Finding, Item, Rule
from alerts.casework import ANOTHER, OVER, Key, Weighed, finding_of
from alerts.wording import BACK
from config.alert_models import Alerts, Receiver, Step
from metrics.periods import local_date
from store.records import SYSTEM, Case, CaseState, Flip

SPEAKING = (CaseState.NEW, CaseState.OPEN)
Told = Mapping[tuple[int, str, str], datetime]
"""Case, receiver, step: what went into the outbox, and when."""
Heard = Mapping[tuple[str, str], datetime]
"""The same of one case."""
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
        climb = Climb(alerts.ladders[found.rule.value], ears, heard[case.id], found.facts.get("unit"))
        told_now = climb.consent(found, now, zone) if found.rule is Rule.TOKEN else climb.next(case, now, zone)
        items += [Item(receiver, case, step.name, found.facts) for receiver, step in told_now]
    return items


def back_items(
    resolved: Iterable[tuple[Case, Flip]],
    standing: Iterable[Case],
    receivers: Mapping[str, Receiver],
    told: Told,
) -> list[Item]:
    """«Hoạt động trở lại»: each receiver is told once that the newest case of a subject they knew of is over.

    Only where the last case of the subject ended with a proof that it got better, not when a person called it
    resolved, nor when it only left the list of its rule.
    """
    again = {(case.rule, case.subject) for case in standing}
    heard = _by_case(told)
    newest: dict[tuple[str, Key], Case] = {}
    for case in _better(resolved):
        key = (case.rule, case.subject)
        newest |= {(receiver, key): case for receiver, step in heard[case.id] if step != BACK}
    return [
        Item(receiver, case, BACK, case.facts)
        for (receiver, key), case in sorted(newest.items(), key=lambda pair: (pair[1].id, pair[0]))
        if key not in again and receiver in receivers and (receiver, BACK) not in heard[case.id]
    ]


def _better(resolved: Iterable[tuple[Case, Flip]]) -> list[Case]:
    """In their order, the cases that got better, and of these subjects those that began anew before."""
    ordered = sorted(resolved, key=lambda pair: pair[0].id)
    last = {(case.rule, case.subject): _got_better(case, flip) for case, flip in ordered}
    return [
        case
        for case, flip in ordered
        if last[case.rule, case.subject] and (_got_better(case, flip) or flip.reason == ANOTHER)
    ]


def _got_better(case: Case, flip: Flip) -> bool:
    return flip.by == SYSTEM and flip.reason == OVER.get(case.rule)


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


@dataclass(frozen=True, slots=True)
class Climb:
    """One case on its ladder: who was told what of it, and who is to be told next."""

    steps: Steps
    ears: Ears
    heard: Heard
    unit: str | None

    def next(self, case: Case, now: datetime, zone: ZoneInfo) -> list[tuple[str, Step]]:
        """Those who came too late for the step that was reached, else the next step that is due and has somebody."""
        days = partial(_days, now=now, zone=zone)
        since = {number: days(at) for number, at in self._first_told()}
        reached = max(since, default=-1)
        ahead = (told for number in self._due(days(case.opened_at), since) if (told := self._owed(number)))
        return self._owed(reached) or next(ahead, [])

    def consent(self, found: Finding, now: datetime, zone: ZoneInfo) -> list[tuple[str, Step]]:
        """The highest step that is due; the last one when the consent has ended."""
        days = _days(found.since, now, zone) if found.facts.get("ends") else None
        due = [number for number, step in enumerate(self.steps) if days is None or step.day <= days]
        return self._owed(max([*(number for number, _ in self._first_told()), *due], default=-1))

    def _first_told(self) -> Iterator[tuple[int, datetime]]:
        """The steps that anybody was told, and when first; one that the ladder does not have any more is none."""
        for number, step in enumerate(self.steps):
            moments = [at for (_, name), at in self.heard.items() if name == step.name]
            if moments:
                yield number, min(moments)

    def _due(self, days: int, since: Mapping[int, int]) -> list[int]:
        """The steps above those that were told (*since* so many days) whose time has come."""
        return [
            number
            for number, step in enumerate(self.steps)
            if step.day <= days and number > max(since, default=-1)
            if all(passed >= step.day - self.steps[earlier].day for earlier, passed in since.items())
        ]

    def _owed(self, level: int) -> list[tuple[str, Step]]:
        """Who was not told the highest of their steps up to *level*, nor a higher one."""
        own = {
            receiver: number for number in range(level + 1) for receiver in self.ears.of(self.steps[number], self.unit)
        }
        return [
            (receiver, self.steps[number])
            for receiver, number in own.items()
            if not any((receiver, step.name) in self.heard for step in self.steps[number:])
        ]


def _days(since: datetime, now: datetime, zone: ZoneInfo) -> int:
    """Local days."""
    return (local_date(now, zone) - local_date(since, zone)).days


def _by_case(told: Told) -> dict[int, dict[tuple[str, str], datetime]]:
    heard: dict[int, dict[tuple[str, str], datetime]] = defaultdict(dict)
    for (case, receiver, step), at in told.items():
        heard[case][receiver, step] = at
    return heard
