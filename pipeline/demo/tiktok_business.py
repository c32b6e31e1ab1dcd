"""TikTok's Business Accounts API v1.3: sixty days of history, two days late, HTTP 200 for every error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Any, NoReturn

import orjson
from aiohttp import web

from pipeline.demo.strict import Clock, Diary, Platform, Refusal, answer, json_body, names, refusing
from pipeline.demo.tokens import Grant, Seeded, Tokens, issue_pairs
from pipeline.demo.totals import TotalsOf, comings_and_goings
from pipeline.demo.world import Account, Item, Trouble, World

CLIENT_ID = "mau-client-id-tiktok-business"
CLIENT_SECRET = "mau-app-secret-tiktok-business"  # noqa: S105 - invented, for the simulated district only
PREFIX = "/open_api/v1.3"
SCOPES = (
    "user.info.basic",
    "user.info.username",
    "user.info.stats",
    "user.account.type",
    "user.insights",
    "video.list",
    "video.insights",
)
ACCESS = timedelta(days=1)
REFRESH = timedelta(days=365)
WINDOW_DAYS = 60
LAG = timedelta(days=2)
SMALL = 100
PERSONAL = "personal"
"""The `kind` of an account that is no business account: it has no history."""
PROFILE_FIELDS = names(
    "is_business_account username display_name followers_count following_count total_likes videos_count is_verified"
)
DAILY_FIELDS = names(
    "followers_count daily_total_followers daily_new_followers daily_lost_followers video_views unique_video_views "
    "profile_views likes comments shares"
)
VIDEO_FIELDS = names(
    "item_id create_time media_type is_ad caption share_url likes comments shares favorites video_views reach"
)
KINDS = {"authorization_code": "code", "refresh_token": "refresh"}
MESSAGES = {
    40001: "No permission to operate.",
    40002: "Invalid parameter.",
    40100: "Too many requests.",
    40105: "Access token is incorrect or has been revoked.",
    50000: "Internal error.",
}


def seed_tokens(world: World) -> dict[str, Seeded]:
    """The token pair of every account by channel slug, as consented to when the story begins."""
    return _seed(Tokens(world.seed, "maubiz"), world)


def _seed(tokens: Tokens, world: World) -> dict[str, Seeded]:
    return issue_pairs(tokens, world.on("tiktok"), world.start, access=ACCESS, refresh=REFRESH, scopes=SCOPES)


def failure(code: int) -> Refusal:
    return Refusal({"code": code, "message": MESSAGES[code], "request_id": "mau", "data": {}}, 200)


def success(data: Mapping[str, Any]) -> web.Response:
    return answer({"code": 0, "message": "OK", "request_id": "mau", "data": data})


class Business(Platform):
    name = "tiktok"

    def __init__(self, world: World, clock: Clock, diary: Diary) -> None:
        super().__init__(world, clock, diary, Tokens(world.seed, "maubiz"))
        _seed(self.tokens, world)
        self._totals = TotalsOf(self.accounts)

    def add_to(self, app: web.Application) -> None:
        app.router.add_get(f"{PREFIX}/business/get/", refusing(self.get))
        app.router.add_get(f"{PREFIX}/business/video/list/", refusing(self.video_list))
        app.router.add_post(f"{PREFIX}/tt_user/oauth2/token/", refusing(self.token))
        app.router.add_post(f"{PREFIX}/tt_user/oauth2/refresh_token/", refusing(self.token))

    async def get(self, request: web.Request) -> web.Response:
        """Profile and days; nothing about the audience is ever to be asked."""
        account, at = self._enter(request, "business/get", {"business_id", "start_date", "end_date", "fields"})
        fields = self._fields(request, PROFILE_FIELDS | DAILY_FIELDS) or {"username", "display_name"}
        first, last = self._window(request.query, at)
        profile = self._profile(account, at)
        data: dict[str, Any] = {name: profile[name] for name in profile if name in fields}
        if fields & DAILY_FIELDS:
            days = () if account.kind == PERSONAL else self._days(account, at, first, last)
            data["metrics"] = [self._day(account, day, fields) for day in days]
        return success(data)

    async def video_list(self, request: web.Request) -> web.Response:
        account, at = self._enter(request, "business/video/list", {"business_id", "fields", "cursor", "max_count"})
        fields = self._fields(request, VIDEO_FIELDS) or {"item_id", "create_time"}
        size, cursor = self._number(request, "max_count", 10), self._number(request, "cursor", 2**62)
        if not 0 < size <= 20:
            raise failure(40002)
        older = (item for item in account.public(at) if _second(item) * 1000 < cursor)
        found = list(islice(older, size + 1))
        videos = [_video(account, item, at, fields) for item in found[:size]]
        ends = _second(found[:size][-1]) * 1000 if videos else 0
        return success({"videos": videos, "cursor": ends, "has_more": len(found) > size})

    async def token(self, request: web.Request) -> web.Response:
        """A pair for a code or for a refresh token, from a JSON body."""
        self.note("tt_user/oauth2")
        self.query(request, (), failure(40002))
        body = await json_body(request) or {}
        known = {"client_id", "client_secret", "grant_type", "auth_code", "refresh_token", "redirect_uri"}
        self.only(body, known, failure(40002), what="field in the body")
        at, kind = self.clock(), KINDS.get(str(body.get("grant_type")))
        if kind is None or (body.get("client_id"), body.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            raise failure(40002)
        grant = self.tokens.spend(body.get("auth_code" if kind == "code" else "refresh_token"), at, kind)
        if grant is None or self.dead(self.accounts[grant.account], grant, at):
            raise failure(40105)
        return success(self._pair(grant, at))

    def _pair(self, grant: Grant, at: datetime) -> dict[str, Any]:
        """The refresh lifetime counts down from the first consent; it does not begin anew."""
        left = (grant.until or at + REFRESH) - at if grant.kind == "refresh" else REFRESH
        return {
            "access_token": self.tokens.issue("access", grant.account, at, lasts=ACCESS, scopes=SCOPES),
            "expires_in": int(ACCESS.total_seconds()),
            "open_id": grant.account,
            "refresh_token": self.tokens.issue("refresh", grant.account, at, lasts=left, scopes=SCOPES),
            "refresh_token_expires_in": int(left.total_seconds()),
            "scope": ",".join(SCOPES),
            "token_type": "Bearer",
        }

    def _enter(self, request: web.Request, endpoint: str, allowed: set[str]) -> tuple[Account, datetime]:
        at, token = self.clock(), request.headers.get("Access-Token")
        account = self.accounts.get(request.query.get("business_id", ""))
        self.note(endpoint, account)
        self.query(request, allowed, failure(40002))
        if token is None:
            self.violation("no Access-Token header", failure(40105))
        grant = self.tokens.valid(token, at, "access")
        if grant is None or account is None or grant.account != account.id:
            raise failure(40105)
        self._troubles(account, grant, at)
        return account, at

    def _troubles(self, account: Account, grant: Grant, at: datetime) -> None:
        self.fall_over([account], at, failure(50000))
        if self.dead(account, grant, at):
            raise failure(40105)
        if account.has(Trouble.PERMISSION, at):
            raise failure(40001)
        if account.has(Trouble.THROTTLED, at):
            raise failure(40100)

    def _fields(self, request: web.Request, allowed: frozenset[str]) -> set[str]:
        try:
            fields = orjson.loads(request.query.get("fields", "[]"))
        except orjson.JSONDecodeError:
            fields = None
        if not isinstance(fields, list):
            self._wrong("fields are no JSON list")
        self.only(fields, allowed, failure(40002), what="field")
        return set(fields)

    def _wrong(self, complaint: str) -> NoReturn:
        self.violation(complaint, failure(40002))

    def _number(self, request: web.Request, name: str, default: int) -> int:
        text = request.query.get(name)
        if text is not None and not text.isdecimal():
            raise failure(40002)
        return default if text is None else int(text)

    def _window(self, query: Mapping[str, str], at: datetime) -> tuple[date, date]:
        """Sixty days at most, both ends counted."""
        try:
            last = date.fromisoformat(query.get("end_date") or (at - timedelta(days=1)).date().isoformat())
            first = date.fromisoformat(query.get("start_date") or (last - timedelta(days=6)).isoformat())
        except (ValueError, OverflowError) as problem:
            raise failure(40002) from problem
        if not 0 <= (last - first).days < WINDOW_DAYS:
            raise failure(40002)
        return first, last

    def _days(self, account: Account, at: datetime, first: date, last: date) -> Iterator[date]:
        first = max(first, (at - timedelta(days=WINDOW_DAYS)).date(), account.opened_at.date())
        last = min(last, (at - LAG).date())
        for offset in range((last - first).days + 1):
            yield first + timedelta(days=offset)

    def _profile(self, account: Account, at: datetime) -> dict[str, Any]:
        totals, zero = self._totals[account.id], account.has(Trouble.ZERO, at)
        return {
            "is_business_account": account.kind != PERSONAL,
            "username": account.handle,
            "display_name": account.name,
            "followers_count": 0 if zero else account.followers(at),
            "following_count": 12,
            "total_likes": 0 if zero else totals.likes(at),
            "videos_count": 0 if zero else totals.published(at),
            "is_verified": False,
        }

    def _day(self, account: Account, day: date, fields: set[str]) -> dict[str, Any]:
        """One UTC day; all null while the account is small."""
        start = datetime.combine(day, time(), UTC)
        end = start + timedelta(days=1)
        if account.followers(end) < SMALL:
            return {"date": day.isoformat(), **dict.fromkeys(sorted(fields & DAILY_FIELDS))}
        gained = self._totals[account.id].gained(start, end)
        won, lost = comings_and_goings(account, day, start, end)
        values = {
            "followers_count": account.followers(end),
            "daily_total_followers": account.followers(end),
            "daily_new_followers": won,
            "daily_lost_followers": lost,
            "video_views": gained.views,
            "unique_video_views": gained.views * 3 // 4,
            "profile_views": gained.views // 60,
            "likes": gained.reactions,
            "comments": gained.comments,
            "shares": gained.shares,
        }
        return {"date": day.isoformat(), **{name: value for name, value in values.items() if name in fields}}


def _second(item: Item) -> int:
    return int(item.published_at.timestamp())


def _video(account: Account, item: Item, at: datetime, fields: set[str]) -> dict[str, Any]:
    counts, number = item.counts(at), str(_second(item) << 32 | item.number)
    video = {
        "item_id": number,
        "create_time": str(_second(item)),
        "media_type": "VIDEO",
        "is_ad": False,
        "caption": f"{item.title} {item.text}".strip(),
        "share_url": f"https://www.tiktok.com/@{account.handle}/video/{number}?utm_campaign=tt4d_open_api",
        "likes": counts.reactions,
        "comments": counts.comments,
        "shares": counts.shares,
        "favorites": counts.reactions // 20,
        "video_views": counts.views,
        "reach": counts.views * 4 // 5,
    }
    return {name: value for name, value in video.items() if name in fields}
