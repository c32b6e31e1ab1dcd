"""Whom a case is told to, and when."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.base import Finding, Rule
from alerts.casework import ANOTHER, UNPROVEN, weigh
from alerts.casework import OVER as GOOD_NEWS
from alerts.hours import Made, digest_moment, first_working_day
from alerts.ladder import back_items, due_items
from alerts.wording import BACK
from config.alert_models import Alerts, Hours
from config.models import District
from store.records import SYSTEM, Case, CaseState, Flip
from tests.alert_builders import DAY, HOUR, OFFICES, OPENED, a_case, quiet, receivers, said, source, token
from tests.metric_builders import DISTRICT, HCMC, at

Told = dict[tuple[int, str, str], datetime]
DIGEST = OPENED + HOUR
"""The first digest after the opening: day 0."""


def heard(*lines: tuple[str, str], day: int = 0, case: int = 1) -> Told:
    """Receiver and step, as the digest of a day told them."""
    return {(case, *line): DIGEST + day * DAY for line in lines}


def items(case: Case, told: Told | None = None, day: int = 0, found: Finding | None = None, alerts: Alerts = OFFICES):
    now = DIGEST + day * DAY
    found = found or Finding(Rule(case.rule), case.subject, case.since, case.facts)
    said_now = weigh(said(found), [case], now)
    return {(item.receiver, item.step) for item in due_items([case], said_now, alerts, told or {}, now, HCMC)}


def played(
    case: Case, days: range, alerts: Alerts = OFFICES, found: Finding | None = None
) -> dict[int, set[tuple[str, str]]]:
    """What the digests of these days tell, one a day, by day."""
    told: Told = {}
    by_day: dict[int, set[tuple[str, str]]] = {}
    for day in days:
        due = items(case, told, day, found, alerts)
        told |= heard(*due, day=day)
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
    assert items(late, heard(("to", "noticed")), day=3) == {("a", "remind")}


def test_after_a_stop_of_ours_every_step_leaves_the_time_to_the_next_one():
    assert played(a_case(quiet()), range(20, 40)) == {
        20: {("to", "noticed")},
        23: {("a", "remind")},
        27: {("to", "call")},
        34: {("to", "report"), ("btv", "report")},
    }


def test_days_that_the_unit_rests_are_no_time_to_answer():
    told, log = heard(("to", "noticed")), []
    for day in range(1, 40):
        due = items(a_case(quiet()), told, day, quiet(sure=not 2 <= day <= 16))
        told |= heard(*due, day=day)
        log += [(day, step) for _, step in sorted(due)]
    assert log == [(17, "remind"), (21, "call"), (28, "report"), (28, "report")]


def test_a_step_without_a_receiver_is_passed_over():
    offices = receivers(
        to={"name": "Tổ (mẫu)", "role": "team", "ways": ["file:to"]},
        b={"name": "Đơn vị B (mẫu)", "role": "unit", "unit": "b", "ways": ["file:b"]},
    )
    assert played(a_case(quiet()), range(20, 40), offices) == {
        20: {("to", "noticed")},
        27: {("to", "call")},
        34: {("to", "report")},
    }


def test_without_any_receiver_nothing_is_due():
    assert items(a_case(quiet()), day=20, alerts=receivers()) == set()


def test_a_receiver_who_comes_later_hears_the_highest_step_of_its_role_and_has_its_time_too():
    told = heard(("to", "noticed")) | heard(("to", "call"), day=7)
    assert items(a_case(quiet()), told, day=14) == {("a", "remind")}
    told |= heard(("a", "remind"), day=14)
    assert items(a_case(quiet()), told, day=24) == set()
    assert items(a_case(quiet()), told, day=25) == {("to", "report"), ("btv", "report")}


def test_a_second_inbox_of_a_role_hears_what_it_missed_and_keeps_nobody_waiting():
    told = heard(("to", "noticed")) | heard(("a", "remind"), day=3) | heard(("to", "call"), day=7)
    second = {"name": "Hộp thư hai (mẫu)", "role": "team", "ways": ["file:hai"]}
    offices = Alerts.model_validate({"receivers": {**OFFICES.receivers, "to2": second}})
    assert items(a_case(quiet()), told, 13, alerts=offices) == {("to2", "call")}
    told |= heard(("to2", "call"), day=13)
    assert {receiver for receiver, _ in items(a_case(quiet()), told, 14, alerts=offices)} == {"to", "to2", "btv"}


def test_a_step_that_the_ladder_no_longer_has_counts_for_nothing():
    assert items(a_case(quiet()), heard(("to", "old-step"))) == {("to", "noticed")}


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
    assert due_items([a_case(quiet())], crashed, OFFICES, {}, DIGEST, HCMC) == []
    strange = replace(a_case(quiet()), rule="weather")
    assert due_items([strange], weigh(said(), [], DIGEST), OFFICES, {}, DIGEST, HCMC) == []


def test_an_item_says_what_is_known_now():
    now = weigh(said(quiet(silent_days=11)), [], DIGEST)
    (item,) = due_items([a_case(quiet())], now, OFFICES, {}, DIGEST, HCMC)
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
    assert items(case, heard(("to", "left-1")), found=token(DIGEST + 20 * DAY)) == set()


# --- back ------------------------------------------------------------------------------------------------------

OVER = a_case(quiet(), CaseState.RESOLVED)
HEARD = heard(("to", "noticed"), ("a", "remind"))


def end(case: Case, reason: str = GOOD_NEWS["quiet"], by: str = SYSTEM) -> tuple[Case, Flip]:
    return case, Flip(case.id, 2, CaseState.OPEN, CaseState.RESOLVED, DIGEST, DIGEST, by, reason, None)


def back(*over: tuple[Case, Flip], told: Told = HEARD, standing: tuple[Case, ...] = ()):
    return {(item.receiver, item.case.id, item.step) for item in back_items(over, standing, OFFICES.receivers, told)}


def test_those_who_were_told_of_a_case_hear_once_that_it_is_over():
    assert back(end(OVER)) == {("to", 1, BACK), ("a", 1, BACK)}
    assert back(end(OVER), told=HEARD | heard(("a", BACK))) == {("to", 1, BACK)}


def test_nobody_hears_of_the_end_of_a_case_of_which_they_never_heard():
    assert back(end(OVER), told={}) == set()


@pytest.mark.parametrize("ended", [end(OVER, by="tổ truyền thông"), end(OVER, UNPROVEN["quiet"]), end(OVER, ANOTHER)])
def test_what_a_person_called_resolved_or_nothing_proves_to_be_better_is_not_back(ended: tuple[Case, Flip]):
    assert back(ended) == set()


def test_nothing_is_back_while_it_has_a_case_again():
    assert back(end(OVER), standing=(a_case(quiet(), id=2),)) == set()


@pytest.mark.parametrize("reason", [ANOTHER, GOOD_NEWS["quiet"]])
def test_of_several_cases_that_are_over_the_newest_is_told(reason: str):
    told = HEARD | heard(("to", "noticed"), case=2)
    assert back(end(OVER, reason), end(replace(OVER, id=2)), told=told) == {("to", 2, BACK), ("a", 1, BACK)}


def test_the_end_of_an_earlier_case_is_no_news_when_the_last_one_did_not_end_well():
    assert back(end(OVER), end(replace(OVER, id=2), UNPROVEN["quiet"])) == set()


def test_a_receiver_who_is_gone_hears_nothing():
    assert back(end(OVER), told=heard(("somebody", "noticed"))) == set()


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
    assert [noon.are_quiet_at(time(hour)) for hour in (10, 11, 12, 13)] == [False, True, True, False]
    never = Hours(quiet_from=time(0), quiet_until=time(0))
    assert not any(never.are_quiet_at(time(hour)) for hour in range(24))


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


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (Made(), "daily"),
        (Made({date(2026, 11, 12)}), "weekly"),
        (Made({date(2026, 11, 5)}), "daily"),
        (Made({date(2026, 11, 12)}, {"2026-W46"}), "daily"),
        (Made({date(2026, 11, 12), date(2026, 11, 18)}), None),
        (Made({date(2026, 12, 30)}, {"2026-W52"}), "daily"),
    ],
)
def test_a_week_that_nobody_summed_up_on_its_monday_is_so_with_the_next_digest(made: Made, expected: str | None):
    moment = digest_moment(at("2026-11-18 08:00"), HOURS, district(), made)
    assert (moment and moment.kind) == expected


# --- whatever happens ------------------------------------------------------------------------------------------

a_day = st.sampled_from(["sure", "sure", "sure", "unsure", "stopped", "acknowledged", "lost"])


@settings(max_examples=300, deadline=None)
@given(st.lists(a_day, min_size=1, max_size=40), st.sets(st.sampled_from(["to", "btv", "a"])))
def test_whatever_happens_each_step_is_told_once_in_order_and_the_committee_never_first(days, present):
    alerts = Alerts(receivers={slug: OFFICES.receivers[slug] for slug in present})
    told: Told = {}
    log: list[tuple[int, str, str]] = []
    for number, how in enumerate(days):
        if how == "stopped":
            continue
        case = a_case(quiet(), CaseState.ACKNOWLEDGED if how == "acknowledged" else CaseState.OPEN)
        due = items(case, told, number, quiet(sure=how != "unsure"), alerts)
        assert how in {"sure", "lost"} or not due
        assert len({step for _, step in due}) <= 1
        if how == "sure":
            told |= heard(*due, day=number)
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
        assert reminded[0] + 11 <= asked[0]


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
        assert not hours.are_quiet_at(local.time())
        assert found.day == local.date()
        assert (found.kind == "weekly") == (found.day == first_working_day(found.day, district()))
