"""Whom a case is told to, and when."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.base import Finding, Rule
from alerts.casework import weigh
from alerts.hours import digest_moment, first_working_day, is_quiet
from alerts.ladder import back_items, due_items
from alerts.wording import BACK
from config.alert_models import Alerts, Hours
from config.models import District
from store.records import Case, CaseState
from tests.alert_builders import DAY, HOUR, OFFICES, OPENED, a_case, quiet, receivers, said, source, token
from tests.metric_builders import DISTRICT, HCMC, at

Told = set[tuple[int, str, str]]
DIGEST = OPENED + HOUR
"""The first digest after the opening: day 0."""


def items(case: Case, told: Told = frozenset(), day: int = 0, found: Finding | None = None, alerts: Alerts = OFFICES):  # type: ignore[assignment]
    now = DIGEST + day * DAY
    found = found or Finding(Rule(case.rule), case.subject, case.since, case.facts)
    said_now = weigh(said(found), [case], now)
    return {(item.receiver, item.step) for item in due_items([case], said_now, alerts, told, now, HCMC)}


def played(
    case: Case, days: range, alerts: Alerts = OFFICES, found: Finding | None = None
) -> dict[int, set[tuple[str, str]]]:
    """What the digests of these days tell, one a day, by day."""
    told: Told = set()
    by_day: dict[int, set[tuple[str, str]]] = {}
    for day in days:
        due = items(case, told, day, found, alerts)
        told |= {(case.id, receiver, step) for receiver, step in due}
        by_day |= {day: due} if due else {}
    return by_day


def with_ladder(**ladders: Any) -> Alerts:
    return Alerts.model_validate({"ladders": ladders, "receivers": OFFICES.receivers})


# --- the ladder ------------------------------------------------------------------------------------------------


def test_a_quiet_unit_is_noticed_reminded_called_and_reported():
    assert played(a_case(quiet()), range(40)) == {
        0: {("to", "noticed")},
        3: {("a", "remind")},
        7: {("to", "call")},
        14: {("to", "report"), ("btv", "report")},
    }


def test_days_are_local_days_and_not_spans_of_24_hours():
    late = a_case(quiet(), opened_at=at("2026-11-02 23:30"))
    assert items(late, {(1, "to", "noticed")}, day=3) == {("a", "remind")}


def test_after_a_stop_of_ours_each_digest_goes_one_step_further():
    assert played(a_case(quiet()), range(20, 30)) == {
        20: {("to", "noticed")},
        21: {("a", "remind")},
        22: {("to", "call")},
        23: {("to", "report"), ("btv", "report")},
    }


def test_a_step_without_a_receiver_is_passed_over():
    offices = receivers(
        to={"name": "Tổ (mẫu)", "role": "team", "ways": ["file:to"]},
        b={"name": "Đơn vị B (mẫu)", "role": "unit", "unit": "b", "ways": ["file:b"]},
    )
    assert played(a_case(quiet()), range(20, 30), offices) == {
        20: {("to", "noticed")},
        21: {("to", "call")},
        22: {("to", "report")},
    }


def test_without_any_receiver_nothing_is_due():
    assert items(a_case(quiet()), day=20, alerts=receivers()) == set()


def test_a_receiver_who_comes_later_hears_the_highest_step_of_its_role_and_the_ladder_waits_for_it():
    told = {(1, "to", "noticed"), (1, "to", "call")}
    assert items(a_case(quiet()), told, day=14) == {("a", "remind")}
    assert items(a_case(quiet()), told | {(1, "a", "remind")}, day=15) == {("to", "report"), ("btv", "report")}


def test_a_message_that_was_given_up_is_told_again():
    told = {(1, "to", "noticed"), (1, "to", "call"), (1, "a", "remind")}
    assert items(a_case(quiet()), told - {(1, "a", "remind")}, day=8) == {("a", "remind")}


def test_a_step_that_the_ladder_no_longer_has_counts_for_nothing():
    assert items(a_case(quiet()), {(1, "to", "old-step")}) == {("to", "noticed")}


def test_a_rule_that_the_file_gives_an_empty_ladder_tells_nobody():
    silent = with_ladder(quiet=[])
    assert items(a_case(quiet()), alerts=silent) == set()
    assert items(a_case(source()), alerts=silent) == {("to", "noticed")}


def test_a_rule_without_words_for_units_does_not_tell_every_unit():
    steps = [{"day": 0, "name": "noticed", "to": ["team", "unit"]}]
    assert items(a_case(source()), alerts=with_ladder(source=steps)) == {("to", "noticed")}


@pytest.mark.parametrize("state", [CaseState.ACKNOWLEDGED, CaseState.SNOOZED, CaseState.RESOLVED])
def test_nothing_is_told_of_a_case_that_somebody_looks_after(state: CaseState):
    assert items(a_case(quiet(), state), day=20) == set()


def test_nothing_is_told_while_nothing_sure_is_known():
    assert items(a_case(quiet()), day=3, found=quiet(sure=False)) == set()
    crashed = weigh(said(rules=[Rule.TOKEN]), [], DIGEST)
    assert due_items([a_case(quiet())], crashed, OFFICES, set(), DIGEST, HCMC) == []
    strange = replace(a_case(quiet()), rule="weather")
    assert due_items([strange], weigh(said(), [], DIGEST), OFFICES, set(), DIGEST, HCMC) == []


def test_an_item_says_what_is_known_now():
    now = weigh(said(quiet(silent_days=11)), [], DIGEST)
    (item,) = due_items([a_case(quiet())], now, OFFICES, set(), DIGEST, HCMC)
    assert item.facts["silent_days"] == 11


# --- consents --------------------------------------------------------------------------------------------------


def test_a_consent_is_told_30_14_7_and_1_days_before_its_end():
    found = token(DIGEST + 30 * DAY)
    assert played(a_case(found), range(31)) == {
        0: {("to", "left-30")},
        16: {("to", "left-14")},
        23: {("to", "left-7")},
        29: {("to", "left-1")},
    }


def test_a_consent_that_is_found_five_days_before_its_end_is_told_so_at_once():
    assert played(a_case(token(DIGEST + 5 * DAY)), range(6)) == {0: {("to", "left-7")}, 4: {("to", "left-1")}}


def test_a_refused_consent_is_told_once():
    assert played(a_case(token(None, OPENED)), range(40)) == {0: {("to", "left-1")}}


def test_a_renewed_consent_that_soon_ends_again_is_not_told_backwards():
    case = a_case(token(DIGEST + 5 * DAY))
    assert items(case, {(1, "to", "left-1")}, found=token(DIGEST + 20 * DAY)) == set()


# --- back ------------------------------------------------------------------------------------------------------

OVER = a_case(quiet(), CaseState.RESOLVED)
HEARD = {(1, "to", "noticed"), (1, "a", "remind")}


def back(*over: Case, told: Told = HEARD, standing: tuple[Case, ...] = (), settled: Any = None):
    return {
        (item.receiver, item.case.id, item.step)
        for item in back_items(over, standing, settled or {}, OFFICES.receivers, told)
    }


def test_those_who_were_told_of_a_case_hear_once_that_it_is_over():
    assert back(OVER) == {("to", 1, BACK), ("a", 1, BACK)}
    assert back(OVER, told=HEARD | {(1, "a", BACK)}) == {("to", 1, BACK)}


def test_nobody_hears_of_the_end_of_a_case_of_which_they_never_heard():
    assert back(OVER, told=set()) == set()


def test_a_case_that_a_person_called_resolved_is_not_back():
    assert back(OVER, settled={("quiet", "a"): OVER.since}) == set()


def test_nothing_is_back_while_it_has_a_case_again():
    assert back(OVER, standing=(a_case(quiet(), id=2),)) == set()


def test_of_several_cases_that_are_over_the_newest_is_told():
    later = replace(OVER, id=2)
    assert back(OVER, later, told=HEARD | {(2, "to", "noticed")}) == {("to", 2, BACK), ("a", 1, BACK)}


def test_a_receiver_who_is_gone_hears_nothing():
    assert back(OVER, told={(1, "somebody", "noticed")}) == set()


# --- hours -----------------------------------------------------------------------------------------------------

HOURS = Hours()


def district(**calendar: Any) -> District:
    return District.model_validate({**DISTRICT, "calendar": calendar})


def kind(text: str, hours: Hours = HOURS, **calendar: Any) -> str | None:
    moment = digest_moment(at(text), hours, district(**calendar))
    return moment.kind if moment else None


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-11-20 07:29", None),
        ("2026-11-20 07:30", "daily"),
        ("2026-11-20 20:59", "daily"),
        ("2026-11-20 21:00", None),
        ("2026-11-21 00:10", None),
        ("2026-11-21 08:00", "daily"),
        ("2026-11-16 06:59", None),
        ("2026-11-16 07:00", "weekly"),
        ("2026-11-16 19:00", "weekly"),
    ],
)
def test_a_digest_leaves_after_its_hour_and_before_the_quiet_hours(moment: str, expected: str | None):
    assert kind(moment) == expected


def test_quiet_hours_may_lie_within_a_day_or_be_none():
    noon = Hours(quiet_from=time(11), quiet_until=time(13))
    assert [is_quiet(time(hour), noon) for hour in (10, 11, 12, 13)] == [False, True, True, False]
    never = Hours(quiet_from=time(0), quiet_until=time(0))
    assert not any(is_quiet(time(hour), never) for hour in range(24))


def test_a_weekly_digest_whose_monday_is_a_holiday_leaves_on_the_next_working_day():
    assert [kind(f"2026-04-{day} 08:00") for day in (27, 28, 29)] == ["daily", "weekly", "daily"]
    moment = digest_moment(at("2026-04-27 08:00"), HOURS, district())
    assert moment is not None
    assert moment.is_holiday


def test_a_week_of_tet_has_no_weekly_digest():
    tet = [{"day": date(2026, 2, day), "name": "Tết"} for day in range(16, 23)]
    assert {kind(f"2026-02-{day} 08:00", add=tet) for day in range(16, 23)} == {"daily"}
    assert first_working_day(date(2026, 2, 18), district(add=tet)) is None
    assert kind("2026-02-23 08:00", add=tet) == "weekly"


def test_a_holiday_that_the_district_takes_out_is_a_working_day():
    assert kind("2026-04-27 08:00", remove=[date(2026, 4, 27)]) == "weekly"
    assert kind("2026-04-27 08:00", public_holidays=False) == "weekly"


def test_a_weekly_digest_sums_up_the_week_before():
    moment = digest_moment(at("2027-01-04 08:00"), HOURS, district())
    assert moment is not None
    assert moment.week == "2026-W53"


# --- whatever happens ------------------------------------------------------------------------------------------

a_day = st.sampled_from(["sure", "sure", "sure", "unsure", "stopped", "acknowledged", "lost"])


@settings(max_examples=300, deadline=None)
@given(st.lists(a_day, min_size=1, max_size=40), st.sets(st.sampled_from(["to", "btv", "a"])))
def test_whatever_happens_each_step_is_told_once_in_order_and_the_committee_never_first(days, present):
    alerts = Alerts(receivers={slug: OFFICES.receivers[slug] for slug in present})
    told: Told = set()
    log: list[tuple[int, str, str]] = []
    for number, how in enumerate(days):
        if how == "stopped":
            continue
        case = a_case(quiet(), CaseState.ACKNOWLEDGED if how == "acknowledged" else CaseState.OPEN)
        due = items(case, told, number, quiet(sure=how != "unsure"), alerts)
        assert how in {"sure", "lost"} or not due
        assert len({step for _, step in due}) <= 1
        if how == "sure":
            told |= {(1, *pair) for pair in due}
            log += [(number, *pair) for pair in sorted(due)]
    check(log, present)
    if set(days) == {"sure"}:
        assert {(number, step) for number, _, step in log} == expected(len(days), present)


def check(log: list[tuple[int, str, str]], present: set[str]) -> None:
    for receiver in present:
        steps = [step for _, one, step in log if one == receiver]
        order = [step for step in ("noticed", "remind", "call", "report") if step in steps]
        assert steps == order
    asked = [number for number, receiver, _ in log if receiver == "btv"]
    reminded = [number for number, receiver, _ in log if receiver == "a"]
    if asked and "a" in present:
        assert reminded[0] < asked[0]


def expected(length: int, present: set[str]) -> set[tuple[int, str]]:
    to = {0: {"to"}, 3: {"a"}, 7: {"to"}, 14: {"to", "btv"}}
    names = {0: "noticed", 3: "remind", 7: "call", 14: "report"}
    return {(day, names[day]) for day, who in to.items() if who & present and day < length}


@settings(deadline=None)
@given(st.integers(0, 2 * 365 * 24 * 60), st.integers(0, 23), st.integers(0, 23))
def test_no_digest_ever_leaves_in_quiet_hours_or_on_another_day(minutes, start, end):
    hours = HOURS.model_copy(update={"quiet_from": time(start), "quiet_until": time(end)})
    now = at("2026-01-01 00:00") + minutes * HOUR / 60
    found, local = digest_moment(now, hours, district()), now.astimezone(HCMC)
    if found is not None:
        assert not is_quiet(local.time(), hours)
        assert found.day == local.date()
        assert (found.kind == "weekly") == (found.day == first_working_day(found.day, district()))
