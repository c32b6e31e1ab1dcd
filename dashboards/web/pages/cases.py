"""«Cảnh báo»: the inbox, and one page for each case with its ladder, its history and what can be done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dashboards.desk import CaseWords, Order
from dashboards.web import told
from dashboards.web.tables import Cell, Column, Table, cells
from dashboards.web.told import Badge
from dashboards.web.view import BadAddressError, View, query_of
from metrics.periods import local_date
from metrics.words import day
from store.records import SYSTEM, Case, CaseState, Flip

COLUMNS = (
    Column("number", "Số", on_phone=False, is_number=True),
    Column("state", "Tình trạng"),
    Column("kind", "Loại"),
    Column("sentence", "Nội dung"),
    Column("since", "Từ ngày", on_phone=False),
)
BADGES: Mapping[CaseState, tuple[str, str]] = {
    CaseState.NEW: ("at_risk", "●"),
    CaseState.OPEN: ("at_risk", "●"),
    CaseState.ACKNOWLEDGED: ("on_pace", "✔"),
    CaseState.SNOOZED: ("resting", "☾"),
    CaseState.RESOLVED: ("met", "✔"),
}
ACTIONS: Mapping[str, tuple[CaseState, str, str]] = {
    "da-biet": (CaseState.ACKNOWLEDGED, "Đã biết", "Có bộ phận đang xử lý; hệ thống không nhắc nữa cho đến khi xong."),
    "tam-hoan": (CaseState.SNOOZED, "Tạm hoãn", "Hệ thống không nhắc đến hết ngày được chọn, rồi xét lại."),
    "da-xu-ly": (CaseState.RESOLVED, "Đã xử lý", "Đóng cảnh báo; hệ thống không mở lại vì cùng một lần."),
}
"""By the word in the form: what it makes of the case, its name, and what follows."""
STATE_WORDS: Mapping[CaseState, str] = {
    CaseState.NEW: "Hệ thống phát hiện",
    CaseState.OPEN: "Đang mở",
    CaseState.ACKNOWLEDGED: "Đã biết",
    CaseState.SNOOZED: "Tạm hoãn",
    CaseState.RESOLVED: "Đã xong",
}


def cases_page(view: View) -> tuple[str, dict[str, Any]]:
    return "cases.html", {"tables": [cases_table(view, whole=False)], "all": "tat-ca" in view.asked}


def cases_table(view: View, *, whole: bool = True) -> Table:
    """The open cases, with `tat-ca` the closed ones too; who waits longest stands first."""
    cases = view.store.cases(open_only=False) if "tat-ca" in view.asked else view.open_cases
    ordered = sorted(cases, key=lambda case: (case.state is CaseState.RESOLVED, case.since, case.id))
    shown = ordered if whole else view.part(ordered)
    rows = [case_row(view, one) for one in view.desk.case_words(shown)]
    empty = "Không có cảnh báo nào đang mở. Hệ thống tự xét lại sau mỗi lượt đọc."
    return Table("canh-bao", "Cảnh báo", COLUMNS, rows, empty, query_of(view), len(ordered))


def columns_of_cases() -> tuple[Column, ...]:
    return COLUMNS


def case_row(view: View, one: CaseWords) -> list[Cell]:
    since = local_date(one.case.since, view.config.district.tz)
    sentence = Cell(one.sentence, href=view.href(f"/canh-bao/{one.case.id}"))
    return cells(one.case.id, badge_of(one), one.kind, sentence, Cell(day(since), since))


def badge_of(one: CaseWords) -> Badge:
    status, icon = BADGES[one.case.state]
    return Badge(status, icon, one.state)


def case_page(view: View, *, token: str, order: Order | None = None, refused: str = "") -> tuple[str, dict[str, Any]]:
    """With *refused*, why what was just sent was not done; what was written then stands in the form again."""
    case = case_of(view)
    (words,) = view.desk.case_words([case])
    zone = view.config.district.tz
    flips = view.store.flips(case.id)
    history = [(told.clock(one.noted_at, zone), STATE_WORDS[one.after], _who(one), one.reason) for one in flips]
    unit = view.config.units.get(words.unit or "")
    steps = [(day(one.day), one, one.day <= view.today) for one in view.desk.ladder(case)]
    return "case.html", {
        "case": words,
        "badge": badge_of(words),
        "since": told.clock(case.since, zone),
        "unit": unit,
        "steps": steps,
        "history": history,
        "actions": ACTIONS,
        "is_open": case.state is not CaseState.RESOLVED,
        "token": token,
        "order": order,
        "refused": refused,
    }


def _who(flip: Flip) -> str:
    """The office that turned the case; nothing where the program did."""
    return "" if flip.by == SYSTEM else flip.by


def case_of(view: View) -> Case:
    text = view.place.get("case", "")
    case = view.store.case(int(text)) if text.isascii() and text.isdigit() and len(text) < 10 else None
    if case is None:
        raise BadAddressError(f"Không có cảnh báo số «{text}». Đề nghị chọn trong trang Cảnh báo.", 404)
    return case


def order_of(view: View, form: Mapping[str, str]) -> Order:
    """What a form asks for; what is missing in it is refused by the desk. BadAddressError for an unknown action."""
    action, turn = form.get("hanh-dong", ""), form.get("luot", "")
    if action not in ACTIONS or not (turn.isascii() and turn.isdigit() and len(turn) < 10):
        raise BadAddressError("Biểu mẫu này không hợp lệ. Đề nghị tải lại trang rồi làm lại.")
    after = ACTIONS[action][0]
    return Order(
        case_of(view).id, int(turn), after, form.get("bo-phan", ""), form.get("ly-do", ""), form.get("den", "")
    )
