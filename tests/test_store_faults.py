"""Everything that can be wrong with a database ends in one Vietnamese sentence, and loses nothing."""

from __future__ import annotations

import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, event

from store.errors import SENTENCES, StoreError, Trouble
from store.records import EVER, Reading
from store.schema import APPLICATION_ID
from store.verbs import Store, create_store, open_store, upgrade_store
from tests.conftest import NewUrl, Postgres
from tests.invariants import assert_invariants
from tests.store_builders import (
    FRIDAY,
    a_post,
    a_result,
    a_snapshot,
    days,
    dump,
    hours,
    look,
    see,
    take,
    watch,
)

NOBODY = 65534


@pytest.fixture
def path(created_file: Path, tmp_path: Path) -> Path:
    """A fresh SQLite store."""
    return Path(shutil.copy(created_file, tmp_path / "nhip.sqlite3"))


def url_of(path: Path) -> str:
    return f"sqlite:///{path}"


def filled(path: Path) -> Path:
    with open_store(url_of(path)) as store:
        watch(store, "mot")
        see(store, "mot", [a_post(f"bai-{n}", excerpt="x" * 400) for n in range(200)], FRIDAY)
        history = tuple(a_snapshot(FRIDAY + hours(n)) for n in range(900))
        look(store, "mot", Reading(history), FRIDAY + days(1))
    return path


def refusal(action: Any, *arguments: Any) -> StoreError:
    with pytest.raises(StoreError) as caught:
        action(*arguments)
    error = caught.value
    assert error.sentence.endswith(".")
    assert "Đề nghị" in error.sentence or error.kind is Trouble.EXISTS
    assert "\n" not in error.sentence
    return error


@contextmanager
def as_ordinary_user() -> Iterator[None]:
    """Root may write anywhere: without its rights, like everybody else."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def shared(created_file: Path) -> Iterator[Path]:
    """A fresh SQLite store in a folder that ordinary users may enter; pytest's own folders keep them out."""
    with tempfile.TemporaryDirectory(prefix="nhip-") as folder:
        Path(folder).chmod(0o777)
        yield Path(shutil.copy(created_file, Path(folder) / "nhip.sqlite3"))
        Path(folder).chmod(0o777)


def overwrite(path: Path, start: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(start)
        file.write(data)


def test_every_trouble_has_a_sentence_that_says_where() -> None:
    assert set(SENTENCES) == set(Trouble)
    assert all("{where}" in sentence for sentence in SENTENCES.values())


def test_a_missing_file_is_refused_and_not_created(tmp_path: Path) -> None:
    path = tmp_path / "không có.sqlite3"
    error = refusal(open_store, url_of(path))
    assert error.kind is Trouble.MISSING
    assert str(path) in error.sentence
    assert "nhip init" in error.sentence
    assert not path.exists()


def test_a_missing_folder_is_refused_and_not_created(tmp_path: Path) -> None:
    path = tmp_path / "không có" / "nhip.sqlite3"
    assert refusal(open_store, url_of(path)).kind is Trouble.MISSING
    assert refusal(create_store, url_of(path), FRIDAY).kind is Trouble.FOLDER
    assert not path.parent.exists()


@pytest.mark.parametrize(
    "url",
    ["", "nhip.sqlite3", "sqlite://", "sqlite:///:memory:", "mysql://host/x", "nope://x", "postgresql://host:abc/x"],
)
def test_an_address_that_is_no_database_of_ours_is_refused(url: str) -> None:
    assert refusal(open_store, url).kind is Trouble.ADDRESS


def test_an_empty_file_is_refused_but_may_become_a_store(tmp_path: Path) -> None:
    path = tmp_path / "nhip.sqlite3"
    path.touch()
    assert refusal(open_store, url_of(path)).kind is Trouble.MISSING
    create_store(url_of(path), FRIDAY)
    assert_invariants(url_of(path))


def test_a_foreign_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite3"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE mine (x)")
    other.close()
    before = path.read_bytes()
    for action in (open_store, upgrade_store):
        assert refusal(action, url_of(path)).kind is Trouble.FOREIGN
    assert refusal(create_store, url_of(path), FRIDAY).kind is Trouble.FOREIGN
    assert path.read_bytes() == before


def test_a_foreign_database_that_wears_our_mark_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite3"
    with sqlite3.connect(path) as other:
        other.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        other.execute("CREATE TABLE meta (name, value)")
    other.close()
    assert refusal(open_store, url_of(path)).kind is Trouble.FOREIGN


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("Biên bản họp giao ban\n" * 100, encoding="utf-8")
    assert refusal(open_store, url_of(path)).kind is Trouble.FOREIGN
    assert refusal(create_store, url_of(path), FRIDAY).kind is Trouble.FOREIGN


def test_a_store_is_never_created_over_a_store(new_url: NewUrl) -> None:
    url = new_url()
    with open_store(url) as store:
        watch(store, "mot")
        before = dump(store)
        assert refusal(create_store, url, FRIDAY).kind is Trouble.EXISTS
        assert dump(store) == before


@pytest.mark.parametrize(("version", "trouble"), [("0000", Trouble.OLDER), ("9999", Trouble.NEWER)])
def test_a_store_of_another_version_is_refused(store: Store, store_url: str, version: str, trouble: Trouble) -> None:
    store.database.write(
        lambda connection: connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{version}'")
    )
    assert refusal(open_store, store_url).kind is trouble


@pytest.mark.parametrize("place", [0.3, 0.5, 0.7, 0.9])
def test_a_damaged_file_is_refused(path: Path, place: float) -> None:
    filled(path)
    start = int(path.stat().st_size * place) // 8192 * 8192
    overwrite(path, start, os.urandom(512))
    assert refusal(open_store, url_of(path)).kind is Trouble.DAMAGED


def test_a_file_that_was_cut_off_is_refused(path: Path) -> None:
    filled(path)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)
    assert refusal(open_store, url_of(path)).kind is Trouble.DAMAGED


def test_damage_under_a_running_store_is_reported(path: Path) -> None:
    filled(path)
    with open_store(url_of(path)) as store:
        store.close()
        overwrite(path, 8192 * 3, b"\xff" * (path.stat().st_size - 8192 * 3))
        error = refusal(store.series, EVER, FRIDAY + days(99))
        assert error.kind is Trouble.DAMAGED


def test_a_store_that_vanished_or_was_replaced_is_reported(path: Path, created_file: Path) -> None:
    with open_store(url_of(path)) as store:
        watch(store, "mot")
        path.unlink()
        assert refusal(watch, store, "hai").kind is Trouble.MOVED
        assert not path.exists()
        shutil.copy(created_file, path)
        assert refusal(store.last_looks).kind is Trouble.MOVED


def test_a_read_only_file_is_read_but_not_written(shared: Path) -> None:
    filled(shared)
    shared.chmod(0o444)
    with as_ordinary_user(), open_store(url_of(shared)) as store:
        assert len(store.posts(EVER, FRIDAY + days(9))) == 200
        error = refusal(look, store, "mot", Reading(), FRIDAY + days(5))
    assert error.kind is Trouble.READ_ONLY
    assert str(shared) in error.sentence


def test_a_read_only_folder_is_reported(shared: Path) -> None:
    shared.chmod(0o666)
    shared.parent.chmod(0o555)
    with as_ordinary_user():
        assert refusal(open_store, url_of(shared)).kind is Trouble.READ_ONLY
        assert refusal(create_store, url_of(shared.parent / "new.sqlite3"), FRIDAY).kind is Trouble.READ_ONLY


def test_a_full_disk_stores_nothing_of_the_batch_and_all_of_it_once_there_is_room(path: Path) -> None:
    with open_store(url_of(path)) as store:
        watch(store, "mot")
        (taken,) = take(store, "mot")
        result = a_result(
            taken, Reading((a_snapshot(),), tuple(a_post(f"b{n}", excerpt="x" * 999) for n in range(900)))
        )
        before = dump(store)
        limit_pages(store, 60)
        assert refusal(store.record, [result]).kind is Trouble.FULL
        assert dump(store) == before
        limit_pages(store, 2**30)
        assert store.record([result]) == []
    assert_invariants(url_of(path), FRIDAY)


def limit_pages(store: Store, pages: int) -> None:
    with store.database.engine.connect() as connection:
        connection.connection.cursor().execute(f"PRAGMA max_page_count = {pages}")


WRITE_UNTIL_REFUSED = """
import sys
from store.errors import StoreError
from store.records import Reading
from store.verbs import open_store
from tests.store_builders import FRIDAY, a_post, hours, see, watch
with open_store(sys.argv[1]) as store:
    watch(store, "mot")
    try:
        for n in range(1000):
            see(store, "mot", [a_post(f"{n}-{m}", excerpt="x" * 999) for m in range(100)], FRIDAY + hours(n))
    except StoreError as error:
        print(n, error.kind)
        sys.exit(3)
"""


def test_a_disk_that_refuses_in_the_middle_leaves_whole_looks(path: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))

    command = [sys.executable, "-c", WRITE_UNTIL_REFUSED, url_of(path)]
    child = subprocess.run(command, preexec_fn=limit, capture_output=True, text=True, check=False)
    assert (child.returncode, child.stderr) == (3, "")
    looks, kind = child.stdout.split()
    assert kind in {Trouble.DISK, Trouble.FULL}
    assert_invariants(url_of(path))
    with open_store(url_of(path)) as store:
        assert len(store.posts(EVER, FRIDAY + days(99))) == int(looks) * 100


def test_a_writer_waits_for_another_program_and_then_says_so(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("store.database.LOCK_WAIT_SECONDS", 0.2)
    other = sqlite3.connect(path, isolation_level=None)
    with open_store(url_of(path)) as store:
        other.execute("BEGIN IMMEDIATE")
        assert refusal(watch, store, "mot").kind is Trouble.LOCKED
        assert store.last_looks().empty
        other.execute("ROLLBACK")
        watch(store, "mot")
    other.close()


def test_a_server_that_is_not_there_is_reported_without_the_password() -> None:
    url = "postgresql://user:s3cr3t@127.0.0.1:1/nhip?connect_timeout=3"
    for action in (open_store, upgrade_store):
        error = refusal(action, url)
        assert error.kind is Trouble.LOST
        assert "127.0.0.1/nhip" in error.sentence
        assert "s3cr3t" not in f"{error.sentence} {error.detail} {error.__cause__!r}"


def test_a_database_that_is_not_there_is_reported(postgres: Postgres) -> None:
    assert refusal(open_store, postgres.url("khong_co")).kind is Trouble.LOST


def test_an_empty_database_of_the_server_is_refused_but_may_become_a_store(postgres: Postgres) -> None:
    url = postgres.new_database()
    assert refusal(open_store, url).kind is Trouble.MISSING
    create_store(url, FRIDAY)
    assert_invariants(url)


def test_a_foreign_database_of_the_server_is_refused(postgres: Postgres) -> None:
    url = postgres.new_database()
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE mine (x int)")
    assert refusal(open_store, url).kind is Trouble.FOREIGN
    assert refusal(create_store, url, FRIDAY).kind is Trouble.FOREIGN


def test_a_user_without_rights_is_told_so(postgres: Postgres, created_database: str) -> None:
    url = postgres.new_database(created_database)
    postgres.execute("DROP ROLE IF EXISTS guest")
    postgres.execute("CREATE ROLE guest LOGIN")
    assert refusal(open_store, url.replace("user=postgres", "user=guest")).kind is Trouble.DENIED


def test_a_restarted_server_is_not_noticed_between_two_verbs(postgres: Postgres, created_database: str) -> None:
    url = postgres.new_database(created_database)
    with open_store(url) as store:
        watch(store, "mot")
        for n in range(3):
            postgres.stop()
            postgres.start()
            look(store, "mot", Reading((a_snapshot(FRIDAY + hours(n)),)), FRIDAY + hours(n))
    assert_invariants(url, FRIDAY + days(1))


def test_a_connection_that_dies_inside_a_verb_costs_one_retry(postgres: Postgres, created_database: str) -> None:
    url = postgres.new_database(created_database)
    with open_store(url) as store:
        watch(store, "mot")
        runs = []

        def work(connection: Connection) -> Any:
            connection.exec_driver_sql("INSERT INTO meta VALUES ('half', 'done')")
            runs.append(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())
            if len(runs) == 1:
                postgres.execute(f"SELECT pg_terminate_backend({runs[0]})")
            return connection.exec_driver_sql("SELECT count(*) FROM meta").scalar_one()

        assert store.database.write(work) == 3
        assert len(runs) == 2


def test_a_text_that_only_postgres_refuses_fails_its_own_look(postgres: Postgres, created_database: str) -> None:
    url = postgres.new_database(created_database)
    with open_store(url) as store:
        watch(store, "mot", "hai")
        bad, good = take(store, "mot", "hai")
        posts = (a_post("a", title="Tin\0tốt"),)
        assert store.record([a_result(bad, Reading(posts=posts)), a_result(good, Reading((a_snapshot(),)))]) == []
        assert store.last_looks().set_index("channel")["outcome"].to_dict() == {"mot": "drift", "hai": "ok"}
    assert_invariants(url)


def test_a_lost_answer_to_a_commit_does_not_lose_the_slots_that_were_taken(
    postgres: Postgres, created_database: str
) -> None:
    url = postgres.new_database(created_database)
    with open_store(url) as store:
        watch(store, "mot", "hai")
        take(store, "hai", owner="other")
        lost: list[int] = []

        def lose_the_answer(connection: Connection) -> None:
            driver: Any = connection.connection.driver_connection
            if not lost:
                driver.commit()
                lost.append(driver.execute("SELECT pg_backend_pid()").fetchone()[0])
                postgres.execute(f"SELECT pg_terminate_backend({lost[0]})")

        event.listen(store.database.engine, "commit", lose_the_answer)
        taken = take(store, "mot", "hai")
        assert [(one.slot.channel, one.attempt) for one in taken] == [("mot", 1)]
        assert len(lost) == 1
        assert take(store, "mot") == []
        assert store.record([a_result(one, Reading((a_snapshot(),))) for one in taken]) == []
    assert_invariants(url)


def test_a_server_that_stays_away_is_reported_and_comes_back(postgres: Postgres, created_database: str) -> None:
    url = postgres.new_database(created_database)
    with open_store(url) as store:
        watch(store, "mot")
        postgres.stop()
        error = refusal(take, store, "mot")
        postgres.start()
        assert error.kind is Trouble.LOST
        assert len(take(store, "mot")) == 1
