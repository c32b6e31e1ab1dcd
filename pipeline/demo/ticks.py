"""The dated duties of the plans in the simulated district: ticked off as `nhip task done` does it, but for two.

One of those that fell due within the story was done late, and one is still open.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from config.models import Config
from config.plan_models import Plan, Row
from metrics.periods import DAY, local_date
from pipeline.demo.district import ZONE, District, chance
from pipeline.duties import DUTIES, due_days
from pipeline.ticks import DONE, mark_of
from store.records import Edit
from store.verbs import OPERATOR, Store

OFFICE = "Văn phòng Quận Đoàn (mẫu)"
REASON = "Dữ liệu minh họa"
LATE_DAYS = 5
LONG_AGO = timedelta(days=10)
"""The two special duties fell due at least so long before the end."""


@dataclass(frozen=True)
class Occurrence:
    """A duty on one of the days it was due."""

    plan: str
    row: str
    due: date
    is_newest: bool
    """It has not fallen due again since."""


def tick_off(store: Store, config: Config, district: District) -> int:
    """Notes what was done in the audit log; how many duties it were."""
    late, still_open = special(config, district)
    edits = [
        _edit(one, one.due + LATE_DAYS * DAY if one == late else _in_time(one, district), district)
        for one in occurrences(config, district)
        if one != still_open
    ]
    store.note_edits(sorted(edits, key=lambda edit: (edit.at, edit.subject)))
    return len(edits)


def special(config: Config, district: District) -> tuple[Occurrence | None, Occurrence | None]:
    """The duty that is done late and the one that is still open; None where the story is too short for them."""
    last = local_date(district.end, ZONE)
    fallen = [one for one in occurrences(config, district) if one.is_newest]
    within = [one for one in fallen if district.first_day <= one.due < last - LONG_AGO]
    drawn = chance(district.seed, "which duties").sample(within, min(2, len(within)))
    late, still_open = [*drawn, None, None][:2]
    return late, still_open


def occurrences(config: Config, district: District) -> list[Occurrence]:
    """Every day within the story on which a duty fell due, and the one before it."""
    last = local_date(district.end, ZONE)
    return [
        one
        for plan in config.plans.values()
        for row in plan.rows.values()
        if row.indicator in DUTIES
        for one in _of_row(plan, row, config, district.first_day, last)
    ]


def _of_row(plan: Plan, row: Row, config: Config, first: date, last: date) -> Iterator[Occurrence]:
    days = [one for one in due_days(plan, row, config, last) if one < last]
    for place, due in enumerate(days, 1):
        if due >= first or place == len(days) or days[place] >= first:
            yield Occurrence(plan.slug, row.id, due, place == len(days))


def _in_time(one: Occurrence, district: District) -> date:
    return one.due - chance(district.seed, one.plan, one.row, str(one.due)).randrange(7) * DAY


def _edit(one: Occurrence, done_on: date, district: District) -> Edit:
    """Noted in the afternoon of the day it was done; what was done before the story, when that begins."""
    at = max(datetime.combine(done_on, time(16), ZONE), district.start)
    after = {"done_on": str(done_on), "evidence": ""}
    return Edit(at, OFFICE, OPERATOR, DONE, mark_of(one.plan, one.row, one.due), None, after, REASON)
