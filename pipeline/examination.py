"""How every channel stands right now: looked at once, gently, and nothing is written down."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from collectors import COLLECTORS
from collectors.base import CollectError, Look
from collectors.website import probe as probe_site
from config.models import Channel
from pipeline import jobs
from pipeline.outfit import Outfit
from store.records import Reading, Slot, TakenSlot

GLANCE = timedelta(days=7)
"""How far back an examination reads."""
SLOW = "Trang trả lời quá chậm. Đề nghị thử lại sau."
BUG = "Chương trình gặp lỗi khi đọc trang này. Đề nghị báo người phụ trách kỹ thuật."

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Finding:
    """How one channel stands today: `fix` is empty when nothing has to be done."""

    channel: str
    name: str
    readable: bool
    way: str | None = None
    newest: datetime | None = None
    last_done_at: datetime | None = None
    fix: str = ""
    advice: str = ""


async def examine_all(outfit: Outfit, advance: Callable[[], None]) -> list[Finding]:
    """One finding per watched channel, in the order of the configuration; *advance* hears of each."""
    rooms = {platform: asyncio.Semaphore(jobs.width(outfit.config, platform)) for platform in COLLECTORS}

    async def examine(channel: Channel) -> Finding:
        async with rooms[channel.platform]:
            finding = await _examine(channel, outfit)
        advance()
        return finding

    return list(await asyncio.gather(*(examine(channel) for channel in outfit.config.watched())))


async def _examine(channel: Channel, outfit: Outfit) -> Finding:
    look = outfit.look(channel, TakenSlot(Slot(channel.slug, outfit.clock()), "doctor", 1, outfit.clock()))
    look.back_to = look.now - GLANCE
    try:
        async with asyncio.timeout(jobs.LOOK_DEADLINE.total_seconds()):
            return await (_probe if _is_searched(channel) else _read)(channel, look)
    except CollectError as error:
        return Finding(channel.slug, channel.name, readable=False, fix=error.sentence)
    except TimeoutError:
        return Finding(channel.slug, channel.name, readable=False, fix=SLOW)
    except Exception:  # a bug in one collector must not hide how the other channels are
        log.exception("examination crashed", extra={"channel": channel.slug})
        return Finding(channel.slug, channel.name, readable=False, fix=BUG)


def _is_searched(channel: Channel) -> bool:
    """Where the configuration names a way, that one is examined: a feed may be empty and still be read."""
    return channel.platform == "website" and channel.website.way == "auto"


async def _probe(channel: Channel, look: Look) -> Finding:
    found = await probe_site(channel.address, look, channel.website)
    if found.way is None:
        return Finding(channel.slug, channel.name, readable=False, fix=found.evidence[-1])
    advice = f"Nên ghi cố định: {found.toml()}"
    return Finding(channel.slug, channel.name, readable=True, way=found.way, newest=found.newest, advice=advice)


async def _read(channel: Channel, look: Look) -> Finding:
    reading = await COLLECTORS[channel.platform](channel, look)
    way = channel.website.way if channel.platform == "website" else channel.platform
    notes = " ".join(reading.notes)
    return Finding(channel.slug, channel.name, readable=True, way=way, newest=_newest(reading), advice=notes)


def _newest(reading: Reading) -> datetime | None:
    return max((post.published_at for post in reading.posts if post.published_at), default=None)
