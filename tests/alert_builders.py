"""Findings, cases and a ledger of cases in memory, for the tests of the alerts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from alerts.base import Finding, Rule
from alerts.casework import Changes, Key, changes, weigh
from config.alert_models import Alerts
from store.records import Case, CaseState, Turn
from tests.metric_builders import at

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
OPENED = at("2026-11-02 06:30")
"""A Monday."""
UNIT_FACTS: dict[str, Any] = {
    "unit": "a", "unit_name": "Đoàn phường A (mẫu)", "last_post": "2026-10-25", "silent_days": 8, "due": "2026-11-01",
    "rhythm_days": None, "notes": [], "channels": ["k"], "channel_names": ["Trang A (mẫu)"],
}  # fmt: skip


def quiet(unit: str = "a", since: datetime = OPENED - DAY, *, sure: bool = True, **facts: Any) -> Finding:
    return Finding(Rule.QUIET, unit, since, UNIT_FACTS | {"unit": unit, "unit_name": unit, **facts}, sure)


def source(channel: str = "k", since: datetime = OPENED - DAY, *, sure: bool = True) -> Finding:
    facts = {"channel": channel, "channel_name": channel, "unit_name": None, "failed_since": None, "error": None}
    return Finding(Rule.SOURCE, channel, since, facts, sure)


def token(ends: datetime | None, since: datetime | None = None, channel: str = "k", *, sure: bool = True) -> Finding:
    """A consent that ends then; None: it is refused, since *since*."""
    facts = {
        "name": f"tiktok:{channel}", "title": f"TikTok: {channel}", "channel": channel, "channel_name": channel,
        "platform": "TikTok", "ends": ends.date().isoformat() if ends else None, "days_left": None,
        "fix": "Đề nghị chạy «nhip connect tiktok».",
    }  # fmt: skip
    began = ends - 30 * DAY if ends else since or OPENED
    return Finding(Rule.TOKEN, f"tiktok:{channel}", began, facts, sure)


def a_case(found: Finding, state: CaseState = CaseState.OPEN, opened_at: datetime = OPENED, **more: Any) -> Case:
    given: dict[str, Any] = {"id": 1, "changed_at": opened_at, "snoozed_until": None, "turn": 1}
    return Case(
        rule=found.rule.value, subject=found.subject, state=state, since=found.since, opened_at=opened_at,
        facts=found.facts, **(given | more),
    )  # fmt: skip


def said(*findings: Finding, rules: Iterable[Rule] = Rule) -> dict[Rule, list[Finding]]:
    """What *rules* say, those that find nothing too."""
    return {rule: [found for found in findings if found.rule is rule] for rule in rules}


def receivers(**of: Mapping[str, Any]) -> Alerts:
    return Alerts.model_validate({"receivers": of})


OFFICES = receivers(
    to={"name": "Tổ truyền thông (mẫu)", "role": "team", "ways": ["file:to"]},
    btv={"name": "Ban Thường vụ (mẫu)", "role": "committee", "ways": ["file:btv"]},
    a={"name": "Đoàn phường A (mẫu)", "role": "unit", "unit": "a", "ways": ["file:a"]},
)


class Ledger:
    """The cases of a store, in memory: what `changes` says is done to the letter, or the test fails."""

    def __init__(self) -> None:
        self.all: dict[int, Case] = {}
        self.settled: dict[Key, datetime] = {}
        self.ended: dict[Key, datetime] = {}

    @property
    def standing(self) -> list[Case]:
        return [case for case in self.all.values() if case.state is not CaseState.RESOLVED]

    def decide(self, findings: Mapping[Rule, Sequence[Finding]], now: datetime) -> Changes:
        return changes(weigh(findings, self.standing, now), self.standing, self.settled, now, self.ended)

    def judge(self, findings: Mapping[Rule, Sequence[Finding]], now: datetime) -> Changes:
        """Decides and does it."""
        change = self.decide(findings, now)
        for turn in change.turns:
            self.turn(turn, now)
        for opening in change.openings:
            assert (opening.rule, opening.subject) not in {(case.rule, case.subject) for case in self.standing}
            number = len(self.all) + 1
            found = Finding(Rule(opening.rule), opening.subject, opening.since, opening.facts)
            self.all[number] = a_case(found, CaseState.NEW, now, id=number)
        return change

    def turn(self, turn: Turn, now: datetime) -> None:
        case = self.all[turn.case]
        assert case.turn == turn.turn
        assert case.state is not CaseState.RESOLVED
        self.all[case.id] = replace(
            case, state=turn.after, changed_at=now, turn=case.turn + 1, snoozed_until=turn.snoozed_until
        )

    def by_hand(self, case: Case, after: CaseState, now: datetime, until: datetime | None = None) -> None:
        """What a person says of a case."""
        self.turn(Turn(case.id, case.turn, after, now, "Đã biết.", "tổ truyền thông", until), now)
        if after is CaseState.RESOLVED:
            self.settled[case.rule, case.subject] = case.since
