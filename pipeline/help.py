"""Help pages wholly in Vietnamese: the few words that the command line library brings along are translated."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand, TyperGroup

WORDS = {
    "Usage: ": "Cách dùng: ",
    "[OPTIONS] COMMAND [ARGS]...": "[TÙY CHỌN] LỆNH …",
    "[OPTIONS]": "[TÙY CHỌN]",
    "\nArguments:": "\nTham số:",
    "\nOptions:": "\nTùy chọn:",
    "\nCommands:": "\nLệnh:",
    "Show this message and exit.": "In hướng dẫn này.",
    "[required]": "[bắt buộc]",
    "[env var: ": "[biến môi trường: ",
    " <path>": "",
    " <str>": "",
}


def _translate(text: str) -> str:
    for english, vietnamese in WORDS.items():
        text = text.replace(english, vietnamese)
    return text


class Command(TyperCommand):
    def get_help(self, ctx: Any) -> str:
        return _translate(super().get_help(ctx))


class Group(TyperGroup):
    def get_help(self, ctx: Any) -> str:
        return _translate(super().get_help(ctx))
