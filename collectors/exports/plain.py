"""The plain template that a person fills in: one row per day, for any channel."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from collectors.exports.base import Content, Export, Line, Skipped, Upload
from collectors.exports.cells import Count, read_counts
from collectors.exports.days import is_day_first, read_day
from collectors.exports.errors import ExportError, UnusableError
from collectors.exports.tables import Cells, Records, Table, find_records, refuse_doubled
from config.folding import fold
from store.records import Precision, Snapshot, Source

TITLES = ("Ngày", "Số người theo dõi", "Lượt thích", "Số bài", "Lượt xem", "Nguồn số liệu")
ALIASES = {
    "day": ("ngay",),
    "followers": ("so nguoi theo doi", "nguoi theo doi"),
    "likes": ("luot thich", "so luot thich"),
    "posts": ("so bai", "so bai dang", "so video"),
    "views": ("luot xem", "so luot xem"),
    "source": ("nguon so lieu", "nguon"),
}
COUNTS = ("followers", "likes", "posts", "views")
SAMPLE_MARK = "(mẫu)"
SAMPLE = ("2026-01-01", "12345", "", "", "", f"{SAMPLE_MARK} xóa dòng này; ghi nơi lấy số, không ghi tên người")
STUDIO = "studio"


def write_template() -> bytes:
    """The empty template as CSV that Excel opens with its Vietnamese letters whole."""
    out = io.StringIO(newline="")
    csv.writer(out).writerows((TITLES, SAMPLE))
    return out.getvalue().encode("utf-8-sig")


def fits(table: Table) -> bool:
    return _records(table) is not None


def read(tables: Sequence[Table], upload: Upload) -> Content:
    content = Content()
    seen: dict[tuple[datetime, Source], Snapshot] = {}
    for table in tables:
        if records := _records(table):
            _read_table(table, records, upload, content, seen)
    return content


def _records(table: Table) -> Records | None:
    """A source column is asked for: without one, Studio's daily views could pass for a total."""
    records = find_records(table, ALIASES, ("day", "source"))
    return records if records and records.places.keys() & set(COUNTS) else None


def _read_table(
    table: Table,
    records: Records,
    upload: Upload,
    content: Content,
    seen: dict[tuple[datetime, Source], Snapshot],
) -> None:
    refuse_doubled(records, ALIASES, ("day", *COUNTS))
    day_first = is_day_first((row, cells["day"]) for row, cells in records)
    for row, cells in records:
        try:
            snapshot = _snapshot(cells, upload, day_first=day_first)
            _refuse_twice(row, snapshot, seen)
            content.lines.append(Line(row, snapshot))
        except UnusableError as problem:
            content.skipped.append(Skipped(row, str(problem), table.name))


def _snapshot(cells: Cells, upload: Upload, *, day_first: bool) -> Snapshot:
    if SAMPLE_MARK in cells.get("source", ""):
        raise UnusableError("dòng mẫu")
    day = read_day(cells["day"], day_first=day_first)
    _check_day(day, upload)
    counts = read_counts(cells, COUNTS)
    if all(count is None for count in counts.values()):
        raise UnusableError("không có số liệu")
    values = {name: count.value if count else None for name, count in counts.items()}
    source, precision = _origin(cells.get("source", ""), upload, counts.values())
    return Snapshot(upload.end_of(day), source, **values, precision=precision)


def _check_day(day: date, upload: Upload) -> None:
    if day > upload.exported_on:
        raise UnusableError("ngày chưa tới")
    if not upload.has_ended(day):
        raise UnusableError("ngày chưa kết thúc; đề nghị nhập lại từ ngày hôm sau")


def _origin(said: str, upload: Upload, counts: Iterable[Count | None]) -> tuple[Source, Precision]:
    """Studio shows the channel's owner the whole number; anything else is somebody's word."""
    is_studio = upload.channel.platform == "youtube" and STUDIO in fold(said).split()
    source = Source.YOUTUBE_STUDIO if is_studio else Source.SHEET
    if any(count and count.rounded for count in counts):
        return source, Precision.ROUNDED
    return source, Precision.EXACT if is_studio else Precision.REPORTED


def _refuse_twice(row: int, snapshot: Snapshot, seen: dict[tuple[datetime, Source], Snapshot]) -> None:
    """A day that is repeated is skipped; one with different numbers refuses the file: nobody knows which is right."""
    before = seen.setdefault((snapshot.observed_at, snapshot.source), snapshot)
    if before is snapshot:
        return
    if before != snapshot:
        raise ExportError("ngày này đã có ở một dòng trên với số khác. Đề nghị chỉ giữ một dòng.", row)
    raise UnusableError("trùng với một dòng trên")


EXPORT = Export(
    "Mẫu nhập chung",
    frozenset({"facebook", "tiktok", "youtube", "zalo", "website"}),
    fits,
    read,
)
