"""What every reader of an export receives, gives back, and refuses with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from collectors.exports.tables import Table
from store.records import Post, Reading, Snapshot

if TYPE_CHECKING:
    from config.models import Channel

LAST_SECOND = timedelta(seconds=1)
"""A file of the day D may be dated 23:59:59 of D: that day has ended."""


@dataclass(frozen=True, slots=True)
class Upload:
    """The channel a file is for, and when it was exported: no row can tell of a later moment."""

    name: str
    channel: Channel
    exported_at: datetime
    zone: ZoneInfo

    @property
    def exported_on(self) -> date:
        return self.exported_at.astimezone(self.zone).date()

    def end_of(self, day: date) -> datetime:
        """The next local midnight, in UTC: what a row of *day* says was so by then."""
        return datetime.combine(day + timedelta(days=1), time(), self.zone).astimezone(UTC)

    def has_ended(self, day: date) -> bool:
        return self.exported_at >= self.end_of(day) - LAST_SECOND


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the file that can be imported, and what it says."""

    row: int
    item: Snapshot | Post


@dataclass(frozen=True, slots=True)
class Skipped:
    """One row that is left out. `reason` is Vietnamese, for people, and never repeats a cell.

    `place` is the sheet, or the file in the archive; empty when the export is one table.
    """

    row: int
    reason: str
    place: str = ""


@dataclass(slots=True)
class Content:
    """What one format found, while it is being read."""

    lines: list[Line] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file holds for one channel.

    `format` is its Vietnamese name. `reading` promises nothing about silence (`coverage_from` is None).
    `rows` are the rows behind the reading, in the order of the file. `sha256` tells files apart.
    """

    format: str
    reading: Reading
    rows: tuple[Line, ...]
    skipped: tuple[Skipped, ...]
    sha256: str


@dataclass(frozen=True, slots=True)
class Export:
    """One format: its Vietnamese name, the platforms it belongs to, which tables are its own, how to read them."""

    label: str
    platforms: frozenset[str]
    fits: Callable[[Table], bool]
    read: Callable[[Sequence[Table], Upload], Content]
    published: frozenset[str] = frozenset()
    """Folded headings of what everybody may read anyway: the organisation's own posts, which may name a hotline."""
