"""What the simulated units report: every quarter on paper, mostly in time, and kept as `nhip figure import` keeps it.

One unit does not report the last quarter, two are late with it; one has so few people that they must not be shown,
and one reports a number that somebody had to confirm.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from config.models import Config, Unit
from metrics.periods import DAY
from pipeline.demo.district import ZONE, District, chance
from pipeline.figure_periods import ReportPeriod, parse_report_period
from pipeline.figure_sums import Numbers
from pipeline.figures import Entry, Judged, Shelf, judge
from store.records import Approval, Figure
from store.verbs import Store

SOURCE = "Báo cáo của đơn vị (Dữ liệu minh họa)"
APPROVER = "Ban Tuyên giáo Quận Đoàn (mẫu)"
CONFIRMED = ", đã xác nhận"
LATE_DAYS = (15, 21)
"""How long after the quarter the two late reports come; ten days are allowed."""
FEW_STAFF, FEW_TRAINED = 8, 6
JUMP = 3
APPROVED_AFTER = timedelta(days=2, hours=6)


@dataclass(frozen=True)
class Roles:
    """Who plays what in the last quarter, by slug. In a small district one unit plays several roles."""

    late: tuple[str, str]
    missing: str
    few: str
    jumping: str


@dataclass(frozen=True)
class Report:
    """The paper of one unit for one quarter, which also tells how the running year stands."""

    unit: Unit
    quarter: ReportPeriod
    year: ReportPeriod
    round: int
    """The how-manieth quarter of the story, from 0: things get better."""
    is_last: bool
    """Of the story; only then somebody is late, missing or far off."""
    at: datetime


def hand_in(store: Store, config: Config, district: District) -> int:
    """Everything that is reported and approved within the story; how many figures it were."""
    roles, figures = cast_roles(config, district), 0
    for report in sorted(_reports(config, district, roles), key=lambda one: (one.at, one.unit.slug)):
        entries = list(_entries(report, config, district, roles))
        shelf = Shelf(store.figures(units=[report.unit.slug]))
        judged = judge(entries, config, shelf, report.at.astimezone(ZONE).date())
        figures += _keep(store, report, judged)
        if report.unit.slug not in roles.late and report.at + APPROVED_AFTER <= district.end:
            _approve(store, report)
    return figures


def cast_roles(config: Config, district: District) -> Roles:
    """The same for a seed; only units that live through the whole story are chosen."""
    last = district.end.astimezone(ZONE).date()
    lasting = [one.slug for one in _grassroots(config) if one.start <= district.first_day and one.is_valid_on(last)]
    drawn = chance(district.seed, "who reports how").sample(lasting, len(lasting))
    first, second, missing, few, jumping = (drawn[place % len(drawn)] for place in range(5))
    return Roles((first, second), missing, few, jumping)


def late_moments(config: Config, district: District) -> list[datetime]:
    """When figures are handed in after their day: somebody may have been told of them by then."""
    roles = cast_roles(config, district)
    return [one.at for one in _reports(config, district, roles) if one.is_last and one.unit.slug in roles.late]


def _grassroots(config: Config) -> list[Unit]:
    return [one for one in config.units.values() if config.district.kinds[one.kind].grassroots]


def _reports(config: Config, district: District, roles: Roles) -> Iterator[Report]:
    """One of every unit for every quarter that ends within the story, if it comes before the story's end."""
    quarters = _quarters(config, district)
    for number, (quarter, year) in enumerate(quarters):
        last = quarter is quarters[-1][0]
        for unit in _grassroots(config):
            if not quarter.touches(unit) or (last and unit.slug == roles.missing):
                continue
            at = _handed_in(unit, quarter, district, roles if last else None)
            if at <= district.end:
                yield Report(unit, quarter, year, number, last, at)


def _quarters(config: Config, district: District) -> list[tuple[ReportPeriod, ReportPeriod]]:
    """The quarters that end within the story, each with its year, oldest first."""
    last = district.end.astimezone(ZONE).date()
    names = [f"{year}-Q{part}" for year in range(district.first_day.year, last.year + 1) for part in range(1, 5)]
    periods = [parse_report_period(name, config) for name in names]
    ended = [one for one in periods if district.first_day < one.end <= last]
    return [(one, parse_report_period(one.name[:4], config)) for one in ended]


def _handed_in(unit: Unit, quarter: ReportPeriod, district: District, roles: Roles | None) -> datetime:
    """In office hours of one of the first days after the quarter; of those who are late, after the deadline."""
    dice = chance(district.seed, unit.slug, quarter.name, "handed in")
    days = dice.randrange(1, 9)
    if roles is not None and unit.slug in roles.late:
        days = LATE_DAYS[roles.late.index(unit.slug)]
    return _local(quarter.end + days * DAY, time(dice.randrange(8, 17), dice.randrange(60)))


def _local(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, ZONE).astimezone(UTC)


# --- the numbers -------------------------------------------------------------------------------------------------


def _entries(report: Report, config: Config, district: District, roles: Roles) -> Iterator[Entry]:
    for measure, numbers in _of_quarter(report, district, roles).items():
        yield Entry(report.unit, measure, report.quarter, numbers, SOURCE)
    lives_on = report.unit.until is None or report.unit.until >= report.year.end
    for measure, numbers in (_of_year(report, config, district) if lives_on else {}).items():
        yield Entry(report.unit, measure, report.year, numbers, SOURCE)


def _of_quarter(report: Report, district: District, roles: Roles) -> dict[str, Numbers]:
    dice = chance(district.seed, report.unit.slug, "what it reports")
    people = sum(one.count for one in report.unit.members[:1])
    linked = min(0.97, dice.uniform(0.66, 0.86) + 0.03 * report.round)
    staff, trained = dice.randrange(14, 40), min(1.0, dice.uniform(0.7, 0.9) + 0.05 * report.round)
    lessons = dice.randrange(3, 6)
    guests = lessons * dice.randrange(25, 60)
    counts: dict[str, Numbers] = {
        "linked": (None, round(people * linked), people),
        "staff-trained": (None, int(staff * trained), staff),
        "training-sessions": (lessons, None, None),
        "training-attendees": (guests, None, None),
    }
    if report.unit.slug == roles.few:
        counts["staff-trained"] = (None, FEW_TRAINED, FEW_STAFF)
    if report.is_last and report.unit.slug == roles.jumping:
        counts["training-attendees"] = (JUMP * guests, None, None)
    return counts


def _of_year(report: Report, config: Config, district: District) -> dict[str, Numbers]:
    """An heir has the people of those it follows."""
    before = [slug for slug, one in config.units.items() if report.unit.slug in one.successors]
    people = sum(_propagandists(slug, report, district) for slug in before or [report.unit.slug])
    dice = chance(district.seed, report.unit.slug, "trained")
    trained = min(people, round(people * (dice.uniform(0.8, 1.0) + 0.03 * report.round)))
    return {"propagandists": (people, None, None), "propagandists-trained": (None, trained, people)}


def _propagandists(slug: str, report: Report, district: District) -> int:
    """They grow through the year that is reported, from where they stood at the end of the year before."""
    dice = chance(district.seed, slug, "propagandists")
    first, growth = dice.randrange(20, 60), dice.uniform(0.0, 0.12)
    passed = (report.quarter.end - report.year.start).days / (report.year.end - report.year.start).days
    years = report.year.start.year - district.first_day.year
    return round(first * (1 + growth * (years - 1 + passed)))


# --- the store ---------------------------------------------------------------------------------------------------


def _keep(store: Store, report: Report, judged: Sequence[Judged]) -> int:
    """What would be asked at the command line is confirmed here; ValueError for a number that cannot be true."""
    wrong = [one.refusal for one in judged if one.refusal]
    if wrong:
        raise ValueError(f"{report.unit.slug} {report.quarter.name}: {wrong[0]}")
    confirmed = CONFIRMED if any(one.questions for one in judged) else ""
    return store.add_figures([_figure(report, one.entry) for one in judged], f"nhập từ phiếu{confirmed}")


def _figure(report: Report, entry: Entry) -> Figure:
    value, numerator, denominator = entry.numbers
    return Figure(
        report.unit.slug, entry.measure, *entry.period.days, report.unit.name, report.at, SOURCE, value, numerator,
        denominator,
    )  # fmt: skip


def _approve(store: Store, report: Report) -> None:
    slug, at = report.unit.slug, report.at + APPROVED_AFTER
    shelf = Shelf(store.figures(units=[slug]))
    rows = [(one.days, row) for one in (report.quarter, report.year) for row in shelf.of(slug, one.days)]
    store.approve_figures([Approval(slug, row["measure"], *days, row["turn"], APPROVER, at) for days, row in rows])
