"""What an answer of the check says, in the words and numbers of a page. Draws only; the check has judged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from config.plan_models import Row
from dashboards.desk import Target
from metrics.words import ICONS, WORDS, Status, between, number, percent
from store.records import Said

NOTHING = "–"
SOURCES: Mapping[str, str] = {
    "automatic": "tự động",
    "tagged": "tự động, theo nhãn của bài",
    "proxy": "chỉ số thay thế",
    "reported": "đơn vị báo cáo",
    "task": "ghi nhận hoàn thành",
    "narrative": "thuyết minh",
}
WORST_FIRST = (
    Status.NOT_MET,
    Status.OVERDUE,
    Status.AT_RISK,
    Status.BEHIND,
    Status.FAILED,
    Status.UNDECIDED,
    Status.NOT_REPORTED,
    Status.TOO_LITTLE,
    Status.DUE_SOON,
    Status.NOT_DUE,
    Status.RESTING,
    Status.ON_PACE,
    Status.DONE_LATE,
    Status.MET,
    Status.STANDING,
    Status.SHOWN,
)
RANK = {word: place for place, word in enumerate(WORST_FIRST)}
LAST = len(WORST_FIRST)


@dataclass(frozen=True)
class Badge:
    """A status as it is drawn: never by its colour alone."""

    status: str
    icon: str
    word: str


@dataclass(frozen=True)
class Bar:
    """How far a target is, of 100: between `low` and `high`, and where it should stand today; None where unknown."""

    low: float
    high: float
    expected: float | None


def badge(said: Said | None) -> Badge:
    """Of a row that the check has not answered: that."""
    if said is None:
        return Badge("unchecked", "…", "Chưa đối chiếu")
    status = Status(said.status)
    return Badge(status.value, ICONS[status], WORDS[status])


def word_badge(status: Status) -> Badge:
    return Badge(status.value, ICONS[status], WORDS[status])


def value(row: Row, said: Said | None) -> str:
    """«+3,1 %», «từ 4,1 % đến 5,6 %», «7/20»; «–» where nothing is known."""
    if said is None:
        return NOTHING
    if said.facts.get("reached") is not None:
        return f"{number(said.facts['reached'])}/{number(said.facts['wanted'])}"
    if said.low is None or said.high is None or said.facts.get("why") in ("not_reported", "no_channel", "no_members"):
        return NOTHING
    shown = between(said.low, said.high, said.goal)
    return f"+{shown}" if row.kind == "growth" and said.low > 0 and said.low == said.high else shown


def goal(row: Row, said: Said | None) -> str:
    if said is None or said.goal is None:
        return NOTHING
    promised = f"+{percent(said.goal)}" if row.kind == "growth" else percent(said.goal)
    return f"mỗi kênh {promised}" if row.kind == "growth" and said.facts.get("reached") is not None else promised


def expected(said: Said | None) -> str:
    return _percent(said, "expected")


def coverage(said: Said | None) -> str:
    return _percent(said, "coverage")


def forecast(said: Said | None) -> str:
    low, high = (said.facts.get(name) if said else None for name in ("end_low", "end_high"))
    return NOTHING if low is None or high is None or said is None else between(low, high, said.goal)


def needed(said: Said | None) -> str:
    """«+38/tuần»"""
    wanted = said.facts.get("needed_per_week") if said else None
    return f"+{number(wanted)}/tuần" if wanted else NOTHING


def base(said: Said | None) -> str:
    """The count that growth is measured from."""
    found = said.facts.get("base_value") if said else None
    return NOTHING if found is None else number(found)


def source(row: Row) -> str:
    return SOURCES[row.classes[0]]


def bar(said: Said | None) -> Bar | None:
    """None where there is nothing to reach or nothing is known."""
    if said is None or not said.goal or said.low is None or said.high is None:
        return None
    line = said.facts.get("expected")
    return Bar(
        _part(said.low, said.goal), _part(said.high, said.goal), None if line is None else _part(line, said.goal)
    )


def _part(share: float, goal: float) -> float:
    return round(100 * min(max(share / goal, 0.0), 1.0), 1)


def _percent(said: Said | None, name: str) -> str:
    found = said.facts.get(name) if said else None
    return NOTHING if found is None or said is None else percent(found, said.goal)


def risk(said: Said | None) -> tuple[int, float]:
    """Sorts the worst first; of the same word, who is farther from the goal."""
    if said is None:
        return LAST, 0.0
    return RANK[Status(said.status)], said.low if said.low is not None else 0.0


def clock(moment: datetime | None, zone: ZoneInfo) -> str:
    """«06:30 20/11/2026»"""
    return f"{moment.astimezone(zone):%H:%M %d/%m/%Y}" if moment else NOTHING


def tally(targets: Iterable[Target]) -> list[tuple[Status, int]]:
    """How many of the rows that promise something stand how, in the order of the words; the good ones first."""
    words = [Status(one.line.status) for one in targets if one.line and promises(one)]
    return [(word, words.count(word)) for word in reversed(WORST_FIRST) if word in words]


def promises(target: Target) -> bool:
    """Whether there is something to reach; rows that are only watched are not counted."""
    return target.line is not None and Status(target.line.status) is not Status.SHOWN


def heads(targets: Sequence[Target]) -> list[tuple[Target, Sequence[Target]]]:
    """One row for each clause in plan order, its total or else its worst, with the others of that clause."""
    clauses: dict[str, list[Target]] = {}
    for one in targets:
        if one.row.is_target:
            clauses.setdefault(one.row.clause, []).append(one)
    return [(head := _head(some), [one for one in some if one is not head]) for some in clauses.values()]


def _head(some: Sequence[Target]) -> Target:
    whole = [one for one in some if not any(letter in one.row.id for letter in ".abcdefgh")]
    return whole[0] if whole else min(some, key=lambda one: risk(one.line)[0])
