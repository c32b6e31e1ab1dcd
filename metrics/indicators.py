"""What can be measured: the plans name an indicator of this list, and parameterise it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from metrics import telling
from metrics.asking import Ask, Facts, Measured
from metrics.duty import task
from metrics.engagement import engagement_proxy
from metrics.growth import audience_growth
from metrics.pace import Pace
from metrics.presence import channel_presence, site_presence
from metrics.rhythm import daily_item, weekly_item
from metrics.share import reported_count, reported_growth, reported_share
from metrics.telling import Tell


@dataclass(frozen=True)
class Indicator:
    """How something is measured, how it is expected to come about, and how it is told."""

    measure: Callable[[Facts, Ask], Measured]
    pace: Pace
    tell: Tell
    proxy: bool = False
    """True: it stands in for the official value and never decides a target; ask `progress` with no number."""

    counts: bool = False
    """True: it answers in numbers, not in ratios, and so must its target be."""


INDICATORS: dict[str, Indicator] = {
    "audience_growth": Indicator(audience_growth, Pace.LINE, telling.growth),
    "channel_presence": Indicator(channel_presence, Pace.LEVEL, telling.channels),
    "daily_item": Indicator(daily_item, Pace.SO_FAR, telling.daily),
    "engagement_proxy": Indicator(engagement_proxy, Pace.LEVEL, telling.proxy, proxy=True),
    "reported_count": Indicator(reported_count, Pace.LINE, telling.count, counts=True),
    "reported_growth": Indicator(reported_growth, Pace.LINE, telling.heads),
    "reported_share": Indicator(reported_share, Pace.LEVEL, telling.share),
    "site_presence": Indicator(site_presence, Pace.LEVEL, telling.sites),
    "task": Indicator(task, Pace.LEVEL, telling.duty),
    "weekly_item": Indicator(weekly_item, Pace.SO_FAR, telling.weekly),
}
