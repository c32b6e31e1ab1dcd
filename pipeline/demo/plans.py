"""The plans of the simulated district: those that come with the program, the two closed ones moved into its time.

A plan that is over would have nothing to say of the story. The copies keep every row, id and clause; their days are
moved, and their titles say so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta

from config.models import Span
from config.plan_files import packaged_plans
from pipeline.demo.district import ZONE, District

MAIN, REVIEW = "binh-tan-2024", "dang-uy-khoi-phu-tho-2022"
BOUND: Mapping[str, Mapping[str, str]] = {
    MAIN: {
        "fanpage-bttt": "fanpage-trong-toi",
        "tiktok-bttt": "tiktok-trong-toi",
        "youtube-bttt": "youtube-trong-toi",
    },
    "doan-phuong-2026": {
        "fanpage-doan-phuong": "fanpage-quan-doan",
        "tiktok-doan-phuong": "tiktok-trong-toi",
        "youtube-doan-phuong": "youtube-trong-toi",
    },
    "tinh-doan-chi-thi-07": {},
    "mttq-ninh-binh-2017": {},
    REVIEW: {},
    "ubnd-ha-tinh-2017": {},
}
"""The plans that bind the district, and which of its channels stands for one that a plan names otherwise."""
SETTLED_WITHIN = timedelta(days=100)
"""So early in a year the story shows the plan of the year before: nothing is reported for the new one yet."""


def moved_plans(district: District) -> dict[str, str]:
    """The plan files that the district has of its own, by slug."""
    last = district.end.astimezone(ZONE).date()
    year = max((last - SETTLED_WITHIN).year, district.first_day.year)
    whole = Span(start=max(date(year, 1, 1), district.first_day), until=date(year + 1, 1, 1))
    summer = last.year if last >= date(last.year, 8, 11) else last.year - 1
    review = Span(start=date(summer, 6, 1), until=date(summer, 8, 11))
    return {MAIN: _moved(MAIN, whole, year), REVIEW: _moved(REVIEW, review, summer)}


def _moved(slug: str, span: Span, year: int) -> str:
    """The packaged plan open in another year; LookupError when it has lost a line that has to change."""
    text = packaged_plans()[slug].read_text(encoding="utf-8")
    said = f"(Dữ liệu minh họa: bản sao dời về năm {year})"
    for old, new in (
        (r"^closed = true\n", ""),
        (r"^in_force = .*$", f"in_force = {{ start = {span.start}, until = {span.until} }}"),
        (r'^(title = ".*)"$', rf'\1 {said}"'),
    ):
        text, times = re.subn(old, new, text, count=1, flags=re.MULTILINE)
        if not times:
            raise LookupError(f"{slug} has no line like {old}")
    return re.sub(r"^due = \{.*$", lambda due: re.sub(r"\b20\d\d\b", str(year), due[0]), text, flags=re.MULTILINE)
