"""What a stored check said, put back into the answers that it was: protected, and explained step by step.

Nothing is measured again: the arithmetic is told from the facts and inputs that were kept with the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterator, Sequence
from datetime import date, datetime
from threading import Lock

import orjson
import pandas as pd

from config.models import Config
from config.plan_models import Plan, Row
from dashboards.desk import Checked, Duty, Target
from metrics.asking import Ask
from metrics.periods import Period, local_date
from metrics.rows import rows_of
from pipeline.duties import DUTIES, duties_of
from pipeline.explaining import explain
from pipeline.few import protected
from pipeline.judgement import Answer, Judgement
from pipeline.problems import UserError
from pipeline.questions import CADENCE, MEASURED, MEETING, REPORTED, Moment, Question, measure_of, questions_of
from store.records import Said, Week
from store.verbs import Store

MOST_KNOWN = 8
WORDS = ("target", "subject", "status", "low")
SAID = (
    "plan", "as_of", "target", "subject", "period_start", "period_end", "turn", "status", "low", "high", "goal",
    "sentence", "facts", "digest", "inputs",
)  # fmt: skip
WEEKLY = (*CADENCE, MEETING)
"""Indicators that are judged for the week that is asked for."""


class Memory:
    """The last few answers about reported figures, as long as nothing is written."""

    def __init__(self, mark: Callable[[], Hashable]) -> None:
        self._ask, self._lock = mark, Lock()
        self._mark: Hashable = None
        self._known: dict[Hashable, dict[str, list[Said]]] = {}

    def find(self, key: Hashable, read: Callable[[], dict[str, list[Said]]]) -> dict[str, list[Said]]:
        """What is known under a key, else what is read now."""
        mark = self._ask()
        with self._lock:
            if mark != self._mark or len(self._known) >= MOST_KNOWN:
                self._known, self._mark = {}, mark
            if key not in self._known:
                self._known[key] = read()
            return self._known[key]


class Answers:
    """The newest check of one plan for one week, as it is known at a moment."""

    def __init__(self, store: Store, plan: Plan, week: Period, now: datetime, memory: Memory | None = None) -> None:
        self.store, self.plan, self.week, self.now = store, plan, week, now
        self._memory = memory

    def checked(self, rows: Collection[str] | None, subjects: Collection[str] | None) -> Checked:
        wanted = [row for row in self.plan.rows.values() if rows is None or row.id in rows]
        measured = [row for row in wanted if row.indicator in MEASURED]
        answers = protected(Judgement(list(self._answers(measured, subjects)), [], None)).answers
        targets = [_target(one, subjects) for one in answers]
        return Checked(self.plan, self.week, tuple(targets), tuple(self._duties(wanted)))

    def words(self, rows: Collection[str]) -> pd.DataFrame:
        """What one needs to sort many subjects by; a ratio of reported persons is left out."""
        wanted = [self.plan.rows[row] for row in rows]
        frame = self._frame(wanted, None, WORDS)
        reported = [row.id for row in wanted if row.indicator in REPORTED]
        return frame.assign(low=frame["low"].mask(frame["target"].isin(reported)))

    def explained(self, config: Config, row: str, subject: str | None) -> list[str]:
        """UserError when the row was not answered, or not for this subject."""
        asked = self.plan.rows[row]
        alone = self.plan.model_copy(update={"rows": {row: asked}})
        if asked.indicator in DUTIES:
            return list(explain(self._duty_judgement(config, alone), self.store, config, row, None))
        said = self._said([asked], None, with_inputs=True).get(row, [])
        if not said:
            raise UserError(f"Tuần này chưa được đối chiếu với dòng «{row}». Đề nghị chạy «nhip check».")
        moment = Moment(config, _newest(said), self.week, self.store.figures(_newest(said)))
        (question,) = questions_of(alone, moment)
        answers = protected(Judgement([_answer(question, said)], [], None))
        return list(explain(answers, self.store, config, row, subject))

    def _duty_judgement(self, config: Config, alone: Plan) -> Judgement:
        moment = Moment(config, min(self.now, self.week.end_at), self.week, self.store.figures(self.now))
        return Judgement([], duties_of([alone], moment, self.store), None)

    def _answers(self, rows: Sequence[Row], subjects: Collection[str] | None) -> Iterator[Answer]:
        """What may be shown of reported figures hangs on the figures of all units: these are always read whole."""
        reported = [row for row in rows if row.indicator in REPORTED]
        others = [row for row in rows if row.indicator not in REPORTED]
        said = self._reported(reported) | self._said(others, None if subjects is None else {"", *subjects})
        for row in rows:
            found = said.get(row.id, [])
            yield _answer(self._question(row), found) if found else _unanswered(self._question(row))

    def _reported(self, rows: Sequence[Row]) -> dict[str, list[Said]]:
        """What was said of all units; read once for each state of the data."""
        if self._memory is None or not rows:
            return self._said(rows, None)
        key = (self.plan.slug, self.week, local_date(self.now, self.week.zone), tuple(row.id for row in rows))
        return self._memory.find(key, lambda: self._said(rows, None))

    def _question(self, row: Row) -> Question:
        """As much of the question as protection has to know."""
        kind = "count" if row.indicator == "reported_growth" else "share"
        found = measure_of(row, kind) if row.indicator in REPORTED else None
        ask = Ask(self.week, measure=found[0] if found else "")
        return Question(self.plan, row, (ask,), self.week, self.now, None)

    def _duties(self, rows: Sequence[Row]) -> Iterator[Duty]:
        own = [row for row in rows if row.indicator in DUTIES]
        said = self._said(own, None)
        for row in own:
            for one in said.get(row.id, []):
                yield Duty(row, date.fromisoformat(one.subject) if one.subject else None, one)

    def _said(
        self, rows: Sequence[Row], subjects: Collection[str] | None, *, with_inputs: bool = False
    ) -> dict[str, list[Said]]:
        """What was kept, by row. The inputs are half of it, and told by an explanation alone."""
        if not rows:
            return {}
        told: dict[str, list[Said]] = {}
        for one in _all_said(self._frame(rows, subjects, SAID if with_inputs else SAID[:-1])):
            told.setdefault(one.target, []).append(one)
        return told

    def _frame(self, rows: Sequence[Row], subjects: Collection[str] | None, columns: Sequence[str]) -> pd.DataFrame:
        week = Week(self.week.start, self.week.end, self.week.start_at, self.week.end_at)
        weekly = [row.id for row in rows if row.indicator in WEEKLY]
        ids = [row.id for row in rows]
        return self.store.checked_progress(
            self.plan.slug, ids, week, self.now, weekly=weekly, subjects=subjects, columns=columns
        )


def _all_said(frame: pd.DataFrame) -> Iterator[Said]:
    for one in rows_of(frame):
        days = {name: one[name].date() for name in ("period_start", "period_end")}
        parts = {"facts": orjson.loads(one["facts"]), "inputs": orjson.loads(one.get("inputs", "[]"))}
        yield Said(**one | days | parts | {"as_of": one["as_of"].to_pydatetime(), "turn": int(one["turn"])})


def _newest(said: Sequence[Said]) -> datetime:
    return max(one.as_of for one in said)


def _answer(question: Question, said: Sequence[Said]) -> Answer:
    line = next((one for one in said if not one.subject), said[0])
    return Answer(question, line, tuple(one for one in said if one.subject))


def _unanswered(question: Question) -> Answer:
    """Stands for a row without an answer while the others are protected."""
    plan, row, week = question.plan.slug, question.row.id, question.period
    line = Said(plan, row, "", week.start, week.end, question.as_of, "", None, None, None, "", {}, [], "", turn=0)
    return Answer(question, line, ())


def _target(answer: Answer, subjects: Collection[str] | None) -> Target:
    shown = [one for one in answer.subjects if subjects is None or one.subject in subjects]
    return Target(answer.question.row, answer.line if answer.line.turn else None, tuple(shown))
