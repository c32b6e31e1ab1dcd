"""What a consent page sends back: the address a person copies from the browser."""

from __future__ import annotations

from hmac import compare_digest
from urllib.parse import parse_qs, urlsplit

from pipeline.problems import UserError

NOT_ALLOWED = 1
"""The exit code when the platform, or the person there, said no."""
DENIED = "Việc cho phép đã bị từ chối trên trang của nền tảng. Đề nghị chạy lại lệnh này và bấm đồng ý."
REFUSED = (
    "Nền tảng không cho phép ({error}). Đề nghị kiểm tra app_id, redirect và các quyền của ứng dụng "
    "trên trang dành cho nhà phát triển, rồi chạy lại."
)
NO_CODE = (
    "Địa chỉ vừa dán không có mã xác nhận. Đề nghị chạy lại, bấm đồng ý, rồi chép TOÀN BỘ địa chỉ "
    "trên thanh địa chỉ của trình duyệt (trong đó có chữ «code» và chữ «state»)."
)
OTHER_STATE = (
    "Địa chỉ vừa dán không thuộc lần kết nối này (sai state) nên bị từ chối. "
    "Đề nghị mở đúng địa chỉ vừa in ở trên và dán địa chỉ nhận được sau đó."
)


def code_in(pasted: str, state: str) -> str:
    """The code, URL-decoded; UserError when the address holds none, belongs to another question, or says no.

    The state is checked first: nothing else in a strange address is believed, and a code alone proves nothing.
    """
    parts = urlsplit(pasted)
    answer = parse_qs(parts.query or parts.fragment)
    if not answer.get("state") and not answer.get("code") and not answer.get("error"):
        raise UserError(NO_CODE)
    if not compare_digest("".join(answer.get("state", ())).encode(), state.encode()):
        raise UserError(OTHER_STATE)
    if error := "".join(answer.get("error", ())):
        raise UserError(DENIED if "denied" in error else REFUSED.format(error=error[:60]), NOT_ALLOWED)
    codes = answer.get("code") or answer.get("auth_code") or ()
    if len(codes) != 1:
        raise UserError(NO_CODE)
    return codes[0]
