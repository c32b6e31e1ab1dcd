"""What the error numbers of the Official Account API mean, as data.

Zalo answers with HTTP 200 and a number; 0 is success. Texts differ between lists and decide nothing. A number that
is not here (those about messages are not: we send none) is a failed look. Source: Zalo's table, as of 2026-01.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from collectors.base import CollectError
from collectors.refusals import Rule, refused, understood, unexplained
from store.records import FailureKind

if TYPE_CHECKING:
    from collectors.client import Answer

ZALO = "Zalo"
OK = 0

_RECONNECT = Rule(
    FailureKind.AUTH,
    "Zalo không còn chấp nhận mã truy cập của kênh. Đề nghị kết nối lại bằng «nhip connect zalo --channel MÃ_KÊNH».",
)
_GONE = Rule(FailureKind.GONE, "Zalo báo OA này không còn. Đề nghị mở OA kiểm tra và sửa địa chỉ trong channels.toml.")
_NOT_ALLOWED = Rule(
    FailureKind.PERMISSION,
    "OA chưa cho phép ứng dụng {scope}. Đề nghị người quản trị OA cấp quyền này cho ứng dụng.",
)
_LIMIT = Rule(
    FailureKind.QUOTA,
    "Đã dùng hết hạn mức hỏi Zalo. Hệ thống tự thử lại sau vài giờ, chưa cần làm gì.",
    pause=timedelta(hours=6),
)
_NO_PROOF = "Ứng dụng Zalo đòi appsecret_proof. Đề nghị khai NHIP_ZALO_SECRET đúng với mã bí mật của ứng dụng."

ERRORS: dict[int, Rule] = {
    -216: _RECONNECT,
    -220: _RECONNECT,
    -219: Rule(FailureKind.PERMISSION, "Ứng dụng Zalo đã bị gỡ hoặc tắt. Đề nghị bật lại ứng dụng rồi kết nối lại OA."),
    -204: _GONE,
    -205: _GONE,
    -209: _NOT_ALLOWED,
    -212: _NOT_ALLOWED,
    -223: _NOT_ALLOWED,
    -221: Rule(FailureKind.PERMISSION, "OA chưa được Zalo xác thực. Đề nghị người quản trị OA làm thủ tục xác thực."),
    -224: Rule(
        FailureKind.PERMISSION,
        "Gói dịch vụ của OA không gồm quyền {scope}. Đề nghị nâng gói, hoặc nhập số liệu bằng tay.",
    ),
    -32: Rule(
        FailureKind.THROTTLED,
        "Zalo yêu cầu chờ vì có quá nhiều lượt hỏi. Hệ thống tự thử lại, chưa cần làm gì.",
        pause=timedelta(minutes=1),
    ),
    -210: _LIMIT,
    -211: _LIMIT,
    -242: Rule(FailureKind.PERMISSION, _NO_PROOF),
}


class Envelope(msgspec.Struct):
    error: int


def judge(answer: Answer, now: datetime, scope: str) -> None:
    """Raises what an answer says is wrong; *scope* says in Vietnamese what was to be read."""
    try:
        code = understood(answer.body, Envelope, ZALO).error
    except CollectError:
        if answer.status < 400:
            raise
        raise unexplained(answer, now, ZALO) from None
    if code == OK and answer.status < 400:
        return
    rule = ERRORS.get(code)
    raise refused(rule, code, answer, now, scope) if rule else unexplained(answer, now, ZALO, code)
