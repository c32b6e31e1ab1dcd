"""The transports against real servers: the contract, and what is special about each."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from alerts.base import LimitError, PassingError, RefusedError, Transport, TransportError, UnreadyError
from alerts.transports import TRANSPORTS, Means, open_transports
from alerts.transports.apprise import AppriseTransport
from alerts.transports.email import EmailTransport
from alerts.transports.file import FileTransport, name_of
from alerts.transports.mail import message_of
from alerts.transports.plain import one_line, plain
from alerts.transports.zalo import ZaloTransport
from pipeline.demo.zalo_bot import TOKEN, ZaloBot, application
from pipeline.redact import redact
from tests.mail_server import SENDER, MailServer, RawServer, Talk, accepting, after, cut, drip, header, silence
from tests.transport_contract import (
    NOW,
    QUICK_SECONDS,
    Got,
    Opened,
    Place,
    TransportContract,
    config_in,
    letter,
    means_in,
    no_bot,
    run,
    web_server,
)

READER = "tuyen-giao@doan-mau.example"
CHAT = "e4ea2cd5189df1c3a88c"
PASSWORD = "mat-khau-mau"
OWN_HEADERS = ("Message-ID", "Auto-Submitted", "List-Id")


# --- servers ----------------------------------------------------------------------------------------------------


@asynccontextmanager
async def mail(folder: Path, given_password: str = "", **habits: Any) -> AsyncIterator[tuple[Place, MailServer]]:
    """The e-mail transport with a server; *given_password* is what our side knows."""
    async with MailServer(folder, **habits) as server:
        environ = {"NHIP_SMTP_PASSWORD": given_password} if given_password else {}
        means = Means(config_in(folder, smtp=server.settings), no_bot, environ)

        def inbox() -> list[Got]:
            return [
                Got(str(one.parsed["Subject"]), one.body("plain").rstrip("\n"), one.body("html"))
                for one in server.mails
            ]

        yield Place(EmailTransport(means, QUICK_SECONDS), READER, inbox), server


@asynccontextmanager
async def raw_mail(
    folder: Path, talk: Talk, security: str = "none", seconds: float = QUICK_SECONDS
) -> AsyncIterator[Place]:
    async with RawServer(talk) as server:
        settings = {"host": "127.0.0.1", "port": server.port, "security": security, "sender": SENDER}
        means = Means(config_in(folder, smtp=settings), no_bot, {})
        yield Place(EmailTransport(means, seconds), READER, list)


async def closed_port() -> int:
    async with RawServer(silence) as server:
        return server.port


@asynccontextmanager
async def zalo(
    folder: Path, given_token: str = TOKEN, address: str = CHAT, **habits: Any
) -> AsyncIterator[tuple[Place, ZaloBot]]:
    """The Zalo transport with a simulated platform; *given_token* is what our side knows."""
    bot = ZaloBot(clock=lambda: NOW, **habits)
    bot.hear(CHAT, "Tổ truyền thông (mẫu)")
    async with (
        web_server(application(bot)) as host,
        means_in(
            folder, environ={"NHIP_ZALO_BOT_TOKEN": given_token}, host=host, zalo_bot={"base": f"http://{host}"}
        ) as means,
    ):
        yield Place(ZaloTransport(means), address, lambda: [Got(None, text, None) for _, text in bot.sent]), bot


@dataclass
class Hook:
    """What apprise's json:// talks to."""

    status: int = 200
    seconds: float = 0.0
    got: list[Got] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.Response:
        await asyncio.sleep(self.seconds)
        said = json.loads(await request.read())
        if self.status == 200:
            self.got.append(Got(said["title"], said["message"], None))
        return web.Response(status=self.status)


@asynccontextmanager
async def hook(folder: Path, secret: str = "", **habits: Any) -> AsyncIterator[tuple[Place, Hook]]:
    """The apprise transport with a web hook behind it, whose path is a secret."""
    target = Hook(**habits)
    app = web.Application(client_max_size=2**24)
    app.router.add_post("/{path:.*}", target.handle)
    async with web_server(app) as host:
        environ = {"NHIP_APPRISE_NHOM_CHUNG": f"json://nguoi-dung:{secret or 'x'}@{host}/bot{secret}/"}
        means = Means(config_in(folder), no_bot, environ)
        yield Place(AppriseTransport(means, QUICK_SECONDS), "nhom-chung", lambda: target.got), target


# --- the contract -----------------------------------------------------------------------------------------------


OLD_MODULES = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
"""apprise still takes one that Python 3.13 has no more."""


@asynccontextmanager
async def only_place(opened: Any) -> AsyncIterator[Place]:
    async with opened as (place, _):
        yield place


class TestEmail(TransportContract):
    kind = "email"

    def healthy(self, folder: Path) -> Opened:
        return only_place(mail(folder, PASSWORD, password=PASSWORD))

    def troubles(self, folder: Path, secret: str) -> Mapping[str, tuple[type[TransportError], Opened]]:
        def broken(**habits: Any) -> Opened:
            return only_place(mail(folder, secret, **({"password": secret} | habits)))

        return {
            "unknown address": (RefusedError, broken(refusals={READER: "550 5.1.1 no such user"})),
            "full mailbox": (PassingError, broken(refusals={READER: "452 4.2.2 mailbox full"})),
            "wrong password": (UnreadyError, broken(password=PASSWORD)),
            "spam": (RefusedError, broken(at_data=after(0, "554 5.7.1 rejected"))),
            "busy": (PassingError, broken(at_data=after(0, "451 4.3.0 later"))),
            "wrong sender": (PassingError, broken(at_mail="553 5.1.8 not yours")),
            "slow": (PassingError, broken(at_data=after(60))),
            "wrong certificate": (PassingError, broken(host_names=("khac.example",))),
            "wrong certificate at once": (PassingError, broken(host_names=("khac.example",), security="tls")),
            "silent": (PassingError, raw_mail(folder, silence)),
            "silent at once": (PassingError, raw_mail(folder, silence, "tls")),
            "dripping": (PassingError, raw_mail(folder, drip)),
            "no encryption": (PassingError, raw_mail(folder, accepting(b"221 bye"), "starttls")),
        }


class TestZalo(TransportContract):
    kind = "zalo"
    shows_subject = shows_html = False
    longest = 2000

    def healthy(self, folder: Path) -> Opened:
        return only_place(zalo(folder))

    def troubles(self, folder: Path, secret: str) -> Mapping[str, tuple[type[TransportError], Opened]]:
        token = f"27:{secret}"

        def knowing(**habits: Any) -> Opened:
            return only_place(zalo(folder, token, token=token, **habits))

        return {
            "wrong token": (UnreadyError, only_place(zalo(folder, token))),
            "no token at all": (UnreadyError, only_place(zalo(folder, f"{secret} x"))),
            "unknown chat": (RefusedError, knowing(address="khongquen")),
            "limit": (LimitError, knowing(allowance=0)),
            "limit in 200": (LimitError, knowing(allowance=0, says_200=True)),
            "time-out": (PassingError, knowing(trouble=408)),
            "server error": (PassingError, knowing(trouble=500)),
            "slow": (PassingError, knowing(latency=60)),
            "down": (PassingError, bot_elsewhere(folder, token, answering=False)),
            "nonsense": (PassingError, bot_elsewhere(folder, token, answering=True)),
        }


class TestFile(TransportContract):
    kind = "file"

    def healthy(self, folder: Path) -> Opened:
        return files(folder)

    def troubles(self, folder: Path, secret: str) -> Mapping[str, tuple[type[TransportError], Opened]]:
        (folder / "outbox").write_text("a file stands where the folder should be")
        return {"no folder": (PassingError, files(folder))}


@OLD_MODULES
class TestApprise(TransportContract):
    kind = "apprise"
    shows_html = False
    longest = 32768

    def healthy(self, folder: Path) -> Opened:
        return only_place(hook(folder))

    def troubles(self, folder: Path, secret: str) -> Mapping[str, tuple[type[TransportError], Opened]]:
        return {
            "refused": (PassingError, only_place(hook(folder, secret, status=403))),
            "broken": (PassingError, only_place(hook(folder, secret, status=500))),
            "slow": (PassingError, only_place(hook(folder, secret, seconds=4))),
            "not an address": (PassingError, apprise_with(folder, {"NHIP_APPRISE_NHOM_CHUNG": f"gi-do://{secret}"})),
            "nothing given": (UnreadyError, apprise_with(folder, {})),
            "down": (PassingError, apprise_with(folder, {"NHIP_APPRISE_NHOM_CHUNG": f"json://{secret}@127.0.0.1:1/"})),
        }


@asynccontextmanager
async def bot_elsewhere(folder: Path, token: str, *, answering: bool) -> AsyncIterator[Place]:
    """No bot platform: nothing at all, or a page of somebody else."""

    async def page(_: web.Request) -> web.Response:
        return web.Response(text="<html>Bảo trì (mẫu)</html>", content_type="text/html")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", page)
    async with AsyncExitStack() as stack:
        host = await stack.enter_async_context(web_server(app))
        if not answering:
            host = f"127.0.0.1:{await closed_port()}"
        bot = {"base": f"http://{host}"}
        means = await stack.enter_async_context(
            means_in(folder, environ={"NHIP_ZALO_BOT_TOKEN": token}, host=host, zalo_bot=bot)
        )
        yield Place(ZaloTransport(means), CHAT, list)


@asynccontextmanager
async def files(folder: Path) -> AsyncIterator[Place]:
    def inbox() -> list[Got]:
        found = sorted(folder.glob("outbox/*.txt"))
        return [_got(path) for path in found]

    yield Place(FileTransport(Means(config_in(folder), no_bot, {})), "thu-nghiem", inbox)


def _got(path: Path) -> Got:
    head, _, text = path.read_text("utf-8").partition("\n\n")
    subject = head.split("\n")[1].removeprefix("Tiêu đề: ")
    return Got(subject, text.removesuffix("\n"), path.with_suffix(".html").read_text("utf-8"))


@asynccontextmanager
async def apprise_with(folder: Path, environ: Mapping[str, str]) -> AsyncIterator[Place]:
    yield Place(AppriseTransport(Means(config_in(folder), no_bot, environ), QUICK_SECONDS), "nhom-chung", list)


def test_every_transport_is_under_contract():
    assert {one.kind for one in TransportContract.__subclasses__()} == set(TRANSPORTS)


# --- e-mail -----------------------------------------------------------------------------------------------------


def test_an_email_says_that_a_program_wrote_it_and_keeps_its_id_on_every_try(tmp_path: Path):
    async def scenario() -> None:
        async with mail(tmp_path) as (place, server):
            await place.send(letter())
            await place.send(letter(repeated=True))
            await place.transport.send(letter(), "an-lac@doan-mau.example", NOW)
            first, again, other = (one.parsed for one in server.mails)
            assert first["Message-ID"] == again["Message-ID"] != other["Message-ID"]
            assert first["Date"].datetime == NOW
            assert first["Auto-Submitted"] == "auto-generated"
            assert first["List-Id"] == "<nhip-doan.doan-mau.example>"
            assert (first["From"].addresses[0].addr_spec, first["To"]) == (SENDER, READER)
            assert first.get_content_type() == "multipart/alternative"
            assert all(len(line) < 998 for line in server.mails[0].raw.splitlines())
            assert server.mails[0].raw.isascii()

    run(scenario())


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_the_own_certificate_of_a_server_is_believed_and_no_other(security: str, tmp_path: Path):
    async def scenario() -> None:
        async with mail(tmp_path, PASSWORD, password=PASSWORD, security=security) as (place, server):
            await place.send(letter())
            smtp = {**server.settings, "ca_bundle": None}
            means = Means(config_in(tmp_path, smtp=smtp), no_bot, {"NHIP_SMTP_PASSWORD": PASSWORD})
            stranger = Place(EmailTransport(means, QUICK_SECONDS), READER, place.inbox)
            assert "Chứng chỉ" in str(await stranger.failure(letter()))
            assert len(server.mails) == 1

    run(scenario())


def test_a_letter_is_doubtful_only_when_it_was_handed_over(tmp_path: Path):
    async def doubt(opened: Any, *, expected: bool) -> None:
        async with opened as found:
            place = found if isinstance(found, Place) else found[0]
            failure = await place.failure(letter())
            assert isinstance(failure, PassingError)
            assert failure.doubtful is expected, str(failure)

    run(doubt(mail(tmp_path, at_data=cut), expected=True))
    run(doubt(mail(tmp_path, at_data=after(60)), expected=True))
    run(doubt(mail(tmp_path, at_data=after(0, "451 later")), expected=False))
    run(doubt(mail(tmp_path, at_mail="451 later"), expected=False))
    run(doubt(raw_mail(tmp_path, silence), expected=False))


@pytest.mark.parametrize("goodbye", [b"", b"500 what", b"221 bye"])
def test_a_letter_that_was_accepted_is_sent_whatever_the_good_bye(goodbye: bytes, tmp_path: Path):
    async def scenario() -> None:
        async with raw_mail(tmp_path, accepting(goodbye)) as place:
            await place.send(letter())

    run(scenario())


def test_a_wrong_password_never_gives_up_a_letter(tmp_path: Path):
    async def scenario(given: str, sentence: str) -> None:
        async with mail(tmp_path, given, password=PASSWORD) as (place, server):
            failure = await place.failure(letter())
            assert (type(failure), server.mails) == (UnreadyError, [])
            assert sentence in str(failure)

    for wrong in ("sai-mat-khau", "mật khẩu có dấu"):
        run(scenario(wrong, "không nhận tài khoản hoặc mật khẩu"))
    run(scenario("", "Chưa có NHIP_SMTP_PASSWORD"))


def test_a_login_that_the_server_wants_and_we_have_not_is_our_fault(tmp_path: Path):
    async def scenario() -> None:
        async with mail(tmp_path, refusals={READER: "530 5.7.0 Authentication required"}) as (place, _):
            failure = await place.failure(letter())
            assert type(failure) is UnreadyError
            assert "NHIP_SMTP_PASSWORD" in str(failure)

    run(scenario())


def test_a_cancelled_letter_leaves_no_connection_behind(tmp_path: Path):
    async def scenario() -> None:
        gone = asyncio.Event()

        async def wait(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
            await reader.read()
            gone.set()

        async with raw_mail(tmp_path, wait, seconds=30) as place:
            sending = asyncio.create_task(place.send(letter()))
            await asyncio.sleep(0.1)
            sending.cancel()
            await asyncio.wait_for(gone.wait(), 1)

    run(scenario())


@given(st.text(max_size=300), st.text(max_size=80))
def test_any_subject_and_office_survive_the_headers(subject: str, office: str):
    raw = message_of(letter(subject=subject), sender=SENDER, office=office, address=READER, now=NOW)
    assert header(raw, "Subject") == one_line(subject)
    assert header(raw, "From") == f"{one_line(office)} <{SENDER}>".lstrip()
    names = message_from_bytes(raw).keys()
    assert names == ["Content-Type", "MIME-Version", "Subject", "From", "To", "Date", *OWN_HEADERS]
    assert raw.isascii()


# --- Zalo -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "wakes"),
    [
        (datetime(2026, 11, 20, 0, 30, tzinfo=UTC), datetime(2026, 11, 21, tzinfo=UTC)),
        (datetime(2026, 11, 20, 16, 59, tzinfo=UTC), datetime(2026, 11, 21, tzinfo=UTC)),
        (datetime(2026, 11, 20, 17, 0, tzinfo=UTC), datetime(2026, 11, 22, tzinfo=UTC)),
    ],
)
def test_a_limit_lasts_until_the_next_local_morning(now: datetime, wakes: datetime, tmp_path: Path):
    async def scenario() -> None:
        async with zalo(tmp_path, allowance=1) as (place, bot):
            await place.send(letter())
            with pytest.raises(LimitError) as caught:
                await place.transport.send(letter(), CHAT, now)
            assert caught.value.retry_at == wakes
            assert len(bot.sent) == 1

    run(scenario())


@pytest.mark.parametrize(("code", "doubtful"), [(401, False), (404, False), (408, True), (500, True)])
@pytest.mark.parametrize("says_200", [True, False])
def test_other_errors_of_the_bot_may_pass(code: int, says_200: bool, doubtful: bool, tmp_path: Path):
    async def scenario() -> None:
        async with zalo(tmp_path, trouble=code, says_200=says_200) as (place, _):
            failure = await place.failure(letter())
            assert isinstance(failure, PassingError)
            assert failure.doubtful is doubtful
            assert f"mã {code}" in str(failure)

    run(scenario())


def test_a_question_that_never_left_leaves_no_doubt(tmp_path: Path):
    async def scenario() -> None:
        async with bot_elsewhere(tmp_path, TOKEN, answering=False) as place:
            failure = await place.failure(letter())
            assert isinstance(failure, PassingError)
            assert not failure.doubtful
        async with means_in(
            tmp_path, environ={"NHIP_ZALO_BOT_TOKEN": TOKEN}, zalo_bot={"base": "http://10.0.0.1"}
        ) as means:
            failure = await Place(ZaloTransport(means), CHAT, list).failure(letter())
            assert isinstance(failure, PassingError)
            assert not failure.doubtful
            assert "[zalo_bot]" in str(failure)

    run(scenario())


def test_the_token_of_a_bot_never_reaches_a_log():
    said = f"POST https://bot-api.zaloplatforms.com/bot{TOKEN}/sendMessage failed"
    assert redact(said) == "POST https://bot-api.zaloplatforms.com/bot***/sendMessage failed"
    assert TOKEN.partition(":")[2] not in redact(said.replace(":", "%3A"))


# --- files, apprise, all ----------------------------------------------------------------------------------------


def test_a_second_copy_takes_the_place_of_the_first_and_is_counted(tmp_path: Path):
    async def scenario() -> None:
        async with files(tmp_path) as place:
            for _ in range(3):
                await place.send(letter())
            await place.send(letter(key="digest/thuong-vu/2026-11-20"))
            assert len(place.inbox()) == 2

    run(scenario())
    heads = sorted(path.read_text("utf-8").split("\n")[3] for path in tmp_path.glob("outbox/*.txt"))
    assert heads == ["Số bản đã gửi: 1", "Số bản đã gửi: 3"]
    assert not list(tmp_path.glob("outbox/.*"))


@given(st.text(max_size=300), st.from_regex(r"[a-z][a-z0-9-]{0,30}", fullmatch=True))
def test_any_key_is_a_harmless_file_name(key: str, address: str):
    name = name_of(key, address)
    assert name.isascii()
    assert len(name) < 120
    assert not set(name) & set("/\\: \n\0")
    assert not name.startswith(".")
    assert name_of(key + "x", address) != name


def test_apprise_is_asked_for_only_when_it_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "apprise", None)  # as on a machine without the extra

    async def scenario() -> None:
        async with apprise_with(tmp_path, {"NHIP_APPRISE_NHOM_CHUNG": "json://127.0.0.1"}) as place:
            assert "Chưa cài apprise" in str(await place.failure(letter()))

    run(scenario())


@given(st.text())
def test_what_is_sent_has_no_control_characters_and_no_halves(text: str):
    shown = plain(text)
    shown.encode()
    assert not [mark for mark in shown if mark not in "\n\t" and (ord(mark) < 32 or 127 <= ord(mark) < 160)]
    assert "\n" not in one_line(text)
    assert len(one_line(text)) <= 250


def test_a_way_without_its_settings_says_which_it_needs(tmp_path: Path):
    ways = open_transports(Means(config_in(tmp_path), no_bot, {}))
    assert ways.keys() == TRANSPORTS.keys()
    missing = {"email": "[smtp]", "zalo": "NHIP_ZALO_BOT_TOKEN", "apprise": "NHIP_APPRISE_X"}

    async def scenario(transport: Transport, word: str) -> None:
        with pytest.raises(PassingError, match=word.replace("[", r"\[")):
            await transport.send(letter(), "x", NOW)

    for kind, word in missing.items():
        run(scenario(ways[kind], word))


def test_a_secret_is_read_anew_for_every_letter_and_only_from_a_closed_file(tmp_path: Path):
    secret = tmp_path / "token"
    secret.write_text("nonsense")
    secret.chmod(0o644)
    environ = {"NHIP_ZALO_BOT_TOKEN_FILE": str(secret)}

    async def scenario(sentence: str) -> None:
        async with means_in(tmp_path, environ=environ) as means:
            assert sentence in str(await Place(ZaloTransport(means), CHAT, list).failure(letter()))

    run(scenario("chmod 600"))
    secret.chmod(0o600)
    run(scenario("không có dạng"))
