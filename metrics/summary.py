"""How a unit kept the motto over a whole period: counts, and one polite Vietnamese sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from config.models import Label
from metrics.cadence import NO_CHANNEL

COUNTED = ("met", "missed", "unknown", "pending", "resting")
NOUNS = {"day": "ngày", "week": "tuần"}


def summary(cells: pd.DataFrame) -> pd.DataFrame:
    """One row for each unit and label of `cadence`, with numbers of slots.

    Columns: unit, label, every; due; met, missed, unknown, pending, resting by the label; posted (due slots
    with any own post), confirmed, unsure (met only by a guessed date); reason (of the first unknown slot).
    """
    facts = cells[["unit", "label", "every", "due"]].assign(
        **{state: cells["labelled"] == state for state in COUNTED},
        posted=cells["any_post"] == "met",
        confirmed=cells["confirmed"] == "met",
        unsure=~cells["sure"] & (cells["labelled"] == "met"),
        reason=cells["reason"].astype(object).where(cells["labelled"] == "unknown"),
    )
    numbers = dict.fromkeys(("due", *COUNTED, "posted", "confirmed", "unsure"), "sum")
    grouped = facts.groupby(["unit", "label", "every"], sort=False).agg({**numbers, "reason": "first"})
    return grouped.reset_index().fillna({"reason": ""})


def sentences(rows: pd.DataFrame, labels: Mapping[str, Label], heading: str) -> dict[str, str]:
    """For each unit of a `summary` one sentence: «Tuần 47: có tin tốt 4/5 ngày; 1 ngày chưa xác minh.»

    Nothing is held against a unit where we could not look. `heading` names the period.
    """
    told = {}
    for unit, own in rows.groupby("unit", sort=False):
        told[str(unit)] = f"{heading}: {'; '.join(_parts(own.to_dict('records'), labels))}."
    return told


def _parts(rows: list[dict[Any, Any]], labels: Mapping[str, Label]) -> Iterator[str]:
    due = [row for row in rows if row["due"]]
    if not due:
        yield "nghỉ theo lịch"
    elif any(row["reason"] == NO_CHANNEL for row in due) and not any(row["met"] for row in due):
        yield f"chưa xác minh được vì đơn vị {NO_CHANNEL}"
    else:
        blind = any(row["unknown"] for row in due) and not any(row["met"] or row["missed"] for row in due)
        for row in due:
            yield _achievement(row, labels[row["label"]].name, blind=blind)
        yield from _doubts(due)


def _achievement(row: Mapping[Any, Any], label: str, *, blind: bool) -> str:
    """What one label shows: «có tin tốt 4/5 ngày», out of the slots that are over and verified."""
    name, noun = label[:1].lower() + label[1:], NOUNS[row["every"]]
    past = row["due"] - row["pending"] - row["unknown"]
    if row["met"]:
        return f"có {name}" if row["due"] == 1 else f"có {name} {row['met']}/{past} {noun}"
    if row["missed"]:
        return f"chưa ghi nhận {name}" + (" (có bài nhưng chưa bài nào được nhận)" if row["posted"] else "")
    return f"chưa xác minh được {name}" if row["unknown"] or blind else f"chưa có {name}, còn thời gian"


def _doubts(rows: list[dict[Any, Any]]) -> Iterator[str]:
    """What could not be verified beside what could."""
    for row in rows:
        noun = NOUNS[row["every"]]
        if row["unknown"] and (row["met"] or row["missed"]):
            yield f"{row['unknown']} {noun} chưa xác minh"
        if row["unsure"]:
            yield f"{row['unsure']} {noun} tính theo ngày đăng ước đoán"
