"""What the rows of a plan ask on a day, how the line of a target comes about, and answers that are kept for ever."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.measures import load_measures
from config.models import Config, Span
from config.plan_files import packaged_plans, read_plan
from config.plan_models import Plan
from metrics.periods import DAY, Period, week_of
from metrics.words import Status
from pipeline.explaining import rule_of
from pipeline.figure_periods import parse_report_period
from pipeline.judgement import Answer, judge, rolled_up
from pipeline.plain import digest_of
from pipeline.questions import Moment, Question, questions_of, report_period
from store.errors import StoreError
from store.records import Failure, FailureKind, Reading, Said, Snapshot, Source
from store.verbs import Store
from tests.checked import DAILY, GROWTH, PLAN
from tests.metric_builders import HCMC, at, channel, config_of, figure, figures, unit
from tests.store_builders import UNIT, look

FANPAGE = channel("fanpage-phuong", unit="phuong-mot")
TODAY = "2026-11-20"
YEAR = Period(date(2026, 1, 1), date(2027, 1, 1), HCMC)
OF_MANY = read_plan(packaged_plans()["doan-phuong-2026"], [])


def a_plan(folder: Path, *rows: str, start: str = "2026-01-01", until: str = "2027-01-01") -> Plan:
    text = PLAN.format(rows="\n".join(rows), until=until, closed="false").replace(
        "start = 2026-01-01", f"start = {start}"
    )
    (folder / "mau.toml").write_text(text, encoding="utf-8")
    problems: list[Any] = []
    plan = read_plan(folder / "mau.toml", problems)
    assert plan is not None, problems
    return plan


def a_config(**more: Any) -> Config:
    return config_of([unit("phuong-mot")], [FANPAGE], **more)


def a_moment(day: str = TODAY, config: Config | None = None, *told: dict[str, Any]) -> Moment:
    as_of = at(day)
    days = dict.fromkeys(("period_start", "period_end"), "datetime64[s]")
    return Moment(config or a_config(), as_of, week_of(as_of.date(), HCMC), figures(*told).astype(days))


def growth_question(folder: Path, day: str, yearly: str, baseline: str = "plan_start", **plan: str) -> Question:
    row = GROWTH.replace('"period_start"', f'"{baseline}"').replace('"simple"', f'"{yearly}"')
    (question,) = questions_of(a_plan(folder, row, **plan), a_moment(day))
    return question


# --- what is asked ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "yearly", "baseline", "start", "until", "goal"),
    [
        ("2025-06-01", "simple", "plan_start", "2025-01-01", "2026-01-01", 0.05),
        ("2026-06-01", "simple", "plan_start", "2025-01-01", "2027-01-01", 0.10),
        ("2026-06-01", "compound", "plan_start", "2025-01-01", "2027-01-01", 0.1025),
        ("2026-06-01", "simple", "period_start", "2026-01-01", "2027-01-01", 0.05),
        ("2027-06-01", "simple", "period_start", "2026-01-01", "2027-01-01", 0.05),  # over: its last year
    ],
)
def test_a_yearly_growth_is_promised_from_its_baseline(
    tmp_path: Path, day: str, yearly: str, baseline: str, start: str, until: str, goal: float
):
    question = growth_question(tmp_path, day, yearly, baseline, start="2025-01-01", until="2027-01-01")
    assert (str(question.period.start), str(question.period.end)) == (start, until)
    assert question.goal == pytest.approx(goal)
    assert question.asks[0].baseline_day == question.period.start - DAY


def test_a_plan_that_is_over_is_judged_at_its_end(tmp_path: Path):
    question = growth_question(tmp_path, "2026-11-20", "simple", start="2025-01-01", until="2026-01-01")
    assert question.as_of == datetime(2025, 12, 31, 17, tzinfo=UTC)


def test_the_motto_of_a_plan_that_is_over_is_judged_for_its_last_week(tmp_path: Path):
    plan = a_plan(tmp_path, DAILY, start="2025-01-01", until="2026-01-01")
    (question,) = questions_of(plan, a_moment())
    assert question.period == week_of(date(2025, 12, 31), HCMC)


@pytest.mark.parametrize(
    ("day", "told", "period"),
    [
        ("2026-11-20", [], "2026-Q3"),  # due since 10 October
        ("2026-11-20", ["2026-Q3", "2026-Q4"], "2026-Q3"),  # one early report decides nothing for the others
        ("2026-11-20", ["2026-Q3", "2026"], "2026-Q3"),  # nor does one in another rhythm
        ("2026-11-20", ["2026"], "2026"),  # nobody reported for anything that is due
        ("2026-10-05", ["2026-Q2"], "2026-Q2"),  # the third quarter is over, but not due yet
        ("2026-10-05", ["2026-Q2", "2026-Q3"], "2026-Q2"),
        ("2026-10-15", ["2026-Q2"], "2026-Q3"),
        ("2027-01-20", ["2026-Q4", "2026"], "2026-Q4"),  # those who report by quarter are judged by quarter
        ("2027-01-20", ["2026"], "2026"),  # those who report by year, by year
        ("2026-02-01", [], "2026-Q1"),  # nothing is due yet: the first that will be
    ],
)
def test_a_report_is_for_the_newest_period_that_is_due(day: str, told: list[str], period: str):
    config = a_config()
    known = [parse_report_period(name, config) for name in told]
    rows = [figure("phuong-mot", 3, 4, period=Period(one.start, one.end, HCMC)) for one in known]
    found = report_period(
        "linked",
        load_measures()["linked"],
        Span(start=date(2026, 1, 1), until=date(2027, 1, 1)),
        a_moment(day, config, *rows),
    )
    assert found.name == period


def test_heads_are_held_against_the_year_that_is_due():
    plan = read_plan(packaged_plans()["binh-tan-2024"], [])
    assert plan is not None
    years = [Period(date(year, 1, 1), date(year + 1, 1, 1), HCMC) for year in (2023, 2024, 2025)]
    told = [figure("phuong-mot", value=40 + n, period=one, measure="propagandists") for n, one in enumerate(years)]
    asked = {one.row.id: one for one in questions_of(plan, a_moment("2025-11-20", None, *told))}
    assert (asked["CT6a"].period, asked["CT6a"].asks[0].baseline_period) == (years[1], years[0])


def test_a_row_of_one_channel_decides_nothing_where_any_channel_is_enough(store: Store):
    assert OF_MANY is not None
    main = read_plan(packaged_plans()["binh-tan-2024"], [])
    assert main is not None
    store.sync([UNIT], [FANPAGE], at("2025-11-01"))
    lines = {one.question.row.id: one.line for one in judge([main], a_moment("2025-11-20"), store).answers}
    assert (lines["CT3"].status, lines["CT3.1"].status) == ("overdue", "shown")


# --- what is answered -------------------------------------------------------------------------------------------


def counted(store: Store, *looks: tuple[str, int | None]) -> None:
    """Daily looks at the Fanpage: so many followers, or None where the look failed."""
    store.sync([UNIT], [FANPAGE], at("2025-12-01"))
    for day, followers in looks:
        outcome: Reading | Failure = Failure(FailureKind.AUTH, "Mã truy cập đã hết hạn.")
        if followers is not None:
            outcome = Reading(snapshots=(Snapshot(at(day), Source.FACEBOOK_PAGE, followers=followers),))
        look(store, FANPAGE.slug, outcome, at(day))


def only_answer(store: Store, folder: Path, day: str = TODAY) -> Answer:
    (answer,) = judge([a_plan(folder, GROWTH)], a_moment(day), store).answers
    return answer


def test_growth_is_told_with_its_two_ends(store: Store, tmp_path: Path):
    counted(store, ("2025-12-31", 1000), ("2026-11-19", 1060))
    answer = only_answer(store, tmp_path)
    assert answer.line.status == "met"
    assert answer.line.low == pytest.approx(0.06)
    assert answer.line.sentence.startswith("Lượt theo dõi Facebook tăng 6 % (1.000 → 1.060, mốc 31/12/2025)")
    assert {one["role"]: one["value"] for one in answer.line.inputs} == {"base": 1000, "now": 1060}


def test_a_channel_that_could_not_be_read_for_a_week_failed_and_did_not_miss_its_target(store: Store, tmp_path: Path):
    counted(store, ("2025-12-31", 1000), ("2026-11-01", 1001), ("2026-11-13", None), ("2026-11-19", None))
    assert only_answer(store, tmp_path).line.status == "failed"


def test_a_channel_first_read_within_the_year_has_its_first_count_for_a_baseline(store: Store, tmp_path: Path):
    counted(store, ("2026-01-20", 1000), ("2026-02-20", 1010), ("2026-11-19", 1060))
    (said,) = only_answer(store, tmp_path).subjects
    assert (said.facts["base_value"], said.facts["base_gap"]) == (1000, 20)


def test_later_counts_never_change_an_earlier_answer(store: Store, tmp_path: Path):
    counted(store, ("2025-12-31", 1000), ("2026-11-19", 1060))
    before = only_answer(store, tmp_path)
    counted(store, ("2026-11-21", 2000))
    assert only_answer(store, tmp_path) == before
    assert only_answer(store, tmp_path, "2026-11-22").line.low == pytest.approx(1.0)


# --- the line of many -------------------------------------------------------------------------------------------


def said(status: Status, subject: str = "a", **facts: Any) -> Said:
    known = {"why": "", "failed": status is Status.FAILED, "status": status.value} | facts
    day = datetime(2026, 11, 20, tzinfo=UTC)
    period = (date(2026, 1, 1), date(2027, 1, 1))
    return Said("mau", "CT4.5", subject, *period, day, status, None, None, 0.05, "Câu.", known, [], "")


@given(words=st.lists(st.sampled_from(list(Status)[:13]), min_size=1, max_size=8), order=st.randoms())
def test_the_line_of_many_is_the_worst_that_is_sure_whatever_their_order(words: list[Status], order: Any):
    words = [word for word in words if word not in (Status.NOT_DUE, Status.DUE_SOON)] or [Status.MET]
    assert OF_MANY is not None
    question = Question(OF_MANY, OF_MANY.rows["CT4.4"], (), YEAR, at(TODAY), 0.05)
    shuffled = order.sample(words, len(words))
    line = rolled_up(question, [said(word) for word in words])
    assert line.status == rolled_up(question, [said(word) for word in shuffled]).status
    assert (line.status == Status.NOT_MET) == (Status.NOT_MET in words)
    assert line.status != Status.MET or set(words) == {Status.MET}


def test_the_rule_that_gave_the_word_is_named():
    at_risk: Mapping[str, Any] = {"why": "", "end_high": 0.03}
    assert rule_of(said(Status.AT_RISK, **at_risk), over=False) == "dự báo cao nhất 3 % vẫn dưới mức phải đạt."
    assert "đề nghị kiểm tra kết nối" in rule_of(said(Status.FAILED, why="failed"), over=False)
    assert all(rule_of(said(status), over=True) for status in Status)


# --- what is kept -----------------------------------------------------------------------------------------------


def test_the_same_inputs_repeat_the_stored_words(store: Store):
    first = replace(said(Status.MET), digest="a")
    assert store.keep_progress([first]) == [first]
    assert store.keep_progress([replace(first, sentence="Lời mới.")]) == [first]


def test_other_inputs_stand_beside_the_old_ones(store: Store):
    first = replace(said(Status.MET), digest="a")
    store.keep_progress([first])
    (second,) = store.keep_progress([replace(first, digest="b", status="behind")])
    assert (second.turn, second.status) == (2, "behind")
    assert store.keep_progress([first]) == [first]
    frame = store.progress(plans=["mau"])
    assert (frame["turn"].tolist(), frame["status"].tolist()) == ([2], ["behind"])


def test_the_newest_answer_until_a_moment_is_given(store: Store):
    early = replace(said(Status.BEHIND), digest="a")
    late = replace(early, digest="b", as_of=datetime(2026, 11, 27, tzinfo=UTC), status="met", low=0.05)
    store.keep_progress([early, late])
    assert store.progress(datetime(2026, 11, 26, tzinfo=UTC))["status"].tolist() == ["behind"]
    assert store.progress()["low"].tolist() == [0.05]
    assert store.progress(datetime(2026, 1, 1, tzinfo=UTC)).empty


@pytest.mark.parametrize("statement", ["UPDATE progress SET status = 'met'", "DELETE FROM progress"])
def test_no_answer_is_ever_changed(store: Store, statement: str):
    store.keep_progress([replace(said(Status.BEHIND), digest="a")])
    with pytest.raises(StoreError, match="only ever added to"):
        store.database.write(lambda connection: connection.exec_driver_sql(statement))


def test_a_digest_does_not_depend_on_the_order_of_keys():
    assert digest_of({"a": 1, "b": [2]}) == digest_of({"b": [2], "a": 1}) != digest_of({"a": 1, "b": [3]})
