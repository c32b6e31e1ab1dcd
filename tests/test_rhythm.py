"""The motto as a share of days and weeks: the arithmetic stands beside each case."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from config.models import Config
from metrics.cadence import Known, cadence
from metrics.periods import Period, parse_period
from metrics.rhythm import daily_item, weekly_item
from tests.metric_builders import (
    HCMC,
    ask,
    at,
    channel,
    config_of,
    day,
    facts,
    failed,
    look,
    looks,
    post,
    posts,
    share,
    unit,
)

WEEK = parse_period("2026-W47", HCMC)  # Monday 16 to Sunday 22 November
LETTERS = {"m": "met", "x": "missed", "?": "unknown", "!": "unknown", ".": "pending", "z": "resting"}


def cells(**units: str) -> pd.DataFrame:
    """The days of units: m met, x missed, ? unknown, ! unknown and a look failed, . pending, z resting."""
    rows = [
        {
            "unit": name, "label": "tin-tot", "every": "day", "slot": WEEK.start + timedelta(days=number),
            "due": letter != "z", "any_post": LETTERS[letter], "labelled": LETTERS[letter],
            "confirmed": "pending" if letter == "m" else LETTERS[letter], "failed": letter == "!",
            "reason": "", "posts": (number,) if letter == "m" else (),
        }
        for name, letters in units.items()
        for number, letter in enumerate(letters)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def kept(by: Any = "unit", level: Any = "labelled", **units: str) -> dict[str, Any]:
    known = facts(config_of(), "2026-11-23", cells=cells(**units))
    return dict(daily_item(known, ask(by, WEEK, level=level)).rows.iloc[0])


@pytest.mark.parametrize(
    ("days", "low", "high", "why"),
    [
        ("mmmmmmm", 1.0, 1.0, ""),  # 7/7
        ("mmmmmmx", 0.8571, 0.8571, ""),  # 6/7
        ("mmmmm??", 0.7143, 1.0, ""),  # 5/7 … 7/7: unknown may be either
        ("mmmmx??", 0.5714, 0.8571, ""),  # 4/7 … 6/7
        ("xxxxxxx", 0.0, 0.0, ""),
        ("mmx....", 0.6667, 0.6667, ""),  # 2/3: days to come are not due yet
        ("mmmmmzz", 1.0, 1.0, ""),  # 5/5
        ("zzzzzzz", None, None, "resting"),  # Tết
        (".......", None, None, "pending"),
        ("???????", 0.0, 1.0, ""),
        ("!!!!!!!", 0.0, 1.0, "failed"),  # our collector failed all week
        ("m!!!!!!", 0.1429, 1.0, ""),  # 1/7 … 7/7
    ],
)
def test_days_met_out_of_days_due_with_the_unknown_ones_as_bounds(days, low, high, why):
    row = kept(a=days)
    assert (share(row["low"]), share(row["high"]), row["why"]) == (low, high, why)


def test_the_level_confirmed_counts_only_what_a_person_confirmed():
    assert share(kept(a="mmmmmmm", level="confirmed")["low"]) is None  # nobody has said anything yet
    assert share(kept(a="mmmmmmm", level="any_post")["low"]) == 1


@pytest.mark.parametrize(
    ("units", "low", "high", "known"),
    [
        ({"a": "mmmmmmm", "b": "mmmmmmx"}, 0.5, 0.5, 2),  # a kept it, b did not
        ({"a": "mmmmmmm", "b": "mmmmmm?"}, 0.5, 1.0, 1),  # b may have
        ({"a": "mmmmmmm", "b": "xmmmmm?"}, 0.5, 0.5, 2),  # b has missed one whatever the other was
        ({"a": "mmmmmmm", "b": "zzzzzzz"}, 1.0, 1.0, 1),  # b rests: only a is asked
        ({"a": "mm.....", "b": "mx....."}, 0.5, 0.5, 2),
        ({"a": "xxxxxxx", "b": "xxxxxxx", "c": "mmmmmmm"}, 0.3333, 0.3333, 3),
    ],
)
def test_in_total_the_share_of_units_that_kept_every_day(units, low, high, known):
    row = kept(by="total", **units)
    assert (share(row["low"]), share(row["high"]), row["known"]) == (low, high, known)


@pytest.mark.parametrize(("letters", "why"), [("zzzzzzz", "resting"), (".......", "pending"), ("!!!!!!!", "failed")])
def test_in_total_nothing_known_says_why(letters, why):
    assert kept(by="total", a=letters)["why"] == why


def test_the_posts_that_count_are_told():
    known = facts(config_of(), "2026-11-23", cells=cells(a="mx....."))
    assert daily_item(known, ask("unit", WEEK)).inputs[["subject", "ref"]].to_numpy().tolist() == [["a", 0]]


ONE = config_of([unit("a")], [channel("web", "website")], calendar={"public_holidays": False})


def judged(config: Config, period: Period, as_of: str, rows: Any = (), seen: Any = ()) -> dict[str, Any]:
    """From real looks and posts through `cadence`; every post is labelled."""
    items = posts(*rows)
    labels = pd.DataFrame({"post_id": items["id"], "label": "tin-tot", "at": items["first_seen_at"],
                           "evidence": "phrase", "upheld": True})  # fmt: skip
    known = cadence(config, period, Known(items, labels, looks(*seen)), at(as_of))
    return dict(daily_item(facts(config, as_of, cells=known), ask("unit", period)).rows.iloc[0])


def test_a_week_of_failed_looks_is_our_error_and_not_a_miss():
    seen = [failed("web", f"2026-11-{number} 06:30") for number in range(17, 24)]
    row = judged(ONE, WEEK, "2026-11-23 07:00", seen=seen)
    assert (row["missed"], row["unknown"], row["why"], row["failed"]) == (0, 7, "failed", True)


def test_a_week_without_any_look_is_unknown_and_nobodys_error():
    row = judged(ONE, WEEK, "2026-11-23 07:00")
    assert (row["unknown"], row["why"], row["failed"]) == (7, "", False)


def test_a_failed_look_that_a_later_one_made_good_is_forgotten():
    seen = [failed("web", "2026-11-18 06:30"), look("web", "2026-11-23 06:30", "2026-11-15 00:00")]
    row = judged(ONE, WEEK, "2026-11-23 07:00", [post(1, "web", "2026-11-18 09:00")], seen)
    assert (row["met"], row["missed"], row["unknown"], row["failed"]) == (1, 6, 0, False)


def test_a_unit_without_channels_is_told_so():
    row = judged(config_of([unit("a")]), WEEK, "2026-11-23 07:00")
    assert row["why"] == "no_channel"


def test_a_unit_opened_in_the_middle_of_the_week_owes_the_rest_of_it():
    config = config_of([unit("a", start="2026-11-20")], [channel("web", "website", start="2026-11-20")])
    seen = [look("web", "2026-11-23 06:30", "2026-11-15 00:00")]
    row = judged(config, WEEK, "2026-11-23 07:00", [post(1, "web", "2026-11-21 09:00")], seen)
    assert (row["due"], row["met"], share(row["low"])) == (3, 1, 0.3333)  # Friday to Sunday, one item


def test_the_week_of_tet_is_rest():
    config = config_of([unit("a")], [channel("web", "website")])
    tet = Period(day("2026-02-16"), day("2026-02-21"), HCMC)
    row = judged(config, tet, "2026-02-23 07:00", seen=[look("web", "2026-02-23 06:30", "2026-02-15 00:00")])
    assert (row["due"], row["missed"], row["why"]) == (0, 0, "resting")


def test_the_53rd_week_belongs_to_the_year_of_its_thursday():
    period = parse_period("2026-W53", HCMC)  # 28 December 2026 to 3 January 2027
    seen = [look("web", "2027-01-04 06:30", "2026-12-27 00:00")]
    row = judged(ONE, period, "2027-01-04 07:00", [post(1, "web", "2027-01-01 09:00")], seen)
    assert (row["due"], row["met"], share(row["low"])) == (7, 1, 0.1429)


def test_weeks_are_counted_like_days():
    frame = cells(a="mx?....").assign(every="week", label="dep")
    row = weekly_item(facts(config_of(), "2026-11-23", cells=frame), ask("unit", WEEK, label="dep")).rows.iloc[0]
    assert (share(row["low"]), share(row["high"])) == (0.3333, 0.6667)  # 1/3 … 2/3


@settings(deadline=None, max_examples=30)
@given(st.lists(st.text("mx?!.z", min_size=7, max_size=7), min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_the_order_of_the_cells_changes_nothing(weeks, random):
    frame = cells(**{f"u{number}": letters for number, letters in enumerate(weeks)})
    order = list(frame.index)
    random.shuffle(order)
    for by in ("unit", "total"):
        one, other = (
            daily_item(facts(config_of(), "2026-11-23", cells=rows), ask(by, WEEK)).rows
            for rows in (frame, frame.loc[order])
        )
        assert_frame_equal(one, other)


@settings(deadline=None, max_examples=30)
@given(st.text("mx?!", min_size=7, max_size=7), st.randoms(use_true_random=False))
def test_whatever_the_unknown_days_were_the_answer_lies_within_the_bounds(letters, random):
    row = kept(a=letters)
    truth = "".join(random.choice("mx") if letter in "?!" else letter for letter in letters)
    assert row["low"] <= kept(a=truth)["low"] <= row["high"]
