"""`nhip import`: a file that a platform or a person wrote, shown first and recorded on request."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from subprocess import list2cmdline
from zoneinfo import ZoneInfo

from collectors.exports import ExportError, Imported, Line, read_export, write_template
from config.models import Channel, Config
from pipeline import checking, show
from pipeline.apart import run_apart
from pipeline.clock import Clock, utc_now
from pipeline.importing import DIFFERENT, INSTEAD, KNOWN, REJECTED, Plan, plan_import, record_import
from pipeline.outliers import Outlier
from pipeline.problems import UserError
from pipeline.uploads import read_upload
from pipeline.workplace import local_text, open_workplace
from store.records import Snapshot

EDGE = 3
"""So many first and last rows are shown."""
NAMES = {"followers": "người theo dõi", "likes": "lượt thích", "posts": "bài", "views": "lượt xem"}
MOST_OUTLIERS = 10
"""So many numbers out of line are shown."""
FAR = "Các số trên lệch xa số đã lưu. Đề nghị kiểm tra đúng kênh, đúng tệp, đúng số chữ số trước khi ghi."
HELD = "Chưa ghi gì vì có số lệch xa số đã lưu. Nếu các số ấy đúng là vậy, ghi cả những số lệch xa: thêm --confirm."
NO_ZERO = "Nếu là chưa có số, đề nghị để trống ô ấy, không ghi 0."
POST_NAMES = {"reactions": "cảm xúc", "comments": "bình luận", "shares": "chia sẻ", "views": "lượt xem"}


def template(file: Path) -> int:
    """Write the plain template to *file*, a CSV that must not exist yet."""
    if file.suffix.lower() != ".csv":
        raise UserError(
            f"Mẫu là tệp CSV nên tên phải có đuôi .csv, như {file.with_suffix('.csv').name}. Đề nghị đổi tên."
        )
    try:
        with file.open("xb") as out:
            out.write(write_template())
    except FileExistsError as error:
        raise UserError(f"Đã có tệp {file}. Đề nghị chọn tên khác, hệ thống không ghi đè.") from error
    show.say(f"Đã tạo {file}. Mỗi dòng là một ngày, viết ngày như 2026-11-20; ô chưa có số thì để trống, không ghi 0.")
    show.say("Cột «Nguồn số liệu» ghi nơi lấy số (ví dụ: YouTube Studio, trang Facebook), không ghi tên người.")
    show.say(f"Điền xong, chạy: nhip import {list2cmdline([str(file)])} --channel MÃ_KÊNH")
    return 0


def run(
    folder: Path,
    file: Path,
    channel: str,
    *,
    exported: str | None,
    yes: bool,
    as_json: bool,
    confirm: bool = False,
    clock: Clock = utc_now,
) -> int:
    """0 when the file was shown, recorded or known already.

    1 when nothing in it can be imported, and when it was to be recorded (*yes*) although numbers in it lie far from
    the stored ones and nobody said (*confirm*) that they are true.
    """
    data = read_upload(file)
    with open_workplace(folder) as (config, store):
        wanted = _channel(config, channel)
        exported_at = _exported_at(exported, config, clock())
        try:
            imported = run_apart(read_export, data, file.name, wanted, exported_at, config.district.tz)
        except ExportError as refusal:
            raise UserError(f"Không nhập tệp này. {_capital(refusal.sentence)}") from refusal
        plan = plan_import(store, wanted, imported, exported_at, clock())
        held = yes and bool(plan.outliers) and not confirm
        recorded = yes and not held and bool(imported.rows) and not plan.changes_nothing
        if recorded:
            record_import(store, plan, len(data), clock)
            checking.label_new_posts(config, store, clock())
        _print(config, plan, recorded=recorded, held=held, as_json=as_json)
    return 0 if imported.rows and not held else 1


def _channel(config: Config, slug: str) -> Channel:
    channel = config.channels.get(slug)
    if channel is None:
        raise UserError(f"Không có kênh «{slug}» trong channels.toml. Các kênh đang có: {', '.join(config.channels)}.")
    if channel.sample:
        raise UserError(
            f"«{channel.name}» là kênh mẫu (sample = true) nên không nhập số liệu. "
            "Muốn nhập, bỏ dòng ấy trong channels.toml và ghi địa chỉ thật."
        )
    return channel


def _exported_at(exported: str | None, config: Config, now: datetime) -> datetime:
    """The end of the day a person named, or now; never later than now."""
    if exported is None:
        return now
    try:
        day = date.fromisoformat(exported.strip())
    except ValueError as error:
        raise UserError(f"Không hiểu ngày «{exported}» ở --exported. Viết như 2026-11-20.") from error
    start = datetime.combine(day, time(), config.district.tz)
    if start > now:
        raise UserError("Ngày ở --exported chưa tới. Đề nghị ghi ngày đã xuất tệp.")
    return min(now, (start + timedelta(days=1, seconds=-1)).astimezone(UTC))


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


# --- what a person reads -----------------------------------------------------------------------------------------


def _print(config: Config, plan: Plan, *, recorded: bool, held: bool, as_json: bool) -> None:
    if as_json:
        show.print_json(_facts(plan, recorded=recorded))
        return
    exported = local_text(plan.exported_at, config.district.tz)
    show.say(f"Kênh: {plan.channel.name}. Loại tệp: {plan.imported.format}. Coi như xuất lúc {exported}.")
    show.say("Nếu tệp xuất vào ngày khác, ghi rõ ngày ấy: --exported 2026-11-20.")
    _print_rows(config, plan)
    _print_skipped(plan.imported)
    _print_outliers(config, plan.outliers)
    for note in _notes(plan):
        show.say(f"Lưu ý: {note}")
    show.say()
    show.say(HELD if held else _verdict(config, plan, recorded=recorded))


def _print_rows(config: Config, plan: Plan) -> None:
    lines = [
        (str(row.row), _day(row, config), _said(row), state)
        for row, state in zip(plan.imported.rows, plan.states, strict=True)
    ]
    shown = lines if len(lines) <= 2 * EDGE + 1 else [*lines[:EDGE], ("…", "…", "…", "…"), *lines[-EDGE:]]
    if shown:
        show.print_table(f"{len(lines)} dòng nhập được", ("Dòng", "Ngày", "Nội dung", "So với số đã lưu"), shown)


def _day(row: Line, config: Config) -> str:
    """The local day a row speaks of: a daily count is stored at the midnight that ends its day."""
    zone = config.district.tz
    if isinstance(row.item, Snapshot):
        return _local_day(row.item.observed_at, zone)
    return row.item.published_at.astimezone(zone).strftime("%d/%m/%Y") if row.item.published_at else ""


def _local_day(at: datetime, zone: ZoneInfo) -> str:
    return (at - timedelta(seconds=1)).astimezone(zone).strftime("%d/%m/%Y")


def _said(row: Line) -> str:
    if isinstance(row.item, Snapshot):
        return _counted(row.item, NAMES)
    title = row.item.title if len(row.item.title) <= 50 else f"{row.item.title[:49]}…"
    counts = _counted(row.item.counts, POST_NAMES) if row.item.counts else ""
    return f"{title} ({counts})" if counts else title


def _counted(counts: object, names: dict[str, str]) -> str:
    """«12.790 người theo dõi, 3 bài»; what is missing is not mentioned."""
    values = [(getattr(counts, name), said) for name, said in names.items()]
    return ", ".join(f"{value:,}".replace(",", ".") + f" {said}" for value, said in values if value is not None)


def _print_skipped(imported: Imported) -> None:
    reasons: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for one in imported.skipped:
        reasons[one.reason, one.place].append(str(one.row))
    for (reason, place), rows in reasons.items():
        numbers = ", ".join(rows[:8]) + (", …" if len(rows) > 8 else "")
        where = f" của «{place}»" if place else ""
        show.say(f"Bỏ qua {len(rows)} dòng (dòng {numbers}{where}): {reason}.")


def _print_outliers(config: Config, found: Sequence[Outlier]) -> None:
    zone = config.district.tz
    for one in found[:MOST_OUTLIERS]:
        days = [_local_day(at, zone) for at in (one.at, one.trusted_at)]
        count, trusted = show.number(one.count), show.number(one.trusted)
        show.say(
            f"Dòng {one.row}: {count} {NAMES[one.name]} ngày {days[0]}, hệ thống đọc được {trusted} ngày {days[1]}."
        )
    if len(found) > MOST_OUTLIERS:
        show.say(f"… và {len(found) - MOST_OUTLIERS} số khác cũng lệch xa.")
    if found:
        show.say(FAR)


def _zeros(plan: Plan) -> list[str]:
    """One sentence for each kind of count that is 0 somewhere: usually a number that nobody had."""
    said = []
    for name, what in NAMES.items():
        rows = [str(row.row) for row in plan.imported.rows if getattr(row.item, name, None) == 0]
        if rows:
            said.append(f"Dòng {', '.join(rows[:8])}{', …' if len(rows) > 8 else ''} ghi 0 {what}. {NO_ZERO}")
    return said


def _notes(plan: Plan) -> list[str]:
    notes = [*plan.imported.reading.notes, *_zeros(plan)]
    if plan.states.count(INSTEAD):
        notes.append("Có số mới thay cho số đã bị bác: số mới được tính, số đã bác vẫn được giữ để đối chiếu.")
    if plan.states.count(REJECTED):
        notes.append("Có số đã bị bác trước đây nên không ghi lại. Đề nghị sửa số ấy trong tệp nếu còn nhầm.")
    if plan.late and plan.imported.reading.posts:
        notes.append("Kênh đã được đọc sau khi xuất tệp: chỉ thêm bài chưa có, số tương tác đã lưu được giữ nguyên.")
    if plan.states.count(DIFFERENT):
        notes.append("Số đã lưu không bị ghi đè. Nếu số cũ sai, đề nghị báo người phụ trách kỹ thuật.")
    return notes


def _verdict(config: Config, plan: Plan, *, recorded: bool) -> str:
    total, new = len(plan.imported.rows), plan.new
    if not total:
        return "Không có dòng nào nhập được; không có gì thay đổi."
    if recorded:
        return f"Đã ghi {new} dòng mới; {total - new} dòng đã có từ trước."
    if plan.imported_at is not None and plan.changes_nothing:
        return f"Tệp này đã nhập lúc {local_text(plan.imported_at, config.district.tz)}; không có gì thay đổi."
    if plan.changes_nothing:
        return "Mọi dòng của tệp này đã có từ trước; không có gì thay đổi."
    return f"Đây là bản xem trước, chưa ghi gì. Sẽ có {new} dòng mới, {total - new} dòng đã có. Muốn ghi, thêm --yes."


def _facts(plan: Plan, *, recorded: bool) -> dict[str, object]:
    return {
        "channel": plan.channel.slug,
        "format": plan.imported.format,
        "sha256": plan.imported.sha256,
        "exported_at": plan.exported_at,
        "recorded": recorded,
        "imported_at": plan.imported_at,
        "changes_nothing": plan.changes_nothing,
        "new": plan.new,
        "known": plan.states.count(KNOWN),
        "different": plan.states.count(DIFFERENT),
        "outliers": plan.outliers,
        "rows": [
            {"row": row.row, "state": state, "item": row.item}
            for row, state in zip(plan.imported.rows, plan.states, strict=True)
        ],
        "skipped": [{"row": one.row, "place": one.place, "reason": one.reason} for one in plan.imported.skipped],
        "notes": _notes(plan),
    }
