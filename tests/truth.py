"""A simulated district played through the real program, beside the truth that the program cannot see."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import pandas as pd
from sqlalchemy import select

from config.load import load_config
from config.models import Config
from metrics.periods import Period, local_date
from pipeline import checking
from pipeline.demo import tiktok, youtube_videos
from pipeline.demo.child import Child, Report
from pipeline.demo.district import ZONE, chance, make_district
from pipeline.demo.facebook_posts import post_number, reel_number
from pipeline.demo.host import Hosted, hosted
from pipeline.demo.play import Story, play
from pipeline.demo.story import tell
from pipeline.demo.world import DAY, Account, Item, Spell, Trouble, World
from pipeline.workplace import database_url
from store.schema import channel, post
from store.verbs import open_store

NUMBER_IN_LINK = re.compile(r"/tin-tuc/(\d+)-|[-=/](\d+)(?:\.html|/)?$")
BEFORE = timedelta(days=400)
Seen = tuple[str, str]
"""A channel and the platform's own id of a post."""


@dataclass
class Stage:
    """What `play` needs of the process that serves the district, in this process."""

    hosted: Hosted
    clock: list[datetime]

    @property
    def addresses(self) -> dict[str, str]:
        return dict(self.hosted.addresses)

    def set_clock(self, at: datetime) -> None:
        self.clock[0] = at

    def report(self) -> Report:
        return Report({}, tuple(self.hosted.diary.violations))


@dataclass
class Play:
    """What the world was, and what the store says of it."""

    world: World
    config: Config
    period: Period
    violations: Sequence[str] = ()
    gone: list[tuple[datetime, Seen]] = field(default_factory=list)
    """What the store called gone, after every slot."""
    frames: dict[str, pd.DataFrame] = field(default_factory=dict)

    @cached_property
    def accounts(self) -> dict[str, Account]:
        return {account.slug: account for account in self.world.accounts}

    @cached_property
    def items(self) -> dict[Seen, Item]:
        """Every item there ever is, by the name that a stored post has."""
        return {(one.slug, name_of(one, item)): item for one in self.world.accounts for item in one.items}

    @cached_property
    def posts(self) -> dict[Seen, Any]:
        """The stored posts."""
        stored = rows(self.frames["posts"].astype({"channel": str}))
        return {(row.channel, stored_name(self.accounts[row.channel], row)): row for row in stored}

    @cached_property
    def looks(self) -> list[Any]:
        """Every look that ended, oldest first."""
        frame = self.frames["looks"].astype({"channel": str})
        return rows(frame.sort_values("started_at", kind="stable"))

    @cached_property
    def claims(self) -> list[Any]:
        """The looks that say from when on they know every post."""
        return [look for look in self.looks if look.state == "done" and not pd.isna(look.coverage_from)]

    def named(self, platform: str = "") -> Iterator[tuple[Seen, Item, Any]]:
        """The stored posts that exist, of one platform or of all."""
        for seen, row in self.posts.items():
            if seen in self.items and (not platform or self.accounts[seen[0]].platform == platform):
                yield seen, self.items[seen], row


def rows(frame: pd.DataFrame) -> list[Any]:
    """The rows, each with the columns as its attributes."""
    return list(frame.itertuples())


def name_of(account: Account, item: Item) -> str:
    """The platform's own id of an item; the number of an article on a website."""
    match account.platform:
        case "facebook":
            return reel_number(item) if item.kind == "reel" else f"{account.id}_{post_number(item)}"
        case "tiktok":
            return tiktok.video_id(item)
        case "youtube":
            return youtube_videos.video_id(account, item)
        case "zalo":
            return f"mau-{account.id}-{item.number}"
        case _:
            return str(item.number)


def stored_name(account: Account, row: Any) -> str:
    if account.platform != "website":
        return str(row.platform_id)
    found = NUMBER_IN_LINK.search(row.link)
    return (found[1] or found[2]) if found else row.link


def is_public(item: Item, at: datetime) -> bool:
    return item.published_at <= at and (item.gone_at is None or at < item.gone_at)


def with_spells(world: World, spells_of: Callable[[Account], Sequence[Spell]]) -> World:
    """The same world with more trouble."""
    accounts = [replace(one, spells=sorted([*one.spells, *spells_of(one)], key=_start)) for one in world.accounts]
    return replace(world, accounts=accounts)


def random_spells(world: World, account: Account) -> list[Spell]:
    """Every trouble strikes one account in three for some hours or days; a zeroed count is gone the next day."""
    dice = chance(world.seed, account.slug, "more trouble")
    days = (world.end - world.start) // DAY
    spells = []
    for trouble in Trouble:
        start = world.start + timedelta(hours=dice.randrange(24 * days))
        length = timedelta(hours=20 if trouble is Trouble.ZERO else dice.choice((8, 20, 30, 54, 100)))
        if dice.random() < 0.33 and not (account.platform == "website" and trouble is Trouble.SLOW):
            spells.append(Spell(trouble, start, start + length))
    return spells


def _start(spell: Spell) -> datetime:
    return spell.start


def played(folder: Path, story: Story, change: Callable[[World], World] = lambda world: world) -> Play:
    """Play *story*, whose world *change* may change before it is served."""
    cast_of_story = make_district(story.seed, story.units, story.start, story.days)
    world, clock, gone = change(tell(cast_of_story)), [story.start], list[tuple[datetime, Seen]]()

    @contextmanager
    def watched(_: int) -> Iterator[Callable[[], None]]:
        yield lambda: gone.extend((clock[0], seen) for seen in gone_now(folder))

    with hosted(world, lambda: clock[0]) as served:
        stage = Stage(served, clock)
        told = play(folder, story, cast("Child", stage), watched)
    first, last = (local_date(at, ZONE) for at in (story.start + DAY, story.until))
    result = Play(world, load_config(folder), Period(first, last, ZONE), told.report.violations, gone)
    result.frames = frames(folder, story, result)
    return result


def gone_now(folder: Path) -> list[Seen]:
    """The posts that the store calls gone at this moment, by the platform's own id."""
    statement = select(channel.c.slug, post.c.platform_id).join(post, post.c.channel_id == channel.c.id)
    with open_store(database_url(folder, {})) as store:
        rows = store.database.read(lambda one: one.execute(statement.where(post.c.gone_at.is_not(None))).all())
    return [(row.slug, row.platform_id) for row in rows]


def frames(folder: Path, story: Story, play: Play) -> dict[str, pd.DataFrame]:
    """What the store gives out after the story."""
    moments = [story.start + DAY * day for day in range(story.days + 1)]
    with open_store(database_url(folder, {})) as store:
        posts = store.posts(story.start - BEFORE, story.until + BEFORE)
        return {
            "posts": posts,
            "labels": store.labels(posts["id"].tolist()),
            "looks": store.looks(story.start - BEFORE, story.until + BEFORE),
            "series": store.series(story.start - 3 * BEFORE, story.until + BEFORE),
            "values": store.value_at(moments),
            "cells": checking.check_motto(play.config, store, play.period, story.until),
        }
