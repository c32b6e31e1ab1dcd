"""The migrations: one line of them, ending at the schema that the code speaks."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import select

from store.errors import StoreError
from store.lifecycle import MIGRATIONS
from store.schema import HEAD, meta, metadata
from store.verbs import Store, create_store, open_store, upgrade_store
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


@pytest.mark.parametrize("table", ["snapshot", "post_count", "post_label", "look"])
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
