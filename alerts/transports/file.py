"""Letters as files in the folder `outbox` of the configuration, to see what would be sent without sending it."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from alerts.base import Letter, PassingError
from alerts.transports.means import Means
from alerts.transports.plain import one_line, plain

FOLDER = "outbox"
UNWRITTEN = "Không ghi được tin vào thư mục outbox. Đề nghị kiểm tra dung lượng đĩa và quyền ghi."
_COPIES = re.compile(r"^Số bản đã gửi: ([0-9]{1,6})$", re.MULTILINE)
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


class FileTransport:
    """`address` is a plain name. The same key writes the same file, which counts how often it was sent."""

    def __init__(self, means: Means) -> None:
        self._folder = means.config.folder / FOLDER
        self._zone = means.config.district.tz

    async def send(self, letter: Letter, address: str, now: datetime) -> None:
        try:
            await asyncio.to_thread(self._write, letter, address, now)
        except OSError:
            failure = PassingError(UNWRITTEN)
        else:
            return
        raise failure

    def _write(self, letter: Letter, address: str, now: datetime) -> None:
        self._folder.mkdir(exist_ok=True)
        path = self._folder / f"{name_of(letter.key, address)}.txt"
        head = [
            f"Nơi nhận: {one_line(address)}",
            f"Tiêu đề: {one_line(letter.subject)}",
            f"Lúc gửi: {now.astimezone(self._zone):%H:%M %d/%m/%Y}",
            f"Số bản đã gửi: {_copies(path) + 1}",
        ]
        _put(path.with_suffix(".html"), plain(letter.html))
        _put(path, "\n".join([*head, "", plain(letter.text), ""]))


def name_of(key: str, address: str) -> str:
    """A file name for a key and an address: readable, harmless, and another one for every pair of them."""
    pair = f"{key} {address}"
    mark = hashlib.sha256(pair.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{_UNSAFE.sub('-', pair).strip('-.')[:100]}-{mark}"


def _copies(path: Path) -> int:
    with suppress(FileNotFoundError):
        found = _COPIES.search(path.read_text("utf-8"))
        return int(found[1]) if found else 0
    return 0


def _put(path: Path, text: str) -> None:
    """The whole file or the old one, whatever happens meanwhile."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with fresh.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
