"""Values of frames as the plain JSON values of facts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from config.models import Channel
from metrics.periods import local_date


def optional(value: Any) -> Any:
    """The value, None for NA, whole numbers as int."""
    if value is None or pd.isna(value):
        return None
    return int(value) if isinstance(value, int | float) and float(value).is_integer() else value


def moment(value: datetime) -> datetime:
    """A pandas moment as a plain aware one in UTC, to the second."""
    return datetime.fromtimestamp(value.timestamp() // 1, UTC)


def day_text(value: datetime | None, zone: ZoneInfo) -> str | None:
    """The local day of a moment, ISO."""
    return None if value is None else local_date(moment(value), zone).isoformat()


def names_of(slugs: Iterable[str], channels: Mapping[str, Channel]) -> list[str]:
    return [channels[slug].name for slug in slugs if slug in channels]
