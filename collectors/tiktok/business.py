"""The Business Accounts API: the followers of the last 60 days, for accounts that were connected to it as well.

A supplement: whatever goes wrong here is a note, and the look goes on without it. The consent is another one than
that of the Display API, so the account's public name is compared with the channel's before a number is believed.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from urllib.parse import urlencode

import msgspec

from collectors.base import CollectError, Look
from collectors.door import Door
from collectors.payload import Count
from collectors.refusals import understood
from collectors.tiktok.errors import TIKTOK, judge_business
from config.secrets import Secret
from store.records import FailureKind, Snapshot, Source

GRANT = "tiktok-business"
FIELDS = ("is_business_account", "username", "followers_count", "daily_total_followers")
"""All we ask; the name is compared and not kept, and the fields that begin with `audience_` are never among them."""
A_DAY = timedelta(days=1)
KEPT = timedelta(days=59)
"""Today and the 59 days before it: TikTok keeps, and gives at once, 60 days."""
SETTLED = timedelta(days=2)
"""Younger days are not final yet."""
PERSONAL = (
    "Kênh TikTok là tài khoản cá nhân nên không có lịch sử 60 ngày. Đề nghị chuyển sang tài khoản doanh nghiệp nếu cần."
)
NOT_READ = "Chưa đọc được lịch sử 60 ngày của TikTok. {why}"
NO_ACCOUNT = (
    "Chưa rõ lịch sử thuộc tài khoản nào. Đề nghị kết nối lại bằng «nhip connect tiktok-business --channel MÃ_KÊNH» "
    "và giữ nguyên mọi quyền được hỏi."
)
OTHER_ACCOUNT = (
    "Tài khoản TikTok Business đã cho phép không phải tài khoản của kênh này. Đề nghị đăng nhập đúng tài khoản, "
    "rồi chạy lại «nhip connect tiktok-business --channel MÃ_KÊNH»."
)


class Day(msgspec.Struct):
    """One UTC day; a count is null for accounts with fewer than 100 followers."""

    date: date
    daily_total_followers: Count | None = None
    followers_count: Count | None = None

    @property
    def followers(self) -> int | None:
        return self.followers_count if self.daily_total_followers is None else self.daily_total_followers


class Account(msgspec.Struct):
    is_business_account: bool
    username: str | None = None
    metrics: list[Day] | None = None


class AccountAnswer(msgspec.Struct):
    data: Account


@dataclass(frozen=True, slots=True)
class History:
    """Followers at the end of past UTC days."""

    snapshots: tuple[Snapshot, ...] = ()
    notes: tuple[str, ...] = ()


async def read_history(look: Look, after: date | None, names: Collection[str]) -> History:
    """The settled days since *after* of the account that bears one of *names* (lower case).

    Nothing when the channel is not connected to this API, nothing and a note when another account is. Never fails.
    """
    today = look.now.astimezone(UTC).date()
    try:
        creds = await look.wallet.open(GRANT)
        if creds.access is None:
            return History()
        account = await read_account(Door(look, GRANT, creds), names)
    except CollectError as error:
        return History(notes=(NOT_READ.format(why=error.sentence),))
    if not account.is_business_account:
        return History(notes=(PERSONAL,))
    return History(settled(account.metrics or (), after, today))


async def read_account(door: Door, names: Collection[str]) -> Account:
    """What the connected account says of itself; CollectError(AUTH) when it is not known to bear one of *names*."""
    today = door.look.now.astimezone(UTC).date()
    account = await door.through(partial(_ask, door.look, door.creds.account, today))
    name = (account.username or "").removeprefix("@").lower()
    if name not in names:
        detail, sentence = ("another account", OTHER_ACCOUNT) if name else ("account unnamed", NO_ACCOUNT)
        raise CollectError(FailureKind.AUTH, f"business history: {detail}", sentence=sentence)
    return account


async def _ask(look: Look, account: str, today: date, token: Secret) -> Account:
    if not account:
        raise CollectError(FailureKind.PERMISSION, "business account id unknown", sentence=NO_ACCOUNT)
    asked = {
        "business_id": account,
        "start_date": (today - KEPT).isoformat(),
        "end_date": (today - SETTLED).isoformat(),
        "fields": json.dumps(FIELDS),
    }
    answer = await look.get(
        f"{look.platforms.tiktok.business_base.rstrip('/')}/open_api/v1.3/business/get/?{urlencode(asked)}",
        secrets={"Access-Token": token.reveal()},
        expect=range(400, 600),
        judge=lambda answer: judge_business(answer, look.now),
    )
    return understood(answer.body, AccountAnswer, TIKTOK).data


def settled(days: Sequence[Day], after: date | None, today: date) -> tuple[Snapshot, ...]:
    """A snapshot for each day that is final, known and later than *after*, at the midnight UTC that ends it."""
    return tuple(
        Snapshot(_end(day.date), Source.TIKTOK_BUSINESS, followers=day.followers)
        for day in days
        if day.followers is not None and (after or date.min) < day.date <= today - SETTLED
    )


def _end(day: date) -> datetime:
    return datetime.combine(day + A_DAY, time.min, UTC)
