"""What findings change in the cases."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.base import Finding, Rule
from alerts.casework import ANOTHER, NEXT, OVER, UNPROVEN, WOKEN, changes, weigh
from store.records import Case, CaseState, Turn
from tests.alert_builders import DAY, HOUR, OPENED, Ledger, a_case, quiet, said, source, token

NOW = OPENED + 5 * DAY
OTHERS = [rule for rule in Rule if rule is not Rule.QUIET]


def decide(findings, *cases: Case, settled=None, ended=None, now: datetime = NOW):
    return changes(weigh(findings, cases, now), cases, settled or {}, now, ended)


def states(*findings: Finding, case: Case) -> list[CaseState]:
    return [turn.after for turn in decide(said(*findings), case).turns]


# --- opening ---------------------------------------------------------------------------------------------------


def test_a_sure_finding_opens_a_case_that_began_at_its_deadline():
    (opening,) = decide(said(quiet())).openings
    assert (opening.rule, opening.subject, opening.since) == ("quiet", "a", OPENED - DAY)
    assert opening.facts["unit"] == "a"


def test_an_unsure_finding_opens_nothing():
    assert decide(said(quiet(sure=False))).openings == ()


def test_a_finding_whose_case_stands_opens_nothing_and_turns_nothing():
    for state in (CaseState.NEW, CaseState.OPEN, CaseState.ACKNOWLEDGED):
        change = decide(said(quiet()), a_case(quiet(), state))
        assert (change.openings, change.turns) == ((), ())


def test_a_rule_that_names_a_subject_twice_opens_one_case_since_the_older_moment():
    (opening,) = decide(said(quiet(since=OPENED), quiet(since=OPENED - 3 * DAY))).openings
    assert opening.since == OPENED - 3 * DAY


def test_a_rule_that_contradicts_itself_is_not_sure():
    assert decide(said(quiet(), quiet(sure=False))).openings == ()


def test_what_a_person_called_resolved_is_not_opened_again_for_the_same_deadline():
    settled = {("quiet", "a"): quiet().since}
    assert decide(said(quiet()), settled=settled).openings == ()
    (opening,) = decide(said(quiet(since=quiet().since + DAY)), settled=settled).openings
    assert opening.since == OPENED


# --- ending ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [CaseState.NEW, CaseState.OPEN, CaseState.ACKNOWLEDGED, CaseState.SNOOZED])
def test_a_subject_that_got_better_is_over(state: CaseState):
    (turn,) = decide(said(), a_case(quiet(), state, turn=4), ended={("quiet", "a"): NOW}).turns
    assert (turn.after, turn.turn, turn.at, turn.reason) == (CaseState.RESOLVED, 4, NOW, OVER[Rule.QUIET])


@pytest.mark.parametrize("rule", Rule)
def test_a_subject_that_only_left_the_list_is_closed_for_a_reason_that_is_no_good_news(rule: Rule):
    (turn,) = decide(said(), a_case(replace(quiet(), rule=rule))).turns
    assert (turn.after, turn.at, turn.reason) == (CaseState.RESOLVED, NOW, UNPROVEN[rule])
    assert not {*UNPROVEN.values()} & {*OVER.values(), ANOTHER, NEXT}


def test_a_case_ends_at_the_moment_that_is_known():
    (turn,) = decide(said(), a_case(quiet()), ended={("quiet", "a"): NOW - DAY}).turns
    assert turn.at == NOW - DAY


@pytest.mark.parametrize("known", [OPENED - 20 * DAY, NOW + DAY])
def test_an_end_before_the_beginning_or_in_the_future_is_now(known: datetime):
    (turn,) = decide(said(), a_case(quiet()), ended={("quiet", "a"): known}).turns
    assert (turn.at, turn.reason) == (NOW, OVER["quiet"])


def test_an_unsure_finding_ends_nothing():
    assert states(quiet(sure=False), case=a_case(quiet())) == []


def test_a_rule_that_crashed_touches_none_of_its_cases_and_the_others_go_on():
    cases = [a_case(quiet()), a_case(source("x"), id=2)]
    change = decide(said(rules=OTHERS), *cases)
    assert [turn.case for turn in change.turns] == [2]


def test_a_case_of_a_rule_that_is_gone_stays_as_it_is():
    old = replace(a_case(quiet()), rule="weather")
    assert decide(said(), old).turns == ()


def test_a_silence_that_began_after_the_case_is_another_case():
    again = quiet(since=OPENED + 2 * DAY)
    change = decide(said(again), a_case(quiet(), CaseState.ACKNOWLEDGED))
    assert [(turn.after, turn.reason) for turn in change.turns] == [(CaseState.RESOLVED, ANOTHER)]
    assert [opening.since for opening in change.openings] == [again.since]


def test_a_due_day_that_is_followed_by_a_later_one_was_not_done():
    late = Finding(Rule.FIGURE, "plan/row/a", OPENED + 2 * DAY, {"unit": "a"})
    change = decide(said(late), a_case(replace(late, since=OPENED - 90 * DAY)))
    assert [(turn.after, turn.reason) for turn in change.turns] == [(CaseState.RESOLVED, NEXT)]


@pytest.mark.parametrize("moved", [OPENED - 3 * DAY, OPENED - HOUR, NOW + HOUR])
def test_a_deadline_that_moved_before_the_opening_or_lies_ahead_is_the_same_case(moved: datetime):
    change = decide(said(quiet(since=moved)), a_case(quiet()))
    assert (change.turns, change.openings) == ((), ())


def test_a_consent_that_is_renewed_for_a_few_days_keeps_its_case():
    change = decide(said(token(NOW + 40 * DAY)), a_case(token(NOW + 2 * DAY)))
    assert (change.turns, change.openings) == ((), ())


# --- snoozing --------------------------------------------------------------------------------------------------


def test_a_snoozed_case_wakes_at_its_end_when_it_still_holds():
    case = a_case(quiet(), CaseState.SNOOZED, snoozed_until=NOW - HOUR)
    (turn,) = decide(said(quiet()), case).turns
    assert (turn.after, turn.at, turn.reason) == (CaseState.OPEN, NOW - HOUR, WOKEN)


@pytest.mark.parametrize(("until", "sure"), [(NOW + HOUR, True), (NOW - HOUR, False)])
def test_a_snoozed_case_sleeps_until_its_end_and_while_nothing_is_sure(until: datetime, sure: bool):
    assert states(quiet(sure=sure), case=a_case(quiet(), CaseState.SNOOZED, snoozed_until=until)) == []


# --- what silences «quiet» -------------------------------------------------------------------------------------

BLIND = {
    "a source that fails": said(quiet(), source()),
    "a refused consent": said(quiet(), token(None)),
    "a consent that has ended": said(quiet(), token(NOW)),
}


@pytest.mark.parametrize("name", BLIND)
def test_a_unit_with_a_channel_that_cannot_be_read_is_neither_opened_nor_ended(name: str):
    assert [opening.rule for opening in decide(BLIND[name]).openings if opening.rule == "quiet"] == []
    assert decide(BLIND[name], a_case(quiet())).turns == ()


def test_a_consent_that_still_works_silences_nothing():
    assert len(decide(said(quiet(), token(NOW + 7 * DAY))).openings) == 2


def test_a_broken_channel_of_another_unit_silences_nothing():
    assert {opening.rule for opening in decide(said(quiet(), source("x"))).openings} == {"quiet", "source"}


@pytest.mark.parametrize("findings", [said(quiet(), source(sure=False)), said(quiet(), rules=[Rule.QUIET])])
def test_a_case_of_a_broken_channel_silences_while_nothing_sure_is_known_of_it(findings):
    assert decide(findings, a_case(source())).openings == ()
    assert decide(findings).openings != ()


def test_a_channel_that_can_be_read_again_silences_nothing_in_the_same_round():
    change = decide(said(quiet()), a_case(source()))
    assert [turn.after for turn in change.turns] == [CaseState.RESOLVED]
    assert [opening.rule for opening in change.openings] == ["quiet"]


# --- whatever happens ------------------------------------------------------------------------------------------

UNITS = ("a", "b", "c")
since = st.integers(0, 6).map(lambda days: OPENED - days * DAY)
unit = st.sampled_from(UNITS)
finding = st.one_of(
    st.builds(lambda unit, at, sure: quiet(unit, at, sure=sure, channels=[f"k-{unit}"]), unit, since, st.booleans()),
    st.builds(lambda unit, at, sure: source(f"k-{unit}", at, sure=sure), unit, since, st.booleans()),
    st.builds(lambda unit, at: token(None, at, f"k-{unit}"), unit, since),
)
asked = st.sets(st.sampled_from([Rule.QUIET, Rule.SOURCE, Rule.TOKEN]), min_size=1)
day = st.tuples(asked, st.lists(finding, max_size=6))
by_hand = st.sampled_from([None, CaseState.ACKNOWLEDGED, CaseState.SNOOZED, CaseState.RESOLVED])
history = st.lists(st.tuples(day, by_hand), min_size=1, max_size=12)


def shifted(found: Finding, number: int) -> Finding:
    return replace(found, since=found.since + number * DAY)


@settings(max_examples=300, deadline=None)
@given(history)
def test_any_history_keeps_one_case_per_subject_and_a_second_round_finds_nothing_to_do(history):
    ledger = Ledger()
    for number, ((rules, findings), hand) in enumerate(history):
        now = OPENED + number * DAY
        told = said(*(shifted(found, number) for found in findings), rules=rules)
        mirrored = {rule: found[::-1] for rule, found in reversed(told.items())}
        assert ledger.decide(mirrored, now) == ledger.decide(told, now)
        before = {case.id: case for case in ledger.standing}
        change = ledger.judge(told, now)
        again = ledger.decide(told, now)
        assert (again.openings, again.turns) == ((), ())
        check_ends(change.turns, before, told)
        if hand and ledger.standing:
            ledger.by_hand(ledger.standing[0], hand, now, now + 2 * DAY if hand is CaseState.SNOOZED else None)


def check_ends(turns: Iterable[Turn], before: dict[int, Case], told: dict[Rule, list[Finding]]) -> None:
    """What ended was not listed by a rule that spoke, or began anew."""
    for turn in turns:
        case = before[turn.case]
        listed = [found for found in told[Rule(case.rule)] if found.subject == case.subject]
        if turn.after is CaseState.RESOLVED and turn.reason != ANOTHER:
            assert listed == []
        else:
            assert all(found.sure for found in listed)
            assert listed
