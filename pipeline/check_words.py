"""The answers of the check as cells of a table, as lines of CSV, and as JSON facts."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from config.plan_choices import UNSIGNED, Choice
from config.plan_models import Cited, Plan
from metrics.words import ICONS, WORDS, Status, between, day, number, percent
from pipeline.duties import DutyAnswer
from pipeline.judgement import Answer, Judgement
from store.records import Said

HEADERS = (
    "Trạng thái", "Mục", "Mã", "Chỉ tiêu", "Giá trị", "Phải đạt", "Kỳ vọng nay", "Dự báo", "Cần/tuần",
    "Đủ số liệu", "Nhận xét",
)  # fmt: skip
DUTY_HEADERS = ("Trạng thái", "Mục", "Mã", "Việc", "Hạn", "Chủ trì", "Nhận xét")
COLUMNS = (
    "plan", "row", "clause", "title", "subject", "status", "word", "low", "high", "goal", "expected", "forecast_low",
    "forecast_high", "needed_per_week", "coverage", "period_start", "period_end", "as_of", "turn", "sentence",
)  # fmt: skip
NOTHING = "–"


def badge(said: Said) -> str:
    """«▲ Đúng tiến độ»"""
    status = Status(said.status)
    return f"{ICONS[status]} {WORDS[status]}"


def cells_of(answer: Answer) -> tuple[str, ...]:
    """One line of the table."""
    said, row, facts = answer.line, answer.question.row, answer.line.facts
    near = said.goal
    figures = (
        _value(said),
        NOTHING if near is None else percent(near),
        _percent(facts.get("expected"), near),
        _range(facts.get("end_low"), facts.get("end_high"), near),
        number(facts["needed_per_week"]) if facts.get("needed_per_week") else NOTHING,
        _percent(facts.get("coverage")),
    )
    return badge(said), row.clause, row.id, row.title, *figures, said.sentence + _turn(said)


def duty_cells(one: DutyAnswer) -> tuple[str, ...]:
    due = NOTHING if one.due is None else day(one.due)
    return badge(one.said), one.row.clause, one.row.id, one.row.title, due, ", ".join(one.row.owner), one.said.sentence


def old_duty(one: DutyAnswer) -> str:
    """«mục II.6, HT6 (hạn 30/06/2017, đúng hạn)»"""
    late = "trễ hạn" if one.said.status == Status.DONE_LATE else "đúng hạn"
    return f"mục {one.row.clause}, {one.row.id} (hạn {day(one.due)}, {late})" if one.due else one.row.id


def _turn(said: Said) -> str:
    return "" if said.turn == 1 else f" (đánh giá lại lần {said.turn}: số liệu đầu vào đã thay đổi)"


def _value(said: Said) -> str:
    facts = said.facts
    if said.goal is None and said.low is None:
        return NOTHING
    if facts.get("reached") is not None:
        return f"{facts['reached']}/{facts['wanted']}"
    if facts.get("why") in ("not_reported", "no_channel", "no_members"):
        return NOTHING
    return _range(said.low, said.high, said.goal)


def _range(low: float | None, high: float | None, near: float | None) -> str:
    return NOTHING if low is None or high is None else between(low, high, near)


def _percent(value: float | None, near: float | None = None) -> str:
    return NOTHING if value is None else percent(value, near)


def choice_sentence(choice: Choice) -> str:
    """«II-CT.4: … Đang tính: … (chưa chốt cách tính). Đề nghị …»"""
    return f"{choice.clause}: {choice.question} Đang tính: {choice.answer.means} ({UNSIGNED})."


def lapsed_sentence(cited: Cited, plan: Plan) -> str:
    """«52/2016/QĐ-TTg hết hiệu lực từ 01/07/2024, thay bằng 49/2024/NĐ-CP.»"""
    name = cited.number or cited.name
    successor = plan.cited[cited.successor] if cited.successor else None
    instead = f", thay bằng {successor.number or successor.name}" if successor else ""
    return f"{name} hết hiệu lực từ {day(cited.lapsed)}{instead}." if cited.lapsed else f"{name}."


def unsigned(plan: Plan) -> list[Choice]:
    """The open questions that bear on a row of the plan."""
    asked = {slug for row in plan.rows.values() for slug in row.choices}
    return [choice for slug, choice in plan.choices.items() if choice.signed is None and slug in asked]


def unread(answers: Iterable[Answer]) -> list[str]:
    """Each reason once why a named channel cannot be read."""
    return list(dict.fromkeys(sentence for one in answers for sentence in one.question.unread))


def facts_of(plan: Plan, judgement: Judgement, today: date) -> dict[str, Any]:
    """One plan as JSON."""
    answers = [one for one in judgement.answers if one.question.plan is plan]
    duties = [one for one in judgement.duties if one.plan is plan]
    return {
        "plan": plan.slug,
        "title": plan.document.title,
        "issuer": plan.document.issuer,
        "closed": plan.closed,
        "targets": [_line_facts(one) for one in answers],
        "duties": [_duty_facts(one) for one in duties if not one.is_standing],
        "standing": sum(one.is_standing for one in duties),
        "unsigned": [{"choice": one.slug, "sentence": choice_sentence(one)} for one in unsigned(plan)],
        "lapsed": [lapsed_sentence(one, plan) for one in plan.lapsed(today)],
        "unread": unread(answers),
    }


def _line_facts(answer: Answer) -> dict[str, Any]:
    row = answer.question.row
    named = {"row": row.id, "clause": row.clause, "title": row.title, "class": row.classes[0]}
    return named | _facts(answer.line) | {"subjects": [_facts(one) for one in answer.subjects]}


def _duty_facts(one: DutyAnswer) -> dict[str, Any]:
    named = {"row": one.row.id, "clause": one.row.clause, "title": one.row.title, "owner": list(one.row.owner)}
    return named | {"due": one.due, "to": list(one.row.to)} | _facts(one.said)


def _facts(said: Said) -> dict[str, Any]:
    facts, status = said.facts, Status(said.status)
    return {
        "subject": said.subject,
        "status": said.status,
        "word": WORDS[status],
        "low": said.low,
        "high": said.high,
        "goal": said.goal,
        "expected": facts.get("expected"),
        "forecast_low": facts.get("end_low"),
        "forecast_high": facts.get("end_high"),
        "needed_per_week": facts.get("needed_per_week"),
        "coverage": facts.get("coverage"),
        "period_start": said.period_start,
        "period_end": said.period_end,
        "as_of": said.as_of,
        "turn": said.turn,
        "sentence": said.sentence,
    }


def csv_of(judgement: Judgement) -> str:
    """Every line and every subject, one row each; missing is empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(_records(judgement))
    return text.getvalue().rstrip("\n")


def _records(judgement: Judgement) -> Iterator[dict[str, Any]]:
    for answer in judgement.answers:
        row = answer.question.row
        named = {"plan": answer.line.plan, "row": row.id, "clause": row.clause, "title": row.title}
        for said in (answer.line, *(one for one in answer.subjects if one.subject)):
            yield named | _facts(said) | {"as_of": said.as_of.isoformat()}
    for one in judgement.duties:
        named = {"plan": one.plan.slug, "row": one.row.id, "clause": one.row.clause, "title": one.row.title}
        yield named | _facts(one.said) | {"as_of": one.said.as_of.isoformat()}
