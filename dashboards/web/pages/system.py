"""«Hệ thống»: is the program alive, what waits to be sent, what was changed by hand, and which versions run."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from dashboards.web import told
from dashboards.web.pages.channels import BADGES, NAMES, NEVER
from dashboards.web.tables import Cell, Column, Table, cells
from dashboards.web.view import View
from metrics.periods import WEEK
from metrics.rows import rows_of
from store.schema import HEAD

OURS = "nhip-doan"
LAST_EDITS = 30
PLATFORM_COLUMNS = (
    Column("platform", "Nền tảng"),
    Column("state", "Lần đọc gần nhất"),
    Column("channels", "Số kênh", is_number=True),
    Column("newest", "Mới nhất lúc"),
)
DELIVERY_COLUMNS = (
    Column("created_at", "Soạn lúc"),
    Column("receiver", "Nơi nhận"),
    Column("way", "Cách gửi", on_phone=False),
    Column("state", "Tình trạng"),
    Column("attempt", "Lần thử", on_phone=False, is_number=True),
    Column("error", "Ghi chú", on_phone=False),
)
EDIT_COLUMNS = (
    Column("at", "Lúc"),
    Column("by", "Bộ phận"),
    Column("title", "Việc"),
    Column("subject", "Về"),
    Column("before", "Trước", on_phone=False),
    Column("after", "Sau", on_phone=False),
    Column("reason", "Lý do", on_phone=False),
)
DELIVERY_WORDS = {"waiting": "chờ gửi", "sending": "đang gửi", "sent": "đã gửi", "failed": "không gửi được"}


def system_page(view: View) -> tuple[str, dict[str, Any]]:
    tables = [platforms_table(view), deliveries_table(view), edits_table(view)]
    versions = [("Nhịp Đoàn", _version(OURS)), ("Cơ sở dữ liệu, bản", HEAD), ("Python", platform.python_version())]
    versions += [(name, _version(name)) for name in ("sqlalchemy", "pandas", "plotly", "fastapi")]
    return "system.html", {"health": view.desk.health(), "tables": tables, "versions": versions}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "không rõ"


def platforms_table(view: View) -> Table:
    """How the newest looks ended, platform by platform."""
    looks = view.store.last_looks()
    by_channel = {slug: channel.platform for slug, channel in view.config.channels.items()}
    known = looks.assign(platform=looks["channel"].map(by_channel), state=looks["state"].fillna("never"))
    grouped = known.groupby(["platform", "state"], sort=True).agg(channels=("channel", "size"), newest=("slot", "max"))
    zone = view.config.district.tz
    rows = [
        cells(
            NAMES.get(one["platform"], one["platform"]),
            BADGES.get(one["state"], NEVER),
            one["channels"],
            Cell(told.clock(one["newest"], zone), one["newest"]) if one["newest"] is not None else None,
        )
        for one in rows_of(grouped.reset_index())
    ]
    empty = "Chưa có lượt đọc nào. Đề nghị chạy «nhip collect» hoặc «nhip run»."
    return Table("luot-doc", "Các lượt đọc gần nhất", PLATFORM_COLUMNS, rows, empty, dict(view.asked))


def deliveries_table(view: View) -> Table:
    """The messages of the last seven days, the newest first; what they say is not shown."""
    zone = view.config.district.tz
    receivers = view.config.alerts.receivers
    rows = [
        cells(
            Cell(told.clock(one["created_at"], zone), one["created_at"]),
            receivers[one["receiver"]].name if one["receiver"] in receivers else one["receiver"],
            one["way"],
            DELIVERY_WORDS.get(one["state"], one["state"]),
            int(one["attempt"]),
            one["error"],
        )
        for one in reversed(rows_of(view.store.deliveries(view.now - WEEK)))
    ]
    empty = "Bảy ngày qua không có tin nào được soạn."
    return Table("tin-gui", "Tin đã soạn trong bảy ngày", DELIVERY_COLUMNS, rows, empty, dict(view.asked))


def edits_table(view: View) -> Table:
    """The newest changes by hand."""
    zone = view.config.district.tz
    rows = [
        cells(Cell(told.clock(one.at, zone), one.at), one.by, one.title, one.subject, one.before, one.after, one.reason)
        for one in view.desk.edits(LAST_EDITS)
    ]
    empty = "Chưa có thay đổi nào bằng tay."
    return Table("nhat-ky", f"{LAST_EDITS} thay đổi bằng tay gần nhất", EDIT_COLUMNS, rows, empty, dict(view.asked))
