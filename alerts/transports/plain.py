"""Texts as a transport may carry them: whatever stands in a name of a unit, a mail header stays one line."""

from __future__ import annotations

import re

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
"""Control characters but tab and line feed, halves of characters, and what turns the direction of writing around."""
LONGEST_LINE = 250


def plain(text: str) -> str:
    """The text without what cannot travel or be shown; a CR LF becomes LF."""
    return _CONTROL.sub("", text.replace("\r\n", "\n"))


def one_line(text: str, longest: int = LONGEST_LINE) -> str:
    """The text as one line of at most `longest` characters."""
    line = " ".join(plain(text.replace("\r", " ")).split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"
