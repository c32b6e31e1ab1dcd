"""Zalo Official Accounts: the exact number of followers, and articles where the OA lets us list them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec
from msgspec.structs import replace

from collectors.base import Look
from collectors.door import Door, open_door
from collectors.zalo.account import name_of, read_account
from collectors.zalo.articles import KINDS, OVERLAP, Kind, Shelf, read_shelf, to_post
from collectors.zalo.consent import CONSENT
from config.models import Channel
from store.records import EVER, Post, Reading, Snapshot, Source

__all__ = ["CONSENT", "collect"]

WEEK = timedelta(days=7)
ASLEEP = "Zalo chưa cho đọc bài viết của OA nên chỉ có số người quan tâm. Hệ thống hỏi lại mỗi tuần một lần."
EMPTIED = "Danh sách bài viết của OA bỗng trống. Đề nghị mở OA kiểm tra; hệ thống tự đọc lại ở lần sau."

Epoch = Annotated[int, msgspec.Meta(ge=0, le=4_000_000_000)]


class Known(msgspec.Struct, frozen=True, omit_defaults=True):
    """The cursor of a reading; lost, the next look relearns it. Moments are epoch seconds."""

    name: str = ""
    newest: dict[Kind, Epoch] = {}
    swept_at: dict[Kind, Epoch] = {}
    """When all articles of a kind were last read."""
    denied_at: dict[Kind, Epoch] = {}
    """When Zalo last refused to list a kind."""


async def collect(channel: Channel, look: Look) -> Reading:
    """The followers now; the articles since the moment the reading states, when they can be read.

    CollectError when the OA could not be read, and when another OA than the channel's was connected.
    """
    name = name_of(channel.address)
    known = known_from(look.cursor, name)
    door = await open_door(channel, look, "zalo")
    account = await read_account(door, name)
    live = Snapshot(look.now, Source.ZALO_OA, followers=account.num_follower)
    shelves = {kind: await _shelf(door, kind, known) for kind in KINDS}
    for kind, shelf in shelves.items():
        known = learned(known, kind, shelf, look.now)
    coverages = [shelf.coverage for shelf in shelves.values()]
    return Reading(
        snapshots=() if account.num_follower is None else (live,),
        posts=posts_of(shelves),
        coverage_from=None if None in coverages else max(filter(None, coverages)),
        complete=all(shelf.complete for shelf in shelves.values()),
        notes=tuple(dict.fromkeys(note for shelf in shelves.values() for note in shelf.notes)),
        cursor=msgspec.to_builtins(known),
    )


def known_from(cursor: Mapping[str, Any], name: str) -> Known:
    """What the cursor says; nothing when it is damaged, foreign or about another OA."""
    try:
        known = msgspec.convert(dict(cursor), Known)
    except msgspec.ValidationError:
        return Known(name=name)
    return known if known.name == name else Known(name=name)


async def _shelf(door: Door, kind: Kind, known: Known) -> Shelf:
    """The articles of one kind; what Zalo refused is asked for again after a week."""
    now = door.look.now
    if _is_fresh(known.denied_at.get(kind), now):
        return Shelf(notes=(ASLEEP,))
    newest = known.newest.get(kind)
    is_daily = newest is not None and _is_fresh(known.swept_at.get(kind), now)
    floor = min(_moment(newest), now) - OVERLAP if newest is not None and is_daily else None
    shelf = await read_shelf(door, kind, floor)
    if newest is not None and shelf.coverage and not shelf.medias:
        return Shelf(complete=False, notes=(EMPTIED,))
    return shelf


def learned(known: Known, kind: Kind, shelf: Shelf, now: datetime) -> Known:
    """What to remember after one kind was read."""
    second = int(now.timestamp())
    if shelf.denied:
        known = replace(known, denied_at={**known.denied_at, kind: second})
    if shelf.medias:
        newest = max(media.create_date for media in shelf.medias.values()) // 1000
        known = replace(known, newest={**known.newest, kind: newest})
    if shelf.complete and shelf.coverage == EVER:
        known = replace(known, swept_at={**known.swept_at, kind: second})
    return known


def posts_of(shelves: Mapping[Kind, Shelf]) -> tuple[Post, ...]:
    """What the public can see, each post once."""
    shown = {
        media.id: to_post(media, kind)
        for kind, shelf in shelves.items()
        for media in shelf.medias.values()
        if media.status == "show"
    }
    return tuple(shown.values())


def _is_fresh(second: int | None, now: datetime) -> bool:
    return second is not None and timedelta() <= now - _moment(second) < WEEK


def _moment(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)
