"""What a report is made of: a heading, and pages with one chart each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from dashboards.charts.drawing import Drawing
from dashboards.charts.house import ILLUSTRATION
from dashboards.charts.texts import plain
from dashboards.reports.studio import Studio

COMMON = (
    ("Ô trống, chỗ đứt của đường", "Chưa có số liệu; không phải là 0."),
    ("Số liệu đến", "Thời điểm chốt: số liệu ghi nhận sau thời điểm này không được tính."),
    ("Căn cứ", "Mục của kế hoạch hoặc văn bản giao chỉ tiêu."),
    ("Chưa kết luận được", "Số liệu chưa đủ chính xác để nói đạt hay chưa đạt."),
    ("Chỉ số thay thế", "Chỉ để tham khảo, không thay cho số liệu báo cáo chính thức."),
)
"""Words that every report explains; the plan's own follow them."""
NOTE = 600
"""Letters of a note or a meaning."""


@dataclass(frozen=True)
class Heading:
    """What stands above the whole report."""

    title: str
    organisation: str
    period: str
    until: datetime
    """The cut-off, an aware moment; also the date of creation in the files: the same report is the same bytes."""
    zone: ZoneInfo
    illustration: bool = False
    notes: Sequence[str] = ()
    """Sentences under the title: how the period was closed, what was corrected later."""
    definitions: Sequence[tuple[str, str]] = ()
    """Word and meaning, after the common ones."""

    @property
    def lines(self) -> list[str]:
        """Organisation, period, cut-off, the mark of made-up data, notes; plain texts."""
        until = f"Số liệu đến {self.until.astimezone(self.zone):%H:%M %d/%m/%Y}"
        lines = [self.organisation, self.period, until, *([ILLUSTRATION] * self.illustration), *self.notes]
        return [plain(line, NOTE) for line in lines]

    @property
    def words(self) -> list[tuple[str, str]]:
        made_up = [(ILLUSTRATION, "Số liệu được tạo ra để trình bày, không phải của đơn vị nào.")] * self.illustration
        return [(plain(word), plain(meaning, NOTE)) for word, meaning in (*COMMON, *made_up, *self.definitions)]


@dataclass(frozen=True)
class Page:
    """One chart with its place in the plan. Days and moments in its table are naive, of the heading's zone."""

    title: str
    drawing: Drawing
    clause: str
    """«II-CT.4»; empty for what no plan asks."""
    source: str
    """«Facebook, TikTok», «báo cáo của đơn vị»."""


Report = Callable[[Sequence[Page], Heading, Path, Studio], list[Path]]
"""Writes its files into a folder and names them; PicturesUnavailable when it can do nothing without a browser."""
