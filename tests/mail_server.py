"""A real SMTP server on loopback, with encryption, a login, and every bad habit of mail servers.

It lives in the running event loop, beside what is tested: `async with MailServer(folder) as server`.
"""

from __future__ import annotations

import asyncio
import ssl
import warnings
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import default
from functools import partial
from pathlib import Path
from typing import Any, Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER = "nhip-doan"
SENDER = "nhip-doan@doan-mau.example"
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def header(raw: bytes, name: str) -> str:
    """A header as mail programs read it (RFC 2047); the newer parser of the library adds blanks."""
    return str(make_header(decode_header(message_from_bytes(raw)[name])))


@dataclass(frozen=True)
class Mail:
    """One message as the server got it."""

    sender: str
    receivers: list[str]
    raw: bytes

    @property
    def parsed(self) -> EmailMessage:
        return message_from_bytes(self.raw, policy=default)

    @property
    def subject(self) -> str:
        return header(self.raw, "Subject")

    def body(self, kind: str) -> str:
        part = self.parsed.get_body((kind,))
        return part.get_content().replace("\r\n", "\n") if part else ""


@dataclass
class MailServer:
    """`refusals` answers single addresses at RCPT; `at_mail` and `at_data` say what happens at these steps."""

    folder: Path
    security: str = "starttls"
    password: str = ""
    host_names: tuple[str, ...] = ("localhost",)
    refusals: Mapping[str, str] = field(default_factory=dict)
    at_mail: str = ""
    at_data: Callable[[SMTP], Awaitable[str]] | None = None
    mails: list[Mail] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    _server: asyncio.Server | None = None
    _lines: list[SMTP] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        context = self._certificate() if self.security != "none" else None
        loop, implicit = asyncio.get_running_loop(), self.security == "tls"
        build = partial(self._line, None if implicit else context)
        self._server = await loop.create_server(build, "127.0.0.1", 0, ssl=context if implicit else None)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for line in self._lines:
            hang_up(line)
        await self._server.wait_closed()
        await asyncio.sleep(0)

    @property
    def settings(self) -> dict[str, Any]:
        """The table [smtp] for this server."""
        own = {"user": USER} if self.password else {}
        bundle = {"ca_bundle": "may-chu.pem"} if self.security != "none" else {}
        plain = {"host": "localhost", "port": self.port, "security": self.security, "sender": SENDER}
        return plain | own | bundle

    def _line(self, tls: ssl.SSLContext | None) -> SMTP:
        self.connections += 1
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it does not see the encryption around it
            line = SMTP(
                self,
                hostname="localhost",
                tls_context=tls,
                require_starttls=tls is not None,
                authenticator=self._let_in if self.password else None,
                auth_required=bool(self.password),
                auth_require_tls=self.security == "starttls",
            )
        self._lines.append(line)
        return line

    def _let_in(self, _server: SMTP, _session: Session, _envelope: Envelope, _way: str, given: Any) -> AuthResult:
        assert isinstance(given, LoginPassword)
        known = (given.login, given.password) == (USER.encode(), self.password.encode())
        return AuthResult(success=known, handled=False)

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's names
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.at_mail:
            return self.at_mail
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        said = await self.at_data(server) if self.at_data else "250 OK"
        if said.startswith("2"):
            content = envelope.content
            assert isinstance(content, bytes)
            self.mails.append(Mail(str(envelope.mail_from), list(envelope.rcpt_tos), content))
        return said

    def _certificate(self) -> ssl.SSLContext:
        """A certificate of its own, as small offices have it; the client is given it as a file."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "may chu thu (mau)")])
        now = datetime.now(UTC)
        names = x509.SubjectAlternativeName([x509.DNSName(name) for name in self.host_names])
        built = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=30))
            .add_extension(names, critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        pem = built.public_bytes(serialization.Encoding.PEM)
        hidden = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        (self.folder / "may-chu.pem").write_bytes(pem)
        (self.folder / "server.pem").write_bytes(pem + hidden)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "server.pem")
        return context


def hang_up(line: SMTP) -> None:
    if isinstance(line.transport, asyncio.WriteTransport):
        line.transport.abort()


async def cut(server: SMTP) -> str:
    """The letter was read, and then the connection breaks."""
    hang_up(server)
    return "250 OK"


def after(seconds: float, said: str = "250 OK") -> Callable[[SMTP], Awaitable[str]]:
    async def wait(_: SMTP) -> str:
        await asyncio.sleep(seconds)
        return said

    return wait


class RawServer:
    """A port where each connection is handled by one function, for what no honest server does."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._handle, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._talk(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()


async def silence(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def drip(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One byte of a greeting that never ends, every tenth of a second: no single read ever times out."""
    while True:
        writer.write(b"2")
        await writer.drain()
        await asyncio.sleep(0.1)


def accepting(goodbye: bytes) -> Talk:
    """Accepts one letter, and says something wrong, or nothing, when it is over."""
    replies = dict.fromkeys((b"EHLO", b"MAIL", b"RCPT", b"."), b"250 OK")
    replies |= {b"DATA": b"354 go on", b"QUIT": goodbye}

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hello\r\n")
        while line := await reader.readline():
            said = replies.get(line.strip()[:4].upper())
            if said:
                writer.write(said + b"\r\n")
                await writer.drain()

    return talk
