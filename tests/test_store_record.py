"""Recording: once, all or nothing, and never more than the source said."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store.records import EVER, Confidence, Counts, DateSource, Failure, Reading, Slot
from store.verbs import Store, open_store
from tests.conftest import NewUrl
from tests.invariants import assert_invariants
from tests.store_builders import (
    FRIDAY,
    LEASE,
    a_failure,
    a_post,
    a_result,
    a_snapshot,
    days,
    dump,
    hours,
    look,
    see,
    take,
    watch,
)

SATURDAY, SUNDAY, MONDAY = FRIDAY + days(1), FRIDAY + days(2), FRIDAY + days(3)


def stored_posts(store: Store) -> Any:
    return store.posts(EVER, FRIDAY + days(99)).set_index("platform_id")


def last_look(store: Store, slug: str = "mot") -> Any:
    return store.last_looks().set_index("channel").loc[slug]


def test_a_reading_is_stored_with_all_that_it_brought(store: Store, store_url: str) -> None:
    watch(store, "mot")
    posts = (a_post("a"), a_post("b", categories=("Tin tốt", "Đoàn")))
    reading = Reading((a_snapshot(likes=7),), posts, FRIDAY - days(3), cursor={"etag": "x"}, notes=("chậm",))
    look(store, "mot", reading)
    row = last_look(store)
    assert (row.state, row.outcome, row.snapshots, row.posts, row.notes) == ("done", "ok", 1, 2, ("chậm",))
    assert (row.coverage_from, row.complete, row.requests) == (FRIDAY - days(3), True, 1)
    assert stored_posts(store).loc["b", "categories"] == ("Tin tốt", "Đoàn")
    assert_invariants(store_url, FRIDAY)


def test_a_count_that_could_not_be_read_is_missing_and_not_zero(store: Store) -> None:
    watch(store, "mot")
    look(store, "mot", Reading((a_snapshot(followers=None, likes=0),)))
    (row,) = store.series(FRIDAY, SATURDAY).itertuples()
    assert (row.followers is row.posts, row.likes) == (True, 0)
    assert store.series(FRIDAY, SATURDAY)["followers"].isna().all()


def test_a_failed_look_writes_no_snapshot(store: Store, store_url: str) -> None:
    watch(store, "mot")
    look(store, "mot", a_failure(FRIDAY + hours(1)))
    stored = dump(store)
    assert (stored["snapshot"], stored["post"]) == ([], [])
    row = last_look(store)
    assert (row.state, row.outcome, row.retry_at) == ("failed", "network", FRIDAY + hours(1))
    assert row.error == "Không kết nối được tới trang."
    assert_invariants(store_url, FRIDAY)


def test_a_result_recorded_twice_changes_nothing(store: Store) -> None:
    watch(store, "mot", "hai")
    results = [
        look(store, "mot", Reading((a_snapshot(),), (a_post("a", counts=Counts(1)),), cursor={"etag": "x"})),
        look(store, "hai", a_failure()),
    ]
    before = dump(store)
    assert store.record(results) == []
    assert store.record([replace(result, outcome=Reading((a_snapshot(SUNDAY),))) for result in results]) == []
    assert dump(store) == before


def test_a_result_whose_lease_was_lost_is_left_out_and_named(store: Store, store_url: str) -> None:
    watch(store, "mot", "hai")
    lost, kept = take(store, "mot", "hai")
    (over,) = store.take([Slot("mot", FRIDAY)], "other", FRIDAY + LEASE, LEASE)
    reading = Reading((a_snapshot(),), (a_post("a"),), cursor={"etag": "x"})
    assert store.record([a_result(lost, reading), a_result(kept, reading)]) == [lost]
    assert store.series(FRIDAY, SATURDAY)["channel"].tolist() == ["hai"]
    assert store.record([a_result(over, Reading())]) == []
    assert store.record([a_result(lost, reading)]) == [lost]
    assert_invariants(store_url, FRIDAY + LEASE)


def test_a_lease_that_ended_but_was_not_taken_over_still_counts(store: Store) -> None:
    watch(store, "mot")
    (taken,) = take(store, "mot")
    assert store.record([a_result(taken, Reading((a_snapshot(),)), at=FRIDAY + hours(5))]) == []
    assert last_look(store).state == "done"


def test_a_look_that_finds_nothing_new_writes_only_its_ledger_row(store: Store) -> None:
    watch(store, "mot")
    see(store, "mot", [a_post("a", counts=Counts(reactions=3))], FRIDAY, cursor={"etag": "x"})
    before = dump(store, "look")
    see(store, "mot", [a_post("a", counts=Counts(reactions=3))], SATURDAY, cursor={"etag": "x"})
    see(store, "mot", [], SUNDAY, cursor={"etag": "x"}, unchanged=True)
    assert dump(store, "look") == before
    assert last_look(store).outcome == "unchanged"


def test_a_changed_text_is_taken_over_and_judged_again(store: Store) -> None:
    watch(store, "mot")
    see(store, "mot", [a_post("a"), a_post("b")], FRIDAY)
    store.replace_rule_labels(store.posts_to_label("rules-1"), [], "rules-1")
    see(store, "mot", [a_post("a", title="Tên mới"), a_post("b")], SATURDAY)
    row = stored_posts(store).loc["a"]
    assert (row.title, row.first_seen_at) == ("Tên mới", FRIDAY)
    assert [text.title for text in store.posts_to_label("rules-1")] == ["Tên mới"]


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        ((FRIDAY, Confidence.EXACT), (SATURDAY, Confidence.EXACT), FRIDAY),
        ((FRIDAY, Confidence.DAY), (FRIDAY - hours(3), Confidence.EXACT), FRIDAY - hours(3)),
        ((FRIDAY, Confidence.HOUR), (FRIDAY - days(1), Confidence.DAY), FRIDAY),
        ((None, Confidence.LOW), (FRIDAY - days(4), Confidence.LOW), FRIDAY - days(4)),
        ((None, Confidence.EXACT), (None, Confidence.EXACT), FRIDAY),
        ((FRIDAY - days(4), Confidence.LOW), (None, Confidence.EXACT), FRIDAY - days(4)),
    ],
)
def test_the_first_date_stays_unless_a_surer_one_is_shown(
    store: Store, first: Any, second: Any, kept: datetime
) -> None:
    watch(store, "mot")
    for (published_at, confidence), at in ((first, FRIDAY), (second, SATURDAY)):
        see(store, "mot", [a_post("a", published_at, date_confidence=confidence)], at)
    assert stored_posts(store).loc["a", "published_at"] == kept


def test_a_post_without_a_date_stands_at_the_moment_it_was_first_seen(store: Store, store_url: str) -> None:
    watch(store, "mot")
    see(store, "mot", [a_post("a", None, date_confidence=Confidence.EXACT)], FRIDAY)
    row = stored_posts(store).loc["a"]
    assert (row.published_at, row.date_source, row.date_confidence) == (FRIDAY, "first-seen", "low")
    assert_invariants(store_url)


def test_a_post_is_missing_after_one_complete_look_and_gone_after_the_second(store: Store, store_url: str) -> None:
    watch(store, "mot")
    see(store, "mot", [a_post("a"), a_post("b")], FRIDAY)
    see(store, "mot", [a_post("a")], SATURDAY)
    assert stored_posts(store).loc["b", "missing_since"] == SATURDAY
    assert stored_posts(store)["gone_at"].isna().all()
    see(store, "mot", [a_post("a")], SUNDAY)
    assert stored_posts(store).loc["b", "gone_at"] == SUNDAY
    see(store, "mot", [a_post("a")], MONDAY)
    assert stored_posts(store).loc["b", "gone_at"] == SUNDAY
    assert stored_posts(store)["missing_since"].isna().to_dict() == {"a": True, "b": False}
    assert_invariants(store_url, MONDAY)


def test_an_unchanged_source_still_misses_what_the_look_before_it_missed(store: Store) -> None:
    watch(store, "mot")
    see(store, "mot", [a_post("a"), a_post("b")], FRIDAY, coverage_from=EVER)
    see(store, "mot", [a_post("a")], SATURDAY, coverage_from=EVER)
    see(store, "mot", [], SUNDAY, coverage_from=EVER, unchanged=True)
    gone = stored_posts(store)["gone_at"]
    assert gone.loc["b"] == SUNDAY
    assert gone.isna().loc["a"]


def test_a_post_that_comes_back_was_never_gone(store: Store) -> None:
    watch(store, "mot")
    for at, posts in ((FRIDAY, ["a"]), (SATURDAY, []), (SUNDAY, []), (MONDAY, ["a"])):
        see(store, "mot", [a_post(name) for name in posts], at)
    row = stored_posts(store).loc["a"]
    assert row[["missing_since", "gone_at"]].isna().all()
    assert row.first_seen_at == FRIDAY


@pytest.mark.parametrize(
    "more",
    [
        {"complete": False},
        {"unchanged": True},
        {"coverage_from": None},
        {"coverage_from": FRIDAY},
    ],
    ids=["incomplete", "unchanged", "no coverage", "published before the coverage"],
)
def test_only_a_look_that_had_to_see_a_post_can_miss_it(store: Store, more: dict[str, Any]) -> None:
    watch(store, "mot")
    see(store, "mot", [a_post("a")], FRIDAY)
    for at in (SATURDAY, SUNDAY):
        see(store, "mot", [], at, **more)
    assert stored_posts(store)[["missing_since", "gone_at"]].isna().all(axis=None)


def test_a_failed_look_misses_no_post(store: Store) -> None:
    watch(store, "mot")
    see(store, "mot", [a_post("a")], FRIDAY)
    look(store, "mot", a_failure(), SATURDAY)
    assert stored_posts(store)["missing_since"].isna().all()


def test_a_post_without_a_date_is_missed_only_by_a_look_at_everything(store: Store) -> None:
    watch(store, "mot")
    see(store, "mot", [a_post("a", None)], FRIDAY)
    see(store, "mot", [], SATURDAY)
    assert stored_posts(store)["missing_since"].isna().all()
    see(store, "mot", [], SUNDAY, coverage_from=EVER)
    assert stored_posts(store).loc["a", "missing_since"] == SUNDAY


def test_counts_of_a_post_are_stored_when_they_change(store: Store) -> None:
    watch(store, "mot")
    for at, reactions in ((FRIDAY, 3), (SATURDAY, 3), (SUNDAY, 4), (MONDAY, None)):
        counts = None if reactions is None else Counts(reactions=reactions)
        see(store, "mot", [a_post("a", counts=counts)], at)
    rows = dump(store)["post_count"]
    assert [(at, reactions, comments) for _, at, reactions, comments, _, _ in rows] == [
        (FRIDAY, 3, None),
        (SUNDAY, 4, None),
    ]


def test_a_late_reading_adds_its_counts_and_changes_nothing_that_is_newer(store: Store, store_url: str) -> None:
    watch(store, "mot")
    (late,) = take(store, "mot", at=FRIDAY)
    see(store, "mot", [a_post("a", title="Mới")], SATURDAY, cursor={"etag": "new"})
    reading = Reading((a_snapshot(FRIDAY),), (a_post("a", title="Cũ"), a_post("b")), EVER, cursor={"etag": "old"})
    assert store.record([a_result(late, reading)]) == []
    assert stored_posts(store)["title"].to_dict() == {"a": "Mới", "b": "Bài b"}
    assert store.series(FRIDAY, SATURDAY)["followers"].tolist() == [1_000]
    assert take(store, "mot", at=SUNDAY)[0].cursor == {"etag": "new"}
    assert_invariants(store_url)


def test_two_slots_of_one_channel_in_one_batch_are_recorded_in_their_order(store: Store, store_url: str) -> None:
    watch(store, "mot")
    early, late = (*take(store, "mot", at=FRIDAY), *take(store, "mot", at=SATURDAY))
    results = [
        a_result(late, Reading(posts=(a_post("a", title="Mới"),), cursor={"etag": "new"})),
        a_result(early, Reading(posts=(a_post("a", title="Cũ"), a_post("b")), cursor={"etag": "old"})),
    ]
    assert store.record(results) == []
    assert stored_posts(store)["title"].to_dict() == {"a": "Mới", "b": "Bài b"}
    assert take(store, "mot", at=SUNDAY)[0].cursor == {"etag": "new"}
    assert_invariants(store_url)


def test_history_that_is_read_back_twice_is_stored_and_counted_once(store: Store, store_url: str) -> None:
    watch(store, "mot", "hai")
    history = tuple(a_snapshot(FRIDAY - days(n), followers=n) for n in range(30))
    look(store, "mot", Reading(history), FRIDAY)
    results = [
        a_result(taken, Reading((a_snapshot(SATURDAY), *history, a_snapshot(SATURDAY))))
        for taken in take(store, "mot", "hai", at=SATURDAY)
    ]
    assert store.record(results) == []
    assert (last_look(store).snapshots, last_look(store, "hai").snapshots) == (1, 31)
    assert_invariants(store_url)


def test_a_post_that_a_reading_names_twice_is_stored_once(store: Store, store_url: str) -> None:
    watch(store, "mot")
    see(store, "mot", [a_post("a", title="Mới"), a_post("a", title="Cũ")], FRIDAY)
    assert stored_posts(store)["title"].to_dict() == {"a": "Mới"}
    assert_invariants(store_url)


@pytest.mark.parametrize("followers", [-1, 2**63, 2**70])
def test_a_reading_that_cannot_be_stored_fails_alone(store: Store, store_url: str, followers: int) -> None:
    watch(store, "mot", "hai")
    bad, good = take(store, "mot", "hai")
    results = [
        a_result(bad, Reading((a_snapshot(followers=followers),), (a_post("a"),))),
        a_result(good, Reading((a_snapshot(),))),
    ]
    assert store.record(results) == []
    assert (last_look(store).state, last_look(store).outcome) == ("failed", "drift")
    assert "không hợp lệ" in last_look(store).error
    assert store.series(FRIDAY, SATURDAY)["channel"].tolist() == ["hai"]
    assert stored_posts(store).empty
    assert_invariants(store_url, FRIDAY)


@pytest.mark.parametrize(
    "reading",
    [
        Reading((a_snapshot(),), cursor={"page": 2**70}),
        Reading((a_snapshot(),), cursor={"etag": b"x"}),
        Reading((a_snapshot(),), notes=("\ud800",)),
        Reading((a_snapshot(),), (a_post("a", FRIDAY.replace(tzinfo=None)),)),
        Reading((a_snapshot(),), coverage_from=FRIDAY.replace(tzinfo=None), complete=False),
        Reading((a_snapshot(),), (a_post("a", title="\ud800"),)),
        Reading((a_snapshot(),), (a_post("a", title={"@value": "Bài"}),)),
    ],
    ids=["cursor too large", "cursor no JSON", "notes", "naive date", "naive coverage", "half a letter", "no text"],
)
def test_a_reading_without_a_form_in_the_database_fails_alone(store: Store, store_url: str, reading: Reading) -> None:
    watch(store, "mot", "hai")
    bad, good = take(store, "mot", "hai")
    results = [a_result(bad, reading), a_result(good, Reading((a_snapshot(),), cursor={"etag": "x"}))]
    assert store.record(results) == []
    assert (last_look(store).state, last_look(store).outcome) == ("failed", "drift")
    assert store.series(FRIDAY, SATURDAY)["channel"].tolist() == ["hai"]
    assert take(store, "hai", at=SATURDAY)[0].cursor == {"etag": "x"}
    assert_invariants(store_url, FRIDAY)


def test_a_slot_tried_again_after_a_newer_slot_is_not_late(store: Store, store_url: str) -> None:
    watch(store, "mot")
    look(store, "mot", a_failure())
    see(store, "mot", [a_post("a", title="Cũ")], FRIDAY + hours(3), cursor={"etag": "9h"})
    (again,) = store.take([Slot("mot", FRIDAY)], "worker-1", FRIDAY + hours(4), LEASE)
    reading = Reading(posts=(a_post("a", title="Mới"),), cursor={"etag": "10h"})
    assert store.record([a_result(again, reading, at=FRIDAY + hours(4))]) == []
    assert stored_posts(store)["title"].to_dict() == {"a": "Mới"}
    assert take(store, "mot", at=SATURDAY)[0].cursor == {"etag": "10h"}
    assert_invariants(store_url)


def test_a_newer_slot_that_was_read_earlier_is_the_late_one(store: Store) -> None:
    watch(store, "mot")
    first, second = (*take(store, "mot", at=FRIDAY), *take(store, "mot", at=SATURDAY))
    results = [
        a_result(first, Reading(posts=(a_post("a", title="Mới"),), cursor={"etag": "new"}), at=SUNDAY),
        a_result(second, Reading(posts=(a_post("a", title="Cũ"),), cursor={"etag": "old"}), at=SATURDAY),
    ]
    assert store.record(results) == []
    assert stored_posts(store)["title"].to_dict() == {"a": "Mới"}
    assert take(store, "mot", at=SUNDAY)[0].cursor == {"etag": "new"}


def test_a_cursor_that_goes_forth_and_back_in_one_batch_ends_where_the_last_look_left_it(store: Store) -> None:
    watch(store, "mot")
    look(store, "mot", Reading(cursor={"page": 1}))
    slots = (*take(store, "mot", at=SATURDAY), *take(store, "mot", at=SUNDAY))
    results = [a_result(taken, Reading(cursor={"page": page})) for taken, page in zip(slots, (2, 1), strict=True)]
    assert store.record(results) == []
    assert take(store, "mot", at=MONDAY)[0].cursor == {"page": 1}


def test_two_looks_of_one_second_do_not_make_a_post_gone(store: Store, store_url: str) -> None:
    watch(store, "mot")
    see(store, "mot", [a_post("a")], FRIDAY)
    slots = (*take(store, "mot", at=SATURDAY), *take(store, "mot", at=SATURDAY + hours(1)))
    nothing = Reading(coverage_from=EVER)
    assert store.record([a_result(taken, nothing, at=SATURDAY + hours(1)) for taken in slots]) == []
    row = stored_posts(store).loc["a"]
    assert (row.missing_since, stored_posts(store)["gone_at"].isna().all()) == (SATURDAY + hours(1), True)
    assert_invariants(store_url)


def test_an_empty_batch_writes_nothing(store: Store) -> None:
    assert store.record([]) == []
    assert take(store) == []


def test_texts_of_every_kind_come_back_as_they_were(store: Store) -> None:
    watch(store, "mot")
    title = "Đoàn phường «Một» 'tốt' \"đẹp\" \\ % ? :x 🎉 \t{}"
    see(store, "mot", [a_post("a", title=title, categories=(title,))], FRIDAY)
    row = stored_posts(store).loc["a"]
    assert (row.title, row.categories) == (title, (title,))


CHANNELS = ["mot", "hai", "ba"]
posts_seen = st.lists(
    st.builds(
        a_post,
        st.sampled_from("abcd"),
        st.one_of(st.none(), st.integers(0, 200).map(lambda n: FRIDAY - hours(n))),
        title=st.sampled_from(["Tin tốt", "Câu chuyện đẹp"]),
        date_confidence=st.sampled_from(Confidence),
        date_source=st.sampled_from([DateSource.FEED, DateSource.TEXT]),
        counts=st.one_of(st.none(), st.builds(Counts, st.integers(0, 3))),
    ),
    max_size=4,
)
outcomes = st.one_of(
    st.just(a_failure()),
    st.builds(
        lambda posts, followers, complete, coverage: Reading(
            (a_snapshot(FRIDAY, followers),), tuple(posts), coverage, complete
        ),
        posts_seen,
        st.one_of(st.none(), st.integers(0, 2**40)),
        st.booleans(),
        st.sampled_from([None, EVER, FRIDAY - days(3)]),
    ),
)
histories = st.lists(st.fixed_dictionaries(dict.fromkeys(CHANNELS, outcomes)), min_size=1, max_size=3)


def at_its_time(outcome: Reading | Failure, at: datetime) -> Any:
    if isinstance(outcome, Failure):
        return outcome
    return replace(outcome, snapshots=tuple(replace(one, observed_at=at) for one in outcome.snapshots))


def play(store: Store, history: Any, arrange: Any) -> None:
    """Looks at all channels day by day; *arrange* splits and orders what one day brought."""
    watch(store, *CHANNELS)
    for number, outcomes_of_day in enumerate(history):
        at = FRIDAY + days(number)
        results = [
            a_result(taken, at_its_time(outcomes_of_day[taken.slot.channel], at))
            for taken in take(store, *CHANNELS, at=at)
        ]
        for batch in arrange(results):
            assert store.record(batch) == []


def known_by_name(store: Store) -> Any:
    """What is stored, without the numbers that only say in which order posts came."""
    stored = dump(store)
    names = {row[0]: row[1:3] for row in stored["post"]}
    stored["post"] = sorted(repr(row[1:]) for row in stored["post"])
    stored["post_count"] = sorted(repr((names[row[0]], row[1:])) for row in stored["post_count"])
    return stored


@given(history=histories, data=st.data())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_order_the_batches_and_the_repeats_of_results_do_not_matter(
    new_url: NewUrl, history: Any, data: Any
) -> None:
    def shuffled(results: Any) -> Any:
        order = data.draw(st.permutations(results + results[:2]))
        cut = data.draw(st.integers(0, len(order)))
        return [order[:cut], order[cut:]]

    with open_store(new_url()) as plain, open_store(new_url()) as mixed:
        play(plain, history, lambda results: [results])
        play(mixed, history, shuffled)
        assert known_by_name(mixed) == known_by_name(plain)
        assert_invariants(str(mixed.database.url), FRIDAY + days(99))
