"""What the simulated district hands in and ticks off: mostly in time, with the exceptions that a check must show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from config.load import load_config
from config.measures import load_measures
from config.models import Config
from config.plan_files import packaged_plans, read_plan
from config.plan_models import Plan
from metrics.periods import week_of
from pipeline.demo.district import ZONE, District, make_district
from pipeline.demo.figures import CONFIRMED, FEW_STAFF, Roles, cast_roles, hand_in
from pipeline.demo.folder import write_folder
from pipeline.demo.plans import MAIN, REVIEW, moved_plans
from pipeline.demo.ticks import special, tick_off
from pipeline.duties import DutyAnswer, duties_of
from pipeline.figure_periods import parse_report_period
from pipeline.questions import Moment
from store.verbs import Store, create_store, open_store

END = datetime(2026, 11, 20, 12, tzinfo=UTC)
YEAR = 365
QUARTER = "2026-Q3"


@dataclass(frozen=True)
class Told:
    """A district without a single look, and what it handed in."""

    config: Config
    district: District
    store: Store
    figures: int
    ticks: int

    @property
    def roles(self) -> Roles:
        return cast_roles(self.config, self.district)

    def of(self, measure: str, period: str = QUARTER) -> pd.DataFrame:
        start, end = parse_report_period(period, self.config).days
        found = self.store.figures(measures=[measure])
        same = found["period_start"].eq(pd.Timestamp(start)) & found["period_end"].eq(pd.Timestamp(end))
        return found[same].set_index("unit")

    def edits(self, action: str) -> pd.DataFrame:
        log = self.store.audit()
        return log[log["action"] == action]

    def duties(self) -> list[DutyAnswer]:
        zone = self.config.district.tz
        week = week_of(self.district.end.astimezone(zone).date(), zone)
        moment = Moment(self.config, self.district.end, week, self.store.figures())
        return [one for one in duties_of(list(self.config.plans.values()), moment, self.store) if one.due]


def a_district(end: datetime = END, days: int = YEAR, seed: int = 26, units: int = 20) -> District:
    return make_district(seed, units, end - timedelta(days=days), days)


def tell(folder: Path, district: District) -> Iterator[Told]:
    write_folder(folder, district, {})
    config = load_config(folder)
    create_store(f"sqlite:///{folder / 'nhip.sqlite3'}", district.start)
    with open_store(f"sqlite:///{folder / 'nhip.sqlite3'}") as store:
        store.sync(config.units.values(), config.channels.values(), district.start)
        yield Told(config, district, store, hand_in(store, config, district), tick_off(store, config, district))


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    yield from tell(tmp_path_factory.mktemp("told"), a_district())


# --- figures -----------------------------------------------------------------------------------------------------


def test_most_units_report_the_last_quarter_in_time_two_are_late_and_one_is_missing(told: Told):
    handed = told.of("linked")
    period, measure = parse_report_period(QUARTER, told.config), load_measures()["linked"]
    late = {unit for unit, at in handed["first_at"].items() if period.days_late(measure, at, ZONE)}
    asked = {slug for slug, unit in told.config.units.items() if period.is_asked_of(told.config, unit)}
    assert late == set(told.roles.late)
    assert asked - set(handed.index) == {told.roles.missing}
    assert len(asked) - len(late) - 1 >= 10


def test_one_unit_has_so_few_people_that_they_must_not_be_shown(told: Told):
    staff = told.of("staff-trained")["denominator"]
    assert staff[staff < 10].to_dict() == {told.roles.few: FEW_STAFF}
    for measure in ("linked", "propagandists"):
        found = told.of(measure, "2026" if measure == "propagandists" else QUARTER)
        assert found[["value", "denominator"]].stack().min() >= 10


def test_one_number_jumped_and_somebody_confirmed_it(told: Told):
    reports = told.edits("figure.report")
    confirmed = reports[reports["reason"].str.endswith(CONFIRMED)]
    assert {subject.split("/")[0] for subject in confirmed["subject"]} == {told.roles.jumping}
    before, after = (told.of("training-attendees", name)["value"] for name in ("2026-Q2", QUARTER))
    jumps = {unit for unit in after.index.intersection(before.index) if after[unit] > 1.3 * before[unit]}
    assert jumps == {told.roles.jumping}


def test_what_came_in_time_is_approved_by_an_office_and_everything_says_that_it_is_made_up(told: Told):
    found = told.store.figures()
    assert found["source_note"].str.contains("Dữ liệu minh họa").all()
    assert set(found.loc[~found["approved"], "unit"]) == set(told.roles.late)
    assert found["approved_by"].dropna().unique().tolist() == ["Ban Tuyên giáo Quận Đoàn (mẫu)"]


def test_nothing_is_handed_in_after_the_end_or_for_a_time_that_has_not_come(told: Told):
    found = told.store.figure_versions()
    assert (found["at"] <= told.district.end).all()
    assert (found["period_start"] < pd.Timestamp(told.district.end.date())).all()


def test_the_running_year_is_told_again_every_quarter_as_a_new_version(told: Told):
    versions = told.store.figure_versions(["propagandists"])
    turns = versions[versions["period_end"] == pd.Timestamp(2027, 1, 1)].groupby("unit")["turn"].max()
    assert turns.max() == 6  # three quarters, each handed in and approved


def test_heirs_have_the_propagandists_of_those_they_follow(told: Told):
    now, before = told.of("propagandists", "2026")["value"], told.of("propagandists", "2025")["value"]
    old = before["phuong-sen-trang"] + before["phuong-rach-xanh"]
    assert old <= now["phuong-sen-xanh"] <= 1.13 * old


def test_the_audit_log_holds_together(told: Told):
    assert told.store.verify_audit().broken_at is None
    assert told.figures > 300


@pytest.mark.parametrize(("units", "days"), [(6, 40), (6, 3), (8, 120)])
def test_a_short_story_of_few_units_reports_what_falls_into_it(units: int, days: int, tmp_path: Path):
    for told in tell(tmp_path, a_district(days=days, units=units)):
        assert (told.figures > 0) == (days > 50)
        found = told.store.figure_versions()
        assert (found["at"] >= told.district.start).all()


def test_the_same_seed_hands_in_the_same(told: Told, tmp_path: Path):
    for again in tell(tmp_path / "again", a_district()):
        pd.testing.assert_frame_equal(again.store.audit(), told.store.audit())
    for other in tell(tmp_path / "other", a_district(seed=27)):
        assert cast_roles(other.config, other.district) != told.roles


# --- duties ------------------------------------------------------------------------------------------------------


def test_every_duty_that_fell_due_is_done_but_one_and_one_was_late(told: Told):
    fallen = [one for one in told.duties() if one.due and one.due < date(2026, 11, 20)]
    words: dict[str, list[tuple[Any, ...]]] = {}
    for one in fallen:
        words.setdefault(one.said.status, []).append((one.plan.slug, one.row.id, one.due))
    late, still_open = special(told.config, told.district)
    assert late is not None
    assert still_open is not None
    assert words.pop("done_late") == [(late.plan, late.row, late.due)]
    assert words.pop("overdue") == [(still_open.plan, still_open.row, still_open.due)]
    assert set(words) == {"met"}
    assert {plan for plan, _, _ in words["met"]} >= {MAIN, REVIEW, "ubnd-ha-tinh-2017", "tinh-doan-chi-thi-07"}


def test_a_duty_of_before_the_story_was_done_then_and_noted_when_the_story_began(told: Told):
    (old,) = (one for one in told.duties() if one.row.id == "HT6")
    (tick,) = old.ticks
    assert (old.due, old.said.status) == (date(2017, 6, 30), "met")
    assert tick.on <= date(2017, 6, 30) < tick.noted_at.date() == told.district.start.date()


# --- plans -------------------------------------------------------------------------------------------------------

ENDS = [END, datetime(2027, 1, 3, tzinfo=UTC), datetime(2027, 5, 30, tzinfo=UTC), datetime(2028, 2, 29, tzinfo=UTC)]


@pytest.mark.parametrize("days", [YEAR, 40, 2])
@pytest.mark.parametrize("end", ENDS, ids=str)
def test_the_two_closed_plans_bind_at_the_end_of_every_story(end: datetime, days: int, tmp_path: Path):
    district = a_district(end, days)
    for slug, text in moved_plans(district).items():
        moved, original = plan_of(tmp_path / f"{slug}.toml", text), plan_of(packaged_plans()[slug])
        assert original.closed
        assert moved.binds_on(end.astimezone(ZONE).date())
        assert moved.rows.keys() == original.rows.keys()
        assert [one.clause for one in moved.rows.values()] == [one.clause for one in original.rows.values()]
        assert "Dữ liệu minh họa" in moved.document.title
        assert all(moved.in_force.covers(one.due.before) for one in moved.rows.values() if one.due and one.due.before)


def plan_of(path: Path, text: str | None = None) -> Plan:
    if text is not None:
        path.write_text(text, encoding="utf-8")
    problems: list[Any] = []
    plan = read_plan(path, problems)
    assert plan is not None, problems
    return plan


def test_the_main_plan_covers_the_year_that_the_story_can_show():
    def year(end: datetime) -> int:
        text = moved_plans(a_district(end))[MAIN]
        return int(text.split("dời về năm ")[1][:4])

    assert [year(end) for end in ENDS] == [2026, 2026, 2027, 2027]
