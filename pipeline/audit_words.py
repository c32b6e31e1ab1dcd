"""The rows of the audit log as people read them: what was done, to what, and what was there before and after.

A few persons are protected here like everywhere: a reported figure is told as `figure_words` tells it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import orjson
import pandas as pd

from alerts.base import Rule
from config.measures import load_measures
from config.models import Config
from metrics.periods import week_of
from metrics.words import day
from pipeline.commands.alert import RULE_WORDS, STATE_WORDS
from pipeline.figure_words import said
from pipeline.occurrences import name_of
from pipeline.workplace import local_text
from store.records import CaseState

Facts = Mapping[str, Any]
Parts = list[str]
"""The subject of a row, cut at its slashes."""
ROLES = {"operator": "người vận hành"}
NOTHING = ""


@dataclass(frozen=True)
class Kind:
    """How the rows of one action are told."""

    title: str
    subject: Callable[[Config, Parts], str]
    facts: Callable[[Config, Parts, Facts], str]


@dataclass(frozen=True)
class Entry:
    """One row in Vietnamese words; `before` and `after` are empty where nothing was."""

    number: int
    at: datetime
    by: str
    role: str
    action: str
    title: str
    subject: str
    before: str
    after: str
    reason: str


def entry_of(config: Config, row: Mapping[Any, Any]) -> Entry:
    """A row of Store.audit. An action or a form of subject that is not known is told in the log's own words."""
    action, parts = str(row["action"]), str(row["subject"]).split("/")
    kind = KINDS.get(action, Kind(action, _as_it_is, _listed))
    try:
        told = _told(config, kind, parts, row)
    except (IndexError, KeyError, ValueError):
        told = _told(config, Kind(kind.title, _as_it_is, _listed), parts, row)
    role = ROLES.get(row["role"], row["role"])
    return Entry(row["number"], row["at"].to_pydatetime(), row["by"], role, action, kind.title, *told, row["reason"])


def _told(config: Config, kind: Kind, parts: Parts, row: Mapping[Any, Any]) -> tuple[str, str, str]:
    before, after = (
        NOTHING if pd.isna(row[name]) else kind.facts(config, parts, orjson.loads(row[name]))
        for name in ("before", "after")
    )
    return kind.subject(config, parts), before, after


def _as_it_is(_: Config, parts: Parts) -> str:
    return "/".join(parts)


def _listed(_: Config, __: Parts, facts: Facts) -> str:
    return ", ".join(f"{name}: {value}" for name, value in facts.items() if value not in (None, ""))


# --- counts and labels -------------------------------------------------------------------------------------------


def _channel_name(config: Config, slug: str) -> str:
    return config.channels[slug].name if slug in config.channels else slug


def _count(config: Config, parts: Parts) -> str:
    slug, _, moment = parts
    return (
        f"{_channel_name(config, slug)}, số liệu lúc {local_text(datetime.fromisoformat(moment), config.district.tz)}"
    )


def _verdict(_: Config, __: Parts, facts: Facts) -> str:
    return "nhận là đúng" if facts["accepted"] else "bác, không tính"


def _label(config: Config, parts: Parts) -> str:
    label = config.district.labels.get(parts[1])
    return f"bài số {parts[0].removeprefix('post ')}, nhãn «{label.name if label else parts[1]}»"


def _upheld(_: Config, __: Parts, facts: Facts) -> str:
    return "đúng là" if facts["upheld"] else "không phải"


# --- reported figures --------------------------------------------------------------------------------------------


def _figure(config: Config, parts: Parts) -> str:
    unit, measure, start, end = parts
    name = config.units[unit].name if unit in config.units else unit
    rule = load_measures().get(measure)
    first, after = date.fromisoformat(start), date.fromisoformat(end)
    return f"{name}, {rule.name if rule else measure}, kỳ từ {day(first)} đến trước {day(after)}"


def _reported(_: Config, parts: Parts, facts: Facts) -> str:
    rule = load_measures()[parts[1]]
    approved = f", {facts['approved_by']} đã duyệt" if facts.get("approved_by") else ""
    return f"{said(rule, (facts['value'], facts['numerator'], facts['denominator']))}{approved}"


# --- reviews -----------------------------------------------------------------------------------------------------


def _week(config: Config, parts: Parts) -> str:
    return week_of(date.fromisoformat(parts[0]), config.district.tz).title()


def _seal(_: Config, __: Parts, facts: Facts) -> str:
    return f"biên bản có mã {facts['sha256'][:12]}…"


def _period(_: Config, parts: Parts) -> str:
    return f"Năm {parts[0]}"


def _figures_seal(_: Config, __: Parts, facts: Facts) -> str:
    return f"số liệu có mã {facts['sha256'][:12]}…"


def _note(_: Config, __: Parts, facts: Facts) -> str:
    if not facts["owner"]:
        return str(facts["text"])
    return f"{facts['text']} (thực hiện: {facts['owner']}, hạn {day(date.fromisoformat(facts['due']))})"


# --- duties ------------------------------------------------------------------------------------------------------


def _duty(config: Config, parts: Parts) -> str:
    slug, row_id, text = parts
    plan, when = config.plans.get(slug), date.fromisoformat(text)
    row = plan.rows.get(row_id) if plan else None
    if row is None:
        return f"{row_id} ({slug}), {day(when)}"
    if row.due is None or not row.due.is_dated:
        return f"{row.id} «{row.title}» ({slug}), ngày {day(when)}"
    time = f"lần {name_of(row.due, when)}, " if row.due.recurs else ""
    return f"{row.id} «{row.title}» ({slug}), {time}hạn {day(when)}"


def _tick(_: Config, __: Parts, facts: Facts) -> str:
    evidence = f", minh chứng {facts['evidence']}" if facts.get("evidence") else ""
    return f"xong ngày {day(date.fromisoformat(facts['done_on']))}{evidence}"


# --- alerts ------------------------------------------------------------------------------------------------------


def _case(config: Config, parts: Parts) -> str:
    rule, *about = parts
    named = [config.units[one].name if one in config.units else _channel_name(config, one) for one in about]
    return f"{RULE_WORDS[Rule(rule)]}: {', '.join(named)}"


def _state(config: Config, _: Parts, facts: Facts) -> str:
    until = facts.get("snoozed_until")
    when = f" đến {local_text(datetime.fromisoformat(until), config.district.tz)}" if until else ""
    return f"{STATE_WORDS[CaseState(facts['state'])]}{when}"


KINDS: dict[str, Kind] = {
    "count.judge": Kind("Cho ý kiến về số khác thường", _count, _verdict),
    "label.confirm": Kind("Xác nhận nhãn", _label, _upheld),
    "figure.report": Kind("Báo cáo số liệu", _figure, _reported),
    "figure.approve": Kind("Phê duyệt số liệu", _figure, _reported),
    "review.close": Kind("Chốt họp tuần", _week, _seal),
    "review.reopen": Kind("Mở lại họp tuần", _week, _seal),
    "review.note": Kind("Ghi vào họp tuần", _week, _note),
    "closing.close": Kind("Đóng sổ", _period, _figures_seal),
    "closing.reopen": Kind("Mở lại sổ", _period, _figures_seal),
    "alert.open": Kind("Mở lại cảnh báo", _case, _state),
    "alert.acknowledged": Kind("Nhận xử lý cảnh báo", _case, _state),
    "alert.snoozed": Kind("Tạm hoãn cảnh báo", _case, _state),
    "alert.resolved": Kind("Đóng cảnh báo", _case, _state),
    "task.done": Kind("Đánh dấu việc đã xong", _duty, _tick),
    "task.undo": Kind("Bỏ đánh dấu việc", _duty, _tick),
}
