"""Each silence worked by hand: when it is due, what the looks prove of it, and whose it is."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from config.alert_models import Alerts
from config.models import Config
from metrics.quiet import Silent, looks_needed, quiet, stretches
from store.verbs import Store
from tests import store_builders as stored
from tests.metric_builders import at, channel, config_of, failed, look, looks, post, posts, unit

DAY = timedelta(days=1)
KINDS = {
    "phuong": {"name": "Phường"},
    "truong": {
        "name": "Trường",
        "breaks": [{"name": "Nghỉ hè", "start": "2026-06-01", "until": "2026-08-24"}],
    },
    "quan": {"name": "Quận", "grassroots": False},
}
WEEKENDS = {"rest_weekdays": ["sat", "sun"]}
REELS = "Chưa đọc được thước phim ngắn của trang này. Hệ thống chỉ tính các bài khác."
SNOOZE = ["subject", "start", "until"]


def district(*, units=(), channels=(), alerts: dict[str, Any] | None = None, **more: Any) -> Config:
    config = config_of(units or [unit("a")], channels or [channel("k")], **{"kinds": KINDS, **more})
    return replace(config, alerts=Alerts.model_validate(alerts or {}))


def every_day(slug: str, first: str, last: str, covers: int = 2, hour: str = "06:30") -> list[dict[str, Any]]:
    """One complete look a day, each covering so many days."""
    days = pd.date_range(first, last).strftime("%Y-%m-%d")
    return [look(slug, f"{day} {hour}") | {"coverage_from": at(f"{day} {hour}") - covers * DAY} for day in days]


def partial(slug: str, started: str) -> dict[str, Any]:
    return look(slug, started) | {"complete": False}


def snoozes(*rows: tuple[str, str, str | None]) -> pd.DataFrame:
    frame = pd.DataFrame([(name, at(start), until and at(until)) for name, start, until in rows], columns=SNOOZE)
    return frame.assign(**{name: pd.to_datetime(frame[name], utc=True) for name in SNOOZE[1:]})


def newest(asked: pd.DataFrame, items: list[dict[str, Any]], seen: list[dict[str, Any]], as_of) -> pd.DataFrame:
    """What Store.last_posts answers, by going through all posts and looks."""

    def last(row) -> Any:
        moments = [
            item["published_at"]
            for item in items
            if item["channel"] == row.channel and item["published_at"] >= row.start and item["published_at"] <= as_of
            if (pd.isna(row.until) or item["published_at"] < row.until) and item["first_seen_at"] <= as_of
            if row.shares or not item["is_share"]
        ]
        return max(moments, default=None)

    def read(row) -> Any:
        good = [one for one in seen if one["channel"] == row.channel and one["complete"] and one["started_at"] <= as_of]
        return min((one["coverage_from"] for one in good if one["coverage_from"]), default=None)

    rows = [(last(row), read(row)) for row in asked.itertuples()]
    known = pd.DataFrame([(post_at, None if post_at else at) for post_at, at in rows], columns=["post", "read"])
    moments = {name: pd.to_datetime(known[name], utc=True) for name in known}
    return asked.assign(last_post_at=moments["post"], read_from=moments["read"])


def judged(config: Config, as_of: str, items=(), seen=(), paused=(), notes: dict[str, tuple[str, ...]] | None = None):
    """The whole answer, indexed by (kind, subject)."""
    now = at(as_of)
    frame = looks(*seen)
    frame["notes"] = pd.Series([(notes or {}).get(slug, ()) for slug in frame["channel"]], dtype=object)
    last = newest(stretches(config, now), list(items), list(seen), now)
    known = Silent(last, frame, snoozes(*paused), posts(*items))
    return quiet(config, known, now).set_index(["kind", "subject"])


def of_unit(config: Config, as_of: str, items=(), seen=(), **more: Any) -> Any:
    return judged(config, as_of, items, seen, **more).loc["unit", "a"]


ONE = [post(1, "k", "2026-10-05 09:00")]
"""On a Monday: with seven days and one of grace it is due when Tuesday, 13 October, is over."""
WATCHED = every_day("k", "2026-10-01", "2026-10-31")
BEFORE = every_day("k", "2026-10-01", "2026-10-07")
"""Looks that stop two days after the post, and then …"""
AFTER_A_GAP = [*BEFORE, *every_day("k", "2026-10-12", "2026-10-19")]
GOOD_TO_15TH = every_day("k", "2026-10-01", "2026-10-15")
NINTH_ON = [f"2026-10-{day:02}" for day in range(9, 20)]
SHARE = post(2, "k", "2026-10-10", is_share=True)
SCHOOL = {"units": [unit("a", kind="truong")]}
OPENED = {"units": [unit("a", "2026-10-10")], "channels": [channel("k", start="2026-10-10")]}
TET = [post(1, "k", "2026-02-09 09:00")]

CASES: dict[str, tuple[Any, ...]] = {
    "in the last minute of its deadline a unit is active": (
        {}, "2026-10-13 23:59", ONE, WATCHED, "active", "2026-10-14 00:00"),
    "the deadline is over and no look has come since": (
        {}, "2026-10-14 00:00", ONE, WATCHED, "unknown", "2026-10-14 00:00"),
    "the first complete look after the deadline proves it": (
        {}, "2026-10-14 06:30", ONE, WATCHED, "quiet", "2026-10-14 00:00"),
    "a post just after local midnight gives a whole day more": (
        {}, "2026-10-14 07:00", [post(1, "k", "2026-10-06 00:00")], WATCHED, "active", "2026-10-15 00:00"),
    "a post just before local midnight does not": (
        {}, "2026-10-14 07:00", [post(1, "k", "2026-10-05 23:59")], WATCHED, "quiet", "2026-10-14 00:00"),
    "week-ends do not count where they are rest days": (
        {"calendar": WEEKENDS}, "2026-10-15 07:00", ONE, WATCHED, "active", "2026-10-16 00:00"),
    "nobody is quiet on a rest day": (
        {"calendar": WEEKENDS}, "2026-10-17 07:00", ONE, WATCHED, "resting", "2026-10-16 00:00"),
    "and on Monday the silence is told again": (
        {"calendar": WEEKENDS}, "2026-10-19 07:00", ONE, WATCHED, "quiet", "2026-10-16 00:00"),
    "Tet does not count": (  # 14 to 22 February 2026 rest, with the week-ends that touch it
        {}, "2026-02-25 12:00", TET, every_day("k", "2026-02-01", "2026-03-10"), "active", "2026-02-27 00:00"),
    "after Tet the rest of the interval runs on": (
        {}, "2026-02-27 07:00", TET, every_day("k", "2026-02-01", "2026-03-10"), "quiet", "2026-02-27 00:00"),
    "a school rests in summer": (
        SCHOOL, "2026-07-15", [post(1, "k", "2026-05-29 09:00")], every_day("k", "2026-05-01", "2026-07-15"),
        "active", "2026-09-04 00:00"),  # 30 and 31 May, 24 to 28 August, and 3 September after the holidays
    "a school that was quiet before the summer rests too": (
        SCHOOL, "2026-06-10", [post(1, "k", "2026-05-11 09:00")], every_day("k", "2026-05-01", "2026-07-15"),
        "resting", "2026-05-20 00:00"),
    "a gap between looks is not silence": (
        {}, "2026-10-14 07:00", ONE, [*BEFORE, *every_day("k", "2026-10-12", "2026-10-14")],
        "unknown", "2026-10-14 00:00"),
    "a later look that covers the gap proves it": (
        {}, "2026-10-14 07:00", ONE, [*BEFORE, look("k", "2026-10-14 06:30", "2026-10-06")],
        "quiet", "2026-10-14 00:00"),
    "after a gap silence has to last its time anew": (
        {}, "2026-10-18 07:00", ONE, AFTER_A_GAP, "unknown", "2026-10-14 00:00"),
    "and then it is the same silence": (
        {}, "2026-10-19 07:00", ONE, AFTER_A_GAP, "quiet", "2026-10-14 00:00"),
    "a proof may be as old as the longest time between two looks and two hours": (
        {}, "2026-10-15 20:30", ONE, GOOD_TO_15TH, "quiet", "2026-10-14 00:00"),
    "an older one proves nothing any more": (
        {}, "2026-10-15 20:31", ONE, GOOD_TO_15TH, "unknown", "2026-10-14 00:00"),
    "partial looks after the deadline do not carry the proof on": (
        {}, "2026-10-20", ONE, [*GOOD_TO_15TH, *[partial("k", f"2026-10-{day}") for day in range(16, 21)]],
        "unknown", "2026-10-14 00:00"),
    "failed looks after the deadline do not either": (
        {}, "2026-10-20", ONE, [*GOOD_TO_15TH, *[failed("k", f"2026-10-{day}") for day in range(16, 21)]],
        "unknown", "2026-10-14 00:00"),
    "failed looks are not silence": (
        {}, "2026-10-20", ONE, [*BEFORE, *[failed("k", day) for day in NINTH_ON]],
        "unknown", "2026-10-14 00:00"),
    "partial looks are not silence": (
        {}, "2026-10-20", ONE, [*BEFORE, *[partial("k", day) for day in NINTH_ON]],
        "unknown", "2026-10-14 00:00"),
    "a look without promise is not silence": (
        {}, "2026-10-20", ONE, [look("k", day) for day in NINTH_ON], "unknown", "2026-10-14 00:00"),
    "a shared post is no own post": (
        {}, "2026-10-14 07:00", [*ONE, SHARE], WATCHED, "quiet", "2026-10-14 00:00"),
    "unless the district says so": (
        {"alerts": {"silence": {"shares": True}}}, "2026-10-14 07:00", [*ONE, SHARE], WATCHED,
        "active", "2026-10-19 00:00"),
    "a kind of unit may have an interval of its own": (
        {"alerts": {"silence_of": {"phuong": {"interval": 2, "grace": 0}}}}, "2026-10-08 07:00", ONE, WATCHED,
        "quiet", "2026-10-08 00:00"),
    "a post that is seen later counts only then": (
        {}, "2026-10-14 07:00", [*ONE, post(2, "k", "2026-10-12", "2026-10-14 18:30")], WATCHED,
        "quiet", "2026-10-14 00:00"),
    "and then it counts from its own day": (
        {}, "2026-10-14 19:00", [*ONE, post(2, "k", "2026-10-12", "2026-10-14 18:30")], WATCHED,
        "active", "2026-10-21 00:00"),
    "a guessed date is a sign of life": (
        {}, "2026-10-14 07:00", [*ONE, post(2, "k", "2026-10-10") | {"date_confidence": "low"}], WATCHED,
        "active", "2026-10-19 00:00"),
    "a deleted post was a sign of life": (
        {}, "2026-10-14 07:00", [*ONE, post(2, "k", "2026-10-10") | {"gone_at": at("2026-10-11")}], WATCHED,
        "active", "2026-10-19 00:00"),
    "a unit opened midway has its first interval too": (
        OPENED, "2026-10-18 23:00", [], WATCHED,
        "active", "2026-10-19 00:00"),
    "and is quiet after it": (
        OPENED, "2026-10-19 07:00", [], WATCHED,
        "quiet", "2026-10-19 00:00"),
    "without any post silence is counted from the first proof": (
        {}, "2026-10-07 12:00", [], WATCHED, "unknown", "2026-10-08 00:00"),
    "and is told when that has lasted long enough": (
        {}, "2026-10-08 06:30", [], WATCHED, "quiet", "2026-10-08 00:00"),
    "a site that never had a post is quiet at once": (
        {}, "2026-10-03 12:00", [], [look("k", "2026-10-03 06:30", "1970-01-01")], "quiet", "2020-01-10 00:00"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_silence_by_hand(case: str):
    more, as_of, items, seen, state, due = CASES[case]
    row = of_unit(district(**more), as_of, items, seen)
    assert (row["state"], row["due_at"]) == (state, at(due))


def test_an_answer_tells_all_that_the_texts_need():
    items = [post(n, "k", f"2026-{day}") for n, day in enumerate(["09-01", "09-03", "09-05", "09-08", "10-05 09:00"])]
    row = of_unit(district(), "2026-10-20", items, WATCHED, notes={"k": (REELS,)})
    assert row["last_post_at"] == row["clock_from"] == at("2026-10-05 09:00")
    assert (row["proved_from"], row["proved_until"]) == (at("2026-10-05 09:00"), at("2026-10-20 06:30"))
    assert (row["silent_days"], row["reason"], row["failed"]) == (15, "", False)
    assert (row["notes"], row["own_rhythm_days"], row["channels"]) == ((REELS,), 2.5, ("k",))


def test_under_five_posts_there_is_no_rhythm():
    assert pd.isna(of_unit(district(), "2026-10-20", ONE * 4, WATCHED)["own_rhythm_days"])


def test_a_failed_look_that_would_have_told_is_named():
    lost = [*every_day("k", "2026-10-01", "2026-10-08"), failed("k", "2026-10-13")]
    row = of_unit(district(), "2026-10-20", ONE, lost)
    assert row["failed"]
    assert row["reason"] == "mới đọc trọn từ 05/10/2026 đến 08/10/2026"


def test_a_failure_that_was_made_up_for_or_lies_before_is_not_to_blame():
    early = [failed("k", "2026-10-03"), *every_day("k", "2026-10-01", "2026-10-08"), failed("k", "2026-10-07 18:30")]
    assert not of_unit(district(), "2026-10-20", ONE, early)["failed"]


def test_one_channel_that_fails_makes_the_unit_unknown_and_the_other_stays_judged():
    config = district(channels=[channel("k"), channel("t", "tiktok")])
    answer = judged(config, "2026-10-20", ONE, [*WATCHED, failed("t", "2026-10-19")])
    assert answer["state"].to_dict() == {
        ("unit", "a"): "unknown", ("channel", "k"): "quiet", ("channel", "t"): "unknown",
    }  # fmt: skip
    assert answer["failed"].tolist() == [True, False, True]
    assert answer.loc[("channel", "t"), "reason"] == "chưa lần nào đọc trọn"


def test_a_post_on_any_channel_is_a_sign_of_life_of_the_unit():
    config = district(channels=[channel("k"), channel("t", "tiktok")])
    answer = judged(config, "2026-10-20", [*ONE, post(2, "t", "2026-10-18")], WATCHED)
    assert answer["state"].tolist() == ["active", "quiet", "active"]


def test_a_unit_without_a_channel_cannot_be_judged():
    config = district(units=[unit("a")], channels=[channel("q", unit="b"), channel("k", sample=True)])
    config = replace(config, units={**config.units, "b": unit("b", kind="quan")})
    answer = judged(config, "2026-10-20", [], every_day("q", "2026-10-01", "2026-10-20"))
    assert answer.loc[("unit", "a"), ["state", "reason"]].tolist() == ["unknown", "chưa khai báo kênh"]
    assert answer.index.tolist() == [("unit", "a"), ("channel", "q")]
    assert answer.loc[("channel", "q"), "state"] == "quiet"


def merged() -> Config:
    """a takes over from b and c on 10 October, with a new page of its own and the page of b."""
    units = [unit("a", "2026-10-10"), *[unit(old, until="2026-10-10", successors=["a"]) for old in "bc"]]
    spans = [{"unit": "b", "start": "2020-01-01", "until": "2026-10-10"}, {"unit": "a", "start": "2026-10-10"}]
    gone = [{"unit": "c", "start": "2020-01-01", "until": "2026-10-10"}]
    return district(units=units, channels=[channel("b", owners=spans), channel("c", owners=gone)])


def test_a_merged_unit_goes_on_with_the_newest_clock_of_those_before():
    items = [post(1, "b", "2026-10-02"), post(2, "c", "2026-10-05 09:00")]
    seen = [*every_day("b", "2026-10-01", "2026-10-31"), *every_day("c", "2026-10-01", "2026-10-09", hour="23:59")]
    before = of_unit(merged(), "2026-10-13 20:00", items, seen)
    after = of_unit(merged(), "2026-10-14 07:00", items, seen)
    assert (before["state"], after["state"]) == ("active", "unknown")  # the last minute of the page of c is missing
    covered = [*seen, look("c", "2026-10-10 00:00", "2026-10-01")]
    row = of_unit(merged(), "2026-10-14 07:00", items, covered)
    assert (row["state"], row["clock_from"], row["channels"]) == ("quiet", at("2026-10-05 09:00"), ("b",))


def test_a_merged_unit_that_has_posted_has_its_own_clock():
    items = [post(1, "c", "2026-10-09"), post(2, "b", "2026-10-10 00:00")]
    row = of_unit(merged(), "2026-10-12", items)
    assert (row["clock_from"], row["due_at"]) == (at("2026-10-10 00:00"), at("2026-10-19 00:00"))


def test_a_unit_that_was_split_leaves_its_clock_to_all_and_chains_are_followed():
    units = [
        unit("o", until="2026-09-01", successors=["m"]),
        unit("m", "2026-09-01", "2026-10-01", successors=["a", "d"]),
        unit("a", "2026-10-01"), unit("d", "2026-10-01"),
    ]  # fmt: skip
    page = channel("o", owners=[{"unit": "o", "start": "2020-01-01", "until": "2026-09-01"}])
    answer = judged(district(units=units, channels=[page]), "2026-10-05", [post(1, "o", "2026-08-30")])
    assert answer["last_post_at"].tolist() == [at("2026-08-30")] * 2
    assert answer["reason"].tolist() == ["chưa khai báo kênh"] * 2


def test_a_post_counts_for_the_owner_of_its_day():
    spans = [{"unit": "b", "start": "2020-01-01", "until": "2026-10-08"}, {"unit": "a", "start": "2026-10-08"}]
    config = district(units=[unit("a"), unit("b")], channels=[channel("k", owners=spans)])
    answer = judged(config, "2026-10-20", [post(1, "k", "2026-10-07 23:59")], WATCHED)
    assert answer["last_post_at"].isna().tolist() == [True, False, False]
    assert answer.loc[("unit", "a"), ["state", "clock_from"]].tolist() == ["quiet", at("2026-10-08 00:00")]
    assert answer.loc[("unit", "b"), ["state", "channels"]].tolist() == ["unknown", ()]


def test_a_snoozed_unit_rests_until_the_moment_it_ends_and_its_days_do_not_count():
    later = [("a", "2026-10-15 09:00", "2026-10-17 09:00")]
    states = [
        of_unit(district(), day, ONE, WATCHED, paused=later)["state"]
        for day in ("2026-10-15 08:00", "2026-10-16", "2026-10-17 09:00")
    ]
    assert states == ["quiet", "resting", "quiet"]
    early = of_unit(
        district(), "2026-10-14 07:00", ONE, WATCHED, paused=[("a", "2026-10-07 09:00", "2026-10-09 00:00")]
    )
    assert (early["state"], early["due_at"]) == ("active", at("2026-10-16 00:00"))
    rest = of_unit(district(), "2026-10-16", ONE, WATCHED, paused=[("a", "2026-10-15", None)])
    assert (rest["state"], rest["reason"]) == ("resting", "đang tạm dừng nhắc")


def test_a_rest_day_names_its_reason():
    assert of_unit(district(calendar=WEEKENDS), "2026-10-17", ONE, WATCHED)["reason"] == "Thứ Bảy"


def test_units_that_are_not_in_force_are_not_listed():
    config = district(
        units=[unit("a", until="2026-10-10"), unit("z", "2026-11-01")], channels=[channel("k", sample=True)]
    )
    assert judged(config, "2026-10-20").empty


# --- what holds whatever happens --------------------------------------------------------------------------------

DAYS = st.integers(1, 30)
POSTS = st.lists(st.tuples(st.sampled_from("kt"), DAYS, st.integers(0, 3)), max_size=4)
LOOKS = st.lists(
    st.tuples(st.sampled_from("kt"), DAYS, st.integers(0, 9), st.sampled_from(["ok", "failed", "partial"])), max_size=25
)
PAIR = district(channels=[channel("k"), channel("t", "tiktok")])


def items_of(drawn: Any) -> list[dict[str, Any]]:
    return [
        post(n, slug, f"2026-10-{day:02} 10:00") | {"first_seen_at": at(f"2026-10-{day:02} 11:00") + late * DAY}
        for n, (slug, day, late) in enumerate(drawn)
    ]


def seen_of(drawn: Any) -> list[dict[str, Any]]:
    return [row for slug, number, covers, kind in drawn for row in look_of(slug, f"2026-10-{number:02}", covers, kind)]


def look_of(slug: str, day: str, covers: int, kind: str) -> list[dict[str, Any]]:
    if kind == "ok":
        return every_day(slug, day, day, covers)
    return [failed(slug, day) if kind == "failed" else partial(slug, day)]


@settings(max_examples=40, deadline=None)
@given(POSTS, LOOKS, DAYS)
def test_what_is_learnt_later_changes_no_earlier_answer(drawn, looked, day):
    as_of = f"2026-10-{day:02} 12:00"
    items, seen = items_of(drawn), seen_of(looked)
    known = (
        [one for one in items if one["first_seen_at"] <= at(as_of)],
        [one for one in seen if one["started_at"] <= at(as_of)],
    )
    assert_frame_equal(judged(PAIR, as_of, items, seen), judged(PAIR, as_of, *known))


@settings(max_examples=40, deadline=None)
@given(POSTS, LOOKS, DAYS, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_is_nothing(drawn, looked, day, random):
    items, seen = items_of(drawn), seen_of(looked)
    mixed = random.sample(items, len(items)), random.sample(seen, len(seen))
    as_of = f"2026-10-{day:02} 12:00"
    assert_frame_equal(judged(PAIR, as_of, items, seen), judged(PAIR, as_of, *mixed))


@settings(max_examples=40, deadline=None)
@given(POSTS, LOOKS, DAYS, st.tuples(st.sampled_from("kt"), DAYS, st.integers(0, 20)))
def test_one_more_good_look_never_turns_active_into_quiet_nor_quiet_into_unknown(drawn, looked, day, more):
    items, seen, as_of = items_of(drawn), seen_of(looked), f"2026-10-{day:02} 12:00"
    before = judged(PAIR, as_of, items, seen)["state"].astype(str)
    after = judged(PAIR, as_of, items, seen + seen_of([(*more, "ok")]))["state"].astype(str)
    moved = {pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]}
    assert moved <= {("unknown", "quiet")}


# --- what the store gives ---------------------------------------------------------------------------------------


def test_the_newest_post_is_sought_in_its_stretch_as_it_was_known(store: Store):
    now = stored.FRIDAY
    stored.watch(store, "k", "t")
    first = [stored.a_post("1", now - stored.days(9)), stored.a_post("2", now - stored.days(5), is_share=True)]
    stored.see(store, "k", first, now - stored.days(4))
    stored.see(
        store, "k", [*first, stored.a_post("3", now - stored.days(6)), stored.a_post("4", now + stored.days(1))], now
    )
    rows = [
        ("k", now - stored.days(30), None, False), ("k", now - stored.days(30), None, True),
        ("k", now - stored.days(30), now - stored.days(6), False), ("k", now - stored.days(4), None, True),
        ("t", now - stored.days(30), None, True), ("unbekannt", now - stored.days(30), None, True),
    ]  # fmt: skip
    asked = pd.DataFrame(rows, columns=["channel", "start", "until", "shares"])
    asked = asked.assign(start=pd.to_datetime(asked["start"], utc=True), until=pd.to_datetime(asked["until"], utc=True))
    ago = [6, 5, 9, None, None, None]
    assert store.last_posts(asked, now)["last_post_at"].tolist() == [now - stored.days(n) if n else pd.NaT for n in ago]
    assert store.last_posts(asked[:1], now - stored.days(1))["last_post_at"].tolist() == [now - stored.days(9)]
    assert store.last_posts(asked[:0], now).empty


def test_a_channel_without_a_post_tells_from_when_on_it_was_read(store: Store):
    now = stored.FRIDAY
    stored.watch(store, "k", "t", "z")
    stored.see(store, "k", [], now - stored.days(9), coverage_from=now - stored.days(10))
    stored.see(store, "k", [], now - stored.days(8), coverage_from=now - stored.days(50))
    stored.see(store, "t", [], now - stored.days(8), coverage_from=now - stored.days(9), complete=False)
    stored.see(store, "z", [stored.a_post("1", now - stored.days(9))], now - stored.days(8))
    rows = [(slug, now - stored.days(30), pd.NaT, False) for slug in ("k", "t", "z")]
    asked = pd.DataFrame(rows, columns=["channel", "start", "until", "shares"])
    asked = asked.assign(start=pd.to_datetime(asked["start"], utc=True), until=pd.to_datetime(asked["until"], utc=True))
    assert store.last_posts(asked, now)["read_from"].tolist() == [now - stored.days(50), pd.NaT, pd.NaT]
    assert store.last_posts(asked, now - stored.days(9))["read_from"].tolist()[0] == now - stored.days(10)


# --- one silence keeps its name ---------------------------------------------------------------------------------

ALL_YEAR = every_day("k", "2026-01-01", "2026-12-31")


def dues(items: list[dict[str, Any]], seen: list[dict[str, Any]], days: pd.DatetimeIndex) -> set[Any]:
    rows = [of_unit(district(), f"{day:%Y-%m-%d} 07:00", items, seen) for day in days]
    return {row["due_at"] for row in rows if row["state"] == "quiet"}


@pytest.mark.parametrize("items", [[post(1, "k", "2026-01-05 09:00")], []])
def test_a_silence_keeps_its_deadline_all_year(items):
    days = pd.date_range("2026-01-10", "2026-12-31", freq="9D")
    assert dues(items, ALL_YEAR, days) == {at("2026-01-14 00:00") if items else at("2026-01-09 00:00")}


def test_a_gap_between_looks_begins_no_other_silence():
    gap = [one for one in ALL_YEAR if not at("2026-03-01") < one["started_at"] < at("2026-03-20")]
    days = pd.date_range("2026-01-10", "2026-06-30", freq="4D")
    assert dues([post(1, "k", "2026-01-05 09:00")], gap, days) == {at("2026-01-14 00:00")}


def test_silent_days_are_counted_up_to_the_end_of_the_proof():
    row = of_unit(district(), "2026-10-25", ONE, GOOD_TO_15TH)
    assert (row["state"], row["silent_days"]) == ("unknown", 10)
    assert pd.isna(of_unit(district(), "2026-10-25", ONE)["silent_days"])


def test_looks_before_the_decisive_ones_change_no_state():
    for items in (ONE, [], [post(1, "k", "2026-09-05")]):
        for day in pd.date_range("2026-10-14", "2026-10-30"):
            now = at(f"{day:%Y-%m-%d} 07:00")
            asked = newest(stretches(district(), now), items, AFTER_A_GAP, now)
            (first,) = looks_needed(district(), asked, snoozes(), now)
            few = [one for one in AFTER_A_GAP if one["started_at"] >= first]
            answers = [
                quiet(
                    district(), Silent(asked, looks(*seen).assign(notes=pd.Series([()] * len(seen), dtype=object))), now
                )
                for seen in (AFTER_A_GAP, few)
            ]
            columns = ["state", "clock_from", "due_at", "failed"]
            whole, part = (answer[columns] for answer in answers)
            assert_frame_equal(whole, part)
            assert first > at("2026-10-01")


def test_a_school_after_its_summer_asks_for_looks_before_it_and_nobody_else_does():
    units = [unit("a"), unit("s", kind="truong")]
    config = district(units=units, channels=[channel("k"), channel("l", unit="s")])
    now = at("2026-09-06 09:00")
    asked = newest(stretches(config, now), [post(1, "k", "2026-05-01"), post(2, "l", "2026-05-01")], [], now)
    needed = {slugs[0]: first for first, slugs in looks_needed(config, asked, snoozes(), now).items()}
    assert needed == {"k": at("2026-08-22 00:00"), "l": at("2026-05-30 00:00")}


def test_three_thousand_units_are_judged_at_once():
    count, now = 3_300, at("2026-10-20")
    channels = [channel(f"c{n}-{m}", unit=f"u{n}") for n in range(count) for m in range(5)]
    config = district(units=[unit(f"u{n}") for n in range(count)], channels=channels)
    last = stretches(config, now).assign(
        last_post_at=pd.Timestamp(at("2026-10-05")), read_from=pd.Series(pd.NaT, dtype="datetime64[s, UTC]")
    )
    week = looks(*[look("", f"2026-10-{day:02} 06:30", "2026-10-01") for day in range(6, 21)]).assign(
        notes=pd.Series([()] * 15, dtype=object)
    )
    seen = pd.concat([week.assign(channel=one.slug) for one in channels[::5]], ignore_index=True)
    begun = time.process_time()
    answer = quiet(config, Silent(last, seen), now)
    assert time.process_time() - begun < 2
    assert answer["state"].value_counts()[["unknown", "quiet"]].tolist() == [count * 5, count]
