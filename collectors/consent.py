"""How an owner's consent becomes tokens, and how tokens are kept alive: what every platform has to say for itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from collectors.base import CollectError
from config.platforms import Platforms
from config.secrets import Secret
from store.records import FailureKind

if TYPE_CHECKING:
    from collectors.client import Client

UNSAID = "Chưa khai {name} trong phần platforms.{platform} của district.toml. Đề nghị khai rồi chạy lại «nhip connect»."


@dataclass(frozen=True, slots=True)
class Grant:
    """What a platform gave. Moments are UTC; None where the platform names no end."""

    access: Secret
    refresh: Secret | None = None
    access_expires_at: datetime | None = None
    refresh_expires_at: datetime | None = None
    scopes: tuple[str, ...] = ()
    """What the owner really ticked; empty when the platform does not say."""
    account: str = ""
    """The platform's id of the account that consented."""


@dataclass(frozen=True, slots=True)
class Health:
    """What the platform says about a token it once gave."""

    is_valid: bool
    expires_at: datetime | None = None
    """The earlier of the end of the token and the end of data access; None when neither has a date."""
    missing: tuple[str, ...] = ()
    """Scopes that were granted once and are needed, but are gone."""


@dataclass(frozen=True, slots=True)
class Asking:
    """What it takes to talk to a platform about tokens: the way out, addresses, the app's secret and the moment."""

    client: Client
    platforms: Platforms
    app_secret: Secret
    now: datetime


@dataclass(frozen=True, slots=True)
class Consent:
    """One door of one platform. Every function raises CollectError, AUTH when a person has to consent again."""

    platform: str
    scopes: tuple[str, ...]
    """Asked for on the consent page, all of them needed."""
    address: Callable[[Platforms, str, str], str]
    """settings, state, PKCE verifier -> the address of the consent page, for a browser."""
    exchange: Callable[[Asking, str, str], Awaitable[Grant]]
    """asking, code (URL-decoded), verifier -> the first tokens."""
    refresh: Callable[[Asking, Secret], Awaitable[Grant]] | None = None
    """asking, refresh token -> new tokens; sent once, never again by itself: the old token may be dead already."""
    inspect: Callable[[Asking, Secret], Awaitable[Health]] | None = None
    shared: bool = False
    """True when one grant opens all channels of the organisation on this platform."""


def setting(platforms: Platforms, platform: str, name: str) -> str:
    """What district.toml says of our app on a platform; CollectError(PERMISSION) when it says nothing."""
    value: str | None = getattr(getattr(platforms, platform), name)
    if not value:
        sentence = UNSAID.format(name=name, platform=platform)
        raise CollectError(FailureKind.PERMISSION, f"no {platform} {name}", sentence=sentence)
    return value
