"""How every measurable row of the plans stands at a moment: asked, judged, said in one sentence, and kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
import pandas as pd

from config.plan_models import Plan
from metrics import telling
from metrics.asking import Measured, Why
from metrics.indicators import INDICATORS, Indicator
from metrics.pace import Pace
from metrics.periods import local_date
from metrics.progress import Target, progress
from metrics.rhythm import in_total
from metrics.words import WORDS, Status, number
from pipeline.duties import DutyAnswer, duties_of
from pipeline.gathering import Gathered
from pipeline.plain import digest_of, plain_rows
from pipeline.questions import CADENCE, MEETING, PRESENCE, Moment, Question, questions_of
from store.records import Said
from store.verbs import Store

WORST_FIRST = (
    Status.NOT_MET,
    Status.AT_RISK,
    Status.BEHIND,
    Status.OVERDUE,
    Status.FAILED,
    Status.UNDECIDED,
    Status.NOT_REPORTED,
    Status.TOO_LITTLE,
    Status.NOT_DUE,
    Status.RESTING,
    Status.ON_PACE,
    Status.MET,
    Status.SHOWN,
)
GOOD = {Status.MET, Status.ON_PACE}
OPEN = {Status.FAILED, Status.UNDECIDED, Status.NOT_REPORTED, Status.TOO_LITTLE, Status.NOT_DUE, Status.RESTING}
SHARES_OF_SUBJECTS = (*CADENCE, *PRESENCE)
"""Indicators whose total is the share of subjects that reach theirs."""
NO_FORM = "Chưa có biểu số liệu để đơn vị báo cáo dòng này; đề nghị thống nhất cách lấy số liệu."
NOT_DECIDING = "Dòng này chỉ để tham khảo, vì đang tính liên kết với một kênh bất kỳ là đủ."


@dataclass(frozen=True)
class Answer:
    """One row of a plan, answered: the line of the target, and the answers of its subjects."""

    question: Question
    line: Said
    subjects: tuple[Said, ...]


@dataclass(frozen=True)
class Judgement:
    """All answers, in clause order plan by plan, and the cells of the motto they rest on (None: no plan asks)."""

    answers: list[Answer]
    duties: list[DutyAnswer]
    cells: pd.DataFrame | None


def judge(plans: Sequence[Plan], moment: Moment, store: Store) -> Judgement:
    """Every measurable row and every duty of the plans. What was said before of the same inputs is repeated."""
    questions = [question for plan in plans for question in questions_of(plan, moment)]
    gathered = Gathered(store, moment, questions)
    answers: dict[tuple[str, str], Answer] = {}
    for question in sorted(questions, key=lambda one: one.row.indicator == MEETING):
        plan, row = question.plan.slug, question.row
        parts = [answers[plan, name] for name in row.of if (plan, name) in answers]
        answers[plan, row.id] = _meeting(question, parts) if row.indicator == MEETING else _answer(question, gathered)
    duties = duties_of(plans, moment, store)
    cadence = next((one for one in questions if one.row.indicator in CADENCE), None)
    cells = None if cadence is None else gathered.cells(cadence)
    return Judgement(*_kept(store, [answers[one.plan.slug, one.row.id] for one in questions], duties), cells)


def _kept(
    store: Store, answers: Sequence[Answer], duties: Sequence[DutyAnswer]
) -> tuple[list[Answer], list[DutyAnswer]]:
    said = [said for one in answers for said in (one.line, *one.subjects)]
    standing = iter(store.keep_progress([*said, *(one.said for one in duties)]))
    kept = [replace(one, line=next(standing), subjects=tuple(next(standing) for _ in one.subjects)) for one in answers]
    return kept, [replace(one, said=next(standing)) for one in duties]


def _answer(question: Question, gathered: Gathered) -> Answer:
    indicator = _indicator(question)
    measured = [gathered.measured(question, ask) for ask in question.asks]
    rows = [one.rows for one in measured]
    subjects = _judged(question, _merged(measured), indicator) if any(len(one) for one in rows) else ()
    if not subjects:
        return Answer(question, _unanswered(question), ())
    if question.whole == "alone" and len(subjects) == 1:
        return Answer(question, replace(subjects[0], subject=""), subjects)
    if question.whole == "total":
        whole = in_total(rows[0]) if question.row.indicator in SHARES_OF_SUBJECTS else _total(question, gathered)
        return Answer(question, _line(question, whole, subjects, indicator), subjects)
    return Answer(question, rolled_up(question, subjects), subjects)


def _indicator(question: Question) -> Indicator:
    """The indicator of a row; channels that a plan names are told as channels, not as units that have one."""
    found = INDICATORS[question.row.indicator]
    if question.row.indicator == "channel_presence" and question.asks[0].by == "channel":
        return replace(found, tell=lambda row: telling.channels(row).replace("đơn vị có kênh", "kênh"))
    return found


def _total(question: Question, gathered: Gathered) -> pd.DataFrame:
    return gathered.measured(question, replace(question.asks[0], by="total")).rows


def _merged(measured: Sequence[Measured]) -> Measured:
    """The answers for several counts; of a channel that shows only one of them, that one."""
    if len(measured) == 1:
        return measured[0]
    rows = pd.concat([one.rows for one in measured], ignore_index=True)
    known = rows["now_value"].notna()
    wanted = known | ~rows["subject"].isin(rows.loc[known, "subject"])
    rows = rows[wanted].drop_duplicates(["subject", "count"] if known.any() else ["subject"], ignore_index=True)
    inputs = pd.concat([one.inputs for one in measured], ignore_index=True)
    return Measured(rows, inputs.drop_duplicates(["subject", "role", "ref", "at", "value"], ignore_index=True))


def _judged(question: Question, measured: Measured, indicator: Indicator) -> tuple[Said, ...]:
    """What is to be said of every subject."""
    inputs: dict[str, list[dict[str, Any]]] = {}
    for one in plain_rows(measured.inputs):
        inputs.setdefault(one["subject"], []).append(one)
    return tuple(_said(question, measured.rows, indicator, inputs))


def _said(
    question: Question, rows: pd.DataFrame, indicator: Indicator, inputs: dict[str, list[dict[str, Any]]]
) -> Iterator[Said]:
    today = local_date(question.as_of, question.period.zone)
    target = Target(None if indicator.proxy else question.goal, indicator.pace, question.deadline)
    judged = progress(rows, target, question.period, today).astype({"status": str})
    sentences, names = telling.sentences(judged, indicator.tell), list(map(str, rows))
    for facts, sentence in zip(plain_rows(judged), sentences, strict=True):
        measured = {name: facts[name] for name in names}
        used = sorted(inputs.get(facts["subject"], []), key=orjson.dumps)
        yield _as_said(question, _subject(facts, question), facts, measured, used, sentence)


def _subject(facts: dict[str, Any], question: Question) -> str:
    """Who the answer is about; where one name stands for several counts or platforms, with that."""
    more = [facts.get("count", "") if len(question.asks) > 1 else ""]
    more.append(facts.get("platform", "") if question.asks and question.asks[0].by != "channel" else "")
    return "/".join(part for part in (facts["subject"], *more) if part)


def _as_said(
    question: Question,
    subject: str,
    facts: dict[str, Any],
    measured: object,
    inputs: list[dict[str, Any]],
    sentence: str,
) -> Said:
    period, plan, row = question.period, question.plan.slug, question.row.id
    basis = [plan, row, subject, period.start, period.end, question.goal, measured, inputs]
    today = local_date(question.as_of, period.zone)
    digest = digest_of([*basis, today])
    low, high = facts.get("low"), facts.get("high")
    return Said(
        plan, row, subject, period.start, period.end, question.as_of, facts["status"], low, high, question.goal,
        sentence, facts, inputs, digest,
    )  # fmt: skip


def _line(question: Question, total: pd.DataFrame, subjects: Sequence[Said], indicator: Indicator) -> Said:
    """The target as a whole, from its own measuring; what went in are the answers of the subjects."""
    (said,) = _said(question, total, indicator, {"": _references(subjects)})
    return replace(said, subject="")


def _references(subjects: Sequence[Said]) -> list[dict[str, Any]]:
    return [{"role": "subject", "ref": one.subject, "digest": one.digest, "status": one.status} for one in subjects]


def rolled_up(question: Question, subjects: Sequence[Said]) -> Said:
    """Every subject must reach the goal: the worst word that is sure stands for all of them."""
    judged = [one for one in subjects if one.facts["why"] != Why.NEW] or list(subjects)
    counts = Counter(Status(one.status) for one in judged)
    status = next(word for word in WORST_FIRST if counts[word])
    known = sum(number for word, number in counts.items() if word not in OPEN)
    facts = {
        "status": status.value,
        "why": "",
        "reached": sum(counts[word] for word in GOOD),
        "wanted": len(judged),
        "known": known,
        "coverage": known / len(judged),
        "failed": any(one.facts["failed"] for one in judged),
        "target": question.goal,
    }
    return _as_said(question, "", facts, None, _references(subjects), _roll_call(subjects, counts))


def _roll_call(subjects: Sequence[Said], counts: Counter[Status]) -> str:
    """«3/20 kênh đạt, 12 chậm, 5 lỗi thu thập.»; figures to look at only are told one by one."""
    if set(counts) <= {Status.SHOWN, Status.TOO_LITTLE} and len(subjects) <= len(telling.PLATFORM_NAMES):
        return " ".join(one.sentence for one in subjects)
    told = [f"{number(counts[word])} {WORDS[word].lower()}" for word in reversed(WORST_FIRST) if counts[word]]
    younger = len(subjects) - counts.total()
    more = f"; chưa kể {younger} kênh mở sau mốc so sánh" if younger else ""
    return f"{counts.total()} kênh: {', '.join(told)}{more}."


def _unanswered(question: Question) -> Said:
    """Nothing can be measured: no channel is bound, or no form asks for the figure."""
    status, sentence = Status.TOO_LITTLE, "Chưa có kênh hoặc đơn vị nào trong phạm vi; đề nghị bổ sung danh mục."
    if question.unread:
        sentence = question.unread[0]
    elif not question.asks:
        aside = question.reckoning.reached_by == "any_channel"
        status, sentence = (Status.SHOWN, NOT_DECIDING) if aside else (Status.TOO_LITTLE, NO_FORM)
    elif question.row.indicator == "engagement_proxy":
        sentence = "Chưa có số liệu thay thế cho loại kênh này; đề nghị đơn vị báo cáo."
    facts = {"status": status.value, "why": Why.NO_CHANNEL.value, "target": question.goal, "failed": False}
    return _as_said(question, "", facts, None, [], sentence)


def _meeting(question: Question, parts: Sequence[Answer]) -> Answer:
    """Which units reach all of what the parts ask; a unit of which one part is not known may still do."""
    units = question.asks[0].units or ()
    of = [{one.subject: one for one in part.subjects} for part in parts]
    known = [[found[unit] for found in of if unit in found] for unit in units]
    rows = pd.DataFrame([_together(unit, found) for unit, found in zip(units, known, strict=True)])
    if rows.empty or not parts:
        return Answer(question, _unanswered(question), ())
    rows = rows.astype({"low": "Float64", "high": "Float64", "shown": "Float64", "known": "Int64", "wanted": "Int64"})
    indicator = Indicator(INDICATORS["daily_item"].measure, Pace.SO_FAR, _tell_meeting)
    inputs = {unit: _references(found) for unit, found in zip(units, known, strict=True)}
    subjects = tuple(_said(question, rows, indicator, inputs))
    return Answer(question, _line(question, in_total(rows), subjects, indicator), subjects)


def _together(unit: str, found: Sequence[Said]) -> dict[str, Any]:
    """One unit: it surely meets all parts, surely misses one, or neither is sure. Parts that rest do not count."""
    asked = [one for one in found if one.facts["why"] not in (Why.RESTING, Why.PENDING)]
    low = bool(asked) and all((one.low or 0) >= 1 for one in asked)
    high = all(one.high is None or one.high >= 1 for one in asked)
    failed = any(one.facts["failed"] for one in asked)
    sure = low or not high
    why = Why.PENDING if not asked else Why.NONE if sure else Why.FAILED if failed else Why.MISSING
    return {
        "subject": unit, "unit": unit, "low": float(low), "high": float(high), "shown": float(low), "known": int(sure),
        "wanted": int(bool(asked)), "failed": failed and not sure, "why": why.value,
    }  # fmt: skip


def _tell_meeting(row: telling.Row) -> str:
    if "reached" not in row:
        return "phương châm được thực hiện đủ" if row["low"] == 1 else "phương châm đến nay"
    unsure = f", {row['wanted'] - row['known']} đơn vị chưa xác minh được" if row["wanted"] > row["known"] else ""
    return f"{row['reached']}/{row['wanted']} đơn vị thực hiện đủ phương châm đến nay{unsure}"
