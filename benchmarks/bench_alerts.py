"""(g) A round of the alerts for 330 and 3,300 units with 5 channels each and two years of daily counts, on SQLite.

Every unit is proved silent or not from its posts and looks, every failing source and doubted count is found, the
cases are opened and the digests of everybody lie in the outbox. The check of the plans is bench (f); the alerts ask it
every six hours. The first round finds all that is wrong at once; the second one, a quarter of an hour later, nothing.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import pandas as pd
from sqlalchemy import Connection, delete, select

from alerts.base import Rule
from alerts.round import Round, hold_round
from alerts.watched import PROGRESS, Watched
from benchmarks.check_data import NOW, country, fill, store_url
from benchmarks.harness import print_goal
from config.alert_models import Alerts
from config.models import Config
from pipeline.watching import watch
from store import schema
from store.verbs import Store, open_store

FEW, MANY = 330, 3_300
SECONDS = 5.0
QUARTER = timedelta(minutes=15)
NOTHING_SAID = pd.DataFrame(columns=list(PROGRESS))


def alerts() -> None:
    """Each size in a process of its own, so that memory is its own."""
    for units in (FEW, MANY):
        told = _in_a_process(units)
        print(f"(g) a round of the alerts, {units:,} units, {units * 5:,} channels x 730 days")
        for name, seconds in told["seconds"].items():
            print(f"  {name:<28} {seconds:8.2f} s of CPU")
        print(f"  {told['found']}; peak memory {told['peak']:.0f} MB")
    print_goal(f"{MANY:,} units, first round", told["seconds"]["first round, whole"], SECONDS, "s of CPU")
    print_goal(f"{MANY:,} units, later round", told["seconds"]["later round, whole"], SECONDS, "s of CPU")


def _in_a_process(units: int) -> dict[str, Any]:
    with TemporaryDirectory() as folder:
        for step in ("fill", "measure"):
            command = [sys.executable, "-m", "benchmarks.bench_alerts", step, folder, str(units)]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    found: dict[str, Any] = orjson.loads(done.stdout)
    return found


def _measure(folder: Path, units: int) -> dict[str, Any]:
    config = with_receivers(country(units))
    seconds: dict[str, float] = {}
    with open_store(store_url(folder)) as store:
        first = _round(config, store, 0, "first", seconds)
        _round(config, store, 1, "later", seconds)
        messages = len(store.deliveries(NOW))
    counts = {rule.value: sum(case.rule == rule for case in first.opened) for rule in Rule}
    found = ", ".join(f"{name} {count:,}" for name, count in counts.items() if count)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds, "found": f"cases: {found}; messages {messages:,}", "peak": peak}


def _round(config: Config, store: Store, number: int, name: str, seconds: dict[str, float]) -> Round:
    at = NOW + number * QUARTER
    watched: Watched = _timed(
        lambda: watch(config, store, at, store.cases(), NOTHING_SAID), seconds, f"{name} round, looking"
    )
    held: Round = _timed(lambda: hold_round(config, store, watched), seconds, f"{name} round, acting")
    seconds[f"{name} round, whole"] = seconds[f"{name} round, looking"] + seconds[f"{name} round, acting"]
    assert not held.crashed
    return held


def _timed(work: Callable[[], Any], seconds: dict[str, float], name: str) -> Any:
    began = time.process_time()
    answer = work()
    seconds[name] = time.process_time() - began
    return answer


def fall_silent(folder: Path) -> None:
    """Every fifth unit has published nothing for three weeks."""
    with open_store(store_url(folder)) as store:
        store.database.write(_forget_posts)


def _forget_posts(connection: Connection) -> None:
    channels = connection.execute(select(schema.channel.c.id, schema.channel.c.slug)).all()
    silent = [number for number, slug in channels if int(slug.rpartition("-")[2]) % 5 == 4]
    post = schema.post.c
    lost = select(post.id).where(post.channel_id.in_(silent), post.published_at > NOW - timedelta(days=21))
    connection.execute(delete(schema.post_label).where(schema.post_label.c.post_id.in_(lost)))
    connection.execute(delete(schema.post).where(post.id.in_(lost)))


def with_receivers(config: Config) -> Config:
    """The media team, the committee, and a contact of every unit."""
    offices = {
        "doi": {"name": "Tổ truyền thông (mẫu)", "role": "team", "ways": ["file:doi"]},
        "thuong-vu": {"name": "Ban Thường vụ (mẫu)", "role": "committee", "ways": ["file:thuong-vu"]},
    }
    contacts = {
        f"lien-he-{slug}": {"name": slug, "role": "unit", "unit": slug, "ways": [f"file:{slug}"]}
        for slug in config.units
    }
    return replace(config, alerts=Alerts.model_validate({"receivers": offices | contacts}))


def main(step: str, folder: Path, units: int) -> None:
    if step == "fill":
        fill(folder, units)
        fall_silent(folder)
    else:
        print(orjson.dumps(_measure(folder, units)).decode())


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
