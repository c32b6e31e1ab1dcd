"""`nhip check`: did each unit keep «mỗi ngày một tin tốt, mỗi tuần một câu chuyện đẹp» in this week?"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from config.models import Config, Label
from metrics.periods import Period, PeriodError, local_date, parse_period, week_of
from metrics.summary import sentences, summary
from pipeline import checking, show
from pipeline.clock import Clock, utc_now
from pipeline.problems import UserError
from pipeline.workplace import clock_for, local_text, open_workplace

KEPT, BEHIND, UNSURE = 0, 1, 2
MARKS = {"met": "✔", "missed": "✖", "unknown": "⚙", "pending": "…", "resting": "☾"}
LEGEND = (
    "✔ có · ✖ chưa có · ⚙ chưa xác minh · … còn thời gian · ☾ nghỉ theo lịch · "
    "* tính theo ngày ước đoán · ° bài đã gỡ sau khi đăng"
)
ILLUSTRATION = "Dữ liệu minh họa."


def run(folder: Path, *, week: str | None, at: str | None, as_json: bool) -> int:
    """0 when every unit kept the motto, 1 when one missed it, 2 when none missed it but one cannot be judged."""
    with open_workplace(folder) as (config, store):
        clock = clock_for(at, config.district.tz)
        period = _period(config, week, clock)
        _refuse_future(period, clock)
        checking.label_new_posts(config, store, clock())
        cells = checking.check_motto(config, store, period, clock())
    totals = summary(cells)
    told = sentences(totals, config.district.labels, period.title())
    if as_json:
        show.print_json(_as_facts(config, period, clock, cells, totals, told))
    else:
        _print(config, period, clock, cells, totals, told)
    return _exit_code(totals)


def _period(config: Config, week: str | None, clock: Clock) -> Period:
    zone = config.district.tz
    if week is None:
        return week_of(local_date(clock(), zone), zone)
    try:
        return parse_period(week, zone)
    except PeriodError as error:
        raise UserError(str(error)) from error


def _refuse_future(period: Period, clock: Clock) -> None:
    if clock() > utc_now():
        raise UserError("Chưa đến thời điểm ghi ở --at. Chọn thời điểm đã qua, hoặc bỏ --at.")
    if period.start_at > clock():
        raise UserError(f"{period.title()} chưa bắt đầu nên chưa có gì để đối chiếu.", UNSURE)


def _exit_code(totals: pd.DataFrame) -> int:
    if totals["missed"].any():
        return BEHIND
    return UNSURE if totals["unknown"].any() or totals.empty else KEPT


def _print(
    config: Config,
    period: Period,
    clock: Clock,
    cells: pd.DataFrame,
    totals: pd.DataFrame,
    told: dict[str, str],
) -> None:
    show.say(f"{config.district.organisation.name}. {period.title()}. {_cut_off(config, clock)}")
    if not told:
        show.say("Không có cơ sở Đoàn nào có hiệu lực trong kỳ này. Đề nghị kiểm tra units.toml.")
        return
    labels = config.district.labels
    headers = ("Đơn vị", *(_header(label, period) for label in labels.values()), "Nhận xét")
    marks = cells.assign(mark=_marks(cells)).groupby(["unit", "label"], sort=False)["mark"].agg(" ".join)
    rows = [
        (config.units[unit].name, *(str(marks.get((unit, slug), "")) for slug in labels), sentence.split(": ", 1)[1])
        for unit, sentence in told.items()
    ]
    show.print_table("", headers, rows)
    show.say(LEGEND)
    for label in labels.values():
        show.say(f"{label.name}: căn cứ {label.clause}.")
    show.say(_overall(totals))


def _header(label: Label, period: Period) -> str:
    is_week = (period.end - period.start).days == 7
    return f"{label.name} T2–CN" if label.every == "day" and is_week else label.name


def _marks(cells: pd.DataFrame) -> pd.Series[str]:
    """One sign per slot; a star where only a guessed date makes it count, a ring where a post is gone since."""
    met = cells["labelled"] == "met"
    guessed, gone = met & ~cells["sure"], met & cells["gone"]
    return (
        cells["labelled"].astype(str).map(MARKS)
        + guessed.map({True: "*", False: ""})
        + gone.map({True: "°", False: ""})
    )


def _cut_off(config: Config, clock: Clock) -> str:
    made_up = f" {ILLUSTRATION}" if config.district.organisation.illustration else ""
    return f"Số liệu đến {local_text(clock(), config.district.tz)}.{made_up}"


def _overall(totals: pd.DataFrame) -> str:
    """«3/5 đơn vị giữ đủ, 1 chưa đủ, 1 chưa xác minh được.»"""
    by_unit = totals.groupby("unit")[["missed", "unknown", "due"]].sum()
    due = by_unit[by_unit["due"] > 0]
    behind = int((due["missed"] > 0).sum())
    unsure = int(((due["missed"] == 0) & (due["unknown"] > 0)).sum())
    kept = len(due) - behind - unsure
    return (
        f"{kept}/{len(due)} đơn vị thực hiện đủ đến nay, {behind} đơn vị còn thiếu, {unsure} đơn vị chưa xác minh được."
    )


def _as_facts(
    config: Config,
    period: Period,
    clock: Clock,
    cells: pd.DataFrame,
    totals: pd.DataFrame,
    told: dict[str, str],
) -> dict[str, object]:
    shown = cells.assign(slot=cells["slot"].dt.strftime("%Y-%m-%d"), reason=cells["reason"].astype(str))
    return {
        "organisation": config.district.organisation.name,
        "illustration": config.district.organisation.illustration,
        "period": {"title": period.title(), "start": period.start, "end": period.end},
        "as_of": clock(),
        "clauses": {slug: label.clause for slug, label in config.district.labels.items()},
        "sentences": told,
        "summary": totals.to_dict("records"),
        "cells": shown.astype({"labelled": str, "any_post": str, "confirmed": str, "label": str}).to_dict("records"),
    }
