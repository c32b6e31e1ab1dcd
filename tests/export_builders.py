"""Tiny builders for the tests of exports: files made on the spot, and a channel to read them for."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from collectors.exports import ExportError, Imported, read_export
from store.records import Post, Snapshot
from tests.store_builders import a_channel

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
EXPORTED = datetime(2026, 11, 20, 10, tzinfo=UTC)
"""17:00 on Friday 20 November, local time."""
PAYLOADS = Path(__file__).parent / "payloads"
ADDRESSES = {
    "facebook": "https://www.facebook.com/104729385617204",
    "tiktok": "https://www.tiktok.com/@tuoitrebinhtan.mau",
    "youtube": "https://www.youtube.com/@kenhmau",
}


def sheet(*rows: Sequence[object], encoding: str = "utf-8-sig", delimiter: str = ",") -> bytes:
    """A CSV file."""
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter).writerows(rows)
    return out.getvalue().encode(encoding)


def archive(files: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as packed:
        for name, data in files.items():
            packed.writestr(name, data)
    return out.getvalue()


def workbook(*rows: Sequence[object], title: str = "Sheet1") -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(list(row))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def rebuilt(data: bytes, change: Mapping[str, tuple[bytes, bytes]], more: Mapping[str, bytes] | None = None) -> bytes:
    """A workbook with some bytes of some parts exchanged, and with further parts."""
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    for name, (before, after) in change.items():
        assert before in parts[name]
        parts[name] = parts[name].replace(before, after)
    return archive(parts | dict(more or {}))


def read(
    data: bytes, platform: str = "facebook", exported_at: datetime = EXPORTED, address: str | None = None
) -> Imported:
    channel = a_channel(
        "kenh-mau", platform=platform, address=address or ADDRESSES.get(platform, "https://mau.example/")
    )
    return read_export(data, "tep-mau", channel, exported_at, ZONE)


def refusal(data: bytes, platform: str = "facebook", **more: object) -> ExportError:
    """The refusal of a file; its sentence must say what to do."""
    with pytest.raises(ExportError) as caught:
        read(data, platform, **more)  # type: ignore[arg-type]
    assert caught.value.sentence.endswith(".")
    assert "Đề nghị" in caught.value.sentence
    return caught.value


def sample(path: str) -> bytes:
    return (PAYLOADS / path).read_bytes()


def posts(imported: Imported) -> dict[str, Post]:
    return {post.platform_id: post for post in imported.reading.posts}


def followers(imported: Imported) -> dict[str, int | None]:
    """The local day that each snapshot ends -> followers."""
    return {local_day(one): one.followers for one in imported.reading.snapshots}


def local_day(one: Snapshot) -> str:
    """«2026-11-18» for the midnight that ends that day."""
    at = one.observed_at.astimezone(ZONE)
    assert (at.hour, at.minute, at.second) == (0, 0, 0)
    return datetime.fromtimestamp(at.timestamp() - 1, ZONE).date().isoformat()


def reasons(imported: Imported) -> dict[int, str]:
    return {one.row: one.reason for one in imported.skipped}


def all_notes(imported: Imported) -> str:
    return " ".join(imported.reading.notes)


def with_cell(rows: Iterable[Sequence[object]], row: int, column: int, value: object) -> list[list[object]]:
    """The same rows with one cell exchanged; row and column count from 0."""
    changed = [list(one) for one in rows]
    changed[row][column] = value
    return changed
