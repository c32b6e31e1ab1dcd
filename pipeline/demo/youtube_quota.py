"""The daily quota of a project: a bucket for each kind of call, full again at midnight Pacific."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from pipeline.demo.youtube_errors import quota_exceeded

QUOTA = 10_000
PACIFIC = ZoneInfo("America/Los_Angeles")


class Quota:
    """Units left in each bucket; full again at midnight Pacific."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._spent: dict[tuple[str, date], int] = {}

    def spend(self, bucket: str, at: datetime) -> None:
        """One unit, also for a request that fails; raises Refusal when the bucket is empty."""
        key = bucket, at.astimezone(PACIFIC).date()
        self._spent = {kept: spent for kept, spent in self._spent.items() if kept[1] == key[1]}
        self._spent[key] = self._spent.get(key, 0) + 1
        if self._spent[key] > self._size:
            raise quota_exceeded()
