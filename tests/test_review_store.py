"""Closed weeks in the store: frozen byte by byte, reopened only beside what was frozen, and told when touched."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import partial

import orjson
import pytest
from sqlalchemy import Connection, text

from store.errors import StoreError, Trouble
from store.records import ReviewNote
from store.verbs import Store, open_store
from tests.store_builders import FRIDAY, days, dump

MONDAY = date(2026, 11, 16)
OFFICE = "Ban Tuyên giáo (mẫu)"
PAPER = '{"as_of":"2026-11-20","lists":{"changes":[{"sentence":"Đoàn phường Một (mẫu) …"}]}}'


def note(words: str = "Tăng cường tin tốt (mẫu)", **more: object) -> ReviewNote:
    return ReviewNote(MONDAY, words, OFFICE, FRIDAY, **more)  # type: ignore[arg-type]


def test_a_closed_week_reads_back_byte_by_byte(store: Store):
    sha256 = store.close_review(MONDAY, PAPER, OFFICE, FRIDAY)
    assert sha256 == hashlib.sha256(PAPER.encode()).hexdigest()
    (turn,) = store.review_turns(MONDAY)
    assert (turn.content, turn.sha256, turn.is_intact) == (PAPER, sha256, True)
    assert (turn.week, turn.turn, turn.at, turn.by) == (MONDAY, 1, FRIDAY, OFFICE)
    assert store.review_turns(date(2026, 11, 9)) == []


def test_a_closed_week_is_not_closed_twice_nor_an_open_one_opened(store: Store):
    with pytest.raises(LookupError, match="not closed"):
        store.reopen_review(MONDAY, OFFICE, "Bổ sung (mẫu)", FRIDAY)
    store.close_review(MONDAY, PAPER, OFFICE, FRIDAY)
    before = dump(store)
    with pytest.raises(LookupError, match="closed already"):
        store.close_review(MONDAY, "{}", OFFICE, FRIDAY)
    assert dump(store) == before


def test_what_was_frozen_stays_when_the_week_is_opened_and_closed_again(store: Store):
    store.close_review(MONDAY, PAPER, OFFICE, FRIDAY)
    store.reopen_review(MONDAY, OFFICE, "Bổ sung (mẫu)", FRIDAY + days(1))
    store.close_review(MONDAY, "{}", OFFICE, FRIDAY + days(2))
    turns = store.review_turns(MONDAY)
    assert [turn.content for turn in turns] == [PAPER, None, "{}"]
    assert [turn.reason for turn in turns] == ["", "Bổ sung (mẫu)", ""]
    assert all(turn.is_intact for turn in turns)


def test_every_step_is_in_the_audit_log(store: Store):
    sha256 = store.close_review(MONDAY, PAPER, OFFICE, FRIDAY)
    store.add_review_note(note(owner=OFFICE, due=date(2026, 11, 30)))
    store.reopen_review(MONDAY, OFFICE, "Bổ sung (mẫu)", FRIDAY)
    log = store.audit()
    assert list(log["action"]) == ["review.close", "review.note", "review.reopen"]
    assert list(log["subject"]) == ["2026-11-16/1", "2026-11-16/note/1", "2026-11-16/2"]
    assert (orjson.loads(log["after"][0]), orjson.loads(log["before"][2])) == ({"sha256": sha256}, {"sha256": sha256})
    assert (log["reason"][2], store.verify_audit().broken_at) == ("Bổ sung (mẫu)", None)


def test_notes_and_decisions_come_back_in_their_order(store: Store):
    decision = note("Gọi đơn vị (mẫu)", owner=OFFICE, due=date(2026, 11, 30))
    assert [store.add_review_note(one) for one in (note(), decision)] == [1, 2]
    assert store.review_notes(MONDAY) == [note(), decision]
    assert store.review_notes(date(2026, 11, 9)) == []


def test_a_decision_has_an_owner_and_a_day_or_neither(store: Store):
    with pytest.raises(StoreError) as refused:
        store.add_review_note(note(owner=OFFICE))
    assert refused.value.kind is Trouble.UNFIT
    assert store.audit().empty


CHANGES = (
    "UPDATE review SET content = '{}'",
    "DELETE FROM review",
    "UPDATE review_note SET text = 'x'",
    "DELETE FROM review_note",
)
ONLY_THERE = {
    "sqlite": ("INSERT OR REPLACE INTO review SELECT * FROM review",),
    "postgresql": ("TRUNCATE review", "TRUNCATE review_note"),
}


def test_the_database_itself_refuses_every_change(store: Store):
    store.close_review(MONDAY, PAPER, OFFICE, FRIDAY)
    store.add_review_note(note())
    before = dump(store)
    for change in (*CHANGES, *ONLY_THERE[store.database.engine.dialect.name]):
        with pytest.raises(StoreError, match="only ever added to"):
            store.database.write(partial(Connection.execute, statement=text(change)))
    assert dump(store) == before


FORGERIES = {
    "the content alone": {"content": "{}"},
    "the content with its checksum": {"content": "{}", "sha256": hashlib.sha256(b"{}").hexdigest()},
    "the checksum alone": {"sha256": "0" * 64},
}


@pytest.mark.parametrize("forged", FORGERIES.values(), ids=FORGERIES)
def test_a_row_changed_behind_the_back_of_the_program_is_told(store: Store, forged: dict[str, str]):
    store.close_review(MONDAY, PAPER, OFFICE, FRIDAY)
    where = "" if store.database.engine.dialect.name == "sqlite" else " ON review"
    change = f"UPDATE review SET {', '.join(f'{name} = :{name}' for name in forged)}"

    def forge(connection):
        connection.execute(text(f"DROP TRIGGER review_keeps{where}"))
        connection.execute(text(change), forged)

    store.database.write(forge)
    assert [turn.is_intact for turn in store.review_turns(MONDAY)] == [False]


def test_of_many_who_close_at_once_one_does(store: Store, store_url: str):
    def close(number: int) -> bool:
        with open_store(store_url) as own:
            try:
                own.close_review(MONDAY, f"[{number}]", OFFICE, FRIDAY)
            except LookupError:
                return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(close, range(6))) == 1
    assert len(store.review_turns(MONDAY)) == len(store.audit()) == 1


def test_notes_of_many_at_once_get_numbers_of_their_own(store: Store, store_url: str):
    def write(number: int) -> int:
        with open_store(store_url) as own:
            return own.add_review_note(note(f"Ghi chú {number} (mẫu)"))

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(write, range(12))) == list(range(1, 13))
    assert store.verify_audit().broken_at is None
