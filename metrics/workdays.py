"""When the next sign of life is due: so many working days later, by the calendar of each kind of unit.

A day counts unless it is a rest day of the kind or a person has snoozed the unit on it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from config.models import Config
from metrics.calendar import rest_days
from metrics.clocks import NEVER, Subjects
from metrics.periods import Period, day_edges, local_date

Seconds = npt.NDArray[np.integer[Any]]
SNOOZED = "đang tạm dừng nhắc"


class Workdays:
    """The working days of every subject, from the first moment that is asked about to beyond every deadline."""

    def __init__(self, config: Config, subjects: Subjects, snoozes: pd.DataFrame, first: int, as_of: datetime) -> None:
        """*first*: the epoch second before which nothing is asked. *snoozes*: as in `Silent`."""
        zone, self.rows = config.district.tz, subjects.rows
        most = int(self.rows["after"].max()) if len(self.rows) else 0
        self.today = local_date(as_of, zone)
        self.start = min(self.today, local_date(datetime.fromtimestamp(first, UTC), zone))
        span = Period(self.start, self.today + timedelta(days=2 * most + 400), zone)
        self.edges = day_edges(span)
        self.kinds = {kind: number for number, kind in enumerate(config.district.kinds)}
        self.calendar = self.rows["kind_of_unit"].map(self.kinds).to_numpy(np.int64, copy=True)
        rest, paused = rest_days(config.district, self.start, span.end), _paused(snoozes, self.rows["unit"], as_of)
        self.reasons = self._reasons(rest, paused, as_of)
        self.counted = self._working(rest, paused).cumsum(axis=1)
        self.apart = self.counted.shape[1] + most + 1
        self.line = (self.counted + np.arange(len(self.counted))[:, None] * self.apart).ravel()

    def number(self, moments: Any) -> Seconds:
        """The local day that each epoch second lies in, counted from the first one."""
        return np.asarray(np.searchsorted(self.edges, moments, side="right") - 1)

    def deadlines(self, rows: Seconds, moments: Seconds) -> Seconds:
        """The end of the last working day that a subject has after the local day of a moment; NEVER without one."""
        calendar = self.calendar[rows]
        wanted = self.counted[calendar, self.number(moments)] + self.rows["after"].to_numpy(np.int64)[rows]
        length = self.counted.shape[1]
        day = np.searchsorted(self.line, wanted + calendar * self.apart) - calendar * length
        return np.where(day < length, self.edges[np.minimum(day, length - 1) + 1], NEVER)

    def latest_starts(self, moment: int) -> Seconds:
        """For each subject the beginning of the last local day after which the deadline was over at a moment.

        Where there is none: the first moment that may be asked about.
        """
        ended = int(self.number(moment)) - 1
        worked = self.counted[self.calendar, ended] if ended >= 0 else np.zeros(len(self.rows), dtype=np.int64)
        allowed = np.maximum(worked - self.rows["after"].to_numpy(np.int64), -1)
        day = np.searchsorted(self.line, allowed + self.calendar * self.apart, side="right") - 1
        return np.asarray(self.edges[np.maximum(day - self.calendar * self.counted.shape[1], 0)])

    def _working(self, rest: pd.DataFrame, paused: pd.DataFrame) -> npt.NDArray[np.bool_]:
        """The calendars of the kinds, and behind them one for each unit that was snoozed."""
        works = np.ones((len(self.kinds), len(self.edges) - 1), dtype=bool)
        works[rest["kind"].map(self.kinds), (rest["day"] - pd.Timestamp(self.start)).dt.days] = False
        more = [works]
        for number, (unit, pauses) in enumerate(paused.groupby("subject"), len(works)):
            here = (self.rows["unit"] == unit).to_numpy()
            days = works[self.calendar[here][0]].copy()
            for first, last in zip(self.number(pauses["start"]), self.number(pauses["until"] - 1), strict=True):
                days[max(first, 0) : last + 1] = False
            self.calendar[here] = number
            more.append(days[None])
        return np.concatenate(more)

    def _reasons(self, rest: pd.DataFrame, paused: pd.DataFrame, as_of: datetime) -> npt.NDArray[np.object_]:
        """Why each subject rests now; empty when it does not."""
        today = rest[rest["day"] == pd.Timestamp(self.today)].set_index("kind")["reason"]
        snoozed = paused.loc[paused["until"] > as_of.timestamp(), "subject"]
        reasons = self.rows["kind_of_unit"].map(lambda kind: today.get(kind, "")).astype(object)
        return reasons.mask(self.rows["unit"].isin(snoozed), SNOOZED).to_numpy()


def _paused(snoozes: pd.DataFrame, units: pd.Series[Any], as_of: datetime) -> pd.DataFrame:
    """The snoozes of these units that have begun: subject, start, until (epoch seconds)."""
    start, until = (pd.to_datetime(snoozes[name], utc=True) for name in ("start", "until"))
    ends = seconds_of(until).where(until.notna(), NEVER)
    begun = start.le(as_of) & snoozes["subject"].isin(units)
    return snoozes[["subject"]].assign(start=seconds_of(start), until=ends)[begun]


def seconds_of(moments: pd.Series[Any]) -> pd.Series[Any]:
    """Epoch seconds; those of a missing moment mean nothing."""
    return pd.to_datetime(moments, utc=True).dt.as_unit("s").astype("int64")


def moments_of(seconds: Any) -> pd.DatetimeIndex:
    """UTC moments of epoch seconds; NaT where they are missing (NA, NaN) or NEVER."""
    numbers = pd.Series(seconds).astype("Int64")
    known = (numbers.notna() & numbers.lt(NEVER).fillna(value=False)).to_numpy(bool)
    stamps = numbers.fillna(0).to_numpy(np.int64).astype("datetime64[s]")
    stamps[~known] = np.datetime64("NaT")
    return pd.DatetimeIndex(stamps, tz="UTC")
