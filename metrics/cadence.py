"""Did each unit publish what the motto asks for: one labelled item a day, one a week (plan, II-CT.2).

Three levels stand side by side: `any_post`, `labelled`, and `confirmed` by a person. A post counts on its
local publishing day for the unit that its channel spoke for on that day; a shared post is no own item. Only
what was known at `as_of` counts, so that an old answer can be asked for again.

A unit is never said to have missed a day that was not looked at: that takes complete successful looks which
together cover the whole local day on every channel the unit owned. Everything else is unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from config.models import Config, Label
from metrics.calendar import rest_days
from metrics.coverage import covered_days, failed_days
from metrics.periods import Period, day_edges, local_day
from store.records import Confidence, Evidence

NO_CHANNEL = "chưa khai báo kênh"
Bools = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.int64]


class State(StrEnum):
    """How one unit stands in one slot. The order is that of the codes in the frames."""

    MET = "met"
    MISSED = "missed"
    UNKNOWN = "unknown"
    PENDING = "pending"
    RESTING = "resting"


STATES = pd.Index([state.value for state in State])
MET, MISSED, UNKNOWN, PENDING, RESTING = range(len(STATES))
KEY = 1_000_000
"""Joins two counts into one number."""


@dataclass(frozen=True)
class Known:
    """What the store knows of a period and its whole weeks, as its verbs posts, labels and looks give it."""

    posts: pd.DataFrame
    """id, channel, published_at, date_confidence, is_share, first_seen_at, gone_at."""
    labels: pd.DataFrame
    """post_id, label, evidence, at, upheld."""
    looks: pd.DataFrame
    """channel, state, complete, coverage_from, started_at."""

    def as_of(self, moment: datetime) -> Known:
        """Without what was published, seen, looked at or said by a person after a moment."""
        posts, labels, looks = self.posts, self.labels, self.looks
        shown = _times(posts, "published_at").le(moment) & _times(posts, "first_seen_at").le(moment)
        said = _times(labels, "at").le(moment) | labels["evidence"].ne(Evidence.PERSON.value)
        return Known(posts[shown], labels[said], looks[_times(looks, "started_at").le(moment)])


def cadence(config: Config, period: Period, known: Known, as_of: datetime) -> pd.DataFrame:
    """One row for each grassroots unit, label and slot: a day, or an ISO week that belongs to the period.

    Columns: unit, label, every, slot (its first day), due (False: the unit rests), the states any_post,
    labelled and confirmed, reason (Vietnamese: why the unit rests, or why nothing can be said), failed (nothing
    can be said, and a look that would have told failed), own_posts (how many, labelled or not), posts (ids of
    the labelled ones), sure (False: only a guessed date makes it count), gone (a counted post was deleted since).
    A period without a Thursday has no week.
    """
    grid = Grid(config, period.with_whole_weeks(), known.as_of(as_of), as_of)
    frames = [_cells(grid, period, slug, label) for slug, label in config.district.labels.items()]
    return pd.concat(frames, ignore_index=True)


def units_due(config: Config, period: Period) -> pd.DataFrame:
    """The grassroots units in force in a period: row, unit, kind; first, end as half-open day numbers."""
    rows = [
        (unit.slug, unit.kind, *_numbers(unit.start, unit.until, period))
        for unit in config.units.values()
        if config.district.kinds[unit.kind].grassroots
    ]
    frame = pd.DataFrame(rows, columns=["unit", "kind", "first", "end"])
    return frame[frame["first"] < frame["end"]].reset_index(drop=True).reset_index(names="row")


def owners(config: Config, period: Period) -> pd.DataFrame:
    """Which unit each watched channel speaks for: channel, unit; first, end as half-open day numbers."""
    rows = [
        (channel.slug, owner.unit, *_numbers(owner.start, owner.until, period))
        for channel in config.watched()
        for owner in channel.owners
    ]
    frame = pd.DataFrame(rows, columns=["channel", "unit", "first", "end"])
    return frame[frame["first"] < frame["end"]].reset_index(drop=True)


def carried(labels: pd.DataFrame, slug: str) -> pd.DataFrame:
    """The posts that carry a label: id, confirmed. A person's newest word stands above every rule."""
    rows = labels[labels["label"] == slug]
    person = rows["evidence"] == Evidence.PERSON.value
    ordered = rows.assign(person=person, at=_times(rows, "at")).sort_values(["person", "at", "upheld"])
    last = ordered.drop_duplicates("post_id", keep="last")
    kept = last[last["upheld"].astype(bool)]
    return pd.DataFrame({"id": kept["post_id"].astype("int64"), "confirmed": kept["person"]})


class Grid:
    """What is known about every unit on every day of some whole weeks, as arrays of units × days."""

    def __init__(self, config: Config, span: Period, known: Known, as_of: datetime) -> None:
        edges = day_edges(span)
        self.span, self.labels, self.as_of = span, known.labels, as_of
        self.units = units_due(config, span)
        self.shape = len(self.units), len(edges) - 1
        self.valid = self._count(self.units) > 0
        self.over = np.broadcast_to(edges[1:] <= as_of.timestamp(), self.shape)
        self.rest, self.reasons = self._rest(rest_days(config.district, span.start, span.end))
        owned = owners(config, span).merge(self.units[["row", "unit"]], on="unit")
        self.owned = self._count(owned)
        self.read = self._count(_overlaps(owned, covered_days(known.looks, edges)))
        self.failed = self._count(_overlaps(owned, failed_days(known.looks, edges)))
        self.items = self._items(known.posts, owned)

    def _count(self, stretches: pd.DataFrame) -> Counts:
        """How many stretches (row, first, end) lie over each unit and day."""
        steps = np.zeros((self.shape[0], self.shape[1] + 1), dtype=np.int64)
        row, first, end = (stretches[name].to_numpy(dtype=np.int64) for name in ("row", "first", "end"))
        np.add.at(steps, (row, first), 1)
        np.add.at(steps, (row, end), -1)
        return steps.cumsum(axis=1)[:, :-1]

    def _day_numbers(self, days: pd.Series[Any]) -> pd.Series[Any]:
        return (days - pd.Timestamp(self.span.start)).dt.days

    def _rest(self, rest: pd.DataFrame) -> tuple[Counts, list[str]]:
        """For each unit and day the number of the reason to rest, 0 for none; and the reasons."""
        kind_of_unit, kinds = pd.factorize(self.units["kind"])
        kind_numbers = {kind: number for number, kind in enumerate(kinds)}
        rest = rest[rest["kind"].isin(kind_numbers)]
        codes, reasons = pd.factorize(rest["reason"])
        table = np.zeros((len(kinds), self.shape[1]), dtype=np.int64)
        table[rest["kind"].map(kind_numbers), self._day_numbers(rest["day"])] = codes + 1
        return table[kind_of_unit], ["", *reasons]

    def _items(self, posts: pd.DataFrame, owned: pd.DataFrame) -> pd.DataFrame:
        """The units' own posts: id, row, day, sure, gone. A checked owner lies within its unit's time."""
        own = posts[~posts["is_share"].astype(bool)]
        facts = pd.DataFrame(
            {
                "id": own["id"].astype("int64"),
                "channel": own["channel"].astype(str),
                "day": self._day_numbers(local_day(own["published_at"], self.span.zone)),
                "sure": own["date_confidence"] != Confidence.LOW.value,
                "gone": _times(own, "gone_at").le(self.as_of),
            }
        )
        spoken = facts.merge(owned, on="channel")
        spoken = spoken[(spoken["first"] <= spoken["day"]) & (spoken["day"] < spoken["end"])]
        return spoken.astype({"row": "int64", "day": "int64"})


@dataclass(frozen=True)
class Slots:
    """The days or weeks of a period, as stretches of day numbers in a grid."""

    starts: list[date]
    offset: int
    width: int

    @classmethod
    def of(cls, period: Period, every: str, origin: date) -> Slots:
        starts = period.days() if every == "day" else [week.start for week in period.weeks()]
        offset = (starts[0] - origin).days if starts else 0
        return cls(starts, offset, 1 if every == "day" else 7)

    def cut(self, grid: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Units × days as cells × days of a slot; the cells of a unit follow each other."""
        days = grid[:, self.offset : self.offset + len(self.starts) * self.width]
        return days.reshape(-1, self.width)

    def place(self, items: pd.DataFrame) -> pd.DataFrame:
        """The items in these slots, with the number of their cell."""
        slot = (items["day"] - self.offset) // self.width
        inside = slot.between(0, len(self.starts) - 1)
        return items.assign(cell=items["row"] * len(self.starts) + slot)[inside]


FEWEST_WORKING_DAYS = 3
"""A week in which a unit rests owes its item only when it works this many days all the same."""


@dataclass(frozen=True)
class Ground:
    """What holds for every cell (unit × slot) before a single post is looked at."""

    exists: Bools
    due: Bools
    over: Bools
    proved: Bools
    rest: Counts
    """The number of the first reason to rest, 0 for none."""
    read: Counts
    """Channels read through the whole day; for a week, days known on all channels."""
    whole: Counts
    """Channels owned that day; for a week, days that the unit is in force, 0 when it never has a channel."""
    failed: Bools
    """A look at a channel of the unit failed."""

    @classmethod
    def of(cls, grid: Grid, slots: Slots) -> Ground:
        valid, owned, read = slots.cut(grid.valid), slots.cut(grid.owned), slots.cut(grid.read)
        known = valid & (owned > 0) & (read == owned)
        rest = np.where(valid, slots.cut(grid.rest), 0)
        resting = (rest > 0).argmax(axis=1)
        weekly = slots.width > 1
        days = np.where(owned.any(axis=1), valid.sum(axis=1), 0)
        working = (valid & (rest == 0)).sum(axis=1)
        fewest = np.where(weekly & (rest > 0).any(axis=1), FEWEST_WORKING_DAYS, 1)
        return cls(
            exists=np.any(valid, axis=1),
            due=working >= fewest,
            over=(slots.cut(grid.over) | ~valid).all(axis=1),
            proved=(known | ~valid).all(axis=1),
            rest=rest[np.arange(len(rest)), resting],
            read=known.sum(axis=1) if weekly else read[:, 0],
            whole=days if weekly else owned[:, 0],
            failed=((slots.cut(grid.failed) > 0) & valid & ~known).any(axis=1),
        )

    def judge(self, items: pd.DataFrame) -> Counts:
        """The state of every cell, given the items that count."""
        found = np.bincount(items["cell"], minlength=len(self.exists)) > 0
        chosen = np.select([~self.due, found, ~self.over, self.proved], [RESTING, MET, PENDING, MISSED], UNKNOWN)
        return chosen.astype(np.int64)


def _cells(grid: Grid, period: Period, slug: str, label: Label) -> pd.DataFrame:
    """The rows of `cadence` for one label."""
    slots = Slots.of(period, label.every, grid.span.start)
    items = slots.place(grid.items).merge(carried(grid.labels, slug), on="id", how="left")
    items["labelled"] = items["confirmed"].notna()
    ground = Ground.of(grid, slots)
    any_post, labelled = ground.judge(items), ground.judge(items[items["labelled"]])
    confirmed = ground.judge(items[items["confirmed"].eq(True)])
    confirmed = np.where((labelled == MET) & (confirmed != MET), PENDING, confirmed)
    frame = pd.DataFrame(
        {
            "unit": np.repeat(grid.units["unit"].to_numpy(), len(slots.starts)),
            "label": slug,
            "every": label.every,
            "slot": np.tile(np.array(slots.starts, dtype="datetime64[s]"), len(grid.units)),
            "due": ground.due,
            "any_post": pd.Categorical.from_codes(any_post, categories=STATES),
            "labelled": pd.Categorical.from_codes(labelled, categories=STATES),
            "confirmed": pd.Categorical.from_codes(confirmed, categories=STATES),
            "reason": _reasons(ground, labelled, grid.reasons, label.every),
            "failed": (labelled == UNKNOWN) & ground.failed,
            **_contents(items, len(ground.exists)),
        }
    )
    return frame[ground.exists]


def _reasons(ground: Ground, states: Counts, reasons: Sequence[str], every: str) -> pd.Categorical:
    """Why a unit rests, or why nothing can be said; empty for every other state."""
    unknown = 1 + ground.whole * KEY + ground.read
    keys = np.select([states == RESTING, states == UNKNOWN], [-ground.rest, unknown], 0)
    codes, kinds = pd.factorize(keys)
    texts = [_why_unknown(key - 1, every) if key > 0 else reasons[-key] for key in kinds.tolist()]
    return pd.Categorical(np.array(texts, dtype=object)[codes])


def _why_unknown(key: int, every: str) -> str:
    whole, read = divmod(key, KEY)
    if whole == 0:
        return NO_CHANNEL
    if every == "week":
        return f"mới xác minh {read}/{whole} ngày"
    return f"mới đọc trọn {read}/{whole} kênh" if read else "chưa đọc trọn ngày này"


def _contents(items: pd.DataFrame, cells: int) -> dict[str, Any]:
    """What lies in every cell: own_posts, posts, sure, gone. Labelled items count before the others."""

    def has(which: pd.Series[Any]) -> Bools:
        return np.bincount(counted["cell"][which], minlength=cells) > 0

    labelled = items[items["labelled"]].sort_values(["cell", "id"])
    ids, edges = labelled["id"].tolist(), np.searchsorted(labelled["cell"], np.arange(cells + 1))
    bare = np.diff(edges) == 0
    counted = items[items["labelled"] | bare[items["cell"]]]
    return {
        "own_posts": np.bincount(items["cell"], minlength=cells),
        "posts": pd.Series([tuple(ids[first:end]) for first, end in pairwise(edges.tolist())], dtype=object),
        "sure": has(counted["sure"]) | ~has(counted["cell"].notna()),
        "gone": has(counted["gone"]),
    }


def _overlaps(owned: pd.DataFrame, read: pd.DataFrame) -> pd.DataFrame:
    """The stretches of days on which a channel was both owned and read: row, first, end."""
    both = owned.merge(read, on="channel", suffixes=("", "_read"))
    both["first"] = both[["first", "first_read"]].max(axis=1)
    both["end"] = both[["end", "end_read"]].min(axis=1)
    return both.loc[both["first"] < both["end"], ["row", "first", "end"]]


def _numbers(start: date, until: date | None, period: Period) -> tuple[int, int]:
    """A stretch of days as day numbers in a period, cut to it."""
    length = (period.end - period.start).days
    end = length if until is None else (until - period.start).days
    return max(0, (start - period.start).days), min(length, end)


def _times(frame: pd.DataFrame, column: str) -> pd.Series[Any]:
    return pd.to_datetime(frame[column], utc=True)
