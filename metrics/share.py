"""Shares and head counts that units report: the sum of those that did, and the bounds for all of them.

A unit that did not report is shown as missing; it is neither 0 nor left out of the whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from config.models import Unit
from metrics.asking import INPUT_COLUMNS, Ask, Facts, Measured, Why
from metrics.cadence import units_due
from metrics.periods import Period
from metrics.precision import floats, ratio
from metrics.succession import members_on

FIGURE_KEYS = ["unit", "measure", "period_start", "period_end"]


def reported_share(facts: Facts, ask: Ask) -> Measured:
    """Numerator ÷ denominator by unit, and in total with the bounds that the missing units leave open.

    Rows also have: unit (by unit), numerator, denominator, missing (units, Int64), early (bool: the period still runs).
    The worst case of a unit that did not report is none of its people, the best all of them: as many as it last told
    for this measure, or its members where the share is one of members. Of one that told neither nothing is known, and
    so the whole has no bounds.
    """
    told = _told(facts, ask, ask.period)
    rows = _units(facts, ask).merge(told, on="unit", how="left")
    rows["size"] = _sizes(facts, ask, rows["unit"])
    shares = _shares(rows) if ask.by == "unit" else _whole_share(rows)
    return Measured(shares.assign(early=_is_early(facts, ask)), _inputs(told, ask))


def reported_growth(facts: Facts, ask: Ask) -> Measured:
    """Head counts of a period against those of `baseline_period`: by unit, and in total of those that told both.

    Rows also have: unit (by unit), base_value, now_value, missing (Int64), early (bool: the period still runs). With a
    unit missing nothing is known of the whole, and `shown` is that of the others.
    """
    first, last = (_told(facts, ask, period) for period in (_baseline(ask), ask.period))
    rows = _units(facts, ask)
    for name, told in (("base_value", first), ("now_value", last)):
        rows = rows.merge(told[["unit", "value"]].rename(columns={"value": name}), on="unit", how="left")
    rows = rows.astype({"base_value": "Int64", "now_value": "Int64"})
    rows["told"] = rows["base_value"].notna() & rows["now_value"].notna()
    rows = rows if ask.by == "unit" else _summed(rows)
    grown = _grown(rows).assign(early=_is_early(facts, ask))
    if ask.by == "unit":
        grown["why"] = _without_base(rows, facts.config.units).fillna(grown["why"])
    return Measured(grown, pd.concat([_inputs(first, ask, "base"), _inputs(last, ask)], ignore_index=True))


def reported_count(facts: Facts, ask: Ask) -> Measured:
    """A plain number of a period by unit, or the sum of those told: sessions, products, groups. `low` and `high` are
    numbers here, not ratios; with a unit missing the whole has no upper bound. Rows also have: unit, value, missing.
    """
    told = _told(facts, ask, ask.period)
    rows = _units(facts, ask).merge(told[["unit", "value"]], on="unit", how="left").astype({"value": "Int64"})
    rows["told"] = rows["value"].notna()
    if ask.by == "total":
        known = int(rows["told"].sum())
        sums = pd.DataFrame({"value": [rows["value"].sum()], "told": known > 0})
        rows = sums.astype({"value": "Int64"}).assign(known=_one(known), wanted=_one(len(rows)))
    else:
        rows = rows.assign(known=rows["told"].astype("Int64"), wanted=pd.array([1] * len(rows), "Int64"))
    value = rows["value"].astype("Float64").where(rows["told"])
    high = value.where((rows["known"] == rows["wanted"]).astype(bool))
    why = np.where(rows["told"], str(Why.NONE), str(Why.NOT_REPORTED))
    named = rows.assign(subject=rows.get("unit", ""), low=value, high=high, shown=value, why=why).drop(columns="told")
    return Measured(_counted(named, rows["known"], rows["wanted"]), _inputs(told, ask))


def newest(figures: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    """Of every unit, measure and period the version that counted at a moment: the last turn given by then."""
    known = figures.loc[pd.to_datetime(figures["at"], utc=True) <= as_of]
    return known.sort_values([*FIGURE_KEYS, "turn"]).drop_duplicates(FIGURE_KEYS, keep="last")


def _is_early(facts: Facts, ask: Ask) -> bool:
    return facts.today < ask.period.end


def _sizes(facts: Facts, ask: Ask, units: pd.Series[Any]) -> pd.Series[Any]:
    """How many people each unit last told for the measure, Int64; else its members, where they are what is asked."""
    ended = pd.to_datetime(facts.figures["period_end"]) <= pd.Timestamp(ask.period.end)
    told = newest(facts.figures[(facts.figures["measure"] == ask.measure) & ended], facts.as_of)
    last = told.dropna(subset=["denominator"]).sort_values(["period_end", "period_start"]).groupby("unit")
    sizes = units.map(last["denominator"].last()).astype("Int64")
    if not ask.of_members:
        return sizes
    return sizes.fillna(units.map(members_on(facts.config, min(facts.today, ask.period.last))).astype("Int64"))


def _told(facts: Facts, ask: Ask, period: Period) -> pd.DataFrame:
    figures = facts.figures[facts.figures["measure"] == ask.measure]
    if figures.empty:
        return pd.DataFrame(columns=[*FIGURE_KEYS, "value", "numerator", "denominator", "at", "source_note"])
    starts, ends = (pd.to_datetime(figures[name]) for name in ("period_start", "period_end"))
    same = (starts == pd.Timestamp(period.start)) & (ends == pd.Timestamp(period.end))
    return newest(figures[same], facts.as_of)


def _baseline(ask: Ask) -> Period:
    if ask.baseline_period is None:
        raise ValueError("a growth of head counts needs the period of the first figure")
    return ask.baseline_period


def _units(facts: Facts, ask: Ask) -> pd.DataFrame:
    """The units in force in the period that have to report."""
    units = units_due(facts.config, ask.period)[["unit"]]
    return units if ask.units is None else units[units["unit"].isin(list(ask.units))].reset_index(drop=True)


def _shares(rows: pd.DataFrame) -> pd.DataFrame:
    told = rows["numerator"].notna() & rows["denominator"].notna()
    share = ratio(floats(rows["numerator"]), floats(rows["denominator"]))
    answer = rows[["unit"]].assign(
        subject=rows["unit"], numerator=rows["numerator"].astype("Int64"), denominator=rows["denominator"]
    )
    answer = answer.astype({"denominator": "Int64"}).assign(low=share, high=share, shown=share)
    nobody = told & rows["denominator"].eq(0).fillna(False).astype(bool)
    conditions = [np.asarray(one, dtype=bool) for one in (~told, nobody)]
    answer["why"] = np.select(conditions, [str(Why.NOT_REPORTED), str(Why.NO_MEMBERS)], str(Why.NONE))
    return _counted(answer, told.astype("Int64"), pd.Series(1, index=rows.index, dtype="Int64"))


def _whole_share(rows: pd.DataFrame) -> pd.DataFrame:
    told = rows["numerator"].notna() & rows["denominator"].notna()
    part, whole = (int(rows.loc[told, name].sum()) for name in ("numerator", "denominator"))
    unknown = rows.loc[~told, "size"]
    most = float("nan") if unknown.isna().any() else whole + int(unknown.sum())
    low, high, shown = ratio(np.array([part, part + most - whole, part]), np.array([most, most, whole]))
    answer = pd.DataFrame({"subject": "", "numerator": part, "denominator": whole}, index=[0])
    answer = answer.astype({"numerator": "Int64", "denominator": "Int64"})
    for name, value in (("low", low), ("high", high), ("shown", shown)):
        answer[name] = pd.array([value], dtype="Float64")
    answer["why"] = str(Why.NONE if whole else Why.NO_MEMBERS if told.any() else Why.NOT_REPORTED)
    return _counted(answer, _one(int(told.sum())), _one(len(rows)))


def _without_base(rows: pd.DataFrame, units: Mapping[str, Unit]) -> pd.Series[Any]:
    """Why there is no growth where only the first figure is missing; NA where it is not that."""
    lacking = rows["now_value"].notna() & rows["base_value"].isna()
    merged = rows["unit"].isin({heir for one in units.values() for heir in one.successors})
    reasons = pd.Series(str(Why.NO_BASE), index=rows.index).mask(merged, str(Why.BEFORE_MERGER))
    return reasons.where(lacking)


def _summed(rows: pd.DataFrame) -> pd.DataFrame:
    """One row with the sums of the units that told both figures."""
    told = rows[rows["told"]]
    sums = {name: [int(told[name].sum())] for name in ("base_value", "now_value")}
    row = pd.DataFrame(sums, dtype="Int64").assign(known=_one(len(told)), wanted=_one(len(rows)))
    return row.assign(told=len(told) > 0)


def _grown(rows: pd.DataFrame) -> pd.DataFrame:
    base, now = floats(rows["base_value"]), floats(rows["now_value"])
    if "unit" in rows:
        rows = rows.assign(known=rows["told"].astype("Int64"), wanted=pd.array([1] * len(rows), "Int64"))
    share = pd.Series(ratio(now - base, base), index=rows.index)
    whole = share.where((rows["known"] == rows["wanted"]).astype(bool))
    conditions = [~rows["told"], rows["known"] < rows["wanted"], rows["base_value"].eq(0).fillna(False)]
    reasons = [str(why) for why in (Why.NOT_REPORTED, Why.MISSING, Why.ZERO_BASE)]
    why = np.select([np.asarray(one, dtype=bool) for one in conditions], reasons, str(Why.NONE))
    named = rows.assign(subject=rows.get("unit", ""), low=whole, high=whole, shown=share, why=why)
    return _counted(named.drop(columns="told"), rows["known"], rows["wanted"])


def _counted(rows: pd.DataFrame, known: pd.Series[Any], wanted: pd.Series[Any]) -> pd.DataFrame:
    return rows.assign(known=known, wanted=wanted, missing=wanted - known, failed=False)


def _one(number: int) -> pd.Series[Any]:
    return pd.Series([number], dtype="Int64")


def _inputs(told: pd.DataFrame, ask: Ask, role: str = "") -> pd.DataFrame:
    """One row for every number handed in; its role is which one it is."""
    names = ("value", "numerator", "denominator")
    parts = [told[["unit", "at", "source_note"]].assign(value=told[name], role=role or name) for name in names]
    long = pd.concat(parts, ignore_index=True).dropna(subset=["value"])
    named = long.rename(columns={"source_note": "source", "unit": "ref"})
    return named.assign(subject=named["ref"] if ask.by == "unit" else "")[list(INPUT_COLUMNS)]
