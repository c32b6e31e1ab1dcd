"""What a platform says instead of data: rows of its error table, and statuses without a word that we know."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from collectors.base import CollectError
from collectors.faults import PassingError, seconds_to_wait
from collectors.payload import decode_json
from store.records import FailureKind

if TYPE_CHECKING:
    from collectors.client import Answer

T = TypeVar("T")

REFUSING = frozenset({401, 403})


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of an error table."""

    kind: FailureKind
    sentence: str
    """Vietnamese; {scope} is replaced by the permission that the request needs."""
    again: bool = False
    """It may pass by itself within seconds: the client tries again."""
    pause: timedelta | None = None
    """How long to wait before the next look, where the platform does not say it in Retry-After."""


def refused(rule: Rule, code: object, answer: Answer, now: datetime, scope: str = "") -> CollectError:
    """What a known code means for this look; `retry_at` follows Retry-After, then the row."""
    detail, sentence = f"code {code}, HTTP {answer.status}", rule.sentence.format(scope=scope)
    if rule.again:
        return PassingError(rule.kind, detail, sentence=sentence)
    retry_at = now + rule.pause if rule.pause else None
    if rule.kind is FailureKind.THROTTLED and ("retry-after" in answer.headers or retry_at is None):
        retry_at = now + timedelta(seconds=seconds_to_wait(answer.headers.get("retry-after", ""), now))
    return CollectError(rule.kind, detail, sentence=sentence, retry_at=retry_at)


def unexplained(answer: Answer, now: datetime, platform: str, code: object = None) -> CollectError:
    """What an answer means whose *code* is unknown, or that has none: its status decides, and it is never data."""
    status = answer.status
    if status == 429:
        sentence = f"{platform} yêu cầu chờ. Hệ thống tự thử lại, chưa cần làm gì."
        return refused(Rule(FailureKind.THROTTLED, sentence), code, answer, now)
    if status >= 500:
        sentence = f"Máy chủ của {platform} đang lỗi (HTTP {status}). Hệ thống tự thử lại, chưa cần làm gì."
        return refused(Rule(FailureKind.NETWORK, sentence, again=True), code, answer, now)
    if code is None and status in REFUSING:
        sentence = f"Có máy chặn đường tới {platform} (HTTP {status}). Đề nghị kiểm tra mạng hoặc máy chủ trung gian."
        return refused(Rule(FailureKind.BLOCKED, sentence), code, answer, now)
    return refused(Rule(FailureKind.DRIFT, _unknown(platform)), code, answer, now)


def understood(body: bytes, shape: type[T], platform: str) -> T:
    """*body* as *shape*, as `decode_json` does it, with a sentence about the platform when it cannot be read."""
    try:
        return decode_json(body, shape)
    except CollectError as error:
        raise CollectError(error.kind, error.detail, sentence=_unknown(platform)) from None


def _unknown(platform: str) -> str:
    return f"{platform} trả lời khác với tài liệu đã biết. Đề nghị báo người phụ trách kỹ thuật."
