"""What one request looks at: the plan, the week, and what else the address names. Every view is a link."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import TypeVar
from urllib.parse import urlencode

from config.models import Config
from config.plan_models import Plan
from dashboards.desk import Checked, Desk, Token
from metrics.periods import DAY, WEEK, Period, PeriodError, local_date, parse_period, week_of
from store.records import Case
from store.verbs import Store

KNOWN = ("ke-hoach", "tuan", "don-vi", "dong", "doi-tuong", "loc", "tat-ca", "tim", "trang")
"""The names in the query of an address; all others are passed over."""
PER_PAGE = 100
"""Rows of a long table on one page; all of them are in its CSV."""
T = TypeVar("T")
LONGEST = 100
"""Letters of one value: no name of ours is longer."""


class BadAddressError(Exception):
    """An address that names nothing; `status` is 400 or 404, the text a Vietnamese sentence."""

    def __init__(self, sentence: str, status: int = 400) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True)
class View:
    """One request, read. `asked` holds the known names of its query; `place` those of its path."""

    desk: Desk
    config: Config
    now: datetime
    path: str
    asked: Mapping[str, str]
    place: Mapping[str, str]

    @property
    def store(self) -> Store:
        return self.desk.store

    @property
    def today(self) -> date:
        return local_date(self.now, self.config.district.tz)

    @cached_property
    def plan(self) -> Plan | None:
        """The plan that is asked for, else the first that binds today; None when the district has none."""
        if slug := self.asked.get("ke-hoach"):
            if slug not in self.config.plans:
                raise BadAddressError(f"Không có kế hoạch «{slug}». Đề nghị chọn một kế hoạch trong danh sách.", 404)
            return self.config.plans[slug]
        plans = list(self.config.plans.values())
        return next((plan for plan in plans if plan.binds_on(self.today)), plans[0] if plans else None)

    @cached_property
    def week(self) -> Period:
        """The week that is asked for, else this one; of a plan that is over, its last one."""
        zone = self.config.district.tz
        if text := self.asked.get("tuan"):
            return self._named_week(text)
        until = self.plan.in_force.until if self.plan else None
        over = until is not None and self.plan is not None and not self.plan.binds_on(self.today)
        return week_of(until - DAY if over and until else self.today, zone)

    def _named_week(self, text: str) -> Period:
        try:
            week = parse_period(text, self.config.district.tz)
        except PeriodError as error:
            raise BadAddressError(str(error)) from error
        if "W" not in text.upper():
            raise BadAddressError("Đây không phải là một tuần. Đề nghị viết như 2026-W47.")
        if week.start > self.today:
            raise BadAddressError(f"{week.title()} chưa bắt đầu nên chưa có gì để xem. Đề nghị chọn tuần khác.", 404)
        return week

    @cached_property
    def lines(self) -> Checked | None:
        """What the check said of every row as a whole; None without a plan."""
        return self.desk.checked(self.plan, self.week, subjects=()) if self.plan else None

    @cached_property
    def _rows(self) -> dict[str, Checked]:
        return {}

    def row_checked(self, row: str) -> Checked:
        """What the check said of one row of the plan and of everybody in it; asked for once. There must be a plan."""
        assert self.plan is not None
        if row not in self._rows:
            self._rows[row] = self.desk.checked(self.plan, self.week, rows=[row])
        return self._rows[row]

    @property
    def as_of(self) -> datetime | None:
        """Until when the numbers of the plan on this page go; None where it shows none."""
        return self.lines.as_of if "lines" in vars(self) and self.lines else None

    @cached_property
    def open_cases(self) -> list[Case]:
        return self.store.cases()

    @cached_property
    def tokens(self) -> Sequence[Token]:
        return self.desk.tokens()

    @cached_property
    def consents(self) -> Mapping[tuple[str, str], Token]:
        """By platform and channel; of a shared one the channel is empty."""
        return {(one.platform, one.channel): one for one in reversed(self.tokens)}

    @property
    def page(self) -> int:
        """Which part of a long table, from 1."""
        text = self.asked.get("trang", "1")
        if not (text.isascii() and text.isdigit() and 0 < int(text[:6]) < 100_000):
            raise BadAddressError("Số trang không hợp lệ. Đề nghị mở lại từ trang đầu.")
        return int(text)

    def part(self, items: Sequence[T]) -> Sequence[T]:
        """What of a long list stands on this page of it."""
        return items[(self.page - 1) * PER_PAGE : self.page * PER_PAGE]

    def week_before(self) -> str | None:
        """None where the plan had not begun."""
        before = self.week.start - WEEK
        if self.plan and before + WEEK <= self.plan.in_force.start:
            return None
        return week_name(week_of(before, self.week.zone))

    def week_after(self) -> str | None:
        """None where the week has not begun."""
        return week_name(week_of(self.week.end, self.week.zone)) if self.week.end <= self.today else None

    def href(self, path: str, **changes: str | None) -> str:
        """The address of a page in the same plan and week; names of *changes* with «_» for «-», None takes one out."""
        kept = {name: self.asked[name] for name in ("ke-hoach", "tuan") if name in self.asked}
        given = {name.replace("_", "-"): value for name, value in changes.items()}
        query = {name: value for name, value in {**kept, **given}.items() if value}
        return f"{path}?{urlencode(query)}" if query else path

    def here(self, **changes: str | None) -> str:
        """The address of this page with *changes*."""
        kept = {name.replace("-", "_"): value for name, value in self.asked.items()}
        return self.href(self.path, **{**kept, **changes})


def asked_of(query: Mapping[str, str]) -> dict[str, str]:
    """The known names of a query with a value, in one order. BadAddressError for a value that is no name of ours."""
    asked = {name: query[name].strip() for name in KNOWN if query.get(name, "").strip()}
    if any(len(value) > LONGEST for value in asked.values()):
        raise BadAddressError("Địa chỉ này quá dài. Đề nghị mở lại từ trang Tổng quan.")
    return asked


def query_of(view: View) -> dict[str, str]:
    """The query under which a whole table is found: that of its page, without the part of it."""
    return {name: value for name, value in view.asked.items() if name != "trang"}


def week_name(week: Period) -> str:
    """«2026-W47»"""
    year, number, _ = week.start.isocalendar()
    return f"{year}-W{number:02}"
