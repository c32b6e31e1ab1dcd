"""Every chart as a PNG and an SVG picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dashboards.reports.files import put
from dashboards.reports.page import Heading, Page
from dashboards.reports.studio import Studio


def write(pages: Sequence[Page], heading: Heading, out: Path, studio: Studio) -> list[Path]:
    """«bieu-do-01.png» and «bieu-do-01.svg» for the first page, and so on; PicturesUnavailable without a browser."""
    drawn = studio.pictures([page.drawing.spec for page in pages])
    written = []
    for number, picture in enumerate(drawn, start=1):
        written.append(put(out / f"bieu-do-{number:02}.png", picture.png))
        written.append(put(out / f"bieu-do-{number:02}.svg", picture.svg.encode()))
    return written
