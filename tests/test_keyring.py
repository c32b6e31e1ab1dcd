"""Tokens that survive: renewed in time, once, by one process; never lost; and never asked for in a loop."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from collectors.base import CollectError, Credentials
from config.models import Config
from config.secrets import Secret
from pipeline import renewal
from pipeline.clock import frozen_at
from pipeline.keyring import Keyring
from pipeline.outfit import open_client
from store.errors import StoreError, Trouble
from store.records import FailureKind, StoredTokens, TokenSet
from store.vault import Vault
from store.verbs import Store, open_store
from tests.conftest import NewUrl
from tests.store_builders import FRIDAY
from tests.token_server import APP_SECRET, CONSENTS, LIFE, TokenServer, config_for

KEY = Fernet.generate_key().decode()
ENVIRON = {"NHIP_KEY": KEY, "NHIP_TIKTOK_SECRET": APP_SECRET, "NHIP_FACEBOOK_SECRET": APP_SECRET}
NAME = "tiktok:kenh-mot"
OLD = Credentials(access=Secret("access-0"))


@pytest.fixture
def server() -> Iterator[TokenServer]:
    with TokenServer() as running:
        yield running


@pytest.fixture
def config(tmp_path: Path, server: TokenServer) -> Config:
    return config_for(tmp_path, server.base)


def vault(folder: Path) -> Vault:
    return Vault(folder, ENVIRON)


def connected(store: Store, folder: Path, left: timedelta = timedelta(minutes=5), **more: Any) -> None:
    """Keeps the tokens that the server gave at first; *left* is what remains of the access token at FRIDAY."""
    tokens = TokenSet(Secret("access-0"), Secret("refresh-0"), FRIDAY + left, FRIDAY + timedelta(days=180))
    given = TokenSet(**({name: getattr(tokens, name) for name in tokens.__dataclass_fields__} | more))
    store.tokens(vault(folder)).keep(NAME, given, FRIDAY + left - timedelta(seconds=LIFE))


def stored(store: Store, folder: Path, name: str = NAME) -> StoredTokens:
    found = store.tokens(vault(folder)).find(name)
    assert found is not None
    return found


def with_keyring(
    config: Config,
    store: Store,
    work: Callable[[Keyring], Awaitable[Any]],
    now: datetime = FRIDAY,
    environ: dict[str, str] = ENVIRON,
) -> Any:
    async def go() -> Any:
        async with open_client(config, frozen_at(now)) as client:
            keys = Vault(config.folder, environ)
            return await work(Keyring(store, keys, config, client, frozen_at(now), CONSENTS, environ=environ))

    return asyncio.run(go())


def opened(config: Config, store: Store, now: datetime = FRIDAY, grant: str = "tiktok") -> Any:
    return with_keyring(config, store, lambda ring: ring.open(grant, "kenh-mot"), now)


def renewed(config: Config, store: Store, refused: Credentials = OLD, grant: str = "tiktok") -> Any:
    return with_keyring(config, store, lambda ring: ring.renew(grant, "kenh-mot", refused))


def access_of(creds: Credentials) -> str | None:
    return creds.access.reveal() if creds.access else None


@contextmanager
def refused_with(kind: FailureKind, words: str = "") -> Iterator[None]:
    with pytest.raises(CollectError) as error:
        yield
    assert (error.value.kind, words in error.value.sentence) == (kind, True), error.value.sentence


# --- in time, once ----------------------------------------------------------------------------------------------


def test_a_channel_that_was_never_connected_has_no_access_and_no_error(config, store):
    creds = opened(config, store)
    assert creds.access is None
    assert creds.app_secret is not None


def test_a_token_with_time_left_is_used_as_it_is(config, store, server, tmp_path):
    connected(store, tmp_path, left=timedelta(minutes=11))
    assert access_of(opened(config, store)) == "access-0"
    assert server.refreshes == 0


def test_a_token_about_to_run_out_is_renewed_and_stored_before_it_is_used(config, store, server, tmp_path):
    connected(store, tmp_path, account="oa-1")
    creds = opened(config, store)
    assert (access_of(creds), creds.account) == ("access-1", "oa-1")
    found = stored(store, tmp_path)
    assert found.tokens.refresh is not None
    assert (found.tokens.access.reveal(), found.tokens.refresh.reveal()) == ("access-1", "refresh-1")
    assert found.state.access_expires_at == FRIDAY + timedelta(seconds=LIFE)
    assert access_of(opened(config, store)) == "access-1"
    assert server.refreshes == 1


def test_looks_of_one_process_share_one_renewal(config, store, server, tmp_path):
    connected(store, tmp_path)

    async def at_once(ring: Keyring) -> list[Credentials]:
        return await asyncio.gather(*(ring.open("tiktok", "kenh-mot") for _ in range(8)))

    assert {access_of(creds) for creds in with_keyring(config, store, at_once)} == {"access-1"}
    assert server.refreshes == 1


REFRESH_ONCE = """
import json, sys
from pathlib import Path
from store.verbs import open_store
from tests.token_server import config_for
import tests.test_keyring as t
url, folder, base, key = sys.argv[1:]
t.ENVIRON["NHIP_KEY"] = key
with open_store(url) as store:
    sys.stdin.readline()
    print(t.access_of(t.opened(config_for(Path(folder), base, deadline=10), store)))
"""


def test_four_processes_that_need_a_token_at_once_fetch_it_once(server, new_url: NewUrl, tmp_path):
    url = new_url()
    server.script("slow")
    with open_store(url) as store:
        connected(store, tmp_path)
    words = [[sys.executable, "-c", REFRESH_ONCE, url, str(tmp_path / f"{n}"), server.base, KEY] for n in range(4)]
    pipe = subprocess.PIPE
    workers = [subprocess.Popen(each, stdin=pipe, stdout=pipe, stderr=pipe, text=True) for each in words]
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    said = [worker.communicate(timeout=60) for worker in workers]
    assert said == [("access-1\n", "")] * 4
    assert server.refreshes == 1


# --- what gets lost on the way ------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", ["cut before", "down"])
def test_a_request_that_broke_off_is_sent_once_more(step, config, store, server, tmp_path):
    connected(store, tmp_path)
    server.script(step)
    assert access_of(opened(config, store)) == "access-1"
    assert server.refreshes == 2


@pytest.mark.parametrize("step", ["cut after", "hang"])
def test_an_answer_that_got_lost_after_the_rotation_needs_a_person_after_one_more_try(step, store, server, tmp_path):
    config = config_for(tmp_path, server.base, deadline=0.5)
    connected(store, tmp_path)
    server.script(step)
    with refused_with(FailureKind.AUTH, "Đề nghị chạy «nhip connect tiktok --channel kenh-mot»"):
        opened(config, store)
    assert (server.refreshes, server.rotations) == (2, 1)
    assert stored(store, tmp_path).state.needs_consent
    with refused_with(FailureKind.AUTH):
        opened(config, store)
    with refused_with(FailureKind.AUTH):
        renewed(config, store)
    assert server.refreshes == 2


def test_a_network_that_is_down_costs_two_requests_a_look_and_no_consent(config, store, server, tmp_path):
    connected(store, tmp_path, left=timedelta(minutes=1))
    server.script(*["cut before"] * 4)
    for _ in range(2):
        with refused_with(FailureKind.NETWORK):
            opened(config, store)
    assert server.refreshes == 4
    assert access_of(opened(config, store)) == "access-1"


def test_a_token_that_cannot_be_renewed_just_now_is_used_while_it_outlives_the_look(config, store, server, tmp_path):
    connected(store, tmp_path, left=timedelta(minutes=6))
    server.script("busy")
    assert access_of(opened(config, store)) == "access-0"
    assert access_of(opened(config, store)) == "access-1"


def test_a_platform_that_asks_to_wait_is_not_asked_again(config, store, server, tmp_path):
    connected(store, tmp_path, left=timedelta(minutes=1))
    server.script("busy")
    with refused_with(FailureKind.THROTTLED):
        opened(config, store)
    assert (server.refreshes, stored(store, tmp_path).state.needs_consent) == (1, False)


def test_an_answer_is_stored_as_soon_as_the_database_lets_it(config, store, server, tmp_path, monkeypatch, caplog):
    connected(store, tmp_path)
    monkeypatch.setattr(renewal, "STORE_PAUSES", (0.01, 0.01))
    rotate, faults = store.tokens(vault(tmp_path)).rotate, iter([True, True, False])

    def stumbling(self: Any, *given: Any) -> bool:
        if next(faults):
            raise StoreError(Trouble.LOCKED, "nơi này", "busy")
        return bool(rotate(*given))

    monkeypatch.setattr("store.tokens.Tokens.rotate", stumbling)
    assert access_of(opened(config, store)) == "access-1"
    assert [record.message for record in caplog.records] == ["new token not stored yet"] * 2


def test_a_look_that_is_stopped_while_renewing_loses_no_token(config, store, server, tmp_path):
    connected(store, tmp_path)
    server.script("slow")

    async def stopped(ring: Keyring) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await ring.open("tiktok", "kenh-mot")

    with_keyring(config, store, stopped)
    assert stored(store, tmp_path).tokens.access.reveal() == "access-1"


def test_a_dead_holder_counts_as_one_try(config, store, server, tmp_path):
    connected(store, tmp_path, left=timedelta(minutes=1))
    lease = timedelta(minutes=1)
    held = store.tokens(vault(tmp_path)).hold(NAME, 1, "killed", FRIDAY - 2 * lease, lease)
    assert held is not None
    server.script("cut before")
    with refused_with(FailureKind.NETWORK):
        opened(config, store)
    assert server.refreshes == 1
    assert access_of(opened(config, store)) == "access-1"


def test_a_process_waits_for_the_holder_and_takes_what_it_stored(config, store, server, tmp_path):
    connected(store, tmp_path)
    tokens = store.tokens(vault(tmp_path))
    assert tokens.hold(NAME, 1, "other", FRIDAY, timedelta(minutes=5))

    async def meet(ring: Keyring) -> Credentials:
        waiting = asyncio.create_task(ring.open("tiktok", "kenh-mot"))
        await asyncio.sleep(0.5)
        new = TokenSet(Secret("access-9"), Secret("refresh-9"), FRIDAY + timedelta(hours=2))
        await asyncio.to_thread(tokens.rotate, NAME, 1, new, FRIDAY)
        return await waiting

    assert access_of(with_keyring(config, store, meet)) == "access-9"
    assert server.refreshes == 0


def test_a_holder_that_never_ends_is_not_waited_for_for_ever(config, store, server, tmp_path, monkeypatch):
    connected(store, tmp_path, left=timedelta(minutes=1))
    monkeypatch.setattr(renewal, "PATIENCE_SECONDS", 0.3)
    store.tokens(vault(tmp_path)).hold(NAME, 1, "other", FRIDAY, timedelta(minutes=5))
    with refused_with(FailureKind.THROTTLED, "tiến trình khác"):
        opened(config, store)
    assert server.refreshes == 0


# --- refused tokens ---------------------------------------------------------------------------------------------


def test_a_refused_token_is_renewed_although_it_had_time_left(config, store, server, tmp_path):
    connected(store, tmp_path, left=timedelta(hours=1))
    assert access_of(renewed(config, store)) == "access-1"
    assert access_of(renewed(config, store)) == "access-1", "the refused one is history: nothing is asked"
    assert server.refreshes == 1


def test_a_refused_token_that_cannot_be_renewed_needs_a_person(config, store, server, tmp_path):
    server.health["valid"] = False
    store.tokens(vault(tmp_path)).keep("facebook", TokenSet(Secret("access-0")), FRIDAY)
    assert opened(config, store, grant="facebook").shared
    with refused_with(FailureKind.AUTH, "Đề nghị chạy «nhip connect facebook»"):
        renewed(config, store, grant="facebook")
    assert stored(store, tmp_path, "facebook").state.needs_consent


def test_one_page_that_refuses_does_not_kill_the_token_of_all_pages(config, store, server, tmp_path):
    store.tokens(vault(tmp_path)).keep("facebook", TokenSet(Secret("access-0")), FRIDAY)
    with refused_with(FailureKind.AUTH, "kết nối chung vẫn còn hiệu lực"):
        renewed(config, store, grant="facebook")
    assert not stored(store, tmp_path, "facebook").state.needs_consent


def test_an_expired_token_without_a_refresh_token_needs_a_person(config, store, server, tmp_path):
    connected(store, tmp_path, left=timedelta(minutes=5), refresh=None)
    assert access_of(opened(config, store)) == "access-0"
    with refused_with(FailureKind.AUTH, "nhip connect"):
        opened(config, store, FRIDAY + timedelta(minutes=5))
    assert server.refreshes == 0


def test_a_new_consent_during_a_renewal_wins(config, store, server, tmp_path):
    connected(store, tmp_path)
    server.script("slow")

    async def meet(ring: Keyring) -> Credentials:
        renewing = asyncio.create_task(ring.open("tiktok", "kenh-mot"))
        await asyncio.sleep(0.25)
        fresh = TokenSet(Secret("access-new"), Secret("refresh-new"), FRIDAY + timedelta(hours=2))
        await asyncio.to_thread(store.tokens(vault(tmp_path)).keep, NAME, fresh, FRIDAY)
        return await renewing

    assert access_of(with_keyring(config, store, meet)) == "access-new"


def test_without_the_key_a_look_fails_with_a_sentence_and_nothing_is_lost(config, store, server, tmp_path):
    connected(store, tmp_path)
    for environ, words in (
        ({}, "Chưa có khóa"),
        ({"NHIP_KEY": Fernet.generate_key().decode()}, "không phải là khóa đã dùng"),
        ({"NHIP_KEY": "ngắn"}, "không đúng dạng"),
    ):
        with refused_with(FailureKind.AUTH, words):
            with_keyring(config, store, lambda ring: ring.open("tiktok", "kenh-mot"), environ=environ)
    assert server.refreshes == 0
    assert not stored(store, tmp_path).state.needs_consent


def test_without_the_secret_of_the_app_nothing_is_asked(config, store, server, tmp_path):
    connected(store, tmp_path)
    with refused_with(FailureKind.AUTH, "NHIP_TIKTOK_SECRET"):
        with_keyring(config, store, lambda ring: ring.open("tiktok", "kenh-mot"), environ={"NHIP_KEY": KEY})
    assert (server.refreshes, stored(store, tmp_path).state.needs_consent) == (0, False)


def test_the_environment_wins_over_the_table(config, store, tmp_path):
    tokens = store.tokens(vault(tmp_path))
    tokens.keep("app:youtube", TokenSet(Secret("from the table")), FRIDAY)
    tokens.keep("key:youtube", TokenSet(Secret("key of the table")), FRIDAY)
    for environ, found in (
        (ENVIRON, ("from the table", "key of the table")),
        ({**ENVIRON, "NHIP_YOUTUBE_SECRET": "a", "NHIP_YOUTUBE_KEY": "b"}, ("a", "b")),
    ):
        creds = with_keyring(config, store, lambda ring: ring.open("youtube", "kenh-mot"), environ=environ)
        assert (creds.app_secret.reveal(), creds.api_key.reveal()) == found


# --- the daily check --------------------------------------------------------------------------------------------


def checked(config: Config, store: Store, now: datetime = FRIDAY) -> Any:
    states = with_keyring(config, store, lambda ring: ring.check_tokens(), now)
    return {state.name: state for state in states}


def test_a_bug_at_one_platform_leaves_no_other_token_unused(config, store, server, tmp_path, monkeypatch):
    async def stumble(*_):
        raise ZeroDivisionError

    monkeypatch.setitem(CONSENTS, "facebook", replace(CONSENTS["facebook"], inspect=stumble))
    store.tokens(vault(tmp_path)).keep("facebook", TokenSet(Secret("access-9")), FRIDAY)
    connected(store, tmp_path)
    states = checked(config, store, FRIDAY + timedelta(days=8))
    assert (states[NAME].version, states["facebook"].version, server.rotations) == (2, 1, 1)


def test_a_token_is_asked_about_once_a_day(config, store, server, tmp_path):
    store.tokens(vault(tmp_path)).keep("facebook", TokenSet(Secret("access-0")), FRIDAY)
    server.health |= {"ends_in": 20, "missing": ["video.list"]}
    state = checked(config, store)["facebook"]
    assert (state.checked_until, state.scopes) == (FRIDAY + timedelta(days=20), ("user.info.stats",))
    checked(config, store, FRIDAY + timedelta(hours=23))
    assert len(server.forms) == 1
    server.health["valid"] = False
    assert checked(config, store, FRIDAY + timedelta(hours=25))["facebook"].needs_consent


def test_an_idle_token_is_used_once_a_week(config, store, server, tmp_path, caplog):
    connected(store, tmp_path)
    checked(config, store, FRIDAY + timedelta(days=6))
    assert server.refreshes == 0
    server.script("busy")
    with caplog.at_level(logging.WARNING):
        checked(config, store, FRIDAY + timedelta(days=8))
    assert caplog.messages == ["token not checked"]
    assert checked(config, store, FRIDAY + timedelta(days=8))[NAME].version == 2
    assert server.rotations == 1
