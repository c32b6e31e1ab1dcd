"""The template of the house: colours that can be told apart, texts that fit, and room for the narrowest screen."""

from __future__ import annotations

from itertools import combinations

import pytest

from dashboards.charts import CHARTS, colours, house, styles
from dashboards.charts.texts import inert, named, plain, wrapped
from metrics.cadence import State
from metrics.words import Status
from tests.chart_builders import EXAMPLES, caption, draw, drawn, example

LIGHT_PAGE, DARK_PAGE = colours.PAPER, colours.DARK[colours.PAPER]


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colour", [*colours.PALETTE, colours.INK, colours.SOFT])
def test_lines_and_texts_can_be_read_on_both_pages(colour: str):
    least = 4.5
    assert contrast(colour, LIGHT_PAGE) >= least
    assert contrast(colours.DARK[colour], DARK_PAGE) >= least


@pytest.mark.parametrize("status", Status)
def test_every_status_word_can_be_read_on_its_fill(status: Status):
    fill, text = colours.OF_STATUS[status]
    assert contrast(text, fill) >= 4.5
    assert contrast(colours.DARK[text], colours.DARK[fill]) >= 4.5


def test_lines_in_the_background_are_seen_but_stay_there():
    for colour, page in ((colours.CONTEXT, LIGHT_PAGE), (colours.DARK[colours.CONTEXT], DARK_PAGE)):
        assert 2 <= contrast(colour, page) < 5


def test_every_dark_colour_stands_for_one_light_one():
    assert len(set(colours.DARK.values())) == len(colours.DARK)
    assert not set(colours.DARK) & set(colours.DARK.values())


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_uses_no_colour_without_a_dark_twin(name: str):
    known = {*colours.DARK, *colours.DARK.values()}
    used = {part for part in _strings(drawn(name).spec) if part.startswith("#")}
    assert used <= known


def _strings(part: object) -> list[str]:
    if isinstance(part, dict):
        return [one for value in part.values() for one in _strings(value)]
    if isinstance(part, list):
        return [one for value in part for one in _strings(value)]
    return [part] if isinstance(part, str) else []


def test_every_series_differs_from_every_other_in_dash_mark_and_pattern():
    looks = [styles.line(place) for place in range(styles.MOST)]
    for one, other in combinations(looks, 2):
        assert one["line"]["dash"] != other["line"]["dash"]
        assert one["marker"]["symbol"] != other["marker"]["symbol"]
    assert len(set(styles.PATTERNS)) == len(styles.PATTERNS) == styles.MOST
    reserved = {styles.GOAL_LINE["dash"], styles.PACE_LINE["dash"]}
    assert not reserved & set(styles.DASHES)


def test_the_four_states_differ_in_pattern_and_symbol():
    assert set(styles.STATES) == {state.value for state in State} - {State.PENDING.value}
    patterns = [one.cell.get("pattern", {}).get("shape", "") for one in styles.STATES.values()]
    assert len(set(patterns)) == len({one.symbol for one in styles.STATES.values()}) == 4


# --- room -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CHARTS)
def test_the_plot_has_room_on_a_phone(name: str):
    layout = drawn(name).spec["layout"]
    margin = layout["margin"]
    assert house.PHONE - margin["l"] - margin["r"] >= 200
    assert layout["height"] - margin["t"] - margin["b"] >= 60


def test_a_long_title_and_foot_are_broken_and_given_room():
    short, long = caption("Ngắn"), caption("Một tiêu đề " * 9, clause="Kế hoạch " * 9)
    frame, aim = example("top-posts")
    first, second = (CHARTS["top-posts"](frame, aim, one).spec["layout"] for one in (short, long))
    assert second["title"]["text"].count("<br>") > first["title"]["text"].count("<br>")
    assert second["margin"]["t"] > first["margin"]["t"]
    assert second["margin"]["b"] > first["margin"]["b"]
    assert second["height"] > first["height"]


def test_a_legend_has_rows_for_all_its_names():
    two, eight = (drawn("audience", number).spec["layout"]["margin"]["b"] for number in (2, 8))
    assert eight - two >= 2 * house.ENTRY


def test_a_chart_without_a_clause_has_none_below():
    assert draw("top-posts", EXAMPLES["top-posts"].frame(2), clause="").foot.endswith("20/11/2026")


# --- texts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("Tin  tốt\r\n\thôm nay ", "Tin tốt hôm nay"),
        ("to\u0302\u0301t", "tốt"),
        ("a\u202eb\u2066c\u200bd\ufeff", "abcd"),
        ("\ud800x\ue000", "x"),
        ("a\u2028b\u00a0c", "a b c"),
        ("Đoàn 🎉 viên", "Đoàn 🎉 viên"),
        ("", ""),
        (None, "None"),
    ],
)
def test_a_text_becomes_one_plain_line(raw: object, shown: str):
    assert plain(raw) == shown


def test_a_cut_text_ends_with_three_dots_and_keeps_whole_entities():
    assert plain("abcdef", 4) == "abc…"
    assert inert("<<<<<<", 4) == "&lt;&lt;&lt;…"
    assert plain("abcd", 4) == "abcd"


def test_lines_are_escaped_after_they_are_broken():
    assert wrapped("a < b & c", 5) == ("a &lt; b", "&amp; c")
    assert wrapped("", 5) == ()


def test_a_third_equal_name_gets_a_number_of_its_own():
    assert named(["A", "A (2)", "A", "A"]) == ["A", "A (2)", "A (3)", "A (4)"]
