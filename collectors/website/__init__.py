"""Websites of units: WordPress, NukeViet, Blogger, feeds, sitemaps and plain listing pages."""

from __future__ import annotations

from collectors.base import Look
from collectors.website import counter
from collectors.website.probe import ProbeResult, probe, read_auto
from collectors.website.visit import visit_of
from collectors.website.ways import WAYS
from config.models import Channel
from store.records import Reading

__all__ = ["WAYS", "ProbeResult", "collect", "probe"]


async def collect(channel: Channel, look: Look) -> Reading:
    """The posts of a website since the moment the reading states; CollectError when it could not be read."""
    visit = visit_of(channel, look)
    way, at = channel.website.way, channel.website.at
    searched = way == "auto" or (way == "feed" and at is None)
    reading = await (read_auto(visit) if searched else WAYS[way](visit))
    return await counter.added(reading, visit) if channel.website.counter else reading
