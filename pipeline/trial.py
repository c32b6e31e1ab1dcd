"""Trying a fresh consent before it is kept: one gentle look, of which nothing is written down.

A browser that is signed in to another account is the commonest slip, and a wrong token must not replace a good one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass

from collectors import tiktok, youtube, zalo
from collectors.base import Collect, CollectError, Credentials, Look, Wallet
from config.models import Channel, Config
from pipeline import jobs
from pipeline.clock import Clock
from pipeline.examination import BUG, GLANCE, SLOW
from pipeline.outfit import open_outfit
from store.records import FailureKind, Reading, Slot, Source, TakenSlot
from store.verbs import Store

REFUSING = frozenset({FailureKind.AUTH, FailureKind.PERMISSION, FailureKind.GONE})
"""What says that these credentials do not open this channel; anything else may pass by itself."""
NOT_OWNER = (
    "Tài khoản Google vừa cho phép không phải chủ kênh YouTube này. Đề nghị chạy lại lệnh này, đăng nhập tài khoản "
    "chủ kênh và chọn đúng kênh."
)
FRESH_REFUSED = (
    "Nền tảng không nhận mã truy cập vừa được cấp. Đề nghị chạy lại lệnh này bằng tài khoản quản trị của kênh."
)

log = logging.getLogger(__name__)


async def _youtube(channel: Channel, look: Look) -> Reading:
    """The look itself reads on with another's consent, as with a plain key; a new consent has to be the owner's."""
    reading = await youtube.collect(channel, look)
    if any(one.source is Source.YOUTUBE_KEY for one in reading.snapshots):
        raise CollectError(FailureKind.AUTH, "another YouTube channel was connected", sentence=NOT_OWNER)
    return reading


TRIALS: Mapping[str, Collect] = {
    "tiktok": tiktok.collect,
    "tiktok-business": tiktok.collect_business,
    "youtube": _youtube,
    "zalo": zalo.collect,
}
"""How a consent for one channel is tried; a shared one is judged by the list of what it opens."""


@dataclass(frozen=True, slots=True)
class TrialWallet:
    """The fresh credentials for their own grant, the stored ones for all others."""

    grant: str
    fresh: Credentials
    stored: Wallet

    async def open(self, grant: str) -> Credentials:
        return self.fresh if grant == self.grant else await self.stored.open(grant)

    async def renew(self, grant: str, refused: Credentials) -> Credentials:
        """Nothing is newer than what was granted a moment ago."""
        if grant == self.grant:
            raise CollectError(FailureKind.AUTH, f"fresh {grant} token refused", sentence=FRESH_REFUSED)
        return await self.stored.renew(grant, refused)


async def try_out(
    config: Config, store: Store, clock: Clock, channel: Channel, grant: str, fresh: Credentials, collect: Collect
) -> CollectError | None:
    """What went wrong when *channel* was looked at with *fresh* credentials for *grant*; None when nothing did."""
    async with open_outfit(config, store, clock) as outfit:
        now = clock()
        look = outfit.look(channel, TakenSlot(Slot(channel.slug, now), "connect", 1, now))
        look.back_to = now - GLANCE
        look.wallet = TrialWallet(grant, fresh, look.wallet)
        try:
            async with asyncio.timeout(jobs.LOOK_DEADLINE.total_seconds()):
                await collect(channel, look)
        except CollectError as error:
            return error
        except TimeoutError:
            return CollectError(FailureKind.NETWORK, "trial too slow", sentence=SLOW)
        except Exception:  # a bug in a collector must not lose a good consent
            log.exception("trial crashed", extra={"channel": channel.slug})
            return CollectError(FailureKind.DRIFT, "trial crashed", sentence=BUG)
    return None
