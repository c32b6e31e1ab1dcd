"""Each cell worked by hand: which day a post counts for, who it counts for, and what we may not say."""

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from config.models import Channel, Config, District, Unit
from metrics.cadence import Known, cadence
from metrics.labels import label_posts, rules_digest
from metrics.periods import parse_period
from metrics.summary import sentences, summary
from store.records import (
    Confidence,
    DateSource,
    Evidence,
    Failure,
    FailureKind,
    LookResult,
    Post,
    PostLabel,
    Reading,
    Slot,
)
from store.verbs import Store

HCMC = ZoneInfo("Asia/Ho_Chi_Minh")
WEEK_47 = parse_period("2026-W47", HCMC)  # Monday 16 to Sunday 22 November 2026
POSTS = ["id", "channel", "published_at", "date_confidence", "is_share", "first_seen_at", "gone_at"]
LABELS = ["post_id", "label", "evidence", "at", "upheld"]
LOOKS = ["channel", "state", "complete", "coverage_from", "started_at"]
DISTRICT: dict[str, Any] = {
    "organisation": {"name": "Quận Đoàn", "contact": "phong@don-vi.example"},
    "kinds": {
        "phuong": {"name": "Phường"},
        "truong": {
            "name": "Trường",
            "breaks": [{"name": "Nghỉ hè", "start": "2026-06-01", "until": "2026-08-24"}],
        },
        "quan": {"name": "Quận", "grassroots": False},
    },
    "labels": {
        "tin-tot": {"name": "Tin tốt", "every": "day", "clause": "II-CT.2", "phrases": ["tin tốt"]},
        "dep": {
            "name": "Câu chuyện đẹp",
            "every": "week",
            "clause": "II-CT.2",
            "phrases": ["câu chuyện đẹp"],
        },
    },
}


def at(text: str) -> datetime:
    """A local moment «11-20 00:30» of 2026, or with its year."""
    return datetime.strptime(text if text[:2] == "20" else f"2026-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=HCMC)


def unit(slug: str, kind: str = "phuong", start: str = "2025-07-01", until: str | None = None) -> Unit:
    return Unit.model_validate({"slug": slug, "name": slug, "kind": kind, "start": start, "until": until})


def channel(slug: str, *owners: tuple[str, str, str | None], **more: Any) -> Channel:
    spans = [{"unit": name, "start": start, "until": until} for name, start, until in owners]
    facts = {"slug": slug, "platform": "facebook", "name": slug, "address": slug, "owners": spans, **more}
    return Channel.model_validate(facts)


def config_of(units: Sequence[Unit], channels: Sequence[Channel], **calendar: Any) -> Config:
    district = District.model_validate({**DISTRICT, "calendar": calendar})
    return Config(Path("/"), district, {one.slug: one for one in units}, {one.slug: one for one in channels})


ONE = config_of([unit("a")], [channel("web", ("a", "2025-07-01", None))])


def post(number: int, published: str, name: str = "web", seen: str | None = None, **more: Any) -> dict[str, Any]:
    facts = {
        "id": number,
        "channel": name,
        "published_at": at(published),
        "first_seen_at": at(seen or published),
    }
    return {**facts, "date_confidence": "exact", "is_share": False, "gone_at": None, **more}


def labelled(number: int, label: str = "tin-tot", said: str | None = None, upheld: bool = True) -> dict[str, Any]:
    """A label by a phrase, or by a person who said so at a moment."""
    evidence, moment = ("person", said) if said else ("phrase", "11-23 06:59")
    return {"post_id": number, "label": label, "evidence": evidence, "at": at(moment), "upheld": upheld}


def look(
    started: str, since: str | None, name: str = "web", state: str = "done", complete: Any = True
) -> dict[str, Any]:
    covers = at(since) if since else None
    return {
        "channel": name,
        "state": state,
        "complete": complete,
        "coverage_from": covers,
        "started_at": at(started),
    }


WHOLE_WEEK = look("11-23 06:30", "11-15 06:30")


def known(posts: Sequence[Any] = (), labels: Sequence[Any] = (), looks: Sequence[Any] = (WHOLE_WEEK,)) -> Known:
    return Known(
        pd.DataFrame(posts, columns=POSTS),
        pd.DataFrame(labels, columns=LABELS),
        pd.DataFrame(looks, columns=LOOKS),
    )


def cells_of(facts: Known, config: Config = ONE, week: str = "2026-W47", as_of: str = "11-23 07:00") -> pd.DataFrame:
    return cadence(config, parse_period(week, HCMC), facts, at(as_of))


def states(cells: pd.DataFrame, label: str = "tin-tot", name: str = "a", level: str = "labelled") -> str:
    """The states of one unit in order: m met, x missed, ? unknown, . pending, z resting."""
    letters = {"met": "m", "missed": "x", "unknown": "?", "pending": ".", "resting": "z"}
    own = cells[(cells["unit"] == name) & (cells["label"] == label)].sort_values("slot")
    return "".join(letters[state] for state in own[level])


def cell(cells: pd.DataFrame, day: str, label: str = "tin-tot", name: str = "a") -> dict[str, Any]:
    own = cells[(cells["unit"] == name) & (cells["label"] == label) & (cells["slot"] == pd.Timestamp(f"2026-{day}"))]
    assert len(own) == 1
    return {str(key): value for key, value in own.iloc[0].items()}


BY_HAND = {
    "nothing was published, all was read": (known(), "xxxxxxx", "x"),
    "nothing was read": (known(looks=[]), "???????", "?"),
    "a labelled post on Wednesday": (known([post(1, "11-18 09:00")], [labelled(1)]), "xxmxxxx", "x"),
    "a post without a label": (known([post(1, "11-18 09:00")]), "xxxxxxx", "x"),
    "a story fills the week, not the day": (
        known([post(1, "11-18 09:00")], [labelled(1, "dep")]), "xxxxxxx", "m",
    ),
    "both labels on one post": (
        known([post(1, "11-18 09:00")], [labelled(1), labelled(1, "dep")]), "xxmxxxx", "m",
    ),
    "half past midnight on Friday": (known([post(1, "11-20 00:30")], [labelled(1)]), "xxxxmxx", "x"),
    "one minute before midnight": (known([post(1, "11-19 23:59")], [labelled(1)]), "xxxmxxx", "x"),
    "last minute of Sunday": (known([post(1, "11-22 23:59")], [labelled(1)]), "xxxxxxm", "x"),
    "first minute of the next Monday": (
        known([post(1, "11-23 00:00")], [labelled(1), labelled(1, "dep")]), "xxxxxxx", "x",
    ),
    "a shared post": (known([post(1, "11-18 09:00", is_share=True)], [labelled(1)]), "xxxxxxx", "x"),
    "a failed look all week": (
        known(looks=[look("11-23 06:30", None, state="failed", complete=None)]), "???????", "?",
    ),
    "an incomplete look": (known(looks=[look("11-23 06:30", "11-15 06:30", complete=False)]), "???????", "?"),
    "a look that promises nothing": (known(looks=[look("11-23 06:30", None)]), "???????", "?"),
    "a gap on Wednesday noon": (
        known(looks=[look("11-18 06:30", "11-15 06:30"), look("11-23 06:30", "11-18 18:30")]), "xx?xxxx", "?",
    ),
    "two looks that just touch": (
        known(looks=[look("11-18 12:00", "11-15 06:30"), look("11-23 06:30", "11-18 12:00")]), "xxxxxxx", "x",
    ),
    "looks inside each other": (
        known(
            looks=[
                look("11-18 12:00", "11-15 06:30"), look("11-16 06:00", "11-16 00:00"),
                look("11-23 06:30", "11-18 11:00"),
            ]
        ),
        "xxxxxxx", "x",
    ),
    "coverage from Tuesday midnight on": (known(looks=[look("11-23 00:00", "11-17 00:00")]), "?xxxxxx", "?"),
    "coverage from a minute later": (known(looks=[look("11-23 00:00", "11-17 00:01")]), "??xxxxx", "?"),
    "the last look on Sunday evening": (known(looks=[look("11-22 18:30", "11-15 06:30")]), "xxxxxx?", "?"),
    "a good look of another channel": (
        known(looks=[look("11-23 06:30", "11-15 06:30", "other")]), "???????", "?",
    ),
    "a find on a day that was not read": (
        known([post(1, "11-18 09:00")], [labelled(1), labelled(1, "dep")], []), "??m????", "m",
    ),
    "a person takes the label off": (
        known([post(1, "11-18 09:00")], [labelled(1), labelled(1, said="11-19 08:00", upheld=False)]),
        "xxxxxxx", "x",
    ),
    "a person gives a label that no rule saw": (
        known([post(1, "11-18 09:00")], [labelled(1, said="11-19 08:00")]), "xxmxxxx", "x",
    ),
    "the newest word of a person wins": (
        known(
            [post(1, "11-18 09:00")],
            [labelled(1, said="11-20 08:00"), labelled(1), labelled(1, said="11-19 08:00", upheld=False)],
        ),
        "xxmxxxx", "x",
    ),
    "a rejection of another label": (
        known([post(1, "11-18 09:00")], [labelled(1), labelled(1, "dep", "11-19 08:00", upheld=False)]),
        "xxmxxxx", "x",
    ),
    "a deleted post": (
        known([post(1, "11-18 09:00", gone_at=at("11-20 06:30"))], [labelled(1)]), "xxmxxxx", "x",
    ),
    "a post first seen two days later": (
        known([post(1, "11-18 09:00", seen="11-20 06:30")], [labelled(1)]), "xxmxxxx", "x",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BY_HAND)
def test_cells_worked_by_hand(case: str) -> None:
    facts, days, week = BY_HAND[case]
    cells = cells_of(facts)
    assert (states(cells), states(cells, "dep")) == (days, week)


RUNNING = known([post(1, "11-18 09:00")], [labelled(1)], [look("11-20 06:30", "11-15 06:30")])


def test_today_is_pending_until_it_is_over_and_then_unknown_until_it_is_read() -> None:
    assert states(cells_of(RUNNING, as_of="11-20 07:00")) == "xxmx..."
    assert states(cells_of(RUNNING, as_of="11-20 23:59")) == "xxmx..."
    assert states(cells_of(RUNNING, as_of="11-21 00:00")) == "xxmx?.."


def test_a_running_week_is_pending_and_met_as_soon_as_it_has_its_story() -> None:
    assert states(cells_of(RUNNING, as_of="11-20 07:00"), "dep") == "."
    story = replace(RUNNING, labels=known(labels=[labelled(1, "dep")]).labels)
    assert states(cells_of(story, as_of="11-20 07:00"), "dep") == "m"


def test_a_post_dated_ahead_does_not_count_before_its_time() -> None:
    ahead = known([post(1, "11-21 08:00", seen="11-18 09:00")], [labelled(1)], [look("11-20 06:30", "11-15 06:30")])
    assert states(cells_of(ahead, as_of="11-21 07:59")) == "xxxx?.."
    assert states(cells_of(ahead, as_of="11-21 08:00")) == "xxxx?m."


def test_a_post_without_a_label_shows_beside_the_missed_label() -> None:
    cells = cells_of(known([post(1, "11-18 09:00"), post(2, "11-18 10:00", is_share=True)]))
    assert states(cells, level="any_post") == "xxmxxxx"
    wednesday = cell(cells, "11-18")
    assert (wednesday["own_posts"], wednesday["posts"]) == (1, ())


def test_what_a_person_has_not_confirmed_yet_is_pending_not_missed() -> None:
    facts = known(
        [post(1, "11-17 09:00"), post(2, "11-18 09:00")],
        [labelled(1), labelled(2), labelled(2, said="11-19 08:00")],
    )
    assert states(cells_of(facts), level="confirmed") == "x.mxxxx"


def test_a_cell_names_its_labelled_posts() -> None:
    facts = known([post(9, "11-18 09:00"), post(2, "11-18 08:00"), post(5, "11-18 07:00")], [labelled(9), labelled(2)])
    wednesday = cell(cells_of(facts), "11-18")
    assert (wednesday["posts"], wednesday["own_posts"], wednesday["due"]) == ((2, 9), 3, True)


@pytest.mark.parametrize(
    ("confidences", "sure"),
    [(["low"], False), (["day"], True), (["hour"], True), (["low", "exact"], True), (["low", "low"], False)],
)
def test_a_guessed_date_counts_but_is_not_sure(confidences: list[str], sure: bool) -> None:
    posts = [post(n, "11-18 09:00", date_confidence=confidence) for n, confidence in enumerate(confidences)]
    wednesday = cell(cells_of(known(posts, [labelled(n) for n in range(len(posts))])), "11-18")
    assert (wednesday["labelled"], wednesday["sure"]) == ("met", sure)


def test_a_sure_post_without_a_label_makes_no_guess_sure() -> None:
    facts = known([post(1, "11-18 09:00", date_confidence="low"), post(2, "11-18 10:00")], [labelled(1)])
    assert not cell(cells_of(facts), "11-18")["sure"]
    assert cell(cells_of(facts), "11-19")["sure"]


def test_a_deleted_post_still_counts_and_is_flagged_from_then_on() -> None:
    facts = known([post(1, "11-18 09:00", gone_at=at("11-20 06:30"))], [labelled(1)])
    assert cell(cells_of(facts), "11-18")["gone"]
    assert not cell(cells_of(facts, as_of="11-20 06:00"), "11-18")["gone"]


MERGER = config_of(
    [unit("cu", start="2020-01-01", until="2025-07-01"), unit("moi")],
    [channel("web", ("cu", "2020-01-01", "2025-07-01"), ("moi", "2025-07-01", None))],
)


def test_a_channel_counts_for_its_owner_of_the_day() -> None:
    """The merger of 1 July 2025 was a Tuesday."""
    facts = known(
        [post(1, "2025-06-30 23:59"), post(2, "2025-07-01 00:00")],
        [labelled(1), labelled(2), labelled(2, "dep")],
        [look("2025-07-07 06:30", "2025-06-29 06:30")],
    )
    cells = cells_of(facts, MERGER, "2025-W27", "2025-07-07 07:00")
    assert (states(cells, name="cu"), states(cells, name="moi")) == ("m", "mxxxxx")
    assert (states(cells, "dep", "cu"), states(cells, "dep", "moi")) == ("x", "m")


def test_a_unit_that_ended_owes_no_more_that_week() -> None:
    facts = known(looks=[look("2025-07-02 06:30", "2025-06-29 06:30")])
    cells = cells_of(facts, MERGER, "2025-W27", "2025-07-02 07:00")
    assert (states(cells, "dep", "cu"), states(cells, "dep", "moi")) == ("x", ".")


def test_a_unit_owes_nothing_before_it_began() -> None:
    config = config_of([unit("a", start="2026-11-19")], [channel("web", ("a", "2026-11-19", None))])
    cells = cells_of(known([post(1, "11-18 09:00")], [labelled(1)]), config)
    assert states(cells) == "xxxx"
    assert states(cells, "dep") == "x"


def test_before_a_unit_has_a_channel_nothing_can_be_said() -> None:
    config = config_of([unit("a")], [channel("web", ("a", "2026-11-19", None))])
    cells = cells_of(known(), config)
    assert states(cells) == "???xxxx"
    assert cell(cells, "11-16")["reason"] == "chưa khai báo kênh"
    assert cell(cells, "11-16", "dep")["reason"] == "mới xác minh 4/7 ngày"


def test_a_unit_without_a_channel_is_unknown_and_an_example_channel_is_none() -> None:
    config = config_of([unit("a")], [channel("web", ("a", "2025-07-01", None), sample=True)])
    cells = cells_of(known([post(1, "11-18 09:00")], [labelled(1)]), config)
    assert states(cells) == "???????"
    assert set(cells["reason"]) == {"chưa khai báo kênh"}


def test_missed_takes_every_channel_of_the_unit() -> None:
    config = config_of([unit("a")], [channel(name, ("a", "2025-07-01", None)) for name in ("web", "page")])
    cells = cells_of(known(looks=[WHOLE_WEEK, look("11-18 06:30", "11-15 06:30", "page")]), config)
    assert states(cells) == "xx?????"
    assert cell(cells, "11-18")["reason"] == "mới đọc trọn 1/2 kênh"
    assert states(cells, "dep") == "?"


def test_reasons_say_what_was_not_read() -> None:
    cells = cells_of(known(looks=[look("11-18 06:30", "11-15 06:30")]))
    assert [cell(cells, day)["reason"] for day in ("11-17", "11-18")] == ["", "chưa đọc trọn ngày này"]
    assert cell(cells, "11-16", "dep")["reason"] == "mới xác minh 2/7 ngày"


def test_the_district_itself_owes_no_item() -> None:
    config = config_of([unit("a"), unit("q", "quan")], [channel("web", ("q", "2025-07-01", None))])
    assert set(cells_of(known(), config)["unit"]) == {"a"}


def test_tet_rests_with_its_reason_and_its_weekends() -> None:
    tet = known(looks=[look("02-23 06:30", "02-08 06:30")])
    cells = cells_of(tet, week="2026-W08", as_of="02-23 07:00")
    assert (states(cells), states(cells, "dep")) == ("zzzzzzz", "z")
    assert cell(cells, "02-17")["reason"] == "Tết Nguyên Đán"
    assert not cell(cells, "02-17")["due"]


@pytest.mark.parametrize(("until", "story"), [("2026-11-19", "x"), ("2026-11-20", "x"), ("2026-11-21", "z")])
def test_a_week_with_one_or_two_working_days_owes_no_story(until: str, story: str) -> None:
    """A school rests from Monday on; four, three and two days are left of its week."""
    added = [{"day": date(2026, 11, day), "name": "Kiểm tra"} for day in range(16, date.fromisoformat(until).day)]
    config = config_of([unit("a")], [channel("web", ("a", "2025-07-01", None))], add=added)
    cells = cells_of(known(looks=[look("11-23 06:30", "11-01 06:30")]), config, "2026-W47", "11-23 07:00")
    assert states(cells, "dep") == story


def test_a_whole_week_of_rest_owes_no_story() -> None:
    weekend = config_of([unit("a")], [channel("web", ("a", "2025-07-01", None))], rest_weekdays=["sat", "sun"])
    facts = known([post(1, "02-17 09:00")], [labelled(1), labelled(1, "dep")], [])
    cells = cells_of(facts, weekend, "2026-W08", "02-23 07:00")
    assert (states(cells), states(cells, "dep")) == ("zzzzzzz", "z")
    assert cell(cells, "02-17")["posts"] == (1,)
    assert [cell(cells, day)["reason"] for day in ("02-16", "02-21")] == [
        "Giao thừa Tết Nguyên Đán",
        "Mùng bốn Tết Nguyên Đán",
    ]


def test_a_resting_week_gives_the_reason_of_a_day_the_unit_was_there() -> None:
    """Founded on the first day of Tết: the eve of Tết was before its time."""
    config = config_of([unit("a", start="2026-02-17")], [], rest_weekdays=["sat", "sun"])
    cells = cells_of(known(), config, "2026-W08", "02-23 07:00")
    assert (states(cells, "dep"), cell(cells, "02-16", "dep")["reason"]) == ("z", "Tết Nguyên Đán")


def test_a_story_on_a_rest_day_counts_for_its_week() -> None:
    facts = known([post(1, "02-14 09:00")], [labelled(1, "dep")], [])
    assert states(cells_of(facts, week="2026-W07", as_of="02-16 07:00"), "dep") == "m"


def test_a_school_break_rests_the_school_only() -> None:
    units = [unit("a"), unit("s", "truong")]
    channels = [channel(f"web-{one.slug}", (one.slug, "2025-07-01", None)) for one in units]
    cells = cells_of(known(looks=[]), config_of(units, channels), "2026-W34", "09-01 07:00")
    assert (states(cells, name="a"), states(cells, name="s")) == ("???????", "zzzzzzz")


def test_week_53_crosses_the_year() -> None:
    facts = known(
        [post(1, "2027-01-03 23:00")],
        [labelled(1), labelled(1, "dep")],
        [look("2027-01-04 06:30", "2026-12-27 06:30")],
    )
    cells = cells_of(facts, week="2026-W53", as_of="2027-01-04 07:00")
    assert (states(cells), states(cells, "dep")) == ("xxxxzxm", "m")


def test_a_month_has_its_days_and_the_weeks_of_its_thursdays() -> None:
    """December 2026 takes its first week from 30 November and its last to 3 January."""
    facts = known(
        [post(1, "11-30 09:00"), post(2, "2027-01-02 09:00")],
        [labelled(n, name) for n in (1, 2) for name in ("tin-tot", "dep")],
        [look("2027-01-05 06:30", "11-01 06:30")],
    )
    cells = cells_of(facts, week="2026-12", as_of="2027-01-05 07:00")
    assert states(cells) == "x" * 31
    assert states(cells, "dep") == "mxxxm"


def test_a_single_friday_has_no_week() -> None:
    cells = cells_of(known(), week="2026-11-20")
    assert (states(cells), states(cells, "dep")) == ("x", "")


def test_no_unit_gives_an_empty_frame_with_all_columns() -> None:
    cells = cells_of(known(), config_of([], []))
    assert cells.empty
    assert summary(cells).empty
    assert {"unit", "label", "slot", "labelled", "reason", "posts", "sure", "gone"} <= set(cells.columns)


# --- Rules that hold for any facts ---

DISTRICT_OF_THREE = config_of(
    [unit("a"), unit("b", start="2026-11-18"), unit("c", "truong", until="2026-11-20"), unit("none")],
    [
        channel("web", ("a", "2025-07-01", "2026-11-19"), ("b", "2026-11-19", None)),
        channel("page", ("a", "2025-07-01", None)),
        channel("school", ("c", "2025-07-01", "2026-11-20")),
    ],
    add=[{"day": "2026-11-17", "name": "Đại hội"}],
)
START = at("11-15 00:00")
NAMES = st.sampled_from(["web", "page", "school", "gone"])
HOURS = st.integers(0, 9 * 24 * 2).map(lambda halves: START + timedelta(minutes=30 * halves))
POST = st.fixed_dictionaries(
    {
        "channel": NAMES,
        "published_at": HOURS,
        "date_confidence": st.sampled_from(["exact", "hour", "day", "low"]),
        "is_share": st.booleans(),
        "first_seen_at": HOURS,
        "gone_at": st.one_of(st.none(), HOURS),
    }
)
LABEL = st.fixed_dictionaries(
    {
        "post_id": st.integers(0, 7),
        "label": st.sampled_from(["tin-tot", "dep"]),
        "evidence": st.sampled_from(["hashtag", "category", "person"]),
        "at": HOURS,
        "upheld": st.just(True),
    }
)
WORD = LABEL.map(lambda row: {**row, "evidence": "person", "upheld": False})
LOOK = st.fixed_dictionaries(
    {
        "channel": NAMES,
        "state": st.sampled_from(["done", "done", "failed"]),
        "complete": st.sampled_from([True, True, False]),
        "started_at": HOURS,
        "coverage_from": st.one_of(st.none(), HOURS, st.just(START)),
    }
)
ROWS = st.tuples(
    st.lists(POST, max_size=8).map(lambda rows: [{**row, "id": number} for number, row in enumerate(rows)]),
    st.lists(st.one_of(LABEL, WORD), max_size=8),
    st.lists(LOOK, max_size=14),
)
Row = dict[str, Any]
Rows = tuple[list[Row], list[Row], list[Row]]


def judged(rows: Rows, now: datetime) -> pd.DataFrame:
    return cadence(DISTRICT_OF_THREE, WEEK_47, known(*rows), now)


def state_by_hand(rows: Rows, now: datetime, name: str, label: str, days: list[date]) -> str:
    """The same rules in plain loops, one cell at a time."""
    one = DISTRICT_OF_THREE.units[name]
    valid = [day for day in days if one.is_valid_on(day)]
    if all(day == date(2026, 11, 17) for day in valid):
        return "resting"
    if any(counts_by_hand(row, rows[1], now, name, label, valid) for row in rows[0]):
        return "met"
    if max(valid) >= now.astimezone(HCMC).date():
        return "pending"
    return "missed" if all(read_by_hand(rows[2], now, name, day) for day in valid) else "unknown"


def counts_by_hand(row: Row, labels: list[Row], now: datetime, name: str, label: str, days: list[date]) -> bool:
    day = row["published_at"].astimezone(HCMC).date()
    channels = DISTRICT_OF_THREE.channels
    mine = row["channel"] in channels and channels[row["channel"]].owner_on(day) == name
    known_by_now = max(row["published_at"], row["first_seen_at"]) <= now
    own = [one for one in labels if (one["post_id"], one["label"]) == (row["id"], label)]
    words = [one for one in own if one["evidence"] == "person" and one["at"] <= now]
    rules = any(one["evidence"] != "person" for one in own)
    latest = max(words, key=lambda one: (one["at"], one["upheld"]), default=None)
    carries = latest["upheld"] if latest else rules
    return bool(mine and known_by_now and day in days and not row["is_share"] and carries)


def read_by_hand(looks: list[Row], now: datetime, name: str, day: date) -> bool:
    """Half-hour by half-hour: all moments here lie on half hours."""
    mine = [one.slug for one in DISTRICT_OF_THREE.channels.values() if one.owner_on(day) == name]
    midnight = datetime(day.year, day.month, day.day, tzinfo=HCMC)
    spans = [
        (row["channel"], row["coverage_from"], row["started_at"])
        for row in looks
        if row["state"] == "done" and row["complete"] and row["coverage_from"] and row["started_at"] <= now
    ]
    return bool(mine) and all(
        any(
            slug == other and first <= midnight + half and midnight + half + HALF <= last
            for other, first, last in spans
        )
        for slug in mine
        for half in (HALF * number for number in range(48))
    )


HALF = timedelta(minutes=30)


@settings(max_examples=100, deadline=None)
@given(ROWS, HOURS)
def test_the_arrays_say_what_plain_loops_say(rows: Rows, now: datetime) -> None:
    for row in judged(rows, now).to_dict("records"):
        length = 7 if row["every"] == "week" else 1
        days = [row["slot"].date() + timedelta(days=number) for number in range(length)]
        assert row["labelled"] == state_by_hand(rows, now, row["unit"], row["label"], days), row


@settings(max_examples=30, deadline=None)
@given(ROWS, HOURS, st.randoms(use_true_random=False))
def test_the_order_of_facts_changes_nothing(rows: Rows, now: datetime, random: Any) -> None:
    mixed = tuple(random.sample(part, len(part)) for part in rows)
    assert_frame_equal(judged(rows, now), judged(mixed, now))


@settings(max_examples=30, deadline=None)
@given(ROWS, ROWS, HOURS)
def test_what_comes_later_changes_no_earlier_answer(rows: Rows, later: Rows, now: datetime) -> None:
    """Posts first seen, looks started and words said after a moment; rules may always be worked out again."""
    afterwards = now + timedelta(minutes=1)
    posts = [{**row, "id": row["id"] + 100, "first_seen_at": max(row["first_seen_at"], afterwards)} for row in later[0]]
    words = [{**row, "evidence": "person", "at": max(row["at"], afterwards)} for row in later[1]]
    looks = [{**row, "started_at": max(row["started_at"], afterwards)} for row in later[2]]
    more = (rows[0] + posts, rows[1] + words, rows[2] + looks)
    assert_frame_equal(judged(rows, now), judged(more, now))


@settings(max_examples=30, deadline=None)
@given(ROWS, HOURS)
def test_without_a_good_look_nobody_ever_missed_anything(rows: Rows, now: datetime) -> None:
    failed = [{**row, "state": "failed"} for row in rows[2]]
    cells = judged((rows[0], rows[1], failed), now)
    assert not (cells[["any_post", "labelled", "confirmed"]] == "missed").to_numpy().any()


@settings(max_examples=30, deadline=None)
@given(ROWS, HOURS)
def test_the_three_levels_never_contradict_each_other(rows: Rows, now: datetime) -> None:
    cells = judged(rows, now)
    assert set(cells.loc[cells["confirmed"] == "met", "labelled"]) <= {"met"}
    assert set(cells.loc[cells["labelled"] == "met", "any_post"]) <= {"met"}
    assert set(cells.loc[cells["any_post"] == "missed", "labelled"]) <= {"missed"}
    assert (cells["reason"] != "").tolist() == cells["labelled"].isin(["unknown", "resting"]).tolist()
    assert (cells["due"] != (cells["labelled"] == "resting")).all()
    assert (cells["posts"].map(len) <= cells["own_posts"]).all()


# --- With the frames of a real store ---


def test_what_the_store_remembers_is_judged(store: Store) -> None:
    """From readings through labels and a person's word to the cells, on every database."""
    store.sync(ONE.units.values(), ONE.channels.values(), at("11-15 06:00"))
    half_past, late, shared = (
        Post(name, title, f"https://a.example/{name}", at(moment), DateSource.FEED, confidence, is_share=share)
        for name, title, moment, confidence, share in (
            ("1", "Một tin tốt", "11-20 00:30", Confidence.EXACT, False),
            ("2", "Tin tốt và câu chuyện đẹp", "11-17 09:00", Confidence.LOW, False),
            ("3", "Tin tốt được chia sẻ", "11-18 09:00", Confidence.EXACT, True),
        )
    )
    reading = Reading(posts=(half_past, late, shared), coverage_from=at("11-15 00:00"))
    for moment, outcome in (("11-19 06:30", Failure(FailureKind.NETWORK, "Lỗi.")), ("11-23 06:30", reading)):
        (taken,) = store.take([Slot("web", at(moment))], "test", at(moment), timedelta(minutes=5))
        assert store.record([LookResult(taken, at(moment), at(moment), outcome)]) == []
    posts = store.posts(WEEK_47.start_at, WEEK_47.end_at)
    rules = rules_digest(ONE)
    texts = store.posts_to_label(rules)
    store.replace_rule_labels(texts, label_posts(texts, ONE, at("11-23 06:31")), rules)
    number = int(posts.loc[posts["platform_id"] == "1", "id"].iloc[0])
    store.confirm_label(PostLabel(number, "tin-tot", Evidence.PERSON, "trực ban", at("11-23 06:32")))
    looks = store.looks(WEEK_47.start_at, WEEK_47.end_at)
    cells = cells_of(Known(posts, store.labels(posts["id"]), looks))
    assert (states(cells), states(cells, "dep")) == ("xmxxmxx", "m")
    assert states(cells, level="confirmed") == "x.xxmxx"
    assert not cell(cells, "11-17")["sure"]
    nothing = Known(posts[:0], store.labels([]), looks[:0])
    assert states(cells_of(nothing)) == "???????"


# --- One sentence for each unit ---


def sentence(facts: Known, config: Config = ONE, **more: Any) -> str:
    rows = summary(cells_of(facts, config, **more))
    return sentences(rows, config.district.labels, "Tuần 47")["a"]


FOUR_DAYS = [post(day, f"11-{day} 09:00") for day in (16, 17, 18, 19)]
FOUR_LABELS = [labelled(day) for day in (16, 17, 18, 19)]
SAID = {
    "Tuần 47: có tin tốt 4/7 ngày; có câu chuyện đẹp.": known(FOUR_DAYS, [*FOUR_LABELS, labelled(17, "dep")]),
    "Tuần 47: có tin tốt 4/7 ngày; chưa ghi nhận câu chuyện đẹp (có bài nhưng chưa bài nào được nhận).": known(
        FOUR_DAYS, FOUR_LABELS
    ),
    "Tuần 47: chưa ghi nhận tin tốt; chưa ghi nhận câu chuyện đẹp.": known(),
    "Tuần 47: chưa xác minh được tin tốt; chưa xác minh được câu chuyện đẹp.": known(looks=[]),
    "Tuần 47: có tin tốt 4/6 ngày; chưa xác minh được câu chuyện đẹp; 1 ngày chưa xác minh.": known(
        FOUR_DAYS, FOUR_LABELS, [look("11-22 18:30", "11-15 06:30")]
    ),
    "Tuần 47: có tin tốt 1/7 ngày; chưa ghi nhận câu chuyện đẹp (có bài nhưng chưa bài nào được nhận); "
    "1 ngày tính theo ngày đăng ước đoán.": known([post(1, "11-18 09:00", date_confidence="low")], [labelled(1)]),
}


@pytest.mark.parametrize("text", SAID)
def test_a_finished_week_in_one_sentence(text: str) -> None:
    assert sentence(SAID[text]) == text


def test_a_running_week_counts_only_the_days_that_are_over_or_met() -> None:
    assert sentence(RUNNING, as_of="11-20 07:00") == (
        "Tuần 47: có tin tốt 1/4 ngày; chưa có câu chuyện đẹp, còn thời gian."
    )


def test_a_unit_without_a_channel_is_not_blamed() -> None:
    assert sentence(known(), config_of([unit("a")], [])) == (
        "Tuần 47: chưa xác minh được vì đơn vị chưa khai báo kênh."
    )


def test_a_resting_unit_is_said_to_rest() -> None:
    school = config_of([unit("a", "truong")], [channel("web", ("a", "2025-07-01", None))])
    assert sentence(known(looks=[]), school, week="2026-W30", as_of="09-01 07:00") == "Tuần 47: nghỉ theo lịch."


def test_the_summary_counts_every_slot_once() -> None:
    facts = known(FOUR_DAYS, [*FOUR_LABELS, labelled(16, said="11-17 08:00")], [look("11-22 18:30", "11-15 06:30")])
    row = summary(cells_of(facts)).set_index("label").loc["tin-tot"]
    numbers = {"due": 7, "met": 4, "missed": 2, "unknown": 1, "pending": 0, "resting": 0}
    assert {name: row[name] for name in numbers} == numbers
    assert (row["posted"], row["confirmed"], row["unsure"], row["reason"]) == (
        4,
        1,
        0,
        "chưa đọc trọn ngày này",
    )


def test_a_year_of_three_hundred_units_takes_seconds_not_minutes() -> None:
    """The worst case is 3,300 units; a tenth of it stays far below ten seconds of one processor."""
    slugs = [f"u{number}" for number in range(330)]
    config = config_of([unit(slug) for slug in slugs], [channel(slug, (slug, "2025-07-01", None)) for slug in slugs])
    period = parse_period("2026", HCMC)
    days = pd.date_range("2025-12-31", "2027-01-04", freq="D", tz=HCMC)
    looks = pd.DataFrame(
        {
            "channel": np.repeat(slugs, len(days)),
            "state": "done",
            "complete": True,
            "coverage_from": np.tile(days - pd.Timedelta(days=2), len(slugs)),
            "started_at": np.tile(days, len(slugs)),
        }
    )
    began = time.process_time()
    cells = cadence(config, period, replace(known(), looks=looks), datetime(2027, 1, 4, tzinfo=UTC))
    assert time.process_time() - began < 10
    assert len(cells) == len(slugs) * (365 + 53)
    assert set(cells["labelled"]) == {"missed", "resting"}
