"""The owner's consent: Google's sign-in with PKCE, an access token for an hour, a refresh token that stays.

Google does not exchange the refresh token for a new one. While the consent screen of the project is in «Testing»
it dies after 7 days; after 6 months without use it dies as well.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from collectors.base import CollectError, Credentials, Look
from collectors.consent import Asking, Consent, Grant, setting
from collectors.refusals import understood
from collectors.youtube.api import ERRORS, Api
from collectors.youtube.errors import YOUTUBE, token_refusal
from config.platforms import Platforms
from config.secrets import Secret

if TYPE_CHECKING:
    from collectors.client import Answer

SCOPES = (
    "https://www.googleapis.com/auth/youtube.readonly",
    "https://www.googleapis.com/auth/yt-analytics.readonly",
)


class Tokens(msgspec.Struct):
    """`expires_in` is in seconds; the refresh token comes with the first answer only."""

    access_token: Annotated[str, Meta(min_length=1)]
    expires_in: Annotated[int, Meta(ge=1, le=10**9)]
    refresh_token: Annotated[str, Meta(min_length=1)] | None = None
    scope: str = ""


def address(platforms: Platforms, state: str, verifier: str) -> str:
    """The consent page; it asks even who agreed before, because only then a refresh token comes."""
    asked = {
        "client_id": setting(platforms, "youtube", "app_id"),
        "redirect_uri": setting(platforms, "youtube", "redirect"),
        "response_type": "code",
        "scope": " ".join(SCOPES),
        "access_type": "offline",
        "prompt": "consent",
        "state": state,
        "code_challenge": _challenge(verifier),
        "code_challenge_method": "S256",
    }
    return f"{platforms.youtube.consent}/o/oauth2/v2/auth?{urlencode(asked)}"


async def exchange(asking: Asking, code: str, verifier: str) -> Grant:
    """The first tokens; `account` is the channel that was chosen, "" when YouTube does not say just now."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "code_verifier": verifier,
        "redirect_uri": setting(asking.platforms, "youtube", "redirect"),
    }
    tokens = await _ask(asking, form)
    return _grant(tokens, asking, None, await _own_channel(asking, Secret(tokens.access_token)))


async def refresh(asking: Asking, old: Secret) -> Grant:
    """A new access token; the refresh token stays the old one unless Google sends another."""
    tokens = await _ask(asking, {"grant_type": "refresh_token", "refresh_token": old.reveal()})
    return _grant(tokens, asking, old, "")


async def _ask(asking: Asking, form: Mapping[str, str]) -> Tokens:
    app = {"client_id": setting(asking.platforms, "youtube", "app_id"), "client_secret": asking.app_secret.reveal()}

    def judge(answer: Answer) -> None:
        if answer.status >= 400:
            raise token_refusal(answer, asking.now)

    url = f"{asking.platforms.youtube.oauth_base}/token"
    answer = await asking.client.post(url, app | dict(form), expect=ERRORS, judge=judge, tries=1)
    return understood(answer.body, Tokens, YOUTUBE)


async def _own_channel(asking: Asking, access: Secret) -> str:
    """The code is spent: what fails now must not lose the tokens."""
    look = Look(asking.client, asking.now, ZoneInfo("UTC"), platforms=asking.platforms)
    try:
        return await Api(look, Credentials(access=access)).own_id()
    except CollectError:
        return ""


def _grant(tokens: Tokens, asking: Asking, old: Secret | None, account: str) -> Grant:
    return Grant(
        access=Secret(tokens.access_token),
        refresh=Secret(tokens.refresh_token) if tokens.refresh_token else old,
        access_expires_at=asking.now + timedelta(seconds=tokens.expires_in),
        scopes=tuple(tokens.scope.split()),
        account=account,
    )


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


CONSENT = Consent("youtube", SCOPES, address, exchange, refresh)
