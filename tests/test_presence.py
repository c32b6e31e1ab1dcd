"""Whether sites and channels are alive: a post proves life, only complete looks prove that there was none."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from metrics.presence import channel_presence, site_presence
from tests.metric_builders import ask, channel, config_of, facts, failed, look, looks, post, posts, share, unit

NOW = "2026-11-20"
SITE = config_of([unit("a")], [channel("web", "website")])
WHOLE = look("web", "2026-11-20 06:30", "2026-10-01")
"""One look that saw everything since October."""


def site(seen: Any = (), rows: Any = (), as_of: str = NOW, **more: Any) -> dict[str, Any]:
    known = facts(SITE, as_of, looks=looks(*seen), posts=posts(*rows))
    return dict(site_presence(known, ask("channel", **more)).rows.iloc[0])


@pytest.mark.parametrize(
    ("seen", "published", "state", "why"),
    [
        ([WHOLE], "2026-11-01", "alive", ""),
        ([WHOLE], "2026-10-21", "alive", ""),  # 30 days back is 21 October
        ([WHOLE], "2026-10-20", "idle", ""),
        ([WHOLE], None, "idle", ""),
        ([look("web", "2026-11-20 06:30", "2026-11-10")], None, "blind", "missing"),  # saw ten days of thirty
        ([], None, "blind", "missing"),  # nobody looked
        ([failed("web", "2026-11-20 06:30")], None, "blind", "failed"),
        ([failed("web", "2026-11-20 06:30")], "2026-11-01", "blind", "failed"),  # it had posts, but does not answer
        ([failed("web", "2026-11-19 06:30"), WHOLE], "2026-11-01", "alive", ""),
        ([WHOLE, failed("web", "2026-11-20 09:00")], None, "idle", ""),  # proved before it failed
    ],
)
def test_a_site_is_alive_idle_or_nothing_can_be_said(seen, published, state, why):
    row = site(seen, [post(1, "web", published)] if published else [])
    assert (row["state"], row["why"]) == (state, why)


@pytest.mark.parametrize(
    ("looked", "now", "state"),
    [
        ("2026-11-20 18:30", "2026-11-20 23:00", "idle"),
        ("2026-11-20 18:30", "2026-11-21 00:05", "idle"),  # the 20th is not wholly seen before the next look
        ("2026-11-20 18:30", "2026-11-21 18:00", "idle"),
        ("2026-11-20 18:30", "2026-11-22 00:05", "blind"),  # a look is missing
    ],
)
def test_the_hour_of_the_day_changes_nothing_where_one_look_a_day_is_taken(looked, now, state):
    assert site([look("web", looked, "2026-10-01")], as_of=now)["state"] == state


def test_a_post_counts_within_the_days_that_are_proved():
    evening = [look("web", "2026-11-20 18:30", "2026-10-01")]
    states = [
        site(evening, [post(1, "web", day)], as_of="2026-11-21 08:00")["state"] for day in ("2026-10-21", "2026-10-20")
    ]
    assert states == ["alive", "idle"]  # seen up to the 19th: thirty days are those since 21 October


def test_a_failing_week_is_never_held_against_the_site():
    row = site([failed("web", f"2026-11-{number} 06:30") for number in range(14, 21)])
    assert (share(row["low"]), share(row["high"]), row["failed"], row["trouble"]) == (0, 1, True, "network")


def test_how_often_a_site_answered_stands_beside():
    row = site([WHOLE, *(failed("web", f"2026-11-{number} 06:30") for number in (17, 18, 19))])
    assert (row["looks"], row["answered"], share(row["reachable"])) == (4, 1, 0.25)


def test_days_since_the_last_article_are_counted_from_its_moment():
    row = site([WHOLE], [post(1, "web", "2026-11-01"), post(2, "web", "2026-10-25")])
    assert (row["idle_days"], row["posts"]) == (19, 2)


def test_what_was_seen_or_looked_at_later_does_not_count_yet():
    rows = [post(1, "web", "2026-11-01", seen="2026-11-21")]
    later = look("web", "2026-11-21 06:30", "2026-10-01")
    assert site([later], rows)["state"] == "blind"


def test_a_share_is_no_article():
    assert site([WHOLE], [post(1, "web", "2026-11-01", is_share=True)])["state"] == "idle"


def test_a_channel_of_another_platform_is_no_site():
    config = config_of([unit("a")], [channel("page")])
    assert site_presence(facts(config, NOW), ask("channel")).rows.empty


TWO = config_of([unit("a"), unit("b")], [channel("page"), channel("web", "website"), channel("b-page", unit="b")])


def units(seen: Any = (), rows: Any = (), by: Any = "unit") -> Any:
    known = facts(TWO, NOW, looks=looks(*seen), posts=posts(*rows))
    return channel_presence(known, ask(by)).rows


def saw(name: str) -> dict[str, Any]:
    return look(name, "2026-11-20 06:30", "2026-10-01")


@pytest.mark.parametrize(
    ("seen", "published", "low", "high", "why"),
    [
        ([], ["page"], 1, 1, ""),  # one live channel is enough
        ([saw("page"), saw("web")], [], 0, 0, ""),  # both proved idle
        ([saw("page")], [], 0, 1, "missing"),  # the site was not looked at
        ([saw("page"), failed("web", "2026-11-20 06:30")], [], 0, 1, "failed"),
        ([failed("page", "2026-11-20 06:30"), failed("web", "2026-11-20 06:30")], [], 0, 1, "failed"),
        ([failed("page", "2026-11-20 06:30")], ["page"], 1, 1, ""),  # the post is there, whatever our look did
    ],
)
def test_a_unit_is_present_where_one_channel_is_alive(seen, published, low, high, why):
    rows = units(seen, [post(number, name, "2026-11-10") for number, name in enumerate(published)])
    row = rows[rows["unit"] == "a"].iloc[0]
    assert (share(row["low"]), share(row["high"]), row["why"]) == (low, high, why)


def test_a_unit_without_a_channel_is_told_so():
    config = config_of([unit("a")])
    row = channel_presence(facts(config, NOW), ask("unit")).rows.iloc[0]
    assert (row["why"], share(row["low"]), share(row["high"])) == ("no_channel", 0, 1)


def test_in_total_unknown_units_widen_the_share():
    row = units([], [post(1, "page", "2026-11-10")], "total").iloc[0]
    assert (share(row["low"]), share(row["high"]), row["known"], row["wanted"]) == (0.5, 1, 1, 2)  # a 1, b unknown


def test_a_unit_closed_by_now_is_not_asked():
    config = config_of([unit("a"), unit("gone", until="2026-07-01")])
    assert channel_presence(facts(config, NOW), ask("unit")).rows["unit"].tolist() == ["a"]


def test_the_last_look_and_post_can_be_traced():
    known = facts(SITE, NOW, looks=looks(WHOLE), posts=posts(post(1, "web", "2026-11-01")))
    inputs = site_presence(known, ask("channel")).inputs
    assert inputs[["role", "ref", "source"]].to_numpy().tolist() == [
        ["look", "web", "website"],
        ["post", "web", "website"],
    ]


@settings(deadline=None, max_examples=30)
@given(st.permutations([saw("page"), failed("page", "2026-11-18 06:30"), saw("b-page"), failed("web", "2026-11-19")]))
def test_the_order_of_the_looks_changes_nothing(seen):
    rows = [post(1, "page", "2026-11-10")]
    first = units([saw("page"), failed("page", "2026-11-18 06:30"), saw("b-page"), failed("web", "2026-11-19")], rows)
    assert_frame_equal(units(seen, rows), first)
