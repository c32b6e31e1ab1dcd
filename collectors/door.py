"""The token of one look: opened once, renewed once when the platform refuses it, then a person has to come."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from collectors.base import CollectError, Credentials, Look
from config.secrets import Secret
from store.records import FailureKind

if TYPE_CHECKING:
    from config.models import Channel

T = TypeVar("T")

NOT_CONNECTED = "Kênh chưa được kết nối. Đề nghị chạy «nhip connect {grant} --channel {slug}»."


@dataclass(slots=True)
class Door:
    """One grant during one look; `creds` are always the newest."""

    look: Look
    grant: str
    creds: Credentials
    renewed: bool = False

    async def through(self, ask: Callable[[Secret], Awaitable[T]]) -> T:
        """What *ask* brings with the access token; AUTH is answered by one renewal a look."""
        try:
            return await ask(self._token())
        except CollectError as error:
            if error.kind is not FailureKind.AUTH or self.renewed:
                raise
        self.renewed = True
        self.creds = await self.look.wallet.renew(self.grant, self.creds)
        return await ask(self._token())

    def _token(self) -> Secret:
        if self.creds.access is None:
            raise CollectError(FailureKind.AUTH, f"no {self.grant} access token")
        return self.creds.access


async def open_door(channel: Channel, look: Look, grant: str) -> Door:
    """The way in for one channel; CollectError(AUTH) when it was never connected."""
    creds = await look.wallet.open(grant)
    if creds.access is None:
        sentence = NOT_CONNECTED.format(grant=grant, slug=channel.slug)
        raise CollectError(FailureKind.AUTH, f"no {grant} access token", sentence=sentence)
    return Door(look, grant, creds)
