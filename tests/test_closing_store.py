"""Closed periods in the store, like closed weeks; and the counts that posts had at a moment."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import orjson
import pandas as pd
import pytest
from sqlalchemy import Connection, text

from store.errors import StoreError
from store.records import Counts
from store.verbs import Store, open_store
from tests.store_builders import FRIDAY, a_post, days, dump, hours, see, watch

OFFICE = "Ban Thường vụ (mẫu)"
FIGURES = '{"year":2026,"sheets":[{"key":"tiles/ke-hoach-mau"}]}'


def test_a_closed_year_reads_back_byte_by_byte(store: Store):
    sha256 = store.close_period("2026", FIGURES, OFFICE, FRIDAY, "Kết luận họp (mẫu)")
    assert sha256 == hashlib.sha256(FIGURES.encode()).hexdigest()
    (turn,) = store.closing_turns("2026")
    assert (turn.content, turn.sha256, turn.is_intact) == (FIGURES, sha256, True)
    assert (turn.period, turn.turn, turn.at, turn.by, turn.reason) == ("2026", 1, FRIDAY, OFFICE, "Kết luận họp (mẫu)")
    assert store.closing_turns("2025") == []


def test_what_was_frozen_stays_when_the_year_is_opened_and_closed_again(store: Store):
    with pytest.raises(LookupError, match="not closed"):
        store.reopen_period("2026", OFFICE, "Bổ sung (mẫu)", FRIDAY)
    store.close_period("2026", FIGURES, OFFICE, FRIDAY)
    with pytest.raises(LookupError, match="closed already"):
        store.close_period("2026", "{}", OFFICE, FRIDAY)
    store.reopen_period("2026", OFFICE, "Bổ sung (mẫu)", FRIDAY + days(1))
    store.close_period("2026", "{}", OFFICE, FRIDAY + days(2))
    turns = store.closing_turns("2026")
    assert [turn.content for turn in turns] == [FIGURES, None, "{}"]
    assert all(turn.is_intact for turn in turns)


def test_every_closing_is_in_the_audit_log(store: Store):
    sha256 = store.close_period("2026", FIGURES, OFFICE, FRIDAY)
    store.reopen_period("2026", OFFICE, "Bổ sung (mẫu)", FRIDAY)
    log = store.audit()
    assert list(log["action"]) == ["closing.close", "closing.reopen"]
    assert list(log["subject"]) == ["2026/1", "2026/2"]
    assert orjson.loads(log["after"][0]) == orjson.loads(log["before"][1]) == {"sha256": sha256}
    assert (log["reason"][1], store.verify_audit().broken_at) == ("Bổ sung (mẫu)", None)


ONLY_THERE = {"sqlite": "INSERT OR REPLACE INTO closing SELECT * FROM closing", "postgresql": "TRUNCATE closing"}


def test_the_database_itself_refuses_every_change_of_a_closing(store: Store):
    store.close_period("2026", FIGURES, OFFICE, FRIDAY)
    before = dump(store)
    only_there = ONLY_THERE[store.database.engine.dialect.name]
    for change in ("UPDATE closing SET content = '{}'", "DELETE FROM closing", only_there):
        with pytest.raises(StoreError, match="only ever added to"):
            store.database.write(partial(Connection.execute, statement=text(change)))
    assert dump(store) == before


def test_a_closing_changed_with_its_checksum_is_told(store: Store):
    store.close_period("2026", FIGURES, OFFICE, FRIDAY)
    where = "" if store.database.engine.dialect.name == "sqlite" else " ON closing"
    forged = {"content": "{}", "sha256": hashlib.sha256(b"{}").hexdigest()}

    def forge(connection: Connection) -> None:
        connection.execute(text(f"DROP TRIGGER closing_keeps{where}"))
        connection.execute(text("UPDATE closing SET content = :content, sha256 = :sha256"), forged)

    store.database.write(forge)
    assert [turn.is_intact for turn in store.closing_turns("2026")] == [False]


def test_of_many_who_close_a_year_at_once_one_does(store: Store, store_url: str):
    def close(number: int) -> bool:
        with open_store(store_url) as own:
            try:
                own.close_period("2026", f"[{number}]", OFFICE, FRIDAY)
            except LookupError:
                return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(close, range(6))) == 1
    assert len(store.closing_turns("2026")) == len(store.audit()) == 1


# --- counts of posts ---------------------------------------------------------------------------------------------


def test_a_post_has_the_counts_that_were_known_at_the_moment(store: Store):
    watch(store, "mot")
    posted = FRIDAY - days(3)
    for hour, reactions in ((0, 5), (24, 8)):
        counts = Counts(reactions=reactions)
        see(store, "mot", [a_post("a", posted, counts=counts)], FRIDAY - days(2) + hours(hour))
    told = [
        store.post_totals(FRIDAY - days(9), FRIDAY, at)["reactions"].tolist()
        for at in (FRIDAY - days(2.5), FRIDAY - days(1.5), FRIDAY)
    ]
    assert told == [[], [5], [8]]
    row = store.post_totals(FRIDAY - days(9), FRIDAY, FRIDAY).iloc[0]
    assert (row["channel"], row["title"], pd.isna(row["comments"])) == ("mot", "Bài a", True)
    assert row["published_at"] == posted


def test_shared_posts_have_no_place_and_one_without_counts_has_none(store: Store):
    watch(store, "mot")
    see(store, "mot", [a_post("a", FRIDAY - days(2)), a_post("b", FRIDAY - days(1), is_share=True)], FRIDAY)
    found = store.post_totals(FRIDAY - days(9), FRIDAY, FRIDAY)
    assert found["title"].tolist() == ["Bài a"]
    assert found[["reactions", "comments", "shares", "views"]].isna().all(axis=None)
    assert store.post_totals(FRIDAY - days(1), FRIDAY, FRIDAY).empty
