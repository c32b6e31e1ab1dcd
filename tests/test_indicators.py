"""What holds for every indicator: one shape, one face, no memory of the order, and no waiting."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest

from config.plan_models import Indicator as PlanIndicator
from metrics.asking import INPUT_COLUMNS, Ask, Facts, Measured, Why
from metrics.cadence import Known, cadence
from metrics.indicators import INDICATORS
from metrics.meeting import units_meeting
from metrics.periods import Period, parse_period
from metrics.progress import Target, progress
from metrics.share import reported_count
from metrics.telling import meeting, sentence, sentences
from store.records import Figure, LookResult, Precision, Reading, Slot, Snapshot, Source
from tests.metric_builders import (
    HCMC,
    Y2026,
    ask,
    at,
    channel,
    config_of,
    facts,
    figure,
    figures,
    look,
    looks,
    point,
    post,
    posts,
    series,
    share,
    unit,
)
from tests.test_duty import FOUR

MEMBERS = [{"start": "2025-01-01", "count": 100}]
Y2025 = parse_period("2025", HCMC)
CONFIG = config_of(
    [unit("a", members=MEMBERS), unit("b", members=MEMBERS)],
    [channel("a-fb"), channel("a-web", "website"), channel("b-fb", unit="b"), channel("b-yt", "youtube", "b")],
    labels={
        "tin-tot": {"name": "Tin tốt", "every": "day", "clause": "II-CT.2", "phrases": ["tin tốt"]},
        "dep": {"name": "Câu chuyện đẹp", "every": "week", "clause": "II-CT.2", "phrases": ["đẹp"]},
    },
)
NOW = "2026-11-23 07:00"
WEEK = parse_period("2026-W47", HCMC)


def everything(later: bool = False, turned: bool = False) -> Facts:
    """A week of both units; with what comes to be known later, and upside down, if asked."""
    after = "2026-11-25"
    frames = {
        "points": [
            point("a-fb", "2025-12-31", 1_000), point("a-fb", "2026-11-22", 1_060),
            point("b-fb", "2025-12-31", 500), point("b-fb", "2026-11-22", 510), point("b-yt", "2026-11-22", 70),
            *([point("a-fb", after, 9_999), point("b-yt", after, 8)] if later else []),
        ],
        "looks": [
            *(look(name, "2026-11-23 06:30", "2026-10-01") for name in ("a-fb", "a-web", "b-fb")),
            look("b-yt", "2026-11-22 06:30", state="failed", outcome="quota"),
            *([look("b-yt", after, "2026-10-01")] if later else []),
        ],
        "posts": [
            post(1, "a-fb", "2026-11-17"), post(2, "a-web", "2026-11-18"), post(3, "b-fb", "2026-11-19"),
            *([post(4, "b-fb", "2026-11-20", seen=after)] if later else []),
        ],
        "figures": [
            figure("a", 80, 100), figure("a", value=4, measure="people"),
            figure("a", value=2, measure="people", period=Y2025),
            *([figure("b", 5, 100, told=after), figure("a", 1, 100, told=after, turn=2)] if later else []),
        ],
    }  # fmt: skip
    turn = -1 if turned else 1
    built = {"points": series, "looks": looks, "posts": posts, "figures": figures}
    made = {name: built[name](*rows[::turn]) for name, rows in frames.items()}
    labels = pd.DataFrame({"post_id": [1, 2, 3], "label": ["tin-tot", "dep", "tin-tot"], "evidence": "phrase",
                           "at": at("2026-11-20"), "upheld": True})  # fmt: skip
    cells = cadence(CONFIG, WEEK, Known(made["posts"], labels, made["looks"]), at(NOW))
    return facts(CONFIG, NOW, **made, daily=made["points"], cells=cells, tasks=FOUR)


def asked(name: str, by: Any) -> Ask:
    period = WEEK if name.endswith("_item") else Y2026
    measure = "linked" if name == "reported_share" else "people"
    return ask(by, period, measure=measure, baseline_period=Y2025)


FACES = [(name, by) for name in INDICATORS for by in ("unit", "total")]


@pytest.mark.parametrize(("name", "by"), FACES)
def test_every_indicator_answers_in_one_shape(name, by):
    answer = INDICATORS[name].measure(everything(), asked(name, by))
    rows = answer.rows
    kinds = {"low": "Float64", "high": "Float64", "shown": "Float64", "known": "Int64", "wanted": "Int64"}
    assert {column: str(rows[column].dtype) for column in kinds} == kinds
    assert rows["failed"].dtype == bool
    assert {"subject"} <= set(rows.columns)
    assert all(Why(why) in Why for why in rows["why"])
    assert list(answer.inputs.columns) == list(INPUT_COLUMNS)


@pytest.mark.parametrize(("name", "by"), FACES)
def test_every_answer_can_be_judged_and_told(name, by):
    indicator = INDICATORS[name]
    rows = indicator.measure(everything(), asked(name, by)).rows
    target = Target(None if indicator.proxy else 0.05, indicator.pace)
    told = sentences(progress(rows, target, Y2026, everything().today), indicator.tell)
    assert told
    assert all(text.endswith(".") and not text.endswith("..") and "nan" not in text.lower() for text in told)


@pytest.mark.parametrize(("name", "by"), FACES)
def test_what_becomes_known_later_changes_no_earlier_answer(name, by):
    one, other = (INDICATORS[name].measure(known, asked(name, by)) for known in (everything(), everything(later=True)))
    pd.testing.assert_frame_equal(one.rows, other.rows)
    pd.testing.assert_frame_equal(one.inputs, other.inputs, check_dtype=False)


@pytest.mark.parametrize(("name", "by"), FACES)
def test_the_order_of_what_is_known_changes_nothing(name, by):
    one, other = (INDICATORS[name].measure(known, asked(name, by)) for known in (everything(), everything(turned=True)))
    pd.testing.assert_frame_equal(one.rows, other.rows)


@pytest.mark.parametrize(("name", "by"), FACES)
def test_a_district_that_knows_nothing_yet_gets_an_answer(name, by):
    nothing = facts(CONFIG, NOW)
    rows = INDICATORS[name].measure(nothing, asked(name, by)).rows
    status = progress(rows, Target(0.05, INDICATORS[name].pace), Y2026, nothing.today)["status"]
    assert not set(status) & {"met", "not_met", "behind", "at_risk"}


def test_the_plans_name_only_what_can_be_measured():
    told_by_hand = {"narrative", "units_meeting"}
    assert set(get_args(PlanIndicator)) == set(INDICATORS) | told_by_hand


def kept(**shares: tuple[float, float]) -> Measured:
    frame = pd.DataFrame([{"unit": name, "low": low, "high": high} for name, (low, high) in shares.items()])
    frame = frame.astype({"low": "Float64", "high": "Float64"})
    return Measured(frame.assign(why="", failed=False), pd.DataFrame(columns=list(INPUT_COLUMNS)))


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        ((1, 1), (1, 1), 1, 1),
        ((1, 1), (0.9, 0.9), 0, 0),
        ((1, 1), (0.9, 1), 0, 1),  # the second may be
        ((0.5, 0.5), (0.9, 1), 0, 0),  # the first is not, whatever the second is
    ],
)
def test_a_unit_meets_a_row_when_it_meets_each_of_its_parts(first, second, low, high):
    row = units_meeting([(kept(a=first), 1.0), (kept(a=second), 1.0)], ask("unit")).rows.iloc[0]
    assert (share(row["low"]), share(row["high"])) == (low, high)


def test_what_rests_excuses_a_unit_from_that_part():
    resting = kept(a=(0, 0))
    resting.rows["why"] = "resting"
    row = units_meeting([(kept(a=(1, 1)), 1.0), (resting, 1.0)], ask("unit")).rows.iloc[0]
    assert (share(row["low"]), row["parts"]) == (1, 1)


def test_the_share_of_units_that_meet_everything():
    parts = [(kept(a=(1, 1), b=(1, 1), c=(0, 1)), 1.0), (kept(a=(1, 1), b=(0, 0), c=(1, 1)), 1.0)]
    row = units_meeting(parts, ask("total")).rows.iloc[0]  # a does, b does not, c may
    assert (share(row["low"]), share(row["high"]), row["known"], row["wanted"]) == (0.3333, 0.6667, 2, 3)
    judged = progress(pd.DataFrame([row]), Target(1.0, INDICATORS["daily_item"].pace), WEEK, WEEK.end)
    assert sentence(judged.to_dict("records")[0], meeting) == (
        "1/3 đơn vị thực hiện tốt, 1 đơn vị chưa xác minh được, chỉ tiêu 100 %: chưa đạt."
    )


@pytest.mark.parametrize(
    ("told", "by", "low", "high", "why"),
    [
        ([("a", 4), ("b", 6)], "total", 10, 10, ""),
        ([("a", 4)], "total", 4, None, ""),  # at least
        ([], "total", None, None, "not_reported"),
        ([("a", 0), ("b", 0)], "total", 0, 0, ""),  # a reported zero is a zero
        ([("a", 4)], "unit", 4, 4, ""),
    ],
)
def test_plain_numbers_are_added_up_as_far_as_they_were_told(told, by, low, high, why):
    frame = figures(*(figure(name, value=count, measure="sessions") for name, count in told))
    row = reported_count(facts(CONFIG, NOW, figures=frame), ask(by, measure="sessions")).rows.iloc[0]
    assert (share(row["low"]), share(row["high"]), row["why"]) == (low, high, why)


def test_frames_of_the_store_are_understood_as_they_are(store):
    own = config_of([unit("a", members=MEMBERS)], [channel("tube", "youtube")])
    store.sync(own.units.values(), own.channels.values(), at("2025-12-01"))
    for number, (day_, followers) in enumerate([("2025-12-31", 1_240), ("2026-11-20", 1_300)]):
        reading = Reading((Snapshot(at(day_), Source.YOUTUBE_KEY, followers, precision=Precision.FLOOR3),))
        taken = store.take([Slot("tube", at(day_))], f"w{number}", at(day_), timedelta(minutes=10))
        store.record([LookResult(one, at(day_), at(day_), reading) for one in taken])
    store.add_figures([Figure("a", "linked", Y2026.start, Y2026.end, "Đoàn phường (mẫu)", at("2026-11-01"),
                              "báo cáo (mẫu)", numerator=80, denominator=100)])  # fmt: skip
    seen = {"looks": store.looks(at("2026-11-01"), at("2026-11-21")), "figures": store.figures(at("2026-11-20 13:00"))}
    whole = store.series(at("2025-12-01"), at("2026-12-01"))
    for points in (whole, store.value_at([at("2026-01-01"), at("2026-11-20")])):
        known = facts(own, "2026-11-20 13:00", points=points, daily=whole, **seen)
        grown = INDICATORS["audience_growth"].measure(known, ask("unit")).rows.iloc[0]
        assert (share(grown["low"]), share(grown["high"]), grown["why"]) == (0.0408, 0.0556, "")
    told = INDICATORS["reported_share"].measure(known, ask("total", measure="linked")).rows.iloc[0]
    assert share(told["low"]) == 0.8
    sites = INDICATORS["channel_presence"].measure(known, ask("unit")).rows.iloc[0]
    assert sites["why"] == "missing"  # the looks prove two moments and no whole window


UNITS, PLATFORMS = 3_300, ("facebook", "tiktok", "youtube", "zalo", "website")


def big() -> Facts:
    """The country: 3,300 units with five channels, 90 daily counts of each, looks, posts, figures and tasks."""
    names = [f"u{number:04}" for number in range(UNITS)]
    config = config_of(
        [unit(name, members=MEMBERS) for name in names],
        [channel(f"{name}-{kind}", kind, name) for name in names for kind in PLATFORMS],
    )
    channels = np.array(list(config.channels))
    days = pd.date_range(at("2026-08-22"), periods=90)
    moments = pd.DatetimeIndex([pd.Timestamp(at("2025-12-31")), *days])
    rng = np.random.default_rng(7)
    walks = 5_000 + rng.integers(0, 9, (len(channels), len(moments))).cumsum(axis=1)
    points = pd.DataFrame(
        {
            "channel": np.repeat(channels, len(moments)),
            "observed_at": np.tile(moments, len(channels)),
            "followers": pd.array(walks.ravel(), "Int64"),
            "precision": pd.Categorical(["exact"]).repeat(walks.size),
            "source": pd.Categorical(["facebook_page"]).repeat(walks.size),
        }
    )
    points = points.assign(
        **{name: pd.array([None], "Int64").repeat(walks.size) for name in ("likes", "posts", "views")}
    )
    ends = points[points["observed_at"].isin([moments[0], moments[-1]])]
    slots = pd.date_range(WEEK.start, periods=7).to_numpy()
    state = rng.choice(["met", "missed", "unknown"], UNITS * 7, p=[0.8, 0.1, 0.1])
    cells = pd.DataFrame(
        {"unit": np.repeat(names, 7), "label": "tin-tot", "every": "day", "slot": np.tile(slots, UNITS), "due": True,
         "any_post": state, "labelled": state, "confirmed": state, "reason": "", "failed": state == "unknown"}
    )  # fmt: skip
    cells["posts"] = [(number,) if word == "met" else () for number, word in enumerate(state)]
    seen = pd.DataFrame({"channel": channels, "state": "done", "complete": True, "outcome": "ok"})
    seen = seen.assign(coverage_from=at("2026-10-01"), started_at=at("2026-11-20 06:30"))
    items = pd.DataFrame({"id": range(len(channels) * 10), "channel": np.repeat(channels, 10), "is_share": False})
    items = items.assign(published_at=at("2026-11-10"), first_seen_at=at("2026-11-10 13:00"))
    heads = [(8, Y2025), (9, Y2026)]
    people = [figure(name, value=n, measure="people", period=when) for name in names for n, when in heads]
    told = figures(*(figure(name, 80, 100) for name in names), *people)
    duties = pd.concat([FOUR] * 20, ignore_index=True)
    frames = {"points": ends, "daily": points, "cells": cells, "looks": seen, "posts": items, "figures": told}
    return facts(config, "2026-11-20", **frames, tasks=duties)


@pytest.fixture(scope="module")
def country() -> Facts:
    return big()


def test_the_whole_country_is_judged_in_two_seconds(country):
    took = {}
    for name, indicator in INDICATORS.items():
        start = time.process_time()
        answer = indicator.measure(country, asked(name, "unit"))
        progress(answer.rows, Target(0.05, indicator.pace), Y2026, country.today)
        took[name] = time.process_time() - start
    assert sum(took.values()) < 2, took


def test_the_district_s_period_may_begin_in_the_middle_of_it():
    period = Period(Y2026.start + timedelta(days=59), Y2026.end, HCMC)  # from 1 March: 28 February is the baseline
    known = facts(CONFIG, NOW, points=series(point("a-fb", "2026-02-28", 1_000), point("a-fb", "2026-11-22", 1_100)))
    row = INDICATORS["audience_growth"].measure(known, ask("channel", period, channels=["a-fb"])).rows.iloc[0]
    assert (row["base_gap"], share(row["low"])) == (0, 0.1)
