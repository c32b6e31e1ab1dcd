"""`nhip commend`: which units could be commended (NV4), by which rule, and what each of the others lacks."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from config.models import Config
from metrics.commend import Group
from metrics.periods import Period, PeriodError, local_date, parse_period, week_of
from metrics.words import percent
from pipeline import checking, show
from pipeline.clock import Clock, utc_now
from pipeline.commending import Commendation, commendation, last_weeks
from pipeline.figure_periods import parse_report_period
from pipeline.problems import UserError
from pipeline.workplace import clock_for, local_text, open_workplace

COLUMNS = ("unit", "name", "group", "place", "kept", "confirmed", "growth", "lack", "sentence")
HEADERS = ("Thứ", "Đơn vị", "Ngày có tin", "Có người xác nhận", "Mức tăng thấp nhất", "Lý do")
TITLES = {
    Group.CANDIDATE: "Danh sách đề nghị tuyên dương",
    Group.TOO_LITTLE: "Chưa đủ số liệu để xét",
    Group.NOT_YET: "Chưa đưa vào danh sách đề nghị",
}
NOBODY = "Chưa có đơn vị nào đủ điều kiện đề nghị tuyên dương."
NOTHING = "–"
Row = dict[Any, Any]


def run(
    folder: Path,
    period: str | None,
    *,
    at: str | None = None,
    as_json: bool = False,
    as_csv: bool = False,
    clock: Clock = utc_now,
) -> int:
    """0, whoever is found. Writes nothing but the labels of new posts."""
    with open_workplace(folder) as (config, store):
        now = clock()
        as_of = (clock_for(at, config.district.tz)() if at else now).replace(microsecond=0)
        if as_of > now:
            raise UserError("Chưa đến thời điểm ghi ở --at. Chọn thời điểm đã qua, hoặc bỏ --at.")
        if not config.district.labels:
            raise UserError(
                "Chưa khai báo nhãn tin tốt, câu chuyện đẹp nên chưa xét được. Đề nghị bổ sung district.toml."
            )
        wanted = _period(period, config, as_of)
        checking.label_new_posts(config, store, as_of)
        found = commendation(config, store, wanted, as_of)
    rows = [_named(config, row) for row in found.rows.to_dict("records")]
    if as_csv:
        show.say(_csv(rows))
    elif as_json:
        show.print_json(_facts(config, found, as_of, rows))
    else:
        _print(config, found, as_of, rows)
    return 0


def _period(text: str | None, config: Config, as_of: datetime) -> Period:
    """A week stands for the five weeks that end with it: one alone never has enough days."""
    zone = config.district.tz
    if text is None:
        return last_weeks(week_of(local_date(as_of, zone), zone))
    try:
        if re.fullmatch(r"\d{4}(-Q[1-4])?", text.strip(), re.IGNORECASE):
            reported = parse_report_period(text, config)
            found = Period(reported.start, reported.end, zone)
        else:
            found = parse_period(text, zone)
    except PeriodError as error:
        raise UserError(str(error)) from error
    if found.start > local_date(as_of, zone):
        raise UserError(f"{found.title()} chưa bắt đầu nên chưa có gì để xét.")
    if found.start == found.last:
        raise UserError("Một ngày quá ngắn để xét tuyên dương. Đề nghị chọn tuần, tháng, quý hoặc năm.")
    return last_weeks(found) if found == week_of(found.start, zone) else found


def _named(config: Config, row: Row) -> Row:
    """The row with the name of its unit; what is missing is None."""
    known = {name: None if pd.isna(value) else value for name, value in row.items()}
    return known | {"name": config.units[row["unit"]].name}


def _csv(rows: Sequence[Row]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().rstrip("\n")


def _facts(config: Config, found: Commendation, as_of: datetime, rows: Sequence[Row]) -> dict[str, Any]:
    organisation, period = config.district.organisation, found.period
    return {
        "organisation": organisation.name,
        "illustration": organisation.illustration,
        "period": {"title": _title(period), "start": period.start, "end": period.end},
        "as_of": as_of,
        "clause": found.source[0],
        "plan": found.source[1],
        "rule": found.rule,
        "units": [{name: row[name] for name in COLUMNS} for row in rows],
    }


def _title(period: Period) -> str:
    weeks = period.weeks()
    if len(weeks) > 1 and (weeks[0].start, weeks[-1].end) == (period.start, period.end):
        first, last = (week.start.isocalendar().week for week in (weeks[0], weeks[-1]))
        return f"Từ tuần {first} đến tuần {last} ({_day(period.start)}–{_day(period.last)})"
    return period.title()


def _day(when: date) -> str:
    return f"{when:%d/%m/%Y}"


def _print(config: Config, found: Commendation, as_of: datetime, rows: Sequence[Row]) -> None:
    organisation = config.district.organisation
    made_up = " Dữ liệu minh họa." if organisation.illustration else ""
    cut_off = local_text(as_of, config.district.tz)
    show.say(f"{organisation.name}. Tuyên dương. {_title(found.period)}. Số liệu đến {cut_off}.{made_up}")
    clause, plan = found.source
    if clause:
        show.say(f"Căn cứ: mục {clause}, kế hoạch {plan}.")
    for sentence in found.rule:
        show.say(sentence)
    for group, title in TITLES.items():
        _print_group(title, [row for row in rows if row["group"] == group], ranked=group is Group.CANDIDATE)


def _print_group(title: str, rows: Sequence[Row], *, ranked: bool) -> None:
    if ranked and not rows:
        show.say(f"\n{NOBODY}")
    elif ranked:
        show.say()
        show.print_table(f"{title} ({len(rows)})", HEADERS, [_cells(row) for row in rows])
    elif rows:
        show.say(f"\n{title} ({len(rows)}, theo tên)")
        for row in sorted(rows, key=lambda row: str(row["name"])):
            show.say(f"  - {row['name']}: {row['reason']}.")


def _cells(row: Row) -> tuple[str, ...]:
    shares = (row["kept"], row["confirmed"], row["growth"])
    told = (NOTHING if share is None else percent(share) for share in shares)
    return str(row["place"]), str(row["name"]), *told, f"{row['reason']}."
