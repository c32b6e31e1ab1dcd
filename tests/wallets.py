"""Wallets with fixed contents, for looks that need credentials but no store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from collectors.base import CollectError, Credentials
from config.secrets import Secret
from store.records import FailureKind

TOKEN = "mau-access-token-1"
RENEWED = "mau-access-token-2"
APP_SECRET = "mau-app-secret"


@dataclass
class FixedWallet:
    """Holds one set of credentials per grant; each renewal hands out the next of `spare`, then a person must come."""

    holds: Mapping[str, Credentials]
    spare: Sequence[Credentials] = ()
    opened: list[str] = field(default_factory=list)
    renewed: list[str] = field(default_factory=list)

    async def open(self, grant: str) -> Credentials:
        self.opened.append(grant)
        return self.holds.get(grant, Credentials())

    async def renew(self, grant: str, refused: Credentials) -> Credentials:
        self.renewed.append(grant)
        if len(self.renewed) > len(self.spare):
            raise CollectError(FailureKind.AUTH, f"no {grant} credentials left")
        return self.spare[len(self.renewed) - 1]


def wallet(grant: str, access: str | None = TOKEN, *, spare: str | None = None, shared: bool = False) -> FixedWallet:
    """A wallet for one grant; *spare* is what one renewal brings."""
    holds = {grant: credentials(access, shared=shared)}
    return FixedWallet(holds, [credentials(spare, shared=shared)] if spare else [])


def credentials(access: str | None = TOKEN, *, shared: bool = False, app_secret: str | None = None) -> Credentials:
    return Credentials(
        access=Secret(access) if access else None,
        shared=shared,
        app_secret=Secret(app_secret) if app_secret else None,
    )
