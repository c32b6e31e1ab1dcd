"""What every simulated platform shares: a diary of requests, refusals, and zeal about what may be asked.

A platform here answers as the real one does, and writes down what the real one would let pass: a field that shows
persons, a secret in an address, a parameter nobody documented.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from html import escape
from typing import Any, ClassVar, NoReturn
from urllib.parse import parse_qsl, urlencode

import orjson
from aiohttp import web

from pipeline.demo.tokens import Grant, Tokens
from pipeline.demo.world import Account, Trouble, World

Clock = Callable[[], datetime]
Handler = Callable[[web.Request], Awaitable[web.Response]]

SECRET_PARAMETERS = frozenset(
    {"access_token", "refresh_token", "key", "client_secret", "secret_key", "fb_exchange_token", "token", "code"}
)
"""What must never stand in an address, where every log on the way keeps it."""

HTML_PAGE = "<!DOCTYPE html><html><head><title>Bảo trì (mẫu)</title></head><body>Dữ liệu minh họa</body></html>"


@dataclass
class Diary:
    """What was asked of the simulated platforms, and what should not have been."""

    requests: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """How often by (platform, endpoint, channel slug); the slug is empty when no single account was meant."""
    violations: list[str] = field(default_factory=list)
    """Requests that the project must never send, in English; never with a secret."""

    def note(self, platform: str, endpoint: str, slug: str = "") -> None:
        self.requests[platform, endpoint, slug] += 1

    def complain(self, platform: str, complaint: str) -> None:
        self.violations.append(f"{platform}: {complaint}")

    def total(self, platform: str, endpoint: str | None = None) -> int:
        """Requests to a platform, or to one endpoint of it."""
        return sum(n for (where, what, _), n in self.requests.items() if where == platform and endpoint in {None, what})


class Refusal(Exception):  # noqa: N818 - not every one is an error: a 304 ends a handler too
    """Ends a handler with this answer."""

    def __init__(self, payload: Any, status: int = 400, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status)
        self.payload, self.status, self.headers = payload, status, headers


def names(text: str) -> frozenset[str]:
    """The words of a list of names."""
    return frozenset(text.split())


def answer(payload: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """A JSON answer; *payload* may be JSON bytes already."""
    body = payload if isinstance(payload, bytes) else orjson.dumps(payload)
    return web.Response(body=body, status=status, headers=headers, content_type="application/json", charset="utf-8")


def html_page(status: int = 200) -> web.Response:
    return web.Response(text=HTML_PAGE, status=status, content_type="text/html")


def refusing(handler: Handler) -> Handler:
    """The handler, whose refusals are answers."""

    async def handle(request: web.Request) -> web.Response:
        try:
            return await handler(request)
        except Refusal as refusal:
            if isinstance(refusal.payload, str):
                return html_page(refusal.status)
            return answer(refusal.payload, refusal.status, refusal.headers)

    return handle


async def form(request: web.Request) -> dict[str, str]:
    """The fields of a form body."""
    return dict(parse_qsl(await request.text()))


async def json_body(request: web.Request) -> dict[str, Any] | None:
    """The object in the body; None when there is none."""
    try:
        body = orjson.loads(await request.read() or b"{}")
    except orjson.JSONDecodeError:
        return None
    return body if isinstance(body, dict) else None


def bearer(request: web.Request) -> str | None:
    """The token in the Authorization header."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token if scheme == "Bearer" and token else None


class Platform:
    """The accounts of one platform, its tokens, and how it deals with what it does not like."""

    name: ClassVar[str]

    def __init__(self, world: World, clock: Clock, diary: Diary, tokens: Tokens) -> None:
        self.clock, self.diary, self.tokens = clock, diary, tokens
        self.accounts = world.on(self.name)
        self.by_slug = {account.slug: account for account in self.accounts.values()}

    def note(self, endpoint: str, account: Account | None = None) -> None:
        self.diary.note(self.name, endpoint, account.slug if account else "")

    def complain(self, complaint: str) -> None:
        self.diary.complain(self.name, complaint)

    def violation(self, complaint: str, refusal: Refusal) -> NoReturn:
        """Write it down and refuse."""
        self.complain(complaint)
        raise refusal

    def only(self, given: Iterable[str], allowed: Container[str], refusal: Refusal, *, what: str) -> None:
        """Refuse what is not allowed; *what* names the kind of thing in the diary."""
        for name in given:
            if name not in allowed:
                self.violation(f"unknown {what} «{name[:60]}»", refusal)

    def query(self, request: web.Request, allowed: Container[str], refusal: Refusal) -> Mapping[str, str]:
        """The query, when it holds no secret and nothing undocumented."""
        for name in request.query:
            if name in SECRET_PARAMETERS:
                self.violation(f"secret «{name}» in the address of {request.path}", refusal)
        self.only(request.query, allowed, refusal, what="query parameter")
        return request.query

    def dead(self, account: Account, grant: Grant, at: datetime) -> bool:
        """Whether the owner took back what this grant stands for; a consent given since then lives."""
        return any(
            spell.trouble is Trouble.TOKEN_DEAD and spell.covers(at) and grant.issued_at < spell.start
            for spell in account.spells
        )

    def fall_over(self, accounts: Sequence[Account], at: datetime, outage: Refusal) -> None:
        """Outages and pages of HTML, when they strike everything that the request is about."""
        if accounts and all(account.has(Trouble.OUTAGE, at) for account in accounts):
            raise outage
        if accounts and all(account.has(Trouble.HTML, at) for account in accounts):
            raise Refusal(HTML_PAGE, 200)

    def consenting(self, query: Mapping[str, str], at: datetime) -> Account:
        """Whose owner stands before the consent page: the account named by `account` (its slug), or the only one.

        Several accounts without a name are a page with one link for each, those that need a new consent first.
        """
        chosen = self.by_slug.get(query.get("account", ""))
        if chosen is None and len(self.accounts) != 1:
            waiting = sorted(self.accounts.values(), key=lambda account: not account.has(Trouble.TOKEN_DEAD, at))
            raise web.HTTPOk(text=_choice(waiting, query), content_type="text/html")
        return chosen or next(iter(self.accounts.values()))


def _choice(accounts: Iterable[Account], query: Mapping[str, str]) -> str:
    """The page on which a person says as whom they sign in."""
    links = (
        f'<li><a href="?{escape(urlencode({**query, "account": account.slug}))}">{escape(account.name)}</a></li>'
        for account in accounts
    )
    return (
        '<!DOCTYPE html><html lang="vi"><head><meta charset="utf-8"><title>Cho phép đọc (mẫu)</title></head><body>'
        f"<p>Dữ liệu minh họa. Đề nghị chọn tài khoản cho phép đọc:</p><ul>{''.join(links)}</ul></body></html>"
    )
