"""An export against what is stored: what each row would add, and recording it like a look.

The key of a count that a person rejected is taken for good. A new figure for it is stored one second earlier, still
on the same local day, so that it counts and the rejected one stays to be seen.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from collectors.exports import Imported, Line
from config.models import Channel
from pipeline.clock import Clock
from pipeline.jobs import LEASE, worker_name
from pipeline.outliers import Outlier, outliers
from pipeline.problems import UserError
from store.records import EVER, LookResult, Post, Slot, Snapshot, TakenSlot
from store.schema import COUNTS
from store.verbs import Store

if TYPE_CHECKING:
    import pandas as pd

Key = tuple[int, str]
"""Epoch second and name of the source of a snapshot."""
Values = tuple[int | None, ...]
"""Its counts in the order of COUNTS."""

MARK_LENGTH = 16
AROUND = timedelta(days=2)
"""A stored post may have another moment than the file says: its day was uncertain."""
SECONDS_BACK = 10
A_SECOND = timedelta(seconds=1)

NEW, KNOWN, DIFFERENT = "mới", "đã có", "khác số đã lưu, giữ số cũ"
INSTEAD = "mới, thay số đã bị bác"
REJECTED = "đã bị bác, không ghi lại"


@dataclass(frozen=True)
class Plan:
    """One file against what is stored: what each row would add."""

    channel: Channel
    imported: Imported
    exported_at: datetime
    states: tuple[str, ...]
    imported_at: datetime | None
    """When this very file was recorded; None when it never was."""
    late: bool
    outliers: list[Outlier] = field(default_factory=list)
    """The counts that would be new and lie far from what is stored."""

    @property
    def new(self) -> int:
        return self.states.count(NEW) + self.states.count(INSTEAD)

    @property
    def changes_nothing(self) -> bool:
        """Posts of a file that was not seen before may still bring newer counts."""
        return self.new == 0 and (self.imported_at is not None or not self.imported.reading.posts)


def plan_import(store: Store, channel: Channel, imported: Imported, exported_at: datetime, now: datetime) -> Plan:
    looks = store.looks(EVER, now + AROUND, [channel.slug])
    done = looks[looks["state"] == "done"]
    same = done[[_mark(imported) in str(notes) for notes in done["notes"]]]
    imported_at = None if same.empty else same["finished_at"].max().to_pydatetime()
    late = bool(done["started_at"].max() > exported_at)  # False when there is none
    stored = store.series(EVER, now + AROUND, [channel.slug])
    imported, states = _compared(store, channel, imported, stored)
    fresh = [row for row, state in zip(imported.rows, states, strict=True) if state in {NEW, INSTEAD}]
    return Plan(channel, imported, exported_at, states, imported_at, late, outliers(fresh, stored))


def _mark(imported: Imported) -> str:
    return f"mã tệp {imported.sha256[:MARK_LENGTH]}"


def _compared(
    store: Store, channel: Channel, imported: Imported, stored: pd.DataFrame
) -> tuple[Imported, tuple[str, ...]]:
    """The rows with the moments they are to be stored at, and how each stands to what is stored."""
    values, rejected = _values(stored), set(_values(store.rejected(channel.slug)))
    known = _stored_posts(store, channel, imported.reading.posts)
    rows, states = [], []
    for row in imported.rows:
        item, state = row.item, KNOWN
        if isinstance(item, Snapshot):
            item, state = _placed(item, values, rejected)
        elif item.platform_id not in known:
            state = NEW
        rows.append(replace(row, item=item))
        states.append(state)
    return _with_rows(imported, rows), tuple(states)


def _with_rows(imported: Imported, rows: Sequence[Line]) -> Imported:
    snapshots = tuple(row.item for row in rows if isinstance(row.item, Snapshot))
    return replace(imported, rows=tuple(rows), reading=replace(imported.reading, snapshots=snapshots))


def _values(frame: pd.DataFrame) -> dict[Key, Values]:
    keys = zip(frame["observed_at"], frame["source"], strict=True)
    counts = frame[list(COUNTS)].astype(object).where(frame[list(COUNTS)].notna(), None).itertuples(index=False)
    return {(int(at.timestamp()), str(source)): tuple(row) for (at, source), row in zip(keys, counts, strict=True)}


def _placed(one: Snapshot, stored: Mapping[Key, Values], rejected: Collection[Key]) -> tuple[Snapshot, str]:
    """The snapshot at the moment it is to have, and how it stands to what is stored."""
    own, taken = tuple(getattr(one, name) for name in COUNTS), one
    while (key := _key(taken)) in rejected and stored[key] != own:
        taken = replace(taken, observed_at=taken.observed_at - A_SECOND)
    before = stored.get(key)
    if before is None:
        return taken, NEW if taken is one else INSTEAD
    if key in rejected:
        return taken, REJECTED
    return taken, KNOWN if before == own else DIFFERENT


def _key(one: Snapshot) -> Key:
    return int(one.observed_at.timestamp()), one.source.name.lower()


def _stored_posts(store: Store, channel: Channel, posts: Sequence[Post]) -> set[str]:
    moments = [post.published_at for post in posts if post.published_at]
    if not moments:
        return set()
    return set(store.posts(min(moments) - AROUND, max(moments) + AROUND, [channel.slug])["platform_id"])


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
        if taken := store.take([slot], worker_name(), now, LEASE, asks=False):
            return taken[0]
    raise UserError("Nhiều tệp của kênh này được nhập cùng lúc nên chưa ghi được. Đề nghị chạy lại sau ít phút.")
