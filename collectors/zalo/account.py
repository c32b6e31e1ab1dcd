"""The Official Account itself: how many follow it now. Zalo keeps no history of that."""

from __future__ import annotations

import hmac
import re
from functools import partial
from urllib.parse import urlencode

import msgspec

from collectors.base import CollectError, Look
from collectors.door import Door
from collectors.payload import Count
from collectors.refusals import understood
from collectors.zalo.errors import ZALO, judge
from config.secrets import Secret
from store.records import FailureKind

SCOPE = "đọc thông tin OA"

ADDRESS = re.compile(r"(?:(?:https?://)?(?:oa\.)?zalo\.me/)?([\w.-]{3,40})/?(?:\?.*)?", re.IGNORECASE | re.ASCII)
BAD_ADDRESS = (
    "Địa chỉ «{address}» không phải Zalo OA. Đề nghị ghi dạng «https://zalo.me/1234567890» hoặc mã số OA "
    "trong channels.toml."
)
OTHER_ACCOUNT = (
    "OA đã kết nối có mã số {found}, khác «{wanted}» trong channels.toml. "
    "Đề nghị kết nối lại đúng OA, hoặc sửa địa chỉ."
)


class Account(msgspec.Struct):
    """`num_follower` is exact; null means that it is not shown."""

    oa_id: str
    num_follower: Count | None
    oa_alias: str | None = None


class AccountAnswer(msgspec.Struct):
    data: Account


def name_of(address: str) -> str:
    """The number or the short name of an OA; CollectError when the address holds neither."""
    match = ADDRESS.fullmatch(address.strip())
    if match is None:
        raise CollectError(FailureKind.GONE, "no Zalo address", sentence=BAD_ADDRESS.format(address=address))
    return match[1].lower()


async def read_account(door: Door, wanted: str) -> Account:
    """One call of `getoa`; CollectError(AUTH) when the token belongs to another OA than *wanted*."""
    account = understood(await ask(door, "/v2.0/oa/getoa", {}, SCOPE), AccountAnswer, ZALO).data
    alias = (account.oa_alias or "").lower()
    if wanted not in {account.oa_id, alias} and (alias or wanted.isdecimal()):
        sentence = OTHER_ACCOUNT.format(found=account.oa_id, wanted=wanted)
        raise CollectError(FailureKind.AUTH, "another OA was connected", sentence=sentence)
    return account


async def ask(door: Door, path: str, query: dict[str, str], scope: str) -> bytes:
    """The body of one good answer. The proof of the app secret goes along when we know it: some apps demand it."""
    return await door.through(partial(_ask, door.look, door.creds.app_secret, path, query, scope))


async def _ask(look: Look, app: Secret | None, path: str, query: dict[str, str], scope: str, token: Secret) -> bytes:
    secrets = {"access_token": token.reveal()}
    if app:
        secrets["appsecret_proof"] = hmac.digest(app.reveal().encode(), token.reveal().encode(), "sha256").hex()
    answer = await look.get(
        f"{look.platforms.zalo.base.rstrip('/')}{path}{'?' if query else ''}{urlencode(query)}",
        secrets=secrets,
        expect=range(400, 600),
        judge=lambda answer: judge(answer, look.now, scope),
    )
    return answer.body
