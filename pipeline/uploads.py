"""Files that people hand in."""

from __future__ import annotations

from pathlib import Path

from collectors.exports.guard import FILE_BYTES
from pipeline.problems import UserError


def read_upload(file: Path) -> bytes:
    """The file, read no further than just past the limit, so that the limit can be told."""
    if not file.is_file():
        raise UserError(f"Không tìm thấy tệp {file}. Đề nghị kiểm tra lại đường dẫn.")
    with file.open("rb") as opened:
        return opened.read(FILE_BYTES + 1)
