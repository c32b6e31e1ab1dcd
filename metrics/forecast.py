"""Where a count will stand at the end of a period if it goes on as lately: a robust trend with an 80 % band.

The trend is the median slope of disjoint pairs of days half a window apart (Theil's incomplete method): a quarter
of the days may be wrong without moving it far. The band is what the weeks lately strayed from that trend, grown
with the square root of the weeks ahead and with the uncertainty of the slope.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from metrics.breaks import BREAKS
from metrics.periods import Period, day_edges
from metrics.sources import rank_of

WINDOW_DAYS = 90
FEWEST_DAYS = 28
"""With fewer daily values there is no forecast."""
WIDTHS = (90, 56, 28)
"""Windows for the trend: the longest that has enough pairs."""
_FEWEST_PAIRS = 10
_WEEK = 7
_BAND = (0.1, 0.9)
_SHORT = 15
"""Days by which a short history makes the band too narrow: found by playing random walks, see the tests."""
Floats = npt.NDArray[np.float64]


def forecast(points: pd.DataFrame, channels: pd.DataFrame, count: str, window: Period, last: date) -> pd.DataFrame:
    """How a count is likely to change from the end of *window* to the end of the day *last*.

    *points* are rows of Store.series, *channels* has channel and platform. One row per channel with 28 daily values
    or more since the last break: channel, rise_low, rise_high (Float64: counts to be added), days (Int64: how many
    values spoke).
    """
    ahead = (last - window.last).days
    values = daily_matrix(points, pd.Index(channels["channel"]), count, window)
    values = after_breaks(values, channels["platform"], count, window)
    days = np.isfinite(values).sum(axis=1)
    slope = trend(values)
    low, high = weekly_strays(values, slope)
    known = np.maximum(days, 1)
    spread = (high - low) / 2 * np.sqrt(ahead / _WEEK * (1 + ahead / known)) * (1 + _SHORT / known)
    rises = {"rise_low": slope * ahead - spread, "rise_high": slope * ahead + spread}
    columns = {name: pd.array(rise, dtype="Float64") for name, rise in rises.items()}
    frame = pd.DataFrame({"channel": channels["channel"].to_numpy(), **columns, "days": pd.array(days, "Int64")})
    enough = pd.Series((days >= FEWEST_DAYS) & np.isfinite(slope + spread))
    return frame[enough].reset_index(drop=True)


def recent(today: date, period: Period) -> Period:
    """The days whose values speak for the future: up to yesterday, 90 at most."""
    return Period(today - timedelta(days=WINDOW_DAYS), today, period.zone)


def daily_matrix(points: pd.DataFrame, channels: pd.Index[Any], count: str, window: Period) -> Floats:
    """Channels × days: the value from the best source of every day, NaN where nobody knows or a break lies after it."""
    edges = day_edges(window)
    moments = pd.to_datetime(points["observed_at"], utc=True).dt.as_unit("s").astype("int64").to_numpy()
    day = np.searchsorted(edges, moments, side="left") - 1
    rows = channels.get_indexer(pd.Index(points["channel"].astype(str)))
    inside = (rows >= 0) & (day >= 0) & (day < len(edges) - 1) & points[count].notna().to_numpy(dtype=bool)
    if "suspect" in points:
        inside &= points["suspect"].eq(0).to_numpy(dtype=bool)
    known, day, moments, rows = points[inside], day[inside], moments[inside], rows[inside]
    order = np.lexsort((moments, rank_of(known["source"]).to_numpy()))
    matrix = np.full((len(channels), len(edges) - 1), np.nan)
    matrix[rows[order], day[order]] = known[count].to_numpy(dtype=np.float64)[order]
    return matrix


def after_breaks(matrix: Floats, platforms: pd.Series[Any], count: str, window: Period) -> Floats:
    """The same without what a count meant before its last break."""
    for one in BREAKS:
        if one.count == count and window.start < one.day <= window.end:
            matrix[(platforms == one.platform).to_numpy(dtype=bool), : (one.day - window.start).days] = np.nan
    return matrix


def trend(values: Floats) -> Floats:
    """The robust rise per day of every row; NaN where even the last 28 days hold too few pairs."""
    slopes = np.full(len(values), np.nan)
    for width in WIDTHS:
        lately = values[:, -width:]
        half = lately.shape[1] // 2
        lag = lately.shape[1] - half
        pairs = (lately[:, lag:] - lately[:, :half]) / lag
        enough = np.isfinite(pairs).sum(axis=1) >= _FEWEST_PAIRS
        fresh = enough & np.isnan(slopes)
        slopes[fresh] = quantile(pairs[fresh], 0.5)
    return slopes


def weekly_strays(values: Floats, slope: Floats) -> tuple[Floats, Floats]:
    """Between which values, four times in five, a week strays from the trend."""
    strays = values[:, _WEEK:] - values[:, :-_WEEK] - _WEEK * slope[:, None]
    few = np.isfinite(strays).sum(axis=1) < _FEWEST_PAIRS
    low, high = (quantile(strays, share) for share in _BAND)
    return np.where(few, np.nan, low), np.where(few, np.nan, high)


def quantile(rows: Floats, share: float) -> Floats:
    """A quantile of what is known in every row; NaN where nothing is."""
    if not rows.size:
        return np.full(len(rows), np.nan)
    ordered = np.sort(rows, axis=1)
    place = share * np.maximum(np.isfinite(rows).sum(axis=1) - 1, 0)
    below = np.floor(place).astype(np.int64)
    above = np.ceil(place).astype(np.int64)
    each = np.arange(len(rows))
    first, second = ordered[each, below], ordered[each, above]
    return np.asarray(first + (second - first) * (place - below))
