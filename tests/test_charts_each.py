"""What each chart draws, piece by piece, and the sentence that it says."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from dashboards.charts import Aim, Drawing, Mark, MarkKind
from dashboards.charts.values import day_ms
from tests.chart_builders import (
    best_posts,
    cells,
    commended,
    counts,
    draw,
    drawn,
    growth_aim,
    months_of_years,
    platform_months,
    shares,
    silence,
    sites,
    targets,
)

SENTENCES = {
    "audience": "Từ 01/01/2026 đến 20/11/2026 (số liệu đến 20/11/2026), chỉ số so với mốc = 100: Kênh mẫu 1 105,7, "
    "Kênh mẫu 2 105,8, Kênh mẫu 3 105,8, Kênh mẫu 4 105,2; chỉ tiêu cuối kỳ 105, tiến độ đều đến nay 104,4. "
    "Từ ngày 24/08/2026 cách đếm thay đổi (mẫu).",
    "heat-strip": "Từ 24/10/2026 đến 20/11/2026 (số liệu đến 20/11/2026), 12 đơn vị: có 206/253 ngày đã rõ (81,4 %); "
    "27 ngày chưa xác minh được.",
    "league": "12 đơn vị (số liệu đến 20/11/2026): 1 được đề nghị tuyên dương, 10 chưa đưa vào danh sách, "
    "1 chưa đủ số liệu; đứng đầu: Đoàn phường mẫu 1.",
    "posts-by-month": "Từ 01/2026 đến 11/2026 (số liệu đến 20/11/2026): ít nhất 1.143 bài, nhiều nhất trên Facebook "
    "(393 bài); 1 tháng chưa đọc đủ bài.",
    "quiet-timeline": "Theo số liệu đến 20/11/2026: 2/6 đơn vị chưa ghi nhận tin, bài mới quá hạn, lâu nhất là "
    "Đoàn phường mẫu 5 (26 ngày); 2 đơn vị chưa xác minh được.",
    "share-bounds": "Toàn quận đạt 77,9 %, tính cả đơn vị chưa báo cáo từ 61 % đến 83 %; 5/6 đơn vị đã báo cáo; "
    "chỉ tiêu 75 % (số liệu đến 20/11/2026).",
    "site-presence": "4/6 trang đang hoạt động (66,7 %, số liệu đến 20/11/2026); 1 chưa ghi nhận bài mới; "
    "1 chưa xác minh.",
    "story-dots": "Từ 06/07/2026 đến 22/11/2026 (số liệu đến 20/11/2026), 12 đơn vị: có 163/209 tuần đã rõ (78 %); "
    "19 tuần chưa xác minh được.",
    "tiles": "6 chỉ tiêu (số liệu đến 20/11/2026): 1 đạt, 1 đúng tiến độ, 2 chậm, 1 nguy cơ, 1 chưa báo cáo.",
    "top-posts": "Cao nhất là «Tin tốt mẫu số 1: đội thanh niên giúp bà con dọn kênh rạch…» của Đoàn phường mẫu 1 "
    "với 1.500 lượt tương tác (số liệu đến 20/11/2026).",
    "year-comparison": "Tháng 10/2026: 84 bài, cùng kỳ năm 2025: 77 bài, tăng 9,1 % (số liệu đến 20/11/2026).",
}


@pytest.mark.parametrize("name", SENTENCES)
def test_the_sentence_reads_well(name: str):
    assert drawn(name).sentence == SENTENCES[name]


def trace(drawing: Drawing, name: str) -> dict[str, Any]:
    return next(one for one in drawing.spec["data"] if one.get("name") == name)


def said(drawing: Drawing) -> list[str]:
    """The words above the bars."""
    return next(one["text"] for one in drawing.spec["data"] if one.get("mode") == "text")


# --- audience ---------------------------------------------------------------------------------------------------


def series(*values: float | None) -> pd.DataFrame:
    days = pd.date_range("2026-01-01", periods=len(values))
    return pd.DataFrame({"A": np.array(values, dtype=np.float64)}, index=days)


def test_a_channel_is_an_index_of_its_baseline():
    drawing = draw("audience", series(1000, 1005, 1050), Aim(bases={"A": 1000.0}))
    line = trace(drawing, "A")
    assert (line["x0"], line["dx"]) == (day_ms(date(2026, 1, 1)), 86_400_000)
    assert line["y"] == [100, 100.5, 105]
    assert drawing.table["A"].tolist() == [100, 100.5, 105]


def test_a_gap_is_a_gap_and_a_point_between_two_gaps_is_a_point():
    drawing = draw("audience", series(1000, None, 1020, None, 0, 0), Aim(bases={"A": 1000.0}))
    line, alone = (one for one in drawing.spec["data"] if one["name"] == "A")
    assert line["y"] == [100, None, 102, None, 0, 0]
    assert line["connectgaps"] is False
    assert (alone["mode"], alone["y"]) == ("markers", [100, 102])
    assert alone["x"] == [day_ms(date(2026, 1, 1)), day_ms(date(2026, 1, 3))]
    assert drawing.table["A"].isna().tolist() == [False, True, False, True, False, False]


@pytest.mark.parametrize("base", [0.0, -5.0, None])
def test_a_channel_without_a_baseline_has_no_line_and_is_counted(base: float | None):
    frame = series(1000, 1010).assign(B=[10.0, 11.0])
    bases = {"B": 10.0} | ({} if base is None else {"A": base})
    drawing = draw("audience", frame, Aim(bases=bases))
    assert {one["name"] for one in drawing.spec["data"]} == {"B"}
    assert drawing.sentence.endswith("B 110; 1 kênh chưa có mốc hoặc số liệu.")


def test_the_target_is_a_dashed_line_and_the_pace_leads_to_it():
    drawing = draw("audience", series(1000, 1010), growth_aim(series(1000)))
    ends = [day_ms(date(2026, 1, 1)), day_ms(date(2026, 12, 31))]
    assert (trace(drawing, "Chỉ tiêu")["x"], trace(drawing, "Chỉ tiêu")["y"]) == (ends, [105, 105])
    assert (trace(drawing, "Tiến độ đều")["x"], trace(drawing, "Tiến độ đều")["y"]) == (ends, [100, 105])


def test_the_forecast_is_a_fan_from_the_last_known_value():
    aim = growth_aim(series(1000), forecasts={"A": (1020.0, 1060.0)})
    fan = next(one for one in draw("audience", series(1000, 1010, None), aim).spec["data"] if "fill" in one)
    end, last = day_ms(date(2026, 12, 31)), day_ms(date(2026, 1, 2))
    assert (fan["x"], fan["y"]) == ([last, end, end, last], [101, 106, 102, 101])


def test_a_break_and_an_event_are_upright_lines_of_different_kinds():
    marks = (Mark(date(2026, 1, 2), "Đổi cách đếm", MarkKind.BREAK, "Từ ngày …"), Mark(date(2026, 1, 1), "Lễ <b>"))
    drawing = draw("audience", series(1000, 1010), Aim(bases={"A": 1000.0}, marks=marks))
    first, second = drawing.spec["layout"]["shapes"]
    assert (first["x0"], first["line"]["dash"]) == (day_ms(date(2026, 1, 2)), "solid")
    assert second["line"]["dash"] == "dot"
    words = [note["text"] for note in drawing.spec["layout"]["annotations"][1:]]
    assert words == ["Đổi cách đếm", "Lễ &lt;b&gt;"]
    assert drawing.sentence.endswith("Từ ngày …")


def test_beyond_eight_channels_the_others_stand_in_the_background():
    frame = counts(50, 365)
    drawing = draw("audience", frame, growth_aim(frame))
    assert len([one for one in drawing.spec["data"] if one["name"] == "Các kênh khác"]) == 42
    assert "và 42 kênh khác" in drawing.sentence
    assert len(drawing.series) == 8
    assert drawing.omitted == 0


def test_a_thinned_line_never_closes_a_gap():
    frame = counts(9, 365)
    frame.iloc[:, 8] = 9_000.0
    frame.iloc[100, 8] = np.nan
    line = trace(draw("audience", frame, growth_aim(frame)), "Các kênh khác")
    assert line["dx"] == 4 * 86_400_000
    assert [place for place, value in enumerate(line["y"]) if value is None] == [25]


# --- targets ----------------------------------------------------------------------------------------------------


def test_a_tile_shows_what_is_reached_and_what_is_expected_as_shares_of_its_target():
    drawing = draw("tiles", targets())
    assert trace(drawing, "Đã đạt")["x"] == [1, 0.86, 0.62, -0.24, 0.75, None]
    assert trace(drawing, "Kỳ vọng hôm nay")["x"] == [1, 0.886, 0.886, 0.886, 0.883, 1]
    assert trace(drawing, "Khoảng chưa chắc")["x"] == [None, 0.06, 0.2, None, None, None]


def test_a_tile_says_icon_word_value_and_clause():
    words = said(draw("tiles", targets()))
    assert words[1] == "II-CT.2 Chỉ tiêu mẫu số 2<br>▲ Đúng tiến độ: từ 4,3 % đến 4,6 %, mức giao 5 %"
    assert words[4] == "II-CT.5 Chỉ tiêu mẫu số 5<br>◆ Chậm: 9, mức giao 12"
    assert words[5] == "II-CT.6 Chỉ tiêu mẫu số 6<br>⏳ Chưa báo cáo: chưa có số"


def test_a_value_far_above_its_target_is_cut_to_the_axis_but_said_whole():
    frame = targets(1).assign(low=3.0, high=3.0)
    drawing = draw("tiles", frame)
    assert trace(drawing, "Đã đạt")["x"] == [1.25]
    assert "300 %" in said(drawing)[0]
    assert drawing.table["Đã đạt so với mức giao (%)"].tolist() == [300]


# --- strips and dots --------------------------------------------------------------------------------------------


def strip(*states: str) -> pd.DataFrame:
    days = pd.date_range("2026-11-16", periods=len(states))
    return pd.DataFrame({"unit": "A", "slot": days, "state": list(states)})


def test_every_state_has_its_own_cells_and_what_is_pending_none():
    drawing = draw("heat-strip", strip("met", "missed", "resting", "unknown", "pending"))
    start = day_ms(date(2026, 11, 16))
    bases = {one["name"]: one["base"] for one in drawing.spec["data"]}
    day = 86_400_000
    assert bases == {"Có": [start], "Không có": [start + day], "Nghỉ": [start + 2 * day], "Không rõ": [start + 3 * day]}
    assert drawing.table.to_dict("records") == [
        {"Đơn vị": "A", "Có": 1, "Không có": 1, "Không rõ": 1, "Chưa hết hạn": 1, "Nghỉ": 1}
    ]


def test_in_a_long_strip_equal_days_grow_together():
    states = (["met"] * 6 + ["resting"]) * 10
    drawing = draw("heat-strip", strip(*states))
    met = trace(drawing, "Có")
    assert len(met["base"]) == 10
    assert set(met["x"]) == {6 * 86_400_000}


def test_the_units_with_most_missed_days_stand_on_top():
    worse = strip("missed", "missed", "met").assign(unit="Kém")
    blind = strip("missed", "unknown", "met").assign(unit="Mờ")
    frame = pd.concat([strip("missed", "met", "met"), blind, worse], ignore_index=True)
    assert draw("heat-strip", frame).spec["layout"]["yaxis"]["ticktext"] == ["Kém", "Mờ", "A"]


def test_a_unit_without_a_day_has_an_empty_cell_there():
    frame = pd.concat([strip("met", "met"), strip("met").assign(unit="Mới lập")], ignore_index=True)
    assert len(trace(draw("heat-strip", frame), "Có")["base"]) == 3


def test_nothing_known_gives_no_share_in_the_sentence():
    told = draw("heat-strip", strip("unknown", "resting")).sentence
    assert told.endswith("1 đơn vị: có 0/0 ngày đã rõ; 1 ngày chưa xác minh được.")


def test_a_long_name_is_broken_into_two_lines():
    frame = strip("met").assign(unit="Đoàn phường Bình Trị Đông A (mẫu)")
    drawing = draw("heat-strip", frame)
    assert drawing.spec["layout"]["yaxis"]["ticktext"] == ["Đoàn phường Bình<br>Trị Đông A (mẫu)"]
    assert drawing.spec["layout"]["margin"]["l"] < 130


def test_a_story_is_a_full_dot_and_none_an_open_one():
    drawing = draw("story-dots", cells(4, 10, "week"))
    symbols = {one["name"]: one["marker"]["symbol"] for one in drawing.spec["data"]}
    assert symbols == {"Có": "circle", "Không có": "circle-open", "Nghỉ": "line-ew-open", "Không rõ": "x-thin-open"}
    assert sum(len(one["x"]) for one in drawing.spec["data"]) == 4 * 9  # the last week is pending


# --- league -----------------------------------------------------------------------------------------------------


def test_the_rule_of_the_league_stands_below_its_title():
    drawing = draw("league", commended(40), Aim(rule="Xếp theo số ngày có tin tốt."))
    head = drawing.spec["layout"]["title"]["text"].replace('</span><br><span style="font-size:11px">', " ")
    assert "Xếp theo số ngày có tin tốt. Còn 20 đơn vị không vẽ." in head


def test_a_place_is_given_only_to_candidates():
    words = said(draw("league", commended(12)))
    assert words[0] == "1. Đoàn phường mẫu 1: 100 %"
    assert words[1].startswith("Đoàn phường mẫu 2: ")
    assert words[-1] == "Đoàn phường mẫu 12: chưa đủ số liệu"


def test_units_that_share_the_first_place_are_all_named():
    frame = commended(3).assign(place=pd.array([1, 1, None], "Int64"))
    assert draw("league", frame).sentence.endswith("đứng đầu: Đoàn phường mẫu 1, Đoàn phường mẫu 2.")


# --- quiet ------------------------------------------------------------------------------------------------------


def test_proved_silence_and_what_is_not_verified_are_two_bars():
    drawing = draw("quiet-timeline", silence())
    assert said(drawing)[0] == "Đoàn phường mẫu 5: im lặng, 26 ngày"
    assert len(said(drawing)) == 5  # the active unit is not drawn
    place = said(drawing).index("Đoàn phường mẫu 2: chưa xác minh, 12 ngày")
    hours = 3_600_000
    proved, unproved = trace(drawing, "Đã xác minh không có bài"), trace(drawing, "Chưa xác minh")
    assert proved["x"][place] == 4 * 24 * hours
    assert unproved["base"][place] == day_ms(date(2026, 11, 12)) + 7 * hours  # UTC midnight is 07:00 there
    assert unproved["x"][place] == 7 * 24 * hours + 23 * hours


def test_a_unit_of_which_nothing_is_known_has_words_and_no_bar():
    drawing = draw("quiet-timeline", silence())
    place = said(drawing).index("Đoàn phường mẫu 6: chưa xác minh")
    assert [one["x"][place] for one in drawing.spec["data"][:4]] == [None] * 4


def test_when_all_units_are_active_nothing_is_drawn_and_the_sentence_says_so():
    drawing = draw("quiet-timeline", silence(6).query("state == 'active'"))
    assert drawing.sentence == "Theo số liệu đến 20/11/2026: 0/1 đơn vị chưa ghi nhận tin, bài mới quá hạn."
    assert drawing.spec["data"] == []


# --- sites, shares ----------------------------------------------------------------------------------------------


def test_a_site_says_days_articles_and_answers():
    words = said(draw("site-presence", sites(4)))
    assert words[0] == "Trang mẫu 4<br>chưa rõ bài gần nhất · 0 bài · trả lời 0/60"
    assert words[1] == "Trang mẫu 3<br>48 ngày · 0 bài · trả lời 60/60"


def test_visits_stand_in_the_table_where_a_site_shows_them():
    frame = sites(2).assign(visits=pd.array([1200, None], "Int64"))
    assert sorted(draw("site-presence", frame).table["Lượt truy cập"].dropna()) == [1200]
    assert draw("site-presence", sites(2)).table["Lượt truy cập"].isna().all()


def test_the_whole_stands_on_top_with_its_bounds():
    drawing = draw("share-bounds", shares(), Aim(goal=0.75))
    bounds = next(one for one in drawing.spec["data"] if one.get("name", "").startswith("Khoảng có thể"))
    assert (bounds["base"][0], bounds["x"][0]) == (0.61, 0.22)
    assert set(bounds["x"][1:]) == {None}
    assert said(drawing)[0] == "Toàn quận: 77,9 % (740/950)"
    assert said(drawing)[-1] == "Đoàn phường mẫu 4: chưa báo cáo"
    assert trace(drawing, "Mức giao")["x"] == [0.75, 0.75]


def test_a_number_that_was_kept_back_stays_so():
    frame = shares(2)
    hidden = frame["subject"] == "u0"
    numbers = ["numerator", "denominator", "shown", "low", "high"]
    frame[numbers] = frame[numbers].mask(hidden)
    drawing = draw("share-bounds", frame.assign(note=frame["note"].mask(hidden, "giữ kín")))
    assert "Đoàn phường mẫu 1: giữ kín" in said(drawing)
    hidden_row = drawing.table[drawing.table["Đơn vị"] == "Đoàn phường mẫu 1"]
    assert hidden_row[["Tử số", "Mẫu số", "Tỷ lệ (%)"]].isna().all(axis=None)


def test_a_share_above_the_whole_widens_the_axis():
    frame = shares(1).assign(shown=pd.array([1.4, 1.4], "Float64"))
    assert draw("share-bounds", frame).spec["layout"]["xaxis"]["range"][1] > 1.4


# --- months -----------------------------------------------------------------------------------------------------


def test_an_unfinished_month_is_marked_and_never_compared():
    drawing = draw("year-comparison", months_of_years(), Aim(noun="bài"))
    assert trace(drawing, "2026")["text"] == [""] * 10 + ["…", ""]
    assert drawing.sentence.startswith("Tháng 10/2026: ")


def test_a_month_that_nobody_knows_has_no_bar():
    drawing = draw("year-comparison", months_of_years())
    assert trace(drawing, "2025")["y"][2] is None
    assert trace(drawing, "2026")["y"][11] is None
    assert drawing.table["2025"].isna().tolist().index(True) == 2


def test_one_year_alone_cannot_be_compared():
    told = draw("year-comparison", months_of_years(1)).sentence
    assert told == ("Chưa có tháng nào đủ số liệu để so với cùng kỳ (số liệu đến 20/11/2026); hệ thống sẽ so khi có.")


@pytest.mark.parametrize(("then", "told"), [(0, "tăng 77"), (77, "không đổi"), (100, "giảm 23 %"), (70, "tăng 10 %")])
def test_a_year_is_compared_with_the_one_before(then: int, told: str):
    frame = months_of_years(2)
    frame.loc[frame["year"].eq(2025) & frame["month"].eq(10), "value"] = then
    assert f", {told} (số liệu" in draw("year-comparison", frame).sentence


def test_only_the_newest_four_years_are_drawn():
    names = {one["name"] for one in draw("year-comparison", months_of_years(7)).spec["data"]}
    assert names == {"2023", "2024", "2025", "2026"}


def test_a_month_that_was_not_read_whole_is_marked_and_has_no_sum():
    drawing = draw("posts-by-month", platform_months())
    (note,) = drawing.spec["layout"]["annotations"][1:]
    assert (note["text"], note["x"]) == ("?", day_ms(date(2026, 3, 1)))
    march = drawing.table.set_index("Tháng").loc["03/2026"]
    assert march["TikTok"] is pd.NA
    assert march["Cộng"] is pd.NA
    assert trace(drawing, "TikTok")["y"][2] is None


def test_an_unknown_platform_is_drawn_under_its_own_name():
    drawing = draw("posts-by-month", platform_months(2, ("facebook", "threads")))
    assert [one["name"] for one in drawing.spec["data"]] == ["Facebook", "threads"]


# --- posts ------------------------------------------------------------------------------------------------------


def test_a_post_without_a_count_has_no_place():
    frame = best_posts(3)
    frame.loc[0, "total"] = pd.NA
    drawing = draw("top-posts", frame, Aim(noun="lượt tương tác"))
    assert drawing.table["Thứ hạng"].tolist() == [1, 2]
    assert drawing.sentence.endswith("1 bài chưa có số liệu.")


def test_the_day_of_a_post_is_the_local_one():
    assert draw("top-posts", best_posts(1)).table["Ngày đăng"].tolist() == [pd.Timestamp("2026-10-02")]


def test_a_post_without_a_title_says_so():
    assert draw("top-posts", best_posts(1, name=lambda _: " \u200b ")).table["Bài"].tolist() == ["(không có tiêu đề)"]


def test_channels_whose_names_begin_alike_stay_apart_in_the_legend():
    frame = counts(2, name=lambda place: f"Fanpage Đoàn phường Bình Trị Đông số {place}")
    drawing = draw("audience", frame, growth_aim(frame))
    assert [one["name"] for one in drawing.spec["data"][:2]] == [
        "Fanpage Đoàn phường Bình Tr…",
        "Fanpage Đoàn phường Bình Tr… (2)",
    ]


def test_a_long_axis_tells_months_and_a_short_one_days():
    long, short = (draw("audience", counts(1, days), growth_aim(counts(1), period=None)) for days in (365, 60))
    assert [one.spec["layout"]["xaxis"]["tickformat"] for one in (long, short)] == ["%m/%Y", "%d/%m"]
