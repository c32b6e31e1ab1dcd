"""What TikTok's error codes mean, as data: Display API, Business Accounts API and the token endpoint.

Source: the error tables of the API documentation, as of 2026-11. A code that is not here is a failed look.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from collectors.base import CollectError
from collectors.refusals import Rule, refused, understood, unexplained
from collectors.website.text import plain
from store.records import FailureKind

if TYPE_CHECKING:
    from collectors.client import Answer

T = TypeVar("T")

TIKTOK = "TikTok"
OK = "ok"
BUSINESS_OK = 0

_RECONNECT = "Đề nghị kết nối lại kênh bằng «nhip connect tiktok --channel MÃ_KÊNH»."
_WAIT = "Hệ thống tự thử lại, chưa cần làm gì."
_TELL = "Đề nghị báo người phụ trách kỹ thuật."
_TOO_MANY = Rule(FailureKind.THROTTLED, f"TikTok yêu cầu chờ vì có quá nhiều lượt hỏi. {_WAIT}")
_BROKEN = Rule(FailureKind.NETWORK, f"Máy chủ của TikTok đang lỗi. {_WAIT}", again=True)
_WRONG_APP = Rule(
    FailureKind.PERMISSION,
    "TikTok không nhận ra ứng dụng của Đoàn. Đề nghị kiểm tra app_id trong district.toml và mã bí mật của ứng dụng.",
)
_OUR_MISTAKE = Rule(FailureKind.DRIFT, f"TikTok không hiểu câu hỏi của hệ thống. {_TELL}")

ERRORS: dict[str, Rule] = {
    "access_token_invalid": Rule(FailureKind.AUTH, f"TikTok không còn chấp nhận mã truy cập của kênh. {_RECONNECT}"),
    "scope_not_authorized": Rule(
        FailureKind.PERMISSION,
        f"Chủ kênh TikTok chưa cho quyền «{{scope}}». {_RECONNECT} Nhớ đánh dấu đủ các quyền được hỏi.",
    ),
    "scope_permission_missed": Rule(
        FailureKind.PERMISSION,
        "Ứng dụng TikTok thiếu quyền «{scope}». Đề nghị thêm quyền này cho ứng dụng rồi kết nối lại kênh.",
    ),
    "rate_limit_exceeded": _TOO_MANY,
    "invalid_params": _OUR_MISTAKE,
    "internal_error": _BROKEN,
}

BUSINESS_ERRORS: dict[int, Rule] = {
    40105: Rule(
        FailureKind.AUTH,
        "TikTok không còn chấp nhận mã truy cập doanh nghiệp. "
        "Đề nghị chạy lại «nhip connect tiktok-business --channel MÃ_KÊNH».",
    ),
    40001: Rule(
        FailureKind.PERMISSION,
        "TikTok không cho ứng dụng đọc lịch sử của kênh này. Đề nghị kiểm tra quyền của ứng dụng doanh nghiệp.",
    ),
    40100: _TOO_MANY,
    50000: _BROKEN,
}

OAUTH_ERRORS: dict[str, Rule] = {
    "invalid_grant": Rule(FailureKind.AUTH, f"Kết nối với TikTok đã hết hạn hoặc bị thu hồi. {_RECONNECT}"),
    "access_denied": Rule(FailureKind.AUTH, f"Chủ kênh TikTok đã từ chối cho phép. {_RECONNECT}"),
    "invalid_client": _WRONG_APP,
    "unauthorized_client": _WRONG_APP,
    "invalid_scope": Rule(
        FailureKind.PERMISSION, "Ứng dụng TikTok chưa được cấp đủ quyền. Đề nghị thêm quyền trong trang của ứng dụng."
    ),
    "invalid_request": _OUR_MISTAKE,
    "unsupported_grant_type": _OUR_MISTAKE,
    "server_error": _BROKEN,
    "temporarily_unavailable": _BROKEN,
}


class Verdict(msgspec.Struct):
    code: str


class Envelope(msgspec.Struct):
    """Every answer of the Display API: a success has an error object too, with the code «ok»."""

    error: Verdict


class BusinessEnvelope(msgspec.Struct):
    """Every answer of the Business Accounts API; it comes with HTTP 200 whatever it says."""

    code: int


class OAuthError(msgspec.Struct):
    """A refusal of the Display token endpoint."""

    error: str


def judge(answer: Answer, now: datetime, scope: str) -> None:
    """Raises what a Display answer says is wrong; *scope* is the permission that was needed."""
    code = _code(answer, Envelope)
    if code is not None and code.error.code == OK and answer.status < 400:
        return
    raise _refusal(ERRORS, code and code.error.code, answer, now, scope)


def judge_business(answer: Answer, now: datetime) -> None:
    """Raises what a Business Accounts answer says is wrong."""
    code = _code(answer, BusinessEnvelope)
    if code is not None and code.code == BUSINESS_OK and answer.status < 400:
        return
    raise _refusal(BUSINESS_ERRORS, code and code.code, answer, now)


def judge_oauth(answer: Answer, now: datetime) -> None:
    """Raises what the Display token endpoint says is wrong."""
    try:
        code = understood(answer.body, OAuthError, TIKTOK).error
    except CollectError:
        if answer.status < 400:
            return  # no refusal: the tokens, or nothing that can be read as tokens
        code = None
    raise _refusal(OAUTH_ERRORS, code, answer, now)


def _code(answer: Answer, shape: type[T]) -> T | None:
    """The envelope; None when an HTTP error came without one."""
    try:
        return understood(answer.body, shape, TIKTOK)
    except CollectError:
        if answer.status < 400:
            raise
        return None


def _refusal(table: Mapping[Any, Rule], code: object, answer: Answer, now: datetime, scope: str = "") -> CollectError:
    rule = table.get(code)
    if rule is None:
        return unexplained(answer, now, TIKTOK, None if code is None else plain(str(code), 60))
    return refused(rule, code, answer, now, scope)
