"""What the store costs beside hand-written SQL: (b) recording, (c) the value at or before a moment."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from benchmarks.harness import Cost, compare, print_costs, print_goal
from config.models import Channel, Owner, Unit
from store.bulk import append
from store.records import LookResult, Reading, Slot, Snapshot, Source
from store.schema import epoch
from store.schema import snapshot as snapshot_table
from store.verbs import Store, create_store, open_store

START = datetime(2025, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
SNAPSHOTS = 100_000
METRICS = 4
HAND_WRITTEN = """
    WITH asked (moment) AS (VALUES (?), (?), (?))
    SELECT channel.slug, asked.moment, snapshot.observed_at, followers, likes, posts, views
    FROM channel CROSS JOIN asked LEFT JOIN snapshot ON snapshot.channel_id = channel.id
      AND snapshot.observed_at = (
        SELECT max(observed_at) FROM snapshot AS earlier
        WHERE earlier.channel_id = channel.id AND earlier.observed_at <= asked.moment)
"""
RAW_INSERT = "INSERT INTO snapshot VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"


def record() -> None:
    """(b) 100,000 snapshots through `record`, against executemany of ready tuples into the same table."""
    for channels, title in (
        (10, "10 readings of 10,000 snapshots"),
        (1_000, "1,000 readings of 100 snapshots"),
    ):
        with TemporaryDirectory() as folder:
            costs = _compare_recording(Path(folder), channels)
            print_costs(f"(b) record {title}", costs, "executemany")
            print_goal("CPU against executemany", costs["Store.record"].cpu / costs["executemany"].cpu, 3)
    for channels in (200, 1_000):
        with TemporaryDirectory() as folder:
            title = f"{channels:,} channels x {SNAPSHOTS // channels} days, as they arrive"
            table, file = _bytes_per_value(Path(folder) / "size.sqlite3", channels, SNAPSHOTS // channels)
        print_goal(f"{channels:,} channels x {SNAPSHOTS // channels} days as they arrive", table, 8, "bytes a value")
        print(f"           the whole file with its ledger of {SNAPSHOTS:,} looks: {file:.1f} bytes a value")


def value_at() -> None:
    """(c) Baseline, a week ago and now, for every channel and metric, as a frame."""
    costs: dict[tuple[int, int], Cost] = {}
    for channels, days in ((1_000, 730), (10_000, 730), (1_000, 3_650)):
        with TemporaryDirectory() as folder:
            found = _compare_seeking(Path(folder) / "history.sqlite3", channels, days)
        print_costs(f"(c) {channels:,} channels x {METRICS} metrics x {days:,} days", found, "hand-written SQL")
        costs[channels, days] = found["Store.value_at"]
    small, wide, long = costs.values()
    print_goal("10,000 channels", wide.cpu, 0.5, "s CPU")
    print_goal("10x the channels", wide.cpu / small.cpu, 11)
    print_goal("5x the history", long.cpu / small.cpu, 2.5)


def _compare_recording(folder: Path, channels: int) -> dict[str, Cost]:
    bench = _Recording(folder, channels, SNAPSHOTS // channels)
    contenders = {"executemany": bench.run_raw, "Store.record": bench.run_store}
    return compare(contenders, prepare=lambda _: bench.prepare())


class _Recording:
    """The same snapshots for both, into new databases for every run."""

    def __init__(self, folder: Path, channels: int, each: int) -> None:
        self.folder = folder
        self.numbers = count(1)
        self.slugs = [f"channel-{number}" for number in range(1, channels + 1)]
        self.readings = [Reading(tuple(_snapshot(at, n) for at in range(each))) for n in range(channels)]
        self.rows = [
            (number + 1, epoch(one.observed_at), 1, one.followers, one.likes, one.posts, one.views, 0, 0)
            for number, reading in enumerate(self.readings)
            for one in reading.snapshots
        ]

    def prepare(self) -> None:
        number = next(self.numbers)
        self.store = new_store(self.folder / f"ours-{number}.sqlite3", self.slugs)
        self.results = _results(self.store, self.slugs, self.readings)
        new_store(self.folder / f"raw-{number}.sqlite3", self.slugs).close()
        self.raw = sqlite3.connect(self.folder / f"raw-{number}.sqlite3", isolation_level=None)
        self.raw.executescript("PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON")

    def run_store(self) -> None:
        refused = self.store.record(self.results)
        assert not refused

    def run_raw(self) -> None:
        self.raw.execute("BEGIN IMMEDIATE")
        self.raw.executemany(RAW_INSERT, self.rows)
        self.raw.execute("COMMIT")


def new_store(path: Path, slugs: Sequence[str]) -> Store:
    """A store at *path* that knows the channels *slugs*."""
    create_store(f"sqlite:///{path}", START)
    store = open_store(f"sqlite:///{path}")
    unit = Unit(slug="unit", name="Unit", kind="ward", start=date(2025, 1, 1))
    owners = (Owner(unit="unit", start=date(2025, 1, 1)),)
    channels = [
        Channel(slug=slug, platform="website", name=slug, address=f"https://{slug}.example", owners=owners)
        for slug in slugs
    ]
    store.sync([unit], channels, START)
    return store


def _snapshot(day: int, channel: int) -> Snapshot:
    """Counts as of a middling page, growing day by day."""
    grown = day * (channel % 7 + 1)
    base = 3_000 + channel * 37 % 9_000
    return Snapshot(START + DAY * day, Source.SITE, base + grown, base + 150 + grown, 400 + day, 250_000 + 90 * grown)


def _results(store: Store, slugs: Sequence[str], readings: Sequence[Reading]) -> list[LookResult]:
    taken = store.take([Slot(slug, START) for slug in slugs], "bench", START, DAY)
    return [LookResult(held, START, START, reading) for held, reading in zip(taken, readings, strict=True)]


def _bytes_per_value(path: Path, channels: int, days: int) -> tuple[float, float]:
    """Day after day for all channels, each day in its own commit: the snapshot table, and the whole file."""
    slugs = [f"channel-{number}" for number in range(1, channels + 1)]
    store = new_store(path, slugs)
    for day in range(days):
        readings = [Reading((_snapshot(day, number),)) for number in range(channels)]
        taken = store.take([Slot(slug, START + DAY * day) for slug in slugs], "bench", START, DAY)
        store.record([LookResult(held, START, START, one) for held, one in zip(taken, readings, strict=True)])
    store.close()
    values = channels * days * METRICS
    with sqlite3.connect(path) as raw:
        (table,) = raw.execute("SELECT sum(pgsize) FROM dbstat WHERE name = 'snapshot'").fetchone()
    return table / values, path.stat().st_size / values


def _compare_seeking(path: Path, channels: int, days: int) -> dict[str, Cost]:
    store = new_store(path, [f"channel-{number}" for number in range(1, channels + 1)])
    _fill(store, channels, days)
    moments = [START + DAY * (days // 2), START + DAY * (days - 8), START + DAY * (days - 1)]
    raw = sqlite3.connect(path)
    costs = compare(
        {
            "hand-written SQL": lambda: raw.execute(HAND_WRITTEN, [epoch(one) for one in moments]).fetchall(),
            "hand-written SQL, as a frame": lambda: pd.DataFrame(
                raw.execute(HAND_WRITTEN, [epoch(one) for one in moments]).fetchall()
            ),
            "Store.value_at": lambda: store.value_at(moments),
        }
    )
    raw.close()
    store.close()
    return costs


def _fill(store: Store, channels: int, days: int) -> None:
    """A history with 3 % of the days missing, straight into the table."""
    columns = tuple(column.name for column in snapshot_table.columns if column.name != "suspect")
    for first in range(0, channels, 200):
        rows = [
            (number + 1, epoch(one.observed_at), 1, one.followers, one.likes, one.posts, one.views, 0)
            for number in range(first, min(first + 200, channels))
            for day in range(days)
            if (number * 31 + day * 17) % 100 >= 3
            for one in (_snapshot(day, number),)
        ]
        store.database.write(partial(append, table=snapshot_table, columns=columns, rows=rows))
