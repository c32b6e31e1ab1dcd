"""How a target stands: what was measured beside what was promised, where it should stand today, and one word for it.

A word that accuses or praises is used only where the whole interval agrees with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from metrics.asking import Why
from metrics.pace import Pace, expected, is_over, needed_per_week, weeks_left
from metrics.periods import Period
from metrics.precision import floats, ratio
from metrics.words import STATUS_OF_DUTY, Status


@dataclass(frozen=True)
class Thresholds:
    """From which share of the expected value on a target is on pace, or behind; below that it is at risk."""

    on_pace: float = 0.95
    behind: float = 0.75
    fewest_days: int = 7
    """Growth is not held against its line in the first days of a period."""


@dataclass(frozen=True)
class Target:
    """What a plan promises. `value` is a ratio (0.05, 1.0); None: nothing to reach, shown only."""

    value: float | None
    pace: Pace
    deadline: date | None = None
    """The last day to hand in a reported figure; the last day of the period when not said."""


Rule = tuple["pd.Series[Any]", Status]
"""Which rows a word holds for."""
_STATUSES = list(Status)
STATUS_NAMES = pd.Index([word.value for word in Status])

STATUS_OF_WHY: dict[Why, Status] = {
    Why.NO_CHANNEL: Status.TOO_LITTLE,
    Why.FAILED: Status.FAILED,
    Why.HIDDEN: Status.UNDECIDED,
    Why.STALE: Status.TOO_LITTLE,
    Why.NEW: Status.TOO_LITTLE,
    Why.NO_BASE: Status.TOO_LITTLE,
    Why.ONE_POINT: Status.TOO_LITTLE,
    Why.ZERO_BASE: Status.UNDECIDED,
    Why.BREAK: Status.UNDECIDED,
    Why.LATE_BASE: Status.UNDECIDED,
    Why.BEFORE_MERGER: Status.TOO_LITTLE,
    Why.MISSING: Status.UNDECIDED,
    Why.NOT_REPORTED: Status.NOT_REPORTED,
    Why.NO_MEMBERS: Status.TOO_LITTLE,
    Why.RESTING: Status.RESTING,
    Why.PENDING: Status.NOT_DUE,
}


def progress(
    rows: pd.DataFrame, target: Target, period: Period, today: date, limits: Thresholds | None = None
) -> pd.DataFrame:
    """The rows of `Measured` with how each stands on the morning of *today*.

    Adds target and expected (Float64, ratios; NA for a row that has no number to reach), pace_low and pace_high
    (Float64: the value as a share of the expected one), end_low and end_high (Float64: the ratio forecast for the
    end), needed (Int64: until the end) and needed_per_week (Int64), coverage (Float64: known ÷ wanted), status
    (`Status`), straddled (Float64: the threshold, a share of the expected value, that leaves the word open).
    """
    limits = limits or Thresholds()
    judged = rows.assign(coverage=ratio(floats(rows["known"]), floats(rows["wanted"])))
    if target.value is None:
        nothing = pd.array([None] * len(rows), "Float64")
        names = ("target", "expected", "pace_low", "pace_high", "end_low", "end_high")
        counts = dict.fromkeys(("needed", "needed_per_week"), nothing.astype("Int64"))
        judged = judged.assign(**dict.fromkeys((*names, "straddled"), nothing), **counts)
        return judged.assign(status=_first(_told(judged, target, period, today), Status.SHOWN, len(rows)))
    judged = _with_pace(judged, target.value, target.pace, period, today)
    judged = _with_outlook(judged, target.value, period, today)
    rules = [*_told(judged, target, period, today), *_reached(judged, target, period, today)]
    if not is_over(period, today):
        rules += _on_the_way(judged, target, period, today, limits)
    judged["status"] = _first([*rules, (judged["failed"], Status.FAILED)], Status.UNDECIDED, len(rows))
    open_to = () if is_over(period, today) else (limits.behind, limits.on_pace)
    return judged.assign(straddled=_straddled(judged, open_to))


def _with_pace(rows: pd.DataFrame, value: float, pace: Pace, period: Period, today: date) -> pd.DataFrame:
    line = expected(value, pace, period, today)
    sides = {f"pace_{side}": ratio(floats(rows[side]), np.full(len(rows), line)) for side in ("low", "high")}
    return rows.assign(target=value, expected=line, **sides).astype({"target": "Float64", "expected": "Float64"})


def _with_outlook(rows: pd.DataFrame, value: float, period: Period, today: date) -> pd.DataFrame:
    """What the forecast means as a ratio, and what is needed each week, where the target is about a growing count."""
    nothing = pd.array([None] * len(rows), "Float64")
    counts = dict.fromkeys(("needed", "needed_per_week"), nothing.astype("Int64"))
    rows = rows.assign(end_low=nothing, end_high=nothing, **counts)
    if "forecast_low" in rows:
        for side, first in (("low", floats(rows["base_high"])), ("high", floats(rows["base_low"]))):
            rows[f"end_{side}"] = ratio(floats(rows[f"forecast_{side}"]) - first, first)
    base, now = ("base_high", "now_low") if "base_high" in rows else ("base_value", "now_value")
    if base in rows:
        weeks = weeks_left(period, today)
        for name, number in (("needed", float(weeks > 0)), ("needed_per_week", weeks)):
            needed = needed_per_week(rows[base], rows[now], value, number)
            rows[name] = pd.Series(needed, index=rows.index).where(rows["why"] == Why.NONE)
    return rows


def _told(rows: pd.DataFrame, target: Target, period: Period, today: date) -> list[Rule]:
    """What the measuring itself says already: the state of a task, or why nothing can be judged."""
    late = today > (target.deadline or period.last)
    duties = [(rows["duty"] == duty, word) for duty, word in STATUS_OF_DUTY.items()] if "duty" in rows else []
    overdue = ((rows["why"] == Why.NOT_REPORTED) & late, Status.OVERDUE)
    return [*duties, overdue, *((rows["why"] == why, word) for why, word in STATUS_OF_WHY.items())]


def _reached(rows: pd.DataFrame, target: Target, period: Period, today: date) -> list[Rule]:
    """Reached, or over without being reached: only when both ends of the interval say so."""
    over = is_over(period, today)
    reached, missed = rows["low"] >= target.value, rows["high"] < target.value
    return [(reached & (over or target.pace is not Pace.SO_FAR), Status.MET), (missed & over, Status.NOT_MET)]


def _on_the_way(rows: pd.DataFrame, target: Target, period: Period, today: date, limits: Thresholds) -> list[Rule]:
    low, high = rows["pace_low"], rows["pace_high"]
    days = (today - period.start).days
    early = pd.Series(target.pace is Pace.LINE and days < limits.fewest_days, index=rows.index)
    return [
        (early, Status.TOO_LITTLE),
        (rows["end_high"] < target.value, Status.AT_RISK),
        (low >= limits.on_pace, Status.ON_PACE),
        ((low >= limits.behind) & (high < limits.on_pace), Status.BEHIND),
        (high < limits.behind, Status.AT_RISK),
    ]


def _straddled(rows: pd.DataFrame, limits: Sequence[float]) -> pd.Series[Any]:
    """The last of the thresholds, in rising order, that lies within the interval of an undecided row."""
    found = pd.Series(pd.NA, index=rows.index, dtype="Float64")
    for limit in limits:
        within = (rows["pace_low"] < limit) & (rows["pace_high"] >= limit) & (rows["why"] == Why.NONE)
        found = found.mask(within & (rows["status"] == Status.UNDECIDED), limit)
    return found


def _first(rules: Sequence[Rule], otherwise: Status, number: int) -> Any:
    """The word of the first rule that holds in every row; what is not known does not hold."""
    conditions = [holds.fillna(False).to_numpy(dtype=bool) for holds, _ in rules]
    places = [_STATUSES.index(word) for _, word in rules]
    codes = np.full(number, _STATUSES.index(otherwise), dtype=np.int8)
    for holds, place in reversed(list(zip(conditions, places, strict=True))):
        codes[holds] = place
    return pd.Categorical.from_codes(codes, categories=STATUS_NAMES)
