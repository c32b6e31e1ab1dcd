"""The message that one receiver reads: who it is for, one sentence for each thing, what to do next, and its key."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from alerts.base import Item, Rule
from alerts.letters import Section, Written, written
from alerts.values import Values, clock_text, values_of
from config.models import Config
from config.texts import LETTER
from metrics.periods import WEEK, local_date, week_of
from metrics.words import day as day_text
from metrics.words import number
from store.records import Case, CaseState

Kind = Literal["daily", "weekly"]
BACK = "back"
"""The step of an item about a case that is over."""
ORDER = (Rule.PIPELINE, Rule.TOKEN, Rule.SOURCE, Rule.QUIET, Rule.FIGURE, Rule.TARGET, Rule.SUSPECT)
"""What cannot wait stands first: a message cut for a phone loses its end."""
SECOND = timedelta(seconds=1)
"""A snooze ends with a local day: its last day is the one before its end."""
MOST = 30
"""So many sentences of one rule are read; the rest is a number."""


@dataclass(frozen=True)
class _Reader:
    """One receiver on one day: everything that sentences need besides the facts of a case."""

    slug: str
    config: Config
    day: date
    values: Values

    @property
    def role(self) -> str:
        return self.config.alerts.receivers[self.slug].role

    def letter(self, key: str, **more: str) -> str:
        return self.config.texts.fill(LETTER, key, self.role, {**self.values, **more})

    def about(self, rule: str, key: str, facts: Mapping[str, Any]) -> str:
        values = values_of(rule, facts, self.config, self.day)
        return self.config.texts.fill(rule, _wording_of(rule, key, facts), self.role, values)

    def says(self, rule: Rule, key: str, **values: str) -> str:
        return self.config.texts.fill(rule, key, self.role, values)

    def at_most(self, rule: Rule, lines: Sequence[str]) -> list[str]:
        """The first lines about a rule, and how many more there are."""
        more = [self.says(rule, "more", so_con_lai=number(len(lines) - MOST))] if len(lines) > MOST else []
        return [*lines[:MOST], *more]


def letter_of(
    receiver: str,
    items: Sequence[Item],
    open_cases: Sequence[Case],
    config: Config,
    kind: Kind,
    *,
    key: str,
    now: datetime,
) -> Written:
    """The digest of one receiver on the local day of `now`, in his role's words, ending with its key.

    *open_cases* is what a weekly digest lists besides the items; cases that are an item already are not said twice.
    Without both it is the short line that all is well.
    """
    known = {item.case.id for item in items}
    rest = [case for case in open_cases if case.id not in known and case.state is not CaseState.RESOLVED]
    told = [item for item in items if item.step != BACK]
    only_back = bool(items) and not told and kind == "daily"
    counts = {"so_viec": number(len(items if only_back else told)), "so_mo": number(len(rest))}
    reader = _reader(receiver, config, now, counts)
    state = "back" if only_back else kind
    opening = reader.letter(f"intro-{state}" if items or rest else "all-well")
    sections = [Section([reader.letter("greeting"), opening]), *_told(reader, told), *_back(reader, items)]
    sections += _still_open(reader, rest)
    return _written(reader, f"subject-{state}", [*sections, _foot(reader, told, rest, key)])


def trial_letter(receiver: str, config: Config, *, key: str, now: datetime) -> Written:
    """A message that only tries the way to a receiver."""
    reader = _reader(receiver, config, now, {"so_viec": "0", "so_mo": "0"})
    sections = [Section([reader.letter("greeting"), reader.letter("trial")]), Section([reader.letter("key", ma=key)])]
    return _written(reader, "subject-trial", sections)


def _reader(receiver: str, config: Config, now: datetime, counts: Mapping[str, str]) -> _Reader:
    zone = config.district.tz
    day, whose = local_date(now, zone), config.alerts.receivers[receiver]
    week = week_of(day - WEEK, zone).title()
    unit = config.units.get(whose.unit or "")
    values: Values = {
        **counts,
        "co_quan": config.district.organisation.name,
        "noi_nhan": whose.name,
        "don_vi": unit.name if unit else None,
        "ngay": day_text(day),
        "tuan": week[0].lower() + week[1:],
        "lien_he": config.district.organisation.contact,
        "luc": clock_text(now, config),
    }
    return _Reader(receiver, config, day, values)


def _written(reader: _Reader, subject: str, sections: Sequence[Section]) -> Written:
    return written(reader.letter(subject), sections, illustration=reader.config.district.organisation.illustration)


def _wording_of(rule: str, key: str, facts: Mapping[str, Any]) -> str:
    """The sentence for a step. Three have their own, whatever the step: a consent without an end, a dead network, and
    messages that reach nobody."""
    if key != BACK and rule == Rule.TOKEN and not facts.get("ends"):
        return "refused"
    if key != BACK and rule == Rule.PIPELINE and facts.get("detail") in {"network", "outbox"}:
        return str(facts["detail"])
    return key


def _told(reader: _Reader, items: Sequence[Item]) -> list[Section]:
    """One section for each rule; the highest step first, then what lasts longest. A unit needs no headings."""
    ordered = sorted(items, key=lambda item: (-_step(reader, item), *_age(item.case)))
    sections = []
    for rule in _rules(item.case for item in ordered):
        lines = [reader.about(rule, item.step, item.facts) for item in ordered if item.case.rule == rule]
        heading = "" if reader.role == "unit" else reader.says(rule, "heading")
        sections.append(Section(reader.at_most(rule, lines), heading))
    return sections


def _rules(cases: Iterable[Case]) -> list[Rule]:
    """The rules that these cases are about, in the order in which they are told."""
    there = {case.rule for case in cases}
    return [rule for rule in ORDER if rule in there]


def _step(reader: _Reader, item: Item) -> int:
    ladder = reader.config.alerts.ladders[Rule(item.case.rule).value]
    return next((at for at, step in enumerate(ladder) if step.name == item.step), 0)


def _age(case: Case) -> tuple[datetime, str]:
    return case.since, case.subject


def _back(reader: _Reader, items: Sequence[Item]) -> list[Section]:
    over = sorted((item for item in items if item.step == BACK), key=lambda item: _age(item.case))
    lines: list[str] = []
    for rule in _rules(item.case for item in over):
        own = [reader.about(rule, BACK, item.facts) for item in over if item.case.rule == rule]
        lines += reader.at_most(rule, own)
    heading = "" if reader.role == "unit" else reader.letter("back-heading")
    return [Section(lines, heading)] if lines else []


def _still_open(reader: _Reader, cases: Sequence[Case]) -> list[Section]:
    ordered = sorted(cases, key=_age)
    lines: list[str] = []
    for rule in _rules(ordered):
        lines += reader.at_most(rule, [_open_line(reader, case) for case in ordered if case.rule == rule])
    return [Section(lines, reader.letter("open-heading"))] if lines else []


def _open_line(reader: _Reader, case: Case) -> str:
    line = reader.about(case.rule, "open", case.facts)
    mark = _mark(reader, case)
    return f"{line.removesuffix('.')} {mark}." if mark else line


def _mark(reader: _Reader, case: Case) -> str:
    if case.state is CaseState.ACKNOWLEDGED:
        return reader.letter("acknowledged")
    if case.state is CaseState.SNOOZED and case.snoozed_until:
        until = local_date(case.snoozed_until - SECOND, reader.config.district.tz)
        return reader.letter("snoozed", han=day_text(until))
    return ""


def _foot(reader: _Reader, told: Sequence[Item], rest: Sequence[Case], key: str) -> Section:
    """What to do next, how old the figures are, and the key by which a second copy is known."""
    listed = [case.rule for case in rest], [item.case.rule for item in told]
    is_cut = any(count > MOST for rules in listed for count in Counter(rules).values())
    lines = [reader.letter("see-all")] if is_cut else []
    lines += [reader.letter("next")] if told or rest else []
    return Section([*lines, reader.letter("cut-off"), reader.letter("key", ma=key)])
