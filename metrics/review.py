"""The week's review: one page of what changed, what is at risk, who is quiet, whom to praise, and what to do next.

Nothing here reads a store or a clock. The order of the rows given changes nothing: every list is sorted by a rule
that stands beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from config.models import Config
from metrics.commend import Group
from metrics.review_facts import Duty, Item, Owed, Review, Week
from metrics.review_moves import move_sentence
from metrics.review_units import Presence, motto, presence, quiet_sentence, unseen_sentence
from metrics.words import WORDS, Status, day, number

MOST_CHANGES, MOST_RISKS = 5, 3
MOST_LATE = 3
"""How many of the tasks that are late since before the week are named: those that fell due last."""
MOST_NAMES = 5
"""How many units one sentence names."""
FEWEST_PERSONS = 10
"""A sentence about fewer persons is not shown: people would know who is meant."""
SEVERITY = {
    Status.MET: 0,
    Status.ON_PACE: 1,
    Status.BEHIND: 3,
    Status.AT_RISK: 4,
    Status.OVERDUE: 4,
    Status.NOT_MET: 5,
}
"""How bad a word is; words that judge nothing have no place here."""
IDLE = frozenset({Status.NOT_DUE, Status.DUE_SOON, Status.STANDING, Status.SHOWN, Status.RESTING})
"""A change to or from these is the calendar's, not anybody's doing."""
Row = Mapping[Any, Any]


def review(week: Week) -> Review:
    """The review of a week: at most five changes and three risks; the other lists are whole."""
    now, before = _targets(week, week.now), _targets(week, week.before)
    changes, risks = _told_once(_changes(week, now, before)), _told_once(_risks(week, now))
    return Review(
        changes=tuple(changes[:MOST_CHANGES]),
        risks=tuple(risks[:MOST_RISKS]),
        **_units(week),
        praise=tuple(_praise(week)),
        duties=tuple(_duties(week)),
        owed=tuple(map(_owed, sorted(week.owed, key=lambda one: (one.due, one.ref, one.period)))),
        suspects=tuple(_suspects(week)),
        tokens=tuple(Item(f"token/{name}", f"{name}: {words}") for name, words in sorted(week.tokens)),
        unlisted={
            "changes": max(0, len(changes) - MOST_CHANGES),
            "risks": max(0, len(risks) - MOST_RISKS),
        },
    )


# --- targets -----------------------------------------------------------------------------------------------------


def _targets(week: Week, frame: pd.DataFrame) -> dict[str, Row]:
    """The rows about the whole and about channels, by key in the order of the plans; units have lists of their own."""
    plans = {plan: place for place, plan in enumerate(week.config.plans)}
    rows = [row for row in frame.to_dict("records") if _first(row["subject"]) not in week.config.units]
    ordered = sorted(rows, key=lambda row: (plans.get(row["plan"], len(plans)), _in_order(_key(row))))
    return {_key(row): row for row in ordered}


def _key(row: Row) -> str:
    return f"{row['plan']}/{row['row']}/{row['subject']}"


def _in_order(text: str) -> list[tuple[int, str]]:
    """CT4.2 comes before CT4.10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", text)]


def _changes(week: Week, now: Mapping[str, Row], before: Mapping[str, Row]) -> list[Item]:
    """Three changes of status (the biggest first, for the worse before for the better), one record, one move; then the
    rest in the same order."""
    turned = _turned(week, now, before)
    records, moves = _moved(week, record=True), _moved(week, record=False)
    return [*turned[:3], *records[:1], *moves[:1], *turned[3:], *records[1:], *moves[1:]]


def _turned(week: Week, now: Mapping[str, Row], before: Mapping[str, Row]) -> list[Item]:
    """The targets that stand under another word than a week before; one line for each row of a plan, of the whole if
    that changed."""
    pairs = [(key, Status(before[key]["status"]), Status(row["status"])) for key, row in now.items() if key in before]
    real = [(key, old, new) for key, old, new in pairs if old is not new and not {old, new} & IDLE]
    steps = {key: SEVERITY.get(new, 2) - SEVERITY.get(old, 2) for key, old, new in real}
    of_the_whole = _one_of_each(sorted((now[key] for key, _, _ in real), key=lambda row: row["subject"] != ""))
    chosen = {_key(row) for row in of_the_whole}
    ordered = sorted(real, key=lambda one: (-abs(steps[one[0]]), -steps[one[0]]))
    return [_turn(week, now[key], old, new) for key, old, new in ordered if key in chosen]


def _turn(week: Week, row: Row, old: Status, new: Status) -> Item:
    change = f"từ «{WORDS[old]}» sang «{WORDS[new]}»"
    return Item(_key(row), f"{_called(week, row)}: {change}.", row["clause"], new.value, plan=row["plan"])


def _called(week: Week, row: Row) -> str:
    name = _channel_name(week.config, _first(row["subject"]))
    return f"{row['title']} ({name})" if row["subject"] else str(row["title"])


def _first(subject: str) -> str:
    """The channel or unit in «slug», or in «slug/likes» where several counts are asked for."""
    return subject.split("/", maxsplit=1)[0]


def _channel_name(config: Config, slug: str) -> str:
    return config.channels[slug].name if slug in config.channels else slug


def _moved(week: Week, *, record: bool) -> list[Item]:
    rows = week.moves[week.moves["record"].astype(bool) == record].sort_values(
        ["share", "channel"], ascending=[False, True]
    )
    return [
        Item(f"channel/{row['channel']}", move_sentence(row, _channel_name(week.config, row["channel"])))
        for row in rows.to_dict("records")
    ]


def _risks(week: Week, now: Mapping[str, Row]) -> list[Item]:
    """At risk, behind, missed; then the one that lacks most of its target; one line for each row of a plan."""
    words = [Status.AT_RISK, Status.BEHIND, Status.NOT_MET]
    rows = [row for row in now.values() if row["status"] in words]
    ordered = sorted(rows, key=lambda row: (words.index(Status(row["status"])), -_lacking(row)))
    return [_risk(week, row) for row in _one_of_each(ordered)]


def _told_once(items: Sequence[Item]) -> list[Item]:
    """What several plans ask in the same words is one line, with the clauses of all of them."""
    sources: dict[str, list[str]] = {}
    for item in items:
        sources.setdefault(item.sentence, []).append(", ".join(filter(None, (item.clause, item.plan))))
    firsts = {item.sentence: item for item in reversed(items)}
    return [
        replace(firsts[told], plan="; ".join(filter(None, [firsts[told].plan, *named[1:]])))
        for told, named in sources.items()
    ]


def _one_of_each(rows: Sequence[Row]) -> list[Row]:
    """The first line of each row of a plan."""
    firsts: dict[tuple[str, str], Row] = {}
    for row in rows:
        firsts.setdefault((row["plan"], row["row"]), row)
    return list(firsts.values())


def _lacking(row: Row) -> float:
    """Which share of the target is missing even at best; 0 when that is not known."""
    high, target = row["high"], row["target"]
    return 0.0 if pd.isna(high) or pd.isna(target) or not target else max(0.0, 1 - float(high) / float(target))


def _risk(week: Week, row: Row) -> Item:
    needed = row.get("needed_per_week")
    known = None if needed is None or pd.isna(needed) else int(needed)
    few = row.get("heads")
    hidden = few is not None and not pd.isna(few) and few < FEWEST_PERSONS
    word = WORDS[Status(row["status"])].lower()
    told = f"{word}; dưới {FEWEST_PERSONS} người nên không nêu số." if hidden else row["sentence"]
    name = _channel_name(week.config, _first(row["subject"])) if row["subject"] else row["title"]
    told = f"{name}: {told[:1].lower()}{told[1:]}"
    return Item(_key(row), told, row["clause"], str(row["status"]), None if hidden else known, row["plan"])


# --- units -------------------------------------------------------------------------------------------------------


def _units(week: Week) -> dict[str, tuple[Item, ...]]:
    """The lists about units, each in the order of the names."""
    if week.cells is None:
        return dict.fromkeys(("quiet", "unverified", "failed", "motto"), ())
    names = {slug: unit.name for slug, unit in week.config.units.items()}
    labels = week.config.district.labels
    seen = presence(week.cells, week.period)
    clauses = {slug: label.clause for slug, label in labels.items()}
    said = motto(week.cells, labels, week.period)
    return {
        "quiet": _seen(seen, Presence.QUIET, names),
        "unverified": _seen(seen, Presence.UNVERIFIED, names),
        "failed": _seen(seen, Presence.FAILED, names),
        "motto": tuple(Item(f"label/{slug}", words, clauses[slug]) for slug, words in said.items()),
    }


def _seen(seen: pd.DataFrame, state: Presence, names: Mapping[str, str]) -> tuple[Item, ...]:
    """Quiet ones: the longest silence first."""
    tell = quiet_sentence if state is Presence.QUIET else unseen_sentence
    rows = seen[seen["state"] == state].to_dict("records")
    longest = -1 if state is Presence.QUIET else 0
    ordered = sorted(rows, key=lambda row: (longest * row["proved"], names[row["unit"]], row["unit"]))
    return tuple(Item(f"unit/{row['unit']}", tell(row, names[row["unit"]]), status=state.value) for row in ordered)


def _praise(week: Week) -> Iterator[Item]:
    """The candidates by their places; how many units could not be judged stands below, and nobody else is named."""
    if week.praise is None:
        return
    clause, plan = week.praise_source
    ordered = week.praise.sort_values(["place", "unit"])
    chosen = ordered[ordered["group"] == Group.CANDIDATE].to_dict("records")
    for row in chosen:
        told = f"{week.config.units[row['unit']].name} (thứ {row['place']}): {row['reason']}."
        yield Item(f"unit/{row['unit']}", told, clause, plan=plan)
    if len(ordered) and not chosen:
        yield Item("praise/nobody", "Chưa có đơn vị nào đủ điều kiện đề nghị tuyên dương.", clause, plan=plan)
    if unsure := int((ordered["group"] == Group.TOO_LITTLE).sum()):
        yield Item("praise/unsure", f"{number(unsure)} đơn vị chưa đủ số liệu để xét; đề nghị xem bằng «nhip commend».")


# --- what is to be done ------------------------------------------------------------------------------------------


def _duties(week: Week) -> Iterator[Item]:
    """The tasks by their day; of those that are late since before the week the last ones, and how many others."""
    ordered = sorted(week.duties, key=lambda one: (one.due, _in_order(one.ref)))
    more = max(0, sum(one.due < week.period.start for one in ordered) - MOST_LATE)
    for one in ordered[more:]:
        yield Item(f"duty/{one.ref}/{one.due}", _duty_sentence(one), one.clause, plan=one.ref.split("/")[0])
    if more:
        yield Item("duty/late", f"{number(more)} việc khác quá hạn từ trước đó; đề nghị xem bằng «nhip task list».")


def _duty_sentence(one: Duty) -> str:
    when = f"đã qua hạn {-one.days} ngày" if one.days < 0 else f"còn {one.days} ngày" if one.days else "hôm nay"
    owner = f"; {one.owner}" if one.owner else ""
    return f"{one.title}: hạn {day(one.due)} ({when}){owner}."


def _owed(one: Owed) -> Item:
    names = ", ".join(sorted(one.units)[:MOST_NAMES])
    others = f" và {len(one.units) - MOST_NAMES} đơn vị khác" if len(one.units) > MOST_NAMES else ""
    head = f"{one.title}, {one.period}: {len(one.units)} đơn vị chưa báo cáo, hạn nộp {day(one.due)} đã qua"
    told = f"{head}. Đề nghị bổ sung: {names}{others}."
    return Item(f"owed/{one.ref}/{one.period}", told, one.clause, plan=one.ref.split("/")[0])


def _suspects(week: Week) -> Iterable[Item]:
    for slug in sorted(set(week.suspects)):
        count = sum(one == slug for one in week.suspects)
        name = _channel_name(week.config, slug)
        told = f"{name}: {count} số liệu khác thường đang chờ xác nhận; đề nghị xem bằng «nhip suspect»."
        yield Item(f"suspect/{slug}", told)
