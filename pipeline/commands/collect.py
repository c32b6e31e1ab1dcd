"""`nhip collect`: look at the channels that are due and record what came back."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from config.load import load_config
from config.models import Config
from pipeline import checking, jobs, show
from pipeline.clock import Clock, utc_now
from pipeline.problems import UserError
from pipeline.workplace import clock_for, local_text, open_workplace, parse_moment
from store.records import Failure, LookResult, Slot
from store.verbs import Store


def run(folder: Path, only: Sequence[str], *, now: bool, at: str | None, as_json: bool) -> int:
    """0 when every look succeeded (or nothing was due), 1 when a channel could not be read."""
    if at is not None:
        _check_moment(load_config(folder), at)
    with open_workplace(folder, at) as (config, store):
        clock = clock_for(at, config.district.tz)
        _check_names(config, only)
        slots, missed = _slots(config, store, clock(), only, now=now)
        collection = _collect(config, store, slots, clock)
        checking.label_new_posts(config, store, clock())
        jobs.let_go(store, clock())
        collection.missed = missed
        if not collection.results:
            return _say_nothing_done(config, store, clock, only, as_json=as_json)
        _print(config, collection, as_json=as_json)
        return 1 if collection.failures else 0


def _slots(config: Config, store: Store, at: datetime, only: Sequence[str], *, now: bool) -> tuple[list[Slot], int]:
    """What to look at, and how many scheduled looks were found to have been missed."""
    if now:
        return jobs.slots_at(config, at, only), 0
    slots, missed = jobs.due_slots(config, store, at, only)
    return slots or jobs.failed_slots(config, store, at, only), missed


def _check_moment(config: Config, at: str) -> None:
    """What is read today must not be stored as if it had been read at another time; made-up data may."""
    if not config.district.organisation.illustration:
        raise UserError(
            "Không đọc được trang ở một thời điểm khác hiện tại: --at của lệnh collect chỉ dùng cho dữ liệu minh họa. "
            "Muốn xem lại một ngày đã qua, dùng: nhip check --at."
        )
    if parse_moment(at, config.district.tz) > utc_now():
        raise UserError("Chưa đến thời điểm ghi ở --at nên không thể đọc trước. Chọn thời điểm đã qua, hoặc bỏ --at.")


def _check_names(config: Config, only: Sequence[str]) -> None:
    unknown = [slug for slug in only if slug not in config.channels]
    if unknown:
        raise UserError(
            f"Không có kênh «{unknown[0]}» trong channels.toml. Các kênh đang có: {', '.join(config.channels)}."
        )


def _collect(config: Config, store: Store, slots: Sequence[Slot], clock: Clock) -> jobs.Collection:
    with show.progress("Đang đọc các kênh", len(slots)) as advance:
        return asyncio.run(jobs.collect(config, store, slots, clock, on_result=lambda _: advance()))


def _print(config: Config, collection: jobs.Collection, *, as_json: bool) -> None:
    if as_json:
        show.print_json({"missed": collection.missed, "looks": [_as_facts(result) for result in collection.results]})
        return
    show.say_illustration(made_up=config.district.organisation.illustration)
    rows = [_as_row(config, result) for result in sorted(collection.results, key=lambda r: r.taken.slot.channel)]
    show.print_table("Kết quả đọc các kênh", ("Mã kênh", "Kênh", "Kết quả", "Số bài", "Ghi chú"), rows)
    ok = len(collection.results) - len(collection.failures)
    show.say(f"{ok}/{len(collection.results)} kênh đọc được.")
    if collection.missed:
        show.say(f"{collection.missed} lượt theo lịch đã lỡ trong lúc chương trình không chạy; đã ghi nhận là lỡ.")


def _say_nothing_done(config: Config, store: Store, clock: Clock, only: Sequence[str], *, as_json: bool) -> int:
    """Why no channel was looked at: 0 when all is well, 1 when somebody else holds the work."""
    last = store.last_looks().set_index("channel")["state"]
    watched = [channel.slug for channel in jobs.collectable(config, only)]
    held = [slug for slug in watched if last.get(slug) == "running"]
    if as_json:
        show.print_json({"missed": 0, "looks": [], "held": held})
    else:
        show.say(_nothing_due(config, clock, only, held))
    return 1 if held else 0


def _nothing_due(config: Config, clock: Clock, only: Sequence[str], held: Sequence[str]) -> str:
    if held:
        return (
            f"{len(held)} kênh đang được một tiến trình khác đọc, hoặc lần đọc trước bị ngắt giữa chừng. "
            f"Nếu không có tiến trình nào đang chạy, đề nghị chạy lại sau {jobs.LEASE.seconds // 60} phút."
        )
    samples = [config.channels[slug].name for slug in only if config.channels[slug].sample]
    if samples:
        return (
            f"«{samples[0]}» là kênh mẫu (sample = true) nên không được đọc. Muốn đọc, bỏ dòng ấy trong channels.toml."
        )
    if not jobs.collectable(config, only):
        return "Chưa có kênh nào để đọc: các kênh này đều là kênh mẫu (sample = true) hoặc chưa hỗ trợ."
    upcoming = jobs.next_moment(config, clock())
    when = f" Lần tới: {local_text(upcoming, config.district.tz)}." if upcoming else ""
    return f"Không có kênh nào cần đọc lúc này, không có gì thay đổi.{when} Muốn đọc ngay: nhip collect --now."


def _as_row(config: Config, result: LookResult) -> tuple[str, ...]:
    slug, outcome = result.taken.slot.channel, result.outcome
    if isinstance(outcome, Failure):
        told = "⚙ Lỗi thu thập", "", outcome.sentence
    elif outcome.unchanged:
        told = "✔ Không có gì mới", "", " ".join(outcome.notes)
    else:
        how = "✔ Đọc được" if outcome.complete else "≈ Đọc được một phần"
        told = how, str(len(outcome.posts)), " ".join(outcome.notes)
    return slug, config.channels[slug].name, *told


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
