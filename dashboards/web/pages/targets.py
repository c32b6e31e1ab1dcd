"""«Chỉ tiêu»: every row of the plan in clause order, and one page for each with its arithmetic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from config.plan_choices import UNSIGNED
from config.plan_models import Plan, Row
from dashboards.desk import Duty, RefusedError, Target
from dashboards.web import told
from dashboards.web.tables import Cell, Column, Table, cells
from dashboards.web.view import BadAddressError, View, query_of, week_name
from metrics.words import WORDS, Status, day
from store.records import Said

TARGET_COLUMNS = (
    Column("status", "Trạng thái"),
    Column("clause", "Mục", on_phone=False),
    Column("row", "Mã", on_phone=False),
    Column("title", "Chỉ tiêu"),
    Column("kind", "Nguồn", on_phone=False),
    Column("base", "Số gốc", on_phone=False, is_number=True),
    Column("value", "Đến nay", is_number=True),
    Column("goal", "Phải đạt", is_number=True),
    Column("expected", "Kỳ vọng nay", on_phone=False, is_number=True),
    Column("forecast", "Dự báo cuối kỳ", on_phone=False, is_number=True),
    Column("sentence", "Nhận xét", on_phone=False),
)
DUTY_COLUMNS = (
    Column("status", "Trạng thái"),
    Column("clause", "Mục", on_phone=False),
    Column("row", "Mã", on_phone=False),
    Column("title", "Việc"),
    Column("due", "Hạn"),
    Column("owner", "Chủ trì", on_phone=False),
    Column("sentence", "Nhận xét"),
)
SUBJECT_COLUMNS = (
    Column("status", "Trạng thái"),
    Column("subject", "Đối tượng"),
    Column("value", "Đến nay", is_number=True),
    Column("expected", "Kỳ vọng nay", on_phone=False, is_number=True),
    Column("coverage", "Đủ số liệu", on_phone=False, is_number=True),
    Column("sentence", "Nhận xét"),
)
SHOWN_ABOVE = 2
"""The first lines of an explanation name the row and quote the plan, as the page does anyway."""
UNCHECKED = "Tuần này chưa được đối chiếu với kế hoạch. Đề nghị chạy «nhip check --week {week}» rồi tải lại trang."
NO_PLAN = "Chưa chọn kế hoạch nào. Đề nghị ghi dòng plans trong district.toml, rồi chạy «nhip check»."


def targets_page(view: View) -> tuple[str, dict[str, Any]]:
    notes = list(_notes(view.plan, view.today)) if view.plan else []
    return "targets.html", {"tables": [targets_table(view), duties_table(view)], "notes": notes}


def targets_table(view: View) -> Table:
    """Every measured row; `loc` keeps those of one status."""
    wanted = view.asked.get("loc")
    if wanted is not None and wanted not in set(Status):
        raise BadAddressError("Không có trạng thái này. Đề nghị chọn lại trong trang Chỉ tiêu.", 404)
    found = view.lines.targets if view.lines else ()
    rows = [_target_row(view, one) for one in found if wanted is None or (one.line and one.line.status == wanted)]
    caption = "Chỉ tiêu và nội dung theo dõi" + (f": {WORDS[Status(wanted)].lower()}" if wanted else "")
    return Table("chi-tieu", caption, TARGET_COLUMNS, rows, empty_sentence(view), dict(view.asked))


def empty_sentence(view: View) -> str:
    """Why there is no answer, and what to do."""
    if view.plan is None:
        return NO_PLAN
    if view.lines is None or view.lines.as_of is None:
        return unchecked(view)
    return "Kế hoạch này không có dòng nào như vậy. Đề nghị xem bảng Nhiệm vụ, hoặc bỏ bộ lọc."


def unchecked(view: View) -> str:
    return UNCHECKED.format(week=week_name(view.week))


def _target_row(view: View, one: Target) -> list[Cell]:
    row, said = one.row, one.line
    link = Cell(row.title, href=view.href(f"/chi-tieu/{view.lines.plan.slug}/{row.id}") if view.lines else "")
    sentence = said.sentence if said else unchecked(view)
    figures = (Cell(told.base(said), _fact(said, "base_value")), *_ratios(row, said), told.forecast(said))
    return cells(told.badge(said), row.clause, row.id, link, told.source(row), *figures, sentence)


def _ratios(row: Row, said: Said | None) -> tuple[Cell, Cell, Cell]:
    """What is, what must be and what should be today: for programs as ratios, where they are one number."""
    sure = said.low if said and said.low == said.high else None
    return (
        Cell(told.value(row, said), sure),
        Cell(told.goal(row, said), said.goal if said else None),
        Cell(told.expected(said), _fact(said, "expected")),
    )


def _fact(said: Said | None, name: str) -> float | None:
    found = said.facts.get(name) if said else None
    return float(found) if found is not None else None


def duties_table(view: View) -> Table:
    """Tasks and report cycles: the dated ones first, then those without a date."""
    found = sorted(view.lines.duties if view.lines else (), key=lambda one: (one.due is None, one.due or date.max))
    rows = [_duty_row(view, one) for one in found]
    return Table("nhiem-vu", "Nhiệm vụ và chế độ báo cáo", DUTY_COLUMNS, rows, empty_sentence(view), dict(view.asked))


def _duty_row(view: View, one: Duty) -> list[Cell]:
    link = Cell(one.row.title, href=view.href(f"/chi-tieu/{one.said.plan}/{one.row.id}"))
    due = Cell(day(one.due), one.due) if one.due else Cell("không nêu")
    return cells(
        told.badge(one.said), one.row.clause, one.row.id, link, due, ", ".join(one.row.owner), one.said.sentence
    )


def _notes(plan: Plan, today: date) -> Iterator[str]:
    """What is not settled about the plan, and what of its basis has lapsed."""
    asked = {slug for row in plan.rows.values() for slug in row.choices}
    for slug, choice in plan.choices.items():
        if choice.signed is None and slug in asked:
            yield f"Mục {choice.clause}: {choice.question} Đang tính: {choice.answer.means} ({UNSIGNED})."
    for cited in plan.lapsed(today):
        successor = plan.cited[cited.successor] if cited.successor else None
        instead = f", thay bằng {successor.number or successor.name}" if successor else ""
        since = f" từ {day(cited.lapsed)}" if cited.lapsed else ""
        yield f"Căn cứ {cited.number or cited.name} hết hiệu lực{since}{instead}."


# --- one row -----------------------------------------------------------------------------------------------------


def target_page(view: View) -> tuple[str, dict[str, Any]]:
    plan, row = plan_and_row(view)
    checked = view.row_checked(row.id)
    target = checked.target(row.id)
    context = {"row": row, "of_plan": plan, "source": told.source(row), "badge": told.badge, "told": told}
    tables = [subjects_table(view, whole=False)] if target else []
    said = target.line if target else None
    return "target.html", {
        **context,
        "target": target,
        "said": said,
        "duties": checked.duties,
        "steps": _steps(view, plan, row, said is not None or bool(checked.duties)),
        "subject": subject_name(view, view.asked["doi-tuong"]) if "doi-tuong" in view.asked else "",
        "tables": tables,
        "unchecked": unchecked(view),
        "day": day,
    }


def plan_and_row(view: View) -> tuple[Plan, Row]:
    plan = view.plan
    slug = view.place.get("row") or view.asked.get("dong", "")
    if plan is None or slug not in plan.rows:
        raise BadAddressError(f"Kế hoạch này không có dòng «{slug}». Đề nghị chọn trong trang Chỉ tiêu.", 404)
    return plan, plan.rows[slug]


def _steps(view: View, plan: Plan, row: Row, answered: bool) -> Sequence[str]:
    if not answered:
        return []
    try:
        return view.desk.explained(plan, row.id, view.asked.get("doi-tuong"), view.week)[SHOWN_ABOVE:]
    except RefusedError as error:
        raise BadAddressError(str(error), 404) from error


def subjects_table(view: View, *, whole: bool = True) -> Table:
    """What the check said of each channel or unit of a row, the worst first."""
    plan, row = plan_and_row(view)
    target = view.row_checked(row.id).target(row.id)
    said = sorted(target.subjects if target else (), key=told.risk)
    query = {**query_of(view), "ke-hoach": plan.slug, "dong": row.id}
    rows = [_subject_row(view, plan, row, one) for one in (said if whole else view.part(said))]
    empty = "Dòng này chỉ tính chung, không tính riêng từng kênh hay đơn vị."
    return Table("doi-tuong", "Từng kênh, từng đơn vị", SUBJECT_COLUMNS, rows, empty, query, len(said))


def _subject_row(view: View, plan: Plan, row: Row, said: Said) -> list[Cell]:
    href = view.href(f"/chi-tieu/{plan.slug}/{row.id}", doi_tuong=said.subject)
    name = Cell(subject_name(view, said.subject), href=href)
    return cells(told.badge(said), name, told.value(row, said), told.expected(said), told.coverage(said), said.sentence)


def subject_name(view: View, subject: str) -> str:
    """A channel or unit by its name; «kênh/lượt thích» where one name stands for several."""
    slug, _, more = subject.partition("/")
    known = view.config.channels.get(slug) or view.config.units.get(slug)
    return (known.name if known else slug) + (f" ({more})" if more else "")
