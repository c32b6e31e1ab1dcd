"""TikTok's consent page and token endpoint: access for two hours, a refresh token that rotates at every use."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from pipeline.demo.strict import Platform, Refusal, answer, form
from pipeline.demo.tokens import CODE_LIFE, Grant, Seeded, Tokens, back_to, issue_pairs, proves
from pipeline.demo.world import Account, Trouble, World

CLIENT_KEY = "mau-client-key-tiktok"
CLIENT_SECRET = "mau-app-secret-tiktok"  # noqa: S105 - invented, for the simulated district only
SCOPES = ("user.info.basic", "user.info.profile", "user.info.stats", "video.list")
ACCESS = timedelta(hours=2)
REFRESH = timedelta(days=180)
LOG_ID = "20260101000000MAUDULIEUMINHHOA000"
FORM = frozenset({"client_key", "client_secret", "grant_type", "code", "redirect_uri", "code_verifier"})
CONSENT = frozenset({"client_key", "scope", "response_type", "redirect_uri", "state", "account"})
CHALLENGE = frozenset({"code_challenge", "code_challenge_method"})


def seed_tokens(world: World) -> dict[str, Seeded]:
    """The token pair of every account by channel slug, as consented to when the story begins."""
    return seed(Tokens(world.seed, "mau"), world)


def seed(tokens: Tokens, world: World) -> dict[str, Seeded]:
    """Give out the tokens that exist when the story begins."""
    return issue_pairs(tokens, world.on("tiktok"), world.start, access=ACCESS, refresh=REFRESH, scopes=SCOPES)


def refused(error: str, description: str) -> Refusal:
    """A token call's error: flat, unlike that of a data call."""
    return Refusal({"error": error, "error_description": description, "log_id": LOG_ID}, 400)


def ticked(account: Account, grant: Grant, at: datetime) -> frozenset[str]:
    """What the person allows; in the trouble of a missing permission only the first box."""
    return grant.scopes & {"user.info.basic"} if account.has(Trouble.PERMISSION, at) else grant.scopes


class Consents:
    """Who agreed to what. One consent page serves both APIs; *apps* says whose tokens an app's codes are."""

    def __init__(self, platform: Platform, apps: Mapping[str, Tokens]) -> None:
        self._platform, self._apps, self._tokens = platform, apps, platform.tokens

    async def authorize(self, request: web.Request) -> web.Response:
        """The consent page, where the person says yes at once."""
        query = self._platform.query(request, CONSENT | CHALLENGE, refused("invalid_request", "Unknown parameter."))
        tokens = self._apps.get(query.get("client_key", ""))
        if tokens is None or "redirect_uri" not in query:
            raise refused("invalid_client", "Client key or secret is incorrect.")
        at, challenge = self._platform.clock(), query.get("code_challenge", "")
        account, scopes = self._platform.consenting(query, at), query.get("scope", "").split(",")
        code = tokens.issue("code", account.id, at, lasts=CODE_LIFE, scopes=scopes, challenge=challenge)
        told = {"code": code, "scopes": ",".join(scopes), "state": query.get("state", "")}
        raise web.HTTPFound(back_to(query["redirect_uri"], told))

    async def token(self, request: web.Request) -> web.Response:
        """A pair for a code, or a new pair for a refresh token, which dies at once."""
        fields = await self._form(request, "oauth/token", FORM | {"refresh_token"})
        at = self._platform.clock()
        match fields.get("grant_type"):
            case "authorization_code":
                grant = self._tokens.spend(fields.get("code"), at, "code")
                if grant and grant.challenge and not proves(grant.challenge, fields.get("code_verifier")):
                    grant = None
            case "refresh_token":
                grant = self._tokens.spend(fields.get("refresh_token"), at, "refresh")
            case _:
                raise refused("unsupported_grant_type", "The grant type is not supported.")
        if grant is None or self._platform.dead(self._platform.accounts[grant.account], grant, at):
            raise refused("invalid_grant", "Refresh token is invalid or expired.")
        return answer(self._pair(grant, at))

    async def revoke(self, request: web.Request) -> web.Response:
        """The owner's consent, taken back by the app itself."""
        fields = await self._form(request, "oauth/revoke", frozenset({"client_key", "client_secret", "token"}))
        grant = self._tokens.find(fields.get("token"))
        if grant is None:
            raise refused("invalid_request", "The token is invalid.")
        self._tokens.revoke(grant.account)
        return answer({})

    async def _form(self, request: web.Request, endpoint: str, known: frozenset[str]) -> dict[str, str]:
        """The form of a token call, once the app has proved itself."""
        self._platform.note(endpoint)
        self._platform.query(request, (), refused("invalid_request", "Unknown parameter."))
        fields = await form(request)
        self._platform.only(fields, known, refused("invalid_request", "Unknown field."), what="form field")
        if (fields.get("client_key"), fields.get("client_secret")) != (CLIENT_KEY, CLIENT_SECRET):
            raise refused("invalid_client", "Client key or secret is incorrect.")
        return fields

    def _pair(self, grant: Grant, at: datetime) -> dict[str, Any]:
        account = self._platform.accounts[grant.account]
        return {
            "access_token": self._tokens.issue("access", account.id, at, lasts=ACCESS, scopes=grant.scopes),
            "expires_in": int(ACCESS.total_seconds()),
            "open_id": account.id,
            "refresh_expires_in": int(REFRESH.total_seconds()),
            "refresh_token": self._tokens.issue("refresh", account.id, at, lasts=REFRESH, scopes=grant.scopes),
            "scope": ",".join(sorted(ticked(account, grant, at))),
            "token_type": "Bearer",
        }
