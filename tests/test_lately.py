"""Posts and looks of overlapping times are read once, and are those that the store gives for each time alone."""

from __future__ import annotations

from datetime import datetime

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from sqlalchemy import event

from metrics.periods import week_of
from pipeline.lately import LOOKS, POSTS, Lately, joined
from store.records import Reading
from store.verbs import Store
from tests.metric_builders import HCMC
from tests.store_builders import FRIDAY, a_failure, a_post, days, hours, look, watch

MONTH = (FRIDAY - days(32), FRIDAY + hours(1))
WEEK = (FRIDAY - days(4), FRIDAY + days(3))
EARLIER = (FRIDAY - days(60), FRIDAY - days(50))
PARTS = [
    MONTH,
    WEEK,
    EARLIER,
    (FRIDAY - days(4), FRIDAY - days(3)),  # the edges are moments of looks and posts
    (FRIDAY - days(4) + hours(0.5), FRIDAY - days(1)),
    (FRIDAY - days(90), FRIDAY),  # wider than what was announced
]


def alone(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.reset_index(drop=True)


@pytest.fixture
def seen(store: Store) -> Store:
    """Two channels with a post and a look a day; every third look fails, and two come after FRIDAY."""
    for slug in watch(store, "trang-mot", "trang-hai", now=FRIDAY - days(70)):
        for age in (55, *range(10, -3, -1)):
            moment = FRIDAY - days(age)
            post = a_post(f"{slug}-{age}", moment - hours(age % 4))
            reading = Reading(posts=(post,), coverage_from=moment - days(2), complete=True)
            look(store, slug, a_failure() if age % 3 == 2 else reading, moment)
    return store


@pytest.mark.parametrize(
    ("apart", "together"),
    [
        ([], []),
        ([WEEK, MONTH], [(MONTH[0], WEEK[1])]),
        ([MONTH, EARLIER, MONTH], [EARLIER, MONTH]),
        ([MONTH, WEEK, (FRIDAY - days(20), FRIDAY)], [(MONTH[0], WEEK[1])]),  # one within another
        ([(EARLIER[1], FRIDAY), EARLIER], [(EARLIER[0], FRIDAY)]),  # they only touch
    ],
)
def test_stretches_that_overlap_or_touch_become_one(apart, together):
    assert joined(apart) == together


@pytest.mark.parametrize("part", PARTS)
def test_a_part_of_a_longer_stretch_is_what_the_store_says_of_that_part(seen: Store, part: tuple[datetime, datetime]):
    lately = Lately(seen, FRIDAY, [MONTH, WEEK, EARLIER])
    assert_frame_equal(alone(lately.posts(*part)), seen.posts(*part, as_of=FRIDAY, columns=POSTS))
    assert_frame_equal(alone(lately.looks(*part)), seen.looks(*part, columns=LOOKS))
    assert len(lately.posts(*part))
    assert len(lately.looks(*part))


def test_what_is_known_of_a_week_is_the_same_whether_or_not_its_month_was_read(seen: Store):
    week = week_of(FRIDAY.date(), HCMC)
    within, by_itself = Lately(seen, FRIDAY, [MONTH, WEEK]).known(week), Lately(seen, FRIDAY).known(week)
    for name in ("posts", "labels", "looks"):
        assert_frame_equal(alone(getattr(within, name)), getattr(by_itself, name))


def test_posts_that_were_seen_only_later_are_left_out(seen: Store):
    assert seen.posts(*WEEK)["first_seen_at"].max() > FRIDAY
    assert Lately(seen, FRIDAY, [WEEK]).posts(*WEEK)["first_seen_at"].max() <= FRIDAY


def test_nothing_is_read_before_it_is_asked_for_and_nothing_twice(seen: Store):
    asked: list[str] = []
    event.listen(seen.database.engine, "before_cursor_execute", lambda *said: asked.append(said[2]))
    lately = Lately(seen, FRIDAY, [MONTH, WEEK])
    assert not asked
    for part in (MONTH, WEEK, MONTH):
        lately.posts(*part)
        lately.looks(*part)
    assert [sum(f"JOIN {table}" in one for one in asked) for table in ("post", "look")] == [1, 1]


def test_only_the_columns_that_were_asked_for_are_read(seen: Store):
    assert list(seen.posts(*WEEK, columns=("id", "gone_at"))) == ["channel", "id", "gone_at"]
    assert list(seen.looks(*WEEK, columns=("state",))) == ["channel", "state"]
    assert {"channel", "title", "link", "categories"} < set(seen.posts(*WEEK))
    assert {"channel", "slot", "error", "received_bytes"} < set(seen.looks(*WEEK))
