"""Many writers at once: every slot goes to one of them, and none of them ever fails for the others."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlalchemy import Connection

from store.records import Reading, Slot
from store.verbs import Store, open_store
from tests.conftest import NewUrl
from tests.invariants import assert_invariants
from tests.store_builders import FRIDAY, LEASE, a_post, a_result, a_snapshot, days, hours, watch

WORKERS, SLOTS = 4, 120

TAKE_AND_RECORD = """
import json, sys
from store.records import Reading, Slot
from store.verbs import open_store
from tests.store_builders import FRIDAY, LEASE, a_post, a_result, a_snapshot
url, owner, slugs = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
done = []
with open_store(url) as store:
    sys.stdin.readline()
    for first in range(0, len(slugs), 6):
        slots = [Slot(slug, FRIDAY) for slug in slugs[first:first + 12]]
        taken = store.take(slots, owner, FRIDAY, LEASE)
        refused = store.record([a_result(one, Reading((a_snapshot(),), (a_post("a"),))) for one in taken])
        assert not refused
        done += [one.slot.channel for one in taken]
print(json.dumps(done))
"""


def test_a_slot_that_four_processes_want_goes_to_one_of_them(new_url: NewUrl) -> None:
    url = new_url()
    slugs = [f"kenh-{n}" for n in range(SLOTS)]
    with open_store(url) as store:
        watch(store, *slugs)
    workers = [worker(url, f"worker-{n}", slugs if n % 2 else slugs[::-1]) for n in range(WORKERS)]
    for one in workers:
        one.stdin.write("go\n")
        one.stdin.flush()
    answers = [one.communicate(timeout=60) for one in workers]
    assert [errors for _, errors in answers] == [""] * WORKERS
    done = Counter(slug for out, _ in answers for slug in json.loads(out))
    assert done == dict.fromkeys(slugs, 1)
    assert_invariants(url, FRIDAY + LEASE)
    with open_store(url) as store:
        assert len(store.series(FRIDAY, FRIDAY + days(1))) == SLOTS


def worker(url: str, owner: str, slugs: list[str]) -> Any:
    command = [sys.executable, "-c", TAKE_AND_RECORD, url, owner, json.dumps(slugs)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def test_eight_writers_never_stumble_over_each_other(store: Store, store_url: str) -> None:
    slugs = watch(store, *(f"kenh-{n}" for n in range(8)))

    def write(slug: str) -> None:
        for number in range(25):
            at = FRIDAY + hours(number)
            (taken,) = store.take([Slot(slug, at)], slug, at, LEASE)
            assert store.record([a_result(taken, Reading((a_snapshot(at),), (a_post(f"{number}"),)))]) == []

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, slugs))
    assert len(store.series(FRIDAY, FRIDAY + days(2))) == 8 * 25
    assert_invariants(store_url, FRIDAY + days(2))


def test_readers_are_not_held_up_by_a_writer(store: Store) -> None:
    watch(store, "mot")

    def write(connection: Connection) -> Any:
        connection.exec_driver_sql("UPDATE channel SET name = 'đang ghi'")
        return [store.last_looks()["channel"].tolist() for _ in range(3)]

    assert store.database.write(write) == [["mot"]] * 3


def test_two_programs_may_sync_the_same_new_channels_at_once(new_url: NewUrl) -> None:
    url = new_url()
    slugs = [f"kenh-{n}" for n in range(50)]

    def sync(_: Any) -> None:
        with open_store(url) as store:
            watch(store, *slugs)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(sync, range(4)))
    with open_store(url) as store:
        assert sorted(store.last_looks()["channel"]) == sorted(slugs)
    assert_invariants(url)
