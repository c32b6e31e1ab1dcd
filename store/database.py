"""One database behind one URL: connections, transactions, and the faults of both kinds of database."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from store.errors import StoreError, Trouble

T = TypeVar("T")
Work = Callable[[Connection], T]
"""What is done inside one transaction; run again from its start when the connection was lost."""

LOCK_WAIT_SECONDS = 15
WAL_LIMIT_BYTES = 64 * 1024 * 1024
READER_SECONDS = 2.0
"""How long one statement of a reader may take: a page must not keep the machine from its work."""
STEPS_BETWEEN_LOOKS = 20_000
"""Steps of SQLite's machine between two looks at the time: less than a millisecond."""

SQLITE_TROUBLES = {
    sqlite3.SQLITE_PERM: Trouble.READ_ONLY,
    sqlite3.SQLITE_INTERRUPT: Trouble.SLOW,
    sqlite3.SQLITE_BUSY: Trouble.LOCKED,
    sqlite3.SQLITE_LOCKED: Trouble.LOCKED,
    sqlite3.SQLITE_READONLY: Trouble.READ_ONLY,
    sqlite3.SQLITE_READONLY_DBMOVED: Trouble.MOVED,
    sqlite3.SQLITE_IOERR: Trouble.DISK,
    sqlite3.SQLITE_CORRUPT: Trouble.DAMAGED,
    sqlite3.SQLITE_FULL: Trouble.FULL,
    sqlite3.SQLITE_CANTOPEN: Trouble.READ_ONLY,
    sqlite3.SQLITE_TOOBIG: Trouble.UNFIT,
    sqlite3.SQLITE_CONSTRAINT: Trouble.UNFIT,
    sqlite3.SQLITE_MISMATCH: Trouble.UNFIT,
    sqlite3.SQLITE_NOTADB: Trouble.FOREIGN,
}
"""By the extended result code, else by its low byte."""

POSTGRES_TROUBLES = {
    "08": Trouble.LOST,
    "22": Trouble.UNFIT,
    "23": Trouble.UNFIT,
    "57P": Trouble.LOST,
    "57014": Trouble.SLOW,
    "28": Trouble.DENIED,
    "42501": Trouble.DENIED,
    "3D": Trouble.MISSING,
    "53100": Trouble.FULL,
    "53": Trouble.LOST,
    "25006": Trouble.READ_ONLY,
    "55P03": Trouble.LOCKED,
    "40": Trouble.LOCKED,
    "XX": Trouble.DAMAGED,
}
"""By the start of the SQLSTATE; the longest match wins."""


class Database:
    """An engine for one URL, and the two ways to use it: `read` and `write`."""

    def __init__(self, url: URL, *, reads_only: bool = False) -> None:
        self.url = url
        self.where = place_of(url)
        self._file, self._reads_only = _identity(url), reads_only
        new_engine = sqlite_engine if is_sqlite(url) else postgres_engine
        self.engine = new_engine(url, reads_only=reads_only)

    def read(self, work: Work[T]) -> T:
        """What *work* finds in one consistent snapshot of the data; it never waits for a writer."""
        return self._run(work, writes=False)

    def write(self, work: Work[T], *, durable: bool = False) -> T:
        """What *work* returns, all of it committed or none of it.

        With *durable* it also outlives a power cut right after: a SQLite file waits for the disk.
        """
        return self._run(work, writes=True, durable=durable)

    def close(self) -> None:
        self.engine.dispose()

    def _run(self, work: Work[T], *, writes: bool, durable: bool = False) -> T:
        with self.faults():
            try:
                return self._once(work, writes=writes, durable=durable)
            except DBAPIError as error:
                if not error.connection_invalidated:
                    raise
                return self._once(work, writes=writes, durable=durable)

    def _once(self, work: Work[T], *, writes: bool, durable: bool) -> T:
        if _identity(self.url) != self._file:
            raise StoreError(Trouble.MOVED, self.where, "the file is not the one that was opened")
        with self.engine.connect() as connection:
            prepare(connection, writes=writes and not self._reads_only)
            with _waiting_for_disk(connection, durable=durable), connection.begin():
                return work(connection)

    @contextmanager
    def faults(self) -> Iterator[None]:
        """Turns every fault of the database into a `StoreError`."""
        try:
            yield
        except DBAPIError as error:
            raise StoreError(trouble_of(error), self.where, f"{type(error.orig).__name__}: {error.orig}") from error
        except PoolTimeoutError as error:
            raise StoreError(Trouble.LOCKED, self.where, str(error)) from error
        except (OverflowError, UnicodeEncodeError) as error:  # the driver's word for a value beyond its types
            raise StoreError(Trouble.UNFIT, self.where, type(error).__name__) from error


def parse_url(url: str) -> URL:
    """The URL of a database: `sqlite:///path` or `postgresql://…` (always through psycopg 3).

    StoreError(ADDRESS) when it is neither.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise StoreError(Trouble.ADDRESS, "biến NHIP_DATABASE", "not a database URL") from None
    if parsed.get_backend_name() == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if is_sqlite(parsed) and parsed.database and parsed.database != ":memory:":
        return parsed
    raise StoreError(Trouble.ADDRESS, place_of(parsed), "not a SQLite file or PostgreSQL")


def place_of(url: URL) -> str:
    """Where a database is, for people: without user, password and settings."""
    if is_sqlite(url):
        return url.database or ""
    return f"{url.host or 'máy này'}/{url.database or ''}"


def _identity(url: URL) -> tuple[int, int] | None:
    """Which file a SQLite URL means now: SQLite itself goes on writing to one that was deleted."""
    if not is_sqlite(url):
        return None
    try:
        found = Path(url.database or "").stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def is_sqlite(url: URL) -> bool:
    return url.get_backend_name() == "sqlite"


def sqlite_engine(url: URL, *, reads_only: bool = False) -> Engine:
    """Connections that never create the file, wait for a writer, and leave transactions to us.

    Those that only read cannot write, and end a statement after READER_SECONDS.
    """
    mode = "ro" if reads_only else "rw"
    address = f"file:{quote(str(Path(url.database or '').absolute()))}?mode={mode}"

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            address, uri=True, timeout=LOCK_WAIT_SECONDS, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA journal_size_limit = {WAL_LIMIT_BYTES}")
        return connection

    engine = create_engine(url, creator=connect, hide_parameters=True)
    event.listen(engine, "begin", _begin_sqlite)
    if reads_only:
        event.listen(engine, "before_cursor_execute", _limit_sqlite)
    return engine


def _limit_sqlite(connection: Connection, cursor: sqlite3.Cursor, *_rest: object) -> None:
    """Ends the statement, and the reading of its rows, when its time is over."""
    end = time.monotonic() + READER_SECONDS
    cursor.connection.set_progress_handler(lambda: time.monotonic() > end, STEPS_BETWEEN_LOOKS)


def postgres_engine(url: URL, *, reads_only: bool = False) -> Engine:
    limits = f"-c default_transaction_read_only=on -c statement_timeout={READER_SECONDS * 1000:.0f}"
    settings = {"options": limits} if reads_only else {}
    return create_engine(
        url, pool_pre_ping=True, hide_parameters=True, connect_args={"connect_timeout": LOCK_WAIT_SECONDS} | settings
    )


def prepare(connection: Connection, *, writes: bool) -> None:
    """Chooses the transaction: a writer queues before it reads, a reader sees one moment and blocks nobody.

    SQLite refuses a transaction that read first and writes later, whatever the busy timeout
    (facts: BUSY_SNAPSHOT).
    """
    if connection.dialect.name == "sqlite":
        connection.execution_options(writes=writes)
    elif not writes:
        connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")


@contextmanager
def _waiting_for_disk(connection: Connection, *, durable: bool) -> Iterator[None]:
    """Only the write-ahead log of SQLite does not wait by itself."""
    if not durable or connection.dialect.name != "sqlite":
        yield
        return
    cursor = connection.connection.cursor()
    cursor.execute("PRAGMA synchronous = FULL")
    try:
        yield
    finally:
        cursor.execute("PRAGMA synchronous = NORMAL")


def trouble_of(error: DBAPIError) -> Trouble:
    """What a database error means for a person."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return SQLITE_TROUBLES.get(code) or SQLITE_TROUBLES.get(code & 0xFF, Trouble.OTHER)
    state: Any = getattr(error.orig, "sqlstate", None)
    if state is None and isinstance(error, DataError | ProgrammingError):
        return Trouble.UNFIT  # the driver's word for a value without a form: a NUL in a text, an unknown type
    if state is None:
        return Trouble.LOST if error.connection_invalidated or _never_connected(error) else Trouble.OTHER
    found = max((start for start in POSTGRES_TROUBLES if state.startswith(start)), key=len, default=None)
    return Trouble.OTHER if found is None else POSTGRES_TROUBLES[found]


def _never_connected(error: DBAPIError) -> bool:
    """psycopg gives a refused connection or a wrong password no SQLSTATE, and no statement was sent."""
    return error.statement is None
