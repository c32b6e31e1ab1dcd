"""A platform on loopback that says what a script tells it: a real socket, one function from question to answer.

with scripted(lambda asked: Said(b'{"ok": 1}')) as served:
    ... client with allow=[served.place], settings with base=served.url ... served.asked
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit


@dataclass(frozen=True)
class Asked:
    """One request as it came: the path unquoted, the last value of each query parameter, lower-case header names."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    target: str
    """Path and query exactly as sent."""

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode()))


@dataclass(frozen=True)
class Said:
    """One answer. `cut`: the connection ends before the whole body came."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False


Script = Callable[[Asked], Said]


@dataclass
class Scripted:
    """A running server: its address, the `host:port` an allow list must name, and what it was asked."""

    url: str
    place: str
    asked: list[Asked] = field(default_factory=list)


def says(content: Any, status: int = 200, **headers: str) -> Said:
    """A JSON answer; header names are written with underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Said(json.dumps(content, ensure_ascii=False).encode(), status, named)


def always(said: Said) -> Script:
    return lambda _: said


def edited(script: Script, edit: Callable[[Any], Any]) -> Script:
    """The same script with every JSON body passed through *edit*."""

    def answer(asked: Asked) -> Said:
        said = script(asked)
        return replace(said, body=json.dumps(edit(json.loads(said.body)), ensure_ascii=False).encode())

    return answer


def cut_short(script: Script) -> Script:
    """The same script, but every body ends half-way although its length was announced."""
    return lambda asked: replace(script(asked), cut=True)


@contextmanager
def scripted(script: Script) -> Iterator[Scripted]:
    """The script behind a real socket; what it raises becomes a 599 that no test expects, and fails the test."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    place = f"127.0.0.1:{server.server_address[1]}"
    served, broken = Scripted(f"http://{place}", place), list[BaseException]()
    server.RequestHandlerClass = _handler(script, served, broken)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    if broken:
        raise broken[0]


def _handler(script: Script, served: Scripted, broken: list[BaseException]) -> type[BaseHTTPRequestHandler]:
    def respond(self: BaseHTTPRequestHandler) -> None:
        asked = _read(self)
        served.asked.append(asked)
        try:
            said = script(asked)
        except Exception as error:  # noqa: BLE001 - told to the test at the end
            broken.append(error)
            said = Said(status=599)
        _send(self, said)

    methods = {
        "protocol_version": "HTTP/1.1",
        "wbufsize": -1,  # head and body in one packet: two wait 40 ms for an acknowledgement
        "timeout": 5,
        "do_GET": respond,
        "do_POST": respond,
        "log_message": lambda *_: None,
    }
    return type("Handler", (BaseHTTPRequestHandler,), methods)


def _read(handler: BaseHTTPRequestHandler) -> Asked:
    parts = urlsplit(handler.path)
    headers = {name.lower(): value for name, value in handler.headers.items()}
    body = handler.rfile.read(int(headers.get("content-length", "0")))
    return Asked(handler.command, unquote(parts.path), dict(parse_qsl(parts.query)), headers, body, handler.path)


def _send(handler: BaseHTTPRequestHandler, said: Said) -> None:
    body = said.body[: len(said.body) // 2] if said.cut else said.body
    handler.send_response(said.status)
    for name, value in said.headers.items():
        handler.send_header(name, value)
    if said.status not in {204, 304}:
        handler.send_header("Content-Length", str(len(said.body)))
    handler.end_headers()
    handler.wfile.write(body)
    handler.wfile.flush()
    handler.close_connection = handler.close_connection or said.cut
