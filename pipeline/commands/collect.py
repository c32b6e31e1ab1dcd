"""`nhip collect`: look at the channels that are due and record what came back."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from config.models import Config
from pipeline import checking, jobs, show
from pipeline.clock import Clock
from pipeline.problems import UserError
from pipeline.workplace import clock_for, local_text, open_workplace
from store.records import Failure, LookResult, Slot
from store.verbs import Store


def run(folder: Path, only: Sequence[str], *, now: bool, at: str | None, as_json: bool) -> int:
    """0 when every look succeeded (or nothing was due), 1 when a channel could not be read."""
    with open_workplace(folder) as (config, store):
        clock = clock_for(at, config.district.tz)
        _check_names(config, only)
        slots, missed = _slots(config, store, clock(), only, now=now)
        collection = _collect(config, store, slots, clock)
        checking.label_new_posts(config, store, clock())
        collection.missed = missed
        _print(config, collection, clock, as_json=as_json)
        return 1 if collection.failures else 0


def _slots(config: Config, store: Store, at: datetime, only: Sequence[str], *, now: bool) -> tuple[list[Slot], int]:
    """What to look at, and how many scheduled looks were found to have been missed."""
    if now:
        return jobs.slots_at(config, at, only), 0
    slots, missed = jobs.due_slots(config, store, at, only)
    return slots or jobs.failed_slots(config, store, at, only), missed


def _check_names(config: Config, only: Sequence[str]) -> None:
    unknown = [slug for slug in only if slug not in config.channels]
    if unknown:
        raise UserError(
            f"Không có kênh «{unknown[0]}» trong channels.toml. Các kênh đang có: {', '.join(config.channels)}."
        )


def _collect(config: Config, store: Store, slots: Sequence[Slot], clock: Clock) -> jobs.Collection:
    with show.progress("Đang đọc các kênh", len(slots)) as advance:
        return asyncio.run(jobs.collect(config, store, slots, clock, on_result=lambda _: advance()))


def _print(config: Config, collection: jobs.Collection, clock: Clock, *, as_json: bool) -> None:
    if as_json:
        show.print_json({"missed": collection.missed, "looks": [_as_facts(result) for result in collection.results]})
        return
    if not collection.results:
        show.say(_nothing_due(config, clock))
        return
    rows = [_as_row(config, result) for result in sorted(collection.results, key=lambda r: r.taken.slot.channel)]
    show.print_table("Kết quả đọc các kênh", ("Kênh", "Kết quả", "Số bài", "Ghi chú"), rows)
    ok = len(collection.results) - len(collection.failures)
    show.say(f"{ok}/{len(collection.results)} kênh đọc được.")
    if collection.missed:
        show.say(f"{collection.missed} lượt theo lịch đã lỡ trong lúc chương trình không chạy; đã ghi nhận là lỡ.")


def _nothing_due(config: Config, clock: Clock) -> str:
    if not jobs.collectable(config):
        return "Chưa có kênh nào để đọc: các kênh trong channels.toml đều là mẫu (sample = true) hoặc chưa hỗ trợ."
    upcoming = jobs.next_moment(config, clock())
    when = f" Lần tới: {local_text(upcoming, config.district.tz)}." if upcoming else ""
    return f"Các kênh đã được đọc cho lượt này, không có gì thay đổi.{when} Muốn đọc ngay: nhip collect --now."


def _as_row(config: Config, result: LookResult) -> tuple[str, str, str, str]:
    name = config.channels[result.taken.slot.channel].name
    outcome = result.outcome
    if isinstance(outcome, Failure):
        return name, "⚙ Lỗi thu thập", "", outcome.sentence
    if outcome.unchanged:
        return name, "✔ Không có gì mới", "", " ".join(outcome.notes)
    return (
        name,
        "✔ Đọc được" if outcome.complete else "≈ Đọc được một phần",
        str(len(outcome.posts)),
        " ".join(outcome.notes),
    )


def _as_facts(result: LookResult) -> dict[str, object]:
    outcome = result.outcome
    failed = isinstance(outcome, Failure)
    return {
        "channel": result.taken.slot.channel,
        "slot": result.taken.slot.moment,
        "outcome": outcome.kind.value if isinstance(outcome, Failure) else "unchanged" if outcome.unchanged else "ok",
        "posts": None if isinstance(outcome, Failure) else len(outcome.posts),
        "complete": None if isinstance(outcome, Failure) else outcome.complete,
        "coverage_from": None if isinstance(outcome, Failure) else outcome.coverage_from,
        "sentence": outcome.sentence if isinstance(outcome, Failure) else " ".join(outcome.notes),
        "requests": result.requests,
        "received_bytes": result.received_bytes,
        "failed": failed,
    }
