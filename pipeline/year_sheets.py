"""The sheets of a report on a year: one chart each, with its key, so that a frozen one finds its fresh one again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from config.models import Config
from config.plan_models import Plan, Row
from dashboards.charts import CHARTS, Aim, Caption, Drawing
from metrics.telling import PLATFORM_NAMES
from pipeline.year_asked import Year

NAMES = {**PLATFORM_NAMES, "website": "trang thông tin điện tử"}


@dataclass(frozen=True)
class Sheet:
    """One chart of the report."""

    key: str
    """The same in every report of the same year: «tiles/binh-tan-2024»."""
    plan: str
    """The plan that it is about; empty for what concerns all."""
    clause: str
    source: str
    drawing: Drawing

    @property
    def title(self) -> str:
        return self.drawing.title


@dataclass(frozen=True)
class Words:
    """What stands around a chart."""

    title: str
    source: str
    clause: str = ""


def sheet(year: Year, key: str, frame: pd.DataFrame, words: Words, aim: Aim | None = None, plan: str = "") -> Sheet:
    """The chart that the first part of the key names, drawn from a frame."""
    illustration = year.config.district.organisation.illustration
    caption = Caption(words.title, words.source, year.until, words.clause, year.zone, illustration)
    drawing = CHARTS[key.split("/", maxsplit=1)[0]](frame, aim or Aim(), caption)
    return Sheet(key, plan, words.clause, words.source, drawing)


def paper(plan: Plan) -> str:
    """How a plan is called in a few letters: its number, else its slug."""
    return plan.document.number or plan.slug


def cited(plan: Plan, rows: Iterable[Row]) -> str:
    """«mục II-CT.4, II-CT.5, 82/KH-UBND»"""
    clauses = dict.fromkeys(row.clause for row in rows)
    return f"mục {', '.join(clauses)}, {paper(plan)}"


def unit_names(config: Config) -> dict[str, str]:
    """The names to be shown, each once."""
    return _told_apart({slug: unit.name for slug, unit in config.units.items()})


def channel_names(config: Config) -> dict[str, str]:
    return _told_apart({slug: channel.name for slug, channel in config.channels.items()})


def platforms_of(config: Config, channels: Iterable[str]) -> str:
    """«Facebook, TikTok»"""
    found = dict.fromkeys(config.channels[slug].platform for slug in channels if slug in config.channels)
    return ", ".join(NAMES.get(one, one) for one in found)


def _told_apart(names: Mapping[str, str]) -> dict[str, str]:
    seen = list(names.values())
    return {slug: name if seen.count(name) == 1 else f"{name} ({slug})" for slug, name in names.items()}
