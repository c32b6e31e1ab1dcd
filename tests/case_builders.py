"""Tiny builders for cases, drafts and the threads that want them at once. All names are made up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import event

from store.records import SYSTEM, Case, CaseState, Draft, Opening, Turn
from store.verbs import Store, open_store
from tests.store_builders import FRIDAY, days

OFFICE = "Ban Tuyên giáo (mẫu)"
SINCE = FRIDAY - days(9)
FACTS = {"unit_name": "Đoàn phường Một (mẫu)", "silent_days": 9, "last_post": None, "channels": ["mot"]}
T = TypeVar("T")


def an_opening(subject: str = "phuong-mot", since: datetime = SINCE, rule: str = "quiet") -> Opening:
    return Opening(rule, subject, since, FACTS)


def open_case(store: Store, subject: str = "phuong-mot", at: datetime = FRIDAY, **more: Any) -> Case:
    (case,) = store.open_cases([an_opening(subject, **more)], at)
    return case


def a_turn(case: Case, after: CaseState, at: datetime = FRIDAY, by: str = SYSTEM, **more: Any) -> Turn:
    return Turn(case.id, case.turn, after, at, "Lý do (mẫu)", by, **more)


def turn(store: Store, case: Case, after: CaseState, at: datetime = FRIDAY, by: str = SYSTEM, **more: Any) -> Case:
    (turned,) = store.turn_cases([a_turn(case, after, at, by, **more)], at)
    return turned


def a_draft(key: str = "digest/doi/2026-11-20", *told: tuple[int, str], **more: Any) -> Draft:
    given = {"receiver": key.split("/")[1], "ways": ("zalo:12", "email:doi@doan.example.vn"), "items": told}
    return Draft(key, **given | {"subject": "Bản tin (mẫu)", "text": "Nội dung (mẫu)", "html": "<p></p>"} | more)


def at_once(url: str, work: Callable[[Store, int], T], workers: int = 6) -> list[T]:
    """What *work* returns in threads that start together, each with a store of its own."""

    def run(number: int) -> T:
        with open_store(url) as own:
            return work(own, number)

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(run, range(workers)))


@contextmanager
def statements(store: Store) -> Iterator[list[str]]:
    """The statements that reach the database meanwhile; many rows in one count as one."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    event.listen(store.database.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(store.database.engine, "before_cursor_execute", note)
