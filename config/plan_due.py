"""When a duty of a plan falls due: the documents' time words as rules, and the days they mean.

Only local calendar days are handled here. A due day is the last day that is still on time.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from config.models import Span
from config.problems import shorten
from config.values import Model, refusal

Recurring = Literal["every_month", "every_quarter", "every_half_year", "every_year"]
Rule = Literal["date", "month", "quarter", Recurring, "standing", "periodic", "on_occurrence", "undated"]
MONTHS_BETWEEN: dict[str, int] = {"every_month": 1, "every_quarter": 3, "every_half_year": 6, "every_year": 12}
ONE_OF_KEYS = {"date": ("by", "before"), "month": ("at",), "quarter": ("at",)}
FORMS = {"month": r"(19|20)\d\d-(0[1-9]|1[0-2])", "quarter": r"(19|20)\d\d-Q[1-4]"}
DAY = timedelta(days=1)
STUB = timedelta(days=31)


def _month_or_quarter(text: str) -> str:
    if not any(re.fullmatch(form, text) for form in FORMS.values()):
        raise refusal(f"«{shorten(text)}» không phải là tháng hay quý", 'viết như "2017-06" hoặc "2017-Q1"')
    return text


class Due(Model):
    """A time word of a plan.

    `date` has one day, `month` and `quarter` one stretch, `every_…` follow the reporting year (`every_half_year` is
    the middle and the end of it). `standing` (thường xuyên), `periodic` (định kỳ, không nêu kỳ), `on_occurrence` (khi
    phát sinh) and `undated` (không nêu hạn) never fall due by themselves.
    """

    rule: Rule
    by: date | None = None
    """«chậm nhất ngày …»: that day is still on time."""
    before: date | None = None
    """«trước ngày …»: the day before is the last on time."""
    at: Annotated[str, AfterValidator(_month_or_quarter)] | None = None
    offset_days: Annotated[int, Field(ge=-92, le=92)] = 0
    """Days added to the end of each period: 10 is ten days later."""

    @model_validator(mode="after")
    def _has_what_the_rule_needs(self) -> Self:
        wanted = ONE_OF_KEYS.get(self.rule, ())
        said = tuple(key for key in ("by", "before", "at") if getattr(self, key) is not None)
        if (wanted and len(said) != 1) or not set(said) <= set(wanted):
            right = f"ghi đúng một khóa trong: {', '.join(wanted)}" if wanted else "bỏ by, before, at"
            raise refusal(f'thời hạn rule = "{self.rule}" không đi với các khóa đã ghi', right)
        if self.at and self.rule in FORMS and not re.fullmatch(FORMS[self.rule], self.at):
            raise refusal(f'at = "{self.at}" không hợp với rule = "{self.rule}"', "đổi rule hoặc at cho khớp nhau")
        if self.offset_days and self.rule not in MONTHS_BETWEEN:
            raise refusal("offset_days chỉ dùng cho việc lặp lại theo kỳ", "bỏ offset_days, hoặc đổi rule")
        return self

    @property
    def recurs(self) -> bool:
        return self.rule in MONTHS_BETWEEN

    @property
    def is_dated(self) -> bool:
        """Whether it falls due by itself."""
        return self.recurs or self.rule in ONE_OF_KEYS


def due_dates(due: Due, start: date, end: date, cut_off: str) -> list[date]:
    """The due days in `[start, end)`, in order; empty for duties that have no date.

    `cut_off` is the last day of a reporting year as «MM-DD». A named month or quarter is the calendar's and due on its
    last day; recurring duties count back from the cut-off: 14/12 has quarters that end on 14/3, 14/6, 14/9, 14/12.
    """
    days = _recurring(due, start, end, cut_off) if due.recurs else _single(due)
    return [day for day in days if start <= day < end]


def _single(due: Due) -> Iterator[date]:
    if due.by:
        yield due.by
    elif due.before:
        yield due.before - DAY
    elif due.at:
        year, part = due.at.split("-")
        yield _next_month(int(year), 3 * int(part[1]) if part.startswith("Q") else int(part)) - DAY


def _recurring(due: Due, start: date, end: date, cut_off: str) -> Iterator[date]:
    step, offset = MONTHS_BETWEEN[due.rule], due.offset_days * DAY
    for year in range(start.year - 1, end.year + 2):
        for months in range(12 - step, -1, -step):
            yield _months_before(_year_end(year, cut_off), months) + offset


def reporting_years(span: Span, cut_off: str) -> list[Span]:
    """The reporting years that a span touches, cut to it; empty for a span without an end.

    A piece shorter than STUB belongs to its neighbour: a plan «đến hết năm 2025» has no year of its own between
    the cut-off of mid-December and New Year.
    """
    if span.until is None:
        return []
    ends = (_year_end(year, cut_off) + DAY for year in range(span.start.year - 1, span.until.year + 1))
    inner = [day for day in ends if day - span.start >= STUB and span.until - day >= STUB]
    return [Span(start=start, until=until) for start, until in pairwise([span.start, *inner, span.until])]


def _year_end(year: int, cut_off: str) -> date:
    month, day = map(int, cut_off.split("-"))
    return date(year, month, min(day, calendar.monthrange(year, month)[1]))


def _months_before(last: date, months: int) -> date:
    """The last day of the period that ends `months` before another; a month's end goes to a month's end."""
    after = last + DAY
    count = after.year * 12 + after.month - 1 - months
    year, month = divmod(count, 12)
    return date(year, month + 1, min(after.day, calendar.monthrange(year, month + 1)[1])) - DAY


def _next_month(year: int, month: int) -> date:
    return date(year + month // 12, month % 12 + 1, 1)
