"""Subscribers of earlier days: told only where the bounds leave one answer."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.base import CollectError
from collectors.youtube.history import (
    Change,
    carry_on,
    end_of,
    pacific_day,
    read_changes,
    seen_live,
    surely,
    told,
)
from collectors.youtube.known import Between, Past
from collectors.youtube.shapes import Header, Table
from store.records import Precision, Reading, Snapshot, Source
from tests.collector_contract import NOW
from tests.scripted_server import Said
from tests.test_youtube import keyed, look
from tests.youtube_channel import DAY, Tube, body, daily, reason

TODAY = pacific_day(NOW)


def quiet(days: int = 30, *, back_from: int = TODAY + 10, **busy: tuple[int, int]) -> dict[date, tuple[int, int]]:
    """A report of days without any change; *busy* ones are named `d3` for three days before today."""
    changes = {date.fromordinal(back_from - back): (0, 0) for back in range(days)}
    return changes | {date.fromordinal(TODAY - int(name[1:])): change for name, change in busy.items()}


def after_days(tube: Tube, days: int) -> tuple[Reading, list[Reading]]:
    """The last of daily looks, and all of them."""
    readings = [look(tube)]
    for passed in range(1, days + 1):
        readings.append(look(tube, cursor=readings[-1].cursor, now=NOW + passed * DAY))
    return readings[-1], readings


def rebuilt(reading: Reading) -> dict[date, tuple[int | None, Precision]]:
    """By the Pacific day at whose end it was."""
    return {
        date.fromordinal(pacific_day(one.observed_at - timedelta(seconds=1))): (one.followers, one.precision)
        for one in reading.snapshots
        if one.source is Source.YOUTUBE_ANALYTICS
    }


def day(back: int) -> date:
    return date.fromordinal(TODAY - back)


def test_a_zero_that_is_shown_for_a_day_is_not_what_earlier_days_are_counted_back_from():
    tube = Tube(daily(2), subscribers="640", changes=quiet())
    readings = [look(tube)]
    for passed in range(1, 7):
        tube.subscribers = "0" if passed == 1 else "640"
        readings.append(look(tube, cursor=readings[-1].cursor, now=NOW + passed * DAY))
    found = {value for reading in readings for value in rebuilt(reading).values()}
    assert found == {(640, Precision.EXACT)}


def test_a_small_channel_is_rebuilt_exactly_once_its_first_look_is_settled():
    tube = Tube(daily(2), subscribers="980", changes=quiet(d5=(3, 1), d7=(0, 4)))
    last, readings = after_days(tube, 3)
    assert [rebuilt(reading) for reading in readings[:3]] == [{}, {}, {}]
    assert rebuilt(last)[day(0)] == (980, Precision.EXACT)
    assert rebuilt(last)[day(5)] == (980, Precision.EXACT)
    assert rebuilt(last)[day(6)] == (978, Precision.EXACT)
    assert rebuilt(last)[day(8)] == (982, Precision.EXACT)


def test_later_looks_tell_new_days_only():
    tube = Tube(daily(2), subscribers="980", changes=quiet())
    last, _ = after_days(tube, 4)
    assert list(rebuilt(last)) == [day(-1), day(0)]
    assert tube.count("reports") == 2


def test_a_count_cut_down_is_told_only_where_the_three_digits_are_sure():
    tube = Tube(daily(2), subscribers="1240", changes=quiet(d2=(10, 0), d4=(3, 0)))
    last, _ = after_days(tube, 3)
    found = rebuilt(last)
    assert found[day(0)] == (1240, Precision.FLOOR3)
    assert found[day(3)] == (1230, Precision.FLOOR3)
    assert day(5) not in found  # 1227 to 1236


def test_a_day_of_the_first_look_that_moved_leaves_no_exact_answer():
    last, _ = after_days(Tube(daily(2), subscribers="980", changes=quiet(d0=(2, 0))), 3)
    assert rebuilt(last) == {}


def test_looks_of_several_days_bring_the_bounds_together():
    changes = {TODAY: Change(2, 0), TODAY + 1: Change(0, 0)}
    past = Past(live=(Between(TODAY, 980, 980), Between(TODAY + 1, 982, 982)))
    end = carry_on(past, changes)
    assert end == Between(TODAY + 1, 982, 982)
    assert [one.followers for one in told(end, changes)] == [982, 982]


def test_a_count_that_contradicts_the_sums_starts_the_bounds_anew():
    past = Past(end=Between(TODAY - 1, 980, 980), live=(Between(TODAY, 900, 900),))
    assert carry_on(past, {TODAY: Change(0, 0)}) == Between(TODAY, 900, 900)


def test_a_gap_in_the_report_ends_the_way_back():
    changes = {TODAY: Change(1, 0), TODAY - 2: Change(1, 0)}
    assert len(told(Between(TODAY, 500, 500), changes)) == 1


def test_no_day_is_told_below_zero():
    changes = {TODAY - back: Change(3, 0) for back in range(9)}
    assert [one.followers for one in told(Between(TODAY, 7, 7), changes)] == [7, 4, 1]


def test_a_pacific_day_ends_at_its_midnight_in_summer_and_winter():
    assert end_of(date(2026, 7, 1).toordinal()) == datetime(2026, 7, 2, 7, tzinfo=UTC)
    assert end_of(date(2026, 11, 1).toordinal()) == datetime(2026, 11, 2, 8, tzinfo=UTC)


@given(st.integers(1, 10**7), st.integers(0, 500))
def test_what_is_told_is_true_for_everything_between_the_bounds(low, width):
    answer = surely(Between(TODAY, low, low + width))
    if answer is None:
        return
    count, precision = answer
    step = 1 if precision is Precision.EXACT else 10 ** (len(str(count)) - 3)
    assert count <= low
    assert low + width < count + step


@given(st.integers(990, 20_000), st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=2, max_size=12))
def test_the_truth_never_lies_outside_of_the_bounds(start, moves):
    """Each day all gains come first, then a look, then all losses."""
    past, truth, changes = Past(), start, {}
    for number, (gained, lost) in enumerate(moves):
        gone = min(lost, truth + gained)
        shown = truth + gained
        step = 10 ** max(len(str(shown)) - 3, 0)
        precision = Precision.EXACT if step == 1 else Precision.FLOOR3
        seen = Snapshot(NOW + number * DAY, Source.YOUTUBE_OWNER, followers=shown // step * step, precision=precision)
        past = seen_live(past, seen, TODAY + number)
        truth += gained - gone
        changes[TODAY + number] = Change(gained, gone)
    end = carry_on(past, changes)
    assert end is not None
    assert end.low <= truth <= end.high


def test_a_consent_of_another_channel_rebuilds_nothing_and_says_so():
    last, _ = after_days(Tube(daily(2), subscribers="980", own="UCsomebodyelse", changes=quiet()), 3)
    assert rebuilt(last) == {}
    assert "không phải là chủ" in last.notes[-1]


@pytest.mark.parametrize("said", [reason(403, "insufficientPermissions"), reason(400, "badRequest"), Said(b"<html>")])
def test_a_report_that_cannot_be_had_fails_no_look(said):
    last, _ = after_days(Tube(daily(2), refuses={"reports": said}), 3)
    assert last.posts
    assert last.notes


def test_a_key_alone_reads_no_report():
    tube = Tube(daily(2), subscribers="980", changes=quiet())
    first = keyed(tube)
    keyed(tube, cursor=first.cursor, now=NOW + 3 * DAY)
    assert tube.count("reports") == 0


@pytest.mark.parametrize(
    "table",
    [
        Table([Header("day"), Header("views")], [["2026-11-15", 3]]),
        Table([Header("day"), Header("subscribersGained"), Header("subscribersLost")], [["2026-11-15", 3]]),
        Table([Header("day"), Header("subscribersGained"), Header("subscribersLost")], [["15/11/2026", 3, 1]]),
        Table([Header("day"), Header("subscribersGained"), Header("subscribersLost")], [["2026-11-15", None, 1]]),
    ],
)
def test_a_report_of_another_shape_is_drift(table):
    with pytest.raises(CollectError):
        read_changes(table, up_to=TODAY)


def test_only_gains_and_losses_are_asked_for():
    tube = Tube(daily(2), subscribers="980", changes=quiet())
    after_days(tube, 3)
    (asked,) = (asked.query for asked in tube.asked if asked.path.endswith("/reports"))
    assert asked == {
        "ids": "channel==MINE",
        "startDate": "2025-10-16",
        "endDate": date.fromordinal(TODAY + 3).isoformat(),
        "metrics": "subscribersGained,subscribersLost",
        "dimensions": "day",
    }
    assert body("analytics_reports_query.json")
