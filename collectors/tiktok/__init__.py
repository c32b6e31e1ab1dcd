"""TikTok accounts whose owners consented: counts and videos by the Display API, 60 days of history by another one."""

from __future__ import annotations

import re
from datetime import UTC

from msgspec.structs import replace

from collectors.base import CollectError, Look
from collectors.door import open_door
from collectors.tiktok import business
from collectors.tiktok.consent import BUSINESS_CONSENT, CONSENT
from collectors.tiktok.known import Known, claim_of, cursor_of, known_from
from collectors.tiktok.profile import NO_STATS, read_stats, snapshot_of
from collectors.tiktok.videos import End, Video, dates_disagree, handles, list_videos, to_post
from config.models import Channel
from store.records import FailureKind, Reading, Snapshot

__all__ = ["BUSINESS_CONSENT", "CONSENT", "collect", "collect_business"]

ADDRESS = re.compile(r"(?:https?://(?:www\.|m\.)?tiktok\.com/@|@?)([\w.]{2,60})/?(?:\?.*)?", re.IGNORECASE | re.ASCII)
BAD_ADDRESS = (
    "Địa chỉ «{address}» không phải kênh TikTok. Đề nghị ghi dạng «https://www.tiktok.com/@ten-kenh» "
    "hoặc «@ten-kenh» trong channels.toml."
)
OTHER_ACCOUNT = (
    "Tài khoản TikTok đã kết nối không phải «@{wanted}» như trong channels.toml. "
    "Đề nghị kết nối lại đúng tài khoản, hoặc sửa địa chỉ nếu kênh đã đổi tên."
)
ODD_DATES = "Ngày đăng TikTok ghi không khớp mã số của phần lớn video. Đề nghị báo người phụ trách kỹ thuật kiểm tra."


async def collect(channel: Channel, look: Look) -> Reading:
    """The account's counts now, its videos since the moment the reading states, and past days where they are open.

    CollectError when it could not be read, and when another account than the channel's was connected.
    """
    handle = handle_of(channel.address)
    known = known_from(look.cursor, handle)
    door = await open_door(channel, look, "tiktok")
    live = snapshot_of(await read_stats(door), door.creds.scopes, look.now)
    stated = live.posts if live else None
    listing = await list_videos(door, known.floor(look.now))
    if listing.end is End.FAR_ENOUGH and known.misses_some(listing, stated):
        listing = await list_videos(door, None)
    videos = list(listing.videos.values())
    refuse_other_account(videos, handle)
    claim = claim_of(listing, stated, known, look.now)
    past, known = await _history(look, claim.known, {handle, *handles(videos)})
    notes = (*claim.notes, *past.notes, *([] if live else [NO_STATS]), *([ODD_DATES] if dates_disagree(videos) else []))
    return Reading(
        snapshots=_all(live, past.snapshots),
        posts=tuple(map(to_post, videos)),
        coverage_from=claim.coverage,
        complete=claim.complete,
        notes=notes,
        cursor=cursor_of(known),
    )


async def collect_business(channel: Channel, look: Look) -> Reading:
    """The past days that the Business Accounts API holds, and nothing else: for trying a new consent.

    CollectError when they could not be read, and when another account than the channel's was connected.
    """
    door = await open_door(channel, look, business.GRANT)
    account = await business.read_account(door, {handle_of(channel.address)})
    return Reading(business.settled(account.metrics or (), None, look.now.astimezone(UTC).date()))


def handle_of(address: str) -> str:
    """The account's name in lower case; CollectError when the address names none."""
    match = ADDRESS.fullmatch(address.strip())
    if match is None:
        raise CollectError(FailureKind.GONE, "no TikTok address", sentence=BAD_ADDRESS.format(address=address))
    return match[1].lower()


def refuse_other_account(videos: list[Video], handle: str) -> None:
    """A person who consents while logged in to a private account would give us that account's videos."""
    found = handles(videos)
    if found and handle not in found:
        sentence = OTHER_ACCOUNT.format(wanted=handle)  # not whose it is: that may be a person's name
        raise CollectError(FailureKind.AUTH, "another account was connected", sentence=sentence)


async def _history(look: Look, known: Known, names: set[str]) -> tuple[business.History, Known]:
    """Past days, asked for at most once a UTC day, and what to remember of them; *names* are the account's own."""
    today = look.now.astimezone(UTC).date()
    if known.business_on == today:
        return business.History(), known
    past = await business.read_history(look, known.business_until, names)
    until = max((one.observed_at.date() for one in past.snapshots), default=None)
    last = known.business_until if until is None else until - business.A_DAY
    return past, replace(known, business_on=today, business_until=last)


def _all(live: Snapshot | None, past: tuple[Snapshot, ...]) -> tuple[Snapshot, ...]:
    return (live, *past) if live else past
