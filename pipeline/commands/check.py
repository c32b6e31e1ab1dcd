"""`nhip check`: how every target and duty of the plans stands, and whether each unit kept the motto in this week."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from config.models import Config
from config.plan_models import Plan
from metrics.periods import Period, PeriodError, local_date, parse_period, week_of
from metrics.words import Status
from pipeline import check_words, checking, explaining, show
from pipeline.clock import utc_now
from pipeline.commands import check_units
from pipeline.duties import DutyAnswer
from pipeline.few import protected
from pipeline.judgement import Judgement, judge
from pipeline.motto import BEHIND, KEPT, UNSURE, Motto
from pipeline.problems import UserError
from pipeline.questions import Moment
from pipeline.workplace import clock_for, local_text, open_workplace
from store.verbs import Store

ILLUSTRATION = "Dữ liệu minh họa."
LATE = {Status.BEHIND, Status.AT_RISK, Status.NOT_MET, Status.OVERDUE}
DONE = {Status.MET, Status.DONE_LATE}
OLD = timedelta(days=366)
"""A task that was done and fell due so long ago is told in a few words."""
OPEN = {Status.FAILED, Status.UNDECIDED, Status.TOO_LITTLE, Status.NOT_REPORTED}


@dataclass(frozen=True)
class Wanted:
    """What a person asked for at the command line."""

    plans: Sequence[str] = ()
    period: str | None = None
    """A week, a day or a month; this week when not said."""
    motto: bool = False
    explain: str | None = None
    subject: str | None = None
    as_json: bool = False
    as_csv: bool = False
    units: str | None = None
    """«old» or «new»: only the figures of units, under the units of another day."""


@dataclass(frozen=True)
class Checked:
    """What was found."""

    moment: Moment
    plans: Sequence[Plan]
    judgement: Judgement
    motto: Motto | None


def run(  # noqa: PLR0913 - one parameter per option
    folder: Path,
    *,
    week: str | None,
    at: str | None,
    as_json: bool,
    as_csv: bool = False,
    plans: Sequence[str] = (),
    explain: str | None = None,
    subject: str | None = None,
    motto: bool = False,
    units: str | None = None,
) -> int:
    """0 when all is fine, 1 when something is behind, 2 when nothing is but something cannot be judged.

    `week` is a week, a day or a month; this week when None. With `units` nothing is judged, and the code is 0.
    """
    wanted = Wanted(plans, week, motto, explain, subject, as_json, as_csv, units)
    with open_workplace(folder) as (config, store):
        as_of = clock_for(at, config.district.tz)().replace(microsecond=0)
        period = _period(config, wanted.period, as_of)
        _refuse_future(period, as_of)
        if wanted.units:
            return _show_units(config, store, wanted, period, as_of)
        checking.label_new_posts(config, store, as_of)
        checked = _check(config, store, wanted, period, as_of)
        if wanted.explain:
            for line in explaining.explain(checked.judgement, store, config, wanted.explain, wanted.subject):
                show.say(line)
    if wanted.as_csv:
        show.say(check_words.csv_of(checked.judgement))
    elif wanted.as_json:
        show.print_json(_facts(checked))
    elif not wanted.explain:
        _print(checked)
    return _exit_code(checked)


def _show_units(config: Config, store: Store, wanted: Wanted, period: Period, as_of: datetime) -> int:
    side = check_units.side_of(wanted.units or "")
    plans = chosen(config, wanted.plans, local_date(as_of, config.district.tz))
    moment = Moment(config, as_of, period, store.figures(as_of))
    check_units.show_lines(plans, moment, store, side, row=wanted.explain, as_json=wanted.as_json, as_csv=wanted.as_csv)
    return KEPT


def _check(config: Config, store: Store, wanted: Wanted, period: Period, as_of: datetime) -> Checked:
    today = local_date(as_of, config.district.tz)
    plans = [] if wanted.motto else chosen(config, wanted.plans, today)
    moment = Moment(config, as_of, period, store.figures(as_of))
    judgement = protected(judge(plans, moment, store))
    if judgement.cells is not None:
        return Checked(moment, plans, judgement, Motto(config, period, judgement.cells))
    motto = None if plans else Motto(config, period, checking.check_motto(config, store, period, as_of))
    return Checked(moment, plans, judgement, motto)


def chosen(config: Config, slugs: Sequence[str], today: date) -> list[Plan]:
    """The plans that were named, else those that bind on a day; a closed one only in its own time."""
    for slug in slugs:
        if slug not in config.plans:
            known = ", ".join(config.plans) or "chưa có kế hoạch nào"
            raise UserError(f"Không có kế hoạch «{slug}» trong dòng plans của district.toml. Đang có: {known}.")
        if config.plans[slug].in_force.start > today:
            start = config.plans[slug].in_force.start
            raise UserError(f"Kế hoạch «{slug}» có hiệu lực từ {start:%d/%m/%Y} nên chưa có gì để đối chiếu.", UNSURE)
    return [plan for slug, plan in config.plans.items() if slug in slugs or (not slugs and plan.binds_on(today))]


def _period(config: Config, text: str | None, as_of: datetime) -> Period:
    zone = config.district.tz
    if text is None:
        return week_of(local_date(as_of, zone), zone)
    try:
        return parse_period(text, zone)
    except PeriodError as error:
        raise UserError(str(error)) from error


def _refuse_future(period: Period, as_of: datetime) -> None:
    if as_of > utc_now():
        raise UserError("Chưa đến thời điểm ghi ở --at. Chọn thời điểm đã qua, hoặc bỏ --at.")
    if period.start_at > as_of:
        raise UserError(f"{period.title()} chưa bắt đầu nên chưa có gì để đối chiếu.", UNSURE)


def _exit_code(checked: Checked) -> int:
    if not checked.plans:
        return KEPT if checked.motto is None else checked.motto.exit_code
    said = [one.line for one in checked.judgement.answers] + [one.said for one in checked.judgement.duties]
    words = {Status(one.status) for one in said}
    return BEHIND if words & LATE else UNSURE if words & OPEN else KEPT


def _print(checked: Checked) -> None:
    moment, config = checked.moment, checked.moment.config
    made_up = f" {ILLUSTRATION}" if config.district.organisation.illustration else ""
    cut_off = f"Số liệu đến {local_text(moment.as_of, config.district.tz)}.{made_up}"
    show.say(f"{config.district.organisation.name}. {moment.period.title()}. {cut_off}")
    for plan in checked.plans:
        _print_plan(plan, checked)
    if checked.motto is not None:
        if checked.plans:
            show.say("\nPhương châm theo từng đơn vị.")
        checked.motto.print()
    _print_others(checked)


def _print_plan(plan: Plan, checked: Checked) -> None:
    answers = [one for one in checked.judgement.answers if one.question.plan is plan]
    duties = [one for one in checked.judgement.duties if one.plan is plan]
    paper = f"{plan.document.number}: " if plan.document.number else ""
    closed = " Kế hoạch đã kết thúc." if plan.closed else ""
    show.say(f"\nKế hoạch {paper}{plan.document.title}. {plan.document.issuer}. Mã: {plan.slug}.{closed}")
    if answers:
        show.print_table("", check_words.HEADERS, [check_words.cells_of(one) for one in answers])
    _print_duties([one for one in duties if not one.is_standing], checked.moment.today)
    if standing := sum(one.is_standing for one in duties):
        show.say(f"{standing} việc thường xuyên, định kỳ hoặc không nêu hạn.")
    _print_notes(plan, check_words.unread(answers), checked.moment.today)


def _print_duties(dated: Sequence[DutyAnswer], today: date) -> None:
    """A table, and one line for what is done since long."""
    old = [one for one in dated if one.due and one.due < today - OLD and Status(one.said.status) in DONE]
    shown = [one for one in dated if one not in old]
    if shown:
        show.print_table("Việc có thời hạn", check_words.DUTY_HEADERS, [check_words.duty_cells(one) for one in shown])
    if old:
        show.say(f"Đã xong từ lâu: {'; '.join(map(check_words.old_duty, old))}.")


def _print_notes(plan: Plan, unread: Sequence[str], today: date) -> None:
    for sentence in unread:
        show.say(sentence)
    questions = check_words.unsigned(plan)
    if questions:
        show.say(f"Chưa chốt cách tính ({len(questions)}), đề nghị ký ở [choices.{plan.slug}] của district.toml:")
    for choice in questions:
        show.say(f"  {check_words.choice_sentence(choice)}")
    for cited in plan.lapsed(today):
        show.say(f"Căn cứ {check_words.lapsed_sentence(cited, plan)}")


def _print_others(checked: Checked) -> None:
    config, shown = checked.moment.config, {plan.slug for plan in checked.plans}
    others = [slug for slug, plan in config.plans.items() if slug not in shown and plan.closed]
    if others and checked.plans:
        show.say(f"Kế hoạch đã kết thúc, xem lại bằng --plan: {', '.join(others)}.")


def _facts(checked: Checked) -> dict[str, Any]:
    moment, organisation = checked.moment, checked.moment.config.district.organisation
    period = moment.period
    plans = [check_words.facts_of(plan, checked.judgement, moment.today) for plan in checked.plans]
    return {
        "organisation": organisation.name,
        "illustration": organisation.illustration,
        "period": {"title": period.title(), "start": period.start, "end": period.end},
        "as_of": moment.as_of,
        "plans": plans,
        **(checked.motto.facts() if checked.motto else {}),
    }
