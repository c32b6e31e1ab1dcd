"""The collector against the simulated YouTube, which complains about every request that the real one would refuse."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from collectors import youtube
from collectors.base import CollectError, Credentials, Look
from collectors.client import Client
from collectors.consent import Asking
from config.models import Channel, Owner
from config.platforms import Platforms, YouTube
from config.secrets import Secret
from pipeline.demo import youtube as demo
from pipeline.demo.world import DAY, Account, Trouble, World
from store.records import EVER, FailureKind, Precision, Reading, Source
from tests.collector_contract import HCMC, ids
from tests.simulated import NOW, Simulated, account, daily, item, simulated, world
from tests.wallets import FixedWallet

CHANNEL = "UCaaaaaaaaaaaaaaaaaaaaaA"
KEY = Credentials(api_key=Secret(demo.API_KEY))
NEWEST = NOW - timedelta(hours=3)


def tube(*troubles: Trouble, count: int = 60, **more: Any) -> Account:
    return account("youtube", daily(count, NEWEST, kind="video"), *troubles, id=CHANNEL, handle="@doanmau", **more)


class District:
    """One channel on a running simulated YouTube, and the looks at it."""

    def __init__(self, served: Simulated, there: World, *, address: str) -> None:
        self.served, self.address = served, address
        self.token = demo.seed_tokens(there)["youtube-mau"]
        self.cursor: Any = {}

    def platforms(self) -> Platforms:
        url = f"http://{self.served.netloc}"
        bases = {"base": url, "feeds_base": url, "analytics_base": url, "oauth_base": url, "consent": url}
        return Platforms(youtube=YouTube.model_validate({"app_id": demo.CLIENT_ID, **bases}))

    def look(self, at: datetime = NOW, credentials: Credentials = KEY) -> Reading:
        self.served.clock.now = at
        reading = asyncio.run(self._look(at, credentials))
        self.cursor = reading.cursor
        return reading

    async def _look(self, at: datetime, credentials: Credentials) -> Reading:
        owners = (Owner(unit="doan-mau", start=date(2020, 1, 1)),)
        channel = Channel(slug="youtube-mau", platform="youtube", name="Kênh mẫu", address=self.address, owners=owners)
        async with self._client() as client:
            wallet = FixedWallet({"youtube": credentials})
            look = Look(client, at, HCMC, self.cursor, self.platforms(), wallet, back_to=NOW - 400 * DAY)
            return await youtube.collect(channel, look)

    def _client(self) -> Client:
        return Client(contact="mau@doan.example", allow=[self.served.netloc], gap_seconds=0, tries=1)

    async def _refresh(self, at: datetime) -> Credentials:
        async with self._client() as client:
            asking = Asking(client, self.platforms(), Secret(demo.CLIENT_SECRET), at)
            assert youtube.CONSENT.refresh
            assert self.token.refresh_token
            grant = await youtube.CONSENT.refresh(asking, Secret(self.token.refresh_token))
        return Credentials(access=grant.access)

    def owner(self, at: datetime = NOW) -> Credentials:
        """An access token for this moment, by the refresh token of the simulated owner."""
        self.served.clock.now = at
        return asyncio.run(self._refresh(at))


@contextmanager
def district(one: Account, address: str = "https://www.youtube.com/@doanmau", **options: Any) -> Iterator[District]:
    there = world(one)
    with simulated(demo, there, **options) as served:
        yield District(served, there, address=address)
        assert served.diary.violations == []


def test_a_first_look_reads_every_video():
    with district(tube(count=120)) as here:
        reading = here.look()
    assert len(set(ids(reading.posts))) == 120
    assert (reading.coverage_from, reading.complete, reading.notes) == (EVER, True, ())
    assert {post.published_at for post in reading.posts} == {NEWEST - back * DAY for back in range(120)}
    shown = reading.snapshots[0]
    assert (shown.source, shown.precision) == (Source.YOUTUBE_KEY, Precision.FLOOR3)
    assert shown.followers
    assert shown.followers % 100 == 0


def test_daily_looks_find_every_new_video_and_ask_little():
    with district(replace(tube(count=60), items=daily(90, NEWEST + 30 * DAY, kind="video"))) as here:
        readings = [here.look(NOW + day * DAY) for day in range(31)]
        assert here.served.diary.total("youtube") <= 5 * 31
    found = {post.platform_id for reading in readings for post in reading.posts}
    assert len(found) == 90
    assert all(reading.complete for reading in readings)


def test_a_quiet_channel_is_unchanged_day_after_day():
    with district(tube()) as here:
        here.look()
        reading = here.look(NOW + DAY)
    assert reading.unchanged
    assert reading.coverage_from == EVER
    assert all(post.counts for post in reading.posts)


def test_a_scheduled_video_appears_when_it_is_published_and_a_live_when_it_starts():
    scheduled = item(61, NOW + DAY / 2, kind="video", uploaded_at=NOW - 20 * DAY)
    live = item(62, NOW + DAY / 2, kind="live", uploaded_at=NOW - 2 * DAY)
    with district(replace(tube(), items=[*daily(60, NEWEST, kind="video"), scheduled, live])) as here:
        assert len(here.look().posts) == 60
        later = here.look(NOW + DAY)
    new = {post.kind for post in later.posts if post.published_at == NOW + DAY / 2}
    assert new == {"video", "live"}


def test_an_empty_channel_has_no_posts_and_no_error():
    with district(tube(count=0)) as here:
        reading = here.look()
    assert (reading.posts, reading.coverage_from, reading.complete) == ((), EVER, True)


def test_without_the_batch_method_counts_still_come():
    with district(tube(count=60), batch_stats=False) as here:
        first = here.look()
        here.cursor = {**first.cursor, "etag": ""}
        later = here.look(NOW + DAY)
    assert sum(post.counts is not None for post in later.posts) >= 6


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [
        (Trouble.UNPUBLISHED, FailureKind.GONE),
        (Trouble.OUTAGE, FailureKind.NETWORK),
        (Trouble.HTML, FailureKind.DRIFT),
        (Trouble.THROTTLED, FailureKind.THROTTLED),
    ],
)
def test_troubles_are_failed_looks(trouble, kind):
    with district(tube(trouble)) as here, pytest.raises(CollectError) as caught:
        here.look()
    assert caught.value.kind is kind


def test_hidden_subscribers_are_missing():
    with district(tube(Trouble.HIDDEN)) as here:
        assert here.look().snapshots[0].followers is None


def test_a_spent_quota_is_a_failed_look():
    with district(tube(), quota=2) as here, pytest.raises(CollectError) as caught:
        here.look()
    assert caught.value.kind is FailureKind.QUOTA


def test_the_feed_stands_in_without_a_key_and_its_outage_is_not_the_end_of_the_channel():
    address = f"https://www.youtube.com/channel/{CHANNEL}"
    with district(tube(), address) as here:
        reading = here.look(credentials=Credentials())
    assert len(reading.posts) == 15
    with district(tube(Trouble.FEED_DOWN), address) as here, pytest.raises(CollectError) as caught:
        here.look(credentials=Credentials())
    assert caught.value.kind is FailureKind.NETWORK


def test_the_owner_gets_earlier_days_when_the_first_look_is_settled():
    audience = [100 + day // 5 for day in range(1300)]
    with district(tube(audience=audience)) as here:
        readings = [here.look(NOW + day * DAY, here.owner(NOW + day * DAY)) for day in range(12)]
    rebuilt = [one for reading in readings for one in reading.snapshots if one.source is Source.YOUTUBE_ANALYTICS]
    assert {reading.snapshots[0].source for reading in readings} == {Source.YOUTUBE_OWNER}
    assert len({one.observed_at for one in rebuilt}) > 300
    for one in rebuilt:
        passed = (one.observed_at - tube().opened_at) // DAY
        assert one.followers is not None
        assert abs(one.followers - audience[passed]) <= 1


def test_an_owner_who_took_the_consent_back_has_to_come_again():
    with district(tube(Trouble.TOKEN_DEAD)) as here, pytest.raises(CollectError) as caught:
        here.owner()
    assert caught.value.kind is FailureKind.AUTH
    assert "nhip connect youtube" in caught.value.sentence
