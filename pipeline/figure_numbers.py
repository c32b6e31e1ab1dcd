"""What one cell or one word of the command line says: a whole number, or why it is none."""

from __future__ import annotations

import re

WHOLE = re.compile(r"[0-9]{1,12}", re.ASCII)
NEGATIVE = re.compile(r"[-−][0-9]+(?:[.,][0-9]+)*", re.ASCII)
POINTED = re.compile(r"[0-9]+(?:[.,][0-9]+)+", re.ASCII)


class UnreadableError(Exception):
    """The text is the Vietnamese reason, to follow the name of the place: «Ô D9 …»."""


def read_whole(text: str) -> int:
    """UnreadableError for anything but plain digits: «1.234» may mean a thousand, or one and a bit."""
    text = text.strip()
    if WHOLE.fullmatch(text):
        return int(text)
    if NEGATIVE.fullmatch(text):
        raise UnreadableError("là số âm; đề nghị kiểm tra lại")
    if "%" in text:
        raise UnreadableError("là tỷ lệ %; đề nghị ghi số người, số lượt, hệ thống tự tính tỷ lệ")
    if POINTED.fullmatch(text):
        raise UnreadableError(
            "có dấu chấm hoặc phẩy nên không rõ là bao nhiêu; đề nghị ghi số nguyên liền nhau, như 1234"
        )
    raise UnreadableError("không phải là số nguyên; đề nghị chỉ ghi chữ số, như 1234")
