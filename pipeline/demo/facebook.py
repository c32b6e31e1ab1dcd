"""A Facebook that answers as Graph API v26.0 does: Pages, posts, Reels, insights, tokens and their errors."""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import orjson
from aiohttp import web

from pipeline.demo import facebook_errors as errors
from pipeline.demo.facebook_fields import Field, FieldsError, parse
from pipeline.demo.facebook_insights import insights
from pipeline.demo.facebook_posts import Posts, limit_in
from pipeline.demo.facebook_tokens import (
    ACCOUNT_FIELDS,
    APP_ID,
    APP_SECRET,
    APP_TOKEN,
    Consents,
    seed,
    seed_tokens,
    system_token,
)
from pipeline.demo.strict import Clock, Diary, Platform, answer, bearer, form, refusing
from pipeline.demo.tokens import Grant, Tokens, back_to
from pipeline.demo.totals import TotalsOf
from pipeline.demo.world import Account, Trouble, World

__all__ = ["APP_ID", "APP_SECRET", "APP_TOKEN", "VERSION", "application", "seed_tokens", "system_token"]

VERSION = "v26.0"
REMOVED = frozenset({"ids", "pretty", "debug", "date_format"})
CALLS_AN_HOUR = 200
"""For each Page; the real budget follows the Page's audience."""
PLAIN = frozenset({"id", "name", "access_token"})
"""Fields that need no permission to read the Page's content."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that got through the door."""

    query: Mapping[str, str]
    token: str
    grant: Grant
    at: datetime


def application(world: World, clock: Clock, diary: Diary, *, app_secret: str | None = APP_SECRET) -> web.Application:
    """The simulated Graph API; with *app_secret* every call needs the proof that belongs to its token."""
    graph = Graph(world, clock, diary, app_secret)
    app = web.Application()
    app.router.add_get("/dialog/oauth", refusing(graph.dialog))
    app.router.add_get(f"/{VERSION}/dialog/oauth", refusing(graph.dialog))
    app.router.add_route("*", f"/{VERSION}/oauth/access_token", refusing(graph.exchange))
    app.router.add_route("*", f"/{VERSION}/debug_token", refusing(graph.debug_token))
    app.router.add_get(f"/{VERSION}/me/accounts", refusing(graph.me_accounts))
    app.router.add_get(f"/{VERSION}/{{page}}", refusing(graph.page))
    app.router.add_get(f"/{VERSION}/{{page}}/published_posts", refusing(graph.published_posts))
    app.router.add_get(f"/{VERSION}/{{page}}/video_reels", refusing(graph.video_reels))
    app.router.add_get(f"/{VERSION}/{{page}}/insights", refusing(graph.insights))
    app.router.add_route("*", "/{path:.*}", refusing(graph.elsewhere))
    return app


class Graph(Platform):
    name = "facebook"

    def __init__(self, world: World, clock: Clock, diary: Diary, app_secret: str | None) -> None:
        super().__init__(world, clock, diary, Tokens(world.seed, "EAAmau"))
        self.consents = Consents(self, seed(self.tokens, world))
        self._named = {account.handle.lower(): account for account in self.accounts.values()}
        self._secret = app_secret
        self._totals = TotalsOf(self.accounts)
        self._posts = Posts(self.complain)
        self._proofs: dict[str, str] = {}
        self._calls: Counter[str] = Counter()
        self._hour: datetime | None = None

    async def page(self, request: web.Request) -> web.Response:
        """`GET /{page}?fields=`."""
        account, asked = self._enter(request, "page", {"fields"})
        fields = self._fields(asked.query) or (Field("id"), Field("name"))
        self._posts.check_page(fields)
        if not PLAIN.issuperset(one.name for one in fields):
            self._permitted(account, asked)
        values = self._counts(account, asked.at) | {"id": account.id, "name": account.name}
        body: dict[str, Any] = {}
        for one in (*fields, Field("id")):
            if one.name == "published_posts":
                body[one.name] = self._page_of_posts(request, account, asked, one.children, one.modifiers)
            elif one.name == "access_token":
                body[one.name] = self.consents.page_token(account, asked.grant, asked.at)
            else:
                body[one.name] = values[one.name]
        return self._answer(body, account)

    async def published_posts(self, request: web.Request) -> web.Response:
        account, asked = self._enter(request, "published_posts", {"fields", "limit", "after"})
        fields = self._fields(asked.query)
        self._posts.check_posts(fields)
        self._permitted(account, asked)
        return self._answer(self._page_of_posts(request, account, asked, fields, asked.query), account)

    async def video_reels(self, request: web.Request) -> web.Response:
        account, asked = self._enter(request, "video_reels", {"fields", "limit", "after"})
        fields = self._fields(asked.query)
        self._posts.check_reels(fields)
        self._permitted(account, asked)
        if account.has(Trouble.REELS_DENIED, asked.at):
            raise errors.permission_missing()
        url = self._next(request, account, asked, "video_reels", asked.query.get("limit"))
        return self._answer(self._posts.reels(account, asked.at, fields, asked.query, url), account)

    async def insights(self, request: web.Request) -> web.Response:
        account, asked = self._enter(request, "insights", {"metric", "period", "since", "until"})
        if asked.grant.kind != "page":
            raise errors.page_token_needed()
        self._permitted(account, asked)
        url = self._next(request, account, asked, "insights", None)
        return self._answer(insights(self._totals[account.id], asked.at, asked.query, url), account)

    async def me_accounts(self, request: web.Request) -> web.Response:
        """The Pages of the person who consented; one whose consent is gone is not among them."""
        self.note("me/accounts")
        asked = self._asked(request, {"fields", "limit", "after"})
        if asked.grant.kind == "page":
            raise errors.no_such_field("accounts", "Page")
        fields = {one.name for one in self._fields(asked.query)} or ACCOUNT_FIELDS - {"username"}
        self.only(fields, ACCOUNT_FIELDS, errors.no_such_field("?", "Page"), what="field")
        limit = limit_in(asked.query.get("limit"))
        return answer(self.consents.pages(asked.grant, asked.at, fields, limit, asked.query.get("after")))

    async def debug_token(self, request: web.Request) -> web.Response:
        """What a token is worth; asked with the token of the app."""
        self.note("debug_token")
        query = self.query(request, {"input_token", "appsecret_proof"}, errors.bad_parameter("Unknown parameter"))
        if bearer(request) != APP_TOKEN:
            raise errors.error(190, "Invalid OAuth access token.")
        token = (await form(request)).get("input_token") or query.get("input_token")
        if not token:
            raise errors.bad_parameter("The parameter input_token is required")
        return answer(self.consents.describe(token, self.clock()))

    async def exchange(self, request: web.Request) -> web.Response:
        """A code, or a short-lived token, for a token; everything in the body."""
        self.note("oauth/access_token")
        self.query(request, (), errors.bad_parameter("Unknown parameter"))
        fields = await form(request)
        known = {"client_id", "client_secret", "redirect_uri", "code", "grant_type", "fb_exchange_token"}
        self.only(fields, known, errors.bad_parameter("Unknown parameter"), what="form field")
        return answer(self.consents.exchange(fields, self.clock()))

    async def dialog(self, request: web.Request) -> web.Response:
        """The consent page, where the person says yes at once."""
        known = {"client_id", "redirect_uri", "state", "scope", "response_type", "auth_type", "account"}
        query = self.query(request, known, errors.bad_parameter("Unknown parameter"))
        if query.get("client_id") != APP_ID or "redirect_uri" not in query:
            raise errors.error(101, "Invalid App ID")
        code = self.consents.code(query, self.clock())
        raise web.HTTPFound(back_to(query["redirect_uri"], {"code": code, "state": query.get("state", "")}))

    async def elsewhere(self, request: web.Request) -> web.Response:
        """Other versions, `GET /?ids=`, and whatever nobody should ask for."""
        self.note("elsewhere")
        if "ids" in request.query:
            message = "GET /?ids= is no longer supported. Use per-object requests or batch requests."
            self.violation("removed parameter «ids»", errors.error(100, message))
        self.violation(f"unknown path {request.path[:80]}", errors.unknown_path())

    def _enter(self, request: web.Request, endpoint: str, allowed: set[str]) -> tuple[Account, Asked]:
        """The Page asked about, once the token is good for it and no trouble stands in the way."""
        page = request.match_info["page"]
        account = self.accounts.get(page) or self._named.get(page.lower())
        self.note(endpoint, account)
        asked = self._asked(request, allowed)
        if account is None:
            raise errors.no_such_object(page)
        self.fall_over([account], asked.at, errors.service_down())
        self._within_budget(account, asked.at)
        if self.dead(account, asked.grant, asked.at):
            raise errors.token_dead()
        if asked.grant.kind == "page" and asked.grant.account != account.id:
            raise errors.permission_missing()
        return account, asked

    def _asked(self, request: web.Request, allowed: set[str]) -> Asked:
        """The question and its token, when both are in order."""
        self._nothing_removed(request)
        query = self.query(request, allowed | {"appsecret_proof"}, errors.bad_parameter("Unknown parameter"))
        token, at = bearer(request), self.clock()
        if token is None:
            self.violation("no Authorization header", errors.token_missing())
        grant = self.tokens.find(token)
        if grant is None or grant.kind == "code":
            raise errors.token_unknown()
        if not grant.lives(at):
            raise errors.token_expired()
        self._proven(token, query.get("appsecret_proof"))
        return Asked(query, token, grant, at)

    def _nothing_removed(self, request: web.Request) -> None:
        removed = REMOVED & set(request.query)
        if removed:
            self.violation(f"removed parameter «{min(removed)}»", errors.bad_parameter("Parameter no longer supported"))
        if "If-None-Match" in request.headers:
            self.violation("removed header «If-None-Match»", errors.bad_parameter("ETags are no longer supported"))

    def _proven(self, token: str, proof: str | None) -> None:
        if self._secret is None:
            return
        if proof is None:
            raise errors.proof_missing()
        if token not in self._proofs:
            self._proofs[token] = hmac.new(self._secret.encode(), token.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(proof.encode(), self._proofs[token].encode()):
            raise errors.proof_wrong()

    def _within_budget(self, account: Account, at: datetime) -> None:
        hour = at.replace(minute=0, second=0, microsecond=0)
        if hour != self._hour:
            self._hour = hour
            self._calls.clear()
        self._calls[account.id] += 1
        if account.has(Trouble.THROTTLED, at) or self._calls[account.id] > CALLS_AN_HOUR:
            minutes = -(-(hour + timedelta(hours=1) - at) // timedelta(minutes=1))
            raise errors.page_limit(self._usage(account, 100, minutes))

    def _permitted(self, account: Account, asked: Asked) -> None:
        if account.has(Trouble.PERMISSION, asked.at):
            raise errors.permission_missing()

    def _fields(self, query: Mapping[str, str]) -> tuple[Field, ...]:
        try:
            return parse(query.get("fields", ""))
        except FieldsError as problem:
            raise errors.error(2500, "Syntax error in the fields expression") from problem

    def _counts(self, account: Account, at: datetime) -> dict[str, Any]:
        followers = 0 if account.has(Trouble.ZERO, at) else account.followers(at)
        return {
            "username": account.handle,
            "link": f"https://www.facebook.com/{account.handle}",
            "followers_count": followers,
            "fan_count": followers,
            "is_published": not account.has(Trouble.UNPUBLISHED, at),
            "has_transitioned_to_new_page_experience": True,
            "verification_status": "not_verified",
            "category": "Youth Organization",
        }

    def _page_of_posts(
        self,
        request: web.Request,
        account: Account,
        asked: Asked,
        fields: tuple[Field, ...],
        page: Mapping[str, str],
    ) -> Any:
        url = self._next(request, account, asked, "published_posts", page.get("limit"))
        return self._posts.posts(account, asked.at, fields, page, url)

    def _next(self, request: web.Request, account: Account, asked: Asked, edge: str, limit: str | None) -> str:
        """Where the next page is; with the token inside, for whoever follows it."""
        kept = {name: asked.query[name] for name in ("fields", "metric", "period") if name in asked.query}
        query = urlencode({"access_token": asked.token, **kept, **({"limit": limit} if limit else {})})
        return f"http://{request.host}/{VERSION}/{account.id}/{edge}?{query}"

    def _answer(self, body: Any, account: Account) -> web.Response:
        percent = self._calls[account.id] * 100 // CALLS_AN_HOUR
        return answer(body, headers={"facebook-api-version": VERSION, **self._usage(account, percent, 0)})

    def _usage(self, account: Account, percent: int, minutes: int) -> dict[str, str]:
        """The usage headers, which come only after enough calls."""
        if not percent:
            return {}
        spent = {"call_count": percent, "total_cputime": percent // 4, "total_time": percent // 3}
        business = {"type": "pages", **spent, "estimated_time_to_regain_access": minutes}
        app = {name: value // 3 for name, value in spent.items()}
        return {
            "X-App-Usage": orjson.dumps(app).decode(),
            "X-Business-Use-Case-Usage": orjson.dumps({account.id: [business]}).decode(),
        }
