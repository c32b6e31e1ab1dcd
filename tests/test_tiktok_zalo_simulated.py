"""The real collectors and consents of TikTok and Zalo against the simulated platforms: a spring full of trouble."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from http.client import HTTPConnection
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from collectors import tiktok, zalo
from collectors.base import CollectError, Credentials, Look
from collectors.client import Client
from collectors.consent import Asking, Consent, Grant
from config.models import Channel, Owner, PlatformName
from config.platforms import Platforms, TikTok, Zalo
from config.secrets import Secret
from pipeline.demo import tiktok as simulated_tiktok
from pipeline.demo import tiktok_business
from pipeline.demo import zalo as simulated_zalo
from pipeline.demo.host import Hosted, hosted
from pipeline.demo.world import Account, Item, Spell, Trouble, World
from store.records import EVER, FailureKind, Reading, Source
from tests.collector_contract import HCMC
from tests.wallets import FixedWallet

START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
BACK = "https://doan-mau.example/ve"
VERIFIER = "mau-verifier-0123456789-0123456789-0123456789"
TROUBLES = (
    Trouble.TOKEN_DEAD,
    Trouble.PERMISSION,
    Trouble.THROTTLED,
    Trouble.OUTAGE,
    Trouble.HTML,
    Trouble.EMPTY_WITH_MORE,
    Trouble.SHORT_LIST,
)
CONSENTS: dict[str, tuple[Consent, str]] = {
    "tiktok": (tiktok.CONSENT, simulated_tiktok.CLIENT_SECRET),
    "tiktok-business": (tiktok.BUSINESS_CONSENT, tiktok_business.CLIENT_SECRET),
    "zalo": (zalo.CONSENT, simulated_zalo.APP_SECRET),
}
COLLECT = {"tiktok": tiktok.collect, "zalo": zalo.collect}
ADDRESSES = {"tiktok": "@doanmau", "zalo": "123456789"}


def account(platform: str, id: str, *, handle: str = "doanmau", slug: str = "") -> Account:  # noqa: A002 - the world's word
    """An item every thirty hours; one trouble every fifth day from the sixtieth on, for a day each."""
    items = [
        Item(i + 1, START + timedelta(hours=30 * i + 5), f"Tin tốt {i} (mẫu)", "Dữ liệu minh họa", kind="video")
        for i in range(120)
    ]
    spells = [Spell(one, START + DAY * (60 + 5 * i), START + DAY * (61 + 5 * i)) for i, one in enumerate(TROUBLES)]
    audience = range(1000, 1400)
    slug = slug or f"{platform}-mau"
    return Account(slug, platform, id, handle, "Đoàn Mẫu", START, items, audience, spells)


@dataclass
class Story:
    """The platforms at `now`, the tokens we hold, and what the looks left behind."""

    served: Hosted
    world: World
    now: datetime = START
    held: dict[str, Credentials] = field(default_factory=dict)
    cursors: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def platforms(self) -> Platforms:
        at = self.served.addresses
        return Platforms(
            tiktok=TikTok(
                base=at["tiktok.base"],
                business_base=at["tiktok.business_base"],
                consent=at["tiktok.consent"],
                app_id=simulated_tiktok.CLIENT_KEY,
                business_app_id=tiktok_business.CLIENT_ID,
                redirect=BACK,
            ),
            zalo=Zalo(
                base=at["zalo.base"], oauth_base=at["zalo.oauth_base"], app_id=simulated_zalo.APP_ID, redirect=BACK
            ),
        )

    def client(self) -> Client:
        allow = [urlsplit(address).netloc for address in self.served.addresses.values()]
        return Client(contact="mau@doan.example", allow=allow, gap_seconds=0, tries=1, now=lambda: self.now)

    def connect(self, grant: str, slug: str = "") -> None:
        """As a person does it: say yes on the consent page, bring the code back; then refresh at once."""
        consent, _ = CONSENTS[grant]
        page = consent.address(self.platforms, "mau-state", VERIFIER)
        back = redirected(f"{page}&account={slug}" if slug else page)
        assert back["state"] == "mau-state"
        self.refresh(grant, asyncio.run(self._exchange(grant, back["code"])).refresh)

    def refresh(self, grant: str, token: Secret | None) -> None:
        assert token
        fresh = asyncio.run(self._refresh(grant, token))
        self.held[grant] = Credentials(fresh.access, scopes=fresh.scopes, account=fresh.account)

    def look(self, platform: PlatformName) -> Reading:
        reading = asyncio.run(self._look(platform))
        self.cursors[platform] = reading.cursor
        return reading

    async def _exchange(self, grant: str, code: str) -> Grant:
        consent, secret = CONSENTS[grant]
        async with self.client() as client:
            return await consent.exchange(Asking(client, self.platforms, Secret(secret), self.now), code, VERIFIER)

    async def _refresh(self, grant: str, token: Secret) -> Grant:
        consent, secret = CONSENTS[grant]
        assert consent.refresh
        async with self.client() as client:
            return await consent.refresh(Asking(client, self.platforms, Secret(secret), self.now), token)

    async def _look(self, platform: PlatformName) -> Reading:
        owners = (Owner(unit="doan-mau", start=date(2020, 1, 1)),)
        channel = Channel(
            slug=f"{platform}-mau", platform=platform, name="Mẫu", address=ADDRESSES[platform], owners=owners
        )
        async with self.client() as client:
            look = Look(client, self.now, HCMC, self.cursors.get(platform, {}), self.platforms, FixedWallet(self.held))
            return await COLLECT[platform](channel, look)


def redirected(page: str) -> dict[str, str]:
    """What the consent page sends back, after the person said yes."""
    parts = urlsplit(page)
    line = HTTPConnection(parts.netloc, timeout=10)
    line.request("GET", f"{parts.path}?{parts.query}")
    location = line.getresponse().getheader("location") or ""
    line.close()
    return dict(parse_qsl(urlsplit(location).query))


@contextmanager
def told(more: Sequence[Account] = ()) -> Iterator[Story]:
    """A story at its beginning; at its end nobody asked for what must not be asked."""
    world = World(7, START, START + 365 * DAY, [account("tiktok", "-000mau"), account("zalo", "123456789"), *more])
    clock: list[Story] = []
    with hosted(world, lambda: clock[0].now if clock else START) as served:
        clock.append(Story(served, world))
        yield clock[0]
        assert served.diary.violations == []


def moment(day: int) -> datetime:
    return START + DAY * day + timedelta(hours=14)


def outcomes(story: Story, platform: PlatformName, days: range) -> dict[int, FailureKind | Reading]:
    """One look on each day, with fresh tokens except on the day when the owner takes the consent back."""
    found: dict[int, FailureKind | Reading] = {}
    for day in days:
        story.now = moment(day)
        if day != 60:
            story.connect(platform)
        try:
            found[day] = story.look(platform)
        except CollectError as error:
            found[day] = error.kind
    return found


def assert_claims_are_true(reading: Reading, true: set[datetime]) -> None:
    found = {post.published_at for post in reading.posts}
    assert found <= true
    if reading.coverage_from is not None:
        assert {at for at in true if at > reading.coverage_from} <= found


@pytest.mark.parametrize("platform", COLLECT)
def test_a_spring_of_trouble_ends_with_every_post_and_no_false_claim(platform: PlatformName):
    with told() as story:
        story.held[platform] = Credentials(Secret("mau-dead"))
        found = outcomes(story, platform, range(55, 100))
        (account,) = story.world.on(platform).values()
        true = {day: {item.published_at for item in account.public(moment(day))} for day in found}
    assert {day: outcome for day, outcome in found.items() if not isinstance(outcome, Reading)} == {
        60: FailureKind.AUTH,
        65: FailureKind.PERMISSION,
        70: FailureKind.THROTTLED,
        75: FailureKind.NETWORK,
        80: FailureKind.DRIFT,
    }
    readings = {day: reading for day, reading in found.items() if isinstance(reading, Reading)}
    for day, reading in readings.items():
        assert_claims_are_true(reading, true[day])
    assert {post.published_at for reading in readings.values() for post in reading.posts} == true[99]
    unsure = {85, 90} if platform == "tiktok" else set()
    assert {day for day, reading in readings.items() if not reading.complete} == unsure


def test_a_list_cut_short_or_full_of_promises_proves_nothing():
    with told() as story:
        found = outcomes(story, "tiktok", range(84, 92))
    coverage = {day: reading.coverage_from for day, reading in found.items() if isinstance(reading, Reading)}
    assert [day for day, since in coverage.items() if since is None] == [85, 90]
    assert coverage[84] == coverage[91] == EVER


def test_the_history_of_another_business_account_is_left_out_with_a_note():
    with told([account("tiktok", "-000khac", handle="khac", slug="tiktok-khac")]) as story:
        story.now = START + 50 * DAY
        story.connect("tiktok", "tiktok-mau")
        story.connect("tiktok-business", "tiktok-khac")
        reading = story.look("tiktok")
    assert [one.source for one in reading.snapshots] == [Source.TIKTOK_DISPLAY]
    assert [note for note in reading.notes if "không phải tài khoản của kênh này" in note]


def test_sixty_days_of_history_come_with_the_business_account():
    with told() as story:
        story.now = START + 50 * DAY
        story.connect("tiktok")
        story.connect("tiktok-business")
        reading = story.look("tiktok")
    past = [one for one in reading.snapshots if one.source is Source.TIKTOK_BUSINESS]
    assert [one.observed_at for one in past] == [START + DAY * day for day in range(1, 50)]
    assert [one.followers for one in past] == [1000 + day for day in range(1, 50)]
    assert reading.notes == ()
