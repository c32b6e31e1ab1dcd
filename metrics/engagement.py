"""What stands in for «liên kết và tương tác» until units report it: never the official share, and always labelled."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from metrics.asking import Ask, Facts, Measured, Why
from metrics.growth import audience_growth
from metrics.precision import floats, ratio
from metrics.succession import holders, members_on

PROXY_LABEL = "chỉ số thay thế"


def engagement_proxy(facts: Facts, ask: Ask) -> Measured:
    """Followers ÷ members by unit and platform, or by platform in total: «chỉ số thay thế», not the 75 %.

    Rows also have: unit (by unit), platform, followers_low and _high, members (Int64), interactions (Int64, NA where
    nothing is known), per_follower (Float64), label. One person may follow on several platforms, and followers need
    not be members, so a ratio may pass 1.
    """
    asked = Ask(ask.period, by="channel", units=ask.units, channels=ask.channels, held_on=ask.held_on)
    grown = audience_growth(replace(facts, daily=facts.daily.iloc[:0]), asked)
    channels = _with_interactions(grown.rows, facts.interactions)
    members = members_on(facts.config, min(facts.today, ask.period.last))
    held = holders(facts.config, ask.held_on or facts.today).set_index("channel")["unit"]
    inputs = grown.inputs[grown.inputs["role"] == "now"]
    subjects = inputs["ref"].map(held) if ask.by == "unit" else ""
    return Measured(_ratios(_summed(channels, members, ask), ask), inputs.assign(subject=subjects))


def _with_interactions(channels: pd.DataFrame, interactions: pd.DataFrame) -> pd.DataFrame:
    rows = channels.merge(interactions[["channel", "interactions"]], on="channel", how="left")
    current = ~rows["why"].isin([str(why) for why in (Why.FAILED, Why.STALE, Why.HIDDEN)]) & rows["now_value"].notna()
    return rows.assign(current=current, interactions=rows["interactions"].astype("Int64"))


def _summed(channels: pd.DataFrame, members: pd.Series[Any], ask: Ask) -> pd.DataFrame:
    keys = ["unit", "platform"] if ask.by == "unit" else ["platform"]
    now = {name: channels[f"now_{name}"].where(channels["current"], 0) for name in ("low", "high")}
    parts = channels.assign(followers_low=now["low"], followers_high=now["high"], one=1, size=0)
    grouped = parts.groupby(keys, sort=True)
    numbers = dict.fromkeys(("followers_low", "followers_high"), "sum")
    rows = grouped.agg({**numbers, "current": "sum", "one": "sum", "failed": "any"}).reset_index()
    rows["interactions"] = grouped["interactions"].sum(min_count=1).to_numpy()
    rows["members"] = _members(rows, channels, members, ask)
    named = {"current": "known", "one": "wanted"}
    return rows.rename(columns=named).astype({"known": "Int64", "wanted": "Int64", "interactions": "Int64"})


def _members(rows: pd.DataFrame, channels: pd.DataFrame, members: pd.Series[Any], ask: Ask) -> pd.Series[Any]:
    """The members behind each row; NA where one of its units never told them."""
    if ask.by == "unit":
        return rows["unit"].map(members).astype("Int64")
    pairs = channels[["platform", "unit"]].drop_duplicates()
    sizes = pairs.assign(size=pairs["unit"].map(members).astype("Int64")).groupby("platform")["size"]
    whole = sizes.sum().where(sizes.count() == sizes.size())
    return rows["platform"].map(whole).astype("Int64")


def _ratios(rows: pd.DataFrame, ask: Ask) -> pd.DataFrame:
    members = floats(rows["members"])
    low, high = (floats(rows[name]) for name in ("followers_low", "followers_high"))
    whole = (rows["known"] == rows["wanted"]).to_numpy(dtype=bool)
    rows["low"] = ratio(low, members)
    rows["high"] = pd.Series(ratio(high, members)).where(whole)
    rows["shown"] = rows["low"]
    rows["per_follower"] = ratio(floats(rows["interactions"]), np.where(whole, low, np.nan))
    untold = rows["members"].isna() | rows["members"].eq(0).fillna(False)
    conditions = [np.asarray(untold, dtype=bool), ~whole & rows["failed"].to_numpy(dtype=bool), ~whole]
    reasons = [str(why) for why in (Why.NO_MEMBERS, Why.FAILED, Why.MISSING)]
    why = np.select(conditions, reasons, str(Why.NONE))
    return rows.assign(subject=rows["unit"] if ask.by == "unit" else "", label=PROXY_LABEL, why=why)
