"""Sheets about what the plans promise: the targets, growing channels, reported shares, websites."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

import pandas as pd

from config.plan_models import Plan
from dashboards.charts import Aim, Mark, MarkKind
from metrics.asking import Why
from metrics.breaks import breaks
from metrics.forecast import daily_matrix
from metrics.periods import Period, midnight
from metrics.words import WORDS, Status
from pipeline.figure_words import KEPT_BACK
from pipeline.judgement import Answer, Judgement
from pipeline.year_asked import SECOND, Year
from pipeline.year_sheets import Sheet, Words, channel_names, cited, paper, platforms_of, sheet, unit_names
from store.records import Said

REPORTS = "báo cáo của đơn vị"
MEASURED = "hệ thống đọc các kênh, báo cáo của đơn vị"
NOTHING = (Why.NOT_REPORTED, Why.NO_CHANNEL, Why.NO_MEMBERS)
"""Reasons for which there is no value, whatever bounds stand in the answer."""
COUNTS = {"followers": "Lượt theo dõi", "likes": "Lượt thích"}
SITES = ("state", "idle_days", "posts", "looks", "answered")


def sheets_of_plans(year: Year, found: Judgement) -> Iterator[Sheet]:
    """Plan by plan; a plan of which nothing is measured has none."""
    points = _points(year, found)
    for plan in year.plans:
        own = [one for one in found.answers if one.question.plan is plan]
        targets = [one for one in own if one.question.row.is_target]
        if targets:
            yield tiles(year, plan, targets)
        yield from growth(year, plan, own, points)
        yield from shares(year, plan, own)
        yield from sites(year, plan, own)


# --- targets -----------------------------------------------------------------------------------------------------


def tiles(year: Year, plan: Plan, answers: Sequence[Answer]) -> Sheet:
    rows = [_tile(one) for one in answers]
    frame = pd.DataFrame(rows).astype(dict.fromkeys(("low", "high", "goal", "expected"), "Float64"))
    words = Words(f"Chỉ tiêu năm {year.number}: {paper(plan)}", MEASURED, paper(plan))
    return sheet(year, f"tiles/{plan.slug}", frame, words, plan=plan.slug)


def _tile(answer: Answer) -> dict[str, Any]:
    """A target that every subject must reach is told as how many did."""
    row, line = answer.question.row, answer.line
    facts = line.facts
    said = {"clause": row.clause, "title": row.title, "status": line.status}
    if facts.get("why") in NOTHING:
        return said | {"low": None, "high": None, "goal": line.goal, "expected": None, "counts": False}
    if line.low is None and facts.get("reached") is not None:
        numbers = {"low": facts["reached"], "high": facts["reached"], "goal": facts["wanted"], "expected": None}
        return said | numbers | {"title": f"{row.title} (số kênh đạt)", "counts": True}
    numbers = {"low": line.low, "high": line.high, "goal": line.goal, "expected": facts.get("expected")}
    return said | numbers | {"counts": False}


# --- growing channels --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Grown:
    """What was said of one count of one channel in one row."""

    answer: Answer
    said: Said

    @property
    def channel(self) -> str:
        return str(self.said.facts["channel"])

    @property
    def base_day(self) -> date:
        return date.fromisoformat(str(self.said.facts["base_day"])[:10])

    @property
    def kind(self) -> tuple[bool, str, float, date, date]:
        """What one chart can show together."""
        units = not self.answer.question.row.scope.channels
        goal, period = self.said.goal or 0.0, self.answer.question.period
        return units, str(self.said.facts["count"]), goal, period.start, period.end


def growth(year: Year, plan: Plan, answers: Sequence[Answer], points: pd.DataFrame) -> Iterator[Sheet]:
    """The channels that the plan names, and those of the units, each from its baseline."""
    grown = sorted(_grown(answers), key=lambda one: one.kind)
    for (units, count, *_), group in groupby(grown, key=lambda one: one.kind):
        yield _growing(year, plan, list(group), points, f"{'units' if units else 'named'}-{count}")


def _grown(answers: Sequence[Answer]) -> Iterator[Grown]:
    for answer in answers:
        if answer.question.row.indicator == "audience_growth":
            yield from (Grown(answer, one) for one in answer.subjects if _has_base(one))


def _has_base(said: Said) -> bool:
    return bool(said.facts.get("channel") and said.facts.get("base_value") and said.facts.get("base_day"))


def _growing(year: Year, plan: Plan, grown: Sequence[Grown], points: pd.DataFrame, part: str) -> Sheet:
    first, config = grown[0], year.config
    names, channels = channel_names(config), list(dict.fromkeys(one.channel for one in grown))
    count = str(first.said.facts["count"])
    window = Period(min(one.base_day for one in grown), year.days.end, year.zone)
    own = points[points["channel"].isin(channels)]
    matrix = daily_matrix(own, pd.Index(channels), count, window)
    shown = [names.get(slug, slug) for slug in channels]
    frame = pd.DataFrame(matrix.T, index=pd.DatetimeIndex(window.days()), columns=shown)
    whose = "các kênh của đơn vị" if part.startswith("units") else "các kênh nêu trong kế hoạch"
    rows = [one.answer.question.row for one in grown]
    words = Words(f"{COUNTS[count]} so với mốc: {whose}", platforms_of(config, channels), cited(plan, rows))
    key = f"audience/{plan.slug}/{part}/{first.said.period_end}"
    return sheet(year, key, frame, words, _aim(year, grown, window), plan.slug)


def _aim(year: Year, grown: Sequence[Grown], window: Period) -> Aim:
    names, first = channel_names(year.config), grown[0].said
    facts = {names.get(one.channel, one.channel): one.said.facts for one in grown}
    foreseen = {
        name: (fact["forecast_low"], fact["forecast_high"])
        for name, fact in facts.items()
        if fact.get("forecast_low") is not None and not year.is_over
    }
    platforms = sorted({year.config.channels[one.channel].platform for one in grown})
    count = str(first.facts["count"])
    found = [one for platform in platforms for one in breaks(platform, count, window.start, window.end)]
    return Aim(
        goal=first.goal,
        period=grown[0].answer.question.period,
        today=window.last,
        bases={name: fact["base_value"] for name, fact in facts.items()},
        forecasts=foreseen,
        marks=[Mark(one.day, "đổi cách đếm", MarkKind.BREAK, one.sentence) for one in found],
        noun=COUNTS[count].lower(),
    )


def _points(year: Year, found: Judgement) -> pd.DataFrame:
    """The counts of every channel that some row asks about, since the first baseline, read once."""
    grown = list(_grown(found.answers))
    first = min((one.base_day for one in grown), default=year.days.last)
    channels = sorted({one.channel for one in grown})
    return year.store.series(midnight(first, year.zone), year.until + SECOND, channels)


# --- reported shares ---------------------------------------------------------------------------------------------


def shares(year: Year, plan: Plan, answers: Sequence[Answer]) -> Iterator[Sheet]:
    """One for each row that units report a share for; what is about a few persons is kept back."""
    for answer in answers:
        if answer.question.row.indicator == "reported_share" and answer.question.asks:
            yield _share(year, plan, answer)


def _share(year: Year, plan: Plan, answer: Answer) -> Sheet:
    names, row = unit_names(year.config), answer.question.row
    rows = [_reported(one, names.get(one.subject, "")) for one in (answer.line, *answer.subjects)]
    frame = pd.DataFrame(rows).astype(
        dict.fromkeys(("numerator", "denominator"), "Int64") | dict.fromkeys(("shown", "low", "high"), "Float64")
    )
    told = answer.question.asks[0].period.title()
    words = Words(f"{row.title} ({told[:1].lower()}{told[1:]})", REPORTS, cited(plan, [row]))
    return sheet(year, f"share-bounds/{plan.slug}/{row.id}", frame, words, Aim(goal=answer.question.goal), plan.slug)


def _reported(said: Said, name: str) -> dict[str, Any]:
    facts = said.facts
    numbers = {part: facts.get(part) for part in ("numerator", "denominator", "shown")}
    hidden = "shown" not in facts and said.digest == ""
    note = "" if numbers["shown"] is not None else KEPT_BACK if hidden else WORDS[Status(said.status)].lower()
    return {"unit": name, "subject": said.subject} | numbers | {"low": said.low, "high": said.high, "note": note}


# --- websites ----------------------------------------------------------------------------------------------------


def sites(year: Year, plan: Plan, answers: Sequence[Answer]) -> Iterator[Sheet]:
    """One for each different list of websites; several rows of a plan often ask about the same."""
    rows = [one for one in answers if one.question.row.indicator == "site_presence" and one.subjects]
    for place, group in enumerate(_by_list(rows), start=1):
        asked = [one.question.row for one in group]
        words = Words("Trang thông tin điện tử đến ngày chốt số liệu", "hệ thống đọc các trang", cited(plan, asked))
        names = channel_names(year.config)
        facts = [{"channel": names.get(one.subject, one.subject)} | _site(one) for one in group[0].subjects]
        frame = pd.DataFrame(facts).astype(dict.fromkeys(SITES[1:], "Int64"))
        yield sheet(year, f"site-presence/{plan.slug}/{place}", frame, words, plan=plan.slug)


def _site(said: Said) -> dict[str, Any]:
    return {name: said.facts.get(name) for name in SITES}


def _by_list(rows: Sequence[Answer]) -> list[list[Answer]]:
    lists: dict[tuple[str, ...], list[Answer]] = {}
    for one in rows:
        lists.setdefault(tuple(said.subject for said in one.subjects), []).append(one)
    return list(lists.values())
