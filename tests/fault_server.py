"""A real HTTP server on loopback that misbehaves on request: raw sockets and threads, no HTTP library.

with FaultServer() as server:
    server.on("/feed", answer(b"<rss/>"), then=reset)
    ... client with allow=[server.authority] ... server.url("/feed")
"""

from __future__ import annotations

import gzip
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came: `path` with its query, lower-case header names, monotonic seconds."""

    path: str
    headers: Mapping[str, str]
    at: float


class Talk:
    """One request being answered, by whatever bytes a behaviour likes."""

    def __init__(self, connection: socket.socket, request: Request, stopping: threading.Event) -> None:
        self.connection, self.request, self._stopping = connection, request, stopping

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def pause(self, seconds: float) -> None:
        """Wait, but not longer than the server lives."""
        self._stopping.wait(seconds)

    @property
    def goes_on(self) -> bool:
        return not self._stopping.is_set()


Behaviour = Callable[[Talk], bool]
"""Answers one request; True keeps the connection open for the next one."""


def answer(body: bytes = b"", status: int = 200, **headers: str) -> Behaviour:
    """A well-formed answer; header names are written with underscores: `content_type="text/html"`."""
    lines = {"content_length": str(len(body)), **headers}
    named = [f"{name.replace('_', '-')}: {value}" for name, value in lines.items()]
    head = "\r\n".join([f"HTTP/1.1 {status} Whatever", *named, "", ""]).encode()

    def behave(talk: Talk) -> bool:
        talk.send(head + body)
        return True

    return behave


def raw(data: bytes) -> Behaviour:
    """Exactly these bytes, then the end of the connection."""

    def behave(talk: Talk) -> bool:
        talk.send(data)
        return False

    return behave


def redirect(location: str, status: int = 302) -> Behaviour:
    return answer(b"", status, location=location)


def reset(talk: Talk) -> bool:
    """A TCP reset instead of an answer."""
    talk.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


def silence(talk: Talk) -> bool:
    """No answer, while the connection stays open."""
    talk.pause(60)
    return False


def drip(head: bytes, piece: bytes = b"x", every: float = 0.1) -> Behaviour:
    """*head* at once, then *piece* again and again, for ever."""

    def behave(talk: Talk) -> bool:
        talk.send(head)
        while talk.goes_on:
            talk.send(piece)
            talk.pause(every)
        return False

    return behave


def endless(head: bytes, piece: bytes = b"x" * 65536) -> Behaviour:
    """*head*, then *piece* as fast as it is taken, for ever."""
    return drip(head, piece, every=0)


def in_turn(*behaviours: Behaviour) -> Behaviour:
    """One behaviour per request; the last one stays."""
    waiting = list(behaviours)

    def behave(talk: Talk) -> bool:
        return (waiting.pop(0) if len(waiting) > 1 else waiting[0])(talk)

    return behave


def zipped(body: bytes, status: int = 200) -> Behaviour:
    return answer(gzip.compress(body), status, content_encoding="gzip")


class FaultServer:
    """Listens on a free loopback port; unknown paths answer 404. `tls` makes it an HTTPS server."""

    def __init__(self, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Request] = []
        self.connections = 0
        self._tls = tls
        self._behaviours: dict[str, Behaviour] = {}
        self._stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server((host, 0), backlog=512)
        self.host, self.port = host, int(self._listener.getsockname()[1])

    @property
    def authority(self) -> str:
        """What an allow list must name."""
        return f"{self.host}:{self.port}"

    def url(self, path: str = "/", host: str | None = None) -> str:
        return f"{'https' if self._tls else 'http'}://{host or self.host}:{self.port}{path}"

    def on(self, path: str, *behaviours: Behaviour) -> str:
        """Answer *path* (without query) with these behaviours in turn; its address comes back."""
        self._behaviours[path] = in_turn(*behaviours)
        return self.url(path)

    def asked(self, path: str) -> list[Request]:
        """The requests for *path* so far, in the order of their arrival."""
        return [request for request in self.requests if request.path.split("?")[0] == path]

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(timeout=5)

    def _start(self, work: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        self._open.add(connection)
        try:
            with connection if self._tls is None else self._tls.wrap_socket(connection, server_side=True) as secured:
                self._open.add(secured)
                for request in self._read_requests(secured):
                    behave = self._behaviours.get(request.path.split("?")[0], answer(b"", 404))
                    if not behave(Talk(secured, request, self._stopping)):
                        break
        except OSError:
            pass  # the other side went away, which is what half of the tests are about
        finally:
            connection.close()

    def _read_requests(self, connection: socket.socket) -> Iterator[Request]:
        with connection.makefile("rb") as stream:
            while line := stream.readline():
                if not line.endswith(b" HTTP/1.1\r\n"):
                    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                    return
                path = line.split()[1].decode()
                headers = {}
                while (line := stream.readline().strip()) != b"":
                    name, _, value = line.decode("latin-1").partition(":")
                    headers[name.lower()] = value.strip()
                request = Request(path, headers, time.monotonic())
                self.requests.append(request)
                yield request
