"""Texts that come from data, made short and harmless before they stand in a chart.

Plotly reads a little HTML in every text; control and direction characters turn a line around. Neither gets through.
"""

from __future__ import annotations

import html
import textwrap
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from itertools import count

NAME = 40
"""Letters of a name or title that a chart shows."""
CELL = 300
"""Letters of one cell of a table."""
_READ = 8
"""How many times as many raw characters are looked at: marks that NFC joins, and spaces that fall together."""


def plain(text: object, most: int = CELL) -> str:
    """One line of NFC text without control, direction and private characters, at most so many letters; not escaped."""
    return _plain(str(text)[: most * _READ], most)


@lru_cache(maxsize=4096)
def _plain(head: str, most: int) -> str:
    text = unicodedata.normalize("NFC", head)
    if not text.isprintable():
        text = "".join(one if one.isprintable() else " " * one.isspace() for one in text)
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}…"


def inert(text: object, most: int = NAME) -> str:
    """The same, escaped for plotly."""
    return html.escape(plain(text, most), quote=False)


@lru_cache(maxsize=1024)
def wrapped(text: str, width: int) -> tuple[str, ...]:
    """Plain text as escaped lines, none longer than *width*; no line for an empty one."""
    return tuple(html.escape(line, quote=False) for line in textwrap.wrap(text, width))


def named(names: Iterable[object]) -> list[str]:
    """Plain names, each once: a second «A» becomes «A (2)»."""
    return list(_named(tuple(str(name)[: NAME * _READ] for name in names)))


@lru_cache(maxsize=256)
def _named(names: tuple[str, ...]) -> tuple[str, ...]:
    unique: dict[str, None] = {}
    for name in (plain(one, NAME) for one in names):
        copies = (name if turn == 1 else f"{name} ({turn})" for turn in count(1))
        unique[next(copy for copy in copies if copy not in unique)] = None
    return tuple(unique)
