"""How the things in one chart are told apart without colours: by dash and mark, by pattern, by symbol."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dashboards.charts.colours import (
    CONTEXT,
    INK,
    OPEN,
    OPEN_FILL,
    PALETTE,
    REST,
    REST_FILL,
    RISK,
    RISK_FILL,
    SOFT,
    TEAL,
)

DASHES = ("solid", "dash", "dashdot", "longdash", "longdashdot", "9px,3px,2px,3px,2px,3px", "14px,3px", "5px,3px")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "pentagon", "star", "hexagon")
PATTERNS = ("", "/", "x", ".", "\\", "-", "|", "+")
MOST = len(PALETTE)
"""So many series have a look of their own."""


def line(place: int) -> dict[str, Any]:
    """Line and marker of the series at a place, from 0 to MOST - 1."""
    return {
        "line": {"color": PALETTE[place], "dash": DASHES[place], "width": 2},
        "marker": {"color": PALETTE[place], "symbol": SYMBOLS[place], "size": 6},
    }


CONTEXT_LINE: dict[str, Any] = {"color": CONTEXT, "width": 1}
GOAL_LINE: dict[str, Any] = {"color": INK, "dash": "8px,5px", "width": 1.5}
PACE_LINE: dict[str, Any] = {"color": SOFT, "dash": "2px,3px", "width": 1.5}


def bar(place: int) -> dict[str, Any]:
    """The fill of the bars of the series at a place: the first is plain, every other has a pattern of its own."""
    colour = PALETTE[place]
    if not PATTERNS[place]:
        return {"color": colour}
    return filled("#FFFFFF", colour, PATTERNS[place])


def filled(ground: str, colour: str, shape: str) -> dict[str, Any]:
    """A marker with an edge: *colour* drawn as a pattern on *ground*."""
    pattern = {"shape": shape, "fgcolor": colour, "bgcolor": ground, "size": 6, "solidity": 0.4}
    return {"color": ground, "pattern": pattern, "line": {"color": colour, "width": 1}}


@dataclass(frozen=True)
class Look:
    """One state of a day or week: its words, its fill as a cell and its symbol as a dot."""

    words: str
    cell: dict[str, Any]
    symbol: str
    colour: str


STATES: dict[str, Look] = {
    "met": Look("Có", {"color": TEAL}, "circle", TEAL),
    "missed": Look("Không có", filled(RISK_FILL, RISK, "x"), "circle-open", RISK),
    "resting": Look("Nghỉ", filled(REST_FILL, REST, "-"), "line-ew-open", REST),
    "unknown": Look("Không rõ", filled(OPEN_FILL, OPEN, "/"), "x-thin-open", OPEN),
}
"""By the words of metrics.cadence.State; what is still pending is not drawn."""
