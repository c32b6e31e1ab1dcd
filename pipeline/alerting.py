"""The alerts of a running program: judge, hold a round, deliver, and say that it was done."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import pandas as pd

from alerts.delivery import Sent, deliver
from alerts.hours import digest_moment
from alerts.round import Round, hold_round
from alerts.transports import Means, open_transports
from collectors.base import CollectError
from config.models import Config
from pipeline.bot_door import bot_door
from pipeline.clock import Clock
from pipeline.outfit import open_client
from pipeline.watching import checked, watch
from store.errors import StoreError
from store.records import EVER
from store.verbs import Store

log = logging.getLogger(__name__)

EVERY = timedelta(minutes=15)
"""So often a round is held without anything new."""
CHECK_EVERY = timedelta(hours=6)
"""So long what the check said is used: plans move slowly, and judging thousands of units takes seconds."""
SCHEDULE, ALERTS = "schedule", "alerts"
"""The beats: every tick of `nhip run`, and every round in which all rules could be judged."""


@dataclass(frozen=True, slots=True)
class Told:
    """What one turn of the alerts did."""

    round: Round
    sent: Sent


class Alerting:
    """What one process remembers between the rounds: what the check said, and when it last looked."""

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self._config: Config | None = None
        self._said = pd.DataFrame()
        self._said_at = self._held_at = EVER

    def is_due(self, now: datetime, *, news: bool) -> bool:
        """Whether a round is worth holding: something was read, or a while has passed."""
        return news or not timedelta(0) <= now - self._held_at < EVERY

    async def turn(self, config: Config, store: Store, clock: Clock) -> Told:
        """Hold a round, deliver what is due, beat, and tell the watchman outside."""
        try:
            held = await asyncio.to_thread(self._hold, config, store, clock())
        finally:  # what lies in the outbox leaves all the same
            sent = await self.deliver(config, store, clock)
        if not held.crashed:
            await asyncio.to_thread(store.beat, ALERTS, clock())
            await ping(config, clock)
        return Told(held, sent)

    async def deliver(self, config: Config, store: Store, clock: Clock) -> Sent:
        """Send what lies in the outbox and is due."""
        async with open_client(config, clock) as client:
            transports = open_transports(Means(config, bot_door(client)))
            return await deliver(config, store, transports, clock, self._owner)

    def _hold(self, config: Config, store: Store, now: datetime) -> Round:
        """One round; when a bug ends it, the next one is held after the usual while."""
        self._held_at = now
        try:
            said = self._check(config, store, now)
            return hold_round(config, store, watch(config, store, now, store.cases(), said))
        except StoreError:
            self._held_at = EVER
            raise

    def _check(self, config: Config, store: Store, now: datetime) -> pd.DataFrame:
        """What the check says, asked again when that is a while ago.

        After a crash nothing at all: the rules that read it crash too and leave their cases as they are.
        """
        if config is not self._config or self.is_stale(config, self._said_at, now):
            try:
                self._said, self._said_at, self._config = checked(config, store, now), now, config
            except StoreError:
                raise
            except Exception:
                log.exception("check crashed")
                return pd.DataFrame()
        return self._said

    def is_stale(self, config: Config, said_at: datetime, now: datetime) -> bool:
        """Whether what was said then must be asked again: after a while, and once more before the day's digest."""
        if not timedelta(0) <= now - said_at < CHECK_EVERY:
            return True
        digest, earlier = (digest_moment(at, config.alerts.hours, config.district) for at in (now, said_at))
        return digest is not None and (earlier is None or earlier.day != digest.day)


async def ping(config: Config, clock: Clock) -> None:
    """Tell the watchman outside, if there is one, that a round went well; his troubles are not ours."""
    if config.alerts.ping is None:
        return
    try:
        async with open_client(config, clock) as client:
            await client.get(config.alerts.ping, expect=range(200, 600))
    except CollectError as error:
        host = urlsplit(config.alerts.ping).hostname  # the rest of such an address is a secret
        log.warning("watchman not reached", extra={"host": host, "kind": error.kind.value})
