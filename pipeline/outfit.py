"""What looks need beside their slot: the way out at the right pace, credentials, allowances, and a short memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from collectors import CONSENTS
from collectors.base import Look
from collectors.client import Client
from collectors.guard import parse
from collectors.turns import Pace
from config.models import Channel, Config, District, Organisation
from config.platforms import Platform
from pipeline.clock import Clock
from pipeline.keyring import Keyring
from pipeline.meter import StoreMeter
from store.records import TakenSlot
from store.vault import Vault
from store.verbs import Store


@dataclass(frozen=True)
class Outfit:
    """Everything that looks share; for one event loop."""

    config: Config
    client: Client
    clock: Clock
    keyring: Keyring
    meter: StoreMeter
    memory: dict[str, Any] = field(default_factory=dict, repr=False)

    def look(self, channel: Channel, taken: TakenSlot) -> Look:
        """One look at *channel*, now."""
        district = self.config.district
        return Look(
            self.client,
            now=self.clock(),
            zone=district.tz,
            cursor=taken.cursor,
            platforms=district.platforms,
            wallet=self.keyring.wallet(channel),
            meter=self.meter,
            back_to=_first_moment(district),
            memory=self.memory,
        )


def _first_moment(district: District) -> datetime | None:
    day = district.schedule.back_to
    return datetime.combine(day, time(), tzinfo=district.tz).astimezone(UTC) if day else None


@asynccontextmanager
async def open_outfit(config: Config, store: Store, clock: Clock) -> AsyncIterator[Outfit]:
    """The outfit of one round or of many; what was spent is written down at the end."""
    async with open_client(config, clock) as client:
        keyring = Keyring(store, Vault(config.folder), config, client, clock, CONSENTS)
        meter = StoreMeter(store, clock)
        try:
            yield Outfit(config, client, clock, keyring, meter)
        finally:
            await asyncio.to_thread(meter.flush)


@asynccontextmanager
async def open_client(config: Config, clock: Clock) -> AsyncIterator[Client]:
    """The way out, with the limits of district.toml."""
    network = config.district.network
    async with Client(
        contact=config.district.organisation.contact,
        allow=network.allow,
        concurrent=network.concurrent,
        gap_seconds=network.gap_seconds,
        deadline_seconds=network.deadline_seconds,
        trust=extra_certificates(config),
        paces=dict(_paces(config.district)),
        now=clock,
    ) as client:
        yield client


def _paces(district: District) -> Iterator[tuple[str, Pace]]:
    """The pace of every address of a platform, by host and port."""
    for _, settings in district.platforms:
        assert isinstance(settings, Platform)
        pace = Pace(settings.concurrent, settings.gap_seconds)
        for name, address in settings:
            if name.endswith("base"):
                yield parse(str(address)).authority, pace


def extra_certificates(config: Config) -> dict[str, Path]:
    """Host -> PEM file, for sites that forget to send an intermediate certificate."""
    return {
        urlsplit(channel.address).hostname or "": config.folder / channel.website.ca_bundle
        for channel in config.watched()
        if channel.website.ca_bundle
    }


def bare_config(folder: Path) -> Config:
    """The usual limits without any configuration, to try an address before there is a district."""
    organisation = Organisation(name="Nhịp Đoàn", contact="chưa khai báo")
    return Config(folder, District(organisation=organisation, kinds={}, labels={}), units={}, channels={})
