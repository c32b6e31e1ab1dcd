"""Whether the program is alive: when its loops last came round, and what waits in the outbox."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from pipeline.alerting import ALERTS, EVERY, SCHEDULE
from pipeline.workplace import local_text
from store.records import OutboxState

SCHEDULE_SILENT = timedelta(minutes=30)
"""A tick comes every minute; a long round of looks or letters may keep the next ones waiting."""
ALERTS_SILENT = 4 * EVERY


@dataclass(frozen=True)
class Pulse:
    """The last beats and the state of the outbox at a moment."""

    beats: Mapping[str, datetime]
    outbox: OutboxState
    now: datetime

    @property
    def is_fine(self) -> bool:
        """A program that never ran continuously (somebody calls it by hand) is no fault."""
        return not (
            self.stopped or self.alerts_stopped or self.alerts_never or self.outbox.overdue or self.outbox.failed
        )

    @property
    def stopped(self) -> datetime | None:
        """Since when `nhip run` stands still; None while it runs, or when it never did."""
        return self._silent(SCHEDULE, SCHEDULE_SILENT)

    @property
    def alerts_stopped(self) -> datetime | None:
        """Since when no round of the alerts went well, although the schedule runs."""
        return self._silent(ALERTS, ALERTS_SILENT) if self._is_running else None

    @property
    def alerts_never(self) -> bool:
        """Whether the schedule runs, and no round of the alerts ever went well."""
        return self._is_running and ALERTS not in self.beats

    @property
    def _is_running(self) -> bool:
        return SCHEDULE in self.beats and not self.stopped

    def _silent(self, name: str, limit: timedelta) -> datetime | None:
        last = self.beats.get(name)
        return last if last is not None and self.now - last > limit else None

    def sentences(self, zone: ZoneInfo) -> Iterator[str]:
        """What a person is to know of it, and to do."""
        yield self._schedule(zone)
        if since := self.alerts_stopped:
            yield (
                f"Việc xét cảnh báo không trọn vẹn từ {local_text(since, zone)}. "
                "Đề nghị gửi nhật ký cho người phụ trách kỹ thuật."
            )
        if self.alerts_never:
            yield "Việc xét cảnh báo chưa lần nào trọn vẹn. Đề nghị gửi nhật ký cho người phụ trách kỹ thuật."
        if self.outbox.overdue:
            yield f"{self.outbox.overdue} tin chờ gửi quá một giờ. Đề nghị thử bằng «nhip alert test»."
        if self.outbox.failed:
            whom = ", ".join(self.outbox.unsent)
            yield (
                f"{self.outbox.failed} tin không gửi được trong 7 ngày. Nơi nhận: {whom}. "
                "Đề nghị kiểm tra địa chỉ trong alerts.toml."
            )
        for kind, until in self.outbox.resting.items():
            yield f"Cách gửi «{kind}» tạm nghỉ đến {local_text(until, zone)} vì đã hết lượt cho phép."

    def _schedule(self, zone: ZoneInfo) -> str:
        last = self.beats.get(SCHEDULE)
        if last is None:
            return "Lịch tự động: chưa chạy lần nào. Muốn đọc và báo tự động, chạy «nhip run»."
        if self.stopped:
            return f"Lịch tự động đã ngừng từ {local_text(last, zone)}. Đề nghị chạy lại «nhip run»."
        return f"Lịch tự động: đang chạy, nhịp gần nhất {local_text(last, zone)}."
