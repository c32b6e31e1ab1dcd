"""What every collector receives and how it fails."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Container, Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol
from zoneinfo import ZoneInfo

from config.platforms import Platforms
from config.secrets import Secret
from store.records import Failure, FailureKind, Reading

if TYPE_CHECKING:
    from collectors.client import Answer, Client, Judge
    from config.models import Channel

USUAL_HISTORY = timedelta(days=400)

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


@dataclass(frozen=True, slots=True)
class Credentials:
    """What opens one channel; every part may be missing. Each shows itself as *** only."""

    access: Secret | None = None
    """The access token, good for at least as long as one look takes."""
    shared: bool = False
    """True when `access` stands for the whole organisation and a token of this channel must be derived from it."""
    app_secret: Secret | None = None
    api_key: Secret | None = None
    scopes: tuple[str, ...] = ()
    """What the owner really granted; empty when the platform does not say."""
    account: str = ""
    """The platform's id of the account that consented (`Grant.account`); empty when unknown."""


class Wallet(Protocol):
    """Where a look finds its credentials. *grant* is a name of `collectors.CONSENTS`."""

    async def open(self, grant: str) -> Credentials:
        """What there is, renewed when it is about to run out; CollectError(AUTH) when a person must consent again."""

    async def renew(self, grant: str, refused: Credentials) -> Credentials:
        """Fresh credentials after the platform refused these; CollectError(AUTH) when there are none to be had."""


class EmptyWallet:
    """For platforms and sites that need no credentials."""

    async def open(self, grant: str) -> Credentials:
        return Credentials()

    async def renew(self, grant: str, refused: Credentials) -> Credentials:
        raise CollectError(FailureKind.AUTH, f"no {grant} credentials")


@dataclass(frozen=True, slots=True)
class Bucket:
    """A daily allowance of a platform for our whole app; its day ends at midnight in `zone`."""

    name: str
    units: int
    zone: str


class Meter(Protocol):
    """Counts what is spent of daily allowances, over all looks and processes."""

    def spend(self, bucket: Bucket, units: int = 1) -> None:
        """Note a call about to be made; CollectError(QUOTA, retry_at=next day) when four fifths are used up."""

    def exhaust(self, bucket: Bucket) -> datetime:
        """The platform says that nothing is left; the moment of the next day, in UTC."""


class Unmetered:
    """For looks that spend no allowance."""

    def spend(self, bucket: Bucket, units: int = 1) -> None: ...

    def exhaust(self, bucket: Bucket) -> datetime:
        raise CollectError(FailureKind.QUOTA, f"{bucket.name} is used up")


@dataclass(slots=True)
class Look:
    """One attempt to read one channel: the way out, the moment, and what is already known.

    `requests` and `received_bytes` count what `get` and `post` spent, also when the look fails.
    """

    client: Client
    now: datetime
    zone: ZoneInfo
    cursor: Mapping[str, Any] = field(default_factory=dict)
    platforms: Platforms = field(default_factory=Platforms)
    wallet: Wallet = field(default_factory=EmptyWallet)
    meter: Meter = field(default_factory=Unmetered)
    back_to: datetime | None = None
    """How far back a first look reads; `horizon` says it with its default."""
    memory: MutableMapping[str, Any] = field(default_factory=dict, repr=False)
    """What one process remembers between looks and writes down nowhere: derived tokens."""
    requests: int = 0
    received_bytes: int = 0

    @property
    def horizon(self) -> datetime:
        """The moment back to which a first look reads posts and history."""
        return self.back_to or self.now - USUAL_HISTORY

    async def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None,
        expect: Container[int] = (),
        judge: Judge | None = None,
        body_limit: int | None = None,
    ) -> Answer:
        """The answer to one GET through the gate; see `Client.get`."""
        return await self.client.get(
            url, headers=headers, secrets=secrets, expect=expect, judge=judge, body_limit=body_limit, spent=self
        )

    async def post(
        self,
        url: str,
        form: Mapping[str, str] | bytes,
        *,
        headers: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None,
        expect: Container[int] = (),
        judge: Judge | None = None,
    ) -> Answer:
        """The answer to one POST through the gate; see `Client.post`."""
        return await self.client.post(
            url, form, headers=headers, secrets=secrets, expect=expect, judge=judge, spent=self
        )


Collect = Callable[["Channel", Look], Awaitable[Reading]]
"""A platform: `async def collect(channel, look) -> Reading`; raises CollectError."""
