"""A kept demonstration: files that say they are made up, and that nobody has changed by hand since."""

from __future__ import annotations

import hashlib
import socket
import tomllib
from pathlib import Path

from alerts.transports.file import FOLDER as OUTBOX
from pipeline.problems import UserError
from pipeline.workplace import DATABASE_FILE
from store.vault import KEY_FILE

HEAD = "# Dữ liệu minh họa: quận này không có thật. Tệp do «nhip demo» viết ra.\n"
STAMP = "# Dấu của tệp, để biết tệp có được sửa tay không: "
DISTRICT_FILE = "district.toml"
ANSWERS_WITHIN_SECONDS = 0.3
NAMED_AT_MOST = 3


def write_stamped(path: Path, body: str) -> None:
    """Write a configuration file with a head that says what it is, and a stamp of everything below."""
    path.write_text(f"{HEAD}{STAMP}{_stamp(body)}\n\n{body}", encoding="utf-8")


def holds_demonstration(folder: Path) -> bool:
    """Whether an earlier demonstration lies in *folder* that may be replaced; False for a folder with nothing in it.

    UserError when there is anything else: files of others, a district that is not made up, a demonstration that
    somebody changed or still serves.
    """
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} là một tệp, không phải thư mục. Đề nghị chọn thư mục khác cho --keep.")
    present = sorted(path for path in folder.rglob("*") if not path.is_dir())
    if not present:
        return False
    written = [path for path in present if path.suffix == ".toml"]
    foreign = [path for path in present if path not in written and not _is_by_product(folder, path)]
    if len(foreign) < len(present):
        _refuse_real(folder, written)
    _refuse_foreign(folder, foreign)
    _refuse_changed(folder, written)
    _refuse_served(folder)
    return True


def clear(folder: Path) -> None:
    """Remove the earlier demonstration, its configuration last: whatever is left half done is still known as ours."""
    if holds_demonstration(folder):
        by_products = [path for path in folder.rglob("*") if _is_by_product(folder, path)]
        written = [path for path in folder.rglob("*.toml") if path.name != DISTRICT_FILE]
        for path in (*by_products, *written, folder / DISTRICT_FILE):
            path.unlink()


def _is_by_product(folder: Path, path: Path) -> bool:
    """The key, the database, and the messages that were written instead of sent."""
    is_ours = path.name in {KEY_FILE, DATABASE_FILE} or path.name.startswith(f"{DATABASE_FILE}-")
    return (is_ours and path.parent == folder) or path.parent == folder / OUTBOX


def _refuse_real(folder: Path, written: list[Path]) -> None:
    if folder / DISTRICT_FILE not in written or not all(_text(path).startswith(HEAD) for path in written):
        raise UserError(f"Thư mục {folder} đang có dữ liệu thật. Đề nghị chọn thư mục khác cho quận minh họa.")


def _refuse_foreign(folder: Path, foreign: list[Path]) -> None:
    if foreign:
        names = ", ".join(f"«{path.relative_to(folder)}»" for path in foreign[:NAMED_AT_MOST])
        more = f" và {len(foreign) - NAMED_AT_MOST} tệp khác" if len(foreign) > NAMED_AT_MOST else ""
        raise UserError(
            f"Thư mục {folder} có tệp không phải của quận minh họa: {names}{more}. "
            "Đề nghị chọn thư mục khác cho --keep, hoặc chuyển các tệp đó đi nơi khác."
        )


def _refuse_changed(folder: Path, written: list[Path]) -> None:
    changed = [path.relative_to(folder) for path in written if not _is_untouched(_text(path))]
    if changed:
        raise UserError(
            f"Tệp «{changed[0]}» trong {folder} đã được sửa tay nên hệ thống không ghi đè. "
            "Đề nghị chọn thư mục khác cho --keep, hoặc tự xóa thư mục này nếu không cần nữa."
        )


def _refuse_served(folder: Path) -> None:
    """The addresses of a demonstration stand in its configuration; all of them answer only while it is served."""
    settings = tomllib.loads(_text(folder / DISTRICT_FILE))
    if all(_answers(address) for address in settings["network"]["allow"]):
        raise UserError(
            f"Một quận minh họa khác đang chạy với thư mục {folder}. "
            "Đề nghị dừng nó bằng Ctrl+C, hoặc chọn thư mục khác cho --keep."
        )


def _answers(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=ANSWERS_WITHIN_SECONDS).close()
    except OSError:
        return False
    return True


def _is_untouched(text: str) -> bool:
    head, _, body = text.partition("\n\n")
    return f"{head}\n" == f"{HEAD}{STAMP}{_stamp(body)}\n"


def _stamp(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()[:32]


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")
