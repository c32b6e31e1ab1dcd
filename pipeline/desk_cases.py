"""Cases as the pages show them, and an office's word on one of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

from alerts.base import Rule
from alerts.values import values_of
from config.models import Config
from dashboards.desk import CaseWords, Order, Step
from metrics.periods import DAY, local_date, midnight
from pipeline.commands.alert import about, rule_words, state_words
from pipeline.problems import UserError
from store.records import Case, CaseState, Turn

if TYPE_CHECKING:
    from store.verbs import Store

WEB = "web"
"""The role in the audit log of what was done on a page."""
TEAM = "team"
"""In whose words the pages speak."""
ROLES: Mapping[str, str] = {"team": "bộ phận truyền thông", "unit": "đơn vị", "committee": "Ban Thường vụ"}
LONGEST = 366 * DAY
MOST_LETTERS = 500
AGAIN = "Đề nghị tải lại trang rồi làm lại nếu còn cần."


def words_of(config: Config, cases: Sequence[Case], now: datetime) -> list[CaseWords]:
    """In the order of the cases; a sentence as the digest of the team has it."""
    day = local_date(now, config.district.tz)
    return [
        CaseWords(
            case,
            rule_words(case.rule),
            about(config, case),
            state_words(config, case),
            _sentence(config, case, day),
            _unit_of(config, case),
        )
        for case in cases
    ]


def _sentence(config: Config, case: Case, day: date) -> str:
    refused = case.rule == Rule.TOKEN and not case.facts.get("ends")
    offline = case.rule == Rule.PIPELINE and case.facts.get("detail") == "network"
    key = "refused" if refused else "network" if offline else "open"
    return config.texts.fill(case.rule, key, TEAM, values_of(case.rule, case.facts, config, day))


def _unit_of(config: Config, case: Case) -> str | None:
    """The unit of a case, or the one that its channel speaks for."""
    if unit := case.facts.get("unit"):
        return str(unit)
    channel = config.channels.get(str(case.facts.get("channel", "")))
    return channel.owner_on(local_date(case.opened_at, config.district.tz)) if channel else None


def ladder_of(config: Config, store: Store, case: Case) -> list[Step]:
    """The steps of the ladder of a case, with the day from which on each is due, and who was told."""
    told: dict[str, list[str]] = defaultdict(list)
    for _, receiver, step in sorted(store.told([case.id])):
        named = config.alerts.receivers.get(receiver)
        told[step].append(named.name if named else receiver)
    start = local_date(case.since if case.rule == Rule.TOKEN else case.opened_at, config.district.tz)
    return [
        Step(start + one.day * DAY, one.name, tuple(ROLES[role] for role in one.to), tuple(told[one.name]))
        for one in config.alerts.ladders[Rule(case.rule).value]
    ]


def turn(config: Config, store: Store, order: Order, now: datetime) -> None:
    """UserError with the reason when the case has moved on, or something is missing or makes no sense."""
    by, reason = order.by.strip(), order.reason.strip()
    if not (by and reason):
        raise UserError("Cần ghi bộ phận xử lý và lý do. Đề nghị điền đủ hai ô rồi gửi lại.")
    if max(len(by), len(reason)) > MOST_LETTERS:
        raise UserError(f"Mỗi ô chỉ ghi được {MOST_LETTERS} chữ cái. Đề nghị viết ngắn lại.")
    case = store.case(order.case)
    if case is None:
        raise UserError(f"Không có cảnh báo số {order.case}. Đề nghị xem lại danh sách cảnh báo.")
    if case.state is CaseState.RESOLVED or case.state is order.after is CaseState.ACKNOWLEDGED:
        raise UserError(f"Cảnh báo số {order.case} đã được ghi như vậy hoặc đã xong. {AGAIN}")
    end = _end_of(order, config, now) if order.after is CaseState.SNOOZED else None
    if not store.turn_cases([Turn(case.id, order.turn, order.after, now, reason, by, end)], now, role=WEB):
        raise UserError(f"Cảnh báo số {order.case} vừa thay đổi ở nơi khác. {AGAIN}")


def _end_of(order: Order, config: Config, now: datetime) -> datetime:
    """The end of the last local day of a snooze."""
    try:
        last = date.fromisoformat(order.until.strip())
    except ValueError as error:
        raise UserError("Cần chọn ngày cuối của việc tạm hoãn. Đề nghị chọn một ngày rồi gửi lại.") from error
    today = local_date(now, config.district.tz)
    if not today <= last <= today + LONGEST:
        raise UserError("Chỉ tạm hoãn được từ hôm nay đến một năm sau. Đề nghị chọn ngày khác.")
    return midnight(last + DAY, config.district.tz)
