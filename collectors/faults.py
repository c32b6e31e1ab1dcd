"""What a failed exchange means: an error or a status, put into a CollectError with a Vietnamese sentence.

Nothing here shows a query string or a header: the place is scheme, host and path.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from collectors.base import CollectError
from collectors.guard import Target
from store.records import FailureKind

LONGEST_WAIT = 24 * 3600.0
"""A server that asks for more than a day is asked again after a day."""
UNSAID_WAIT = 60.0
"""Seconds to wait after a 429 that does not say how long, or says nonsense."""

_TLS = {
    10: "chứng chỉ bảo mật của trang đã hết hạn. Đề nghị người quản trị trang gia hạn chứng chỉ",
    18: "trang dùng chứng chỉ tự ký. Đề nghị người quản trị trang cài chứng chỉ hợp lệ",
    19: "trang dùng chứng chỉ tự ký. Đề nghị người quản trị trang cài chứng chỉ hợp lệ",
    20: "trang gửi thiếu chứng chỉ trung gian, hoặc chứng chỉ do nơi không được tin cậy cấp. Đề nghị người "
    "quản trị trang cài đủ chuỗi chứng chỉ; trong khi chờ, có thể khai ca_bundle trong channels.toml",
    62: "chứng chỉ bảo mật là của trang khác, không đúng tên máy chủ. Đề nghị kiểm tra lại địa chỉ trong "
    "channels.toml hoặc báo người quản trị trang",
}
"""By `SSLCertVerificationError.verify_code` (facts: TLS; numbers are OpenSSL's X509_V_ERR_*)."""

_CAUSES: tuple[tuple[type[OSError], str], ...] = (
    (socket.gaierror, "không tìm thấy tên máy chủ"),
    (ConnectionRefusedError, "máy chủ từ chối kết nối"),
    (ConnectionError, "máy chủ ngắt kết nối giữa chừng"),
    (OSError, "không kết nối được tới máy chủ"),
)
_TRY_A_BROWSER = "Đề nghị thử mở trang bằng trình duyệt; nếu mở được, chờ lần sau."


class PassingError(CollectError):
    """A failure that may pass by itself: try again, after `wait` seconds if the server said so."""

    def __init__(
        self,
        kind: FailureKind,
        detail: str,
        *,
        sentence: str,
        retry_at: datetime | None = None,
        wait: float | None = None,
    ) -> None:
        super().__init__(kind, detail, sentence=sentence, retry_at=retry_at)
        self.wait = wait


def broken_exchange(error: BaseException, target: Target) -> CollectError:
    """What a transport error means. TLS errors are final; everything else may pass."""
    chain = list(_chain(error))
    for cause in reversed(chain):  # the innermost knows the verify code, aiohttp's wrapping does not
        if isinstance(cause, ssl.SSLError):
            return _tls(cause, target)
    for kind, what in _CAUSES:
        found = next((cause for cause in chain if isinstance(cause, kind)), None)
        if found is not None:
            return unreachable(target, what, f"{kind.__name__} (errno {found.errno})")
    return unreachable(target, "máy chủ trả lời dở dang hoặc sai chuẩn HTTP", type(chain[-1]).__name__)


def unreachable(target: Target, what: str, detail: str) -> PassingError:
    sentence = f"Không đọc được {target.where}: {what}. {_TRY_A_BROWSER}"
    return PassingError(FailureKind.NETWORK, f"{detail} at {target.where}", sentence=sentence)


def out_of_time(target: Target, seconds: float) -> CollectError:
    sentence = f"Không đọc xong {target.where} trong {seconds:g} giây. {_TRY_A_BROWSER}"
    return CollectError(FailureKind.NETWORK, f"deadline of {seconds:g} s at {target.where}", sentence=sentence)


def drift(target: Target, what: str, detail: str) -> CollectError:
    sentence = f"{target.where}: {what}. Đề nghị chạy «nhip probe» để tìm lại cách đọc."
    return CollectError(FailureKind.DRIFT, f"{detail} at {target.where}", sentence=sentence)


def refused_status(status: int, headers: Mapping[str, str], target: Target, now: datetime) -> CollectError:
    """What a status that nobody expected means (facts: network fault matrix)."""
    detail = f"HTTP {status} at {target.where}"
    if headers.get("cf-mitigated") == "challenge":
        return CollectError(FailureKind.BLOCKED, detail, sentence=_said(target, "trang bắt giải câu đố chống robot"))
    if status == 429 or (status == 503 and "retry-after" in headers):
        return _throttled(headers.get("retry-after", ""), target, detail, now)
    if status >= 500:
        sentence = _said(target, f"máy chủ đang lỗi (HTTP {status})")
        return PassingError(FailureKind.NETWORK, detail, sentence=sentence)
    kinds = {401: FailureKind.AUTH, 403: FailureKind.BLOCKED, 404: FailureKind.GONE, 410: FailureKind.GONE}
    kind = kinds.get(status)
    if kind is None:
        return drift(target, f"máy chủ trả lời khác thường (HTTP {status})", f"HTTP {status}")
    return CollectError(kind, detail)


def seconds_to_wait(retry_after: str, now: datetime) -> float:
    """How long a Retry-After header asks to wait: 1 second to one day; nonsense counts as a minute.

    Both forms of RFC 9110 10.2.3 are read: seconds and an HTTP date (*now* is an aware moment).
    """
    text = retry_after.strip()
    if re.fullmatch(r"[0-9]{1,30}", text):
        return min(max(float(text), 1.0), LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return UNSAID_WAIT
    if moment.tzinfo is None:
        return UNSAID_WAIT
    return min(max((moment - now).total_seconds(), 1.0), LONGEST_WAIT)


def _throttled(retry_after: str, target: Target, detail: str, now: datetime) -> PassingError:
    wait = seconds_to_wait(retry_after, now)
    return PassingError(
        FailureKind.THROTTLED,
        f"{detail}, wait {wait:.0f} s",
        sentence=_said(target, "máy chủ yêu cầu chờ", "Hệ thống tự thử lại, chưa cần làm gì."),
        retry_at=now + timedelta(seconds=wait),
        wait=wait,
    )


def _tls(error: ssl.SSLError, target: Target) -> CollectError:
    """Never retried and never downgraded: a person has to act."""
    code = error.verify_code if isinstance(error, ssl.SSLCertVerificationError) else None
    what = "máy chủ không nói được HTTPS đúng chuẩn. Đề nghị báo người quản trị trang"
    if code is not None:
        what = _TLS.get(code, "chứng chỉ bảo mật của trang không hợp lệ. Đề nghị báo người quản trị trang")
    detail = f"TLS {error.reason} (verify code {code}) at {target.where}"
    return CollectError(FailureKind.NETWORK, detail, sentence=f"Không đọc được {target.where}: {what}.")


def _said(target: Target, what: str, advice: str = _TRY_A_BROWSER) -> str:
    return f"Không đọc được {target.where}: {what}. {advice}"


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what caused it, outermost first."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__
