"""Answers that were built once: compressed, with a tag, as long as the data, the configuration and the day stay."""

from __future__ import annotations

import gzip
import hashlib
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

ROOM = 64 * 1024 * 1024
"""Bytes of answers that are kept; the one that was not asked for longest goes first."""
SMALL = 500
"""What is shorter is not worth compressing."""
LEVEL = 6


@dataclass(frozen=True)
class Answer:
    """A body as it is sent, plain and compressed."""

    body: bytes
    packed: bytes | None
    media: str
    tag: str
    status: int = 200

    @property
    def size(self) -> int:
        return len(self.body) + len(self.packed or b"")


def answer_of(body: bytes, media: str, status: int = 200, level: int = LEVEL) -> Answer:
    packed = gzip.compress(body, level, mtime=0) if len(body) > SMALL else None
    return Answer(body, packed, media, f'W/"{hashlib.sha256(body).hexdigest()[:20]}"', status)


class Shelf:
    """The newest answers by their address, each good for one state of the data."""

    def __init__(self, room: int = ROOM) -> None:
        self._room, self._used = room, 0
        self._answers: OrderedDict[Hashable, tuple[Hashable, Answer]] = OrderedDict()

    def get(self, address: Hashable, state: Hashable) -> Answer | None:
        known = self._answers.get(address)
        if known is None or known[0] != state:
            return None
        self._answers.move_to_end(address)
        return known[1]

    def put(self, address: Hashable, state: Hashable, answer: Answer) -> None:
        """One that is too big for the whole shelf is not kept."""
        if old := self._answers.pop(address, None):
            self._used -= old[1].size
        if answer.size > self._room:
            return
        self._answers[address] = (state, answer)
        self._used += answer.size
        while self._used > self._room:
            _, (_, gone) = self._answers.popitem(last=False)
            self._used -= gone.size


def respond(request: Request, answer: Answer, keeping: str = "private, no-cache") -> Response:
    """The answer in the form that was asked for; 304 when the reader has it already."""
    headers = {"ETag": answer.tag, "Cache-Control": keeping, "Vary": "Accept-Encoding"}
    known = {tag.strip() for tag in request.headers.get("if-none-match", "").split(",")}
    if answer.status == 200 and (answer.tag in known or "*" in known):
        return Response(status_code=304, headers=headers)
    packed = answer.packed if _takes_gzip(request) else None
    if packed is not None:
        headers["Content-Encoding"] = "gzip"
    return Response(packed or answer.body, answer.status, headers, answer.media)


def _takes_gzip(request: Request) -> bool:
    """A quality of 0 is a refusal."""
    for part in request.headers.get("accept-encoding", "").split(","):
        name, _, quality = part.strip().partition(";")
        if name.strip().lower() in ("gzip", "*"):
            return quality.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
