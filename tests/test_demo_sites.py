"""The simulated websites, read by the real collector through the real client, and the process that serves them."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from collectors import COLLECTORS
from collectors.base import CollectError, Look
from collectors.client import Client
from collectors.website import ProbeResult, probe
from config.load import load_config
from config.models import Channel
from pipeline.demo.child import Child
from pipeline.demo.district import ZONE, make_district
from pipeline.demo.folder import write_folder
from pipeline.demo.host import hosted
from pipeline.demo.sites import KINDS, OPTIONS
from pipeline.demo.story import make_world
from pipeline.demo.strict import Diary
from pipeline.demo.world import Account, Item, Spell, Trouble, World
from store.records import FailureKind, Reading

START = datetime(2025, 11, 20, 17, tzinfo=UTC)
DAYS = 365
WORLD = make_world(7, 20, START, DAYS)
SITES = {account.kind: replace(account, spells=()) for account in WORLD.on("website").values()}
NOW = datetime(2026, 4, 3, 23, 30, tzinfo=UTC)
READER = {"User-Agent": "NhipDoan/0.1 (+thu@doan-mau.example)"}


class Served:
    """One site on loopback, the moment it is there, and a reader with a memory."""

    def __init__(self, account: Account) -> None:
        self.account, self.now, self.address, self.diary = account, NOW, "", Diary()
        self.cursor: Mapping[str, Any] = {}

    def clock(self) -> datetime:
        return self.now

    def look(self, at: datetime, deadline: float = 10) -> Reading:
        self.now = at
        reading: Reading = asyncio.run(self._ask(deadline, COLLECTORS["website"], self._channel()))
        self.cursor = reading.cursor
        return reading

    def probe(self) -> str | None:
        result: ProbeResult = asyncio.run(self._ask(10, probe, self.address))
        return result.way

    def get(self, path: str, headers: Mapping[str, str] = READER) -> tuple[int, bytes, str]:
        connection = http.client.HTTPConnection(urlsplit(self.address).netloc, timeout=5)
        connection.request("GET", path, headers=dict(headers))
        answer = connection.getresponse()
        said = answer.status, answer.read(), answer.headers.get("ETag", "")
        connection.close()
        return said

    async def _ask(self, deadline: float, ask: Any, whom: Any) -> Any:
        place = urlsplit(self.address).netloc
        contact = "thu@doan-mau.example"
        async with Client(contact=contact, allow=[place], gap_seconds=0, deadline_seconds=deadline, tries=1) as client:
            return await ask(whom, Look(client, self.now, ZONE, self.cursor))

    def _channel(self) -> Channel:
        table = {
            "slug": self.account.slug,
            "platform": "website",
            "name": self.account.name,
            "address": f"{self.address}/",
            "owners": [{"unit": "don-vi", "start": "2020-01-01"}],
            "website": OPTIONS[self.account.kind],
        }
        return Channel.model_validate_json(json.dumps(table))


@contextmanager
def serving(account: Account) -> Iterator[Served]:
    served = Served(account)
    with hosted(World(7, START, WORLD.end, [account]), served.clock) as host:
        served.address, served.diary = host.addresses[account.slug], host.diary
        yield served


def in_trouble(trouble: Trouble, kind: str = "wordpress") -> Account:
    return replace(SITES[kind], spells=[Spell(trouble, NOW, NOW + timedelta(hours=12))])


def told(items: Sequence[Item], since: datetime) -> set[tuple[str, datetime]]:
    return {(item.title, item.published_at) for item in items if item.published_at >= since}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_site_is_read_right_day_by_day(kind: str) -> None:
    moments = [START + timedelta(days=n, hours=6.5) for n in (*range(4), 30, 31, 120, 121, 128, 300, 301, 364)]
    with serving(SITES[kind]) as served:
        promised = [check_against_the_world(served, at) for at in moments]
        violations = served.diary.violations
    assert sum(promised) >= 8
    assert violations == []


def check_against_the_world(served: Served, at: datetime) -> bool:
    """Compare a look with what the site shows; False when the look itself says that it is not whole."""
    reading = served.look(at)
    if not reading.complete or reading.coverage_from is None or reading.unchanged:
        return reading.unchanged
    since = reading.coverage_from
    seen = {(p.title, p.published_at) for p in reading.posts if p.published_at and p.published_at >= since}
    assert seen == told(served.account.visible(at), since)
    return True


@pytest.mark.parametrize("kind", [kind for kind in KINDS if not kind.startswith("listing")])
def test_the_way_of_a_site_is_found_by_itself(kind: str) -> None:
    expected = OPTIONS[kind].get("way", "wordpress")
    with serving(SITES[kind]) as served:
        assert served.probe() == expected


@pytest.mark.parametrize("kind", ["wordpress", "nukeviet", "blogger", "sitemap"])
def test_a_deleted_item_is_gone_from_the_site(kind: str) -> None:
    account = SITES[kind]
    doomed = account.visible(NOW)[1]
    items = [replace(i, gone_at=NOW + timedelta(hours=1)) if i is doomed else i for i in account.items]
    with serving(replace(account, items=items)) as served:
        before, after = served.look(NOW), served.look(NOW + timedelta(hours=2))
    assert doomed.published_at in {post.published_at for post in before.posts}
    assert doomed.published_at not in {post.published_at for post in after.posts}


@pytest.mark.parametrize(
    ("trouble", "kind", "seen"),
    [
        (Trouble.OUTAGE, "wordpress", FailureKind.NETWORK),
        (Trouble.THROTTLED, "rss", FailureKind.THROTTLED),
        (Trouble.UNPUBLISHED, "atom", FailureKind.GONE),
        (Trouble.HTML, "wordpress", FailureKind.DRIFT),
        (Trouble.HTML, "json", FailureKind.DRIFT),
        (Trouble.HTML, "listing-dated", FailureKind.DRIFT),
        (Trouble.SLOW, "rss", FailureKind.NETWORK),
    ],
)
def test_a_site_in_trouble_is_a_failed_look_and_never_an_empty_one(
    trouble: Trouble, kind: str, seen: FailureKind
) -> None:
    with serving(in_trouble(trouble, kind)) as served:
        with pytest.raises(CollectError) as raised:
            served.look(NOW, deadline=0.5 if trouble is Trouble.SLOW else 10)
        assert served.look(NOW + timedelta(hours=13)).posts
    assert raised.value.kind is seen


@pytest.mark.parametrize("path", ["/wp-json/wp/v2/users", "/wp-json/wp/v2/comments", "/?_fields=author"])
def test_a_question_about_persons_is_refused_and_written_down(path: str) -> None:
    with serving(SITES["wordpress"]) as served:
        assert served.get(path)[0] == 403
        assert served.diary.violations == ["website: web-phuong-nang-mai asks for persons"]


def test_an_unknown_parameter_a_secret_or_a_nameless_reader_is_written_down() -> None:
    posts = "/wp-json/wp/v2/posts"
    with serving(SITES["wordpress"]) as served:
        statuses = [
            served.get(f"{posts}?ids=1")[0],
            served.get(f"{posts}?_fields=id,content")[0],
            served.get(posts, READER | {"Cookie": "a=b"})[0],
            served.get(posts, {})[0],
        ]
        assert statuses == [400, 400, 403, 403]
        assert len(served.diary.violations) == 4


def test_a_feed_that_did_not_change_is_304_and_a_rest_answer_has_no_validator() -> None:
    with serving(SITES["rss"]) as served:
        _, _, etag = served.get("/rss.xml")
        assert served.get("/rss.xml", READER | {"If-None-Match": etag})[:2] == (304, b"")
        served.now += timedelta(days=9)
        assert served.get("/rss.xml", READER | {"If-None-Match": etag})[0] == 200
    with serving(SITES["wordpress"]) as served:
        assert served.get("/wp-json/wp/v2/posts")[2] == ""


def test_the_counter_of_a_site_grows_and_is_read() -> None:
    with serving(SITES["nukeviet"]) as served:
        first, later = served.look(NOW), served.look(NOW + timedelta(days=1))
    [before], [after] = [[shot.views for shot in reading.snapshots] for reading in (first, later)]
    assert before is not None
    assert after is not None
    assert before < after < before + 1000


def test_posts_keep_their_categories_so_that_labels_can_be_found() -> None:
    with serving(SITES["wordpress"]) as served:
        reading = served.look(NOW)
    categories = {item.published_at: item.category for item in SITES["wordpress"].items}
    assert all(post.categories == (categories[post.published_at],) for post in reading.posts if post.published_at)


def test_the_whole_district_is_served_from_a_thread_and_leaves_none_behind() -> None:
    before = threading.active_count()
    with hosted(WORLD, lambda: NOW) as host:
        assert {"facebook.base", "tiktok.base", "youtube.base", "zalo.base"} <= host.addresses.keys()
        assert len(host.addresses) == 12 + 12
        assert len(set(host.addresses.values())) == 4 + 12
    assert threading.active_count() == before


def test_a_child_process_tells_the_same_story_by_the_clock_of_its_parent(tmp_path: Path) -> None:
    with Child(7, 20, START, DAYS) as child:
        write_folder(tmp_path, make_district(7, 20, START, DAYS), child.addresses)
        assert len(load_config(tmp_path).watched()) == len(WORLD.accounts)
        served = Served(SITES["wordpress"])
        served.address = child.addresses[served.account.slug]
        child.set_clock(NOW)
        reading = served.look(NOW)
        assert told(served.account.visible(NOW), START) <= {(post.title, post.published_at) for post in reading.posts}
        served.get("/wp-json/wp/v2/users")
        report = child.report()
    assert report.requests["website"] >= 2
    assert len(report.violations) == 1
    assert not is_open(served.address)


def test_a_district_that_cannot_be_told_is_an_error_and_no_orphan() -> None:
    with pytest.raises(RuntimeError, match="did not start"), Child(7, 2, START, DAYS):
        pass


KILLED_PARENT = """
import sys, time
from datetime import datetime, UTC
from pipeline.demo.child import Child
with Child(7, 6, datetime(2026, 1, 1, tzinfo=UTC), 30) as child:
    print(next(iter(child.addresses.values())), flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_the_child_ends_with_its_parent_however_that_ends(how: signal.Signals) -> None:
    command = [sys.executable, "-c", KILLED_PARENT]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True) as parent:
        assert parent.stdout is not None
        address = parent.stdout.readline().decode().strip()
        assert is_open(address)
        if how is signal.SIGINT:
            os.killpg(parent.pid, how)  # Ctrl+C reaches the child too
        else:
            parent.kill()
    deadline = time.monotonic() + 5
    while is_open(address) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_open(address)


def is_open(address: str) -> bool:
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=1)
    try:
        connection.connect()
    except OSError:
        return False
    connection.close()
    return True
