"""The account's own counts: exact, and of this moment only, because TikTok keeps no history of them."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from urllib.parse import urlencode

import msgspec
from msgspec import UNSET, UnsetType

from collectors.base import CollectError, Look
from collectors.door import Door
from collectors.payload import Count
from collectors.refusals import understood
from collectors.tiktok.errors import TIKTOK, judge
from config.secrets import Secret
from store.records import FailureKind, Snapshot, Source

SCOPE = "user.info.stats"
FIELDS = ("follower_count", "likes_count", "video_count")
"""All we ask about an account; names, pictures and ids are left where they are."""
NO_STATS = (
    f"Chủ kênh TikTok chưa cho quyền «{SCOPE}» nên không đọc được số người theo dõi. "
    "Đề nghị kết nối lại kênh và đánh dấu quyền này."
)


class Stats(msgspec.Struct):
    """A count is a number, null (not shown) or not there at all (the scope is missing)."""

    follower_count: Count | UnsetType | None = UNSET
    likes_count: Count | UnsetType | None = UNSET
    video_count: Count | UnsetType | None = UNSET


class User(msgspec.Struct):
    user: Stats


class UserAnswer(msgspec.Struct):
    data: User


async def read_stats(door: Door) -> Stats:
    """One call of `user/info`."""
    return await door.through(partial(_ask, door.look))


async def _ask(look: Look, token: Secret) -> Stats:
    answer = await look.get(
        f"{look.platforms.tiktok.base.rstrip('/')}/v2/user/info/?{urlencode({'fields': ','.join(FIELDS)})}",
        secrets={"Authorization": f"Bearer {token.reveal()}"},
        expect=range(400, 600),
        judge=lambda answer: judge(answer, look.now, SCOPE),
    )
    return understood(answer.body, UserAnswer, TIKTOK).data.user


def snapshot_of(stats: Stats, scopes: tuple[str, ...], now: datetime) -> Snapshot | None:
    """The counts at this moment; None when the owner did not allow any of them to be read.

    CollectError(DRIFT) when some are there and others are not, or all are gone although the scope was granted.
    """
    counts = (stats.follower_count, stats.likes_count, stats.video_count)
    followers, likes, videos = (None if count is UNSET else count for count in counts)
    if all(count is UNSET for count in counts) and SCOPE not in scopes:
        return None
    if UNSET in counts:
        sentence = f"{TIKTOK} không còn ghi số liệu ở chỗ đã biết. Đề nghị báo người phụ trách kỹ thuật."
        raise CollectError(FailureKind.DRIFT, "user/info without a count it should have", sentence=sentence)
    return Snapshot(now, Source.TIKTOK_DISPLAY, followers=followers, likes=likes, posts=videos)
