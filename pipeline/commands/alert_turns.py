"""`nhip alert ack|snooze|resolve`: an office's word on a case, with its reason, in the audit log."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from collectors.exports.persons import tells_of_a_person
from metrics.periods import DAY, local_date, midnight
from pipeline import show
from pipeline.clock import utc_now
from pipeline.commands.alert import find_case, sentence
from pipeline.figure_asked import office_of
from pipeline.figures import TEXT_CAP
from pipeline.problems import UserError
from pipeline.workplace import open_workplace
from store.records import Case, CaseState, Turn
from store.verbs import Store

LONGEST = 366 * DAY


def acknowledge(folder: Path, number: int, *, by: str, reason: str) -> int:
    """Somebody looks after it: nobody is reminded until it is over."""
    return _turn(folder, number, CaseState.ACKNOWLEDGED, by, reason)


def snooze(folder: Path, number: int, *, until: str, by: str, reason: str) -> int:
    """Quiet until the end of a local day, then open again if it still holds."""
    return _turn(folder, number, CaseState.SNOOZED, by, reason, until)


def resolve(folder: Path, number: int, *, by: str, reason: str) -> int:
    """Done with: not opened again for the same deadline."""
    return _turn(folder, number, CaseState.RESOLVED, by, reason)


def _turn(folder: Path, number: int, after: CaseState, by: str, reason: str, until: str | None = None) -> int:
    office, why = office_of(by), _reason(reason)
    now = utc_now()
    with open_workplace(folder) as (config, store):
        case = find_case(store, number)
        _refuse_done(case, after)
        end = None if until is None else _end_of(_day(until), now, config.district.tz)
        turned = _apply(store, Turn(case.id, case.turn, after, now, why, office, end), now)
        show.say_illustration(made_up=config.district.organisation.illustration)
        show.say(f"Đã ghi. {sentence(config, turned)}")
    return 0


def _reason(text: str) -> str:
    """The reason on one line; whatever tells of a person is refused."""
    reason = " ".join(text.split())
    if not reason:
        raise UserError('Cần ghi lý do. Viết như --reason "Đã gọi đơn vị".')
    if len(reason) > TEXT_CAP:
        raise UserError(f"Lý do dài hơn {TEXT_CAP} ký tự. Đề nghị viết lại ngắn gọn.")
    if tells_of_a_person(reason):
        raise UserError("Lý do giống thông tin của một cá nhân. Đề nghị chỉ ghi việc, văn bản và bộ phận.")
    return reason


def _apply(store: Store, turn: Turn, now: datetime) -> Case:
    turned = store.turn_cases([turn], now)
    if not turned:
        raise UserError(f"Cảnh báo số {turn.case} vừa thay đổi. Xem lại: nhip alert show {turn.case}.")
    return turned[0]


def _refuse_done(case: Case, after: CaseState) -> None:
    if case.state is CaseState.RESOLVED:
        raise UserError(f"Cảnh báo số {case.id} đã xong nên không đổi được nữa. Xem: nhip alert show {case.id}.")
    if case.state is after is CaseState.ACKNOWLEDGED:
        raise UserError(f"Cảnh báo số {case.id} đã được ghi là đã biết. Xem: nhip alert show {case.id}.")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise UserError(f"Không hiểu ngày «{text}» ở --until. Viết như 2026-11-30.") from error


def _end_of(day: date, now: datetime, zone: ZoneInfo) -> datetime:
    today = local_date(now, zone)
    if day < today:
        raise UserError("Ngày ở --until đã qua. Đề nghị chọn hôm nay hoặc một ngày sau.")
    if day - today > LONGEST:
        raise UserError("Chỉ tạm hoãn được nhiều nhất một năm. Đề nghị chọn ngày gần hơn ở --until.")
    return midnight(day + DAY, zone)
