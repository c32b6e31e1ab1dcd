"""The credentials of every channel, alive: the `Wallet` that a look is given."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from collectors.base import CollectError, Credentials
from collectors.client import Client
from collectors.consent import Asking, Consent, Health
from config.models import Channel, Config
from config.secrets import Secret
from pipeline.clock import Clock
from pipeline.renewal import Errand, Renewer, ask_store, needs_consent, told
from pipeline.secret_names import (
    KEYED,
    app_name,
    given_app_secret,
    given_key,
    is_token,
    key_name,
    split,
    token_name,
    variable,
)
from store.records import FailureKind, StoredTokens, TokenState
from store.vault import Vault
from store.verbs import Store

MARGIN = timedelta(minutes=10)
MARGINS = {"zalo": timedelta(hours=6)}
"""A token is renewed when less than this is left of it, or less than a quarter of its life (facts: tokens)."""
ONE_LOOK = timedelta(minutes=5)
CHECK_EVERY = timedelta(hours=24)
IDLE = timedelta(days=7)
"""A refresh token that nobody used for so long is used once, before the platform forgets it."""

APP_UNKNOWN = (
    "Chưa có mã bí mật của ứng dụng {grant} nên không làm mới được mã truy cập. Đề nghị chạy «{command}», "
    "hoặc đặt biến {variable}."
)
LOADED_FOR = timedelta(minutes=1)
"""How long what was read at the start of a round stands for the table; a refused token is always looked up anew."""
NOT_THIS_PAGE = (
    "Nền tảng từ chối đọc kênh này tuy kết nối chung vẫn còn hiệu lực. "
    "Đề nghị người quản trị kênh giao lại quyền cho tài khoản đã kết nối."
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Found:
    """What there is for one grant of one channel."""

    tokens: StoredTokens | None
    app_secret: Secret | None
    api_key: Secret | None


class Keyring:
    """Opens, renews and checks the stored tokens; for one event loop. Secrets of the environment win."""

    def __init__(
        self,
        store: Store,
        vault: Vault,
        config: Config,
        client: Client,
        clock: Clock,
        consents: Mapping[str, Consent],
        *,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._store, self._tokens = store, store.tokens(vault)
        self._config, self._client, self._clock = config, client, clock
        self._consents, self._environ = consents, environ
        self._renewer = Renewer(self._tokens, client, config.district, clock)
        self._loaded: dict[str, StoredTokens | None] = {}
        self._loaded_at = clock()

    async def load(self, channels: Sequence[Channel]) -> None:
        """Read in one question what looks at these channels will ask for; what cannot be read is told to each."""
        platforms = {channel.platform for channel in channels}
        grants = {grant: consent for grant, consent in self._consents.items() if consent.platform in platforms}
        names = {name for grant in grants for name in _shared_names(grant)}
        for grant, consent in grants.items():
            own = (channel.slug for channel in channels if channel.platform == consent.platform)
            names |= {token_name(grant, consent, slug) for slug in own}
        with suppress(CollectError):
            found = await ask_store(lambda: self._tokens.find_each(sorted(names)))
            self._loaded, self._loaded_at = {name: found.get(name) for name in names}, self._clock()

    def wallet(self, channel: Channel) -> ChannelWallet:
        return ChannelWallet(self, channel.slug)

    async def open(self, grant: str, slug: str) -> Credentials:
        """The credentials of one channel, good for at least one look; without `access` when never connected."""
        consent = self._consents[grant]
        name = token_name(grant, consent, slug)
        found = await self._find(grant, name)
        if found.tokens is None:
            return Credentials(shared=consent.shared, app_secret=found.app_secret, api_key=found.api_key)
        if found.tokens.state.needs_consent:
            raise needs_consent(name, "needs consent")
        tokens = await self._lasting(grant, found, found.tokens)
        return _credentials(tokens, found, shared=consent.shared)

    async def renew(self, grant: str, slug: str, refused: Credentials) -> Credentials:
        """Other credentials than the refused ones; CollectError(AUTH) when there are none to be had."""
        consent = self._consents[grant]
        name = token_name(grant, consent, slug)
        self._loaded.pop(name, None)
        found = await self._find(grant, name)
        if found.tokens is None or found.tokens.state.needs_consent:
            raise needs_consent(name, "refused")
        if refused.access is None or refused.access.reveal() != found.tokens.tokens.access.reveal():
            return await self.open(grant, slug)
        if not _is_renewable(consent, found.tokens):
            raise await self._verdict(grant, found, found.tokens)
        tokens = await self._renewer.renew(self._errand(grant, found, found.tokens))
        return _credentials(tokens, found, shared=consent.shared)

    async def check_tokens(self) -> list[TokenState]:
        """How all tokens stand, after asking the platform about each (at most daily) and using idle ones once."""
        for state in await ask_store(self._store.token_states):
            if is_token(state.name) and not state.needs_consent and split(state.name)[0] in self._consents:
                try:
                    await self._check(state)
                except CollectError as error:
                    log.warning("token not checked", extra={"grant": state.name, "detail": error.detail})
                except Exception:  # a bug at one platform must not keep the other tokens from being used in time
                    log.exception("token check crashed", extra={"grant": state.name})
        return await ask_store(self._store.token_states)

    async def _check(self, state: TokenState) -> None:
        grant = split(state.name)[0]
        consent, now = self._consents[grant], self._clock()
        is_unchecked = state.checked_at is None or now - state.checked_at >= CHECK_EVERY
        is_idle = now - state.refreshed_at >= IDLE
        if not (is_idle or (consent.inspect and is_unchecked)):
            return
        found = await self._find(grant, state.name)
        if found.tokens is None:
            return
        if consent.inspect and is_unchecked:
            await self._inspect(grant, found, found.tokens)
        elif is_idle and _is_renewable(consent, found.tokens):
            await self._renewer.renew(self._errand(grant, found, found.tokens))

    async def _inspect(self, grant: str, found: _Found, stored: StoredTokens) -> Health:
        """What the platform says about a token, noted in the store."""
        consent, now = self._consents[grant], self._clock()
        assert consent.inspect is not None
        asking = Asking(self._client, self._config.district.platforms, self._app_secret(grant, found), now)
        health = await consent.inspect(asking, stored.tokens.access)
        granted = stored.state.scopes or (consent.scopes if health.missing else ())
        scopes = [scope for scope in granted if scope not in health.missing]
        await ask_store(lambda: self._tokens.note_health(stored.state, health.expires_at, scopes, now))
        if not health.is_valid:
            await self._renewer.lose(stored.state.name, stored.state.version)
        return health

    async def _lasting(self, grant: str, found: _Found, stored: StoredTokens) -> StoredTokens:
        """Tokens that outlive one look. One that cannot be renewed just now is used while it lasts."""
        consent, now = self._consents[grant], self._clock()
        ends_at = stored.state.access_expires_at
        if ends_at is None or not is_due(stored.state, consent, now):
            return stored
        if not _is_renewable(consent, stored):
            if ends_at > now:
                return stored
            await self._renewer.lose(stored.state.name, stored.state.version)
            raise needs_consent(stored.state.name, "expired")
        self._loaded.pop(stored.state.name, None)
        try:
            return await self._renewer.renew(self._errand(grant, found, stored))
        except CollectError as error:
            if error.kind is FailureKind.AUTH or ends_at - now < ONE_LOOK:
                raise
            return stored

    async def _verdict(self, grant: str, found: _Found, stored: StoredTokens) -> CollectError:
        """Why a token that cannot be renewed was refused: it is dead, or it just does not open this channel."""
        if self._consents[grant].inspect:
            try:
                health = await self._inspect(grant, found, stored)
            except CollectError as error:
                return error
            if health.is_valid:
                return CollectError(FailureKind.AUTH, f"{grant} lives, but was refused", sentence=NOT_THIS_PAGE)
        await self._renewer.lose(stored.state.name, stored.state.version)
        return needs_consent(stored.state.name, "refused")

    async def _find(self, grant: str, name: str) -> _Found:
        """Out of what was loaded for this round, or asked for now."""
        names = [name, *_shared_names(grant)]
        is_loaded = self._loaded.keys() >= set(names) and self._clock() - self._loaded_at <= LOADED_FOR
        kept = self._loaded if is_loaded else await ask_store(lambda: self._tokens.find_each(names))
        with told():
            app_secret = given_app_secret(grant, self._environ) or _value(kept.get(app_name(grant)))
            key = given_key(grant, self._environ) or _value(kept.get(key_name(grant))) if grant == KEYED else None
        return _Found(kept.get(name), app_secret, key)

    def _errand(self, grant: str, found: _Found, stored: StoredTokens) -> Errand:
        return Errand(self._consents[grant], self._app_secret(grant, found), stored)

    def _app_secret(self, grant: str, found: _Found) -> Secret:
        if found.app_secret is None:
            sentence = APP_UNKNOWN.format(
                grant=grant, command=f"nhip connect {grant}", variable=variable(grant, "SECRET")
            )
            raise CollectError(FailureKind.AUTH, f"no app secret for {grant}", sentence=sentence)
        return found.app_secret


class ChannelWallet:
    """The part of the keyring that belongs to one channel; a `collectors.base.Wallet`."""

    def __init__(self, keyring: Keyring, slug: str) -> None:
        self._keyring, self._slug = keyring, slug

    async def open(self, grant: str) -> Credentials:
        return await self._keyring.open(grant, self._slug)

    async def renew(self, grant: str, refused: Credentials) -> Credentials:
        return await self._keyring.renew(grant, self._slug, refused)


def is_due(state: TokenState, consent: Consent, now: datetime) -> bool:
    """Whether an access token is about to run out; one without an end never is."""
    if state.access_expires_at is None:
        return False
    life = state.access_expires_at - state.refreshed_at
    margin = min(MARGINS.get(consent.platform, MARGIN), life / 4)
    return state.access_expires_at - now < margin


def _is_renewable(consent: Consent, stored: StoredTokens) -> bool:
    return consent.refresh is not None and stored.tokens.refresh is not None


def _shared_names(grant: str) -> list[str]:
    """What all channels of a grant need from the table."""
    return [app_name(grant), key_name(grant)] if grant == KEYED else [app_name(grant)]


def _value(stored: StoredTokens | None) -> Secret | None:
    return stored.tokens.access if stored else None


def _credentials(stored: StoredTokens, found: _Found, *, shared: bool) -> Credentials:
    return Credentials(
        access=stored.tokens.access,
        shared=shared,
        app_secret=found.app_secret,
        api_key=found.api_key,
        scopes=stored.state.scopes,
        account=stored.state.account,
    )
