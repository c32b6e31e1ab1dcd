"""The heat strip: which unit had a good item on which of the last days, worst first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import pandas as pd

from config.models import Config
from dashboards.web import told
from dashboards.web.view import View
from metrics.cadence import Known, State, cadence
from metrics.periods import DAY, Period
from metrics.rows import rows_of
from metrics.words import Status, day

DAYS = 28
ON_PHONE = 14
MOST = 20
"""Units on the first page: who is well is found in the list of units."""
MARKS: Mapping[str, tuple[str, str]] = {
    State.MET: ("✔", "có"),
    State.MISSED: ("✖", "không có"),
    State.UNKNOWN: ("?", "không rõ"),
    State.PENDING: ("·", "còn thời gian"),
    State.RESTING: ("☾", "nghỉ theo lịch"),
}


@dataclass(frozen=True)
class Mark:
    state: str
    sign: str
    words: str
    """«20/11/2026: có», read aloud and shown when pointed at."""


@dataclass(frozen=True)
class Line:
    name: str
    href: str
    marks: Sequence[Mark]


@dataclass(frozen=True)
class Strip:
    """Units × days, or the labels of one unit × days or weeks. `name` tells two on one page apart."""

    name: str
    days: Sequence[date]
    lines: Sequence[Line]
    caption: str
    omitted: int


def overview_strip(view: View) -> Strip | None:
    """The units that stand worst, by the daily label; None where no label is due daily."""
    label = next((slug for slug, one in view.config.district.labels.items() if one.every == "day"), None)
    if label is None:
        return None
    units = _worst_first(view, label)
    shown = units[:MOST]
    marks = dict(_marks_by(cells_of(view, shown, [label]), "unit"))
    names = view.config.units
    lines = [Line(names[unit].name, view.href(f"/don-vi/{unit}"), marks.get(unit, [])) for unit in shown]
    name = view.config.district.labels[label].name
    caption = f"{name} của từng đơn vị trong {DAYS} ngày, đơn vị cần chú ý ở trên"
    return Strip("cac-don-vi", _days(view).days(), lines, caption, len(units) - len(shown))


def unit_strips(view: View, unit: str) -> list[Strip]:
    """Every label of one unit: the daily ones day by day, the weekly ones week by week."""
    cells = cells_of(view, [unit], list(view.config.district.labels))
    marks = dict(_marks_by(cells, "label"))
    strips = []
    for every, noun in (("day", "ngày"), ("week", "tuần")):
        labels = {slug: one for slug, one in view.config.district.labels.items() if one.every == every}
        lines = [Line(one.name, "", marks.get(slug, [])) for slug, one in labels.items()]
        slots = sorted({slot.date() for slot in cells.loc[cells["label"].isin(list(labels)), "slot"]})
        if slots:
            strips.append(Strip(every, slots, lines, f"Theo {noun}, {DAYS} ngày gần nhất", 0))
    return strips


def cells_of(view: View, units: Sequence[str], labels: Sequence[str]) -> pd.DataFrame:
    """metrics.cadence of these units and labels for the days of the strip, from what is known now."""
    period, config = _days(view), _only(view.config, units, labels)
    span, store = period.with_whole_weeks(), view.store
    channels = list(config.channels)
    posts = store.posts(span.start_at, span.end_at, channels, view.now, _POSTS)
    carried = store.labels(posts["id"].tolist(), view.now)
    looks = store.looks(span.start_at, span.end_at, channels, _LOOKS)
    return cadence(config, period, Known(posts, carried, looks), view.now)


_POSTS = ("id", "published_at", "date_confidence", "is_share", "first_seen_at", "gone_at")
_LOOKS = ("state", "outcome", "complete", "coverage_from", "started_at")


def _days(view: View) -> Period:
    end = min(view.week.end, view.today + DAY)
    return Period(end - timedelta(days=DAYS), end, view.config.district.tz)


def _only(config: Config, units: Sequence[str], labels: Sequence[str]) -> Config:
    """The same district with these units, their channels and these labels alone."""
    wanted = set(units)
    channels = {slug: one for slug, one in config.channels.items() if any(owner.unit in wanted for owner in one.owners)}
    known = {slug: config.district.labels[slug] for slug in labels}
    district = config.district.model_copy(update={"labels": known})
    return replace(config, district=district, units={slug: config.units[slug] for slug in units}, channels=channels)


def _worst_first(view: View, label: str) -> list[str]:
    """The grassroots units in force, by what the check said of the label; nobody is worse than another without it."""
    period = _days(view)
    due = [
        one.slug
        for one in view.config.units.values()
        if view.config.district.kinds[one.kind].grassroots
        if one.start < period.end and (one.until is None or one.until > period.last)
    ]
    rows = [] if view.plan is None else [row.id for row in view.plan.rows.values() if row.label == label]
    found = rows_of(view.desk.words(view.plan, view.week, rows[:1])) if view.plan and rows else []
    ranks = {one["subject"]: (told.RANK[Status(one["status"])], one["low"] or 0.0) for one in found}
    return sorted(due, key=lambda unit: (ranks.get(unit, (told.LAST, 0.0)), view.config.units[unit].name))


def _marks_by(cells: pd.DataFrame, column: str) -> Iterator[tuple[str, list[Mark]]]:
    """In the order of the days."""
    ordered = cells.sort_values("slot").astype({column: str, "labelled": str, "reason": str})
    names = {slot: day(slot.date()) for slot in ordered["slot"].unique()}
    for group, own in ordered.groupby(column, sort=False):
        slots = zip(own["slot"], own["labelled"], own["reason"], strict=True)
        yield str(group), [_mark(names[slot], state, reason) for slot, state, reason in slots]


def _mark(slot: str, state: str, reason: str) -> Mark:
    sign, words = MARKS[state]
    more = f" ({reason})" if reason and reason != "nan" else ""
    return Mark(state, sign, f"{slot}: {words}{more}")
