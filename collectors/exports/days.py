"""Days as exports print them: with and without a year, in two languages, in two orders."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date
from itertools import pairwise
from typing import NamedTuple

from collectors.exports.errors import ExportError, UnusableError
from collectors.website.dates import FIRST_YEAR, LAST_YEAR, MONTHS, SPELLED
from config.folding import fold

NUMERIC = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4})(?=$|[\sT])", re.ASCII)
ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?=$|[\sT])", re.ASCII)
TIME = re.compile(r",?\s+\d{1,2}:\d{2}.*$|T\d{1,2}:\d{2}.*$", re.ASCII)
_WORD = "|".join(sorted(SPELLED, key=len, reverse=True))
_MONTH = r"(?P<month>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
WORDED = tuple(
    re.compile(form, re.ASCII)
    for form in (
        rf"(?P<day>\d{{1,2}}) (?:thang|thg|th) (?P<month>\d{{1,2}}|{_WORD})(?: (?:nam )?(?P<year>\d{{4}}))?",
        rf"{_MONTH} (?P<day>\d{{1,2}})(?: (?P<year>\d{{4}}))?",
        rf"(?P<day>\d{{1,2}}) {_MONTH}(?: (?P<year>\d{{4}}))?",
    )
)
LONGEST_STEP = 180
"""Days between two rows of one export: a longer step means that a year was guessed wrong."""

NO_DAY = "không đọc được ngày"


class PrintedDay(NamedTuple):
    """A day as it is printed; TikTok leaves the year out."""

    month: int
    day: int
    year: int | None


def is_day_first(cells: Iterable[tuple[int, str]]) -> bool:
    """Whether the numeric dates of a file (row, text) put the day before the month.

    One row above the twelfth decides for all; ExportError when none does, or when two rows disagree.
    """
    orders: dict[bool, int] = {}
    open_row = None
    for row, text in cells:
        if found := NUMERIC.match(text.strip()):
            first, second = int(found[1]), int(found[3])
            if max(first, second) > 12:
                orders.setdefault(first > 12, row)
            elif first != second:
                open_row = open_row or row
    if len(orders) == 2:
        raise ExportError(
            "thứ tự ngày và tháng khác với các dòng trước. Đề nghị viết mọi ngày như 2026-11-20.", max(orders.values())
        )
    if not orders and open_row is not None:
        raise ExportError(
            "không rõ đâu là ngày, đâu là tháng, và không dòng nào trong tệp cho biết. "
            "Đề nghị xuất lại với khoảng thời gian dài hơn, hoặc viết ngày như 2026-11-20.",
            open_row,
        )
    return next(iter(orders), True)


def read_day(text: str, *, day_first: bool) -> date:
    """The calendar day of a date with a year; UnusableError when there is none."""
    text = text.strip()
    if found := ISO.match(text):
        return _date(int(found[1]), int(found[2]), int(found[3]))
    if found := NUMERIC.match(text):
        day, month = (found[1], found[3]) if day_first else (found[3], found[1])
        return _date(int(found[4]), int(month), int(day))
    printed = read_printed(text)
    if printed is None or printed.year is None:
        raise UnusableError(NO_DAY)
    return _date(printed.year, printed.month, printed.day)


def read_printed(text: str) -> PrintedDay | None:
    """«18 tháng Sáu», «August 9», «28 August», «2026-11-20»; None for anything else."""
    if len(text) > 40:
        return None
    text = TIME.sub("", text.strip())
    if found := ISO.fullmatch(text):
        return PrintedDay(int(found[2]), int(found[3]), int(found[1]))
    words = fold(text)
    for form in WORDED:
        if found := form.fullmatch(words):
            month = found["month"]
            number = int(month) if month.isdecimal() else SPELLED.get(month) or MONTHS[month[:3]]
            return PrintedDay(number, int(found["day"]), int(found["year"]) if found["year"] else None)
    return None


def with_years(days: Sequence[PrintedDay], last: date) -> list[date]:
    """The same days with their years: the newest is at most *last*, and the rest step back from it.

    Rows may run either way; ExportError when neither way makes one unbroken stretch.
    """
    if not days:
        return []
    forward = _walk_back(days[::-1], last)
    if _is_stretch(forward):
        return forward[::-1]
    backward = _walk_back(days, last)
    if _is_stretch(backward):
        return backward
    raise ExportError(
        "Các ngày trong tệp không theo thứ tự nên không biết thuộc năm nào. "
        "Đề nghị nhập tệp gốc tải từ TikTok Studio, hoặc ghi đúng ngày xuất tệp với --exported."
    )


def _walk_back(newest_first: Sequence[PrintedDay], last: date) -> list[date]:
    """As far as the days can be placed, each at or before the one after it."""
    found: list[date] = []
    for printed in newest_first:
        placed = _latest(printed, last)
        if placed is None:
            return []
        found.append(placed)
        last = placed
    return found


def _latest(printed: PrintedDay, last: date) -> date | None:
    """The newest day at or before *last* that is printed so."""
    years = [printed.year] if printed.year else range(last.year, last.year - 9, -1)
    for year in years:
        try:
            day = _date(year, printed.month, printed.day)
        except UnusableError:
            continue
        if day <= last:
            return day
    return None


def _is_stretch(newest_first: Sequence[date]) -> bool:
    steps = [(after - before).days for after, before in pairwise(newest_first)]
    return bool(newest_first) and max(steps, default=0) <= LONGEST_STEP


def _date(year: int, month: int, day: int) -> date:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise UnusableError(NO_DAY)
    try:
        return date(year, month, day)
    except ValueError as error:
        raise UnusableError("có ngày không có trong lịch") from error
