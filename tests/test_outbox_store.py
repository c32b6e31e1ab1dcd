"""The outbox: told once, sent by one worker at a time, and never lost, whatever happens to who sends it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Connection, select, text

from store.errors import StoreError, Trouble
from store.records import CaseState, Delivery, OutboxState
from store.schema import delivery
from store.verbs import MESSAGES_KEPT_FOR, Store
from tests.case_builders import a_draft, a_turn, an_opening, at_once, open_case, statements
from tests.invariants import assert_invariants
from tests.store_builders import FRIDAY, LEASE, OWNER, days, dump, hours

KEY = "digest/doi/2026-11-20"
LATER = FRIDAY + LEASE


def put(store: Store, *keys: str, at: datetime = FRIDAY) -> list[str]:
    return store.enqueue([a_draft(key) for key in keys or (KEY,)], [], at)


def take(store: Store, at: datetime = FRIDAY, most: int = 10, owner: str = OWNER) -> list[Delivery]:
    return store.take_deliveries(owner, at, LEASE, most)


def take_one(store: Store, at: datetime = FRIDAY, owner: str = OWNER) -> Delivery:
    (taken,) = take(store, at, owner=owner)
    return taken


def listed(store: Store) -> Any:
    (row,) = store.deliveries(FRIDAY).to_dict("records")
    return row


# --- putting in -------------------------------------------------------------------------------------------------


def test_a_case_becomes_open_with_the_message_that_tells_it(store: Store, store_url: str):
    case, other = open_case(store), open_case(store, "phuong-hai")
    turns = [a_turn(one, CaseState.OPEN) for one in (case, other)]
    assert store.enqueue([a_draft(KEY, (case.id, "noticed"))], turns, FRIDAY) == [KEY]
    assert [one.state for one in store.cases()] == [CaseState.OPEN, CaseState.NEW]
    assert store.told([case.id, other.id]) == {(case.id, "doi", "noticed"): FRIDAY}
    assert (store.told([other.id]), store.told([])) == ({}, {})
    assert_invariants(store_url)


def test_a_key_is_used_once_for_ever(store: Store):
    case = open_case(store)
    put(store)
    store.delivered(take_one(store), FRIDAY)
    before = dump(store)
    again = [a_draft(KEY, (case.id, "noticed")), a_draft(KEY)]
    assert store.enqueue(again, [a_turn(case, CaseState.OPEN)], FRIDAY + days(1)) == []
    assert dump(store) == before


def test_a_step_is_told_to_a_receiver_once(store: Store, store_url: str):
    first, second = open_case(store), open_case(store, "phuong-hai")
    store.enqueue([a_draft(KEY, (first.id, "noticed"), (first.id, "noticed"))], [], FRIDAY)
    drafts = [
        a_draft("digest/doi/2026-11-21", (first.id, "noticed"), (second.id, "noticed")),
        a_draft("digest/doi/2026-11-22", (first.id, "call"), (second.id, "noticed")),
        a_draft("digest/doi/2026-11-23", (second.id, "noticed")),
        a_draft("digest/thuong-vu/2026-11-21", (first.id, "noticed")),
    ]
    kept = ["digest/doi/2026-11-22", "digest/thuong-vu/2026-11-21"]
    assert store.enqueue(drafts, [a_turn(second, CaseState.OPEN)], FRIDAY + days(1)) == kept
    assert len(store.told([first.id, second.id])) == 4
    assert_invariants(store_url)


def test_of_many_who_make_the_same_digests_one_puts_each_in(store: Store, store_url: str):
    cases = store.open_cases([an_opening(f"don-vi-{n}") for n in range(20)], FRIDAY)
    turns = [a_turn(case, CaseState.OPEN) for case in cases]

    def work(own: Store, number: int) -> list[str]:
        keys = [f"digest/nhan-{n}/{number % 3}" for n in range(5)]
        drafts = [a_draft(key, *((case.id, "noticed") for case in cases)) for key in keys]
        return own.enqueue(drafts if number % 2 else drafts[::-1], turns, FRIDAY)

    kept = [key for keys in at_once(store_url, work) for key in keys]
    assert sorted(key.split("/")[1] for key in kept) == [f"nhan-{n}" for n in range(5)]
    assert len(store.told([case.id for case in cases])) == 5 * len(cases)
    assert {case.turn for case in store.cases()} == {2}
    assert_invariants(store_url)


def test_a_draft_that_cannot_be_kept_refuses_all(store: Store):
    case = open_case(store)
    before = dump(store)
    with pytest.raises(StoreError) as refused:
        store.enqueue([a_draft(), a_draft("digest/a/1", (case.id + 1, "noticed"))], [], FRIDAY)
    assert refused.value.kind is Trouble.UNFIT
    with pytest.raises(ValueError, match="without a way"):
        store.enqueue([a_draft(), a_draft("digest/a/1", ways=())], [a_turn(case, CaseState.OPEN)], FRIDAY)
    assert dump(store) == before


# --- taking -----------------------------------------------------------------------------------------------------


def test_a_taken_message_says_all_that_is_needed_to_send_it(store: Store):
    put(store)
    taken = take_one(store, FRIDAY + hours(1))
    draft = a_draft()
    assert (taken.key, taken.receiver, taken.ways, taken.way) == (KEY, "doi", draft.ways, 0)
    assert (taken.subject, taken.text, taken.html) == (draft.subject, draft.text, draft.html)
    assert (taken.attempt, taken.doubtful, taken.owner) == (1, False, OWNER)
    assert (taken.created_at, taken.lease_until) == (FRIDAY, FRIDAY + hours(1) + LEASE)
    assert take(store, FRIDAY + hours(1)) == []


def test_messages_are_taken_oldest_first_and_only_so_many(store: Store):
    put(store, "digest/b/2", "digest/a/2", at=FRIDAY + hours(1))
    put(store, "digest/c/1")
    assert [one.key for one in take(store, most=10)] == ["digest/c/1"]
    assert [one.key for one in take(store, FRIDAY + hours(2), most=2)] == ["digest/c/1", "digest/b/2"]
    assert [one.key for one in take(store, FRIDAY + hours(2), most=2)] == ["digest/a/2"]


def test_a_message_whose_worker_vanished_is_doubtful_for_ever(store: Store):
    put(store)
    lost = take_one(store)
    assert take(store, LATER - timedelta(seconds=1), owner="another") == []
    found = take_one(store, LATER, owner="another")
    assert (found.attempt, found.doubtful) == (2, True)
    assert not store.delivered(lost, LATER)
    assert store.postponed(found, LATER + hours(1), "Máy chủ bận (mẫu).", LATER)
    assert take_one(store, LATER + hours(1)).doubtful


def test_of_many_workers_one_takes_each_message(store: Store, store_url: str):
    keys = [f"digest/nhan-{n:02}/1" for n in range(60)]
    put(store, *keys)

    def work(own: Store, number: int) -> list[str]:
        sent = []
        while taken := take(own, most=4, owner=f"worker-{number}"):
            sent += [one.key for one in taken if own.delivered(one, FRIDAY)]
        return sent

    assert sorted(key for sent in at_once(store_url, work) for key in sent) == keys
    assert_invariants(store_url)


# --- how it ended -----------------------------------------------------------------------------------------------


def test_a_delivered_message_is_done(store: Store, store_url: str):
    put(store)
    taken = take_one(store)
    assert store.delivered(taken, FRIDAY + hours(1))
    assert (listed(store)["state"], listed(store)["finished_at"]) == ("sent", FRIDAY + hours(1))
    for again in (store.delivered, lambda one, at: store.give_up(one, "Lỗi (mẫu).", at)):
        assert not again(taken, FRIDAY + hours(2))
    assert take(store, FRIDAY + days(9)) == []
    assert_invariants(store_url)


def test_a_worker_that_is_late_but_still_holds_it_may_end_it(store: Store):
    put(store)
    assert store.delivered(take_one(store), LATER + hours(5))


def test_a_postponed_message_waits_for_its_moment(store: Store):
    put(store)
    assert store.postponed(take_one(store), FRIDAY + hours(1), "Máy chủ bận (mẫu).", FRIDAY)
    assert (listed(store)["state"], listed(store)["error"]) == ("waiting", "Máy chủ bận (mẫu).")
    assert take(store, FRIDAY + hours(1) - timedelta(seconds=1)) == []
    second = take_one(store, FRIDAY + hours(1))
    assert (second.attempt, second.doubtful, second.way) == (2, False, 0)
    assert store.postponed(second, FRIDAY, "Đứt kết nối (mẫu).", FRIDAY + hours(2), doubtful=True)
    assert take(store, FRIDAY + hours(1)) == []
    assert take_one(store, FRIDAY + hours(2)).doubtful


def test_a_refused_address_hands_over_to_the_next_way(store: Store):
    put(store)
    taken = take_one(store)
    assert store.next_way(taken, "Địa chỉ bị chặn (mẫu).", FRIDAY)
    assert not store.next_way(taken, "Địa chỉ bị chặn (mẫu).", FRIDAY)
    second = take_one(store)
    assert (second.way, second.attempt, listed(store)["way"]) == (1, 2, "email")
    with pytest.raises(ValueError, match="no way is left"):
        store.next_way(second, "Địa chỉ bị chặn (mẫu).", FRIDAY)


def test_what_was_given_up_counts_as_told_and_names_whom_it_did_not_reach(store: Store, store_url: str):
    case = open_case(store)
    store.enqueue([a_draft(KEY, (case.id, "noticed"))], [a_turn(case, CaseState.OPEN)], FRIDAY)
    assert store.give_up(take_one(store), "Địa chỉ không có (mẫu).", FRIDAY + days(2))
    assert (listed(store)["state"], list(store.told([case.id]))) == ("failed", [(case.id, "doi", "noticed")])
    assert store.enqueue([a_draft("digest/doi/2026-11-23", (case.id, "noticed"))], [], FRIDAY + days(3)) == []
    assert store.outbox_state(FRIDAY + days(3)).unsent == {"doi": FRIDAY + days(2)}
    assert_invariants(store_url)


def test_a_message_that_another_worker_has_cannot_be_given_up(store: Store):
    case = open_case(store)
    store.enqueue([a_draft(KEY, (case.id, "noticed"))], [], FRIDAY)
    taken = take_one(store)
    for stranger in (replace(taken, owner="another"), replace(taken, attempt=2), replace(taken, id=99)):
        assert not store.give_up(stranger, "Lỗi (mẫu).", FRIDAY)
    assert len(store.told([case.id])) == 1
    assert store.delivered(taken, FRIDAY)


# --- addresses that changed meanwhile ---------------------------------------------------------------------------

GONE = "Nơi nhận không còn (mẫu)."


def test_a_message_that_waits_goes_to_the_address_that_was_put_right_at_once(store: Store, store_url: str):
    put(store)
    taken = take_one(store)
    store.next_way(taken, "Sai địa chỉ (mẫu).", FRIDAY)
    store.postponed(take_one(store), FRIDAY + days(1), "Máy chủ lỗi (mẫu).", FRIDAY)
    store.readdress({"doi": ("email:moi@doan.example.vn",)}, GONE, LATER)
    again = take_one(store, LATER)
    assert (again.ways, again.way, again.attempt, again.doubtful) == (("email:moi@doan.example.vn",), 0, 3, False)
    assert_invariants(store_url)


def test_a_message_whose_address_stands_is_not_touched(store: Store):
    put(store)
    store.next_way(take_one(store), "Sai địa chỉ (mẫu).", FRIDAY)
    before = dump(store)
    store.readdress({"doi": a_draft().ways, "khac": ("file:a",)}, GONE, LATER)
    assert dump(store) == before


def test_a_message_whose_receiver_is_gone_is_given_up_with_the_reason(store: Store, store_url: str):
    put(store)
    store.readdress({}, GONE, LATER)
    assert (listed(store)["state"], listed(store)["error"], take(store, LATER)) == ("failed", GONE, [])
    assert_invariants(store_url)


def test_a_message_in_the_hands_of_a_worker_is_left_to_it_until_its_lease_is_over(store: Store):
    put(store)
    taken = take_one(store)
    store.readdress({}, GONE, FRIDAY)
    assert listed(store)["state"] == "sending"
    store.readdress({"doi": ("file:moi",)}, GONE, LATER)
    assert not store.delivered(taken, LATER)
    again = take_one(store, LATER)
    assert (again.ways, again.doubtful) == (("file:moi",), True)


# --- ways that rest ---------------------------------------------------------------------------------------------


def test_a_way_that_rests_is_passed_over_by_everybody(store: Store):
    put(store, "digest/doi/1", "digest/thuong-vu/1")
    store.enqueue([a_draft("digest/don-vi/1", ways=("zalo:77",))], [], FRIDAY - hours(1))
    store.rest_way("zalo", FRIDAY + hours(12))
    assert [(one.key, one.way) for one in take(store, most=1)] == [("digest/doi/1", 1)]
    assert [(one.key, one.way) for one in take(store)] == [("digest/thuong-vu/1", 1)]
    assert [(one.key, one.way) for one in take(store, FRIDAY + hours(12)) if not one.doubtful] == [
        ("digest/don-vi/1", 0)
    ]


def test_a_rest_is_never_made_shorter(store: Store):
    store.rest_way("zalo", FRIDAY + hours(12))
    store.rest_way("zalo", FRIDAY + hours(2))
    store.rest_way("email", FRIDAY + hours(1))
    store.rest_way("email", FRIDAY + hours(3))
    assert store.outbox_state(FRIDAY).resting == {"zalo": FRIDAY + hours(12), "email": FRIDAY + hours(3)}
    assert store.outbox_state(FRIDAY + hours(12)).resting == {}


FLAWS = (
    "UPDATE told SET receiver = 'thuong-vu'",
    "UPDATE delivery SET created_at = created_at + 1",
    "UPDATE delivery SET attempt = 0",
)


@pytest.mark.parametrize("flaw", FLAWS)
def test_a_message_that_does_not_fit_its_cases_would_be_noticed(store: Store, store_url: str, flaw: str):
    case = open_case(store)
    store.enqueue([a_draft(KEY, (case.id, "noticed"))], [a_turn(case, CaseState.OPEN)], FRIDAY)
    take_one(store)
    assert_invariants(store_url)
    store.database.write(partial(Connection.execute, statement=text(flaw)))
    with pytest.raises(AssertionError, match="I12"):
        assert_invariants(store_url)


# --- looking at it ----------------------------------------------------------------------------------------------


def test_people_see_how_messages_went_but_not_what_they_say_or_to_which_address(store: Store):
    assert store.deliveries(FRIDAY).empty
    put(store)
    put(store, "digest/doi/2026-11-21", at=FRIDAY + days(1))
    frame = store.deliveries(FRIDAY)
    assert frame["key"].tolist() == [KEY, "digest/doi/2026-11-21"]
    assert list(frame["way"]) == ["zalo", "zalo"]
    assert frame["next_at"].tolist() == [pd.Timestamp(FRIDAY), pd.Timestamp(FRIDAY + days(1))]
    assert frame["finished_at"].isna().all()
    assert not {"subject", "text", "html", "ways"} & set(frame)
    assert store.deliveries(FRIDAY + hours(1))["key"].tolist() == ["digest/doi/2026-11-21"]


def test_the_outbox_counts_what_waits_what_is_late_and_what_failed_lately(store: Store):
    assert store.outbox_state(FRIDAY) == OutboxState(0, 0, 0, {})
    put(store, "digest/a/1", "digest/b/1", "digest/c/1", "digest/d/1")
    first, second, *_ = take(store, most=3)
    store.delivered(first, FRIDAY)
    store.give_up(second, "Địa chỉ không có (mẫu).", FRIDAY)
    assert store.outbox_state(FRIDAY + timedelta(minutes=59)) == OutboxState(2, 0, 1, {}, {"b": FRIDAY})
    assert store.outbox_state(FRIDAY + hours(1)) == OutboxState(2, 2, 1, {}, {"b": FRIDAY})
    assert store.outbox_state(FRIDAY + days(7)).failed == 0


def test_what_old_messages_said_is_forgotten_but_not_that_they_were_sent(store: Store):
    put(store, "digest/a/1", "digest/b/1")
    first, second = take(store)
    store.delivered(first, FRIDAY)
    store.postponed(second, FRIDAY, "Máy chủ bận (mẫu).", FRIDAY)
    store.purge([], FRIDAY + MESSAGES_KEPT_FOR)
    assert take_one(store).text == "Nội dung (mẫu)"
    before = store.deliveries(FRIDAY)
    store.purge([], FRIDAY + MESSAGES_KEPT_FOR + hours(1))
    assert store.deliveries(FRIDAY).equals(before)
    columns = select(delivery.c.key, delivery.c.text, delivery.c.html).order_by(delivery.c.key)
    left = store.database.read(lambda connection: connection.execute(columns).all())
    assert [tuple(row) for row in left] == [("digest/a/1", "", ""), ("digest/b/1", "Nội dung (mẫu)", "<p></p>")]


def test_a_beat_shows_when_a_loop_last_came_round(store: Store):
    assert store.beats() == {}
    for name, at in (("alerts", FRIDAY), ("collect", FRIDAY), ("alerts", FRIDAY + hours(1))):
        store.beat(name, at)
    assert store.beats() == {"alerts": FRIDAY + hours(1), "collect": FRIDAY}


def test_a_moment_without_a_zone_is_refused_everywhere(store: Store):
    put(store)
    taken, naive = take_one(store), FRIDAY.replace(tzinfo=None)
    before = dump(store)
    for refuse in (
        lambda: put(store, "digest/x/1", at=naive),
        lambda: take(store, naive),
        lambda: store.delivered(taken, naive),
        lambda: store.postponed(taken, naive, "", FRIDAY),
        lambda: store.postponed(taken, FRIDAY, "", naive),
        lambda: store.next_way(taken, "", naive),
        lambda: store.give_up(taken, "", naive),
        lambda: store.rest_way("zalo", naive),
        lambda: store.beat("alerts", naive),
    ):
        with pytest.raises(ValueError, match="time zone"):
            refuse()
    assert dump(store) == before


def test_a_digest_of_five_hundred_cases_costs_few_statements(store: Store):
    cases = store.open_cases([an_opening(f"don-vi-{n}") for n in range(500)], FRIDAY)
    with statements(store) as seen:
        known = store.told([case.id for case in cases])
        lines = [(case.id, "noticed") for case in cases]
        turns = [a_turn(case, CaseState.OPEN) for case in cases]
        assert store.enqueue([a_draft(KEY, *lines), a_draft("digest/thuong-vu/1", *lines)], turns, FRIDAY)
        assert all(store.delivered(one, FRIDAY) for one in take(store))
    assert not known
    assert len(seen) <= 20, seen
