"""The Zalo Bot Platform: one method, one POST of JSON, one answer {"ok": …} (facts: Zalo 3.5).

The platform wants the token in the path of the address. That is the one exception to the rule that secrets never
stand in addresses: it is put there by the door behind `Ask`, and shown nowhere on this side of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import msgspec

from alerts.base import PassingError, UnreadyError
from config.secrets import Secret

TOKEN = "NHIP_ZALO_BOT_TOKEN"  # noqa: S105 - the name of a variable
NO_TOKEN_SHAPE = f"{TOKEN} không có dạng «chữ số:mã». Đề nghị chép lại nguyên văn mã do Zalo Bot Manager cấp."
NONSENSE = "Zalo Bot trả lời không đọc được (HTTP {status}). Hệ thống tự thử lại."
_SHAPE = re.compile(r"[0-9]{1,30}:[A-Za-z0-9._~-]{1,300}")


class Reply(NamedTuple):
    """What came back, whatever its HTTP status."""

    status: int
    body: bytes


class Ask(Protocol):
    """The door to the platform, built by the pipeline."""

    async def __call__(self, base: str, token: Secret, method: str, fields: Mapping[str, str], /) -> Reply:
        """The reply to one POST of *fields*, sent once; PassingError when none came."""


class ApiError(Exception):
    """The platform said no; `code` is its error code (facts: 400 chat id, 401 token, 404, 408 time-out, 429 limit)."""

    def __init__(self, code: int) -> None:
        super().__init__(f"error {code} of the bot platform")
        self.code = code


class _Said(msgspec.Struct):
    """An answer; its description is not read, so that it cannot be shown."""

    ok: bool
    result: Any = None
    error_code: int | None = None


@dataclass(frozen=True, slots=True)
class Bot:
    """One bot of the platform. UnreadyError for a token that cannot be one."""

    ask: Ask = field(repr=False)
    base: str
    token: Secret

    def __post_init__(self) -> None:
        if not _SHAPE.fullmatch(self.token.reveal()):
            raise UnreadyError(NO_TOKEN_SHAPE)

    async def call(self, method: str, fields: Mapping[str, str]) -> Any:
        """The result of a method; ApiError when it says no, PassingError when it said nothing that can be read."""
        reply = await self.ask(self.base, self.token, method, fields)
        try:
            said = msgspec.json.decode(reply.body, type=_Said)
        except (msgspec.DecodeError, UnicodeDecodeError):
            said = None
        if said is not None and said.ok and reply.status == 200:
            return said.result
        if said is not None and not said.ok and said.error_code is not None:
            raise ApiError(said.error_code)
        if reply.status >= 400:
            raise ApiError(reply.status)
        raise PassingError(NONSENSE.format(status=reply.status), doubtful=True)
