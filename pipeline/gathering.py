"""The few frames that all questions together need, each asked of the store once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pandas as pd

from config.models import Calendar, Config
from metrics.asking import Ask, Facts, Measured
from metrics.cadence import Known, cadence
from metrics.forecast import WINDOW_DAYS
from metrics.indicators import INDICATORS
from metrics.periods import DAY, Period, midnight
from pipeline.lately import Lately, Stretch
from pipeline.questions import CADENCE, GROWTH, MEETING, PRESENCE, REPORTED, Moment, Question
from store.verbs import Store

if TYPE_CHECKING:
    from datetime import date

WINDOW = timedelta(days=WINDOW_DAYS + 1)
PRESENCE_WINDOW = timedelta(days=32)
MOST_FORECAST = 1000
"""With more channels than this only those that a plan names get a forecast, which needs 90 days (docs: performance)."""


class Gathered:
    """What may be looked at to answer some questions. Nothing is read before it is needed, and nothing twice."""

    def __init__(self, store: Store, moment: Moment, questions: Sequence[Question]) -> None:
        self.store, self.moment, self.config = store, moment, moment.config
        self.questions = questions
        self._at: dict[datetime, Facts] = {}
        self._cells: dict[tuple[Period, str, str], pd.DataFrame] = {}
        self._measured: dict[tuple[object, ...], Measured] = {}
        self._known: dict[Period, Known] = {}
        self._lately = Lately(store, moment.as_of, _stretches_of(questions))

    def measured(self, question: Question, ask: Ask) -> Measured:
        """What the indicator of a question finds; plans that ask the same get the same answer."""
        reckoning = question.reckoning
        variant = (reckoning.due_days, reckoning.content)
        key = (question.row.indicator, question.as_of, variant, repr(ask))
        if key not in self._measured:
            self._measured[key] = INDICATORS[question.row.indicator].measure(self.facts(question), ask)
        return self._measured[key]

    def facts(self, question: Question) -> Facts:
        """Everything that the indicator of a question may read, as it was known then."""
        name = question.row.indicator
        if name in CADENCE:
            return Facts(self.config, question.as_of, cells=self.cells(question))
        if name in REPORTED or name == MEETING:
            return Facts(self.config, question.as_of, figures=self.moment.figures)
        if question.as_of not in self._at:
            self._at[question.as_of] = self._look_around(question.as_of)
        return self._at[question.as_of]

    def cells(self, question: Question) -> pd.DataFrame:
        """The cells of the motto, with or without rest days and shared posts as the plan understands it."""
        reckoning = question.reckoning
        days, content = reckoning.due_days or "without_rest_days", reckoning.content or "own"
        key = (question.period, days, content)
        if key not in self._cells:
            known = self._motto(question.period)
            if content == "own_or_shared":
                known = replace(known, posts=known.posts.assign(is_share=False))
            config = _without_rest(self.config) if days == "every_day" else self.config
            self._cells[key] = cadence(config, question.period, known, self.moment.as_of)
        return self._cells[key]

    def _motto(self, period: Period) -> Known:
        if period not in self._known:
            self._known[period] = self._lately.known(period)
        return self._known[period]

    def _look_around(self, as_of: datetime) -> Facts:
        """Counts at the baselines and lately, posts and looks of the last month."""
        asked = [one for one in self.questions if one.as_of == as_of]
        daily = self._daily(asked, as_of)
        points = self._points(asked, as_of, daily)
        month = _month_before(as_of)
        looks, posts = self._lately.looks(*month), self._lately.posts(*month)
        return Facts(self.config, as_of, points=points, daily=daily, looks=looks, posts=posts)

    def _daily(self, asked: Iterable[Question], as_of: datetime) -> pd.DataFrame:
        channels = _channels_of(asked)
        if len(channels) > MOST_FORECAST:
            channels = _channels_of(one for one in asked if one.row.scope.channels)
        return self.store.series(as_of - WINDOW, as_of + timedelta(seconds=1), sorted(channels))

    def _points(self, asked: Sequence[Question], as_of: datetime, daily: pd.DataFrame) -> pd.DataFrame:
        days = _base_days(asked)
        moments = [midnight(day + DAY, self.config.district.tz) for day in days]
        channels = sorted(_channels_of(asked))
        found = self.store.value_at([*moments, as_of], channels).dropna(subset=["observed_at"])
        parts = [found.drop(columns="moment").assign(suspect=0), daily]
        parts += [self._after(moment, count, channels, found) for moment in moments for count in _counts_of(asked)]
        full = [part for part in parts if len(part)]
        return pd.concat(full, ignore_index=True) if full else daily

    def _after(self, moment: datetime, count: str, channels: list[str], found: pd.DataFrame) -> pd.DataFrame:
        """The first values of channels that nobody knew at a baseline."""
        known = found.loc[(found["moment"] == pd.Timestamp(moment)) & found[count].notna(), "channel"]
        unknown = sorted(set(channels) - set(known))
        return self.store.first_after(moment, count, unknown)


def _stretches_of(questions: Iterable[Question]) -> Iterator[Stretch]:
    """The times whose posts and looks some question is about."""
    for one in questions:
        if one.row.indicator in CADENCE:
            weeks = one.period.with_whole_weeks()
            yield weeks.start_at, weeks.end_at
        elif one.row.indicator in (*GROWTH, *PRESENCE):
            yield _month_before(one.as_of)


def _month_before(as_of: datetime) -> Stretch:
    """Up to and with a moment, in whole seconds as they are stored."""
    last = as_of.replace(microsecond=0)
    return last - PRESENCE_WINDOW, last + timedelta(seconds=1)


def _growing(asked: Iterable[Question]) -> list[Question]:
    return [one for one in asked if one.row.indicator in GROWTH]


def _channels_of(asked: Iterable[Question]) -> set[str]:
    return {slug for one in _growing(asked) for ask in one.asks for slug in ask.channels or ()}


def _base_days(asked: Iterable[Question]) -> list[date]:
    return sorted({ask.baseline_day for one in _growing(asked) for ask in one.asks if ask.baseline_day})


def _counts_of(asked: Iterable[Question]) -> list[str]:
    return sorted({ask.count for one in _growing(asked) for ask in one.asks})


def _without_rest(config: Config) -> Config:
    """The same district where every day is due."""
    kinds = {slug: kind.model_copy(update={"breaks": ()}) for slug, kind in config.district.kinds.items()}
    calendar = Calendar(public_holidays=False)
    return replace(config, district=config.district.model_copy(update={"calendar": calendar, "kinds": kinds}))
