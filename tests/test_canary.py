"""Unique secrets in every place: after connecting, renewing, failing and examining, no trace of them outside."""

from __future__ import annotations

import base64
import secrets
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from collectors.base import Credentials
from collectors.consent import Grant
from config.load import load_config
from config.secrets import Secret
from pipeline.renewal import Errand
from store.records import TokenSet
from store.vault import Vault
from store.verbs import Store, create_store, open_store
from tests.command_line import command, environment
from tests.token_server import CONSENTS, TokenServer, write_folder

CREATED = datetime(2026, 1, 1, tzinfo=UTC)
CONNECT = """
import logging, sys
from pathlib import Path
from pipeline import problems
from pipeline.commands import connect
from pipeline.log import set_up_log
from tests.token_server import CONSENTS
set_up_log(logging.DEBUG)
folder, platform, channel, way = sys.argv[1:]
options = {"channel": channel or None, "token": way == "token", "key": way == "key"}
try:
    code = connect.run(Path(folder), platform, consents=CONSENTS, trials={}, **options)
except Exception as error:
    code = problems.report(error, debug=True)
sys.exit(code)
"""


class Canaries:
    """Secrets that occur nowhere else, and every form in which one could leak."""

    def __init__(self) -> None:
        self.stem = secrets.token_hex(16)
        self.app, self.key, self.system, self.password, self.code = (f"{self.stem}-{n}+%/" for n in "abcde")

    def forms(self) -> set[str]:
        """Raw, URL-encoded, in base64, and the two halves of what all of them begin with."""
        whole = (self.stem, self.app, self.key, self.system, self.password, self.code)
        encoded = {form for each in whole for form in (each, quote(each, safe=""), *in_base64(each))}
        return encoded | {self.stem[:16], self.stem[16:]}

    def in_text(self, text: str) -> set[str]:
        return {form for form in self.forms() if form in text}


def in_base64(text: str) -> Iterator[str]:
    """What base64 makes of the text wherever it stands in a longer one, in both alphabets."""
    for shift in range(3):
        raw = b"\0" * shift + text.encode()
        whole = base64.b64encode(raw).decode().rstrip("=")
        middle = whole[(shift * 8 + 5) // 6 : len(whole) - bool(len(raw) % 3)]
        yield from (middle, middle.replace("+", "-").replace("/", "_"))


@pytest.fixture
def canaries() -> Canaries:
    return Canaries()


@pytest.fixture
def server(canaries: Canaries) -> Iterator[TokenServer]:
    with TokenServer(f"{canaries.stem}-", canaries.app) as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path, server: TokenServer) -> Path:
    made = write_folder(
        tmp_path / "quan", server.base, {"mot": "tiktok", "trang-mau": "facebook", "kenh-yt": "youtube"}
    )
    address = '"https://www.facebook.com/trang-mau"'
    channels = (made / "channels.toml").read_text("utf-8").replace(address, '"104729385617204"')
    (made / "channels.toml").write_text(channels, encoding="utf-8")
    create_store(f"sqlite:///{made / 'nhip.sqlite3'}", CREATED)
    return made


@pytest.fixture
def open_file(folder: Path) -> Iterator[Store]:
    """As long as somebody has the database open, its write-ahead log stays."""
    with open_store(f"sqlite:///{folder / 'nhip.sqlite3'}") as store:
        store.token_states()
        yield store


class Shown:
    """All that the commands showed to anybody: output, logs, tracebacks, and their place in the process list."""

    def __init__(self) -> None:
        self.text = ""
        self.processes: set[str] = set()

    def run(self, words: Sequence[str], *lines: str, paste: str = "", env: dict[str, str] | None = None) -> int:
        with self._start(words, env) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write("".join(f"{line}\n" for line in lines))
            process.stdin.flush()
            for line in process.stdout:
                self.text += line
                self._look_at(process.pid, environ=not env)
                if paste and line.startswith("http"):
                    process.stdin.write(pasted(line, paste) + "\n")
                    process.stdin.flush()
            return process.wait(60)

    def _start(self, words: Sequence[str], env: dict[str, str] | None) -> subprocess.Popen[str]:
        pipe, out = subprocess.PIPE, subprocess.STDOUT
        return subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=out, text=True, env=environment(env))

    def _look_at(self, pid: int, *, environ: bool) -> None:
        """A secret may stand in the environment only when that is where it was given."""
        for name in ("cmdline", "environ") if environ else ("cmdline",):
            self.processes.add(Path(f"/proc/{pid}/{name}").read_text(errors="replace"))


def pasted(address: str, code: str) -> str:
    asked = {name: values[0] for name, values in parse_qs(urlsplit(address.strip()).query).items()}
    return f"https://doan-mau.example/ok?state={asked['state']}&code={quote(code or asked['proof'], safe='')}"


def connect(folder: Path, *words: str) -> list[str]:
    return [sys.executable, "-c", CONNECT, str(folder), *words]


def files_of(folder: Path) -> str:
    """Everything on the disk but the key itself."""
    kept = [path for path in sorted(folder.iterdir()) if path.name != "nhip.key"]
    assert "nhip.sqlite3-wal" in {path.name for path in kept}
    return "".join(path.read_bytes().decode("latin-1") for path in kept)


def test_no_secret_leaves_by_any_command(canaries: Canaries, server: TokenServer, folder: Path, open_file: Store):
    shown = Shown()
    refused = shown.run(connect(folder, "tiktok", "mot", ""), canaries.app, paste=canaries.code)
    assert (refused, server.forms[-1]["code"]) == (1, canaries.code)
    server.code = canaries.code
    codes = [
        shown.run(connect(folder, "tiktok", "mot", ""), canaries.app, paste=canaries.code),
        shown.run(connect(folder, "facebook", "", "token"), canaries.app, canaries.system),
        shown.run(connect(folder, "youtube", "", "key"), canaries.key),
    ]
    assert codes == [0, 0, 0]
    nhip = ("--config", folder, "--debug")
    for words in (["collect", "--now"], ["collect", "--now", "--json"], ["doctor"], ["doctor", "--json"]):
        assert shown.run(command(*nhip, *words)) in {0, 1}
    for words in (["check", "--json"], ["suspect", "--json"], ["import", "khong-co.csv", "--channel", "mot"]):
        assert shown.run(command(*nhip, *words)) in {0, 1, 2, 64}
    env = {"NHIP_DATABASE": f"postgresql://nhip:{quote(canaries.password, safe='')}@127.0.0.1:1/nhip"}
    assert shown.run(command(*nhip, "doctor"), env=env) == 74
    assert_used(canaries, server)
    assert '"debug"' in shown.text or '"info"' in shown.text
    assert "Traceback" in shown.text
    for where, text in {"shown": shown.text, "processes": "".join(shown.processes), "files": files_of(folder)}.items():
        assert (where, canaries.in_text(text)) == (where, set())


def assert_used(canaries: Canaries, server: TokenServer) -> None:
    """The secrets really went where they belong, and nothing was in an address."""
    assert server.rotations >= 1
    assert canaries.app in {form.get("client_secret") for form in server.forms}
    said = " ".join(server.asked)
    assert server.access in said
    assert canaries.system in said
    assert canaries.key in said
    assert f"{canaries.stem}-page" in said
    assert not any(canaries.in_text(line.split(" ")[0]) for line in server.asked)


def test_the_search_finds_what_it_looks_for(canaries: Canaries):
    for prefix in ("", "x", "xy", "xyz"):
        hidden = base64.b64encode(f"{prefix}{canaries.app}".encode()).decode()
        assert canaries.in_text(hidden)
        assert canaries.in_text(quote(prefix + canaries.password, safe=""))
    assert canaries.in_text(f"{canaries.key[:16]}\n{canaries.key[16:]}")


def test_nothing_that_holds_a_secret_shows_it(canaries: Canaries, server: TokenServer, folder: Path, open_file: Store):
    access, refresh = Secret(server.access), Secret(server.refresh)
    vault = Vault(folder, {})
    vault.create_key()
    tokens = open_file.tokens(vault)
    tokens.keep("tiktok:mot", TokenSet(access, refresh), CREATED)
    stored = tokens.find("tiktok:mot")
    assert stored is not None
    app = Secret(canaries.app)
    holders: list[Any] = [
        Grant(access, refresh),
        Credentials(access=access, app_secret=app, api_key=app),
        stored,
        Errand(CONSENTS["tiktok"], app, stored),
        load_config(folder),
        *(vars(vault), vars(tokens), vault, tokens, open_file.token_states()),
    ]
    text = repr(holders) + str(holders)
    assert "***" in text
    assert canaries.in_text(text) == set()
    assert (folder / "nhip.key").read_text().strip() not in text
