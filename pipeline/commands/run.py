"""`nhip run`: the schedule, until somebody stops it."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from alerts.round import Round
from config.load import ConfigError, load_config
from config.models import Config
from pipeline import checking, jobs
from pipeline.alerting import SCHEDULE, Alerting
from pipeline.clock import utc_now
from pipeline.problems import CRASHED
from pipeline.schedule import Ticker
from pipeline.show import say, warn
from pipeline.workplace import local_text, open_workplace
from store.errors import StoreError, Trouble
from store.verbs import Store

log = logging.getLogger(__name__)


def run(folder: Path) -> int:
    """0 after SIGTERM or Ctrl+C; the process ends with an error when the ticker falls silent."""
    with open_workplace(folder) as (config, store):
        upcoming = jobs.next_moment(config, utc_now())
        when = f" Lượt theo lịch tiếp theo: {local_text(upcoming, config.district.tz)}." if upcoming else ""
        say(f"Nhịp Đoàn đang chạy.{when} Dừng bằng Ctrl+C.")
        asyncio.run(_run(Rounds(config, store)))
    say("Đã dừng.")
    return 0


async def _run(rounds: Rounds) -> None:
    ticker = Ticker(rounds.next, _give_up)
    rounds.beat = ticker.beat
    ticker.stop_on_signals()
    await ticker.run()


def _give_up(name: str) -> None:
    """A silent schedule looks healthy from outside: end the process so that somebody notices."""
    log.critical("schedule silent", extra={"part": name})
    warn("Lịch thu thập đã ngừng hoạt động bất thường. Chương trình tự thoát; đề nghị chạy lại «nhip run».")
    os._exit(CRASHED)


HOPELESS = {Trouble.MISSING, Trouble.MOVED, Trouble.FOREIGN, Trouble.OLDER, Trouble.NEWER, Trouble.DAMAGED}
"""Waiting does not help: a person has to act, and a supervisor has to notice."""


class Rounds:
    """One round of work per tick, always with the newest configuration that makes sense."""

    def __init__(self, config: Config, store: Store) -> None:
        self._config, self._store = config, store
        self._owner = jobs.worker_name()
        self._alerts = Alerting(self._owner)
        self._seen = _stamps(config.folder)
        self.beat: Callable[[], None] = lambda: None
        """Called with every look that ends: a long round is no silence."""

    async def next(self) -> None:
        """Do what is due now. Trouble with the store is told and tried again on the next tick."""
        try:
            await asyncio.to_thread(self._reload)
            await self._alert(news=await self._collect())
            await asyncio.to_thread(self._store.beat, SCHEDULE, utc_now())
        except StoreError as error:
            if error.kind in HOPELESS:
                raise
            log.error("store refused", extra={"detail": error.detail})
            warn(error.sentence)

    async def _collect(self) -> bool:
        """Look at what is due; whether anything was."""
        slots, missed = await asyncio.to_thread(jobs.due_slots, self._config, self._store, utc_now())
        if missed:
            log.warning("slots missed", extra={"count": missed})
        if slots:
            done = await jobs.collect(
                self._config, self._store, slots, utc_now, owner=self._owner, on_result=lambda _: self.beat()
            )
            ok = len(done.results) - len(done.failures)
            say(f"{local_text(utc_now(), self._config.district.tz)}: đọc được {ok}/{len(done.results)} kênh.")
            await asyncio.to_thread(jobs.let_go, self._store, utc_now())
        await asyncio.to_thread(checking.label_new_posts, self._config, self._store, utc_now())
        return bool(slots)

    async def _alert(self, *, news: bool) -> None:
        """Hold a round when there is reason to, deliver in any case. A bug there must not stop the collecting."""
        try:
            if self._alerts.is_due(utc_now(), news=news):
                self._tell((await self._alerts.turn(self._config, self._store, utc_now)).round)
            else:
                await self._alerts.deliver(self._config, self._store, utc_now)
        except StoreError:
            raise
        except Exception:
            log.exception("alerts crashed")
            warn("Việc xét cảnh báo gặp lỗi; việc thu thập vẫn chạy. Đề nghị gửi nhật ký cho người phụ trách kỹ thuật.")

    def _tell(self, held: Round) -> None:
        if held.opened or held.messages:
            when = local_text(utc_now(), self._config.district.tz)
            say(f"{when}: {len(held.opened)} cảnh báo mới, {len(held.messages)} tin được soạn.")

    def _reload(self) -> None:
        """A changed configuration counts from the next round on; a broken one is told, and the old one stays."""
        stamps = _stamps(self._config.folder)
        if stamps == self._seen:
            return
        try:
            config = load_config(self._config.folder)
            self._store.sync(config.units.values(), config.channels.values(), utc_now())
        except ConfigError as error:
            warn(f"Cấu hình mới chưa dùng được, tạm giữ cấu hình cũ:\n{error}")
        else:
            self._config = config
            log.warning("configuration reloaded")
        self._seen = stamps


def _stamps(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """What tells a changed file; an editor's hidden files, or one that is just being replaced, tell nothing."""
    stamps = []
    for path in sorted([*folder.glob("[!.]*.toml"), *folder.glob("plans/[!.]*.toml")]):
        with suppress(OSError):
            status = path.stat()
            stamps.append((path.name, status.st_mtime_ns, status.st_size))
    return tuple(stamps)
