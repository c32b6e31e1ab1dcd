"""What every chart of the registry keeps: valid, honest, short, harmless, and told apart without colours."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from copy import deepcopy
from itertools import combinations
from typing import Any

import numpy as np
import orjson
import pandas as pd
import plotly.graph_objects as go
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboards.charts import CHARTS, Drawing, Shape, house
from dashboards.charts.colours import in_dark
from tests.chart_builders import EXAMPLES, TODAY, draw, drawn, example

NAMED = [name for name, one in EXAMPLES.items() if one.names]
OURS = r'</?b>|<br>|</?extra>|<span style="font-size:11px">|</span>'
"""The marks that the house itself writes into texts."""
HOSTILE = {
    "script": "<script>alert(1)</script>",
    "entity": "&lt;img src=x onerror=alert(1)&gt;",
    "link": '<a href="javascript:alert(1)">bấm vào đây</a>',
    "formula": '=HYPERLINK("http://xau.example","bấm")',
    "rtl": "tin \u202e\u2066gnudgnuhc\u2069 tốt",
    "nul": "tin\x00 tốt\r\nhôm\tnay\x1b[31m",
    "surrogate": "tin \ud800 tốt",
    "nfd": "Tin to\u0302\u0301t cu\u0309a \u0110oa\u0300n",
    "long": "Đoàn " * 200_000,
    "tex": "$\\unicode{x3c}script\\unicode{x3e}$",
    "template": "%{x} %{customdata}",
}


def leaves(part: Any) -> Iterator[Any]:
    if isinstance(part, dict):
        for one in part.values():
            yield from leaves(one)
    elif isinstance(part, list | tuple):
        for one in part:
            yield from leaves(one)
    else:
        yield part


def texts(drawing: Drawing) -> list[str]:
    return [one for one in leaves({**drawing.spec["layout"], "data": drawing.spec["data"]}) if isinstance(one, str)]


def check(drawing: Drawing) -> None:
    """What holds for any drawing of any frame."""
    go.Figure(deepcopy(drawing.spec))  # it takes the type out of every trace that it is given
    for one in leaves(drawing.spec):
        assert one is None or type(one) in (str, int, float, bool), type(one)
        assert not isinstance(one, float) or math.isfinite(one)
    assert orjson.loads(orjson.dumps(drawing.spec)) == drawing.spec
    assert drawing.sentence.endswith(".")
    assert drawing.sentence[0].isupper() or drawing.sentence[0].isdigit()
    assert len(drawing.sentence) < 1_000
    if drawing.shape is not Shape.TABLE:
        assert {drawing.category, *drawing.series} <= set(drawing.table.columns)
        assert all(pd.api.types.is_numeric_dtype(drawing.table[name]) for name in drawing.series)
    assert drawing.table.columns.is_unique


@pytest.mark.parametrize("name", CHARTS)
def test_every_chart_has_an_example_and_draws_it(name: str):
    drawing = drawn(name)
    check(drawing)
    assert drawing.spec["data"]
    assert len(drawing.table)
    assert drawing.omitted in (0, 2)  # of twelve posts ten are shown


@pytest.mark.parametrize("name", CHARTS)
def test_an_empty_frame_says_that_there_is_nothing(name: str):
    frame, aim = example(name, 0)
    drawing = draw(name, frame, aim)
    check(drawing)
    assert drawing.spec["data"] == []
    assert house.NOTHING in texts(drawing)
    assert drawing.sentence == house.NOTHING_TO_SAY
    assert list(drawing.table.columns)[1:] or name in ("audience", "year-comparison")
    assert drawing.table.empty or drawing.table.drop(columns=drawing.table.columns[0]).isna().all(axis=None)


@pytest.mark.parametrize("name", CHARTS)
def test_one_thing_alone_is_drawn(name: str):
    drawing = drawn(name, 1)
    check(drawing)
    assert drawing.spec["data"]


NUMBERS = {
    "audience": [],
    "league": ["kept", "confirmed", "growth", "place"],
    "posts-by-month": ["posts"],
    "quiet-timeline": ["last_post_at", "clock_from", "due_at", "proved_until", "silent_days"],
    "share-bounds": ["numerator", "denominator", "shown", "low", "high"],
    "site-presence": ["idle_days", "posts"],
    "tiles": ["low", "high", "goal", "expected"],
    "top-posts": ["total"],
    "year-comparison": ["value"],
}
"""The columns of each chart that may be missing; a state is never."""


@pytest.mark.parametrize("name", NUMBERS)
def test_missing_numbers_are_missing_and_never_zero(name: str):
    frame, aim = example(name)
    for column in NUMBERS[name]:
        frame[column] = pd.Series(pd.NA, index=frame.index).astype(frame[column].dtype)
    drawing = draw(name, frame if NUMBERS[name] else frame * np.nan, aim)
    check(drawing)
    values = [one for trace in drawing.spec["data"] if trace.get("type") == "bar" for one in trace.get("x") or ()]
    assert {one for one in values if not isinstance(one, int) or name != "year-comparison"} <= {None}
    numbers = drawing.table.select_dtypes("number").drop(columns=["Thứ hạng", "Tháng"], errors="ignore")
    if name == "site-presence":
        numbers = numbers.drop(columns=["Lần trả lời", "Lần đọc"])
    assert numbers.isna().all(axis=None)


@pytest.mark.parametrize("name", NAMED)
def test_3300_things_are_capped_and_the_rest_is_counted(name: str):
    drawing = drawn(name, 3_300)
    check(drawing)
    assert drawing.omitted > 3_000 or name == "quiet-timeline"
    assert drawing.omitted > 2_500
    assert len(orjson.dumps(drawing.spec)) < 200_000
    assert len(drawing.table) in (10, 324, 2_750, 3_300, 3_301)


@pytest.mark.parametrize("name", ["heat-strip", "league", "quiet-timeline", "share-bounds", "site-presence"])
def test_a_capped_chart_says_how_many_it_does_not_show(name: str):
    drawing = drawn(name, 3_300)
    left_out = f"{drawing.omitted:,}".replace(",", ".")
    head = drawing.spec["layout"]["title"]["text"]
    assert f"òn {left_out} " in re.sub("<[^>]+>", " ", head)


# --- texts from outside -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("name", NAMED)
def test_a_hostile_name_is_inert_and_short(name: str, kind: str):
    frame, aim = example(name, 3, name=lambda _: HOSTILE[kind])
    drawing = draw(name, frame, aim, title=HOSTILE[kind], source=HOSTILE[kind], clause=HOSTILE[kind])
    check(drawing)
    assert len(orjson.dumps(drawing.spec)) < 60_000
    for text in texts(drawing):
        bare = re.sub(OURS, "", text)
        assert "<" not in bare
        assert bare.isprintable()
        assert "o\u0302" not in text
    for text in [drawing.sentence, drawing.foot, *(str(one) for one in drawing.table.to_numpy().ravel())]:
        assert text.isprintable()
        assert len(text) <= 600


def test_an_entity_in_a_name_is_shown_as_it_was_written():
    frame, _ = example("top-posts", 1, name=lambda _: "A & B < C")
    drawing = draw("top-posts", frame)
    assert any("A &amp; B &lt; C" in text for text in texts(drawing))
    assert drawing.table["Bài"].tolist() == ["A & B < C"]


def test_dollar_signs_are_no_formula():
    assert house.CONFIG["typesetMath"] is False


def test_equal_names_stay_apart():
    frame, aim = example("audience", 3, name=lambda _: "Ngày")
    frame.columns = ["Ngày", "A", "A"]
    names = list(draw("audience", frame, aim).table.columns)
    assert names == ["Ngày", "Ngày (2)", "A", "A (2)"]


# --- caption ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CHARTS)
def test_source_cut_off_and_clause_stand_below_every_chart(name: str):
    drawing = drawn(name)
    foot = "Nguồn: Facebook, TikTok (mẫu) · Số liệu đến 06:00 20/11/2026 · Căn cứ: II-CT.4"
    assert drawing.foot == foot
    assert drawing.spec["layout"]["annotations"][0]["text"].replace("<br>", " ") == foot
    assert "20/11/2026" in drawing.sentence
    assert EXAMPLES[name].title in drawing.spec["layout"]["title"]["text"].replace("<br>", " ").replace("</b> <b>", " ")


@pytest.mark.parametrize("name", CHARTS)
def test_made_up_data_says_so_in_the_picture_and_below(name: str):
    drawing = drawn(name, illustration=True)
    assert "<b>Dữ liệu minh họa</b>" in drawing.spec["layout"]["title"]["text"]
    assert drawing.foot.startswith("Dữ liệu minh họa · ")
    assert house.ILLUSTRATION not in "".join(texts(drawn(name)))


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_without_any_reading_says_so(name: str):
    drawing = drawn(name, until=None)
    check(drawing)
    assert "Chưa có số liệu" in drawing.foot or drawing.spec["data"] == []


@pytest.mark.parametrize("name", CHARTS)
def test_numbers_and_days_are_vietnamese(name: str):
    layout = drawn(name).spec["layout"]
    assert layout["template"]["layout"]["separators"] == ",."
    if layout["xaxis"].get("type") == "date":
        assert layout["xaxis"]["tickformat"] in ("%d/%m", "%m/%Y")


# --- told apart -------------------------------------------------------------------------------------------------


def look(trace: dict[str, Any]) -> tuple[Any, ...]:
    """Everything but colour that tells a series from another."""
    marker, line = trace.get("marker", {}), trace.get("line", {})
    lines = (line.get("dash"), line.get("width")) if "lines" in trace.get("mode", "lines") and line else ()
    symbol = marker.get("symbol") if trace["type"] == "scatter" and "markers" in trace.get("mode", "") else None
    pattern = marker.get("pattern", {}).get("shape", "solid") if trace["type"] == "bar" else None
    return (trace["type"], lines, symbol, pattern)


@pytest.mark.parametrize("size", [None, 8, 20])
@pytest.mark.parametrize("name", CHARTS)
def test_every_pair_of_series_differs_without_colours(name: str, size: int | None):
    drawing = drawn(name, size if EXAMPLES[name].names else None)
    named = {trace["name"]: trace for trace in drawing.spec["data"] if trace.get("showlegend", True)}
    for (one, first), (other, second) in combinations(named.items(), 2):
        assert look(first) != look(second), (one, other)


@pytest.mark.parametrize("name", CHARTS)
def test_every_chart_has_a_dark_twin_with_the_same_numbers(name: str):
    spec = drawn(name).spec
    twin = in_dark(spec)
    check(Drawing(twin, "Tối.", pd.DataFrame()))
    assert twin != spec
    kept = [one for one in leaves(spec) if not (isinstance(one, str) and one.startswith("#"))]
    assert [one for one in leaves(twin) if not (isinstance(one, str) and one.startswith("#"))] == kept


# --- property ---------------------------------------------------------------------------------------------------

counted = st.one_of(st.none(), st.floats(-1e12, 1e12), st.sampled_from([math.nan, math.inf, -math.inf]))
number = st.one_of(counted, st.floats())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(counted, min_size=3, max_size=3), min_size=1, max_size=12), st.sampled_from([0.0, 1.0, 1e9]))
def test_whatever_the_counts_are_a_gap_stays_a_gap(rows: list[list[Any]], base: float):
    frame = pd.DataFrame(rows, columns=list("ABC"), dtype="float64")
    frame.index = pd.date_range(end=TODAY, periods=len(frame))
    _, aim = example("audience", 1)
    aim = type(aim)(aim.goal, aim.period, aim.today, {"A": base, "B": 1.0, "C": 10.0})
    drawing = draw("audience", frame, aim)
    check(drawing)
    lines = {trace["name"]: trace["y"] for trace in drawing.spec["data"] if "x0" in trace}
    for name, line in lines.items():
        known = np.isfinite(frame[name].to_numpy() * (100 / aim.bases[name]))
        assert [one is not None for one in line] == known.tolist()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(number, number, number, number), min_size=1, max_size=8))
def test_whatever_the_judgement_says_the_tiles_are_finite(rows: list[tuple[Any, ...]]):
    names = ["low", "high", "goal", "expected"]
    frame = pd.DataFrame(rows, columns=names).astype(dict.fromkeys(names, "Float64"))
    frame = frame.assign(status="behind", clause="II", title="mẫu", counts=False)
    drawing = draw("tiles", frame)
    check(drawing)
    reached = next(trace for trace in drawing.spec["data"] if trace.get("name") == "Đã đạt")
    for place, low in enumerate(frame["low"]):
        assert (reached["x"][place] is None) or pd.notna(low)
