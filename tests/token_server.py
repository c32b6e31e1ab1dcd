"""A platform's token door on loopback: single-use refresh tokens, counted requests, and answers that get lost.

with TokenServer() as server:
    server.script("cut after", "ok")    # what happens to the next requests; then "ok" for ever
    ... CONSENTS["tiktok"] with settings that lead to server.base ...
"""

from __future__ import annotations

import itertools
import json
import socket
import struct
import threading
from collections.abc import Iterable
from datetime import timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlencode

import msgspec

from collectors.base import CollectError
from collectors.consent import Asking, Consent, Grant, Health
from config.load import load_config
from config.models import Config
from config.platforms import Platforms
from config.secrets import Secret
from store.records import FailureKind

LIFE = 7200
REFRESH_LIFE = 180 * 86_400
SCOPES = ("user.info.stats", "video.list")
APP_SECRET = "app-secret-of-tests"


class TokenServer:
    """Gives tokens for codes, and new ones for the newest refresh token only; `refreshes` counts those requests.

    Steps of a script: ok, «cut before» (connection reset, nothing happens), «cut after» (rotated, the answer is
    lost), hang (rotated, no answer), «slow» (answers after 0.5 s), busy (429), down (500).
    *mark* stands in every token it gives.
    """

    def __init__(self, mark: str = "", app_secret: str = APP_SECRET) -> None:
        self.mark, self.app_secret = mark, app_secret
        self.refresh, self.access = f"{mark}refresh-0", f"{mark}access-0"
        self.refreshes = self.rotations = 0
        self.granted = " ".join(SCOPES)
        self.code = ""
        """The code of a consent; the beginning of the verifier when there is none."""
        self.dead: set[str] = set()
        self.health: dict[str, Any] = {"valid": True, "ends_in": None, "missing": []}
        self.forms: list[dict[str, str]] = []
        self.asked: list[str] = []
        self._numbers, self._lock = itertools.count(1), threading.Lock()
        self._script: list[str] = []
        self._stopping = threading.Event()
        self._http = _Listener(("127.0.0.1", 0), _handler_of(self))
        self.authority = f"127.0.0.1:{self._http.server_port}"
        self.base = f"http://{self.authority}"

    def script(self, *steps: str) -> None:
        self._script = list(steps)

    def __enter__(self) -> Self:
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._http.shutdown()
        self._http.server_close()

    def answer(self, path: str, form: dict[str, str]) -> tuple[str, int, dict[str, Any]]:
        """The step of the script, the status, and the body."""
        with self._lock:
            self.forms.append(form)
            if form.get("client_secret") != self.app_secret:
                return "ok", 400, {"error": "invalid_client"}
            if path == "/inspect":
                return "ok", 200, self.health
            step = self._script.pop(0) if self._script else "ok"
            self.refreshes += form["grant_type"] == "refresh_token"
            if step in {"busy", "down", "cut before"}:
                return step, {"busy": 429, "down": 500}.get(step, 0), {"error": step}
            return step, *self._exchange(form)

    def _exchange(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        good = (
            self.refresh
            if form["grant_type"] == "refresh_token"
            else self.code or f"code+{form.get('verifier', '')[:4]}"
        )
        if form.get("refresh_token", form.get("code")) != good:
            return 400, {"error": "invalid_grant"}
        number = next(self._numbers)
        self.rotations += form["grant_type"] == "refresh_token"
        self.refresh, self.access = f"{self.mark}refresh-{number}", f"{self.mark}access-{number}"
        ours = {"access": self.access, "refresh": self.refresh, "scope": self.granted, "account": "oa-1"}
        theirs = {"access_token": self.access, "refresh_token": self.refresh, "expires_in": LIFE}
        return 200, {**ours, **theirs, "refresh_expires_in": REFRESH_LIFE}

    def pause(self, seconds: float) -> None:
        self._stopping.wait(seconds)


class _Listener(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed is what these tests are about."""


def _handler_of(server: TokenServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            step, status, answer = server.answer(self.path, form)
            if step == "hang":
                server.pause(60)
            if step.startswith("cut"):
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
                return
            server.pause(0.5 if step == "slow" else 0)
            self._send(status, answer)

        def do_GET(self) -> None:
            """A platform that repeats every secret it was sent in its refusal, and one Page token that it gives."""
            said = " ".join([self.path, *self.headers.values()])
            server.asked.append(said)
            code = "access_token_invalid" if self.path.startswith("/v2/") else 190
            answer: dict[str, Any] = {"error": {"code": code, "message": said, "type": said, "log_id": said}}
            if "fields=access_token" in self.path:
                answer = {"id": "104729385617204", "access_token": f"{server.mark}page"}
            self._send(200 if "id" in answer else 400, answer)

        def _send(self, status: int, answer: dict[str, Any]) -> None:
            data = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Nothing on the screen."""

    return Handler


async def _post(asking: Asking, path: str, form: dict[str, str]) -> dict[str, Any]:
    whole = {"client_secret": asking.app_secret.reveal(), **form}
    answer = await asking.client.post(asking.platforms.tiktok.base + path, whole, expect={400}, tries=1)
    said: dict[str, Any] = msgspec.json.decode(answer.body)
    if "error" in said:
        raise CollectError(FailureKind.AUTH, said["error"])
    return said


async def _grant(asking: Asking, form: dict[str, str]) -> Grant:
    said = await _post(asking, "/token", form)
    return Grant(
        Secret(said["access"]),
        Secret(said["refresh"]),
        asking.now + timedelta(seconds=LIFE),
        asking.now + timedelta(seconds=REFRESH_LIFE),
        tuple(said["scope"].split()),
        said["account"],
    )


def _address(platforms: Platforms, state: str, verifier: str) -> str:
    asked = {"state": state, "challenge": sha256(verifier.encode()).hexdigest(), "proof": verifier[:4]}
    return f"{platforms.tiktok.base}/consent?{urlencode(asked)}"


async def _exchange(asking: Asking, code: str, verifier: str) -> Grant:
    return await _grant(asking, {"grant_type": "authorization_code", "code": code, "verifier": verifier})


async def _refresh(asking: Asking, old: Secret) -> Grant:
    return await _grant(asking, {"grant_type": "refresh_token", "refresh_token": old.reveal()})


async def _inspect(asking: Asking, access: Secret) -> Health:
    said = await _post(asking, "/inspect", {"token": access.reveal()})
    ends_at = None if said["ends_in"] is None else asking.now + timedelta(days=said["ends_in"])
    return Health(said["valid"], ends_at, tuple(said["missing"]))


async def _exchange_for_good(asking: Asking, code: str, verifier: str) -> Grant:
    """A grant without a refresh token, as Facebook gives it."""
    grant = await _exchange(asking, code, verifier)
    return Grant(grant.access, None, asking.now + timedelta(days=60), scopes=grant.scopes)


CONSENTS = {
    "tiktok": Consent("tiktok", SCOPES, _address, _exchange, _refresh),
    "facebook": Consent("facebook", SCOPES, _address, _exchange_for_good, inspect=_inspect, shared=True),
    "youtube": Consent("youtube", SCOPES, _address, _exchange, _refresh),
}
"""One that rotates, one that is shared and inspected, and one with a plain key beside it."""


DISTRICT = """
[organisation]
name = "Quận Đoàn thử nghiệm"
contact = "thu@doan-mau.example"
[kinds.phuong]
name = "Phường"
[labels.tin-tot]
name = "Tin tốt"
every = "day"
clause = "mục II-CT.2"
phrases = ["tin tốt"]
[network]
allow = ["{authority}"]
gap_seconds = 0
deadline_seconds = {deadline}
"""
PLATFORM = """
[platforms.{platform}]
base = "{base}"
gap_seconds = 0
app_id = "app-mau"
redirect = "https://doan-mau.example/ok"
"""
UNIT = '[units.phuong-mot]\nname = "Phường Một"\nkind = "phuong"\nstart = 2025-07-01\n'
CHANNEL = """
[channels.{slug}]
platform = "{platform}"
name = "Kênh {slug}"
address = "{address}"
owners = [{{ unit = "phuong-mot", start = 2025-07-01 }}]
"""


def write_folder(folder: Path, base: str, channels: dict[str, str], deadline: float = 2.0) -> Path:
    """A configuration folder whose channels (slug -> platform) have their tokens from the server at *base*."""
    folder.mkdir(parents=True, exist_ok=True)
    given = {"authority": base.removeprefix("http://"), "deadline": deadline}
    tables = [PLATFORM.format(platform=platform, base=base) for platform in ("tiktok", "facebook", "youtube")]
    tables += [f'{name}_base = "{base}"\n' for name in ("feeds", "analytics", "oauth")]
    (folder / "district.toml").write_text(DISTRICT.format(**given) + "".join(tables), encoding="utf-8")
    (folder / "units.toml").write_text(UNIT, encoding="utf-8")
    entries = [
        CHANNEL.format(slug=slug, platform=platform, address=_ADDRESSES[platform].format(slug=slug))
        for slug, platform in channels.items()
    ]
    (folder / "channels.toml").write_text("".join(entries), encoding="utf-8")
    return folder


_ADDRESSES = {
    "tiktok": "https://www.tiktok.com/@{slug}",
    "facebook": "https://www.facebook.com/{slug}",
    "youtube": "https://www.youtube.com/@{slug}",
}


def config_for(folder: Path, base: str, slugs: Iterable[str] = ("kenh-mot",), deadline: float = 2.0) -> Config:
    """The same, read."""
    return load_config(write_folder(folder, base, dict.fromkeys(slugs, "tiktok"), deadline))
