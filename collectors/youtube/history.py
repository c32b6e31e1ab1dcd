"""Subscribers on earlier days, rebuilt from the gains and losses that Analytics tells the owner.

Gains and losses are exact per Pacific day, but what they are counted back from is not: YouTube cuts counts from
1,000 up to three digits, and a look falls into the middle of a day. So every look yields two bounds for the end of its
day, each further day carries them on, and where looks overlap the bounds come closer. A day is told only when its
bounds leave one answer: as EXACT when they meet, as FLOOR3 when both have the same three digits; every other
day stays missing. Purges of closed accounts are not fully visible in gains and losses: when a later look contradicts
the bounds, they start anew from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from collectors.base import CollectError
from collectors.youtube.api import Api
from collectors.youtube.errors import drift
from collectors.youtube.known import Between, Known, Past, moment
from collectors.youtube.shapes import Table, seconds
from store.records import FailureKind, Precision, Snapshot, Source

PACIFIC = ZoneInfo("America/Los_Angeles")
SETTLED_AFTER = 3
"""Days after which the numbers of a day no longer change (facts: 48 to 72 hours)."""
MOST_LIVE = 12

NOT_OURS = (
    "Tài khoản đã cấp quyền không phải là chủ của kênh này nên không đọc được số liệu các ngày trước. "
    "Đề nghị kết nối lại và chọn đúng kênh."
)
NO_REPORT = "Chưa đọc được số liệu các ngày trước từ YouTube Analytics. Hệ thống tự đọc lại vào ngày mai."


@dataclass(frozen=True, slots=True)
class Change:
    """Subscribers gained and lost on one Pacific day."""

    gained: int
    lost: int

    @property
    def net(self) -> int:
        return self.gained - self.lost


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What is to be remembered, and one snapshot for the end of every day that is surely known."""

    past: Past
    snapshots: tuple[Snapshot, ...] = ()
    notes: tuple[str, ...] = ()


async def rebuild(api: Api, live: Snapshot, known: Known, *, opened_at: datetime) -> Rebuilt:
    """Earlier days, once a day and only with the owner's consent; a failed report fails no look.

    The first days come when the first look is three days old: until then there is nothing to count back from.
    """
    today = pacific_day(live.observed_at)
    past = seen_live(known.past, live, today)
    if not api.is_owner or past.asked == today or not is_worth_asking(past, today):
        return Rebuilt(past)
    past = replace(past, asked=today)
    first = pacific_day(max(moment(seconds(opened_at)), moment(known.since)))
    try:
        if known.id != past.own:
            past = replace(past, own=await api.own_id())
        if known.id != past.own:
            return Rebuilt(past, notes=(NOT_OURS,))
        since = first if past.end is None or known.looked_at == known.full_at else past.end.day
        table = await api.daily_subscribers(date.fromordinal(min(since, today)), date.fromordinal(today))
        changes = read_changes(table, up_to=today - SETTLED_AFTER)
    except CollectError as error:
        note = error.sentence if error.kind is FailureKind.PERMISSION else NO_REPORT
        return Rebuilt(past, notes=(note,))
    end = carry_on(past, changes)
    live_left = tuple(one for one in past.live if end is None or one.day > end.day)
    return Rebuilt(replace(past, end=end, live=live_left), tuple(told(end, changes)))


def pacific_day(at: datetime) -> int:
    return at.astimezone(PACIFIC).date().toordinal()


def end_of(day: int) -> datetime:
    """The midnight that ends a Pacific day, in UTC."""
    return datetime.combine(date.fromordinal(day + 1), time.min, PACIFIC).astimezone(UTC)


def seen_live(past: Past, live: Snapshot, today: int) -> Past:
    """*past* with what was shown just now; one look a day is enough, and a zero may be a glitch."""
    if not live.followers or any(one.day == today for one in past.live):
        return past
    shown = live.followers
    high = shown if live.precision is Precision.EXACT else shown + 10 ** (len(str(shown)) - 3) - 1
    return replace(past, live=(*past.live, Between(today, shown, high))[-MOST_LIVE:])


def is_worth_asking(past: Past, today: int) -> bool:
    """Whether a look lies in a day that is settled and not yet used."""
    return any(one.day <= today - SETTLED_AFTER for one in past.live)


def read_changes(table: Table, *, up_to: int) -> dict[int, Change]:
    """The settled days of a report; columns are found by their names."""
    names = [header.name for header in table.column_headers]
    try:
        places = [names.index(name) for name in ("day", "subscribersGained", "subscribersLost")]
        rows = [[row[place] for place in places] for row in table.rows]
        days = {date.fromisoformat(str(day)).toordinal(): (gained, lost) for day, gained, lost in rows}
    except (ValueError, IndexError):
        raise drift("an Analytics report with other columns") from None
    return {day: _change(*pair) for day, pair in days.items() if day <= up_to}


def _change(gained: object, lost: object) -> Change:
    if not (isinstance(gained, int) and isinstance(lost, int) and 0 <= gained < 2**40 and 0 <= lost < 2**40):
        raise drift("gains and losses that are no counts")
    return Change(gained, lost)


def carry_on(past: Past, changes: Mapping[int, Change]) -> Between | None:
    """The bounds at the end of the newest settled day that is reached without a gap."""
    shown = {one.day: one for one in past.live}
    end = past.end
    for day in sorted(changes):
        look = _within(shown[day], changes[day]) if day in shown else None
        if end is None:
            end = look
        elif day == end.day + 1:
            end = _narrowed(_moved(end, day, changes[day].net), look)
        elif day > end.day:
            end = look or end
    return end


def _within(shown: Between, change: Change) -> Between:
    """What a count shown during a day leaves possible at its end."""
    return Between(shown.day, max(0, shown.low - change.lost), shown.high + change.gained)


def _moved(bounds: Between, day: int, net: int) -> Between:
    return Between(day, max(0, bounds.low + net), max(0, bounds.high + net))


def _narrowed(bounds: Between, look: Between | None) -> Between:
    if look is None:
        return bounds
    low, high = max(bounds.low, look.low), min(bounds.high, look.high)
    return Between(bounds.day, low, high) if low <= high else look


def told(end: Between | None, changes: Mapping[int, Change]) -> Sequence[Snapshot]:
    """The days up to *end*, newest first, as far back as there is no gap."""
    snapshots = []
    while end is not None and end.day in changes:
        if (known := surely(end)) is not None:
            count, precision = known
            snapshots.append(Snapshot(end_of(end.day), Source.YOUTUBE_ANALYTICS, followers=count, precision=precision))
        net = changes[end.day].net
        if end.low < net:
            break
        end = Between(end.day - 1, end.low - net, end.high - net)
    return snapshots


def surely(bounds: Between) -> tuple[int, Precision] | None:
    """The one count that bounds leave, and how exactly it is known; None when there are several."""
    if bounds.low == bounds.high:
        return bounds.low, Precision.EXACT
    step = 10 ** max(len(str(bounds.low)) - 3, 0)
    cut = bounds.low // step * step
    return (cut, Precision.FLOOR3) if bounds.high < cut + step and step > 1 else None
