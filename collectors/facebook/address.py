"""Which Page a channel's address means: its number, its user name, or a link to it."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, unquote, urlsplit

from collectors.base import CollectError
from store.records import FailureKind

HOSTS = frozenset({"facebook.com", "fb.com"})
NUMBER = re.compile(r"[0-9]{5,25}\Z")
NAMED_NUMBER = re.compile(r"[^/]*-([0-9]{5,25})\Z")
USER_NAME = re.compile(r"[A-Za-z0-9.]{3,80}\Z")
NO_PAGES = frozenset(
    {
        "groups",
        "events",
        "watch",
        "reel",
        "reels",
        "share",
        "story.php",
        "photo",
        "posts",
        "me",
        "profile.php",
        "people",
    }
)
UNUSABLE = (
    "Địa chỉ của kênh không phải là một Trang Facebook. Đề nghị ghi trong channels.toml số hiệu Trang "
    "(ví dụ «104729385617204») hoặc liên kết tới Trang (ví dụ «https://www.facebook.com/ten-trang»)."
)


def page_key(address: str) -> str:
    """What stands for the Page in a request: its number or its user name; CollectError(GONE) for anything else."""
    found = _from_link(address) if "/" in address else _plain(address.strip().removeprefix("@"))
    if found is None:
        raise CollectError(FailureKind.GONE, "address is no Facebook Page", sentence=UNUSABLE)
    return found


def _plain(word: str) -> str | None:
    fits = NUMBER.match(word) or (USER_NAME.match(word) and word.lower() not in NO_PAGES)
    return word if fits else None


def _from_link(address: str) -> str | None:
    parts = urlsplit(address if "://" in address else f"https://{address}")
    host = (parts.hostname or "").removeprefix("www.").removeprefix("m.").removeprefix("web.")
    steps = [unquote(step) for step in parts.path.split("/") if step]
    if host not in HOSTS or not steps:
        return None
    if steps[0] == "profile.php":
        return _plain(parse_qs(parts.query).get("id", [""])[0])
    if steps[0] in {"p", "pages", "pg"}:
        return _numbered(steps[-1])
    return (NUMBER.match(steps[0]) and steps[0]) or _plain(steps[0])


def _numbered(step: str) -> str | None:
    """The number at the end of a link such as /p/Doan-phuong-mau-61558204917362."""
    named = NAMED_NUMBER.match(step)
    return named[1] if named else _plain(step)
