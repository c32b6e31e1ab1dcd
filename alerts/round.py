"""One round of the alerts: ask the rules, turn and open cases, put today's digests into the outbox.

Two processes may hold a round at once: turns and openings are compare-and-set, a digest has a unique key, and a
digest of a day is made once. What one rule, one finding or one line of a message breaks stays its own: it is
logged, changes nothing of its own cases, and all else goes on.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from alerts.base import Finding, Rule
from alerts.casework import Key, Weighed, changes, finding_of, weigh
from alerts.digest import PREFIXES, drafts_of, first_told
from alerts.hours import Moment, digest_moment
from alerts.ladder import back_items, due_items
from alerts.rules import RULES
from alerts.rules.facts import moment as plain_moment
from alerts.watched import Watched
from config.models import Config
from metrics.periods import local_date, midnight
from store.errors import StoreError, Trouble
from store.records import Case, Opening, Turn
from store.verbs import Store

log = logging.getLogger(__name__)
Find = Callable[[Watched], list[Finding]]
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
    """When a silence ended, by what is known now."""


@dataclass(frozen=True, slots=True)
class Round:
    """What a round did."""

    opened: tuple[Case, ...]
    turned: tuple[Case, ...]
    """Over, or awake after a snooze."""
    messages: tuple[str, ...]
    """Keys of what was put into the outbox."""
    crashed: tuple[Rule, ...]


def hold_round(config: Config, store: Store, watched: Watched, rules: Mapping[Rule, Find] = RULES) -> Round:
    """One whole round. StoreError when the store cannot be read or written; what was done until then stays done."""
    return act(config, store, ask(rules, watched), watched.as_of)


def ask(rules: Mapping[Rule, Find], watched: Watched) -> Said:
    """What every rule finds; one that crashes is logged and says nothing."""
    findings: dict[Rule, list[Finding]] = {}
    for rule, find in rules.items():
        try:
            findings[rule] = [_sound(found, rule, watched.as_of) for found in find(watched)]
        except Exception:
            log.exception("alert rule crashed", extra={"rule": rule.value})
    crashed = tuple(rule for rule in rules if rule not in findings)
    return Said(findings, crashed, _ends_of_silence(watched))


def act(config: Config, store: Store, said: Said, now: datetime) -> Round:
    """Turns and opens the cases as the rules say, then tells whom it is time to tell."""
    cases = store.cases()
    weighed, settled = weigh(said.findings, cases, now), store.settled()
    change = changes(weighed, cases, settled, now, said.ended)
    turned = _apply(store.turn_cases, change.turns, now)
    opened = _apply(store.open_cases, change.openings, now)
    return Round(tuple(opened), tuple(turned), tell(config, store, weighed, settled, now), said.crashed)


def tell(
    config: Config, store: Store, weighed: Weighed, settled: Mapping[Key, datetime], now: datetime
) -> tuple[str, ...]:
    """Puts the digests of today into the outbox, once, when their hour has come; gives their keys."""
    moment = digest_moment(now, config.alerts.hours, config.district)
    if moment is None or _is_held(config, store, moment):
        return ()
    standing = store.cases()
    over = [case for case in store.resolved_cases(now - NEWS) if _still_exists(case, config, now)]
    told = store.told([case.id for case in [*standing, *over]])
    items = due_items(standing, weighed, config.alerts, told, now, config.district.tz)
    items += back_items(over, standing, settled, config.alerts.receivers, told)
    listed = [_as_known(case, weighed) for case in standing]
    drafts = drafts_of(items, listed, told, config, moment, now)
    if not drafts or _is_held(config, store, moment):  # `told` may be older than somebody else's digest
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


def _is_held(config: Config, store: Store, moment: Moment) -> bool:
    """Whether digests of this day were made already: what came up since waits for the next."""
    today = store.deliveries(midnight(moment.day, config.district.tz))
    return any(str(key).startswith(PREFIXES) for key in today["key"])


def _as_known(case: Case, weighed: Weighed) -> Case:
    """The case with what its rule says of it now."""
    found = finding_of(case, weighed)
    return replace(case, facts=found.facts) if found and found.facts else case


def _still_exists(case: Case, config: Config, now: datetime) -> bool:
    """Whether what it was about is still there: a unit that merged is not back."""
    if case.rule == Rule.QUIET:
        unit = config.units.get(case.subject)
        return unit is not None and unit.is_valid_on(local_date(now, config.district.tz))
    return case.rule not in {Rule.SOURCE, Rule.SUSPECT} or case.subject in config.channels


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


def _ends_of_silence(watched: Watched) -> dict[Key, datetime]:
    """The newest own post of every unit that is not quiet: when a silence that is over ended."""
    rows = watched.quiet[(watched.quiet["kind"] == "unit") & watched.quiet["last_post_at"].notna()]
    pairs = zip(rows["subject"], rows["last_post_at"], strict=True)
    return {(Rule.QUIET.value, str(subject)): plain_moment(at) for subject, at in pairs}
