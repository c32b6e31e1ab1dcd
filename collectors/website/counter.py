"""The visitor counter of a home page: informational, never part of a target (bots count too)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from selectolax.lexbor import LexborHTMLParser

from collectors.base import CollectError
from collectors.website.text import clean, decode
from collectors.website.visit import Visit
from config.folding import bare, spelled
from store.records import Reading, Snapshot, Source

ROUNDED = r"\s?(?:k|m|tr|trieu|nghin|ngan)\b"
NUMBER = rf"(?P<number>\d{{1,3}}(?P<mark>[.,\s])\d{{3}}(?:(?P=mark)\d{{3}})*|\d+)(?![\d.,]*\d|{ROUNDED})"
VISITS = tuple(
    re.compile(rf"(?<!\w){label}\s*[:\-]?\s*{NUMBER}")
    for label in ("tong (?:so )?(?:luot )?truy cap", "so luot truy cap", "luot truy cap")
)
TEXT_CAP = 200_000

NOT_SEEN = "Không thấy bộ đếm lượt truy cập trên trang chủ."


async def added(reading: Reading, visit: Visit) -> Reading:
    """The reading with the visitor counter of the home page; a missing counter is a note, not a failure."""
    try:
        answer = await visit.look.get(visit.home)
    except CollectError:
        return replace(reading, notes=(*reading.notes, NOT_SEEN))
    count = total_visits(decode(answer.body, answer.headers.get("content-type", "")))
    if count is None:
        return replace(reading, notes=(*reading.notes, NOT_SEEN))
    return replace(
        reading, snapshots=_with_views(reading.snapshots, Snapshot(visit.look.now, Source.SITE, views=count))
    )


def _with_views(snapshots: Sequence[Snapshot], views: Snapshot) -> tuple[Snapshot, ...]:
    """The snapshots with the views in the one of this moment: a channel has one a moment from each source."""
    for place, one in enumerate(snapshots):
        if (one.observed_at, one.source) == (views.observed_at, views.source):
            return (*snapshots[:place], replace(one, views=views.views), *snapshots[place + 1 :])
    return (*snapshots, views)


def total_visits(html: str) -> int | None:
    """The total number of visits that a page prints, never the visitors of this moment; None without one."""
    body = LexborHTMLParser(html).body
    return None if body is None else read_count(body.text(separator=" ", strip=True))


def read_count(text: str) -> int | None:
    """The number behind «Tổng lượt truy cập» and its kin; a rounded number is refused (None)."""
    words = bare(spelled(clean(text, TEXT_CAP)))
    for label in VISITS:
        if found := label.search(words):
            digits = re.sub(r"\D", "", found["number"])
            return int(digits) if len(digits) < 16 else None
    return None
