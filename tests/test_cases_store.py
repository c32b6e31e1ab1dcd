"""Cases in the store: one per rule and subject, turned by compare-and-set, with a history that nobody can change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import orjson
import pytest
from sqlalchemy import Connection, text

from store.errors import StoreError, Trouble
from store.records import SYSTEM, CaseState, Flip
from store.verbs import Store
from tests.case_builders import FACTS, OFFICE, SINCE, a_turn, an_opening, at_once, open_case, statements, turn
from tests.invariants import assert_invariants
from tests.store_builders import FRIDAY, days, dump, hours

NEW, OPEN, ACKNOWLEDGED, SNOOZED, RESOLVED = CaseState


def test_a_new_case_knows_since_when_it_is_so_and_when_it_was_noticed(store: Store):
    case = open_case(store)
    assert (case.rule, case.subject, case.state, case.turn) == ("quiet", "phuong-mot", NEW, 1)
    assert (case.since, case.opened_at, case.changed_at, case.snoozed_until) == (SINCE, FRIDAY, FRIDAY, None)
    assert case.facts == FACTS
    assert (store.case(case.id), store.cases()) == (case, [case])
    assert store.flips(case.id) == [Flip(case.id, 1, None, NEW, SINCE, FRIDAY, SYSTEM, "", None)]


def test_a_case_that_does_not_exist_has_no_history(store: Store):
    assert (store.case(7), store.flips(7), store.cases(), store.settled()) == (None, [], [], {})
    assert (store.open_cases([], FRIDAY), store.turn_cases([], FRIDAY)) == ([], [])


def test_a_subject_has_one_open_case_of_a_rule(store: Store):
    case = open_case(store)
    before = dump(store)
    assert store.open_cases([an_opening(since=SINCE + days(1))], FRIDAY + days(1)) == []
    assert dump(store) == before
    twice = [an_opening("phuong-hai"), an_opening("phuong-hai"), an_opening(rule="figure")]
    assert [(one.rule, one.subject) for one in store.open_cases(twice, FRIDAY)] == [
        ("figure", "phuong-mot"),
        ("quiet", "phuong-hai"),
    ]
    assert store.case(case.id) == case


def test_what_comes_after_the_end_is_another_case(store: Store, store_url: str):
    first = open_case(store)
    over = turn(store, first, RESOLVED, FRIDAY + hours(1))
    second = open_case(store, at=FRIDAY + days(30), since=FRIDAY + days(29))
    assert second.id != first.id
    assert (store.cases(), store.cases(open_only=False)) == ([second], [over, second])
    assert store.resolved_cases(FRIDAY + hours(1)) == [(over, store.flips(over.id)[-1])]
    assert store.resolved_cases(FRIDAY + hours(2)) == []
    assert_invariants(store_url)


def test_of_many_who_open_the_same_cases_one_opens_each(store: Store, store_url: str):
    subjects = [f"don-vi-{n:02}" for n in range(40)]

    def work(own: Store, number: int) -> list[str]:
        some = subjects if number % 2 else subjects[::-1]
        return [one.subject for one in own.open_cases([an_opening(subject) for subject in some], FRIDAY)]

    opened = at_once(store_url, work)
    assert sorted(subject for some in opened for subject in some) == subjects
    assert_invariants(store_url)


def test_a_turn_is_a_flip_with_its_own_moment(store: Store):
    case = open_case(store)
    ended = FRIDAY + hours(3)
    (over,) = store.turn_cases([a_turn(case, RESOLVED, ended)], FRIDAY + hours(5))
    assert over == store.case(case.id) == replace(case, state=RESOLVED, changed_at=FRIDAY + hours(5), turn=2)
    assert store.flips(case.id)[1:] == [
        Flip(case.id, 2, NEW, RESOLVED, ended, FRIDAY + hours(5), SYSTEM, "Lý do (mẫu)", None)
    ]
    assert store.audit().empty


def test_a_case_that_moved_on_is_not_turned(store: Store):
    case, other = open_case(store), open_case(store, "phuong-hai")
    turn(store, case, OPEN)
    before = store.flips(case.id)
    late, fresh = a_turn(case, RESOLVED), a_turn(other, RESOLVED)
    assert [one.id for one in store.turn_cases([late, fresh, a_turn(other, OPEN)], FRIDAY)] == [other.id]
    assert (store.flips(case.id), len(store.flips(other.id))) == (before, 2)
    assert store.turn_cases([replace(fresh, turn=2), replace(fresh, case=999)], FRIDAY) == []


def test_of_many_who_turn_a_case_one_does(store: Store, store_url: str):
    cases = [open_case(store, f"don-vi-{n}") for n in range(8)]

    def work(own: Store, number: int) -> int:
        wanted = cases if number % 2 else cases[::-1]
        return len(own.turn_cases([a_turn(case, ACKNOWLEDGED, by=OFFICE) for case in wanted], FRIDAY))

    assert sum(at_once(store_url, work)) == len(cases) == len(store.audit())
    assert store.verify_audit().broken_at is None
    assert_invariants(store_url)


def test_what_an_office_turns_is_in_the_audit_log(store: Store, store_url: str):
    case = turn(store, open_case(store), ACKNOWLEDGED)
    until = FRIDAY + days(3)
    snoozed = turn(store, case, SNOOZED, FRIDAY + hours(1), OFFICE, snoozed_until=until)
    assert (snoozed.snoozed_until, store.flips(case.id)[-1].snoozed_until) == (until, until)
    turn(store, snoozed, OPEN, until)
    (row,) = store.audit().to_dict("records")
    assert (row["action"], row["subject"], row["by"]) == ("alert.snoozed", "quiet/phuong-mot", OFFICE)
    assert (row["role"], row["reason"], row["at"]) == ("operator", "Lý do (mẫu)", FRIDAY + hours(1))
    assert orjson.loads(row["before"]) == {"case": case.id, "state": "acknowledged"}
    assert orjson.loads(row["after"]) == {"case": case.id, "state": "snoozed", "snoozed_until": until.isoformat()}
    assert_invariants(store_url)


def test_a_moment_of_the_past_is_shown_as_it_was_known_then(store: Store):
    case = open_case(store)
    other = open_case(store, "phuong-hai", FRIDAY + days(2))
    snoozed = turn(store, case, SNOOZED, FRIDAY + days(1), OFFICE, snoozed_until=FRIDAY + days(5))
    over = turn(store, snoozed, RESOLVED, FRIDAY + days(3))
    assert store.cases(as_of=FRIDAY - hours(1)) == []
    assert store.cases(as_of=FRIDAY) == [case]
    assert store.cases(as_of=FRIDAY + days(2)) == [snoozed, other]
    assert store.cases(as_of=FRIDAY + days(3)) == store.cases() == [other]
    assert store.cases(open_only=False, as_of=FRIDAY + days(3)) == [over, other]


def test_settled_is_when_a_person_last_called_it_resolved(store: Store):
    turn(store, open_case(store), RESOLVED, by=OFFICE)
    turn(store, open_case(store, since=SINCE + days(2)), RESOLVED, by=OFFICE)
    turn(store, open_case(store, since=SINCE + days(4)), RESOLVED)
    turn(store, open_case(store, "phuong-hai"), RESOLVED)
    turn(store, open_case(store, "phuong-ba"), ACKNOWLEDGED, by=OFFICE)
    assert store.settled() == {("quiet", "phuong-mot"): FRIDAY}


BAD = {
    "a snooze without an end": (SNOOZED, {}),
    "an end without a snooze": (OPEN, {"snoozed_until": FRIDAY}),
    "new again": (NEW, {}),
}


@pytest.mark.parametrize(("after", "more"), BAD.values(), ids=BAD)
def test_a_turn_that_makes_no_sense_is_refused_with_all_the_others(store: Store, after, more):
    case, other = open_case(store), open_case(store, "phuong-hai")
    before = dump(store)
    with pytest.raises(StoreError) as refused:
        store.turn_cases([a_turn(other, RESOLVED, by=OFFICE), a_turn(case, after, by=OFFICE, **more)], FRIDAY)
    assert refused.value.kind is Trouble.UNFIT
    assert dump(store) == before


def test_a_moment_without_a_zone_and_facts_without_a_form_are_refused(store: Store):
    naive = FRIDAY.replace(tzinfo=None)
    case = open_case(store)
    before = dump(store)
    refusals: tuple[Callable[[], object], ...] = (
        lambda: store.open_cases([an_opening("phuong-hai")], naive),
        lambda: store.open_cases([an_opening("phuong-hai"), an_opening("phuong-ba", naive)], FRIDAY),
        lambda: store.turn_cases([a_turn(case, OPEN)], naive),
        lambda: store.turn_cases([a_turn(case, OPEN, naive)], FRIDAY),
        lambda: store.turn_cases([a_turn(case, SNOOZED, snoozed_until=naive)], FRIDAY),
    )
    for refuse in refusals:
        with pytest.raises(ValueError, match="time zone"):
            refuse()
    with pytest.raises(TypeError):
        store.open_cases([an_opening("phuong-hai"), replace(an_opening("phuong-ba"), facts={"a": object()})], FRIDAY)
    assert dump(store) == before


CHANGES = ("UPDATE flip SET reason = 'x'", "DELETE FROM flip")
ONLY_THERE = {
    "sqlite": ("INSERT OR REPLACE INTO flip SELECT * FROM flip",),
    "postgresql": ("TRUNCATE flip",),
}


def test_the_database_itself_refuses_to_change_a_flip(store: Store):
    open_case(store)
    before = dump(store)
    for change in (*CHANGES, *ONLY_THERE[store.database.engine.dialect.name]):
        with pytest.raises(StoreError, match="only ever added to"):
            store.database.write(partial(Connection.execute, statement=text(change)))
    assert dump(store) == before


def test_the_database_itself_refuses_a_second_open_case(store: Store):
    open_case(store)
    copy = "INSERT INTO alert_case SELECT 99, rule, subject, state, since, opened_at, changed_at, NULL, facts, turn"
    with pytest.raises(StoreError) as refused:
        store.database.write(partial(Connection.execute, statement=text(f"{copy} FROM alert_case")))
    assert refused.value.kind is Trouble.UNFIT


def test_five_hundred_cases_cost_as_many_statements_as_one(store: Store):
    with statements(store) as seen:
        opened = store.open_cases([an_opening(f"don-vi-{n}") for n in range(500)], FRIDAY)
        store.turn_cases([a_turn(case, OPEN) for case in opened], FRIDAY)
        assert len(store.cases()) == len(opened) == 500
    assert len(seen) <= 10, seen


FLAWS = (
    "UPDATE alert_case SET state = 'open', turn = 2",
    "UPDATE alert_case SET changed_at = changed_at + 1",
    "UPDATE alert_case SET since = since + 1",
    "INSERT INTO flip VALUES (1, 2, 'open', 'resolved', 0, 0, 'hệ thống', '', NULL)",
    "INSERT INTO flip VALUES (1, 3, 'new', 'open', 0, 0, 'Ban Tuyên giáo (mẫu)', '', NULL)",
)


@pytest.mark.parametrize("flaw", FLAWS)
def test_a_case_that_does_not_fit_its_flips_would_be_noticed(store: Store, store_url: str, flaw: str):
    open_case(store)
    assert_invariants(store_url)
    store.database.write(partial(Connection.execute, statement=text(flaw)))
    with pytest.raises(AssertionError, match="I11"):
        assert_invariants(store_url)
