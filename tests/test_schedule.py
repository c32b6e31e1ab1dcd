from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from zoneinfo import ZoneInfo

import pytest

from config.models import Schedule
from pipeline.schedule import Ticker, Watch, scheduled_moments

HCMC = ZoneInfo("Asia/Ho_Chi_Minh")
TWICE_A_DAY = Schedule(looks_at=(clock_time(18, 30), clock_time(6, 30)))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=HCMC).astimezone(UTC)


def nobody(name: str) -> None:
    raise AssertionError(f"{name} was called silent")


def test_moments_are_local_times_in_order_whatever_the_order_in_the_file():
    moments = scheduled_moments(TWICE_A_DAY, HCMC, at("2026-11-19T18:30"), at("2026-11-20T18:30"))
    assert moments == [at("2026-11-20T06:30"), at("2026-11-20T18:30")]


def test_a_look_at_half_past_six_local_is_the_evening_before_in_utc():
    (moment,) = scheduled_moments(TWICE_A_DAY, HCMC, at("2026-11-20T00:00"), at("2026-11-20T12:00"))
    assert moment == datetime(2026, 11, 19, 23, 30, tzinfo=UTC)


def test_the_start_is_left_out_and_the_end_is_in():
    moment = at("2026-11-20T06:30")
    assert scheduled_moments(TWICE_A_DAY, HCMC, moment, moment + timedelta(hours=1)) == []
    assert scheduled_moments(TWICE_A_DAY, HCMC, moment - timedelta(seconds=1), moment) == [moment]


def test_two_months_hold_two_looks_a_day():
    moments = scheduled_moments(TWICE_A_DAY, HCMC, at("2026-09-30T23:59"), at("2026-11-30T23:59"))
    assert len(moments) == 2 * 61
    assert moments == sorted(set(moments))


def run_ticker(work, on_silence=nobody, *, seconds: float = 0.5, tick: float = 0.05, run_limit: float = 60.0) -> Ticker:
    async def main() -> Ticker:
        ticker = Ticker(work, on_silence, tick_seconds=tick, run_limit_seconds=run_limit)
        asyncio.get_running_loop().call_later(seconds, ticker.stop)
        await ticker.run()
        return ticker

    return asyncio.run(main())


def test_the_ticker_works_at_once_and_again_on_every_tick():
    calls: list[float] = []

    async def work() -> None:
        calls.append(time.monotonic())

    run_ticker(work)
    assert 4 <= len(calls) <= 12


def test_a_long_run_is_never_started_twice_and_the_ticks_it_covers_become_one():
    running, most, starts = 0, 0, 0

    async def work() -> None:
        nonlocal running, most, starts
        running, starts = running + 1, starts + 1
        most = max(most, running)
        await asyncio.sleep(0.2)
        running -= 1

    run_ticker(work, seconds=0.7)
    assert most == 1
    assert 2 <= starts <= 5


def test_a_stop_cancels_work_that_does_not_end(monkeypatch):
    monkeypatch.setattr("pipeline.schedule.STOP_LIMIT_SECONDS", 0.2)
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("put back")

    began = time.monotonic()
    run_ticker(work, seconds=0.2)
    assert ended == ["put back"]
    assert time.monotonic() - began < 5


def test_a_bug_in_the_work_ends_the_run_loudly():
    async def work() -> None:
        raise LookupError("bug")

    with pytest.raises(LookupError, match="bug"):
        run_ticker(work)


def test_a_ticker_that_falls_silent_is_noticed_within_a_few_ticks():
    silent: list[str] = []

    async def main() -> None:
        ticker = Ticker(_nothing, silent.append, tick_seconds=0.05)
        asyncio.get_running_loop().call_later(0.2, ticker.scheduler.pause)
        asyncio.get_running_loop().call_later(1.0, ticker.stop)
        await ticker.run()

    asyncio.run(main())
    assert silent == ["ticker"]


def test_a_blocked_loop_is_noticed_although_the_ticker_itself_cannot_say_so():
    silent: list[str] = []

    async def block() -> None:
        time.sleep(0.6)  # noqa: ASYNC251 - the fault under test

    run_ticker(block, silent.append, seconds=0.3)
    assert silent == ["ticker"]


def test_work_that_hangs_is_noticed_while_the_ticker_still_ticks(monkeypatch):
    monkeypatch.setattr("pipeline.schedule.STOP_LIMIT_SECONDS", 0.1)
    silent: list[str] = []

    async def hang() -> None:
        await asyncio.sleep(60)

    run_ticker(hang, silent.append, seconds=1.0, run_limit=0.3)
    assert silent == ["runner"]


async def _nothing() -> None:
    pass


def test_a_watch_that_is_beaten_keeps_quiet():
    watch = Watch("beaten", 0.2, nobody)
    watch.start()
    for _ in range(10):
        time.sleep(0.05)
        watch.beat()
    watch.stop()


def test_every_setting_of_the_scheduler_that_could_lose_a_tick_is_in_force():
    async def main() -> tuple[object, ...]:
        scheduler = Ticker(_nothing, nobody).scheduler
        scheduler.start(paused=True)
        (job,) = scheduler.get_jobs()
        scheduler.shutdown(wait=False)
        return job.coalesce, job.max_instances, job.misfire_grace_time

    assert asyncio.run(main()) == (True, 1, None)
