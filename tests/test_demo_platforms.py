"""The real collectors and consents against the simulated platforms, and what the platforms share."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

import pytest

from collectors import COLLECTORS, CONSENTS
from collectors.base import Credentials, Look
from collectors.client import Client
from collectors.consent import Asking, Grant
from config.models import Channel, Owner, PlatformName
from config.platforms import Platforms
from config.secrets import Secret
from pipeline.demo import facebook, tiktok, youtube, zalo
from pipeline.demo.strict import Diary
from pipeline.demo.tokens import Tokens
from pipeline.demo.totals import Totals, chance
from pipeline.demo.world import DAY, Account, Trouble
from store.records import Reading
from tests.simulated import NOW, REDIRECT, START, Simulated, account, daily, item, simulated, world
from tests.wallets import FixedWallet

T = TypeVar("T")
VERIFIER = "mau-verifier-" * 4
IDS = {"facebook": "100000000000001", "tiktok": "-000mau", "youtube": "UC" + "m" * 22, "zalo": "1000000000000000001"}
SERVERS: dict[str, Any] = {"facebook": facebook, "tiktok": tiktok, "youtube": youtube, "zalo": zalo}
APPS = {
    "facebook": ("facebook", facebook.APP_ID, facebook.APP_SECRET),
    "tiktok": ("tiktok", tiktok.CLIENT_KEY, tiktok.CLIENT_SECRET),
    "tiktok-business": ("tiktok", tiktok.BUSINESS_CLIENT_ID, tiktok.BUSINESS_CLIENT_SECRET),
    "youtube": ("youtube", youtube.CLIENT_ID, youtube.CLIENT_SECRET),
    "zalo": ("zalo", zalo.APP_ID, zalo.APP_SECRET),
}


def channel_account(platform: str, *troubles: Trouble) -> Account:
    kind = {"zalo": "article", "tiktok": "video", "youtube": "video"}.get(platform, "photo")
    return account(platform, daily(70, START - timedelta(hours=2), kind=kind), *troubles, id=IDS[platform])


@dataclass
class Played:
    """One simulated platform as the project meets it."""

    served: Simulated
    platforms: Platforms
    secret: Secret

    def run(self, work: Callable[[Client], Awaitable[T]]) -> T:
        async def within() -> T:
            async with Client(contact="a@doan-mau.example", allow=[self.served.netloc], gap_seconds=0) as client:
                return await work(client)

        return asyncio.run(within())

    def asking(self, client: Client) -> Asking:
        return Asking(client, self.platforms, self.secret, self.served.clock.now)


@contextmanager
def played(grant: str, *accounts: Account) -> Iterator[Played]:
    platform, app, secret = APPS[grant]
    with simulated(SERVERS[platform], world(*accounts)) as served:
        served.clock.now = START + timedelta(minutes=1)
        here = f"http://{served.netloc}"
        own = dict.fromkeys(("base", "consent", "oauth_base", "feeds_base", "analytics_base", "business_base"), here)
        known = type(getattr(Platforms(), platform)).model_fields
        table = {**own, "app_id": app, "business_app_id": app, "redirect": REDIRECT, "gap_seconds": 0}
        settings = {platform: {name: value for name, value in table.items() if name in known}}
        yield Played(served, Platforms.model_validate(settings), Secret(secret))


def collect(game: Played, platform: PlatformName, access: str, cursor: dict[str, Any] | None = None) -> Reading:
    owners = (Owner(unit="doan-mau", start=date(2020, 1, 1)),)
    channel = Channel(slug="kenh-mau", platform=platform, name="Kênh mẫu", address=IDS[platform], owners=owners)
    if platform == "tiktok":
        channel = channel.model_copy(update={"address": "@tiktok.mau"})
    proof = game.secret if platform == "facebook" else None
    wallet = FixedWallet({platform: Credentials(access=Secret(access), app_secret=proof)})

    async def look(client: Client) -> Reading:
        zone = ZoneInfo("Asia/Ho_Chi_Minh")
        now = game.served.clock.now
        return await COLLECTORS[platform](
            channel, Look(client, now, zone, cursor or {}, platforms=game.platforms, wallet=wallet)
        )

    return game.run(look)


@pytest.mark.parametrize("platform", IDS)
def test_the_real_collector_reads_what_the_world_holds_and_asks_nothing_forbidden(platform):
    one = channel_account(platform)
    with played(platform, one) as game:
        access = SERVERS[platform].seed_tokens(world(one))[one.slug].access_token
        first = collect(game, platform, access)
        second = collect(game, platform, access, dict(first.cursor))
    assert game.served.diary.violations == []
    assert {post.published_at for post in first.posts} == {one.published_at for one in one.items}
    followers = one.followers(START)
    shown = {snapshot.followers for snapshot in first.snapshots if snapshot.observed_at == START + timedelta(minutes=1)}
    assert shown & {followers, followers // 100 * 100}
    assert first.complete
    assert second.complete


@pytest.mark.parametrize("grant", CONSENTS)
def test_the_real_consent_and_its_refresh_work_against_the_simulated_pages(grant):
    platform, _, _ = APPS[grant]
    one = channel_account(platform, Trouble.TOKEN_DEAD)
    with played(grant, one) as game:
        parts = urlsplit(CONSENTS[grant].address(game.platforms, "mau-state", VERIFIER))
        reply = game.served.get(parts.path, **dict(parse_qsl(parts.query)))
        back = dict(parse_qsl(urlsplit(reply.headers["location"]).query))
        assert back["state"] == "mau-state"
        given = game.run(lambda client: CONSENTS[grant].exchange(game.asking(client), back["code"], VERIFIER))
        assert given.access.reveal()
        game.served.clock.now += DAY
        renewed = game.run(lambda client: renew(game, client, grant, given))
        assert renewed.access.reveal() != given.access.reveal() or CONSENTS[grant].refresh is None
    assert game.served.diary.violations == []


async def renew(game: Played, client: Client, grant: str, given: Grant) -> Grant:
    refresh = CONSENTS[grant].refresh
    return given if refresh is None or given.refresh is None else await refresh(game.asking(client), given.refresh)


@pytest.mark.parametrize("platform", IDS)
def test_the_first_tokens_are_the_same_for_the_same_seed_and_differ_between_accounts(platform):
    seed = SERVERS[platform].seed_tokens
    many = world(channel_account(platform), account(platform, slug="khac", id="khac", handle="khac"))
    assert seed(many) == seed(many)
    assert len({token.access_token for token in seed(many).values()}) == 2
    other = world(channel_account(platform), account(platform, slug="khac", id="khac", handle="khac"))
    assert seed(other) == seed(many)


def test_tokens_a_day_past_their_end_are_forgotten_and_younger_ones_are_known_to_be_expired():
    tokens = Tokens(1, "mau")
    old = tokens.issue("access", "a", START, lasts=timedelta(hours=2))
    later = START + timedelta(hours=3)
    tokens.issue("access", "a", later, lasts=timedelta(hours=2))
    assert tokens.valid(old, later, "access") is None
    assert tokens.find(old) is not None
    tokens.issue("access", "a", START + 2 * DAY, lasts=timedelta(hours=2))
    assert tokens.find(old) is None


def test_a_single_use_token_is_worth_nothing_afterwards_and_a_wrong_kind_stays_unspent():
    tokens = Tokens(1, "mau")
    token = tokens.issue("refresh", "a", START)
    assert tokens.spend(token, START, "code") is None
    assert tokens.spend(token, START, "refresh") is not None
    assert tokens.spend(token, START, "refresh") is None


def test_totals_equal_the_sum_over_all_items_at_any_moment():
    items = [item(n, START + n * DAY, gone_at=START + (n + 30) * DAY if n % 7 == 0 else None) for n in range(1, 120)]
    totals = Totals(account("tiktok", items))
    for day in range(0, 200, 9):
        at = START + day * DAY
        whole = sum(one.counts(at).views for one in items if one.published_at <= at)
        assert 0 <= totals.views(at) - whole <= day, "the last view of an old item may come early"
        seen = [one for one in items if one.published_at <= at and (one.gone_at is None or at < one.gone_at)]
        assert totals.published(at) == len(seen)
        assert totals.gained(at - DAY, at).views >= 0


def test_the_diary_counts_by_platform_endpoint_and_account():
    diary = Diary()
    diary.note("zalo", "oa/getoa", "zalo-mau")
    diary.note("zalo", "oa/getoa")
    diary.note("tiktok", "user/info", "tiktok-mau")
    assert (diary.total("zalo"), diary.total("zalo", "oa/getoa"), diary.total("zalo", "khac")) == (2, 2, 0)
    assert diary.requests["tiktok", "user/info", "tiktok-mau"] == 1


def test_chance_is_even_enough_and_always_the_same():
    thrown = [chance(6, "mau", n) for n in range(600)]
    assert thrown == [chance(6, "mau", n) for n in range(600)]
    assert all(60 < thrown.count(face) < 140 for face in range(6))


def test_items_are_found_by_number_also_when_numbers_are_missing():
    one = account("facebook", [item(2, NOW - 2 * DAY), item(5, NOW - DAY), item(9, NOW)])
    assert [found and found.number for found in map(one.numbered, (1, 2, 5, 9, 10))] == [None, 2, 5, 9, None]
    assert [item.number for item in one.public(NOW, before=9)] == [5, 2]
