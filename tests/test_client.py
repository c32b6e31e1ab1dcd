from __future__ import annotations

import asyncio
import gc
import gzip
import http.client
import logging
import os
import socket
import ssl
import subprocess
import sys
import textwrap
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import cache
from importlib import import_module
from itertools import count, islice, pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors.base import CollectError, Look
from collectors.body import PIECE, BadBodyError, Body, TruncatedError, gunzip
from collectors.client import Answer, Client
from collectors.faults import seconds_to_wait
from store.records import FailureKind
from tests.fault_server import (
    Behaviour,
    FaultServer,
    Talk,
    answer,
    drip,
    endless,
    raw,
    redirect,
    reset,
    silence,
    zipped,
)

brotli = import_module("brotli")  # it has no type hints
NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
CANARY = "canary-7f3a9c"
MIB = 2**20
HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as running:
        yield running


def client(*servers: FaultServer, allow: tuple[str, ...] = (), **options: Any) -> Client:
    quick: dict[str, Any] = {"gap_seconds": 0, "tries": 1, "deadline_seconds": 5, "now": lambda: NOW}
    return Client(contact="test", allow=[*(s.authority for s in servers), *allow], **(quick | options))


def fetch(url: str, *servers: FaultServer, get: dict[str, Any] | None = None, **options: Any) -> Answer:
    async def visit() -> Answer:
        async with client(*servers, **options) as under_test:
            return await under_test.get(url, **(get or {}))

    return asyncio.run(visit())


def failure(url: str, *servers: FaultServer, get: dict[str, Any] | None = None, **options: Any) -> CollectError:
    with pytest.raises(CollectError) as caught:
        fetch(url, *servers, get=get, **options)
    return caught.value


# --- the good answer ---


def test_an_answer_has_its_address_status_headers_and_unpacked_body(server: FaultServer) -> None:
    url = server.on("/feed", answer(gzip.compress(b"tin"), content_encoding="gzip", etag='"a"'))
    got = fetch(url + "?page=1", server)
    assert (got.url, got.status, got.body, got.not_modified) == (url + "?page=1", 200, b"tin", False)
    assert got.headers["etag"] == '"a"'


def test_the_request_says_who_asks_and_what_it_can_unpack(server: FaultServer) -> None:
    fetch(server.on("/", answer()), server, get={"headers": {"Accept": "application/json"}})
    (request,) = server.requests
    assert request.headers["user-agent"].startswith("NhipDoan/")
    assert request.headers["accept-encoding"] == "gzip, deflate"
    assert request.headers["accept"] == "application/json"
    assert "cookie" not in request.headers


def test_a_vietnamese_contact_travels_without_its_marks(server: FaultServer) -> None:
    async def visit() -> None:
        async with Client(contact="Văn phòng Quận Đoàn (1)", allow=[server.authority]) as under_test:
            await under_test.get(server.on("/", answer()))

    asyncio.run(visit())
    assert server.requests[0].headers["user-agent"].endswith("(+Van phong Quan Doan 1)")


def test_repeated_headers_are_joined(server: FaultServer) -> None:
    url = server.on("/", raw(HEAD + b"Link: <a>\r\nLink: <b>\r\nContent-Length: 0\r\n\r\n"))
    assert fetch(url, server).headers["link"] == "<a>, <b>"


def test_not_modified_is_an_answer_to_a_conditional_question_only(server: FaultServer) -> None:
    url = server.on("/", raw(b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n"))
    got = fetch(url, server, get={"headers": {"If-None-Match": "x"}})
    assert (got.status, got.body, got.not_modified) == (304, b"", True)
    assert server.requests[0].headers["if-none-match"] == "x"
    assert failure(url, server).kind is FailureKind.DRIFT


def test_an_etag_that_cannot_travel_is_not_asked_with(server: FaultServer) -> None:
    url = server.on("/", answer(b"whole"))
    assert fetch(url, server, get={"headers": {"If-None-Match": '"đ"', "X-Plain": "1"}}).body == b"whole"
    assert "if-none-match" not in server.requests[0].headers
    assert server.requests[0].headers["x-plain"] == "1"


def test_a_look_is_charged_for_every_request_and_raw_byte(server: FaultServer) -> None:
    packed = gzip.compress(b"x" * 10_000)
    server.on("/there", answer(b"", 503), answer(packed, content_encoding="gzip"))
    look = _Spent()
    fetch(server.on("/here", redirect("/there")), server, tries=2, get={"spent": look})
    assert (look.requests, look.received_bytes) == (3, len(packed))


class _Spent:
    requests = 0
    received_bytes = 0


# --- statuses ---


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (204, FailureKind.DRIFT),
        (206, FailureKind.DRIFT),
        (300, FailureKind.DRIFT),
        (400, FailureKind.DRIFT),
        (401, FailureKind.AUTH),
        (403, FailureKind.BLOCKED),
        (404, FailureKind.GONE),
        (405, FailureKind.DRIFT),
        (410, FailureKind.GONE),
        (429, FailureKind.THROTTLED),
        (500, FailureKind.NETWORK),
        (503, FailureKind.NETWORK),
        (599, FailureKind.NETWORK),
    ],
)
def test_a_status_nobody_expected_is_a_typed_failure(server: FaultServer, status: int, kind: FailureKind) -> None:
    url = server.on("/page", answer(b"", status))
    error = failure(url + f"?key={CANARY}", server)
    assert error.kind is kind
    assert error.sentence
    assert CANARY not in error.sentence + error.detail


def test_an_expected_status_comes_back_with_its_body(server: FaultServer) -> None:
    url = server.on("/", answer(b"rest_no_route", 404))
    got = fetch(url, server, get={"expect": {404}})
    assert (got.status, got.body) == (404, b"rest_no_route")


def test_a_challenge_page_is_blocked_not_a_broken_server(server: FaultServer) -> None:
    url = server.on("/", answer(b"<html>", 503, cf_mitigated="challenge"))
    assert failure(url, server, tries=3).kind is FailureKind.BLOCKED
    assert len(server.requests) == 1


# --- the wire ---


def chunked(*pieces: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + body + end


GZIP = gzip.compress(os.urandom(7000))
BROKEN: dict[str, tuple[Behaviour, FailureKind]] = {
    "reset": (reset, FailureKind.NETWORK),
    "closed at once": (raw(b""), FailureKind.NETWORK),
    "half a status line": (raw(b"HTTP/1.1 20"), FailureKind.NETWORK),
    "not http": (raw(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), FailureKind.NETWORK),
    "a status that is no number": (raw(b"HTTP/1.1 two OK\r\n\r\n"), FailureKind.NETWORK),
    "cut with a length": (raw(HEAD + b"Content-Length: 100\r\n\r\nhalf"), FailureKind.NETWORK),
    "cut in a chunk": (raw(chunked(b"half", end=b"ff\r\nx")), FailureKind.NETWORK),
    "cut between chunks": (raw(chunked(b"half", end=b"")), FailureKind.NETWORK),
    "bad chunk size": (raw(chunked(b"half", end=b"zz\r\n\r\n")), FailureKind.NETWORK),
    "negative length": (raw(HEAD + b"Content-Length: -1\r\n\r\n"), FailureKind.NETWORK),
    "absurd length": (raw(HEAD + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n"), FailureKind.NETWORK),
    "two lengths": (raw(HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"), FailureKind.NETWORK),
    "a huge header": (raw(HEAD + b"X: " + b"x" * MIB + b"\r\n\r\n"), FailureKind.NETWORK),
    "a million headers": (raw(HEAD + b"X: y\r\n" * 10**6 + b"\r\n"), FailureKind.NETWORK),
    "cut gzip": (raw(HEAD + b"Content-Encoding: gzip\r\n\r\n" + GZIP[:3000]), FailureKind.NETWORK),
    "gzip without its checksum": (
        raw(HEAD + b"Content-Encoding: gzip\r\n\r\n" + GZIP[:-4]),
        FailureKind.NETWORK,
    ),
    "gzip that is none": (answer(b"<html>plain</html>", content_encoding="gzip"), FailureKind.DRIFT),
    "damaged gzip": (answer(GZIP[:50] + b"\0" * 50 + GZIP[100:], content_encoding="gzip"), FailureKind.DRIFT),
    "bytes after gzip": (answer(GZIP + b"<script>", content_encoding="gzip"), FailureKind.DRIFT),
    "deflate that is none": (answer(b"\xff" * 50, content_encoding="deflate"), FailureKind.DRIFT),
    "brotli": (answer(brotli.compress(b"x" * 99), content_encoding="br"), FailureKind.DRIFT),
    "zstd": (answer(b"x", content_encoding="zstd"), FailureKind.DRIFT),
    "packed twice": (answer(gzip.compress(GZIP), content_encoding="gzip, gzip"), FailureKind.DRIFT),
    "unknown packing": (answer(b"x", content_encoding="rot13"), FailureKind.DRIFT),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_answer_is_never_half_an_answer(server: FaultServer, fault: str) -> None:
    behaviour, kind = BROKEN[fault]
    error = failure(server.on("/", behaviour), server)
    assert error.kind is kind
    assert server.authority in error.sentence
    assert "Đề nghị" in error.sentence


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_a_refused_connection_is_said_in_plain_words() -> None:
    authority = f"127.0.0.1:{free_port()}"
    error = failure(f"http://{authority}/", allow=(authority,))
    assert error.kind is FailureKind.NETWORK
    assert "từ chối kết nối" in error.sentence


@pytest.mark.parametrize("found", [None, []])
def test_a_name_that_does_not_exist_is_said_in_plain_words(
    found: list[Any] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object) -> list[Any]:
        if found is None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return found

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    error = failure("http://khong-co.vn/")
    assert error.kind is FailureKind.NETWORK
    assert "không tìm thấy tên máy chủ" in error.sentence


def test_an_allowed_name_is_looked_up_and_reached(server: FaultServer) -> None:
    server.on("/", answer(b"ok"))
    name = f"localhost:{server.port}"
    assert fetch(f"http://{name}/", allow=(name,)).body == b"ok"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    noise=st.binary(max_size=300),
    prefix=st.sampled_from([b"", HEAD, HEAD + b"Content-Encoding: gzip\r\n\r\n"]),
)
def test_no_bytes_do_worse_than_a_collect_error(server: FaultServer, noise: bytes, prefix: bytes) -> None:
    with suppress(CollectError):
        assert fetch(server.on("/", raw(prefix + noise)), server).status


def test_a_name_that_leads_inside_among_others_is_not_connected_to(
    server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mixed(host: str, port: int, *_: object) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in ("192.0.1.1", "127.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", mixed)
    error = failure("http://hai-mat.vn/", server)
    assert error.kind is FailureKind.BLOCKED
    assert "hai-mat.vn" in error.sentence


def test_no_socket_opens_to_an_address_that_slipped_through() -> None:
    with pytest.raises(PermissionError):
        client()._open_socket((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80)))


# --- time ---


@pytest.mark.parametrize(
    "behaviour",
    [
        silence,
        drip(HEAD + b"\r\n"),
        drip(HEAD + b"Content-Length: 100\r\n\r\n"),
        drip(HEAD, piece=b"X-Slow: y\r\n"),
        drip(HEAD + b"X-Slow: "),
        drip(b"", piece=b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=["silence", "body", "body with length", "headers", "one header", "continue"],
)
def test_the_deadline_holds_over_every_slowness(server: FaultServer, behaviour: Behaviour) -> None:
    started = time.monotonic()
    error = failure(server.on("/", behaviour), server, deadline_seconds=0.5, tries=3)
    assert error.kind is FailureKind.NETWORK
    assert "0.5 giây" in error.sentence
    assert 0.4 < time.monotonic() - started < 1.5


def test_the_deadline_holds_over_redirects_together(server: FaultServer) -> None:
    def slow(talk: Talk) -> bool:
        talk.pause(0.3)
        return redirect(f"/{len(server.requests)}")(talk)

    for number in range(7):
        server.on(f"/{number}", slow)
    started = time.monotonic()
    assert failure(server.url("/0"), server, deadline_seconds=0.7).kind is FailureKind.NETWORK
    assert time.monotonic() - started < 1.3
    assert len(server.requests) <= 3


def test_the_deadline_holds_over_a_slow_look_up(monkeypatch: pytest.MonkeyPatch) -> None:
    enough = threading.Event()

    def slow(*_: object) -> list[Any]:
        enough.wait(10)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    started = time.monotonic()
    error = failure("http://cham.vn/", deadline_seconds=0.4)
    enough.set()
    assert error.kind is FailureKind.NETWORK
    assert time.monotonic() - started < 1.5


def test_waiting_for_a_turn_does_not_use_up_the_deadline(server: FaultServer) -> None:
    def slow(talk: Talk) -> bool:
        talk.pause(0.25)
        return answer(b"ok")(talk)

    url = server.on("/", slow)

    async def visit() -> list[Answer]:
        async with client(server, deadline_seconds=0.6) as under_test:
            return await asyncio.gather(*(under_test.get(url) for _ in range(4)))

    assert [got.body for got in asyncio.run(visit())] == [b"ok"] * 4


# --- size ---


def test_a_body_at_the_cap_comes_back_and_one_byte_more_does_not(server: FaultServer) -> None:
    text = (b"%x" % n + b" tin" * 60 for n in count(10**6))
    page = b"".join(islice(text, 15 * MIB // 245 + 1))[: 15 * MIB]
    server.on("/fits", zipped(page))
    server.on("/over", zipped(page + b"!"))
    assert fetch(server.url("/fits"), server).body == page
    assert failure(server.url("/over"), server).kind is FailureKind.DRIFT


def test_a_caller_sets_the_cap_on_the_body(server: FaultServer) -> None:
    server.on("/large", answer(b"x" * 6 * MIB))
    assert "5 MB" in failure(server.url("/large"), server).sentence
    assert len(fetch(server.url("/large"), server, get={"body_limit": 6 * MIB}).body) == 6 * MIB
    server.on("/small", answer(b"x" * 1025))
    assert failure(server.url("/small"), server, get={"body_limit": 1024}).kind is FailureKind.DRIFT


def test_a_declared_size_over_the_cap_is_refused_before_its_body(server: FaultServer) -> None:
    look = _Spent()
    url = server.on("/", endless(HEAD + b"Content-Length: 10000000000\r\n\r\n"))
    assert failure(url, server, get={"spent": look}).kind is FailureKind.DRIFT
    assert look.received_bytes == 0


def test_an_endless_body_ends_at_the_cap(server: FaultServer) -> None:
    look = _Spent()
    url = server.on("/", endless(HEAD + b"\r\n"))
    assert failure(url, server, get={"spent": look}, deadline_seconds=20).kind is FailureKind.DRIFT
    assert look.received_bytes <= 5 * MIB + PIECE


BOMBER = """
    import asyncio, sys
    from pathlib import Path
    from collectors.base import CollectError
    from collectors.client import Client

    async def visit(client, url):
        try:
            await client.get(url, body_limit=int(sys.argv[4]) or None)
        except CollectError as error:
            return error.kind

    def memory(key):
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(key))

    async def main():
        async with Client(contact="t", allow=[sys.argv[1]], gap_seconds=0, tries=1) as client:
            await visit(client, sys.argv[2])
            Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
            before = memory("VmRSS")
            kind = await visit(client, sys.argv[3])
            print(kind, memory("VmHWM") - before)

    asyncio.run(main())
"""


@cache
def packed_zeros(size: int, wbits: int) -> bytes:
    packer = zlib.compressobj(9, wbits=wbits)
    block = bytes(MIB)
    return b"".join(packer.compress(block) for _ in range(size // MIB)) + packer.flush()


def bomb(encoding: str) -> bytes:
    if encoding == "br":
        packed: bytes = brotli.compress(bytes(64 * MIB), quality=5)
        return packed
    return packed_zeros(1024 * MIB, 31 if encoding == "gzip" else 15)


@pytest.mark.parametrize("limit", [0, 32 * MIB])
@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br"])
def test_a_bomb_of_one_gib_costs_less_than_20_mb(server: FaultServer, encoding: str, limit: int) -> None:
    server.on("/tame", zipped(b"tame"))
    server.on("/bomb", answer(bomb(encoding), content_encoding=encoding))
    script = [sys.executable, "-c", textwrap.dedent(BOMBER), server.authority]
    out = subprocess.run(
        [*script, server.url("/tame"), server.url("/bomb"), str(limit)],
        capture_output=True,
        text=True,
        check=True,
    )
    kind, growth = out.stdout.split()
    assert kind == FailureKind.DRIFT
    assert int(growth) <= 20_000_000


@given(st.binary(max_size=2000), st.sampled_from([31, 15, -15]), st.integers(1, 50))
def test_a_packed_body_unpacks_however_it_is_cut(content: bytes, wbits: int, step: int) -> None:
    packer = zlib.compressobj(wbits=wbits)
    data = packer.compress(content) + packer.flush()
    body = Body("gzip" if wbits == 31 else "deflate")
    for start in range(0, len(data), step):
        body.feed(data[start : start + step])
    assert body.finish() == content


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=4), st.integers(1, 40), st.integers(0, 30))
def test_gzip_members_and_padding_are_one_body(parts: list[bytes], step: int, padding: int) -> None:
    data = b"".join(gzip.compress(part) for part in parts) + bytes(padding)
    body = Body("x-gzip")
    for start in range(0, len(data), step):
        body.feed(data[start : start + step])
    assert body.finish() == b"".join(parts)


@given(st.binary(min_size=1, max_size=500), st.data())
def test_no_cut_packed_body_passes_for_a_whole_one(content: bytes, data: st.DataObject) -> None:
    packed = gzip.compress(content)
    body = Body("gzip")
    body.feed(packed[: data.draw(st.integers(1, len(packed) - 1))])
    with pytest.raises(TruncatedError):
        body.finish()


def test_a_body_that_waits_inside_the_unpacker_is_not_lost() -> None:
    for size in range(PIECE, PIECE + 300, 7):  # zlib may have read all of it with output still to come
        packer = zlib.compressobj(wbits=-15)
        body = Body("deflate")
        body.feed(packer.compress(bytes(size)) + packer.flush())
        assert len(body.finish()) == size


def test_an_unpacked_body_stops_at_its_cap() -> None:
    body = Body("gzip", limit=1000)
    with pytest.raises(BadBodyError):
        body.feed(gzip.compress(bytes(1001)))


def test_a_gzip_file_is_unpacked_under_a_cap() -> None:
    assert gunzip(gzip.compress(b"<urlset/>")) == b"<urlset/>"
    for bad in (gzip.compress(bytes(2000)), gzip.compress(b"cut")[:-1], b"<urlset/>"):
        with pytest.raises(CollectError) as caught:
            gunzip(bad, limit=1999)
        assert caught.value.kind is FailureKind.DRIFT


# --- redirects ---


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed_to_the_address_that_answers(server: FaultServer, status: int) -> None:
    server.on("/tin-tức", answer(b"unused"))
    server.on("/tin-t%E1%BB%A9c", answer(b"here"))
    got = fetch(server.on("/old", redirect("tin-tức", status)), server)
    assert (got.body, got.url) == (b"here", server.url("/tin-t%E1%BB%A9c"))


def chain(server: FaultServer, length: int) -> str:
    for number in range(length):
        server.on(f"/{number}", redirect(f"/{number + 1}"))
    server.on(f"/{length}", answer(b"end"))
    return server.url("/0")


def test_five_redirects_are_followed_and_six_are_not(server: FaultServer) -> None:
    assert fetch(chain(server, 5), server).body == b"end"
    error = failure(chain(server, 6), server)
    assert error.kind is FailureKind.DRIFT
    assert "quá 5 lần" in error.sentence


def test_a_redirect_loop_is_seen_at_its_first_return(server: FaultServer) -> None:
    server.on("/b", redirect("/a"))
    error = failure(server.on("/a", redirect("/b")), server)
    assert "vòng tròn" in error.sentence
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("location", "kind"),
    [
        ("http://127.0.0.2:{port}/", FailureKind.BLOCKED),
        ("http://169.254.169.254/latest/meta-data/", FailureKind.BLOCKED),
        ("http://[::1]/", FailureKind.BLOCKED),
        ("//127.1/", FailureKind.BLOCKED),
        ("http://1.1.1.1:22/", FailureKind.BLOCKED),
        ("file:///etc/passwd", FailureKind.BLOCKED),
        ("javascript:alert(1)", FailureKind.BLOCKED),
        ("http://user:pw@127.0.0.1:{port}/", FailureKind.BLOCKED),
        ("http://[", FailureKind.DRIFT),
        ("", FailureKind.DRIFT),
    ],
)
def test_a_redirect_passes_the_same_gate(server: FaultServer, location: str, kind: FailureKind) -> None:
    with FaultServer("127.0.0.2") as trap:
        url = server.on("/", redirect(location.format(port=trap.port)))
        assert failure(url, server).kind is kind
        assert trap.connections == 0
    assert len(server.requests) == 1


def test_a_redirect_without_a_location_is_drift(server: FaultServer) -> None:
    assert failure(server.on("/", answer(b"", 302)), server).kind is FailureKind.DRIFT


SECRETS = {"Authorization": f"Bearer {CANARY}", "X-Goog-Api-Key": CANARY, "Access-Token": CANARY}


def test_secrets_stay_with_their_origin_and_never_come_back(server: FaultServer) -> None:
    with FaultServer() as other:
        server.on("/home", answer(b"home again"))
        server.on("/away", redirect(other.on("/there", redirect(server.url("/home")))))
        url = server.on("/start", redirect("/away"))
        got = fetch(url, server, other, get={"secrets": SECRETS, "headers": {"X-Open": "1"}})
        assert got.body == b"home again"
        sent = [(r.path, CANARY in str(r.headers), "x-open" in r.headers) for r in server.requests + other.requests]
    assert sent == [
        ("/start", True, True),
        ("/away", True, True),
        ("/home", False, True),
        ("/there", False, True),
    ]


def test_secrets_do_not_travel_unencrypted() -> None:
    error = failure("http://example.vn/", get={"secrets": SECRETS})
    assert error.kind is FailureKind.BLOCKED
    assert "không mã hóa" in error.sentence


# --- once more, and enough ---


def test_a_passing_failure_is_tried_again(server: FaultServer) -> None:
    url = server.on("/", reset, answer(b"", 502), answer(b"ok"))
    assert fetch(url, server, tries=3).body == b"ok"
    assert len(server.requests) == 3


def test_a_lasting_failure_is_tried_as_often_as_said(server: FaultServer) -> None:
    error = failure(server.on("/", answer(b"", 500)), server, tries=3)
    assert "HTTP 500" in error.sentence
    assert len(server.requests) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_an_answer_that_will_not_change_is_not_asked_twice(server: FaultServer, status: int) -> None:
    failure(server.on("/", answer(b"", status)), server, tries=3)
    assert len(server.requests) == 1


def test_retries_end_at_the_deadline_with_the_failure_that_caused_them(server: FaultServer) -> None:
    url = server.on("/", answer(b"", 502))
    started = time.monotonic()
    error = failure(url, server, tries=50, deadline_seconds=0.6)
    assert "HTTP 502" in error.sentence
    assert time.monotonic() - started < 1.2


def test_a_failure_that_passed_is_not_blamed_for_the_next_hop(server: FaultServer) -> None:
    url = server.on("/", answer(b"", 502), redirect("/there"))
    server.on("/there", silence)
    assert "0.8 giây" in failure(url, server, tries=3, deadline_seconds=0.8).sentence


@pytest.mark.parametrize("status", [429, 503])
def test_a_short_wait_is_kept_and_then_asked_again(server: FaultServer, status: int) -> None:
    url = server.on("/", answer(b"", status, retry_after="1"), answer(b"ok"))
    assert fetch(url, server, tries=3).body == b"ok"
    first, second = server.requests
    assert 1.0 <= second.at - first.at < 2.0


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        ("120", 120),
        (" 120 ", 120),
        ("0", 1),
        ("315360000", 24 * 3600),
        ("9" * 30, 24 * 3600),
        ("9" * 5000, 60),
        ("-5", 60),
        ("1.5", 60),
        ("abc", 60),
        ("", 60),
        ("١٢", 60),
        (format_datetime(NOW + timedelta(minutes=10), usegmt=True), 600),
        (format_datetime(NOW - timedelta(days=1), usegmt=True), 1),
        (format_datetime(NOW + timedelta(days=3650), usegmt=True), 24 * 3600),
        ("Friday, 20-Nov-26 09:10:00 GMT", 600),
        ("Fri, 20 Nov 2026 16:10:00 +0700", 600),
        ("Fri, 99 Nov 2026 09:10:00 GMT", 60),
        ("Fri, 20 Nov 2026 09:10:00 -0000", 60),
    ],
)
def test_every_form_of_retry_after_has_a_sane_meaning(retry_after: str, seconds: int) -> None:
    assert seconds_to_wait(retry_after, NOW) == seconds


@given(st.text())
def test_no_retry_after_waits_less_than_a_second_or_more_than_a_day(retry_after: str) -> None:
    assert 1 <= seconds_to_wait(retry_after, NOW) <= 24 * 3600


@pytest.mark.parametrize(
    ("status", "headers", "wait"),
    [(429, {}, 60), (429, {"retry_after": "3600"}, 3600), (503, {"retry_after": "3600"}, 3600)],
)
def test_a_long_wait_is_left_to_the_next_look(
    server: FaultServer, status: int, headers: dict[str, str], wait: int
) -> None:
    started = time.monotonic()
    error = failure(server.on("/", answer(b"", status, **headers)), server, tries=3)
    assert time.monotonic() - started < 2
    assert error.kind is FailureKind.THROTTLED
    assert error.retry_at == NOW + timedelta(seconds=wait)
    assert len(server.requests) == 1


def test_a_host_in_a_5xx_storm_is_left_alone_and_others_are_not(server: FaultServer) -> None:
    storm, moments = server.on("/", answer(b"", 500)), [NOW]

    async def visit() -> list[str]:
        with FaultServer("127.0.0.2") as other:
            calm = other.on("/", answer(b"ok"))
            async with client(server, other, now=lambda: moments[-1]) as under_test:
                said = [await sentence(under_test, storm) for _ in range(4)]
                assert (await under_test.get(calm)).body == b"ok"
                moments.append(NOW + timedelta(minutes=15))
                server.on("/", answer(b"ok"))
                assert (await under_test.get(storm)).body == b"ok"
        return said

    said = asyncio.run(visit())
    assert ["tạm nghỉ 15 phút" in sentence for sentence in said] == [False, False, False, True]
    assert len(server.requests) == 4


async def sentence(under_test: Client, url: str) -> str:
    with pytest.raises(CollectError) as caught:
        await under_test.get(url)
    return caught.value.sentence


def test_one_good_answer_ends_a_storm(server: FaultServer) -> None:
    url = server.on("/", *[answer(b"", 500), answer(b"", 500), answer(b"ok")] * 2)

    async def visit() -> None:
        async with client(server) as under_test:
            for _ in range(2):
                await sentence(under_test, url)
                await sentence(under_test, url)
                assert (await under_test.get(url)).body == b"ok"

    asyncio.run(visit())


# --- manners ---


def test_one_host_is_asked_one_thing_at_a_time_with_a_pause_between(server: FaultServer) -> None:
    busy = threading.Lock()

    def alone(talk: Talk) -> bool:
        assert busy.acquire(blocking=False)
        talk.pause(0.05)
        busy.release()
        return answer(b"ok")(talk)

    url = server.on("/", alone)

    async def visit() -> None:
        async with client(server, gap_seconds=0.2) as under_test:
            await asyncio.gather(*(under_test.get(f"{url}?{n}") for n in range(4)))

    asyncio.run(visit())
    times = [request.at for request in server.requests]
    assert len(times) == 4
    assert all(later - earlier >= 0.24 for earlier, later in pairwise(times))


def test_no_more_hosts_are_asked_at_once_than_said() -> None:
    at_once = 0
    peaks = []
    counting = threading.Lock()

    def counted(talk: Talk) -> bool:
        nonlocal at_once
        with counting:
            at_once += 1
            peaks.append(at_once)
        talk.pause(0.05)
        with counting:
            at_once -= 1
        return answer(b"ok")(talk)

    async def visit() -> None:
        servers = [FaultServer(f"127.0.1.{n}").__enter__() for n in range(1, 13)]
        async with client(*servers, concurrent=4) as under_test:
            await asyncio.gather(*(under_test.get(s.on("/", counted)) for s in servers))
        for running in servers:
            running.__exit__(None, None, None)

    asyncio.run(visit())
    assert max(peaks) == 4


def test_cookies_are_not_kept(server: FaultServer) -> None:
    url = server.on("/", answer(b"ok", set_cookie="id=1; Path=/"))

    async def visit() -> None:
        async with client(server) as under_test:
            await under_test.get(url)
            await under_test.get(url)

    asyncio.run(visit())
    assert all("cookie" not in request.headers for request in server.requests)


def test_proxies_of_the_environment_are_not_asked(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with FaultServer("127.0.0.2") as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url())
        monkeypatch.delenv("no_proxy", raising=False)
        assert fetch(server.on("/", answer(b"direct")), server).body == b"direct"
        assert proxy.connections == 0


# --- TLS ---


class Authority:
    """A certificate authority made for one test run, with an intermediate below it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key, self.cert = self._sign("root", None, None, ca=True)
        self.lower_key, self.lower = self._sign("intermediate", self.key, self.cert, ca=True)
        self.pem = self._write("root.pem", self.cert)
        self.chain_pem = self._write("chain.pem", self.lower, self.cert)

    def _sign(
        self,
        name: str,
        issuer_key: ec.EllipticCurvePrivateKey | None,
        issuer: x509.Certificate | None,
        *,
        ca: bool = False,
        days: int = 30,
    ) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.now(UTC)
        usage = dict.fromkeys(
            ["content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only"],
            False,
        )
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer.subject if issuer else subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=60))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .add_extension(
                x509.KeyUsage(digital_signature=True, key_cert_sign=ca, crl_sign=ca, decipher_only=False, **usage),
                critical=True,
            )
        )
        return key, builder.sign(issuer_key or key, hashes.SHA256())

    def _write(self, name: str, *certs: x509.Certificate) -> Path:
        path = self.folder / name
        path.write_bytes(b"".join(cert.public_bytes(serialization.Encoding.PEM) for cert in certs))
        return path

    def server_context(self, name: str = "localhost", *, signed: bool = True, days: int = 30) -> ssl.SSLContext:
        """A server certificate without the intermediate that signed it."""
        key, cert = self._sign(name, self.lower_key if signed else None, self.lower if signed else None, days=days)
        pem = self._write("server.pem", cert)
        with pem.open("ab") as file:
            file.write(
                key.private_bytes(
                    serialization.Encoding.PEM,
                    serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption(),
                )
            )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        return context


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


def test_a_certificate_the_site_forgot_can_be_added_for_that_site(authority: Authority) -> None:
    trust = {"localhost": authority.chain_pem}
    with FaultServer(tls=authority.server_context()) as running:
        url, name = running.url("/", host="localhost"), f"localhost:{running.port}"
        running.on("/", answer(b"safe"))
        assert fetch(url, allow=(name,), trust=trust, get={"secrets": SECRETS}).body == b"safe"
        assert running.requests[0].headers["x-goog-api-key"] == CANARY
        assert failure(url, allow=(name,), trust={"other.vn": authority.chain_pem}).kind is FailureKind.NETWORK


@pytest.mark.parametrize(
    ("certificate", "trusted", "said"),
    [
        ({}, False, "chứng chỉ trung gian"),
        ({"name": "other.vn"}, True, "không đúng tên máy chủ"),
        ({"days": -1}, True, "hết hạn"),
        ({"signed": False}, False, "tự ký"),
    ],
    ids=["intermediate", "name", "expired", "self-signed"],
)
def test_a_bad_certificate_is_final_and_says_what_to_fix(
    authority: Authority, certificate: dict[str, Any], trusted: bool, said: str
) -> None:
    trust = {"localhost": authority.chain_pem} if trusted else {}
    with FaultServer(tls=authority.server_context(**certificate)) as running:
        url, name = running.url("/", host="localhost"), f"localhost:{running.port}"
        error = failure(url, allow=(name,), trust=trust, tries=3, get={"secrets": SECRETS})
        assert error.kind is FailureKind.NETWORK
        assert said in error.sentence
        assert running.connections == 1
        assert running.requests == []


def test_a_plain_port_is_not_spoken_to_in_the_clear(server: FaultServer) -> None:
    url = server.url("/").replace("http:", "https:")
    error = failure(url, server, tries=3)
    assert error.kind is FailureKind.NETWORK
    assert "HTTPS" in error.sentence
    assert server.connections == 1


def test_a_redirect_from_https_to_http_is_refused(authority: Authority, server: FaultServer) -> None:
    with FaultServer(tls=authority.server_context()) as running:
        running.on("/", redirect(server.on("/plain", answer())))
        name = f"localhost:{running.port}"
        trust = {"localhost": authority.chain_pem}
        error = failure(running.url("/", host="localhost"), server, allow=(name,), trust=trust)
    assert error.kind is FailureKind.BLOCKED
    assert server.requests == []


@pytest.mark.parametrize("content", [None, b"not a certificate"])
def test_an_unusable_certificate_file_fails_its_own_site_only(
    server: FaultServer, tmp_path: Path, content: bytes | None
) -> None:
    pem = tmp_path / "site.pem"
    if content is not None:
        pem.write_bytes(content)
    error = failure("https://127.0.0.1:1/", allow=("127.0.0.1:1",), trust={"127.0.0.1": pem})
    assert "site.pem" in error.sentence
    assert str(tmp_path) not in error.sentence
    assert fetch(server.on("/", answer(b"ok")), server, trust={"127.0.0.1": pem}).body == b"ok"


# --- secrets and leftovers ---


def texts_of(error: BaseException) -> str:
    """Everything an error and what it drags along could print."""
    seen: list[str] = []
    current: BaseException | None = error
    while current is not None:
        seen += [str(current), repr(current), repr(vars(current))]
        current = current.__cause__ or current.__context__
    return "\n".join(seen)


FAULTS: dict[str, Behaviour] = {
    **{name: behaviour for name, (behaviour, _) in BROKEN.items()},
    **{str(status): answer(b"", status) for status in (302, 304, 401, 403, 404, 429, 500)},
    "silence": silence,
    "out": redirect("http://10.0.0.1/"),
    "loop": redirect("/"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_no_failure_shows_a_secret(
    server: FaultServer, fault: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    url = server.on("/", FAULTS[fault]) + f"?access_token={CANARY}"
    error = failure(url, server, tries=2, deadline_seconds=0.5, get={"secrets": SECRETS, "headers": {"X": "1"}})
    out, err = capfd.readouterr()
    assert CANARY in str(server.requests[0].headers)
    assert CANARY not in texts_of(error) + error.sentence + caplog.text + out + err


def test_a_secret_that_cannot_travel_is_not_shown(server: FaultServer) -> None:
    for value in (CANARY + "\r\nX-Evil: 1", CANARY + "đ"):
        error = failure(server.on("/", answer()), server, get={"secrets": {"Authorization": value}})
        assert error.kind is FailureKind.AUTH
        assert CANARY not in texts_of(error) + error.sentence
    assert server.requests == []


def test_the_libraries_do_not_log_addresses(server: FaultServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    fetch(server.on("/", answer(b"ok")) + f"?key={CANARY}", server)
    assert CANARY not in caplog.text


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_hundreds_of_good_and_bad_visits_leave_no_file_open(server: FaultServer) -> None:
    good, bad = (
        answer(b"ok"),
        [reset, raw(b""), answer(b"", 404), answer(b"", 500), redirect("/loop"), zipped(b"x" * 99)],
    )
    for number in range(300):
        server.on(f"/{number}", good if number % 2 else bad[number // 2 % len(bad)])
    server.on("/loop", redirect("/loop"))

    async def visit() -> int:
        async with client(server) as under_test:
            for number in range(300):
                with suppress(CollectError):
                    await under_test.get(server.url(f"/{number}"))
        return len(server.requests)

    before = settled()
    assert asyncio.run(visit()) >= 300
    assert settled() == before


def settled() -> int:
    """Open files once the server's threads have let go of theirs."""
    gc.collect()
    count = open_files()
    for _ in range(50):
        time.sleep(0.05)
        if open_files() == count:
            return count
        count = open_files()
    return count


def test_a_look_is_the_way_in_for_collectors(server: FaultServer) -> None:
    async def visit() -> Look:
        async with client(server) as under_test:
            look = Look(client=under_test, now=NOW, zone=ZoneInfo("Asia/Ho_Chi_Minh"))
            await look.get(server.on("/", answer(b"abc")))
            return look

    look = asyncio.run(visit())
    assert (look.requests, look.received_bytes) == (1, 3)


def test_the_fault_server_speaks_proper_http_when_asked(server: FaultServer) -> None:
    server.on("/", answer(b"ok", etag="x"))
    connection = http.client.HTTPConnection(server.host, server.port)
    for _ in range(2):
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"ok"
    connection.close()
    assert server.connections == 1
