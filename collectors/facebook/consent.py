"""How the organisation's officer lets us read its Pages, and what Facebook says of the token afterwards.

Tokens and secrets are posted or stand in headers. `debug_token` is documented as a GET with the token in the
address; Graph reads a posted `method=get` in place of the verb, so the token stays out of every address.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated
from urllib.parse import urlencode

import msgspec

from collectors.base import CollectError
from collectors.consent import Asking, Consent, Grant, Health
from collectors.facebook.address import page_key
from collectors.facebook.errors import FACEBOOK, SCOPES, judge
from collectors.facebook.graph import STATUSES, address_of, bearer, proof_of
from collectors.facebook.known import moment
from collectors.facebook.posts import ObjectId, Paging
from collectors.refusals import understood
from config.models import Channel
from config.platforms import Facebook, Platforms
from config.secrets import Secret
from store.records import FailureKind

MOST_LISTS = 20
ANALYZE = "ANALYZE"
NO_APP = "Chưa khai báo ứng dụng Facebook. Đề nghị ghi app_id và redirect của Facebook trong district.toml."
CODE_REFUSED = (
    "Facebook không nhận mã vừa dán: mã chỉ dùng được một lần và trong vài phút. "
    "Đề nghị chạy lại «nhip connect facebook»."
)
NOT_COVERED = (
    "Kênh «{slug}»: tài khoản đã kết nối không quản lý Trang này. "
    "Đề nghị người quản trị Trang giao vai trò, rồi kết nối lại."
)
NO_ANALYZE = (
    "Kênh «{slug}»: tài khoản đã kết nối chưa được giao việc xem số liệu thống kê. "
    "Đề nghị người quản trị Trang giao thêm quyền xem thông tin chi tiết."
)

Seconds = Annotated[int, msgspec.Meta(ge=0, le=4_102_444_800)]


class TokenAnswer(msgspec.Struct):
    access_token: str = ""
    expires_in: Seconds = 0


class TokenFacts(msgspec.Struct):
    """What `debug_token` says of a token. The person behind it does not exist for us."""

    is_valid: bool
    expires_at: Seconds = 0
    data_access_expires_at: Seconds = 0
    scopes: list[str] = []


class TokenReport(msgspec.Struct):
    data: TokenFacts


class Managed(msgspec.Struct):
    """One Page of the account; its token stands beside it and is not read."""

    id: ObjectId
    name: str = ""
    username: str = ""
    tasks: list[str] = []


class Accounts(msgspec.Struct):
    data: list[Managed]
    paging: Paging | None = None


@dataclass(frozen=True, slots=True)
class Granted:
    """A Page that the connected account may read."""

    id: str
    name: str
    username: str
    tasks: tuple[str, ...]

    def is_meant_by(self, key: str) -> bool:
        return key == self.id or (bool(self.username) and key.lower() == self.username.lower())


def address(platforms: Platforms, state: str, verifier: str) -> str:
    """The consent page. Facebook takes no PKCE challenge here: the app secret protects the exchange."""
    facebook = platforms.facebook
    asked = {
        "client_id": app_of(facebook),
        "redirect_uri": redirect_of(facebook),
        "state": state,
        "scope": ",".join(SCOPES),
        "response_type": "code",
    }
    return f"{facebook.consent}/{facebook.version}/dialog/oauth?{urlencode(asked)}"


async def exchange(asking: Asking, code: str, verifier: str) -> Grant:
    """The code becomes a token of hours, and that one a token of about 60 days with the scopes really granted."""
    redirect = redirect_of(asking.platforms.facebook)
    try:
        short = await _token(asking, {"redirect_uri": redirect, "code": code})
    except CollectError as error:
        if error.kind is not FailureKind.DRIFT:
            raise
        raise CollectError(FailureKind.AUTH, error.detail, sentence=CODE_REFUSED) from None
    lasting = await _token(asking, {"grant_type": "fb_exchange_token", "fb_exchange_token": short.access_token})
    access = Secret(lasting.access_token)
    return Grant(access, access_expires_at=end_of(lasting, asking.now), scopes=await _scopes(asking, access))


async def inspect(asking: Asking, access: Secret) -> Health:
    """Whether the token lives, until when, and which permissions were taken back."""
    return health_of(await _facts(asking, access))


async def pages(asking: Asking, access: Secret) -> list[Granted]:
    """Every Page the connected account holds a role on, with what it may do there."""
    granted: list[Granted] = []
    after = ""
    for _ in range(MOST_LISTS):
        listed = await _accounts(asking, access, after)
        granted.extend(Granted(one.id, one.name, one.username, tuple(one.tasks)) for one in listed.data)
        onward = listed.paging.onward() if listed.paging else None
        if not onward or onward == after:
            break
        after = onward
    return granted


def covered(channels: Iterable[Channel], granted: Iterable[Granted]) -> list[Channel]:
    """The Facebook channels that the connected account holds a role on."""
    held, own = list(granted), (channel for channel in channels if channel.platform == "facebook")
    return [channel for channel in own if any(one.is_meant_by(page_key(channel.address)) for one in held)]


def uncovered(channels: Iterable[Channel], granted: Iterable[Granted]) -> list[str]:
    """One Vietnamese sentence for every Facebook channel that the connected account cannot wholly read."""
    held = list(granted)
    said = []
    for channel in channels:
        if channel.platform != "facebook":
            continue
        page = next((one for one in held if one.is_meant_by(page_key(channel.address))), None)
        if page is None:
            said.append(NOT_COVERED.format(slug=channel.slug))
        elif ANALYZE not in page.tasks:
            said.append(NO_ANALYZE.format(slug=channel.slug))
    return said


def health_of(facts: TokenFacts) -> Health:
    ends = [end for end in (facts.expires_at, facts.data_access_expires_at) if end]
    missing = tuple(scope for scope in SCOPES if scope not in facts.scopes) if facts.is_valid else ()
    return Health(facts.is_valid, moment(min(ends)) if ends else None, missing)


def end_of(token: TokenAnswer, now: datetime) -> datetime | None:
    return now + timedelta(seconds=token.expires_in) if token.expires_in else None


def app_of(facebook: Facebook) -> str:
    if facebook.app_id is None:
        raise CollectError(FailureKind.AUTH, "no facebook app id", sentence=NO_APP)
    return facebook.app_id


def redirect_of(facebook: Facebook) -> str:
    if facebook.redirect is None:
        raise CollectError(FailureKind.AUTH, "no facebook redirect", sentence=NO_APP)
    return facebook.redirect


async def _token(asking: Asking, form: Mapping[str, str]) -> TokenAnswer:
    """One step of the exchange, sent once: a code is dead after its first use."""
    facebook = asking.platforms.facebook
    own = {"client_id": app_of(facebook), "client_secret": asking.app_secret.reveal()}
    answer = await asking.client.post(
        address_of(facebook, "oauth/access_token", {}),
        {**own, **form},
        expect=STATUSES,
        judge=judge(asking.now),
        tries=1,
    )
    token = understood(answer.body, TokenAnswer, FACEBOOK)
    if not token.access_token:
        raise CollectError(FailureKind.DRIFT, "no token in the answer")
    return token


async def _scopes(asking: Asking, access: Secret) -> tuple[str, ...]:
    """What was really granted; a token in hand is worth more than an answer about it."""
    try:
        return tuple((await _facts(asking, access)).scopes)
    except CollectError:
        return ()


async def _facts(asking: Asking, access: Secret) -> TokenFacts:
    facebook = asking.platforms.facebook
    app = Secret(f"{app_of(facebook)}|{asking.app_secret.reveal()}")
    answer = await asking.client.post(
        address_of(facebook, "debug_token", {}),
        {"input_token": access.reveal(), "method": "get"},
        secrets=bearer(app),
        expect=STATUSES,
        judge=judge(asking.now),
    )
    return understood(answer.body, TokenReport, FACEBOOK).data


async def _accounts(asking: Asking, access: Secret, after: str) -> Accounts:
    query = {"fields": "id,name,username,tasks", "limit": "100"} | ({"after": after} if after else {})
    answer = await asking.client.get(
        address_of(asking.platforms.facebook, "me/accounts", query | proof_of(access, asking.app_secret)),
        secrets=bearer(access),
        expect=STATUSES,
        judge=judge(asking.now),
    )
    return understood(answer.body, Accounts, FACEBOOK)


CONSENT = Consent(platform="facebook", scopes=SCOPES, address=address, exchange=exchange, inspect=inspect, shared=True)
