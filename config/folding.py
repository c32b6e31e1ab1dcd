"""One way to compare Vietnamese texts, whatever the keyboard, the case or the Unicode form."""

from __future__ import annotations

import re
import unicodedata


class _Bases(dict[int, str]):
    """Code point -> the letter without its marks, filled on first use."""

    def __missing__(self, code: int) -> str:
        first = unicodedata.normalize("NFD", chr(code))[0]
        self[code] = base = "d" if first == "đ" else first
        return base


_BASES = _Bases()
_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")


def spelled(text: str) -> str:
    """The text without case, width and invisible signs, marks kept: one code point per marked letter."""
    compact = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text)).casefold()
    return unicodedata.normalize("NFC", compact)


def bare(spelling: str) -> str:
    """A `spelled` text without marks; every letter keeps its place."""
    return spelling.translate(_BASES)


def fold(text: str) -> str:
    """The words without case, width and marks, one space between: «Một tin, TỐT» -> «mot tin tot»."""
    return " ".join(re.findall(r"\w+", bare(spelled(text))))
