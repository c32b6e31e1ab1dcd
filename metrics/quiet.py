"""Which units and channels have gone quiet: nothing of their own for longer than agreed, and looks that prove it.

Silence runs from the last own post, or, where none is known, from the first moment that a look can tell about: it
keeps its beginning until there is a newer post. It becomes quiet at the end of the last working day of interval and
grace, and is so only while complete successful looks on every channel of the subject cover the newest stretch of that
length without a gap. What our own looks missed is unknown, not quiet; only what was known at `as_of` counts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

from config.models import Config
from metrics.asking import MOMENT, nothing
from metrics.cadence import NO_CHANNEL
from metrics.clocks import Subjects
from metrics.coverage import proved_spans
from metrics.periods import local_day
from metrics.proof import SLACK, longest_gap, proved_together
from metrics.workdays import Workdays, moments_of, seconds_of

Bools = npt.NDArray[np.bool_]
LOOKS = ("state", "complete", "coverage_from", "started_at", "notes")
"""The columns of Store.looks that are needed beside the channel."""
RHYTHM_DAYS = 90
FEWEST_POSTS = 5
NOT_YET = "chưa lần nào đọc trọn"


class State(StrEnum):
    """How a subject stands. Words of the frames: never rename."""

    UNKNOWN = "unknown"
    """The deadline is over, and the looks cannot tell, or not any more."""
    ACTIVE = "active"
    """The deadline is not over yet."""
    RESTING = "resting"
    """The deadline is over, but today is a rest day, or the unit is snoozed."""
    QUIET = "quiet"


def _no_posts() -> pd.DataFrame:
    return nothing(channel="str", published_at=MOMENT, is_share="bool", first_seen_at=MOMENT)


def _no_snoozes() -> pd.DataFrame:
    return nothing(subject="str", start=MOMENT, until=MOMENT)


@dataclass(frozen=True)
class Silent:
    """What the store knows, as its verbs give it."""

    last_posts: pd.DataFrame
    """Store.last_posts of `stretches`."""
    looks: pd.DataFrame
    """Store.looks, LOOKS at least, of the `looks_needed` at least."""
    snoozes: pd.DataFrame = field(default_factory=_no_snoozes)
    """subject (a unit), start, until (NaT: open)."""
    recent: pd.DataFrame = field(default_factory=_no_posts)
    """Store.posts of the last 90 days, for the rhythm of those whose channels are in it."""


def stretches(config: Config, as_of: datetime) -> pd.DataFrame:
    """Of which stretches of which channels the newest post is needed: channel, start, until, shares."""
    ties = Subjects.of(config, as_of).ties.drop_duplicates(["channel", "start"], ignore_index=True)
    return pd.DataFrame(
        {
            "channel": ties["channel"].astype(str),
            "start": moments_of(ties["start"]),
            "until": moments_of(ties["until"]),
            "shares": ties["shares"].astype(bool),
        }
    )


def looks_needed(
    config: Config, last_posts: pd.DataFrame, snoozes: pd.DataFrame, as_of: datetime
) -> dict[datetime, list[str]]:
    """The channels of all who are past their deadline, by the moment from which on their looks decide something."""
    clocks = Clocks(config, last_posts, snoozes, as_of)
    ties = clocks.late_ties()
    ties = ties.assign(first=clocks.decisive.reindex(ties["row"]).to_numpy(np.int64))
    first = ties[ties["first"] < ties["until"]].groupby("channel")["first"].min()
    return {datetime.fromtimestamp(at, UTC): sorted(some.index) for at, some in first.groupby(first)}


class Clocks:
    """Every subject with its last sign of life and the deadline that follows from it, before any look is weighed."""

    def __init__(self, config: Config, last_posts: pd.DataFrame, snoozes: pd.DataFrame, as_of: datetime) -> None:
        self.subjects, self.now = Subjects.of(config, as_of), int(as_of.timestamp())
        self.zone, schedule = config.district.tz, config.district.schedule
        self.fresh = self.now - int((longest_gap(schedule) + SLACK).total_seconds())
        """Proof that does not reach up to here is too old."""
        ties = self.subjects.ties.merge(_known_seconds(last_posts), on=["channel", "start"], how="left")
        posted = ties["row"].isin(ties.loc[ties["own"] & ties["last"].notna(), "row"])
        self.ties = ties[ties["own"] | ~posted]
        rows = _by_row(self.ties).reindex(range(len(self.subjects.rows)))
        self.last: pd.Series[Any] = rows["last"]
        self.base: pd.Series[Any] = rows["last"].fillna(rows["floor"])
        first = self.now if self.base.isna().all() else int(self.base.min())
        self.workdays = Workdays(config, self.subjects, snoozes, first, as_of)
        self.due = self.deadlines(self.base)
        self.late = self.due.le(self.now).fillna(value=False)
        self.clock = self.last.fillna(rows["watched"]).fillna(self.base.where(~self.late))
        self.decisive = pd.Series(self.workdays.latest_starts(self.fresh), self.base.index)
        """Whoever is not proved silent from here on is not proved quiet, whatever was before."""

    def deadlines(self, moments: pd.Series[Any]) -> pd.Series[Any]:
        """The deadline after a moment (epoch seconds, NA where nothing is known) of each subject."""
        known = moments[moments.notna()].astype("int64")
        due = self.workdays.deadlines(np.asarray(known.index, dtype=np.int64), known.to_numpy())
        return pd.Series(due, known.index, dtype="Int64").reindex(moments.index)

    def late_ties(self) -> pd.DataFrame:
        """The channels of the subjects past their deadline, from the last sign of life on."""
        ties: pd.DataFrame = self.ties[self.late.reindex(self.ties["row"]).to_numpy(bool)]
        start = np.maximum(ties["start"], self.base.reindex(ties["row"]).to_numpy(np.int64))
        ties = ties.assign(start=start)
        return ties[ties["start"] < ties["until"]]


def _known_seconds(last_posts: pd.DataFrame) -> pd.DataFrame:
    known = {
        name: seconds_of(last_posts[column]).astype("Int64").where(last_posts[column].notna())
        for name, column in (("last", "last_post_at"), ("read", "read_from"))
    }
    channel, start = last_posts["channel"].astype(str), seconds_of(last_posts["start"])
    return pd.DataFrame({"channel": channel, "start": start, **known})


def _by_row(ties: pd.DataFrame) -> pd.DataFrame:
    """last, floor (since when the subject has a channel), watched (since when a look tells about one of them)."""
    watched = ties["read"].where(ties["read"].isna() | ties["read"].gt(ties["start"]), ties["start"])
    ties = ties.assign(watched=watched.where(watched < ties["until"]))
    found = ties.groupby("row").agg(last=("last", "max"), floor=("start", "min"), watched=("watched", "min"))
    return found.astype("Int64")


def quiet(config: Config, silent: Silent, as_of: datetime) -> pd.DataFrame:
    """One row for each grassroots unit in force today, and for each watched channel that somebody owns today.

    Columns: kind («unit», «channel»), subject, unit, state (`State`), last_post_at (NaT: none known), clock_from (since
    when the silence runs: that post, else the first moment a look tells about; NaT: there is none), due_at (the
    deadline after it; NaT: unknown or never), silent_days (Int64, local days from clock_from to proved_until; NA where
    one is missing), proved_from and proved_until (the newest stretch that looks on every channel cover without a gap,
    NaT: none), reason (Vietnamese: why it rests, or why nothing can be said), failed (nothing can be said, and a look
    that would have told failed), notes (tuple: what the newest looks could not read), own_rhythm_days (Float64: median
    gap of the posts of 90 days, NA under five), channels (tuple: those of today). The proof, notes and own_rhythm_days
    are there for those only whose looks and posts were handed in; earlier looks than needed change nothing but
    proved_from and, of what is unknown, proved_until. Moments are UTC.
    """
    clocks = Clocks(config, silent.last_posts, silent.snoozes, as_of)
    looks = silent.looks[seconds_of(silent.looks["started_at"]) <= clocks.now]
    spans = proved_spans(looks)
    proof = _proof(clocks, spans)
    rows, reasons = clocks.subjects.rows, clocks.workdays.reasons
    mute = (rows["channels"].str.len() == 0) & (clocks.late | clocks.base.isna())
    state = np.select(
        [mute & ~proof["proving"], ~clocks.late, reasons != "", proof["proving"]],
        [State.UNKNOWN, State.ACTIVE, State.RESTING, State.QUIET],
        State.UNKNOWN,
    )
    frame = rows[["kind", "subject", "unit"]].assign(
        state=pd.Categorical(state, [one.value for one in State]),
        last_post_at=moments_of(clocks.last),
        clock_from=moments_of(clocks.clock),
        due_at=moments_of(clocks.deadlines(clocks.clock)),
        silent_days=_days_between(clocks.clock, proof["end"], clocks.workdays),
        proved_from=moments_of(proof["start"]),
        proved_until=moments_of(proof["end"]),
        failed=(state == State.UNKNOWN) & _failed(clocks, looks, spans),
        notes=_notes(rows["channels"], looks),
        own_rhythm_days=_rhythm(clocks, silent.recent),
        channels=rows["channels"],
    )
    return frame.assign(reason=_reasons(frame, mute, reasons, clocks.zone))


def _proof(clocks: Clocks, spans: pd.DataFrame) -> pd.DataFrame:
    """The stretch of proved silence that each subject past its deadline is judged by: start, end, proving.

    That is the newest one; it proves when it outlasts its own deadline and reaches up to the newest looks.
    """
    runs = proved_together(clocks.late_ties(), spans)
    rows = runs["row"].to_numpy(np.int64)
    start, end = runs["start"].to_numpy(np.int64), runs["end"].to_numpy(np.int64)
    proving = (end >= clocks.workdays.deadlines(rows, start)) & (end >= clocks.fresh)
    ordered = runs.assign(proving=proving).sort_values(["row", "proving", "end"])
    chosen = ordered.drop_duplicates("row", keep="last").set_index("row")
    found = chosen[["start", "end"]].astype("Int64").reindex(clocks.last.index)
    return found.assign(proving=chosen["proving"].reindex(found.index).eq(other=True))


def _days_between(start: pd.Series[Any], end: pd.Series[Any], workdays: Workdays) -> pd.Series[Any]:
    first, last = (workdays.number(some.fillna(0).to_numpy(np.int64)) for some in (start, end))
    return pd.Series(last - first, start.index, dtype="Int64").where(start.notna() & end.notna())


def _failed(clocks: Clocks, looks: pd.DataFrame, spans: pd.DataFrame) -> Bools:
    """Whether a look failed that would have told, and no later one made up for it."""
    failed = looks[looks["state"] == "failed"]
    tries = pd.DataFrame({"channel": failed["channel"].astype(str), "at": seconds_of(failed["started_at"])})
    tries = tries.reset_index(names="try").assign(**{"try": range(len(tries))})
    both = tries.merge(spans, on="channel")
    made_up = both.loc[(both["start"] <= both["at"]) & (both["at"] < both["end"]), "try"]
    lost = tries[~tries["try"].isin(made_up)].merge(clocks.late_ties(), on="channel")
    since = np.maximum(lost["start"], clocks.decisive.reindex(lost["row"]).to_numpy(np.int64))
    blamed = lost.loc[(since <= lost["at"]) & (lost["at"] < lost["until"]), "row"]
    return clocks.base.index.isin(blamed)


def _notes(channels: pd.Series[Any], looks: pd.DataFrame) -> pd.Series[Any]:
    """What the newest done look at each channel had to say, every sentence once."""
    done = looks[looks["state"] == "done"].sort_values("started_at").drop_duplicates("channel", keep="last")
    said = {slug: notes for slug, notes in zip(done["channel"], done["notes"], strict=True) if len(notes)}
    return channels.map(lambda some: tuple(dict.fromkeys(note for slug in some for note in said.get(slug, ()))))


def _rhythm(clocks: Clocks, recent: pd.DataFrame) -> pd.Series[Any]:
    published, seen = seconds_of(recent["published_at"]), seconds_of(recent["first_seen_at"])
    fresh = (published > clocks.now - RHYTHM_DAYS * 86_400) & (published <= clocks.now) & (seen <= clocks.now)
    items = recent[["channel", "is_share"]].assign(at=published)[fresh].astype({"channel": "str"})
    own = items.merge(clocks.ties[clocks.ties["own"]], on="channel")
    own = own[
        (own["start"] <= own["at"]) & (own["at"] < own["until"]) & (own["shares"] | ~own["is_share"].astype(bool))
    ]
    grouped = own.sort_values(["row", "at"]).groupby("row")["at"]
    gaps = (grouped.diff() / 86_400).groupby(own["row"]).median().round(1)
    return gaps[grouped.size() >= FEWEST_POSTS].reindex(clocks.last.index).astype("Float64")


def _reasons(frame: pd.DataFrame, mute: pd.Series[Any], resting: npt.NDArray[np.object_], zone: ZoneInfo) -> Any:
    """Why a subject rests, or why nothing can be said; empty for every other state."""
    names = ("clock_from", "proved_from", "proved_until")
    since, first, until = (local_day(frame[name], zone).dt.strftime("%d/%m/%Y") for name in names)
    read = "mới đọc trọn từ " + first.astype("str") + " đến " + until.astype("str")
    unread = "chưa đọc trọn từ " + since.astype("str")
    unknown = np.select([mute, until.notna(), since.notna()], [NO_CHANNEL, read, unread], NOT_YET)
    states = [frame["state"] == State.UNKNOWN, frame["state"] == State.RESTING]
    return np.select(states, [unknown, resting], "").astype(object)
