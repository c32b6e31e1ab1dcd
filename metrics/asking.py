"""What an indicator is asked, what it may look at, and the one shape in which every indicator answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Literal

import pandas as pd

from config.models import Config
from metrics.periods import Period, local_date

By = Literal["channel", "unit", "total"]
Level = Literal["any_post", "labelled", "confirmed"]
INPUT_COLUMNS = ("subject", "role", "ref", "at", "source", "value")


class Why(StrEnum):
    """Why the bounds of an answer decide nothing, worst first where several hold; NONE: they do decide."""

    NONE = ""
    NO_CHANNEL = "no_channel"
    FAILED = "failed"
    HIDDEN = "hidden"
    STALE = "stale"
    NEW = "new"
    NO_BASE = "no_base"
    ONE_POINT = "one_point"
    ZERO_BASE = "zero_base"
    BREAK = "break"
    LATE_BASE = "late_base"
    BEFORE_MERGER = "before_merger"
    MISSING = "missing"
    NOT_REPORTED = "not_reported"
    NO_MEMBERS = "no_members"
    RESTING = "resting"
    PENDING = "pending"


MOMENT = "datetime64[s, UTC]"
_SNAPSHOTS = {
    "channel": "str",
    "observed_at": MOMENT,
    **dict.fromkeys(("followers", "likes", "posts", "views"), "Int64"),
    **dict.fromkeys(("precision", "source"), "str"),
}
_CELLS = {"unit": "str", "label": "str", "every": "str", "slot": "datetime64[s]", "due": "bool", "failed": "bool"}
_LOOKS = {"channel": "str", "state": "str", "complete": "boolean", "coverage_from": MOMENT, "started_at": MOMENT}
_POSTS = {"id": "int64", "channel": "str", "published_at": MOMENT, "is_share": "bool", "first_seen_at": MOMENT}
_FIGURES = {"unit": "str", "measure": "str", "period_start": "object", "period_end": "object", "at": MOMENT}
_NUMBERS = dict.fromkeys(("value", "numerator", "denominator"), "Int64")


def nothing(**columns: str) -> pd.DataFrame:
    """A frame without rows."""
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in columns.items()})


def _no_cells() -> pd.DataFrame:
    return nothing(**_CELLS, **dict.fromkeys(("any_post", "labelled", "confirmed", "reason", "posts"), "object"))


@dataclass(frozen=True)
class Facts:
    """All that may be looked at. Frames are what the store's verbs give; each indicator reads only its own."""

    config: Config
    as_of: datetime
    points: pd.DataFrame = field(default_factory=lambda: nothing(**_SNAPSHOTS))
    """Store.series or Store.value_at rows around the baseline and the end; later ones than `as_of` do no harm."""
    daily: pd.DataFrame = field(default_factory=lambda: nothing(**_SNAPSHOTS))
    """Store.series rows of the last 90 days, for the forecast; without them there is none."""
    cells: pd.DataFrame = field(default_factory=_no_cells)
    """metrics.cadence.cadence of the period at the same `as_of`."""
    looks: pd.DataFrame = field(default_factory=lambda: nothing(**_LOOKS, outcome="str"))
    posts: pd.DataFrame = field(default_factory=lambda: nothing(**_POSTS))
    figures: pd.DataFrame = field(
        default_factory=lambda: nothing(**_FIGURES, **_NUMBERS, source_note="str", turn="int64")
    )
    """Store.figures: the newest versions at `as_of`, or all of them; days are dates."""
    interactions: pd.DataFrame = field(default_factory=lambda: nothing(channel="str", interactions="Int64"))
    """Reactions, comments and shares of the period's posts together, per channel."""
    tasks: pd.DataFrame = field(
        default_factory=lambda: nothing(task="str", due="datetime64[s]", done_at=MOMENT, owner="str")
    )
    """One row per duty and due day; a duty without a date has NaT."""

    @property
    def today(self) -> date:
        """The local day of `as_of`."""
        return local_date(self.as_of, self.config.district.tz)


@dataclass(frozen=True)
class Ask:
    """What a row of a plan asks of its indicator; every indicator reads only the words that concern it."""

    period: Period
    by: By = "total"
    baseline_day: date | None = None
    """The day whose closing value growth is measured from; the day before the period when not said."""
    baseline_period: Period | None = None
    """For head counts: the period of the first figure."""
    count: Literal["followers", "likes", "posts", "views"] = "followers"
    mixed: bool = False
    """True adds up different platforms in one sum, which says so."""
    held_on: date | None = None
    """Whose a channel is: who holds it on this day («đơn vị cũ»: the baseline day); today when not said."""
    measure: str = ""
    of_members: bool = False
    """Whether the denominator of the reported share is the members of the unit."""
    label: str = ""
    level: Level = "labelled"
    units: Sequence[str] | None = None
    channels: Sequence[str] | None = None
    within_days: int = 30
    """How recent the last post of a live channel or site is."""


@dataclass(frozen=True)
class Measured:
    """The answer of an indicator.

    rows: one per subject, with subject, low and high (Float64: the true value, a ratio, lies between them), shown
    (Float64: what one reads off the plain figures), known and wanted (Int64: how many of the things to be judged
    could be), failed (bool: our own look failed), why (`Why`), and what the indicator has to tell besides.
    inputs: every figure that went in: subject, role, ref (channel, post or unit), at, source, value.
    """

    rows: pd.DataFrame
    inputs: pd.DataFrame


def inputs_of(frame: pd.DataFrame, role: str) -> pd.DataFrame:
    """Rows of `Measured.inputs` from a frame that has its columns but the role."""
    return frame.assign(role=role)[list(INPUT_COLUMNS)]
