"""`nhip review`: the paper of the weekly meeting, its notes and decisions, and its closing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from collectors.exports.persons import tells_of_a_person
from config.models import Config
from metrics.periods import Period, PeriodError, local_date, parse_period, week_of
from pipeline import show
from pipeline.clock import Clock, utc_now
from pipeline.figure_asked import office_of
from pipeline.problems import UserError
from pipeline.review_edits import later_edits
from pipeline.review_paper import AGENDA, CONCLUSION, Paper, corrections, freeze, note_facts, paper, thaw
from pipeline.reviewing import draft, is_closed
from pipeline.workplace import clock_for, local_text, open_workplace
from store.records import ReviewNote, ReviewTurn
from store.verbs import Store

WRITTEN, CHANGED = 0, 1
TEXT_CAP = 500
MOST_LINES = 8
"""So many lines of one list are printed, so that the paper stays one page; --json has them all."""
NOTHING = {
    "changes": "Chưa ghi nhận thay đổi đáng kể.",
    "risks": "Không có chỉ tiêu nào ở mức nguy cơ, chậm hoặc chưa đạt.",
    "quiet": "Không có đơn vị nào được xác minh là chưa có tin, bài mới.",
    "motto": "Chưa khai báo nhãn tin tốt, câu chuyện đẹp. Đề nghị bổ sung vào district.toml.",
    "praise": "Chưa khai báo nhãn tin tốt, câu chuyện đẹp nên chưa xét được.",
    "duties": "Không có việc đến hạn trong tuần này và tuần tới.",
}
"""What stands for an empty list; other empty lists are left out."""
HEADS = {
    "praise": "Theo năm tuần đến hết tuần này:",
    "unverified": "Chưa xác minh được:",
    "failed": "Lỗi thu thập (phía hệ thống):",
    "owed": "Số liệu báo cáo quá hạn:",
    "suspects": "Số liệu chờ xác nhận:",
    "tokens": "Kết nối sắp hết hạn:",
}
TAMPERED = (
    "Biên bản tuần này không còn đúng như khi chốt: mã kiểm tra không khớp. "
    "Đề nghị khôi phục cơ sở dữ liệu từ bản sao lưu và báo người quản trị hệ thống."
)


@dataclass(frozen=True)
class Order:
    """What a person asks to do with the week, as it was written; nothing at all: show it."""

    note: str | None = None
    decide: str | None = None
    owner: str = ""
    due: str = ""
    close: bool = False
    reopen: bool = False
    reason: str = ""
    by: str = ""


@dataclass(frozen=True)
class Desk:
    """One week of one district, at the moment a person asked for; `now` is when something is written down."""

    config: Config
    store: Store
    period: Period
    as_of: datetime
    now: datetime

    @property
    def turns(self) -> list[ReviewTurn]:
        return self.store.review_turns(self.period.start)

    @property
    def notes(self) -> list[ReviewNote]:
        return self.store.review_notes(self.period.start)

    def draft(self) -> Paper:
        found = draft(self.config, self.store, self.period, self.as_of)
        return paper(self.config, self.period, self.as_of, found, self.notes)


def run(
    folder: Path,
    week: str | None,
    order: Order,
    *,
    at: str | None = None,
    as_json: bool = False,
    clock: Clock = utc_now,
) -> int:
    """0; 1 when a closed review is no longer what was closed."""
    asked = [order.note is not None, order.decide is not None, order.close, order.reopen]
    if sum(asked) > 1:
        raise UserError("Mỗi lần chỉ làm một việc: --note, --decide, --close hoặc --reopen. Đề nghị chạy lần lượt.")
    with open_workplace(folder) as (config, store):
        desk = _desk(config, store, week, at, clock)
        if not any(asked):
            return _show(desk, as_json=as_json)
        show.say(_obey(desk, order))
    return WRITTEN


def _desk(config: Config, store: Store, week: str | None, at: str | None, clock: Clock) -> Desk:
    zone, now = config.district.tz, clock()
    as_of = clock_for(at, zone)() if at else now
    if as_of > now:
        raise UserError("Chưa đến thời điểm ghi ở --at. Chọn thời điểm đã qua, hoặc bỏ --at.")
    period = _week(week, local_date(as_of, zone), config)
    if period.start_at > as_of:
        raise UserError(f"{period.title()} chưa bắt đầu nên chưa có gì để họp.")
    return Desk(config, store, period, as_of, now)


def _week(text: str | None, today: date, config: Config) -> Period:
    zone = config.district.tz
    try:
        period = week_of(today, zone) if text is None else parse_period(text, zone)
    except PeriodError as error:
        raise UserError(str(error)) from error
    if period != week_of(period.start, zone):
        raise UserError(f"Họp tuần xem theo tuần, «{text}» không phải là một tuần. Đề nghị viết như 2026-W47.")
    return period


# --- what is written down ----------------------------------------------------------------------------------------


def _obey(desk: Desk, order: Order) -> str:
    if order.close:
        return _close(desk, office_of(order.by))
    if order.reopen:
        return _reopen(desk, office_of(order.by), order.reason.strip())
    office = office_of(order.by) if order.by else desk.config.district.organisation.name
    text = _text(order.note if order.note is not None else order.decide or "")
    note = ReviewNote(desk.period.start, text, office, desk.now)
    if order.decide is not None:
        note = ReviewNote(desk.period.start, text, office, desk.now, _office("--owner", order.owner), _due(order.due))
    desk.store.add_review_note(note)
    later = " Tuần này đã chốt nên nội dung được ghi bên cạnh biên bản." if is_closed(desk.turns) else ""
    return f"Đã ghi vào {desk.period.title()}: {_note_line(note_facts(note))}{later}"


def _close(desk: Desk, office: str) -> str:
    try:
        sha256 = desk.store.close_review(desk.period.start, freeze(desk.draft()), office, desk.now)
    except LookupError as error:
        raise UserError(
            f"{desk.period.title()} đã chốt. Muốn chốt lại, mở lại trước bằng --reopen --reason LÝ_DO --by BỘ_PHẬN."
        ) from error
    return f"Đã chốt {desk.period.title()}, số liệu đến {_moment(desk, desk.as_of)}. Mã kiểm tra SHA-256: {sha256}."


def _reopen(desk: Desk, office: str, reason: str) -> str:
    if not reason:
        raise UserError('Cần ghi lý do mở lại. Viết như --reason "Bổ sung số liệu của một đơn vị".')
    try:
        desk.store.reopen_review(desk.period.start, office, _text(reason), desk.now)
    except LookupError as error:
        raise UserError(f"{desk.period.title()} chưa chốt nên không cần mở lại.") from error
    return f"Đã mở lại {desk.period.title()}: {reason}. Bản đã chốt vẫn được giữ nguyên."


def _text(text: str) -> str:
    if not text.strip() or len(text) > TEXT_CAP:
        raise UserError(f"Nội dung trống hoặc dài hơn {TEXT_CAP} ký tự. Đề nghị viết lại ngắn gọn.")
    if tells_of_a_person(text):
        raise UserError("Nội dung giống thông tin của một cá nhân. Đề nghị chỉ ghi việc và bộ phận.")
    return " ".join(text.split())


def _office(option: str, text: str) -> str:
    if not text.strip() or tells_of_a_person(text):
        raise UserError(f'Kết luận cần bộ phận thực hiện, không ghi tên người. Viết như {option} "Ban Tuyên giáo".')
    return text.strip()


def _due(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise UserError("Kết luận cần thời hạn. Viết như --due 2026-11-30.") from error


# --- what a person reads -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Beside:
    """What stands beside a closed paper."""

    notes: list[Paper]
    edits: list[str]
    corrections: list[dict[str, str | None]]


def _show(desk: Desk, *, as_json: bool) -> int:
    turns = desk.turns
    closed = turns[-1] if is_closed(turns) else None
    facts = desk.draft() if closed is None else thaw(closed.content or "")
    beside = _beside(desk, closed, facts) if closed and facts else Beside([], [], [])
    intact = all(turn.is_intact for turn in turns)
    if not intact:
        show.warn(TAMPERED)
    if as_json:
        state = {"state": "closed" if closed else "draft", "intact": intact, "history": list(map(_turn_facts, turns))}
        show.print_json(state | {"review": facts, "later": asdict(beside)})
    elif facts is not None:
        _print(desk, facts, turns[-1] if turns else None)
        _print_beside(beside)
    return WRITTEN if intact else CHANGED


def _beside(desk: Desk, closed: ReviewTurn, frozen: Paper) -> Beside:
    """Later notes and changes by hand, and what the same week, asked for the same moment, says differently today."""
    again = replace(desk, as_of=datetime.fromisoformat(frozen["as_of"])).draft()
    notes = [note_facts(note) for note in desk.notes[len(frozen["notes"]) :]]
    edits = later_edits(desk.config, desk.store, desk.period, closed.at)
    return Beside(notes, edits, list(corrections(frozen, again)))


def _turn_facts(turn: ReviewTurn) -> dict[str, Any]:
    word = "reopened" if turn.content is None else "closed"
    facts = {"turn": turn.turn, "state": word, "at": turn.at, "by": turn.by, "reason": turn.reason}
    return facts | {"sha256": turn.sha256, "intact": turn.is_intact}


def _print(desk: Desk, facts: Paper, last: ReviewTurn | None) -> None:
    made_up = " Dữ liệu minh họa." if facts["illustration"] else ""
    cut_off = _moment(desk, datetime.fromisoformat(facts["as_of"]))
    show.say(f"{facts['organisation']}. Họp tuần: {facts['title']}. Số liệu đến {cut_off}.{made_up}")
    if last and last.content is not None:
        show.say(f"Đã chốt lúc {_moment(desk, last.at)}, {last.by}. Mã kiểm tra SHA-256: {last.sha256}.")
    elif last:
        show.say(f"Bản nháp: đã mở lại lúc {_moment(desk, last.at)}, {last.by}. Lý do: {last.reason}.")
    for step, (title, names) in enumerate(AGENDA, start=1):
        show.say(f"\n{step}. {title}")
        for name in names:
            _print_list(name, facts["lists"].get(name, []), facts["unlisted"].get(name, 0))
    show.say(f"\n{len(AGENDA) + 1}. {CONCLUSION}")
    _print_lines([_note_line(one) for one in facts["notes"]] or ["Chưa có ghi chú, kết luận."], 0)


def _print_list(name: str, items: Sequence[Paper], unlisted: int) -> None:
    if items and name in HEADS:
        show.say(f"  {HEADS[name]}")
    lines = [_with_clause(item) for item in items] or list(filter(None, [NOTHING.get(name)]))
    _print_lines(lines, unlisted)


def _print_lines(lines: Sequence[str], unlisted: int) -> None:
    for line in lines[:MOST_LINES]:
        show.say(f"  - {line}")
    if more := len(lines[MOST_LINES:]) + unlisted:
        show.say(f"  … và {more} mục khác.")


def _with_clause(item: Paper) -> str:
    source = ", ".join(filter(None, (item["clause"], item["plan"])))
    return f"[{source}] {item['sentence']}" if source else str(item["sentence"])


def _note_line(note: Paper) -> str:
    if note["owner"] is None:
        return f"Ghi chú: {note['text'].rstrip('.')}."
    when = f"{date.fromisoformat(note['due']):%d/%m/%Y}"
    return f"Kết luận: {note['text'].rstrip('.')}. Thực hiện: {note['owner']}, hạn {when}."


def _print_beside(beside: Beside) -> None:
    changed = [
        f"Khi chốt: {one['then'] or 'không có.'} Nay: {one['now'] or 'không còn.'}" for one in beside.corrections
    ]
    if lines := [*map(_note_line, beside.notes), *beside.edits, *changed]:
        show.say("\nSau khi chốt (không sửa vào biên bản)")
        _print_lines(lines, 0)


def _moment(desk: Desk, moment: datetime) -> str:
    return local_text(moment, desk.config.district.tz)
