"""What happens in the simulated district: rhythm of posts, growth of audiences, ends and beginnings.

Every account is told by its own dice, on first use, so that a district of thousands costs nothing until it is asked.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from random import Random
from typing import TypeVar, overload

from pipeline.demo.calendar import SUNDAY, is_break, is_new_year, peak
from pipeline.demo.district import (
    LONGEST_LIFE_BEFORE,
    ZONE,
    DemoChannel,
    District,
    Plot,
    Temper,
    chance,
    make_district,
)
from pipeline.demo.spells import spells_of
from pipeline.demo.texts import words
from pipeline.demo.world import DAY, Account, Counts, Item, World

T = TypeVar("T")
BEFORE = timedelta(days=30)
"""Accounts have published for this long when the story begins."""
AFTER = timedelta(days=14)
"""The story is prepared for this long after its end, for uploads that wait there."""
QUIET_FOR = timedelta(days=35)
FIRST_FRIENDS, NEWCOMERS_GROWTH = 40, 2.5
"""Followers on the first day of a channel that opens within the story, and how they grow in a year."""
PURGE_BEFORE_END = timedelta(days=100)

POSTS_A_DAY = {"facebook": 0.5, "website": 0.35, "tiktok": 0.3, "youtube": 0.1, "zalo": 0.2}
DAILY_NEWS = {Temper.STEADY: 0.97, Temper.AVERAGE: 0.72, Temper.WEAK: 0.2}
WEEKLY_STORY = {Temper.STEADY: 0.96, Temper.AVERAGE: 0.7, Temper.WEAK: 0.25}
ZEAL = {Temper.STEADY: 1.3, Temper.AVERAGE: 0.8, Temper.WEAK: 0.3}
WEEKEND = {"quan-doan": 0.9, "phuong": 0.7, "truong-hoc": 0.3, "co-quan": 0.1, "doanh-nghiep": 0.15}
GROWTH = {Temper.STEADY: (0.06, 0.16), Temper.AVERAGE: (0.015, 0.07), Temper.WEAK: (-0.02, 0.02)}
FOLLOWERS = {"facebook": (800, 6000), "tiktok": (150, 4000), "youtube": (60, 1800), "zalo": (90, 1500)}
KINDS = {
    "facebook": (("photo", "video", "reel", "share", "live"), (62, 13, 14, 9, 2)),
    "tiktok": (("video",), (1,)),
    "youtube": (("video", "live"), (24, 1)),
    "zalo": (("article",), (1,)),
    "website": (("article",), (1,)),
}
MOVING = {"video": (30, 600), "reel": (12, 90), "live": (900, 5400)}
BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


class Told(Sequence[T]):
    """A sequence that is made on first use."""

    def __init__(self, make: Callable[[], Sequence[T]]) -> None:
        self._make = make

    @cached_property
    def _whole(self) -> Sequence[T]:
        return self._make()

    def __len__(self) -> int:
        return len(self._whole)

    @overload
    def __getitem__(self, place: int) -> T: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[T]: ...
    def __getitem__(self, place: int | slice) -> T | Sequence[T]:
        return self._whole[place]

    def __iter__(self) -> Iterator[T]:
        return iter(self._whole)


def make_world(seed: int, units: int, start: datetime, days: int) -> World:
    """The world of `make_district`: its accounts with all they publish from a month before *start* on."""
    return tell(make_district(seed, units, start, days))


def tell(district: District) -> World:
    """The district's accounts with their whole lives; the same for the same district."""
    accounts = [Life(district, channel).account() for channel in district.channels]
    return World(district.seed, district.start, district.end, accounts)


@dataclass(frozen=True)
class Life:
    """The life of one account."""

    district: District
    channel: DemoChannel

    def account(self) -> Account:
        channel = self.channel
        return Account(
            slug=channel.slug,
            platform=channel.platform,
            id=platform_id(self.district.seed, channel),
            handle=handle(channel),
            name=channel.name,
            opened_at=self.opened_at,
            items=Told(self.items),
            audience=Told(self.audience) if channel.platform != "website" else (),
            spells=Told(lambda: spells_of(self.district, channel)),
            kind=channel.site,
        )

    @cached_property
    def opened_at(self) -> datetime:
        owned = self.channel.owners[0].start
        before = timedelta(days=self._dice("opened").randrange(90, LONGEST_LIFE_BEFORE.days))
        opened = _midnight(owned) if owned > self.district.first_day else self.district.start - before
        return opened.replace(hour=0, minute=0, second=0, microsecond=0)

    @cached_property
    def silent_from(self) -> datetime:
        """From when on nothing more is published."""
        if Plot.QUIET in self.channel.plots:
            return self.district.end - QUIET_FOR
        if Plot.CLOSED in self.channel.plots and self.district.merger:
            return _midnight(self.district.merger)
        return self.district.end + AFTER

    def items(self) -> list[Item]:
        """Everything it publishes, in order."""
        if Plot.EMPTY in self.channel.plots:
            return []
        dice = self._dice("items")
        items: list[Item] = []
        day = max(self.opened_at, self.district.start - BEFORE).astimezone(ZONE).date() + timedelta(days=1)
        weeks = Weeks(self._dice("weeks"), self.channel)
        while (midnight := _midnight(day)) < self.silent_from:
            labels = [*self._due(dice, weeks, day), *self._more(dice, day)]
            minutes = sorted(dice.sample(range(_opening(dice), 22 * 60), len(labels)))
            for minute, label in zip(minutes, labels, strict=True):
                items.append(self._item(dice, len(items) + 1, midnight + timedelta(minutes=minute), label))
            day += DAY
        return [item for item in items if item.published_at < self.silent_from]

    def _due(self, dice: Random, weeks: Weeks, day: date) -> list[str]:
        """The labelled items that the plan asks for; they appear on the unit's main channel."""
        if not self.channel.main:
            return []
        mood = min(1.0, self._mood(day) * (1.35 if day.weekday() >= SUNDAY - 1 else 1))
        news = dice.random() < DAILY_NEWS[self.channel.temper] * mood
        return ["tin-tot"] * news + ["cau-chuyen-dep"] * (weeks.has_story_on(day) and mood > 0.2)

    def _more(self, dice: Random, day: date) -> list[str]:
        """Whatever else it publishes; now and then that carries a label too."""
        mood = self._mood(day) * peak(day)
        wanted = POSTS_A_DAY[self.channel.platform] * ZEAL[self.channel.temper] * mood
        wanted *= 2 if self.channel.unit_kind == "quan-doan" else 1
        number = int(wanted + dice.random())
        return ["tin-tot" if dice.random() < 0.12 else "" for _ in range(number)]

    def _mood(self, day: date) -> float:
        """How much of its usual activity the channel shows on a day: 0 while its school is on a break."""
        kind = self.channel.unit_kind
        if is_break(kind, day):
            return 0.0
        if is_new_year(day):
            return 0.03
        return WEEKEND[kind] if day.weekday() >= SUNDAY - 1 else 1.0

    def _item(self, dice: Random, number: int, at: datetime, label: str) -> Item:
        channel = self.channel
        kinds, weights = KINDS[channel.platform]
        kind = "reel" if Plot.REELS_ONLY in channel.plots else dice.choices(kinds, weights)[0]
        kind = "photo" if kind == "share" and label else kind
        titles_only = channel.platform == "zalo" or channel.site.startswith("listing")
        says = words(dice, channel.unit_kind, label, at.astimezone(ZONE).date(), titles_only=titles_only)
        scheduled = kind in {"video", "photo"} and channel.platform != "tiktok" and dice.random() < 0.12
        return Item(
            number=number,
            published_at=at,
            title=says.title,
            text=says.text,
            kind=kind,
            seconds=dice.randrange(*MOVING[kind]) if kind in MOVING else 0,
            category=says.category,
            final=self._reach(dice),
            uploaded_at=at - timedelta(minutes=dice.randrange(60, 4000)) if scheduled else None,
            gone_at=at + timedelta(hours=dice.randrange(20, 900)) if dice.random() < 0.012 else None,
            likes_hidden=dice.random() < 0.01,
            comments_off=dice.random() < 0.01,
        )

    def _reach(self, dice: Random) -> Counts:
        """What an item gets in the end: a share of the followers, now and then much more."""
        views = int(self._first_followers * min(dice.lognormvariate(-0.9, 0.8), 12)) + 5
        reactions = int(views * dice.uniform(0.01, 0.08))
        return Counts(reactions, int(reactions * dice.uniform(0, 0.2)), int(reactions * dice.uniform(0, 0.12)), views)

    @cached_property
    def _first_followers(self) -> int:
        if self.channel.followers:
            return self.channel.followers
        if Plot.TINY in self.channel.plots:
            return 64
        if self._is_new:
            return FIRST_FRIENDS
        return self._dice("size").randrange(*FOLLOWERS.get(self.channel.platform, (300, 301)))

    def audience(self) -> array[int]:
        """Followers at each midnight UTC from `opened_at` on, until some days after the story's end."""
        dice = self._dice("audience")
        growth = self._growth(dice)
        days = (self.district.end + AFTER - self.opened_at) // DAY
        purge = (self.district.end - PURGE_BEFORE_END - self.opened_at) // DAY if self._is_purged else -1
        before = max((self.district.start - self.opened_at) / DAY, 0)
        value, series = self._first_followers / (1 + growth) ** (before / 365), array("I")
        for day in range(days + 1):
            series.append(max(0, round(value)))
            value *= 1 + growth / 365 * dice.uniform(-0.6, 2.6)
            value *= 0.86 if day == purge else 1
        return series

    def _growth(self, dice: Random) -> float:
        """Over a year, as a share."""
        if self.channel.growth is not None:
            return self.channel.growth
        return NEWCOMERS_GROWTH if self._is_new else dice.uniform(*GROWTH[self.channel.temper])

    @property
    def _is_new(self) -> bool:
        return self.opened_at > self.district.start

    @property
    def _is_purged(self) -> bool:
        return Plot.PURGED in self.channel.plots

    def _dice(self, question: str) -> Random:
        return chance(self.district.seed, self.channel.slug, question)


class Weeks:
    """On which day of each week the weekly story appears, if at all."""

    def __init__(self, dice: Random, channel: DemoChannel) -> None:
        self._dice = dice
        self._share = WEEKLY_STORY[channel.temper]
        self._chosen: dict[tuple[int, int], int | None] = {}

    def has_story_on(self, day: date) -> bool:
        """Ask day by day: the weeks are drawn in the order in which they are asked for."""
        year, week, _ = day.isocalendar()
        if (year, week) not in self._chosen:
            self._chosen[year, week] = self._dice.randrange(5) if self._dice.random() < self._share else None
        return self._chosen[year, week] == day.weekday()


def handle(channel: DemoChannel) -> str:
    """The name by which people know the account, without its @."""
    return channel.slug.replace("-", "") + ".mau"


def platform_id(seed: int, channel: DemoChannel) -> str:
    """An id of the shape that the platform gives: 17 digits for a Page, UC and 22 signs for YouTube, …"""
    dice = chance(seed, channel.slug, "id")
    if channel.platform == "facebook":
        return f"1000{dice.randrange(10**13):013}"
    if channel.platform == "tiktok":
        return "-000" + "".join(dice.choices(BASE64[:-2], k=32))
    if channel.platform == "youtube":
        return "UC" + "".join(dice.choices(BASE64, k=22))
    if channel.platform == "zalo":
        return str(dice.randrange(10**18, 5 * 10**18))
    return f"{channel.slug}.example"


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, ZONE).astimezone(UTC)


def _opening(dice: Random) -> int:
    """The first minute of a day on which a post may appear: now and then just after midnight."""
    return 0 if dice.random() < 0.05 else 6 * 60 + 30
