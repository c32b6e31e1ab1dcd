"""Finds the chat ids of those who write to our Zalo bot; nothing of it is stored, names are for the screen only."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from alerts.transports.bot import ApiError, Bot
from alerts.transports.plain import one_line
from alerts.transports.zalo import passing
from config.alert_ways import KINDS

LISTENS_SECONDS = 300.0
LONGEST_POLL = 10
"""Seconds of one question: less than the deadline of our own client."""
PAUSE_SECONDS = 0.5
NOTHING_CAME = 408
WEBHOOK = (
    "Bot này đang dùng webhook nên không đọc được tin nhắn tại đây. "
    "Đề nghị gỡ webhook của bot (lệnh deleteWebhook của Zalo Bot Platform), chạy lại lệnh này, rồi đặt webhook lại."
)


class WebhookError(Exception):
    """A webhook takes the messages, so they cannot be asked for; the text is a Vietnamese sentence."""


@dataclass(frozen=True, slots=True)
class Chat:
    """Somebody who wrote to the bot."""

    id: str
    name: str
    """As Zalo shows it, for the screen only; empty when it shows none."""
    is_group: bool

    @property
    def line(self) -> str:
        """What to paste into alerts.toml."""
        return f'ways = ["zalo:{self.id}"]'


class _Person(msgspec.Struct):
    display_name: str | None = None


class _Where(msgspec.Struct):
    id: str
    chat_type: str = "PRIVATE"


class _Message(msgspec.Struct):
    chat: _Where
    sender: _Person | None = msgspec.field(name="from", default=None)


class _Update(msgspec.Struct):
    """What we read of an update; what was written is not declared, so it does not exist here."""

    message: _Message | None = None


async def chats(bot: Bot, seconds: float = LISTENS_SECONDS) -> AsyncIterator[Chat]:
    """Everybody who writes within *seconds*, once each, as they come.

    WebhookError when a webhook takes the messages; PassingError when the platform cannot be asked.
    """
    await _refuse_webhook(bot)
    loop, seen = asyncio.get_running_loop(), set()
    end = loop.time() + seconds
    while (left := end - loop.time()) > 0:
        chat = chat_in(await _ask(bot, "getUpdates", {"timeout": str(max(1, min(LONGEST_POLL, round(left))))}))
        if chat is None:
            await asyncio.sleep(PAUSE_SECONDS)
        elif chat.id not in seen:
            seen.add(chat.id)
            yield chat


def chat_in(update: Any) -> Chat | None:
    """Who wrote, from one update; None when that is not to be seen, or is no address that alerts.toml takes."""
    try:
        message = msgspec.convert(update, _Update).message
    except msgspec.ValidationError:
        return None
    if message is None or not re.fullmatch(KINDS["zalo"][0], message.chat.id):
        return None
    name = (message.sender and message.sender.display_name) or ""
    return Chat(message.chat.id, one_line(name, 60), message.chat.chat_type == "GROUP")


async def _refuse_webhook(bot: Bot) -> None:
    hook = await _ask(bot, "getWebhookInfo", {})
    if isinstance(hook, dict) and hook.get("url"):
        raise WebhookError(WEBHOOK)


async def _ask(bot: Bot, method: str, fields: Mapping[str, str]) -> Any:
    """The result; None when nothing came in time."""
    try:
        return await bot.call(method, fields)
    except ApiError as error:
        code = error.code
    if code == NOTHING_CAME:
        return None
    raise passing(code)
