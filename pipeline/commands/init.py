"""`nhip init DIR`: an example configuration to edit, and an empty database."""

from __future__ import annotations

from pathlib import Path

from config.load import TEMPLATE, write_example
from pipeline.clock import utc_now
from pipeline.show import command_line, say
from pipeline.workplace import database_url

STEPS = (
    ("doctor", "Kiểm tra cấu hình và từng kênh"),
    ("collect", "Đọc các kênh, ghi số liệu"),
    ("check", "Xem tuần này từng đơn vị đạt chưa"),
)


def run(folder: Path) -> int:
    """Write the example files and the database where they are missing; change nothing else."""
    written = write_example(folder)
    for path in written:
        say(f"Đã tạo {path}")
    if not written:
        say(f"Giữ nguyên cấu hình đang có trong {folder}.")
    say(_create_or_upgrade(database_url(folder)))
    _say_next(folder)
    return 0


def _create_or_upgrade(url: str) -> str:
    from store.errors import StoreError, Trouble
    from store.verbs import create_store, upgrade_store

    try:
        create_store(url, utc_now())
    except StoreError as error:
        if error.kind is not Trouble.EXISTS:
            raise
        upgrade_store(url)
        return "Cơ sở dữ liệu đã có sẵn, giữ nguyên số liệu."
    return "Đã tạo cơ sở dữ liệu."


def _say_next(folder: Path) -> None:
    say()
    say("Việc tiếp theo:")
    say(f"  1. Mở {folder / 'channels.toml'}, sửa địa chỉ (address) của kênh «web-don-vi-mau».")
    say("     Nếu trang nằm trong mạng nội bộ, ghi thêm máy:cổng vào network.allow của district.toml.")
    say(f"  2. Mở {folder / TEMPLATE}, sửa cho đúng kế hoạch của đơn vị (chỉ tiêu, thời hạn).")
    for step, (word, purpose) in enumerate(STEPS, 3):
        say(f"  {step}. {purpose}:")
        say(f"     {command_line(folder, word)}")
