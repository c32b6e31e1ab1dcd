"""How a channel may be written in channels.toml."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote

from collectors.base import CollectError
from store.records import FailureKind

CHANNEL_ID = re.compile(r"UC[A-Za-z0-9_-]{22}")
HANDLE = re.compile(r"@[\w.·-]{3,30}")
USER = re.compile(r"user/([A-Za-z0-9]{1,60})")
SITE = re.compile(r"(?:https?://)?(?:www\.|m\.)?youtube\.com/", re.IGNORECASE)
UNKNOWN_FORM = (
    "Địa chỉ kênh YouTube chưa đúng dạng. Đề nghị ghi https://www.youtube.com/@tên-kênh "
    "hoặc https://www.youtube.com/channel/UC… trong channels.toml."
)


class Who(NamedTuple):
    """A channel, by the filter that `channels.list` finds it with."""

    filter: str
    name: str


def read_address(address: str) -> Who:
    """The channel behind `UC…`, `@name`, or an address of its page; CollectError(GONE) for every other form.

    Handles can change hands, so they are looked up once; `/c/name` addresses have no filter at all.
    """
    place = unquote(SITE.sub("", address.strip(), count=1)).partition("?")[0]
    first = place.removeprefix("channel/").partition("/")[0]
    if CHANNEL_ID.fullmatch(first):
        return Who("id", first)
    if HANDLE.fullmatch(first):
        return Who("forHandle", first)
    if user := USER.match(place):
        return Who("forUsername", user[1])
    raise CollectError(FailureKind.GONE, "not an address of a YouTube channel", sentence=UNKNOWN_FORM)
