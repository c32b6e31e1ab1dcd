"""The tokens of the channels: sealed at rest, renewed by one process at a time, never lost once answered.

A refresh token may be good for one use only. So a renewal is held first (a row lock with a lease, because the
holder may be killed), and the new pair, the old one and the end of the hold are one durable transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Connection, Row, Update, delete, select, update

from config.secrets import Secret
from store.bulk import insert_of
from store.database import Database
from store.records import Hold, StoredTokens, TokenSet, TokenState
from store.schema import secret
from store.vault import Vault

LIVE, NEEDS_CONSENT = "live", "needs_consent"
FREE = {"holder": None, "held_until": None}
UNCHECKED = {"checked_at": None, "checked_until": None}


class Tokens:
    """The stored secrets, opened with *vault*; SecretError when its key does not fit."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database, self._vault = database, vault

    def keep(self, name: str, tokens: TokenSet, now: datetime) -> None:
        """Stores what a person has just consented to (or typed in), in place of whatever was there."""
        row = self._sealed(name, tokens) | FREE | UNCHECKED | {"state": LIVE, "refreshed_at": now, "previous": None}
        self._database.write(lambda connection: _keep(connection, {"name": name, "version": 1, **row}), durable=True)

    def find(self, name: str) -> StoredTokens | None:
        """The newest tokens of this name, also when they are known to be dead; None when there never were any."""
        return self.find_each([name]).get(name)

    def find_each(self, names: Sequence[str]) -> dict[str, StoredTokens]:
        """The newest tokens of those names that have any."""
        wanted = select(secret).where(secret.c.name.in_(names))
        rows = self._database.read(lambda connection: connection.execute(wanted).all())
        return {row.name: StoredTokens(_state(row), self._opened(row)) for row in rows}

    def hold(self, name: str, version: int, owner: str, now: datetime, lease: timedelta) -> Hold | None:
        """The right to renew *version*; None while another process has it, or when that version is history.

        An expired hold is taken over, and the new one is `doubtful`. Held again by its owner it lasts longer.
        """
        until = now + lease
        return self._database.write(
            lambda connection: _hold(connection, name, version, owner, now, until), durable=True
        )

    def release(self, hold: Hold) -> None:
        """Gives an unused hold back; one that another process took over stays there."""
        self._database.write(lambda connection: connection.execute(_held(hold).values(FREE)))

    def rotate(self, name: str, version: int, tokens: TokenSet, now: datetime) -> bool:
        """Stores what the platform gave for *version*, keeps that one as the previous, ends the hold; durable.

        False when *version* is no longer the newest: then nothing changes.
        """
        row = self._sealed(name, tokens) | FREE | {"state": LIVE, "refreshed_at": now, "version": version + 1}
        change = _version(name, version).values(previous=secret.c.ciphertext, **row)
        return self._database.write(lambda connection: connection.execute(change).rowcount, durable=True) == 1

    def lose(self, name: str, version: int) -> bool:
        """Notes that the platform refuses *version* for good; False when it is no longer the newest."""
        change = _version(name, version).values(state=NEEDS_CONSENT, **FREE)
        return self._database.write(lambda connection: connection.execute(change).rowcount, durable=True) == 1

    def note_health(self, state: TokenState, until: datetime | None, scopes: Iterable[str], now: datetime) -> None:
        """Notes what the platform says about the token of *state*; a newer one in its place is left alone."""
        said = {"checked_at": now, "checked_until": until, "scopes": _listed(scopes)}
        change = _version(state.name, state.version).values(said)
        self._database.write(lambda connection: connection.execute(change))

    def forget(self, name: str) -> bool:
        """Deletes the secrets of this name; whether there were any."""
        return self._database.write(
            lambda connection: connection.execute(delete(secret).where(_is(name))).rowcount == 1
        )

    def reseal(self) -> int:
        """Seals everything with the first key of the vault, in one transaction; how many names there are."""
        return self._database.write(self._reseal, durable=True)

    def _reseal(self, connection: Connection) -> int:
        rows = connection.execute(select(secret).order_by(secret.c.name).with_for_update()).all()
        for row in rows:
            previous = self._vault.reseal(row.name, row.previous) if row.previous else None
            fresh = self._vault.reseal(row.name, row.ciphertext)
            put = {"ciphertext": fresh, "previous": previous, "key_id": self._vault.key_id}
            connection.execute(update(secret).where(_is(row.name)).values(put))
        return len(rows)

    def _sealed(self, name: str, tokens: TokenSet) -> dict[str, Any]:
        parts = {"access": tokens.access} | ({"refresh": tokens.refresh} if tokens.refresh else {})
        return {
            "ciphertext": self._vault.seal(name, {part: value.reveal() for part, value in parts.items()}),
            "key_id": self._vault.key_id,
            "access_expires_at": tokens.access_expires_at,
            "refresh_expires_at": tokens.refresh_expires_at,
            "scopes": _listed(tokens.scopes),
            "account": tokens.account,
        }

    def _opened(self, row: Row[Any]) -> TokenSet:
        parts: dict[str, Secret] = self._vault.open(row.name, row.ciphertext)
        return TokenSet(
            access=parts["access"],
            refresh=parts.get("refresh"),
            access_expires_at=row.access_expires_at,
            refresh_expires_at=row.refresh_expires_at,
            scopes=tuple(orjson.loads(row.scopes)),
            account=row.account,
        )


def token_states(connection: Connection) -> list[TokenState]:
    return [_state(row) for row in connection.execute(select(secret).order_by(secret.c.name))]


def _state(row: Row[Any]) -> TokenState:
    return TokenState(
        name=row.name,
        version=row.version,
        needs_consent=row.state == NEEDS_CONSENT,
        access_expires_at=row.access_expires_at,
        refresh_expires_at=row.refresh_expires_at,
        checked_at=row.checked_at,
        checked_until=row.checked_until,
        scopes=tuple(orjson.loads(row.scopes)),
        account=row.account,
        refreshed_at=row.refreshed_at,
        key_id=row.key_id,
    )


def _keep(connection: Connection, row: dict[str, Any]) -> None:
    """The version goes on counting, so that a renewal under way of the old consent cannot overwrite the new one."""
    new = insert_of(connection, secret).values(row)
    put: dict[str, Any] = {column: new.excluded[column] for column in row if column not in {"name", "version"}}
    again = new.on_conflict_do_update(index_elements=["name"], set_=put | {"version": secret.c.version + 1})
    connection.execute(again)


def _hold(connection: Connection, name: str, version: int, owner: str, now: datetime, until: datetime) -> Hold | None:
    row = connection.execute(select(secret).where(_is(name)).with_for_update()).first()
    if row is None or row.version != version or row.state != LIVE:
        return None
    taken_over = row.holder not in {None, owner}
    if taken_over and row.held_until > now:
        return None
    connection.execute(update(secret).where(_is(name)).values(holder=owner, held_until=until))
    return Hold(name, version, owner, until, doubtful=taken_over)


def _is(name: str) -> Any:
    return secret.c.name == name


def _version(name: str, version: int) -> Update:
    return update(secret).where(_is(name), secret.c.version == version)


def _held(hold: Hold) -> Update:
    return _version(hold.name, hold.version).where(secret.c.holder == hold.owner)


def _listed(words: Iterable[str]) -> str:
    return orjson.dumps(sorted(words)).decode()
