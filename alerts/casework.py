"""What the findings of a moment change in the cases. Pure: the store applies it, turns before openings.

A subject that its rule does not list any more is over: with good news where something proves that it got better,
without a word else. One that is listed as unsure stays as it is; a rule that is missing altogether (it crashed)
touches nothing.
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
ANOTHER = "Việc trước đã qua, nay phát sinh lại."
NEXT = "Kỳ sau đã đến hạn."
RESTARTING: Mapping[str, str] = {Rule.QUIET: ANOTHER, Rule.SOURCE: ANOTHER, Rule.FIGURE: NEXT}
"""Their `since` belongs to one silence, one run of failures, one due day: a later one is another case, for that
reason."""
OVER: Mapping[str, str] = {
    Rule.QUIET: "Đơn vị đã hoạt động trở lại.",
    Rule.TARGET: "Chỉ tiêu không còn nguy cơ.",
    Rule.TOKEN: "Kênh đã được kết nối lại.",
    Rule.SOURCE: "Kênh đã đọc lại được.",
    Rule.FIGURE: "Việc quá hạn đã xong.",
    Rule.SUSPECT: "Số liệu đã được xác nhận.",
    Rule.PIPELINE: "Hệ thống đã hoạt động trở lại.",
}
UNPROVEN: Mapping[str, str] = {
    Rule.QUIET: "Không còn theo dõi, hoặc thời hạn đã đổi; chưa ghi nhận tin, bài mới.",
    Rule.TARGET: "Chỉ tiêu không còn được xét.",
    Rule.TOKEN: "Kết nối không còn được dùng.",
    Rule.SOURCE: "Kênh không còn được đọc.",
    Rule.FIGURE: "Kỳ sau đã đến, kế hoạch đã hết hạn, hoặc đã quá hạn quá lâu; chưa ghi nhận kết quả.",
    Rule.SUSPECT: "Số liệu không còn được lưu, chưa được xác nhận.",
    Rule.PIPELINE: "Việc đã cũ, không còn theo dõi.",
}
"""Why a case is closed of which nothing says that it got better: nobody is told «hoạt động trở lại»."""
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

    *settled*: when a person last called it resolved; what began before that is not opened again. *ended*: the moment
    from which it is proved to be better; what is missing there only left the list of its rule.
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
        return _ended(case, now, ended.get((case.rule, case.subject)))
    if not found.sure:
        return None
    if found.rule in RESTARTING and case.opened_at < found.since <= now:
        return _resolved(case, now, RESTARTING[found.rule])
    if case.state is CaseState.SNOOZED and case.snoozed_until is not None and case.snoozed_until <= now:
        return Turn(case.id, case.turn, CaseState.OPEN, case.snoozed_until, WOKEN)
    return None


def _ended(case: Case, now: datetime, at: datetime | None) -> Turn:
    if at is None:
        return _resolved(case, now, UNPROVEN[case.rule])
    return _resolved(case, at if case.since <= at <= now else now, OVER[case.rule])


def _resolved(case: Case, at: datetime, reason: str) -> Turn:
    return Turn(case.id, case.turn, CaseState.RESOLVED, at, reason)


def _is_settled(found: Finding, settled: Mapping[Key, datetime]) -> bool:
    until = settled.get((found.rule, found.subject))
    return until is not None and found.since <= until
