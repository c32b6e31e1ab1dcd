"""Units merge, split and are renamed: wholes move to their heirs, nothing is divided by guess."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.models import Unit
from metrics.succession import as_new_units, as_old_units, heirs, holders, members_on
from tests.metric_builders import channel, config_of, day, figure, figures, unit

JULY = "2026-07-01"
BEFORE, AFTER = day("2026-06-30"), day(JULY)


def named(*units: Unit) -> dict[str, Unit]:
    return {one.slug: one for one in units}


MERGER = named(
    unit("a", until=JULY, successors=("m",)), unit("b", until=JULY, successors=("m",)), unit("m", start=JULY)
)
SPLIT = named(unit("s", until=JULY, successors=("t", "u")), unit("t", start=JULY), unit("u", start=JULY))
RENAMED = named(
    unit("x", until="2025-01-01", successors=("y",)),
    unit("y", start="2025-01-01", until=JULY, successors=("z",)),
    unit("z", start=JULY),
)
CLOSED = named(unit("c", until=JULY), unit("d"))


@pytest.mark.parametrize(
    ("units", "on", "slug", "expected"),
    [
        (MERGER, BEFORE, "a", ("a",)),
        (MERGER, AFTER, "a", ("m",)),
        (MERGER, AFTER, "m", ("m",)),
        (MERGER, BEFORE, "m", ()),  # not yet there
        (SPLIT, AFTER, "s", ("t", "u")),
        (RENAMED, AFTER, "x", ("z",)),  # over two renamings
        (RENAMED, BEFORE, "x", ("y",)),
        (CLOSED, AFTER, "c", ()),
        (CLOSED, AFTER, "d", ("d",)),
    ],
)
def test_who_stands_for_a_unit_on_a_day(units, on, slug, expected):
    assert heirs(units, on)[slug] == expected


def test_units_that_name_each_other_as_successors_end_somewhere():
    ring = named(unit("a", until=JULY, successors=("b",)), unit("b", until=JULY, successors=("a",)))
    assert heirs(ring, AFTER) == {"a": (), "b": ()}


def moved(frame: pd.DataFrame) -> list[list[Any]]:
    return frame[["unit", "numerator", "denominator", "undivided"]].astype(object).to_numpy().tolist()


@pytest.mark.parametrize(
    ("units", "rows", "expected"),
    [
        (MERGER, [("a", 60, 100), ("b", 30, 50)], [["m", 90, 150, False]]),  # 60 + 30 of 100 + 50
        (MERGER, [("a", 60, 100), ("b", 30, 50), ("m", 10, 150)], [["m", 100, 300, False]]),
        (SPLIT, [("s", 60, 100), ("t", 5, 10)], [["s", 60, 100, True], ["t", 5, 10, False]]),
        (RENAMED, [("x", 60, 100)], [["z", 60, 100, False]]),
        (CLOSED, [("c", 60, 100), ("d", 1, 2)], [["c", 60, 100, True], ["d", 1, 2, False]]),
    ],
)
def test_the_view_of_the_new_units(units, rows, expected):
    frame = figures(*(figure(*row) for row in rows))
    assert sorted(moved(as_new_units(frame, units, AFTER))) == sorted(expected)


@pytest.mark.parametrize(
    ("units", "rows", "expected"),
    [
        (MERGER, [("m", 90, 150)], [["m", 90, 150, True]]),  # how much of it is a's nobody knows
        (RENAMED, [("z", 60, 100)], [["y", 60, 100, False]]),
        (SPLIT, [("t", 5, 10), ("u", 6, 10)], [["t", 5, 10, True], ["u", 6, 10, True]]),
        (CLOSED, [("d", 1, 2)], [["d", 1, 2, False]]),
    ],
)
def test_the_view_of_the_old_units(units, rows, expected):
    frame = figures(*(figure(*row) for row in rows))
    assert sorted(moved(as_old_units(frame, units, BEFORE))) == sorted(expected)


def test_a_sum_with_a_part_missing_is_missing():
    frame = as_new_units(figures(figure("a", 60, 100), figure("b", None, 50)), MERGER, AFTER)
    assert frame["numerator"].isna().tolist() == [True]
    assert (frame["denominator"][0], frame["parts"][0]) == (150, 2)


def test_figures_of_different_periods_are_never_added_up():
    from metrics.periods import year
    from tests.metric_builders import HCMC

    rows = [figure("a", 1, 2), figure("b", 3, 4, period=year(2025, HCMC))]
    assert len(as_new_units(figures(*rows), MERGER, AFTER)) == 2


HANDED = [{"unit": "a", "start": "2020-01-01", "until": JULY}, {"unit": "m", "start": JULY}]


@pytest.mark.parametrize(("on", "who"), [(BEFORE, "a"), (AFTER, "m")])
def test_a_channel_is_held_by_its_owner_of_the_day(on, who):
    config = config_of(list(MERGER.values()), [channel("page", owners=HANDED)])
    held = holders(config, on)
    assert held[["channel", "unit"]].to_numpy().tolist() == [["page", who]]
    assert held["since"].tolist() == [pd.Timestamp("2020-01-01")]


def test_members_are_those_last_told_by_the_day():
    told = [{"start": "2025-01-01", "count": 90}, {"start": "2026-06-01", "count": 95}]
    config = config_of([unit("a", members=told), unit("b")])
    assert members_on(config, day("2026-05-31")).astype(object).where(lambda n: n.notna(), None).to_dict() == {
        "a": 90,
        "b": None,
    }
    assert members_on(config, day("2026-06-01"))["a"] == 95


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.sampled_from("abm"), st.integers(0, 99)), max_size=6, unique_by=lambda one: one[0]))
def test_nothing_is_lost_or_made_up_on_the_way(rows):
    frame = figures(*(figure(name, count, 100) for name, count in rows))
    for view, on in ((as_new_units, AFTER), (as_old_units, BEFORE)):
        assert view(frame, MERGER, on)["numerator"].sum() == sum(count for _, count in rows)
