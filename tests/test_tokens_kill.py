"""kill -9 while a token is renewed: never a loop, never a second renewal for nothing, never a lost chain unsaid."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from config.secrets import Secret
from store.records import StoredTokens, TokenSet
from store.vault import Vault
from store.verbs import open_store
from tests.conftest import NewUrl
from tests.invariants import assert_invariants
from tests.store_builders import FRIDAY
from tests.token_killing import STEPS, kill_after, kill_at, open_once
from tests.token_server import APP_SECRET, LIFE, TokenServer

ENVIRON = {"NHIP_KEY": Fernet.generate_key().decode(), "NHIP_TIKTOK_SECRET": APP_SECRET}
NAME = "tiktok:kenh-mot"
LATER = FRIDAY + timedelta(minutes=20)
"""After every lease."""

LOST = {"request sent", "answered", "before commit", "inside commit"}
"""Steps at which the platform has given new tokens that nobody stored."""


@pytest.fixture
def server() -> Iterator[TokenServer]:
    with TokenServer() as running:
        yield running


def connect(url: str, folder: Path, server: TokenServer) -> None:
    """As after a consent whose access token has just run out."""
    tokens = TokenSet(Secret(server.access), Secret(server.refresh), FRIDAY)
    with open_store(url) as store:
        store.tokens(Vault(folder, ENVIRON)).keep(NAME, tokens, FRIDAY - timedelta(seconds=LIFE))


def stored(url: str, folder: Path) -> StoredTokens:
    with open_store(url) as store:
        found = store.tokens(Vault(folder, ENVIRON)).find(NAME)
    assert found is not None
    return found


def assert_alive_or_said(url: str, folder: Path, server: TokenServer, said: str) -> None:
    """Either the newest tokens the platform knows are stored, or a person is asked for."""
    found = stored(url, folder)
    if found.state.needs_consent:
        assert said == "auth"
    else:
        assert found.tokens.refresh is not None
        assert (found.tokens.refresh.reveal(), found.tokens.access.reveal()) == (server.refresh, server.access)
        assert said == server.access
    assert_invariants(url)


@pytest.mark.parametrize("step", STEPS)
def test_after_a_kill_at_any_step_one_more_request_at_most_settles_it(step, server, store_url, tmp_path):
    connect(store_url, tmp_path, server)
    where = (tmp_path, store_url, server.base, ENVIRON)
    assert kill_at(step, *where, FRIDAY) == step
    sent = server.refreshes
    assert sent == (0 if step in {"before hold", "held"} else 1)
    said = open_once(*where, LATER)
    assert said == ("auth" if step in LOST else server.access)
    assert server.refreshes - sent <= 1
    assert_alive_or_said(store_url, tmp_path, server, said)
    before = server.refreshes
    assert open_once(*where, LATER) == said
    assert server.refreshes == before


def test_the_tokens_of_a_killed_process_are_left_alone_until_its_lease_ends(server, store_url, tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.renewal.PATIENCE_SECONDS", 0.3)
    connect(store_url, tmp_path, server)
    where = (tmp_path, store_url, server.base, ENVIRON)
    kill_at("held", *where, FRIDAY)
    assert open_once(*where, FRIDAY + timedelta(minutes=5)) == "throttled"
    assert open_once(*where, LATER) == "access-1"


def kill_often(times: int, server: TokenServer, url: str, folder: Path) -> None:
    moments = random.Random(20261120)
    where = (folder, url, server.base, ENVIRON)
    for _ in range(times):
        connect(url, folder, server)
        server.refreshes = 0
        kill_after(moments.uniform(0, 0.15), *where, FRIDAY)
        server.pause(0.05)  # a request of the dead process may still be on its way
        sent = server.refreshes
        said = open_once(*where, LATER)
        assert server.refreshes - sent <= 1
        assert server.refreshes <= 2
        assert_alive_or_said(url, folder, server, said)


def test_kills_at_random_moments_lose_no_token_unsaid(server, new_url: NewUrl, tmp_path):
    kill_often(15, server, new_url(), tmp_path)


@pytest.mark.soak
def test_many_more_kills_at_random_moments(server, new_url: NewUrl, tmp_path):
    kill_often(200, server, new_url(), tmp_path)
