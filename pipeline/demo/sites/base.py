"""What all simulated websites share: troubles, strictness, conditional answers, and rendering each body once."""

from __future__ import annotations

import asyncio
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from hashlib import sha1
from html import escape
from typing import ClassVar

import orjson
from aiohttp import web

from config.folding import fold
from pipeline.demo.district import ZONE
from pipeline.demo.strict import HTML_PAGE, Clock, Diary
from pipeline.demo.world import Account, Item, Trouble

PERSONS = re.compile(r"author|/users|comment", re.IGNORECASE)
HONEST_READER = re.compile(r"NhipDoan/\S+ \(\+.+\)")
SLOW_SECONDS = 120
HTML, JSON, XML = "text/html; charset=utf-8", "application/json; charset=UTF-8", "text/xml; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Asked:
    """One question: `base` is the address of the site without a slash, `at` the simulated moment."""

    path: str
    query: Mapping[str, str]
    base: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Reply:
    body: bytes
    kind: str = HTML
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    validated: bool = False
    """It comes with an ETag, and a reader who knows it gets 304."""
    lasting: bool = True
    """It is the same until something is published or deleted."""
    violation: str = ""
    """What a reader of this project must not ask, in English."""


class Site:
    """One website: a subclass says how the visible items of its account are told."""

    generator: ClassVar[str] = ""

    def __init__(self, account: Account) -> None:
        self.account = account
        self._edition = -1
        self._items: list[Item] = []
        self._replies: dict[str, Reply] = {}
        self._pieces: dict[int, str] = {}

    def answer(self, asked: Asked) -> Reply:
        """The answer of the software that the site is made with."""
        raise NotImplementedError

    def reply(self, path_and_query: str, asked: Asked) -> Reply:
        """The answer to a question, rendered once for as long as nothing on the site changes."""
        self._turn_to(asked.at)
        known = self._replies.get(path_and_query)
        if known is None:
            known = self.answer(asked)
            if known.validated:
                known = _with_etag(known)
            if known.lasting:
                self._replies[path_and_query] = known
        return known

    def visible(self, newest: int | None = None) -> Sequence[Item]:
        """What the public sees at the moment asked for, newest first."""
        return self._items if newest is None else self._items[:newest]

    def pieces(self, items: Sequence[Item], render: Callable[[Item], str]) -> Iterator[str]:
        """Each item as *render* writes it, remembered: a site writes its items in one way only."""
        for item in items:
            piece = self._pieces.get(item.number)
            if piece is None:
                piece = self._pieces[item.number] = render(item)
            yield piece

    def article(self, number: str) -> Item | None:
        """The visible item of this number."""
        return next((item for item in self._items if str(item.number) == number), None)

    def _turn_to(self, at: datetime) -> None:
        edition = bisect_right(self._changes, at)
        if edition != self._edition:
            self._edition, self._items = edition, self.account.visible(at)
            self._replies.clear()

    @cached_property
    def _changes(self) -> list[datetime]:
        """When anything on the site changes."""
        moments = [item.published_at for item in self.account.items]
        return sorted(moments + [item.gone_at for item in self.account.items if item.gone_at is not None])


class SiteServer:
    """A site as a handler of aiohttp: what breaks and what must not be asked comes before the site's own answer."""

    def __init__(self, site: Site, clock: Clock, diary: Diary) -> None:
        self.site, self.clock, self.diary = site, clock, diary

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        at = self.clock()
        complaint = _complaint(request)
        if complaint:
            return self._refuse(complaint)
        if any(spell.covers(at) for spell in self.site.account.spells) and (broken := await self._broken(request, at)):
            return broken
        asked = Asked(request.path, request.query, f"http://{request.host}", at)
        reply = self.site.reply(request.path_qs, asked)
        self.diary.note("website", self.site.account.kind, self.site.account.slug)
        if reply.violation:
            self.diary.complain("website", f"{self.site.account.slug} {reply.violation}")
        return _response(reply, request)

    def _refuse(self, complaint: str) -> web.Response:
        self.diary.complain("website", f"{self.site.account.slug} {complaint}")
        body = orjson.dumps({"code": "rest_forbidden", "message": "Forbidden (mẫu)", "data": {"status": 403}})
        return web.Response(body=body, status=403, content_type="application/json")

    async def _broken(self, request: web.BaseRequest, at: datetime) -> web.StreamResponse | None:
        """The answer of a site in trouble."""
        has = self.site.account.has
        if has(Trouble.OUTAGE, at):
            return web.Response(text=HTML_PAGE, status=503, content_type="text/html")
        if has(Trouble.THROTTLED, at):
            return web.Response(text=HTML_PAGE, status=429, content_type="text/html", headers={"Retry-After": "3600"})
        if has(Trouble.UNPUBLISHED, at):
            return web.Response(text=HTML_PAGE, status=404, content_type="text/html")
        if has(Trouble.HTML, at):
            return web.Response(text=HTML_PAGE, content_type="text/html")
        return await _never_ending(request) if has(Trouble.SLOW, at) else None


def _complaint(request: web.BaseRequest) -> str:
    """Why a request is none that this project may send; "" when it is one."""
    if PERSONS.search(request.path_qs):
        return "asks for persons"
    if request.method not in {"GET", "HEAD"}:
        return f"sends {request.method}"
    if "Cookie" in request.headers or "Authorization" in request.headers:
        return "sends credentials"
    return "" if HONEST_READER.match(request.headers.get("User-Agent", "")) else "does not say who it is"


async def _never_ending(request: web.BaseRequest) -> web.StreamResponse:
    response = web.StreamResponse()
    with suppress(ConnectionError):
        await response.prepare(request)
        for _ in range(SLOW_SECONDS):
            await response.write(b" ")
            await asyncio.sleep(1)
    return response


def _with_etag(reply: Reply) -> Reply:
    etag = f'"{sha1(reply.body, usedforsecurity=False).hexdigest()}"'
    return Reply(reply.body, reply.kind, reply.status, {**reply.headers, "ETag": etag}, validated=True)


def _response(reply: Reply, request: web.BaseRequest) -> web.Response:
    if reply.validated and request.headers.get("If-None-Match") == reply.headers["ETag"]:
        return web.Response(status=304, headers=reply.headers)
    return web.Response(body=reply.body, status=reply.status, headers={**reply.headers, "Content-Type": reply.kind})


def page(body: str, head: str = "", headers: Mapping[str, str] | None = None, *, lasting: bool = True) -> Reply:
    html = f'<!DOCTYPE html><html lang="vi"><head><meta charset="utf-8">{head}</head><body>{body}</body></html>'
    return Reply(html.encode(), headers=headers or {}, lasting=lasting)


def home(site: Site, head: str = "", headers: Mapping[str, str] | None = None) -> Reply:
    """A home page that shows what the site is made with."""
    generator = f'<meta name="generator" content="{site.generator}">' if site.generator else ""
    return page(f"<h1>{escape(site.account.name)}</h1><p>Dữ liệu minh họa</p>", generator + head, headers)


def not_found() -> Reply:
    return Reply(HTML_PAGE.encode(), status=404)


def as_json(content: object, status: int = 200, headers: Mapping[str, str] | None = None, violation: str = "") -> Reply:
    return Reply(orjson.dumps(content), JSON, status, headers or {}, violation=violation)


def slug_of(item: Item) -> str:
    """The words of an item's address."""
    return fold(item.title).replace(" ", "-")[:80]


def column_of(item: Item) -> str:
    """The folder of an item's category."""
    return fold(item.category).replace(" ", "-")


def iso(at: datetime, *, milliseconds: bool = False) -> str:
    """The moment with the local offset, as Vietnamese systems write it."""
    return at.astimezone(ZONE).isoformat(timespec="milliseconds" if milliseconds else "seconds")


def gmt(at: datetime) -> str:
    """The moment as feeds write it."""
    return rfc822(at.astimezone(UTC), "GMT")


def rfc822(at: datetime, zone: str) -> str:
    """«Fri, 20 Nov 2026 08:30:00 GMT»; `email.utils` is ten times slower."""
    return f"{DAYS[at.weekday()]}, {at.day:02} {MONTHS[at.month - 1]} {at.year} {at:%H:%M:%S} {zone}"


DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
