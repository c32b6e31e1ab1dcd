"""Which of several snapshots of one channel on one day counts: the place where precedence is applied."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from store.records import Source

COUNTS = ("followers", "likes", "posts", "views")
_RANK = {source.name.lower(): int(source) for source in Source}
_END_OF_DAY = timedelta(seconds=1)
"""A count read at midnight closes the day before: imported daily figures stand there."""


def rank_of(sources: pd.Series[Any]) -> pd.Series[Any]:
    """The precedence of each source by its name: of one day, the highest counts."""
    return sources.map(_RANK).astype("int16")


def settled(series: pd.DataFrame, zone: ZoneInfo, counts: Sequence[str] = COUNTS) -> pd.DataFrame:
    """The figures of each channel, local day and count, from the best source that day.

    *series* is what `Store.series` gives. Suspect snapshots and missing counts are left out; of what is left the
    highest `Source` wins, and of one source the last. Columns: channel, day (datetime64, the local calendar day
    without zone), count (categorical), value (Int64), precision, source, observed_at; sorted; one row at most per
    channel, day and count, and none where nobody knows.
    """
    known = series[series["suspect"] == 0]
    local = (known["observed_at"] - _END_OF_DAY).dt.tz_convert(zone)
    known = known.assign(day=local.dt.tz_localize(None).dt.normalize(), rank=rank_of(known["source"]))
    long = known.melt(
        id_vars=["channel", "day", "rank", "observed_at", "precision", "source"],
        value_vars=list(counts),
        var_name="count",
        value_name="value",
    ).dropna(subset=["value"])
    best = long.sort_values(["channel", "day", "count", "rank", "observed_at"], kind="stable")
    best = best.drop_duplicates(["channel", "day", "count"], keep="last")
    best["count"] = pd.Categorical(best["count"], COUNTS)
    best = best.sort_values(["channel", "day", "count"], ignore_index=True)
    return best[["channel", "day", "count", "value", "precision", "source", "observed_at"]]
