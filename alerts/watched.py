"""What the rules may look at: read from the store once a round, plain frames and facts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import pandas as pd

from config.models import Config

PROGRESS = ("plan", "target", "subject", "status", "sentence", "start", "due")
"""subject is "" for the target as a whole, a unit or a channel, or the day of a duty; start is the first day of the
period, due the last day on time, None where there is none (both plain dates)."""


@dataclass(frozen=True)
class TokenEnd:
    """A consent that needs a person within 30 days, or already does."""

    name: str
    """Of the secret: «tiktok:kenh-mau»."""
    title: str
    """«TikTok: Bản tin Thanh niên»."""
    channel: str
    """Empty for one consent that opens several channels."""
    ends_at: datetime | None
    """None when the platform refuses it without having named an end."""
    noticed_at: datetime
    """When the platform was last heard about it; stands for the end where there is none."""
    days_left: int | None
    fix: str


@dataclass(frozen=True)
class Watched:
    """All that is known at `as_of`."""

    config: Config
    as_of: datetime
    quiet: pd.DataFrame
    """metrics.quiet.quiet."""
    looks: pd.DataFrame
    """Store.looks of the last ten days."""
    last_done: Mapping[str, datetime]
    """Channel -> the newest look that succeeded, however long ago; a channel that was never read is missing."""
    missed: pd.DataFrame
    """Store.missed_slots of the last ten days: slot, channels."""
    progress: pd.DataFrame
    """What the check says by now: PROGRESS."""
    suspects: pd.DataFrame
    """Store.open_suspects."""
    tokens: Sequence[TokenEnd]
    consents: Collection[str] = ()
    """The names of those that work and need nobody."""
    unsent: Mapping[str, datetime] = field(default_factory=dict)
    """OutboxState.unsent: whom messages did not reach lately."""
