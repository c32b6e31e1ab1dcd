"""Style, scripts and the chart library: from memory, compressed once, under names that change with the content."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from threading import Lock

from dashboards.web.shelf import Answer, answer_of

FOREVER = "public, max-age=31536000, immutable"
MEDIA: Mapping[str, str] = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
OWN = ("nhip.css", "charts.js", "icon.svg")
PLOTLY = "plotly.js"
"""The copy inside the plotly package: the full bundle, since the package ships no smaller one."""
_OWN_STYLES = re.compile(r'if\(!document\.getElementById\("([0-9a-f]{64})"\)')
_PACKING = Lock()


def bytes_of(name: str) -> bytes:
    if name == PLOTLY:
        return (files("plotly") / "package_data" / "plotly.min.js").read_bytes()
    return (files("dashboards.web") / "static" / name).read_bytes()


@cache
def address(name: str) -> str:
    """«/static/nhip.0f3c9a….css»"""
    stem, _, ending = name.rpartition(".")
    return f"/static/{stem}.{hashlib.sha256(bytes_of(name)).hexdigest()[:12]}.{ending}"


@cache
def plotly_styles() -> str:
    """The ids of the style elements that the library would add for its maps, which no chart of ours has.

    It leaves out one whose id is there already: so nothing is added that the policy would refuse.
    """
    return " ".join(_OWN_STYLES.findall(bytes_of(PLOTLY).decode()))


def find(path: str) -> Answer | None:
    """What lies under an address; None for one that is not ours, or of another version."""
    name = next((one for one in (*OWN, PLOTLY) if address(one) == path), None)
    if name is None:
        return None
    with _PACKING:  # the library takes a second; two readers at once need it done once
        return _packed(name)


@cache
def _packed(name: str) -> Answer:
    return answer_of(bytes_of(name), MEDIA[name.rpartition(".")[2]], level=9)
