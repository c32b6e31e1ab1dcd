"""What the Graph API's refusals mean, as a table: the platform's code decides, the HTTP status only without one.

Messages may be localised and may repeat a token: they are matched on a few words where a number is not enough,
and shown nowhere (facts: Facebook 1.10).
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from collectors.base import CollectError
from collectors.facebook.usage import usage_of
from collectors.faults import PassingError
from store.records import FailureKind

if TYPE_CHECKING:
    from collectors.client import Answer, Judge

FACEBOOK = "Facebook"
SCOPES = ("pages_show_list", "pages_read_engagement", "pages_read_user_content", "read_insights")
"""Permissions that reading our own Pages takes (facts: Facebook 1.3)."""
UNSAID_REST = timedelta(minutes=60)
BLOCKED_REST = timedelta(hours=24)
ANY = range(-(2**31), 2**31)
TRACE = re.compile(r"[\w+/=-]{1,64}\Z")

AGAIN = "Facebook đang trục trặc. Hệ thống tự thử lại, chưa cần làm gì."
TOO_MUCH = "Facebook không trả nổi danh sách bài của Trang này. Hệ thống tự thử lại ở lần đọc sau."
SLOW_DOWN = "Facebook yêu cầu đọc chậm lại. Hệ thống nghỉ rồi tự thử lại, chưa cần làm gì."
ABUSE = (
    "Facebook tạm chặn ứng dụng vì cho là vi phạm chính sách. Hệ thống nghỉ một ngày. Đề nghị người quản trị "
    "ứng dụng mở trang dành cho nhà phát triển của Facebook xem thông báo."
)
OUR_FAULT = "Facebook không còn nhận cách hỏi này. Đề nghị báo người bảo trì hệ thống cập nhật phần đọc Facebook."
NO_OBJECT = (
    "Không tìm thấy Trang, hoặc tài khoản đã kết nối không được xem Trang này. "
    "Đề nghị kiểm tra địa chỉ trong channels.toml và vai trò trên Trang."
)
BAD_PROOF = (
    "Khóa bí mật của ứng dụng không khớp với mã truy cập. Đề nghị kiểm tra NHIP_FACEBOOK_SECRET, "
    "rồi kết nối lại bằng chính ứng dụng đó."
)
BAD_APP = (
    "Facebook không nhận app_id hoặc khóa bí mật của ứng dụng. "
    "Đề nghị kiểm tra app_id trong district.toml và NHIP_FACEBOOK_SECRET."
)
NEEDS_PROOF = "Facebook đòi khóa bí mật của ứng dụng. Đề nghị khai báo NHIP_FACEBOOK_SECRET."
NOT_ALLOWED = (
    "Facebook từ chối vì thiếu quyền{which}. Đề nghị chạy «nhip connect facebook» và cấp đủ quyền cho Trang này."
)
WRONG_SORT = (
    "Mã truy cập đã lưu không phải là mã của Trang. Đề nghị chạy «nhip connect facebook» với tài khoản có vai trò "
    "trên Trang này."
)
RECONNECT = "Đề nghị chạy «nhip connect facebook» để kết nối lại."
UNKNOWN = (
    "Facebook báo một lỗi chưa biết. Hệ thống tự thử lại ở lần đọc sau; nếu còn lặp lại, đề nghị báo người bảo trì."
)


class Fault(msgspec.Struct):
    """The `error` object of an answer; every part can be missing."""

    code: int = 0
    error_subcode: int | None = None
    message: str = ""
    is_transient: bool = False
    fbtrace_id: str = ""


class Envelope(msgspec.Struct):
    error: Fault | None = None


class RefusedError(CollectError):
    """Facebook understood the question and will not answer it; anything else may be a passing accident."""


class TooMuchError(RefusedError):
    """The same question with a smaller limit would be answered. No network failure: the host is well."""


class DeadMetricError(RefusedError):
    """The metric asked for does not exist (any more)."""


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of refusal. `marker`: words of the message, where the number alone does not tell."""

    codes: Container[int]
    kind: FailureKind
    sentence: str
    subcode: int | None = None
    marker: str = ""
    again: bool = False
    """Worth trying again at once, a few times."""
    rest: timedelta | None = None
    """How long to leave the Page alone when the answer's own headers do not say."""
    error: type[CollectError] = RefusedError

    def fits(self, fault: Fault) -> bool:
        return (
            fault.code in self.codes
            and self.subcode in {None, fault.error_subcode}
            and self.marker in fault.message.lower()
        )


def _dead(subcode: int | None, why: str, advice: str = RECONNECT) -> Row:
    return Row((190,), FailureKind.AUTH, f"{why}. {advice}", subcode=subcode)


ROWS: tuple[Row, ...] = (
    Row((1,), FailureKind.QUOTA, TOO_MUCH, marker="reduce the amount of data", error=TooMuchError),
    Row((1,), FailureKind.PERMISSION, BAD_APP, marker="client secret"),
    Row((1, 2), FailureKind.NETWORK, AGAIN, again=True),
    Row((101,), FailureKind.PERMISSION, BAD_APP),
    Row((4, 17, 32, 341, 613, 80001), FailureKind.THROTTLED, SLOW_DOWN, rest=UNSAID_REST),
    Row((368,), FailureKind.BLOCKED, ABUSE, rest=BLOCKED_REST),
    Row((100,), FailureKind.GONE, NO_OBJECT, subcode=33),
    Row((803,), FailureKind.GONE, NO_OBJECT),
    Row((100,), FailureKind.PERMISSION, BAD_PROOF, marker="appsecret_proof"),
    Row((104,), FailureKind.PERMISSION, NEEDS_PROOF),
    Row((100,), FailureKind.DRIFT, OUR_FAULT, marker="valid insights metric", error=DeadMetricError),
    Row((3001,), FailureKind.DRIFT, OUR_FAULT, error=DeadMetricError),
    Row((100,), FailureKind.DRIFT, OUR_FAULT),
    Row((10, *range(200, 300)), FailureKind.PERMISSION, NOT_ALLOWED),
    Row((190,), FailureKind.PERMISSION, WRONG_SORT, marker="page access token"),
    _dead(458, "Ứng dụng đã bị gỡ khỏi tài khoản"),
    _dead(
        459,
        "Facebook đòi chủ tài khoản xác minh",
        "Đề nghị người đã kết nối đăng nhập facebook.com, làm theo hướng dẫn ở đó, rồi chạy «nhip connect facebook».",
    ),
    _dead(460, "Mật khẩu của tài khoản đã kết nối vừa được đổi"),
    _dead(463, "Mã truy cập đã hết hạn"),
    _dead(464, "Tài khoản đã kết nối chưa được Facebook xác nhận"),
    _dead(467, "Mã truy cập không còn hiệu lực"),
    _dead(492, "Người đã kết nối không còn vai trò trên Trang"),
    _dead(None, "Mã truy cập không còn dùng được"),
    Row((102,), FailureKind.AUTH, f"Phiên đăng nhập không còn hiệu lực. {RECONNECT}"),
)
TRANSIENT_ROW = Row(ANY, FailureKind.NETWORK, AGAIN, again=True)
UNKNOWN_ROW = Row(ANY, FailureKind.DRIFT, UNKNOWN, error=CollectError)


def judge(now: datetime) -> Judge:
    """Refuses every answer that carries an error, and every odd status without one."""

    def check(answer: Answer) -> None:
        fault = fault_of(answer.body)
        if fault is not None:
            raise refusal(fault, answer.headers, now)
        if answer.status >= 400:
            raise odd_status(answer, now)

    return check


def fault_of(body: bytes) -> Fault | None:
    """The error in an answer, whatever its status; None when it holds none, or is no JSON at all."""
    if b'"error"' not in body:
        return None
    try:
        return msgspec.json.decode(body, type=Envelope).error
    except msgspec.ValidationError:
        return Fault()
    except msgspec.DecodeError:
        return None


def row_of(fault: Fault) -> Row:
    usual = TRANSIENT_ROW if fault.is_transient else UNKNOWN_ROW
    return next((row for row in ROWS if row.fits(fault)), usual)


def refusal(fault: Fault, headers: Mapping[str, str], now: datetime) -> CollectError:
    """The error that a fault means. It names code and trace, never the message."""
    row = row_of(fault)
    trace = fault.fbtrace_id if TRACE.match(fault.fbtrace_id) else "-"
    detail = f"graph error {fault.code}/{fault.error_subcode or 0} trace {trace}"
    sentence = row.sentence.replace("{which}", _permissions(fault.message))
    if row.again:
        return PassingError(row.kind, detail, sentence=sentence)
    retry_at = now + (usage_of(headers).regain or row.rest) if row.rest else None
    return row.error(row.kind, detail, sentence=sentence, retry_at=retry_at)


def _permissions(message: str) -> str:
    named = [scope for scope in SCOPES if scope in message]
    return f" «{'», «'.join(named)}»" if named else ""


def odd_status(answer: Answer, now: datetime) -> CollectError:
    """What a status without a readable error means: proxies and overloaded servers answer like this."""
    detail = f"graph HTTP {answer.status} without an error object"
    if answer.status == 429:
        retry_at = now + (usage_of(answer.headers).regain or UNSAID_REST)
        return CollectError(FailureKind.THROTTLED, detail, sentence=SLOW_DOWN, retry_at=retry_at)
    if answer.status >= 500:
        return PassingError(FailureKind.NETWORK, detail, sentence=AGAIN)
    if answer.status == 403:
        return CollectError(FailureKind.BLOCKED, detail)
    return CollectError(FailureKind.DRIFT, detail, sentence=UNKNOWN)
