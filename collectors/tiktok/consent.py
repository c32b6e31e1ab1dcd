"""How the owner of a TikTok account lets us in, and how the tokens are kept alive.

Two doors with apps, tokens and forms of their own: the Display API and the Business Accounts API. Lifetimes are
what the answer says; every refresh brings a new refresh token and ends the old one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from typing import Annotated
from urllib.parse import urlencode

import msgspec

from collectors.consent import Asking, Consent, Grant, setting
from collectors.refusals import understood
from collectors.tiktok.errors import TIKTOK, judge_business, judge_oauth
from config.platforms import Platforms
from config.secrets import Secret

SCOPES = ("user.info.basic", "user.info.stats", "video.list")
BUSINESS_SCOPES = ("user.info.basic", "user.info.username", "user.info.stats", "user.account.type", "user.insights")

Token = Annotated[str, msgspec.Meta(min_length=1)]
Seconds = Annotated[int, msgspec.Meta(ge=1, le=10**9)]


class Tokens(msgspec.Struct):
    """The flat answer of the Display token endpoint. Lifetimes are the seconds that remain."""

    access_token: Token
    refresh_token: Token
    expires_in: Seconds
    refresh_expires_in: Seconds
    scope: str = ""
    open_id: str = ""


class BusinessTokens(msgspec.Struct):
    """The same of the Business Accounts API, which names one lifetime differently."""

    access_token: Token
    refresh_token: Token
    expires_in: Seconds
    refresh_expires_in: Seconds = msgspec.field(name="refresh_token_expires_in")
    scope: str = ""
    open_id: str = ""


class BusinessAnswer(msgspec.Struct):
    data: BusinessTokens


def address(platforms: Platforms, state: str, verifier: str) -> str:
    """The Display consent page. TikTok wants the PKCE challenge in hexadecimal digits, unlike everybody else."""
    proof = {"code_challenge": sha256(verifier.encode()).hexdigest(), "code_challenge_method": "S256"}
    return _page(platforms, "app_id", SCOPES, state, proof)


def business_address(platforms: Platforms, state: str, verifier: str) -> str:
    """The consent page of the Business Accounts API, which knows no PKCE."""
    return _page(platforms, "business_app_id", BUSINESS_SCOPES, state, {})


async def exchange(asking: Asking, code: str, verifier: str) -> Grant:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": setting(asking.platforms, "tiktok", "redirect"),
        "code_verifier": verifier,
    }
    return await _token(asking, form)


async def refresh(asking: Asking, old: Secret) -> Grant:
    return await _token(asking, {"grant_type": "refresh_token", "refresh_token": old.reveal()})


async def business_exchange(asking: Asking, code: str, verifier: str) -> Grant:
    asked = {
        "grant_type": "authorization_code",
        "auth_code": code,
        "redirect_uri": setting(asking.platforms, "tiktok", "redirect"),
    }
    return await _business_token(asking, "token", asked)


async def business_refresh(asking: Asking, old: Secret) -> Grant:
    asked = {"grant_type": "refresh_token", "refresh_token": old.reveal()}
    return await _business_token(asking, "refresh_token", asked)


async def _token(asking: Asking, form: Mapping[str, str]) -> Grant:
    app = {
        "client_key": setting(asking.platforms, "tiktok", "app_id"),
        "client_secret": asking.app_secret.reveal(),
    }
    answer = await asking.client.post(
        f"{asking.platforms.tiktok.base.rstrip('/')}/v2/oauth/token/",
        app | dict(form),
        expect=range(400, 600),
        judge=lambda answer: judge_oauth(answer, asking.now),
        tries=1,
    )
    return _grant(understood(answer.body, Tokens, TIKTOK), asking)


async def _business_token(asking: Asking, verb: str, asked: Mapping[str, str]) -> Grant:
    app = {
        "client_id": setting(asking.platforms, "tiktok", "business_app_id"),
        "client_secret": asking.app_secret.reveal(),
    }
    answer = await asking.client.post(
        f"{asking.platforms.tiktok.business_base.rstrip('/')}/open_api/v1.3/tt_user/oauth2/{verb}/",
        msgspec.json.encode(app | dict(asked)),
        headers={"content-type": "application/json"},
        expect=range(400, 600),
        judge=lambda answer: judge_business(answer, asking.now),
        tries=1,
    )
    return _grant(understood(answer.body, BusinessAnswer, TIKTOK).data, asking)


def _grant(tokens: Tokens | BusinessTokens, asking: Asking) -> Grant:
    return Grant(
        access=Secret(tokens.access_token),
        refresh=Secret(tokens.refresh_token),
        access_expires_at=asking.now + timedelta(seconds=tokens.expires_in),
        refresh_expires_at=asking.now + timedelta(seconds=tokens.refresh_expires_in),
        scopes=tuple(scope for scope in tokens.scope.replace(" ", ",").split(",") if scope),
        account=tokens.open_id,
    )


def _page(platforms: Platforms, app: str, scopes: tuple[str, ...], state: str, proof: Mapping[str, str]) -> str:
    asked = {
        "client_key": setting(platforms, "tiktok", app),
        "scope": ",".join(scopes),
        "response_type": "code",
        "redirect_uri": setting(platforms, "tiktok", "redirect"),
        "state": state,
    }
    return f"{platforms.tiktok.consent.rstrip('/')}/v2/auth/authorize/?{urlencode(asked | dict(proof))}"


CONSENT = Consent("tiktok", SCOPES, address, exchange, refresh)
BUSINESS_CONSENT = Consent("tiktok", BUSINESS_SCOPES, business_address, business_exchange, business_refresh)
