"""YouTube Studio's advanced-mode table: what it can and cannot say.

Every count in it belongs to the period chosen on the screen: «Subscribers» is a net change and «Views» those of
the period, so no row is a total and none becomes a snapshot. The table by content names the videos with their days.
Headings depend on the language and could not be confirmed; unmatched ones are shown (facts: Studio export).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, time

from collectors.exports.base import Content, Export, Line, Skipped, Upload
from collectors.exports.days import is_day_first, read_day
from collectors.exports.errors import ExportError, UnusableError
from collectors.exports.tables import Records, Table, find_records
from collectors.website.text import excerpt, plain
from config.folding import fold
from store.records import Confidence, DateSource, Post

ALIASES = {
    "day": ("date", "ngay"),
    "content": ("content", "video", "noi dung"),
    "title": ("video title", "tieu de video"),
    "published": ("video publish time", "video published", "thoi gian xuat ban video", "thoi diem xuat ban video"),
    "subscribers": ("subscribers", "nguoi dang ky", "so nguoi dang ky"),
    "gained": ("subscribers gained", "so nguoi dang ky tang them"),
    "lost": ("subscribers lost", "so nguoi dang ky bi giam"),
    "views": ("views", "luot xem", "so luot xem"),
    "watched": ("watch time hours", "thoi gian xem gio", "thoi gian xem so gio"),
}
VIDEO = re.compile(r"[\w-]{11}", re.ASCII)
TOTALS = {"total", "tong", "tong cong", "tong so"}
TAKE_THE_TOTAL = (
    "Số trong bảng này là mức tăng giảm trong kỳ, không phải tổng số người đăng ký, nên không nhập được. "
    "Đề nghị chép tổng số ở trang Tổng quan của YouTube Studio vào mẫu nhập chung (nhip import --template mau.csv), "
    "cột «Nguồn số liệu» ghi «YouTube Studio»."
)
FLOWS = (
    "Lượt xem và số người đăng ký trong bảng chỉ tính trong kỳ đã chọn nên không nhập; chỉ nhập tên và ngày của video."
)


def fits(table: Table) -> bool:
    by_day = find_records(table, ALIASES, ("day",))
    flows = {"watched", "gained", "lost", "subscribers"}
    return _videos(table) is not None or bool(by_day and by_day.places.keys() & flows)


def _videos(table: Table) -> Records | None:
    return find_records(table, ALIASES, ("content", "published"))


def read(tables: Sequence[Table], upload: Upload) -> Content:
    found = [(table, records) for table in tables if (records := _videos(table))]
    if not found:
        raise ExportError(TAKE_THE_TOTAL)
    content = Content(notes=[FLOWS])
    table, records = min(found, key=lambda one: len(one[1].rows))  # others repeat the same videos day by day
    day_first = is_day_first((row, cells["published"]) for row, cells in records)
    seen: set[str] = set()
    for row, cells in records:
        try:
            post = _post(cells, upload, day_first=day_first)
            if post.platform_id in seen:
                raise UnusableError("trùng với một dòng trên")  # noqa: TRY301
        except UnusableError as problem:
            content.skipped.append(Skipped(row, str(problem), table.name))
        else:
            seen.add(post.platform_id)
            content.lines.append(Line(row, post))
    if strange := records.unknown(()):
        content.notes.append(f"Không dùng các cột: {', '.join(f'«{one}»' for one in strange)}.")
    return content


def _post(cells: dict[str, str], upload: Upload, *, day_first: bool) -> Post:
    video = cells["content"]
    if fold(video) in TOTALS:
        raise UnusableError("dòng tổng")
    if not VIDEO.fullmatch(video):
        raise UnusableError("không có mã video")
    day = read_day(cells["published"], day_first=day_first)
    if day > upload.exported_on:
        raise UnusableError("ngày đăng muộn hơn ngày xuất tệp")
    title = cells.get("title", "")
    return Post(
        platform_id=video,
        title=plain(title),
        link=f"https://www.youtube.com/watch?v={video}",
        published_at=datetime.combine(day, time(), upload.zone).astimezone(UTC),
        date_source=DateSource.TEXT,
        date_confidence=Confidence.DAY,
        excerpt=excerpt(title),
        kind="video",
    )


EXPORT = Export(
    "Bảng số liệu YouTube Studio",
    frozenset({"youtube"}),
    fits,
    read,
    published=frozenset(ALIASES["title"] + ALIASES["content"]),
)
