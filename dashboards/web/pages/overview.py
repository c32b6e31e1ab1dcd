"""«Tổng quan»: how the plan stands this week, on one screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from config.plan_models import Row
from dashboards.desk import CaseWords, Target
from dashboards.web import told
from dashboards.web.figures import drawing_table, growth_chart
from dashboards.web.pages.targets import NO_PLAN, unchecked
from dashboards.web.strip import overview_strip
from dashboards.web.tables import Table
from dashboards.web.told import Badge, Bar
from dashboards.web.view import View
from metrics.periods import local_date
from metrics.words import WORDS, day, number
from store.records import CaseState

MOST_TILES = 6
MOST_TO_DO = 8
ORDER = ("pipeline", "token", "source", "quiet", "figure", "suspect", "target")
"""What cannot wait stands first."""


@dataclass(frozen=True)
class Tile:
    """One clause of the plan."""

    row: Row
    badge: Badge
    value: str
    goal: str
    bar: Bar | None
    needed: str
    source: str
    cut_off: str
    others: str
    """«còn 4 dòng khác: 3 nguy cơ, 1 chậm»; empty when the clause has one row."""
    href: str


def overview_page(view: View) -> tuple[str, dict[str, Any]]:
    drawing = growth_chart(view)
    cases = _to_do(view)
    return "overview.html", {
        "tally": _tally(view),
        "why_empty": _why_empty(view),
        "tiles": _tiles(view),
        "drawing": drawing,
        "drawing_table": drawing_table(view, drawing, "tang-truong", whole=False) if drawing else None,
        "cases": [(one, _since(view, one)) for one in cases[:MOST_TO_DO]],
        "more_cases": max(0, len(cases) - MOST_TO_DO),
        "open_questions": _open_questions(view),
        "strip": overview_strip(view),
    }


def _why_empty(view: View) -> str:
    if view.plan is None:
        return NO_PLAN
    return unchecked(view) if view.lines is None or view.lines.as_of is None else ""


def _tally(view: View) -> list[tuple[str, str, str]]:
    """«5/20 chỉ tiêu đạt», «9 đúng tiến độ»: the words, the status, and the page that shows these alone."""
    found = told.tally(view.lines.targets if view.lines else ())
    total = sum(count for _, count in found)
    words = [f"{number(count)} {WORDS[status].lower()}" for status, count in found]
    words[:1] = [f"{number(found[0][1])}/{number(total)} chỉ tiêu {WORDS[found[0][0]].lower()}"] if found else []
    return [
        (text, status.value, view.href("/chi-tieu", loc=status.value))
        for text, (status, _) in zip(words, found, strict=True)
    ]


def _tiles(view: View) -> list[Tile]:
    if view.lines is None:
        return []
    return [_tile(view, one, others) for one, others in told.heads(view.lines.targets)[:MOST_TILES]]


def _tile(view: View, one: Target, others: Sequence[Target]) -> Tile:
    row, said = one.row, one.line
    counted = told.tally(others)
    more = ", ".join(f"{number(count)} {WORDS[status].lower()}" for status, count in counted)
    text = f"Còn {number(len(others))} dòng cùng mục" + (f": {more}" if more else "")
    return Tile(
        row,
        told.badge(said),
        told.value(row, said),
        told.goal(row, said),
        told.bar(said),
        told.needed(said),
        told.source(row),
        told.clock(said.as_of, view.config.district.tz) if said else "",
        text if others else "",
        view.href(f"/chi-tieu/{view.lines.plan.slug}/{row.id}") if view.lines else "",
    )


def _to_do(view: View) -> list[CaseWords]:
    """The open cases that nobody looks after yet; of those about a plan, the ones of this plan."""
    own = view.plan.slug if view.plan else None
    waiting = [
        one
        for one in view.open_cases
        if one.state in (CaseState.NEW, CaseState.OPEN) and one.facts.get("plan", own) == own
    ]
    return sorted(view.desk.case_words(waiting), key=lambda one: (ORDER.index(one.case.rule), one.case.since))


def _since(view: View, one: CaseWords) -> str:
    return day(local_date(one.case.since, view.config.district.tz))


def _open_questions(view: View) -> int:
    """How many questions of the plan nobody has settled."""
    if view.plan is None:
        return 0
    asked = {slug for row in view.plan.rows.values() for slug in row.choices}
    return sum(one.signed is None and slug in asked for slug, one in view.plan.choices.items())


def growth_table(view: View) -> Table:
    """The numbers of the chart of growth, day by day."""
    return drawing_table(view, growth_chart(view), "tang-truong", whole=True)
