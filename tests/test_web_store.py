"""What the pages ask of the store: the newest check of a week, reading alone, and whether anything changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from metrics.periods import WEEK, Period, week_of
from store.errors import StoreError, Trouble
from store.records import Said, Week
from store.verbs import Store, open_reader
from tests.conftest import NewUrl
from tests.metric_builders import HCMC, at, day
from tests.store_builders import FRIDAY, watch

MONDAY = week_of(day("2026-11-16"), HCMC)
YEAR = Period(day("2026-01-01"), day("2027-01-01"), HCMC)
WEEKLY, YEARLY = "CT2a", "CT4.1"


def said(target: str, moment: str, subject: str = "", period: Period | None = None, status: str = "met") -> Said:
    """One answer; a weekly one is for the week of its moment when not said otherwise."""
    own = week_of(at(moment).astimezone(HCMC).date(), HCMC) if target == WEEKLY else YEAR
    span = period or own
    key = f"{target}/{subject}/{moment}/{span.start}"
    return Said(
        "mau", target, subject, span.start, span.end, at(moment), status, 1.0, 1.0, 1.0, f"{status}.", {}, [], key
    )


def week(period: Period) -> Week:
    return Week(period.start, period.end, period.start_at, period.end_at)


def found(
    store: Store, period: Period = MONDAY, now: str = "2026-12-30 09:00", **more: object
) -> dict[tuple[str, str], str]:
    """Status by target and subject."""
    given = {"weekly": [WEEKLY]} | more
    frame = store.checked_progress("mau", [WEEKLY, YEARLY], week(period), at(now), **given)  # type: ignore[arg-type]
    return dict(zip(zip(frame["target"], frame["subject"], strict=True), frame["status"], strict=True))


def test_a_week_without_a_check_has_no_answers(store: Store):
    assert found(store) == {}


def test_of_several_checks_in_a_week_the_newest_counts(store: Store):
    store.keep_progress([said(WEEKLY, "2026-11-17 09:00"), said(YEARLY, "2026-11-17 09:00")])
    store.keep_progress(
        [said(WEEKLY, "2026-11-20 09:00", status="behind"), said(YEARLY, "2026-11-20 09:00", status="at_risk")]
    )
    assert found(store) == {(WEEKLY, ""): "behind", (YEARLY, ""): "at_risk"}
    assert found(store, now="2026-11-18 09:00") == {(WEEKLY, ""): "met", (YEARLY, ""): "met"}


def test_a_check_of_another_week_is_not_taken_for_this_one(store: Store):
    before = week_of(MONDAY.start - WEEK, HCMC)
    store.keep_progress(
        [said(WEEKLY, "2026-11-18 09:00", period=before, status="not_met"), said(YEARLY, "2026-11-27 09:00")]
    )
    assert found(store) == {}
    assert found(store, before) == {(WEEKLY, ""): "not_met"}


def test_a_later_check_of_a_past_week_speaks_for_it_but_not_over_what_was_said_in_it(store: Store):
    store.keep_progress(
        [said(WEEKLY, "2026-11-20 09:00", status="behind"), said(YEARLY, "2026-11-20 09:00", status="behind")]
    )
    late = "2026-11-24 08:00"
    store.keep_progress([said(WEEKLY, late, period=MONDAY), said(YEARLY, late)])
    store.keep_progress([said(WEEKLY, "2026-11-26 08:00", status="at_risk"), said(YEARLY, "2026-11-26 08:00")])
    assert found(store) == {(WEEKLY, ""): "met", (YEARLY, ""): "behind"}


def test_a_week_that_was_checked_only_later_has_all_answers_of_that_check(store: Store):
    late = "2026-12-24 08:00"
    store.keep_progress([said(WEEKLY, late, period=MONDAY), said(YEARLY, late, status="behind")])
    assert found(store) == {(WEEKLY, ""): "met", (YEARLY, ""): "behind"}
    assert found(store, now="2026-12-24 07:00") == {}


def test_who_is_left_out_of_the_newest_check_has_no_answer_any_more(store: Store):
    store.keep_progress([said(WEEKLY, "2026-11-17 09:00", "a"), said(WEEKLY, "2026-11-17 09:00", "b")])
    store.keep_progress([said(WEEKLY, "2026-11-20 09:00", "a")])
    assert set(found(store)) == {(WEEKLY, "a")}
    assert found(store, subjects=["b"]) == {}


def test_answers_for_a_single_day_are_not_those_of_the_week(store: Store):
    friday = Period(day("2026-11-20"), day("2026-11-21"), HCMC)
    store.keep_progress([said(WEEKLY, "2026-11-19 09:00", status="behind")])
    store.keep_progress([said(WEEKLY, "2026-11-20 09:00", period=friday)])
    assert found(store) == {(WEEKLY, ""): "behind"}


def test_of_two_answers_for_one_moment_the_last_turn_counts(store: Store):
    first = said(WEEKLY, "2026-11-20 09:00")
    store.keep_progress([first])
    store.keep_progress([replace(first, status="behind", digest="other")])
    assert found(store) == {(WEEKLY, ""): "behind"}


def test_only_the_columns_that_were_asked_for_come_back(store: Store):
    store.keep_progress([said(WEEKLY, "2026-11-20 09:00")])
    asked = {"weekly": [WEEKLY], "columns": ["subject", "status"]}
    frame = store.checked_progress("mau", [WEEKLY], week(MONDAY), at("2026-11-21 09:00"), **asked)
    assert list(frame) == ["subject", "status"]


# --- a reader ------------------------------------------------------------------------------------------------------


@pytest.fixture
def pair(new_url: NewUrl) -> Iterator[tuple[Store, Store]]:
    """Two stores on one database: one that writes, and one that reads."""
    from store.verbs import open_store

    url = new_url()
    with open_store(url) as writer, open_reader(url) as reader:
        yield writer, reader


def test_a_reader_sees_what_was_written_and_writes_nothing(pair: tuple[Store, Store]):
    writer, reader = pair
    watch(writer, "trang-mot")
    writer.beat("schedule", FRIDAY)
    assert reader.beats() == {"schedule": FRIDAY}
    with pytest.raises(StoreError) as refused:
        reader.beat("schedule", FRIDAY + timedelta(hours=1))
    assert refused.value.kind is Trouble.READ_ONLY
    assert writer.beats() == {"schedule": FRIDAY}


def test_a_statement_of_a_reader_ends_after_two_seconds(pair: tuple[Store, Store]):
    _, reader = pair
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n"
    with pytest.raises(StoreError) as ended:
        reader.database.read(lambda connection: connection.exec_driver_sql(endless).all())
    assert ended.value.kind is Trouble.SLOW
    assert reader.beats() == {}


def test_a_mark_changes_with_every_write_of_somebody_else_and_with_nothing_else(pair: tuple[Store, Store]):
    writer, reader = pair
    changes = reader.changes()
    first = changes.mark()
    reader.beats()
    assert changes.mark() == first
    marks = {first}
    for number in range(3):
        writer.beat("schedule", datetime(2026, 11, 20, number, tzinfo=FRIDAY.tzinfo))
        marks.add(changes.mark())
    assert len(marks) == 4
    changes.close()
    assert changes.mark() not in marks
    changes.close()
