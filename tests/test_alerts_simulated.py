"""The alerts against the truth: districts are played day by day, and nobody may be accused who is not silent.

Rules, store, digests and delivery are those of the program; the judge walks through the days of the world that the
program cannot see. The soak plays more districts, in which every trouble strikes at random.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cached_property, partial
from pathlib import Path

import pytest
from sqlalchemy import select

from alerts.base import Rule
from alerts.wording import BACK
from config.models import Unit
from metrics.calendar import rest_days
from metrics.periods import local_date, midnight
from pipeline.demo.district import ZONE, merger_within
from pipeline.demo.play import Story
from pipeline.demo.spells import TOKEN_DIES_BEFORE_END
from pipeline.demo.world import DAY, Account, World
from pipeline.workplace import database_url
from store.records import Case, CaseState, Flip
from store.schema import delivery, told
from store.verbs import open_store
from tests.truth import Play, played, random_spells, with_spells

QUIET_ONE, DARK_ONE = "phuong-ben-gio", "phuong-cau-may"
"""Publishes nothing in the last five weeks; publishes on a page only whose consent dies three weeks before the end."""
DARK_PAGE = f"fanpage-{DARK_ONE}"
HEIR = "phuong-sen-xanh"
FAMILY = (HEIR, "phuong-sen-trang", "phuong-rach-xanh")
"""One ward made of two; together they publish nothing from four days before the merger on."""
TEAM, COMMITTEE = "to-truyen-thong", "ban-thuong-vu"
LADDER = [
    (0, "noticed", TEAM),
    (3, "remind", QUIET_ONE),
    (7, "call", TEAM),
    (14, "report", COMMITTEE),
    (14, "report", TEAM),
]
LADDER_DAYS = {step: day for day, step, _ in LADDER}
WHO = {"noticed": {TEAM}, "remind": {QUIET_ONE}, "call": {TEAM}, "report": {COMMITTEE, TEAM}}
AFTER = 8
"""Working days until silence is due: seven and one of grace."""
TET = (date(2027, 2, 5), date(2027, 2, 10))
SUMMER_BREAK = (date(2026, 6, 1), date(2026, 8, 24))
AUTUMN = Story(8, 44, datetime(2026, 11, 20, 13, tzinfo=UTC), 5)
SPRING = Story(7, 42, datetime(2027, 3, 5, 13, tzinfo=UTC), 6)
SUMMER = Story(8, 42, datetime(2026, 8, 5, 13, tzinfo=UTC), 7)
SHORT = (AUTUMN, SPRING, SUMMER)
SOAK = tuple(replace(SHORT[seed % 3], units=8 + seed % 5, days=58, seed=seed) for seed in range(100, 112))


def plotted(story: Story, world: World) -> World:
    """The dark unit publishes nowhere else when its page goes dark, and an heir takes over a silence of four days."""
    merger = merger_within(story.start, story.until)
    stops = dict.fromkeys(_others_of(DARK_ONE, world), story.until - (TOKEN_DIES_BEFORE_END + 1) * DAY)
    if merger is not None:
        stops |= {slug: midnight(merger - 4 * DAY, ZONE) for name in FAMILY for slug in _others_of(name, world)}
    return replace(world, accounts=[_stopped(one, stops.get(one.slug)) for one in world.accounts])


def _others_of(unit: str, world: World) -> list[str]:
    return [one.slug for one in world.accounts if one.slug.endswith(unit) and one.slug != DARK_PAGE]


def _stopped(account: Account, stop: datetime | None) -> Account:
    if stop is None:
        return account
    return replace(account, items=[item for item in account.items if item.published_at < stop])


def in_trouble(story: Story, world: World) -> World:
    return plotted(story, with_spells(world, partial(random_spells, world)))


@dataclass(frozen=True)
class Line:
    """One step of one case in one message."""

    case: int
    receiver: str
    step: str
    at: datetime
    state: str


@dataclass
class Told:
    """What was played, and what the alerts said of it."""

    story: Story
    play: Play
    cases: list[Case]
    flips: dict[int, list[Flip]]
    lines: list[Line]
    messages: list[tuple[str, str, datetime]]
    """Key, receiver and moment."""
    texts: list[str]

    def of(self, rule: Rule, subject: str | None = None) -> list[Case]:
        return [case for case in self.cases if case.rule == rule and subject in {None, case.subject}]

    def stands(self, case: Case, at: datetime) -> bool:
        over = [flip.noted_at for flip in self.flips[case.id] if flip.after is CaseState.RESOLVED]
        return case.opened_at <= at and not (over and over[0] <= at)

    # --- the truth, in plain loops ---------------------------------------------------------------------------------

    @cached_property
    def slots(self) -> list[datetime]:
        return sorted({look.slot.to_pydatetime() for look in self.play.looks})

    @cached_property
    def resting(self) -> set[tuple[str, date]]:
        district, around = self.play.config.district, 60 * DAY
        days = rest_days(district, (self.story.start - around).date(), (self.story.until + around).date())
        return {(kind, day.date()) for kind, day in zip(days["kind"], days["day"], strict=True)}

    @cached_property
    def life(self) -> dict[str, list[tuple[datetime, datetime]]]:
        """Of every unit its own items that a look can meet: when published, and the first slot that could see it."""
        found: dict[str, list[tuple[datetime, datetime]]] = {slug: [] for slug in self.play.config.units}
        for channel in self.play.config.channels.values():
            for item in self.play.accounts[channel.slug].items:
                seen = next((slot for slot in self.slots if slot >= item.published_at), None)
                owner = channel.owner_on(local_date(item.published_at, ZONE))
                met = seen is not None and (item.gone_at is None or seen < item.gone_at)
                if owner and seen and met and item.kind != "share":
                    found[owner].append((item.published_at, seen))
        return found

    def family(self, unit: Unit) -> list[str]:
        return [one.slug for one in self.play.config.units.values() if unit.slug in one.successors]

    def last_life(self, unit: Unit, at: datetime) -> datetime | None:
        """The last sign of life that a slot up to *at* could see; of an heir without one that of its family."""
        for names in ([unit.slug], self.family(unit)):
            if seen := [published for name in names for published, seen in self.life[name] if seen <= at]:
                return max(seen)
        return None

    def deadline(self, unit: Unit, last: datetime) -> datetime:
        day, left = local_date(last, ZONE), AFTER
        while left:
            day += DAY
            left -= (unit.kind, day) not in self.resting
        return midnight(day + DAY, ZONE)

    def truly_silent(self) -> Iterator[tuple[Unit, datetime, datetime]]:
        """Unit, slot and deadline, wherever a silence is over its deadline and complete looks prove it."""
        grassroots = [one for one in self.play.config.units.values() if one.kind != "quan-doan"]
        for unit in grassroots:
            for slot in self.slots:
                day, last = local_date(slot, ZONE), self.last_life(unit, slot)
                if last is None or not unit.is_valid_on(day) or (unit.kind, day) in self.resting:
                    continue
                due = self.deadline(unit, last)
                if due <= slot and self.proved(unit, last, slot):
                    yield unit, slot, due

    def proved(self, unit: Unit, last: datetime, slot: datetime) -> bool:
        """Whether complete looks on every channel it ever had tell of all the time from *last* to *slot*."""
        names = {unit.slug, *self.family(unit)}
        mine = [one.slug for one in self.play.config.watched() if names & {owner.unit for owner in one.owners}]
        return bool(mine) and all(self.reads(channel, last, slot) for channel in mine)

    def reads(self, channel: str, start: datetime, slot: datetime) -> bool:
        reach = start
        good = [one for one in self.play.claims if one.channel == channel and one.complete and one.started_at <= slot]
        for look in sorted(good, key=lambda one: one.coverage_from):
            if look.coverage_from <= reach:
                reach = max(reach, look.started_at)
        return reach >= slot


def told_of(folder: Path, story: Story, play: Play) -> Told:
    columns = (told.c.case_id, told.c.receiver, told.c.step, delivery.c.created_at, delivery.c.state)
    lines = select(*columns).join(delivery, delivery.c.id == told.c.delivery_id).order_by(delivery.c.created_at)
    with open_store(database_url(folder, {})) as store:
        cases, sent = store.cases(open_only=False), store.deliveries(story.start)
        flips = {case.id: store.flips(case.id) for case in cases}
        rows = store.database.read(lambda one: [Line(*row) for row in one.execute(lines)])
    messages = list(zip(sent["key"], sent["receiver"], sent["created_at"], strict=True))
    texts = [path.read_text("utf-8") for path in sorted((folder / "outbox").glob("*.txt"))]
    return Told(story, play, cases, flips, rows, messages, texts)


@pytest.fixture(
    scope="module",
    params=[*SHORT, *(pytest.param(story, marks=pytest.mark.soak) for story in SOAK)],
    ids=lambda story: f"seed-{story.seed}",
)
def alerts(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Told:
    story, folder = request.param, tmp_path_factory.mktemp("alerts")
    change = in_trouble if story in SOAK else plotted
    return told_of(folder, story, played(folder, story, partial(change, story)))


def test_nobody_is_accused_before_a_true_silence_is_over_its_deadline(alerts: Told):
    wrong = {}
    for case in alerts.of(Rule.QUIET):
        unit = alerts.play.config.units[case.subject]
        last = alerts.last_life(unit, case.opened_at)
        if last is None or not alerts.deadline(unit, last) <= case.since <= case.opened_at:
            wrong[case.subject] = (last, case.since, case.opened_at)
    assert wrong == {}


def test_every_silence_that_looks_prove_has_its_one_case_within_a_day_of_its_deadline(alerts: Told):
    silent = list(alerts.truly_silent())
    quiet = alerts.of(Rule.QUIET)
    missing = [
        (unit.slug, slot, due)
        for unit, slot, due in silent
        if [case.since for case in quiet if case.subject == unit.slug and alerts.stands(case, slot)] != [due]
    ]
    assert missing == []
    wanted = {QUIET_ONE, HEIR} if alerts.story is SUMMER else {QUIET_ONE}
    assert alerts.story in SOAK or {unit.slug for unit, _, _ in silent} >= wanted
    late = [case for case in quiet if (case.subject, case.since) in first_days(silent) - on_time(alerts)]
    assert late == []


def first_days(silent: Sequence[tuple[Unit, datetime, datetime]]) -> set[tuple[str, datetime]]:
    """The silences that looks prove on the very first day."""
    return {(unit.slug, due) for unit, slot, due in silent if slot <= due + DAY}


def on_time(alerts: Told) -> set[tuple[str, datetime]]:
    return {(case.subject, case.since) for case in alerts.of(Rule.QUIET) if case.opened_at <= case.since + DAY}


def test_no_unit_is_accused_on_a_rest_day_of_its_kind_or_within_tet(alerts: Told):
    kinds = {slug: unit.kind for slug, unit in alerts.play.config.units.items()}
    opened = [(case.subject, local_date(case.opened_at, ZONE)) for case in alerts.of(Rule.QUIET)]
    assert [one for one in opened if (kinds[one[0]], one[1]) in alerts.resting] == []
    assert [one for one in opened if TET[0] <= one[1] < TET[1]] == []
    schools = [day for subject, day in opened if kinds[subject] == "truong-hoc"]
    assert [day for day in schools if SUMMER_BREAK[0] <= day < SUMMER_BREAK[1]] == []


def test_a_merged_unit_is_accused_no_more(alerts: Told):
    for slug, unit in alerts.play.config.units.items():
        if unit.until is not None:
            assert [case for case in alerts.of(Rule.QUIET, slug) if alerts.stands(case, alerts.story.until)] == []
            assert not [case for case in alerts.of(Rule.QUIET, slug) if case.opened_at >= midnight(unit.until, ZONE)]
    merger = merger_within(alerts.story.start, alerts.story.until)
    assert (merger is not None) == any(unit.until for unit in alerts.play.config.units.values())


def test_a_unit_whose_consent_died_is_dark_and_not_quiet(alerts: Told):
    assert alerts.of(Rule.SOURCE, DARK_PAGE)
    assert alerts.of(Rule.TOKEN, f"channel:{DARK_PAGE}")
    assert alerts.of(Rule.QUIET, DARK_ONE) == []
    page = alerts.play.accounts[DARK_PAGE]
    assert max(item.published_at for item in page.items) > alerts.story.until - DAY * AFTER


def test_the_quiet_unit_has_one_case_that_climbs_its_ladder_on_its_days(alerts: Told):
    """Where trouble strikes at random the case may come late, or a part of the ladder with it, but never early."""
    cases = alerts.of(Rule.QUIET, QUIET_ONE)
    climbed = [steps_of(alerts, case) for case in cases]
    for steps in climbed:
        assert steps == sorted(steps)
        assert all(day >= LADDER_DAYS[step] and receiver in WHO[step] for day, step, receiver in steps)
    if alerts.story in SHORT:
        assert climbed == [LADDER]


def steps_of(alerts: Told, case: Case) -> list[tuple[int, str, str]]:
    """Days since the opening, step and receiver, as they were sent."""
    opened = local_date(case.opened_at, ZONE)
    lines = [line for line in alerts.lines if line.case == case.id and line.step != BACK]
    assert {line.state for line in lines} <= {"sent"}
    return sorted(((local_date(line.at, ZONE) - opened).days, line.step, line.receiver) for line in lines)


def test_everybody_gets_one_message_a_day_at_most_and_each_copy_names_its_key(alerts: Told):
    days = Counter((receiver, local_date(at, ZONE)) for _, receiver, at in alerts.messages)
    assert set(days.values()) == {1}
    assert len(alerts.texts) == len(alerts.messages)
    assert {text.rstrip().rpartition("Mã tin: ")[2] for text in alerts.texts} == {key for key, _, _ in alerts.messages}
    assert [text for text in alerts.texts if "Tin gửi lại" in text] == []
    to_units = [text for text in alerts.texts if "\nKính gửi Đoàn " in text]
    assert [text for text in to_units if "im lặng" in text or "!" in text] == []
    assert to_units or alerts.story in SOAK
