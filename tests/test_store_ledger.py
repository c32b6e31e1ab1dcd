"""The ledger: which slot is due, who holds it, what was missed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store.records import Failure, FailureKind, Reading, Slot
from store.verbs import Store, open_store
from tests.conftest import NewUrl
from tests.store_builders import (
    FRIDAY,
    LEASE,
    UNIT,
    a_channel,
    a_failure,
    a_result,
    days,
    dump,
    hours,
    look,
    take,
    watch,
)

MOMENTS = [FRIDAY - hours(24), FRIDAY - hours(12), FRIDAY, FRIDAY + hours(12)]


def states(store: Store) -> Any:
    frame = store.looks(FRIDAY - days(9), FRIDAY + days(9))
    return {(row.channel, row.slot): row.state for row in frame.itertuples()}


def states_of_missed(store: Store) -> Any:
    return [row[1] for row in dump(store)["look"] if row[2] == "missed"]


def ledger(store: Store) -> Any:
    return [row[2] for row in sorted(dump(store)["look"], key=lambda row: row[:2])]


def test_a_channel_that_was_never_looked_at_is_due_once_at_the_newest_moment(store: Store) -> None:
    watch(store, "mot", "hai")
    assert store.expected_slots(["hai", "mot"], MOMENTS, FRIDAY) == [Slot("hai", FRIDAY), Slot("mot", FRIDAY)]


def test_nothing_is_due_before_the_first_moment(store: Store) -> None:
    watch(store, "mot")
    assert store.expected_slots(["mot"], MOMENTS, FRIDAY - days(2)) == []


@pytest.mark.parametrize(
    ("outcome", "later", "due"),
    [
        (Reading(), hours(1), False),
        (a_failure(), hours(0), True),
        (a_failure(FRIDAY + hours(2)), hours(1), False),
        (a_failure(FRIDAY + hours(2)), hours(2), True),
    ],
    ids=["done", "failed", "failed and waiting", "failed and waited"],
)
def test_a_slot_is_due_again_only_after_a_failure_that_has_waited(
    store: Store, outcome: Reading | Failure, later: timedelta, due: bool
) -> None:
    watch(store, "mot")
    look(store, "mot", outcome)
    assert bool(store.expected_slots(["mot"], MOMENTS, FRIDAY + later)) is due
    assert bool(store.take([Slot("mot", FRIDAY)], "other", FRIDAY + later, LEASE)) is due


@pytest.mark.parametrize("kind", FailureKind)
def test_a_source_that_asked_to_wait_is_left_alone_at_the_next_moments_too(store: Store, kind: FailureKind) -> None:
    watch(store, "mot", "hai")
    look(store, "mot", Failure(kind, "Trang đề nghị chờ.", FRIDAY + hours(24)))
    held = kind in {FailureKind.THROTTLED, FailureKind.QUOTA}
    for later, open_now in ((12, ["hai"] if held else ["mot", "hai"]), (24, ["mot", "hai"])):
        at = FRIDAY + hours(later)
        due = store.expected_slots(["mot", "hai"], [at], at)
        assert [slot.channel for slot in due] == open_now
        taken = take(store, "mot", "hai", at=at)
        assert [one.slot.channel for one in taken] == open_now
        store.release(taken)


def test_the_third_failure_ends_a_slot_and_the_next_moment_begins_anew(store: Store) -> None:
    watch(store, "mot")
    for _ in range(3):
        look(store, "mot", a_failure())
    assert take(store, "mot") == []
    assert store.expected_slots(["mot"], MOMENTS, FRIDAY) == []
    assert store.expected_slots(["mot"], MOMENTS, FRIDAY + hours(12)) == [Slot("mot", FRIDAY + hours(12))]


def test_a_held_slot_is_not_due_until_its_lease_ends(store: Store) -> None:
    watch(store, "mot")
    take(store, "mot")
    assert store.expected_slots(["mot"], MOMENTS, FRIDAY + LEASE - hours(0.01)) == []
    assert store.take([Slot("mot", FRIDAY)], "other", FRIDAY + LEASE - hours(0.01), LEASE) == []
    (over,) = store.take([Slot("mot", FRIDAY)], "other", FRIDAY + LEASE, LEASE)
    assert (over.owner, over.attempt, over.lease_until) == ("other", 2, FRIDAY + 2 * LEASE)


def test_a_slot_comes_with_the_cursor_of_its_channel(store: Store) -> None:
    watch(store, "mot")
    look(store, "mot", Reading(cursor={"etag": "«a»", "page": 3}))
    assert take(store, "mot", at=FRIDAY + hours(12))[0].cursor == {"etag": "«a»", "page": 3}


def test_a_slot_that_is_asked_for_twice_is_taken_once(store: Store) -> None:
    watch(store, "mot")
    assert len(take(store, "mot", "mot")) == 1


def test_moments_that_nobody_looked_at_are_recorded_as_missed_once(store: Store) -> None:
    watch(store, "mot", "moi")
    look(store, "mot", Reading(), at=MOMENTS[0])
    assert store.record_missed(["mot", "moi"], MOMENTS, FRIDAY + hours(13)) == 2
    before = dump(store)
    assert store.record_missed(["mot", "moi"], MOMENTS, FRIDAY + hours(13)) == 0
    assert dump(store) == before
    assert ledger(store) == ["done", "missed", "missed"]


def test_a_look_between_the_scheduled_moments_hides_none_of_them(store: Store) -> None:
    watch(store, "mot")
    look(store, "mot", Reading(), at=MOMENTS[0])
    look(store, "mot", Reading(), at=FRIDAY + hours(1))
    assert store.record_missed(["mot"], MOMENTS, FRIDAY + hours(13)) == 2
    assert ledger(store) == ["done", "missed", "missed", "done"]
    assert store.record_missed(["mot"], MOMENTS, FRIDAY + hours(13)) == 0


def test_a_scheduled_moment_that_has_a_row_was_not_missed(store: Store) -> None:
    watch(store, "mot")
    for at, outcome in ((MOMENTS[0], Reading()), (MOMENTS[1], a_failure()), (MOMENTS[2], Reading())):
        look(store, "mot", outcome, at=at)
    assert store.record_missed(["mot"], MOMENTS, FRIDAY + hours(13)) == 0


def test_a_channel_has_missed_nothing_while_it_was_closed(store: Store) -> None:
    watch(store, "mot", "hai")
    look(store, "mot", Reading(), at=MOMENTS[0] - hours(12))
    watch(store, "hai", now=MOMENTS[0] - hours(6))
    watch(store, "mot", "hai", now=MOMENTS[1] + hours(1))
    watch(store, "mot", "hai", now=MOMENTS[2] + hours(1))
    assert store.record_missed(["mot"], MOMENTS, FRIDAY + hours(13)) == 1
    assert set(states_of_missed(store)) == {FRIDAY}


def test_a_closed_channel_misses_nothing(store: Store) -> None:
    watch(store, "mot", "hai")
    look(store, "mot", Reading(), at=MOMENTS[0])
    watch(store, "hai", now=MOMENTS[0] + hours(1))
    assert store.record_missed(["mot"], MOMENTS, FRIDAY + hours(13)) == 0


def test_the_newest_due_moment_alone_is_not_missed(store: Store) -> None:
    watch(store, "mot")
    look(store, "mot", Reading(), at=MOMENTS[0])
    assert store.record_missed(["mot"], [FRIDAY], FRIDAY) == 0


def test_a_channel_that_was_never_looked_at_has_missed_nothing(store: Store) -> None:
    watch(store, "mot")
    assert store.record_missed(["mot"], MOMENTS, FRIDAY + days(9)) == 0


def test_a_missed_slot_cannot_be_taken_any_more(store: Store) -> None:
    watch(store, "mot")
    look(store, "mot", Reading(), at=MOMENTS[0])
    store.record_missed(["mot"], MOMENTS, FRIDAY)
    assert take(store, "mot", at=MOMENTS[1]) == []


def test_a_slot_of_a_dead_worker_becomes_missed_when_its_time_has_passed(store: Store) -> None:
    watch(store, "mot", "hai")
    take(store, "mot", at=MOMENTS[1])
    take(store, "hai", at=FRIDAY)
    assert store.record_missed(["mot", "hai"], MOMENTS, FRIDAY + LEASE) == 1
    assert ledger(store) == ["missed", "running"]


def test_a_released_slot_is_as_if_it_had_never_been_taken(store: Store) -> None:
    watch(store, "mot")
    before = dump(store)
    store.release(take(store, "mot"))
    assert dump(store) == before


def test_a_released_retry_keeps_its_failure_and_its_count(store: Store) -> None:
    watch(store, "mot")
    look(store, "mot", a_failure())
    store.release(take(store, "mot"))
    assert states(store) == {("mot", FRIDAY): "failed"}
    assert take(store, "mot")[0].attempt == 2


def test_a_slot_released_after_a_dead_worker_can_be_taken_at_once(store: Store) -> None:
    watch(store, "mot")
    take(store, "mot")
    store.release(store.take([Slot("mot", FRIDAY)], "other", FRIDAY + LEASE, LEASE))
    assert take(store, "mot")[0].attempt == 2


def test_what_another_worker_holds_is_not_released(store: Store) -> None:
    watch(store, "mot")
    lost = take(store, "mot")
    store.take([Slot("mot", FRIDAY)], "other", FRIDAY + LEASE, LEASE)
    before = dump(store)
    store.release(lost)
    assert dump(store) == before


def test_a_finished_slot_is_not_released(store: Store) -> None:
    watch(store, "mot")
    taken = take(store, "mot")
    store.record([a_result(taken[0], Reading())])
    before = dump(store)
    store.release(taken)
    assert dump(store) == before


def test_a_channel_out_of_the_configuration_is_closed_and_comes_back_with_its_history(store: Store) -> None:
    watch(store, "mot", "hai")
    look(store, "mot", Reading())
    watch(store, "hai", now=FRIDAY + days(1))
    assert store.expected_slots(["mot", "hai"], MOMENTS, FRIDAY) == [Slot("hai", FRIDAY)]
    assert store.last_looks()["channel"].tolist() == ["hai"]
    watch(store, "mot", "hai", now=FRIDAY + days(2))
    assert store.last_looks().set_index("channel")["state"].to_dict()["mot"] == "done"


def test_a_second_sync_of_the_same_configuration_writes_nothing(store: Store) -> None:
    watch(store, "mot", "hai")
    before = dump(store)
    watch(store, "mot", "hai", now=FRIDAY + days(1))
    assert dump(store) == before


def test_a_sync_follows_the_configuration(store: Store) -> None:
    store.sync([UNIT], [a_channel("mot")], FRIDAY)
    renamed = UNIT.model_copy(update={"name": "Phường Mới", "until": UNIT.start + days(400)})
    store.sync([renamed], [a_channel("mot", address="https://moi.example.vn")], FRIDAY)
    stored = dump(store)
    assert stored["unit"][0][2:] == ("Phường Mới", "ward", UNIT.start, UNIT.start + days(400), None)
    assert stored["channel"][0][4] == "https://moi.example.vn"


def test_a_channel_that_was_never_synced_is_a_mistake_of_the_caller(store: Store) -> None:
    watch(store, "mot")
    with pytest.raises(LookupError, match="hai"):
        store.expected_slots(["mot", "hai"], MOMENTS, FRIDAY)


steps = st.tuples(st.sampled_from(["take", "fail", "done", "release"]), st.integers(0, 40))


@given(steps=st.lists(steps, max_size=12))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_slot_is_due_exactly_when_it_can_be_taken(new_url: NewUrl, steps: Any) -> None:
    with open_store(new_url()) as store:
        watch(store, "mot")
        held, now = None, FRIDAY
        for action, minutes in steps:
            now += hours(minutes / 60)
            due = bool(store.expected_slots(["mot"], [FRIDAY], now))
            if action == "take":
                taken = store.take([Slot("mot", FRIDAY)], "me", now, LEASE)
                assert bool(taken) is due
                held = taken[0] if taken else held
            elif held is not None and action == "release":
                store.release([held])
            elif held is not None:
                store.record([a_result(held, Reading() if action == "done" else a_failure(), at=now)])


def test_missed_moments_are_counted_over_the_open_channels(store: Store) -> None:
    watch(store, "mot", "hai")
    for slot in take(store, "mot", "hai", at=MOMENTS[0]):
        store.record([a_result(slot, Reading())])
    store.record_missed(["mot", "hai"], MOMENTS, FRIDAY + hours(12))
    found = store.missed_slots(FRIDAY - days(2), FRIDAY + hours(12))
    assert found["channels"].tolist() == [2, 2]
    assert found["slot"].tolist() == [MOMENTS[1], MOMENTS[2]]
    assert store.missed_slots(FRIDAY, FRIDAY)["channels"].tolist() == [2]
