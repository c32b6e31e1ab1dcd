"""What is worth telling, rule by rule."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from alerts.base import Finding, Rule
from alerts.rules import RULES
from alerts.watched import PROGRESS, TokenEnd, Watched
from config.load import load_config
from tests.metric_builders import HCMC, at, channel, config_of, failed, look, looks, unit

NOW = at("2026-11-20 09:00")
QUIET = [
    "kind", "subject", "unit", "state", "last_post_at", "clock_from", "due_at", "silent_days", "notes",
    "own_rhythm_days", "channels", "proved_until",
]  # fmt: skip


def watched(config=None, as_of: datetime = NOW, **frames: Any) -> Watched:
    empty = {
        "quiet": pd.DataFrame(columns=QUIET),
        "looks": looks().assign(error=""),
        "last_done": {},
        "missed": pd.DataFrame({"slot": pd.to_datetime([], utc=True), "channels": []}),
        "progress": pd.DataFrame(columns=list(PROGRESS)),
        "suspects": pd.DataFrame(columns=["channel", "observed_at", "followers", "likes", "posts", "views", "suspect"]),
        "tokens": [],
    }
    return Watched(config or config_of([unit("a")], [channel("k")]), as_of, **{**empty, **frames})


def found(rule: Rule, known: Watched) -> list[Finding]:
    return RULES[rule].find(known)


def with_error(*rows: dict[str, Any]) -> pd.DataFrame:
    return looks(*rows).assign(error="Trang không trả lời.")


# --- a source is broken ----------------------------------------------------------------------------------------


def test_a_channel_whose_last_three_looks_failed_is_told_since_its_last_good_one():
    known = with_error(
        look("k", "2026-11-18 06:30", "2026-11-01"),
        failed("k", "2026-11-18 18:30"),
        failed("k", "2026-11-19 06:30"),
        failed("k", "2026-11-19 18:30"),
    )
    done = at("2026-11-18 06:30")
    (one,) = found(Rule.SOURCE, watched(looks=known, last_done={"k": done}))
    assert (one.subject, one.sure, one.since) == ("k", True, done)
    assert one.facts["failed_since"] == done.isoformat()
    assert one.facts["error"] == "Trang không trả lời."


def test_a_long_failure_began_with_its_last_good_look_and_not_with_the_first_one_in_sight():
    rows = [failed("k", f"2026-11-{day}") for day in range(11, 20)]
    (one,) = found(Rule.SOURCE, watched(looks=with_error(*rows), last_done={"k": at("2026-08-01")}))
    assert one.since == at("2026-08-01")


def test_a_channel_that_was_never_read_is_dark_since_it_has_an_owner_and_names_no_day():
    config = config_of([unit("a")], [channel("k", start="2026-10-01")])
    for last in (14, 20, 25):
        rows = [failed("k", f"2026-11-{day} 06:30") for day in range(last - 4, last)]
        (one,) = found(Rule.SOURCE, watched(config, at(f"2026-11-{last}"), looks=with_error(*rows)))
        assert (one.sure, one.since, one.facts["failed_since"]) == (True, at("2026-10-01 00:00"), None)


def test_two_failures_are_not_told_yet():
    rows = [look("k", "2026-11-18", "2026-11-01"), failed("k", "2026-11-19"), failed("k", "2026-11-20 08:00")]
    known = with_error(*rows)
    assert found(Rule.SOURCE, watched(looks=known)) == []


def test_a_good_look_after_failures_ends_them():
    rows = [failed("k", f"2026-11-{day}") for day in (15, 16, 17, 18)]
    assert found(Rule.SOURCE, watched(looks=with_error(*rows, look("k", "2026-11-19", "2026-11-01")))) == []


def test_a_channel_that_was_not_looked_at_for_days_says_nothing():
    (one,) = found(Rule.SOURCE, watched())
    assert (one.subject, one.sure) == ("k", False)


def test_what_failed_after_the_asked_moment_is_not_known_yet():
    rows = [failed("k", f"2026-11-{day}") for day in (18, 19)] + [failed("k", "2026-11-20 18:30")]
    assert found(Rule.SOURCE, watched(looks=with_error(*rows))) == []


def test_a_network_on_which_nothing_answers_is_one_alert_and_not_one_per_channel():
    config = config_of([unit("a")], [channel(name) for name in ("k", "l", "m")])
    rows = [failed(name, f"2026-11-{day}") for name in ("k", "l", "m") for day in (18, 19, "20 08:00")]
    known = watched(config, looks=with_error(*rows))
    assert [one.sure for one in found(Rule.SOURCE, known)] == [False, False, False]
    (one,) = found(Rule.PIPELINE, known)
    assert (one.subject, one.facts["detail"]) == ("network", "network")


def test_one_channel_that_answers_makes_the_others_their_own_trouble():
    config = config_of([unit("a")], [channel(name) for name in ("k", "l", "m")])
    rows = [failed(name, f"2026-11-{day}") for name in ("k", "l") for day in (17, 18, 19)]
    known = watched(config, looks=with_error(*rows, look("m", "2026-11-19", "2026-11-01")))
    assert {one.subject: one.sure for one in found(Rule.SOURCE, known)} == {"k": True, "l": True}


# --- the pipeline is late --------------------------------------------------------------------------------------


def test_missed_looks_of_the_last_day_are_told_as_ours():
    missed = pd.DataFrame({"slot": pd.to_datetime([at("2026-11-19 18:30")], utc=True), "channels": [7]})
    known = watched(missed=missed, looks=with_error(look("k", "2026-11-20 06:30", "2026-11-01")))
    (one,) = found(Rule.PIPELINE, known)
    assert (one.subject, one.facts["missed"], one.since) == ("schedule", 7, at("2026-11-19 18:30"))


def test_a_stop_began_with_its_first_missed_look_however_long_it_lasts():
    hours = ["2026-11-12 06:30", "2026-11-18 18:30", "2026-11-19 06:30", "2026-11-19 18:30"]
    missed = pd.DataFrame({"slot": pd.to_datetime([at(one) for one in hours], utc=True), "channels": [1, 2, 3, 4]})
    known = watched(missed=missed, looks=with_error(look("k", "2026-11-20 06:30", "2026-11-01")))
    (one,) = found(Rule.PIPELINE, known)
    assert (one.since, one.facts["missed"]) == (at("2026-11-18 18:30"), 9)


def test_a_stop_ended_with_the_first_look_after_it():
    missed = pd.DataFrame({"slot": pd.to_datetime([at("2026-11-19 18:30")], utc=True), "channels": [7]})
    hours = ("2026-11-19 06:30", "2026-11-19 22:10", "2026-11-20 06:30")
    known = watched(missed=missed, looks=with_error(*[look("k", hour, "2026-11-01") for hour in hours]))
    (one,) = found(Rule.PIPELINE, known)
    assert one.facts["until"] == at("2026-11-19 22:10").isoformat()


def test_missed_looks_of_last_week_are_history():
    missed = pd.DataFrame({"slot": pd.to_datetime([at("2026-11-12 06:30")], utc=True), "channels": [7]})
    known = watched(missed=missed, looks=with_error(look("k", "2026-11-20 06:30", "2026-11-01")))
    assert found(Rule.PIPELINE, known) == []


@pytest.mark.parametrize(("newest", "late"), [("2026-11-19 19:30", False), ("2026-11-19 18:30", True)])
def test_a_schedule_that_stands_still_is_noticed_two_hours_after_the_longest_gap(newest: str, late: bool):
    known = watched(looks=with_error(look("k", newest, "2026-11-01")))
    assert [one.subject for one in found(Rule.PIPELINE, known)] == ["schedule"] * late


def test_a_district_that_was_never_looked_at_is_not_late():
    assert found(Rule.PIPELINE, watched()) == []


# --- quiet units -----------------------------------------------------------------------------------------------


def quiet_row(subject: str, state: str, **more: Any) -> dict[str, Any]:
    facts = {
        "kind": "unit", "subject": subject, "unit": subject, "state": state, "last_post_at": at("2026-11-02"),
        "clock_from": at("2026-11-02"), "due_at": at("2026-11-11 00:00"), "silent_days": 18, "notes": (),
        "own_rhythm_days": 2.0, "channels": ("k",), "proved_until": at("2026-11-20 06:30"),
    }  # fmt: skip
    return facts | more


def test_a_quiet_unit_is_told_since_its_deadline_with_what_the_texts_need():
    (one,) = found(Rule.QUIET, watched(quiet=pd.DataFrame([quiet_row("a", "quiet")])))
    assert (one.subject, one.sure, one.since) == ("a", True, at("2026-11-11 00:00"))
    assert one.facts == {
        "unit": "a", "unit_name": "a", "last_post": "2026-11-02", "silent_days": 18, "seen_until": "2026-11-20",
        "due": "2026-11-10", "rhythm_days": 2, "notes": [], "channels": ["k"], "channel_names": ["k"],
    }  # fmt: skip


def test_units_that_rest_or_were_not_seen_are_unsure_and_active_ones_are_well():
    config = config_of([unit("a"), unit("b"), unit("c")], [channel("k")])
    rows = [quiet_row("a", "resting"), quiet_row("b", "unknown", due_at=pd.NaT), quiet_row("c", "active")]
    known = watched(config, quiet=pd.DataFrame(rows))
    assert {one.subject: one.sure for one in found(Rule.QUIET, known)} == {"a": False, "b": False}


def test_a_quiet_channel_alone_is_no_alert():
    assert found(Rule.QUIET, watched(quiet=pd.DataFrame([quiet_row("k", "quiet", kind="channel")]))) == []


# --- counts held back, consents --------------------------------------------------------------------------------


def test_a_doubted_count_is_told_with_its_name_once_per_channel():
    row = {"channel": "k", "followers": 900, "likes": 0, "posts": None, "views": None, "suspect": 2}
    rows = pd.DataFrame([row | {"observed_at": at(f"2026-11-{day}")} for day in (18, 19)])
    (one,) = found(Rule.SUSPECT, watched(suspects=rows))
    assert (one.facts["count_name"], one.facts["value"], one.since) == ("lượt thích", 0, at("2026-11-18"))


def test_a_consent_that_ends_began_to_matter_thirty_days_before():
    ends = NOW + timedelta(days=12)
    end = TokenEnd("tiktok:k", "TikTok: Kênh mẫu", "k", ends, NOW, 12, "Đề nghị chạy «nhip connect tiktok».")
    (one,) = found(Rule.TOKEN, watched(tokens=[end]))
    assert (one.subject, one.since, one.facts["ends"]) == ("tiktok:k", ends - timedelta(days=30), "2026-12-02")


def test_a_consent_is_never_told_from_the_future():
    end = TokenEnd("tiktok:k", "TikTok: Kênh mẫu", "k", NOW + timedelta(days=30, hours=5), NOW, 30, "Đề nghị …")
    (one,) = found(Rule.TOKEN, watched(tokens=[end]))
    assert one.since == NOW


def refusals(outcome: str) -> pd.DataFrame:
    rows = [failed("k", f"2026-11-{day}") | {"outcome": outcome} for day in (18, 19, "20 08:00")]
    return with_error(*rows)


def test_a_channel_whose_owner_took_the_consent_back_needs_it_again():
    done = at("2026-11-17")
    (one,) = found(Rule.TOKEN, watched(looks=refusals("auth"), last_done={"k": done}))
    assert (one.subject, one.since, one.facts["ends"]) == ("channel:k", done, None)
    assert one.facts["fix"] == "Trang không trả lời."


@pytest.mark.parametrize("outcome", ["network", "permission", "gone"])
def test_a_dead_site_or_a_hidden_page_is_no_matter_of_consent(outcome: str):
    assert found(Rule.TOKEN, watched(looks=refusals(outcome))) == []


def test_a_refused_channel_with_a_consent_of_its_own_is_told_once():
    end = TokenEnd("tiktok:k", "TikTok: Kênh mẫu", "k", None, at("2026-11-01"), None, "Đề nghị …")
    found_tokens = found(Rule.TOKEN, watched(tokens=[end], looks=refusals("auth")))
    assert [one.subject for one in found_tokens] == ["tiktok:k"]


def test_a_refused_consent_without_an_end_is_told_since_it_was_last_good():
    end = TokenEnd("facebook", "Facebook (dùng chung)", "", None, at("2026-11-01"), None, "Đề nghị …")
    (one,) = found(Rule.TOKEN, watched(tokens=[end]))
    assert (one.since, one.facts["ends"]) == (at("2026-11-01"), None)


# --- targets and figures ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory):
    from config.load import write_example

    folder = tmp_path_factory.mktemp("planned")
    write_example(folder)
    return load_config(folder)


def said(target: str, status: str, subject: str = "", due: date | None = None) -> tuple[Any, ...]:
    return "doan-phuong-2026", target, subject, status, "Câu đã nói.", date(2026, 1, 1), due


def rows_of(*rows: tuple[Any, ...]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=list(PROGRESS))


def test_a_row_at_risk_is_told_with_its_clause(planned):
    row = next(iter(planned.plans["doan-phuong-2026"].rows.values()))
    (one,) = found(Rule.TARGET, watched(planned, progress=rows_of(said(row.id, "at_risk"))))
    assert (one.subject, one.sure, one.facts["clause"]) == (f"doan-phuong-2026/{row.id}", True, row.clause)
    assert one.since == datetime(2026, 10, 1, tzinfo=HCMC).astimezone(UTC)


@pytest.mark.parametrize(
    "status", ["failed", "undecided", "too_little", "not_reported", "overdue", "resting", "not_due"]
)
def test_a_row_that_cannot_be_judged_is_unsure(planned, status: str):
    row = next(iter(planned.plans["doan-phuong-2026"].rows))
    (one,) = found(Rule.TARGET, watched(planned, progress=rows_of(said(row, status))))
    assert not one.sure


@pytest.mark.parametrize("status", ["met", "on_pace", "behind"])
def test_a_row_that_is_not_at_risk_is_well(planned, status: str):
    row = next(iter(planned.plans["doan-phuong-2026"].rows))
    assert found(Rule.TARGET, watched(planned, progress=rows_of(said(row, status)))) == []


def test_an_overdue_figure_is_told_of_its_unit_since_the_end_of_its_last_day(planned):
    row, slug = next(iter(planned.plans["doan-phuong-2026"].rows)), next(iter(planned.units))
    known = watched(planned, progress=rows_of(said(row, "overdue", slug, date(2026, 11, 10))))
    (one,) = found(Rule.FIGURE, known)
    assert one.subject == f"doan-phuong-2026/{row}/{slug}"
    assert (one.facts["unit_name"], one.facts["days_late"]) == (planned.units[slug].name, 10)
    assert one.since == datetime(2026, 11, 11, tzinfo=HCMC).astimezone(UTC)


def test_an_overdue_duty_belongs_to_no_unit(planned):
    row = next(iter(planned.plans["doan-phuong-2026"].rows))
    known = watched(planned, progress=rows_of(said(row, "overdue", "2026-11-15", date(2026, 11, 15))))
    (one,) = found(Rule.FIGURE, known)
    assert one.facts["unit_name"] is None


def test_what_is_overdue_for_years_is_history(planned):
    row = next(iter(planned.plans["doan-phuong-2026"].rows))
    known = watched(planned, progress=rows_of(said(row, "overdue", "2017-10-10", date(2017, 10, 10))))
    assert found(Rule.FIGURE, known) == []
