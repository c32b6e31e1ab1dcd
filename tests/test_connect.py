"""`nhip connect`: a consent by copy and paste, checked at every step, and a report on what is kept."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from cryptography.fernet import Fernet

from collectors import CONSENTS as OURS
from config.load import load_config
from config.secrets import Secret
from pipeline import problems
from pipeline.clock import frozen_at
from pipeline.commands import connect
from pipeline.demo.district import make_district
from pipeline.demo.folder import write_folder as write_demo
from pipeline.demo.host import hosted
from pipeline.demo.play import APP_SECRETS
from pipeline.demo.story import tell
from pipeline.tokens_report import token_findings
from store.records import StoredTokens, TokenSet
from store.vault import Vault
from store.verbs import create_store, open_store
from tests.command_line import Said
from tests.store_builders import FRIDAY
from tests.token_server import APP_SECRET, CONSENTS, SCOPES, TokenServer, write_folder

Answer = str | Callable[[str], str]
"""A line, or what a person makes of all that was printed so far."""


@pytest.fixture
def server() -> Iterator[TokenServer]:
    with TokenServer() as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path, server: TokenServer) -> Path:
    channels = {"mot": "tiktok", "hai": "tiktok", "trang": "facebook", "kenh-yt": "youtube"}
    made = write_folder(tmp_path / "quan", server.base, channels)
    create_store(f"sqlite:///{made / 'nhip.sqlite3'}", FRIDAY)
    return made


class Keyboard:
    """A person's answers through a pipe, one line each."""

    def __init__(self, screen: io.StringIO, answers: tuple[Answer, ...]) -> None:
        self._screen, self._answers = screen, list(answers)

    def isatty(self) -> bool:
        return False

    def readline(self, longest: int) -> str:
        if not self._answers:
            return ""
        answer = self._answers.pop(0)
        return (answer if isinstance(answer, str) else answer(self._screen.getvalue())) + "\n"


def nhip_connect(
    folder: Path, platform: str, *answers: Answer, environ: dict[str, str] | None = None, **options: Any
) -> Said:
    """The command with a person at the keyboard."""
    out, err = io.StringIO(), io.StringIO()
    given = {"channel": None, "token": False, "key": False, "consents": CONSENTS, "clock": frozen_at(FRIDAY)}
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr("sys.stdin", Keyboard(out, answers))
        try:
            code = connect.run(folder, platform, environ=environ or {}, **(given | options))
        except Exception as error:  # noqa: BLE001 - as `main` does
            code = problems.report(error, debug=False)
    return Said(code, out.getvalue(), err.getvalue())


def consent(**change: str) -> Callable[[str], str]:
    """Opens the printed address, agrees, and copies what the browser then shows."""

    def agree(screen: str) -> str:
        (address,) = re.findall(r"^http\S+consent\S+$", screen, re.MULTILINE)
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        answer = {"code": f"code+{asked['proof']}", "state": asked["state"]} | change
        query = "&".join(f"{name}={quote(value, safe='')}" for name, value in answer.items() if value)
        return f"  https://doan-mau.example/ok?{query}#_=_  "

    return agree


def found(folder: Path, name: str, environ: dict[str, str] | None = None) -> StoredTokens | None:
    with open_store(f"sqlite:///{folder / 'nhip.sqlite3'}") as store:
        return store.tokens(Vault(folder, environ or {})).find(name)


def stored(folder: Path, name: str, environ: dict[str, str] | None = None) -> StoredTokens:
    kept = found(folder, name, environ)
    assert kept is not None
    return kept


def test_a_consent_becomes_stored_tokens_and_a_person_learns_how_long_they_live(folder, server):
    said = nhip_connect(folder, "tiktok", APP_SECRET, consent(), channel="mot")
    assert (said.code, "Đã kết nối TikTok: Kênh mot" in said.out) == (0, True), said
    assert "còn dùng được 180 ngày" in said.out
    assert "nhip.key vừa được tạo" in said.out
    kept = stored(folder, "tiktok:mot").tokens
    assert (kept.access.reveal(), kept.account, kept.scopes) == ("access-1", "oa-1", SCOPES)
    assert stored(folder, "app:tiktok").tokens.access.reveal() == APP_SECRET
    assert not re.search(rf"access-\d|refresh-\d|{APP_SECRET}", said.out + said.err)


def test_the_secret_of_the_app_is_asked_for_once(folder):
    nhip_connect(folder, "tiktok", APP_SECRET, consent(), channel="mot")
    said = nhip_connect(folder, "tiktok", consent(), channel="hai")
    assert said.code == 0
    assert "cũng là tài khoản của TikTok: Kênh mot" in said.out


def test_a_secret_of_the_environment_is_used_and_not_kept(folder):
    environ = {"NHIP_TIKTOK_SECRET": APP_SECRET, "NHIP_KEY": Fernet.generate_key().decode()}
    assert nhip_connect(folder, "tiktok", consent(), channel="mot", environ=environ).code == 0
    assert found(folder, "app:tiktok", environ) is None
    assert not (folder / "nhip.key").exists()


REFUSALS: dict[str, tuple[Answer, str]] = {
    "the state of another question": (consent(state="fremd"), "sai state"),
    "no state": (consent(state=""), "sai state"),
    "a refusal": (consent(code="", error="access_denied"), "bấm đồng ý"),
    "another error": (consent(code="", error="invalid_scope"), "invalid_scope"),
    "no code": (consent(code=""), "không có mã xác nhận"),
    "a code alone": ("code+abcd", "không có mã xác nhận"),
    "another address": ("https://doan-mau.example/", "không có mã xác nhận"),
    "nothing": ("", "Chưa nhận được câu trả lời"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_does_not_belong_to_this_question_is_refused_before_the_platform_is_asked(name, folder, server):
    pasted, words = REFUSALS[name]
    said = nhip_connect(folder, "tiktok", APP_SECRET, pasted, channel="mot")
    assert (said.code, words in said.err) == (problems.USAGE, True), said
    assert server.forms == []
    assert found(folder, "tiktok:mot") is None
    assert not (folder / "nhip.key").exists()


def test_a_code_that_the_platform_refuses_leaves_everything_as_it_was(folder):
    nhip_connect(folder, "tiktok", APP_SECRET, consent(), channel="mot")
    said = nhip_connect(folder, "tiktok", consent(code="alt"), channel="mot")
    assert said.code == 1
    assert "NHIP_TIKTOK_SECRET" in said.out, "how to give a secret that has changed"
    assert stored(folder, "tiktok:mot").state.version == 1


def test_a_scope_that_was_not_ticked_is_named_with_what_it_costs(folder, server):
    server.granted = "video.list"
    said = nhip_connect(folder, "tiktok", APP_SECRET, consent(), channel="mot")
    assert said.code == 1
    assert "user.info.stats (không có số người theo dõi của tài khoản TikTok)" in said.out
    assert stored(folder, "tiktok:mot").tokens.scopes == ("video.list",)


def test_a_ready_token_is_checked_and_kept_for_all_pages(folder, server):
    server.health |= {"ends_in": 90, "missing": []}
    said = nhip_connect(folder, "facebook", APP_SECRET, "access-0", token=True)
    assert (said.code, "còn dùng được 90 ngày" in said.out) == (0, True), said
    assert stored(folder, "facebook").tokens.access.reveal() == "access-0"
    server.health["valid"] = False
    assert nhip_connect(folder, "facebook", "access-9", token=True).code == 1
    assert stored(folder, "facebook").tokens.access.reveal() == "access-0"


def test_a_plain_key_is_kept_for_youtube_only(folder):
    said = nhip_connect(folder, "youtube", "AIza-mau", key=True)
    assert (said.code, "30 ngày" in said.out, "AIza" in said.out) == (0, True, False)
    assert stored(folder, "key:youtube").tokens.access.reveal() == "AIza-mau"
    assert nhip_connect(folder, "tiktok", "x", key=True).code == problems.USAGE


@pytest.mark.parametrize(
    ("platform", "options", "words"),
    [
        ("myspace", {}, "tiktok"),
        ("tiktok", {}, "mot, hai"),
        ("tiktok", {"channel": "trang"}, "mot, hai"),
        ("facebook", {"channel": "trang"}, "không có --channel"),
        ("tiktok", {"channel": "mot", "token": True}, "không có --token"),
    ],
)
def test_a_slip_on_the_command_line_is_a_sentence(platform, options, words, folder):
    said = nhip_connect(folder, platform, **options)
    assert (said.code, words in said.err) == (problems.USAGE, True), said


def test_the_only_channel_of_a_platform_need_not_be_named(folder):
    assert nhip_connect(folder, "youtube", APP_SECRET, consent()).code == 0
    assert found(folder, "youtube:kenh-yt") is not None


def test_a_new_first_key_takes_everything_over(folder, monkeypatch):
    nhip_connect(folder, "youtube", "AIza-mau", key=True)
    new = Fernet.generate_key().decode()
    both = {"NHIP_KEY": f"{new},{(folder / 'nhip.key').read_text().strip()}"}
    assert connect.rotate_key(folder, environ=both) == 0
    assert stored(folder, "key:youtube", {"NHIP_KEY": new}).tokens.access.reveal() == "AIza-mau"


# --- the report -------------------------------------------------------------------------------------------------


def report(folder: Path) -> dict[str, Any]:
    config = load_config(folder)
    with open_store(f"sqlite:///{folder / 'nhip.sqlite3'}") as store:
        return {one.token: one for one in token_findings(store.token_states(), FRIDAY, config, CONSENTS)}


def keep(folder: Path, name: str, **more: Any) -> None:
    with open_store(f"sqlite:///{folder / 'nhip.sqlite3'}") as store:
        vault = Vault(folder, {})
        vault.create_key()
        store.tokens(vault).keep(name, TokenSet(Secret("a"), Secret("r"), **more), FRIDAY)


@pytest.mark.parametrize(
    ("left", "state", "urgent", "words"),
    [
        (timedelta(days=31, hours=1), "live", False, ""),
        (timedelta(days=30, hours=1), "ending", False, "còn dùng được 30 ngày"),
        (timedelta(days=14), "ending", True, "còn dùng được 14 ngày"),
        (timedelta(days=1), "ending", True, "còn dùng được 1 ngày"),
        (timedelta(hours=2), "ending", True, "trong hôm nay"),
        (timedelta(seconds=-1), "expired", True, "đã hết hạn"),
    ],
)
def test_a_token_is_told_of_before_it_ends(left, state, urgent, words, folder):
    keep(folder, "tiktok:mot", access_expires_at=FRIDAY, refresh_expires_at=FRIDAY + left, scopes=SCOPES)
    told = report(folder)["tiktok:mot"]
    assert (told.state, bool(told.fix)) == (state, urgent)
    assert words in told.fix + told.advice
    assert ("nhip connect tiktok --channel mot" in told.fix + told.advice) == bool(words)


def test_what_needs_a_person_and_what_was_never_connected_is_told(folder):
    keep(folder, "tiktok:mot", scopes=("video.list",))
    keep(folder, "tiktok:da-bo", scopes=SCOPES)
    told = report(folder)
    assert "user.info.stats" in told["tiktok:mot"].fix
    assert (told["tiktok:da-bo"].state, told["tiktok:da-bo"].fix) == ("unused", "")
    assert told["tiktok:hai"].text == "… Chưa kết nối"
    assert "«nhip connect facebook»" in told["facebook"].fix
    assert "youtube:kenh-yt" not in told, "YouTube is read without a consent too"


def test_the_end_that_the_platform_names_counts_when_it_is_earlier(folder):
    keep(folder, "facebook", access_expires_at=FRIDAY + timedelta(days=60), scopes=SCOPES)
    with open_store(f"sqlite:///{folder / 'nhip.sqlite3'}") as store:
        tokens, (state,) = store.tokens(Vault(folder, {})), store.token_states()
        tokens.note_health(state, FRIDAY + timedelta(days=5), SCOPES, FRIDAY)
        assert report(folder)["facebook"].days_left == 5
        tokens.lose("facebook", 1)
    assert report(folder)["facebook"].text == "⚙ Cần cho phép lại"


# --- every platform of ours ---------------------------------------------------------------------------------------

NAMES = {
    "facebook": "facebook",
    "tiktok": "tiktok:{slug}",
    "tiktok-business": "tiktok-business:{slug}",
    "youtube": "youtube:{slug}",
    "zalo": "zalo:{slug}",
}


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder of the simulated district, whose platforms are running."""
    cast = make_district(26, 6, FRIDAY - timedelta(days=10), 20)
    made = tmp_path_factory.mktemp("quan-mau") / "quan"
    with hosted(tell(cast), frozen_at(FRIDAY)) as district:
        write_demo(made, cast, district.addresses)
        create_store(f"sqlite:///{made / 'nhip.sqlite3'}", FRIDAY)
        yield made


def browser(screen: str) -> str:
    """Opens the consent page, whose person agrees at once, and copies where it leads."""
    (address,) = re.findall(r"^http://127\S+$", screen, re.MULTILINE)
    parts = urlsplit(address)
    connection = HTTPConnection(parts.netloc)
    connection.request("GET", f"{parts.path}?{parts.query}")
    location = connection.getresponse().headers["location"]
    connection.close()
    return str(location)


@pytest.mark.parametrize("grant", OURS)
def test_a_consent_at_every_platform_becomes_stored_tokens(grant, simulated):
    platform = OURS[grant].platform
    slugs = [one.slug for one in load_config(simulated).channels.values() if one.platform == platform]
    channel = None if OURS[grant].shared else slugs[0]
    said = nhip_connect(simulated, grant, APP_SECRETS[grant], browser, channel=channel, consents=OURS)
    assert (said.code, said.err.count("Đề nghị")) == (0, 0), said
    kept = stored(simulated, NAMES[grant].format(slug=channel)).tokens
    assert set(kept.scopes) >= set(OURS[grant].scopes) or not kept.scopes
    assert (kept.refresh is None) == (grant == "facebook")
