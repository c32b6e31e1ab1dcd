"""A Zalo Bot Platform that answers as the real one does: one update a call, 408 when none comes, ids earned by a word.

Nothing is known of its daily allowance but that a 429 ends it; `allowance` says after how many messages.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from hmac import compare_digest
from typing import Any, NoReturn

from aiohttp import web

from pipeline.demo.strict import Clock, Refusal, answer, json_body, refusing

TOKEN = "1000000000000000027:mau-bot-token-zalo"  # noqa: S105 - invented, for the simulated platform only
LONGEST_TEXT = 2000
LONGEST_POLL = 30.0
DESCRIPTIONS = {
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    408: "Request timeout",
    429: "Too Many Requests",
    500: "Internal Server Error",
}
Call = Callable[[Mapping[str, Any]], Awaitable[Any]]


def failure(code: int) -> dict[str, Any]:
    return {"ok": False, "error_code": code, "description": DESCRIPTIONS[code]}


@dataclass
class ZaloBot:
    """One bot: who may be written to, what was written, and what is to go wrong."""

    clock: Clock
    token: str = TOKEN
    allowance: int | None = None
    """Messages until everything is answered with 429; None: no end."""
    trouble: int | None = None
    """An error code with which everything is answered."""
    says_200: bool = False
    """Whether errors come with HTTP status 200, as they do behind some of the platform's own gateways."""
    latency: float = 0.0
    sent: list[tuple[str, str]] = field(default_factory=list)
    """Chat id and text of every message that was accepted."""
    webhook: str = ""
    _known: set[str] = field(default_factory=set)
    _updates: deque[dict[str, Any]] = field(default_factory=deque)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, chat_id: str, name: str, text: str = "/start", chat_type: str = "PRIVATE") -> None:
        """Somebody writes to the bot, which from now on may answer. To be called in the loop of the server."""
        self._known.add(chat_id)
        message = {
            "message_id": f"m{len(self._updates) + 1}",
            "date": int(self.clock().timestamp() * 1000),
            "chat": {"id": chat_id, "chat_type": chat_type},
            "from": {"id": chat_id, "display_name": name, "is_bot": False},
            "text": text,
        }
        self._updates.append({"event_name": "message.text.received", "message": message})
        self._news.set()

    async def handle(self, request: web.Request) -> web.Response:
        """`POST /bot<token>/<method>`."""
        await asyncio.sleep(self.latency)
        if not compare_digest(request.match_info["token"].encode(), self.token.encode()):
            self._refuse(401)
        if self.trouble:
            self._refuse(self.trouble)
        methods: dict[str, Call] = {
            "getMe": self._get_me,
            "getUpdates": self._get_updates,
            "getWebhookInfo": self._get_webhook_info,
            "setWebhook": self._set_webhook,
            "deleteWebhook": self._delete_webhook,
            "sendMessage": self._send_message,
        }
        method, fields = methods.get(request.match_info["method"]), await json_body(request)
        if method is None or request.method != "POST":
            self._refuse(404)
        if fields is None:
            self._refuse(400)
        return answer({"ok": True, "result": await method(fields)})

    def _refuse(self, code: int) -> NoReturn:
        raise Refusal(failure(code), 200 if self.says_200 else code)

    async def _get_me(self, _: Mapping[str, Any]) -> dict[str, Any]:
        bot_id = self.token.partition(":")[0]
        return {"id": bot_id, "account_name": "bot.mau", "account_type": "BASIC", "can_join_groups": False}

    async def _get_updates(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """One update object, not a list; `timeout` is a string of seconds."""
        seconds = fields.get("timeout", "30")
        if self.webhook or not isinstance(seconds, str) or not seconds.isdecimal():
            self._refuse(400)
        try:
            async with asyncio.timeout(min(float(seconds), LONGEST_POLL)):
                while not self._updates:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            self._refuse(408)
        return self._updates.popleft()

    async def _get_webhook_info(self, _: Mapping[str, Any]) -> dict[str, Any]:
        return {"url": self.webhook, "updated_at": int(self.clock().timestamp() * 1000)}

    async def _set_webhook(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        url, secret = fields.get("url"), fields.get("secret_token")
        if not (isinstance(url, str) and url.startswith("https://")):
            self._refuse(400)
        if not (isinstance(secret, str) and 8 <= len(secret) <= 256):
            self._refuse(400)
        self.webhook = str(url)
        return await self._get_webhook_info({})

    async def _delete_webhook(self, _: Mapping[str, Any]) -> dict[str, Any]:
        self.webhook = ""
        return await self._get_webhook_info({})

    async def _send_message(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """To those only who wrote first; 1 to 2,000 characters."""
        chat_id, text = fields.get("chat_id"), fields.get("text")
        if self.allowance is not None and len(self.sent) >= self.allowance:
            self._refuse(429)
        if not (isinstance(text, str) and 1 <= len(text) <= LONGEST_TEXT and chat_id in self._known):
            self._refuse(400)
        self.sent.append((str(chat_id), str(text)))
        return {"message_id": f"s{len(self.sent)}", "date": int(self.clock().timestamp() * 1000)}


def application(bot: ZaloBot) -> web.Application:
    """The platform with one bot."""
    app = web.Application()
    app.router.add_route("*", "/bot{token:[^/]+}/{method}", refusing(bot.handle))
    return app
