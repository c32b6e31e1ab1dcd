"""The owner's consent to YouTube: the page, the tokens, and what Google says when it no longer agrees."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from collectors.base import CollectError
from collectors.client import Client
from collectors.consent import Asking, Grant
from collectors.youtube import CONSENT
from config.platforms import Platforms, YouTube
from config.secrets import Secret
from store.records import FailureKind
from tests.collector_contract import NOW
from tests.scripted_server import Asked, Said, Script, says, scripted
from tests.youtube_channel import CHANNEL

ACCESS = {"access_token": "mau-access", "expires_in": 3599, "scope": "a b", "token_type": "Bearer"}
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def settings(url: str = "https://youtube.example") -> Platforms:
    redirect = "https://doan-mau.example/xong"
    return Platforms(youtube=YouTube(app_id="mau-id", redirect=redirect, base=url, oauth_base=url, consent=url))


def run(script: Script, work: Callable[[Asking], Awaitable[Grant]]) -> tuple[Grant, list[Asked]]:
    async def go(url: str, place: str) -> Grant:
        async with Client(contact="mau@doan.example", allow=[place], gap_seconds=0) as client:
            return await work(Asking(client, settings(url), Secret("mau-app-secret"), NOW))

    with scripted(script) as served:
        grant = asyncio.run(go(served.url, served.place))
    return grant, served.asked


def google(asked: Asked) -> Said:
    if asked.path == "/token":
        fresh = {"refresh_token": "mau-refresh"} if asked.form["grant_type"] == "authorization_code" else {}
        return says(ACCESS | fresh)
    return says({"items": [{"id": CHANNEL}]})


def refresh(asking: Asking) -> Awaitable[Grant]:
    assert CONSENT.refresh
    return CONSENT.refresh(asking, Secret("mau-refresh"))


def test_the_consent_page_is_asked_for_a_lasting_consent_with_pkce():
    parts = urlsplit(CONSENT.address(settings(), "mau-state", VERIFIER))
    asked = dict(parse_qsl(parts.query))
    assert parts.path == "/o/oauth2/v2/auth"
    assert (asked["access_type"], asked["prompt"], asked["state"]) == ("offline", "consent", "mau-state")
    assert (asked["code_challenge"], asked["code_challenge_method"]) == (CHALLENGE, "S256")
    assert asked["scope"].split() == list(CONSENT.scopes)
    assert VERIFIER not in parts.query


def test_a_code_becomes_tokens_and_tells_the_channel():
    grant, asked = run(google, lambda asking: CONSENT.exchange(asking, "4/mau-code", VERIFIER))
    assert asked[0].form == {
        "client_id": "mau-id",
        "client_secret": "mau-app-secret",
        "grant_type": "authorization_code",
        "code": "4/mau-code",
        "code_verifier": VERIFIER,
        "redirect_uri": "https://doan-mau.example/xong",
    }
    assert grant.access.reveal() == "mau-access"
    assert grant.refresh
    assert grant.refresh.reveal() == "mau-refresh"
    assert grant.access_expires_at == NOW + timedelta(seconds=3599)
    assert (grant.scopes, grant.account) == (("a", "b"), CHANNEL)


def test_tokens_are_not_lost_when_the_channel_cannot_be_asked():
    def answer(asked: Asked) -> Said:
        return google(asked) if asked.path == "/token" else says({}, 403)

    grant, _ = run(answer, lambda asking: CONSENT.exchange(asking, "4/mau-code", VERIFIER))
    assert (grant.access.reveal(), grant.account) == ("mau-access", "")


def test_a_refresh_keeps_the_old_refresh_token():
    grant, asked = run(google, refresh)
    assert grant.refresh
    assert grant.refresh.reveal() == "mau-refresh"
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("said", "kind", "words"),
    [
        (says({"error": "invalid_grant", "error_description": "expired"}, 400), "auth", "Testing"),
        (says({"error": "invalid_client"}, 401), "permission", "app_id"),
        (says({"error": "temporarily_unavailable"}, 503), "network", "Hệ thống tự thử lại"),
        (says({"error": "brand_new"}, 400), "drift", "Đề nghị"),
        (says({"access_token": ""}), "drift", "Đề nghị"),
        (Said(b"<html>", 403), "blocked", "tường lửa"),
    ],
)
def test_a_refusal_is_asked_once_and_says_what_to_do(said, kind, words):
    asked: list[Asked] = []

    def answer(one: Asked) -> Any:
        asked.append(one)
        return said

    with pytest.raises(CollectError) as caught:
        run(answer, refresh)
    assert caught.value.kind == kind
    assert words in caught.value.sentence
    assert len(asked) == 1
    assert "mau-refresh" not in f"{caught.value.detail} {caught.value.sentence}"


def test_a_missing_app_is_named():
    with pytest.raises(CollectError, match="app_id") as caught:
        CONSENT.address(Platforms(), "mau-state", VERIFIER)
    assert caught.value.kind is FailureKind.PERMISSION
