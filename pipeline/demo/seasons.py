"""What the simulated district speaks of at Tết, on the Union's days and in summer: invented titles by season."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import NamedTuple

from pipeline.demo.calendar import NEW_YEARS

BEFORE_TET, AFTER_TET = timedelta(days=16), timedelta(days=9)


class Season(NamedTuple):
    """Titles for a stretch of the year, by label: «tin-tot», «cau-chuyen-dep», or "" for everything else."""

    titles: Mapping[str, tuple[str, ...]]
    first: tuple[int, int] = (0, 0)
    last: tuple[int, int] = (0, 0)
    """Month and day, the last one included; Tết goes by the moon."""


TET = Season(
    {
        "tin-tot": (
            "Trao {some} phần quà Tết cho gia đình khó khăn ở {place}",
            "{who} tặng {some} suất quà xuân cho người lao động xa quê",
            "{who} dọn dẹp, trang trí {place} đón Tết",
            "Phiên chợ Tết không đồng giúp {some} gia đình có thêm quà xuân",
        ),
        "cau-chuyen-dep": (
            "Nồi bánh chưng đêm cuối năm của {who}",
            "Chuyến xe đưa công nhân về quê ăn Tết có {who} đồng hành",
            "Bữa cơm tất niên ấm áp ở {place}",
        ),
        "": (
            "{who} gói bánh chưng chào đón Tết Nguyên đán",
            "Sắc xuân ở {place} những ngày giáp Tết",
            "Lịch trực Tết của {who}",
            "Lịch hoạt động mừng Đảng, mừng xuân của {who}",
        ),
    }
)
SPRING = Season(
    {
        "tin-tot": (
            "{who} trồng {some} cây đầu xuân",
            "{who} mừng tuổi {some} em nhỏ khó khăn những ngày Tết",
            "{who} trực Tết, giữ {place} sạch đẹp và an toàn",
        ),
        "cau-chuyen-dep": (
            "Mâm cơm ngày Tết của {who} dành cho người xa quê",
            "Chuyến xe đầu xuân đưa công nhân trở lại làm việc có {who} đồng hành",
        ),
        "": (
            "Lời chúc xuân của {who}",
            "{who} du xuân về nguồn",
            "{who} gặp mặt đầu xuân",
            "Sắc xuân ở {place} những ngày Tết",
        ),
    }
)
SEASONS = (
    Season({"": ("{who} kể chuyện truyền thống học sinh, sinh viên nhân ngày 9/1",)}, (1, 9), (1, 9)),
    Season({"": ("{who} chào mừng ngày thành lập Đảng 3/2",)}, (2, 3), (2, 3)),
    Season(
        {
            "": (
                "Hưởng ứng Tuần lễ Áo dài, {who} ghi lại những khung hình đẹp",
                "{who} gửi lời chúc ngày Quốc tế Phụ nữ 8/3",
            )
        },
        (3, 1),
        (3, 8),
    ),
    Season(
        {
            "tin-tot": (
                "Công trình chào mừng ngày 26/3 được bàn giao ở {place}",
                "Tháng Thanh niên: {who} trồng {some} cây xanh",
            ),
            "": (
                "{who} ra quân Tháng Thanh niên",
                "Chào mừng ngày thành lập Đoàn 26/3: {who} kết nạp {few} đoàn viên mới",
                "Hội trại 26/3 của {who} sáng đèn",
            ),
        },
        (3, 9),
        (3, 28),
    ),
    Season(
        {
            "tin-tot": ("Nhân ngày 30/4, {who} sửa nhà cho {few} gia đình có công",),
            "": (
                "{who} về nguồn, ôn lại truyền thống ngày 30/4",
                "{who} treo cờ, làm sạch {place} mừng ngày 30/4",
            ),
        },
        (4, 22),
        (5, 1),
    ),
    Season({"": ("{who} cùng đội viên kỷ niệm ngày thành lập Đội 15/5",)}, (5, 15), (5, 15)),
    Season(
        {
            "tin-tot": ("{who} làm theo lời Bác: góp {some} phần quà nhân ngày 19/5",),
            "": (
                "{who} kể chuyện về Bác Hồ nhân ngày 19/5",
                "Sinh hoạt chuyên đề kỷ niệm ngày sinh Chủ tịch Hồ Chí Minh 19/5 của {who}",
            ),
        },
        (5, 12),
        (5, 19),
    ),
    Season(
        {
            "tin-tot": ("Tết Thiếu nhi 1/6: {who} tặng {some} phần quà cho các em nhỏ",),
            "": (
                "{who} tổ chức ngày hội vui chơi cho các em nhân Tết Thiếu nhi 1/6",
                "{who} chuẩn bị sân chơi 1/6 cho con em đoàn viên",
            ),
        },
        (5, 26),
        (6, 1),
    ),
    Season(
        {
            "tin-tot": (
                "Tri ân 27/7: {who} tặng {some} phần quà cho gia đình thương binh, liệt sĩ",
                "Tri ân 27/7: {who} thăm, dọn nhà giúp {few} gia đình người có công",
            ),
            "": ("{who} thắp nến tri ân ở nghĩa trang liệt sĩ nhân ngày 27/7",),
        },
        (7, 20),
        (7, 27),
    ),
    Season({"": ("{who} ôn lại truyền thống ngày 19/8",)}, (8, 19), (8, 19)),
    Season(
        {"": ("{who} mừng Quốc khánh 2/9 với góc ảnh cờ đỏ sao vàng", "{who} treo cờ ở {place} mừng Quốc khánh 2/9")},
        (8, 27),
        (9, 2),
    ),
    Season(
        {
            "tin-tot": (
                "Hè tình nguyện: {who} mở lớp ôn tập cho {some} em nhỏ",
                "Mùa hè xanh: {who} sơn lại {few} phòng sinh hoạt chung",
            ),
            "cau-chuyen-dep": ("{who} bền bỉ dạy bơi cho trẻ em suốt {few} tuần hè",),
            "": (
                "{who} ra quân chiến dịch Thanh niên tình nguyện hè",
                "Nhật ký hè tình nguyện của {who}",
                "{who} rủ các em nhỏ đọc sách trong những ngày hè",
            ),
        },
        (6, 2),
        (8, 31),
    ),
    Season(
        {
            "": (
                "{who} kỷ niệm ngày truyền thống Hội Liên hiệp Thanh niên Việt Nam 15/10",
                "Giải thể thao chào mừng ngày 15/10 có {some} thanh niên tham gia",
            )
        },
        (10, 8),
        (10, 15),
    ),
    Season(
        {
            "cau-chuyen-dep": ("Nhân ngày 20/11, {who} về thăm thầy cô giáo cũ",),
            "": ("{who} gửi lời tri ân thầy cô nhân ngày 20/11",),
        },
        (11, 14),
        (11, 20),
    ),
    Season(
        {
            "tin-tot": ("{who} tặng {some} phần quà cho chiến sĩ trẻ nhân ngày 22/12",),
            "": ("{who} giao lưu với cựu chiến binh nhân ngày 22/12",),
        },
        (12, 15),
        (12, 22),
    ),
)


SPRING_DAYS = {first + timedelta(days=n) for first in NEW_YEARS for n in range(AFTER_TET.days + 1)}


def is_tet(day: date) -> bool:
    """Two weeks before Tết to nine days after its first: everybody speaks of it."""
    return any(first - BEFORE_TET <= day <= first + AFTER_TET for first in NEW_YEARS)


def seasonal_titles(day: date, label: str) -> tuple[str, ...]:
    """Titles that only fit on this day; none on an ordinary one."""
    if is_tet(day):
        return (SPRING if day in SPRING_DAYS else TET).titles[label]
    at = (day.month, day.day)
    return next((season.titles.get(label, ()) for season in SEASONS if season.first <= at <= season.last), ())
