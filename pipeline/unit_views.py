"""What units report, and how their audiences grew, under the units of another day: «đơn vị cũ», «đơn vị mới».

Only wholes move: old units that merged are added up, and what would have to be divided stays where it was and says so.
Nothing of it is judged or kept: the plans are judged by the units as they report.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Literal

import pandas as pd

from config.measures import Measure, load_measures
from config.models import Config
from config.plan_models import Plan, Row
from config.plan_scope import units_bound
from metrics import telling
from metrics.periods import Period
from metrics.succession import as_new_units, as_old_units, heirs
from metrics.words import percent
from pipeline.figure_sums import Numbers
from pipeline.figure_words import FEWEST, KEPT_BACK, kept_back, said
from pipeline.gathering import Gathered
from pipeline.plain import plain
from pipeline.questions import REPORTED, Moment, Question, questions_of
from store.verbs import Store

Side = Literal["old", "new"]
NOT_REPORTED = "chưa báo cáo"
UNDIVIDED, ELSEWHERE = "không chia được", "số chung nằm ở"


@dataclass(frozen=True)
class Line:
    """One figure of one unit. `told` is what may be shown; `note` says of whom it is made up, or why not."""

    plan: str
    row: Row
    period: str
    unit: str
    told: str
    note: str


def day_of(side: Side, config: Config, today: date) -> date | None:
    """The day whose units are meant: today, or the last one before the newest merger; None where there was none."""
    if side == "new":
        return today
    ends = [unit.until for unit in config.units.values() if unit.until and unit.until <= today and unit.successors]
    return max(ends) - timedelta(days=1) if ends else None


def lines_of(plans: Sequence[Plan], moment: Moment, store: Store, side: Side, day: date) -> Iterator[Line]:
    """In clause order plan by plan; rows that are not about units have none."""
    for plan in plans:
        for question in questions_of(plan, moment):
            if question.row.indicator in REPORTED and question.asks:
                yield from _Reported(question, moment, side, day).lines()
            elif question.row.indicator == "audience_growth" and question.row.scope.binds_units:
                yield from _grown(question, moment, store, day)


def _grown(question: Question, moment: Moment, store: Store, day: date) -> Iterator[Line]:
    """The channels are credited to those who held them on the day."""
    asks = tuple(replace(ask, by="unit", held_on=day) for ask in question.asks)
    asked = replace(question, asks=asks)
    gathered = Gathered(store, moment, [asked])
    for ask in asks:
        for row in gathered.measured(asked, ask).rows.to_dict("records"):
            told = telling.growth(plain(row) | {"target": None})
            note = "" if row["known"] == row["wanted"] else "chưa đủ số liệu của mọi kênh"
            yield Line(question.plan.slug, question.row, question.period.title(), row["unit"], told, note)


class _Reported:
    """One reported row under the units of one day."""

    def __init__(self, question: Question, moment: Moment, side: Side, day: date) -> None:
        self.question, self.config, self.side, self.day = question, moment.config, side, day
        (self.ask,) = question.asks
        self.rule: Measure = load_measures()[self.ask.measure]
        self.figures = moment.figures[moment.figures["measure"] == self.ask.measure]
        self.stands_for = heirs(moment.config.units, moment.today)

    def lines(self) -> Iterator[Line]:
        periods = [one for one in (self.ask.baseline_period, self.ask.period) if one is not None]
        moved = [self._moved(period) for period in periods]
        units = [unit.slug for unit in units_bound(self.config, self.question.row.scope, self.day)]
        units += sorted({unit for rows in moved for unit in rows} - set(units))
        counts = {unit: [one for rows in moved if unit in rows for one in _numbers(rows[unit])] for unit in units}
        hidden = {unit for unit in kept_back(self.rule, counts) | self._telling(units) if not _is_few(counts[unit])}
        for unit in units:
            rows = [found.get(unit) for found in moved]
            note = self._note(unit, rows)
            told = KEPT_BACK if unit in hidden else self._told(rows)
            told = UNDIVIDED if note.startswith(ELSEWHERE) else told
            yield Line(self.question.plan.slug, self.question.row, self.ask.period.title(), unit, told, note)

    def _telling(self, units: Iterable[str]) -> set[str]:
        """The units whose number would tell one that is hidden under the units that reported it."""
        own: dict[str, list[int | None]] = {}
        for row in self.figures.to_dict("records"):
            own.setdefault(row["unit"], []).extend(_numbers(plain(row)))
        risky = set(kept_back(self.rule, own))
        return {unit for unit in units if not risky.isdisjoint({unit, *self._old_of(unit)})}

    def _moved(self, period: Period) -> dict[str, dict[str, Any]]:
        """The figures of one period by the unit they stand under."""
        starts, ends = self.figures["period_start"], self.figures["period_end"]
        own = self.figures[(starts == pd.Timestamp(period.start)) & (ends == pd.Timestamp(period.end))]
        if self.side == "new":
            moved = as_new_units(self._once(own), self.config.units, self.day)
        else:
            moved = as_old_units(own, self.config.units, self.day)
        return {row["unit"]: plain(row) for row in moved.to_dict("records")}

    def _once(self, figures: pd.DataFrame) -> pd.DataFrame:
        """Persons are counted once: where the heir reports for the period itself, its old units are not added."""
        if not self.rule.people:
            return figures
        units = set(figures["unit"])
        double = [unit for unit in units if any(heir != unit and heir in units for heir in self.stands_for[unit])]
        return figures[~figures["unit"].isin(double)]

    def _told(self, rows: Sequence[dict[str, Any] | None]) -> str:
        numbers = [None if row is None else _numbers(row) for row in rows]
        if len(numbers) == 1:
            return NOT_REPORTED if numbers[0] is None else said(self.rule, numbers[0])
        first, last = (NOT_REPORTED if one is None else said(self.rule, one) for one in numbers)
        return f"{first} → {last}{self._change(numbers)}"

    def _change(self, numbers: Sequence[Numbers | None]) -> str:
        base, now = (None if one is None else one[0] for one in numbers)
        if base is None or now is None or (self.rule.people and min(base, now) < FEWEST) or not base:
            return ""
        sign = "tăng" if now > base else "giảm"
        return " (không đổi)" if now == base else f" ({sign} {percent(abs(now - base) / base)})"

    def _note(self, unit: str, rows: Sequence[dict[str, Any] | None]) -> str:
        found = [row for row in rows if row is not None]
        parts = max((row["parts"] for row in found), default=1)
        if parts > 1:
            return f"cộng từ {parts} đơn vị: {self._names(self._old_of(unit))}"
        if not any(row["undivided"] for row in found):
            heir = self.stands_for.get(unit, ())
            common = self.side == "old" and not found and heir not in ((), (unit,))
            return f"{ELSEWHERE} {self._names(heir)}" if common else ""
        if self.side == "old":
            return f"{UNDIVIDED}: số chung của {self._names(self._old_of(unit))}"
        return f"{UNDIVIDED}: đơn vị cũ có nhiều đơn vị kế thừa, hoặc không có đơn vị nào"

    def _old_of(self, unit: str) -> list[str]:
        return [old for old, names in self.stands_for.items() if unit in names and old != unit]

    def _names(self, slugs: Sequence[str]) -> str:
        return ", ".join(self.config.units[slug].name for slug in slugs)


def _numbers(row: dict[str, Any]) -> Numbers:
    return row["value"], row["numerator"], row["denominator"]


def _is_few(counts: Sequence[int | None]) -> bool:
    return min(one for one in counts if one is not None) < FEWEST
