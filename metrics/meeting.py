"""Units that meet several rows of a plan at once: «100 % cơ sở Đoàn thực hiện tốt phương châm»."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import pandas as pd

from metrics.asking import Ask, Measured, Why
from metrics.rhythm import in_total

_EXCUSED = (str(Why.RESTING), str(Why.PENDING))


def units_meeting(parts: Sequence[tuple[Measured, float]], ask: Ask) -> Measured:
    """Of each unit whether it meets every part, a `Measured` by unit with its target; in total the share that do.

    What rests or is not due yet excuses a unit from that part. Rows by unit also have: unit, met, parts (Int64).
    """
    judged = [_judged(answer.rows, target) for answer, target in parts]
    rows = reduce(lambda whole, part: whole.add(part, fill_value=0), judged).astype("Int64")
    rows = rows.rename_axis("unit").reset_index()
    asked, sure, possible = rows["asked"], rows["sure"], rows["possible"]
    known = ((sure == asked) | (possible < asked)).astype(bool)
    low, high = (sure == asked).astype("Float64"), (possible == asked).astype("Float64")
    units = pd.DataFrame({"subject": rows["unit"], "unit": rows["unit"], "met": sure, "parts": asked})
    units = units.assign(low=low, high=high, shown=low.where(known), known=known.astype("Int64"))
    units["wanted"] = (asked > 0).astype("Int64")
    units["failed"] = (rows["failed"] > 0).astype(bool) & ~known
    units["why"] = (asked > 0).map({True: str(Why.NONE), False: str(Why.RESTING)})
    inputs = pd.concat([answer.inputs for answer, _ in parts], ignore_index=True)
    return Measured(units if ask.by == "unit" else in_total(units), inputs)


def _judged(rows: pd.DataFrame, target: float) -> pd.DataFrame:
    """One part as numbers by unit, so that parts can be added up."""
    asked = ~rows["why"].isin(_EXCUSED)
    clear = rows["why"] == Why.NONE
    flags = {
        "asked": asked,
        "sure": clear & (rows["low"] >= target).fillna(False),
        "possible": asked & (~clear | (rows["high"] >= target).fillna(True)),
        "failed": rows["failed"],
    }
    return pd.DataFrame(flags).astype("int64").set_axis(rows["unit"].to_numpy())
