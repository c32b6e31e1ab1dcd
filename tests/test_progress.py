"""From a measured value to one word and one sentence: thresholds, doubts and Vietnamese form."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from metrics import telling
from metrics.asking import Why
from metrics.duty import Duty, task
from metrics.growth import audience_growth
from metrics.pace import Pace
from metrics.progress import STATUS_OF_WHY, Target, Thresholds, progress
from metrics.share import reported_share
from metrics.telling import sentence
from metrics.words import ADVICE, ICONS, STATUS_OF_DUTY, WORDS, Status, between, number, percent
from store.records import Precision
from tests.metric_builders import Y2026, ask, channel, config_of, day, facts, figure, figures, point, series, unit
from tests.test_duty import tasks

HALF, OVER = day("2026-07-02"), day("2027-01-01")  # f = 182/365
GROW, KEEP, LEVEL = Target(0.05, Pace.LINE), Target(1.0, Pace.SO_FAR), Target(0.75, Pace.LEVEL)


def measured(low: Any, high: Any, why: str = "", failed: bool = False, **more: Any) -> pd.DataFrame:
    facts_ = {"subject": "x", "known": 1, "wanted": 1, "why": why, "failed": failed, **more}
    frame = pd.DataFrame([{**facts_, "low": low, "high": high, "shown": low}])
    return frame.astype({**dict.fromkeys(("low", "high", "shown"), "Float64"), "known": "Int64", "wanted": "Int64"})


def word(low: Any, high: Any, target: Target = GROW, today: date = HALF, limits: Any = None, **more: Any) -> str:
    return str(progress(measured(low, high, **more), target, Y2026, today, limits)["status"].iloc[0])


@pytest.mark.parametrize(
    ("low", "high", "today", "status"),
    [
        (0.06, 0.06, HALF, "met"),
        (0.05, 0.05, HALF, "met"),  # at least
        (0.025, 0.025, HALF, "on_pace"),  # expected 0.02493
        (0.02, 0.02, HALF, "behind"),  # 0.02/0.02493 = 0.80
        (0.015, 0.015, HALF, "at_risk"),  # 0.60
        (-0.01, -0.01, HALF, "at_risk"),
        (0.0188, 0.03, HALF, "undecided"),  # 0.75 … 1.20: behind or on pace
        (0.0408, 0.0556, HALF, "on_pace"),  # 1.64 … : on pace either way, met or not
        (0.0408, 0.0556, OVER, "undecided"),  # 1,240 → 1,300: chưa kết luận được
        (0.0488, 0.0637, OVER, "undecided"),
        (0.051, 0.0602, OVER, "met"),
        (0.04, 0.0499, OVER, "not_met"),
        (0.03, 0.03, day("2026-01-07"), "too_little"),  # the seventh day has not ended
        (0.03, 0.03, day("2026-01-08"), "on_pace"),
        (None, None, HALF, "undecided"),
    ],
)
def test_growth_against_its_line(low, high, today, status):
    assert word(low, high, today=today) == status


@pytest.mark.parametrize(
    ("low", "high", "today", "failed", "status"),
    [
        (1, 1, HALF, False, "on_pace"),  # everything so far, and days to come
        (1, 1, OVER, False, "met"),
        (0.96, 0.96, HALF, False, "on_pace"),
        (0.8, 0.8, HALF, False, "behind"),
        (0.5, 0.5, HALF, False, "at_risk"),
        (0.8, 1, OVER, False, "undecided"),
        (0.8, 1, OVER, True, "failed"),  # what is not known is not known because of us
        (0.5, 0.9, OVER, True, "not_met"),  # a day was missed whatever the others were
        (0.76, 0.94, HALF, True, "behind"),
    ],
)
def test_cadence_against_the_days_due_so_far(low, high, today, failed, status):
    assert word(low, high, KEEP, today, failed=failed) == status


@pytest.mark.parametrize(
    ("low", "high", "today", "status"),
    [(0.8, 0.9, HALF, "met"), (0.6, 0.6, HALF, "behind"), (0.3, 0.9, HALF, "undecided"), (0.2, 0.7, OVER, "not_met")],
)
def test_a_share_is_reached_as_soon_as_it_stands(low, high, today, status):
    assert word(low, high, LEVEL, today) == status


@pytest.mark.parametrize(
    ("low", "high", "today", "straddled"),
    [
        (0.6, 0.9, HALF, 0.75),  # late or at risk: which of them is open
        (0.8, 0.98, HALF, 0.95),
        (0.6, 0.98, HALF, 0.95),  # of two the one that decides between late and not late
        (0.6, 0.7, HALF, None),
        (0.6, 1, OVER, None),  # then only the target itself is left
    ],
)
def test_the_threshold_that_keeps_the_word_open_is_named(low, high, today, straddled):
    row = progress(measured(low, high), Target(1.0, Pace.LEVEL), Y2026, today).iloc[0]
    assert (None if pd.isna(row["straddled"]) else row["straddled"]) == straddled


@pytest.mark.parametrize("why", [why for why in Why if why is not Why.NONE])
def test_a_reason_not_to_judge_comes_before_every_number(why):
    assert word(None, None, why=why.value) == STATUS_OF_WHY[why]


def test_a_partial_sum_beyond_the_target_is_no_success():
    assert word(0.09, 0.09, today=OVER, why="missing") == "undecided"


@pytest.mark.parametrize(("today", "status"), [(day("2026-12-31"), "not_reported"), (OVER, "overdue")])
def test_a_missing_report_is_overdue_after_its_deadline(today, status):
    assert word(None, None, LEVEL, today, why="not_reported") == status


def test_a_deadline_of_its_own_comes_before_the_end_of_the_period():
    target = Target(0.75, Pace.LEVEL, deadline=day("2026-07-01"))
    assert word(None, None, target, HALF, why="not_reported") == "overdue"


def test_a_forecast_wholly_below_the_target_is_a_risk_whatever_the_pace():
    more: dict[str, Any] = {"base_low": 1_000, "base_high": 1_000, "now_low": 1_030, "forecast_low": 1_010.0}
    assert word(0.03, 0.03, forecast_high=1_049.0, **more) == "at_risk"
    assert word(0.03, 0.03, forecast_high=1_050.0, **more) == "on_pace"


def test_thresholds_can_be_set():
    assert word(0.02, 0.02, limits=Thresholds(on_pace=0.8, behind=0.5)) == "on_pace"


def test_without_a_number_to_reach_it_is_only_shown():
    assert word(0.02, 0.02, Target(None, Pace.LEVEL)) == "shown"
    assert word(None, None, Target(None, Pace.LEVEL), why="failed") == "failed"


def test_an_empty_frame_is_judged_to_an_empty_frame():
    assert progress(measured(0, 0).iloc[:0], GROW, Y2026, HALF).empty


def test_every_status_has_a_word_and_an_icon_and_every_reason_an_advice():
    assert set(WORDS) == set(ICONS) == set(Status)
    assert set(STATUS_OF_WHY) == set(Why) - {Why.NONE}
    assert set(STATUS_OF_DUTY) == set(Duty)
    assert set(ADVICE) == set(Why) - {Why.NONE, Why.RESTING, Why.PENDING}


BOUNDS = st.floats(-0.2, 0.3).map(lambda one: round(one, 4))
MORE = st.floats(0, 0.1)


@settings(deadline=None)
@given(BOUNDS, BOUNDS, MORE, MORE, st.sampled_from([GROW, KEEP, LEVEL]), st.sampled_from([HALF, OVER]))
def test_a_wider_interval_never_makes_a_verdict(first, second, left, right, target, today):
    low, high = sorted((first, second))
    wide = word(low - left, high + right, target, today)
    assume(wide != "undecided")
    narrow = word(low, high, target, today)
    assert narrow == wide or (narrow, wide) == ("met", "on_pace")  # the narrower one may be sure of more


@pytest.mark.parametrize(
    ("share", "near", "text"),
    [
        (0.048, None, "4,8 %"),
        (0.05, 0.05, "5 %"),
        (0.0496, 0.05, "4,96 %"),  # not «5 %»: that would say it was reached
        (0.04999, 0.05, "4,999 %"),
        (0.0500004, 0.05, "5 %"),
        (-0.01, None, "-1 %"),
        (0.7833, 0.75, "78,3 %"),
        (1.0, 1.0, "100 %"),
        (-0.00001, None, "0 %"),
        (10.605, None, "1.060,5 %"),
    ],
)
def test_percentages_in_vietnamese_form(share, near, text):
    assert percent(share, near) == text


def test_numbers_and_intervals_in_vietnamese_form():
    assert (number(12_874), number(999), number(1_234_567)) == ("12.874", "999", "1.234.567")
    assert (between(0.0408, 0.0556), between(0.05, 0.05)) == ("từ 4,1 % đến 5,6 %", "5 %")


TUBE = config_of([unit("a", members=[{"start": "2025-01-01", "count": 100}])], [channel("tube", "youtube")])


def told(*points: dict[str, Any], today: date = OVER, as_of: str = "2026-12-31 23:00") -> str:
    rows = audience_growth(facts(TUBE, as_of, points=series(*points)), ask()).rows
    return sentence(progress(rows, GROW, Y2026, today).to_dict("records")[0], telling.growth)


def test_the_sentence_of_an_undecided_growth_says_what_to_do():
    floor = Precision.FLOOR3
    assert told(point("tube", "2025-12-31", 1_240, floor), point("tube", "2026-12-31", 1_300, floor)) == (
        "Lượt theo dõi YouTube tăng từ 4,1 % đến 5,6 % (1.240 → 1.300, mốc 31/12/2025), chỉ tiêu 5 %: "
        "chưa kết luận được; đề nghị nhập số chính xác do chủ kênh cung cấp."
    )


def test_the_sentence_of_a_slow_growth_says_what_is_needed():
    points = [point("tube", "2025-12-31", 1_000), point("tube", "2026-07-01", 1_020)]
    # 1,050 − 1,020 = 30 in the 183 days left, 26.1 weeks: 2 a week
    assert told(*points, today=HALF, as_of="2026-07-02") == (
        "Lượt theo dõi YouTube tăng 2 % (1.000 → 1.020, mốc 31/12/2025), chỉ tiêu 5 %: chậm; "
        "cần thêm 2 lượt theo dõi mỗi tuần."
    )


def test_what_is_less_than_one_a_week_is_told_as_a_whole():
    points = [point("tube", "2025-12-31", 1_000), point("tube", "2026-07-01", 1_049)]
    said = told(*points, today=HALF, as_of="2026-07-02")
    assert said.endswith("đúng tiến độ; còn thiếu 1 lượt theo dõi đến hết kỳ.")


def test_in_the_last_days_no_weekly_number_is_told():
    points = [point("tube", "2025-12-31", 1_000), point("tube", "2026-12-28", 1_040)]
    said = told(*points, today=day("2026-12-29"), as_of="2026-12-29")
    assert said.endswith("chậm; còn thiếu 10 lượt theo dõi đến hết kỳ.")


def test_the_sentence_without_a_baseline_asks_for_it():
    assert told() == (
        "Lượt theo dõi YouTube, chỉ tiêu 5 %: chưa đủ số liệu; chưa có số gốc, đề nghị nhập số liệu tại mốc so sánh."
    )


def test_the_sentence_of_a_share_names_those_who_reported_and_the_bounds():
    config = config_of([unit(name, members=[{"start": "2025-01-01", "count": 100}]) for name in "ab"])
    known = facts(config, "2026-07-02", figures=figures(figure("a", 80, 100)))
    row = progress(reported_share(known, ask("total", measure="linked", of_members=True)).rows, LEVEL, Y2026, HALF)
    assert sentence(row.to_dict("records")[0], telling.share) == (
        "80/100 người (80 %) trong số 1/2 đơn vị đã báo cáo, tính cả đơn vị chưa báo cáo từ 40 % đến 90 %, "
        "theo báo cáo sớm của kỳ chưa kết thúc, chỉ tiêu 75 %: chưa kết luận được; "
        "khoảng giá trị nằm vắt qua mức 95 % của kỳ vọng; đề nghị bổ sung số liệu còn thiếu."
    )


def test_without_bounds_the_sentence_of_a_share_names_none():
    known = facts(config_of([unit("a"), unit("b")]), "2027-01-02", figures=figures(figure("a", 80, 100)))
    row = progress(reported_share(known, ask("total", measure="linked")).rows, LEVEL, Y2026, OVER)
    assert sentence(row.to_dict("records")[0], telling.share) == (
        "80/100 người (80 %) trong số 1/2 đơn vị đã báo cáo, chưa rõ số người của đơn vị chưa báo cáo, "
        "chỉ tiêu 75 %: chưa kết luận được; đề nghị bổ sung số liệu còn thiếu."
    )


@pytest.mark.parametrize(
    ("due", "done", "words"),
    [
        ("2026-06-20", None, "Nhiệm vụ «DU2», hạn 20/06/2026, trễ 12 ngày: quá hạn."),
        ("2026-06-20", "2026-06-23", "Nhiệm vụ «DU2», hạn 20/06/2026, trễ 3 ngày: hoàn thành trễ hạn."),
        ("2026-07-05", None, "Nhiệm vụ «DU2», hạn 05/07/2026: sắp đến hạn."),
        ("2026-12-31", None, "Nhiệm vụ «DU2», hạn 31/12/2026: chưa đến hạn."),
        (None, None, "Nhiệm vụ «DU2»: thường xuyên."),
    ],
)
def test_the_sentence_of_a_task(due, done, words):
    rows = task(facts(config_of(), "2026-07-02", tasks=tasks(("DU2", due, done))), ask("unit")).rows
    row = progress(rows, Target(None, Pace.LEVEL), Y2026, HALF)
    assert sentence(row.to_dict("records")[0], telling.duty) == words
