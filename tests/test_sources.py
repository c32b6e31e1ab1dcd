"""Which snapshot of a day counts, and where a count changed its meaning."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.breaks import BREAKS, breaks
from metrics.sources import settled
from store.records import Reading, Snapshot, Source
from store.verbs import Store
from tests.store_builders import days, look, watch

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
NOON = datetime(2026, 11, 18, 5, tzinfo=UTC)
"""12:00 on Wednesday 18 November 2026, local time."""
MIDNIGHT = datetime(2026, 11, 18, 17, tzinfo=UTC)
"""The end of that day."""
DAY = pd.Timestamp("2026-11-18")


def figures(store: Store, *snapshots: Snapshot) -> pd.DataFrame:
    watch(store, "kenh")
    look(store, "kenh", Reading(snapshots), MIDNIGHT + days(3))
    return settled(store.series(NOON - days(30), MIDNIGHT + days(30)), ZONE)


def day_of(frame: pd.DataFrame, day: pd.Timestamp = DAY, count: str = "followers") -> list[tuple[int, str]]:
    rows = frame[(frame["day"] == day) & (frame["count"] == count)]
    return list(zip(rows["value"], rows["source"], strict=True))


def test_a_settled_studio_day_beats_what_the_display_api_showed_that_day(store: Store):
    frame = figures(
        store, Snapshot(NOON, Source.TIKTOK_DISPLAY, 1_003), Snapshot(MIDNIGHT, Source.TIKTOK_STUDIO, 1_001)
    )
    assert day_of(frame) == [(1_001, "tiktok_studio")]


def test_a_typed_figure_never_beats_a_platform(store: Store):
    frame = figures(store, Snapshot(NOON, Source.TIKTOK_DISPLAY, 1_003), Snapshot(MIDNIGHT, Source.SHEET, 1_050))
    assert day_of(frame) == [(1_003, "tiktok_display")]


def test_of_one_source_the_last_look_of_the_day_counts(store: Store):
    morning = NOON - days(0.2)
    frame = figures(store, Snapshot(morning, Source.FACEBOOK_PAGE, 1_000), Snapshot(NOON, Source.FACEBOOK_PAGE, 1_004))
    assert day_of(frame) == [(1_004, "facebook_page")]


def test_a_source_that_does_not_know_leaves_the_word_to_one_that_does(store: Store):
    frame = figures(
        store,
        Snapshot(NOON, Source.FACEBOOK_PAGE, None, likes=7),
        Snapshot(NOON + days(0.1), Source.FACEBOOK_INSIGHTS, 1_000),
    )
    assert day_of(frame) == [(1_000, "facebook_insights")]
    assert day_of(frame, count="likes") == [(7, "facebook_page")]


def test_a_suspect_count_is_nobodys_figure(store: Store):
    frame = figures(
        store,
        Snapshot(NOON - days(1), Source.FACEBOOK_PAGE, 5_000),
        Snapshot(NOON, Source.FACEBOOK_PAGE, 0),
    )
    assert day_of(frame) == []
    assert day_of(frame, DAY - pd.Timedelta(days=1)) == [(5_000, "facebook_page")]


def test_a_count_at_midnight_closes_the_day_before(store: Store):
    assert day_of(figures(store, Snapshot(MIDNIGHT, Source.SHEET, 9))) == [(9, "sheet")]


def test_nothing_known_is_no_row(store: Store):
    frame = figures(store)
    assert len(frame) == 0
    assert list(frame) == ["channel", "day", "count", "value", "precision", "source", "observed_at"]


def test_the_stated_precedence_of_the_platforms_holds():
    """Facts: TikTok 2.8; YouTube 1.9; what a person typed comes last of all but a site's own word."""
    assert Source.TIKTOK_STUDIO > Source.TIKTOK_BUSINESS > Source.TIKTOK_DISPLAY > Source.SHEET
    assert Source.YOUTUBE_STUDIO > Source.YOUTUBE_OWNER > Source.YOUTUBE_KEY > Source.YOUTUBE_ANALYTICS > Source.SHEET
    assert Source.FACEBOOK_PAGE > Source.FACEBOOK_INSIGHTS > Source.FACEBOOK_EXPORT > Source.SHEET


@given(st.permutations(range(6)))
def test_the_order_of_rows_changes_nothing(order: list[int]):
    frame = pd.DataFrame(
        {
            "channel": ["a", "a", "a", "b", "b", "b"],
            "observed_at": pd.to_datetime([NOON, NOON, MIDNIGHT, NOON, NOON + days(1), NOON + days(2)]),
            "followers": pd.array([1, 2, 3, 4, None, 6], "Int64"),
            "likes": pd.array([None] * 6, "Int64"),
            "posts": pd.array([1, 2, 3, 4, 5, 6], "Int64"),
            "views": pd.array([None] * 6, "Int64"),
            "precision": "exact",
            "source": ["sheet", "tiktok_display", "tiktok_display", "site", "site", "site"],
            "suspect": [0, 0, 0, 0, 0, 1],
        }
    )
    shuffled = settled(frame.iloc[order].reset_index(drop=True), ZONE)
    pd.testing.assert_frame_equal(shuffled, settled(frame, ZONE))
    assert shuffled.set_index(["channel", "count"])["value"].to_dict() == {
        ("a", "followers"): 3,
        ("a", "posts"): 3,
        ("b", "followers"): 4,
        ("b", "posts"): 5,
    }


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        (date(2025, 1, 1), date(2026, 1, 1), [date(2025, 3, 31)]),
        (date(2025, 3, 31), date(2026, 8, 25), [date(2025, 3, 31), date(2026, 8, 24)]),
        (date(2025, 4, 1), date(2026, 8, 24), []),
    ],
)
def test_views_on_youtube_broke_twice(start: date, end: date, found: list[date]):
    assert [one.day for one in breaks("youtube", "views", start, end)] == found


def test_subscribers_never_broke():
    assert breaks("youtube", "followers", date(2020, 1, 1), date(2030, 1, 1)) == []


def test_every_break_tells_its_day_in_vietnamese():
    for one in BREAKS:
        assert f"{one.day:%d/%m/%Y}" in one.sentence
        assert one.sentence.endswith(".")
