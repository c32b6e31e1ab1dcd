"""Sums over everything an account has published, quick enough to be asked for at every request."""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from itertools import accumulate

from pipeline.demo.world import Account, Counts, Item

SETTLED = timedelta(days=40)
"""An item older than this lacks less than one in a million of what it will ever get: it counts as done."""


class Totals:
    """Running totals of one account."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self._moments = [item.published_at for item in account.items]
        self._gone = sorted(item.gone_at for item in account.items if item.gone_at is not None)
        self._views = [0, *accumulate(item.final.views for item in account.items)]
        self._likes = [0, *accumulate(item.final.reactions for item in account.items)]

    def published(self, at: datetime) -> int:
        """How many items the public sees."""
        return bisect_right(self._moments, at) - bisect_right(self._gone, at)

    def views(self, at: datetime) -> int:
        return self._sum(at, self._views, lambda counts: counts.views)

    def likes(self, at: datetime) -> int:
        return self._sum(at, self._likes, lambda counts: counts.reactions)

    def gained(self, start: datetime, end: datetime) -> Counts:
        """What all items together got between two moments."""
        sums = [0, 0, 0, 0]
        for item in self._recent(end, start - SETTLED):
            now, before = item.counts(end), _before(item, start)
            sums[0] += now.reactions - before.reactions
            sums[1] += now.comments - before.comments
            sums[2] += now.shares - before.shares
            sums[3] += now.views - before.views
        return Counts(*sums)

    def _sum(self, at: datetime, finals: list[int], of: Callable[[Counts], int]) -> int:
        settled = bisect_left(self._moments, at - SETTLED)
        return finals[settled] + sum(of(item.counts(at)) for item in self._recent(at, at - SETTLED))

    def _recent(self, at: datetime, since: datetime) -> list[Item]:
        return list(self.account.items[bisect_left(self._moments, since) : bisect_right(self._moments, at)])


class TotalsOf(dict[str, Totals]):
    """The totals of many accounts by platform id, each made when it is first asked for."""

    def __init__(self, accounts: Mapping[str, Account]) -> None:
        super().__init__()
        self._accounts = accounts

    def __missing__(self, platform_id: str) -> Totals:
        self[platform_id] = totals = Totals(self._accounts[platform_id])
        return totals


def _before(item: Item, at: datetime) -> Counts:
    return item.counts(at) if at > item.published_at else Counts(0, 0, 0, 0)


def chance(out_of: int, *words: object) -> int:
    """A number in `[0, out_of)` that looks random and is always the same for the same words."""
    digest = hashlib.blake2b(":".join(map(str, words)).encode(), digest_size=8).digest()
    return int.from_bytes(digest) % out_of


def comings_and_goings(account: Account, day: date, start: datetime, end: datetime) -> tuple[int, int]:
    """Followers won and lost between two moments; their difference is what the number of followers changed by."""
    change = account.followers(end) - account.followers(start)
    both = chance(4, account.id, day)
    return max(change, 0) + both, max(-change, 0) + both
