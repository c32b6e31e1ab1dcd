"""What the findings of a moment change in the cases. Pure: the store applies it, turns before openings.

A subject that its rule does not list is well; one that is listed as unsure stays as it is; a rule that is
missing altogether (it crashed) touches nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from alerts.base import Finding, Rule
from store.records import Case, CaseState, Opening, Turn

Weighed = Mapping[Rule, Mapping[str, Finding]]
"""Rule -> subject -> the one finding that counts. A rule that crashed is missing."""
Key = tuple[str, str]
"""Rule and subject."""

CONSENT = timedelta(days=30)
"""So long after it begins, the case of a consent is about a dead one (alerts.rules.token)."""
RESTARTING = (Rule.QUIET, Rule.SOURCE, Rule.FIGURE)
"""Their `since` belongs to one silence, one run of failures, one due day: a later one is another case."""
OVER: Mapping[Rule, str] = {
    Rule.QUIET: "Đơn vị đã hoạt động trở lại.",
    Rule.TARGET: "Chỉ tiêu không còn nguy cơ.",
    Rule.TOKEN: "Kênh đã được kết nối lại.",
    Rule.SOURCE: "Kênh đã đọc lại được.",
    Rule.FIGURE: "Việc quá hạn đã xong.",
    Rule.SUSPECT: "Số liệu đã được xác nhận.",
    Rule.PIPELINE: "Hệ thống đã hoạt động trở lại.",
}
GONE = "Đơn vị không còn thuộc diện theo dõi."
ANOTHER = "Việc trước đã qua, nay phát sinh lại."
WOKEN = "Hết thời gian tạm hoãn mà vẫn còn."


@dataclass(frozen=True, slots=True)
class Changes:
    """What is to be done now."""

    openings: tuple[Opening, ...]
    turns: tuple[Turn, ...]


def weigh(findings: Mapping[Rule, Sequence[Finding]], cases: Iterable[Case], now: datetime) -> Weighed:
    """One finding per subject; where a rule contradicts itself, the unsure and then the older one counts.

    A unit with a broken or no longer permitted channel cannot be proved quiet: its finding becomes unsure.
    """
    weighed = {rule: _one_each(found) for rule, found in findings.items()}
    quiet, blind = weighed.get(Rule.QUIET, {}), blind_channels(weighed, cases, now)
    if quiet and blind:
        weighed[Rule.QUIET] = {
            subject: replace(found, sure=found.sure and blind.isdisjoint(found.facts.get("channels", ())))
            for subject, found in quiet.items()
        }
    return weighed


def blind_channels(weighed: Weighed, cases: Iterable[Case], now: datetime) -> set[str]:
    """The channels that fail or whose consent is dead: by what the rules say, or by a case that still stands."""
    troubles: list[Finding | Case] = [found for found in _all(weighed) if found.sure]
    troubles += [case for case in cases if _is_unsure(case, weighed)]
    return {channel for trouble in troubles if (channel := _blinded(trouble, now))}


def changes(
    weighed: Weighed,
    cases: Sequence[Case],
    settled: Mapping[Key, datetime],
    now: datetime,
    ended: Mapping[Key, datetime] | None = None,
) -> Changes:
    """The turns of *cases* (those that are not resolved), and the cases to open once these are done.

    *settled*: since when that was which a person called resolved; it is not opened again. *ended*: when it
    ended, where that is known; else it ended *now*.
    """
    turns = [turn for case in cases if (turn := _turn(case, weighed, now, ended or {}))]
    over = {turn.case for turn in turns if turn.after is CaseState.RESOLVED}
    standing = {(case.rule, case.subject) for case in cases if case.id not in over}
    openings = [
        Opening(found.rule, found.subject, found.since, found.facts)
        for found in _all(weighed)
        if found.sure and (found.rule, found.subject) not in standing and not _is_settled(found, settled)
    ]
    return Changes(tuple(openings), tuple(turns))


def finding_of(case: Case, weighed: Weighed) -> Finding | None:
    """What the rule of a case says of its subject now; None when that is nothing, or the rule said nothing at all."""
    return weighed[Rule(case.rule)].get(case.subject) if case.rule in weighed else None


def _one_each(findings: Iterable[Finding]) -> dict[str, Finding]:
    ordered = sorted(findings, key=lambda found: (found.subject, found.sure, found.since, repr(found.facts)))
    return {found.subject: found for found in reversed(ordered)}


def _all(weighed: Weighed) -> Iterator[Finding]:
    for rule in sorted(weighed):
        for subject in sorted(weighed[rule]):
            yield weighed[rule][subject]


def _is_unsure(case: Case, weighed: Weighed) -> bool:
    """Whether nothing says how it stands now with what the case is about."""
    found = finding_of(case, weighed)
    return not found.sure if found else case.rule not in weighed


def _blinded(trouble: Finding | Case, now: datetime) -> str | None:
    """The channel that cannot be seen because of it."""
    if trouble.rule == Rule.SOURCE:
        return trouble.subject
    if trouble.rule != Rule.TOKEN:
        return None
    dead = trouble.facts.get("ends") is None or trouble.since + CONSENT <= now
    return trouble.facts.get("channel") if dead else None


def _turn(case: Case, weighed: Weighed, now: datetime, ended: Mapping[Key, datetime]) -> Turn | None:
    if case.rule not in weighed:
        return None
    found = finding_of(case, weighed)
    if found is None:
        return _resolved(case, _end(case, now, ended), _why_over(case, ended))
    if not found.sure:
        return None
    if found.rule in RESTARTING and found.since > case.opened_at:
        return _resolved(case, now, ANOTHER)
    if case.state is CaseState.SNOOZED and case.snoozed_until is not None and case.snoozed_until <= now:
        return Turn(case.id, case.turn, CaseState.OPEN, case.snoozed_until, WOKEN)
    return None


def _why_over(case: Case, ended: Mapping[Key, datetime]) -> str:
    """A unit that is not seen any more (it merged, say) did not come back."""
    gone = case.rule == Rule.QUIET and (case.rule, case.subject) not in ended
    return GONE if gone else OVER[Rule(case.rule)]


def _resolved(case: Case, at: datetime, reason: str) -> Turn:
    return Turn(case.id, case.turn, CaseState.RESOLVED, at, reason)


def _end(case: Case, now: datetime, ended: Mapping[Key, datetime]) -> datetime:
    at = ended.get((case.rule, case.subject), now)
    return at if case.since <= at <= now else now


def _is_settled(found: Finding, settled: Mapping[Key, datetime]) -> bool:
    until = settled.get((found.rule, found.subject))
    return until is not None and found.since <= until
