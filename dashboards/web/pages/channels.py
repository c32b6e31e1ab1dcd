"""«Kênh»: the register of channels, with owners, last look, days left of the consent, and allowances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pandas as pd

from config.models import Channel
from dashboards.web import told
from dashboards.web.tables import Cell, Column, Table, cells
from dashboards.web.told import Badge
from dashboards.web.view import PER_PAGE, View, query_of
from metrics.rows import rows_of
from metrics.telling import PLATFORM_NAMES
from metrics.words import day

COLUMNS = (
    Column("channel", "Kênh"),
    Column("platform", "Nền tảng", on_phone=False),
    Column("owner", "Của đơn vị", on_phone=False),
    Column("state", "Lần đọc gần nhất"),
    Column("last_done", "Đọc được lúc"),
    Column("covered", "Đọc đủ từ", on_phone=False),
    Column("consent", "Quyền đọc", on_phone=False),
    Column("note", "Ghi chú"),
)
OWNER_COLUMNS = (
    Column("channel", "Kênh"),
    Column("unit", "Đơn vị"),
    Column("start", "Từ ngày"),
    Column("until", "Trước ngày"),
)
TOKEN_COLUMNS = (
    Column("title", "Kết nối"),
    Column("state", "Tình trạng"),
    Column("days_left", "Còn (ngày)", is_number=True),
    Column("fix", "Việc cần làm"),
)
ALLOWANCE_COLUMNS = (
    Column("name", "Hạn mức"),
    Column("used", "Đã dùng", is_number=True),
    Column("units", "Được dùng mỗi ngày", is_number=True),
    Column("resets_at", "Cấp mới lúc"),
)
READ = Badge("met", "✔", "Đọc được")
FAILED = Badge("failed", "⚙", "Lỗi thu thập")
MISSED = Badge("failed", "⚙", "Lỡ lượt đọc")
RUNNING = Badge("standing", "…", "Đang đọc")
NEVER = Badge("too_little", "…", "Chưa đọc lần nào")
SAMPLE = Badge("standing", "·", "Kênh mẫu, không đọc")
BADGES: Mapping[str, Badge] = {"done": READ, "failed": FAILED, "missed": MISSED, "running": RUNNING}
NAMES: Mapping[str, str] = {**PLATFORM_NAMES, "website": "Trang thông tin điện tử", "zalo": "Zalo OA"}


def channels_page(view: View) -> tuple[str, dict[str, Any]]:
    tables = [channels_table(view, whole=False), tokens_table(view, whole=False), allowances_table(view)]
    return "channels.html", {"tables": [*tables, owners_table(view, whole=False)]}


def channels_table(view: View, *, whole: bool = True) -> Table:
    looks = last_looks(view)
    order = {"failed": 0, "missed": 1}
    states = {slug: order.get(str(one.get("state")), 2) for slug, one in looks.items()}
    channels = sorted(view.config.channels.values(), key=lambda one: states.get(one.slug, 2))
    shown = channels if whole else view.part(channels)
    rows = [channel_row(view, one, looks) for one in shown]
    empty = "Chưa có kênh nào. Đề nghị khai báo trong channels.toml."
    return Table(
        "kenh", "Danh mục kênh, kênh chưa đọc được ở trên", COLUMNS, rows, empty, query_of(view), len(channels)
    )


def channel_columns() -> tuple[Column, ...]:
    return COLUMNS


def last_looks(view: View, channels: Sequence[str] | None = None) -> dict[str, dict[Any, Any]]:
    """The newest look at each channel that was ever looked at, or of these; missing values are None."""
    return {one["channel"]: one for one in rows_of(view.store.last_looks(channels)) if one["slot"] is not None}


def channel_row(view: View, channel: Channel, looks: Mapping[str, Mapping[Any, Any]]) -> list[Cell]:
    look = looks.get(channel.slug, {})
    owner = channel.owner_on(view.today)
    unit = view.config.units.get(owner or "")
    badge = SAMPLE if channel.sample else BADGES.get(str(look.get("state")), NEVER)
    return cells(
        Cell(channel.name, href=_safe(channel.address)),
        NAMES.get(channel.platform, channel.platform),
        Cell(unit.name, href=view.href(f"/don-vi/{unit.slug}")) if unit else None,
        badge,
        _moment(view, look.get("last_done_at")),
        _moment(view, look.get("coverage_from")),
        _consent(view, channel),
        _note(look),
    )


def _safe(address: str) -> str:
    """Only an address of the web becomes a link."""
    return address if address.startswith(("https://", "http://")) else ""


def _moment(view: View, moment: object) -> Cell | None:
    if not isinstance(moment, pd.Timestamp | datetime):
        return None
    if moment.year < 1990:
        return Cell("toàn bộ lịch sử")
    return Cell(told.clock(moment, view.config.district.tz), moment)


def _note(look: Mapping[Any, Any]) -> str:
    if look.get("state") == "failed":
        return str(look.get("error") or "")
    unfinished = ["Lượt đọc này chưa đọc hết những gì cần đọc."] if look.get("complete") is False else []
    return " ".join([*unfinished, *(look.get("notes") or ())])


def _consent(view: View, channel: Channel) -> str | None:
    """The consent of the channel itself, else the one shared by its platform; a website needs none."""
    own = view.consents.get((channel.platform, channel.slug)) or view.consents.get((channel.platform, ""))
    return own.text if own else ("không cần" if channel.platform == "website" else None)


def tokens_table(view: View, *, whole: bool = True) -> Table:
    """The consents, what ends first on top."""
    found = sorted(view.tokens, key=lambda one: (one.days_left is None, one.days_left or 0, one.title))
    rows = [
        cells(one.title, one.text, one.days_left, one.fix or one.advice)
        for one in (found if whole else found[:PER_PAGE])
    ]
    empty = "Chưa có kết nối nào. Đề nghị chạy «nhip connect» cho từng nền tảng."
    return Table("ket-noi", "Quyền đọc các kênh", TOKEN_COLUMNS, rows, empty, dict(view.asked))


def allowances_table(view: View) -> Table:
    zone = view.config.district.tz
    rows = [
        cells(one.name, one.used, one.units, Cell(told.clock(one.resets_at, zone), one.resets_at))
        for one in view.desk.allowances()
    ]
    empty = "Không nền tảng nào đang dùng có hạn mức hằng ngày cần theo dõi."
    return Table("han-muc", "Hạn mức của nền tảng", ALLOWANCE_COLUMNS, rows, empty, dict(view.asked))


def owners_table(view: View, *, whole: bool = True) -> Table:
    """Every channel that changed hands: whose it was, and is."""
    rows = [
        cells(
            channel.name, view.config.units[owner.unit].name, Cell(day(owner.start), owner.start), _until(owner.until)
        )
        for channel in view.config.channels.values()
        if len(channel.owners) > 1
        for owner in sorted(channel.owners, key=lambda one: one.start)
    ]
    empty = "Chưa có kênh nào đổi đơn vị quản lý."
    return Table(
        "doi-chu",
        "Kênh đã đổi đơn vị quản lý",
        OWNER_COLUMNS,
        rows if whole else rows[:PER_PAGE],
        empty,
        query_of(view),
    )


def _until(until: Any) -> Cell:
    return Cell("đến nay") if until is None else Cell(day(until), until)
