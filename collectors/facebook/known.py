"""What earlier looks at a Page learned: the cursor of a reading. If it is lost, the next look relearns it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec

WEEK = timedelta(days=7)
LONGEST_REST = timedelta(days=1)
Epoch = Annotated[int, msgspec.Meta(ge=0, le=4_102_444_800)]


class Known(msgspec.Struct, frozen=True, omit_defaults=True):
    """Moments are epoch seconds. A cursor of another Page counts as none."""

    page: str = ""
    newest: Epoch | None = None
    """The newest post of the last look that read all it wanted."""
    swept_at: Epoch = 0
    rest_until: Epoch = 0
    """No request before this moment."""
    reels: Literal["", "ok", "denied"] = ""
    reels_at: Epoch = 0
    """When Reels were last found denied."""
    had_reels: bool = False
    """Reels of this Page are in the store: a look without them misses posts."""
    reels_newest: Epoch | None = None
    history_at: Epoch = 0
    """When insights were last asked for."""
    history_until: Epoch | None = None
    """Up to here the daily history is read, or known to be empty."""
    history: Literal["", "some", "none"] = ""
    """Whether Facebook ever gave any; «none» (under 100 followers) was told."""
    dead: dict[str, Epoch] = {}
    """Metrics that Facebook no longer knows, and when it said so."""

    @property
    def latest(self) -> int:
        """The last moment of all that stand here."""
        learned = (self.newest or 0, self.reels_newest or 0, self.history_until or 0, *self.dead.values())
        return max(*learned, self.swept_at, self.rest_until, self.reels_at, self.history_at)


def recall(cursor: Mapping[str, Any], page: str, now: datetime) -> Known:
    """What the cursor says; nothing when it is damaged, about another Page, or written by a clock that ran ahead."""
    try:
        known = msgspec.convert(cursor, Known)
    except msgspec.ValidationError:
        return Known(page=page)
    return known if known.page == page and known.latest <= seconds(now + LONGEST_REST) else Known(page=page)


def as_cursor(known: Known) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(known)
    return plain


def moment(epoch: int) -> datetime:
    return datetime.fromtimestamp(epoch, UTC)


def seconds(at: datetime) -> int:
    return min(max(int(at.timestamp()), 0), 4_102_444_800)


def is_due(last: int, now: datetime, every: timedelta) -> bool:
    return now - moment(last) >= every
