"""What proves that a case is over: only then is anybody told «hoạt động trở lại»."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from alerts.base import Finding, Rule
from alerts.casework import OVER, UNPROVEN, changes, weigh
from alerts.round import ask
from alerts.rules import RULES, outbox
from alerts.rules.token import AHEAD
from store.records import Case
from tests.alert_builders import DAY, HOUR, OFFICES, a_case, quiet
from tests.metric_builders import at, channel, config_of, failed, look, unit
from tests.test_alert_rules import NOW, quiet_row, rows_of, watched, with_error

BEFORE = NOW - 5 * DAY


def ended(rule: Rule, subject: str, facts: dict[str, Any] | None = None, **known: Any) -> datetime | None:
    """What proves the end of a case that began and was opened five days ago."""
    case = a_case(Finding(rule, subject, BEFORE, facts or {}), opened_at=BEFORE)
    return RULES[rule].ended(watched(known.pop("config", None), **known), case)


def reason(case: Case, **known: Any) -> str:
    """Why a whole round closes a case."""
    said = ask(RULES, watched(**known), [case])
    (turn,) = changes(weigh(said.findings, [case], NOW), [case], {}, NOW, said.ended).turns
    return turn.reason


# --- quiet units -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("known", "posted", "proved"),
    [
        ("2026-11-02", at("2026-11-18 10:00"), True),
        ("2026-11-02", at("2026-11-02 23:59"), False),
        ("2026-11-02", at("2026-10-20 10:00"), False),
        ("2026-11-02", pd.NaT, False),
        (None, at("2026-11-18 10:00"), True),
        (None, pd.NaT, False),
    ],
)
def test_a_unit_is_back_with_a_post_of_a_later_day_than_its_last_one(known: str | None, posted: Any, proved: bool):
    frame = pd.DataFrame([quiet_row("a", "active", last_post_at=pd.Timestamp(posted))])
    assert ended(Rule.QUIET, "a", {"last_post": known}, quiet=frame) == (posted if proved else None)


def test_a_unit_that_merged_away_or_whose_interval_was_edited_is_not_back():
    case = a_case(quiet(last_post="2026-11-02"))
    assert reason(case) == UNPROVEN["quiet"]
    assert reason(case, quiet=pd.DataFrame([quiet_row("a", "active")])) == UNPROVEN["quiet"]
    posted = quiet_row("a", "active", last_post_at=at("2026-11-19 10:00"))
    assert reason(case, quiet=pd.DataFrame([posted])) == OVER["quiet"]


# --- targets and figures ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["met", "on_pace", "behind"])
def test_a_row_is_out_of_danger_when_the_check_says_a_good_word(status: str):
    row = ("plan", "CT1", "", status, "Câu.", date(2026, 1, 1), None)
    assert ended(Rule.TARGET, "plan/CT1", progress=rows_of(row)) == NOW
    assert ended(Rule.TARGET, "plan/CT2", progress=rows_of(row)) is None


@pytest.mark.parametrize("status", ["shown", "standing", "not_due", "undecided"])
def test_a_row_of_which_nothing_good_is_said_is_not_out_of_danger(status: str):
    row = ("plan", "CT1", "", status, "Câu.", date(2026, 1, 1), None)
    assert ended(Rule.TARGET, "plan/CT1", progress=rows_of(row)) is None


def duty(status: str, subject: str, due: date | None) -> pd.DataFrame:
    return rows_of(("plan", "BC1", subject, status, "Câu.", date(2026, 1, 1), due))


OCTOBER = date(2026, 10, 10)


@pytest.mark.parametrize("status", ["met", "done_late", "not_met"])
def test_a_figure_is_there_when_that_very_due_day_has_a_result(status: str):
    assert ended(Rule.FIGURE, "plan/BC1/a", {"due": "2026-10-10"}, progress=duty(status, "a", OCTOBER)) == NOW


@pytest.mark.parametrize(
    "known",
    [
        duty("met", "a", date(2027, 1, 10)),
        duty("met", "b", OCTOBER),
        duty("overdue", "a", OCTOBER),
        duty("not_due", "2027-01-10", date(2027, 1, 10)),
        duty("met", "a", None),
        rows_of(),
    ],
)
def test_neither_a_later_due_day_nor_the_end_of_a_plan_is_a_result(known: pd.DataFrame):
    assert ended(Rule.FIGURE, "plan/BC1/a", {"due": "2026-10-10"}, progress=known) is None


# --- channels, consents, counts --------------------------------------------------------------------------------


@pytest.mark.parametrize(("read", "proved"), [(BEFORE, False), (NOW - HOUR, True), (NOW + HOUR, False)])
def test_a_channel_is_back_with_a_good_look_after_the_beginning(read: datetime, proved: bool):
    assert ended(Rule.SOURCE, "k", last_done={"k": read}) == (read if proved else None)


def test_a_channel_that_was_taken_out_is_not_back():
    assert ended(Rule.SOURCE, "x") is None
    assert ended(Rule.TOKEN, "channel:x", {"channel": "x", "ends": None}) is None


def test_a_consent_is_renewed_when_it_works_or_its_channel_that_was_refused_was_read():
    facts = {"channel": "k", "ends": None}
    assert ended(Rule.TOKEN, "tiktok:k", facts, consents={"tiktok:k"}) == NOW
    assert ended(Rule.TOKEN, "channel:k", facts, last_done={"k": NOW - HOUR}) == NOW - HOUR
    assert ended(Rule.TOKEN, "channel:k", facts, last_done={"k": BEFORE}) is None


def test_a_consent_that_was_still_good_until_it_was_removed_is_not_renewed():
    ends = (BEFORE + AHEAD).date().isoformat()
    assert ended(Rule.TOKEN, "tiktok:k", {"channel": "k", "ends": ends}, last_done={"k": NOW - HOUR}) is None


@pytest.mark.parametrize(
    ("platform", "age", "proved"), [("youtube", 5, True), ("youtube", 40, False), ("zalo", 40, True)]
)
def test_a_doubted_count_is_settled_unless_it_may_no_longer_be_kept(platform: str, age: int, proved: bool):
    config = config_of([unit("a")], [channel("k", platform=platform)])
    case = a_case(Finding(Rule.SUSPECT, "k", NOW - age * DAY, {}))
    assert RULES[Rule.SUSPECT].ended(watched(config), case) == (NOW if proved else None)


# --- our own ---------------------------------------------------------------------------------------------------


def test_the_schedule_runs_again_with_a_look_after_the_beginning():
    assert ended(Rule.PIPELINE, "schedule") is None
    assert ended(Rule.PIPELINE, "schedule", looks=with_error(look("k", "2026-11-14", "2026-11-01"))) is None
    assert ended(Rule.PIPELINE, "schedule", looks=with_error(failed("k", "2026-11-20 06:30"))) == NOW


def test_the_network_is_back_when_a_channel_was_read():
    assert ended(Rule.PIPELINE, "network", looks=with_error(failed("k", "2026-11-20 06:30"))) is None
    assert ended(Rule.PIPELINE, "network", looks=with_error(look("k", "2026-11-20 06:30", "2026-11-01"))) == NOW


def test_receivers_whom_messages_did_not_reach_are_named_until_a_week_has_passed():
    config = replace(config_of([unit("a")], [channel("k")]), alerts=OFFICES)
    known = {"btv": NOW - 2 * DAY, "to": NOW - DAY, "da-xoa": NOW}
    found = outbox.find(watched(config, unsent=known))
    assert [(one.rule, one.subject, one.since) for one in found] == [(Rule.PIPELINE, "outbox", NOW - DAY)]
    assert found[0].facts["receivers"] == ["Ban Thường vụ (mẫu)", "Tổ truyền thông (mẫu)"]
    assert outbox.find(watched(config, unsent={"da-xoa": NOW})) == outbox.find(watched(config)) == []
    assert ended(Rule.PIPELINE, "outbox", looks=with_error(look("k", "2026-11-20 06:30", "2026-11-01"))) is None


def test_a_source_that_flaps_unseen_is_one_new_case_and_no_loop():
    """The clock of the looks may be ahead of ours: a beginning that lies ahead begins nothing anew."""
    ahead = replace(quiet(), rule=Rule.SOURCE, subject="k", since=NOW + timedelta(minutes=5))
    case = a_case(ahead, opened_at=NOW - HOUR)
    for later in range(3):
        now = NOW + later * timedelta(minutes=1)
        change = changes(weigh({Rule.SOURCE: [ahead]}, [case], now), [case], {}, now)
        assert (change.turns, change.openings) == ((), ())
