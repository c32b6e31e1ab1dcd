"""The real collector and the real client against the simulated Facebook, day after day."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from collectors import facebook
from collectors.base import CollectError, Look, Wallet
from collectors.client import Client
from collectors.consent import Asking
from collectors.facebook.consent import CONSENT, pages
from config.models import Channel, Owner
from config.platforms import Facebook, Platforms
from config.secrets import Secret
from pipeline.demo.facebook import APP_ID, APP_SECRET, seed_tokens, system_token
from pipeline.demo.host import hosted
from pipeline.demo.world import Account, Item, Spell, Trouble, World
from store.records import FailureKind, Reading, Source
from tests.collector_contract import HCMC
from tests.wallets import FixedWallet, credentials

START = datetime(2026, 1, 5, tzinfo=UTC)
FIRST = datetime(2026, 9, 1, 14, 30, tzinfo=UTC)
DAY = timedelta(days=1)
KINDS = ("photo", "video", "photo", "reel", "share")


def items(count: int) -> list[Item]:
    return [
        Item(number, START + number * DAY * 0.7, f"Tin số {number} (mẫu)", "Dữ liệu minh họa.", KINDS[number % 5])
        for number in range(1, count + 1)
    ]


def account(*spells: Spell, followers: int = 800) -> Account:
    return Account(
        slug="trang-mau",
        platform="facebook",
        id="100200300400500",
        handle="trang.mau",
        name="Trang mẫu (mẫu)",
        opened_at=START,
        items=items(420),
        audience=[followers + day // 10 for day in range(400)],
        spells=spells,
    )


def trouble(what: Trouble, start: datetime = FIRST, days: float = 1) -> Spell:
    return Spell(what, start - DAY / 24, start + days * DAY)


class Story:
    """One Page, looked at again and again by one process."""

    def __init__(self, page: Account, wallet: Wallet | None = None) -> None:
        self.page, self.world = page, World(7, START, START + 400 * DAY, [page])
        token = seed_tokens(self.world)[page.slug].access_token
        self.wallet = wallet or FixedWallet({"facebook": credentials(token, app_secret=APP_SECRET)})
        self.memory: dict[str, Any] = {}
        self.now, self.cursor, self.violations = FIRST, dict[str, Any](), list[str]()
        self.requests = 0

    def tell(self, moments: Iterable[datetime]) -> list[Reading | CollectError]:
        with hosted(self.world, lambda: self.now) as host:
            told = [asyncio.run(self._look(host.addresses["facebook.base"], now)) for now in moments]
            self.violations += host.diary.violations
            self.requests += host.diary.total("facebook")
        assert self.violations == []
        return told

    async def _look(self, base: str, now: datetime) -> Reading | CollectError:
        self.now = now
        owners = (Owner(unit="doan-mau", start=date(2020, 1, 1)),)
        channel = Channel(
            slug=self.page.slug, platform="facebook", name="Trang mẫu", address=self.page.handle, owners=owners
        )
        place = base.removeprefix("http://")
        async with Client(contact="mau@doan.example", allow=[place], gap_seconds=0, tries=1) as client:
            look = Look(client, now, HCMC, self.cursor, Platforms(facebook=Facebook(base=base)))
            look.wallet, look.memory = self.wallet, self.memory
            try:
                reading = await facebook.collect(channel, look)
            except CollectError as error:
                return error
        self.cursor = dict(reading.cursor)
        return reading


def one(story: Story, now: datetime = FIRST) -> Reading:
    (told,) = story.tell([now])
    assert isinstance(told, Reading), told
    return told


def refused(what: Trouble) -> CollectError:
    (told,) = Story(account(trouble(what))).tell([FIRST])
    assert isinstance(told, CollectError)
    return told


def test_a_first_look_brings_every_post_every_reel_and_the_history() -> None:
    story = Story(account())
    reading = one(story)
    published = [item for item in story.page.items if item.published_at <= FIRST]
    assert len(reading.posts) == len(published)
    assert {post.published_at for post in reading.posts} == {
        item.published_at.replace(microsecond=0) for item in published
    }
    assert {post.kind for post in reading.posts} == {"photo", "video", "reel", "share"}
    live, *days = reading.snapshots
    assert live.followers == story.page.followers(FIRST)
    assert len(days) > 220
    assert all(day.followers == story.page.followers(day.observed_at) for day in days)
    assert reading.complete


def test_a_month_of_looks_misses_nothing_and_brings_no_day_twice() -> None:
    story = Story(account())
    told = story.tell(FIRST + number * DAY / 2 for number in range(60))
    days = [
        s.observed_at
        for r in told
        if isinstance(r, Reading)
        for s in r.snapshots
        if s.source is not Source.FACEBOOK_PAGE
    ]
    assert len(days) == len(set(days))
    seen: set[str] = set()
    for reading in told:
        assert isinstance(reading, Reading)
        assert reading.complete
        seen |= {post.platform_id for post in reading.posts}
    assert len(seen) == len([item for item in story.page.items if item.published_at <= story.now])
    assert story.requests < 60 * 6


REFUSED: Mapping[Trouble, FailureKind] = {
    Trouble.TOKEN_DEAD: FailureKind.AUTH,
    Trouble.PERMISSION: FailureKind.PERMISSION,
    Trouble.THROTTLED: FailureKind.THROTTLED,
    Trouble.OUTAGE: FailureKind.NETWORK,
    Trouble.HTML: FailureKind.DRIFT,
    Trouble.UNPUBLISHED: FailureKind.PERMISSION,
}


@pytest.mark.parametrize("what", REFUSED)
def test_trouble_is_a_failed_look_and_never_a_count(what: Trouble) -> None:
    error = refused(what)
    assert error.kind is REFUSED[what]
    assert (error.retry_at is not None) == (what is Trouble.THROTTLED)


def test_too_much_data_is_read_in_smaller_pieces() -> None:
    assert len(one(Story(account(trouble(Trouble.TOO_MUCH_DATA)))).posts) == len(one(Story(account())).posts)


def test_reels_that_cannot_be_read_are_told() -> None:
    reading = one(Story(account(trouble(Trouble.REELS_DENIED))))
    assert "reel" not in {post.kind for post in reading.posts}
    assert any("Reels" in note for note in reading.notes)


def test_a_small_page_has_no_history() -> None:
    reading = one(Story(account(followers=40)))
    assert [snapshot.source for snapshot in reading.snapshots] == [Source.FACEBOOK_PAGE]
    assert any("dưới 100" in note for note in reading.notes)


def test_the_token_of_a_system_user_opens_the_page() -> None:
    world = World(7, START, START + 400 * DAY, [account()])
    shared = FixedWallet({"facebook": credentials(system_token(world), shared=True, app_secret=APP_SECRET)})
    reading = one(Story(account(), shared))
    assert len(reading.snapshots) > 220


def test_a_consent_becomes_a_token_that_lists_the_page_and_can_be_inspected() -> None:
    page = account()
    world = World(7, START, START + 400 * DAY, [page])
    assert CONSENT.inspect is not None

    async def consent(base: str, inspect: Any) -> None:
        settings = Platforms(
            facebook=Facebook(base=base, consent=base, app_id=APP_ID, redirect="https://doan.example/x")
        )
        place = base.removeprefix("http://")
        async with Client(contact="mau@doan.example", allow=[place], gap_seconds=0, tries=1) as client:
            asking = Asking(client, settings, Secret(APP_SECRET), FIRST)
            sent = await client.get(CONSENT.address(settings, "mau-state", ""), expect={302})
            code = sent.headers["location"].partition("code=")[2].partition("&")[0]
            grant = await CONSENT.exchange(asking, code, "")
            assert grant.access_expires_at == FIRST + timedelta(days=60)
            assert set(CONSENT.scopes) <= set(grant.scopes)
            health = await inspect(asking, grant.access)
            assert (health.is_valid, health.missing) == (True, ())
            assert [(found.id, found.username) for found in await pages(asking, grant.access)] == [
                (page.id, page.handle)
            ]
            with pytest.raises(CollectError) as caught:
                await CONSENT.exchange(asking, code, "")
            assert caught.value.kind is FailureKind.AUTH

    with hosted(world, lambda: FIRST) as host:
        asyncio.run(consent(host.addresses["facebook.base"], CONSENT.inspect))
        assert host.diary.violations == []
