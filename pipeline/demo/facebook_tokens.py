"""Consents and tokens of the simulated Facebook: users, the system user, Pages, and what `debug_token` says."""

from __future__ import annotations

from collections.abc import Mapping, Set
from datetime import datetime, timedelta
from typing import Any

from pipeline.demo import facebook_errors as errors
from pipeline.demo.strict import Platform
from pipeline.demo.tokens import CODE_LIFE, Grant, Seeded, Tokens
from pipeline.demo.world import Account, Trouble, World

APP_ID = "1000000000000026"
APP_SECRET = "mau-app-secret-facebook"  # noqa: S105 - invented, for the simulated district only
APP_TOKEN = f"{APP_ID}|{APP_SECRET}"
SCOPES = (
    "business_management",
    "pages_read_engagement",
    "pages_read_user_content",
    "pages_show_list",
    "read_insights",
)
SHORT = timedelta(hours=2)
LONG = timedelta(days=60)
DATA_ACCESS = timedelta(days=90)
USER_ID = "122000000000000001"
ACCOUNT_FIELDS = frozenset({"access_token", "category", "category_list", "name", "id", "tasks", "username"})
TASKS = ["ADVERTISE", "ANALYZE", "CREATE_CONTENT", "MESSAGING", "MODERATE", "MANAGE"]


def seed_tokens(world: World) -> dict[str, Seeded]:
    """The Page token of every Page by channel slug; such tokens have no end."""
    return seed(Tokens(world.seed, "EAAmau"), world)


def system_token(world: World) -> str:
    """The token of the system user of the district's business portfolio: it can fetch every Page token."""
    return Tokens(world.seed, "EAAmau").issue("system", "", world.start)


def seed(tokens: Tokens, world: World) -> dict[str, Seeded]:
    """Give out the tokens that exist when the story begins."""
    tokens.issue("system", "", world.start, scopes=SCOPES)
    pages = world.on("facebook").values()
    issued = {page.slug: tokens.issue("page", page.id, world.start, scopes=SCOPES) for page in pages}
    return {slug: Seeded(token, None, scopes=SCOPES) for slug, token in issued.items()}


class Consents:
    """Who agreed to what."""

    def __init__(self, platform: Platform, seeded: Mapping[str, Seeded]) -> None:
        self._platform, self._tokens = platform, platform.tokens
        self._page_tokens = {slug: token.access_token for slug, token in seeded.items()}

    def code(self, query: Mapping[str, str], at: datetime) -> str:
        """The code that a consent page hands out."""
        scopes = query.get("scope", "").replace(",", " ").split() or SCOPES
        return self._tokens.issue("code", "", at, lasts=CODE_LIFE, scopes=scopes, challenge=query["redirect_uri"])

    def exchange(self, fields: Mapping[str, str], at: datetime) -> dict[str, Any]:
        """A short-lived user token for a code, or a long-lived one for a short-lived one."""
        if (fields.get("client_id"), fields.get("client_secret")) != (APP_ID, APP_SECRET):
            raise (
                errors.error(1, "Error validating client secret.")
                if False
                else errors.error(
                    101, "Error validating application. Cannot get application info due to a system error."
                )
            )
        if fields.get("grant_type") == "fb_exchange_token":
            return self._lengthen(self._tokens.valid(fields.get("fb_exchange_token"), at, "user"), at)
        grant = self._tokens.spend(fields.get("code"), at, "code")
        if grant is None or grant.challenge != fields.get("redirect_uri"):
            raise errors.error(100, "This authorization code has been used.", subcode=36009)
        return self._user_token(grant, at, SHORT)

    def _lengthen(self, grant: Grant | None, at: datetime) -> dict[str, Any]:
        if grant is None:
            raise errors.token_expired()
        return self._user_token(grant, at, LONG)

    def _user_token(self, grant: Grant, at: datetime, lasts: timedelta) -> dict[str, Any]:
        token = self._tokens.issue("user", "", at, lasts=lasts, scopes=grant.scopes)
        return {"access_token": token, "token_type": "bearer", "expires_in": int(lasts.total_seconds())}

    def page_token(self, page: Account, grant: Grant, at: datetime) -> str:
        """The Page's token, for whoever may have it; a consent newer than the trouble brings a new one."""
        renewed = any(s.trouble is Trouble.TOKEN_DEAD and s.start <= grant.issued_at < s.until for s in page.spells)
        known = self._tokens.find(self._page_tokens[page.slug])
        if renewed and known and known.issued_at < grant.issued_at:
            self._page_tokens[page.slug] = self._tokens.issue("page", page.id, at, scopes=grant.scopes)
        return self._page_tokens[page.slug]

    def pages(self, grant: Grant, at: datetime, fields: Set[str], limit: int, after: str | None) -> dict[str, Any]:
        """One page of `/me/accounts`."""
        pages = [page for page in self._platform.accounts.values() if not self._platform.dead(page, grant, at)]
        start = next((place + 1 for place, page in enumerate(pages) if page.id == after), 0)
        found = pages[start : start + limit]
        if not found:
            return {"data": []}
        paging: dict[str, Any] = {"cursors": {"before": found[0].id, "after": found[-1].id}}
        if start + limit < len(pages):
            paging["next"] = f"https://graph.facebook.com/v26.0/me/accounts?access_token=mau&after={found[-1].id}"
        listed = (self._listed(page, grant, at) for page in found)
        data = [{name: value for name, value in one.items() if name in fields | {"id"}} for one in listed]
        return {"data": data, "paging": paging}

    def _listed(self, page: Account, grant: Grant, at: datetime) -> dict[str, Any]:
        return {
            "access_token": self.page_token(page, grant, at),
            "category": "Youth Organization",
            "category_list": [{"id": "2235", "name": "Youth Organization"}],
            "name": page.name,
            "username": page.handle,
            "id": page.id,
            "tasks": TASKS,
        }

    def describe(self, token: str, at: datetime) -> dict[str, Any]:
        """The answer of `debug_token`."""
        grant = self._tokens.find(token)
        if grant is None:
            message = "Invalid OAuth access token - Cannot parse access token"
            return {"data": {"error": {"code": 190, "message": message}, "is_valid": False, "scopes": []}}
        page = self._platform.accounts.get(grant.account)
        data: dict[str, Any] = {
            "app_id": APP_ID,
            "type": {"page": "PAGE", "system": "SYSTEM_USER"}.get(grant.kind, "USER"),
            "application": "Nhip Doan (mau)",
            "expires_at": int(grant.until.timestamp()) if grant.until else 0,
            "is_valid": grant.lives(at),
            "scopes": sorted(self._scopes(grant, page, at)),
            "user_id": USER_ID,
        }
        if page and self._platform.dead(page, grant, at):
            error = {"code": 190, "message": errors.SESSION_ENDED, "subcode": 460}
            return {"data": data | {"error": error, "is_valid": False}}
        data["data_access_expires_at"] = int(_data_access_ends(grant, at).timestamp())
        return {"data": data | (self._of_page(page, grant, data["scopes"]) if page else {})}

    def _scopes(self, grant: Grant, page: Account | None, at: datetime) -> frozenset[str]:
        if page and page.has(Trouble.PERMISSION, at):
            return grant.scopes - {"pages_read_engagement"}
        return grant.scopes

    def _of_page(self, page: Account, grant: Grant, scopes: list[str]) -> dict[str, Any]:
        return {
            "profile_id": page.id,
            "issued_at": int(grant.issued_at.timestamp()),
            "granular_scopes": [{"scope": scope, "target_ids": [page.id]} for scope in scopes],
        }


def _data_access_ends(grant: Grant, at: datetime) -> datetime:
    """Ninety days after the last consent; the district's officer consents anew every sixty."""
    return at - (at - grant.issued_at) % LONG + DATA_ACCESS
