"""Sheets about the units: items day by day and week by week, places, and who is silent at the cut-off."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pandas as pd

from dashboards.charts import Aim
from metrics.periods import local_date
from pipeline import checking
from pipeline.commending import Commendation, commendation
from pipeline.judgement import Judgement
from pipeline.silence import silence
from pipeline.year_asked import Year
from pipeline.year_sheets import Sheet, Words, sheet, unit_names

POSTS = "bài đăng trên các kênh của đơn vị"
CHART_OF = {"day": "heat-strip", "week": "story-dots"}
TIME_OF = {"day": "từng ngày", "week": "từng tuần"}
PROOF_SHOWN = timedelta(days=100)


def sheets_of_units(year: Year, found: Judgement, praise: Commendation) -> Iterator[Sheet]:
    yield from motto(year, found)
    yield league(year, praise)
    yield quiet(year)


def praised(year: Year) -> Commendation:
    """The units by their places at the cut-off."""
    return commendation(year.config, year.store, year.period, year.until)


def motto(year: Year, found: Judgement) -> Iterator[Sheet]:
    """Every label: which unit had its item when."""
    cells = found.cells
    if cells is None:
        cells = checking.check_motto(year.config, year.store, year.period, year.as_of)
    begun = cells[cells["slot"] < pd.Timestamp(year.days.end)]
    for slug, label in year.config.district.labels.items():
        own = begun[begun["label"] == slug]
        names = own["unit"].map(unit_names(year.config)).astype("category")
        frame = pd.DataFrame({"unit": names, "slot": own["slot"], "state": own["labelled"].astype(str)})
        words = Words(f"{label.name} {TIME_OF[label.every]} của các đơn vị", POSTS, label.clause)
        yield sheet(year, f"{CHART_OF[label.every]}/{slug}", frame.reset_index(drop=True), words)


def league(year: Year, found: Commendation) -> Sheet:
    """The units by their places; how places are given stands below the title, the whole rule in the definitions."""
    rows = found.rows.assign(unit=found.rows["unit"].map(unit_names(year.config)))
    clause, plan = found.source
    words = Words(f"Xét tuyên dương các đơn vị, năm {year.number}", POSTS, f"mục {clause}, {plan}" if clause else "")
    return sheet(year, "league/units", rows, words, Aim(rule=found.rule[-1]))


def quiet(year: Year) -> Sheet:
    """The units whose time was over at the cut-off; each drawn from where the looks prove its silence."""
    found = silence(year.config, year.store, year.until, year.store.cases(as_of=year.until), back=PROOF_SHOWN)
    rows = found[found["kind"] == "unit"]
    proved = rows["proved_from"].fillna(rows["clock_from"])
    rows = rows.assign(unit=rows["unit"].map(unit_names(year.config)), clock_from=proved)
    day = local_date(year.until, year.zone)
    return sheet(year, "quiet-timeline/units", rows, Words(f"Đơn vị chưa có tin, bài mới đến {day:%d/%m/%Y}", POSTS))
