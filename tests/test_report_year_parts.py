"""The parts of the report on a year: which days it has, what is known of its months, what is frozen, what changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from config.load import load_config
from dashboards.charts import Drawing, Shape
from dashboards.reports.cells import columns
from metrics.periods import Period
from pipeline import yearly
from pipeline.problems import UserError
from pipeline.year_asked import Year, parse_cut_off, year_asked
from pipeline.year_changes import Change, changes
from pipeline.year_facts import drawing_of, freeze, pages_of, table_facts, table_of, thaw
from pipeline.year_posts import Read
from store.verbs import Store, open_store
from tests.store_builders import days
from tests.year_builders import NEW_YEAR, NOON, live, url_of, write_year


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_year(tmp_path_factory.mktemp("parts") / "quan")
    live(folder)
    return folder


@pytest.fixture(scope="module")
def year(lived: Path):
    with open_store(url_of(lived)) as store:
        yield asked(lived, store)


def asked(folder: Path, store: Store, now: datetime = NEW_YEAR, cut_off: str | None = None) -> Year:
    return year_asked(load_config(folder), store, 2026, cut_off, now)


# --- the days ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "day"), [("14/12", "12-14"), ("12-14", "12-14"), ("1/2", "02-01"), ("29/2", "02-29")])
def test_a_cut_off_is_read_as_people_and_as_files_write_it(text: str, day: str):
    assert parse_cut_off(text) == day


@pytest.mark.parametrize("text", ["31/2", "13-01", "hôm nay", "", "14/12/2026"])
def test_what_is_no_day_is_no_cut_off(text: str):
    with pytest.raises(UserError, match=r"Đề nghị viết như 14/12 hoặc 12-14\."):
        parse_cut_off(text)


def test_a_year_ends_with_its_cut_off_and_is_judged_a_day_later(lived: Path, year: Year):
    cut = asked(lived, year.store, cut_off="12-14")
    assert (cut.period.start, cut.period.last) == (date(2025, 12, 15), date(2026, 12, 14))
    assert cut.until == datetime(2026, 12, 14, 16, 59, 59, tzinfo=UTC)
    assert cut.as_of == datetime(2026, 12, 15, 17, tzinfo=UTC)
    assert (cut.is_over, cut.moment().today) == (True, date(2026, 12, 14))


def test_a_year_that_goes_on_ends_now(lived: Path, year: Year):
    running = asked(lived, year.store, NOON)
    assert (running.is_over, running.until, running.days.last) == (False, NOON, date(2026, 11, 1))
    with pytest.raises(UserError, match=r"Năm báo cáo 2027 bắt đầu ngày 01/01/2027"):
        year_asked(year.config, year.store, 2027, None, NOON)


def test_growth_after_the_year_is_judged_for_the_year_and_as_over(year: Year):
    found = yearly.judged(year)
    growing = [one for one in found.answers if one.question.row.indicator == "audience_growth"]
    assert growing
    assert {one.question.period.last for one in growing} == {date(2026, 12, 31)}
    assert {one.question.as_of for one in growing} == {year.period.end_at}


def test_a_figure_that_came_after_the_year_counts_and_a_later_one_than_the_closing_not(year: Year):
    assert len(year.moment().figures) == 3
    assert replace(year, known_at=NOON).moment().figures.empty
    late = replace(year, as_of=NOON + days(40))
    assert late.moment().figures["at"].max() == pd.Timestamp(NOON + days(40))


# --- months ------------------------------------------------------------------------------------------------------


def test_a_channel_that_was_never_read_is_left_out_and_named(year: Year):
    assert Read(year).left_out == ["trang-2"]
    facts = yearly.draft(year, lambda _: None)
    assert ["Kênh không đọc được đủ", "Không tính vào số bài đăng theo tháng: Trang trang-2."] in facts["words"]


def test_a_month_before_the_first_look_is_not_known_and_a_read_one_is(year: Year):
    known = Read(year).known("website", Period(date(2026, 10, 1), date(2027, 1, 1), year.zone))
    assert known.tolist() == [False, True, True]
    assert not Read(year).known("facebook", year.days).any()


def test_months_count_own_posts_and_unknown_ones_have_no_number(year: Year):
    table = table_by_key(yearly.draft(year, lambda _: None), "posts-by-month/all")
    counts = dict(zip(table["Tháng"], table["Cộng"], strict=True))
    assert counts["01/2026"] is None
    assert counts["12/2026"] == 31


def table_by_key(facts: dict[str, Any], key: str) -> pd.DataFrame:
    (sheet,) = [one for one in facts["sheets"] if one["key"] == key]
    return table_of(sheet["drawing"]["table"])


# --- what is frozen ----------------------------------------------------------------------------------------------


TABLE = pd.DataFrame(
    {
        "Tên": ["=1+1", "Bài hai (mẫu)"],
        "Số": pd.array([1, None], "Int64"),
        "Tỷ lệ": [0.1 + 0.2, 5.0],
        "Ngày": [pd.Timestamp("2026-01-01"), pd.NaT],
        "Lúc": pd.to_datetime(["2026-01-01 07:30", "2026-02-01 00:00"]),
    }
)


def test_a_table_comes_back_from_its_facts_cell_by_cell():
    again = table_of(table_facts(TABLE))
    assert list(again.columns) == list(TABLE.columns)
    assert columns(again) == columns(TABLE)
    assert table_facts(again) == table_facts(TABLE)
    empty = TABLE.head(0)
    assert list(table_of(table_facts(empty)).columns) == list(TABLE.columns)


def test_a_report_comes_back_from_its_text_and_is_the_same_text(year: Year):
    facts = yearly.draft(year, lambda _: None)
    again = thaw(freeze(facts))
    assert again == facts
    assert freeze(yearly.draft(year, lambda _: None)) == freeze(facts)
    assert len(pages_of(facts, None)) == len(facts["sheets"])
    assert {one["key"].split("/")[0] for one in facts["sheets"]} >= {"tiles", "heat-strip", "story-dots", "league"}


@pytest.mark.parametrize("content", ["", "[]", "{}", "khong phai JSON"])
def test_what_is_no_report_is_none(content: str):
    assert thaw(content) is None


def test_a_drawing_comes_back_with_its_native_chart():
    drawing = Drawing({"data": []}, "Một câu.", TABLE, Shape.BAR, "Tên", ("Số",), "Tiêu đề", "Nguồn", 3)
    facts = {**vars(drawing), "table": table_facts(TABLE), "series": ["Số"]}
    again = drawing_of(facts)
    assert (again.shape, again.series, again.omitted, again.sentence) == (Shape.BAR, ("Số",), 3, "Một câu.")


# --- what changed ------------------------------------------------------------------------------------------------


def report(*rows: tuple[str, int | None], sentence: str = "Một câu.", key: str = "tiles/mau") -> dict[str, Any]:
    table = table_facts(pd.DataFrame(rows, columns=["Đơn vị", "Số"]).astype({"Số": "Int64"}))
    drawing = {"title": "Biểu mẫu", "sentence": sentence, "category": "Đơn vị", "table": table}
    return {"sheets": [{"key": key, "drawing": drawing}]}


def test_the_same_report_has_no_changes():
    assert list(changes(report(("A", 1), ("A", 2)), report(("A", 1), ("A", 2)))) == []


def test_each_cell_that_differs_is_told_with_both_numbers():
    found = list(changes(report(("A", 1200), ("B", 5)), report(("A", 1300), ("C", None), sentence="Câu khác.")))
    assert found == [
        Change("Biểu mẫu", "Nhận xét", "Một câu.", "Câu khác."),
        Change("Biểu mẫu", "A: Số", "1.200", "1.300"),
        Change("Biểu mẫu", "B: Số", "5", "không có"),
    ]


def test_a_chart_that_is_gone_or_new_is_one_change():
    found = list(changes(report(("A", 1)), report(("A", 1), key="tiles/khac")))
    assert found == [
        Change("Biểu mẫu", "Cả biểu", "có", "không có"),
        Change("Biểu mẫu", "Cả biểu", "không có", "có"),
    ]
