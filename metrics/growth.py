"""How much an audience grew since a day: as an interval, from a baseline that can name its source.

A count that the platform cuts to three digits is an interval at both ends, so growth is one, too. Suspect counts
are left out, a count that means something else since a day is not compared across it, and channels of different
platforms are added up only when that is asked for.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from metrics.asking import Ask, Facts, Measured, Why, inputs_of
from metrics.breaks import BREAKS
from metrics.forecast import forecast, recent
from metrics.precision import bounds, floats, grown, ratio
from metrics.sources import settled
from metrics.succession import holders

REACH_DAYS = 31
"""A baseline within so many days of the wanted one stands for it."""
FRESH_DAYS = 7
"""A last count older than this says nothing of today; as old as this it does not excuse a failing look."""
ENDS = ("base", "now")
EDGES = ("base_low", "base_high", "now_low", "now_high")
FORESEEN = ("forecast_low", "forecast_high")


def audience_growth(facts: Facts, ask: Ask) -> Measured:
    """Growth of one count of every channel in scope, or their sums by unit or in total, per platform.

    Rows also have: platform, unit (by channel and unit), count; base and now with _value, _low, _high (Int64);
    forecast_low, forecast_high (Float64: the count at the end of the period, 80 %; NA without 28 daily values).
    By channel also _day, _at and _source of both ends, base_gap (days from the wanted day to the baseline's, Int64),
    now_age (days); `low` and `high` are NA where an end is missing. A sum is of the channels that can be compared,
    and opened (Int64) tells how many channels are younger than the baseline and not in it.
    """
    channels = _with_forecast(facts, ask, _ends(facts, ask, _scope(facts, ask)))
    inputs = pd.concat([_inputs_at(channels, end) for end in ENDS], ignore_index=True)
    if ask.by == "channel":
        return Measured(channels.assign(subject=channels["channel"]), inputs)
    rows = _summed(channels, ask)
    names = channels["unit"] if ask.by == "unit" else pd.Series("", index=channels.index)
    subject_of = dict(zip(channels["channel"], names, strict=True))
    return Measured(rows, inputs.assign(subject=inputs["ref"].map(subject_of)))


def _scope(facts: Facts, ask: Ask) -> pd.DataFrame:
    """The channels that are asked about, with whom they are credited to."""
    held = holders(facts.config, ask.held_on or facts.today)
    wanted = pd.Series(True, index=held.index)
    if ask.channels is not None:
        wanted &= held["channel"].isin(list(ask.channels))
    if ask.units is not None:
        wanted &= held["unit"].isin(list(ask.units))
    watched = held["platform"] != "website"
    return held[wanted & watched].reset_index(drop=True)


def _ends(facts: Facts, ask: Ask, scope: pd.DataFrame) -> pd.DataFrame:
    """Each channel with its baseline, its last count, the growth between them, and what is wrong with it."""
    points = _points(facts, scope)
    days = settled(points, facts.config.district.tz, (ask.count,))
    wanted = ask.baseline_day or ask.period.start - timedelta(days=1)
    first, last = _at_base(days, wanted), days.drop_duplicates("channel", keep="last")
    rows = scope.merge(_named(first, "base"), on="channel", how="left").merge(
        _named(last, "now"), on="channel", how="left"
    )
    rows["count"] = ask.count
    rows["base_gap"] = _days_between(rows["base_day"], wanted)
    rows["now_age"] = -_days_between(rows["now_day"], facts.today)
    rows[["low", "high"]] = grown(*(rows[edge] for edge in EDGES))
    rows["shown"] = _shown(rows)
    rows["failed"] = rows["channel"].isin(_failing(facts)) & ~rows["now_age"].lt(FRESH_DAYS).fillna(False).astype(bool)
    rows["why"] = _why(rows, _hidden(points, ask.count), wanted)
    return rows.assign(known=(rows["why"] == Why.NONE).astype("Int64"), wanted=pd.array([1] * len(rows), "Int64"))


def _with_forecast(facts: Facts, ask: Ask, rows: pd.DataFrame) -> pd.DataFrame:
    """Where each channel's count will stand when the period ends; a step of a cut count blurs the slope, too."""
    window, last = recent(facts.today, ask.period), ask.period.last
    if facts.daily.empty or last < facts.today:
        return rows.assign(**{name: pd.array([None] * len(rows), "Float64") for name in FORESEEN})
    daily = facts.daily[facts.daily["observed_at"].le(facts.as_of) & facts.daily["channel"].isin(rows["channel"])]
    rises = forecast(daily, rows[["channel", "platform"]], ask.count, window, last).set_index("channel")
    usable = rows["why"] == Why.NONE
    blur = (rows["now_high"] - rows["now_low"]) * (last - window.last).days / rows["channel"].map(rises["days"])
    for side, name, sign in zip(("low", "high"), FORESEEN, (-1, 1), strict=True):
        rise = rows["channel"].map(rises[f"rise_{side}"]).astype("Float64") + sign * blur.astype("Float64")
        rows[name] = (rows[f"now_{side}"].astype("Float64") + rise).clip(lower=0).where(usable)
    return rows


def _points(facts: Facts, scope: pd.DataFrame) -> pd.DataFrame:
    points = facts.points
    known = points[points["channel"].isin(scope["channel"]) & points["observed_at"].le(facts.as_of)]
    return known if "suspect" in known else known.assign(suspect=0)


def _at_base(days: pd.DataFrame, wanted: date) -> pd.DataFrame:
    """The day nearest before the wanted one within reach; else the first after it; else the last before."""
    gap = _days_between(days["day"], wanted)
    order = np.select([gap.between(-REACH_DAYS, 0), gap > 0], [0, 1], 2)
    ranked = days.assign(order=order, distance=gap.abs()).sort_values(["channel", "order", "distance"])
    return ranked.drop_duplicates("channel")


def _named(found: pd.DataFrame, end: str) -> pd.DataFrame:
    """One end of the growth with its bounds and where it comes from, under that end's names."""
    frame = found[["day", "value", "observed_at", "source"]].rename(columns={"observed_at": "at"})
    frame = frame.astype({"value": "Int64", "source": str}).join(bounds(found["value"], found["precision"]))
    return frame.add_prefix(f"{end}_").assign(channel=found["channel"].astype(str))


def _days_between(days: pd.Series[Any], since: date) -> pd.Series[Any]:
    return (days - pd.Timestamp(since)).dt.days.astype("Int64")


def _shown(rows: pd.DataFrame) -> Any:
    base, now = floats(rows["base_value"]), floats(rows["now_value"])
    return ratio(now - base, base)


def _failing(facts: Facts) -> pd.Series[Any]:
    """The channels whose last look failed."""
    looks = facts.looks[facts.looks["started_at"].le(facts.as_of)] if len(facts.looks) else facts.looks
    last = looks.sort_values("started_at").drop_duplicates("channel", keep="last")
    return last.loc[last["state"] == "failed", "channel"]


def _hidden(points: pd.DataFrame, count: str) -> pd.Series[Any]:
    """The channels whose newest snapshot does not have the count."""
    newest = points[points["suspect"] == 0].sort_values("observed_at").drop_duplicates("channel", keep="last")
    return newest.loc[newest[count].isna() & newest["observed_at"].notna(), "channel"]


def _why(rows: pd.DataFrame, hidden: pd.Series[Any], wanted: date) -> Any:
    """The first reason that keeps a channel's growth from being judged."""
    stale = ~rows["now_age"].le(FRESH_DAYS).fillna(False)
    no_base, late = rows["base_gap"].isna(), rows["base_gap"].gt(0).fillna(False)
    far = rows["base_gap"].abs().gt(REACH_DAYS).fillna(False)
    reasons = {
        Why.FAILED: rows["failed"],
        Why.HIDDEN: stale & rows["channel"].isin(hidden),
        Why.NO_BASE: no_base,
        Why.STALE: stale,
        Why.NEW: late & rows["since"].gt(pd.Timestamp(wanted)),
        Why.ONE_POINT: rows["base_day"] == rows["now_day"],
        Why.ZERO_BASE: rows["base_value"].eq(0).fillna(False),
        Why.BREAK: _broken(rows),
        Why.LATE_BASE: far,
    }
    conditions = [np.asarray(reason, dtype=bool) for reason in reasons.values()]
    return np.select(conditions, [str(why) for why in reasons], str(Why.NONE))


def _broken(rows: pd.DataFrame) -> pd.Series[Any]:
    """Whether the count changed its meaning between the two ends."""
    broken = pd.Series(False, index=rows.index)
    for one in BREAKS:
        day = pd.Timestamp(one.day)
        same = (rows["platform"] == one.platform) & (rows["count"] == one.count)
        broken |= same & (rows["base_day"] < day) & (rows["now_day"] >= day)
    return broken


def _summed(channels: pd.DataFrame, ask: Ask) -> pd.DataFrame:
    """Sums over the channels that can be compared, per unit and platform or whatever else is asked."""
    keys = [key for key, asked in (("unit", ask.by == "unit"), ("platform", not ask.mixed)) if asked]
    usable = channels["why"].isin([str(Why.NONE), str(Why.ZERO_BASE)])
    young = channels["why"] == Why.NEW
    ends = [*EDGES, *(f"{end}_value" for end in ENDS), *FORESEEN]
    parts = channels.assign(**{name: channels[name].where(usable, 0) for name in ends})
    parts["foreseen"] = parts["forecast_low"].notna()
    parts = parts.assign(known=usable.astype("Int64"), wanted=(~young).astype("Int64"), opened=young.astype("Int64"))
    numbers = dict.fromkeys((*ends, "known", "wanted", "opened"), "sum")
    grouped = parts.groupby(keys or (lambda _: 0), sort=True)
    rows = grouped.agg({**numbers, "failed": "any", "foreseen": "all"}).reset_index(drop=not keys)
    rows = rows.assign(**{name: rows[name].where(rows["foreseen"]) for name in FORESEEN}).drop(columns="foreseen")
    if ask.mixed:
        rows["platform"] = grouped["platform"].agg(_together).to_numpy()
    return _judged_sums(rows).assign(subject=rows["unit"] if ask.by == "unit" else "", count=ask.count)


def _together(platforms: pd.Series[Any]) -> str:
    return " + ".join(sorted(set(platforms)))


def _judged_sums(rows: pd.DataFrame) -> pd.DataFrame:
    """The same with growth and reason; a sum of nothing is missing and no zero."""
    numbers = [*EDGES, *(f"{end}_value" for end in ENDS)]
    rows[numbers] = rows[numbers].where(rows["known"] > 0)
    rows[["low", "high"]] = grown(*(rows[edge] for edge in EDGES))
    rows["shown"] = _shown(rows)
    conditions = [
        (rows["wanted"] == 0) & (rows["opened"] > 0),
        (rows["known"] < rows["wanted"]) & rows["failed"],
        rows["known"] < rows["wanted"],
        rows["base_value"].eq(0).fillna(False),
    ]
    reasons = [str(why) for why in (Why.NEW, Why.FAILED, Why.MISSING, Why.ZERO_BASE)]
    rows["why"] = np.select([np.asarray(one, dtype=bool) for one in conditions], reasons, str(Why.NONE))
    return rows


def _inputs_at(channels: pd.DataFrame, end: str) -> pd.DataFrame:
    known = channels[channels[f"{end}_value"].notna()]
    names = {f"{end}_{name}": name for name in ("at", "source", "value")}
    return inputs_of(known.rename(columns=names).assign(subject=known["channel"], ref=known["channel"]), end)
