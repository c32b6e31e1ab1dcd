"""On which days we know all that a channel published."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd


def covered_days(looks: pd.DataFrame, edges: npt.NDArray[np.int64]) -> pd.DataFrame:
    """The stretches of whole days that complete successful looks cover together: channel, first, end.

    `looks` as Store.looks gives them; `edges` are the epoch seconds at which the days begin, and the last one
    ends. `first` and `end` are day numbers, half-open. A look proves `[coverage_from, started_at]`.
    """
    spans = proved_spans(looks)
    first = np.searchsorted(edges, spans["start"], side="left")
    end = np.searchsorted(edges, spans["end"], side="right") - 1
    days = pd.DataFrame({"channel": spans["channel"].to_numpy(), "first": first, "end": end})
    return days[days["first"] < days["end"]]


def failed_days(looks: pd.DataFrame, edges: npt.NDArray[np.int64]) -> pd.DataFrame:
    """The days that a failed look would have told about: its own and the one before: channel, first, end."""
    failed = looks[looks["state"] == "failed"]
    day = np.searchsorted(edges, _seconds(failed["started_at"]), side="right") - 1
    last = len(edges) - 1
    days = pd.DataFrame({"channel": failed["channel"].astype(str), "first": np.maximum(day - 1, 0)})
    days["end"] = np.clip(day + 1, 0, last)
    return days[days["first"] < days["end"]].drop_duplicates()


def proved_spans(looks: pd.DataFrame) -> pd.DataFrame:
    """The moments that complete successful looks prove, in epoch seconds: channel, start, end; apart and in order."""
    return merge_spans(_proved(looks))


def merge_spans(spans: pd.DataFrame) -> pd.DataFrame:
    """The union of spans (channel, start, end) per channel; spans that only touch become one."""
    spans = spans.sort_values(["channel", "start"])
    reached = spans.groupby("channel")["end"].cummax()
    apart = spans["start"] > reached.shift()
    other = spans["channel"] != spans["channel"].shift()
    merged = spans.assign(end=reached).groupby((apart | other).cumsum())
    return merged.agg(channel=("channel", "first"), start=("start", "min"), end=("end", "max"))


def _proved(looks: pd.DataFrame) -> pd.DataFrame:
    good = looks[(looks["state"] == "done") & looks["complete"].eq(True) & looks["coverage_from"].notna()]
    start, end = _seconds(good["coverage_from"]), _seconds(good["started_at"])
    return pd.DataFrame({"channel": good["channel"].astype(str), "start": start, "end": end})


def _seconds(moments: pd.Series[Any]) -> pd.Series[Any]:
    return pd.to_datetime(moments, utc=True).dt.as_unit("s").astype("int64")
