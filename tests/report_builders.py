"""Made-up charts for trying the reports: one of each shape, and one whose every text means harm."""

from __future__ import annotations

from datetime import datetime
from shutil import which
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from dashboards.charts.drawing import Drawing, Shape
from dashboards.reports import Heading, Page

BROWSER = next(filter(None, map(which, ("chromium", "google-chrome", "microsoft-edge"))), None)
HCMC = ZoneInfo("Asia/Ho_Chi_Minh")
CUT_OFF = datetime(2026, 12, 14, 6, tzinfo=HCMC)
DAYS = pd.date_range("2026-10-01", periods=75)
FOOT = "Dữ liệu minh họa · Nguồn: Facebook, TikTok · Số liệu đến 06:00 14/12/2026 · Căn cứ: II-CT.4"
HOSTILE = (
    "=1+1",
    '=HYPERLINK("https://doan-mau.example/")',
    "+1",
    "-1",
    "@SUM(A1)",
    "{=1}",
    "\tx",
    "＝1+1",
    "https://doan-mau.example/bai",
    "internal:A1",
    "mailto:mau@doan-mau.example",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</script><b>",
    "]]>&amp;",
    "\u202eẩn\u200b\x00\x1b[31m\ufffe\ud800",
    "ấm nóng",  # decomposed
    "$a^2$",
    "{{ 7 * 7 }}",
    "_x0041_",
    "a" * 1_000_000,
)


def need_browser() -> None:
    from tests.conftest import need  # the processes that tests kill do without it

    need(BROWSER, "install a browser to draw pictures with (Debian: apt-get install chromium)")


def heading(**changes: Any) -> Heading:
    facts: dict[str, Any] = {
        "title": "Báo cáo năm 2026 (mẫu)",
        "organisation": "Quận Đoàn Mẫu",
        "period": "Năm báo cáo 2026 (15/12/2025–14/12/2026)",
        "until": CUT_OFF,
        "zone": HCMC,
        "illustration": True,
    }
    return Heading(**(facts | changes))


def spec(title: str = "Biểu đồ mẫu", days: int = 75, lines: int = 4) -> dict[str, Any]:
    """Lines with a gap, as a chart would make them."""
    rows = [[None if day == 40 else 100 + day * (line + 1) / 10 for day in range(days)] for line in range(lines)]
    start, step = 1_790_812_800_000, 86_400_000
    data = [{"type": "scatter", "name": f"Kênh {at}", "x0": start, "dx": step, "y": y} for at, y in enumerate(rows)]
    return {"data": data, "layout": {"title": {"text": title}, "height": 420, "xaxis": {"type": "date"}}}


def drawing(table: pd.DataFrame, shape: Shape, **changes: Any) -> Drawing:
    names = tuple(str(name) for name in table.columns)
    facts: dict[str, Any] = {
        "spec": spec(),
        "sentence": "Từ 01/10/2026 đến 14/12/2026 (số liệu đến 14/12/2026): Fanpage 104,8, TikTok 101,2.",
        "category": names[0],
        "series": names[1:],
        "title": "Biểu đồ mẫu",
        "foot": FOOT,
    }
    return Drawing(table=table, shape=shape, **(facts | changes))


def growth() -> Drawing:
    """Two channels by day; one day of the first is missing."""
    counts = [1240 + day for day in range(75)]
    fanpage = pd.array([None if day == 40 else count for day, count in enumerate(counts)], "Int64")
    tiktok = [100 + day / 8 for day in range(75)]
    return drawing(pd.DataFrame({"Ngày": DAYS, "Fanpage": fanpage, "TikTok (chỉ số)": tiktok}), Shape.LINE)


def states() -> Drawing:
    units = [f"Đoàn phường {number} (mẫu)" for number in range(1, 13)]
    counts = {"Đơn vị": units, "Có": range(12), "Không có": range(12, 0, -1), "Không rõ": [1] * 12}
    return drawing(pd.DataFrame(counts), Shape.STACKED)


def shares() -> Drawing:
    table = {"Chỉ tiêu": ["Tăng lượt theo dõi", "Tin tốt mỗi ngày"], "Đạt (%)": [62.5, None], "Mục": ["CT4", "CT2"]}
    return drawing(pd.DataFrame(table), Shape.BAR, series=("Đạt (%)",))


def months() -> Drawing:
    table = {"Tháng": ["10/2026", "11/2026", "12/2026"], "2025": [10, 20, 5], "2026": [12, 31, None]}
    return drawing(pd.DataFrame(table), Shape.COLUMN)


def cases() -> Drawing:
    since = pd.to_datetime(["2026-11-02 00:00", "2026-11-09 07:30"])
    table = {
        "Đơn vị": ["Chi đoàn A (mẫu)", "Chi đoàn B (mẫu)"],
        "Từ": since,
        "Số ngày": [1234, 5],
        "Xác minh": [True, False],
    }
    return drawing(pd.DataFrame(table), Shape.TABLE)


def page(drawn: Drawing, title: str = "Tăng trưởng các kênh", **changes: Any) -> Page:
    facts = {"clause": "II-CT.4", "source": "Facebook, TikTok"} | changes
    return Page(title, drawn, **facts)


def pages() -> list[Page]:
    """One of each shape, and one without any number."""
    empty = drawing(
        pd.DataFrame(columns=["Ngày", "Fanpage"]), Shape.LINE, sentence="Chưa có số liệu để vẽ biểu đồ này."
    )
    drawn = [growth(), states(), shares(), months(), cases(), empty]
    return [page(one, f"Biểu số {number}") for number, one in enumerate(drawn, start=1)]


def hostile_pages(shape: Shape = Shape.BAR) -> list[Page]:
    """Every text of a page is one of HOSTILE, and a table holds them all, in cells as in headings."""
    table = pd.DataFrame({"Tên": HOSTILE, "Số": range(len(HOSTILE))})
    found = [page(drawing(table, shape, spec=spec(), sentence=text, title=text, foot=text), text) for text in HOSTILE]
    wide = pd.DataFrame([range(len(HOSTILE))] * 3, columns=list(HOSTILE))
    return [*found, page(drawing(wide, Shape.COLUMN), "=1+1", clause="=1+1", source="https://doan-mau.example/")]
