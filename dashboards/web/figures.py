"""The charts of the pages: what the store knows, handed to the pure charts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

from dashboards.charts import CHARTS, Aim, Caption, Drawing, Mark, MarkKind
from dashboards.web.tables import Cell, Column, Table, cells
from dashboards.web.view import View
from metrics.breaks import breaks
from metrics.forecast import daily_matrix
from metrics.periods import DAY, Period, midnight
from metrics.telling import PLATFORM_NAMES
from metrics.words import day, number
from store.records import Said

MOST = 60
"""Channels in one chart of growth."""


@dataclass(frozen=True)
class Growth:
    """What the check said of the growth of one channel."""

    channel: str
    name: str
    said: Said
    clause: str


def growth_chart(view: View) -> Drawing | None:
    """The channels that the plan names, or those of the unit that is asked for; None where the check knows of none."""
    grown = _grown(view)
    if not grown:
        return None
    said = [one.said for one in grown]
    start = min(_base_day(one) for one in said)
    until = max(one.as_of for one in said)
    window = Period(start, min(view.week.end, view.today + DAY), view.config.district.tz)
    return CHARTS["audience"](_frame(view, grown, window), _aim(view, grown, window), _caption(view, grown, until))


def _grown(view: View) -> list[Growth]:
    if view.plan is None:
        return []
    unit = view.asked.get("don-vi") or view.place.get("unit")
    rows = [row for row in view.plan.rows.values() if row.indicator == "audience_growth"]
    rows = [row for row in rows if unit or row.scope.channels]
    channels = view.config.channels
    mine = [slug for slug, one in channels.items() if unit is None or any(owner.unit == unit for owner in one.owners)]
    checked = view.desk.checked(view.plan, view.week, rows=[row.id for row in rows], subjects=mine if unit else None)
    found = {
        said.subject: Growth(said.subject, channels[said.subject].name, said, target.row.clause)
        for target in checked.targets
        for said in target.subjects
        if said.subject in channels and said.facts.get("base_value") and said.facts.get("count") == "followers"
    }
    return list(found.values())[:MOST]


def _base_day(said: Said) -> date:
    return date.fromisoformat(str(said.facts["base_day"])[:10])


def _frame(view: View, grown: Sequence[Growth], window: Period) -> pd.DataFrame:
    """Days × channels: the count at the end of each day."""
    slugs = [one.channel for one in grown]
    points = view.store.series(midnight(window.start, window.zone), view.now, slugs)
    matrix = daily_matrix(points, pd.Index(slugs), "followers", window)
    return pd.DataFrame(matrix.T, index=pd.DatetimeIndex(window.days()), columns=[one.name for one in grown])


def _aim(view: View, grown: Sequence[Growth], window: Period) -> Aim:
    first = grown[0].said
    facts = {one.name: one.said.facts for one in grown}
    foreseen = {
        name: (fact["forecast_low"], fact["forecast_high"])
        for name, fact in facts.items()
        if fact.get("forecast_low") is not None
    }
    platforms = sorted({view.config.channels[one.channel].platform for one in grown})
    found = [one for platform in platforms for one in breaks(platform, "followers", window.start, window.end)]
    return Aim(
        goal=first.goal,
        period=Period(first.period_start, first.period_end, window.zone),
        today=window.last,
        bases={name: fact["base_value"] for name, fact in facts.items()},
        forecasts=foreseen,
        marks=[Mark(one.day, "đổi cách đếm", MarkKind.BREAK, one.sentence) for one in found],
        noun="lượt theo dõi",
    )


def _caption(view: View, grown: Sequence[Growth], until: object) -> Caption:
    platforms = dict.fromkeys(view.config.channels[one.channel].platform for one in grown)
    return Caption(
        title="Lượt theo dõi so với mốc",
        source=", ".join(PLATFORM_NAMES.get(one, one) for one in platforms),
        until=max(one.said.as_of for one in grown),
        clause=f"mục {grown[0].clause}",
        zone=view.config.district.tz,
        illustration=view.config.district.organisation.illustration,
    )


FIGURES: Mapping[str, Callable[[View], Drawing | None]] = {"tang-truong": growth_chart}
"""By the name in an address."""


def drawing_table(view: View, drawing: Drawing | None, name: str, *, whole: bool) -> Table:
    """The numbers of a chart; on a page one row a week, and all of them as CSV."""
    if drawing is None:
        return Table(name, "Số liệu của biểu đồ", (), (), "Chưa có số liệu để vẽ.", dict(view.asked))
    frame = drawing.table if whole else drawing.table.iloc[::-1].iloc[::7]
    columns = [Column(str(title), str(title), is_number=place > 0) for place, title in enumerate(frame.columns)]
    rows = [cells(*map(_plain, row)) for row in frame.itertuples(index=False, name=None)]
    caption = "Số liệu của biểu đồ" + ("" if whole else ", mỗi tuần một dòng, mới nhất ở trên")
    return Table(name, caption, columns, rows, "Chưa có số liệu để vẽ.", dict(view.asked))


def _plain(value: object) -> Cell | str | None:
    if value is None or pd.isna(value):  # type: ignore[call-overload]
        return None
    if isinstance(value, pd.Timestamp):
        return Cell(day(value.date()), value.date())
    if isinstance(value, float):
        return Cell(_decimal(value), value)
    return Cell(number(value), value) if isinstance(value, int) else str(value)


def _decimal(value: float) -> str:
    return f"{value:,.1f}".replace(",", " ").replace(".", ",").replace(" ", ".")
