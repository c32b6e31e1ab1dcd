"""One reading on its way into the store."""

from __future__ import annotations

from dataclasses import dataclass

from store.ledger import Key
from store.records import LookResult, Reading
from store.schema import epoch


@dataclass(slots=True)
class Entry:
    """A reading, the slot it answers, and how many new rows it brought."""

    key: Key
    result: LookResult
    reading: Reading
    late: bool
    """A newer look of this channel is already stored: it knows better about all but the past."""
    snapshots: int = 0
    posts: int = 0

    @property
    def channel_id(self) -> int:
        return self.key[0]

    @property
    def seen_at(self) -> int:
        return epoch(self.result.started_at)
