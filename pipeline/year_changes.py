"""What would be different if a closed year were reckoned today: listed beside its figures, never mixed into them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count

import pandas as pd

from dashboards.charts import Caption, Drawing, house
from dashboards.reports import Page
from dashboards.reports.cells import Value, decimals, shown
from pipeline.year_facts import Facts, heading_of, table_of

TITLE = "Điều chỉnh sau đóng sổ"
HEADINGS = ("Biểu", "Nội dung", "Khi đóng sổ", "Nay")
SENTENCE = "Nhận xét"
NOTHING = "không có"
EDIT = "Sửa tay"
Cells = Mapping[tuple[str, str], str]


@dataclass(frozen=True)
class Change:
    """One difference, in words."""

    sheet: str
    what: str
    then: str
    now: str


def changes(frozen: Facts, fresh: Facts) -> Iterator[Change]:
    """Sheet by sheet in the order of the frozen ones, then the new ones; the sentence first, then cell by cell."""
    then, now = ({one["key"]: one for one in facts["sheets"]} for facts in (frozen, fresh))
    for key in dict.fromkeys([*then, *now]):
        old, new = then.get(key), now.get(key)
        title = str((old or new or {})["drawing"]["title"])
        if old is None or new is None:
            yield Change(title, "Cả biểu", _there(old), _there(new))
        else:
            yield from _of_sheet(title, old["drawing"], new["drawing"])


def edits_as_changes(edits: list[str]) -> list[Change]:
    """What people changed by hand since."""
    return [Change(EDIT, edit, "", "") for edit in edits]


def page_of_changes(frozen: Facts, found: list[Change]) -> Page:
    """The list as the last page of the report."""
    heading = heading_of(frozen, ())
    caption = Caption(TITLE, "đối chiếu với số liệu hiện nay", heading.until, "", heading.zone, heading.illustration)
    table = pd.DataFrame([[one.sheet, one.what, one.then, one.now] for one in found], columns=list(HEADINGS))
    sentence = f"{shown(len(found))} nội dung nay khác với khi đóng sổ; số liệu đã đóng sổ được giữ nguyên."
    note = {"text": "Xem bảng kèm theo.", "x": 0.5, "y": 0.5, "xref": "paper", "yref": "paper", "showarrow": False}
    hidden = {"visible": False, "range": [0, 1]}
    spec = house.spec([], caption, height=90, xaxis=hidden, yaxis=hidden, left=14, under=sentence, notes=[note])
    drawing: Drawing = house.drawing(caption, spec, sentence, table)
    return Page(TITLE, drawing, "", caption.source)


def _of_sheet(title: str, old: Facts, new: Facts) -> Iterator[Change]:
    if old["sentence"] != new["sentence"]:
        yield Change(title, SENTENCE, old["sentence"], new["sentence"])
    then, now = _cells(old), _cells(new)
    for row, heading in dict.fromkeys([*then, *now]):
        before, after = (cells.get((row, heading)) or NOTHING for cells in (then, now))
        if before != after:
            yield Change(title, f"{row}: {heading}", before, after)


def _cells(drawing: Facts) -> Cells:
    """Every cell by the name of its row and its heading."""
    table = table_of(drawing["table"])
    if table.empty:
        return {}
    names = [str(one) for one in table.columns]
    key = names.index(drawing["category"]) if drawing["category"] in names else 0
    rows = _each_once(shown(cell) for cell in table.iloc[:, key])
    columns = {name: table.iloc[:, place].tolist() for place, name in enumerate(names) if place != key}
    return {(row, name): text for name, cells in columns.items() for row, text in zip(rows, _texts(cells), strict=True)}


def _texts(cells: list[Value]) -> list[str]:
    digits = decimals(cells)
    return [shown(cell, digits) for cell in cells]


def _each_once(names: Iterator[str]) -> list[str]:
    """A second «A» becomes «A (2)»."""
    seen: dict[str, None] = {}
    for name in names:
        copies = (name if turn == 1 else f"{name} ({turn})" for turn in count(1))
        seen[next(copy for copy in copies if copy not in seen)] = None
    return list(seen)


def _there(sheet: Facts | None) -> str:
    return NOTHING if sheet is None else "có"
