"""The words that people read: how a target stands, numbers and dates in Vietnamese form, and what to do next."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from metrics.asking import Why
from metrics.duty import Duty


class Status(StrEnum):
    """How a target stands."""

    MET = "met"
    ON_PACE = "on_pace"
    BEHIND = "behind"
    AT_RISK = "at_risk"
    NOT_MET = "not_met"
    UNDECIDED = "undecided"
    TOO_LITTLE = "too_little"
    NOT_REPORTED = "not_reported"
    OVERDUE = "overdue"
    RESTING = "resting"
    FAILED = "failed"
    NOT_DUE = "not_due"
    DUE_SOON = "due_soon"
    DONE_LATE = "done_late"
    STANDING = "standing"
    SHOWN = "shown"
    """It has no number to reach: shown only."""


WORDS: dict[Status, str] = {
    Status.MET: "Đạt",
    Status.ON_PACE: "Đúng tiến độ",
    Status.BEHIND: "Chậm",
    Status.AT_RISK: "Nguy cơ",
    Status.NOT_MET: "Chưa đạt",
    Status.UNDECIDED: "Chưa kết luận được",
    Status.TOO_LITTLE: "Chưa đủ số liệu",
    Status.NOT_REPORTED: "Chưa báo cáo",
    Status.OVERDUE: "Quá hạn",
    Status.RESTING: "Nghỉ theo lịch",
    Status.FAILED: "Lỗi thu thập",
    Status.NOT_DUE: "Chưa đến hạn",
    Status.DUE_SOON: "Sắp đến hạn",
    Status.DONE_LATE: "Hoàn thành trễ hạn",
    Status.STANDING: "Thường xuyên",
    Status.SHOWN: "Theo dõi",
}
ICONS: dict[Status, str] = {
    Status.MET: "✔",
    Status.ON_PACE: "▲",
    Status.BEHIND: "◆",
    Status.AT_RISK: "▼",
    Status.NOT_MET: "✖",
    Status.UNDECIDED: "≈",
    Status.TOO_LITTLE: "…",
    Status.NOT_REPORTED: "⏳",
    Status.OVERDUE: "⚠",
    Status.RESTING: "☾",
    Status.FAILED: "⚙",
    Status.NOT_DUE: "…",
    Status.DUE_SOON: "⏳",
    Status.DONE_LATE: "✔",
    Status.STANDING: "∞",
    Status.SHOWN: "·",
}
STATUS_OF_DUTY: dict[Duty, Status] = {
    Duty.DONE: Status.MET,
    Duty.DONE_LATE: Status.DONE_LATE,
    Duty.LATE: Status.OVERDUE,
    Duty.DUE_SOON: Status.DUE_SOON,
    Duty.NOT_DUE: Status.NOT_DUE,
    Duty.STANDING: Status.STANDING,
}
ADVICE: dict[Why, str] = {
    Why.NO_CHANNEL: "đơn vị chưa khai báo kênh, đề nghị bổ sung vào danh mục kênh",
    Why.FAILED: "hệ thống chưa đọc được kênh, đề nghị kiểm tra kết nối và quyền truy cập",
    Why.HIDDEN: "kênh đang ẩn số này, đề nghị chủ kênh cung cấp số liệu",
    Why.STALE: "số liệu gần nhất đã cũ, đề nghị kiểm tra việc thu thập",
    Why.NEW: "kênh mở sau mốc so sánh nên chưa có số gốc",
    Why.NO_BASE: "chưa có số gốc, đề nghị nhập số liệu tại mốc so sánh",
    Why.ONE_POINT: "mới có một lần đọc số liệu, hệ thống sẽ so sánh khi có thêm",
    Why.ZERO_BASE: "số gốc bằng 0 nên không tính được tỷ lệ, đề nghị thống nhất cách tính",
    Why.BREAK: "nền tảng đã đổi cách đếm trong kỳ nên hai số không so sánh được",
    Why.LATE_BASE: "số gốc lấy quá xa mốc so sánh, đề nghị nhập số liệu tại mốc",
    Why.BEFORE_MERGER: "thiếu số gốc trước sáp nhập, đề nghị thống nhất số gốc của các đơn vị cũ",
    Why.MISSING: "còn thiếu số liệu của một số kênh hoặc đơn vị, đề nghị bổ sung",
    Why.NOT_REPORTED: "đề nghị đơn vị báo cáo số liệu",
    Why.NO_MEMBERS: "chưa có số người trong phạm vi, đề nghị đơn vị báo cáo",
}
STUDIO = "đề nghị nhập số chính xác do chủ kênh cung cấp"
UNSURE = "đề nghị bổ sung số liệu còn thiếu"
_MOST_DECIMALS = 4


def number(count: float) -> str:
    """«12.874»"""
    return f"{round(count):,}".replace(",", ".")


def percent(share: float, near: float | None = None) -> str:
    """«4,8 %». More decimals where one would put a share on the other side of a target, or right on it."""
    decimals = 1
    while near is not None and decimals < _MOST_DECIMALS and _misleads(share, near, decimals):
        decimals += 1
    whole, _, rest = f"{100 * share:,.{decimals}f}".partition(".")
    rest = rest.rstrip("0")
    text = whole.replace(",", ".") + (f",{rest}" if rest else "")
    return f"{'0' if text == '-0' else text} %"


def _misleads(share: float, near: float, decimals: int) -> bool:
    shown = round(100 * share, decimals)
    return (share < near) != (shown < round(100 * near, decimals + 4))


def between(low: float, high: float, near: float | None = None) -> str:
    """«4,8 %», or «từ 4,1 % đến 5,6 %» where the two differ."""
    first, second = percent(low, near), percent(high, near)
    return first if first == second else f"từ {first} đến {second}"


def day(when: date) -> str:
    """«31/12/2025»"""
    return f"{when:%d/%m/%Y}"
