"""The report on A4 paper: the HTML page, printed.

Its charts are PNG pictures: the patterns that grey paper needs make an SVG of 80 kB a PDF of 12 MB.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dashboards.reports.files import put
from dashboards.reports.html import document
from dashboards.reports.page import Heading, Page
from dashboards.reports.studio import Studio

NAME = "bao-cao.pdf"


def write(pages: Sequence[Page], heading: Heading, out: Path, studio: Studio) -> list[Path]:
    """«bao-cao.pdf»; PicturesUnavailable without a browser."""
    drawn = studio.pictures([page.drawing.spec for page in pages])
    return [put(out / NAME, studio.pdf(document(pages, heading, [picture.png_address for picture in drawn])))]
