"""How the administrator of an Official Account lets us in, and how the tokens are kept alive.

A refresh token works once: every refresh brings the next one. How a refusal looks is not documented, so only what
plainly speaks of a dead token or code asks for a person.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlencode

import msgspec

from collectors.base import CollectError
from collectors.consent import Asking, Consent, Grant, setting
from collectors.refusals import Rule, refused, understood, unexplained
from collectors.zalo.errors import ZALO
from config.platforms import Platforms
from config.secrets import Secret
from store.records import FailureKind

if TYPE_CHECKING:
    from collectors.client import Answer

DEAD = Rule(
    FailureKind.AUTH,
    "Kết nối với Zalo đã hết hạn hoặc bị thu hồi. Đề nghị chạy lại «nhip connect zalo --channel MÃ_KÊNH».",
)
DEAD_NUMBERS = frozenset({-14014, -216, -220})
DEAD_WORDS = re.compile(
    r"(refresh[ _]?token|authorization[ _]code|\bcode\b).{0,40}(invalid|expired|used|revoked)"
    r"|(invalid|expired|used|revoked).{0,40}(refresh[ _]?token|authorization[ _]code|\bcode\b|grant)",
    re.IGNORECASE | re.DOTALL,
)

Token = Annotated[str, msgspec.Meta(min_length=1)]
Seconds = Annotated[int, msgspec.Meta(ge=1, le=10**9)]
Digits = Annotated[str, msgspec.Meta(pattern=r"^[1-9][0-9]{0,8}$")]


class Tokens(msgspec.Struct):
    """The flat answer of the token endpoint; the lifetime in seconds comes as digits or as a number."""

    access_token: Token
    refresh_token: Token
    expires_in: Seconds | Digits


class Refusal(msgspec.Struct):
    """What a refusal may hold; none of it is certain."""

    error: int | str | None = None
    error_name: str = ""
    error_reason: str = ""
    error_description: str = ""
    message: str = ""
    access_token: str = ""

    @property
    def is_dead(self) -> bool:
        """Whether it says that a person has to consent again."""
        words = (str(self.error), self.error_name, self.error_reason, self.error_description, self.message)
        return self.error in DEAD_NUMBERS or any(DEAD_WORDS.search(text[:500]) for text in words)


def address(platforms: Platforms, state: str, verifier: str) -> str:
    challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("=")
    asked = {
        "app_id": setting(platforms, "zalo", "app_id"),
        "redirect_uri": setting(platforms, "zalo", "redirect"),
        "code_challenge": challenge,
        "state": state,
    }
    return f"{platforms.zalo.oauth_base.rstrip('/')}/v4/oa/permission?{urlencode(asked)}"


async def exchange(asking: Asking, code: str, verifier: str) -> Grant:
    return await _token(asking, {"grant_type": "authorization_code", "code": code, "code_verifier": verifier})


async def refresh(asking: Asking, old: Secret) -> Grant:
    return await _token(asking, {"grant_type": "refresh_token", "refresh_token": old.reveal()})


async def _token(asking: Asking, form: Mapping[str, str]) -> Grant:
    answer = await asking.client.post(
        f"{asking.platforms.zalo.oauth_base.rstrip('/')}/v4/oa/access_token",
        {"app_id": setting(asking.platforms, "zalo", "app_id"), **form},
        secrets={"secret_key": asking.app_secret.reveal()},
        expect=range(400, 600),
        judge=lambda answer: _judge(answer, asking),
        tries=1,
    )
    tokens = understood(answer.body, Tokens, ZALO)
    return Grant(
        access=Secret(tokens.access_token),
        refresh=Secret(tokens.refresh_token),
        access_expires_at=asking.now + timedelta(seconds=int(tokens.expires_in)),
    )


def _judge(answer: Answer, asking: Asking) -> None:
    """Raises what an answer without an access token says."""
    try:
        said = understood(answer.body, Refusal, ZALO)
    except CollectError:
        if answer.status < 400:
            raise
        raise unexplained(answer, asking.now, ZALO) from None
    if said.access_token and answer.status < 400:
        return
    if said.is_dead:
        raise refused(DEAD, "dead token", answer, asking.now)
    code = said.error if isinstance(said.error, int) else "unknown"
    raise unexplained(answer, asking.now, ZALO, code)


CONSENT = Consent("zalo", (), address, exchange, refresh)
