"""The rules of the house, which nobody has to remember because these tests do."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator, Mapping
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
import typer

from pipeline.cli import app
from pipeline.problems import OS_SENTENCES
from store.errors import SENTENCES
from tests.command_line import ROOT, environment

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PACKAGES: list[str] = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
CLOCKS = {
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
    ("time", "time"),
    ("time", "time_ns"),
    ("time", "localtime"),
    ("time", "gmtime"),
    ("Timestamp", "now"),
    ("Timestamp", "today"),
    ("func", "now"),
    ("func", "current_timestamp"),
}
CLOCK_OWNERS = {"collectors/client.py"}
"""The client's `now` is an argument; its default is the real clock, for Retry-After dates."""


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def imported(path: Path) -> Iterator[str]:
    """The top-level names of all modules that a file imports, at its head or later."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


def importers(*names: str) -> set[str]:
    return {name_of(path) for path in MODULES if set(names) & set(imported(path))}


# --- layers -----------------------------------------------------------------------------------------------------


def test_data_walks_one_way():
    checked = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout


def test_only_the_client_goes_out():
    outside = importers("httpx", "aiohttp", "httpx_aiohttp", "requests", "urllib3", "http")
    assert {name for name in outside if not name.startswith("pipeline/demo/")} == {"collectors/client.py"}


def test_the_simulated_district_serves_and_never_goes_out():
    """It takes the server half of aiohttp; the control port of its child is asked with the standard library."""
    assert importers("httpx", "httpx_aiohttp", "requests", "urllib3") == {"collectors/client.py"}
    assert {name for name in importers("http") if name.startswith("pipeline/")} == {"pipeline/demo/child.py"}
    for path in MODULES:
        if name_of(path).startswith("pipeline/demo/"):
            taken = re.findall(r"(?:from|import) aiohttp.*", path.read_text("utf-8"))
            assert set(taken) <= {"from aiohttp import web"}, name_of(path)


def test_only_the_store_speaks_sql():
    assert {name.split("/")[0] for name in importers("sqlalchemy", "alembic", "sqlite3", "psycopg")} == {"store"}


def test_only_the_pipeline_reads_a_clock():
    read = {
        name_of(path)
        for path in MODULES
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Attribute) and (_last(node.value), node.attr) in CLOCKS
    }
    assert {name for name in read if not name.startswith("pipeline/")} <= CLOCK_OWNERS
    assert "pipeline/clock.py" in read  # the search finds what it looks for


def _last(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def test_no_other_distribution_owns_our_names():
    owners = packages_distributions()
    assert {
        name: others for name in PACKAGES if (others := set(owners.get(name, ())) - {PROJECT["project"]["name"]})
    } == {}


def test_every_folder_with_code_is_in_the_package_list():
    folders = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert folders - {"tests", "benchmarks"} == set(PACKAGES)
    assert folders <= set(PROJECT["tool"]["mypy"]["packages"])


# --- sentences --------------------------------------------------------------------------------------------------

TABLES: dict[str, Mapping[Any, str]] = {"store": SENTENCES, "operating system": OS_SENTENCES}


@pytest.mark.parametrize("table", TABLES)
def test_every_sentence_of_a_table_says_what_to_do(table: str):
    for key, sentence in TABLES[table].items():
        assert sentence.endswith("."), key
        assert "Đề nghị" in sentence or "Hệ thống" in sentence, key


def test_every_text_that_asks_for_something_ends_with_a_full_stop():
    found = [(name_of(path), node.lineno, end) for path in MODULES for node, end in requests(tree_of(path))]
    assert len(found) > 40
    assert [place for place in found if not place[2].endswith(".")] == []


def requests(tree: ast.Module) -> Iterator[tuple[ast.expr, str]]:
    """Every sentence with «Đề nghị» in it, and how its last written part ends. Parts begin with a small letter."""
    for node in ast.walk(tree):
        parts = node.values if isinstance(node, ast.JoinedStr) else [node]
        written = [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]
        if isinstance(node, ast.expr) and "Đề nghị" in (text := "".join(written)) and text[0].isupper():
            last = parts[-1]
            yield node, str(last.value) if isinstance(last, ast.Constant) else ""


# --- locks, README, wheel ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_pins_with_hashes_and_names_no_index(name: str):
    text = (ROOT / name).read_text("utf-8")
    assert not re.search(r"://|--index|-i |--find-links|--extra|--trusted", text)
    blocks = re.split(r"\n(?=\S)", text.strip())
    pinned = [block for block in blocks if not block.startswith("#")]
    assert len(pinned) > 20
    for block in pinned:
        assert re.match(r"[a-z0-9][a-z0-9._-]*(\[[a-z,]+\])?==\S+", block), block[:60]
        assert "--hash=sha256:" in block, block[:60]


def test_the_locks_hold_every_declared_dependency():
    wanted = {re.split(r"[\[<>=;]", line)[0] for line in PROJECT["project"]["dependencies"]}
    lock = set(
        re.findall(r"^([a-z0-9._-]+)(?:\[[a-z,]+\])?==", (ROOT / "requirements.lock").read_text("utf-8"), re.MULTILINE)
    )
    assert wanted <= lock
    dev = (ROOT / "requirements-dev.lock").read_text("utf-8")
    for group in ("build", "dev"):
        for line in PROJECT["dependency-groups"][group]:
            assert re.search(rf"^{re.split(r'[<>=;]', line)[0]}==", dev, re.MULTILINE), line


def test_the_commands_of_the_readme_exist():
    readme, makefile = (ROOT / "README.md").read_text("utf-8"), (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    asked = set(re.findall(r"(?:^|`)make ([a-z]+)", readme, re.MULTILINE))
    assert {"install", "test"} <= asked <= targets
    commands = {info.name or info.callback.__name__ for info in app.registered_commands if info.callback}
    commands |= {str(group.name) for group in app.registered_groups}
    shown = set(re.findall(r"nhip(?: --config \S+)? ([a-z]+)", readme))
    assert shown == commands


def test_the_documents_of_the_readme_exist():
    readme = (ROOT / "README.md").read_text("utf-8")
    missing = [place for place in re.findall(r"\]\(([^)#:]+)\)", readme) if not (ROOT / place).exists()]
    assert missing == []


def test_every_option_has_a_vietnamese_help_text():
    group = typer.main.get_command(app)
    commands = getattr(group, "commands").values()  # noqa: B009 - only a group has commands
    for command in commands:
        assert re.search(r"[^\x00-\x7f]", command.help or ""), command.name
        for parameter in command.params:
            assert re.search(r"[^\x00-\x7f]", parameter.help or ""), (command.name, parameter.name)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, capture_output=True, check=True, timeout=60)
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_holds_our_packages_whole_and_nothing_else(wheel: Path):
    with zipfile.ZipFile(wheel) as archive:
        files = {name for name in archive.namelist() if ".dist-info/" not in name}
    wanted = {name_of(path) for path in MODULES}
    wanted |= {name_of(path) for path in (ROOT / "config").rglob("*.toml")}
    assert {"config/example/units.toml", "config/plans/binh-tan-2024.toml"} <= wanted
    wanted |= {"store/migrations/versions/0001_the_first_tables.py", "store/migrations/script.py.mako"}
    web = ROOT / "dashboards/web"
    pages = {name_of(path) for kind in ("templates/*.html", "static/*") for path in web.glob(kind)}
    assert {"dashboards/web/templates/base.html", "dashboards/web/static/nhip.css"} <= pages
    wanted |= pages
    assert files == wanted


def test_the_program_works_from_the_wheel_alone(wheel: Path, tmp_path: Path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    env = environment() | {"PYTHONPATH": str(tmp_path / "installed")}
    code = "import config, sys; sys.stderr.write(config.__path__[0]); from pipeline.cli import main; main()"
    words = [sys.executable, "-c", code, "init", str(tmp_path / "quận")]
    done = subprocess.run(words, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, str(tmp_path / "installed" / "config"))
    assert len(list((tmp_path / "quận").iterdir())) == 6


# --- the tests themselves ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("strict", "code"), [("1", 1), ("", 0)])
@pytest.mark.parametrize("way", ["need(False, 'apt-get install x')", "pytest.skip('just so')"])
def test_a_skip_fails_the_run_where_nothing_may_be_skipped(way: str, strict: str, code: int, tmp_path: Path):
    text = f"import pytest\nfrom tests.conftest import need\ndef test_one():\n    {way}\ndef test_two(): pass\n"
    (tmp_path / "test_it.py").write_text(text)
    words = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "tests.conftest", "-p", "no:cacheprovider", tmp_path]
    env = environment({"NHIP_TESTS_SKIP_NOTHING": strict, "PYTEST_ADDOPTS": ""})
    env = {name: value for name, value in env.items() if not name.startswith("PYTEST_XDIST")}
    done = subprocess.run([*map(str, words)], cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout
    assert "just so" in done.stdout or "apt-get install x" in done.stdout
