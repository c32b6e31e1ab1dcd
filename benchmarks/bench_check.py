"""(f) The weekly check of 330 and 3,300 units with 5 channels each and two years of daily counts, on SQLite.

Ours asks the store for the few frames and the indicators for their answers: growth since the start of the year
(each channel, and by unit), the motto of the week, the presence of every channel and unit. The peer gives by DuckDB
SQL written by hand what of this is by channel, and the labelled days and weeks of every unit, of the same rows; the
run stops where the two differ. Sums, the other two levels of the motto, reasons and inputs are ours alone.
`nhip check` is `pipeline.judgement.judge`, which also words and keeps 14 answers a unit.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import orjson
import pandas as pd

from benchmarks import check_peer
from benchmarks.check_data import MONDAY, NOW, ZONE, country, fill, store_url
from benchmarks.harness import Cost, Run, compare, measure, print_costs, print_goal
from config.models import Config
from config.plan_files import load_plans
from config.problems import Problem
from metrics.asking import Ask, Facts
from metrics.cadence import cadence
from metrics.growth import audience_growth
from metrics.periods import DAY, Period, week_of, year
from metrics.presence import channel_presence, site_presence
from metrics.rhythm import daily_item, weekly_item
from pipeline.judgement import judge
from pipeline.lately import Lately
from pipeline.questions import Moment
from store.schema import epoch
from store.verbs import Store, open_store

FEW, MANY = 330, 3_300
RUNS = 3
PLAN = "doan-phuong-2026"
THIS_YEAR, WEEK = year(MONDAY.year, ZONE), week_of(MONDAY - DAY, ZONE)
WINDOW = Period(MONDAY - 30 * DAY, MONDAY, ZONE)
OURS, PEER, WHOLE = "indicators over the store", "DuckDB, by hand", "nhip check, whole"
Answers = dict[str, pd.DataFrame]


def check() -> None:
    """Each size in a process of its own, so that memory is its own."""
    found = {units: _in_a_process(units) for units in (FEW, MANY)}
    for units, (costs, peaks) in found.items():
        print_costs(f"(f) weekly check of {units:,} units, {units * 5:,} channels x 730 days", costs, PEER)
        print("  peak memory: " + ", ".join(f"{name} {peak:.0f} MB" for name, peak in peaks.items()))
    (few, _), (many, peaks) = found[FEW], found[MANY]
    for name in (OURS, WHOLE):
        print_goal(f"{MANY:,} units, {name}", many[name].wall, 10, "s")
        print_goal(f"{MANY:,} units, {name}", peaks[name], 1_000, "MB")
        beyond = many[name].cpu / few[name].cpu / (MANY / FEW)
        print_goal(f"{FEW} to {MANY:,} units, {name}, CPU beyond linear", beyond, 1.1)
    print(f"  {OURS} against {PEER}: {many[OURS].cpu / many[PEER].cpu:.2f} x CPU")


def _in_a_process(units: int) -> tuple[dict[str, Cost], dict[str, float]]:
    with TemporaryDirectory() as folder:
        for step in ("fill", "measure"):
            command = [sys.executable, "-m", "benchmarks.bench_check", step, folder, str(units)]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    told = orjson.loads(done.stdout)
    return {name: Cost(*cost) for name, cost in told["costs"].items()}, told["peaks"]


def _measure(folder: Path, units: int) -> dict[str, Any]:
    """The median costs of all contenders, and the peak memory after the first run of each of ours."""
    config = country(units)
    with open_store(store_url(folder)) as store:
        minutes = count()
        ours: dict[str, Run] = {
            OURS: lambda: answers(config, store),
            WHOLE: lambda: _judge(config, store, next(minutes)),
        }
        peaks = {}
        for name, run in ours.items():
            measure(run)
            peaks[name] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        _refuse_difference(answers(config, store), check_peer.ask(folder, moments()))
        costs = compare({PEER: lambda: check_peer.ask(folder, moments()), **ours}, RUNS)
    return {"costs": {name: (cost.wall, cost.cpu) for name, cost in costs.items()}, "peaks": peaks}


def answers(config: Config, store: Store) -> Answers:
    """What the indicators say of every unit and channel."""
    month = WINDOW.start_at, NOW
    lately = Lately(store, NOW, [month])
    points = store.value_at([THIS_YEAR.start_at, NOW])
    cells = cadence(config, WEEK, lately.known(WEEK), NOW)
    facts = Facts(config, NOW, points=points, cells=cells, looks=lately.looks(*month), posts=lately.posts(*month))
    by_unit, by_channel = Ask(THIS_YEAR, by="unit"), Ask(THIS_YEAR, by="channel")
    return {
        "growth": audience_growth(facts, by_channel).rows,
        "growth by unit": audience_growth(facts, by_unit).rows,
        "motto": cells,
        "days": daily_item(facts, replace(by_unit, period=WEEK)).rows,
        "weeks": weekly_item(facts, replace(by_unit, period=WEEK)).rows,
        "sites": site_presence(facts, by_channel).rows,
        "presence": channel_presence(facts, by_channel).rows,
        "presence by unit": channel_presence(facts, by_unit).rows,
    }


def moments() -> check_peer.Moments:
    named = {
        "base": THIS_YEAR.start_at,
        "now": NOW,
        "monday": WEEK.start_at,
        "next_monday": WEEK.end_at,
        "since": WINDOW.start_at,
    }
    return {name: epoch(moment) for name, moment in named.items()}


def _judge(config: Config, store: Store, minutes: int) -> None:
    """A minute later each time: what was said before of the same moment would only be read back."""
    problems: list[Problem] = []
    plans = load_plans([PLAN], config.folder, problems)
    at = NOW + timedelta(minutes=minutes)
    moment = Moment(replace(config, plans=plans), at, WEEK, store.figures(at))
    assert judge(list(plans.values()), moment, store).answers


def _refuse_difference(ours: Answers, peer: dict[str, list[tuple[Any, ...]]]) -> None:
    growth = ours["growth"].sort_values("channel")
    assert growth["channel"].tolist() == [slug for slug, *_ in peer["growth"]]
    shares = growth[["low", "high"]].to_numpy(dtype=np.float64)
    assert np.allclose(shares, [edges for _, *edges in peer["growth"]], rtol=1e-12)
    cells = ours["motto"]
    first = pd.Timestamp(WEEK.start)
    days = ((cells["slot"] - first).dt.days).tolist()
    states = zip(cells["unit"], cells["every"], days, cells["labelled"].astype(str), strict=True)
    assert sorted(states) == sorted(peer["motto"])
    presence = ours["presence"]
    assert sorted(zip(presence["channel"], presence["state"], strict=True)) == sorted(peer["presence"])


def main(step: str, folder: Path, units: int) -> None:
    if step == "fill":
        fill(folder, units)
    else:
        print(orjson.dumps(_measure(folder, units)).decode())


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
