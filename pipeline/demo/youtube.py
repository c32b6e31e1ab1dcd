"""A YouTube that answers as the Data API v3, the Analytics API, the Atom feed and Google's token endpoint do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import orjson
from aiohttp import web

from pipeline.demo import youtube_errors as errors
from pipeline.demo.strict import Clock, Diary, Platform, Refusal, answer, bearer, html_page, names, refusing
from pipeline.demo.tokens import Grant, Tokens
from pipeline.demo.totals import TotalsOf, chance
from pipeline.demo.world import Account, Item, Spell, Trouble, World
from pipeline.demo.youtube_analytics import report
from pipeline.demo.youtube_quota import QUOTA, Quota
from pipeline.demo.youtube_tokens import ANALYTICS, CLIENT_ID, CLIENT_SECRET, DATA, Consents, seed, seed_tokens
from pipeline.demo.youtube_videos import (
    Uploads,
    UploadsOf,
    account_mark,
    channel,
    feed,
    is_public,
    mark_and_number,
    playlist_item,
    uploads_of,
    video,
    video_stats,
)

__all__ = ["API_KEY", "CLIENT_ID", "CLIENT_SECRET", "application", "seed_tokens"]

API_KEY = "mau-api-key-youtube"
CHANNEL_PARTS = names("id snippet statistics contentDetails")
ITEM_PARTS = names("id snippet contentDetails status")
VIDEO_PARTS = names("id snippet contentDetails statistics liveStreamingDetails")
STATS_PARTS = names("id snippet contentDetails statistics")


def application(
    world: World, clock: Clock, diary: Diary, *, quota: int = QUOTA, batch_stats: bool = True
) -> web.Application:
    """The simulated YouTube; *quota* requests a Pacific day in each bucket, `videos:batchGetStats` if *batch_stats*."""
    tube = Tube(world, clock, diary, quota)
    app = web.Application()
    app.router.add_get("/youtube/v3/channels", refusing(tube.channels))
    app.router.add_get("/youtube/v3/playlistItems", refusing(tube.playlist_items))
    app.router.add_get("/youtube/v3/videos", refusing(tube.videos))
    if batch_stats:
        app.router.add_get("/youtube/v3/videos:batchGetStats", refusing(tube.batch_get_stats))
    else:
        app.router.add_get("/youtube/v3/videos:batchGetStats", refusing(tube.no_such_method))
    app.router.add_get("/feeds/videos.xml", refusing(tube.feed))
    app.router.add_get("/v2/reports", refusing(tube.reports))
    app.router.add_get("/o/oauth2/v2/auth", refusing(tube.consents.authorize))
    app.router.add_post("/token", refusing(tube.consents.token))
    app.router.add_route("*", "/{path:.*}", refusing(tube.elsewhere))
    return app


@dataclass(frozen=True, slots=True)
class Asked:
    query: Mapping[str, str]
    parts: tuple[str, ...]
    at: datetime
    grant: Grant | None
    """Whose consent came with it; None for a request with the key alone."""


class Tube(Platform):
    name = "youtube"

    def __init__(self, world: World, clock: Clock, diary: Diary, quota: int) -> None:
        super().__init__(world, clock, diary, Tokens(world.seed, "ya29mau"))
        seed(self.tokens, world)
        self.consents = Consents(self)
        self._quota = Quota(quota)
        accounts = self.accounts.values()
        self._totals = TotalsOf(self.accounts)
        self._uploads = UploadsOf(self.accounts)
        self._handles = {account.handle.removeprefix("@").lower(): account for account in accounts}
        self._marks = {account_mark(channel_id): account for channel_id, account in self.accounts.items()}
        self._pages: dict[tuple[str, int, int, tuple[str, ...]], tuple[int, str, bytes]] = {}

    async def channels(self, request: web.Request) -> web.Response:
        """Up to fifty channels; one that does not exist is not in the answer."""
        known = {"id", "forHandle", "forUsername", "mine", "maxResults"}
        asked = self._enter(request, "channels", CHANNEL_PARTS, known)
        found = self._asked_for(asked)
        self._troubles(found, asked.at)
        size = self._size(asked.query)
        shown = [account for account in found if not account.has(Trouble.UNPUBLISHED, asked.at)][:size]
        body: dict[str, Any] = {
            "kind": "youtube#channelListResponse",
            "etag": "e_list",
            "pageInfo": {"totalResults": len(shown), "resultsPerPage": size},
        }
        if shown:
            body["items"] = [channel(one, self._totals[one.id], asked.at, asked.parts) for one in shown]
        return answer(body)

    async def playlist_items(self, request: web.Request) -> web.Response:
        """One page of uploads; 304 when the page is still as its ETag says, 404 when nothing is public."""
        asked = self._enter(request, "playlistItems", ITEM_PARTS, {"playlistId", "maxResults", "pageToken"})
        uploads = self._uploads.find(asked.query.get("playlistId", ""))
        if uploads is None:
            raise errors.playlist_not_found()
        self._troubles([uploads.account], asked.at)
        etag, body = self._page(uploads, asked)
        if request.headers.get("If-None-Match") == etag:
            return web.Response(status=304, headers={"ETag": etag})
        return answer(body, headers={"ETag": etag})

    async def videos(self, request: web.Request) -> web.Response:
        asked = self._enter(request, "videos", VIDEO_PARTS, {"id", "maxResults"})
        found = self._public_videos(asked)
        items = [video(account, item, asked.at, asked.parts) for account, item in found]
        info = {"totalResults": len(items), "resultsPerPage": len(items)}
        return answer({"kind": "youtube#videoListResponse", "etag": "e_v", "items": items, "pageInfo": info})

    async def batch_get_stats(self, request: web.Request) -> web.Response:
        asked = self._enter(request, "videos:batchGetStats", STATS_PARTS, {"id"}, bucket="batch")
        found = self._public_videos(asked)
        items = [video_stats(account, item, asked.at, asked.parts) for account, item in found]
        return answer({"kind": "youtube#batchGetStatsResponse", "etag": "e_b", "items": items})

    async def no_such_method(self, _: web.Request) -> web.Response:
        self.note("videos:batchGetStats")
        raise errors.not_found()

    async def feed(self, request: web.Request) -> web.Response:
        """The keyless feed, which at times is down for everybody."""
        query = self.query(request, {"channel_id", "playlist_id"}, Refusal("", 404))
        asked_for = query.get("channel_id") or f"UC{query.get('playlist_id', '')[2:]}"
        account, at = self.accounts.get(asked_for), self.clock()
        self.note("feeds/videos.xml", account)
        down = any(spell.covers(at) for spell in self._feed_outages)
        if account is None or down or account.has(Trouble.UNPUBLISHED, at):
            return html_page(404)
        self.fall_over([account], at, Refusal("", 500))
        return web.Response(body=feed(account, at), content_type="text/xml", charset="utf-8")

    async def reports(self, request: web.Request) -> web.Response:
        """Analytics, for the owner only."""
        at = self.clock()
        grant = self._grant(request, at, ANALYTICS)
        account = self.accounts[grant.account] if grant else None
        self.note("reports", account)
        known = {"ids", "startDate", "endDate", "metrics", "dimensions", "sort"}
        query = self.query(request, known, errors.bad_parameter())
        if account is None:
            self.violation("no Authorization header", errors.token_invalid())
        if query.get("ids") != "channel==MINE":
            raise errors.error(403, "forbidden", "Forbidden", "global")
        self._troubles([account], at)
        return answer(report(self._totals[account.id], query, at))

    async def elsewhere(self, request: web.Request) -> web.Response:
        """Comments, subscribers, searches: nothing that the project may ask for."""
        self.note("elsewhere")
        self.violation(f"unknown path {request.path[:80]}", errors.not_found())

    def _enter(
        self,
        request: web.Request,
        endpoint: str,
        parts: frozenset[str],
        known: set[str],
        *,
        bucket: str = "units",
    ) -> Asked:
        """The question, once the key or the token is good and the day's quota is not used up."""
        self.note(endpoint)
        at = self.clock()
        self._quota.spend(bucket, at)
        query = self.query(request, known | {"part", "prettyPrint"}, errors.bad_parameter())
        grant = self._caller(request, at)
        wanted = tuple(part for part in query.get("part", "").split(",") if part)
        if not wanted:
            raise errors.bad_parameter("missingRequiredParameter", "No filter selected: part")
        self.only(wanted, parts, errors.bad_parameter("unknownPart", "Unknown part"), what="part")
        return Asked(query, wanted, at, grant)

    def _caller(self, request: web.Request, at: datetime) -> Grant | None:
        """The owner's grant, or None for the key of the project."""
        key = request.headers.get("X-Goog-Api-Key")
        if "Authorization" in request.headers:
            return self._grant(request, at, DATA)
        if key is None:
            self.violation("neither X-Goog-Api-Key nor Authorization", errors.unregistered())
        if key != API_KEY:
            raise errors.key_invalid()
        return None

    def _grant(self, request: web.Request, at: datetime, scope: str) -> Grant | None:
        """What the bearer token stands for; None without one."""
        token = bearer(request)
        if token is None:
            return None
        grant = self.tokens.valid(token, at, "access")
        if grant is None or self.dead(self.accounts[grant.account], grant, at):
            raise errors.token_invalid()
        if scope not in grant.scopes or self.accounts[grant.account].has(Trouble.PERMISSION, at):
            raise errors.scope_missing()
        return grant

    def _troubles(self, accounts: list[Account], at: datetime) -> None:
        self.fall_over(accounts, at, errors.backend())
        if accounts and all(account.has(Trouble.THROTTLED, at) for account in accounts):
            raise errors.too_fast()

    def _asked_for(self, asked: Asked) -> list[Account]:
        """The accounts that the one filter of the question names."""
        filters = [name for name in ("id", "forHandle", "forUsername", "mine") if name in asked.query]
        if len(filters) != 1:
            raise errors.bad_parameter("incompatibleParameters", "Exactly one filter must be given")
        match filters[0]:
            case "id":
                found = [self.accounts.get(one) for one in self._ids(asked.query)]
            case "forHandle":
                found = [self._handles.get(asked.query["forHandle"].removeprefix("@").lower())]
            case "forUsername":
                found = []
            case _:
                if asked.grant is None:
                    raise errors.token_invalid()
                found = [self.accounts[asked.grant.account]]
        return [account for account in found if account is not None]

    def _ids(self, query: Mapping[str, str]) -> list[str]:
        ids = [one for one in query.get("id", "").split(",") if one]
        if not 0 < len(ids) <= 50:
            raise errors.bad_parameter("invalidFilters", "Between 1 and 50 ids")
        return ids

    def _size(self, query: Mapping[str, str]) -> int:
        text = query.get("maxResults", "5")
        if not text.isdecimal() or int(text) > 50:
            raise errors.bad_parameter("invalidParameter", "maxResults must be between 0 and 50")
        return int(text)

    def _public_videos(self, asked: Asked) -> list[tuple[Account, Item]]:
        known = [found for one in self._ids(asked.query) if (found := self._video(one))]
        self._troubles([account for account, _ in known], asked.at)
        return [(account, item) for account, item in known if is_public(item, asked.at)]

    def _video(self, wanted: str) -> tuple[Account, Item] | None:
        """Whose video it is, and which one; None when nobody has it."""
        mark, number = mark_and_number(wanted)
        account = self._marks.get(mark)
        item = account.numbered(number) if account else None
        return (account, item) if account and item else None

    @cached_property
    def _feed_outages(self) -> list[Spell]:
        spells = (spell for account in self.accounts.values() for spell in account.spells)
        return [spell for spell in spells if spell.trouble is Trouble.FEED_DOWN]

    def _page(self, uploads: Uploads, asked: Asked) -> tuple[str, bytes]:
        """ETag and body of one page; made anew only when the list has changed."""
        account, at = uploads.account, asked.at
        size, start = self._size(asked.query), _start(asked.query.get("pageToken"))
        key = uploads_of(account), start, size, asked.parts
        state = uploads.state(at)
        made = self._pages.get(key)
        if made is None or made[0] != state:
            listed = uploads.listed(at)
            if not any(is_public(item, at) for item in listed):
                raise errors.playlist_not_found()
            etag = f"e{chance(2**48, *key, state):012x}"
            made = self._pages[key] = state, etag, _page_body(uploads, asked, listed, start, size, etag)
        if account.has(Trouble.UNPUBLISHED, at):
            raise errors.playlist_not_found()
        return made[1], made[2]


def _page_body(uploads: Uploads, asked: Asked, listed: list[Item], start: int, size: int, etag: str) -> bytes:
    shown = enumerate(listed[start : start + size], start)
    items = [playlist_item(uploads.account, item, asked.at, place, asked.parts) for place, item in shown]
    body: dict[str, Any] = {"kind": "youtube#playlistItemListResponse", "etag": etag}
    if start + size < len(listed):
        body["nextPageToken"] = f"EAAaMau{start + size}"
    info = {"totalResults": len(listed), "resultsPerPage": size}
    return orjson.dumps(body | {"items": items, "pageInfo": info})


def _start(page_token: str | None) -> int:
    if page_token is None:
        return 0
    number = page_token.removeprefix("EAAaMau")
    if number == page_token or not number.isdecimal():
        raise errors.bad_parameter("invalidPageToken", "The request specifies an invalid page token.")
    return int(number)
