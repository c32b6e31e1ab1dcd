"""Is every site up and every official channel alive: judged from looks and posts, and never from our own failures."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd

from metrics.asking import Ask, Facts, Measured, Why, inputs_of
from metrics.cadence import units_due
from metrics.coverage import covered_days
from metrics.periods import Period, day_edges, local_day, midnight
from metrics.precision import floats, ratio
from metrics.rhythm import in_total
from metrics.succession import holders

ALIVE, IDLE, BLIND = "alive", "idle", "blind"
LAG_DAYS = 1
"""Yesterday is wholly seen only after today's look: until it comes, the window of a channel ends so much earlier."""


def site_presence(facts: Facts, ask: Ask) -> Measured:
    """Whether each website answers and had a post within the window; in total the share of sites that do.

    The window of a channel ends with the last day that complete looks prove, at most LAG_DAYS before yesterday.

    Rows by channel also have: unit, state (alive, idle, blind: nothing can be said), looks and answered (Int64, in
    the window), reachable (Float64), last_post_at, last_post_day, idle_days, posts (Int64, in the window), trouble
    (kind of the last failure). A failed look does not say whose fault it is: a site that never answers is `failed`.
    """
    sites = _channels(facts, ask, holders(facts.config, facts.today), sites=True)
    return Measured(_by_channel(sites) if ask.by == "channel" else in_total(_by_channel(sites)), _inputs(sites, ask))


def channel_presence(facts: Facts, ask: Ask) -> Measured:
    """Whether each unit has an official channel with a post within the window; in total the share of units.

    Rows by unit also have: unit, channels, alive, blind (Int64: how many), last_post_at, last_post_day.
    """
    channels = _channels(facts, ask, holders(facts.config, facts.today), sites=False)
    if ask.by == "channel":
        return Measured(_by_channel(channels), _inputs(channels, ask))
    day = Period(facts.today, facts.today + timedelta(days=1), facts.config.district.tz)
    units = units_due(facts.config, day)[["unit"]]
    if ask.units is not None:
        units = units[units["unit"].isin(list(ask.units))]
    rows = _by_unit(units, channels)
    return Measured(rows if ask.by == "unit" else in_total(rows), _inputs(channels, ask))


def _channels(facts: Facts, ask: Ask, held: pd.DataFrame, *, sites: bool) -> pd.DataFrame:
    """Every channel in scope with what its looks and posts in the window say."""
    if sites:
        held = held[held["platform"] == "website"]
    for name, wanted in (("channel", ask.channels), ("unit", ask.units)):
        if wanted is not None:
            held = held[held[name].isin(list(wanted))]
    since = facts.today - timedelta(days=ask.within_days + LAG_DAYS)
    days = Period(since, facts.today, facts.config.district.tz)
    own = replace(facts, looks=_of(held, facts.looks), posts=_of(held, facts.posts))
    proved = _proved(own, days)
    rows = held.merge(_looks(own, days), on="channel", how="left")
    rows = rows.merge(proved.drop(columns="lag"), on="channel", how="left")
    rows = rows.merge(_posts(own, days, proved), on="channel", how="left")
    counts = ["looks", "answered", "posts", "seen_days"]
    rows[counts] = rows[counts].fillna(0).astype("Int64")
    rows["reachable"] = ratio(floats(rows["answered"]), floats(rows["looks"]))
    rows["last_failed"] = rows["last_failed"].eq(True)
    rows["idle_days"] = (pd.Timestamp(facts.as_of) - rows["last_post_at"]).dt.days.astype("Int64")
    rows["last_post_day"] = local_day(rows["last_post_at"], facts.config.district.tz)
    rows["state"] = _state(rows, ask.within_days)
    return rows


def _of(held: pd.DataFrame, seen: pd.DataFrame) -> pd.DataFrame:
    return seen[seen["channel"].isin(held["channel"])]


def _state(rows: pd.DataFrame, days: int) -> Any:
    """A post proves life; only looks that cover the whole window prove that there was none."""
    alive = rows["posts"].gt(0) & ~((rows["platform"] == "website") & rows["last_failed"])
    idle = rows["posts"].eq(0) & rows["seen_days"].ge(days)
    return np.select([np.asarray(alive, dtype=bool), np.asarray(idle, dtype=bool)], [ALIVE, IDLE], BLIND)


def _known(facts: Facts) -> pd.DataFrame:
    """The looks that began by now."""
    started = pd.to_datetime(facts.looks["started_at"], utc=True)
    return facts.looks[started.le(facts.as_of)].assign(started=started)


def _proved(facts: Facts, days: Period) -> pd.DataFrame:
    """Per channel: seen_days (proved whole days up to the last one), lag (days that one is earlier than usual).

    Only channels that are proved up to yesterday, or the day before: an older proof says nothing of today.
    """
    edges = day_edges(days)
    seen = covered_days(_known(facts), edges).sort_values("end").drop_duplicates("channel", keep="last")
    lag = len(edges) - 1 - seen["end"]
    rows = pd.DataFrame({"channel": seen["channel"], "seen_days": seen["end"] - seen["first"], "lag": lag})
    return rows[rows["lag"] <= LAG_DAYS]


def _looks(facts: Facts, days: Period) -> pd.DataFrame:
    """Per channel: looks, answered, last_failed, trouble, last_look_at."""
    known = _known(facts)
    since = days.start + timedelta(days=LAG_DAYS)
    recent = known[known["started"].ge(midnight(since, days.zone))].sort_values("started")
    failed = recent["state"] == "failed"
    facts_of = recent.assign(failed=failed, trouble=recent["outcome"].where(failed))
    grouped = facts_of.groupby(facts_of["channel"].astype(str))
    rows = grouped.agg(looks=("failed", "size"), bad=("failed", "sum"), last_failed=("failed", "last"))
    rows["trouble"] = grouped["trouble"].last()
    rows["last_look_at"] = grouped["started"].last()
    rows = rows.rename_axis("channel").reset_index()
    return rows.assign(answered=rows["looks"] - rows["bad"]).drop(columns="bad")


def _posts(facts: Facts, days: Period, proved: pd.DataFrame) -> pd.DataFrame:
    """Per channel: posts in its window and since, and the moment of the last post known."""
    posts = facts.posts
    published, seen = (pd.to_datetime(posts[name], utc=True) for name in ("published_at", "first_seen_at"))
    own = posts[published.le(facts.as_of) & seen.le(facts.as_of) & ~posts["is_share"].astype(bool)]
    dated = own.assign(published=published)
    lag = dated["channel"].astype(str).map(proved.set_index("channel")["lag"]).fillna(0).astype("int64")
    starts = pd.to_datetime(day_edges(days), unit="s", utc=True)[(LAG_DAYS - lag).to_numpy()]
    grouped = dated.assign(recent=dated["published"] >= starts).groupby(dated["channel"].astype(str))
    rows = grouped.agg(posts=("recent", "sum"), last_post_at=("published", "max"))
    return rows.rename_axis("channel").reset_index()


def _by_channel(channels: pd.DataFrame) -> pd.DataFrame:
    state = channels["state"]
    sure = state != BLIND
    rows = channels.assign(
        subject=channels["channel"],
        low=_share(state == ALIVE),
        high=_share(state != IDLE),
        shown=_share(state == ALIVE).where(sure),
        known=sure.astype("Int64"),
        wanted=pd.array([1] * len(channels), "Int64"),
        failed=(channels["last_failed"] & ~sure).astype(bool),
    )
    return rows.assign(why=np.where(sure, str(Why.NONE), np.where(rows["failed"], str(Why.FAILED), str(Why.MISSING))))


def _share(yes: pd.Series[Any]) -> pd.Series[Any]:
    return yes.astype("Float64")


def _by_unit(units: pd.DataFrame, channels: pd.DataFrame) -> pd.DataFrame:
    flags = channels.assign(
        alive=channels["state"] == ALIVE,
        blind=channels["state"] == BLIND,
        lost=(channels["state"] == BLIND) & channels["last_failed"],
    )
    grouped = flags.groupby("unit").agg(
        channels=("channel", "size"),
        alive=("alive", "sum"),
        blind=("blind", "sum"),
        lost=("lost", "any"),
        last_post_at=("last_post_at", "max"),
        last_post_day=("last_post_day", "max"),
    )
    rows = units.merge(grouped.reset_index(), on="unit", how="left")
    counts = ["channels", "alive", "blind"]
    rows[counts] = rows[counts].fillna(0).astype("Int64")
    sure = (rows["alive"] > 0) | ((rows["channels"] > 0) & (rows["blind"] == 0))
    rows = rows.assign(subject=rows["unit"], low=_share(rows["alive"] > 0), high=_share(~sure | (rows["alive"] > 0)))
    rows = rows.assign(shown=rows["low"].where(sure), known=sure.astype("Int64"), wanted=1)
    rows["wanted"] = rows["wanted"].astype("Int64")
    rows["failed"] = (rows.pop("lost").eq(True) & ~sure).astype(bool)
    conditions = [sure, rows["channels"] == 0, rows["failed"]]
    reasons = [str(why) for why in (Why.NONE, Why.NO_CHANNEL, Why.FAILED)]
    why = np.select([np.asarray(one, dtype=bool) for one in conditions], reasons, str(Why.MISSING))
    return rows.assign(why=why)


def _inputs(channels: pd.DataFrame, ask: Ask) -> pd.DataFrame:
    """The last look and the last post of every channel."""
    subject = {"channel": channels["channel"], "unit": channels["unit"]}.get(ask.by, "")
    base = channels.assign(subject=subject, ref=channels["channel"], source=channels["platform"])
    looks = inputs_of(base.assign(at=base["last_look_at"], value=base["looks"]), "look")
    posts = inputs_of(base.assign(at=base["last_post_at"], value=base["posts"]), "post")
    return pd.concat([looks, posts], ignore_index=True).dropna(subset=["at"])
