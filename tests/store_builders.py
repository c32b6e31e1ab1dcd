"""Tiny builders for the tests of the store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Table, select

from config.models import Channel, Owner, Unit
from store.records import (
    Confidence,
    DateSource,
    Failure,
    FailureKind,
    LookResult,
    Post,
    Reading,
    Slot,
    Snapshot,
    Source,
    TakenSlot,
)
from store.schema import metadata
from store.verbs import Store

FRIDAY = datetime(2026, 11, 20, 6, tzinfo=UTC)
LEASE = timedelta(minutes=10)
OWNER = "worker-1"
UNIT = Unit(slug="phuong-mot", name="Phường Một", kind="ward", start=date(2025, 7, 1))


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


def days(number: float) -> timedelta:
    return timedelta(days=number)


def a_channel(slug: str, **more: Any) -> Channel:
    owner = Owner(unit=UNIT.slug, start=UNIT.start)
    given = {"platform": "website", "name": slug, "address": f"https://{slug}.example.vn", "owners": (owner,)}
    return Channel(slug=slug, **(given | more))


def watch(store: Store, *slugs: str, now: datetime = FRIDAY - timedelta(days=30)) -> list[str]:
    """Makes the store know exactly these channels."""
    store.sync([UNIT], [a_channel(slug) for slug in slugs], now)
    return list(slugs)


def a_snapshot(at: datetime = FRIDAY, followers: int | None = 1_000, **more: Any) -> Snapshot:
    return Snapshot(at, Source.SITE, followers=followers, **more)


def a_post(name: str, published_at: datetime | None = FRIDAY, **more: Any) -> Post:
    given: dict[str, Any] = {
        "title": f"Bài {name}",
        "link": f"https://mot.example.vn/{name}",
        "date_source": DateSource.FEED,
        "date_confidence": Confidence.EXACT,
    }
    return Post(platform_id=name, published_at=published_at, **(given | more))


def a_failure(retry_at: datetime | None = None) -> Failure:
    return Failure(FailureKind.NETWORK, "Không kết nối được tới trang.", retry_at)


def take(store: Store, *slugs: str, at: datetime = FRIDAY, owner: str = OWNER) -> list[TakenSlot]:
    return store.take([Slot(slug, at) for slug in slugs], owner, at, LEASE)


def a_result(taken: TakenSlot, outcome: Reading | Failure, at: datetime | None = None) -> LookResult:
    started = at or taken.slot.moment
    finished = started + timedelta(seconds=2)
    return LookResult(taken, started, finished, outcome, requests=1, received_bytes=2_000)


def look(store: Store, slug: str, outcome: Reading | Failure, at: datetime = FRIDAY) -> LookResult:
    """One whole look at one channel: taken, and recorded."""
    (taken,) = take(store, slug, at=at)
    result = a_result(taken, outcome)
    assert store.record([result]) == []
    return result


def see(store: Store, slug: str, posts: Iterable[Post], at: datetime, **more: Any) -> LookResult:
    """A complete look that covers the last nine days and sees *posts*."""
    given: dict[str, Any] = {"posts": tuple(posts), "coverage_from": at - days(9)}
    return look(store, slug, Reading(**(given | more)), at)


def dump(store: Store, *leave_out: str) -> dict[str, Sequence[Any]]:
    """Every row of every table, sorted; two equal dumps are two equal stores."""
    tables = [table for table in metadata.sorted_tables if table.name not in leave_out]
    return store.database.read(lambda connection: {table.name: _rows(connection, table) for table in tables})


def _rows(connection: Connection, table: Table) -> list[Any]:
    return sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
