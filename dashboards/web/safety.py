"""What stands before every request: who may ask, how much may be sent, and what a browser may do with the answer.

The reasons stand in docs/decisions/0012-what-a-page-may-do.md.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from html import escape
from typing import Any
from urllib.parse import parse_qs, urlsplit

from itsdangerous import BadSignature, URLSafeTimedSerializer

log = logging.getLogger(__name__)

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""Style attributes are allowed because the chart library writes them into its drawings; it needs nothing else."""
HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
LARGEST_BODY = 16 * 1024
FORM = "application/x-www-form-urlencoded"
TOKEN_SECONDS = 12 * 3600
OWN_SITE = ("same-origin", "none")

STRANGE_HOST = "Địa chỉ này không phải của hệ thống. Đề nghị mở bằng http://127.0.0.1 và đúng cổng."
TOO_LARGE = "Nội dung gửi lên quá lớn. Đề nghị viết ngắn lại."
NO_FORM = "Hệ thống chỉ nhận biểu mẫu của chính các trang này. Đề nghị mở lại trang rồi gửi."
FOREIGN = "Yêu cầu này đến từ một trang khác nên không được thực hiện. Đề nghị mở lại trang rồi gửi."
CRASHED = "Trang này gặp lỗi không lường trước. Đề nghị gửi mã {mark} cho người phụ trách kỹ thuật."


class Guard:
    """Middleware around every route; no request, answer or crash passes it unseen."""

    def __init__(self, app: App, hosts: Collection[str] = LOOPBACK) -> None:
        self._app, self._hosts = app, frozenset(hosts)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if refusal := self._refusal(scope["method"], headers):
            await _say(send, *refusal)
            return
        await self._pass_on(scope, receive, send)

    def _refusal(self, method: str, headers: MutableMapping[str, str]) -> tuple[int, str] | None:
        host = headers.get("host", "")
        if host_name(host) not in self._hosts:
            return 421, STRANGE_HOST
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit()) or int(length[:12]) > LARGEST_BODY:
            return 413, TOO_LARGE
        if method in ("GET", "HEAD"):
            return None
        if headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
            return 415, NO_FORM
        return (403, FOREIGN) if _is_foreign(host, headers) else None

    async def _pass_on(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        started = False

        async def tell(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [*message.get("headers", ()), *HEADERS]
            await send(message)

        try:
            await self._app(scope, receive, tell)
        except Exception:
            mark = secrets.token_hex(4)
            log.exception("page crashed", extra={"mark": mark, "path": scope["path"]})
            if not started:
                await _say(send, 500, CRASHED.format(mark=mark))


def _is_foreign(host: str, headers: MutableMapping[str, str]) -> bool:
    """A browser says where a form comes from; a program that says nothing still needs a token of ours."""
    if headers.get("sec-fetch-site", "same-origin") not in OWN_SITE:
        return True
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != host


def host_name(host: str) -> str:
    """«127.0.0.1:8765» without its port."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).lower()


async def _say(send: Send, status: int, sentence: str) -> None:
    body = plain_page(sentence).encode()
    headers = [(b"content-type", b"text/html; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    headers += [(b"cache-control", b"no-store"), (b"connection", b"close"), *HEADERS]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def plain_page(sentence: str) -> str:
    """A page that needs nothing: no template, no style, no database."""
    return (
        '<!doctype html><html lang="vi"><head><meta charset="utf-8"><title>Nhịp Đoàn</title></head>'
        f"<body><main><h1>Nhịp Đoàn</h1><p>{escape(sentence)}</p>"
        '<p><a href="/">Về trang Tổng quan</a></p></main></body></html>'
    )


class Tokens:
    """Proves that a form was made by this very process, not long ago, for this case."""

    def __init__(self) -> None:
        self._signer = URLSafeTimedSerializer(secrets.token_bytes(32), salt="nhip-form")

    def make(self, purpose: str) -> str:
        return self._signer.dumps(purpose)

    def fits(self, token: str, purpose: str) -> bool:
        try:
            return bool(self._signer.loads(token, max_age=TOKEN_SECONDS) == purpose)
        except BadSignature:
            return False


def form_of(body: bytes) -> dict[str, str]:
    """The first value of each field of a form; ValueError when it is none."""
    fields = parse_qs(body.decode("utf-8"), keep_blank_values=True, max_num_fields=20, errors="strict")
    return {name: values[0] for name, values in fields.items()}
