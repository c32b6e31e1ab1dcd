"""A Zalo that answers as the Official Account API does: HTTP 200 for everything, refresh tokens that work once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from aiohttp import web

from pipeline.demo.strict import Clock, Diary, Platform, Refusal, answer, form, refusing
from pipeline.demo.tokens import CODE_LIFE, Grant, Seeded, Tokens, back_to, issue_pairs, proves
from pipeline.demo.world import Account, Item, Trouble, World

APP_ID = "1000000000000000026"
APP_SECRET = "mau-app-secret-zalo"  # noqa: S105 - invented, for the simulated district only
ACCESS = timedelta(hours=25)
REFRESH = timedelta(days=90)
MESSAGES = {
    -32: "Your application reached limit call api",
    -201: "Invalid parameter",
    -209: "Not supported this api",
    -216: "Access token is invalid",
    -220: "access_token is expired or removed",
    -223: "Official Account has not authorized this API",
}


def application(world: World, clock: Clock, diary: Diary) -> web.Application:
    """The simulated Zalo: Official Accounts, their articles, tokens and the consent page."""
    zalo = Zalo(world, clock, diary)
    app = web.Application()
    app.router.add_get("/v2.0/oa/getoa", refusing(zalo.getoa))
    app.router.add_get("/v2.0/article/getslice", refusing(zalo.getslice))
    app.router.add_get("/v4/oa/permission", refusing(zalo.permission))
    app.router.add_post("/v4/oa/access_token", refusing(zalo.access_token))
    app.router.add_route("*", "/{path:.*}", refusing(zalo.elsewhere))
    return app


def seed_tokens(world: World) -> dict[str, Seeded]:
    """The token pair of every Official Account by channel slug, as consented to when the story begins."""
    return _seed(Tokens(world.seed, "zmau"), world)


def _seed(tokens: Tokens, world: World) -> dict[str, Seeded]:
    return issue_pairs(tokens, world.on("zalo"), world.start, access=ACCESS, refresh=REFRESH)


def failure(code: int, message: str | None = None) -> Refusal:
    return Refusal({"error": code, "message": message or MESSAGES[code]}, 200)


def oauth_failure(code: int, name: str) -> Refusal:
    return Refusal({"error": code, "error_name": name, "error_description": name}, 200)


def success(data: Mapping[str, Any]) -> web.Response:
    return answer({"error": 0, "message": "Success", "data": data})


class Zalo(Platform):
    name = "zalo"

    def __init__(self, world: World, clock: Clock, diary: Diary) -> None:
        super().__init__(world, clock, diary, Tokens(world.seed, "zmau"))
        _seed(self.tokens, world)

    async def getoa(self, request: web.Request) -> web.Response:
        account, at = self._enter(request, "oa/getoa", set())
        return success({
            "oa_id": account.id,
            "name": account.name,
            "description": "Dữ liệu minh họa",
            "oa_alias": account.handle,
            "is_verified": True,
            "oa_type": 4,
            "cate_name": "Cơ quan nhà nước",
            "num_follower": 0 if account.has(Trouble.ZERO, at) else account.followers(at),
            "avatar": "https://example.invalid/a.jpg",
            "cover": "https://example.invalid/c.jpg",
            "package_name": "Cơ bản",
            "package_valid_through_date": "01/01/2030",
            "package_auto_renew_date": "",
            "linked_ZCA": "",
        })  # fmt: skip

    async def getslice(self, request: web.Request) -> web.Response:
        """Ten articles at most, newest first."""
        account, at = self._enter(request, "article/getslice", {"offset", "limit", "type"})
        offset, limit = self._number(request, "offset", 0), self._number(request, "limit", 10)
        if limit > 10:
            raise failure(-201, "maximum limit is 10")
        kind = request.query.get("type")
        if kind not in {"normal", "video"}:
            raise failure(-201, "type accept only 2 value normal and video.")
        chosen = (item for item in account.public(at) if (item.kind == "video") == (kind == "video"))
        medias = [_media(account, item, at, kind) for item in islice(chosen, offset, offset + limit)]
        total = sum((item.kind == "video") == (kind == "video") for item in account.public(at))
        return success({"total": total, "medias": medias})

    async def permission(self, request: web.Request) -> web.Response:
        """The consent page, where the administrator says yes at once."""
        known = {"app_id", "redirect_uri", "code_challenge", "code_challenge_method", "state", "account"}
        query = self.query(request, known, oauth_failure(-14002, "Invalid parameter"))
        if query.get("app_id") != APP_ID or "redirect_uri" not in query:
            raise oauth_failure(-14001, "Invalid app id")
        at = self.clock()
        account, challenge = self.consenting(query, at), query.get("code_challenge", "")
        code = self.tokens.issue("code", account.id, at, lasts=CODE_LIFE, challenge=challenge)
        told = {"oa_id": account.id, "code": code, "state": query.get("state", "")}
        raise web.HTTPFound(back_to(query["redirect_uri"], told))

    async def access_token(self, request: web.Request) -> web.Response:
        """A pair for a code or for a refresh token, which works once."""
        self.note("oa/access_token")
        wrong = oauth_failure(-14002, "Invalid parameter")
        self.query(request, (), wrong)
        fields, at = await form(request), self.clock()
        self.only(fields, {"app_id", "grant_type", "code", "code_verifier", "refresh_token"}, wrong, what="form field")
        if request.headers.get("secret_key") is None:
            self.violation("no secret_key header", oauth_failure(-14004, "Invalid secret key"))
        if (fields.get("app_id"), request.headers["secret_key"]) != (APP_ID, APP_SECRET):
            raise oauth_failure(-14004, "Invalid app id or secret key")
        return answer(self._pair(self._granted(fields, at), at))

    async def elsewhere(self, request: web.Request) -> web.Response:
        """Followers, conversations, messages: nothing that the project may ask for."""
        self.note("elsewhere")
        self.violation(f"unknown path {request.path[:80]}", failure(-209))

    def _enter(self, request: web.Request, endpoint: str, allowed: set[str]) -> tuple[Account, datetime]:
        """Whose token this is, once it lives and no trouble stands in the way."""
        at, token = self.clock(), request.headers.get("access_token")
        grant = self.tokens.find(token)
        account = self.accounts.get(grant.account) if grant else None
        self.note(endpoint, account)
        self.query(request, allowed, failure(-201))
        if token is None:
            self.violation("no access_token header", failure(-216))
        if grant is None or account is None or grant.kind != "access":
            raise failure(-216)
        if not grant.lives(at):
            raise failure(-220)
        self._troubles(account, grant, at)
        return account, at

    def _troubles(self, account: Account, grant: Grant, at: datetime) -> None:
        self.fall_over([account], at, Refusal("", 503))
        if self.dead(account, grant, at):
            raise failure(-220)
        if account.has(Trouble.THROTTLED, at):
            raise failure(-32)
        if account.has(Trouble.PERMISSION, at):
            raise failure(-223)

    def _number(self, request: web.Request, name: str, default: int) -> int:
        text = request.query.get(name)
        if text is not None and not text.isdecimal():
            raise failure(-201)
        return default if text is None else int(text)

    def _granted(self, fields: Mapping[str, str], at: datetime) -> Grant:
        match fields.get("grant_type"):
            case "authorization_code":
                grant = self.tokens.spend(fields.get("code"), at, "code")
                if grant and not proves(grant.challenge, fields.get("code_verifier")):
                    raise oauth_failure(-14020, "Invalid code verifier")
            case "refresh_token":
                grant = self.tokens.spend(fields.get("refresh_token"), at, "refresh")
            case _:
                raise oauth_failure(-14002, "Invalid grant type")
        if grant is None or self.dead(self.accounts[grant.account], grant, at):
            raise oauth_failure(-14014, "Invalid refresh token")
        return grant

    def _pair(self, grant: Grant, at: datetime) -> dict[str, str]:
        return {
            "access_token": self.tokens.issue("access", grant.account, at, lasts=ACCESS),
            "refresh_token": self.tokens.issue("refresh", grant.account, at, lasts=REFRESH),
            "expires_in": str(int(ACCESS.total_seconds())),
        }


def _media(account: Account, item: Item, at: datetime, kind: str) -> dict[str, Any]:
    counts = item.counts(at)
    milliseconds = int(item.published_at.timestamp()) * 1000
    return {
        "id": f"mau-{account.id}-{item.number}",
        "type": kind,
        "title": item.title,
        "status": "show",
        "total_view": counts.views,
        "total_share": counts.shares,
        "create_date": milliseconds,
        "update_date": milliseconds,
        "thumb": "https://example.invalid/t.jpg",
        "link_view": f"https://example.invalid/{account.id}/{item.number}",
    }
