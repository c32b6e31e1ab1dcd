"""How a TikTok owner lets us in: consent pages, first tokens, rotating refresh tokens, and what refusals mean."""

from __future__ import annotations

import asyncio
import json
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable
from datetime import timedelta
from hashlib import sha256
from urllib.parse import parse_qsl, urlsplit

import pytest

from collectors.base import CollectError
from collectors.client import Client
from collectors.consent import Asking, Grant
from collectors.tiktok import BUSINESS_CONSENT, CONSENT
from config.platforms import Platforms, TikTok
from config.secrets import Secret
from store.records import FailureKind
from tests.collector_contract import NOW, assert_says_what_to_do, assert_shows_no_secret
from tests.scripted_server import Asked, Said, always, says, scripted
from tests.test_tiktok import OPEN_ID, body
from tests.wallets import APP_SECRET, TOKEN

BACK = "https://doan-mau.example/ve"
VERIFIER = "mau-verifier-0123456789-0123456789-0123456789"


def settings(url: str) -> Platforms:
    return Platforms(
        tiktok=TikTok(base=url, business_base=url, app_id="mau-app", business_app_id="mau-biz", redirect=BACK)
    )


Step = Callable[[Asking], Awaitable[Grant]]


def asked_for(step: Step, said: Said) -> tuple[Grant, Asked]:
    """What a step of a consent makes of one answer, and the only request that it sent."""
    with scripted(always(said)) as served:
        try:
            grant = asyncio.run(_walk(step, served.url, served.place))
        finally:
            (asked,) = served.asked
    return grant, asked


async def _walk(step: Step, url: str, place: str) -> Grant:
    async with Client(contact="mau@doan.example", allow=[place], gap_seconds=0, deadline_seconds=10) as client:
        return await step(Asking(client, settings(url), Secret(APP_SECRET), NOW))


def refresh(asking: Asking) -> Awaitable[Grant]:
    assert CONSENT.refresh
    return CONSENT.refresh(asking, Secret(TOKEN))


def business_refresh(asking: Asking) -> Awaitable[Grant]:
    assert BUSINESS_CONSENT.refresh
    return BUSINESS_CONSENT.refresh(asking, Secret(TOKEN))


def refused(step: Step, said: Said) -> FailureKind:
    with pytest.raises(CollectError) as caught:
        asked_for(step, said)
    assert_says_what_to_do(caught.value)
    return caught.value.kind


def test_the_consent_page_asks_for_what_is_needed_with_a_hexadecimal_challenge():
    parts = urlsplit(CONSENT.address(settings("https://open.example"), "mau-state", VERIFIER))
    assert (parts.netloc, parts.path) == ("www.tiktok.com", "/v2/auth/authorize/")
    assert dict(parse_qsl(parts.query)) == {
        "client_key": "mau-app",
        "scope": "user.info.basic,user.info.stats,video.list",
        "response_type": "code",
        "redirect_uri": BACK,
        "state": "mau-state",
        "code_challenge": sha256(VERIFIER.encode()).hexdigest(),
        "code_challenge_method": "S256",
    }


def test_the_business_page_is_for_the_other_app_and_asks_nothing_about_the_audience():
    query = dict(parse_qsl(urlsplit(BUSINESS_CONSENT.address(settings("https://x.example"), "s", VERIFIER)).query))
    assert query["client_key"] == "mau-biz"
    assert "audience" not in query["scope"]
    assert "code_challenge" not in query


@pytest.mark.parametrize("name", ["app_id", "redirect"])
def test_a_setting_that_is_missing_is_named(name: str):
    given = TikTok(app_id="mau-app", redirect=BACK).model_copy(update={name: None})
    with pytest.raises(CollectError) as caught:
        CONSENT.address(Platforms(tiktok=given), "s", VERIFIER)
    assert name in caught.value.sentence


def test_a_code_becomes_tokens_with_the_lifetimes_and_scopes_that_the_answer_names():
    grant, asked = asked_for(
        lambda asking: CONSENT.exchange(asking, "mã*1", VERIFIER), Said(body("token_response_2026.json"))
    )
    assert asked.path == "/v2/oauth/token/"
    assert asked.query == {}
    assert asked.form == {
        "client_key": "mau-app",
        "client_secret": APP_SECRET,
        "grant_type": "authorization_code",
        "code": "mã*1",
        "redirect_uri": BACK,
        "code_verifier": VERIFIER,
    }
    assert grant.access.reveal() == "act.example12345Example12345Example"
    assert grant.access_expires_at == NOW + timedelta(hours=2)
    assert grant.refresh_expires_at == NOW + timedelta(days=180)
    assert grant.scopes == ("user.info.basic", "user.info.profile", "user.info.stats", "video.list")
    assert grant.account == "-000mB3xQv7kTq1nSg2WzYdLr9fHcPa0eUiJ"


def test_a_refresh_brings_the_next_refresh_token():
    grant, asked = asked_for(refresh, Said(body("token_response_2026.json")))
    assert asked.form == {
        "client_key": "mau-app",
        "client_secret": APP_SECRET,
        "grant_type": "refresh_token",
        "refresh_token": TOKEN,
    }
    assert grant.refresh
    assert grant.refresh.reveal() == "rft.newExample67890Example67890"
    assert_shows_no_secret(repr(grant))


def test_older_and_longer_lifetimes_are_believed_too():
    grant, _ = asked_for(refresh, Said(body("token_response_before_2026.json")))
    assert grant.access_expires_at == NOW + timedelta(days=1)
    assert grant.refresh_expires_at == NOW + timedelta(days=365)


def test_the_business_door_speaks_json():
    grant, asked = asked_for(
        lambda asking: BUSINESS_CONSENT.exchange(asking, "mã", VERIFIER), Said(body("business_token_response.json"))
    )
    assert asked.path == "/open_api/v1.3/tt_user/oauth2/token/"
    assert json.loads(asked.body) == {
        "client_id": "mau-biz",
        "client_secret": APP_SECRET,
        "grant_type": "authorization_code",
        "auth_code": "mã",
        "redirect_uri": BACK,
    }
    assert grant.account == OPEN_ID
    assert grant.refresh_expires_at == NOW + timedelta(seconds=31527314)
    _, asked = asked_for(business_refresh, Said(body("business_token_response.json")))
    assert asked.path == "/open_api/v1.3/tt_user/oauth2/refresh_token/"
    assert json.loads(asked.body)["refresh_token"] == TOKEN


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (Said(body("errors/oauth_invalid_grant.json"), 400), FailureKind.AUTH),
        (Said(body("errors/oauth_invalid_grant.json"), 200), FailureKind.AUTH),
        (says({"error": "access_denied"}, 400), FailureKind.AUTH),
        (Said(body("errors/oauth_invalid_client.json"), 401), FailureKind.PERMISSION),
        (says({"error": "brand_new"}, 400), FailureKind.DRIFT),
        (says({"error": "brand_new"}, 503), FailureKind.NETWORK),
        (says({"error": "slow_down"}, 429), FailureKind.THROTTLED),
        (Said(b"<html></html>", 502), FailureKind.NETWORK),
        (Said(b"<html></html>", 403), FailureKind.BLOCKED),
        (Said(b"<html></html>", 200), FailureKind.DRIFT),
        (says({}), FailureKind.DRIFT),
        (says({"access_token": "a", "refresh_token": "", "expires_in": 1, "refresh_expires_in": 1}), FailureKind.DRIFT),
        (
            says({"access_token": "a", "refresh_token": "b", "expires_in": 0, "refresh_expires_in": 1}),
            FailureKind.DRIFT,
        ),
    ],
)
def test_a_refresh_is_sent_once_whatever_is_answered(said: Said, kind: FailureKind):
    assert refused(refresh, said) is kind


def test_a_refused_business_refresh_waits_for_a_person():
    assert refused(business_refresh, Said(body("errors/business_40105_http200.json"))) is FailureKind.AUTH


def test_the_challenge_is_not_the_usual_base64():
    usual = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
    assert usual not in CONSENT.address(settings("https://x.example"), "s", VERIFIER)
