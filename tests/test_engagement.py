"""Followers against members: a figure that stands in, and says so."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from metrics.engagement import PROXY_LABEL, engagement_proxy
from store.records import Precision
from tests.metric_builders import ask, channel, config_of, facts, failed, looks, point, series, share, unit

MEMBERS = [{"start": "2025-01-01", "count": 200}]
TWO = config_of(
    [unit("a", members=MEMBERS), unit("b", members=[{"start": "2025-01-01", "count": 100}]), unit("c")],
    [channel("fb"), channel("fb-2"), channel("yt", "youtube"), channel("b-fb", unit="b"), channel("c-fb", unit="c")],
)
NOW = "2026-11-20"


def proxy(*rows: dict[str, Any], by: Any = "unit", seen: Any = (), counts: Any = (), **more: Any) -> dict[Any, Any]:
    interactions = pd.DataFrame(list(counts), columns=["channel", "interactions"]).astype({"interactions": "Int64"})
    known = facts(TWO, NOW, points=series(*rows), looks=looks(*seen), interactions=interactions)
    answer = engagement_proxy(known, ask(by, **more)).rows
    return {(row["subject"], row["platform"]): row for _, row in answer.iterrows()}


FB, FB2 = point("fb", NOW, 120), point("fb-2", NOW, 30)
YT = point("yt", NOW, 1_230, Precision.FLOOR3)
B, C = point("b-fb", NOW, 50), point("c-fb", NOW, 10)


@pytest.mark.parametrize(
    ("rows", "who", "low", "high", "why"),
    [
        ([FB, FB2], ("a", "facebook"), 0.75, 0.75, ""),  # 150/200
        ([FB], ("a", "facebook"), 0.6, None, "missing"),  # 120/200 at least
        ([YT], ("a", "youtube"), 6.15, 6.195, ""),  # 1230/200 … 1239/200
        ([B], ("b", "facebook"), 0.5, 0.5, ""),  # 50/100
        ([C], ("c", "facebook"), None, None, "no_members"),
        ([point("fb", NOW, 0), FB2], ("a", "facebook"), 0.15, 0.15, ""),  # a true zero counts
        ([point("fb", NOW, None), FB2], ("a", "facebook"), 0.15, None, "missing"),  # a hidden one does not
        ([point("fb", "2026-11-01", 120), FB2], ("a", "facebook"), 0.15, None, "missing"),  # too old
    ],
)
def test_followers_out_of_members(rows, who, low, high, why):
    row = proxy(*rows)[who]
    assert (share(row["low"]), share(row["high"]), row["why"]) == (low, high, why)


def test_it_is_always_labelled():
    assert {row["label"] for row in proxy(FB, FB2, B).values()} == {PROXY_LABEL}


def test_platforms_stay_apart_in_the_total_too():
    rows = proxy(FB, FB2, YT, B, by="total", units=["a", "b"])
    assert share(rows["", "facebook"]["low"]) == 0.6667  # 200 followers of 300 members
    assert share(rows["", "youtube"]["low"]) == 6.15  # only a has a channel there: 1230/200


def test_a_total_with_a_unit_of_unknown_size_is_unknown():
    assert proxy(FB, FB2, B, C, by="total")["", "facebook"]["why"] == "no_members"


def test_a_failing_channel_is_our_error():
    rows = [point("fb", "2026-11-01", 120), FB2]
    row = proxy(*rows, seen=[failed("fb", "2026-11-20 06:30")])["a", "facebook"]
    assert (row["why"], row["failed"]) == ("failed", True)


def test_interactions_per_follower():
    row = proxy(FB, FB2, counts=[("fb", 240), ("fb-2", 60)])["a", "facebook"]
    assert (row["interactions"], share(row["per_follower"])) == (300, 2)  # 300/150


def test_interactions_nobody_counted_are_missing():
    assert share(proxy(FB, FB2)["a", "facebook"]["per_follower"]) is None


def test_followers_can_be_traced():
    answer = engagement_proxy(facts(TWO, NOW, points=series(FB, B)), ask("unit"))
    assert answer.inputs[["subject", "ref", "value"]].to_numpy().tolist() == [["a", "fb", 120], ["b", "b-fb", 50]]


@settings(deadline=None, max_examples=30)
@given(st.permutations([FB, FB2, YT, B, C]))
def test_the_order_of_the_counts_changes_nothing(rows):
    one, other = (
        engagement_proxy(facts(TWO, NOW, points=series(*some)), ask("unit")).rows
        for some in ([FB, FB2, YT, B, C], rows)
    )
    assert_frame_equal(one, other)
