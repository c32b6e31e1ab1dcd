"""Fair comparisons on a noisy machine: one run of every contender in turn, medians, CPU beside wall."""

from __future__ import annotations

import gc
import os
import platform
import resource
import sqlite3
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

RUNS = 5

Run = Callable[[], object]
"""One contender: does its work once. Children that it starts must have ended when it returns."""


@dataclass(frozen=True)
class Cost:
    """What one run took, in seconds; `cpu` counts this process and the children that ended."""

    wall: float
    cpu: float


def compare(
    contenders: Mapping[str, Run], runs: int = RUNS, prepare: Callable[[str], None] = lambda _: None
) -> dict[str, Cost]:
    """The median cost per contender: one warm-up each, then A B C, A B C, … so that noise hits all alike.

    *prepare* gets the name of the contender before each of its runs, outside the measured time.
    """
    costs: dict[str, list[Cost]] = {name: [] for name in contenders}
    for _ in range(1 + runs):
        for name, run in contenders.items():
            prepare(name)
            costs[name].append(measure(run))
    return {name: median(found[1:]) for name, found in costs.items()}


def measure(run: Run) -> Cost:
    gc.collect()
    wall, cpu = time.perf_counter(), _cpu_seconds()
    run()
    return Cost(time.perf_counter() - wall, _cpu_seconds() - cpu)


def median(costs: list[Cost]) -> Cost:
    return Cost(statistics.median(cost.wall for cost in costs), statistics.median(cost.cpu for cost in costs))


def _cpu_seconds() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def print_costs(title: str, costs: Mapping[str, Cost], against: str) -> None:
    """A table of the medians, with the ratios to the contender *against*."""
    base = costs[against]
    print(f"\n{title}")
    print(f"  {'':<46}{'wall s':>9}{'cpu s':>9}{'wall x':>9}{'cpu x':>9}")
    for name, cost in costs.items():
        ratios = f"{cost.wall / base.wall:>9.2f}{cost.cpu / base.cpu:>9.2f}"
        print(f"  {name:<46}{cost.wall:>9.3f}{cost.cpu:>9.3f}{ratios}")


def print_goal(name: str, value: float, limit: float, unit: str = "x", *, at_least: bool = False) -> None:
    """One goal with its figure, and whether it is reached."""
    reached = value >= limit if at_least else value <= limit
    sign = ">=" if at_least else "<="
    print(f"  {'reached' if reached else 'MISSED '}  {name}: {value:.2f} {unit} (goal {sign} {limit:g})")


def print_machine() -> None:
    print(f"{platform.system()} {platform.release()}, {platform.machine()}, {_processor()}")
    versions = f"Python {sys.version.split()[0]}, SQLite {sqlite3.sqlite_version}"
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {versions}")


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")
