"""Days on which a platform changed what a count means: a line must not be drawn across them without a mark."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Break:
    """From *day* (local calendar) on, *count* on *platform* means something else."""

    platform: str
    count: str
    day: date
    sentence: str
    """Vietnamese, for the foot of a chart."""


BREAKS: tuple[Break, ...] = (
    Break(
        "youtube",
        "views",
        date(2025, 3, 31),
        "Từ ngày 31/03/2025 YouTube tính lượt xem Shorts theo mỗi lần phát hoặc phát lại.",
    ),
    Break(
        "youtube",
        "views",
        date(2026, 8, 24),
        "Từ ngày 24/08/2026 YouTube tính lượt xem mọi loại video ngay từ khung hình đầu tiên.",
    ),
)
"""Facts: YouTube 1.11, the two changes of `viewCount`."""


def breaks(platform: str, count: str, start: date, end: date) -> list[Break]:
    """The breaks of one count that fall into [*start*, *end*), oldest first."""
    found = (one for one in BREAKS if (one.platform, one.count) == (platform, count) and start <= one.day < end)
    return sorted(found, key=lambda one: one.day)
