"""«Đơn vị»: the list, and one page for each unit."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from config.models import Channel, Unit
from dashboards.web import told
from dashboards.web.figures import drawing_table, growth_chart
from dashboards.web.pages.cases import case_row, columns_of_cases
from dashboards.web.pages.channels import channel_columns, channel_row, last_looks
from dashboards.web.strip import unit_strips
from dashboards.web.tables import Cell, Column, Table, cells
from dashboards.web.view import BadAddressError, View, query_of
from metrics.calendar import rest_days
from metrics.rows import rows_of
from metrics.words import Status, day, number
from store.records import Case

UNIT_COLUMNS = (
    Column("unit", "Đơn vị"),
    Column("kind", "Loại", on_phone=False),
    Column("status", "Thấp nhất"),
    Column("target", "Ở dòng", on_phone=False),
    Column("cases", "Cảnh báo", is_number=True),
    Column("channels", "Kênh", on_phone=False, is_number=True),
    Column("members", "Đoàn viên", on_phone=False, is_number=True),
    Column("since", "Hiệu lực từ", on_phone=False),
)
OWN_COLUMNS = (
    Column("status", "Trạng thái"),
    Column("clause", "Mục", on_phone=False),
    Column("row", "Mã", on_phone=False),
    Column("title", "Chỉ tiêu"),
    Column("value", "Đến nay", is_number=True),
    Column("sentence", "Nhận xét"),
)
REPORTED_COLUMNS = (
    Column("measure", "Nội dung"),
    Column("period", "Kỳ"),
    Column("told", "Số liệu", is_number=True),
    Column("at", "Báo cáo lúc", on_phone=False),
    Column("by", "Bộ phận", on_phone=False),
    Column("late", "Nộp"),
    Column("approved", "Phê duyệt", on_phone=False),
)
REST_AHEAD = timedelta(days=60)


def units_page(view: View) -> tuple[str, dict[str, Any]]:
    return "units.html", {"tables": [units_table(view, whole=False)]}


def units_table(view: View, *, whole: bool = True) -> Table:
    """Every unit in force in the week, the worst first; `tim` keeps those whose name holds these letters."""
    worst, cases = _worst(view), _cases_by_unit(view)
    units = [one for one in view.config.units.values() if one.is_valid_on(min(view.today, view.week.last))]
    wanted = view.asked.get("tim", "").casefold()
    found = [one for one in units if wanted in one.name.casefold()]
    found.sort(key=lambda one: (worst.get(one.slug, NOBODY)[:2], -cases.get(one.slug, 0), one.name))
    owned = _channels_by_unit(view)
    shown = found if whole else view.part(found)
    rows = [_unit_row(view, one, worst.get(one.slug), cases, owned) for one in shown]
    empty = "Không có đơn vị nào như vậy. Đề nghị kiểm tra units.toml hoặc bỏ điều kiện tìm."
    return Table("don-vi", "Các đơn vị, đơn vị cần chú ý ở trên", UNIT_COLUMNS, rows, empty, query_of(view), len(found))


def _unit_row(view: View, unit: Unit, worst: Worst | None, cases: dict[str, int], owned: dict[str, int]) -> list[Cell]:
    row = view.plan.rows[worst[3]] if worst and view.plan else None
    day_now = min(view.today, view.week.last)
    counts = [one for one in unit.members if one.start <= day_now]
    members = max(counts, key=lambda one: one.start).count if counts else None
    return cells(
        Cell(unit.name, href=view.href(f"/don-vi/{unit.slug}")),
        view.config.district.kinds[unit.kind].name,
        told.word_badge(worst[2]) if worst else told.badge(None),
        f"{row.title} (mục {row.clause})" if row else None,
        cases.get(unit.slug, 0),
        owned.get(unit.slug, 0),
        members,
        Cell(day(unit.start), unit.start),
    )


Worst = tuple[int, float, Status, str]
"""The word of a unit that stands worst: its rank, its ratio, itself, and the row."""
NOBODY: Worst = (told.LAST, 0.0, Status.SHOWN, "")


def _worst(view: View) -> dict[str, Worst]:
    """Of each unit the word that stands worst, of the rows that ask for something."""
    if view.plan is None:
        return {}
    rows = [row.id for row in view.plan.rows.values() if row.is_target and row.scope.binds_units and row.goal]
    worst: dict[str, Worst] = {}
    frame = view.desk.words(view.plan, view.week, rows)
    for one in rows_of(frame[frame["subject"].isin(list(view.config.units))]):
        status = Status(one["status"])
        found = (told.RANK[status], one["low"] or 0.0, status, one["target"])
        if found < worst.get(one["subject"], NOBODY):
            worst[one["subject"]] = found
    return worst


def _cases_by_unit(view: View) -> dict[str, int]:
    counts: dict[str, int] = {}
    for one in view.desk.case_words(view.open_cases):
        if one.unit:
            counts[one.unit] = counts.get(one.unit, 0) + 1
    return counts


def _channels_by_unit(view: View) -> dict[str, int]:
    counts: dict[str, int] = {}
    for one in view.config.watched():
        owner = one.owner_on(min(view.today, view.week.last))
        if owner:
            counts[owner] = counts.get(owner, 0) + 1
    return counts


# --- one unit ----------------------------------------------------------------------------------------------------


def unit_page(view: View) -> tuple[str, dict[str, Any]]:
    unit = unit_of(view)
    drawing = growth_chart(view)
    asked = View(view.desk, view.config, view.now, view.path, {**view.asked, "don-vi": unit.slug}, view.place)
    return "unit.html", {
        "unit": unit,
        "kind": view.config.district.kinds[unit.kind].name,
        "inherits": [one.name for one in view.config.units.values() if unit.slug in one.successors],
        "successors": [view.config.units[slug].name for slug in unit.successors],
        "strips": unit_strips(view, unit.slug) if view.config.district.kinds[unit.kind].grassroots else [],
        "drawing": drawing,
        "drawing_table": drawing_table(asked, drawing, "tang-truong", whole=False) if drawing else None,
        "chart_href": asked.here(don_vi=unit.slug).partition("?")[2],
        "targets": unit_targets(asked),
        "channels": unit_channels(asked),
        "reported": unit_reported(asked),
        "cases": unit_cases(asked),
        "rests": _rests(view, unit),
        "day": day,
        "number": number,
    }


def unit_of(view: View) -> Unit:
    slug = view.place.get("unit") or view.asked.get("don-vi", "")
    unit = view.config.units.get(slug)
    if unit is None:
        raise BadAddressError(f"Không có đơn vị «{slug}». Đề nghị chọn trong trang Đơn vị.", 404)
    return unit


def unit_targets(view: View) -> Table:
    """Every row of the plan in which the check spoke of the unit or of one of its channels."""
    unit = unit_of(view)
    names = {one.slug: one.name for one in _channels_of(view, unit)}
    subjects = {
        unit.slug,
        *names,
        *(f"{unit.slug}/{platform}" for platform in ("facebook", "tiktok", "youtube", "zalo")),
    }
    rows = []
    if view.plan is not None:
        for target in view.desk.checked(view.plan, view.week, subjects=subjects).targets:
            row = target.row
            for said in target.subjects:
                href = view.href(f"/chi-tieu/{view.plan.slug}/{row.id}", doi_tuong=said.subject)
                about = f"{row.title}: {names[said.subject]}" if said.subject in names else row.title
                figures = cells(told.badge(said), row.clause, row.id, Cell(about, href=href), told.value(row, said))
                rows.append([*figures, Cell(said.sentence)])
    empty = "Tuần này chưa có đánh giá nào về đơn vị. Đề nghị chạy «nhip check», rồi tải lại trang."
    return Table("don-vi-chi-tieu", "Chỉ tiêu của đơn vị", OWN_COLUMNS, rows, empty, dict(view.asked))


def unit_channels(view: View) -> Table:
    channels = _channels_of(view, unit_of(view))
    looks = last_looks(view, [one.slug for one in channels])
    rows = [channel_row(view, one, looks) for one in channels]
    empty = "Đơn vị chưa khai báo kênh nào. Đề nghị bổ sung vào channels.toml."
    return Table("don-vi-kenh", "Kênh chính thức", channel_columns(), rows, empty, dict(view.asked))


def _channels_of(view: View, unit: Unit) -> list[Channel]:
    """The channels that speak for the unit today, or did."""
    return [one for one in view.config.channels.values() if any(owner.unit == unit.slug for owner in one.owners)]


def unit_reported(view: View) -> Table:
    zone = view.config.district.tz
    rows = [
        cells(
            one.measure,
            one.period,
            one.told,
            Cell(told.clock(one.at, zone), one.at),
            one.by,
            f"trễ {one.days_late} ngày" if one.days_late else "đúng hạn",
            one.approved_by or "chưa duyệt",
        )
        for one in view.desk.reported(unit_of(view).slug)
    ]
    empty = "Đơn vị chưa báo cáo số liệu nào. Đề nghị gửi mẫu bằng «nhip figure template»."
    return Table("don-vi-bao-cao", "Báo cáo đã nộp", REPORTED_COLUMNS, rows, empty, dict(view.asked))


def unit_cases(view: View) -> Table:
    """Every case that was ever about the unit, the newest first."""
    unit = unit_of(view).slug
    cases: list[Case] = sorted(view.store.cases(open_only=False), key=lambda case: -case.id)
    rows = [case_row(view, one) for one in view.desk.case_words(cases) if one.unit == unit]
    empty = "Chưa có sự cố hay cảnh báo nào về đơn vị."
    return Table("don-vi-canh-bao", "Sự cố và im lặng", columns_of_cases(), rows, empty, dict(view.asked))


def _rests(view: View, unit: Unit) -> list[str]:
    """The rest days of the next two months, with their reason."""
    frame = rest_days(view.config.district, view.today, view.today + REST_AHEAD)
    own = frame[frame["kind"] == unit.kind]
    return [f"{day(slot.date())}: {reason}" for slot, reason in zip(own["day"], own["reason"], strict=True)]
