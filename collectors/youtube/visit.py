"""One look at one channel: its counts, its videos, and what is rebuilt of earlier days."""

from __future__ import annotations

from msgspec.structs import replace

from collectors.base import Look
from collectors.youtube import feed
from collectors.youtube.address import Who, read_address
from collectors.youtube.api import GRANT, Api
from collectors.youtube.errors import RefusedError
from collectors.youtube.harvest import Harvest, Visit, changed, unchanged, without_list
from collectors.youtube.history import rebuild
from collectors.youtube.known import cursor_of, known_of
from collectors.youtube.posts import snapshot_of
from collectors.youtube.uploads import plan_of, read_uploads
from config.models import Channel
from store.records import Reading

HIDDEN = (
    "Kênh đang ẩn số người đăng ký nên không có số này. Đề nghị chủ kênh hiện số người đăng ký, "
    "hoặc nhập số từ YouTube Studio."
)


async def collect(channel: Channel, look: Look) -> Reading:
    """The channel's counts now, its videos, and with the owner's consent its subscribers on earlier days.

    Without consent and key the public feed is read: the newest videos, and no count of the channel. A channel
    that YouTube does not know (any more) is CollectError(GONE), a spent allowance CollectError(QUOTA).
    """
    who = read_address(channel.address)
    known = known_of(look.cursor, channel.address)
    credentials = await look.wallet.open(GRANT)
    if credentials.access is None and credentials.api_key is None:
        return await feed.read(look, known, who)
    api = Api(look, credentials)
    item = await api.channel(Who("id", known.id) if known.id else who)
    visit = Visit(api, look.now, known, item, plan_of(known, look.now, look.horizon))
    snapshot = snapshot_of(item, look.now, api.source(item.id))
    harvest = await read_videos(visit)
    if snapshot.followers is None:
        harvest.notes.append(HIDDEN)
    rebuilt = await rebuild(api, snapshot, harvest.known, opened_at=item.snippet.published_at)
    return Reading(
        snapshots=(snapshot, *rebuilt.snapshots),
        posts=tuple(harvest.posts),
        coverage_from=harvest.coverage,
        complete=harvest.complete,
        unchanged=harvest.unchanged,
        notes=(*harvest.notes, *rebuilt.notes),
        cursor=cursor_of(replace(harvest.known, past=rebuilt.past)),
    )


async def read_videos(visit: Visit) -> Harvest:
    """The videos of a channel that is known to live."""
    playlist = visit.channel.content_details.related_playlists.uploads
    try:
        listing = await read_uploads(visit.api, playlist, visit.plan, visit.known.recent)
    except RefusedError as error:
        if error.reason != "playlistNotFound":
            raise
        return without_list(visit)
    if listing is None:
        return await unchanged(visit)
    return await changed(visit, listing) if listing.items else without_list(visit)
