"""The paper of a week's meeting: the review in the order of the agenda, as plain facts that can be frozen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import orjson

from config.models import Config
from metrics.periods import Period
from metrics.review_facts import Item, Review
from store.records import ReviewNote

Paper = dict[str, Any]
AGENDA: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Số liệu tuần", ("changes",)),
    ("Chỉ tiêu nguy cơ", ("risks",)),
    ("Đơn vị im lặng", ("quiet", "unverified", "failed")),
    ("Tin tốt, câu chuyện đẹp", ("motto",)),
    ("Tuyên dương", ("praise",)),
    ("Phân công tuần tới", ("duties", "owed", "suspects", "tokens")),
)
"""The steps of the meeting; the seventh, «Kết luận», is its notes and decisions."""
CONCLUSION = "Kết luận"
KEYS = {"week", "title", "organisation", "illustration", "as_of", "lists", "unlisted", "notes"}
SETTLED = ("changes", "risks", "quiet", "unverified", "failed", "motto", "praise")
"""The lists about the week itself: when they differ later, figures were corrected. The others go on changing."""


def paper(config: Config, period: Period, as_of: datetime, found: Review, notes: Sequence[ReviewNote]) -> Paper:
    """Everything that the meeting has before it, made of texts and whole numbers only."""
    lists: dict[str, tuple[Item, ...]] = {name: getattr(found, name) for _, names in AGENDA for name in names}
    return {
        "week": week_name(period),
        "title": period.title(),
        "organisation": config.district.organisation.name,
        "illustration": config.district.organisation.illustration,
        "as_of": as_of.isoformat(timespec="seconds"),
        "lists": {name: [asdict(item) for item in items] for name, items in lists.items()},
        "unlisted": dict(found.unlisted),
        "notes": [note_facts(note) for note in notes],
    }


def week_name(period: Period) -> str:
    year, week, _ = period.start.isocalendar()
    return f"{year}-W{week:02}"


def note_facts(note: ReviewNote) -> dict[str, Any]:
    due = None if note.due is None else note.due.isoformat()
    at = note.at.isoformat(timespec="seconds")
    return {"text": note.text, "owner": note.owner, "due": due, "by": note.by, "at": at}


def freeze(facts: Paper) -> str:
    """The one text of these facts: the same facts always give the same bytes."""
    return orjson.dumps(facts, option=orjson.OPT_SORT_KEYS).decode()


def thaw(content: str) -> Paper | None:
    """The facts of a frozen paper; None when it is none any more."""
    try:
        facts = orjson.loads(content)
    except orjson.JSONDecodeError:
        return None
    return facts if isinstance(facts, dict) and facts.keys() >= KEYS else None


def corrections(frozen: Paper, fresh: Paper) -> Iterator[dict[str, str | None]]:
    """What the same lists say today where it is not what was frozen: list, key, then and now (None: not there)."""
    for name in SETTLED:
        old, new = (_by_key(facts["lists"].get(name, [])) for facts in (frozen, fresh))
        for key in dict.fromkeys([*old, *new]):
            if old.get(key) != new.get(key):
                yield {"list": name, "key": key, "then": old.get(key), "now": new.get(key)}


def _by_key(items: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    return {item["key"]: item["sentence"] for item in items}
