"""The periods that units report for: a reporting year, a quarter or a month, by the names people write."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from config.measures import Measure, Rhythm
from config.models import Config, Span, Unit
from metrics.periods import YEARS, local_date, month_of, reporting_year
from pipeline.problems import UserError

NAMES: dict[Rhythm, str] = {"year": "năm", "quarter": "quý", "month": "tháng"}
FORM = re.compile(r"(?P<year>\d{4})(?:-Q(?P<quarter>[1-4])|-(?P<month>0[1-9]|1[0-2]))?", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True)
class ReportPeriod:
    """The local days `[start, end)`, and how people call them: «2026», «2026-Q1», «2026-11»."""

    name: str
    rhythm: Rhythm
    start: date
    end: date

    @property
    def days(self) -> tuple[date, date]:
        return self.start, self.end

    @property
    def title(self) -> str:
        if ".." in self.name:
            return f"Từ {self.start:%d/%m/%Y} đến trước {self.end:%d/%m/%Y}"
        year, _, part = self.name.partition("-")
        first = {"year": "Năm", "quarter": f"Quý {part[1:]}/", "month": f"Tháng {part.lstrip('0')}/"}[self.rhythm]
        last = self.end - timedelta(days=1)
        return f"{first}{'' if part else ' '}{year} ({self.start:%d/%m/%Y}–{last:%d/%m/%Y})"

    def due_on(self, measure: Measure) -> date:
        """The last local day on which a figure is on time."""
        return self.end + timedelta(days=measure.due_days - 1)

    def days_late(self, measure: Measure, handed_in: datetime, zone: ZoneInfo) -> int:
        """0 for a figure handed in on time, local days."""
        return max(0, (local_date(handed_in, zone) - self.due_on(measure)).days)

    def is_asked_of(self, config: Config, unit: Unit) -> bool:
        """Whether the unit is a grassroots one and in force on any day of the period."""
        return config.district.kinds[unit.kind].grassroots and self.touches(unit)

    def touches(self, span: Span) -> bool:
        return span.start < self.end and (span.until is None or self.start < span.until)


def parse_report_period(text: str, config: Config) -> ReportPeriod:
    """«2026» (the reporting year of the district), «2026-Q1» or «2026-11»; UserError for anything else."""
    parts = FORM.fullmatch(text.strip())
    if parts is None or int(parts["year"]) not in YEARS:
        raise UserError(f"Không hiểu kỳ «{text[:40]}». Đề nghị viết như 2026, 2026-Q1 hoặc 2026-11.")
    number, zone = int(parts["year"]), config.district.tz
    if parts["quarter"]:
        return _months(f"{number}-Q{parts['quarter']}", number, 3 * int(parts["quarter"]) - 2, 3, zone)
    if parts["month"]:
        return _months(f"{number}-{parts['month']}", number, int(parts["month"]), 1, zone)
    found = reporting_year(number, config.district.reporting_year.cut_off, zone)
    return ReportPeriod(str(number), "year", found.start, found.end)


def _months(name: str, year: int, first: int, count: int, zone: ZoneInfo) -> ReportPeriod:
    last = month_of(date(year, first + count - 1, 1), zone)
    return ReportPeriod(name, "quarter" if count == 3 else "month", date(year, first, 1), last.end)


def period_before(period: ReportPeriod, config: Config) -> ReportPeriod | None:
    """The period of the same kind that ends where this one starts; None before the calendar of the program."""
    year, part = int(period.name[:4]), period.name[5:]
    if period.rhythm == "year":
        name = str(year - 1)
    elif period.rhythm == "quarter":
        name = f"{year}-Q{int(part[1]) - 1}" if part != "Q1" else f"{year - 1}-Q4"
    else:
        name = f"{year}-{int(part) - 1:02}" if part != "01" else f"{year - 1}-12"
    return parse_report_period(name, config) if int(name[:4]) in YEARS else None


def period_named(start: date, end: date, config: Config) -> ReportPeriod:
    """The period of stored days; under its plain days when no kind of period has them (an old cut-off, say)."""
    names = (
        str(end.year),
        str(start.year),
        f"{start.year}-Q{(start.month + 2) // 3}",
        f"{start.year}-{start.month:02}",
    )
    for period in (parse_report_period(name, config) for name in names):
        if period.days == (start, end):
            return period
    return ReportPeriod(f"{start}..{end}", "year", start, end)
