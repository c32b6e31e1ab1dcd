"""Two hundred generated districts with outages, mergers and hand-overs: is every silence that can be proved found, and
no other one? Judged by an oracle that walks through every hour of every unit and knows nothing of the program.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any

import pandas as pd
import pytest

from config.models import Channel, Config, Unit
from metrics.quiet import Silent, quiet, stretches
from tests.metric_builders import HCMC, channel, config_of, looks, unit

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
FIRST = date(2026, 1, 5)
LENGTH = 64
"""Days, to 9 March, with Tết in them."""
TOGETHER = 40
"""So many districts share one configuration, to be judged at once: their units have nothing to do with each other.
One such world is judged in every test run, five in the soak: the 200 districts of the documents."""
FRESH = 14
"""Hours that a proof may be old: the longest time between two looks and two more."""
AFTER = 8
"""Working days until silence is due: seven and one of grace."""
TET = {date(2026, 2, 14) + n * DAY for n in range(9)}
BREAK = {date(2026, 2, 23) + n * DAY for n in range(7)}
KINDS = {
    "phuong": {"name": "Phường"},
    "truong": {
        "name": "Trường", "breaks": [{"name": "Nghỉ giữa kỳ", "start": "2026-02-23", "until": "2026-03-02"}],
    },
}  # fmt: skip
LOOKS_AT = (6, 18)
JUDGED_AT = 7
Hour = int
"""Whole hours since the midnight that begins the first day; local."""


def moment(hour: float) -> datetime:
    return datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=HCMC).astimezone(UTC) + hour * HOUR


@dataclass
class Look:
    started: Hour
    covers: Hour
    kind: str


@dataclass
class Page:
    """A channel as it really is: who owns it when (day numbers), what it published, how it was looked at."""

    slug: str
    owners: list[tuple[str, int, int]]
    published: list[Hour] = field(default_factory=list)
    seen: dict[Hour, Hour] = field(default_factory=dict)
    looks: list[Look] = field(default_factory=list)


@dataclass
class Folk:
    """A unit as it really is: in force on [start, until), following others."""

    slug: str
    kind: str
    start: int = 0
    until: int = LENGTH
    before: tuple[str, ...] = ()
    heir: str | None = None


@dataclass
class World:
    folks: dict[str, Folk] = field(default_factory=dict)
    pages: list[Page] = field(default_factory=list)
    weekends: bool = False

    def rests(self, kind: str, day: int) -> bool:
        when = FIRST + day * DAY
        return when in TET or (self.weekends and when.weekday() >= 5) or (kind == "truong" and when in BREAK)


# --- how a district comes about -----------------------------------------------------------------------------------


def a_world(seed: int) -> World:
    world = World(weekends=seed % 2 == 0)
    for number in range(TOGETHER):
        add_district(world, Random(seed * 1_000 + number), f"d{number}")
    return world


def add_district(world: World, random: Random, name: str) -> None:
    """Three plain units, two that merge into one, and two between which a page changes hands."""
    day, other = random.randrange(15, 45), random.randrange(15, 45)
    kinds = [random.choice(sorted(KINDS)) for _ in range(8)]
    old = tuple(f"{name}-old{n}" for n in range(2))
    folks = [Folk(f"{name}-u{n}", kinds[n]) for n in range(3)]
    folks += [Folk(slug, kinds[3], until=day, heir=f"{name}-new") for slug in old]
    folks += [
        Folk(f"{name}-new", kinds[4], start=day, before=old),
        *[Folk(f"{name}-h{n}", kinds[5 + n]) for n in range(2)],
    ]
    world.folks |= {folk.slug: folk for folk in folks}
    pages = [Page(f"{name}-p{n}", [(f"{name}-u{n // 2}", 0, LENGTH)]) for n in range(random.randrange(3, 6))]
    pages += [
        Page(f"{name}-m0", [(old[0], 0, day), (f"{name}-new", day, LENGTH)]),
        Page(f"{name}-m1", [(old[1], 0, day)]),
    ]
    pages += [
        Page(f"{name}-s", [(f"{name}-h0", 0, other), (f"{name}-h1", other, LENGTH)]),
        Page(f"{name}-t", [(f"{name}-h1", 0, LENGTH)]),
    ]
    for page in pages:
        live(page, random)
        watch(page, random)
    world.pages += pages


def live(page: Page, random: Random) -> None:
    """It publishes every few days; most pages fall silent once or more, some never begin."""
    hour = random.randrange(0, 72)
    silences = random.choice([0, 1, 1, 2])
    stops = sorted(random.randrange(4, LENGTH) * 24 for _ in range(silences))
    while hour < LENGTH * 24 and random.random() > 0.004:
        if stops and hour >= stops[0]:
            stops.pop(0)
            hour += random.randrange(5, 40) * 24
            continue
        page.published.append(hour)
        hour += random.randrange(6, 90)


def watch(page: Page, random: Random) -> None:
    """Two looks a day, some of them late; outages of many kinds, and sources that reach back far or not."""
    width = random.choice([1, 2, 9, LENGTH * 48])
    outages = [
        (start := random.randrange(LENGTH), start + random.randrange(1, 9)) for _ in range(random.choice([0, 0, 1, 2]))
    ]
    trouble = random.choice(["failed", "partial", "missing"])
    for day in range(LENGTH):
        bad = any(first <= day < end for first, end in outages) or random.random() < 0.02
        for hour in LOOKS_AT:
            started = day * 24 + hour + (random.randrange(0, 6) if random.random() < 0.05 else 0)
            kind = trouble if bad else "ok"
            if kind != "missing":
                look_at(page, Look(started, started - width * 24, kind), random)


def look_at(page: Page, look: Look, random: Random) -> None:
    page.looks.append(look)
    if look.kind == "failed":
        return
    for hour in page.published:
        if look.covers <= hour < look.started and (look.kind == "ok" or random.random() < 0.5):
            page.seen.setdefault(hour, look.started)


# --- the oracle: hour by hour, in plain loops ----------------------------------------------------------------------


@dataclass(frozen=True)
class Verdict:
    state: str
    clock: Hour | None = None


class Oracle:
    def __init__(self, world: World) -> None:
        self.world = world
        self.read: dict[str, dict[Hour, Hour]] = {}
        self.family = {slug: self._family(folk) for slug, folk in world.folks.items()}

    def _family(self, folk: Folk) -> list[str]:
        return [name for old in folk.before for name in (old, *self._family(self.world.folks[old]))]

    def due(self, folk: Folk, hour: Hour) -> Hour:
        """The midnight after the eighth working day behind the day of this hour."""
        day, left = hour // 24, AFTER
        while left:
            day += 1
            left -= not self.world.rests(folk.kind, day)
        return (day + 1) * 24

    def spoken(self, names: list[str]) -> list[tuple[Page, Hour, Hour]]:
        return [
            (page, first * 24, end * 24)
            for page in self.world.pages
            for owner, first, end in page.owners
            if owner in names
        ]

    def judge(self, folk: Folk, now: Hour) -> Verdict:
        parts = [part for part in self.spoken([folk.slug]) if part[1] <= now]
        last = self.last(parts, now)
        if last is None:
            parts += self.spoken(self.family[folk.slug])
            last = self.last(parts, now)
        if not parts:
            return Verdict("unknown")
        base = min(first for _, first, _ in parts) if last is None else last
        if now < self.due(folk, base):
            return Verdict("active", base)
        held = any(first <= now < end for _, first, end in parts)
        proved = self.is_proved(folk, parts, base, now)
        if self.world.rests(folk.kind, now // 24) and (held or proved):
            return Verdict("resting")
        if not proved:
            return Verdict("unknown")
        return Verdict("quiet", self.watched(parts, now) if last is None else last)

    def last(self, parts: list[tuple[Page, Hour, Hour]], now: Hour) -> Hour | None:
        known = [
            hour
            for page, first, end in parts
            for hour, seen in page.seen.items()
            if first <= hour < end and seen <= now
        ]
        return max(known, default=None)

    def watched(self, parts: list[tuple[Page, Hour, Hour]], now: Hour) -> Hour:
        """The first hour of which a complete look at one of the pages tells anything."""
        good = [
            (max(first, look.covers), end)
            for page, first, end in parts
            for look in page.looks
            if look.kind == "ok" and look.started <= now
        ]
        return min(hour for hour, end in good if hour < end)

    def is_proved(self, folk: Folk, parts: list[tuple[Page, Hour, Hour]], base: Hour, now: Hour) -> bool:
        """Whether a stretch of silence is read without a gap up to its own deadline and up to the newest looks."""
        read = [(first, end, self.hours_read(page)) for page, first, end in parts]
        begun = None
        for hour in range(base, now + 1):
            owned = [hours for first, end, hours in read if first <= hour < end]
            if owned and all(hours.get(hour, now + 1) <= now for hours in owned):
                begun = hour if begun is None else begun
            elif begun is not None and hour >= now - FRESH and hour >= self.due(folk, begun):
                return True
            else:
                begun = None
        return False

    def hours_read(self, page: Page) -> dict[Hour, Hour]:
        """When a complete look first brought all of each hour."""
        if page.slug not in self.read:
            good = sorted((look.started, look.covers) for look in page.looks if look.kind == "ok")
            hours: dict[Hour, Hour] = {}
            for started, covers in good:
                for hour in range(max(0, covers), started):
                    hours.setdefault(hour, started)
            self.read[page.slug] = hours
        return self.read[page.slug]


# --- what the program says -----------------------------------------------------------------------------------------


def config_for(world: World) -> Config:
    rest = {"rest_weekdays": ["sat", "sun"]} if world.weekends else {}
    units = [a_unit(folk) for folk in world.folks.values()]
    return config_of(units, [a_channel(page) for page in world.pages], kinds=KINDS, calendar=rest)


def on(day: int) -> str | None:
    return None if day >= LENGTH else (FIRST + day * DAY).isoformat()


def a_unit(folk: Folk) -> Unit:
    more = {"successors": [folk.heir]} if folk.heir else {}
    return unit(folk.slug, str(on(folk.start)), on(folk.until), kind=folk.kind, **more)


def a_channel(page: Page) -> Channel:
    spans = [{"unit": owner, "start": on(first), "until": on(end)} for owner, first, end in page.owners]
    return channel(page.slug, owners=spans)


def looks_of(world: World) -> pd.DataFrame:
    rows = [
        {
            "channel": page.slug, "state": "failed" if look.kind == "failed" else "done", "complete": look.kind == "ok",
            "coverage_from": None if look.kind == "failed" else moment(look.covers), "started_at": moment(look.started),
        }
        for page in world.pages
        for look in page.looks
    ]  # fmt: skip
    return looks(*rows).assign(notes=pd.Series([()] * len(rows), dtype=object))


def last_posts(asked: pd.DataFrame, pages: dict[str, Page], now: Hour) -> pd.DataFrame:
    def newest(row: Any) -> Any:
        known = [moment(hour) for hour, seen in pages[row.channel].seen.items() if seen <= now]
        inside = [at for at in known if row.start <= at and (pd.isna(row.until) or at < row.until)]
        return max(inside, default=pd.NaT)

    def read(row: Any) -> Any:
        good = [look for look in pages[row.channel].looks if look.kind == "ok" and look.started <= now]
        return moment(min(look.covers for look in good)) if good else pd.NaT

    known = {"last_post_at": newest, "read_from": read}
    return asked.assign(
        **{name: pd.to_datetime([tell(row) for row in asked.itertuples()], utc=True) for name, tell in known.items()}
    )


def answers(world: World) -> Iterator[tuple[Hour, str, str, Hour | None, tuple[Hour | None, Hour | None]]]:
    """Hour, unit, state, clock and what is proved, every morning."""
    config, seen = config_for(world), looks_of(world)
    pages = {page.slug: page for page in world.pages}
    for day in range(12, LENGTH):
        now = day * 24 + JUDGED_AT
        asked = stretches(config, moment(now))
        frame = quiet(config, Silent(last_posts(asked, pages, now), seen), moment(now))
        for row in frame[frame["kind"] == "unit"].itertuples():
            proof = hour_of(row.proved_from), hour_of(row.proved_until)
            yield now, str(row.subject), str(row.state), hour_of(row.clock_from), proof


def hour_of(at: Any) -> Hour | None:
    return None if pd.isna(at) else round((at - moment(0)) / HOUR)


# --- the comparison ------------------------------------------------------------------------------------------------


@dataclass
class Table:
    """What came of it. A silence is one unit and the hour from which it is counted."""

    districts: int = 0
    unit_days: int = 0
    silences: set[Any] = field(default_factory=set)
    detected: set[Any] = field(default_factory=set)
    unknown: int = 0
    different: list[Any] = field(default_factory=list)
    untrue: list[Any] = field(default_factory=list)
    due_in_time: int = 0
    late: list[Any] = field(default_factory=list)

    def __str__(self) -> str:
        false, missed = len(self.detected - self.silences), len(self.silences - self.detected)
        precision, recall = 1 - false / len(self.detected), 1 - missed / len(self.silences)
        return (
            f"districts {self.districts}, unit days {self.unit_days}, of these unknown {self.unknown}; silences "
            f"{len(self.silences)}, detected {len(self.detected)}, false {false}, missed {missed}, untrue "
            f"{len(self.untrue)}; all looks good {self.due_in_time}, late {len(self.late)}; "
            f"precision {precision:.3f}, recall {recall:.3f}"
        )


def compare(world: World, name: int, table: Table) -> None:
    oracle = Oracle(world)
    opened: dict[Any, Hour] = {}
    for now, slug, state, clock, (first, end) in answers(world):
        folk = world.folks[slug]
        verdict = oracle.judge(folk, now)
        table.unit_days += 1
        table.unknown += verdict.state == "unknown"
        if state != verdict.state or (state == "quiet" and clock != verdict.clock):
            table.different.append((name, slug, now, state, clock, verdict))
        if verdict.state == "quiet":
            table.silences.add((name, slug, verdict.clock))
        if state == "quiet" and clock is not None and first is not None and end is not None:
            table.detected.add((name, slug, clock))
            opened.setdefault((slug, clock), now)
            if speaks(oracle, folk, first, end) or not oracle.due(folk, first) <= end >= now - FRESH:
                table.untrue.append((name, slug, now))
    for slug, clock, told in plain_silences(oracle):
        table.due_in_time += 1
        if opened.get((slug, clock)) != told:
            table.late.append((name, slug, clock, told))


def speaks(oracle: Oracle, folk: Folk, since: Hour, until: Hour) -> bool:
    """Whether in truth the unit published something in the time in which it is called silent."""
    parts = oracle.spoken([folk.slug])
    return any(since < hour < until and first <= hour < end for page, first, end in parts for hour in page.published)


def plain_silences(oracle: Oracle) -> Iterator[tuple[str, Hour, Hour]]:
    """True silences of which all looks succeeded, and the first working morning after their deadline."""
    for folk in oracle.world.folks.values():
        for clock, due in true_silences(oracle, folk):
            day = next(day for day in range(due // 24, LENGTH + 40) if not oracle.world.rests(folk.kind, day))
            told = day * 24 + JUDGED_AT
            if told < min(folk.until, LENGTH) * 24 and smooth(oracle, folk, clock, told):
                yield folk.slug, clock, told


def true_silences(oracle: Oracle, folk: Folk) -> Iterator[tuple[Hour, Hour]]:
    parts = oracle.spoken([folk.slug])
    items = sorted(hour for page, first, end in parts for hour in page.published if first <= hour < end)
    for hour, after in pairwise([*items, LENGTH * 48]):
        due = oracle.due(folk, hour)
        if due + 240 < after and due // 24 > 12:
            yield hour, due


def smooth(oracle: Oracle, folk: Folk, clock: Hour, told: Hour) -> bool:
    """Both looks of every day were complete and in time, on all the unit's pages."""
    pages = [page for page, first, end in oracle.spoken([folk.slug]) if first < told and end > clock]
    wanted = {
        day * 24 + hour for day in range(clock // 24, told // 24 + 1) for hour in LOOKS_AT if day * 24 + hour < told
    }
    held = any(first <= clock and end > told for _, first, end in oracle.spoken([folk.slug]))
    return held and all(wanted <= {look.started for look in page.looks if look.kind == "ok"} for page in pages)


@pytest.fixture(scope="module", params=[1, pytest.param(5, marks=pytest.mark.soak)])
def table(request: pytest.FixtureRequest) -> Table:
    found = Table()
    for number in range(request.param):
        compare(a_world(number), number, found)
        found.districts += TOGETHER
    print(f"\n{found}")  # noqa: T201 - the table for the documents, with -s
    return found


def test_every_silence_that_can_be_proved_is_found_and_no_other(table: Table):
    assert min(len(table.silences), table.unknown) > 1.5 * table.districts
    assert table.detected == table.silences, str(table)
    assert table.different == [], str(table)


def test_nobody_is_called_quiet_who_published(table: Table):
    assert table.untrue == []


def test_a_silence_is_told_within_a_day_of_its_deadline_when_all_looks_succeed(table: Table):
    assert table.due_in_time > table.districts / 8
    assert table.late == []
