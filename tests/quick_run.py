"""`nhip run` with short ticks: `python -m tests.quick_run TICK_SECONDS PAUSE_AFTER nhip-words…` (pause 0: never)."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable

from pipeline.cli import main
from pipeline.commands import run
from pipeline.schedule import Ticker

tick_seconds, pause_after = float(sys.argv[1]), float(sys.argv[2])


class QuickTicker(Ticker):
    def __init__(self, work: Callable[[], Awaitable[None]], on_silence: Callable[[str], None]) -> None:
        super().__init__(work, on_silence, tick_seconds=tick_seconds)
        if pause_after:
            asyncio.get_running_loop().call_later(pause_after, self.scheduler.pause)


if __name__ == "__main__":
    vars(run)["Ticker"] = QuickTicker
    sys.argv = ["nhip", *sys.argv[3:]]
    main()
