"""Renews a token: one process at a time, and nothing the platform answers is lost.

Before asking, the token is held in the store; the answer is stored, on the disk, before anybody uses it. A request
without an answer is ambiguous (the refresh token may be used up): it is sent once more, and only the platform's
own refusal makes the token need a person.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar

from collectors.base import CollectError
from collectors.client import Client
from collectors.consent import Asking, Consent, Grant
from config.models import District
from config.secrets import Secret, SecretError
from pipeline.clock import Clock
from pipeline.secret_names import connect_words
from pipeline.steps import finish
from store.errors import StoreError
from store.records import FailureKind, Hold, StoredTokens, TokenSet
from store.tokens import Tokens

PATIENCE_SECONDS = 60.0
"""How long a process waits for another one to finish renewing the same token."""
QUEUE = timedelta(minutes=5)
"""How long a renewal may wait for its turn at the host; its hold lasts this long and two deadlines more."""
POLL_SECONDS = 0.2
STORE_PAUSES = (0.2, 1.0, 5.0, 20.0)
"""Seconds between the attempts to store an answer that cannot be had twice."""

NEEDS_CONSENT = "Kết nối này không còn dùng được. Đề nghị chạy «{command}» để cho phép lại."
BUSY = "Một tiến trình khác đang làm mới mã truy cập. Hệ thống tự thử lại, chưa cần làm gì."

log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Errand:
    """Which token to renew, by whose door, with which secret of our app."""

    consent: Consent
    app_secret: Secret
    seen: StoredTokens

    @property
    def name(self) -> str:
        return self.seen.state.name

    @property
    def version(self) -> int:
        return self.seen.state.version


class Renewer:
    """Renews tokens for one event loop."""

    def __init__(self, tokens: Tokens, client: Client, district: District, clock: Clock) -> None:
        self._tokens, self._client, self._platforms = tokens, client, district.platforms
        self._clock, self._owner = clock, secrets.token_hex(8)
        self._lease = QUEUE + 2 * timedelta(seconds=district.network.deadline_seconds)
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def renew(self, errand: Errand) -> StoredTokens:
        """Newer tokens than those seen, whoever fetched them; CollectError(AUTH) when a person must consent again.

        A renewal that has begun is finished, even when the look that needed it is stopped.
        """
        async with self._locks[errand.name]:
            return await finish(asyncio.create_task(self._renew(errand)))

    async def newest(self, name: str) -> StoredTokens:
        """The stored tokens, if they live; CollectError(AUTH) otherwise."""
        stored = await ask_store(lambda: self._tokens.find(name))
        if stored is None or stored.state.needs_consent:
            raise needs_consent(name, "needs consent" if stored else "no token")
        return stored

    async def lose(self, name: str, version: int) -> None:
        """Note that the platform refuses this version for good."""
        if await ask_store(lambda: self._tokens.lose(name, version)):
            log.warning("token needs consent", extra={"grant": name})

    async def _renew(self, errand: Errand) -> StoredTokens:
        hold = await self._hold(errand)
        if hold is None:
            return await self.newest(errand.name)
        try:
            grant = await self._redeem(errand, hold)
        except CollectError as error:
            if error.kind is FailureKind.AUTH:
                return await self._refused(errand, error)
            await self._release(hold)
            raise
        except Exception:
            await self._release(hold)
            raise
        await self._save(errand, _merged(grant, errand.seen.tokens))
        return await self.newest(errand.name)

    async def _hold(self, errand: Errand) -> Hold | None:
        """The right to renew; None when somebody else has renewed the token meanwhile."""
        ends_at = time.monotonic() + PATIENCE_SECONDS
        while True:
            if hold := await self._try_to_hold(errand):
                return hold
            if (await self.newest(errand.name)).state.version != errand.version:
                return None
            if time.monotonic() > ends_at:
                raise CollectError(FailureKind.THROTTLED, f"{errand.name} is held elsewhere", sentence=BUSY)
            await asyncio.sleep(POLL_SECONDS)

    async def _try_to_hold(self, errand: Errand) -> Hold | None:
        hold = self._tokens.hold
        return await ask_store(lambda: hold(errand.name, errand.version, self._owner, self._clock(), self._lease))

    async def _redeem(self, errand: Errand, hold: Hold) -> Grant:
        """The platform's answer. An ambiguous silence is followed by one more try, a killed process was one."""
        asking = Asking(self._client, self._platforms, errand.app_secret, self._clock())
        refresh, old = errand.consent.refresh, errand.seen.tokens.refresh
        if refresh is None or old is None:
            raise CollectError(FailureKind.AUTH, f"{errand.name} cannot be renewed")
        if not hold.doubtful:
            try:
                return await refresh(asking, old)
            except CollectError as error:
                if error.kind is not FailureKind.NETWORK:
                    raise
                log.warning("token renewal unanswered", extra={"grant": errand.name, "detail": error.detail})
        return await refresh(replace(asking, now=self._clock()), old)

    async def _refused(self, errand: Errand, error: CollectError) -> StoredTokens:
        """Another process may have been quicker; if not, a person has to come. Never a second request."""
        stored = await ask_store(lambda: self._tokens.find(errand.name))
        if stored is not None and stored.state.version == errand.version:
            await self.lose(errand.name, errand.version)
            raise needs_consent(errand.name, error.detail) from error
        return await self.newest(errand.name)

    async def _save(self, errand: Errand, tokens: TokenSet) -> None:
        """Store what cannot be had twice: a busy or full database gets some time."""
        for pause in (*STORE_PAUSES, None):
            try:
                await asyncio.to_thread(self._tokens.rotate, errand.name, errand.version, tokens, self._clock())
            except StoreError as error:
                log.error("new token not stored yet", extra={"grant": errand.name, "detail": error.detail})
                if pause is None:
                    raise CollectError(FailureKind.STORAGE, error.detail, sentence=error.sentence) from error
                await asyncio.sleep(pause)
            else:
                log.info("token renewed", extra={"grant": errand.name})
                return

    async def _release(self, hold: Hold) -> None:
        await ask_store(lambda: self._tokens.release(hold))


async def ask_store(work: Callable[[], T]) -> T:
    """What the store says, asked in a thread; its faults as CollectError."""
    with told():
        return await asyncio.to_thread(work)


@contextmanager
def told() -> Iterator[None]:
    """Faults of the store and of secrets, as a look tells them."""
    try:
        yield
    except SecretError as error:
        raise CollectError(FailureKind.AUTH, "a secret cannot be read", sentence=str(error)) from error
    except StoreError as error:
        raise CollectError(FailureKind.STORAGE, error.detail, sentence=error.sentence) from error


def needs_consent(name: str, detail: str) -> CollectError:
    sentence = NEEDS_CONSENT.format(command=connect_words(name))
    return CollectError(FailureKind.AUTH, f"{name}: {detail}", sentence=sentence)


def token_set(grant: Grant) -> TokenSet:
    return TokenSet(
        grant.access,
        grant.refresh,
        grant.access_expires_at,
        grant.refresh_expires_at,
        grant.scopes,
        grant.account,
    )


def _merged(grant: Grant, old: TokenSet) -> TokenSet:
    """What the answer leaves out stays as it was: Google sends no new refresh token."""
    new = token_set(grant)
    if new.refresh is None:
        new = replace(new, refresh=old.refresh, refresh_expires_at=new.refresh_expires_at or old.refresh_expires_at)
    return replace(new, scopes=new.scopes or old.scopes, account=new.account or old.account)
