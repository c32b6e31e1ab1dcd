"""`nhip figure show`: what units reported, with every version, what came late, and who has not reported."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from config.measures import Measure, load_measures
from config.models import Config, Unit
from metrics.periods import local_date
from pipeline import show
from pipeline.figure_asked import measure_of, unit_of
from pipeline.figure_periods import ReportPeriod, parse_report_period, period_named
from pipeline.figure_plans import asked_measures, clause_of
from pipeline.figure_sums import Key, Numbers
from pipeline.figure_words import FEWEST, KEPT_BACK, kept_back, said, shown
from pipeline.figures import Shelf, key_of
from pipeline.workplace import clock_for, local_text, open_workplace

if TYPE_CHECKING:
    import pandas as pd

Row = Mapping[Any, Any]
HEADERS = ("Đơn vị", "Nội dung", "Kỳ", "Số liệu", "Báo cáo lúc", "Bộ phận", "Nộp", "Duyệt", "Lần")


@dataclass(frozen=True)
class Reported:
    """One figure as it stands, with its versions, oldest first."""

    row: Row
    versions: tuple[Row, ...]
    period: ReportPeriod
    days_late: int
    kept_back: bool
    """Its numbers would tell those of a unit with only a few persons."""

    @property
    def rule(self) -> Measure:
        return load_measures()[self.row["measure"]]


@dataclass(frozen=True)
class Missing:
    """The units that owe one measure for one period, and whether its deadline has passed."""

    measure: str
    period: ReportPeriod
    due_on: date
    overdue: bool
    units: tuple[Unit, ...]


@dataclass(frozen=True)
class Asked:
    """What a person wants to see; None: everything."""

    config: Config
    measures: tuple[str, ...]
    period: ReportPeriod | None
    unit: Unit | None


def run(
    folder: Path,
    *,
    measure: str | None,
    period: str | None,
    unit: str | None,
    at: str | None = None,
    as_json: bool,
) -> int:
    """0, whatever there is to see."""
    with open_workplace(folder, at) as (config, store):
        asked = _asked(config, measure, period, unit)
        now = clock_for(at, config.district.tz)()
        rows = list(Shelf(store.figures(now, asked.measures)).rows.values())
        found = list(_reported(asked, rows, store.figure_versions(asked.measures, _slugs(asked)), now))
        missing = list(_missing(asked, rows, local_date(now, config.district.tz)))
        if as_json:
            facts = [_facts(config, one) for one in found]
            answer = {"figures": facts, "missing": list(map(_missing_facts, missing))}
            show.print_json(answer)
        else:
            _print(asked, found, missing)
    return 0


def _slugs(asked: Asked) -> list[str] | None:
    return None if asked.unit is None else [asked.unit.slug]


def _asked(config: Config, measure: str | None, period: str | None, unit: str | None) -> Asked:
    if measure is not None:
        measure_of(measure)
    return Asked(
        config,
        tuple(load_measures()) if measure is None else (measure,),
        None if period is None else parse_report_period(period, config),
        None if unit is None else unit_of(config, unit),
    )


def _reported(asked: Asked, rows: Sequence[Row], versions: pd.DataFrame, now: datetime) -> Iterator[Reported]:
    """What is asked of *rows*, which are those of all units: what may be shown of one hangs on the others."""
    hidden = _kept_back(rows)
    plain = versions.astype(object).where(versions.notna(), None).to_dict("records")
    by_key = {key: tuple(some) for key, some in groupby(plain, key_of)}
    for row in rows:
        period = period_named(row["period_start"].date(), row["period_end"].date(), asked.config)
        if key_of(row) in by_key and asked.period in (None, period):
            late = period.days_late(load_measures()[row["measure"]], row["first_at"], asked.config.district.tz)
            yield Reported(row, _until(by_key[key_of(row)], now), period, late, key_of(row) in hidden)


def _kept_back(rows: Iterable[Row]) -> set[Key]:
    """The figures that `kept_back` does not let out, by their key."""
    together: dict[tuple[str, date, date], dict[str, Numbers]] = {}
    for row in rows:
        unit, measure, start, end = key_of(row)
        together.setdefault((measure, start, end), {})[unit] = _numbers(row)
    return {
        (unit, *place)
        for place, told in together.items()
        for unit in kept_back(load_measures()[place[0]], told)
        if min(one for one in told[unit] if one is not None) >= FEWEST
    }


def _until(versions: tuple[Row, ...], now: datetime) -> tuple[Row, ...]:
    return tuple(one for one in versions if (one["approved_at"] or one["at"]) <= now)


def _missing(asked: Asked, rows: Sequence[Row], today: date) -> Iterator[Missing]:
    """For every measure and period that at least one unit reported; and for those that the person names, both."""
    handed_in = {
        (measure, period_named(start, end, asked.config), unit) for unit, measure, start, end in map(key_of, rows)
    }
    pairs = {(measure, period) for measure, period, _ in handed_in if asked.period in (None, period)}
    if asked.period is not None and len(asked.measures) == 1:
        owed = asked_measures(asked.config, asked.period)
        pairs |= {(slug, asked.period) for slug in asked.measures if slug in owed}
    units = asked.config.units.values() if asked.unit is None else [asked.unit]
    for measure, period in sorted(pairs, key=lambda pair: (pair[1].start, asked.measures.index(pair[0]))):
        due_on = period.due_on(load_measures()[measure])
        owing = [one for one in units if period.is_asked_of(asked.config, one) and _is_there_on(due_on, one)]
        silent = tuple(one for one in owing if (measure, period, one.slug) not in handed_in)
        if silent:
            yield Missing(measure, period, due_on, due_on < today, silent)


def _is_there_on(due_on: date, unit: Unit) -> bool:
    """A unit that ended before the deadline has nobody left to report."""
    return unit.until is None or unit.until > due_on


# --- what a person reads -----------------------------------------------------------------------------------------


def _print(asked: Asked, found: list[Reported], missing: list[Missing]) -> None:
    if asked.config.district.organisation.illustration:
        show.say("Dữ liệu minh họa.")
    if found:
        show.print_table(f"{len(found)} số liệu đã báo cáo", HEADERS, [_cells(asked.config, one) for one in found])
    else:
        show.say("Chưa có số liệu nào được báo cáo.")
    if len(found) == 1 and len(found[0].versions) > 1:
        _print_versions(asked.config, found[0])
    for one in missing:
        late = "quá hạn từ" if one.overdue else "hạn nộp"
        names = ", ".join(unit.name for unit in one.units)
        said_of = f"{load_measures()[one.measure].name}, {one.period.title}, {late} {one.due_on:%d/%m/%Y}"
        show.say(f"Chưa báo cáo ({len(one.units)} đơn vị): {names}. {said_of}.")


def _cells(config: Config, one: Reported) -> tuple[str, ...]:
    row, unit = one.row, config.units.get(one.row["unit"])
    return (
        unit.name if unit else row["unit"],
        one.rule.name,
        one.period.name,
        KEPT_BACK if one.kept_back else said(one.rule, _numbers(row)),
        local_text(row["at"], config.district.tz),
        row["by"],
        f"trễ {one.days_late} ngày" if one.days_late else "đúng hạn",
        row["approved_by"] or "chưa duyệt",
        str(row["turn"]),
    )


def _print_versions(config: Config, one: Reported) -> None:
    for version in one.versions:
        moment = local_text(version["approved_at"] or version["at"], config.district.tz)
        who = f"{version['approved_by']} phê duyệt" if version["approved_by"] else f"{version['by']} báo cáo"
        number = KEPT_BACK if one.kept_back else said(one.rule, _numbers(version))
        show.say(f"Lần {version['turn']}, {moment}: {who} {number}. {_source(version)}")


def _source(version: Row) -> str:
    link = f" Minh chứng: {version['evidence']}" if version["evidence"] else ""
    return f"Nguồn: {version['source_note']}.{link}"


def _numbers(row: Row) -> Numbers:
    return row["value"], row["numerator"], row["denominator"]


# --- what a program reads ----------------------------------------------------------------------------------------


def _facts(config: Config, one: Reported) -> dict[str, object]:
    rule = one.rule
    clause = clause_of(config, one.period, rule)
    place = {"unit": one.row["unit"], "measure": one.row["measure"], "rows": rule.rows, "clause": clause}
    due = {"due_on": one.period.due_on(rule), "first_at": one.row["first_at"], "days_late": one.days_late}
    days = {"period": one.period.name, "period_start": one.period.start, "period_end": one.period.end}
    versions = [_version_facts(one, version) for version in one.versions]
    return place | days | _version_facts(one, one.row) | due | {"versions": versions}


def _version_facts(one: Reported, row: Row) -> dict[str, object]:
    hidden = KEPT_BACK if one.kept_back else None
    names = ("value", "numerator", "denominator")
    numbers = {name: row[name] if row[name] is None else hidden or shown(one.rule, row[name]) for name in names}
    plain = ("turn", "at", "by", "source_note", "evidence", "approved", "approved_by", "approved_at")
    return numbers | {name: row[name] for name in plain}


def _missing_facts(one: Missing) -> dict[str, object]:
    units = [unit.slug for unit in one.units]
    place = {"measure": one.measure, "period": one.period.name, "due_on": one.due_on}
    return place | {"overdue": one.overdue, "units": units}
