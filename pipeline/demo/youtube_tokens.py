"""Google's consent page and token endpoint: PKCE, access for an hour, a refresh token that stays."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from pipeline.demo.strict import Platform, Refusal, answer, form
from pipeline.demo.tokens import CODE_LIFE, Grant, Seeded, Tokens, back_to, issue_pairs, proves
from pipeline.demo.world import Trouble, World

CLIENT_ID = "mau-client-id.apps.googleusercontent.com"
CLIENT_SECRET = "mau-app-secret-google"  # noqa: S105 - invented, for the simulated district only
DATA = "https://www.googleapis.com/auth/youtube.readonly"
ANALYTICS = "https://www.googleapis.com/auth/yt-analytics.readonly"
SCOPES = (DATA, ANALYTICS)
ACCESS = timedelta(hours=1)
FORM = frozenset({"client_id", "client_secret", "grant_type", "code", "code_verifier", "redirect_uri", "refresh_token"})
CONSENT = frozenset(
    {"client_id", "redirect_uri", "response_type", "scope", "state", "access_type", "prompt", "account"}
) | {"code_challenge", "code_challenge_method", "include_granted_scopes", "login_hint"}


def seed(tokens: Tokens, world: World) -> dict[str, Seeded]:
    """Give out the tokens that exist when the story begins."""
    return issue_pairs(tokens, world.on("youtube"), world.start, access=ACCESS, refresh=None, scopes=SCOPES)


def seed_tokens(world: World) -> dict[str, Seeded]:
    """The token pair of every channel by slug, as its owner consented to it when the story begins."""
    return seed(Tokens(world.seed, "ya29mau"), world)


def refused(error: str, description: str, status: int = 400) -> Refusal:
    return Refusal({"error": error, "error_description": description}, status)


class Consents:
    """Who agreed to what."""

    def __init__(self, platform: Platform) -> None:
        self._platform, self._tokens = platform, platform.tokens

    async def authorize(self, request: web.Request) -> web.Response:
        """The consent page, where the owner says yes at once."""
        query = self._platform.query(request, CONSENT, refused("invalid_request", "Unknown parameter"))
        if query.get("client_id") != CLIENT_ID or "redirect_uri" not in query:
            raise refused("invalid_client", "The OAuth client was not found.", 401)
        if query.get("code_challenge_method", "S256") != "S256":
            raise refused("invalid_request", "Only S256 is taken here")
        raise web.HTTPFound(back_to(query["redirect_uri"], self._consent(query)))

    def _consent(self, query: Mapping[str, str]) -> dict[str, str]:
        at = self._platform.clock()
        scope, challenge = query.get("scope", ""), query.get("code_challenge", "")
        account = self._platform.consenting(query, at)
        code = self._tokens.issue("code", account.id, at, lasts=CODE_LIFE, scopes=scope.split(), challenge=challenge)
        return {"state": query.get("state", ""), "code": code, "scope": scope}

    async def token(self, request: web.Request) -> web.Response:
        """A pair for a code, or a new access token for the refresh token, which stays as it is."""
        self._platform.note("token")
        self._platform.query(request, (), refused("invalid_request", "Unknown parameter"))
        fields = await form(request)
        self._platform.only(fields, FORM, refused("invalid_request", "Unknown field"), what="form field")
        if (fields.get("client_id"), fields.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            raise refused("invalid_client", "The OAuth client was not found.", 401)
        return answer(self._granted(fields, self._platform.clock()))

    def _granted(self, fields: Mapping[str, str], at: datetime) -> dict[str, Any]:
        match fields.get("grant_type"):
            case "authorization_code":
                grant = self._tokens.spend(fields.get("code"), at, "code")
                if grant and grant.challenge and not proves(grant.challenge, fields.get("code_verifier")):
                    raise refused("invalid_grant", "Invalid code verifier.")
                living = self._living(grant, at)
                return {**self._access(living, at), "refresh_token": self._refresh(living, at)}
            case "refresh_token":
                return self._access(
                    self._living(self._tokens.valid(fields.get("refresh_token"), at, "refresh"), at), at
                )
            case _:
                raise refused("unsupported_grant_type", "Invalid grant_type")

    def _living(self, grant: Grant | None, at: datetime) -> Grant:
        if grant is None or self._platform.dead(self._platform.accounts[grant.account], grant, at):
            raise refused("invalid_grant", "Token has been expired or revoked.")
        return grant

    def _access(self, grant: Grant, at: datetime) -> dict[str, Any]:
        ticked = grant.scopes
        if self._platform.accounts[grant.account].has(Trouble.PERMISSION, at):
            ticked = grant.scopes - {ANALYTICS}
        return {
            "access_token": self._tokens.issue("access", grant.account, at, lasts=ACCESS, scopes=grant.scopes),
            "expires_in": int(ACCESS.total_seconds()),
            "scope": " ".join(sorted(ticked)),
            "token_type": "Bearer",
        }

    def _refresh(self, grant: Grant, at: datetime) -> str:
        return self._tokens.issue("refresh", grant.account, at, scopes=grant.scopes)
