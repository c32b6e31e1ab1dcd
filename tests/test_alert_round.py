"""Whole rounds on real stores: from what the rules say to what lies in the outbox."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from threading import Barrier
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from alerts.base import Finding, Rule
from alerts.casework import UNPROVEN
from alerts.round import Round, Said, act, ask, hold_round
from alerts.rules import Check
from alerts.watched import PROGRESS
from config.alert_models import Alerts
from config.models import Config
from pipeline.watching import watch
from store.records import CaseState, Delivery, Turn
from store.verbs import Store, open_store
from tests.alert_builders import DAY, HOUR, OFFICES, OPENED, quiet, said, source, token
from tests.case_builders import a_draft
from tests.metric_builders import HCMC, at, channel, config_of, unit
from tests.test_alert_rules import watched

MONDAY = OPENED
"""06:30, before the weekly digest."""
TUESDAY = at("2026-11-03 07:30")
"""The hour of the first daily digest."""


def a_config(alerts: Alerts = OFFICES, **district: Any) -> Config:
    units = [unit(slug, name=f"Đoàn phường {slug} (mẫu)") for slug in ("a", "b")]
    return replace(config_of(units, [channel("k"), channel("l", unit="b")], **district), alerts=alerts)


class Office:
    """One district and its store; the rules say what the test says."""

    def __init__(self, store: Store, config: Config | None = None) -> None:
        self.store, self.config = store, config or a_config()
        self.read: list[Delivery] = []

    def round(self, now: datetime, *findings: Finding, rules: Any = Rule, proved: bool = True) -> Round:
        """What is not found any more got better; unless that is not *proved*."""
        ended = {(case.rule, case.subject): now for case in self.store.cases()} if proved else {}
        return act(self.config, self.store, Said(said(*findings, rules=rules), (), ended), now)

    def days(self, start: datetime, count: int, *findings: Finding) -> list[tuple[int, str]]:
        """A round every day; day and key of what was put into the outbox."""
        rounds = [self.round(start + number * DAY, *findings) for number in range(count)]
        return [(number, key) for number, held in enumerate(rounds) for key in held.messages]

    def outbox(self) -> dict[str, Delivery]:
        """Takes what lies there as if it were sent; everything that was ever taken, by key."""
        far = MONDAY + 1000 * DAY
        for one in self.store.take_deliveries("test", far, HOUR, 10_000):
            self.store.delivered(one, far)
            self.read.append(one)
        return {one.key: one for one in self.read}

    def by_hand(self, after: CaseState, now: datetime, until: datetime | None = None) -> None:
        (case,) = self.store.cases()
        turn = Turn(case.id, case.turn, after, now, "Đã gọi điện.", "tổ truyền thông", until)
        assert self.store.turn_cases([turn], now)

    def states(self) -> list[CaseState]:
        return [case.state for case in self.store.cases(open_only=False)]


@pytest.fixture
def office(store: Store) -> Office:
    return Office(store)


def daily(receiver: str, day: str) -> str:
    return f"digest/{receiver}/{day}"


# --- one case, from its opening to its end ---------------------------------------------------------------------


def test_a_quiet_unit_is_one_case_with_its_ladder_one_message_per_step(office: Office):
    assert office.round(TUESDAY - HOUR, quiet()).messages == ()
    assert office.states() == [CaseState.NEW]
    told = [key for _, key in office.days(TUESDAY, 19, quiet()) if key.startswith("digest/")]
    assert told == [
        daily("to", "2026-11-03"),
        daily("a", "2026-11-06"),
        daily("to", "2026-11-10"),
        daily("to", "2026-11-17"),
        daily("btv", "2026-11-17"),
    ]
    assert office.states() == [CaseState.OPEN]


def test_a_case_is_open_from_its_first_message_on(office: Office):
    held = office.round(TUESDAY, quiet())
    (case,) = held.opened
    assert [flip.after for flip in office.store.flips(case.id)] == [CaseState.NEW, CaseState.OPEN]
    assert office.store.told([case.id]) == {(case.id, "to", "noticed"): TUESDAY}


def test_a_second_round_of_the_day_tells_nothing_more_and_a_new_case_waits_for_tomorrow(office: Office):
    assert office.round(TUESDAY, quiet()).messages == (daily("to", "2026-11-03"),)
    later = office.round(TUESDAY + HOUR, quiet(), quiet("b"))
    assert (len(later.opened), later.messages) == (1, ())
    assert office.round(TUESDAY + DAY, quiet(), quiet("b")).messages == (daily("to", "2026-11-04"),)
    assert "b: chưa ghi nhận tin, bài mới" in office.outbox()[daily("to", "2026-11-04")].text


def test_nothing_leaves_in_quiet_hours(office: Office):
    assert office.round(at("2026-11-03 22:00"), quiet()).messages == ()
    assert office.round(at("2026-11-04 06:59"), quiet()).messages == ()
    assert office.round(at("2026-11-04 07:30"), quiet()).messages == (daily("to", "2026-11-04"),)


def test_a_unit_that_publishes_again_ends_its_case_and_those_who_were_told_hear_of_it(office: Office):
    office.days(TUESDAY, 4, quiet())
    held = office.round(TUESDAY + 4 * DAY)
    assert [case.state for case in held.turned] == [CaseState.RESOLVED]
    assert set(held.messages) == {daily("to", "2026-11-07"), daily("a", "2026-11-07")}
    assert "Đã ghi nhận tin, bài mới" in office.outbox()[daily("a", "2026-11-07")].text
    assert office.days(TUESDAY + 5 * DAY, 1) == []


def test_an_end_of_three_weeks_ago_is_no_news(office: Office):
    office.round(TUESDAY, quiet())
    office.round(TUESDAY + HOUR)
    assert office.round(TUESDAY + 22 * DAY).messages == ()


def test_what_only_left_the_list_of_its_rule_is_over_and_not_back(office: Office):
    office.round(TUESDAY, quiet())
    held = office.round(TUESDAY + DAY, proved=False)
    assert ([case.state for case in held.turned], held.messages) == ([CaseState.RESOLVED], ())
    assert office.store.flips(held.turned[0].id)[-1].reason == UNPROVEN["quiet"]
    assert office.days(TUESDAY + 2 * DAY, 4) == []


def test_an_acknowledged_case_is_silent_until_it_is_over(office: Office):
    office.round(TUESDAY, quiet())
    office.by_hand(CaseState.ACKNOWLEDGED, TUESDAY + HOUR)
    assert office.days(TUESDAY + DAY, 5, quiet()) == []
    held = office.round(TUESDAY + 6 * DAY)
    assert [case.state for case in held.turned] == [CaseState.RESOLVED]
    assert "hoạt động trở lại" in office.outbox()["week/to/2026-W45"].text


def test_a_snoozed_case_is_silent_until_its_end_and_then_goes_on(office: Office):
    office.round(TUESDAY, quiet())
    office.by_hand(CaseState.SNOOZED, TUESDAY + HOUR, TUESDAY + 7 * DAY - HOUR)
    keys = [key for _, key in office.days(TUESDAY + DAY, 12, quiet()) if key.startswith("digest/")]
    assert keys == [daily("a", "2026-11-10"), daily("to", "2026-11-14")]


def test_a_case_that_a_person_resolved_neither_comes_back_nor_is_told_as_back(office: Office):
    office.round(TUESDAY, quiet())
    office.by_hand(CaseState.RESOLVED, TUESDAY + HOUR)
    assert office.days(TUESDAY + DAY, 4, quiet()) == []
    assert office.states() == [CaseState.RESOLVED]


def test_an_end_is_noted_at_the_first_moment_that_is_known(office: Office):
    office.round(TUESDAY, quiet())
    checks = {Rule.QUIET: Check(lambda _: [], lambda _, case: TUESDAY + HOUR if case.subject == "a" else None)}
    known = ask(checks, watched(), office.store.cases())
    held = act(office.config, office.store, known, TUESDAY + 2 * HOUR)
    assert office.store.flips(held.turned[0].id)[-1].at == TUESDAY + HOUR


# --- the weekly digest, holidays -------------------------------------------------------------------------------


def test_on_monday_team_and_committee_get_the_weekly_digest_in_any_case(office: Office):
    assert office.round(MONDAY).messages == ()
    held = office.round(at("2026-11-02 07:00"))
    assert held.messages == ("week/to/2026-W44", "week/btv/2026-W44")
    assert "không có việc nào cần xử lý" in office.outbox()["week/to/2026-W44"].text
    assert office.round(at("2026-11-02 07:30")).messages == ()


def test_the_weekly_digest_takes_the_place_of_the_daily_one_and_lists_what_is_open(office: Office):
    office.round(TUESDAY, quiet())
    held = office.round(TUESDAY + 6 * DAY, quiet())
    assert held.messages == ("week/to/2026-W45", "week/btv/2026-W45", daily("a", "2026-11-09"))
    assert "chưa ghi nhận tin, bài mới" in office.outbox()["week/to/2026-W45"].text


def test_the_weekly_digest_of_the_committee_lists_a_unit_only_after_the_ladder_reported_it(office: Office):
    office.days(TUESDAY, 21, quiet(), source("x"))
    told = office.outbox()
    weeks = [told[f"week/btv/2026-W{number}"].text for number in (45, 46, 47)]
    assert ["a: chưa ghi nhận tin, bài mới" in text for text in weeks] == [False, False, True]
    assert not any("chưa đọc được" in text for text in weeks)
    assert all("không có việc nào cần báo cáo để xin ý kiến" in text for text in weeks[:2])


def test_after_a_monday_on_which_we_stood_still_the_next_digest_is_the_weekly_one(office: Office):
    office.round(TUESDAY, quiet())
    held = office.round(TUESDAY + 7 * DAY, quiet())
    assert held.messages == ("week/to/2026-W45", "week/btv/2026-W45", daily("a", "2026-11-10"))
    assert office.days(TUESDAY + 8 * DAY, 1, quiet(), quiet("b")) == [(0, daily("to", "2026-11-11"))]


def test_a_week_in_which_we_did_nothing_is_not_summed_up_later(office: Office):
    office.round(TUESDAY, quiet())
    assert office.round(TUESDAY + 22 * DAY, quiet()).messages == (daily("a", "2026-11-25"),)


def test_digests_made_under_a_clock_that_was_ahead_do_not_stop_those_of_today(office: Office):
    office.round(TUESDAY + 40 * DAY, quiet())
    assert office.days(TUESDAY, 2, quiet("b"), quiet()) == [(0, daily("to", "2026-11-03"))]


HOLIDAY: dict[str, Any] = {"calendar": {"add": [{"day": date(2026, 11, 3), "name": "Ngày nghỉ (mẫu)"}]}}


def test_on_a_holiday_only_what_spoils_figures_is_told_and_the_rest_waits(store: Store):
    office = Office(store, a_config(**HOLIDAY))
    found = (quiet(), token(None, TUESDAY - HOUR, channel="x"))
    assert office.round(TUESDAY, *found).messages == (daily("to", "2026-11-03"),)
    text = office.outbox()[daily("to", "2026-11-03")].text
    assert "quyền đọc" in text
    assert "chưa ghi nhận" not in text
    assert office.round(TUESDAY + DAY, *found).messages == (daily("to", "2026-11-04"),)
    assert "chưa ghi nhận" in office.outbox()[daily("to", "2026-11-04")].text


def test_a_holiday_without_anything_urgent_is_left_in_peace(store: Store):
    office = Office(store, a_config(**HOLIDAY))
    assert office.days(TUESDAY, 2, quiet()) == [(1, daily("to", "2026-11-04"))]


def test_made_up_data_say_so(store: Store):
    office = Office(
        store, a_config(organisation={"name": "Quận Đoàn (mẫu)", "contact": "a@b.vn", "illustration": True})
    )
    office.round(TUESDAY, quiet())
    (one,) = office.outbox().values()
    assert "Dữ liệu minh họa" in one.subject
    assert one.text.endswith(f"Mã tin: {one.key}")


# --- trouble ---------------------------------------------------------------------------------------------------


def crash(*known: Any) -> Any:
    raise RuntimeError("poison")


def finding(*found: Finding) -> Check:
    return Check(lambda _: list(found), lambda watched, _: watched.as_of)


@pytest.mark.parametrize("check", [Check(crash, crash), Check(lambda _: [], crash)])
def test_a_rule_that_crashes_changes_none_of_its_cases_and_the_others_go_on(office: Office, check: Check, caplog):
    office.round(TUESDAY - HOUR, quiet())
    known = ask({Rule.QUIET: check, Rule.SOURCE: finding(source("x"))}, watched(), office.store.cases())
    held = act(office.config, office.store, known, TUESDAY)
    assert held.crashed == (Rule.QUIET,)
    assert [case.rule for case in held.opened] == ["source"]
    assert held.turned == ()
    assert "chưa ghi nhận" not in office.outbox()[held.messages[0]].text
    assert "poison" in caplog.text


@pytest.mark.parametrize("facts", [{"channels": {1, 2}}, {"silent_days": float("nan")}, {"unit_name": "\ud800"}])
def test_a_finding_that_cannot_be_kept_says_nothing_for_sure(office: Office, facts: dict[str, Any]):
    rules = {Rule.QUIET: finding(replace(quiet("b"), facts=facts), quiet())}
    held = act(office.config, office.store, ask(rules, watched(), []), TUESDAY)
    assert [case.subject for case in held.opened] == ["a"]


def test_a_finding_without_a_time_zone_says_nothing_for_sure(office: Office):
    rules = {Rule.QUIET: finding(replace(quiet("b"), since=TUESDAY.replace(tzinfo=None)), quiet("b"), quiet())}
    held = act(office.config, office.store, ask(rules, watched(), []), TUESDAY)
    assert [case.subject for case in held.opened] == ["a"]


def test_a_case_that_the_store_refuses_stops_no_other(office: Office):
    findings = [replace(quiet(slug), facts={"unit": slug, "channels": {"x"}} if slug == "b" else {}) for slug in "abc"]
    assert [case.subject for case in office.round(TUESDAY, *findings).opened] == ["a", "c"]


def test_a_line_that_cannot_be_worded_is_left_out_and_the_message_goes(store: Store, caplog):
    alerts = Alerts.model_validate(
        {
            "receivers": OFFICES.receivers,
            "ladders": {"source": [{"day": 0, "name": "khong-co-cau", "to": ["team"]}]},
        }
    )
    office = Office(store, a_config(alerts))
    held = office.round(TUESDAY, quiet(), source("x"))
    assert held.messages == (daily("to", "2026-11-03"),)
    assert "khong-co-cau" in caplog.text
    assert {case.rule: case.state for case in store.cases()} == {"quiet": CaseState.OPEN, "source": CaseState.NEW}


def test_an_address_that_refuses_does_not_stop_the_ladder_of_the_others(store: Store):
    dead = {"name": "Hộp thư hai (mẫu)", "role": "team", "ways": ["file:chet"]}
    alerts = Alerts.model_validate({"receivers": {**OFFICES.receivers, "to2": dead}})
    office = Office(store, a_config(alerts))
    told = []
    for number in range(20):
        now = TUESDAY + number * DAY
        told += [key for key in office.round(now, quiet()).messages if key.startswith("digest/")]
        for one in store.take_deliveries("test", now, HOUR, 9):
            assert one.receiver != "to2" or store.give_up(one, "Địa chỉ không nhận (mẫu).", now)
    assert [key.split("/")[1:] for key in told if key.split("/")[1] != "to2"] == [
        ["to", "2026-11-03"], ["a", "2026-11-06"], ["to", "2026-11-10"], ["to", "2026-11-17"], ["btv", "2026-11-17"]
    ]  # fmt: skip
    assert set(store.outbox_state(now).unsent) == {"to2"}


def test_the_team_hears_whom_messages_did_not_reach_and_nobody_is_told_that_all_is_well_again(
    store: Store, tmp_path: Path
):
    config = replace(a_config(), folder=tmp_path)
    store.sync(config.units.values(), config.channels.values(), MONDAY)
    store.enqueue([a_draft("digest/btv/2026-11-02", receiver="btv", ways=("file:btv",))], [], MONDAY)
    (taken,) = store.take_deliveries("test", MONDAY, HOUR, 9)
    assert store.give_up(taken, "Địa chỉ không nhận (mẫu).", MONDAY)

    def held(now: datetime) -> Round:
        said = pd.DataFrame(columns=list(PROGRESS))
        return hold_round(config, store, watch(config, store, now, store.cases(), said))

    assert [(case.rule, case.subject) for case in held(TUESDAY).opened] == [("pipeline", "outbox")]
    assert "không gửi được đến Ban Thường vụ (mẫu)" in Office(store).outbox()[daily("to", "2026-11-03")].text
    assert [case.state for case in held(TUESDAY + 7 * DAY).turned] == [CaseState.RESOLVED]
    assert not any("đúng lịch trở lại" in one.text for one in Office(store).outbox().values())


# --- many, and together ----------------------------------------------------------------------------------------


def counted(store: Store, run: Any) -> int:
    """How many statements *run* sends, without the opening and closing of transactions."""
    sent: list[str] = []
    event.listen(store.database.engine, "before_cursor_execute", lambda *known: sent.append(known[2]))
    run()
    return sum(not one.startswith(("BEGIN", "COMMIT", "PRAGMA", "SET")) for one in sent)


def test_500_quiet_units_are_one_message_in_few_statements(office: Office):
    findings = [quiet(f"phuong-{number:03}") for number in range(500)]
    assert counted(office.store, lambda: office.round(TUESDAY, *findings)) < 40
    (one,) = office.outbox().values()
    assert "và 470 đơn vị khác" in one.text
    assert {case.state for case in office.store.cases()} == {CaseState.OPEN}


def test_a_round_with_nothing_to_do_is_a_handful_of_queries(office: Office):
    office.round(TUESDAY, quiet())
    assert counted(office.store, lambda: office.round(TUESDAY + HOUR, quiet(), proved=False)) <= 3
    assert counted(office.store, lambda: office.round(TUESDAY + DAY, quiet(), proved=False)) <= 7


def test_two_processes_that_hold_the_same_rounds_open_and_tell_once(store_url: str):
    findings = [quiet(slug) for slug in "abcdefgh"]
    barrier = Barrier(2)

    def work() -> list[str]:
        keys: list[str] = []
        with open_store(store_url) as store:
            for number in range(16):
                barrier.wait(30)
                keys += Office(store).round(TUESDAY + number * DAY, findings[0], *findings[1 + number % 3 :]).messages
        return keys

    with ThreadPoolExecutor(2) as pool:
        first, second = (one.result() for one in [pool.submit(work), pool.submit(work)])
    assert len(first) + len(second) == len({*first, *second})
    with open_store(store_url) as store:
        office = Office(store)
        subjects = [case.subject for case in store.cases()]
        assert len(subjects) == len(set(subjects))
        told = store.told([case.id for case in store.cases(open_only=False)])
        assert {step for _, receiver, step in told if receiver == "a"} == {"remind"}
        assert len(office.outbox()) == len({*first, *second})


class Overtaken(Store):
    """Between asking whether today's digest was made and what was told, another process made it."""

    def told(self, cases: Collection[int]) -> dict[tuple[int, str, str], datetime]:
        Office(Store(self.database)).round(TUESDAY + 22 * DAY, quiet())
        return super().told(cases)


def test_a_digest_that_another_process_made_meanwhile_is_not_followed_by_the_next_step(store: Store):
    Office(store).round(TUESDAY, quiet())
    assert Office(Overtaken(store.database)).round(TUESDAY + 22 * DAY, quiet()).messages == ()
    assert {key.split("/")[1] for key in Office(store).outbox()} == {"to", "a"}


def test_a_source_that_flaps_every_hour_gives_one_message_per_receiver_and_day(office: Office):
    for number in range(24 * 4):
        office.round(TUESDAY + number * HOUR, *([source("x")] if number % 2 else []))
    days = {(one.receiver, one.key) for one in office.outbox().values()}
    assert len(days) == len(office.outbox()) <= 4


# --- whatever happens ------------------------------------------------------------------------------------------

Step = tuple[int, str, str]
a_round = st.fixed_dictionaries(
    {
        "hours": st.sampled_from([1, 5, 12, 24, 24, 24, 72]),
        "sure": st.sets(st.sampled_from("abc")),
        "unsure": st.sets(st.sampled_from("abc")),
        "broken": st.booleans(),
        "crashed": st.booleans(),
        "hand": st.sampled_from([None, None, None, CaseState.ACKNOWLEDGED, CaseState.SNOOZED, CaseState.RESOLVED]),
        "refused": st.booleans(),
    }
)


class Watch:
    """An office that is watched: after every round nothing may have happened that must not."""

    def __init__(self, store: Store) -> None:
        self.office, self.store = Office(store), store
        self.told: set[Step] = set()
        self.days: set[tuple[str, date]] = set()
        self.reminded: set[int] = set()

    def round(self, now: datetime, how: dict[str, Any]) -> None:
        before = {case.id: case for case in self.store.cases(open_only=False)}
        found = [*(quiet(slug, sure=slug not in how["unsure"], channels=[slug]) for slug in sorted(how["sure"]))]
        found += [source("x")] if how["broken"] else []
        held = self.office.round(
            now, *found, rules=[rule for rule in Rule if rule is not Rule.QUIET or not how["crashed"]]
        )
        fresh = self._fresh(held)
        speaking = {found.subject for found in found if found.sure and not (how["crashed"] and found.rule == "quiet")}
        for case, receiver, step in fresh:
            self._check(self.store.case(case), before.get(case), receiver, step, speaking)
        self.reminded |= {case for case, receiver, _ in fresh if receiver == "a"}
        self._one_a_day(held, now)

    def _fresh(self, held: Round) -> set[Step]:
        told = set(self.store.told([case.id for case in self.store.cases(open_only=False)]))
        fresh, self.told = told - self.told, self.told | told
        assert bool(fresh) <= bool(held.messages)
        return fresh

    def _check(self, case: Any, before: Any, receiver: str, step: str, speaking: set[str]) -> None:
        if step == "back":
            assert case.state is CaseState.RESOLVED
            assert any((case.id, receiver, "back") != one and one[:2] == (case.id, receiver) for one in self.told)
            return
        assert case.state is CaseState.OPEN
        assert case.subject in speaking
        assert before is None or before.state is not CaseState.ACKNOWLEDGED
        if receiver == "btv" and case.subject == "a":
            assert case.id in self.reminded

    def _one_a_day(self, held: Round, now: datetime) -> None:
        receivers = {key.split("/")[1] for key in held.messages}
        assert len(receivers) == len(held.messages)
        days = {(receiver, now.astimezone(HCMC).date()) for receiver in receivers}
        assert self.days.isdisjoint(days)
        self.days |= days

    def by_hand(self, after: CaseState, now: datetime) -> None:
        for case in self.store.cases()[:1]:
            until = now + 2 * DAY if after is CaseState.SNOOZED else None
            self.store.turn_cases([Turn(case.id, case.turn, after, now, "Đã rõ.", "tổ truyền thông", until)], now)

    def refuse(self, now: datetime) -> None:
        """The newest message never arrives."""
        for one in self.store.take_deliveries("test", now, HOUR, 100)[-1:]:
            assert self.store.give_up(one, "Địa chỉ không nhận.", now)


@settings(max_examples=40, deadline=None)
@given(history=st.lists(a_round, min_size=1, max_size=30))
def test_whatever_happens_nobody_is_told_too_much_too_early_or_twice_a_day(history, created_file, tmp_path_factory):
    path = shutil.copy(created_file, tmp_path_factory.mktemp("office") / "store.sqlite3")
    now = TUESDAY
    with open_store(f"sqlite:///{path}") as store:
        watch = Watch(store)
        for how in history:
            watch.round(now, how)
            if how["hand"]:
                watch.by_hand(how["hand"], now)
            if how["refused"]:
                watch.refuse(now)
            now += how["hours"] * HOUR
        standing = [(case.rule, case.subject) for case in store.cases()]
        assert len(standing) == len(set(standing))
