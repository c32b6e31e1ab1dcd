"""The report on a year: everything is read from the store here, drawn, frozen when the year is closed, and written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from dashboards.reports import REPORTS, Studio, Written, write_reports
from pipeline import checking
from pipeline.check_words import choice_sentence, unsigned
from pipeline.commending import Commendation
from pipeline.few import protected
from pipeline.figure_words import FEWEST
from pipeline.judgement import Judgement, judge
from pipeline.review_edits import later_edits
from pipeline.reviewing import Onlooker
from pipeline.workplace import local_text
from pipeline.year_asked import Year
from pipeline.year_changes import Change, changes, edits_as_changes, page_of_changes
from pipeline.year_facts import Facts, facts_of, freeze, heading_of, pages_of, thaw
from pipeline.year_posts import Read, sheets_of_posts
from pipeline.year_sheets import channel_names, paper
from pipeline.year_targets import sheets_of_plans
from pipeline.year_units import praised, sheets_of_units
from store.records import ClosingTurn

Tell = Callable[[str], None]
"""Says how far the work is."""


def period_key(number: int) -> str:
    """The name of a year among the closed periods."""
    return str(number)


def draft(year: Year, tell: Tell) -> Facts:
    """The report as it is known at the moment of *year*; writes nothing but the labels of new posts."""
    tell("Đang đối chiếu các kế hoạch…")
    checking.label_new_posts(year.config, year.store, year.as_of)
    found = judged(year)
    tell("Đang vẽ biểu đồ…")
    read, praise = Read(year), praised(year)
    sheets = [
        *sheets_of_plans(year, found),
        *sheets_of_units(year, found, praise),
        *sheets_of_posts(year, read),
    ]
    return facts_of(year, sheets, list(_words(year, praise, read)))


def judged(year: Year) -> Judgement:
    """What is said of every row of the plans for the year; numbers of a few persons are taken out."""
    return protected(judge(year.plans, year.moment(), Onlooker(year.store.database)))


def _words(year: Year, praise: Commendation, read: Read) -> Iterator[tuple[str, str]]:
    """What the report explains beside the words that every report explains."""
    yield "Dưới 10 người", f"Con số về dưới {FEWEST} người được giữ kín."
    for plan in year.plans:
        issued = f", ngày {plan.document.issued:%d/%m/%Y}" if plan.document.issued else ""
        yield paper(plan), f"{plan.document.title}. {plan.document.issuer}{issued}."
        for choice in unsigned(plan):
            yield f"Chưa chốt cách tính, {paper(plan)}", choice_sentence(choice)
    for label in year.config.district.labels.values():
        yield label.name, f"Căn cứ: {label.clause}."
    for sentence in praise.rule:
        yield "Xét tuyên dương", sentence
    if read.left_out:
        names = channel_names(year.config)
        told = ", ".join(names[slug] for slug in read.left_out)
        yield "Kênh không đọc được đủ", f"Không tính vào số bài đăng theo tháng: {told}."


# --- a closed year -----------------------------------------------------------------------------------------------


def closed_turn(turns: list[ClosingTurn]) -> ClosingTurn | None:
    """The closing that holds; None while the year is open."""
    return turns[-1] if turns and turns[-1].content is not None else None


def close(year: Year, by: str, reason: str, tell: Tell) -> str:
    """Freezes the report of the year; gives the SHA-256. LookupError when it is closed already."""
    content = freeze(draft(year, tell))
    return year.store.close_period(period_key(year.number), content, by, year.known_at, reason)


def frozen_facts(turn: ClosingTurn) -> Facts | None:
    """None when what was frozen cannot be read any more."""
    return thaw(turn.content or "")


def later_changes(year: Year, turn: ClosingTurn, frozen: Facts, tell: Tell) -> list[Change]:
    """What the same year, judged at the same moment with all that is known now, says differently."""
    as_of = datetime.fromisoformat(frozen["as_of"])
    again = replace(year, cut_off=frozen["cut_off"], as_of=as_of)
    edits = later_edits(year.config, year.store, again.period, turn.at)
    return [*edits_as_changes(edits), *changes(frozen, draft(again, tell))]


# --- files -------------------------------------------------------------------------------------------------------


def notes_of(facts: Facts, turn: ClosingTurn | None, plan: str | None, later: list[Change]) -> list[str]:
    """The sentences under the title."""
    notes = [] if facts["over"] else ["Năm chưa kết thúc: số liệu tính đến thời điểm trên, chưa phải của cả năm."]
    heading = heading_of(facts, ())
    if facts["over"]:
        known = local_text(datetime.fromisoformat(facts["known_at"]), heading.zone)
        notes.append(f"Số liệu đơn vị báo cáo về năm: tính cả báo cáo nhận đến {known}.")
    if turn is not None:
        notes.append(f"Đã đóng sổ lúc {local_text(turn.at, heading.zone)}, {turn.by}. Mã kiểm tra: {turn.sha256}.")
    if plan is not None:
        notes.append(f"Chỉ gồm các biểu của kế hoạch {plan} và các biểu chung.")
    if later:
        notes.append(f"Sau khi đóng sổ có {len(later)} nội dung khác đi: xem biểu cuối, số đã đóng được giữ nguyên.")
    return notes


def write(
    facts: Facts, out: Path, tell: Tell, *, turn: ClosingTurn | None, plan: str | None, later: list[Change]
) -> Written:
    """Every file of the report into a folder, with one browser for all; without one, those that need none."""
    pages = pages_of(facts, plan)
    if later:
        pages.append(page_of_changes(facts, later))
    heading = heading_of(facts, notes_of(facts, turn, plan, later))
    written = Written([], [])
    with Studio() as studio:
        for name in REPORTS:
            tell(f"Đang ghi tệp {name}…")
            part = write_reports(pages, heading, out, studio, [name])
            written.paths.extend(part.paths)
            written.missing.extend(one for one in part.missing if one not in written.missing)
    return written
