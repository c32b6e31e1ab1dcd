"""Feeds that are not well-formed, through feedparser: slow and trusting, so it is kept on a short leash.

feedparser opens what looks like a path and fetches what looks like an address unless it is handed a stream,
and raises on some characters; here it sees bytes in memory only, of limited size, and its failures are ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from io import BytesIO
from typing import Any

from collectors.base import CollectError
from store.records import FailureKind

BYTES_CAP = 4 * 1024 * 1024
TAGS_CAP = 60_000
KNOWN_CRASHES = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    RecursionError,
    ArithmeticError,
)

Fields = tuple[str, str, str, str, str, str, str, Sequence[str]]


def items(body: bytes) -> list[Fields]:
    """Title, link, guid, date, updated, summary, content and categories of each item, as written.

    *body* is UTF-8. CollectError when it is too large, too nested, or not readable even so.
    """
    if len(body) > BYTES_CAP or body.count(b"<") > TAGS_CAP:
        raise CollectError(FailureKind.DRIFT, "a broken feed of this size is not worth the time")
    try:
        parsed = import_module("feedparser").parse(
            BytesIO(body),
            sanitize_html=False,
            resolve_relative_uris=False,
            response_headers={"content-type": "application/xml; charset=utf-8"},
        )
        found = [_fields(entry) for entry in parsed.entries]
    except KNOWN_CRASHES as error:
        raise CollectError(FailureKind.DRIFT, f"feedparser failed: {type(error).__name__}") from error
    if not found:
        raise CollectError(FailureKind.DRIFT, "not well-formed and without items")
    return found


def _fields(entry: Any) -> Fields:
    content = next((str(part.get("value", "")) for part in entry.get("content", [])), "")
    tags = [str(tag.get("term") or "") for tag in entry.get("tags", [])]
    named = ("title", "link", "id", "published", "updated", "summary")
    title, link, guid, date, updated, summary = (str(dict.get(entry, name) or "") for name in named)
    return title, link, guid, date, updated, summary, content, tags
