"""Where the program works: the checked configuration, its database, and the moment a person asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from config.load import FILES, load_config
from config.secrets import read_secret
from pipeline.clock import Clock, frozen_at, utc_now
from pipeline.problems import UserError

if TYPE_CHECKING:
    from config.models import Config
    from store.verbs import Store

DATABASE_FILE = "nhip.sqlite3"


def database_url(folder: Path, environ: Mapping[str, str] = os.environ) -> str:
    """NHIP_DATABASE (or the file NHIP_DATABASE_FILE), else a SQLite file in the configuration folder."""
    secret = read_secret("NHIP_DATABASE", environ)
    return secret.reveal() if secret else f"sqlite:///{(folder / DATABASE_FILE).absolute()}"


@contextmanager
def open_workplace(folder: Path, at: str | None = None) -> Iterator[tuple[Config, Store]]:
    """The configuration and the database, brought in line with each other as of *at*; closed at the end."""
    from store.verbs import open_store

    _refuse_nowhere(folder)
    config = load_config(folder)
    with open_store(database_url(folder)) as store:
        store.sync(config.units.values(), config.channels.values(), clock_for(at, config.district.tz)())
        yield config, store


def _refuse_nowhere(folder: Path) -> None:
    """The commonest slip has its own sentence: nobody said where the configuration is."""
    if folder == Path() and not any((folder / name).exists() for name in FILES):
        raise UserError(
            "Chưa chỉ ra thư mục cấu hình. Thêm --config THƯ_MỤC trước tên lệnh, hoặc đặt biến NHIP_CONFIG. "
            "Nếu chưa có thư mục nào, chạy: nhip init THƯ_MỤC."
        )


def clock_for(at: str | None, zone: ZoneInfo) -> Clock:
    """The real clock, or one that stands at the moment a person named (local when it names no zone)."""
    return utc_now if at is None else frozen_at(parse_moment(at, zone))


def parse_moment(text: str, zone: ZoneInfo) -> datetime:
    """«2026-11-20T09:00», «2026-11-20» (the end of that day), or ISO with an offset; in UTC."""
    moment = _parse(text.strip())
    if moment is None:
        raise UserError(f"Không hiểu thời điểm «{text}». Viết như 2026-11-20T09:00 hoặc 2026-11-20.")
    if len(text.strip()) == len("2026-11-20"):
        moment += timedelta(days=1, seconds=-1)
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def _parse(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if 1990 <= moment.year < 2200 else None


def local_text(moment: datetime, zone: ZoneInfo) -> str:
    """«06:30 20/11/2026», as people read it."""
    return moment.astimezone(zone).strftime("%H:%M %d/%m/%Y")
