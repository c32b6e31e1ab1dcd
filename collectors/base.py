"""What every collector receives and how it fails."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Container, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from store.records import Failure, FailureKind, Reading

if TYPE_CHECKING:
    from collectors.client import Answer, Client
    from config.models import Channel

SENTENCES: dict[FailureKind, str] = {
    FailureKind.AUTH: "Mã truy cập không còn dùng được. Đề nghị kết nối lại kênh này.",
    FailureKind.PERMISSION: "Kênh không cho phép đọc. Đề nghị người quản trị kênh cấp quyền đọc.",
    FailureKind.QUOTA: "Đã dùng hết hạn mức của nền tảng. Hệ thống tự thử lại sau khi hạn mức được cấp mới.",
    FailureKind.THROTTLED: "Máy chủ yêu cầu chờ. Hệ thống tự thử lại, chưa cần làm gì.",
    FailureKind.GONE: "Không còn tìm thấy trang ở địa chỉ này. Đề nghị kiểm tra địa chỉ trong channels.toml.",
    FailureKind.BLOCKED: "Trang chặn truy cập tự động. Đề nghị người quản trị trang cho phép hệ thống đọc.",
    FailureKind.DRIFT: "Trang trả về nội dung không đọc được. Đề nghị chạy «nhip probe» để tìm lại cách đọc.",
    FailureKind.NETWORK: "Không kết nối được tới trang. Đề nghị thử mở bằng trình duyệt; nếu mở được, chờ lần sau.",
    FailureKind.STORAGE: "Không ghi được số liệu. Đề nghị kiểm tra dung lượng đĩa và quyền ghi.",
}


class CollectError(Exception):
    """A channel could not be read; `kind` says what the caller should do about it.

    `detail` is English, for the log. `sentence` is Vietnamese, for people: what happened and what to do.
    Neither holds a secret. `retry_at` is set when the other side said how long to wait.
    """

    def __init__(
        self,
        kind: FailureKind,
        detail: str,
        *,
        sentence: str | None = None,
        retry_at: datetime | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.sentence = sentence or SENTENCES[kind]
        self.retry_at = retry_at

    def as_failure(self) -> Failure:
        return Failure(self.kind, self.sentence, self.retry_at)


class GateError(CollectError):
    """The address itself must not be reached; another path on it will not help."""

    def __init__(self, detail: str, sentence: str) -> None:
        super().__init__(FailureKind.BLOCKED, detail, sentence=sentence)


@dataclass(slots=True)
class Look:
    """One attempt to read one channel: the way out, the moment, and what is already known.

    `requests` and `received_bytes` count what `get` spent, also when the look fails.
    """

    client: Client
    now: datetime
    zone: ZoneInfo
    cursor: Mapping[str, Any] = field(default_factory=dict)
    requests: int = 0
    received_bytes: int = 0

    async def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None,
        expect: Container[int] = (),
        body_limit: int | None = None,
    ) -> Answer:
        """The answer to one GET through the gate; see `Client.get`."""
        return await self.client.get(
            url, headers=headers, secrets=secrets, expect=expect, body_limit=body_limit, spent=self
        )


Collect = Callable[["Channel", Look], Awaitable[Reading]]
"""A platform: `async def collect(channel, look) -> Reading`; raises CollectError."""
