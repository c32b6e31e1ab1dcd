"""Growth of an audience, each figure worked by hand beside the case."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from metrics.asking import Ask
from metrics.growth import audience_growth
from metrics.precision import bounds, grown
from store.records import Precision, Source
from tests.metric_builders import (
    Y2026,
    ask,
    at,
    channel,
    config_of,
    day,
    facts,
    failed,
    look,
    looks,
    point,
    series,
    share,
    unit,
)

FLOOR3, EXACT, ROUNDED = Precision.FLOOR3, Precision.EXACT, Precision.ROUNDED
PAGE = config_of([unit("a")], [channel("page")])
TUBE = config_of([unit("a")], [channel("tube", "youtube")])


def growth(*points: dict[str, Any], config: Any = PAGE, as_of: str = "2026-11-20", **more: Any) -> dict[str, Any]:
    """The only row of an answer."""
    rows = audience_growth(facts(config, as_of, points=series(*points)), ask(**more)).rows
    assert len(rows) == 1
    return dict(rows.iloc[0])


@pytest.mark.parametrize(
    ("base", "now", "shown", "low", "high"),
    [
        (980, 1_030, 5.10, 5.10, 6.02),  # 1030/980 … 1039/980
        (1_240, 1_300, 4.84, 4.08, 5.56),  # 1300/1249 … 1309/1240
        (1_240, 1_310, 5.65, 4.88, 6.37),  # 1310/1249 … 1319/1240
        (4_220, 4_430, 4.98, 4.75, 5.19),  # 4430/4229 … 4439/4220
        (12_300, 12_900, 4.88, 4.04, 5.68),  # 12900/12399 … 12999/12300
        (99_900, 104_000, 4.10, 4.00, 5.10),  # 104000/99999 … 104999/99900
    ],
)
def test_both_ends_cut_to_three_digits_make_growth_an_interval(base, now, shown, low, high):
    row = growth(point("tube", "2025-12-31", base, FLOOR3), point("tube", "2026-11-20", now, FLOOR3), config=TUBE)
    assert [round(100 * row[name], 2) for name in ("shown", "low", "high")] == [shown, low, high]


@pytest.mark.parametrize(
    ("value", "precision", "low", "high"),
    [
        (999, FLOOR3, 999, 999),  # below 1,000 the platform tells all
        (1_000, FLOOR3, 1_000, 1_009),
        (9_990, FLOOR3, 9_990, 9_999),
        (10_000, FLOOR3, 10_000, 10_099),
        (1_230_000, FLOOR3, 1_230_000, 1_239_999),
        (1_234, EXACT, 1_234, 1_234),
        (1_234, Precision.REPORTED, 1_234, 1_234),
        (1_200, ROUNDED, 1_140, 1_260),  # ±5 %
        (0, FLOOR3, 0, 0),
    ],
)
def test_a_shown_count_stands_for_these_true_counts(value, precision, low, high):
    edges = bounds(pd.Series([value], dtype="Int64"), pd.Series([precision.name.lower()]))
    assert edges.to_numpy().tolist() == [[low, high]]


def test_exact_counts_grow_by_exactly_one_number():
    row = growth(point("page", "2025-12-31", 2_000), point("page", "2026-11-20", 2_100))  # 100/2000
    assert (row["low"], row["high"], row["why"]) == (0.05, 0.05, "")


def test_a_studio_figure_at_one_end_narrows_the_interval():
    # 1300 exactly: 1300/1249 = 4.08 %, 1300/1240 = 4.84 %
    row = growth(
        point("tube", "2025-12-31", 1_240, FLOOR3),
        point("tube", "2026-11-20", 1_300, EXACT, Source.YOUTUBE_STUDIO),
        config=TUBE,
    )
    assert (share(row["low"]), share(row["high"])) == (0.0408, 0.0484)


def test_the_baseline_is_the_last_count_up_to_its_day_and_names_its_source():
    row = growth(
        point("page", "2025-12-20", 1_000, source=Source.FACEBOOK_INSIGHTS),
        point("page", "2026-01-02", 1_100),
        point("page", "2026-11-20", 1_200),
    )
    assert (row["base_value"], row["base_gap"], row["base_source"]) == (1_000, -11, "facebook_insights")
    assert row["base_at"] == at("2025-12-20")


def test_without_a_count_before_it_the_first_one_after_the_day_is_the_baseline():
    row = growth(point("page", "2026-01-12", 1_000), point("page", "2026-11-20", 1_020))
    assert (row["base_gap"], share(row["low"]), row["why"]) == (12, 0.02, "")  # 20/1000


def test_a_baseline_far_from_its_day_shows_growth_and_decides_nothing():
    row = growth(point("page", "2026-03-01", 1_000), point("page", "2026-11-20", 1_100))  # 60 days late
    assert (row["base_gap"], share(row["low"]), row["why"]) == (60, 0.1, "late_base")


def test_a_count_at_midnight_closes_the_day_before():
    row = growth(point("page", "2026-01-01 00:00", 900), point("page", "2026-11-20", 990))
    assert (row["base_gap"], share(row["low"])) == (0, 0.1)  # 90/900


def test_a_suspect_zero_is_left_out():
    row = growth(
        point("page", "2025-12-31", 1_000),
        point("page", "2026-11-19", 1_050),
        point("page", "2026-11-20", 0, suspect=1),
    )
    assert (row["now_value"], row["low"], row["now_age"]) == (1_050, 0.05, 1)


def test_a_hidden_count_is_missing_and_no_zero():
    row = growth(point("tube", "2025-12-31", 1_000), point("tube", "2026-11-20", None, views=7), config=TUBE)
    assert (row["why"], row["now_value"]) == ("hidden", 1_000)  # the old count, 324 days of age, decides nothing


def test_growth_from_zero_has_no_ratio():
    row = growth(point("page", "2025-12-31", 0), point("page", "2026-11-20", 30))
    assert (row["why"], share(row["low"])) == ("zero_base", None)


def test_one_reading_is_no_growth():
    row = growth(point("page", "2026-11-20", 1_000))
    assert row["why"] == "one_point"


def test_no_reading_at_all_is_no_baseline():
    assert growth()["why"] == "no_base"


def test_an_old_last_count_says_nothing_of_today():
    points = [point("page", "2025-12-31", 1_000), point("page", "2026-11-12", 1_100)]  # 8 days
    assert growth(*points)["why"] == "stale"


def test_a_channel_whose_looks_failed_all_week_is_an_error_of_ours():
    points = [point("page", "2025-12-31", 1_000), point("page", "2026-11-13", 1_100)]  # 7 days
    known = facts(PAGE, "2026-11-20", points=series(*points), looks=looks(failed("page", "2026-11-20 06:30")))
    row = audience_growth(known, ask()).rows.iloc[0]
    assert (row["why"], row["failed"]) == ("failed", True)


def test_a_single_failed_look_does_not_outweigh_yesterdays_count():
    points = [point("page", "2025-12-31", 1_000), point("page", "2026-11-19", 1_100)]
    known = facts(PAGE, "2026-11-20", points=series(*points), looks=looks(failed("page", "2026-11-20 06:30")))
    assert audience_growth(known, ask()).rows.iloc[0]["why"] == ""


def test_views_are_not_compared_across_the_day_on_which_they_changed_their_meaning():
    points = [point("tube", "2025-12-31", None, views=1_000), point("tube", "2026-11-20", None, views=3_000)]
    assert growth(*points, config=TUBE, count="views")["why"] == "break"  # 24/08/2026 lies between
    assert growth(*points[:1], point("tube", "2026-08-23", None, views=1_500), config=TUBE, count="views",
                  as_of="2026-08-23")["why"] == ""  # fmt: skip


def test_29_february_is_a_baseline_like_any_other():
    points = [point("page", "2024-02-29", 800), point("page", "2025-02-28", 840)]
    row = growth(*points, as_of="2025-02-28", baseline_day=day("2024-02-29"))
    assert (row["base_gap"], row["low"]) == (0, 0.05)  # 40/800


def test_the_year_that_ends_on_14_december_starts_from_the_14th_before():
    from metrics.periods import reporting_year

    period = reporting_year(2026, "12-14", Y2026.zone)
    points = [
        point("page", "2025-12-14", 1_000),
        point("page", "2025-12-15", 1_010),
        point("page", "2026-12-14", 1_060),
    ]
    row = growth(*points, as_of="2026-12-14", period=period)
    assert (row["base_value"], row["low"]) == (1_000, 0.06)


THREE = config_of(
    [unit("a"), unit("b")],
    [channel("a-fb"), channel("a-tok", "tiktok"), channel("a-fb-2"), channel("b-fb", unit="b")],
)
SUMS = [
    *(point(name, "2025-12-31", count) for name, count in [("a-fb", 1_000), ("a-fb-2", 500), ("b-fb", 100)]),
    *(point(name, "2026-11-20", count) for name, count in [("a-fb", 1_050), ("a-fb-2", 540), ("b-fb", 99)]),
    point("a-tok", "2025-12-31", 2_000, source=Source.TIKTOK_DISPLAY),
    point("a-tok", "2026-11-20", 2_300, source=Source.TIKTOK_DISPLAY),
]


def summed(*points: dict[str, Any], by: Any = "unit", config: Any = THREE, **more: Any) -> dict[Any, Any]:
    rows = audience_growth(facts(config, "2026-11-20", points=series(*points)), ask(by, **more)).rows
    return {(row["subject"], row["platform"]): row for _, row in rows.iterrows()}


def test_a_unit_adds_up_its_channels_of_one_platform():
    rows = summed(*SUMS)
    assert share(rows["a", "facebook"]["low"]) == 0.06  # 1590/1500
    assert share(rows["a", "tiktok"]["low"]) == 0.15  # 2300/2000
    assert share(rows["b", "facebook"]["low"]) == -0.01  # 99/100


def test_platforms_are_added_up_only_when_that_is_asked_for():
    assert set(summed(*SUMS, by="total")) == {("", "facebook"), ("", "tiktok")}
    mixed = summed(*SUMS, by="total", mixed=True)
    assert share(mixed["", "facebook + tiktok"]["low"]) == 0.1081  # 3989/3600 = 1.10806


def test_a_sum_with_a_channel_missing_decides_nothing():
    row = summed(*SUMS[1:])["a", "facebook"]
    assert (row["known"], row["wanted"], row["why"], share(row["shown"])) == (1, 2, "missing", 0.08)  # 540/500


def test_a_sum_of_nothing_is_missing_and_no_zero():
    row = summed(point("a-tok", "2026-11-20", 5))["a", "tiktok"]
    assert (row["why"], pd.isna(row["base_value"]), pd.isna(row["now_value"])) == ("missing", True, True)


def test_a_channel_opened_after_the_baseline_is_no_growth_of_the_others():
    config = config_of([unit("a")], [channel("a-fb"), channel("a-new", start="2026-05-01")])
    points = [SUMS[0], SUMS[3], point("a-new", "2026-05-02", 10), point("a-new", "2026-11-20", 400)]
    row = summed(*points, config=config)["a", "facebook"]
    assert (share(row["low"]), row["opened"], row["wanted"], row["why"]) == (0.05, 1, 1, "")  # 1050/1000


HANDED = config_of(
    [unit("old", until="2026-07-01", successors=("new",)), unit("new", start="2026-07-01")],
    [
        channel("page", owners=[{"unit": "old", "start": "2020-01-01", "until": "2026-07-01"},
                                {"unit": "new", "start": "2026-07-01"}]),
        channel("second", unit="new", start="2026-07-01"),
    ],
)  # fmt: skip


@pytest.mark.parametrize(("held_on", "who"), [(None, "new"), ("2025-12-31", "old")])
def test_a_channel_that_changed_hands_counts_whole_for_whoever_holds_it_on_the_asked_day(held_on, who):
    points = [point("page", "2025-12-31", 1_000), point("page", "2026-11-20", 1_100)]
    rows = summed(*points, config=HANDED, held_on=day(held_on) if held_on else None, channels=["page"])
    assert list(rows) == [(who, "facebook")]
    assert share(rows[who, "facebook"]["low"]) == 0.1  # 100/1000: the years before belong to the page


def test_every_figure_that_went_in_is_told():
    answer = audience_growth(facts(THREE, "2026-11-20", points=series(*SUMS)), ask("unit"))
    own = answer.inputs[answer.inputs["subject"] == "b"]
    told = own[["role", "ref", "source", "value"]].to_numpy().tolist()
    assert told == [["base", "b-fb", "facebook_page", 100], ["now", "b-fb", "facebook_page", 99]]
    assert own["at"].tolist() == [at("2025-12-31"), at("2026-11-20")]


COUNTS = st.integers(0, 5_000_000)
PRECISIONS = st.sampled_from([EXACT, FLOOR3, ROUNDED])


@settings(deadline=None, max_examples=30)
@given(base=st.integers(1, 5_000_000), now=COUNTS)
def test_the_true_growth_lies_within_the_interval_of_the_shown_counts(base, now):
    def cut(count: int) -> int:
        step = int(10 ** max(len(str(count)) - 3, 0))
        return count // step * step

    shown = bounds(pd.Series([cut(base), cut(now)], dtype="Int64"), pd.Series(["floor3"] * 2))
    (base_low, now_low), (base_high, now_high) = (shown[side] for side in ("low", "high"))
    edges = grown(*(pd.Series([one], dtype="Int64") for one in (base_low, base_high, now_low, now_high)))
    assert edges["low"][0] <= (now - base) / base <= edges["high"][0]


@st.composite
def observed(draw: st.DrawFn) -> list[dict[str, Any]]:
    days = draw(st.lists(st.integers(-60, 320), min_size=1, max_size=12))
    return [
        point(
            draw(st.sampled_from(["a-fb", "a-fb-2", "a-tok", "b-fb"])),
            str(Y2026.start + timedelta(days=number)),
            draw(st.none() | COUNTS),
            draw(PRECISIONS),
            suspect=draw(st.sampled_from([0, 0, 0, 1])),
        )
        for number in days
    ]


@settings(deadline=None, max_examples=30)
@given(observed(), st.randoms(use_true_random=False), st.sampled_from(["channel", "unit", "total"]))
def test_the_order_of_the_observations_changes_nothing(points, random, by):
    one = audience_growth(facts(THREE, "2026-11-20", points=series(*points)), Ask(Y2026, by=by))
    unique = list({(row["channel"], row["observed_at"]): row for row in points}.values())
    random.shuffle(unique)
    if len(unique) == len(points):
        other = audience_growth(facts(THREE, "2026-11-20", points=series(*unique)), Ask(Y2026, by=by))
        assert_frame_equal(one.rows, other.rows)


@settings(deadline=None, max_examples=30)
@given(observed(), st.integers(0, 300))
def test_a_later_observation_never_changes_an_earlier_answer(points, number):
    as_of = str(Y2026.start + timedelta(days=number))
    known = [row for row in points if row["observed_at"] <= at(as_of)]
    whole = audience_growth(facts(THREE, as_of, points=series(*points)), ask("unit"))
    early = audience_growth(facts(THREE, as_of, points=series(*known)), ask("unit"))
    assert_frame_equal(whole.rows, early.rows)


def test_growth_of_channels_that_were_never_read_leaves_no_row_out():
    rows = audience_growth(facts(THREE, "2026-11-20", looks=looks(look("a-fb", "2026-11-20"))), ask("channel")).rows
    assert rows["why"].tolist() == ["no_base"] * 4
    assert np.all(rows["low"].isna())
