"""Units × days or weeks: which units are drawn, and their states as a small matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from dashboards.charts.texts import inert, plain
from dashboards.charts.values import epoch_ms

ORDER = ("met", "missed", "unknown", "pending", "resting")
"""Codes of the states in a grid; -1 is no slot at all."""
UNIT = "Đơn vị"
WORDS = {"met": "Có", "missed": "Không có", "unknown": "Không rõ", "pending": "Chưa hết hạn", "resting": "Nghỉ"}
Moments = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int8]
LABEL, LETTER, LINE = 17, 6, 13
"""Letters in a line beside a row, and pixels for a letter and for a line."""


@dataclass(frozen=True)
class Grid:
    """The states of units in slots."""

    units: list[str]
    """Plain names of the drawn ones, most missed slots first; equals in the order in which they came."""
    slots: Moments
    """The first moment of each slot, milliseconds, in order."""
    codes: Codes
    """Drawn units × slots."""
    counts: pd.DataFrame
    """For the table: one row for each unit, drawn or not, with its number of slots in every state."""

    @classmethod
    def of(cls, frame: pd.DataFrame, most: int) -> Grid:
        """Rows of unit, slot and state, at most one for each unit and slot."""
        row, names = pd.factorize(frame["unit"])
        place, slots = pd.factorize(epoch_ms(frame["slot"]), sort=True)
        codes = np.full((len(names), len(slots)), -1, np.int8)
        codes[row, place] = pd.Categorical(frame["state"], categories=list(ORDER)).codes
        sums = {state: (codes == code).sum(axis=1) for code, state in enumerate(ORDER)}
        plain_names = [plain(name) for name in names]
        chosen = np.lexsort((-sums["unknown"], -sums["missed"]))[:most]
        counts = pd.DataFrame({UNIT: plain_names, **{WORDS[state]: sums[state] for state in WORDS}})
        return cls([plain_names[one] for one in chosen], slots, codes[chosen], counts)

    @property
    def omitted(self) -> int:
        """Units that are not drawn, since there are too many."""
        return len(self.counts) - len(self.units)

    def total(self, state: str) -> int:
        return int(self.counts[WORDS[state]].sum())


def axis(units: list[str]) -> tuple[dict[str, Any], int, int]:
    """The axis of units with their names in at most two lines; the left margin for it; the pixels of a row."""
    texts = [broken(name) for name in units]
    lines = [line for text in texts for line in text.split("<br>")]
    width = 14 + LETTER * max(map(len, lines), default=0)
    tall = any("<br>" in text for text in texts)
    labelled = {"tickmode": "array", "tickvals": list(range(len(units))), "ticktext": texts, "showgrid": False}
    tick = {"tickfont": {"size": 10}, "range": [len(units) - 0.5, -0.5], "zeroline": False}
    return {**labelled, **tick}, width, 2 * LINE + 2 if tall else 20


def broken(name: str) -> str:
    """An escaped name in at most two lines, cut at a space where there is one."""
    if len(name) <= LABEL:
        return inert(name)
    cut = name.rfind(" ", 0, LABEL + 1)
    cut = cut if cut > 0 else LABEL
    return f"{inert(name[:cut])}<br>{inert(name[cut:].strip(), LABEL)}"
