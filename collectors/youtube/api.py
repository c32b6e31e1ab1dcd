"""The calls of the Data API and of Analytics: who we are, what a call costs, which parts are asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlencode

from collectors.base import Bucket, CollectError, Credentials, Look
from collectors.refusals import understood
from collectors.youtube.address import Who
from collectors.youtube.errors import GONE, YOUTUBE, RefusedError, drift, refusal
from collectors.youtube.shapes import (
    ChannelItem,
    ChannelPage,
    ListPage,
    OwnPage,
    StatisticsPage,
    Table,
    Video,
    VideoCounts,
    VideoPage,
)
from store.records import FailureKind, Source

if TYPE_CHECKING:
    from collectors.client import Answer

T = TypeVar("T")

UNITS = Bucket("youtube-units", 10_000, "America/Los_Angeles")
BATCH_STATISTICS = Bucket("youtube-batch-statistics", 10_000, "America/Los_Angeles")
BUCKETS = (UNITS, BATCH_STATISTICS)
"""The daily allowances of one Google Cloud project since 1 June 2026; a day ends at midnight Pacific time."""

PARTS = {
    "channels": "snippet,statistics,contentDetails",
    "playlistItems": "snippet,contentDetails,status",
    "videos": "snippet,statistics,liveStreamingDetails",
    "videos:batchGetStats": "statistics",
}
"""All that is ever asked for, per method."""
METRICS = "subscribersGained,subscribersLost"
A_PAGE = 50
GRANT = "youtube"
ERRORS = range(400, 600)


class Api:
    """One look's way to YouTube: with the owner's consent if there is one, else with the key of the project.

    A token that is refused although it should live is renewed once. Every call is metered but Analytics, which
    has no published allowance. All failures are CollectErrors.
    """

    def __init__(self, look: Look, credentials: Credentials) -> None:
        self._look, self._credentials = look, credentials
        self._was_renewed = False

    @property
    def is_owner(self) -> bool:
        return self._credentials.access is not None

    def source(self, channel_id: str) -> Source:
        """What is read with a plain key, or with the consent of another channel, may be kept for 30 days only."""
        is_own = self.is_owner and self._credentials.account in {"", channel_id}
        return Source.YOUTUBE_OWNER if is_own else Source.YOUTUBE_KEY

    async def channel(self, who: Who) -> ChannelItem:
        """The channel; CollectError(GONE) when YouTube does not know it (any more).

        Found by its id and not by its place, so that an answer about more channels does no harm.
        """
        asked = {"part": PARTS["channels"], who.filter: who.name, "maxResults": str(A_PAGE)}
        page = await self._data("channels", asked, ChannelPage)
        if page.page_info.total_results and not page.items:
            raise drift("channels without items")
        for item in page.items:
            if who.filter != "id" or item.id == who.name:
                return item
        raise CollectError(GONE.kind, "channels.list knows no such channel", sentence=GONE.sentence)

    async def own_id(self) -> str:
        """The channel of whoever consented; "" when the account has none."""
        page = await self._data("channels", {"part": "id", "mine": "true"}, OwnPage)
        return page.items[0].id if page.items else ""

    async def uploads(self, playlist: str, token: str = "", etag: str = "") -> tuple[ListPage | None, str]:
        """One page of an uploads list and its ETag; None in place of the page that *etag* still stands for."""
        asked = {"part": PARTS["playlistItems"], "playlistId": playlist, "maxResults": str(A_PAGE)}
        if token:
            asked["pageToken"] = token
        answer = await self._ask("playlistItems", asked, {"If-None-Match": etag} if etag else None)
        if answer.not_modified:
            return None, etag
        page = understood(answer.body, ListPage, YOUTUBE)
        if page.page_info.total_results and not (page.items or token):
            raise drift("an uploads list without items")
        return page, answer.headers.get("etag", "")

    async def videos(self, ids: Collection[str]) -> dict[str, Video]:
        """All we read of these videos; those that are gone or hidden are missing."""
        found: dict[str, Video] = {}
        for some in _fifties(ids):
            page = await self._data("videos", {"part": PARTS["videos"], "id": ",".join(some)}, VideoPage)
            found |= {video.id: video for video in page.items if video.id in some}
        return found

    async def statistics(self, ids: Collection[str]) -> dict[str, VideoCounts] | None:
        """The counts of these videos, from their own allowance; None when YouTube has no such method (any more)."""
        found: dict[str, VideoCounts] = {}
        for some in _fifties(ids):
            asked = {"part": PARTS["videos:batchGetStats"], "id": ",".join(some)}
            try:
                page = await self._data("videos:batchGetStats", asked, StatisticsPage)
            except RefusedError as error:
                if error.status in {404, 501}:
                    return None
                raise
            found |= {video.id: video.statistics for video in page.items if video.id in some}
        return found

    async def daily_subscribers(self, first: date, last: date) -> Table:
        """Subscribers gained and lost per Pacific day, for the channel of whoever consented."""
        asked = {
            "ids": "channel==MINE",
            "startDate": first.isoformat(),
            "endDate": last.isoformat(),
            "metrics": METRICS,
            "dimensions": "day",
        }
        url = f"{self._look.platforms.youtube.analytics_base}/v2/reports?{urlencode(asked, safe='=,')}"
        return understood((await self._get(url, None)).body, Table, YOUTUBE)

    async def _data(self, method: str, asked: Mapping[str, str], shape: type[T]) -> T:
        return understood((await self._ask(method, asked)).body, shape, YOUTUBE)

    async def _ask(self, method: str, asked: Mapping[str, str], headers: Mapping[str, str] | None = None) -> Answer:
        bucket = BATCH_STATISTICS if method == "videos:batchGetStats" else UNITS
        url = f"{self._look.platforms.youtube.base}/youtube/v3/{method}?{urlencode(asked, safe=',')}"
        return await self._get(url, bucket, headers)

    async def _get(self, url: str, bucket: Bucket | None, headers: Mapping[str, str] | None = None) -> Answer:
        try:
            return await self._get_once(url, bucket, headers)
        except RefusedError as error:
            if error.kind is not FailureKind.AUTH or not self.is_owner or self._was_renewed:
                raise
        self._was_renewed = True
        self._credentials = await self._look.wallet.renew(GRANT, self._credentials)
        return await self._get_once(url, bucket, headers)

    async def _get_once(self, url: str, bucket: Bucket | None, headers: Mapping[str, str] | None) -> Answer:
        if bucket:
            self._look.meter.spend(bucket)
        try:
            return await self._look.get(url, headers=headers, secrets=self._secrets(), expect=ERRORS, judge=self._judge)
        except RefusedError as error:
            if bucket and error.kind is FailureKind.QUOTA:
                error.retry_at = self._look.meter.exhaust(bucket)
            raise

    def _secrets(self) -> dict[str, str]:
        if self._credentials.access is not None:
            return {"Authorization": f"Bearer {self._credentials.access.reveal()}"}
        key = self._credentials.api_key
        return {} if key is None else {"X-Goog-Api-Key": key.reveal()}

    def _judge(self, answer: Answer) -> None:
        if answer.status >= 400:
            raise refusal(answer, self._look.now)


def _fifties(ids: Collection[str]) -> Iterator[Sequence[str]]:
    every = list(ids)
    return (every[start : start + A_PAGE] for start in range(0, len(every), A_PAGE))
