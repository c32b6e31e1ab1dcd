"""What YouTube's refusals mean, as one table (facts: YouTube, errors).

The reason of the first error decides, then the reasons of the details, then the status word, then the HTTP code.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from collectors.base import CollectError
from collectors.faults import PassingError, seconds_to_wait
from collectors.payload import decode_json
from collectors.refusals import Rule
from store.records import FailureKind

if TYPE_CHECKING:
    from collectors.client import Answer

YOUTUBE = "YouTube"
USUAL_REST = timedelta(minutes=15)
"""How long a channel waits after «too fast» when YouTube does not say."""


QUOTA = Rule(
    FailureKind.QUOTA,
    "Đã dùng hết hạn mức YouTube của hôm nay. Hệ thống tự đọc lại sau khi hạn mức được cấp mới.",
)
TOO_FAST = Rule(
    FailureKind.THROTTLED, "YouTube yêu cầu gọi chậm lại. Hệ thống tự thử lại, chưa cần làm gì.", again=True
)
BAD_KEY = Rule(
    FailureKind.AUTH, "Khóa API YouTube không dùng được. Đề nghị người quản trị hệ thống kiểm tra lại khóa API."
)
BAD_TOKEN = Rule(
    FailureKind.AUTH,
    "Quyền đọc kênh YouTube không còn dùng được. Đề nghị chạy lại «nhip connect youtube» cho kênh này.",
)
BAD_APP = Rule(
    FailureKind.PERMISSION,
    "Google không nhận mã ứng dụng. Đề nghị kiểm tra app_id, redirect trong district.toml và mật khẩu ứng dụng.",
)
SWITCHED_OFF = Rule(
    FailureKind.PERMISSION,
    "Dự án Google chưa bật API của YouTube. Đề nghị người quản trị hệ thống bật API này trong Google Cloud.",
)
FORBIDDEN = Rule(
    FailureKind.PERMISSION,
    "YouTube không cho phép đọc. Đề nghị người quản trị hệ thống kiểm tra giới hạn của khóa API "
    "và quyền mà chủ kênh đã cấp.",
)
GONE = Rule(
    FailureKind.GONE,
    "Không còn tìm thấy kênh YouTube này. Đề nghị kiểm tra địa chỉ kênh trong channels.toml.",
)
UNKNOWN = Rule(
    FailureKind.DRIFT,
    "YouTube trả lời khác với tài liệu đã biết. Đề nghị báo người phụ trách kỹ thuật.",
)
BROKEN = Rule(FailureKind.NETWORK, "Máy chủ YouTube đang lỗi. Hệ thống tự thử lại, chưa cần làm gì.", again=True)
WALLED = Rule(
    FailureKind.BLOCKED,
    "Có máy chủ trung gian chặn đường tới YouTube. Đề nghị kiểm tra mạng và tường lửa của máy này.",
)

REASONS: dict[str, Rule] = {
    "quotaExceeded": QUOTA,
    "rateLimitExceeded": TOO_FAST,
    "userRateLimitExceeded": TOO_FAST,
    "RATE_LIMIT_EXCEEDED": TOO_FAST,
    "RESOURCE_EXHAUSTED": TOO_FAST,
    "keyInvalid": BAD_KEY,
    "API_KEY_INVALID": BAD_KEY,
    "accessNotConfigured": SWITCHED_OFF,
    "SERVICE_DISABLED": SWITCHED_OFF,
    "forbidden": FORBIDDEN,
    "ipRefererBlocked": FORBIDDEN,
    "insufficientPermissions": FORBIDDEN,
    "playlistNotFound": GONE,
    "channelNotFound": GONE,
    "invalidPageToken": UNKNOWN,
    "missingRequiredParameter": UNKNOWN,
    "incompatibleParameters": UNKNOWN,
    "invalidFilters": UNKNOWN,
    "authError": BAD_TOKEN,
    "UNAUTHENTICATED": BAD_TOKEN,
    "backendError": BROKEN,
    "processingFailure": BROKEN,
}
"""Every reason we know. Generic ones (`badRequest`) are left out: the details beside them say what is wrong."""
CODES: dict[int, Rule] = {401: BAD_TOKEN, 429: TOO_FAST, 501: UNKNOWN}
"""When no reason is known; other codes from 500 up are BROKEN, the rest is UNKNOWN."""
WITHOUT_JSON: dict[int, Rule] = {401: WALLED, 403: WALLED, 407: WALLED, 451: WALLED, 429: TOO_FAST, 501: UNKNOWN}
"""When somebody else than the API answers."""
TOKEN_ERRORS: dict[str, Rule] = {
    "invalid_grant": Rule(
        FailureKind.AUTH,
        "Google không còn nhận quyền đã cấp. Đề nghị chạy lại «nhip connect youtube» cho kênh này. Nếu cứ sau 7 ngày "
        "lại mất quyền, đề nghị chuyển màn hình xin phép của dự án Google từ «Testing» sang «In production».",
    ),
    "invalid_client": BAD_APP,
    "unauthorized_client": BAD_APP,
    "redirect_uri_mismatch": BAD_APP,
}
"""What the token endpoint says, in a flat body of its own."""
STALE_PAGE = frozenset({"invalidPageToken", "missingRequiredParameter", "incompatibleParameters", "invalidFilters"})
"""The list changed while its pages were turned: start again, once."""


class RefusedError(CollectError):
    """YouTube said no for good; `reason` is its own word for it, "" when it gave none that we know."""

    def __init__(self, rule: Rule, detail: str, *, reason: str, status: int, retry_at: datetime | None = None) -> None:
        super().__init__(rule.kind, detail, sentence=rule.sentence, retry_at=retry_at)
        self.reason, self.status = reason, status


class TokenTrouble(msgspec.Struct):
    error: str


class One(msgspec.Struct):
    reason: str = ""


class Trouble(msgspec.Struct):
    errors: list[One] = []
    details: list[One] = []
    status: str = ""


class Envelope(msgspec.Struct):
    error: Trouble


def refusal(answer: Answer, now: datetime) -> CollectError:
    """What an answer with a status from 400 up means; PassingError when it is worth another try."""
    reason, rule = diagnose(answer.status, answer.body)
    detail = f"youtube refused with {answer.status} {reason or 'and no known reason'}"
    if not rule.again:
        return RefusedError(rule, detail, reason=reason, status=answer.status)
    if rule.kind is not FailureKind.THROTTLED:
        return PassingError(rule.kind, detail, sentence=rule.sentence)
    asked = answer.headers.get("retry-after")
    wait = None if asked is None else seconds_to_wait(asked, now)
    retry_at = now + (USUAL_REST if wait is None else timedelta(seconds=wait))
    return PassingError(rule.kind, detail, sentence=rule.sentence, retry_at=retry_at, wait=wait)


def token_refusal(answer: Answer, now: datetime) -> CollectError:
    """What the token endpoint's refusal means; its words are others than those of the API."""
    try:
        word = decode_json(answer.body, TokenTrouble).error
    except CollectError:
        return refusal(answer, now)
    if word not in TOKEN_ERRORS:
        return refusal(answer, now)
    detail = f"google refused the token: {word}"
    return RefusedError(TOKEN_ERRORS[word], detail, reason=word, status=answer.status)


def diagnose(status: int, body: bytes) -> tuple[str, Rule]:
    """The word that decides ("" when none is known) and its rule."""
    try:
        trouble = decode_json(body, Envelope).error
    except CollectError:
        return "", by_code(status, CODES if body.lstrip().startswith(b"{") else WITHOUT_JSON)
    for word in words(trouble):
        if word in REASONS:
            return word, REASONS[word]
    return "", by_code(status, CODES)


def words(trouble: Trouble) -> Iterator[str]:
    """What may decide, in YouTube's own order of precision."""
    yield from (one.reason for one in trouble.errors[:1])
    yield from (one.reason for one in trouble.details)
    yield trouble.status


def by_code(status: int, rules: dict[int, Rule]) -> Rule:
    return rules.get(status) or (BROKEN if status >= 500 else UNKNOWN)


def drift(detail: str) -> CollectError:
    """An answer in a shape that we do not know."""
    return CollectError(UNKNOWN.kind, detail, sentence=UNKNOWN.sentence)
