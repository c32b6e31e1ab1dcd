"""Plays the simulated district: its days pass one after the other, and the real program looks at it.

Time is the pipeline's clock, which the servers are told. Everything else is what a real district goes through:
configuration, tokens, client, collectors, ledger, labels.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

from config.load import load_config
from config.models import Config
from config.secrets import Secret
from pipeline import checking, jobs
from pipeline.alerting import Alerting
from pipeline.demo import facebook, tiktok, youtube, zalo
from pipeline.demo.child import Child, Report
from pipeline.demo.district import District, make_district
from pipeline.demo.figures import hand_in, late_moments
from pipeline.demo.folder import write_folder
from pipeline.demo.keep import clear
from pipeline.demo.story import tell
from pipeline.demo.ticks import tick_off
from pipeline.demo.tokens import Seeded
from pipeline.demo.world import World
from pipeline.outfit import Outfit, open_outfit
from pipeline.schedule import scheduled_moments
from pipeline.secret_names import app_name, key_name
from pipeline.workplace import database_url
from store.records import TokenSet
from store.vault import Vault
from store.verbs import Store, create_store, open_store

SEED = 26
EVERY_DAY = timedelta(days=60)
"""Before that the year is looked at once a week, which keeps a demonstration under a minute."""
CHECK_EVERY = timedelta(weeks=2)
"""The alerts judge the plans that often; they begin with the daily looks."""
APP_SECRETS = {
    "facebook": facebook.APP_SECRET,
    "tiktok": tiktok.CLIENT_SECRET,
    "tiktok-business": tiktok.BUSINESS_CLIENT_SECRET,
    "youtube": youtube.CLIENT_SECRET,
    "zalo": zalo.APP_SECRET,
}


@dataclass(frozen=True, slots=True)
class Story:
    """Which district is played, and which days: `days` up to the last scheduled look before `until`."""

    units: int
    days: int
    until: datetime
    seed: int = SEED

    @property
    def start(self) -> datetime:
        return self.until - timedelta(days=self.days)

    @property
    def middle(self) -> datetime:
        return self.until - timedelta(days=self.days) / 2


@dataclass(frozen=True, slots=True)
class Played:
    """How it went."""

    slots: int
    looks: int
    figures: int
    ticks: int
    report: Report


class SimulatedClock:
    """The pipeline's clock of the simulated district; the servers are told whenever it is set."""

    def __init__(self, district: Child, now: datetime) -> None:
        self._district, self._now = district, now

    def __call__(self) -> datetime:
        return self._now

    def set(self, now: datetime) -> None:
        self._now = now
        self._district.set_clock(now)


Progress = Callable[[int], AbstractContextManager[Callable[[], None]]]
"""From a number of steps a block, in which a call says that one is done."""


class SeldomChecked(Alerting):
    """The alerts of the demonstration: the plans are judged once in a while, and when a late figure came in."""

    def __init__(self, owner: str, turning: Sequence[datetime]) -> None:
        super().__init__(owner)
        self._turning = turning

    def is_stale(self, config: Config, said_at: datetime, now: datetime) -> bool:
        return now - said_at >= CHECK_EVERY or any(said_at < moment <= now for moment in self._turning)


def play(folder: Path, story: Story, district: Child, progress: Progress) -> Played:
    """Play *story*, served by *district*, into *folder*."""
    clock = SimulatedClock(district, story.start)
    cast = make_district(story.seed, story.units, story.start, story.days)
    config = move_in(folder, cast, district)
    with open_store(database_url(folder, {})) as store:
        store.sync(config.units.values(), config.channels.values(), story.start)
        give_tokens(Vault(folder, {}), store, tell(cast))
        figures, ticks = hand_in(store, config, cast), tick_off(store, config, cast)
        alerts = SeldomChecked(jobs.worker_name(), late_moments(config, cast))
        slots, looks = asyncio.run(_days_pass(config, store, clock, story, alerts, progress))
    return Played(slots, looks, figures, ticks, district.report())


def move_in(folder: Path, cast: District, district: Child) -> Config:
    """The configuration and an empty database; an earlier demonstration there gives way, nothing else does."""
    clear(folder)
    write_folder(folder, cast, district.addresses)
    create_store(database_url(folder, {}), cast.start)
    return load_config(folder)


def give_tokens(vault: Vault, store: Store, world: World) -> None:
    """What the owners consented to before the story begins, and the secrets of our apps."""
    vault.create_key()
    tokens = store.tokens(vault)
    for name, some in _given(world):
        tokens.keep(name, some, world.start)


def _given(world: World) -> Iterator[tuple[str, TokenSet]]:
    for grant, secret in APP_SECRETS.items():
        yield app_name(grant), TokenSet(Secret(secret))
    yield key_name("youtube"), TokenSet(Secret(youtube.API_KEY))
    if world.on("facebook"):
        yield "facebook", TokenSet(Secret(facebook.system_token(world)))
    accounts = {account.slug: account.id for account in world.accounts}
    for grant, seeds in _consents(world):
        for slug, seeded in seeds.items():
            yield f"{grant}:{slug}", _token_set(seeded, accounts[slug])


def _consents(world: World) -> Iterator[tuple[str, dict[str, Seeded]]]:
    """Every second YouTube channel is read with its owner's consent, the others with the plain key."""
    yield "tiktok", tiktok.seed_tokens(world)
    yield "tiktok-business", dict(islice(tiktok.business_seed_tokens(world).items(), 1))
    yield "youtube", dict(islice(youtube.seed_tokens(world).items(), 0, None, 2))
    yield "zalo", zalo.seed_tokens(world)


def _token_set(seeded: Seeded, account: str) -> TokenSet:
    return TokenSet(
        access=Secret(seeded.access_token),
        refresh=Secret(seeded.refresh_token) if seeded.refresh_token else None,
        access_expires_at=seeded.expires_at,
        refresh_expires_at=seeded.refresh_expires_at,
        scopes=seeded.scopes,
        account=account,
    )


async def _days_pass(
    config: Config, store: Store, clock: SimulatedClock, story: Story, alerts: Alerting, progress: Progress
) -> tuple[int, int]:
    """All slots of the story, one after the other, through one outfit; how many slots and looks there were."""
    moments = looked_at(config, story)
    looks = 0
    with progress(len(moments)) as advance:
        async with open_outfit(config, store, clock) as outfit:
            for moment in moments:
                clock.set(moment)
                looks += await _one_slot(outfit, store, moment)
                if moment >= story.until - EVERY_DAY:
                    await alerts.turn(config, store, clock)
                advance()
    return len(moments), looks


def looked_at(config: Config, story: Story) -> list[datetime]:
    """The slots of the story, in order: one a week at first, every one in the last months."""
    moments = scheduled_moments(config.district.schedule, config.district.tz, story.start, story.until)
    daily_from = story.until - EVERY_DAY
    early = [moment for moment in moments if moment < daily_from]
    return early[::7] + moments[len(early) :]


async def _one_slot(outfit: Outfit, store: Store, moment: datetime) -> int:
    channels = [channel.slug for channel in jobs.collectable(outfit.config)]
    slots = await asyncio.to_thread(store.expected_slots, channels, [moment], moment)
    done = await jobs.collect_with(outfit, store, slots)
    await jobs.check_tokens(outfit)
    await asyncio.to_thread(checking.label_new_posts, outfit.config, store, moment)
    await asyncio.to_thread(jobs.let_go, store, moment)
    return len(done.results)
