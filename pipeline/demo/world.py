"""What is true in the simulated district: accounts, what they published, who follows them, what breaks when.

Everything is a function of the moment asked for, so that servers keep no state of their own about it. Moments
are aware datetimes in UTC.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property

DAY = timedelta(days=1)
HALF_LIFE = timedelta(days=2)
"""After this time an item has got half of the reactions it will ever get."""


class Trouble(StrEnum):
    """What can go wrong with an account or a site for a while; a server that has no such thing ignores it."""

    TOKEN_DEAD = "token-dead"  # noqa: S105 - the owner changed the password, or took the consent back
    PERMISSION = "permission"  # a permission or scope is missing
    THROTTLED = "throttled"  # too many calls
    OUTAGE = "outage"  # 5xx
    HTML = "html"  # a page of HTML with status 200 where JSON is due
    SLOW = "slow"  # the answer never ends
    ZERO = "zero"  # every count reads 0
    EMPTY_WITH_MORE = "empty-with-more"  # an empty list that says there is more
    SHORT_LIST = "short-list"  # a list cut short without a word
    TOO_MUCH_DATA = "too-much-data"  # «reduce the amount of data» until fewer are asked for
    FEED_DOWN = "feed-down"  # the keyless feed answers 404 for everybody
    HIDDEN = "hidden"  # the owner hides the number of followers
    UNPUBLISHED = "unpublished"  # the page is hidden from the public
    REELS_DENIED = "reels-denied"  # reels cannot be listed


@dataclass(frozen=True, slots=True)
class Spell:
    """Trouble during `[start, until)`."""

    trouble: Trouble
    start: datetime
    until: datetime

    def covers(self, at: datetime) -> bool:
        return self.start <= at < self.until


@dataclass(frozen=True, slots=True)
class Counts:
    reactions: int
    comments: int
    shares: int
    views: int


@dataclass(frozen=True, slots=True)
class Item:
    """One published item. `uploaded_at` is earlier than `published_at` for one that was scheduled."""

    number: int
    """Unique within its account, from 1, in order of publishing."""
    published_at: datetime
    title: str
    text: str
    kind: str = "photo"
    """photo, video, reel, live, share, article."""
    seconds: int = 0
    """How long a video runs."""
    category: str = "Tin tức"
    final: Counts = Counts(40, 4, 2, 400)
    """What it will have got in the end."""
    uploaded_at: datetime | None = None
    gone_at: datetime | None = None
    likes_hidden: bool = False
    comments_off: bool = False

    def counts(self, at: datetime) -> Counts:
        """What it has got by now: never less than before."""
        share = 1 - math.pow(0.5, max(at - self.published_at, timedelta()) / HALF_LIFE)
        of = self.final
        return Counts(*(int(total * share) for total in (of.reactions, of.comments, of.shares, of.views)))


@dataclass(frozen=True)
class Account:
    """One page, channel, Official Account or website of the simulated district."""

    slug: str
    """The channel's slug in channels.toml."""
    platform: str
    id: str
    """The platform's own id: Page id, open_id, UC…, OA id; the host name of a website."""
    handle: str
    name: str
    opened_at: datetime
    items: Sequence[Item] = ()
    """Everything it will ever publish, in order of `published_at`."""
    audience: Sequence[int] = ()
    """Followers at each midnight UTC from `opened_at` on; the last value holds for ever."""
    spells: Sequence[Spell] = ()
    kind: str = ""
    """How a website is made: wordpress, nukeviet, rss, …"""

    @cached_property
    def _moments(self) -> tuple[datetime, ...]:
        return tuple(item.published_at for item in self.items)

    def followers(self, at: datetime) -> int:
        """Followers at a moment: a straight line between two midnights."""
        if not self.audience:
            return 0
        passed = max((at - self.opened_at) / DAY, 0.0)
        day = min(int(passed), len(self.audience) - 1)
        after = min(day + 1, len(self.audience) - 1)
        return round(self.audience[day] + (self.audience[after] - self.audience[day]) * min(passed - day, 1.0))

    def visible(self, at: datetime, *, newest: int | None = None) -> list[Item]:
        """What the public sees, newest first; with *newest* only so many."""
        found = (item for item in self._backwards(at) if item.gone_at is None or at < item.gone_at)
        return [item for item, _ in zip(found, range(newest), strict=False)] if newest is not None else list(found)

    def _backwards(self, at: datetime, before: int | None = None) -> Iterator[Item]:
        newest = bisect_right(self._moments, at)
        if before is not None:
            newest = min(newest, bisect_left(self.items, before, key=lambda item: item.number))
        for place in range(newest - 1, -1, -1):
            yield self.items[place]

    def public(self, at: datetime, *, before: int | None = None) -> Iterator[Item]:
        """What the public sees, newest first; with *before* only items with a smaller number."""
        return (item for item in self._backwards(at, before) if item.gone_at is None or at < item.gone_at)

    def numbered(self, number: int) -> Item | None:
        """The item with this number, published or not."""
        place = number - 1
        if not (0 <= place < len(self.items) and self.items[place].number == number):
            place = bisect_left(self.items, number, key=lambda item: item.number)
        found = self.items[place] if place < len(self.items) else None
        return found if found and found.number == number else None

    def has(self, trouble: Trouble, at: datetime) -> bool:
        return any(spell.trouble is trouble and spell.covers(at) for spell in self.spells)


@dataclass(frozen=True)
class World:
    """All accounts, and the moments between which the story is told."""

    seed: int
    start: datetime
    end: datetime
    accounts: Sequence[Account]

    def on(self, platform: str) -> Mapping[str, Account]:
        """The accounts of one platform by their platform id."""
        return {account.id: account for account in self.accounts if account.platform == platform}
