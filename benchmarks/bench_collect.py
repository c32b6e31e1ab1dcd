"""(a) One poll of 500 sites at 50 ms latency: ours end to end, a bare fetch of the same answers, and Scrapy."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp

from benchmarks.harness import Cost, compare, print_costs, print_goal
from benchmarks.sites import addresses
from config.load import load_config
from pipeline import checking, jobs
from pipeline.clock import frozen_at
from store.verbs import create_store, open_store

SITES, CONCURRENT, LATENCY_MS = 500, 64, 50
NOW = datetime(2026, 11, 20, 2, tzinfo=UTC)
FEW, MANY = 5, 200

DISTRICT = """
[organisation]
name = "Quận Đoàn thử tải"
contact = "thu@doan-mau.example"
illustration = true
[kinds.phuong]
name = "Phường"
[labels.tin-tot]
name = "Tin tốt"
every = "day"
clause = "mục II-CT.2"
phrases = ["mỗi ngày một tin tốt"]
[network]
allow = [{allow}]
concurrent = {concurrent}
gap_seconds = 0
"""


def collect() -> None:
    """500 sites whose feed holds 5 items (2 kB), then 200 items; one item is new on every look."""
    for items in (FEW, MANY):
        with _sites(items) as port, TemporaryDirectory() as folder:
            bench = Poll(Path(folder), port)
            resident, one_shot = bench.resident(), bench.one_shot()
            print_costs(f"(a) resident, {SITES} feeds of {items} items", resident, "bare aiohttp")
            print_costs(f"(a) one process, {SITES} feeds of {items} items", one_shot, "nhip collect")
            _print_goals(items, resident, one_shot)


def _print_goals(items: int, resident: dict[str, Cost], one_shot: dict[str, Cost]) -> None:
    ours, bare = resident["Nhịp Đoàn"], resident["bare aiohttp"]
    alone, scrapy = one_shot["nhip collect"], one_shot["Scrapy"]
    print_goal(f"{items} items, resident wall against bare fetch", ours.wall / bare.wall, 1.3)
    print_goal(f"{items} items, resident CPU against bare fetch", ours.cpu / bare.cpu, 3)
    print_goal(f"{items} items, Scrapy's wall against ours", scrapy.wall / alone.wall, 1.7, at_least=True)
    print_goal(f"{items} items, Scrapy's CPU against ours", scrapy.cpu / alone.cpu, 2, at_least=True)


class Poll:
    """The same 500 answers, fetched by each contender with the same concurrency."""

    def __init__(self, folder: Path, port: int) -> None:
        self._port = port
        self._urls = [f"http://{address}:{port}/feed.xml" for address in addresses(SITES)]
        self._folder = _write_config(folder / "district", self._urls)
        self._config = load_config(self._folder)
        self._database = folder / "peer.sqlite3"
        self._moments = (NOW + timedelta(hours=hour) for hour in count())
        self._url = f"sqlite:///{self._folder / 'nhip.sqlite3'}"
        create_store(self._url, NOW)

    def resident(self) -> dict[str, Cost]:
        with open_store(self._url) as store:
            store.sync(self._config.units.values(), self._config.channels.values(), NOW)

            def ours() -> None:
                now = next(self._moments)
                slots = jobs.slots_at(self._config, now)
                collection = asyncio.run(jobs.collect(self._config, store, slots, frozen_at(now)))
                checking.label_new_posts(self._config, store, now)
                assert len(collection.results) == SITES
                assert not collection.failures

            return compare({"bare aiohttp": lambda: asyncio.run(self._fetch_bare()), "Nhịp Đoàn": ours})

    def one_shot(self) -> dict[str, Cost]:
        python = [sys.executable, "-m"]
        scrapy = [
            *python,
            "benchmarks.scrapy_peer",
            str(self._database),
            str(self._port),
            str(SITES),
            str(CONCURRENT),
        ]
        nhip = [*python, "pipeline.cli", "--config", str(self._folder), "collect", "--now", "--json"]
        return compare({"nhip collect": lambda: _run(nhip), "Scrapy": lambda: _run(scrapy)})

    async def _fetch_bare(self) -> None:
        places = asyncio.Semaphore(CONCURRENT)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONCURRENT)) as session:

            async def fetch(url: str) -> int:
                async with places, session.get(url) as answer:
                    return len(await answer.read())

            sizes = await asyncio.gather(*(fetch(url) for url in self._urls))
        assert all(sizes)


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _write_config(folder: Path, urls: list[str]) -> Path:
    folder.mkdir()
    allow = ", ".join(f'"{url.split("/")[2]}"' for url in urls)
    (folder / "district.toml").write_text(DISTRICT.format(allow=allow, concurrent=CONCURRENT), encoding="utf-8")
    (folder / "units.toml").write_text('[units.mau]\nname = "Đoàn phường mẫu"\nkind = "phuong"\nstart = 2025-07-01\n')
    channels = [
        f'[channels.trang-{n}]\nplatform = "website"\nname = "Trang {n}"\naddress = "{url}"\n'
        f'owners = [{{ unit = "mau", start = 2025-07-01 }}]\nwebsite = {{ way = "feed", at = "{url}" }}\n'
        for n, url in enumerate(urls)
    ]
    (folder / "channels.toml").write_text("\n".join(channels), encoding="utf-8")
    return folder


@contextmanager
def _sites(items: int) -> Iterator[int]:
    """The sites in a process of their own; yields their port."""
    port = 9_917 + items
    command = [sys.executable, "-m", "benchmarks.sites", str(port), str(items), str(LATENCY_MS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        server.stdout.readline()
        try:
            yield port
        finally:
            server.terminate()
