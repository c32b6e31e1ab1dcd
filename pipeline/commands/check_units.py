"""`nhip check --units old|new`: the figures of units under the units of another day, as a table, CSV or JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any, get_args

from config.plan_models import Plan
from pipeline import show
from pipeline.problems import UserError
from pipeline.questions import Moment
from pipeline.unit_views import Line, Side, day_of, lines_of
from pipeline.workplace import local_text
from store.verbs import Store

TITLES: dict[Side, str] = {"old": "đơn vị cũ", "new": "đơn vị mới"}
HEADERS = ("Mục", "Mã", "Kỳ", "Đơn vị", "Số liệu", "Ghi chú")
COLUMNS = ("plan", "row", "clause", "title", "period", "unit", "name", "told", "note")


def side_of(word: str) -> Side:
    """UserError for anything but «old» and «new»."""
    found = next((side for side in get_args(Side) if side == word), None)
    if found is None:
        raise UserError(f"Không có cách xem «{word[:20]}». Đề nghị viết --units old hoặc --units new.")
    return found  # type: ignore[no-any-return]


def show_lines(
    plans: Sequence[Plan], moment: Moment, store: Store, side: Side, *, row: str | None, as_json: bool, as_csv: bool
) -> None:
    """UserError when no unit has merged yet, or no figure of units belongs to *row*."""
    day = day_of(side, moment.config, moment.today)
    if day is None:
        raise UserError("Chưa có đơn vị nào sáp nhập, chia tách nên không có cách xem theo đơn vị cũ. Hãy bỏ --units.")
    lines = [line for line in lines_of(plans, moment, store, side, day) if row in (None, line.row.id)]
    if not lines and row:
        raise UserError(f"Dòng «{row}» không có số liệu theo đơn vị. Bỏ --explain để xem mọi dòng có số liệu ấy.")
    records = [_facts(line, moment) for line in lines]
    if as_csv:
        show.say(_csv(records))
    elif as_json:
        illustration = moment.config.district.organisation.illustration
        show.print_json({"units": side, "day": day, "illustration": illustration, "figures": records})
    else:
        made_up = " Dữ liệu minh họa." if moment.config.district.organisation.illustration else ""
        until = local_text(moment.as_of, moment.config.district.tz)
        show.say(f"Số liệu theo {TITLES[side]} (ngày {day:%d/%m/%Y}). Số liệu đến {until}.{made_up}")
        for plan in plans:
            _print(plan, [one for one in records if one["plan"] == plan.slug])
        show.say("Cách xem này không chia số liệu theo phỏng đoán và không dùng để đánh giá chỉ tiêu.")


def _facts(line: Line, moment: Moment) -> dict[str, Any]:
    unit = moment.config.units.get(line.unit)
    place = {"plan": line.plan, "row": line.row.id, "clause": line.row.clause, "title": line.row.title}
    who = {"period": line.period, "unit": line.unit, "name": unit.name if unit else line.unit}
    return place | who | {"told": line.told, "note": line.note}


def _csv(records: Sequence[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue().rstrip("\n")


def _print(plan: Plan, records: Sequence[dict[str, Any]]) -> None:
    if records:
        cells = ("clause", "row", "period", "name", "told", "note")
        title = f"\nKế hoạch {plan.document.title}. Mã: {plan.slug}"
        show.print_table(title, HEADERS, [tuple(one[name] for name in cells) for one in records])
