"""The alerts of a running program: judge, hold a round, deliver, and say that it was done."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd

from alerts.delivery import Sent, deliver
from alerts.round import Round, hold_round
from alerts.transports import Means, open_transports
from collectors.base import CollectError
from config.models import Config
from pipeline.bot_door import bot_door
from pipeline.clock import Clock
from pipeline.outfit import open_client
from pipeline.watching import checked, watch
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

    def __init__(self, owner: str, check_every: timedelta = CHECK_EVERY) -> None:
        self._owner, self._check_every = owner, check_every
        self._said: pd.DataFrame | None = None
        self._said_at = self._held_at = EVER

    def is_due(self, now: datetime, *, news: bool) -> bool:
        """Whether a round is worth holding: something was read, or a while has passed."""
        return news or now - self._held_at >= EVERY

    async def turn(self, config: Config, store: Store, clock: Clock) -> Told:
        """Hold a round, deliver what is due, beat, and tell the watchman outside."""
        held = await asyncio.to_thread(self._hold, config, store, clock())
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
        said = self._check(config, store, now)
        self._held_at = now
        return hold_round(config, store, watch(config, store, now, store.cases(), said))

    def _check(self, config: Config, store: Store, now: datetime) -> pd.DataFrame:
        """What the check says, asked again when that is a while ago."""
        if self._said is None or now - self._said_at >= self._check_every:
            self._said, self._said_at = checked(config, store, now), now
        return self._said


async def ping(config: Config, clock: Clock) -> None:
    """Tell the watchman outside, if there is one, that a round went well; his troubles are not ours."""
    if config.alerts.ping is None:
        return
    try:
        async with open_client(config, clock) as client:
            await client.get(config.alerts.ping, expect=range(200, 600))
    except CollectError as error:
        log.warning("watchman not reached", extra={"detail": error.detail})
