"""The table of secrets and the vault that seals it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, event, select, update

from config.secrets import Secret, SecretError
from store.records import TokenSet
from store.schema import secret
from store.tokens import Tokens
from store.vault import KEY_FILE, Vault
from store.verbs import Store, open_store
from tests.store_builders import FRIDAY, hours

NAME, LEASE = "tiktok:kenh-mot", timedelta(minutes=5)
KEY, OTHER = (Fernet.generate_key().decode() for _ in range(2))


def vault(*keys: str) -> Vault:
    return Vault(Path("/nowhere"), {"NHIP_KEY": ",".join(keys)})


def a_set(number: int = 0, **more: Any) -> TokenSet:
    given: dict[str, Any] = {
        "access_expires_at": FRIDAY + hours(2),
        "refresh_expires_at": FRIDAY + hours(100),
        "scopes": ("b", "a"),
    }
    return TokenSet(Secret(f"access-{number}"), Secret(f"refresh-{number}"), **(given | more))


@pytest.fixture
def tokens(store: Store) -> Tokens:
    return store.tokens(vault(KEY))


@pytest.fixture
def kept(tokens: Tokens) -> Tokens:
    tokens.keep(NAME, a_set(), FRIDAY)
    return tokens


def raw(store: Store, name: str = NAME) -> dict[str, object]:
    row = store.database.read(lambda c: c.execute(select(secret).where(secret.c.name == name)).mappings().one())
    return dict(row)


def version_of(tokens: Tokens) -> tuple[int, str, bool]:
    found = tokens.find(NAME)
    assert found is not None
    return found.state.version, found.tokens.access.reveal(), found.state.needs_consent


# --- the table --------------------------------------------------------------------------------------------------


def test_what_is_kept_comes_back_and_only_opened(kept, store):
    found = kept.find(NAME)
    assert (found.tokens.access.reveal(), found.tokens.refresh.reveal()) == ("access-0", "refresh-0")
    assert (found.state.version, found.state.refreshed_at, found.state.scopes) == (1, FRIDAY, ("a", "b"))
    assert found.tokens.access_expires_at == FRIDAY + hours(2)
    assert "access-0" not in repr(raw(store)) + repr(found)
    assert kept.find("tiktok:khac") is None


def test_a_new_consent_replaces_everything_and_counts_on(kept, store):
    kept.lose(NAME, 1)
    kept.keep(NAME, a_set(5, refresh_expires_at=None), FRIDAY + hours(1))
    assert version_of(kept) == (2, "access-5", False)
    row = raw(store)
    assert (row["previous"], row["refresh_expires_at"], row["holder"]) == (None, None, None)


def test_only_one_may_hold_a_version(kept):
    hold = kept.hold(NAME, 1, "one", FRIDAY, LEASE)
    assert hold is not None
    assert (hold.until, hold.doubtful) == (FRIDAY + LEASE, False)
    assert kept.hold(NAME, 1, "two", FRIDAY, LEASE) is None
    longer = kept.hold(NAME, 1, "one", FRIDAY + LEASE, LEASE)
    assert longer is not None
    assert not longer.doubtful
    kept.release(hold)
    assert kept.hold(NAME, 1, "two", FRIDAY, LEASE) is not None


def test_an_expired_hold_is_taken_over_with_doubt_and_no_more_released_by_its_old_owner(kept):
    first = kept.hold(NAME, 1, "one", FRIDAY, LEASE)
    second = kept.hold(NAME, 1, "two", FRIDAY + LEASE, LEASE)
    assert second is not None
    assert second.doubtful
    kept.release(first)
    assert kept.hold(NAME, 1, "three", FRIDAY + LEASE, LEASE) is None


def test_history_a_dead_token_and_an_unknown_one_cannot_be_held(kept):
    assert kept.hold(NAME, 2, "one", FRIDAY, LEASE) is None
    assert kept.hold("zalo:khac", 1, "one", FRIDAY, LEASE) is None
    assert kept.lose(NAME, 1)
    assert kept.hold(NAME, 1, "one", FRIDAY, LEASE) is None


def test_a_rotation_keeps_the_pair_before_it_and_happens_once(kept, store):
    kept.hold(NAME, 1, "one", FRIDAY, LEASE)
    before = raw(store)["ciphertext"]
    assert kept.rotate(NAME, 1, a_set(1), FRIDAY + hours(2))
    assert not kept.rotate(NAME, 1, a_set(2), FRIDAY + hours(2))
    assert version_of(kept) == (2, "access-1", False)
    row = raw(store)
    assert (row["previous"], row["holder"], row["held_until"]) == (before, None, None)


def test_an_answer_that_comes_after_all_wakes_the_token_up_again(kept):
    kept.lose(NAME, 1)
    assert kept.rotate(NAME, 1, a_set(1), FRIDAY)
    assert version_of(kept) == (2, "access-1", False)
    assert not kept.lose(NAME, 1)


def test_health_is_noted_on_the_token_it_was_asked_about(kept, store):
    (state,) = store.token_states()
    kept.note_health(state, FRIDAY + hours(24), ["a"], FRIDAY)
    (checked,) = store.token_states()
    assert (checked.checked_at, checked.checked_until, checked.scopes) == (FRIDAY, FRIDAY + hours(24), ("a",))
    kept.keep(NAME, a_set(1), FRIDAY)
    kept.note_health(state, None, [], FRIDAY)
    (newer,) = store.token_states()
    assert (newer.checked_at, newer.scopes) == (None, ("a", "b"))


def test_a_forgotten_token_is_gone(kept, store):
    assert kept.forget(NAME)
    assert not kept.forget(NAME)
    assert store.token_states() == []


def test_a_rotation_waits_for_the_disk(created_file, tmp_path):
    with open_store(f"sqlite:///{created_file}") as store:
        tokens = store.tokens(vault(KEY))
        tokens.keep("app:tiktok", a_set(), FRIDAY)
        asked: list[int] = []

        def note(connection: Connection) -> None:
            asked.append(connection.connection.cursor().execute("PRAGMA synchronous").fetchone()[0])

        event.listen(store.database.engine, "commit", note)
        tokens.rotate("app:tiktok", 1, a_set(1), FRIDAY)
        store.spend("units", FRIDAY, 1)
        tokens.forget("app:tiktok")
    assert asked == [2, 1, 1]


# --- the vault --------------------------------------------------------------------------------------------------


@given(st.text(max_size=100), st.dictionaries(st.sampled_from(["access", "refresh"]), st.text(max_size=2000)))
def test_whatever_is_sealed_opens_under_its_name_with_any_of_the_keys(name, parts):
    sealed = vault(KEY).seal(name, parts)
    for keys in ([KEY], [OTHER, KEY]):
        assert {part: value.reveal() for part, value in vault(*keys).open(name, sealed).items()} == parts
    with pytest.raises(SecretError, match="không phải là khóa đã dùng"):
        vault(OTHER).open(name, sealed)


def test_a_row_moved_under_another_name_does_not_open(kept, store):
    kept.keep("zalo:khac", a_set(1), FRIDAY)
    swap = update(secret).where(secret.c.name == NAME).values(ciphertext=raw(store, "zalo:khac")["ciphertext"])
    store.database.write(lambda connection: connection.execute(swap))
    with pytest.raises(SecretError, match=NAME):
        kept.find(NAME)


def test_a_key_of_lines_seals_with_the_first_and_a_new_first_key_takes_everything_over(kept, store):
    kept.rotate(NAME, 1, a_set(1), FRIDAY)
    both = store.tokens(Vault(Path("/nowhere"), {"NHIP_KEY": f"{OTHER}\n{KEY}\n"}))
    assert both.reseal() == 1
    alone = store.tokens(vault(OTHER))
    assert version_of(alone) == (2, "access-1", False)
    assert raw(store)["key_id"] == vault(OTHER).key_id != vault(KEY).key_id
    with pytest.raises(SecretError):
        kept.find(NAME)


def test_the_states_need_no_key(kept, store):
    assert [state.name for state in store.token_states()] == [NAME]


def test_a_key_file_is_made_once_closed_to_others_and_then_used(tmp_path):
    maker = Vault(tmp_path, {})
    assert not maker.has_key
    assert maker.create_key()
    assert not Vault(tmp_path, {}).create_key()
    path = tmp_path / KEY_FILE
    assert path.stat().st_mode & 0o777 == 0o600
    assert [found.name for found in tmp_path.iterdir()] == [KEY_FILE]
    sealed = maker.seal("x", {"access": "a"})
    assert Vault(tmp_path, {}).open("x", sealed)["access"].reveal() == "a"
    assert Vault(tmp_path, {"NHIP_KEY": KEY}).key_id == vault(KEY).key_id
    path.chmod(0o640)
    with pytest.raises(SecretError, match="chmod 600"):
        Vault(tmp_path, {}).open("x", sealed)


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({}, "Chưa có khóa"),
        ({"NHIP_KEY": " , "}, "Chưa có khóa"),
        ({"NHIP_KEY": "ngắn quá"}, "không đúng dạng"),
        ({"NHIP_KEY": f"{KEY},hỏng"}, "không đúng dạng"),
        ({"NHIP_KEY_FILE": "/nowhere/key"}, "Không đọc được tệp bí mật"),
    ],
)
def test_a_missing_or_broken_key_is_a_sentence_without_the_key(environ, words, tmp_path):
    with pytest.raises(SecretError, match=words) as error:
        Vault(tmp_path, environ).seal("x", {"access": "a"})
    assert KEY not in str(error.value)


def test_a_folder_that_takes_no_file_is_a_sentence(tmp_path):
    with pytest.raises(SecretError, match="Không ghi được tệp khóa"):
        Vault(tmp_path / "missing", {}).create_key()
