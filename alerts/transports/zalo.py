"""Letters as messages of our Zalo bot, to somebody who wrote to it first (`nhip alert pair` finds the address)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from alerts.base import Letter, LimitError, PassingError, RefusedError, TransportError, UnreadyError
from alerts.letters import shorten_for
from alerts.transports.bot import TOKEN, ApiError, Bot
from alerts.transports.means import Means
from alerts.transports.plain import plain

LONGEST = 2000
"""Characters of one message (facts: Zalo 3.5)."""
WAKES_AT = time(7)
"""No daily allowance is published: after a 429 the bot rests until the next morning, local time."""
REFUSED = (
    "Zalo không nhận mã cuộc trò chuyện này (mã 400). Đề nghị nơi nhận nhắn cho bot rồi chạy lại «nhip alert pair»."
)
LIMIT = "Zalo Bot đã hết lượt gửi hôm nay (mã 429). Hệ thống gửi cách khác, hoặc chờ đến 07:00 ngày mai."
REJECTED = "Zalo không chấp nhận mã của bot (mã {code}). Đề nghị lấy mã mới trong Zalo Bot Manager rồi đặt lại."
TROUBLE = "Zalo Bot đang lỗi (mã {code}). Hệ thống tự thử lại."
TOKEN_CODES = frozenset({401, 403, 404})


class ZaloTransport:
    """`address` is a chat id. HTML is left out, and a text over 2,000 characters loses whole lines, never its end."""

    def __init__(self, means: Means) -> None:
        self._means = means

    async def send(self, letter: Letter, address: str, now: datetime) -> None:
        config = self._means.config
        bot = Bot(self._means.ask, config.alerts.zalo_bot.base, self._means.secret(TOKEN))
        try:
            await bot.call("sendMessage", _message(letter, address))
        except ApiError as error:
            failure = _failure(error.code, now, config.district.tz)
        else:
            return
        raise failure


def _message(letter: Letter, address: str) -> Mapping[str, str]:
    return {"chat_id": address, "text": shorten_for(plain(letter.text), LONGEST)}


def _failure(code: int, now: datetime, zone: ZoneInfo) -> TransportError:
    """What an error code means for the letter; one that nobody knows may pass."""
    if code == 400:
        return RefusedError(REFUSED)
    if code == 429:
        return LimitError(LIMIT, _next_morning(now, zone))
    return passing(code)


def passing(code: int) -> PassingError:
    """What an error code says when no letter is at fault."""
    if code in TOKEN_CODES:
        return UnreadyError(REJECTED.format(code=code))
    return PassingError(TROUBLE.format(code=code), doubtful=code == 408 or code >= 500)


def _next_morning(now: datetime, zone: ZoneInfo) -> datetime:
    tomorrow = now.astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(tomorrow, WAKES_AT, zone).astimezone(UTC)
