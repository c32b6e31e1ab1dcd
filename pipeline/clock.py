"""The one clock of the program. Everything else receives `now` as an argument."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


def frozen_at(moment: datetime) -> Clock:
    """A clock that stands still, to replay a past moment."""
    return lambda: moment
