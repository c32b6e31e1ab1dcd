"""TikTok Studio's export: followers per day and a handful of videos (facts: the traps of the Studio export).

Days have no year. The last two days before an export are unfinished. The column of differences is mislabelled and
left alone. The overview and the viewers are flows of a day, never totals. The list of videos holds fifteen at most.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from collectors.exports.base import Content, Export, Line, Skipped, Upload
from collectors.exports.cells import read_count, read_counts
from collectors.exports.days import read_printed, with_years
from collectors.exports.errors import ExportError, UnusableError
from collectors.exports.tables import Cells, Records, Table, find_records
from collectors.website.text import excerpt, normal_url, plain
from store.records import Confidence, Counts, DateSource, Post, Precision, Snapshot, Source

FOLLOWERS = {
    "day": ("date", "fecha"),
    "followers": ("followers", "seguidores"),
    "change": ("difference in followers from previous day", "net followers"),
}
VIDEOS = {
    "title": ("video title",),
    "link": ("video link",),
    "posted": ("post time", "video publish time"),
    "reactions": ("total likes", "likes"),
    "comments": ("total comments", "comments"),
    "shares": ("total shares", "shares"),
    "views": ("total views", "video views", "views"),
}
OVERVIEW = {
    "day": ("date", "fecha"),
    "views": ("video views",),
    "visits": ("profile views",),
}
VIEWERS = {
    "day": ("date", "fecha"),
    "total": ("total viewers",),
    "new": ("new viewers",),
    "returning": ("returning viewers",),
}
AUDIENCE = {
    "what": ("gender", "top territories", "territories", "active followers"),
}
IGNORED = ("time", "hour", "likes", "comments", "shares", "average watch time", "reach", "distribution")
COUNTS = ("reactions", "comments", "shares", "views")
VIDEO_LINK = re.compile(
    r"https?://(?:www\.)?tiktok\.com/@([\w.]{1,40})/(?:video|photo)/(\d{18,20})(?:[/?#]|$)", re.ASCII
)
HANDLE = re.compile(r"(?:tiktok\.com/)?@([\w.]{1,40})", re.ASCII)
SETTLED_AFTER = timedelta(days=2)
FIRST_VIDEO = datetime(2016, 1, 1, tzinfo=UTC)

FLOW_NOTE = "Không nhập bảng «{name}» ({days} ngày có số): số phát sinh từng ngày, không phải tổng số."
AUDIENCE_NOTE = "Không nhập bảng «{name}»: số liệu về khán giả."
FEW_NOTE = "TikTok Studio chỉ ghi tối đa 15 video, không phải mọi video mới: không dùng tệp này để đếm số bài."
ROUNDED_NOTE = "Số tương tác viết tròn (kiểu 1.2K) không nhập; video vẫn được nhập."


def fits(table: Table) -> bool:
    return any(find(table) for find in (_followers, _videos, _overview, _viewers, _audience))


def _followers(table: Table) -> Records | None:
    return find_records(table, FOLLOWERS, ("day", "followers", "change"))


def _videos(table: Table) -> Records | None:
    return find_records(table, VIDEOS, ("link", "posted"))


def _overview(table: Table) -> Records | None:
    return find_records(table, OVERVIEW, ("day", "views", "visits"))


def _viewers(table: Table) -> Records | None:
    return find_records(table, VIEWERS, ("day", "total"))


def _audience(table: Table) -> Records | None:
    return find_records(table, AUDIENCE, ("what",))


def read(tables: Sequence[Table], upload: Upload) -> Content:
    content = Content()
    for table in tables:
        if records := _followers(table):
            _read_followers(table, records, upload, content)
        elif records := _videos(table):
            _read_videos(table, records, upload, content)
        else:
            content.notes.append(_left_out(table))
    if not (content.lines or content.skipped):
        raise ExportError(
            "Tệp này chỉ có số phát sinh từng ngày hoặc số liệu về khán giả, không có tổng số người theo dõi. "
            "Đề nghị xuất mục «Người theo dõi» (FollowerHistory) hoặc «Nội dung» (Content) ở TikTok Studio."
        )
    return content


def _left_out(table: Table) -> str:
    name = plain(table.name, 60) or "trong tệp"
    records, counted = (_overview(table), "views") if _overview(table) else (_viewers(table), "total")
    if records is None:
        return AUDIENCE_NOTE.format(name=name)
    days = sum(1 for _, cells in records if _is_known(cells[counted]))
    return FLOW_NOTE.format(name=name, days=days)


def _is_known(text: str) -> bool:
    """An unfinished day shows «undefined» in the total and 0 in its parts: all of it is unknown."""
    try:
        return read_count(text) is not None
    except UnusableError:
        return False


# --- followers ---------------------------------------------------------------------------------------------------


def _read_followers(table: Table, records: Records, upload: Upload, content: Content) -> None:
    rows = [(row, cells, read_printed(cells["day"])) for row, cells in records]
    dated = [printed for _, _, printed in rows if printed]
    days = iter(with_years(dated, upload.exported_on))
    seen: set[date] = set()
    for row, cells, printed in rows:
        try:
            day = _new_day(next(days) if printed else None, seen)
            content.lines.append(Line(row, _snapshot(day, cells, upload)))
        except UnusableError as problem:
            content.skipped.append(Skipped(row, str(problem), table.name))


def _new_day(day: date | None, seen: set[date]) -> date:
    if day is None:
        raise UnusableError("không đọc được ngày")
    if day in seen:
        raise UnusableError("trùng ngày với một dòng trên")
    seen.add(day)
    return day


def _snapshot(day: date, cells: Cells, upload: Upload) -> Snapshot:
    count = read_counts(cells, ["followers"])["followers"]
    if day > upload.exported_on - SETTLED_AFTER:
        raise UnusableError("số của hai ngày cuối trước khi xuất tệp chưa chốt")
    if count is None:
        raise UnusableError("TikTok chưa có số của ngày này")
    precision = Precision.ROUNDED if count.rounded else Precision.EXACT
    return Snapshot(upload.end_of(day), Source.TIKTOK_STUDIO, followers=count.value, precision=precision)


# --- videos ------------------------------------------------------------------------------------------------------


def _read_videos(table: Table, records: Records, upload: Upload, content: Content) -> None:
    content.notes.append(FEW_NOTE)
    seen: set[str] = set()
    for row, cells in records:
        try:
            post = _post(row, cells, upload, content.notes)
            if post.platform_id in seen:
                raise UnusableError("trùng video với một dòng trên")  # noqa: TRY301
        except UnusableError as problem:
            content.skipped.append(Skipped(row, str(problem), table.name))
        else:
            seen.add(post.platform_id)
            content.lines.append(Line(row, post))


def _post(row: int, cells: Cells, upload: Upload, notes: list[str]) -> Post:
    link = VIDEO_LINK.match(cells["link"])
    if link is None:
        raise UnusableError("liên kết video không đúng dạng")
    own = HANDLE.search(upload.channel.address)
    if own and own[1].lower() != link[1].lower():
        raise ExportError("video thuộc một tài khoản khác với kênh đã chọn. Đề nghị kiểm tra lại --channel.", row)
    return Post(
        platform_id=link[2],
        title=plain(cells.get("title", "").partition("\n")[0]),
        link=normal_url(cells["link"]),
        published_at=_published(link[2], cells["posted"], upload),
        date_source=DateSource.URL,
        date_confidence=Confidence.EXACT,
        excerpt=excerpt(cells.get("title", "")),
        kind="video",
        counts=_counts(cells, notes),
    )


def _published(video: str, printed: str, upload: Upload) -> datetime:
    """The upper half of a video id is its second of publishing; the printed day must agree, give or take a day."""
    at = datetime.fromtimestamp(int(video) >> 32, UTC)
    if not FIRST_VIDEO <= at <= upload.exported_at:
        raise UnusableError("mã video cho thời điểm đăng không hợp lý")
    day = read_printed(printed)
    if day is None:
        raise UnusableError("không đọc được ngày đăng")
    around = [(at.astimezone(upload.zone) + timedelta(days=step)).date() for step in (-1, 0, 1)]
    if not any((one.month, one.day) == (day.month, day.day) and day.year in {None, one.year} for one in around):
        raise UnusableError("ngày đăng in trong tệp không khớp với mã video")
    return at


def _counts(cells: Cells, notes: list[str]) -> Counts | None:
    found = read_counts(cells, COUNTS)
    if any(count and count.rounded for count in found.values()) and ROUNDED_NOTE not in notes:
        notes.append(ROUNDED_NOTE)
    exact = {name: count.value for name, count in found.items() if count and not count.rounded}
    return Counts(**exact) if exact else None


EXPORT = Export(
    "Tệp xuất từ TikTok Studio",
    frozenset({"tiktok"}),
    fits,
    read,
    published=frozenset(VIDEOS["title"] + VIDEOS["link"]),
)
