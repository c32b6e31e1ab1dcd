"""Tokens of the simulated platforms: the same ones for the same seed, single-use where the platform says so."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest
from urllib.parse import urlencode

from pipeline.demo.world import Account

CODE_LIFE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token stands for. `until` is None when it has no end; moments are UTC."""

    kind: str
    account: str
    """The platform id of the account; empty for a token of the app or of the platform's user."""
    issued_at: datetime
    until: datetime | None = None
    scopes: frozenset[str] = frozenset()
    challenge: str = ""

    def lives(self, at: datetime) -> bool:
        return self.until is None or at < self.until


@dataclass(frozen=True, slots=True)
class Seeded:
    """The tokens that an account has when the story begins, as a consent would have given them."""

    access_token: str
    expires_at: datetime | None
    refresh_token: str | None = None
    refresh_expires_at: datetime | None = None
    scopes: tuple[str, ...] = ()


class Tokens:
    """All tokens that one platform has given out."""

    def __init__(self, seed: int, prefix: str) -> None:
        self._stem, self._prefix = f"{seed}:{prefix}", prefix
        self._grants: dict[str, Grant] = {}
        self._of: defaultdict[str, list[str]] = defaultdict(list)
        self._serial: Counter[tuple[str, str]] = Counter()

    def issue(
        self,
        kind: str,
        account: str,
        at: datetime,
        *,
        lasts: timedelta | None = None,
        scopes: Iterable[str] = (),
        challenge: str = "",
    ) -> str:
        """A new token; the n-th of a kind for an account is the same in every run of one seed."""
        self._forget_expired(account, at)
        self._serial[kind, account] += 1
        words = f"{self._stem}:{kind}:{account}:{self._serial[kind, account]}"
        token = f"{self._prefix}.{kind}.{hashlib.sha256(words.encode()).hexdigest()[:40]}"
        self._grants[token] = Grant(kind, account, at, at + lasts if lasts else None, frozenset(scopes), challenge)
        self._of[account].append(token)
        return token

    def find(self, token: str | None) -> Grant | None:
        """What the token stands for, also when it has expired."""
        return self._grants.get(token or "")

    def valid(self, token: str | None, at: datetime, *kinds: str) -> Grant | None:
        """The grant when the token lives and is of one of the kinds."""
        grant = self.find(token)
        return grant if grant and grant.kind in kinds and grant.lives(at) else None

    def spend(self, token: str | None, at: datetime, kind: str) -> Grant | None:
        """The grant of a token that works once; from now on it is worth nothing."""
        grant = self.valid(token, at, kind)
        if grant and token:
            del self._grants[token]
        return grant

    def revoke(self, account: str) -> None:
        """Every token of the account dies."""
        for token in self._of.pop(account, ()):
            self._grants.pop(token, None)

    def _forget_expired(self, account: str, at: datetime) -> None:
        """Tokens a day past their end; younger ones still get the error that names their expiry."""
        kept = []
        for token in self._of[account]:
            grant = self._grants.get(token)
            if grant and grant.lives(at - timedelta(days=1)):
                kept.append(token)
            else:
                self._grants.pop(token, None)
        self._of[account] = kept


def issue_pairs(
    tokens: Tokens,
    accounts: Mapping[str, Account],
    at: datetime,
    *,
    access: timedelta,
    refresh: timedelta | None,
    scopes: tuple[str, ...] = (),
) -> dict[str, Seeded]:
    """The first pair of every account, by channel slug."""
    pairs = {}
    for account in accounts.values():
        opens = tokens.issue("access", account.id, at, lasts=access, scopes=scopes)
        renews = tokens.issue("refresh", account.id, at, lasts=refresh, scopes=scopes)
        pairs[account.slug] = Seeded(opens, at + access, renews, at + refresh if refresh else None, scopes)
    return pairs


def proves(challenge: str, verifier: str | None) -> bool:
    """Whether the PKCE verifier belongs to the S256 challenge; base64url as in RFC 7636, or hex as TikTok has it."""
    digest = hashlib.sha256((verifier or "").encode())
    standard = base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()
    return compare_digest(challenge, standard) or compare_digest(challenge, digest.hexdigest())


def back_to(redirect_uri: str, answer: Mapping[str, str]) -> str:
    """The address that the consent page sends the browser to."""
    return f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{urlencode(answer)}"
