"""«Mỗi ngày một tin tốt, mỗi tuần một câu chuyện đẹp» unit by unit: a table for a person, facts for a program."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from config.models import Config, Label
from metrics.periods import Period
from metrics.summary import sentences, summary
from pipeline import show

KEPT, BEHIND, UNSURE = 0, 1, 2
MARKS = {"met": "✔", "missed": "✖", "unknown": "⚙", "pending": "…", "resting": "☾"}
LEGEND = (
    "✔ có · ✖ chưa có · ⚙ chưa xác minh · … còn thời gian · ☾ nghỉ theo lịch · "
    "* tính theo ngày ước đoán · ° bài đã gỡ sau khi đăng"
)


@dataclass(frozen=True)
class Motto:
    """The cells of `metrics.cadence` for a period, summed up."""

    config: Config
    period: Period
    cells: pd.DataFrame

    @cached_property
    def totals(self) -> pd.DataFrame:
        return summary(self.cells)

    @cached_property
    def told(self) -> dict[str, str]:
        """One sentence for each unit."""
        return sentences(self.totals, self.config.district.labels, self.period.title())

    @property
    def exit_code(self) -> int:
        """1 when a unit missed an item, 2 when none did but one cannot be judged."""
        if self.totals["missed"].any():
            return BEHIND
        return UNSURE if self.totals["unknown"].any() or self.totals.empty else KEPT

    def print(self) -> None:
        if not self.told:
            show.say("Không có cơ sở Đoàn nào có hiệu lực trong kỳ này. Đề nghị kiểm tra units.toml.")
            return
        labels = self.config.district.labels
        headers = ("Đơn vị", *(self._header(label) for label in labels.values()), "Nhận xét")
        marks = self.cells.assign(mark=_marks(self.cells)).groupby(["unit", "label"], sort=False)["mark"].agg(" ".join)
        names = self.config.units
        rows = [
            (names[unit].name, *(str(marks.get((unit, slug), "")) for slug in labels), sentence.split(": ", 1)[1])
            for unit, sentence in self.told.items()
        ]
        show.print_table("", headers, rows)
        show.say(LEGEND)
        for label in labels.values():
            show.say(f"{label.name}: căn cứ {label.clause}.")
        show.say(self._overall())

    def _header(self, label: Label) -> str:
        is_week = (self.period.end - self.period.start).days == 7
        return f"{label.name} T2–CN" if label.every == "day" and is_week else label.name

    def _overall(self) -> str:
        """«3/5 đơn vị giữ đủ, 1 chưa đủ, 1 chưa xác minh được.»"""
        by_unit = self.totals.groupby("unit")[["missed", "unknown", "due"]].sum()
        due = by_unit[by_unit["due"] > 0]
        behind = int((due["missed"] > 0).sum())
        unsure = int(((due["missed"] == 0) & (due["unknown"] > 0)).sum())
        kept = f"{len(due) - behind - unsure}/{len(due)} đơn vị thực hiện đủ đến nay"
        return f"{kept}, {behind} đơn vị còn thiếu, {unsure} đơn vị chưa xác minh được."

    def facts(self) -> dict[str, Any]:
        cells = self.cells
        shown = cells.assign(slot=cells["slot"].dt.strftime("%Y-%m-%d"), reason=cells["reason"].astype(str))
        texts = {"labelled": str, "any_post": str, "confirmed": str, "label": str}
        return {
            "clauses": {slug: label.clause for slug, label in self.config.district.labels.items()},
            "sentences": self.told,
            "summary": self.totals.to_dict("records"),
            "cells": shown.astype(texts).to_dict("records"),
        }


def _marks(cells: pd.DataFrame) -> pd.Series[str]:
    """One sign per slot; a star where only a guessed date makes it count, a ring where a post is gone since."""
    met = cells["labelled"] == "met"
    guessed, gone = met & ~cells["sure"], met & cells["gone"]
    return (
        cells["labelled"].astype(str).map(MARKS)
        + guessed.map({True: "*", False: ""})
        + gone.map({True: "°", False: ""})
    )
