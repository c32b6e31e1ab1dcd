"""A made-up country for the weekly check: units with five channels, two years of counts, 40 days of posts and looks.

The rows go straight into the tables of a SQLite store, and the same rows into a DuckDB file for the peer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pandas as pd
from sqlalchemy import Table, select

from config.models import Channel, Config, District, Owner, PlatformName, Unit
from metrics.periods import midnight
from store import schema
from store.bulk import append
from store.records import EVER, Precision, Source
from store.verbs import Store, create_store, open_store

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
MONDAY = date(2026, 11, 23)
NOW = midnight(MONDAY, ZONE) + timedelta(hours=7)
LOOKED = timedelta(hours=6, minutes=30)
"""Every channel is looked at at half past six, local time."""
DAYS, RECENT_DAYS = 730, 40
DAY = 86_400
CHUNK = 400
SOURCES: dict[PlatformName, tuple[Source, Precision]] = {
    "facebook": (Source.FACEBOOK_PAGE, Precision.EXACT),
    "tiktok": (Source.TIKTOK_DISPLAY, Precision.EXACT),
    "youtube": (Source.YOUTUBE_OWNER, Precision.FLOOR3),
    "zalo": (Source.ZALO_OA, Precision.EXACT),
    "website": (Source.SITE, Precision.EXACT),
}
DISTRICT: dict[str, Any] = {
    "organisation": {"name": "Đoàn cơ sở cả nước (mẫu)", "contact": "thu@doan-mau.example", "illustration": True},
    "calendar": {"public_holidays": False},
    "kinds": {"phuong": {"name": "Phường"}},
    "labels": {
        "tin-tot": {"name": "Tin tốt", "every": "day", "clause": "mục II-CT.2", "phrases": ["tin tốt"]},
        "cau-chuyen-dep": {
            "name": "Câu chuyện đẹp",
            "every": "week",
            "clause": "mục II-CT.2",
            "phrases": ["câu chuyện đẹp"],
        },
    },
}
Rows = pd.DataFrame


def country(units: int) -> Config:
    """So many units, each with one channel on every platform; the channels stand platform by platform."""
    start = date(2024, 1, 1)
    slugs = [f"don-vi-{number}" for number in range(units)]
    known = {slug: Unit(slug=slug, name=slug, kind="phuong", start=start) for slug in slugs}
    channels = [
        Channel(
            slug=f"{platform}-{number}",
            platform=platform,
            name=platform,
            address=f"https://trang-{number}.example" if platform == "website" else f"{platform}-{number}",
            owners=(Owner(unit=slug, start=start),),
        )
        for platform in SOURCES
        for number, slug in enumerate(slugs)
    ]
    return Config(Path("/"), District.model_validate(DISTRICT), known, {one.slug: one for one in channels})


def fill(folder: Path, units: int) -> None:
    """Makes the store and the peer's file in *folder*."""
    config = country(units)
    create_store(store_url(folder), EVER)
    with open_store(store_url(folder)) as store, duckdb.connect(str(folder / "peer.duckdb")) as peer:
        store.sync(config.units.values(), config.channels.values(), EVER)
        channels = _channels(store, config)
        _keep_at_peer(peer, "channel", channels)
        for table, rows in _everything(channels):
            _append(store, table, rows)
            _keep_at_peer(peer, table.name, rows)


def store_url(folder: Path) -> str:
    return f"sqlite:///{folder / 'country.sqlite3'}"


def _channels(store: Store, config: Config) -> Rows:
    """channel_id, slug, platform, unit, number, in the order of their ids."""
    statement = select(schema.channel.c.id, schema.channel.c.slug)
    ids = {slug: number for number, slug in store.database.read(lambda one: one.execute(statement).all())}
    rows = [(ids[one.slug], one.slug, one.platform, one.owners[0].unit) for one in config.channels.values()]
    frame = pd.DataFrame(rows, columns=["channel_id", "slug", "platform", "unit"]).sort_values("channel_id")
    return frame.assign(number=frame["slug"].str.rpartition("-")[2].astype(int)).reset_index(drop=True)


def _everything(channels: Rows) -> Iterator[tuple[Table, Rows]]:
    for _, mine in channels.groupby("platform", sort=False):
        for first in range(0, len(mine), CHUNK):
            yield schema.snapshot, _snapshots(mine.iloc[first : first + CHUNK])
    yield schema.look, _looks(channels)
    posts = _posts(channels)
    yield schema.post, posts.drop(columns="number")
    yield schema.post_label, _labels(posts)


def _grid(channels: Rows, days: int) -> tuple[Any, Any, Any]:
    """For each channel and day: channel_id, number of the unit, day (0: the first)."""
    day = np.tile(np.arange(days), len(channels))
    ids, number = (np.repeat(channels[name].to_numpy(), days) for name in ("channel_id", "number"))
    return ids, number, day


def _moments(days: int, day: Any) -> Any:
    """The look of each day, in epoch seconds; the last one is this morning's."""
    last = schema.epoch(midnight(MONDAY, ZONE) + LOOKED)
    return last - (days - 1 - day) * DAY


def _snapshots(channels: Rows) -> Rows:
    """A middling page growing day by day; 3 % of the days are missing, one count in a thousand is doubted."""
    ids, number, day = _grid(channels, DAYS)
    platform = channels["platform"].iloc[0]
    source, precision = SOURCES[platform]
    followers = 900 + number * 37 % 90_000 + day * (number % 7) // 3
    if precision is Precision.FLOOR3:
        step = 10 ** np.maximum(np.floor(np.log10(followers)).astype(int) - 2, 0)
        followers = followers // step * step
    nothing = [None] * len(ids)
    frame = pd.DataFrame(
        {
            "channel_id": ids,
            "observed_at": _moments(DAYS, day),
            "source": int(source),
            "followers": nothing if platform == "website" else followers,
            "likes": nothing if platform == "website" else followers + 150,
            "posts": 400 + day,
            "views": nothing if platform == "website" else 250_000 + 90 * day,
            "precision": int(precision),
            "suspect": ((ids * 13 + day * 7) % 1_000 == 0).astype(int),
        }
    )
    known: Rows = frame[(ids * 31 + day * 17) % 100 >= 3]
    return known


def _looks(channels: Rows) -> Rows:
    """Daily looks that each cover two days; 2 % fail, and one channel in two hundred fails all the time."""
    ids, _, day = _grid(channels, RECENT_DAYS)
    at = _moments(RECENT_DAYS, day)
    failed = ((ids * 7 + day * 11) % 50 == 0) | (ids % 200 == 0)
    frame = pd.DataFrame({"channel_id": ids, "slot": at, "state": _either(failed, "failed", "done"), "attempt": 1})
    frame["started_at"], frame["finished_at"] = at, at + 1
    frame["outcome"] = _either(failed, "network", "ok")
    frame["error"] = _either(failed, "Trang không trả lời (mẫu).", None)
    frame["complete"] = _either(failed, None, True)
    frame["coverage_from"] = _either(failed, None, at - 2 * DAY)
    return frame.assign(snapshots=_either(failed, 0, 1), posts=0, requests=1, received_bytes=2_000)


def _either(condition: Any, yes: object, no: object) -> Any:
    return np.where(condition, np.asarray(yes, dtype=object), np.asarray(no, dtype=object))


def _posts(channels: Rows) -> Rows:
    """A good unit posts daily on Facebook, others now and then; some channels never."""
    ids, number, day = _grid(channels, RECENT_DAYS)
    good = np.repeat((channels["platform"] == "facebook").to_numpy(), RECENT_DAYS) & (number % 5 < 3)
    some = (ids % 9 > 0) & ((ids * 7 + day * 3) % 5 < 2)
    every = pd.DataFrame({"channel_id": ids, "number": number, "day": day})
    frame: Rows = every[good | some].reset_index(drop=True)
    frame["id"] = frame.index + 1
    frame["platform_id"] = "bai-" + frame["id"].astype(str)
    frame["published_at"] = _moments(RECENT_DAYS, frame.pop("day")) - 3 * DAY // 4 + frame["number"] % 600
    texts = {"date_source": "api", "date_confidence": "exact", "title": "Mỗi ngày một tin tốt (mẫu)"}
    frame = frame.assign(
        **texts, excerpt="Dữ liệu minh họa. " * 8, link="https://trang-mau.example/" + frame["platform_id"]
    )
    frame = frame.assign(kind="article", is_share=frame["id"] % 20 == 0, categories="[]")
    frame["first_seen_at"] = frame["published_at"] + 6 * 3_600
    return frame


def _labels(posts: Rows) -> Rows:
    """Nine posts in ten are good news, one in four a story; now and then a person has confirmed or refused."""
    news = posts[posts["id"] % 10 > 0].assign(label="tin-tot", evidence="phrase", upheld=True)
    stories = posts[posts["id"] % 4 == 0].assign(label="cau-chuyen-dep", evidence="phrase", upheld=True)
    words = posts[posts["id"] % 7 == 0].assign(label="tin-tot", evidence="person", upheld=posts["id"] % 21 > 0)
    rows = pd.concat([news, stories, words]).rename(columns={"id": "post_id", "first_seen_at": "at"})
    rows = rows.sort_values(["post_id", "label", "evidence"]).assign(turn=1, detail="mẫu")
    return rows[["post_id", "label", "evidence", "turn", "at", "detail", "upheld"]]


def _append(store: Store, table: Table, rows: Rows) -> None:
    ordered = rows[[column.name for column in table.columns if column.name in rows]]
    values = [tuple(row) for row in zip(*(_plain(ordered[name]) for name in ordered), strict=True)]
    store.database.write(partial(append, table=table, columns=tuple(map(str, ordered)), rows=values))


def _plain(column: pd.Series[Any]) -> Sequence[Any]:
    return column.astype(object).where(column.notna(), None).tolist()


def _keep_at_peer(peer: duckdb.DuckDBPyConnection, name: str, rows: Rows) -> None:
    """The numbers and short words only, which is what the peer's SQL asks for."""
    kept = rows.drop(columns=[long for long in ("title", "excerpt", "link", "error", "detail") if long in rows])
    nullable = {count: "Int64" for count in (*schema.COUNTS, "coverage_from") if count in kept}
    peer.register("given", kept.astype(nullable))
    exists = peer.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = ?", [name]).fetchone()
    peer.execute(f"INSERT INTO {name} SELECT * FROM given" if exists == (1,) else f"CREATE TABLE {name} AS FROM given")
