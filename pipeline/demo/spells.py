"""What breaks in the simulated district, where and for how long; most of it late, when every day is looked at."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple

from pipeline.demo.district import ZONE, DemoChannel, District, Plot, chance
from pipeline.demo.world import Spell, Trouble

TOKEN_DIES_BEFORE_END = 21
FOR_EVER = timedelta(days=4000)
LAST_DAY = timedelta(days=1)
JUST_AFTER = timedelta(seconds=1)
EVERYBODY = -1


class Incident(NamedTuple):
    """A trouble of the n-th account of a platform, from a local midnight this many days before the end."""

    trouble: Trouble
    platform: str
    nth: int
    days_before_end: int
    hours: int


INCIDENTS = (
    Incident(Trouble.ZERO, "facebook", 4, 61, 24),
    Incident(Trouble.ZERO, "tiktok", 2, 47, 24),
    Incident(Trouble.OUTAGE, "facebook", 5, 52, 20),
    Incident(Trouble.OUTAGE, "website", 1, 33, 42),
    Incident(Trouble.OUTAGE, "website", 6, 75, 20),
    Incident(Trouble.HTML, "facebook", 6, 44, 20),
    Incident(Trouble.HTML, "website", 2, 26, 42),
    Incident(Trouble.HTML, "tiktok", 3, 82, 20),
    Incident(Trouble.THROTTLED, "facebook", 7, 39, 20),
    Incident(Trouble.THROTTLED, "tiktok", 1, 58, 20),
    Incident(Trouble.THROTTLED, "website", 7, 54, 20),
    Incident(Trouble.SLOW, "website", 8, 30, 10),
    Incident(Trouble.PERMISSION, "tiktok", 4, 69, 96),
    Incident(Trouble.PERMISSION, "facebook", 9, 90, 72),
    Incident(Trouble.EMPTY_WITH_MORE, "tiktok", 5, 36, 20),
    Incident(Trouble.SHORT_LIST, "tiktok", 6, 41, 42),
    Incident(Trouble.TOO_MUCH_DATA, "facebook", 1, 50, 168),
    Incident(Trouble.FEED_DOWN, "youtube", EVERYBODY, 20, 42),
    Incident(Trouble.UNPUBLISHED, "facebook", 10, 110, 120),
    Incident(Trouble.UNPUBLISHED, "website", 9, 64, 66),
    Incident(Trouble.REELS_DENIED, "facebook", 8, 150, 24 * 4000),
)
ZERO_AT_LAST = ("zalo", 1)
"""The n-th account of a platform that reads zero at the very last look, so that one count waits for a person."""
SMALL_TROUBLES = {
    "facebook": (Trouble.OUTAGE, Trouble.THROTTLED, Trouble.HTML),
    "tiktok": (Trouble.OUTAGE, Trouble.THROTTLED, Trouble.SHORT_LIST),
    "youtube": (Trouble.OUTAGE,),
    "zalo": (Trouble.OUTAGE,),
    "website": (Trouble.OUTAGE, Trouble.HTML, Trouble.THROTTLED),
}
SMALL_TROUBLE_SHARE = 0.12


def spells_of(district: District, channel: DemoChannel) -> list[Spell]:
    """The troubles of one channel within the story, by their start."""
    spells = [*_plotted(district, channel), *_happened(district, channel), *_small(district, channel)]
    return sorted((spell for spell in spells if spell.until > district.start), key=lambda spell: spell.start)


def _plotted(district: District, channel: DemoChannel) -> list[Spell]:
    """Troubles that belong to the channel itself and do not end."""
    spells = []
    if Plot.TOKEN_DIES in channel.plots:
        start = _midnight_before_end(district, TOKEN_DIES_BEFORE_END)
        spells.append(Spell(Trouble.TOKEN_DEAD, start, start + FOR_EVER))
    if Plot.HIDDEN in channel.plots:
        start = district.start - FOR_EVER
        spells.append(Spell(Trouble.HIDDEN, start, district.end + FOR_EVER))
    return spells


def _happened(district: District, channel: DemoChannel) -> list[Spell]:
    place = district.places[channel.slug]
    spells = [
        _spell(district, incident.trouble, incident.days_before_end, incident.hours)
        for incident in INCIDENTS
        if incident.platform == channel.platform and incident.nth in {EVERYBODY, place}
    ]
    return [*spells, _zero_at_last(district)] if (channel.platform, place) == ZERO_AT_LAST else spells


def _zero_at_last(district: District) -> Spell:
    """The day that ends with the story's last moment, which is a look's moment too."""
    end = district.end + JUST_AFTER
    return Spell(Trouble.ZERO, end - LAST_DAY, end)


def _small(district: District, channel: DemoChannel) -> list[Spell]:
    """Now and then something small breaks anywhere."""
    dice = chance(district.seed, channel.slug, "spells")
    if dice.random() >= SMALL_TROUBLE_SHARE:
        return []
    days = (district.end - district.start).days
    trouble = dice.choice(SMALL_TROUBLES[channel.platform])
    return [_spell(district, trouble, dice.randrange(max(days, 1)), dice.choice((10, 16, 18)))]


def _spell(district: District, trouble: Trouble, days_before_end: int, hours: int) -> Spell:
    start = _midnight_before_end(district, days_before_end)
    return Spell(trouble, start, start + timedelta(hours=hours))


def _midnight_before_end(district: District, days: int) -> datetime:
    day = (district.end - timedelta(days=days)).astimezone(ZONE).date()
    return datetime.combine(day, time.min, ZONE).astimezone(UTC)
