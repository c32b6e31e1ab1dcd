"""The `fields` expression of the Graph API: `name,published_posts.limit(25){id,reactions.limit(0).summary(true)}`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

TOKEN = re.compile(r"\s*([A-Za-z_][\w]*|[.,(){}]|\d+)")
MAX_DEPTH = 4


@dataclass(frozen=True, slots=True)
class Field:
    """One field with its modifiers (`limit`, `summary` …) and, when expanded, the fields inside."""

    name: str
    modifiers: Mapping[str, str] = field(default_factory=dict)
    children: tuple[Field, ...] = ()


class FieldsError(ValueError):
    """The expression is no expression."""


@lru_cache(maxsize=512)
def parse(expression: str) -> tuple[Field, ...]:
    """The fields asked for; raises FieldsError. An empty expression asks for nothing."""
    words = list(_words(expression))
    if not words:
        return ()
    fields, end = _fields(words, 0, depth=0)
    if end != len(words):
        raise FieldsError(expression[:80])
    return fields


def _words(expression: str) -> Iterator[str]:
    place = 0
    while place < len(expression.rstrip()):
        found = TOKEN.match(expression, place)
        if found is None:
            raise FieldsError(expression[:80])
        yield found[1]
        place = found.end()


def _fields(words: list[str], place: int, depth: int) -> tuple[tuple[Field, ...], int]:
    if depth > MAX_DEPTH:
        raise FieldsError("too deep")
    found = []
    while True:
        one, place = _field(words, place, depth)
        found.append(one)
        if _at(words, place) != ",":
            return tuple(found), place
        place += 1


def _field(words: list[str], place: int, depth: int) -> tuple[Field, int]:
    name, place = _name(words, place), place + 1
    modifiers: dict[str, str] = {}
    children: tuple[Field, ...] = ()
    while _at(words, place) == ".":
        modifier = _name(words, place + 1)
        if _at(words, place + 2) != "(" or _at(words, place + 4) != ")":
            raise FieldsError(modifier)
        modifiers[modifier] = words[place + 3]
        place += 5
    if _at(words, place) == "{":
        children, place = _fields(words, place + 1, depth + 1)
        if _at(words, place) != "}":
            raise FieldsError(name)
        place += 1
    return Field(name, modifiers, children), place


def _name(words: list[str], place: int) -> str:
    name = _at(words, place)
    if not name.isidentifier():
        raise FieldsError(name)
    return name


def _at(words: list[str], place: int) -> str:
    return words[place] if place < len(words) else ""
