"""Frames for the tests of the charts: an invented district of any size, one builder for each chart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from dashboards.charts import CHARTS, Aim, Caption, Drawing, Mark, MarkKind
from metrics.periods import year

HCMC = ZoneInfo("Asia/Ho_Chi_Minh")
UNTIL = datetime(2026, 11, 19, 23, tzinfo=UTC)
"""06:00 on 20/11/2026 in Ho Chi Minh City."""
TODAY = date(2026, 11, 20)
Y2026 = year(2026, HCMC)
Name = Callable[[int], str]


def ward(number: int) -> str:
    return f"Đoàn phường mẫu {number + 1}"


def caption(title: str = "Biểu đồ mẫu", **more: Any) -> Caption:
    facts = {"source": "Facebook, TikTok (mẫu)", "until": UNTIL, "clause": "II-CT.4", "zone": HCMC}
    return Caption(title, **{**facts, **more})


def draw(name: str, frame: pd.DataFrame, aim: Aim | None = None, **more: Any) -> Drawing:
    return CHARTS[name](frame, aim or Aim(), caption(**more))


def moments(texts: list[Any]) -> pd.Series[Any]:
    return pd.Series(pd.to_datetime(pd.Series(texts, dtype=object), utc=True, format="ISO8601"))


# --- one frame for each chart -----------------------------------------------------------------------------------


def counts(number: int = 4, days: int = 324, first: str = "2026-01-01", name: Name | None = None) -> pd.DataFrame:
    """Counts of channels that grow at different speeds, with a gap of five days in each."""
    random = np.random.default_rng(4)
    starts = 1_000 * (1 + np.arange(number))
    matrix = starts + np.cumsum(random.uniform(-0.5, 1.7, (days, number)) * starts / 3_600, axis=0).round()
    matrix[days // 2 : days // 2 + 5] = np.nan
    names = [(name or (lambda place: f"Kênh mẫu {place + 1}"))(place) for place in range(number)]
    return pd.DataFrame(matrix, index=pd.date_range(first, periods=days), columns=names)


def growth_aim(frame: pd.DataFrame, **more: Any) -> Aim:
    bases = {name: 1_000.0 * (place + 1) for place, name in enumerate(frame.columns)}
    facts = {"period": Y2026, **more}
    return Aim(goal=0.05, today=TODAY, bases=bases, **facts)


def targets(number: int = 6, name: Name | None = None) -> pd.DataFrame:
    kinds = [
        ("met", 1.0, 1.0, 1.0, 1.0, False),
        ("on_pace", 0.043, 0.046, 0.05, 0.0443, False),
        ("behind", 0.031, 0.041, 0.05, 0.0443, False),
        ("at_risk", -0.012, -0.012, 0.05, 0.0443, False),
        ("behind", 9.0, 9.0, 12.0, 10.6, True),
        ("not_reported", None, None, 0.75, 0.75, False),
    ]
    columns = ["status", "low", "high", "goal", "expected", "counts"]
    rows = [kinds[place % len(kinds)] for place in range(number)]
    frame = pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(columns[1:5], "Float64"))
    titles = [(name or (lambda place: f"Chỉ tiêu mẫu số {place + 1}"))(place) for place in range(number)]
    return frame.assign(clause=[f"II-CT.{place + 1}" for place in range(number)], title=titles)


def cells(number: int = 12, slots: int = 28, every: str = "day", name: Name | None = None) -> pd.DataFrame:
    """Cells of the cadence; Sundays rest, the third unit is blind, the last slot is pending."""
    starts = pd.date_range(end="2026-11-20" if every == "day" else "2026-11-16", periods=slots, freq="D")
    if every == "week":
        starts = pd.date_range(end="2026-11-16", periods=slots, freq="7D")
    state = np.where(np.random.default_rng(7).random((number, slots)) < 0.8, "met", "missed").astype(object)
    if every == "day":
        state[:, np.asarray(starts.day_of_week) == 6] = "resting"
    state[2:3] = "unknown"
    state[:, -1] = "pending"
    units = np.repeat([(name or ward)(place) for place in range(number)], slots)
    return pd.DataFrame({"unit": units, "slot": np.tile(starts, number), "state": state.ravel()})


def commended(number: int = 12, name: Name | None = None) -> pd.DataFrame:
    kept = np.linspace(1, 0.4, number)
    group = np.where(kept >= 0.95, "candidate", "not_yet").astype(object)
    place = pd.array([at + 1 if word == "candidate" else None for at, word in enumerate(group)], "Int64")
    frame = pd.DataFrame({"unit": [(name or ward)(one) for one in range(number)], "place": place, "group": group})
    frame["kept"] = pd.array(kept, "Float64")
    frame = frame.assign(confirmed=frame["kept"] / 2, growth=frame["kept"] / 20, reason="có tin tốt (mẫu)")
    if number > 2:
        last = pd.Series(frame.index == number - 1)
        frame["group"] = frame["group"].mask(last, "too_little")
        frame = frame.assign(**{name: frame[name].mask(last) for name in ("kept", "confirmed", "growth")})
    return frame


def silence(number: int = 6, name: Name | None = None) -> pd.DataFrame:
    states = ["quiet", "unknown", "active", "resting", "quiet", "unknown"]
    last = ["2026-11-02", "2026-11-08", "2026-11-19", "2026-11-11", None, None]
    proved = ["2026-11-19 22:00", "2026-11-12", None, "2026-11-19 22:00", "2026-11-19 22:00", None]
    chosen = [place % len(states) for place in range(number)]
    clock = [last[one] or ("2026-10-25" if proved[one] else None) for one in chosen]
    since = [None if one is None else (TODAY - date.fromisoformat(one[:10])).days for one in clock]
    return pd.DataFrame(
        {
            "unit": [(name or ward)(place) for place in range(number)],
            "state": [states[one] for one in chosen],
            "last_post_at": moments([last[one] for one in chosen]),
            "clock_from": moments(clock),
            "due_at": moments(clock) + pd.Timedelta(days=4),
            "proved_until": moments([proved[one] for one in chosen]),
            "silent_days": pd.array(since, "Int64"),
            "reason": ["chưa đọc trọn kênh (mẫu)" if states[one] == "unknown" else "" for one in chosen],
        }
    )


def sites(number: int = 6, name: Name | None = None) -> pd.DataFrame:
    kinds = [("alive", 1, 14, 60, 60), ("alive", 6, 4, 58, 60), ("idle", 48, 0, 60, 60), ("blind", None, 0, 0, 60)]
    rows = [kinds[place % len(kinds)] for place in range(number)]
    columns = ["state", "idle_days", "posts", "answered", "looks"]
    frame = pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(columns[1:], "Int64"))
    return frame.assign(channel=[(name or (lambda place: f"Trang mẫu {place + 1}"))(place) for place in range(number)])


def shares(number: int = 6, name: Name | None = None) -> pd.DataFrame:
    told = [(240, 300), (90, 150), (410, 500), None]
    rows: list[dict[str, Any]] = []
    for place in range(number):
        part = told[place % len(told)]
        facts: dict[str, Any] = {"numerator": None, "denominator": None, "shown": None, "note": "chưa báo cáo"}
        if part:
            facts = {"numerator": part[0], "denominator": part[1], "shown": part[0] / part[1], "note": ""}
        bounds = {"low": facts["shown"], "high": facts["shown"]}
        rows.append({"subject": f"u{place}", "unit": (name or ward)(place), **facts, **bounds})
    if rows:
        whole = {"numerator": 740, "denominator": 950, "shown": 0.779, "low": 0.61, "high": 0.83, "note": ""}
        rows.append({"subject": "", "unit": "", **whole})
    kinds = {
        **dict.fromkeys(("numerator", "denominator"), "Int64"),
        **dict.fromkeys(("shown", "low", "high"), "Float64"),
    }
    columns = ["subject", "unit", "numerator", "denominator", "shown", "low", "high", "note"]
    return pd.DataFrame(rows, columns=columns).astype(kinds)


def months_of_years(number: int = 3) -> pd.DataFrame:
    rows = [
        {"year": 2027 - number + at, "month": month, "value": 60 + 7 * at + 5 * (month % 4), "whole": True}
        for at in range(number)
        for month in range(1, 13)
    ]
    frame = pd.DataFrame(rows, columns=["year", "month", "value", "whole"]).astype({"value": "Float64"})
    frame.loc[frame["year"].eq(2025) & frame["month"].eq(3), "value"] = pd.NA
    unfinished = frame["year"].eq(2026) & frame["month"].eq(11)
    frame.loc[unfinished, "whole"] = False
    return frame[~(frame["year"].eq(2026) & frame["month"].eq(12))].reset_index(drop=True)


def platform_months(number: int = 11, platforms: tuple[str, ...] = ("facebook", "tiktok", "youtube", "website")):
    months = pd.date_range(end="2026-11-01", periods=number, freq="MS")
    rows = [
        {"platform": platform, "month": month, "posts": (30 - 6 * at) + 3 * (month.month % 5)}
        for at, platform in enumerate(platforms)
        for month in months
    ]
    frame = pd.DataFrame(rows, columns=["platform", "month", "posts"]).astype({"posts": "Int64"})
    frame.loc[frame["platform"].eq("tiktok") & frame["month"].eq("2026-03-01"), "posts"] = pd.NA
    return frame


def best_posts(number: int = 12, name: Name | None = None) -> pd.DataFrame:
    title = name or (lambda place: f"Tin tốt mẫu số {place + 1}: đội thanh niên giúp bà con dọn kênh rạch cuối tuần")
    totals = [1_500 - 90 * place for place in range(number)]
    return pd.DataFrame(
        {
            "title": [title(place) for place in range(number)],
            "channel": [ward(place % 5) for place in range(number)],
            "platform": [("facebook", "tiktok", "youtube")[place % 3] for place in range(number)],
            "published_at": moments(["2026-10-01 18:30"] * number),
            "total": pd.array(totals, "Int64"),
        }
    )


# --- every chart as it is meant to look -------------------------------------------------------------------------


@dataclass(frozen=True)
class Example:
    """How one chart is fed: a frame of so many things, and the aim beside it."""

    title: str
    frame: Callable[..., pd.DataFrame]
    size: int
    aim: Callable[[pd.DataFrame], Aim] = lambda _: Aim()
    names: bool = True
    """Its builder takes the names of the things."""


def full_growth_aim(frame: pd.DataFrame) -> Aim:
    forecasts = {name: (1_040.0 * (at + 1), 1_075.0 * (at + 1)) for at, name in enumerate(frame.columns[:3])}
    marks = (
        Mark(date(2026, 3, 26), "Ngày thành lập Đoàn"),
        Mark(date(2026, 8, 24), "Đổi cách đếm", MarkKind.BREAK, "Từ ngày 24/08/2026 cách đếm thay đổi (mẫu)."),
    )
    return growth_aim(frame, forecasts=forecasts, marks=marks)


RULE = "Xếp theo số ngày có tin tốt, rồi số ngày có người xác nhận, rồi mức tăng trưởng."
EXAMPLES: dict[str, Example] = {
    "audience": Example("Lượt theo dõi các kênh so với chỉ tiêu", counts, 4, full_growth_aim),
    "heat-strip": Example("Mỗi ngày một tin tốt", cells, 12),
    "league": Example("Xếp hạng các cơ sở Đoàn", commended, 12, lambda _: Aim(rule=RULE)),
    "posts-by-month": Example("Bài đăng theo nền tảng và tháng", platform_months, 11, names=False),
    "quiet-timeline": Example("Các đơn vị chưa có tin, bài mới", silence, 6),
    "share-bounds": Example("Đoàn viên liên kết, tương tác", shares, 6, lambda _: Aim(goal=0.75)),
    "site-presence": Example("Trang thông tin điện tử của các đơn vị", sites, 6),
    "story-dots": Example(
        "Mỗi tuần một câu chuyện đẹp", lambda number=12, **more: cells(number, 20, "week", **more), 12
    ),
    "tiles": Example("Tiến độ các chỉ tiêu", targets, 6),
    "top-posts": Example("Bài được quan tâm nhất", best_posts, 12, lambda _: Aim(noun="lượt tương tác")),
    "year-comparison": Example(
        "Số bài theo tháng so với cùng kỳ", months_of_years, 3, lambda _: Aim(noun="bài"), names=False
    ),
}


def example(name: str, size: int | None = None, /, **more: Any) -> tuple[pd.DataFrame, Aim]:
    """The frame of a chart with so many things in it, and its aim."""
    known = EXAMPLES[name]
    frame = known.frame(known.size if size is None else size, **more)
    return frame, known.aim(frame)


def drawn(name: str, size: int | None = None, /, **more: Any) -> Drawing:
    frame, aim = example(name, size)
    return draw(name, frame, aim, **{"title": EXAMPLES[name].title, **more})
