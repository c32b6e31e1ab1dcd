"""Rules between the values of one plan file: references, what each indicator needs, succession of documents."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from config.plan_models import Plan, Row
from config.problems import Problem, unknown

NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Needs:
    """What an indicator asks of its row: kind, deciding class, keys, and answered questions of reckoning."""

    kinds: frozenset[str]
    classes: frozenset[str]
    keys: frozenset[str] = NOTHING
    answers: frozenset[str] = NOTHING


def _needs(kinds: str, classes: str, keys: str = "", answers: str = "") -> Needs:
    return Needs(*(frozenset(words.split()) for words in (kinds, classes, keys, answers)))


NEEDS: Mapping[str, Needs] = {
    "audience_growth": _needs("growth", "automatic", "goal scope", "baseline yearly measure counted"),
    "daily_item": _needs("cadence", "automatic tagged", "goal scope label", "due_days content"),
    "weekly_item": _needs("cadence", "automatic tagged", "goal scope label", "content"),
    "units_meeting": _needs("share", "automatic tagged", "goal scope of"),
    "site_presence": _needs("presence", "automatic tagged proxy", "scope"),
    "channel_presence": _needs("presence", "automatic tagged proxy", "scope"),
    "engagement_proxy": _needs("presence share growth", "proxy", "scope"),
    "reported_share": _needs("share", "reported", "goal scope"),
    "reported_growth": _needs("growth", "reported", "goal scope", "baseline yearly"),
    "reported_count": _needs("task", "reported"),
    "task": _needs("task cycle", "task", "due"),
    "narrative": _needs("narrative", "reported narrative"),
}
"""Every indicator that a row may name; `metrics` has one function for each."""

ONLY_FOR = {"label": {"daily_item", "weekly_item"}, "of": {"units_meeting"}}


def check_plan(plan: Plan, file: str) -> Iterator[Problem]:
    """Everything between the values of a plan that does not fit."""
    if plan.carries_out is not None and plan.carries_out not in plan.cited:
        yield Problem(file, "", "carries_out", *unknown(plan.carries_out, list(plan.cited), "văn bản trong [cited]"))
    if plan.closed and plan.in_force.until is None:
        wrong = "kế hoạch đã kết thúc nhưng in_force chưa có until"
        yield Problem(file, "", "closed", wrong, "ghi until trong in_force, hoặc closed = false")
    yield from _check_cited(plan, file)
    for row in plan.rows.values():
        yield from _check_row(row, plan, file)
    yield from _check_outline(plan, file)


def _check_cited(plan: Plan, file: str) -> Iterator[Problem]:
    for cited in plan.cited.values():
        table = f"cited.{cited.slug}"
        if cited.successor is None:
            continue
        if cited.successor == cited.slug or cited.successor not in plan.cited:
            others = [slug for slug in plan.cited if slug != cited.slug]
            yield Problem(file, table, "successor", *unknown(cited.successor, others, "văn bản khác trong [cited]"))
        elif cited.lapsed is None:
            wrong = "văn bản có thay thế nhưng chưa có ngày hết hiệu lực"
            yield Problem(file, table, "lapsed", wrong, "ghi lapsed, hoặc bỏ successor")


def _check_row(row: Row, plan: Plan, file: str) -> Iterator[Problem]:
    table = f"rows.{row.id}"
    for key, wrong, right in (
        *_references(row, plan),
        *_shape(row),
        *_goals(row),
        *_answers(row, plan),
        *_times(row, plan),
    ):
        yield Problem(file, table, key, wrong, right)


Fault = tuple[str, str, str]
"""The key, what is wrong, what would be right."""


def _references(row: Row, plan: Plan) -> Iterator[Fault]:
    known: list[tuple[str, Collection[str], Collection[str], str]] = [
        ("choices", row.choices, plan.choices, "câu hỏi trong [choices]"),
        ("cites", row.cites, plan.cited, "văn bản trong [cited]"),
        ("scope.channels", row.scope.channels, plan.channels, "kênh trong [channels] của kế hoạch"),
        ("of", row.of, plan.rows.keys() - {row.id}, "dòng khác trong [rows]"),
    ]
    for key, words, names, what in known:
        for place, word in enumerate(words, 1):
            if word not in names:
                yield f"{key} (mục {place})", *unknown(word, sorted(names), what)


def _shape(row: Row) -> Iterator[Fault]:
    needs, name = NEEDS[row.indicator], row.indicator
    if row.kind not in needs.kinds:
        yield "kind", f"«{row.kind}» không đi với indicator «{name}»", f"ghi {_or(needs.kinds)}"
    if row.classes[0] not in needs.classes:
        yield "classes", f"«{row.classes[0]}» không đi với indicator «{name}»", f"ghi trước hết {_or(needs.classes)}"
    for key in sorted(needs.keys):
        if not _says(row, key):
            yield key, f"indicator «{name}» cần khóa này", "thêm vào theo các kế hoạch có sẵn"
    for key, names in ONLY_FOR.items():
        if _says(row, key) and name not in names:
            yield key, f"indicator «{name}» không dùng khóa này", f"bỏ đi, hoặc đổi indicator thành {_or(names)}"
    if row.goal is not None and (row.goal.value is None) != (row.goal.direction == "increase"):
        yield "goal", "value và direction không khớp nhau", 'ghi value với "at_least"; "increase" thì không ghi value'


MOST_GROWTH = 1000
"""What a goal of growth in percent may be at most; every other one is a share of the whole."""


def _goals(row: Row) -> Iterator[Fault]:
    """A goal in percent is written as such: 75, and neither 0.75 nor 7500."""
    value = row.goal.value if row.goal is not None and row.goal.unit == "percent" else None
    if value is None:
        return
    most = MOST_GROWTH if row.kind == "growth" else 100
    if value > most:
        yield "goal.value", f"{value:g} % là quá lớn", f"ghi số phần trăm từ 1 đến {most}"
    elif value < 1:
        yield "goal.value", f"{value:g} nghĩa là chưa đến 1 %", f"ghi số phần trăm, ví dụ {100 * value:g}"


def _says(row: Row, key: str) -> bool:
    if key == "scope":
        return row.scope.binds_units or bool(row.scope.channels)
    return getattr(row, key) not in (None, ())


def _or(words: Collection[str]) -> str:
    return " hoặc ".join(f'"{word}"' for word in sorted(words))


def _answers(row: Row, plan: Plan) -> Iterator[Fault]:
    """Every question the indicator asks is answered exactly once."""
    answered = list(row.reckon.said())
    for slug in row.choices:
        if slug in plan.choices:
            answered += plan.choices[slug].answer.sets.said()
    for name in sorted({name for name in answered if answered.count(name) > 1}):
        yield "reckon", f"«{name}» được trả lời hai lần", "giữ ở reckon, hoặc ở một câu hỏi trong choices"
    known = all(slug in plan.choices for slug in row.choices)
    for name in sorted(NEEDS[row.indicator].answers - set(answered)) if known else ():
        yield "reckon", f"chưa nói cách tính «{name}»", f"ghi reckon.{name}, hoặc thêm câu hỏi vào choices"


def _times(row: Row, plan: Plan) -> Iterator[Fault]:
    if (row.period == "dates") != (row.dates is not None):
        yield "dates", "period và dates không khớp nhau", 'ghi period = "dates" cùng với dates, hoặc bỏ dates'
    if row.goal is not None and plan.span_of(row).until is None:
        wrong = "kế hoạch không có ngày kết thúc nên không biết phải đạt đến ngày nào"
        yield "goal", wrong, "ghi until trong in_force, hoặc dates cho dòng này"
    if row.scope.platforms and not row.scope.binds_units:
        yield "scope.platforms", "có platforms nhưng chưa nói đơn vị nào", "ghi thêm grassroots, kinds hoặc units"
    if row.due is not None and (day := row.due.by or row.due.before) and day < plan.in_force.start:
        wrong = f"hạn {day} trước ngày kế hoạch có hiệu lực {plan.in_force.start}"
        yield "due", wrong, "kiểm tra lại năm của thời hạn, hoặc in_force"


def _check_outline(plan: Plan, file: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for place, item in enumerate(plan.outline.items if plan.outline else (), 1):
        above = item.number.rpartition(".")[0]
        if item.number in seen or (above and above not in seen):
            wrong = f"mục {item.number} bị lặp hoặc đứng trước mục chứa nó"
            yield Problem(file, "outline", f"items (mục {place})", wrong, "ghi theo thứ tự của đề cương")
        seen.add(item.number)
