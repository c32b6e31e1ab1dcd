"""Limits on what a file may be before anything in it is believed (facts: limits of uploads)."""

from __future__ import annotations

import io
import re
import struct
import zlib
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from collectors.exports.errors import ExportError

FILE_BYTES = 5 * 2**20
ENTRIES = 200
UNPACKED_BYTES = 50 * 2**20
RATIO = 100
ROWS = 5_000
COLUMNS = 50
CELL_CHARACTERS = 32_767

ZIP_MAGIC = b"PK\x03\x04"
OLD_OFFICE_MAGIC = b"\xd0\xcf\x11\xe0"
ENCRYPTED = 0x1
OUTSIDE = re.compile(r"^[/\\]|^[A-Za-z]:|(?:^|[/\\])\.\.(?:[/\\]|$)|\x00")
PACKED = re.compile(r"\.(?:zip|7z|rar|gz|tgz|bz2|xz|xls[xmb]?|docx|jar)$", re.IGNORECASE)

DAMAGED = "Tệp nén hoặc tệp Excel bị hỏng nên không đọc được. Đề nghị xuất lại tệp từ nền tảng rồi nhập lại."
TOO_LONG = f"Bảng dài hơn {ROWS} dòng. Đề nghị chia thành nhiều tệp, mỗi tệp một khoảng thời gian."
TOO_WIDE = f"Bảng rộng hơn {COLUMNS} cột. Đề nghị chỉ giữ các cột cần nhập."
LONG_CELL = f"Có ô dài hơn {CELL_CHARACTERS} ký tự. Đề nghị xuất lại tệp từ nền tảng."


def check_file(data: bytes) -> None:
    """Refuses what no export is: too much, nothing, or an old office format."""
    if len(data) > FILE_BYTES:
        raise ExportError("Tệp lớn hơn 5 MB. Đề nghị xuất lại với khoảng thời gian ngắn hơn.")
    if not data.strip(b"\x00 \r\n\t\xef\xbb\xbf\xff\xfe"):
        raise ExportError("Tệp rỗng. Đề nghị xuất lại tệp từ nền tảng.")
    if data.startswith(OLD_OFFICE_MAGIC):
        raise ExportError(
            "Tệp là Excel kiểu cũ (.xls) hoặc có đặt mật khẩu. Đề nghị mở tệp, lưu lại dạng .xlsx không mật khẩu."
        )


def open_archive(data: bytes) -> ZipFile:
    """The archive, once its directory keeps to the limits."""
    try:
        archive = ZipFile(io.BytesIO(data))
    except (BadZipFile, ValueError, NotImplementedError, OSError, EOFError, struct.error) as error:
        raise ExportError(DAMAGED) from error
    entries = archive.infolist()
    if len(entries) > ENTRIES:
        raise ExportError(f"Tệp nén có hơn {ENTRIES} tệp bên trong. Đề nghị chỉ nén các tệp vừa xuất từ nền tảng.")
    for entry in entries:
        _check_entry(entry)
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > UNPACKED_BYTES or unpacked > RATIO * len(data):
        raise ExportError("Tệp nén phình ra quá lớn khi mở. Đề nghị xuất lại tệp từ nền tảng, không nhập tệp này.")
    return archive


def _check_entry(entry: ZipInfo) -> None:
    if OUTSIDE.search(entry.orig_filename):
        raise ExportError("Tệp nén có đường dẫn bất thường bên trong. Đề nghị xuất lại tệp từ nền tảng.")
    if entry.flag_bits & ENCRYPTED:
        raise ExportError("Tệp có đặt mật khẩu. Đề nghị bỏ mật khẩu rồi nhập lại.")
    if entry.compress_type not in {ZIP_STORED, ZIP_DEFLATED}:
        raise ExportError("Tệp nén theo kiểu không hỗ trợ. Đề nghị giải nén rồi nhập từng tệp.")
    if entry.file_size > RATIO * max(entry.compress_size, 1_000):
        raise ExportError("Tệp nén phình ra quá lớn khi mở. Đề nghị xuất lại tệp từ nền tảng, không nhập tệp này.")


def unpack(archive: ZipFile, entry: ZipInfo) -> bytes:
    """The bytes of one entry: never more than its directory said."""
    try:
        with archive.open(entry) as packed:
            return packed.read(entry.file_size)
    except (BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        raise ExportError(DAMAGED) from error


def refuse_nested(entry: ZipInfo, data: bytes) -> None:
    if PACKED.search(entry.filename) or data.startswith(ZIP_MAGIC):
        raise ExportError("Trong tệp nén còn có tệp nén hoặc tệp Excel. Đề nghị giải nén rồi nhập từng tệp.")


def check_cells(cells: tuple[str, ...], row: int) -> None:
    """Refuses a row with too many cells or with one that is too long."""
    if row > ROWS:
        raise ExportError(TOO_LONG)
    if len(cells) > COLUMNS:
        raise ExportError(TOO_WIDE, row)
    if any(len(cell) > CELL_CHARACTERS for cell in cells):
        raise ExportError(LONG_CELL, row)
