"""Tasks with dates: what is done, late, soon due, or stands for ever."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics.duty import task
from tests.metric_builders import ask, at, config_of, facts, share


def tasks(*rows: tuple[str, str | None, str | None]) -> pd.DataFrame:
    """(task, due day, moment it was done)"""
    made = [(name, due, at(done) if done else None, "Ban Tuyên giáo (mẫu)") for name, due, done in rows]
    frame = pd.DataFrame(made, columns=["task", "due", "done_at", "owner"])
    return frame.assign(due=pd.to_datetime(frame["due"]), done_at=pd.to_datetime(frame["done_at"], utc=True))


def one(due: str | None, done: str | None, as_of: str) -> dict[str, Any]:
    return dict(task(facts(config_of(), as_of, tasks=tasks(("DU2", due, done))), ask("unit")).rows.iloc[0])


@pytest.mark.parametrize(
    ("due", "done", "as_of", "state", "days"),
    [
        ("2022-07-19", None, "2022-07-01", "not_due", -18),  # before 20/7: the 19th is the last day
        ("2022-07-19", None, "2022-07-12", "due_soon", -7),
        ("2022-07-19", None, "2022-07-11", "not_due", -8),
        ("2022-07-19", None, "2022-07-19 23:59", "due_soon", 0),  # due through the whole day
        ("2022-07-19", None, "2022-07-20 00:00", "late", 1),
        ("2022-07-19", None, "2022-08-19", "late", 31),
        ("2022-07-19", "2022-07-19 23:30", "2022-08-19", "done", 0),
        ("2022-07-19", "2022-07-20 00:30", "2022-08-19", "done_late", 1),
        ("2022-07-19", "2022-07-22", "2022-07-21", "late", 2),  # on the 21st it was not done yet
        ("2024-02-29", "2024-03-01", "2024-12-31", "done_late", 1),  # leap day
        ("2017-03-31", "2017-01-05", "2017-04-01", "done", -85),
        (None, None, "2026-11-20", "standing", None),
        (None, "2026-11-01", "2026-11-20", "done", None),
    ],
)
def test_how_a_task_stands(due, done, as_of, state, days):
    row = one(due, done, as_of)
    assert (row["duty"], None if pd.isna(row["days"]) else row["days"]) == (state, days)


def test_a_task_that_is_not_due_is_neither_good_nor_bad():
    row = one("2026-12-31", None, "2026-11-01")
    assert (share(row["low"]), row["why"]) == (None, "pending")


FOUR = tasks(
    ("t1", "2026-01-31", "2026-01-20"), ("t2", "2026-02-28", "2026-03-05"), ("t3", "2026-03-31", None),
    ("t4", "2026-12-31", None), ("t5", None, None),
)  # fmt: skip


def test_in_total_the_tasks_due_by_now_that_were_done_in_time():
    row = task(facts(config_of(), "2026-11-20", tasks=FOUR), ask("total")).rows.iloc[0]
    assert (share(row["low"]), row["known"], row["late"], row["done_late"]) == (0.3333, 3, 1, 1)  # t1 of t1, t2, t3


def test_without_a_task_due_there_is_nothing_to_say():
    row = task(facts(config_of(), "2026-01-01", tasks=FOUR.iloc[2:]), ask("total")).rows.iloc[0]
    assert (share(row["low"]), row["why"]) == (None, "pending")


def test_what_was_done_can_be_traced():
    inputs = task(facts(config_of(), "2026-02-01", tasks=FOUR), ask("unit")).inputs
    assert inputs[["subject", "role", "at"]].to_numpy().tolist() == [["t1", "done", at("2026-01-20")]]


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 360), st.integers(0, 360), st.permutations(range(5)))
def test_later_deeds_and_the_order_of_tasks_change_nothing(today, done, order):
    as_of = str((pd.Timestamp("2026-01-01") + pd.Timedelta(days=today)).date())
    moment = at(str((pd.Timestamp("2026-01-01") + pd.Timedelta(days=done)).date()))
    later = FOUR.assign(done_at=FOUR["done_at"].fillna(moment) if done > today else FOUR["done_at"])
    plain = task(facts(config_of(), as_of, tasks=FOUR), ask("unit")).rows
    moved = task(facts(config_of(), as_of, tasks=later.iloc[list(order)]), ask("unit")).rows
    assert moved.sort_index()["duty"].tolist() == plain["duty"].tolist()
