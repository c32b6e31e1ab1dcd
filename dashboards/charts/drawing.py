"""What a chart is given beside its frame, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from metrics.periods import Period

Spec = dict[str, Any]
"""A plotly figure as plain JSON values: {"data": [...], "layout": {...}}."""


@dataclass(frozen=True)
class Caption:
    """What stands around a chart: its title above; source, cut-off and clause below."""

    title: str
    source: str
    """Where the numbers come from: «Facebook, TikTok», «báo cáo của đơn vị»."""
    until: datetime | None
    """The cut-off, an aware moment: nothing later is in the numbers. None: there are none yet."""
    clause: str
    """The item of the plan, «II-CT.4 Kế hoạch …»; empty for what no plan asks."""
    zone: ZoneInfo
    """In which moments are told and cut into days."""
    illustration: bool = False
    """True: the numbers are made up, and the chart says so."""


class MarkKind(StrEnum):
    BREAK = "break"
    """From this day on a count means something else."""
    EVENT = "event"


@dataclass(frozen=True)
class Mark:
    """A vertical line at a local day, with a few words and, for a break, the whole sentence about it."""

    day: date
    words: str
    kind: MarkKind = MarkKind.EVENT
    sentence: str = ""


@dataclass(frozen=True)
class Aim:
    """What the numbers are held against; every chart reads only what concerns it. What is not said is not drawn."""

    goal: float | None = None
    """As the plan says it: 0.05, 0.75, 1.0."""
    period: Period | None = None
    today: date | None = None
    bases: Mapping[str, float] = field(default_factory=dict)
    """By name of the series: the count that growth is measured from."""
    forecasts: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """By name of the series: between which counts it will end, four times in five."""
    marks: Sequence[Mark] = ()
    rule: str = ""
    """How places are given, one Vietnamese sentence."""
    noun: str = ""
    """What is counted: «lượt theo dõi», «bài»."""


class Shape(StrEnum):
    """Which native chart of an office program says the same."""

    LINE = "line"
    BAR = "bar"
    STACKED = "stacked"
    COLUMN = "column"
    """Upright bars side by side."""
    TABLE = "table"
    """None does: show the table."""


@dataclass(frozen=True)
class Drawing:
    """One chart, ready for a page, a picture or an office file."""

    spec: Spec
    sentence: str
    """What it shows, in Vietnamese, with range and cut-off."""
    table: pd.DataFrame
    """The same numbers under Vietnamese headings; missing ones are NA. Its texts are plain text, not escaped."""
    shape: Shape = Shape.TABLE
    category: str = ""
    """The column of `table` along the axis of a native chart."""
    series: tuple[str, ...] = ()
    """The numeric columns of `table` that a native chart draws."""
    title: str = ""
    foot: str = ""
    """Source, cut-off and clause in one line."""
    omitted: int = 0
    """How many rows or lines were left out because there were too many."""


Chart = Callable[[pd.DataFrame, Aim, Caption], Drawing]
