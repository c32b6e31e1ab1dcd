"""Meta Business Suite's list of posts, in English or Vietnamese (facts: content export)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, time
from typing import NamedTuple
from zoneinfo import ZoneInfo

from collectors.exports.base import Content, Export, Line, Skipped, Upload
from collectors.exports.cells import CUT_SHORT, read_counts, read_id
from collectors.exports.days import is_day_first, read_day
from collectors.exports.errors import ExportError, UnusableError
from collectors.exports.tables import Cells, Records, Table, find_records
from collectors.website.text import excerpt, normal_url, plain
from config.folding import fold
from store.records import Confidence, Counts, DateSource, Post

ALIASES = {
    "post": ("post id", "id bai viet", "id bai dang", "ma bai viet"),
    "page": ("page id", "id trang", "ma trang"),
    "page_name": ("page name", "ten trang"),
    "title": ("title", "tieu de"),
    "text": ("description", "mo ta"),
    "published": ("publish time", "thoi gian dang", "thoi gian xuat ban", "gio dang"),
    "kind": ("post type", "loai bai viet", "loai bai dang"),
    "link": ("permalink", "lien ket co dinh", "lien ket vinh vien"),
    "shared": ("is share", "la bai chia se"),
    "span": ("date", "ngay"),
    "views": ("views", "luot xem"),
    "reactions": ("reactions", "cam xuc", "luot bay to cam xuc"),
    "comments": ("comments", "binh luan", "luot binh luan"),
    "shares": ("shares", "luot chia se", "chia se"),
}
REQUIRED = ("post", "published", "kind")
COUNTS = ("reactions", "comments", "shares", "views")
IGNORED = (
    "duration sec",
    "caption type",
    "is crosspost",
    "languages",
    "custom labels",
    "nhan tuy chinh",
    "funded content status",
    "data comment",
    "reach",
    "reactions comments and shares",
    "total clicks",
    "other clicks",
    "seconds viewed",
    "average seconds viewed",
    "video asset id",
    "id tai san video",
)
KINDS = {
    "photos": "photo",
    "photo": "photo",
    "anh": "photo",
    "videos": "video",
    "video": "video",
    "reels": "reel",
    "reel": "reel",
    "thuoc phim": "reel",
    "links": "link",
    "link": "link",
    "lien ket": "link",
    "live": "video",
    "text": "status",
    "van ban": "status",
}
LIFETIME = {"", "lifetime", "tron doi", "toan thoi gian"}
TOTALS = {"", "total", "tong", "tong cong", "summary"}
PACIFIC = ZoneInfo("America/Los_Angeles")
REEL_LINK = re.compile(r"facebook\.com/reel/(\d{5,25})(?:[/?]|$)", re.ASCII)
"""The Graph API lists reels apart from posts, by the id of the video."""
CLOCK = re.compile(r"\d[\sT](\d{1,2}):(\d{2})(?::(\d{2}))?(?:\s?([AP]M))?$", re.IGNORECASE)
PAGE_NUMBER = re.compile(r"(?:https?://(?:www\.|m\.|web\.)?facebook\.com/)?(\d{5,25})/?", re.ASCII)
"""A channel's address that is the Page's number; the one behind profile.php may be another kind of number."""

ZONE_NOTE = (
    "Tệp không ghi múi giờ của giờ đăng: hệ thống hiểu là giờ Thái Bình Dương (Mỹ). "
    "Bài nào vì thế chưa chắc ngày được đánh dấu là chưa chắc."
)
DAILY_NOTE = "Số tương tác trong tệp chỉ tính trong kỳ, không phải từ khi đăng, nên không nhập; chỉ nhập bài đăng."
ROUNDED_NOTE = "Số tương tác viết tròn (kiểu 1.2K) không nhập; bài đăng vẫn được nhập."


class _File(NamedTuple):
    """What holds for all rows of one file."""

    page: str | None
    day_first: bool
    upload: Upload


def fits(table: Table) -> bool:
    return _records(table) is not None


def _records(table: Table) -> Records | None:
    return find_records(table, ALIASES, REQUIRED)


def read(tables: Sequence[Table], upload: Upload) -> Content:
    content = Content(notes=[ZONE_NOTE])
    seen: dict[str, Post] = {}
    for table in tables:
        if records := _records(table):
            _refuse_cut_ids(records)
            file = _File(_page_of(records, upload), _order_of(records), upload)
            _note_page(records, content)
            for row, cells in records:
                _read_row(row, cells, file, table.name, content, seen)
    return content


def _order_of(records: Records) -> bool:
    return is_day_first((row, cells["published"]) for row, cells in records)


def _read_row(row: int, cells: Cells, file: _File, place: str, content: Content, seen: dict[str, Post]) -> None:
    try:
        post = _post(row, cells, file, content.notes)
        if post.platform_id in seen:
            raise UnusableError("trùng bài với một dòng trên")  # noqa: TRY301
    except UnusableError as problem:
        content.skipped.append(Skipped(row, str(problem), place))
    else:
        seen[post.platform_id] = post
        content.lines.append(Line(row, post))


def _page_of(records: Records, upload: Upload) -> str | None:
    """The one page of the file; ExportError when it holds several, or another than the channel's."""
    own = PAGE_NUMBER.fullmatch(upload.channel.address.strip())
    page = None
    for row, cells in records:
        stated = read_id(cells.get("page", ""), row)
        if own and stated and stated != own[1]:
            raise ExportError("bài thuộc một trang khác với kênh đã chọn. Đề nghị kiểm tra lại --channel.", row)
        if page and stated and stated != page:
            raise ExportError("tệp có bài của nhiều trang. Đề nghị xuất riêng từng trang.", row)
        page = page or stated
    return page or (own[1] if own else None)


def _refuse_cut_ids(records: Records) -> None:
    """A spreadsheet keeps fifteen digits and writes zeros for the rest: no chance when every long id ends so."""
    long = [(row, cells["post"]) for row, cells in records if cells["post"].isdigit() and len(cells["post"]) > 15]
    if len(long) >= 3 and all(post.endswith("0") for _, post in long):
        raise ExportError(CUT_SHORT, long[0][0])


def _note_page(records: Records, content: Content) -> None:
    name = next((cells["page_name"] for _, cells in records if cells.get("page_name")), "")
    if name:
        content.notes.append(f"Tệp của trang «{plain(name, 100)}»: đề nghị đối chiếu với kênh.")
    if strange := records.unknown(IGNORED):
        content.notes.append(f"Không dùng các cột: {', '.join(f'«{one}»' for one in strange)}.")


def _post(row: int, cells: Cells, file: _File, notes: list[str]) -> Post:
    platform_id = _platform_id(row, cells, file)
    kind = KINDS.get(fold(cells["kind"]), "status")
    if fold(cells["kind"]).startswith(("ig ", "instagram")):
        raise UnusableError("bài của Instagram")
    reel = REEL_LINK.search(cells.get("link", "")) if kind == "reel" else None
    at, confidence = _published(row, cells["published"], file)
    words = "\n".join(dict.fromkeys(filter(None, (cells.get("title"), cells.get("text")))))
    title, _, rest = words.partition("\n")
    is_share = cells.get("shared", "").lower() in {"1", "true", "yes"}
    return Post(
        platform_id=reel[1] if reel else platform_id,
        title=plain(title),
        link=normal_url(cells.get("link", "")),
        published_at=at,
        date_source=DateSource.TEXT,
        date_confidence=confidence,
        excerpt=excerpt(rest),
        kind="share" if is_share else kind,
        is_share=is_share,
        counts=_counts(cells, notes),
    )


def _platform_id(row: int, cells: dict[str, str], file: _File) -> str:
    """The id that the Graph API gives the same post: `<page>_<post>`."""
    stated = cells["post"]
    if fold(stated) in TOTALS:
        raise UnusableError("dòng tổng hoặc không có mã bài")
    before, _, bare = stated.rpartition("_")
    post, page = read_id(bare, row), read_id(before, row) if before else file.page
    if post is None or (before and page is None):
        raise UnusableError("mã bài không đúng dạng")
    if page is None:
        raise ExportError(
            "không biết bài thuộc trang nào: tệp thiếu cột «Page ID». Đề nghị xuất lại đủ cột từ Meta Business Suite.",
            row,
        )
    return f"{page}_{post}"


def _published(row: int, text: str, file: _File) -> tuple[datetime, Confidence]:
    """The moment in UTC. The day is sure only when it is the same in California and in the local zone."""
    clock = CLOCK.search(text)
    if clock is None:
        raise UnusableError("không đọc được giờ đăng")
    day = read_day(text, day_first=file.day_first)
    moment = datetime.combine(day, _time(clock), PACIFIC).astimezone(UTC)
    if moment > file.upload.exported_at:
        raise ExportError(
            "giờ đăng muộn hơn lúc xuất tệp, nên ngày xuất hoặc múi giờ của tệp không như hệ thống hiểu. "
            "Đề nghị kiểm tra --exported; nếu đã đúng, xuất lại tệp sau một ngày.",
            row,
        )
    is_sure = moment.astimezone(file.upload.zone).date() == day
    return moment, Confidence.HOUR if is_sure else Confidence.LOW


def _time(clock: re.Match[str]) -> time:
    hour, half = int(clock[1]), (clock[4] or "").upper()
    if half:
        hour = hour % 12 + (12 if half == "PM" else 0)
    try:
        return time(hour, int(clock[2]), int(clock[3] or 0))
    except ValueError as error:
        raise UnusableError("không đọc được giờ đăng") from error


def _counts(cells: Cells, notes: list[str]) -> Counts | None:
    """Counts since publication; None when the file has only those of a period, or none at all."""
    if fold(cells.get("span", "")) not in LIFETIME:
        _note_once(notes, DAILY_NOTE)
        return None
    found = read_counts(cells, COUNTS)
    if any(count and count.rounded for count in found.values()):
        _note_once(notes, ROUNDED_NOTE)
    exact = {name: count.value for name, count in found.items() if count and not count.rounded}
    return Counts(**exact) if exact else None


def _note_once(notes: list[str], note: str) -> None:
    if note not in notes:
        notes.append(note)


EXPORT = Export(
    "Danh sách bài của Meta Business Suite",
    frozenset({"facebook"}),
    fits,
    read,
    published=frozenset(ALIASES["page_name"] + ALIASES["title"] + ALIASES["text"] + ALIASES["link"]),
)
