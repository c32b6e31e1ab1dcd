"""What every transport owes, whatever it carries letters with: one test per promise, against a real local server.

A subclass says where its letters arrive and how its server can fail (`class TestEmail(TransportContract)`).
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
import traceback
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

import pytest
from aiohttp import web

from alerts.base import Letter, LimitError, PassingError, RefusedError, Transport, TransportError
from alerts.delivery import REPEATED, letter_of
from alerts.transports import Means
from alerts.transports.bot import Reply
from collectors.client import Client
from config.alert_models import Alerts
from config.models import Config
from config.secrets import Secret
from pipeline.bot_door import bot_door
from store.records import Delivery
from tests.metric_builders import config_of, unit

NOW = datetime(2026, 11, 20, 0, 30, tzinfo=UTC)
"""07:30 in the zone of the district."""
KEY = "digest/truyen-thong/2026-11-20"
SUBJECT = (
    "Quận Đoàn mẫu: 3 việc cần lưu ý ngày 20/11/2026, «Chưa ghi nhận tin, bài» của Đoàn phường Nguyễn Thái Bình 🌱"
)
TEXT = f"Kính gửi Tổ truyền thông (mẫu),\n\nĐoàn phường Ưng Hòa: chưa ghi nhận tin, bài mới.\n\nMã tin: {KEY}"
HTML = f"<html>\n<body style='x'>\n<p>Đoàn phường Ưng Hòa &lt;mẫu&gt;<br>Mã tin: {KEY}</p>\n</body>\n</html>\n"
HOSTILE = "Đoàn «mẫu»\r\nBcc: kẻ.lạ@doan-mau.example\n\n<script>alert(1)</script>\x00\x1b[2J\u202e\ud83d"
QUICK_SECONDS = 1.0
"""The deadline of a transport in these tests."""


@dataclass(frozen=True)
class Got:
    """A letter as it arrived; subject and HTML are None where the way carries none."""

    subject: str | None
    text: str
    html: str | None


@dataclass(frozen=True)
class Place:
    """A transport with a server that it reaches."""

    transport: Transport
    address: str
    inbox: Callable[[], list[Got]]

    async def send(self, letter: Letter) -> None:
        await self.transport.send(letter, self.address, NOW)

    async def failure(self, letter: Letter) -> TransportError:
        with pytest.raises(TransportError) as caught:
            await self.send(letter)
        return caught.value


Opened = AbstractAsyncContextManager[Place]


def letter(**changes: Any) -> Letter:
    return replace(Letter(KEY, SUBJECT, TEXT, HTML, repeated=False), **changes)


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(scenario)


async def no_bot(_base: str, _token: Secret, _method: str, _fields: Mapping[str, str]) -> Reply:
    raise AssertionError("nobody asks the bot here")


def config_in(folder: Path, **alerts: Any) -> Config:
    return replace(config_of([unit("mot")]), folder=folder, alerts=Alerts.model_validate(alerts))


@asynccontextmanager
async def means_in(
    folder: Path, *, environ: Mapping[str, str], host: str = "", seconds: float = QUICK_SECONDS, **alerts: Any
) -> AsyncIterator[Means]:
    """What transports get, with the real way out to *host* («127.0.0.1:port»)."""
    allow = [host] if host else []
    async with Client(contact="test", allow=allow, gap_seconds=0, deadline_seconds=seconds) as client:
        yield Means(config_in(folder, **alerts), bot_door(client), environ)


@asynccontextmanager
async def web_server(app: web.Application, port: int = 0) -> AsyncIterator[str]:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    try:
        yield f"127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


class TransportContract:
    """The promises; the first block is the transport's own part."""

    kind: ClassVar[str]
    shows_subject: ClassVar[bool] = True
    shows_html: ClassVar[bool] = True
    longest: ClassVar[int] = 10_000_000
    """Characters of the longest text that arrives."""

    def healthy(self, folder: Path) -> Opened:
        """A server that accepts every letter to its address."""
        raise NotImplementedError

    def troubles(self, folder: Path, secret: str) -> Mapping[str, tuple[type[TransportError], Opened]]:
        """Every way of failing, with the error it means. *secret* is the password or token that goes wrong."""
        raise NotImplementedError

    def test_a_letter_arrives_as_it_was_written(self, tmp_path: Path):
        async def scenario() -> None:
            async with self.healthy(tmp_path) as place:
                await place.send(letter())
                assert place.inbox() == [self.seen(SUBJECT, TEXT, HTML)]

        run(scenario())

    def test_a_megabyte_arrives_with_its_key(self, tmp_path: Path):
        lines = "\n".join(f"Đoàn phường số {n}: chưa ghi nhận tin, bài mới (mẫu)." for n in range(20_000))
        long = f"{lines}\n\nMã tin: {KEY}"
        assert len(long.encode()) > 2**20

        async def scenario() -> None:
            async with self.healthy(tmp_path) as place:
                await place.send(letter(text=long))
                (got,) = place.inbox()
                assert len(got.text) <= self.longest
                assert got.text.startswith("Đoàn phường số 0:")
                assert got.text.endswith(f"Mã tin: {KEY}")
                assert len(long) > self.longest or got.text == long

        run(scenario())

    def test_a_hostile_name_is_text_and_nothing_else(self, tmp_path: Path):
        async def scenario() -> None:
            async with self.healthy(tmp_path) as place:
                await place.send(letter(subject=HOSTILE, text=f"{HOSTILE}\n\nMã tin: {KEY}", html=""))
                (got,) = place.inbox()
                shown = "Đoàn «mẫu» Bcc: kẻ.lạ@doan-mau.example <script>alert(1)</script>[2J"
                assert got.subject in {shown, None}
                assert got.text.endswith(f"<script>alert(1)</script>[2J\n\nMã tin: {KEY}")

        run(scenario())

    def test_a_letter_sent_twice_is_known_by_its_key(self, tmp_path: Path):
        async def scenario() -> None:
            async with self.healthy(tmp_path) as place:
                await place.send(letter())
                await place.send(letter_of(doubtful(TEXT, HTML)))
                got = place.inbox()
                assert got[-1].text.startswith(REPEATED)
                assert all(f"Mã tin: {KEY}" in one.text for one in got)
                assert got[-1].html is None or REPEATED in got[-1].html

        run(scenario())

    def test_letters_sent_at_once_arrive_whole(self, tmp_path: Path):
        letters = [letter(key=f"{KEY}-{n}", text=f"Tin {n}\n{'mẫu ' * 300}\n\nMã tin: {n}") for n in range(4)]

        async def scenario() -> None:
            async with self.healthy(tmp_path) as place:
                await asyncio.gather(*map(place.send, letters))
                assert {got.text for got in place.inbox()} == {one.text for one in letters}

        run(scenario())

    def test_every_failure_says_what_it_means_in_time_and_keeps_its_secret(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ):
        caplog.set_level(logging.DEBUG)
        secret = secrets.token_hex(16)
        told: list[str] = []

        async def scenario(meant: type[TransportError], opened: Opened) -> None:
            async with opened as place:
                started = time.monotonic()
                error = await place.failure(letter())
                assert type(error) is meant
                assert time.monotonic() - started < 3 * QUICK_SECONDS
                assert place.inbox() == []
                told.extend(leaks(error, place.transport))

        troubles = self.troubles(tmp_path, secret)
        for name, (meant, opened) in troubles.items():
            told.append(name)
            run(scenario(meant, opened))
        shown = "\n".join([*told, caplog.text, *(repr(vars(record)) for record in caplog.records)])
        assert [form for form in forms_of(secret) if form in shown] == []
        assert len(told) > len(troubles)

    def seen(self, subject: str, text: str, html: str) -> Got:
        return Got(subject if self.shows_subject else None, text, html if self.shows_html else None)


def doubtful(text: str, html: str) -> Delivery:
    way, owner = ("file:mau",), "thu"
    return Delivery(1, KEY, "truyen-thong", way, 0, SUBJECT, text, html, 2, True, owner, NOW, NOW)


def leaks(error: TransportError, transport: Transport) -> list[str]:
    """Everything that a log, a screen or a debugger may show of a failure; the sentence says what to do."""
    sentence = str(error)
    assert sentence.endswith(".")
    assert "Đề nghị" in sentence or "đề nghị" in sentence or "Hệ thống" in sentence
    assert error.__cause__ is None
    assert error.__context__ is None
    assert isinstance(error, PassingError | LimitError | RefusedError)
    return [*traceback.format_exception(error), repr(error), sentence, repr(transport), repr(vars(transport))]


def forms_of(secret: str) -> list[str]:
    """The secret as it is, percent-encoded, in base64 wherever it stands, and its halves."""
    shifted = [b64encode(b"\0" * shift + secret.encode()).decode()[4:-4] for shift in range(3)]
    return [secret, quote(secret, safe=""), secret[:16], secret[16:], *shifted]
