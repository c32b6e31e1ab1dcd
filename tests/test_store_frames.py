"""What the store gives out: tidy frames, and the plan behind the one question that is asked most."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, event, update

from store.records import EVER, Evidence, PostLabel, Reading
from store.schema import epoch, moment_of, snapshot
from store.verbs import Store, open_store
from tests.conftest import NewUrl
from tests.store_builders import (
    FRIDAY,
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

LATER = FRIDAY + days(99)


def label(
    post_id: int,
    evidence: Evidence = Evidence.PHRASE,
    at: datetime = FRIDAY,
    upheld: bool = True,
    name: str = "tin-tot",
) -> Any:
    return PostLabel(post_id, name, evidence, "tin tốt", at, upheld)


def ids_of(store: Store) -> Any:
    return store.posts(EVER, LATER).set_index("platform_id")["id"].to_dict()


def suspect(store: Store, at: datetime) -> None:
    store.database.write(
        lambda connection: connection.execute(update(snapshot).where(snapshot.c.observed_at == at).values(suspect=1))
    )


@pytest.mark.parametrize("seconds", [-1, 0, 1, 2**31, 253402300799])
def test_a_moment_survives_the_store(seconds: int) -> None:
    moment = moment_of(seconds)
    assert (epoch(moment), moment.tzinfo) == (seconds, UTC)


def test_a_moment_without_a_time_zone_is_refused(store: Store) -> None:
    naive = FRIDAY.replace(tzinfo=None)
    with pytest.raises(ValueError, match="time zone"):
        epoch(naive)
    with pytest.raises(ValueError, match="time zone"):
        store.value_at([naive])


def test_a_series_is_tidy_and_half_open(store: Store) -> None:
    watch(store, "mot", "hai")
    look(store, "mot", Reading(tuple(a_snapshot(FRIDAY + days(n), followers=n, views=2**40) for n in range(4))))
    frame = store.series(FRIDAY + days(1), FRIDAY + days(3), ["mot"])
    assert frame["followers"].tolist() == [1, 2]
    assert frame["observed_at"].tolist() == [FRIDAY + days(1), FRIDAY + days(2)]
    assert {str(kind) for kind in frame[["followers", "likes", "posts", "views"]].dtypes} == {"Int64"}
    assert frame[["source", "precision", "suspect"]].to_numpy().tolist() == [["site", "exact", 0]] * 2
    assert frame["views"].tolist() == [2**40] * 2
    assert frame["likes"].isna().all()


def test_an_empty_answer_has_the_columns_of_a_full_one(store: Store) -> None:
    watch(store, "mot")
    empty = [
        store.series(EVER, LATER), store.posts(EVER, LATER), store.looks(EVER, LATER),
        store.value_at([]), store.find_post("x"),
    ]  # fmt: skip
    see(store, "mot", [a_post("a")], FRIDAY, snapshots=(a_snapshot(),))
    full = [
        store.series(EVER, LATER), store.posts(EVER, LATER), store.looks(EVER, LATER),
        store.value_at([FRIDAY]), store.find_post("https://mot.example.vn/a"),
    ]  # fmt: skip
    for nothing, something in zip(empty, full, strict=True):
        assert (len(nothing), len(something)) == (0, 1)
        assert nothing.dtypes.to_dict() == something.dtypes.to_dict()


def test_the_value_at_a_moment_is_the_last_one_that_counts(store: Store) -> None:
    watch(store, "mot", "hai")
    look(store, "mot", Reading(tuple(a_snapshot(FRIDAY + days(n), followers=n) for n in range(4))))
    suspect(store, FRIDAY + days(2))
    asked = [FRIDAY - hours(1), FRIDAY + days(1), FRIDAY + days(2), LATER]
    frame = store.value_at(asked).set_index(["channel", "moment"])
    assert frame.loc[["mot"], "followers"].fillna(-1).tolist() == [-1, 1, 1, 3]
    assert frame.loc[("mot", LATER), "observed_at"] == FRIDAY + days(3)
    assert frame.loc[["hai"]].isna().to_numpy().all()
    assert len(frame) == 2 * len(asked)


def test_the_value_at_a_moment_can_be_asked_for_some_channels(store: Store) -> None:
    watch(store, "mot", "hai", "ba")
    assert store.value_at([FRIDAY], ["ba", "mot"])["channel"].tolist() == ["ba", "mot"]


def plan_of(store: Store, run: Any) -> Any:
    """The plans that the database makes for what *run* asks."""
    plans: list[str] = []
    explain = {"sqlite": "EXPLAIN QUERY PLAN ", "postgresql": "EXPLAIN "}

    def note(connection: Connection, cursor: Any, statement: Any, parameters: Any, context: Any, many: Any) -> None:
        if statement.startswith("SELECT"):
            cursor.execute(explain[connection.dialect.name] + statement, parameters)
            plans.extend(str(row[-1]) for row in cursor.fetchall())

    event.listen(store.database.engine, "before_cursor_execute", note)
    run()
    event.remove(store.database.engine, "before_cursor_execute", note)
    return plans


def test_the_value_at_a_moment_is_sought_and_never_scanned(store: Store) -> None:
    watch(store, *(f"kenh-{n}" for n in range(40)))
    history = tuple(a_snapshot(FRIDAY + hours(n), followers=n) for n in range(200))
    for n in range(40):
        look(store, f"kenh-{n}", Reading(history))
    with store.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")
    plan = plan_of(store, lambda: store.value_at([FRIDAY, LATER]))
    sought = [line for line in plan if "snapshot" in line or "earlier" in line]
    if store.database.engine.dialect.name == "sqlite":
        assert len(sought) == 2
        assert all(line.startswith("SEARCH") and "PRIMARY KEY (channel_id=? AND observed_at" in line for line in sought)
    else:
        assert len(sought) == 1
        assert "Index Scan Backward using pk_snapshot" in sought[0]


def test_the_channels_that_must_wait_are_found_without_a_walk_through_the_ledger(store: Store) -> None:
    slugs = watch(store, *(f"kenh-{n}" for n in range(40)))
    for n in range(20):
        taken = take(store, *slugs, at=FRIDAY + hours(n))
        store.record([a_result(one, a_failure() if n == 19 else Reading()) for one in taken])
    with store.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")
    plan = plan_of(store, lambda: store.expected_slots(slugs, [LATER], LATER))
    assert [line for line in plan if "ix_look_retry_at" in line]


def test_posts_are_those_published_in_the_span_and_seen_by_then(store: Store) -> None:
    watch(store, "mot", "hai")
    see(store, "mot", [a_post("a", FRIDAY - days(1)), a_post("b", FRIDAY)], FRIDAY)
    see(store, "hai", [a_post("c", FRIDAY - hours(3))], FRIDAY + days(1))
    span = (FRIDAY - days(1), FRIDAY)
    assert store.posts(*span)["platform_id"].tolist() == ["c", "a"]
    assert store.posts(*span, as_of=FRIDAY)["platform_id"].tolist() == ["a"]
    assert store.posts(*span, channels=["hai"])["platform_id"].tolist() == ["c"]
    assert store.posts(*span)["channel"].tolist() == ["hai", "mot"]


def test_a_post_is_found_by_its_link(store: Store) -> None:
    watch(store, "mot")
    see(store, "mot", [a_post("a"), a_post("b")], FRIDAY)
    assert store.find_post("https://mot.example.vn/b")["platform_id"].tolist() == ["b"]


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        (FRIDAY - days(4), FRIDAY - days(3), []),
        (FRIDAY - days(4), FRIDAY - days(2), [FRIDAY]),
        (FRIDAY - hours(1), FRIDAY + hours(1), [FRIDAY]),
        (FRIDAY + hours(12), FRIDAY + hours(13), [FRIDAY + hours(12)]),
        (FRIDAY + hours(13), FRIDAY + days(9), []),
    ],
)
def test_looks_are_those_whose_coverage_touches_the_span(
    store: Store, start: datetime, end: datetime, found: list[datetime]
) -> None:
    watch(store, "mot", "hai")
    look(store, "mot", Reading(coverage_from=FRIDAY - days(3)))
    look(store, "mot", a_failure(), FRIDAY + hours(12))
    take(store, "hai")
    assert store.looks(start, end)["slot"].tolist() == found
    assert store.looks(start, end, ["hai"]).empty


def test_the_last_look_of_every_channel_also_tells_the_last_success(store: Store) -> None:
    watch(store, "mot", "hai")
    look(store, "mot", Reading())
    look(store, "mot", a_failure(), FRIDAY + hours(12))
    frame = store.last_looks().set_index("channel")
    assert frame.loc[["mot"], ["state", "last_done_at"]].to_numpy().tolist() == [["failed", FRIDAY]]
    assert frame.drop(columns="notes").loc[["hai"]].isna().to_numpy().all()


def test_rules_replace_their_own_labels_and_take_their_posts_off_the_list(store: Store) -> None:
    watch(store, "mot")
    see(store, "mot", [a_post("a"), a_post("b")], FRIDAY)
    ids = ids_of(store)
    texts = store.posts_to_label("rules-1")
    store.replace_rule_labels(texts, [label(ids["a"]), label(ids["b"])], "rules-1")
    assert store.posts_to_label("rules-1") == []
    assert sorted(text.id for text in store.posts_to_label("rules-2")) == sorted(ids.values())
    store.replace_rule_labels(texts, [label(ids["b"], Evidence.HASHTAG)], "rules-2")
    frame = store.labels(ids.values())
    assert frame[["post_id", "evidence"]].to_numpy().tolist() == [[ids["b"], "hashtag"]]


def test_a_list_of_posts_to_label_ends_where_it_was_told(store: Store) -> None:
    watch(store, "mot")
    see(store, "mot", [a_post(name) for name in "abc"], FRIDAY)
    assert len(store.posts_to_label("rules-1", limit=2)) == 2


def test_the_newest_word_of_a_person_wins_and_none_is_lost(store: Store) -> None:
    watch(store, "mot")
    see(store, "mot", [a_post("a")], FRIDAY)
    (one,) = ids_of(store).values()
    texts = store.posts_to_label("rules-1")
    store.replace_rule_labels(texts, [label(one)], "rules-1")
    store.confirm_label(label(one, Evidence.PERSON, FRIDAY + hours(1), upheld=False))
    store.confirm_label(label(one, Evidence.PERSON, FRIDAY + hours(2), upheld=True))
    store.replace_rule_labels(texts, [], "rules-2")
    words = {
        as_of: store.labels([one], as_of)[["evidence", "upheld"]].to_numpy().tolist()
        for as_of in (None, FRIDAY + hours(1), FRIDAY)
    }
    assert words == {None: [["person", True]], FRIDAY + hours(1): [["person", False]], FRIDAY: []}
    assert len(dump(store)["post_label"]) == 2


def test_two_words_of_one_second_are_both_kept_and_the_second_one_wins(store: Store) -> None:
    watch(store, "mot")
    see(store, "mot", [a_post("a")], FRIDAY)
    (one,) = ids_of(store).values()
    for upheld in (True, False, True, False):
        store.confirm_label(label(one, Evidence.PERSON, FRIDAY, upheld))
        assert store.labels([one], FRIDAY)["upheld"].tolist() == [upheld]
    assert len(dump(store)["post_label"]) == 4


def test_a_word_given_later_wins_even_when_the_clock_was_set_back(store: Store) -> None:
    watch(store, "mot")
    see(store, "mot", [a_post("a")], FRIDAY)
    (one,) = ids_of(store).values()
    store.confirm_label(label(one, Evidence.PERSON, FRIDAY + hours(1), upheld=True))
    store.confirm_label(label(one, Evidence.PERSON, FRIDAY, upheld=False))
    assert store.labels([one])["upheld"].tolist() == [False]


def test_words_that_many_people_say_at_once_are_all_kept(store: Store) -> None:
    watch(store, "mot")
    see(store, "mot", [a_post("a")], FRIDAY)
    (one,) = ids_of(store).values()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: store.confirm_label(label(one, Evidence.PERSON)), range(12)))
    assert len(dump(store)["post_label"]) == 12


@pytest.mark.parametrize("change", [{"title": "Khác"}, {"excerpt": "Khác"}, {"categories": ("Khác",)}])
def test_a_text_that_changed_while_it_was_judged_is_judged_again(store: Store, change: Any) -> None:
    watch(store, "mot")
    see(store, "mot", [a_post("a"), a_post("b")], FRIDAY)
    ids, texts = ids_of(store), store.posts_to_label("rules-1")
    see(store, "mot", [a_post("a", **change), a_post("b")], FRIDAY + hours(1))
    store.replace_rule_labels(texts, [label(ids["a"]), label(ids["b"])], "rules-1")
    assert [text.id for text in store.posts_to_label("rules-1")] == [ids["a"]]
    assert store.labels(ids.values())["post_id"].tolist() == [ids["b"]]
    store.replace_rule_labels(store.posts_to_label("rules-1"), [], "rules-1")
    assert store.posts_to_label("rules-1") == []


def test_only_a_person_confirms(store: Store) -> None:
    with pytest.raises(ValueError, match="person"):
        store.confirm_label(label(1, Evidence.HASHTAG))


def naive_value_at(observed: Any, moment: Any) -> Any:
    earlier = [(at, followers) for at, followers in observed.items() if at <= moment]
    return max(earlier)[1] if earlier else None


offsets = st.integers(0, 500)


near = st.integers(2**50, 2**50 + 2**46)


@given(observed=st.dictionaries(offsets, near, max_size=8), asked=st.sets(offsets, min_size=1))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_value_at_a_moment_is_what_a_patient_reader_would_find(new_url: NewUrl, observed: Any, asked: Any) -> None:
    with open_store(new_url()) as store:
        watch(store, "mot")
        at = {FRIDAY + hours(n): followers for n, followers in observed.items()}
        look(store, "mot", Reading(tuple(a_snapshot(moment, followers) for moment, followers in at.items())))
        moments = sorted(FRIDAY + hours(n) for n in asked)
        found = store.value_at(moments)["followers"]
        assert [None if pd.isna(one) else one for one in found] == [naive_value_at(at, one) for one in moments]
