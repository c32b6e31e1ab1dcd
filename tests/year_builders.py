"""A small district that lived through 2026: one unit that publishes daily, one that is silent, one never read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipeline.workplace import open_workplace
from store.records import Counts, Figure, Reading, Snapshot, Source
from store.verbs import Store, create_store, open_store
from tests.figure_builders import a_share
from tests.small_district import write_config
from tests.store_builders import a_failure, a_post, days, look

NOON = datetime(2026, 11, 1, 5, tzinfo=UTC)
NEW_YEAR = datetime(2027, 1, 5, 5, tzinfo=UTC)
"""Noon of 5 January 2027, local time: the year is over."""
OFFICE = "Ban Thường vụ (mẫu)"
HOSTILE = (
    "=HYPERLINK('http://x.example','a')",
    "<script>alert(1)</script>",
    "Tin tốt \u202etxet (mẫu)",
    "@SUM(1) " * 90,
)


def url_of(folder: Path) -> str:
    return f"sqlite:///{folder / 'nhip.sqlite3'}"


def write_year(folder: Path, *, plan: str = "doan-phuong-2026") -> Path:
    """Three units with one website each, and an empty database."""
    write_config(folder, [f"http://127.0.0.1:9/tin-{number}" for number in range(3)])
    create_store(url_of(folder), datetime(2026, 1, 1, tzinfo=UTC))
    district = (folder / "district.toml").read_text(encoding="utf-8")
    (folder / "district.toml").write_text(f'plans = ["{plan}"]\n{district}', encoding="utf-8")
    with open_workplace(folder, "2026-01-01"):
        pass  # makes the store know the channels
    return folder


def live(folder: Path) -> None:
    """November and December: looks every three days, the last one on 1 January."""
    with open_store(url_of(folder)) as store:
        for number in (*range(0, 61, 3), 61):
            _look(store, number)
        store.add_figures(shares_of_units())


def shares_of_units(**more: int) -> list[Figure]:
    """Three units; one of them has few persons."""
    told = {"don-vi-0": (300, 400), "don-vi-1": (250, 500), "don-vi-2": (5, 7)}
    told |= {unit.replace("_", "-"): (part, 400) for unit, part in more.items()}
    return [a_share(*numbers, unit=unit, at=NOON + days(50)) for unit, numbers in told.items()]


def _look(store: Store, number: int) -> None:
    at = NOON + days(number)
    words = "Tin tốt và câu chuyện đẹp" if number % 2 else "Bài"
    posts = [
        a_post(f"tin-{day}", at - days(3 - part), title=f"{words} {day} (mẫu)", counts=Counts(reactions=day))
        for part, day in enumerate(range(number, number + 3))
    ]
    if number == 3:
        posts += [
            a_post(f"la-{place}", at - timedelta(hours=1), title=one, counts=Counts(reactions=900 + place))
            for place, one in enumerate(HOSTILE)
        ]
    seen = Snapshot(at, Source.SITE, views=10_000 + 9 * number)
    look(store, "trang-0", Reading((seen,), tuple(posts), coverage_from=at - days(4)), at)
    look(store, "trang-1", Reading(coverage_from=at - days(4)), at)
    look(store, "trang-2", a_failure(), at)
