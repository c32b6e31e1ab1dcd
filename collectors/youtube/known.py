"""What one look leaves for the next: the cursor of a channel. If it is lost, the next look relearns it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec

RECENT = timedelta(days=35)
"""A later look brings posts of this age; older ones come with the full sweep."""
SWEEP_EVERY = timedelta(days=7)
FULL_EVERY = timedelta(days=27)
"""Titles read with a key must be refreshed within 30 days (facts: storage policy)."""

Epoch = Annotated[int, msgspec.Meta(ge=0, le=2**32)]
Day = Annotated[int, msgspec.Meta(ge=1, le=3_000_000)]
"""A Pacific day as `date.toordinal()` counts it."""
ChannelId = Annotated[str, msgspec.Meta(pattern=r"^(UC[A-Za-z0-9_-]{22})?$")]
Bound = Annotated[int, msgspec.Meta(ge=0, le=2**62)]


class Recent(msgspec.Struct, frozen=True, array_like=True):
    """A video of the last weeks: when it was published and uploaded, when last counted, and its kind."""

    published: Epoch
    uploaded: Epoch
    counted: Epoch
    kind: str


class Between(msgspec.Struct, frozen=True, array_like=True):
    """Subscribers on a Pacific day, between two bounds that both may be the truth."""

    day: Day
    low: Bound
    high: Bound


class Past(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far the subscribers of earlier days are rebuilt."""

    own: str = ""
    """The channel of whoever consented."""
    asked: int = 0
    """The Pacific day of the last report."""
    live: tuple[Between, ...] = ()
    """What was shown at a moment within a day that is not settled yet."""
    end: Between | None = None
    """At the end of the last day that is rebuilt."""


class Known(msgspec.Struct, frozen=True, omit_defaults=True):
    """`since`: how far back full sweeps read. Moments are epoch seconds."""

    address: str = ""
    id: ChannelId = ""
    since: Epoch = 0
    full_at: Epoch = 0
    swept_at: Epoch = 0
    looked_at: Epoch = 0
    etag: str = ""
    coverage: Epoch | None = None
    recent: dict[str, Recent] = {}
    upcoming: tuple[str, ...] = ()
    """Announced lives and premieres: posts as soon as they have started."""
    no_batch: bool = False
    """videos:batchGetStats was not there; the next full sweep tries it again."""
    past: Past = msgspec.field(default_factory=Past)


def known_of(cursor: Mapping[str, Any], address: str) -> Known:
    """What earlier looks at this address learned; nothing when it is another one, or no cursor of ours."""
    try:
        known = msgspec.convert(dict(cursor), Known)
    except (msgspec.ValidationError, TypeError):
        return Known(address=address)
    return known if known.address == address else Known(address=address)


def cursor_of(known: Known) -> dict[str, Any]:
    cursor: dict[str, Any] = msgspec.to_builtins(known)
    return cursor


def moment(epoch: int) -> datetime:
    return datetime.fromtimestamp(epoch, UTC)


def has_passed(since: int, span: timedelta, now: datetime) -> bool:
    """Also when *since* lies ahead: a clock that was wrong must not stop the work for years."""
    return not 0 <= now.timestamp() - since < span.total_seconds()


def is_due(one: Recent, now: datetime) -> bool:
    """Whether a video is to be counted again: half a day after in its first week, then weekly, then monthly.

    A little less than the rhythm, so that a look which comes early skips nothing.
    """
    age = now - moment(one.published)
    if age <= timedelta(days=7):
        return has_passed(one.counted, timedelta(hours=12), now)
    return has_passed(one.counted, timedelta(days=6.5 if age <= timedelta(days=30) else 27), now)
