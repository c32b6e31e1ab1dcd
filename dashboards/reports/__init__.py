"""Files for the office: pictures, one HTML page, PDF, workbook and slides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dashboards.reports import html, pdf, pictures, pptx, xlsx
from dashboards.reports.finding import PicturesUnavailable
from dashboards.reports.page import Heading, Page, Report
from dashboards.reports.studio import Studio

__all__ = ["REPORTS", "Heading", "Page", "PicturesUnavailable", "Report", "Studio", "Written", "write_reports"]

REPORTS: Mapping[str, Report] = {
    "html": html.write,
    "pdf": pdf.write,
    "pictures": pictures.write,
    "pptx": pptx.write,
    "xlsx": xlsx.write,
}


@dataclass(frozen=True)
class Written:
    """The files that came out, and a Vietnamese sentence for each reason why others did not."""

    paths: list[Path]
    missing: list[str]


def write_reports(
    pages: Sequence[Page], heading: Heading, out: Path, studio: Studio, names: Iterable[str] = tuple(REPORTS)
) -> Written:
    """Write these reports into a folder with one browser for all; without a browser those that need none."""
    written = Written([], [])
    for name in names:
        try:
            written.paths.extend(REPORTS[name](pages, heading, out, studio))
        except PicturesUnavailable as none:
            if none.sentence not in written.missing:
                written.missing.append(none.sentence)
    return written
