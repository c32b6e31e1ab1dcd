"""`nhip report`: the report on a year as files, and the closing and reopening of a year."""

from __future__ import annotations

from pathlib import Path

from collectors.exports.persons import tells_of_a_person
from config.models import Config
from pipeline import show, yearly
from pipeline.clock import Clock, utc_now
from pipeline.figure_asked import office_of
from pipeline.problems import UserError
from pipeline.workplace import local_text, open_workplace
from pipeline.year_asked import Year, parse_cut_off, year_asked
from pipeline.year_changes import Change
from pipeline.year_facts import Facts
from store.records import ClosingTurn

WRITTEN, CHANGED = 0, 1
REASON_CAP = 500
TAMPERED = (
    "Số liệu đã đóng sổ của năm này không còn đúng như khi đóng: mã kiểm tra không khớp. "
    "Đề nghị khôi phục cơ sở dữ liệu từ bản sao lưu và báo người quản trị hệ thống."
)


def year(
    folder: Path, number: int, out: Path, *, cut_off: str | None = None, plan: str | None = None, clock: Clock = utc_now
) -> int:
    """0; 1 when the frozen figures of a closed year are no longer what was closed: then nothing is written."""
    with open_workplace(folder) as (config, store):
        _refuse_unknown(config, plan)
        asked = year_asked(config, store, number, cut_off, clock())
        turns = store.closing_turns(yearly.period_key(number))
        turn = yearly.closed_turn(turns)
        facts, later = _facts(asked, turn, cut_off)
        if facts is None:
            show.warn(TAMPERED)
            return CHANGED
    written = yearly.write(facts, out, show.warn, turn=turn, plan=plan, later=later)
    show.say_illustration(made_up=facts["illustration"])
    show.say(f"Đã lập báo cáo năm {number} ({_state(asked, turn)}): {len(written.paths)} tệp trong {out}.")
    for path in written.paths:
        if path.suffix not in (".png", ".svg"):
            show.say(f"  - {path.name}")
    if later:
        show.say(f"Điều chỉnh sau đóng sổ: {len(later)} nội dung, xem biểu cuối.")
    for sentence in written.missing:
        show.warn(sentence)
    return WRITTEN


def close(
    folder: Path, number: int, *, by: str, reason: str = "", cut_off: str | None = None, clock: Clock = utc_now
) -> int:
    """Freezes the figures of a year that is over."""
    office, why = office_of(by), _text(reason)
    with open_workplace(folder) as (config, store):
        asked = year_asked(config, store, number, cut_off, clock())
        if not asked.is_over:
            raise UserError(
                f"Năm báo cáo {number} hết ngày {asked.period.last:%d/%m/%Y} nên chưa đóng sổ được. Đề nghị đóng sau "
                "ngày đó; báo cáo đến nay vẫn lập được bằng nhip report year."
            )
        if yearly.closed_turn(store.closing_turns(yearly.period_key(number))):
            raise _closed_already(number)
        try:
            sha256 = yearly.close(asked, office, why, show.warn)
        except LookupError as error:
            raise _closed_already(number) from error
    show.say(f"Đã đóng sổ năm {number}, số liệu đến {_until(asked)}. Mã kiểm tra SHA-256: {sha256}.")
    return WRITTEN


def reopen(folder: Path, number: int, *, by: str, reason: str, clock: Clock = utc_now) -> int:
    """Opens a closed year again; what was frozen stays in the database."""
    office, why = office_of(by), _text(reason)
    if not why:
        raise UserError('Cần ghi lý do mở lại. Viết như --reason "Bổ sung số liệu của một đơn vị".')
    with open_workplace(folder) as (_, store):
        try:
            store.reopen_period(yearly.period_key(number), office, why, clock())
        except LookupError as error:
            raise UserError(f"Năm {number} chưa đóng sổ nên không cần mở lại.") from error
    show.say(f"Đã mở lại sổ năm {number}: {why}. Số liệu đã đóng vẫn được giữ nguyên.")
    return WRITTEN


def _facts(asked: Year, turn: ClosingTurn | None, cut_off: str | None) -> tuple[Facts | None, list[Change]]:
    """What the report says; of a closed year the frozen figures, and beside them what would be different now."""
    if turn is None:
        return yearly.draft(asked, show.warn), []
    frozen = yearly.frozen_facts(turn) if turn.is_intact else None
    if frozen is None:
        return None, []
    if cut_off is not None and parse_cut_off(cut_off) != frozen["cut_off"]:
        month, day = frozen["cut_off"].split("-")
        raise UserError(
            f"Năm {asked.number} đã đóng sổ với ngày chốt {day}/{month}. Đề nghị bỏ --cut-off, hoặc mở lại sổ trước."
        )
    return frozen, yearly.later_changes(asked, turn, frozen, show.warn)


def _refuse_unknown(config: Config, plan: str | None) -> None:
    if plan is not None and plan not in config.plans:
        known = ", ".join(config.plans) or "chưa có kế hoạch nào"
        raise UserError(f"Không có kế hoạch «{plan}» trong dòng plans của district.toml. Đang có: {known}.")


def _closed_already(number: int) -> UserError:
    return UserError(
        f"Năm {number} đã đóng sổ. Muốn đóng lại, mở lại trước bằng: "
        f"nhip report reopen {number} --by BỘ_PHẬN --reason LÝ_DO."
    )


def _state(asked: Year, turn: ClosingTurn | None) -> str:
    if turn is not None:
        return f"đã đóng sổ lúc {local_text(turn.at, asked.zone)}"
    return "chưa đóng sổ" if asked.is_over else f"năm chưa hết, số liệu đến {_until(asked)}"


def _until(asked: Year) -> str:
    return local_text(asked.until, asked.zone)


def _text(reason: str) -> str:
    if len(reason) > REASON_CAP:
        raise UserError(f"Lý do dài hơn {REASON_CAP} ký tự. Đề nghị viết lại ngắn gọn.")
    if tells_of_a_person(reason):
        raise UserError("Lý do giống thông tin của một cá nhân. Đề nghị chỉ ghi việc và bộ phận.")
    return " ".join(reason.split()).rstrip(".")
