"""The only way out: one guarded, bounded, polite request. Nothing else in the project opens a socket outwards.

Secrets travel in headers and posted bodies only, never in addresses. Transport errors are not chained to what
is raised here, because aiohttp's carry the request headers; the kind of error stands in `CollectError.detail`.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import time
import unicodedata
from collections.abc import Callable, Container, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache, partial
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Protocol, Self
from urllib.parse import urlencode, urljoin

import aiohttp
import httpx
from aiohttp.abc import AbstractResolver, ResolveResult
from httpx_aiohttp import AiohttpTransport

from collectors.base import CollectError, GateError
from collectors.body import DECODED_LIMIT, RAW_LIMIT, BadBodyError, Body, TruncatedError, too_large
from collectors.faults import PassingError, broken_exchange, drift, out_of_time, refused_status
from collectors.guard import Gate, Target
from collectors.turns import Pace, Turns
from store.records import FailureKind

MAX_REDIRECTS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})
UNWANTED = frozenset({204, 206})
"""Successes that bring no whole page: nobody asked for them."""
NOT_MODIFIED = 304
REDIRECTED_INSIDE = (
    "{where} chuyển hướng tới một địa chỉ không được phép đọc. Đề nghị báo người quản trị trang kiểm tra."
)
_IDLE_SECONDS = 5.0
"""How long a connection outlives the pause between visits: kept longer, many sites use up the file limit."""
_FORM = "application/x-www-form-urlencoded"
_CHATTY = ("httpx", "httpcore", "aiohttp.client", "aiohttp.internal")
_TRANSPORT_ERRORS = (httpx.HTTPError, httpx.StreamError, aiohttp.ClientError, OSError)
_address = lru_cache(maxsize=8192)(httpx.URL)


class Spent(Protocol):
    """Where the cost of a look is counted, also when it fails."""

    requests: int
    """Requests sent, with redirects and retries."""
    received_bytes: int
    """Body bytes received, before unpacking."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. `url` is the address that answered; header names are lower-case, repeats joined by ", "."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    """Unpacked and bounded; empty for 304."""

    @property
    def not_modified(self) -> bool:
        return self.status == NOT_MODIFIED


Judge = Callable[[Answer], None]
"""Looks at an answer while it can still be asked for again: PassingError means «again», CollectError «no»."""


@dataclass(slots=True)
class _Tally:
    requests: int = 0
    received_bytes: int = 0


@dataclass(slots=True)
class _Errand:
    """One `get` under way: what to send, what to accept, and how many seconds are left."""

    open_headers: httpx.Headers
    secrets: Mapping[str, str] = field(repr=False)
    expect: Container[int]
    limit: int
    raw_limit: int
    spent: Spent
    left: float
    tries: int
    judge: Judge | None = None
    form: bytes | None = field(default=None, repr=False)
    ends_at: float = 0.0
    failure: PassingError | None = None

    @property
    def is_conditional(self) -> bool:
        return "if-none-match" in self.open_headers or "if-modified-since" in self.open_headers

    @property
    def method(self) -> str:
        return "GET" if self.form is None else "POST"

    @property
    def is_confidential(self) -> bool:
        return bool(self.secrets) or self.form is not None

    def headers(self) -> httpx.Headers:
        if not self.secrets:
            return self.open_headers
        whole = self.open_headers.copy()
        whole.update(self.secrets)
        return whole


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Client:
    """An async context manager for one event loop; `get` and `post` are all it does.

    `allow` lists exact `host:port` pairs that may be reached although they are not public. `trust` gives a
    host a PEM file with certificates it forgets to send. `deadline_seconds` bounds one `get` with its
    redirects, retries and the waits between them; queueing for the host's turn comes on top, because that
    is our own doing. `paces` gives hosts (by `host:port`) another pace than one request at a time and
    `gap_seconds`. `now` says what an HTTP date in Retry-After means, and how long a failing host has rested.
    """

    def __init__(
        self,
        *,
        contact: str,
        allow: Iterable[str] = (),
        concurrent: int = 32,
        gap_seconds: float = 2.0,
        deadline_seconds: float = 30.0,
        tries: int = 3,
        trust: Mapping[str, Path] = MappingProxyType({}),
        paces: Mapping[str, Pace] = MappingProxyType({}),
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._gate = Gate(allow)
        self._turns = Turns(concurrent, Pace(1, gap_seconds), paces)
        self._resolver = _GuardedResolver(self._gate, workers=concurrent)
        self._deadline, self._tries, self._now = deadline_seconds, tries, now
        self._pause = max(gap_seconds, 0.1)
        self._trust = {host.lower(): pem for host, pem in trust.items()}
        self._doors: dict[str, AiohttpTransport] = {}
        self._headers = httpx.Headers(
            {
                "accept": "*/*",
                "accept-encoding": "gzip, deflate",
                "user-agent": f"NhipDoan/{version('nhip-doan')} (+{_plain(contact)})",
            }
        )

    async def __aenter__(self) -> Self:
        for name in _CHATTY:
            logging.getLogger(name).setLevel(logging.WARNING)  # they log addresses with their query
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for door in self._doors.values():
            await door.aclose()
        await self._resolver.close()

    async def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None,
        expect: Container[int] = (),
        judge: Judge | None = None,
        body_limit: int | None = None,
        spent: Spent | None = None,
    ) -> Answer:
        """The answer to one GET, after at most 5 redirects; CollectError in every other case.

        2xx comes back (204 and 206 do not: they are no whole page), 304 when *headers* asked a conditional
        question, and every status in *expect*. *judge* may refuse what came back, also to have it tried again.
        *secrets* are headers that are dropped for good as soon as a redirect leaves the origin, and that never
        travel unencrypted. *body_limit* is the cap in bytes on the unpacked body (15 MiB unless told; 5 MiB as
        it travels, or *body_limit* when that is more).
        """
        errand = self._errand(headers, secrets, spent)
        errand.expect, errand.judge = expect, judge
        if body_limit:
            errand.limit, errand.raw_limit = body_limit, max(RAW_LIMIT, body_limit)
        return await self._walk(self._gate.check(url), errand)

    async def post(
        self,
        url: str,
        form: Mapping[str, str] | bytes,
        *,
        headers: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None,
        expect: Container[int] = (),
        judge: Judge | None = None,
        spent: Spent | None = None,
        tries: int | None = None,
    ) -> Answer:
        """The answer to one POST of a form, or of bytes that *headers* describe; it never follows a redirect.

        As `get` in all else. What is posted may hold secrets: it is shown nowhere and never travels unencrypted.
        *tries* is 1 for what must not be sent twice.
        """
        described = {"content-type": _FORM} | {name.lower(): value for name, value in (headers or {}).items()}
        errand = self._errand(described, secrets, spent)
        errand.expect, errand.judge, errand.tries = expect, judge, tries or self._tries
        errand.form = form if isinstance(form, bytes) else urlencode(form).encode()
        return await self._walk(self._gate.check(url), errand)

    def _errand(
        self, headers: Mapping[str, str] | None, secrets: Mapping[str, str] | None, spent: Spent | None
    ) -> _Errand:
        return _Errand(
            open_headers=self._open_headers(headers) if headers else self._headers,
            secrets=_travelling(secrets) if secrets else {},
            expect=(),
            limit=DECODED_LIMIT,
            raw_limit=RAW_LIMIT,
            spent=spent or _Tally(),
            left=self._deadline,
            tries=self._tries,
        )

    def _open_headers(self, headers: Mapping[str, str]) -> httpx.Headers:
        """Ours and the caller's; a value that cannot travel (an ETag may be any bytes) is left out."""
        merged = self._headers.copy()
        merged.update({name: value for name, value in headers.items() if _can_travel(value)})
        return merged

    async def _walk(self, target: Target, errand: _Errand) -> Answer:
        """Follow redirects by hand: each hop passes the same gate and takes its own turn."""
        seen = set()
        for _ in range(MAX_REDIRECTS + 1):
            seen.add(target.url)
            reply = await self._visit(target, errand)
            if isinstance(reply, Answer):
                return reply
            if errand.form is not None:
                raise drift(target, "máy chủ chuyển hướng thay vì trả lời", "redirected POST")
            onward = self._onward(target, reply)
            if onward.origin != target.origin:
                errand.secrets = {}
            if onward.url in seen:
                raise drift(target, "trang chuyển hướng vòng tròn", "redirect loop")
            target = onward
        raise drift(target, f"trang chuyển hướng quá {MAX_REDIRECTS} lần", "too many redirects")

    def _onward(self, target: Target, location: str) -> Target:
        if not location:
            raise drift(target, "trang chuyển hướng mà không nói đi đâu", "redirect without a location")
        try:
            onward = self._gate.check_redirect(target, urljoin(target.url, location))
        except ValueError:
            raise drift(target, "trang chuyển hướng tới địa chỉ sai", "unusable location") from None
        except GateError as error:
            raise GateError(error.detail, REDIRECTED_INSIDE.format(where=target.where)) from None
        if target.scheme == "https" and onward.scheme == "http":
            raise _unsafe(target, "trang chuyển hướng từ https về http không mã hóa", "redirect to plain http")
        return onward

    async def _visit(self, target: Target, errand: _Errand) -> Answer | str:
        """The answer of one address, or where it redirects to, with the host's turn and the deadline."""
        if errand.is_confidential and target.scheme == "http" and not self._gate.allows(target):
            raise _unsafe(target, "mã truy cập không được gửi qua http không mã hóa", "secret over plain http")
        async with self._turns.take(target.authority, self._now) as host:
            try:
                reply = await self._in_time(target, errand)
            except CollectError as error:
                host.note(self._now(), failed=error.kind is FailureKind.NETWORK)
                raise
            host.note(self._now(), failed=False)
            return reply

    async def _in_time(self, target: Target, errand: _Errand) -> Answer | str:
        errand.failure, errand.ends_at = None, time.monotonic() + errand.left
        try:
            async with asyncio.timeout(errand.left):
                return await self._persist(target, errand)
        except TimeoutError:
            raise (errand.failure or out_of_time(target, self._deadline)) from None
        finally:
            errand.left = errand.ends_at - time.monotonic()

    async def _persist(self, target: Target, errand: _Errand) -> Answer | str:
        """The first try costs nothing extra; stamina takes over with its failure."""
        try:
            return await self._try(target, errand)
        except PassingError as error:
            errand.failure = error
        return await self._try_again(errand.failure, target, errand)

    async def _try_again(self, failure: PassingError, target: Target, errand: _Errand) -> Answer | str:
        import stamina

        stamina.instrumentation.set_on_retry_hooks(())  # a retry that helps is no news; one that fails is told
        async for attempt in stamina.retry_context(
            on=partial(_worth_waiting, errand),
            attempts=errand.tries,
            timeout=None,
            wait_initial=self._pause,
            wait_max=5 * self._pause,
            wait_jitter=self._pause,
        ):
            with attempt:
                if attempt.num == 1:
                    raise failure
                return await self._try(target, errand)
        raise failure

    async def _try(self, target: Target, errand: _Errand) -> Answer | str:
        try:
            return await self._exchange(target, errand)
        except BadBodyError as bad:
            failure = drift(target, bad.what, bad.detail)
        except httpx.InvalidURL:
            failure = drift(target, "địa chỉ không dùng được", "unusable address")
        except (TruncatedError, *_TRANSPORT_ERRORS) as error:
            failure = broken_exchange(error, target)
        raise failure  # outside the handlers: see the top of this file

    async def _exchange(self, target: Target, errand: _Errand) -> Answer | str:
        request = httpx.Request(errand.method, _address(target.url), headers=errand.headers(), content=errand.form)
        door = self._door(target)
        errand.spent.requests += 1
        response = await door.handle_async_request(request)
        try:
            return await self._receive(response, target, errand)
        finally:
            await response.aclose()

    async def _receive(self, response: httpx.Response, target: Target, errand: _Errand) -> Answer | str:
        status, headers = response.status_code, _headers_of(response)
        if status not in errand.expect:
            if status in REDIRECTS:
                return headers.get("location", "")
            if status == NOT_MODIFIED and errand.is_conditional:
                return Answer(target.url, status, headers, b"")
            if status in UNWANTED or not 200 <= status < 300:
                raise refused_status(status, headers, target, self._now())
        answer = Answer(target.url, status, headers, await _read(response, headers, errand))
        if errand.judge:
            errand.judge(answer)
        return answer

    def _door(self, target: Target) -> AiohttpTransport:
        """Plain http, https, and https to a host with own certificates go through separate doors."""
        key = target.host if target.scheme == "https" and target.host in self._trust else target.scheme
        if key not in self._doors:
            self._doors[key] = self._open_door(self._tls_context(key))
        return self._doors[key]

    def _open_door(self, context: ssl.SSLContext) -> AiohttpTransport:
        """The bare transport: redirects, deadlines, headers and cookies are ours, an AsyncClient would add none."""
        connector = aiohttp.TCPConnector(
            limit=0,  # Turns limits
            ssl=context,
            resolver=self._resolver,
            use_dns_cache=False,
            socket_factory=self._open_socket,
            keepalive_timeout=self._pause + _IDLE_SECONDS,
        )
        session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        return AiohttpTransport(verify=context, trust_env=False, client=session)

    def _tls_context(self, key: str) -> ssl.SSLContext:
        if key == "http":
            return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context = httpx.create_ssl_context(trust_env=False)
        if key in self._trust:
            _add_certificates(context, self._trust[key])
        return context

    def _open_socket(self, info: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol, _, address = info
        if not self._gate.may_connect(address[0], address[1]):
            raise PermissionError("this address is not public")
        return socket.socket(family, kind, protocol)


class _GuardedResolver(AbstractResolver):
    """Looks names up in threads of its own (slow names must not starve others) and shows all to the gate."""

    def __init__(self, gate: Gate, workers: int) -> None:
        self._gate = gate
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="dns")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        look_up = partial(socket.getaddrinfo, host, port, family, socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(self._threads, look_up)
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "no address")
        self._gate.check_addresses(host, port, (str(address[0]) for *_, address in found))
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=port,
                family=kind,
                proto=protocol,
                flags=socket.AI_NUMERICHOST,
            )
            for kind, _, protocol, _, address in found
        ]

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def _headers_of(response: httpx.Response) -> dict[str, str]:
    """Lower-case names, repeated headers joined; httpx's own view guesses an encoding on every access."""
    joined: dict[str, str] = {}
    for name, value in response.headers.raw:
        key, text = _text(name).lower(), _text(value)
        joined[key] = f"{joined[key]}, {text}" if key in joined else text
    return joined


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


async def _read(response: httpx.Response, headers: Mapping[str, str], errand: _Errand) -> bytes:
    body = Body(headers.get("content-encoding", ""), errand.limit, errand.raw_limit)
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length) > errand.raw_limit:
        raise too_large(errand.raw_limit)
    assert isinstance(response.stream, httpx.AsyncByteStream)
    async for chunk in response.stream:  # the raw bytes, as aiter_raw() gives them at twice the cost
        errand.spent.received_bytes += len(chunk)
        body.feed(chunk)
    return body.finish()


def _worth_waiting(errand: _Errand, error: Exception) -> bool | float:
    """stamina's question after a failure: False to give up, True for its own pause, or seconds to wait."""
    if not isinstance(error, PassingError):
        return False
    errand.failure = error
    if error.wait is None:
        return True
    return error.wait if error.wait < errand.ends_at - time.monotonic() else False


def _travelling(secrets: Mapping[str, str]) -> Mapping[str, str]:
    """*secrets*, all fit for a header; one that is not is refused without showing it."""
    for name, value in secrets.items():
        if not _can_travel(value):
            raise CollectError(FailureKind.AUTH, f"secret header {name} is not printable ASCII")
    return secrets


def _can_travel(value: str) -> bool:
    return value.isascii() and value.isprintable()


def _plain(text: str) -> str:
    """*text* without Vietnamese marks, as a User-Agent may carry it."""
    folded = unicodedata.normalize("NFKD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(char for char in folded if char.isascii() and char.isprintable() and char not in "()")


def _unsafe(target: Target, what: str, detail: str) -> CollectError:
    advice = "Đề nghị khai đúng địa chỉ trong channels.toml hoặc báo người quản trị trang."
    sentence = f"{target.where}: {what}. {advice}"
    return CollectError(FailureKind.BLOCKED, f"{detail} at {target.where}", sentence=sentence)


def _add_certificates(context: ssl.SSLContext, pem: Path) -> None:
    try:
        context.load_verify_locations(cafile=pem)
    except OSError:  # ssl.SSLError is one too
        sentence = (
            f"Không đọc được chứng chỉ trong tệp «{pem.name}» (ca_bundle). "
            "Đề nghị kiểm tra tệp PEM đó trong thư mục cấu hình."
        )
        raise CollectError(FailureKind.NETWORK, f"unusable ca_bundle {pem.name}", sentence=sentence) from None
