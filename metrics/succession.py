"""Whose a channel or a figure is, on a day: units open, close, merge and split, and channels change hands.

A view «đơn vị mới» credits the past to those who hold it now, a view «đơn vị cũ» the present to those who held it
then. Only wholes move: what would have to be divided among several stays where it was, and is marked.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pandas as pd

from config.models import Config, Unit

HELD = ("channel", "platform", "unit", "since")
SUMMED = ("value", "numerator", "denominator")


def holders(config: Config, day: date) -> pd.DataFrame:
    """The watched channels that somebody holds on a day: channel, platform, unit; since (first day of any owner)."""
    rows = [
        (channel.slug, channel.platform, unit, min(owner.start for owner in channel.owners))
        for channel in config.watched()
        if (unit := channel.owner_on(day)) is not None
    ]
    return pd.DataFrame(rows, columns=list(HELD)).astype({"since": "datetime64[s]"})


def members_on(config: Config, day: date) -> pd.Series[Any]:
    """How many members each unit in force has reported by a day: Int64 by unit; NA where it never said."""
    units = [unit for unit in config.units.values() if unit.is_valid_on(day)]
    counts = [_last_count(unit, day) for unit in units]
    return pd.Series(counts, index=[unit.slug for unit in units], dtype="Int64")


def _last_count(unit: Unit, day: date) -> int | None:
    told = [members for members in unit.members if members.start <= day]
    return max(told, key=lambda members: members.start).count if told else None


def heirs(units: Mapping[str, Unit], day: date) -> dict[str, tuple[str, ...]]:
    """Who stands for each unit on a day: itself while in force, else its successors, and theirs.

    Several: it was split. None: it was not yet there, or ended without a successor.
    """
    return {slug: tuple(sorted(_heirs(slug, units, day, frozenset()))) for slug in units}


def _heirs(slug: str, units: Mapping[str, Unit], day: date, seen: frozenset[str]) -> set[str]:
    unit = units.get(slug)
    if unit is None or slug in seen or day < unit.start:
        return set()
    if unit.is_valid_on(day):
        return {slug}
    return {heir for one in unit.successors for heir in _heirs(one, units, day, seen | {slug})}


def as_new_units(figures: pd.DataFrame, units: Mapping[str, Unit], day: date) -> pd.DataFrame:
    """Figures of old units under the units in force on a day, added up where units merged.

    A unit with several heirs, or none, keeps its name: `undivided` is True there. `parts` (Int64) tells how many
    rows were added up; a sum with a missing part is missing.
    """
    found = heirs(units, day)
    single = {slug: names[0] for slug, names in found.items() if len(names) == 1}
    return _moved(figures, single)


def as_old_units(figures: pd.DataFrame, units: Mapping[str, Unit], day: date) -> pd.DataFrame:
    """Figures of new units under the units in force on an earlier day, where exactly one became the new one.

    What several old units became cannot be divided: it keeps the new name and is marked `undivided`.
    """
    forebears: dict[str, list[str]] = {}
    for slug, unit in units.items():
        if unit.is_valid_on(day):
            for name in _whole_line(slug, units):
                forebears.setdefault(name, []).append(slug)
    return _moved(figures, {name: old[0] for name, old in forebears.items() if len(old) == 1})


def _whole_line(slug: str, units: Mapping[str, Unit]) -> list[str]:
    """A unit and those that followed it, each as the only successor of the one before."""
    line = [slug]
    while len(followers := units[line[-1]].successors) == 1 and followers[0] in units and followers[0] not in line:
        line.append(followers[0])
    return line


def _moved(figures: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """The figures under their new names, added up; those without a new name as they are."""
    moved = figures.assign(unit=figures["unit"].map(names).fillna(figures["unit"]).astype(str))
    moved["undivided"] = ~figures["unit"].isin(names)
    keys = [name for name in ("unit", "measure", "period_start", "period_end", "undivided") if name in moved]
    sums = [name for name in SUMMED if name in moved]
    grouped = moved.astype(dict.fromkeys(sums, "Int64")).groupby(keys, sort=True, dropna=False)
    parts = grouped.size()
    whole = grouped[sums].count().eq(parts, axis=0)
    return grouped[sums].sum().where(whole).assign(parts=parts.astype("Int64")).reset_index()
