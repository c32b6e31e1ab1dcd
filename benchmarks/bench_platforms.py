"""(d) A usual day of 500 mixed channels at 50 ms latency, and what a day costs at 60, 600 and 6,000 channels.

The channels are those of the simulated district. The peers send exactly the calls that ours sent, channel by
channel, to the same servers; they neither parse nor store.
"""

from __future__ import annotations

import asyncio
import resource
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import log2
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from benchmarks.harness import compare, print_costs, print_goal
from config.models import Config
from pipeline import checking, jobs
from pipeline.demo.child import Child
from pipeline.demo.district import make_district
from pipeline.demo.play import SEED, SimulatedClock, give_tokens, move_in
from pipeline.demo.story import tell
from pipeline.workplace import database_url
from store.vault import Vault
from store.verbs import Store, open_store

CHANNELS, CONCURRENT, LATENCY = 500, 64, 0.05
UNITS = {60: 20, 500: 172, 600: 207, 6_000: 2_080}
START, DAYS = datetime(2026, 10, 20, 2, tzinfo=UTC), 21


@dataclass(frozen=True)
class Call:
    """One request as it was sent."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


class District:
    """A simulated district with its program, looked at once a day."""

    def __init__(self, folder: Path, child: Child, units: int, channels: int) -> None:
        cast = make_district(SEED, units, START, DAYS)
        self.config = _widened(move_in(folder, cast, child), channels)
        self.clock = SimulatedClock(child, START)
        self.store: Store = open_store(database_url(folder, {}))
        self.store.sync(self.config.units.values(), self.config.channels.values(), START)
        give_tokens(Vault(folder, {}), self.store, tell(cast))

    def day(self) -> None:
        """One look at every channel, a day after the last."""
        self.clock.set(self.clock() + timedelta(days=1))
        slots = jobs.slots_at(self.config, self.clock())
        collection = asyncio.run(jobs.collect(self.config, self.store, slots, self.clock))
        checking.label_new_posts(self.config, self.store, self.clock())
        assert len(collection.results) == len(slots)
        assert len(collection.failures) < len(slots) / 10


def _widened(config: Config, channels: int) -> Config:
    """The first *channels* of them, with as many places at every platform as in all."""
    platforms = {
        name: settings.model_copy(update={"concurrent": CONCURRENT}) for name, settings in config.district.platforms
    }
    network = config.district.network.model_copy(update={"concurrent": CONCURRENT, "deadline_seconds": 20})
    update = {"platforms": config.district.platforms.model_copy(update=platforms), "network": network}
    some = dict(list(config.channels.items())[:channels])
    return Config(config.folder, config.district.model_copy(update=update), config.units, some)


def platforms() -> None:
    """Ours end to end against the same calls, made bare."""
    with _district(CHANNELS, LATENCY) as district:
        district.day()
        calls: dict[int, list[Call]] = defaultdict(list)
        with _recorded(calls):
            district.day()
        lines = list(calls.values())
        costs = compare(
            {
                "bare aiohttp": lambda: asyncio.run(_replay_aiohttp(lines)),
                "Nhịp Đoàn": district.day,
                "plain httpx": lambda: asyncio.run(_replay_httpx(lines)),
            }
        )
        sent = sum(len(line) for line in lines)
        print_costs(f"(d) {CHANNELS} mixed channels, {sent} calls at {LATENCY * 1000:.0f} ms", costs, "bare aiohttp")
        ours = costs["Nhịp Đoàn"].wall
        print_goal("plain httpx's wall against ours", costs["plain httpx"].wall / ours, 5, at_least=True)
        print_goal("ours against bare aiohttp, wall", ours / costs["bare aiohttp"].wall, 2.5)


@contextmanager
def _recorded(calls: dict[int, list[Call]]) -> Iterator[None]:
    """Whatever the client sends meanwhile, by the look that sends it."""
    original = AiohttpTransport.handle_async_request

    async def sent(self: AiohttpTransport, request: httpx.Request) -> httpx.Response:
        line = calls[id(asyncio.current_task())]
        line.append(Call(request.method, str(request.url), dict(request.headers), request.content))
        return await original(self, request)

    AiohttpTransport.handle_async_request = sent  # type: ignore[method-assign]
    try:
        yield
    finally:
        AiohttpTransport.handle_async_request = original  # type: ignore[method-assign]


async def _replay_aiohttp(lines: list[list[Call]]) -> None:
    places = asyncio.Semaphore(CONCURRENT)
    connector = aiohttp.TCPConnector(limit=CONCURRENT)
    async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as session:

        async def walk(line: list[Call]) -> None:
            for call in line:
                async with (
                    places,
                    session.request(call.method, call.url, headers=call.headers, data=call.body or None) as answer,
                ):
                    await answer.read()

        await asyncio.gather(*(walk(line) for line in lines))


async def _replay_httpx(lines: list[list[Call]]) -> None:
    places = asyncio.Semaphore(CONCURRENT)
    async with httpx.AsyncClient(timeout=30, limits=httpx.Limits(max_connections=CONCURRENT)) as client:

        async def walk(line: list[Call]) -> None:
            for call in line:
                async with places:
                    await client.request(call.method, call.url, headers=call.headers, content=call.body or None)

        await asyncio.gather(*(walk(line) for line in lines))


def scale() -> None:
    """What a usual day costs as the district grows; each size in a process of its own, so that memory is its own."""
    days = {channels: _in_a_process(channels) for channels in (60, 600, 6_000)}
    print("\n(e) a usual day of the simulated district, no latency")
    print(f"  {'channels':>10}{'wall s':>10}{'cpu s':>10}{'peak MB':>10}")
    for channels, (wall, cpu, peak) in days.items():
        print(f"  {channels:>10}{wall:>10.2f}{cpu:>10.2f}{peak:>10.0f}")
    for fewer, more in ((60, 600), (600, 6_000)):
        for place, what in enumerate(("time", "CPU", "memory")):
            beyond = days[more][place] / days[fewer][place] / (more / fewer)
            print_goal(
                f"{what}, {fewer} to {more}, beyond linear per doubling", beyond ** (1 / log2(more / fewer)), 1.1
            )


def _in_a_process(channels: int) -> tuple[float, float, float]:
    command = [sys.executable, "-m", "benchmarks.bench_platforms", str(channels)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    wall, cpu, peak = map(float, done.stdout.split())
    return wall, cpu, peak


@contextmanager
def _district(channels: int, latency: float) -> Iterator[District]:
    units = UNITS[channels]
    with TemporaryDirectory() as folder, Child(SEED, units, START, DAYS, latency) as child:
        district = District(Path(folder), child, units, channels)
        try:
            yield district
        finally:
            district.store.close()


def main(channels: int) -> None:
    """Prints wall and CPU seconds of a usual day (the median of three), and the peak memory in MB."""
    with _district(channels, 0.0) as district:
        district.day()
        district.day()
        days = sorted(_timed(district) for _ in range(3))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(*days[1], peak)


def _timed(district: District) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    district.day()
    return time.perf_counter() - wall, time.process_time() - cpu


if __name__ == "__main__":
    main(int(sys.argv[1]))
