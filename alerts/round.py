"""One round of the alerts: ask the rules, turn and open cases, put today's digests into the outbox.

Two processes may hold a round at once: turns and openings are compare-and-set, a digest has a unique key, and a
digest of a day is made once. What one rule, one finding or one line of a message breaks stays its own: it is
logged, changes nothing of its own cases, and all else goes on.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from alerts.base import Finding, Rule
from alerts.casework import Key, Weighed, changes, finding_of, weigh
from alerts.digest import drafts_of, first_told, made_of
from alerts.hours import Moment, digest_moment
from alerts.ladder import back_items, due_items
from alerts.rules import RULES, Check
from alerts.watched import Watched
from config.models import Config
from metrics.periods import WEEK, local_date, midnight, week_of
from store.errors import StoreError, Trouble
from store.records import Case, Opening, Turn
from store.verbs import Store

log = logging.getLogger(__name__)
Change = TypeVar("Change", Opening, Turn)

NEWS = timedelta(days=14)
"""For so long after its end a receiver may still be told that a case is over."""


@dataclass(frozen=True, slots=True)
class Said:
    """What the rules say at a moment."""

    findings: Mapping[Rule, Sequence[Finding]]
    """Of the rules that did not crash."""
    crashed: tuple[Rule, ...]
    ended: Mapping[Key, datetime]
    """Of the cases that no rule finds any more: when they ended, where something proves that it got better."""


@dataclass(frozen=True, slots=True)
class Round:
    """What a round did."""

    opened: tuple[Case, ...]
    turned: tuple[Case, ...]
    """Over, or awake after a snooze."""
    messages: tuple[str, ...]
    """Keys of what was put into the outbox."""
    crashed: tuple[Rule, ...]


def hold_round(config: Config, store: Store, watched: Watched, rules: Mapping[Rule, Check] = RULES) -> Round:
    """One whole round. StoreError when the store cannot be read or written; what was done until then stays done."""
    return act(config, store, ask(rules, watched, store.cases()), watched.as_of)


def ask(rules: Mapping[Rule, Check], watched: Watched, cases: Iterable[Case]) -> Said:
    """What every rule finds, and which of the standing *cases* ended; one that crashes is logged and says nothing."""
    findings: dict[Rule, list[Finding]] = {}
    ended: dict[Key, datetime] = {}
    standing = list(cases)
    for rule, check in rules.items():
        try:
            found = [_sound(found, rule, watched.as_of) for found in check.find(watched)]
            listed = {one.subject for one in found}
            gone = [case for case in standing if case.rule == rule and case.subject not in listed]
            ends = {(case.rule, case.subject): check.ended(watched, case) for case in gone}
        except Exception:
            log.exception("alert rule crashed", extra={"rule": rule.value})
            continue
        findings[rule] = found
        ended |= {key: at for key, at in ends.items() if at is not None}
    crashed = tuple(rule for rule in rules if rule not in findings)
    return Said(findings, crashed, ended)


def act(config: Config, store: Store, said: Said, now: datetime) -> Round:
    """Turns and opens the cases as the rules say, then tells whom it is time to tell."""
    cases = store.cases()
    weighed, settled = weigh(said.findings, cases, now), store.settled()
    change = changes(weighed, cases, settled, now, said.ended)
    turned = _apply(store.turn_cases, change.turns, now)
    opened = _apply(store.open_cases, change.openings, now)
    return Round(tuple(opened), tuple(turned), tell(config, store, weighed, now), said.crashed)


def tell(config: Config, store: Store, weighed: Weighed, now: datetime) -> tuple[str, ...]:
    """Puts the digests of today into the outbox, once, when their hour has come; gives their keys."""
    moment = _digest_moment(config, store, now)
    if moment is None:
        return ()
    standing, resolved = store.cases(), store.resolved_cases(now - NEWS)
    told = store.told([case.id for case in [*standing, *(case for case, _ in resolved)]])
    items = due_items(standing, weighed, config.alerts, told, now, config.district.tz)
    items += back_items(resolved, standing, config.alerts.receivers, told)
    listed = [_as_known(case, weighed) for case in standing]
    drafts = drafts_of(items, listed, told, config, moment, now)
    if not drafts or _digest_moment(config, store, now) != moment:  # `told` may be older than another's digest
        return ()
    return tuple(store.enqueue(drafts, first_told(standing, now), now))


def _apply(
    verb: Callable[[Sequence[Change], datetime], list[Case]], parts: Sequence[Change], now: datetime
) -> list[Case]:
    """All of *parts* in one transaction; when one of them cannot be kept, each in its own, and that one in the log."""
    if not parts:
        return []
    try:
        return verb(parts, now)
    except (StoreError, TypeError, ValueError) as error:
        if isinstance(error, StoreError) and error.kind is not Trouble.UNFIT:
            raise
        if len(parts) == 1:
            log.exception("alert case cannot be kept", extra={"case": repr(parts[0])[:200]})
            return []
    return [case for part in parts for case in _apply(verb, [part], now)]


def _digest_moment(config: Config, store: Store, now: datetime) -> Moment | None:
    """Which digest is to be made now; None when that of today was made: what came up since waits for the next."""
    zone = config.district.tz
    lately = midnight(week_of(local_date(now, zone) - WEEK, zone).start, zone)
    return digest_moment(now, config.alerts.hours, config.district, made_of(store.deliveries(lately), zone))


def _as_known(case: Case, weighed: Weighed) -> Case:
    """The case with what its rule says of it now."""
    found = finding_of(case, weighed)
    return replace(case, facts=found.facts) if found and found.facts else case


def _sound(found: Finding, rule: Rule, as_of: datetime) -> Finding:
    """The finding; one that cannot be kept says nothing for sure."""
    try:
        json.dumps(found.facts, allow_nan=False, ensure_ascii=False).encode()
        if found.rule is rule and found.since.tzinfo is not None:
            return found
    except (TypeError, ValueError):
        pass
    log.error("alert finding cannot be kept", extra={"rule": rule.value, "subject": found.subject})
    return Finding(rule, found.subject, as_of, {}, sure=False)
