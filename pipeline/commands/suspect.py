"""`nhip suspect`: the counts that cannot easily be true, and an office's word on them."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from config.models import Config
from pipeline import show
from pipeline.clock import utc_now
from pipeline.problems import UserError
from pipeline.workplace import local_text, open_workplace
from store.records import Source, Verdict
from store.verbs import Store

Row = dict[Any, Any]
LAST_MINUTE = time(23, 59)
NAMES = {"followers": "số người theo dõi", "likes": "số lượt thích", "posts": "số bài", "views": "số lượt xem"}


def run(folder: Path, channel: str | None, *, accept: bool, reject: bool, by: str, reason: str, as_json: bool) -> int:
    """Without *channel* the list (0 when it is empty, 1 when not); with one, an office's word on its newest doubt."""
    with open_workplace(folder) as (config, store):
        rows: list[Row] = [dict(row) for row in store.open_suspects().to_dict("records")]
        if channel is None:
            return _list(config, store, rows, as_json=as_json)
        row = _newest(config, rows, channel)
        if accept == reject:
            raise UserError("Chưa rõ là nhận hay bác. Thêm --accept nếu số đúng là vậy, --reject nếu là số sai.")
        if not (by.strip() and reason.strip()):
            raise UserError('Cần ghi bộ phận và lý do. Viết như --by "Ban Tuyên giáo" --reason "Trang vừa được gộp".')
        try:
            store.add_verdict(_word(row, accepted=accept, by=by.strip(), reason=reason.strip(), at=utc_now()))
        except LookupError as error:
            raise UserError("Số này vừa hết hạn lưu nên không còn. Xem lại danh sách: nhip suspect.") from error
        show.say_illustration(made_up=config.district.organisation.illustration)
        said = "nhận số này là đúng" if accept else "bác số này"
        show.say(f"Đã ghi: {by.strip()} {said}. {_sentence(config, row)}")
    return 0


def _list(config: Config, store: Store, rows: list[Row], *, as_json: bool) -> int:
    if as_json:
        illustration = config.district.organisation.illustration
        show.print_json({"illustration": illustration, "suspects": [_as_facts(row) for row in rows]})
    elif not rows:
        show.say("Không có số liệu nào đang chờ xác nhận.")
    else:
        show.say_illustration(made_up=config.district.organisation.illustration)
        for row in rows:
            show.say(_sentence(config, row, _trusted(store, row)))
        show.say("Các số này không được tính cho đến khi lần đọc sau (ít nhất 6 giờ) cho số tương tự, hoặc có người")
        show.say("xác nhận: nhip suspect MÃ_KÊNH --accept (hoặc --reject) --by BỘ_PHẬN --reason LÝ_DO.")
    return 1 if rows else 0


def _newest(config: Config, rows: list[Row], channel: str) -> Row:
    own = [row for row in rows if row["channel"] == channel]
    if not own and channel not in config.channels:
        raise UserError(f"Không có kênh «{channel}» trong channels.toml. Xem danh sách: nhip suspect.")
    if not own:
        raise UserError(f"Kênh «{channel}» không có số liệu nào đang chờ xác nhận.")
    return max(own, key=lambda row: row["observed_at"])


def _word(row: Row, *, accepted: bool, by: str, reason: str, at: datetime) -> Verdict:
    moment = row["observed_at"].to_pydatetime()
    return Verdict(row["channel"], moment, Source[row["source"].upper()], accepted, by, reason, at)


def doubted(row: Row) -> list[str]:
    """The names of the counts of a row that are in doubt."""
    return [name for place, name in enumerate(NAMES) if row["suspect"] >> place & 1]


def _trusted(store: Store, row: Row) -> Row:
    """What counted last before the doubt."""
    (value,) = store.value_at([row["observed_at"].to_pydatetime()], [row["channel"]]).to_dict("records")
    return dict(value)


def _sentence(config: Config, row: Row, before: Row | None = None) -> str:
    parts = [f"{NAMES[name]} {show.number(row[name])}{_compared(name, before)}" for name in doubted(row)]
    return f"{_name(config, row['channel'])}, {_when(row, config.district.tz)}: {', '.join(parts)}."


def _when(row: Row, zone: ZoneInfo) -> str:
    """The moment of a look; of a daily figure, which closes its day at midnight, the day."""
    moment = row["observed_at"].to_pydatetime()
    day = (moment - timedelta(seconds=1)).astimezone(zone)
    is_daily = day.time() >= LAST_MINUTE
    return f"ngày {day:%d/%m/%Y}" if is_daily else local_text(moment, zone)


def _compared(name: str, before: Row | None) -> str:
    value = before[name] if before else None
    return f" (trước đó {show.number(value)})" if isinstance(value, int) else ""


def _name(config: Config, slug: str) -> str:
    """«Fanpage Đoàn phường (fanpage-doan-phuong)»: the code is what the command wants to be told."""
    return f"{config.channels[slug].name} ({slug})" if slug in config.channels else slug


def _as_facts(row: Row) -> dict[str, object]:
    counts = {name: row[name] for name in doubted(row)}
    return {"channel": row["channel"], "observed_at": row["observed_at"], "source": row["source"], "counts": counts}
