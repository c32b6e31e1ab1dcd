"""A TikTok that answers as the Display API v2 does: user, videos, tokens of two hours that rotate, and the errors.

The Business Accounts API, with its sixty days of history, answers on the same port; see `tiktok_business`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import islice
from typing import Any, NoReturn

from aiohttp import web

from pipeline.demo.strict import Clock, Diary, Platform, Refusal, answer, bearer, json_body, names, refusing
from pipeline.demo.tiktok_business import CLIENT_ID as BUSINESS_CLIENT_ID
from pipeline.demo.tiktok_business import CLIENT_SECRET as BUSINESS_CLIENT_SECRET
from pipeline.demo.tiktok_business import Business
from pipeline.demo.tiktok_business import seed_tokens as business_seed_tokens
from pipeline.demo.tiktok_tokens import CLIENT_KEY, CLIENT_SECRET, LOG_ID, Consents, seed, seed_tokens, ticked
from pipeline.demo.tokens import Grant, Tokens
from pipeline.demo.totals import TotalsOf
from pipeline.demo.world import Account, Counts, Item, Trouble, World

__all__ = [
    "BUSINESS_CLIENT_ID",
    "BUSINESS_CLIENT_SECRET",
    "CLIENT_KEY",
    "CLIENT_SECRET",
    "application",
    "business_seed_tokens",
    "seed_tokens",
    "video_id",
]

PAGE = 20
SHORT = 3
"""What a list cut short shows."""
USER_FIELDS: Mapping[str, str] = {
    "open_id": "user.info.basic",
    "union_id": "user.info.basic",
    "display_name": "user.info.basic",
    "username": "user.info.profile",
    "is_verified": "user.info.profile",
    "profile_deep_link": "user.info.profile",
    "follower_count": "user.info.stats",
    "following_count": "user.info.stats",
    "likes_count": "user.info.stats",
    "video_count": "user.info.stats",
}
VIDEO_FIELDS = names(
    "id create_time title video_description duration share_url height width "
    "like_count comment_count share_count view_count"
)
MESSAGES = {
    "access_token_invalid": (401, "The access token is invalid or not found in the request."),
    "scope_not_authorized": (401, "The user did not authorize the scope required for completing this request."),
    "invalid_params": (400, "One or more fields in the request are invalid."),
    "rate_limit_exceeded": (429, "The API rate limit was exceeded. Please try again later."),
    "internal_error": (500, "Internal error."),
}


def application(world: World, clock: Clock, diary: Diary) -> web.Application:
    """The simulated TikTok: Display API, Business Accounts API, tokens and the consent page."""
    tokens = Tokens(world.seed, "mau")
    display, business = Display(world, clock, diary, tokens), Business(world, clock, diary)
    consents = Consents(display, {CLIENT_KEY: tokens, BUSINESS_CLIENT_ID: business.tokens})
    app = web.Application()
    app.router.add_get("/v2/auth/authorize/", refusing(consents.authorize))
    app.router.add_post("/v2/oauth/token/", refusing(consents.token))
    app.router.add_post("/v2/oauth/revoke/", refusing(consents.revoke))
    app.router.add_get("/v2/user/info/", refusing(display.user_info))
    app.router.add_post("/v2/video/list/", refusing(display.video_list))
    app.router.add_post("/v2/video/query/", refusing(display.video_query))
    business.add_to(app)
    app.router.add_route("*", "/{path:.*}", refusing(display.elsewhere))
    return app


def video_id(item: Item) -> str:
    """Nineteen digits with the second of publishing in the upper 32 bits."""
    return str(second(item) << 32 | item.number)


def video_of(account: Account, number: str) -> Item | None:
    """The account's video with this id, published or not; None when it never has one."""
    found = account.numbered(int(number) & 0xFFFFFFFF) if number.isdecimal() else None
    return found if found and video_id(found) == number else None


def second(item: Item) -> int:
    return int(item.published_at.timestamp())


def failure(code: str) -> Refusal:
    """A data call's error: nested, beside an empty `data`."""
    status, message = MESSAGES[code]
    return Refusal({"data": {}, "error": {"code": code, "message": message, "log_id": LOG_ID}}, status)


def success(data: Mapping[str, Any]) -> web.Response:
    return answer({"data": data, "error": {"code": "ok", "message": "", "log_id": LOG_ID}})


class Display(Platform):
    name = "tiktok"

    def __init__(self, world: World, clock: Clock, diary: Diary, tokens: Tokens) -> None:
        super().__init__(world, clock, diary, tokens)
        seed(tokens, world)
        self._totals = TotalsOf(self.accounts)

    async def user_info(self, request: web.Request) -> web.Response:
        account, grant, at = self._enter(request, "user/info")
        fields = self._fields(request, USER_FIELDS)
        self._granted(account, grant, at, {USER_FIELDS[name] for name in fields})
        user = self._user(account, at)
        return success({"user": {name: user[name] for name in fields}})

    async def video_list(self, request: web.Request) -> web.Response:
        """Twenty public videos at most, older than the cursor (in milliseconds), newest first."""
        account, grant, at = self._enter(request, "video/list")
        fields = self._fields(request, VIDEO_FIELDS)
        size, cursor = await self._page(request, at)
        self._granted(account, grant, at, {"video.list"})
        if account.has(Trouble.EMPTY_WITH_MORE, at):
            return success({"videos": [], "cursor": cursor, "has_more": True})
        older = (item for item in account.public(at) if second(item) * 1000 < cursor)
        found = list(islice(older, size + 1))
        cut = account.has(Trouble.SHORT_LIST, at)
        shown = found[: min(size, SHORT) if cut else size]
        videos = [self._video(account, item, at, fields) for item in shown]
        ends = second(shown[-1]) * 1000 if shown else cursor
        return success({"videos": videos, "cursor": ends, "has_more": len(found) > size and not cut})

    async def video_query(self, request: web.Request) -> web.Response:
        """The account's own videos among the ids; one that is gone is simply absent."""
        account, grant, at = self._enter(request, "video/query")
        fields = self._fields(request, VIDEO_FIELDS)
        filters = (await json_body(request) or {}).get("filters")
        ids = filters.get("video_ids") if isinstance(filters, dict) else None
        if not isinstance(ids, list) or not 0 < len(ids) <= PAGE:
            raise failure("invalid_params")
        self._granted(account, grant, at, {"video.list"})
        known = (video_of(account, str(one)) for one in ids)
        return success(
            {"videos": [self._video(account, item, at, fields) for item in known if item and shows(item, at)]}
        )

    async def elsewhere(self, request: web.Request) -> web.Response:
        self.note("elsewhere")
        self._refuse(f"unknown path {request.path[:80]}")

    def _refuse(self, complaint: str) -> NoReturn:
        self.violation(complaint, failure("invalid_params"))

    def _enter(self, request: web.Request, endpoint: str) -> tuple[Account, Grant, datetime]:
        """Whose token this is, once it lives and no trouble stands in the way."""
        at, token = self.clock(), bearer(request)
        grant = self.tokens.find(token)
        account = self.accounts.get(grant.account) if grant else None
        self.note(endpoint, account)
        self.query(request, {"fields"}, failure("invalid_params"))
        if token is None:
            self.violation("no Authorization header", failure("access_token_invalid"))
        if grant is None or account is None or grant.kind != "access" or not grant.lives(at):
            raise failure("access_token_invalid")
        self.fall_over([account], at, failure("internal_error"))
        if self.dead(account, grant, at):
            raise failure("access_token_invalid")
        if account.has(Trouble.THROTTLED, at):
            raise failure("rate_limit_exceeded")
        return account, grant, at

    def _fields(self, request: web.Request, allowed: Iterable[str]) -> list[str]:
        fields = [name for name in request.query.get("fields", "").split(",") if name]
        if not fields:
            raise failure("invalid_params")
        self.only(fields, frozenset(allowed), failure("invalid_params"), what="field")
        return fields

    def _granted(self, account: Account, grant: Grant, at: datetime, needed: set[str]) -> None:
        if not needed <= ticked(account, grant, at):
            raise failure("scope_not_authorized")

    async def _page(self, request: web.Request, at: datetime) -> tuple[int, int]:
        body = await json_body(request)
        if body is None or not body.keys() <= {"max_count", "cursor"}:
            self._refuse("unknown field in the body of video/list")
        size, cursor = body.get("max_count", 10), body.get("cursor", int(at.timestamp() * 1000) + 1)
        if not (isinstance(size, int) and 0 < size <= PAGE and isinstance(cursor, int)):
            raise failure("invalid_params")
        return size, cursor

    def _user(self, account: Account, at: datetime) -> dict[str, Any]:
        totals, zero = self._totals[account.id], account.has(Trouble.ZERO, at)
        return {
            "open_id": account.id,
            "union_id": f"mau-{account.slug}",
            "display_name": account.name,
            "username": account.handle,
            "is_verified": False,
            "profile_deep_link": f"https://vm.tiktok.com/{account.handle}/",
            "follower_count": 0 if zero else account.followers(at),
            "following_count": 0 if zero else 12,
            "likes_count": 0 if zero else totals.likes(at),
            "video_count": 0 if zero else totals.published(at),
        }

    def _video(self, account: Account, item: Item, at: datetime, fields: list[str]) -> dict[str, Any]:
        counts = Counts(0, 0, 0, 0) if account.has(Trouble.ZERO, at) else item.counts(at)
        number = video_id(item)
        video = {
            "id": number,
            "create_time": second(item),
            "title": item.title[:150],
            "video_description": f"{item.title} {item.text}".strip()[:150],
            "duration": item.seconds,
            "share_url": f"https://www.tiktok.com/@{account.handle}/video/{number}?utm_campaign=tt4d_open_api",
            "height": 1024,
            "width": 576,
            "like_count": counts.reactions,
            "comment_count": counts.comments,
            "share_count": counts.shares,
            "view_count": counts.views,
        }
        return {name: video[name] for name in fields}


def shows(item: Item, at: datetime) -> bool:
    """Whether the public sees it."""
    return item.published_at <= at and (item.gone_at is None or at < item.gone_at)
