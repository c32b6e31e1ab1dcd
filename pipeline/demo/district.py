"""Who exists in the simulated district: units, their channels, and what is special about each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from itertools import count
from random import Random
from zoneinfo import ZoneInfo

from config.folding import fold

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
SMALLEST = 6
"""Fewer units than this have no room for the story."""
LONGEST_LIFE_BEFORE = timedelta(days=400)
"""How long accounts may have had followers when the story begins."""


class Temper(StrEnum):
    """How diligent a unit is."""

    STEADY = "steady"
    AVERAGE = "average"
    WEAK = "weak"


class Plot(StrEnum):
    """What is special about a unit or one of its channels."""

    QUIET = "quiet"  # posts nothing in the last five weeks
    TOKEN_DIES = "token-dies"  # noqa: S105 - the owner's consent ends three weeks before the end
    CLOSED = "closed"  # no post after the merger
    REELS_ONLY = "reels-only"
    TINY = "tiny"  # fewer than 100 followers
    HIDDEN = "hidden"  # hides the number of followers
    EMPTY = "empty"  # never published anything
    PURGED = "purged"  # a spam purge takes followers away overnight


class Fate(StrEnum):
    STAYS = "stays"
    MERGED = "merged"  # ends on the day of the merger
    BORN = "born"  # begins on that day, and takes over from the merged


@dataclass(frozen=True, slots=True)
class DemoUnit:
    """One unit, valid on `[start, until)`."""

    slug: str
    name: str
    kind: str
    start: date
    until: date | None = None
    successors: tuple[str, ...] = ()
    members: int | None = None


@dataclass(frozen=True, slots=True)
class DemoOwner:
    unit: str
    start: date
    until: date | None = None


@dataclass(frozen=True, slots=True)
class DemoChannel:
    """One channel: who owns it when, and what the story needs to know to fill it."""

    slug: str
    platform: str
    name: str
    owners: tuple[DemoOwner, ...]
    unit_kind: str
    temper: Temper
    main: bool = False
    """The unit's daily item appears here."""
    site: str = ""
    """How a website is made."""
    plots: frozenset[Plot] = frozenset()
    followers: int = 0
    """At the start of the story; 0 lets the story choose."""
    growth: float | None = None
    """Over a year; None lets the story choose."""


@dataclass(frozen=True)
class District:
    """The whole cast. Moments are UTC, days are local."""

    seed: int
    start: datetime
    end: datetime
    units: Sequence[DemoUnit]
    channels: Sequence[DemoChannel]

    @property
    def merger(self) -> date | None:
        """The first 1 July within the story, on which two wards become one; None when there is none."""
        return merger_within(self.start, self.end)

    @property
    def first_day(self) -> date:
        """The local day on which the story, its units and their channels begin."""
        return self.start.astimezone(ZONE).date()

    @cached_property
    def places(self) -> Mapping[str, int]:
        """By slug: the how-manieth channel of its platform it is, from 0."""
        counters: dict[str, Iterator[int]] = defaultdict(count)
        return {channel.slug: next(counters[channel.platform]) for channel in self.channels}


@dataclass(frozen=True, slots=True)
class Part:
    """One unit of the cast: «tiktok», «website:rss», and plots by platform; "" is for the whole unit."""

    name: str
    kind: str
    temper: Temper
    channels: tuple[str, ...]
    plots: tuple[tuple[str, Plot], ...] = ()
    fate: Fate = Fate.STAYS


STEADY, AVERAGE, WEAK = Temper
WARD, SCHOOL, AGENCY, COMPANY = "phuong", "truong-hoc", "co-quan", "doanh-nghiep"
TITLES = {WARD: "Đoàn phường", SCHOOL: "Đoàn trường THPT", AGENCY: "Đoàn cơ quan", COMPANY: "Đoàn công ty"}
PREFIXES = {"facebook": "fanpage", "tiktok": "tiktok", "youtube": "youtube", "zalo": "zalo", "website": "web"}
CHANNEL_NAMES = {
    "facebook": "Fanpage Tuổi trẻ {name} (mẫu)",
    "tiktok": "TikTok Nhịp trẻ {name} (mẫu)",
    "youtube": "YouTube Thanh niên {name} (mẫu)",
    "zalo": "Zalo OA Đoàn {name} (mẫu)",
    "website": "Trang tin {name} (mẫu)",
}

CAST = (
    Part("Bến Gió", WARD, STEADY, ("facebook", "tiktok", "website:rss"), (("", Plot.QUIET),)),
    Part("Cầu Mây", WARD, STEADY, ("facebook", "tiktok", "zalo"), (("facebook", Plot.TOKEN_DIES),)),
    Part("Nắng Mai", WARD, STEADY, ("facebook", "website:wordpress", "tiktok", "youtube")),
    Part("Sen Trắng", WARD, AVERAGE, ("facebook", "website:listing-dated"), fate=Fate.MERGED),
    Part("Rạch Xanh", WARD, AVERAGE, ("facebook", "tiktok"), (("facebook", Plot.CLOSED),), fate=Fate.MERGED),
    Part("Sen Xanh", WARD, STEADY, ("zalo", "youtube"), fate=Fate.BORN),
    Part("Hoa Sữa", SCHOOL, STEADY, ("website:nukeviet", "facebook", "youtube"), (("youtube", Plot.HIDDEN),)),
    Part("Phượng Đỏ", SCHOOL, AVERAGE, ("facebook", "tiktok", "website:blogger")),
    Part("Lưu trữ Mẫu", AGENCY, AVERAGE, ("website:sharepoint", "facebook", "zalo"), (("facebook", Plot.TINY),)),
    Part("May Sen", COMPANY, WEAK, ("website:sitemap", "facebook")),
    Part("Đồi Thông", WARD, AVERAGE, ("facebook", "website:atom", "youtube"), (("facebook", Plot.PURGED),)),
    Part("Sông Lặng", WARD, WEAK, ("facebook", "tiktok")),
    Part("Vườn Mít", WARD, AVERAGE, ("facebook", "website:wordpress-plain", "zalo")),
    Part("Bàng Xanh", SCHOOL, STEADY, ("facebook", "tiktok", "website:json")),
    Part("Gió Nam", WARD, AVERAGE, ("facebook", "tiktok"), (("facebook", Plot.REELS_ONLY),)),
    Part("Điệp Vàng", SCHOOL, WEAK, ("facebook", "youtube"), (("youtube", Plot.EMPTY),)),
    Part("Cồn Cát", WARD, STEADY, ("facebook", "website:joomla", "youtube")),
    Part("Mù U", SCHOOL, AVERAGE, ("facebook", "website:listing-undated", "tiktok")),
    Part("Giếng Trong", WARD, WEAK, ("facebook", "zalo", "tiktok")),
    Part("Trăng Rằm", WARD, STEADY, ("facebook", "tiktok", "youtube")),
)
FIRST_WORDS = ("Nắng", "Gió", "Sen", "Mây", "Sông", "Đồi", "Bến", "Cầu", "Vườn", "Rạch", "Trăng", "Lúa")
LAST_WORDS = ("Hồng", "Vàng", "Trong", "Đông", "Tây", "Thượng", "Hạ", "Ngọt", "Mới", "Bạc", "Biếc")
SITES = ("wordpress", "nukeviet", "rss", "atom", "joomla", "listing-dated", "blogger", "sharepoint", "json")


def make_district(seed: int, units: int, start: datetime, days: int) -> District:
    """A district of *units* grassroots units, at least six, beside the district union itself; the same for a seed.

    *start* is aware; the story is told for *days* days from there.
    """
    if units < SMALLEST:
        raise ValueError(f"a simulated district has {SMALLEST} units or more, not {units}")
    start = start.astimezone(UTC)
    end = start + timedelta(days=days)
    merger = merger_within(start, end)
    cast = CAST if merger else tuple(_unmerged(part) for part in CAST)
    parts = [*cast[:units], *(_extra(seed, number) for number in range(len(cast), units))]
    first = start.astimezone(ZONE).date()
    people = [_unit(part, seed, first, merger) for part in parts]
    channels = [channel for part in parts for channel in _channels(part, first, merger)]
    head = DemoUnit("quan-doan", "Quận Đoàn Sen Hồng (mẫu)", "quan-doan", first)
    return District(seed, start, end, [head, *people], [*_district_channels(first), *channels])


def merger_within(start: datetime, end: datetime) -> date | None:
    """The first 1 July with a whole local day before it and after it between two moments."""
    first, last = start.astimezone(ZONE).date(), end.astimezone(ZONE).date()
    day = date(first.year + (first >= date(first.year, 7, 1)), 7, 1)
    return day if day < last else None


def _unmerged(part: Part) -> Part:
    """The same unit in a story without a merger."""
    plots = tuple((where, plot) for where, plot in part.plots if plot is not Plot.CLOSED)
    return replace(part, fate=Fate.STAYS, plots=plots)


def chance(seed: int, *of: str) -> Random:
    """The dice for one question: the same for the same seed and words, whatever else is asked."""
    return Random(":".join((str(seed), *of)))  # noqa: S311 - a story, not a secret


def _extra(seed: int, number: int) -> Part:
    """One more unit for a larger district, about three channels each."""
    dice = chance(seed, "unit", str(number))
    round_, place = divmod(number, len(FIRST_WORDS) * len(LAST_WORDS))
    first, last = divmod(place, len(LAST_WORDS))
    name = f"{FIRST_WORDS[first]} {LAST_WORDS[last]}" + (f" {round_ + 1}" if round_ else "")
    kind = dice.choices((WARD, SCHOOL, AGENCY, COMPANY), (50, 35, 10, 5))[0]
    site = f"website:{SITES[number % len(SITES)]}"
    wanted = (("facebook", 1.0), (site, 0.6), ("tiktok", 0.55), ("youtube", 0.4), ("zalo", 0.45))
    channels = tuple(channel for channel, share in wanted if dice.random() < share)
    return Part(name, kind, dice.choices(tuple(Temper), (5, 3, 2))[0], channels)


def _slug(part: Part) -> str:
    return f"{part.kind.split('-')[0]}-{fold(part.name).replace(' ', '-')}"


def _unit(part: Part, seed: int, first: date, merger: date | None) -> DemoUnit:
    merged, born = part.fate is Fate.MERGED, part.fate is Fate.BORN
    return DemoUnit(
        _slug(part),
        f"{TITLES[part.kind]} {part.name} (mẫu)",
        part.kind,
        merger if born and merger else first,
        merger if merged else None,
        _with(Fate.BORN) if merged else (),
        sum(_members(seed, slug) for slug in (_with(Fate.MERGED) if born else (_slug(part),))),
    )


def _members(seed: int, slug: str) -> int:
    return chance(seed, slug, "members").randrange(40, 900)


def _with(fate: Fate) -> tuple[str, ...]:
    return tuple(_slug(part) for part in CAST if part.fate is fate)


def _channels(part: Part, first: date, merger: date | None) -> Iterator[DemoChannel]:
    for place, wanted in enumerate(part.channels):
        platform, _, site = wanted.partition(":")
        plots = frozenset(plot for where, plot in part.plots if where in {"", platform})
        yield DemoChannel(
            slug=f"{PREFIXES[platform]}-{_slug(part)}",
            platform=platform,
            name=CHANNEL_NAMES[platform].format(name=part.name),
            owners=_owners(part, first, merger, closed=Plot.CLOSED in plots),
            unit_kind=part.kind,
            temper=part.temper,
            main=place == 0,
            site=site,
            plots=plots,
        )


def _owners(part: Part, first: date, merger: date | None, *, closed: bool) -> tuple[DemoOwner, ...]:
    """Channels of merged units are handed over to the heir, unless they are closed."""
    slug = _slug(part)
    if merger is None or part.fate is Fate.STAYS:
        return (DemoOwner(slug, first),)
    if part.fate is Fate.BORN:
        return (DemoOwner(slug, merger),)
    before = DemoOwner(slug, first, merger)
    return (before,) if closed else (before, *(DemoOwner(heir, merger) for heir in _with(Fate.BORN)))


def _district_channels(first: date) -> Iterator[DemoChannel]:
    """The four channels of the plan and the district's Official Account; their growth decides the year's target."""
    owners = (DemoOwner("quan-doan", first),)
    for slug, platform, name, followers, growth in (
        ("fanpage-quan-doan", "facebook", "Fanpage Quận Đoàn Sen Hồng (mẫu)", 48_200, 0.034),
        ("fanpage-trong-toi", "facebook", "Fanpage Sen Hồng Trong Tôi (mẫu)", 21_400, 0.071),
        ("tiktok-trong-toi", "tiktok", "TikTok Sen Hồng Trong Tôi (mẫu)", 15_300, 0.128),
        ("youtube-trong-toi", "youtube", "YouTube Sen Hồng Trong Tôi (mẫu)", 3_420, 0.049),
        ("zalo-quan-doan", "zalo", "Zalo OA Quận Đoàn Sen Hồng (mẫu)", 6_150, 0.055),
    ):
        main = slug == "fanpage-quan-doan"
        yield DemoChannel(
            slug, platform, name, owners, "quan-doan", STEADY, main=main, followers=followers, growth=growth
        )
