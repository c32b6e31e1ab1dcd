"""What a unit reported, as a page may show it: a small number of persons is never there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from config.measures import load_measures
from config.models import Config
from dashboards.desk import Reported
from pipeline.figure_periods import period_named
from pipeline.figure_sums import Key, Numbers
from pipeline.figure_words import KEPT_BACK, kept_back, said
from pipeline.figures import Shelf

if TYPE_CHECKING:
    from store.verbs import Store


def reported(config: Config, store: Store, unit: str, now: datetime) -> Sequence[Reported]:
    """Newest period first. The figures of all units are weighed: what is shown of one could tell another's."""
    rows = Shelf(store.figures(now)).rows
    own = {key: row for key, row in rows.items() if key[0] == unit}
    return [_reported(config, row, _numbers_of(rows, key)) for key, row in sorted(own.items(), key=_newest_first)]


def _newest_first(pair: tuple[Key, dict[Any, Any]]) -> tuple[int, str]:
    (_, measure, _, end), _row = pair
    return -end.toordinal(), measure


def _numbers_of(rows: dict[Key, dict[Any, Any]], key: Key) -> dict[str, Numbers]:
    """What all units told of the same measure and period."""
    same = {one: row for one, row in rows.items() if one[1:] == key[1:]}
    return {one[0]: _numbers(row) for one, row in same.items()}


def _reported(config: Config, row: dict[Any, Any], told: dict[str, Numbers]) -> Reported:
    rule = load_measures()[row["measure"]]
    period = period_named(row["period_start"].date(), row["period_end"].date(), config)
    hidden = row["unit"] in kept_back(rule, told)
    late = period.days_late(rule, row["first_at"], config.district.tz)
    words = KEPT_BACK if hidden else said(rule, _numbers(row))
    return Reported(rule.name, period.name, words, row["at"].to_pydatetime(), row["by"], late, row["approved_by"])


def _numbers(row: dict[Any, Any]) -> Numbers:
    return row["value"], row["numerator"], row["denominator"]
