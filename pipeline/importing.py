"""An export against what is stored: what each row would add, and recording it like a look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from collectors.exports import Imported, Line
from config.models import Channel
from pipeline.clock import Clock
from pipeline.jobs import LEASE, worker_name
from pipeline.problems import UserError
from store.records import EVER, LookResult, Post, Slot, Snapshot, TakenSlot
from store.schema import COUNTS
from store.verbs import Store

MARK_LENGTH = 16
AROUND = timedelta(days=2)
"""A stored post may have another moment than the file says: its day was uncertain."""
SECONDS_BACK = 10

NEW, KNOWN, DIFFERENT = "mới", "đã có", "khác số đã lưu, giữ số cũ"


@dataclass(frozen=True)
class Plan:
    """One file against what is stored: what each row would add, and whether this very file was recorded before."""

    channel: Channel
    imported: Imported
    exported_at: datetime
    states: tuple[str, ...]
    before: bool
    late: bool

    @property
    def new(self) -> int:
        return self.states.count(NEW)

    @property
    def changes_nothing(self) -> bool:
        """Posts of a file that was not seen before may still bring newer counts."""
        return self.new == 0 and (self.before or not self.imported.reading.posts)


def plan_import(store: Store, channel: Channel, imported: Imported, exported_at: datetime, now: datetime) -> Plan:
    looks = store.looks(EVER, now + AROUND, [channel.slug])
    done = looks[looks["state"] == "done"]
    before = any(_mark(imported) in str(note) for note in done["notes"].dropna())
    late = bool(done["started_at"].max() > exported_at)  # False when there is none
    return Plan(channel, imported, exported_at, _states(store, channel, imported.rows), before, late)


def _mark(imported: Imported) -> str:
    return f"mã tệp {imported.sha256[:MARK_LENGTH]}"


def _states(store: Store, channel: Channel, rows: Sequence[Line]) -> tuple[str, ...]:
    stored = _stored_snapshots(store, channel, [row.item for row in rows if isinstance(row.item, Snapshot)])
    known = _stored_posts(store, channel, [row.item for row in rows if isinstance(row.item, Post)])
    return tuple(
        _snapshot_state(item, stored) if isinstance(item, Snapshot) else KNOWN if item.platform_id in known else NEW
        for item in (row.item for row in rows)
    )


def _stored_snapshots(
    store: Store, channel: Channel, snapshots: Sequence[Snapshot]
) -> dict[tuple[int, str], tuple[int | None, ...]]:
    """Epoch second and name of the source -> the counts in the order of COUNTS."""
    if not snapshots:
        return {}
    moments = [one.observed_at for one in snapshots]
    found = store.series(min(moments), max(moments) + timedelta(seconds=1), [channel.slug])
    keys = zip(found["observed_at"], found["source"], strict=True)
    counts = found[list(COUNTS)].astype(object).where(found[list(COUNTS)].notna(), None).itertuples(index=False)
    return {(int(at.timestamp()), str(source)): tuple(row) for (at, source), row in zip(keys, counts, strict=True)}


def _stored_posts(store: Store, channel: Channel, posts: Sequence[Post]) -> set[str]:
    moments = [post.published_at for post in posts if post.published_at]
    if not moments:
        return set()
    return set(store.posts(min(moments) - AROUND, max(moments) + AROUND, [channel.slug])["platform_id"])


def _snapshot_state(one: Snapshot, stored: dict[tuple[int, str], tuple[int | None, ...]]) -> str:
    before = stored.get((int(one.observed_at.timestamp()), one.source.name.lower()))
    if before is None:
        return NEW
    return KNOWN if before == tuple(getattr(one, name) for name in COUNTS) else DIFFERENT


def record_import(store: Store, plan: Plan, size: int, clock: Clock) -> None:
    """Like a look that began when the file was exported: an older file changes nothing that is newer."""
    taken = _take(store, plan.channel, clock())
    note = f"Nhập từ tệp: {plan.imported.format} ({_mark(plan.imported)})."
    reading = replace(plan.imported.reading, notes=(note,), cursor=taken.cursor)
    try:
        refused = store.record([LookResult(taken, plan.exported_at, clock(), reading, received_bytes=size)])
    except BaseException:
        store.release([taken])
        raise
    looks = store.looks(plan.exported_at, clock() + AROUND, [plan.channel.slug])
    mine = looks[looks["slot"] == taken.slot.moment]
    if refused or mine.empty or mine.iloc[0]["state"] != "done":
        raise UserError("Cơ sở dữ liệu không nhận số liệu của tệp. Đề nghị báo người phụ trách kỹ thuật.")


def _take(store: Store, channel: Channel, now: datetime) -> TakenSlot:
    """A slot of this very moment; a few seconds ago when several files of one channel follow each other."""
    for back in range(SECONDS_BACK):
        slot = Slot(channel.slug, now.replace(microsecond=0) - timedelta(seconds=back))
        if taken := store.take([slot], worker_name(), now, LEASE):
            return taken[0]
    raise UserError("Nền tảng của kênh đang yêu cầu chờ nên chưa ghi được. Đề nghị chạy lại sau ít phút.")
