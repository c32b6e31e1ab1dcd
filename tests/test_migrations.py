"""The migrations: one line of them, ending at the schema that the code speaks."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, select

from store.database import Database, parse_url
from store.errors import StoreError, Trouble
from store.lifecycle import MIGRATIONS
from store.schema import HEAD, meta, metadata
from store.verbs import Store, create_store, open_store, upgrade_store
from tests.command_line import nhip
from tests.store_builders import FRIDAY, dump, watch


@pytest.fixture(scope="module")
def scripts() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return ScriptDirectory(str(MIGRATIONS))


def test_the_migrations_end_at_the_version_of_the_code(scripts: ScriptDirectory) -> None:
    assert scripts.get_heads() == [HEAD]


def test_the_names_of_revisions_sort_in_their_order(scripts: ScriptDirectory) -> None:
    newest_first = [script.revision for script in scripts.walk_revisions()]
    assert newest_first == sorted(newest_first, reverse=True)
    assert all(re.fullmatch(r"\d{4}", revision) for revision in newest_first)


def test_the_migrated_schema_is_the_one_the_code_speaks(store: Store) -> None:
    differences = store.database.read(
        lambda connection: compare_metadata(MigrationContext.configure(connection), metadata)
    )
    assert differences == []


SORTED = ("snapshot", "post_count", "post_label", "look", "quota", "verdict", "reported_figure", "flip", "told")


@pytest.mark.parametrize("table", SORTED)
def test_the_series_lie_in_the_order_of_their_keys(created_file: Path, table: str) -> None:
    with open_store(f"sqlite:///{created_file}") as store:
        sql = store.database.read(
            lambda connection: connection.exec_driver_sql(
                "SELECT sql FROM sqlite_master WHERE name = ?", (table,)
            ).scalar_one()
        )
    assert sql.rstrip().endswith("WITHOUT ROWID")


def test_a_new_store_says_whose_it_is_and_since_when(tmp_path: Path) -> None:
    create_store(f"sqlite:///{tmp_path / 'nhip.sqlite3'}", FRIDAY)
    with open_store(f"sqlite:///{tmp_path / 'nhip.sqlite3'}") as store:
        rows = store.database.read(lambda connection: connection.execute(select(meta)).all())
    assert dict(map(tuple, rows)) == {"application": "nhip-doan", "created_at": str(int(FRIDAY.timestamp()))}


def test_an_upgrade_of_a_current_store_changes_nothing(store: Store, store_url: str) -> None:
    watch(store, "mot")
    before = dump(store)
    upgrade_store(store_url)
    assert dump(store) == before


FIRST_ROWS = (
    "INSERT INTO meta VALUES ('application', 'nhip-doan'), ('created_at', '0')",
    "INSERT INTO unit VALUES (1, 'phuong-mot', 'Phường Một', 'ward', '2025-07-01', NULL, NULL)",
    "INSERT INTO channel VALUES (1, 'mot', 'website', 'Trang một', 'https://mot.example.vn', 1, NULL, '{}')",
    "INSERT INTO look (channel_id, slot, state, attempt) VALUES (1, 10, 'missed', 0)",
    "INSERT INTO snapshot (channel_id, observed_at, source, followers, precision) VALUES (1, 10, 1, 1200, 0)",
    "INSERT INTO post VALUES (1, 1, 'a', 5, 'feed', 'exact', 'Bài (mẫu)', '', 'https://mot.example.vn/a', 'article',"
    " false, '[]', 10, NULL, NULL, NULL)",
    "INSERT INTO post_count VALUES (1, 10, 1, 2, 3, NULL)",
    "INSERT INTO post_label VALUES (1, 'tin-tot', 'person', 1, 10, 'Ban Tuyên giáo', true)",
)
"""One row in every table that the first version had."""
ADDED = (
    "told",
    "flip",
    "alert_case",
    "delivery",
    "way_rest",
    "beat",
    "secret",
    "quota",
    "verdict",
    "reported_figure",
    "audit",
    "progress",
    "review",
    "review_note",
    "closing",
)


def as_the_first_version_left_it(url: str) -> None:
    """Takes a fresh store back to revision 0001, with a row in every table."""

    def work(connection: Connection) -> None:
        for table in ADDED:
            connection.exec_driver_sql(f"DROP TABLE {table}")
        connection.exec_driver_sql("DELETE FROM meta")
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
        for row in FIRST_ROWS:
            connection.exec_driver_sql(row)

    with open_store(url) as store:
        store.database.write(work)


def rows_of(url: str) -> dict[str, list[tuple[Any, ...]]]:
    database = Database(parse_url(url))
    names = sorted(set(metadata.tables) - set(ADDED))
    try:
        return database.read(
            lambda connection: {
                name: [tuple(row) for row in connection.exec_driver_sql(f"SELECT * FROM {name}")] for name in names
            }
        )
    finally:
        database.close()


def test_an_upgrade_from_the_first_version_keeps_every_row(store_url: str) -> None:
    as_the_first_version_left_it(store_url)
    before = rows_of(store_url)
    assert all(before.values())
    with pytest.raises(StoreError, match="schema 0001") as older:
        open_store(store_url)
    assert older.value.kind is Trouble.OLDER
    upgrade_store(store_url)
    assert rows_of(store_url) == before
    with open_store(store_url) as store:
        assert store.token_states() == []
        assert store.figures().empty
        assert store.progress().empty
        assert store.verify_audit().rows == 0
        assert store.cases(open_only=False) == []
        assert store.beats() == {}
        differences = store.database.read(lambda c: compare_metadata(MigrationContext.configure(c), metadata))
    assert differences == []


def test_init_upgrades_a_folder_of_the_first_version_and_until_then_every_command_says_so(tmp_path: Path) -> None:
    folder, url = tmp_path / "quan", f"sqlite:///{tmp_path / 'quan' / 'nhip.sqlite3'}"
    assert nhip("init", folder).code == 0
    as_the_first_version_left_it(url)
    before = rows_of(url)
    for words in (["doctor"], ["collect"], ["check"], ["suspect"], ["run"], ["connect", "zalo"]):
        said = nhip("--config", folder, *words)
        assert (said.code, "chạy lại «nhip init» để nâng cấp" in said.err) == (74, True), words
    assert nhip("init", folder).code == 0
    assert rows_of(url) == before
    assert nhip("--config", folder, "suspect").code == 0


def test_a_creation_that_broke_off_can_be_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "nhip.sqlite3"
    monkeypatch.setattr("store.lifecycle.APPLICATION_ID", "1 2")
    with pytest.raises(StoreError, match="syntax error"):
        create_store(f"sqlite:///{path}", FRIDAY)
    monkeypatch.undo()
    create_store(f"sqlite:///{path}", FRIDAY)
    open_store(f"sqlite:///{path}").close()


def test_the_store_package_and_its_records_stay_light() -> None:
    code = "import sys, store.records, store.errors; print(*({'sqlalchemy', 'pandas'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == ""


def test_the_migrations_do_not_lean_on_the_code_of_today() -> None:
    for script in Path(MIGRATIONS / "versions").glob("*.py"):
        assert "import store" not in script.read_text(encoding="utf-8")
        assert "from store" not in script.read_text(encoding="utf-8")
