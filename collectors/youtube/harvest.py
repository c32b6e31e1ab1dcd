"""The videos of one look as posts: which are asked for, what the list and their details say, what is remembered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from msgspec.structs import replace

from collectors.base import CollectError
from collectors.youtube.api import Api
from collectors.youtube.known import RECENT, Known, Recent, is_due, moment
from collectors.youtube.posts import is_upcoming, post_of_listed, post_of_video, recent_of
from collectors.youtube.shapes import ChannelItem, Listed, Video, VideoCounts, number
from collectors.youtube.uploads import Listing, Plan, is_public, published_at
from store.records import EVER, FailureKind, Post

MOST_UPCOMING = 50

NO_LIST = (
    "YouTube không đưa danh sách video mà cũng không ghi kênh có 0 video, nên lần xem này không đủ để nói đơn vị "
    "chưa có bài. Hệ thống tự đọc lại lần sau."
)
GAP = "Kênh ghi {stated} video công khai, danh sách có {seen} video. Hệ thống đối chiếu lại ở lần đọc toàn bộ sau."
UNSEEN = "{count} video có trong danh sách nhưng YouTube không cho xem chi tiết. Hệ thống tự đọc lại lần sau."
UNCOUNTED = "Hạn mức YouTube hôm nay đã hết nên chưa cập nhật lượt xem của video. Hệ thống tự đọc lại lần sau."


@dataclass(slots=True)
class Harvest:
    """What the videos of one look come to; the fields mean what they mean in a Reading."""

    known: Known
    posts: list[Post] = field(default_factory=list)
    coverage: datetime | None = None
    complete: bool = True
    unchanged: bool = False
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Visit:
    """One look under way."""

    api: Api
    now: datetime
    known: Known
    channel: ChannelItem
    plan: Plan


def without_list(visit: Visit) -> Harvest:
    """A living channel without an uploads list has no public video, if its own count says so too."""
    stated = number(visit.channel.statistics.video_count)
    if stated != 0:
        return Harvest(visit.known, complete=False, notes=[NO_LIST])
    known = replace(remembered(visit), recent={}, etag="", coverage=0)
    return Harvest(known, coverage=EVER)


async def unchanged(visit: Visit) -> Harvest:
    """The list is as it was; the videos whose turn it is are counted again all the same."""
    due = [key for key, one in visit.known.recent.items() if is_due(one, visit.now)]
    videos = await visit.api.videos(dict.fromkeys([*due, *visit.known.upcoming]))
    harvest = Harvest(remembered(visit), unchanged=True)
    harvest.posts, recent = from_details(visit, videos, {})
    harvest.known = replace(harvest.known, recent=still_recent({**visit.known.recent, **recent}, visit.now))
    harvest.known = replace(harvest.known, upcoming=announced(videos.values()))
    if visit.known.coverage is not None:
        harvest.coverage = moment(visit.known.coverage)
    return harvest


async def changed(visit: Visit, listing: Listing) -> Harvest:
    """Details of the videos that are new (of all, on a full sweep), and new counts of those whose turn it is."""
    wanted = {item.id: item for item in listing.items.values() if is_wanted(item, visit)}
    familiar = {} if visit.plan.full else {key: one for key, one in visit.known.recent.items() if key in wanted}
    new = [key for key in wanted if key not in familiar]
    announced_before = [key for key in visit.known.upcoming if key not in familiar]
    videos = await visit.api.videos(dict.fromkeys([*new, *announced_before]))
    harvest = Harvest(remembered(visit))
    counts = await count(visit, [key for key, one in familiar.items() if is_due(one, visit.now)], harvest)
    harvest.posts, recent = from_details(visit, videos, wanted)
    harvest.posts += [post_of_listed(wanted[key], one, counts) for key, one in familiar.items()]
    recent |= {key: counted(one, visit.now) if key in counts else one for key, one in familiar.items()}
    unseen = sum(key not in videos and published_at(wanted[key]) is not None for key in new)
    harvest.complete = not (listing.note or unseen)
    harvest.notes += complaints(visit, listing, unseen)
    harvest.coverage = proved(visit, listing)
    harvest.known = learned(visit, harvest, listing, recent, announced(videos.values()))
    return harvest


def is_wanted(item: Listed, visit: Visit) -> bool:
    """Whether this look tells of a listed video: later looks are about the last weeks only."""
    if not is_public(item):
        return False
    known = visit.known.recent.get(item.id)
    published = known.published if known else published_at(item)
    return visit.plan.full or published is None or moment(published) >= visit.now - RECENT


def from_details(
    visit: Visit, videos: Mapping[str, Video], listed: Mapping[str, Listed]
) -> tuple[list[Post], dict[str, Recent]]:
    """The videos as posts and what to remember of each; those that are only announced are left out."""
    posts, about = [], {}
    for key, video in videos.items():
        if is_upcoming(video):
            continue
        before = visit.known.recent.get(key)
        if key in listed or before is None:
            about[key] = recent_of(video, listed.get(key), visit.now)
        else:
            about[key] = counted(before, visit.now)
        posts.append(post_of_video(video, about[key]))
    return posts, about


async def count(visit: Visit, due: list[str], harvest: Harvest) -> Mapping[str, VideoCounts]:
    """New counts of known videos; none, with a note, when the allowance for them is spent."""
    if not due:
        return {}
    try:
        found = None if visit.known.no_batch else await visit.api.statistics(due)
        if found:
            return found
        harvest.known = replace(harvest.known, no_batch=found is None)
        return {key: video.statistics for key, video in (await visit.api.videos(due)).items()}
    except CollectError as error:
        if error.kind is not FailureKind.QUOTA:
            raise
        harvest.notes.append(UNCOUNTED)
        return {}


def proved(visit: Visit, listing: Listing) -> datetime | None:
    """From when on every video is in this reading."""
    since = listing.proves_from(visit.plan, visit.known.recent)
    if since is not None and not visit.plan.full:
        since = max(since, visit.now - RECENT)
    return since if since is not None and since <= visit.now else None


def complaints(visit: Visit, listing: Listing, unseen: int) -> list[str]:
    notes = [listing.note] if listing.note else []
    if unseen:
        notes.append(UNSEEN.format(count=unseen))
    stated = number(visit.channel.statistics.video_count)
    seen = sum(map(is_public, listing.items.values()))
    if visit.plan.full and listing.ended and stated is not None and stated != seen:
        notes.append(GAP.format(stated=stated, seen=seen))
    return notes


def remembered(visit: Visit) -> Known:
    """What every successful look remembers."""
    now, plan = int(visit.now.timestamp()), visit.plan
    known = replace(visit.known, id=visit.channel.id, looked_at=now)
    if plan.full:
        known = replace(known, full_at=now, since=int(max(plan.wanted, EVER).timestamp()), no_batch=False)
    return replace(known, swept_at=now) if plan.sweep else known


def learned(
    visit: Visit, harvest: Harvest, listing: Listing, recent: Mapping[str, Recent], upcoming: tuple[str, ...]
) -> Known:
    """The cursor after a list was read; after an incomplete look the next one must not hear «unchanged»."""
    proof = harvest.coverage
    unproved = {
        key: one
        for key, one in visit.known.recent.items()
        if key not in recent and (proof is None or moment(one.published) < proof)
    }
    return replace(
        harvest.known,
        etag=listing.etag_for(visit.plan, visit.known.recent, visit.now) if harvest.complete else "",
        coverage=None if proof is None else int(proof.timestamp()),
        recent=still_recent({**unproved, **recent}, visit.now),
        upcoming=upcoming,
    )


def counted(one: Recent, now: datetime) -> Recent:
    return replace(one, counted=int(now.timestamp()))


def still_recent(recent: Mapping[str, Recent], now: datetime) -> dict[str, Recent]:
    return {key: one for key, one in recent.items() if moment(one.published) >= now - RECENT}


def announced(videos: Iterable[Video]) -> tuple[str, ...]:
    return tuple(video.id for video in videos if is_upcoming(video))[:MOST_UPCOMING]
