"""The line a target should follow, and where a count is going: worked by hand where that can be done."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from metrics.forecast import daily_matrix, forecast, quantile, recent, trend, weekly_strays
from metrics.growth import audience_growth
from metrics.pace import Pace, elapsed, expected, expected_count, needed_per_week, weeks_left
from metrics.periods import Period, reporting_year, year
from store.records import Precision, Source
from tests.metric_builders import HCMC, Y2026, ask, at, channel, config_of, day, facts, point, series, share, unit

CUT_OFF = reporting_year(2026, "12-14", HCMC)  # 15/12/2025 … 14/12/2026
Y2024 = year(2024, HCMC)


@pytest.mark.parametrize(
    ("period", "today", "part"),
    [
        (Y2026, "2026-01-01", 0),
        (Y2026, "2026-07-02", 182 / 365),
        (Y2024, "2024-07-02", 183 / 366),  # leap year: 31+29+31+30+31+30+1 days are over
        (Y2026, "2026-12-31", 364 / 365),
        (Y2026, "2027-01-01", 1),
        (Y2026, "2028-05-05", 1),
        (Y2026, "2025-05-05", 0),
        (CUT_OFF, "2025-12-15", 0),
        (CUT_OFF, "2026-12-14", 364 / 365),
        (CUT_OFF, "2026-12-15", 1),
    ],
)
def test_the_share_of_a_period_that_is_over(period, today, part):
    assert elapsed(period, day(today)) == part


def test_the_line_of_growth_is_straight():
    line = expected_count(pd.Series([1_000, 12_000], dtype="Int64"), 0.05, 0.5)
    assert line.tolist() == pytest.approx([1_025, 12_300])  # 1000 · 1.025, 12000 · 1.025


@pytest.mark.parametrize(("pace", "at_half"), [(Pace.LINE, 0.05 * 182 / 365), (Pace.SO_FAR, 0.05), (Pace.LEVEL, 0.05)])
def test_only_growth_is_expected_little_by_little(pace, at_half):
    assert expected(0.05, pace, Y2026, day("2026-07-02")) == at_half


@pytest.mark.parametrize(
    ("base", "now", "weeks", "needed"),
    [
        (1_000, 1_000, 10, 5),  # 50 short
        (1_000, 1_020, 10, 3),  # 30
        (1_000, 1_021, 10, 3),  # 29: rounded up
        (1_000, 1_050, 10, 0),
        (1_000, 1_100, 10, 0),  # beyond it nothing is needed, and nothing less
        (1_100, 1_100, 1, 55),  # 1100 · 1.05 is 1155, not a hair more
        (1_249, 1_300, 6, 2),  # 1311.45 − 1300 = 11.45
        (1_000, 1_000, 0, None),  # it is over
    ],
)
def test_what_is_needed_a_week(base, now, weeks, needed):
    first, last = (pd.Series([number], dtype="Int64") for number in (base, now))
    answer = needed_per_week(first, last, 0.05, weeks)[0]
    assert (None if pd.isna(answer) else answer) == needed


def test_weeks_left_count_today():
    assert weeks_left(Y2026, day("2026-12-25")) == 1  # 25 to 31 December
    assert weeks_left(Y2026, day("2027-01-01")) == 0


def rows(*series_: list[float]) -> np.ndarray[Any, Any]:
    longest = max(map(len, series_))
    return np.array([[np.nan] * (longest - len(one)) + list(one) for one in series_])


def test_the_trend_of_a_straight_line_is_its_slope():
    assert trend(rows([1_000 + 3 * n for n in range(90)], [500 - n for n in range(90)])).tolist() == [3, -1]


def test_wild_days_do_not_move_the_trend():
    line = [1_000.0 + 3 * n for n in range(90)]
    for place in (5, 20, 40, 61, 80):
        line[place] = 50_000
    assert trend(rows(line)).tolist() == [3]  # five of 45 pairs are wrong


def test_the_days_of_a_young_series_and_its_gaps_are_enough():
    young = [100.0 + 2 * n for n in range(30)]
    gappy = [100.0 + 2 * n if n % 3 else np.nan for n in range(90)]
    assert trend(rows(young, gappy)).tolist() == [2, 2]


def test_a_straight_line_never_strays():
    line = rows([1_000.0 + 3 * n for n in range(90)])
    low, high = weekly_strays(line, trend(line))
    assert (low[0], high[0]) == (0, 0)


def test_quantiles_are_of_what_is_known():
    assert quantile(rows([1, np.nan, 3, 2, np.nan]), 0.5).tolist() == [2]
    assert quantile(rows([0, 10]), 0.1).tolist() == [1]


PAGE = pd.DataFrame({"channel": ["page"], "platform": ["facebook"]})
TODAY = date(2026, 11, 20)


def daily(days: int, rise: float = 3, slug: str = "page", **more: Any) -> list[dict[str, Any]]:
    """The last days up to yesterday, at noon: 1,000 yesterday."""
    return [
        point(slug, str(TODAY - timedelta(days=number)), round(1_000 - rise * (number - 1)), **more)
        for number in range(1, days + 1)
    ]


def rises(points: list[dict[str, Any]], channels: pd.DataFrame = PAGE, count: str = "followers") -> pd.DataFrame:
    return forecast(series(*points), channels, count, recent(TODAY, Y2026), date(2026, 12, 31))


def test_a_steady_rise_goes_on():
    row = rises(daily(90)).iloc[0]
    assert (row["rise_low"], row["rise_high"], row["days"]) == (126, 126, 90)  # 42 days from 19/11 to 31/12, 3 a day


@pytest.mark.parametrize(("days", "found"), [(27, 0), (28, 1)])
def test_there_is_no_forecast_from_less_than_28_days(days, found):
    assert len(rises(daily(days))) == found


def test_days_before_a_break_do_not_count():
    tube = PAGE.assign(platform="youtube")
    points = [{**row, "views": row["followers"]} for row in daily(90)]
    assert rises(points, tube, "views")["days"].tolist() == [88]  # from 24/08/2026: 90 days reach back to 22/08
    assert rises(points, tube)["days"].tolist() == [90]  # followers were counted as ever


def test_the_best_source_of_a_day_counts_and_suspects_do_not():
    noon = point("page", "2026-11-19", 5, source=Source.SHEET)
    doubted = point("page", "2026-11-18", 0, suspect=1)
    matrix = daily_matrix(series(*daily(90), noon, doubted), pd.Index(["page"]), "followers", recent(TODAY, Y2026))
    assert matrix[0, -2:].tolist() == [997, 1_000]


def test_a_channel_that_was_not_asked_for_lends_its_counts_to_nobody():
    window = recent(TODAY, Y2026)
    asked = daily_matrix(series(*daily(90)), pd.Index(["page"]), "followers", window)
    foreign = [point("khac", str(window.last), 77)]
    both = daily_matrix(series(*daily(90), *foreign), pd.Index(["page"]), "followers", window)
    assert np.array_equal(asked, both, equal_nan=True)


def test_a_midnight_count_closes_the_day_before():
    window = Period(date(2026, 11, 18), date(2026, 11, 20), HCMC)
    frame = series(point("page", "2026-11-18 00:00", 1), point("page", "2026-11-20 00:00", 3))
    matrix = daily_matrix(frame, pd.Index(["page"]), "followers", window)
    assert np.isnan(matrix[0, 0])
    assert matrix[0, 1] == 3


@pytest.mark.parametrize(("days", "ahead"), [(30, 30), (60, 90), (90, 30), (90, 200)])
def test_four_of_five_random_walks_end_within_the_band(days, ahead):
    steps = np.random.default_rng(1).normal(3, 5, (2_000, 90 + ahead))
    walks = 10_000 + steps.cumsum(axis=1)
    known = np.where(np.arange(90) < 90 - days, np.nan, walks[:, :90])
    names = [f"c{number:04}" for number in range(2_000)]
    place = np.argwhere(np.isfinite(known))
    first = pd.Timestamp(at("2026-08-22"))
    frame = pd.DataFrame(
        {
            "channel": np.array(names)[place[:, 0]],
            "observed_at": first + pd.to_timedelta(place[:, 1], unit="D"),
            "followers": known[place[:, 0], place[:, 1]],
            "source": "facebook_page",
        }
    )
    channels = pd.DataFrame({"channel": names, "platform": "facebook"})
    answer = forecast(frame, channels, "followers", recent(TODAY, Y2026), TODAY + timedelta(days=ahead - 1))
    rise = walks[:, 89 + ahead] - walks[:, 89]
    inside = (answer["rise_low"].to_numpy() <= rise) & (rise <= answer["rise_high"].to_numpy())
    assert 0.75 <= inside.mean() <= 0.86


CONFIG = config_of([unit("a")], [channel("page"), channel("tube", "youtube"), channel("young")])


def ends(*names: str, by: Any = "channel", as_of: str = "2026-11-20", **more: Any) -> pd.DataFrame:
    long = [row for name in names for row in daily(90, slug=name, **more)]
    points = [point(name, "2025-12-31", 900) for name in ("page", "tube", "young")]
    known = facts(CONFIG, as_of, points=series(*points, *long), daily=series(*long))
    return audience_growth(known, ask(by)).rows


def test_growth_tells_where_the_count_will_stand_when_the_period_ends():
    row = ends("page").iloc[0]
    assert (row["forecast_low"], row["forecast_high"]) == (1_126, 1_126)


def test_a_cut_count_blurs_the_forecast():
    row = ends("tube", precision=Precision.FLOOR3).set_index("channel").loc["tube"]
    # 1000 … 1009 now; the step of 9 over 90 days blurs the 42 days ahead by 4.2 on both sides
    assert row["forecast_low"] <= 1_126 - 4.2
    assert row["forecast_high"] >= 1_135 + 4.2


def test_a_sum_is_foreseen_only_with_all_of_its_channels():
    whole = ends("page", "young", by="unit").set_index("platform").loc["facebook"]
    assert (whole["now_value"], whole["forecast_low"], whole["forecast_high"]) == (2_000, 2_252, 2_252)  # 2 · 1,126
    short = [point("young", "2026-11-19", 950)]
    known = [*daily(90), *short, point("page", "2025-12-31", 900), point("young", "2025-12-31", 900)]
    rows_ = audience_growth(
        facts(CONFIG, "2026-11-20", points=series(*known), daily=series(*daily(90), *short)), ask("unit")
    )
    facebook = rows_.rows.set_index("platform").loc["facebook"]
    assert (facebook["known"], share(facebook["forecast_low"])) == (2, None)  # one value of «young» is no trend


def test_no_forecast_once_the_period_is_over():
    assert ends("page", as_of="2027-01-02")["forecast_low"].isna().all()
