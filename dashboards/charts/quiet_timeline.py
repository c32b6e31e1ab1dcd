"""How long units have been silent: what looks prove of it, what is not verified, and when it became too long."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pandas as pd

from dashboards.charts import house, rows, styles
from dashboards.charts.colours import INK, OPEN, OPEN_FILL, RUST
from dashboards.charts.drawing import Aim, Caption, Drawing
from dashboards.charts.texts import plain
from dashboards.charts.values import DAY_MS, known_ms, one
from metrics.quiet import State
from metrics.words import number

MOST = 25
WORDS = {State.QUIET: "im lặng", State.UNKNOWN: "chưa xác minh", State.RESTING: "nghỉ theo lịch"}
PROVED, UNPROVED, LAST, DUE = "Đã xác minh không có bài", "Chưa xác minh", "Bài gần nhất", "Hạn"
HEADINGS = ["Đơn vị", "Trạng thái", "Số ngày", "Bài gần nhất", "Tính từ", "Hạn", "Xác minh đến", "Ghi chú"]
MOMENTS = ("last_post_at", "clock_from", "due_at", "proved_until")


def draw(frame: pd.DataFrame, aim: Aim, caption: Caption) -> Drawing:
    """A bar for each unit past its deadline, longest silence on top: proved, then not verified, up to the cut-off.

    frame: rows of metrics.quiet.quiet of one kind: unit (the name to be shown), state (metrics.quiet.State),
    last_post_at, clock_from, due_at, proved_until (aware UTC moments, NaT: not known), silent_days (Int64), reason
    (text). Active ones are not drawn; a unit of which nothing is known has words and no bar. Moments are shown in
    caption.zone.
    """
    late = frame[frame["state"].astype(str) != State.ACTIVE.value]
    late = late.sort_values("silent_days", ascending=False, na_position="last", kind="stable")
    table = _table(late, caption)
    if late.empty or caption.until is None:
        return house.nothing(caption, table, _sentence(frame, late, caption))
    omitted = max(0, len(late) - MOST)
    spec = _spec(late.head(MOST), caption, caption.until, omitted)
    return house.drawing(caption, spec, _sentence(frame, late, caption), table, omitted=omitted)


def _spec(shown: pd.DataFrame, caption: Caption, until: datetime, omitted: int) -> dict[str, Any]:
    local = {name: _local(shown[name], caption) for name in MOMENTS}
    now = known_ms([pd.Timestamp(until).tz_convert(caption.zone).tz_localize(None)])[0] or 0
    first = min([now - 7 * DAY_MS, *(one for some in local.values() for one in some if one is not None)])
    data = [
        _stretch(local["clock_from"], local["proved_until"], PROVED, {"color": RUST}),
        _stretch(_after(local), [now] * len(shown), UNPROVED, styles.filled(OPEN_FILL, OPEN, "/")),
        _dots(local["last_post_at"], LAST, "circle"),
        _dots(local["due_at"], DUE, "line-ns-open"),
    ]
    return house.spec(
        [*data, rows.labels([_label(row) for row in shown.to_dict("records")], first)],
        caption,
        height=rows.height(len(shown)),
        xaxis={**house.days(first, now), "range": [first - DAY_MS, now + DAY_MS]},
        yaxis=rows.axis(len(shown)),
        left=rows.LEFT,
        under=f"Còn {number(omitted)} đơn vị không vẽ" if omitted else "",
    )


def _local(moments: pd.Series[Any], caption: Caption) -> list[int | None]:
    return known_ms(pd.to_datetime(moments, utc=True).dt.tz_convert(caption.zone).dt.tz_localize(None))


def _after(local: dict[str, list[int | None]]) -> list[int | None]:
    """Where what is not verified begins: at the end of the proof, else where the silence does."""
    pairs = zip(local["proved_until"], local["clock_from"], strict=True)
    return [clock if proved is None else proved for proved, clock in pairs]


def _stretch(
    start: Sequence[int | None], end: Sequence[int | None], name: str, marker: dict[str, Any]
) -> dict[str, Any]:
    lengths = [None if a is None or b is None or b <= a else b - a for a, b in zip(start, end, strict=True)]
    hover = {"hovertemplate": "Từ %{base|%d/%m/%Y}<extra>%{fullData.name}</extra>"}
    return rows.bars(lengths, name, marker, base=[one or 0 for one in start], **hover)


def _dots(moments: Sequence[int | None], name: str, symbol: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": list(moments),
        "y": [place + rows.MIDDLE for place in range(len(moments))],
        "marker": {"symbol": symbol, "size": 9 if symbol == "circle" else 18, "color": INK, "line": {"width": 2}},
        "hovertemplate": "%{x|%d/%m/%Y}<extra>%{fullData.name}</extra>",
    }


def _label(row: dict[Any, Any]) -> str:
    days = one(row["silent_days"])
    more = "" if days is None else f", {int(days)} ngày"
    return f"{plain(row['unit'], 26)}: {WORDS[State(row['state'])]}{more}"


def _table(late: pd.DataFrame, caption: Caption) -> pd.DataFrame:
    moments = [
        pd.to_datetime(late[name], utc=True).dt.tz_convert(caption.zone).dt.tz_localize(None).to_numpy()
        for name in MOMENTS
    ]
    names = [plain(name) for name in late["unit"]]
    words = [WORDS[State(word)] for word in late["state"].astype(str)]
    reasons = [plain(reason) for reason in late["reason"]]
    days = late["silent_days"].astype("Int64").to_numpy()
    return pd.DataFrame(dict(zip(HEADINGS, (names, words, days, *moments, reasons), strict=True)))


def _sentence(frame: pd.DataFrame, late: pd.DataFrame, caption: Caption) -> str:
    """«Đến 20/11/2026 …: 2/20 đơn vị chưa ghi nhận tin, bài mới quá hạn, lâu nhất là A (12 ngày); 1 chưa xác minh.»"""
    if frame.empty:
        return house.NOTHING_TO_SAY
    state = late["state"].astype(str)
    quiet = late[state == State.QUIET.value]
    told = f"{number(len(quiet))}/{number(len(frame))} đơn vị chưa ghi nhận tin, bài mới quá hạn"
    if quiet["silent_days"].notna().any():
        told += f", lâu nhất là {plain(quiet['unit'].iloc[0], 40)} ({number(quiet['silent_days'].iloc[0])} ngày)"
    blind = int((state == State.UNKNOWN.value).sum())
    more = f"; {number(blind)} đơn vị chưa xác minh được" if blind else ""
    return f"Theo {house.cut_off(caption)}: {told}{more}."
