"""`nhip alert list|show`: the cases, their history, and who was told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from alerts.base import Rule
from config.models import Config
from pipeline import show
from pipeline.problems import UserError
from pipeline.workplace import clock_for, local_text, open_workplace
from store.records import Case, CaseState, Flip
from store.verbs import Store

RULE_WORDS: Mapping[Rule, str] = {
    Rule.QUIET: "Chưa có tin, bài",
    Rule.TARGET: "Chỉ tiêu nguy cơ",
    Rule.TOKEN: "Quyền đọc kênh",
    Rule.SOURCE: "Lỗi thu thập",
    Rule.FIGURE: "Quá hạn báo cáo",
    Rule.SUSPECT: "Số liệu khác thường",
    Rule.PIPELINE: "Hệ thống thu thập",
}
STATE_WORDS: Mapping[CaseState, str] = {
    CaseState.NEW: "Mới",
    CaseState.OPEN: "Đang mở",
    CaseState.ACKNOWLEDGED: "Đã biết",
    CaseState.SNOOZED: "Tạm hoãn",
    CaseState.RESOLVED: "Đã xong",
}
SECOND = timedelta(seconds=1)
LARGEST = 2**31 - 1
"""No database numbers a case higher."""
HEADERS = ("Số", "Loại", "Về", "Từ", "Tình trạng")


def list_cases(folder: Path, *, every: bool, at: str | None, as_json: bool) -> int:
    """0 when nothing is open, 1 when something is; with *at* as it stood then."""
    with open_workplace(folder, at) as (config, store):
        as_of = clock_for(at, config.district.tz)() if at else None
        cases = store.cases(open_only=not every, as_of=as_of)
        if as_json:
            illustration = config.district.organisation.illustration
            show.print_json({"illustration": illustration, "cases": [_facts(one) for one in cases]})
        else:
            _print(config, cases)
    return 1 if any(one.state is not CaseState.RESOLVED for one in cases) else 0


def show_case(folder: Path, number: int, *, as_json: bool) -> int:
    """One case with all that ever happened to it."""
    with open_workplace(folder) as (config, store):
        case = find_case(store, number)
        flips, told = store.flips(number), sorted(store.told([number]))
        if as_json:
            illustration = config.district.organisation.illustration
            receivers = [{"receiver": receiver, "step": step} for _, receiver, step in told]
            history = {"flips": [asdict(one) for one in flips], "told": receivers}
            show.print_json({"illustration": illustration} | _facts(case) | history)
            return 0
        show.say_illustration(made_up=config.district.organisation.illustration)
        show.say(sentence(config, case))
        for flip in flips:
            show.say(f"  {_flip_sentence(config, flip)}")
        for _, receiver, step in told:
            named = config.alerts.receivers.get(receiver)
            show.say(f"  Đã báo: {named.name if named else receiver} (bước {step}).")
    return 0


def find_case(store: Store, number: int) -> Case:
    found = store.case(number) if 0 < number <= LARGEST else None
    if found is None:
        raise UserError(f"Không có cảnh báo số {number}. Xem danh sách: nhip alert list --all.")
    return found


def sentence(config: Config, case: Case) -> str:
    """«3. Chưa có tin, bài: Đoàn phường Một, từ 00:00 11/11/2026. Đang mở.»"""
    since = local_text(case.since, config.district.tz)
    return f"{case.id}. {rule_words(case.rule)}: {about(config, case)}, từ {since}. {state_words(config, case)}."


def about(config: Config, case: Case) -> str:
    """Who or what a case is about, by name."""
    facts = case.facts
    named = facts.get("channel_name") or facts.get("unit_name") or facts.get("title") or case.subject
    if case.rule == Rule.TARGET or (case.rule == Rule.FIGURE and facts.get("unit_name")):
        return f"{named} ({facts.get('clause', case.subject)})"
    return {"schedule": "lịch đọc các kênh", "network": "kết nối mạng", "outbox": "việc gửi tin"}.get(named, named)


def rule_words(rule: str) -> str:
    return RULE_WORDS[Rule(rule)]


def state_words(config: Config, case: Case) -> str:
    if case.state is CaseState.SNOOZED and case.snoozed_until:
        return f"Tạm hoãn đến hết {_day(config, case.snoozed_until - SECOND)}"
    return STATE_WORDS[case.state]


def _print(config: Config, cases: list[Case]) -> None:
    show.say_illustration(made_up=config.district.organisation.illustration)
    if not cases:
        show.say("Không có cảnh báo nào đang mở.")
        return
    rows = [
        (str(one.id), rule_words(one.rule), about(config, one), _day(config, one.since), state_words(config, one))
        for one in cases
    ]
    show.print_table(f"{len(cases)} cảnh báo", HEADERS, rows)
    show.say("Xem một cảnh báo: nhip alert show SỐ. Đã biết, tạm hoãn, đã xử lý: nhip alert ack | snooze | resolve.")


def _day(config: Config, moment: datetime) -> str:
    return f"{moment.astimezone(config.district.tz):%d/%m/%Y}"


def _flip_sentence(config: Config, flip: Flip) -> str:
    zone = config.district.tz
    noted = "" if flip.noted_at == flip.at else f" (ghi nhận {local_text(flip.noted_at, zone)})"
    why = f": {flip.reason.rstrip('.')}" if flip.reason else ""
    return f"{local_text(flip.at, zone)}{noted}: {STATE_WORDS[flip.after]}, {flip.by}{why}."


def _facts(case: Case) -> dict[str, Any]:
    return asdict(case)
