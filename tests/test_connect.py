"""`nhip connect`: a consent by copy and paste, checked at every step, and a report on what is kept."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from datetime import timedelta
from html import unescape
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urljoin, urlsplit

import pytest
from cryptography.fernet import Fernet

from collectors import CONSENTS as OURS
from collectors.base import SENTENCES, Collect, CollectError, Look
from config.load import load_config
from config.models import Channel
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
from pipeline.trial import TRIALS
from store.records import FailureKind, Reading, StoredTokens, TokenSet
from store.vault import Vault
from store.verbs import create_store, open_store
from tests import scripted_server
from tests.command_line import Said
from tests.scripted_server import Asked, says, scripted
from tests.store_builders import FRIDAY
from tests.token_server import APP_SECRET, CHANNEL, CONSENTS, SCOPES, TokenServer, write_folder

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
    given = {
        "channel": None,
        "token": False,
        "key": False,
        "consents": CONSENTS,
        "trials": {},
        "clock": frozen_at(FRIDAY),
    }
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


REFUSALS: dict[str, tuple[Answer, str, int]] = {
    "the state of another question": (consent(state="fremd"), "sai state", problems.USAGE),
    "no state": (consent(state=""), "sai state", problems.USAGE),
    "a refusal": (consent(code="", error="access_denied"), "bấm đồng ý", 1),
    "another error": (consent(code="", error="invalid_scope"), "invalid_scope", 1),
    "no code": (consent(code=""), "trong đó có chữ «code» và chữ «state»", problems.USAGE),
    "a code alone": ("code+abcd", "không có mã xác nhận", problems.USAGE),
    "another address": ("https://doan-mau.example/", "không có mã xác nhận", problems.USAGE),
    "nothing": ("", "Chưa nhận được câu trả lời", problems.USAGE),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_does_not_belong_to_this_question_is_refused_before_the_platform_is_asked(name, folder, server):
    pasted, words, code = REFUSALS[name]
    said = nhip_connect(folder, "tiktok", APP_SECRET, pasted, channel="mot")
    assert (said.code, words in said.err) == (code, True), said
    assert server.forms == []
    assert found(folder, "tiktok:mot") is None
    assert not (folder / "nhip.key").exists()


def test_a_code_that_the_platform_refuses_leaves_everything_as_it_was(folder):
    nhip_connect(folder, "tiktok", APP_SECRET, consent(), channel="mot")
    said = nhip_connect(folder, "tiktok", consent(code="alt"), channel="mot")
    assert said.code == 1
    assert "mã đã dùng rồi hoặc đã quá hạn" in said.out
    assert "chạy lại «nhip connect tiktok --channel mot»" in said.out
    assert "Kết nối cũ vẫn được giữ nguyên." in said.out
    assert "NHIP_TIKTOK_SECRET" in said.out, "how to give a secret that has changed"
    assert stored(folder, "tiktok:mot").state.version == 1


def test_a_first_code_that_the_platform_refuses_leaves_nothing(folder):
    said = nhip_connect(folder, "youtube", APP_SECRET, consent(code="alt"))
    assert (said.code, "Chưa có gì được lưu." in said.out) == (1, True), said
    assert "chạy lại «nhip connect youtube --channel kenh-yt»" in said.out
    assert found(folder, "youtube:kenh-yt") is None


@pytest.mark.parametrize("grant", OURS)
def test_an_app_that_district_toml_does_not_name_is_a_matter_of_the_configuration(grant, folder):
    district = folder / "district.toml"
    district.write_text(district.read_text(encoding="utf-8").replace("app_id", "# app_id"), encoding="utf-8")
    channel = {"tiktok": "mot", "tiktok-business": "mot", "youtube": "kenh-yt"}.get(grant)
    if grant == "zalo":
        with (folder / "channels.toml").open("a", encoding="utf-8") as file:
            file.write(CHANNEL.format(slug="oa", platform="zalo", address="https://zalo.me/123456789"))
    said = nhip_connect(folder, grant, APP_SECRET, consents=OURS, channel=channel)
    assert (said.code, "district.toml" in said.err) == (problems.CONFIG, True), said


def refusing(kind: FailureKind) -> Collect:
    """A platform whose every look fails so."""

    async def collect(channel: Channel, look: Look) -> Reading:
        assert (await look.wallet.open("tiktok")).access is not None
        raise CollectError(kind, "as the test wants it")

    return collect


@pytest.mark.parametrize("kind", FailureKind)
def test_a_consent_that_does_not_open_the_channel_is_not_kept_and_other_trouble_is_told(kind, folder):
    nhip_connect(folder, "tiktok", APP_SECRET, consent(), channel="mot")
    said = nhip_connect(folder, "tiktok", consent(), channel="mot", trials={"tiktok": refusing(kind)})
    is_refused = kind in {FailureKind.AUTH, FailureKind.PERMISSION, FailureKind.GONE}
    assert SENTENCES[kind] in said.out
    assert (said.code, "Kết nối cũ vẫn được giữ nguyên." in said.out) == (is_refused, is_refused), said
    assert stored(folder, "tiktok:mot").state.version == (1 if is_refused else 2)


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
        ("", {}, "Chưa chọn nền tảng. Đề nghị viết một trong: tiktok"),
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


@pytest.mark.parametrize("left", ["", Fernet.generate_key().decode()], ids=["lost", "another"])
def test_who_lost_the_key_connects_again(left, folder):
    nhip_connect(folder, "tiktok", APP_SECRET, consent(), channel="mot")
    (folder / "nhip.key").unlink()
    if left:
        (folder / "nhip.key").touch(0o600)
        (folder / "nhip.key").write_text(left)
    said = nhip_connect(folder, "tiktok", APP_SECRET, consent(), channel="mot")
    assert (said.code, "vừa được tạo" in said.out) == (0, not left), said
    assert stored(folder, "tiktok:mot").state.version == 2
    assert stored(folder, "app:tiktok").tokens.access.reveal() == APP_SECRET


@pytest.mark.parametrize(("key", "mode", "words"), [("abc", 0o600, "không đúng dạng"), ("abc", 0o644, "chmod 600")])
def test_a_key_that_cannot_be_used_is_told_before_anybody_consents(key, mode, words, folder, server):
    (folder / "nhip.key").touch(mode)
    (folder / "nhip.key").write_text(key)
    said = nhip_connect(folder, "tiktok", APP_SECRET, consent(), channel="mot")
    assert (said.code, words in said.err, said.out) == (problems.CONFIG, True, ""), said
    assert server.forms == []


# --- the report -------------------------------------------------------------------------------------------------


def report(folder: Path) -> dict[str, Any]:
    config = load_config(folder)
    with open_store(f"sqlite:///{folder / 'nhip.sqlite3'}") as store:
        fits = Vault(folder, {}).fits
        return {one.token: one for one in token_findings(store.token_states(), FRIDAY, config, CONSENTS, fits=fits)}


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


def test_a_token_whose_key_is_not_here_is_told_apart_from_a_good_one(folder):
    keep(folder, "tiktok:mot", refresh_expires_at=FRIDAY + timedelta(days=100), scopes=SCOPES)
    key = folder / "nhip.key"
    old = key.read_text()
    assert report(folder)["tiktok:mot"].state == "live"
    for other in ("", Fernet.generate_key().decode()):
        key.write_text(other)
        told = report(folder)["tiktok:mot"]
        assert (told.text, "nhip connect tiktok --channel mot" in told.fix) == ("⚙ Không mở được", True)
    key.unlink()
    assert report(folder)["tiktok:mot"].state == "locked"
    key.touch(0o600)
    key.write_text(f"{Fernet.generate_key().decode()},{old}")
    assert report(folder)["tiktok:mot"].state == "live", "the second key opens too"


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
    """Opens the consent page, signs in as the first account it offers, and copies where it leads."""
    (address,) = re.findall(r"^http://127\S+$", screen, re.MULTILINE)
    location, page = opened(address)
    if not location:
        location, _ = opened(urljoin(address, unescape(re.findall(r'href="([^"]+)"', page)[0])))
    return location


def opened(address: str) -> tuple[str, str]:
    """Where an address leads, and the page that it shows."""
    parts = urlsplit(address)
    connection = HTTPConnection(parts.netloc)
    connection.request("GET", f"{parts.path}?{parts.query}")
    answer = connection.getresponse()
    page = answer.read().decode()
    connection.close()
    return answer.headers.get("location", ""), page


@pytest.mark.parametrize("grant", OURS)
def test_a_consent_at_every_platform_becomes_stored_tokens(grant, simulated):
    platform = OURS[grant].platform
    slugs = [one.slug for one in load_config(simulated).channels.values() if one.platform == platform]
    channel = None if OURS[grant].shared else slugs[0]
    said = nhip_connect(simulated, grant, APP_SECRETS[grant], browser, channel=channel, consents=OURS, trials=TRIALS)
    assert (said.code, said.err.count("Đề nghị")) == (0, 0), said
    kept = stored(simulated, NAMES[grant].format(slug=channel)).tokens
    assert set(kept.scopes) >= set(OURS[grant].scopes) or not kept.scopes
    assert (kept.refresh is None) == (grant == "facebook")


def signed_in_as(slug: str) -> Callable[[str], str]:
    """A browser in which somebody is signed in to the account of this channel."""

    def agree(screen: str) -> str:
        (address,) = re.findall(r"^http://127\S+$", screen, re.MULTILINE)
        return opened(f"{address}&account={slug}")[0]

    return agree


@pytest.mark.parametrize("grant", TRIALS)
def test_a_consent_of_another_account_does_not_replace_the_right_one(grant, simulated):
    platform = OURS[grant].platform
    own, other, *_ = [one.slug for one in load_config(simulated).channels.values() if one.platform == platform]
    environ = {f"NHIP_{grant.upper().replace('-', '_')}_SECRET": APP_SECRETS[grant]}
    options: dict[str, Any] = {"channel": own, "consents": OURS, "trials": TRIALS, "environ": environ}
    assert nhip_connect(simulated, grant, signed_in_as(own), **options).code == 0
    before = stored(simulated, NAMES[grant].format(slug=own))
    said = nhip_connect(simulated, grant, signed_in_as(other), **options)
    assert (said.code, "Đề nghị" in said.out) == (1, True), said
    assert "Kết nối cũ vẫn được giữ nguyên." in said.out
    after = stored(simulated, NAMES[grant].format(slug=own))
    assert (after.state, after.tokens.access.reveal()) == (before.state, before.tokens.access.reveal())


def graph(asked: Asked) -> scripted_server.Said:
    """A Graph at which the token «old» opens our Page, «new» another one, and «mute» gets no answer."""
    if asked.path.endswith("/debug_token"):
        return says({"data": {"is_valid": True, "scopes": list(OURS["facebook"].scopes)}})
    token = asked.headers["authorization"].removeprefix("Bearer ")
    if token == "mute":
        return scripted_server.Said(b"", 500)
    page = {"id": "104729385617204", "name": "Trang mẫu", "username": "trang" if token == "old" else "khac"}
    return says({"data": [page | {"tasks": ["ANALYZE"]}]})


def test_a_shared_consent_that_opens_none_of_our_pages_does_not_replace_one_that_does(tmp_path: Path):
    with scripted(graph) as running:
        folder = write_folder(tmp_path / "quan", running.url, {"trang": "facebook"})
        create_store(f"sqlite:///{folder / 'nhip.sqlite3'}", FRIDAY)
        options: dict[str, Any] = {"consents": OURS, "token": True}
        first = nhip_connect(folder, "facebook", APP_SECRET, "new", **options)
        assert (first.code, "không quản lý Trang này" in first.out) == (0, True), "the first one is kept and told of"
        assert nhip_connect(folder, "facebook", "old", **options).code == 0
        said = nhip_connect(folder, "facebook", "new", **options)
        assert (said.code, "Kết nối cũ vẫn được giữ nguyên." in said.out) == (1, True), said
        assert stored(folder, "facebook").tokens.access.reveal() == "old"
        assert nhip_connect(folder, "facebook", "mute", **options).code == 0, "a silent platform proves nothing"
        assert stored(folder, "facebook").tokens.access.reveal() == "mute"
