"""One way to the Graph API: versioned addresses, the token in a header, its proof, and the usage it reports."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from collectors.base import CollectError, Look
from collectors.facebook.errors import judge
from collectors.facebook.usage import Usage, usage_of
from config.platforms import Facebook
from config.secrets import Secret

if TYPE_CHECKING:
    from collectors.client import Answer

STATUSES = range(400, 600)
"""Statuses that may carry an error object: the platform's code decides first."""
VERSION_HEADER = "facebook-api-version"
OTHER_VERSION = (
    "Facebook trả lời theo phiên bản {answered} thay vì {asked}. "
    "Đề nghị báo người bảo trì kiểm tra mục version của Facebook trong district.toml."
)


@dataclass(slots=True)
class Graph:
    """Asks with one token. `usage` is the worst that an answer said so far, `notes` what a person should know."""

    look: Look
    token: Secret
    app_secret: Secret | None = None
    usage: Usage = field(default_factory=Usage)
    notes: tuple[str, ...] = ()

    async def get(self, path: str, query: Mapping[str, str]) -> bytes:
        """The body of one GET; CollectError when the answer is an error, whatever its status."""
        facebook = self.look.platforms.facebook
        try:
            answer = await self.look.get(
                address_of(facebook, path, {**query, **proof_of(self.token, self.app_secret)}),
                secrets=bearer(self.token),
                expect=STATUSES,
                judge=judge(self.look.now),
            )
        except CollectError as error:
            if error.retry_at:
                self.usage = Usage(100.0, error.retry_at - self.look.now)
            raise
        self._heed(answer, facebook.version)
        return answer.body

    def _heed(self, answer: Answer, asked: str) -> None:
        self.usage = max(self.usage, usage_of(answer.headers), key=lambda usage: usage.percent)
        answered = answer.headers.get(VERSION_HEADER, asked)
        if answered != asked:
            self.notes = (OTHER_VERSION.format(answered=answered[:20], asked=asked),)


def address_of(facebook: Facebook, path: str, query: Mapping[str, str]) -> str:
    """The version always stands in the address: calls without it fall to the app's oldest one."""
    asked = f"?{urlencode(query, safe='(){},')}" if query else ""
    return f"{facebook.base}/{facebook.version}/{quote(path)}{asked}"


def bearer(token: Secret) -> dict[str, str]:
    return {"authorization": f"Bearer {token.reveal()}"}


def proof_of(token: Secret, app_secret: Secret | None) -> dict[str, str]:
    """The proof that belongs to this very token; empty when no app secret is known (facts: Facebook 1.1)."""
    if app_secret is None:
        return {}
    return {"appsecret_proof": hmac.new(app_secret.reveal().encode(), token.reveal().encode(), "sha256").hexdigest()}
