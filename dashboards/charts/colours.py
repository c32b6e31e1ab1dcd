"""The colours of the house, each with the one that takes its place on a dark page.

Lines and marks have a contrast of 3:1 or more against both pages, texts 4.5:1; no meaning hangs on a colour alone.
"""

from __future__ import annotations

from typing import Any

from metrics.words import Status

INK, SOFT, GRID, PAPER = "#1F2933", "#55606B", "#D9DEE3", "#FFFFFF"
TRACK = "#E9EDF1"
"""The empty part of a bar."""
BLUE, RUST, TEAL, PLUM = "#0B5FA5", "#B5440B", "#00735C", "#83307A"
OCHRE, SLATE, ROSE, OLIVE = "#7D5A00", "#46566B", "#9C1B4B", "#4F6A12"
PALETTE = (BLUE, RUST, TEAL, PLUM, OCHRE, SLATE, ROSE, OLIVE)
"""Told apart with any colour vision by lightness and hue; dashes, marks and patterns differ as well."""
CONTEXT = "#98A3AE"
"""Lines that only stand in the background."""

GOOD_FILL, GOOD = "#E3F4E8", "#14622B"
PACE_FILL, PACE = "#E6F0FB", "#0B4A8F"
SLOW_FILL, SLOW = "#FFF4D6", "#7A5200"
RISK_FILL, RISK = "#FDE7E2", "#A1260D"
MISS_FILL, MISS = "#F8D7DA", "#8A1020"
OPEN_FILL, OPEN = "#EEE8F7", "#4B2E83"
REST_FILL, REST = "#F0F0F0", "#4A4A4A"

DARK: dict[str, str] = {
    INK: "#E8ECF0",
    SOFT: "#B3BDC7",
    GRID: "#38424C",
    PAPER: "#15191E",
    TRACK: "#2A323A",
    CONTEXT: "#6F7B87",
    BLUE: "#6DB3F2",
    RUST: "#FF9A66",
    TEAL: "#3CCFAE",
    PLUM: "#E08FD6",
    OCHRE: "#E3B94A",
    SLATE: "#AFC0D6",
    ROSE: "#FF8FB3",
    OLIVE: "#B5D45A",
    GOOD_FILL: "#173A22",
    GOOD: "#9BE3B0",
    PACE_FILL: "#14304D",
    PACE: "#9CCBFA",
    SLOW_FILL: "#40330F",
    SLOW: "#F3CF7A",
    RISK_FILL: "#47190F",
    RISK: "#FFB09C",
    MISS_FILL: "#4A1620",
    MISS: "#FFB3BD",
    OPEN_FILL: "#2E2347",
    OPEN: "#CDB8F5",
    REST_FILL: "#2C2C2C",
    REST: "#C4C4C4",
}
"""Light -> dark. A page sends the light specs to everybody and swaps these strings where the reader prefers dark."""

OF_STATUS: dict[Status, tuple[str, str]] = {
    Status.MET: (GOOD_FILL, GOOD),
    Status.ON_PACE: (PACE_FILL, PACE),
    Status.BEHIND: (SLOW_FILL, SLOW),
    Status.AT_RISK: (RISK_FILL, RISK),
    Status.NOT_MET: (MISS_FILL, MISS),
    Status.UNDECIDED: (OPEN_FILL, OPEN),
    Status.TOO_LITTLE: (REST_FILL, REST),
    Status.NOT_REPORTED: (REST_FILL, REST),
    Status.OVERDUE: (SLOW_FILL, SLOW),
    Status.RESTING: (REST_FILL, REST),
    Status.FAILED: (OPEN_FILL, OPEN),
    Status.NOT_DUE: (REST_FILL, REST),
    Status.DUE_SOON: (SLOW_FILL, SLOW),
    Status.DONE_LATE: (GOOD_FILL, GOOD),
    Status.STANDING: (REST_FILL, REST),
    Status.SHOWN: (REST_FILL, REST),
}
"""Fill and text of each status word."""


def in_dark(spec: Any) -> Any:
    """A copy of a spec, or of any part of it, in the colours for a dark page."""
    if isinstance(spec, dict):
        return {name: in_dark(part) for name, part in spec.items()}
    if isinstance(spec, list):
        return [in_dark(part) for part in spec]
    return DARK.get(spec, spec) if isinstance(spec, str) else spec
