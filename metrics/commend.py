"""Which units to propose for commendation, and for every other one the first condition that it did not meet.

The rule, in this order: enough due days that could be verified; most due days verified; the daily item on nearly
every due day and the weekly one in every due week; each count that is comparable grown as far as the plan expects by
now; nothing open. Praise takes proof: what could not be verified counts as not shown, but is never called missed. So
a unit that lacks a condition only because too little is known stands apart from those that surely lack one.

Places go by the share of due days kept, then of days confirmed by a person, then by growth; equals share a place.
Only organisations are proposed: the rows are those of grassroots units.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pandas as pd

from config.models import Label
from metrics import telling
from metrics.asking import Why
from metrics.precision import floats, ratio
from metrics.summary import NOUNS, summary
from metrics.words import ADVICE, STUDIO, percent

Row = Mapping[Any, Any]
PLACED_BY = ("kept", "confirmed", "growth")
"""The tie-breaks, the first that differs decides; more is better."""
_UNKNOWN = -2.0
"""Stands for a share that nobody knows; no count can fall so far."""
_HOPE = "hệ thống sẽ xét lại khi có thêm số liệu"

COMMENDED = "Đề nghị xem xét tuyên dương: {}."
TOO_LITTLE = "Chưa đủ số liệu để xét: {}."
NOT_COMMENDED = "Chưa đưa vào danh sách đề nghị: {}."


@dataclass(frozen=True)
class Rules:
    """What it takes to be proposed. Shares are of the due slots that are over."""

    fewest_days: int = 20
    """So many due days must be verified."""
    verified: float = 0.8
    days_kept: float = 0.95
    weeks_kept: float = 1.0


class Lack(StrEnum):
    """A condition that is not met, in the order in which they are asked; NONE: the unit is a candidate."""

    NONE = ""
    FEW_DAYS = "few_days"
    UNVERIFIED = "unverified"
    DAYS = "days"
    WEEKS = "weeks"
    GROWTH_UNKNOWN = "growth_unknown"
    GROWTH = "growth"
    INCIDENT = "incident"


_ORDER = list(Lack)
UNSURE = (Lack.FEW_DAYS, Lack.UNVERIFIED, Lack.GROWTH_UNKNOWN)
"""Too little is known to say anything; these units are no worse than the candidates."""


class Group(StrEnum):
    """Where a unit stands in the list."""

    CANDIDATE = "candidate"
    TOO_LITTLE = "too_little"
    NOT_YET = "not_yet"


HEADS = {Group.CANDIDATE: COMMENDED, Group.TOO_LITTLE: TOO_LITTLE, Group.NOT_YET: NOT_COMMENDED}
Found = tuple[str, Lack, str]
"""A unit, the condition it lacks, and what to say of it."""


def commend(
    cells: pd.DataFrame,
    growth: pd.DataFrame | None,
    incidents: pd.DataFrame,
    labels: Mapping[str, Label],
    growth_clause: str,
    rules: Rules | None = None,
) -> pd.DataFrame:
    """One row for each unit in *cells*: the candidates by their places, then the others by name.

    *cells* are those of `cadence` over the period, *growth* the rows of `progress` by unit for the growth target of
    *growth_clause* (None: no plan asks units to grow), *incidents* whatever is still open: unit, incident (Vietnamese
    words without a full stop). Columns: unit, candidate, group (word of a `Group`), place (Int64; NA for the others),
    kept and confirmed (Float64: shares of due days), growth (Float64: the least that the slowest comparable count
    surely grew; NA when unknown), lack (word of a `Lack`), reason and sentence (Vietnamese, with numbers and clauses).
    """
    rules = rules or Rules()
    slots, grown = _slots(cells), _comparable(growth)
    found = [*_rhythm_lacks(slots, labels, rules), *_incidents(incidents)]
    if growth is not None:
        found += _growth_lacks(slots, grown, growth_clause)
    lacks = pd.DataFrame(found, columns=["unit", "lack", "told"]).astype({"unit": "str"})
    first = lacks.assign(order=lacks["lack"].map(_ORDER.index)).sort_values(["unit", "order", "told"])
    told = first.drop_duplicates("unit")[["unit", "lack", "told"]]
    rows = _scores(slots, grown).astype({"unit": "str"}).merge(told, on="unit", how="left")
    rows["lack"] = rows["lack"].fillna(Lack.NONE).map(str)
    rows["candidate"] = rows["lack"] == Lack.NONE
    rows["place"] = _places(rows)
    rows["group"] = rows["lack"].map(lambda lack: str(_group(Lack(lack))))
    rows["reason"] = rows["told"].where(
        ~rows["candidate"], rows["unit"].map(_praise(slots, grown, labels, growth_clause))
    )
    rows["sentence"] = [
        HEADS[Group(group)].format(told) for group, told in zip(rows["group"], rows["reason"], strict=True)
    ]
    columns = ["unit", "candidate", "group", "place", *PLACED_BY, "lack", "reason", "sentence"]
    return rows.sort_values(["place", "unit"], ignore_index=True)[columns]


def _group(lack: Lack) -> Group:
    if lack is Lack.NONE:
        return Group.CANDIDATE
    return Group.TOO_LITTLE if lack in UNSURE else Group.NOT_YET


def rule_sentences(labels: Mapping[str, Label], growth_clause: str, rules: Rules | None = None) -> list[str]:
    """The rule, the tie-breaks and the least that must be known, in Vietnamese; no clause: growth is not asked."""
    rules = rules or Rules()
    shares = {"day": rules.days_kept, "week": rules.weeks_kept}
    items = [
        f"có {_lower(label.name)} ở {_at_least(shares[label.every])} số {NOUNS[label.every]} đến hạn ({_clause(label)})"
        for label in labels.values()
    ]
    grown = [f"lượt theo dõi tăng đủ mức cần có đến nay ({growth_clause})"] if growth_clause else []
    return [
        f"Chỉ xét tập thể. Điều kiện: {'; '.join([*items, *grown])}; không còn số liệu chờ xác nhận.",
        f"Số liệu tối thiểu: {rules.fewest_days} ngày đến hạn được xác minh và xác minh được từ "
        f"{percent(rules.verified)} số ngày, số tuần; thiếu thì ghi «chưa đủ số liệu để xét», không xếp vào loại kém.",
        "Xếp thứ tự: tỷ lệ ngày có tin, rồi tỷ lệ ngày có người xác nhận, rồi mức tăng; bằng nhau thì cùng thứ.",
    ]


def _at_least(share: float) -> str:
    return percent(share) if share >= 1 else f"ít nhất {percent(share)}"


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:]


def _clause(label: Label) -> str:
    """«Kế hoạch 12, mục II-CT.2»: without the words of the clause that may follow a colon."""
    return label.clause.partition(":")[0]


def _slots(cells: pd.DataFrame) -> pd.DataFrame:
    """The `summary` of the cells with past (due slots that are over), known (of these, verified), their shares, and
    gone (days or weeks whose item was deleted since)."""
    rows = summary(cells).sort_values(["unit", "every", "label"], ignore_index=True)
    rows = rows.assign(known=rows["met"] + rows["missed"], past=rows["met"] + rows["missed"] + rows["unknown"])
    past = floats(rows["past"])
    shares = {"kept": "met", "confirmed_share": "confirmed", "verified": "known"}
    rows = rows.assign(**{name: ratio(floats(rows[part]), past) for name, part in shares.items()})
    gone = cells[cells["gone"] & cells["labelled"].eq("met")].groupby(["unit", "label"]).size().rename("gone")
    return rows.join(gone, on=["unit", "label"]).fillna({"gone": 0}).astype({"gone": "int64"})


def _comparable(growth: pd.DataFrame | None) -> pd.DataFrame:
    """The growth rows with a target, without channels that opened after the baseline: they have nothing to reach."""
    if growth is None or growth.empty:
        return pd.DataFrame(columns=["unit", "platform", "low", "why"])
    asked = growth[growth["target"].notna() & growth["why"].ne(Why.NEW)]
    return asked.sort_values(["unit", "platform"], ignore_index=True)


def _rhythm_lacks(slots: pd.DataFrame, labels: Mapping[str, Label], rules: Rules) -> Iterator[Found]:
    for row in slots.to_dict("records"):
        if lack := _rhythm_lack(row, rules):
            yield row["unit"], lack, _told(row, lack, labels[row["label"]], rules)


def _rhythm_lack(row: Row, rules: Rules) -> Lack:
    daily = row["every"] == "day"
    if row["past"] == 0 or (daily and row["known"] < rules.fewest_days):
        return Lack.FEW_DAYS
    if row["verified"] < rules.verified:
        return Lack.UNVERIFIED
    wanted = rules.days_kept if daily else rules.weeks_kept
    if row["kept"] >= wanted:
        return Lack.NONE
    if (row["met"] + row["unknown"]) / row["past"] >= wanted:
        return Lack.UNVERIFIED
    return Lack.DAYS if daily else Lack.WEEKS


def _told(row: Row, lack: Lack, label: Label, rules: Rules) -> str:
    noun = NOUNS[row["every"]]
    if row["due"] == 0:
        return f"đơn vị nghỉ theo lịch cả kỳ; {_HOPE}"
    if lack is Lack.FEW_DAYS:
        needed = f", cần ít nhất {rules.fewest_days} ngày" if row["every"] == "day" else ""
        return f"mới có {row['known']} {noun} đến hạn được xác minh{needed}; {_HOPE}"
    if lack is Lack.UNVERIFIED:
        return f"mới xác minh được {row['known']}/{row['past']} {noun}; đề nghị kiểm tra việc thu thập của các kênh"
    share = rules.days_kept if lack is Lack.DAYS else rules.weeks_kept
    unsure = f", {row['unknown']} {noun} chưa xác minh" if row["unknown"] else ""
    return f"{_kept(row, label)}{unsure}; cần từ {percent(share)} số {noun}"


def _growth_lacks(slots: pd.DataFrame, grown: pd.DataFrame, clause: str) -> Iterator[Found]:
    for unit in sorted(set(slots["unit"]) - set(grown["unit"])):
        yield unit, Lack.GROWTH_UNKNOWN, f"chưa có số liệu tăng trưởng để so sánh ({clause}); {_HOPE}"
    for row in grown.to_dict("records"):
        if row["why"] != Why.NONE or pd.isna(row["low"]):
            advice = ADVICE.get(Why(row["why"]), _HOPE)
            yield row["unit"], Lack.GROWTH_UNKNOWN, f"{telling.growth(row)} ({clause}): {advice}"
        elif row["high"] < row["expected"]:
            yield row["unit"], Lack.GROWTH, f"{telling.growth(row)}, {_needed(row)} ({clause})"
        elif row["low"] < row["expected"]:
            told = f"{telling.growth(row)}, {_needed(row)} ({clause}), chưa kết luận được"
            yield row["unit"], Lack.GROWTH_UNKNOWN, f"{told}; {STUDIO}"


def _needed(row: Row) -> str:
    """What the plan promises, and what of it should be there by now."""
    promised = f"chỉ tiêu {percent(row['target'])}"
    if row["expected"] == row["target"]:
        return promised
    return f"{promised}, mức cần có đến nay {percent(row['expected'])}"


def _incidents(incidents: pd.DataFrame) -> Iterator[Found]:
    for unit, incident in zip(incidents["unit"], incidents["incident"], strict=True):
        yield unit, Lack.INCIDENT, f"còn việc chưa giải quyết: {incident}; đề nghị xử lý trước khi xét"


def _scores(slots: pd.DataFrame, grown: pd.DataFrame) -> pd.DataFrame:
    """What the places are given by: unit, kept, confirmed, growth; of several labels or platforms the least."""
    daily = slots[slots["every"] == "day"].groupby("unit")
    least = grown["low"].where(grown["why"].eq(Why.NONE)).groupby(grown["unit"]).agg(lambda low: low.min(skipna=False))
    rows = pd.DataFrame({"unit": sorted(set(slots["unit"]))}).set_index("unit")
    scores = {"kept": daily["kept"].min(), "confirmed": daily["confirmed_share"].min(), "growth": least}
    rows = rows.assign(**{name: score.reindex(rows.index) for name, score in scores.items()})
    return rows.astype("Float64").reset_index()


def _places(rows: pd.DataFrame) -> Any:
    """1 for the best; units that are equal in everything share a place, and the next one is skipped."""
    chosen = rows[rows["candidate"]].sort_values(list(PLACED_BY), ascending=False)
    other = chosen[list(PLACED_BY)].astype("float64").fillna(_UNKNOWN).diff().ne(0).any(axis=1)
    numbers = pd.Series(range(1, len(chosen) + 1), index=chosen.index, dtype="Int64")
    return numbers.where(other).ffill().reindex(rows.index)


def _praise(slots: pd.DataFrame, grown: pd.DataFrame, labels: Mapping[str, Label], clause: str) -> Mapping[str, str]:
    """What speaks for each unit: the motto, then growth, then what a person should look at again."""
    told: dict[str, list[str]] = {unit: [] for unit in slots["unit"]}
    for row in slots.to_dict("records"):
        told[row["unit"]].append(_kept(row, labels[row["label"]]))
    for row in grown[grown["unit"].isin(told)].to_dict("records"):
        told[row["unit"]].append(f"{telling.growth(row)}, {_needed(row)} ({clause})")
    for row in slots[(slots["gone"] > 0) | (slots["unsure"] > 0)].to_dict("records"):
        told[row["unit"]].extend(_doubts(row))
    return {unit: "; ".join(parts) for unit, parts in told.items()}


def _kept(row: Row, label: Label) -> str:
    """«có tin tốt 240/245 ngày (mục II-CT.2)»"""
    return f"có {_lower(label.name)} {row['met']}/{row['past']} {NOUNS[row['every']]} ({_clause(label)})"


def _doubts(row: Row) -> Iterator[str]:
    noun = NOUNS[row["every"]]
    if row["gone"]:
        yield f"{row['gone']} {noun} có bài nay đã gỡ, đề nghị xem lại"
    if row["unsure"]:
        yield f"{row['unsure']} {noun} tính theo ngày đăng ước đoán, đề nghị xem lại"
