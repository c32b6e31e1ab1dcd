"""How a database comes to be, is let in, and grows up. Nothing here ever replaces what is already there."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from sqlalchemy import URL, Connection, inspect, select

from store.database import Database, is_sqlite, parse_url
from store.errors import StoreError, Trouble
from store.schema import APPLICATION, APPLICATION_ID, HEAD, epoch, meta

MIGRATIONS = Path(__file__).parent / "migrations"
SQLITE_HEADER = b"SQLite format 3\0"
SQLITE_IDENTITY_AT = 68
"""Where the application id stands in the header (SQLite file format, 1.3)."""


def create_database(url: str, now: datetime) -> None:
    """Makes the database and its tables, marked as ours. Refuses whatever already holds anything."""
    parsed = parse_url(url)
    if is_sqlite(parsed):
        _create_file(parsed)
    database = Database(parsed)
    try:
        database.read(lambda connection: _refuse_tables(connection, database))
        if is_sqlite(parsed):
            _lay_out_file(database)
        database.write(lambda connection: _found(connection, database, now))
    finally:
        database.close()


def open_database(url: str) -> Database:
    """The database, sound, ours and of this version; else StoreError. Never creates anything."""
    return _opened(url, accept=(HEAD,))


def open_reading(url: str) -> Database:
    """The same for a reader beside the program: it writes nothing, and nothing keeps it long; pages are not checked."""
    parsed = parse_url(url)
    if is_sqlite(parsed):
        _examine_file(parsed)
    return _let_in(Database(parsed, reads_only=True), (HEAD,), checks_pages=False)


def upgrade_database(url: str) -> None:
    """Brings an older database of ours to this version in one transaction; a current one stays as it is."""
    database = _opened(url, accept=None)
    try:
        database.write(_migrate)
    finally:
        database.close()


def _opened(url: str, accept: tuple[str, ...] | None) -> Database:
    parsed = parse_url(url)
    if is_sqlite(parsed):
        _examine_file(parsed)
    return _let_in(Database(parsed), accept, checks_pages=is_sqlite(parsed))


def _let_in(database: Database, accept: tuple[str, ...] | None, *, checks_pages: bool) -> Database:
    try:
        database.read(lambda connection: _admit(connection, database, accept, checks_pages=checks_pages))
    except StoreError:
        database.close()
        raise
    return database


def _create_file(url: URL) -> None:
    path = Path(url.database or "")
    try:
        path.touch()
    except FileNotFoundError as error:
        raise StoreError(Trouble.FOLDER, str(path.parent), "no such folder") from error
    except OSError as error:
        raise StoreError(Trouble.READ_ONLY, str(path), error.strerror or "") from error
    if path.stat().st_size and not _header(path).startswith(SQLITE_HEADER):
        raise StoreError(Trouble.FOREIGN, str(path), "not a SQLite file")


def _examine_file(url: URL) -> None:
    """Tells missing, empty and foreign files apart before SQLite touches them."""
    path = Path(url.database or "")
    if not path.is_file():
        raise StoreError(Trouble.MISSING, str(path), "no such file")
    header = _header(path)
    if not header:
        raise StoreError(Trouble.MISSING, str(path), "the file is empty")
    identity = int.from_bytes(header[SQLITE_IDENTITY_AT : SQLITE_IDENTITY_AT + 4], "big")
    if not header.startswith(SQLITE_HEADER) or identity != APPLICATION_ID:
        raise StoreError(Trouble.FOREIGN, str(path), f"application id {identity:#x}")


def _header(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(100)
    except OSError as error:
        raise StoreError(Trouble.READ_ONLY, str(path), error.strerror or "") from error


def _lay_out_file(database: Database) -> None:
    """Write-ahead log; pages that series fill better than the usual ones (7.5 bytes a value, not 8.2)."""
    with database.faults(), database.engine.connect() as connection:
        cursor = connection.connection.cursor()
        cursor.execute("PRAGMA page_size = 8192")
        cursor.execute("PRAGMA journal_mode = WAL")


def _refuse_tables(connection: Connection, database: Database) -> None:
    tables = inspect(connection).get_table_names()
    if tables:
        kind = Trouble.EXISTS if _is_ours(connection, tables) else Trouble.FOREIGN
        raise StoreError(kind, database.where, f"tables: {', '.join(sorted(tables)[:5])}")


def _found(connection: Connection, database: Database, now: datetime) -> None:
    _refuse_tables(connection, database)
    _migrate(connection)
    connection.execute(
        meta.insert(),
        [{"name": "application", "value": APPLICATION}, {"name": "created_at", "value": str(epoch(now))}],
    )
    if is_sqlite(database.url):
        connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")


def _admit(connection: Connection, database: Database, accept: tuple[str, ...] | None, *, checks_pages: bool) -> None:
    if checks_pages:
        _check_pages(connection, database)
    tables = inspect(connection).get_table_names()
    if not tables:
        raise StoreError(Trouble.MISSING, database.where, "no tables")
    if not _is_ours(connection, tables):
        raise StoreError(Trouble.FOREIGN, database.where, "no identity row")
    version = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one()
    if version > HEAD:
        raise StoreError(Trouble.NEWER, database.where, f"schema {version}, this program speaks {HEAD}")
    if accept is not None and version not in accept:
        raise StoreError(Trouble.OLDER, database.where, f"schema {version}, this program speaks {HEAD}")


def _check_pages(connection: Connection, database: Database) -> None:
    finding = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
    if finding != "ok":
        raise StoreError(Trouble.DAMAGED, database.where, finding)


def _is_ours(connection: Connection, tables: list[str]) -> bool:
    if not {"meta", "alembic_version"} <= set(tables):
        return False
    return connection.scalar(select(meta.c.value).where(meta.c.name == "application")) == APPLICATION


def _migrate(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
