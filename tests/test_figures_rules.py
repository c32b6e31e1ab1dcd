"""What a reported figure must keep to, decided without any database."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.load import load_config
from config.measures import load_measures, measures_for
from config.models import Config
from config.plan_files import packaged_plans, read_plan
from pipeline.figure_numbers import UnreadableError, read_whole
from pipeline.figure_periods import parse_report_period, period_before, period_named
from pipeline.figure_plans import asked_measures, clause_of
from pipeline.figure_sums import Numbers
from pipeline.figure_words import said, shown
from pipeline.figures import CHANGED, KNOWN, NEW, Entry, Judged, Shelf, judge
from pipeline.problems import UserError
from tests.figure_builders import write_district

TODAY = date(2026, 11, 20)
MEASURES = load_measures()


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    return load_config(write_district(tmp_path_factory.mktemp("rules") / "quan"))


def an_entry(config: Config, measure: str, *numbers: int | None, **more: object) -> Entry:
    given = {"unit": "phuong-mot", "period": "2026", "source_note": "Sổ theo dõi (mẫu)"} | more
    three: Numbers = (numbers[0], None, None) if len(numbers) == 1 else (None, numbers[0], numbers[1])
    unit, period = config.units[str(given.pop("unit"))], parse_report_period(str(given.pop("period")), config)
    return Entry(unit, measure, period, three, **given)  # type: ignore[arg-type]


def a_shelf(*entries: Entry) -> Shelf:
    names = ("value", "numerator", "denominator")
    rows = [
        {"unit": one.unit.slug, "measure": one.measure, "source_note": one.source_note, "evidence": one.evidence}
        | {"period_start": pd.Timestamp(one.period.start), "period_end": pd.Timestamp(one.period.end)}
        | dict(zip(names, one.numbers, strict=True))
        for one in entries
    ]
    columns = ["unit", "measure", "period_start", "period_end", *names, "source_note", "evidence"]
    return Shelf(pd.DataFrame(rows, columns=columns, dtype=object))


def judged(config: Config, *entries: Entry, stored: tuple[Entry, ...] = ()) -> list[Judged]:
    return judge(entries, config, a_shelf(*stored), TODAY)


# --- one figure alone -------------------------------------------------------------------------------------------

REFUSED = [
    ("linked", (500, 400), {}, "quá 100 %"),
    ("linked", (300, None), {}, "đủ hai số"),
    ("linked", (300,), {}, "đủ hai số"),
    ("propagandists", (3, 4), {}, "chỉ ghi số ấy"),
    ("propagandists", (None,), {}, "chỉ ghi số ấy"),
    ("propagandists", (10**9 + 1,), {}, "lớn bất thường"),
    ("propagandists", (40,), {"period": "2027"}, "chưa tới"),
    ("propagandists", (40,), {"period": "2026-Q1"}, "theo năm, không theo quý"),
    ("conferences", (4,), {"period": "2026-11"}, "theo quý, năm, không theo tháng"),
    ("propagandists", (40,), {"unit": "phuong-cu"}, "không hoạt động trong kỳ 2026"),
    ("propagandists", (40,), {"period": "2024"}, "không hoạt động trong kỳ 2024"),
    ("propagandists", (40,), {"source_note": "  "}, "chưa ghi nguồn"),
    ("propagandists", (40,), {"source_note": "x" * 301}, "dài hơn 300"),
    ("propagandists", (40,), {"source_note": "Nguyễn Văn Mẫu"}, "một cá nhân"),
    ("propagandists", (40,), {"source_note": "gọi 0912 345 678"}, "một cá nhân"),
    ("propagandists", (40,), {"source_note": "thư a.b@doan-mau.example"}, "một cá nhân"),
    ("propagandists", (40,), {"evidence": "tờ giấy"}, "không phải là địa chỉ"),
    ("propagandists", (40,), {"evidence": "https://ten:mat-khau@doan-mau.example/"}, "không phải là địa chỉ"),
]


@pytest.mark.parametrize(("measure", "numbers", "more", "reason"), REFUSED)
def test_what_cannot_be_true_is_refused_with_its_reason(config, measure, numbers, more, reason):
    (one,) = judged(config, an_entry(config, measure, *numbers, **more))
    assert one.refusal is not None
    assert reason in one.refusal
    assert not one.is_to_be_written


@pytest.mark.parametrize(
    ("measure", "numbers", "more"),
    [
        ("linked", (400, 400), {}),
        ("linked", (0, 0), {}),
        ("propagandists", (0,), {}),
        ("propagandists", (40,), {"period": "2025"}),
        ("propagandists", (40,), {"unit": "phuong-cu", "period": "2025"}),
        ("conferences", (4,), {"period": "2026-q4"}),
        ("reach", (4,), {"period": "2026-11", "evidence": "https://doan-mau.example/bao-cao"}),
        ("propagandists", (40,), {"source_note": "Công văn 12-CV/ĐTN ngày 05-11-2026 08:00 (mẫu)"}),
    ],
)
def test_what_may_be_true_is_kept(config, measure, numbers, more):
    (one,) = judged(config, an_entry(config, measure, *numbers, **more))
    assert (one.refusal, one.questions, one.state) == (None, (), NEW)


def test_the_same_figure_is_known_and_another_one_changes_it(config):
    stored = an_entry(config, "propagandists", 40)
    assert [one.state for one in judged(config, stored, stored=(stored,))] == [KNOWN]
    assert [one.state for one in judged(config, an_entry(config, "propagandists", 41), stored=(stored,))] == [CHANGED]


def test_a_figure_that_comes_twice_in_one_file_is_refused_both_times(config):
    found = judged(config, an_entry(config, "propagandists", 40), an_entry(config, "propagandists", 41))
    assert all("hai lần" in (one.refusal or "") for one in found)


# --- against the period before ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("measure", "before", "now", "asks"),
    [
        ("conferences", (100,), (130,), False),
        ("conferences", (100,), (131,), True),
        ("conferences", (100,), (70,), False),
        ("conferences", (100,), (69,), True),
        ("conferences", (0,), (50,), False),
        ("linked", (300, 400), (300, 530), True),
        ("linked", (300, 400), (380, 500), False),
        ("linked", (300, 400), (100, 400), True),
    ],
)
def test_a_jump_of_more_than_thirty_percent_asks(config, measure, before, now, asks):
    stored = an_entry(config, measure, *before, period="2025-Q4")
    (one,) = judged(config, an_entry(config, measure, *now, period="2026-Q1"), stored=(stored,))
    assert one.refusal is None
    assert bool(one.questions) is asks
    assert one.is_to_be_written


def test_a_question_does_not_tell_a_small_number_of_people(config):
    stored = an_entry(config, "speakers", 7, period="2025")
    (one,) = judged(config, an_entry(config, "speakers", 12), stored=(stored,))
    assert one.questions == ("khác kỳ trước hơn 30 % (kỳ 2025: < 10; kỳ này: 12)",)


def test_only_the_period_right_before_of_the_same_kind_is_compared(config):
    stored = (an_entry(config, "conferences", 10, period="2025"), an_entry(config, "conferences", 10, period="2025-Q3"))
    (one,) = judged(config, an_entry(config, "conferences", 90, period="2026-Q1"), stored=stored)
    assert one.questions == ()


# --- what belongs together --------------------------------------------------------------------------------------

PARTS = {"visual-led": 1, "visual-boards": 2, "visual-speakers": 3, "visual-banners": 4, "visual-panels": 5}


def test_parts_that_make_their_whole_are_kept(config):
    parts = [an_entry(config, slug, number) for slug, number in PARTS.items()]
    assert all(
        one.refusal is None and not one.questions
        for one in judged(config, an_entry(config, "visual-items", 15), *parts)
    )


@pytest.mark.parametrize("whole", [14, 16])
def test_parts_and_a_whole_handed_in_together_must_fit(config, whole):
    parts = [an_entry(config, slug, number) for slug, number in PARTS.items()]
    found = judged(config, an_entry(config, "visual-items", whole), an_entry(config, "conferences", 4), *parts)
    refused = [one.entry.measure for one in found if one.refusal]
    assert refused == ["visual-items", *PARTS]


def test_a_correction_of_one_part_asks_instead_so_that_a_total_can_be_put_right_step_by_step(config):
    stored = tuple(an_entry(config, slug, number) for slug, number in (PARTS | {"visual-items": 15}).items())
    (one,) = judged(config, an_entry(config, "visual-led", 2), stored=stored)
    assert one.refusal is None
    assert "không bằng tổng các dòng thành phần" in one.questions[0]


def test_some_parts_may_still_be_missing_but_never_exceed_the_whole(config):
    assert judged(config, an_entry(config, "visual-items", 15), an_entry(config, "visual-led", 9))[0].refusal is None
    assert judged(config, an_entry(config, "visual-items", 15), an_entry(config, "visual-led", 16))[0].refusal


def test_trained_people_are_a_share_of_the_people_that_were_reported(config):
    staff, trained = an_entry(config, "propagandists", 50), an_entry(config, "propagandists-trained", 30, 40)
    assert all("khác «Số tuyên truyền viên cơ sở»" in (one.refusal or "") for one in judged(config, staff, trained))
    (one,) = judged(config, trained, stored=(staff,))
    assert one.refusal is None
    assert "mẫu số" in one.questions[0]


def test_units_and_periods_are_not_mixed_up(config):
    staff = an_entry(config, "propagandists", 50, unit="phuong-hai")
    last_year = an_entry(config, "propagandists", 50, period="2025")
    trained = an_entry(config, "propagandists-trained", 30, 40)
    assert judged(config, staff, last_year, trained)[2].refusal is None


# --- words ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "number"), [("0", 0), (" 1234 ", 1234), ("007", 7)])
def test_plain_digits_are_a_number(text, number):
    assert read_whole(text) == number


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("-5", "số âm"),
        ("−5,5", "số âm"),
        ("1.234", "không rõ"),
        ("12,5", "không rõ"),
        ("75%", "tỷ lệ %"),
        ("mười", "không phải là số nguyên"),
        ("", "không phải là số nguyên"),
        ("1e5", "không phải là số nguyên"),
        ("٣", "không phải là số nguyên"),
        ("9" * 13, "không phải là số nguyên"),
    ],
)
def test_anything_else_is_no_number_and_says_why(text, reason):
    with pytest.raises(UnreadableError, match=reason):
        read_whole(text)


@pytest.mark.parametrize(
    ("measure", "numbers", "words"),
    [
        ("propagandists", (1240, None, None), "1.240"),
        ("propagandists", (9, None, None), "< 10"),
        ("propagandists", (10, None, None), "10"),
        ("conferences", (3, None, None), "3"),
        ("linked", (None, 300, 400), "300/400 (75,0 %)"),
        ("linked", (None, 9, 400), "< 10/400"),
        ("linked", (None, 5, 8), "< 10/< 10"),
        ("linked", (None, 0, 0), "< 10/< 10"),
    ],
)
def test_few_people_are_never_counted_aloud(measure, numbers, words):
    assert said(MEASURES[measure], numbers) == words


@given(st.integers(0, 9), st.integers(10, 10**6))
def test_no_share_lets_a_small_number_be_reckoned_back(few, many):
    assert "%" not in said(MEASURES["linked"], (None, few, many))
    assert shown(MEASURES["linked"], few) == "< 10"


# --- periods ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "first", "after", "title"),
    [
        ("2026", date(2026, 1, 1), date(2027, 1, 1), "Năm 2026 (01/01/2026–31/12/2026)"),
        ("2026-Q1", date(2026, 1, 1), date(2026, 4, 1), "Quý 1/2026 (01/01/2026–31/03/2026)"),
        ("2026-q4", date(2026, 10, 1), date(2027, 1, 1), "Quý 4/2026 (01/10/2026–31/12/2026)"),
        ("2024-02", date(2024, 2, 1), date(2024, 3, 1), "Tháng 2/2024 (01/02/2024–29/02/2024)"),
    ],
)
def test_a_period_has_its_days_and_its_title(config, text, first, after, title):
    period = parse_report_period(text, config)
    assert (period.start, period.end, period.title) == (first, after, title)
    assert period_named(first, after, config) == period


@pytest.mark.parametrize("text", ["2026-Q5", "2026-13", "26", "2026-W47", "", "9999", "2026-1"])
def test_what_names_no_period_is_told(config, text):
    with pytest.raises(UserError, match="Không hiểu kỳ"):
        parse_report_period(text, config)


def test_a_reporting_year_follows_its_cut_off(tmp_path: Path):
    config = load_config(write_district(tmp_path / "quan", cut_off="12-14"))
    year = parse_report_period("2026", config)
    assert year.days == (date(2025, 12, 15), date(2026, 12, 15))
    assert period_named(*year.days, config) == year
    assert period_named(date(2026, 1, 1), date(2027, 1, 1), config).title == "Từ 01/01/2026 đến trước 01/01/2027"


@given(st.integers(1991, 2199), st.sampled_from(["", "-Q1", "-Q4", "-Q2", "-01", "-12", "-06"]))
def test_the_period_before_ends_where_this_one_starts(config, year, part):
    period = parse_report_period(f"{year}{part}", config)
    before = period_before(period, config)
    assert before is not None
    assert (before.end, before.rhythm) == (period.start, period.rhythm)


# --- the measures -----------------------------------------------------------------------------------------------


PLANS = {slug: read_plan(path, []) for slug, path in packaged_plans().items()}
REPORTED = {"reported_share": "share", "reported_growth": "count", "reported_count": "count"}
ROWS = [
    (slug, row.id, REPORTED[row.indicator])
    for slug, plan in PLANS.items()
    if plan
    for row in plan.rows.values()
    if row.indicator in REPORTED
]


@pytest.mark.parametrize(("plan", "row", "kind"), ROWS)
def test_every_row_that_is_judged_by_reported_figures_has_a_measure_of_its_kind(plan, row, kind):
    assert [MEASURES[slug].kind for slug in measures_for(row)]
    assert {MEASURES[slug].kind for slug in measures_for(row)} == {kind}


def test_every_measure_answers_a_row_of_some_plan():
    rows = {row for plan in PLANS.values() if plan for row in plan.rows}
    assert {slug for slug, rule in MEASURES.items() if not rows.issuperset(rule.rows)} == set()


def test_only_what_the_plans_in_force_ask_for_is_asked_of_units(config):
    ward = replace(config, plans={"doan-phuong-2026": PLANS["doan-phuong-2026"]})
    period = parse_report_period("2026", ward)
    assert list(asked_measures(ward, period)) == [
        "open-incidents",
        "linked",
        "staff-trained",
        "propagandists",
        "propagandists-trained",
        "training-sessions",
        "training-attendees",
    ]
    assert clause_of(ward, period, MEASURES["linked"]) == "mục II.3"
    assert clause_of(config, period, MEASURES["linked"]) == "CT3"
    assert len(asked_measures(config, period)) == len(MEASURES)


@pytest.mark.parametrize("slug", MEASURES)
def test_a_measure_of_people_says_so(slug):
    rule = MEASURES[slug]
    words = ("người", "viên", "cán bộ")
    assert rule.people == any(word in f"{rule.name} {rule.of or ''}" and "Zalo của" not in rule.name for word in words)
