"""What earlier looks at a TikTok account learned, and what it lets this look claim."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

import msgspec
from msgspec.structs import replace

from collectors.tiktok.videos import End, Listing
from store.records import EVER

SWEEP_EVERY = timedelta(days=7)
OVERLAP = timedelta(days=7)
"""Other days read back to this much before the newest known video, for scheduled ones that appear late."""

SHORT = (
    "TikTok báo có {stated} video nhưng chỉ liệt kê {listed}, nên có thể còn bài chưa thấy. "
    "Hệ thống sẽ đọc lại toàn bộ danh sách ở lần sau."
)
EMPTIED = "Danh sách video bỗng trống. Đề nghị mở kênh TikTok kiểm tra; hệ thống tự đọc lại ở lần sau."
LACKING = (
    "TikTok báo có {stated} video nhưng luôn chỉ liệt kê {listed}; phần còn thiếu là bài cũ. "
    "Hệ thống vẫn đối chiếu ở mỗi lần đọc."
)
ZEROED = "TikTok báo có 0 video nhưng liệt kê {listed}, nên chưa rõ danh sách có đủ không. Hệ thống đọc lại ở lần sau."
STUCK = "TikTok trả danh sách video dở dang. Hệ thống tự đọc lại ở lần sau, chưa cần làm gì."
TOO_MANY = "Kênh có nhiều video hơn mức đọc một lần; hệ thống chỉ đọc {listed} video mới nhất."

Epoch = Annotated[int, msgspec.Meta(ge=0, le=4_000_000_000)]


class Known(msgspec.Struct, frozen=True, omit_defaults=True):
    """The cursor of a reading; lost, the next look relearns it. Moments are epoch seconds."""

    address: str = ""
    newest: Epoch | None = None
    swept_at: Epoch = 0
    """When the list was last read to its end and believed."""
    stated: int | None = None
    """How many videos TikTok said there were then."""
    short: int = 0
    """How many of them the list did not hold then."""
    short_since: Epoch = 0
    """Since when it has been so many: what is missing is older."""
    business_on: date | None = None
    """The UTC day on which the 60-day history was last asked for."""
    business_until: date | None = None
    """The last day of it that was read."""

    def floor(self, now: datetime) -> datetime | None:
        """How far back this look reads; None means to the end, on the first look and once a week."""
        age = now - _moment(self.swept_at)
        if self.newest is None or not timedelta() <= age < SWEEP_EVERY:
            return None
        return min(_moment(self.newest), now) - OVERLAP

    def misses_some(self, listing: Listing, stated: int | None) -> bool:
        """Whether TikTok counts more new videos than the list shows: photo posts may not be listed."""
        if stated is None or self.stated is None:
            return False
        new = sum(video.create_time > self.swept_at for video in listing.videos.values())
        return stated - self.stated > new


@dataclass(frozen=True, slots=True)
class Claim:
    """What one listing proves; the fields mean what they mean in a Reading."""

    coverage: datetime | None
    complete: bool
    known: Known
    notes: tuple[str, ...] = ()


def known_from(cursor: Mapping[str, Any], address: str) -> Known:
    """What the cursor says; nothing when it is damaged, foreign or about another address."""
    try:
        known = msgspec.convert(dict(cursor), Known)
    except msgspec.ValidationError:
        return Known(address=address)
    return known if known.address == address else Known(address=address)


def cursor_of(known: Known) -> dict[str, Any]:
    cursor: dict[str, Any] = msgspec.to_builtins(known)
    return cursor


def claim_of(listing: Listing, stated: int | None, known: Known, now: datetime) -> Claim:
    """What a listing proves beside the number of videos that TikTok states (None: not shown)."""
    floor = known.floor(now)
    emptied = not listing.videos and known.newest is not None
    newest = max((video.create_time for video in listing.videos.values()), default=known.newest)
    known = replace(known, newest=newest)
    if listing.end is End.STUCK or emptied:
        return Claim(None, False, known, (STUCK if listing.end is End.STUCK else EMPTIED,))
    if listing.end is End.WHOLE:
        return _whole_claim(len(listing.videos), stated, known, now)
    if listing.end is End.TOO_LONG or floor is None:
        return Claim(listing.oldest, False, known, (TOO_MANY.format(listed=len(listing.videos)),))
    return Claim(max(floor, _unlisted_until(known)), True, known)


def _whole_claim(listed: int, stated: int | None, known: Known, now: datetime) -> Claim:
    """The list was read to its end. A list that is short says nothing, until it stays equally short for two looks:
    then what it lacks is older than the first of them.
    """
    second = int(now.timestamp())
    if stated == 0 and listed:
        return Claim(None, False, known, (ZEROED.format(listed=listed),))
    short = max((stated or 0) - listed, 0)
    if not short:
        return Claim(EVER, True, replace(known, swept_at=second, stated=stated, short=0, short_since=0))
    if short == known.short and known.short_since < second:
        settled = replace(known, swept_at=second, stated=stated)
        return Claim(_unlisted_until(known), True, settled, (LACKING.format(stated=stated, listed=listed),))
    fresh = replace(known, swept_at=0, stated=stated, short=short, short_since=second)
    return Claim(None, False, fresh, (SHORT.format(stated=stated, listed=listed),))


def _unlisted_until(known: Known) -> datetime:
    return _moment(known.short_since) if known.short else EVER


def _moment(epoch: int) -> datetime:
    return datetime.fromtimestamp(epoch, UTC)
