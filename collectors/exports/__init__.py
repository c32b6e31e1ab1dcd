"""Exports as collectors: a file that a platform (or a person) wrote becomes a Reading, or is refused with a sentence.

A new format is one module and one line of EXPORTS; its tables are known by their headings, never by a file name.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from collectors.exports import guard, meta_days, meta_posts, plain, tiktok_studio, youtube_studio
from collectors.exports.base import Content, Export, Imported, Line, Skipped, Upload
from collectors.exports.delimited import read_delimited
from collectors.exports.errors import ExportError
from collectors.exports.persons import refuse_rosters
from collectors.exports.plain import write_template
from collectors.exports.tables import Table
from collectors.exports.workbook import is_workbook, read_workbook
from collectors.website.text import clean
from store.records import Post, Reading, Snapshot

if TYPE_CHECKING:
    from config.models import Channel

__all__ = ["EXPORTS", "ExportError", "Imported", "Line", "Skipped", "read_export", "write_template"]

EXPORTS: dict[str, Export] = {
    "meta-posts": meta_posts.EXPORT,
    "meta-days": meta_days.EXPORT,
    "tiktok-studio": tiktok_studio.EXPORT,
    "youtube-studio": youtube_studio.EXPORT,
    "plain": plain.EXPORT,
}
ALIAS_TABLES = (
    meta_posts.ALIASES,
    meta_days.ALIASES,
    tiktok_studio.FOLLOWERS,
    tiktok_studio.VIDEOS,
    tiktok_studio.OVERVIEW,
    tiktok_studio.VIEWERS,
    tiktok_studio.AUDIENCE,
    youtube_studio.ALIASES,
    plain.ALIASES,
)
KNOWN_HEADINGS = frozenset(alias for table in ALIAS_TABLES for aliases in table.values() for alias in aliases).union(
    meta_posts.IGNORED, tiktok_studio.IGNORED
)


def read_export(data: bytes, name: str, channel: Channel, exported_at: datetime, zone: ZoneInfo) -> Imported:
    """What the file holds for *channel*, as of the moment it was exported; ExportError when it is refused.

    *name* is only shown. Days are cut in *zone*; a row of day D is observed at the next local midnight.
    """
    tables, notes = read_tables(data)
    for table in tables:
        published = frozenset[str]().union(*(one.published for one in EXPORTS.values() if one.fits(table)))
        refuse_rosters(table, KNOWN_HEADINGS, published)
    export, own = _recognised(tables, name)
    if channel.platform not in export.platforms:
        raise ExportError(
            f"Đây là «{export.label}», không hợp với kênh «{channel.slug}» ({channel.platform}). "
            "Đề nghị kiểm tra lại --channel hoặc chọn tệp khác."
        )
    notes += [f"Không nhận ra bảng «{table.name}» nên bỏ qua." for table in tables if table not in own]
    content = export.read(own, Upload(name, channel, exported_at, zone))
    return _imported(export, content, notes, hashlib.sha256(data).hexdigest())


def read_tables(data: bytes) -> tuple[list[Table], list[str]]:
    """The tables of a CSV file, a workbook or an archive of CSV files, and notes on what was left out."""
    guard.check_file(data)
    if not data.startswith(guard.ZIP_MAGIC):
        return [read_delimited(data)], []
    with guard.open_archive(data) as archive:
        if is_workbook(archive):
            return read_workbook(data, archive), []
        tables, notes = [], []
        for entry in archive.infolist():
            if entry.is_dir() or entry.filename.startswith("__MACOSX/"):
                continue
            unpacked = guard.unpack(archive, entry)
            guard.refuse_nested(entry, unpacked)
            shown = clean(entry.filename.rpartition("/")[2], 60)
            if entry.filename.lower().endswith(".csv") and unpacked:
                tables.append(read_delimited(unpacked, shown))
            else:
                notes.append(f"Bỏ qua tệp «{shown}» trong tệp nén: không phải CSV.")
        return tables, notes


def _recognised(tables: list[Table], name: str) -> tuple[Export, list[Table]]:
    for export in EXPORTS.values():
        own = [table for table in tables if export.fits(table)]
        if own:
            return export, own
    known = "; ".join(export.label for export in EXPORTS.values())
    raise ExportError(
        f"Không nhận ra loại tệp «{clean(name, 100)}». Các loại nhận được: {known}. "
        "Đề nghị nhập tệp gốc tải từ nền tảng, hoặc dùng mẫu nhập chung: nhip import --template mau.csv."
    )


def _imported(export: Export, content: Content, notes: list[str], sha256: str) -> Imported:
    items = [line.item for line in content.lines]
    reading = Reading(
        snapshots=tuple(item for item in items if isinstance(item, Snapshot)),
        posts=tuple(item for item in items if isinstance(item, Post)),
        notes=(*content.notes, *notes),
    )
    return Imported(export.label, reading, tuple(content.lines), tuple(content.skipped), sha256)
