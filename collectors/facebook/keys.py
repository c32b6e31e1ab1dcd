"""How a look comes to a token of its Page, and what it does when one is refused.

A shared token stands for the whole organisation: the Page's own token is derived from it and remembered in this
process only (`look.memory`). What the platform refuses is replaced once; then a person has to act.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from hashlib import sha256

import msgspec

from collectors.base import CollectError, Credentials, Look
from collectors.facebook.errors import FACEBOOK
from collectors.facebook.graph import Graph
from collectors.refusals import understood
from config.secrets import Secret
from store.records import FailureKind, Reading

GRANT = "facebook"
UNCONNECTED = "Facebook chưa được kết nối. Đề nghị chạy «nhip connect facebook»."
NO_ROLE = (
    "Tài khoản đã kết nối không có vai trò trên Trang này nên không lấy được mã của Trang. "
    "Đề nghị người quản trị Trang giao vai trò cho tài khoản đó."
)


class PageToken(msgspec.Struct):
    access_token: str = ""


async def with_page_token(look: Look, page: str, work: Callable[[Graph], Awaitable[Reading]]) -> Reading:
    """What *work* brings with a token of the Page; a refused token is replaced and the work done anew, once."""
    held = await look.wallet.open(GRANT)
    graph = await _first(look, page, held)
    try:
        return await work(graph)
    except CollectError as error:
        if error.kind is not FailureKind.AUTH:
            raise
        refused = error
    _forget(look, page, held)
    try:
        return await work(await _second(look, page, held, refused))
    except CollectError as error:
        if error.kind is FailureKind.AUTH:
            _forget(look, page, held)
        raise


async def _first(look: Look, page: str, held: Credentials) -> Graph:
    if not held.shared:
        return Graph(look, _access(held), held.app_secret)
    try:
        return await _derived(look, page, held)
    except CollectError as error:
        if error.kind is not FailureKind.AUTH or held.access is None:
            raise
        refused = error
    return await _derived(look, page, await _renewed(look, held, refused))


async def _second(look: Look, page: str, held: Credentials, refused: CollectError) -> Graph:
    if held.shared:
        return await _first(look, page, held)
    renewed = await _renewed(look, held, refused)
    return Graph(look, _access(renewed), renewed.app_secret)


async def _renewed(look: Look, held: Credentials, refused: CollectError) -> Credentials:
    """Other credentials; when there are none, the platform's own reason says more than ours."""
    try:
        return await look.wallet.renew(GRANT, held)
    except CollectError as error:
        if error.kind is FailureKind.AUTH:
            raise refused from None
        raise


async def _derived(look: Look, page: str, held: Credentials) -> Graph:
    memory_key = _memory_key(page, held)
    token = look.memory.get(memory_key)
    if not isinstance(token, Secret):
        body = await Graph(look, _access(held), held.app_secret).get(page, {"fields": "access_token"})
        token = look.memory[memory_key] = parse_page_token(body)
    return Graph(look, token, held.app_secret)


def parse_page_token(body: bytes) -> Secret:
    """The token of one Page; CollectError(PERMISSION) when the answer holds none: no role on the Page."""
    token = understood(body, PageToken, FACEBOOK).access_token
    if not token:
        raise CollectError(FailureKind.PERMISSION, "no page token in the answer", sentence=NO_ROLE)
    return Secret(token)


def _forget(look: Look, page: str, held: Credentials) -> None:
    look.memory.pop(_memory_key(page, held), None)


def _memory_key(page: str, held: Credentials) -> str:
    fingerprint = sha256(_access(held).reveal().encode()).hexdigest()[:16]
    return f"facebook:{page}:{fingerprint}"


def _access(held: Credentials) -> Secret:
    if held.access is None:
        raise CollectError(FailureKind.AUTH, "no facebook credentials", sentence=UNCONNECTED)
    return held.access
