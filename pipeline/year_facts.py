"""A report on a year as plain facts: they can be frozen as one text, and everything that is written comes from them.

So a report of a closed year, drawn again years later, has the same tables and sentences to the last byte.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pandas as pd

from dashboards.charts import Drawing, Shape
from dashboards.reports import Heading, Page
from dashboards.reports.cells import Value, columns
from pipeline.year_asked import Year
from pipeline.year_sheets import Sheet

Facts = dict[str, Any]
KEYS = {"year", "cut_off", "start", "end", "as_of", "until", "organisation", "zone", "illustration", "words", "sheets"}


def facts_of(year: Year, sheets: Sequence[Sheet], words: Sequence[tuple[str, str]]) -> Facts:
    """Everything that the report says; *words* are its definitions."""
    organisation = year.config.district.organisation
    facts = {
        "year": year.number,
        "cut_off": year.cut_off,
        "start": year.period.start.isoformat(),
        "end": year.period.end.isoformat(),
        "as_of": year.as_of.isoformat(),
        "until": year.until.isoformat(),
        "known_at": year.known_at.isoformat(),
        "over": year.is_over,
        "organisation": organisation.name,
        "zone": str(year.zone),
        "illustration": organisation.illustration,
        "words": [list(pair) for pair in words],
        "sheets": [_sheet_facts(one) for one in sheets],
    }
    plain: Facts = orjson.loads(freeze(facts))  # an open year is drawn from the same facts as a closed one
    return plain


def freeze(facts: Facts) -> str:
    """The one text of these facts: the same facts always give the same bytes."""
    return orjson.dumps(facts, option=orjson.OPT_SORT_KEYS).decode()


def thaw(content: str) -> Facts | None:
    """The facts of a frozen report; None when it is none any more."""
    try:
        facts = orjson.loads(content)
    except orjson.JSONDecodeError:
        return None
    return facts if isinstance(facts, dict) and facts.keys() >= KEYS else None


def heading_of(facts: Facts, notes: Sequence[str]) -> Heading:
    start, last = date.fromisoformat(facts["start"]), date.fromisoformat(facts["end"])
    return Heading(
        f"Báo cáo năm {facts['year']}",
        facts["organisation"],
        f"Kỳ báo cáo: từ {start:%d/%m/%Y} đến trước {last:%d/%m/%Y}",
        datetime.fromisoformat(facts["until"]),
        ZoneInfo(facts["zone"]),
        facts["illustration"],
        tuple(notes),
        tuple((word, meaning) for word, meaning in facts["words"]),
    )


def pages_of(facts: Facts, plan: str | None) -> list[Page]:
    """The sheets in order; of one plan only when asked: its own and those that belong to none."""
    chosen = [one for one in facts["sheets"] if plan is None or one["plan"] in ("", plan)]
    return [Page(one["drawing"]["title"], drawing_of(one["drawing"]), one["clause"], one["source"]) for one in chosen]


# --- one chart ---------------------------------------------------------------------------------------------------


def _sheet_facts(sheet: Sheet) -> Facts:
    drawing = {**asdict(sheet.drawing), "table": table_facts(sheet.drawing.table)}
    return {"key": sheet.key, "plan": sheet.plan, "clause": sheet.clause, "source": sheet.source, "drawing": drawing}


def drawing_of(facts: Facts) -> Drawing:
    parts = {"table": table_of(facts["table"]), "shape": Shape(facts["shape"]), "series": tuple(facts["series"])}
    return Drawing(**{**facts, **parts})


def table_facts(table: pd.DataFrame) -> Facts:
    """Headings and columns of cells, as the files show them."""
    return {
        "headings": [str(one) for one in table.columns],
        "columns": [[_frozen(cell) for cell in column] for column in columns(table)],
    }


def table_of(facts: Facts) -> pd.DataFrame:
    cells = [[_thawed(cell) for cell in column] for column in facts["columns"]]
    named = {place: pd.Series(column, dtype=object) for place, column in enumerate(cells)}
    table = pd.DataFrame(named, dtype=object)
    table.columns = pd.Index(facts["headings"], dtype=object)
    return table


def _frozen(cell: Value) -> Any:
    if isinstance(cell, datetime):
        return {"at": cell.isoformat()}
    return {"day": cell.isoformat()} if isinstance(cell, date) else cell


def _thawed(cell: Any) -> Value:
    if not isinstance(cell, dict):
        found: Value = cell
        return found
    return datetime.fromisoformat(cell["at"]) if "at" in cell else date.fromisoformat(cell["day"])
