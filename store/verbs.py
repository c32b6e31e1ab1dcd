"""The store's verbs: the one face behind which all SQL lives.

Moments are timezone-aware; frames carry them as datetime64 in UTC. A missing value is NA, never 0. Every verb
raises StoreError, with a Vietnamese sentence, when the database cannot do what was asked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Self

from sqlalchemy import Connection
from sqlalchemy.exc import StatementError

from config.models import Channel, Unit
from store import (
    audit,
    beats,
    cases,
    closings,
    figures,
    first_values,
    frames,
    labels,
    last_posts,
    ledger,
    lifecycle,
    outbox,
    post_totals,
    progress,
    quota,
    recording,
    registry,
    retention,
    reviews,
    verdicts,
)
from store.changes import Changes
from store.database import Database
from store.errors import StoreError, Trouble
from store.records import (
    Approval,
    AuditState,
    Case,
    ClosingTurn,
    Delivery,
    Draft,
    Edit,
    Evidence,
    Failure,
    FailureKind,
    Figure,
    Flip,
    LookResult,
    Opening,
    OutboxState,
    PostLabel,
    ReviewNote,
    ReviewTurn,
    Said,
    Slot,
    StoredText,
    TakenSlot,
    TokenState,
    Turn,
    Verdict,
    Week,
)
from store.schema import whole
from store.tokens import Tokens, token_states

if TYPE_CHECKING:
    import pandas as pd

    from store.vault import Vault

OPERATOR = "operator"
"""The role of whoever works at the command line."""
MESSAGES_KEPT_FOR = timedelta(days=400)
UNFIT_SENTENCE = (
    "Trang trả về số liệu không hợp lệ nên không lưu. Đề nghị báo người quản trị hệ thống xem lại kênh này."
)


def create_store(url: str, now: datetime) -> None:
    """Makes a new database at *url* with all tables. Refuses a place that already holds anything."""
    lifecycle.create_database(url, now)


def upgrade_store(url: str) -> None:
    """Brings an older database of ours to this version; a current one stays as it is."""
    lifecycle.upgrade_database(url)


def open_store(url: str) -> Store:
    """The store at *url*. StoreError when missing, foreign, older, newer or damaged; creates nothing."""
    return Store(lifecycle.open_database(url))


def open_reader(url: str) -> Store:
    """The same store for reading alone: it cannot write, and a statement of more than two seconds is refused.

    For pages beside a running program. StoreError like `open_store`, and SLOW for such a statement.
    """
    return Store(lifecycle.open_reading(url))


class Store:
    """What the program remembers: the series, the posts and the ledger of looks."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self.database.close()

    def sync(self, units: Iterable[Unit], channels: Iterable[Channel], now: datetime) -> None:
        """Makes the stored units and channels those of the configuration.

        What is no longer configured is closed at *now* and keeps its history; what comes back is open again.
        """
        wanted_units, wanted_channels = list(units), list(channels)
        self.database.write(lambda connection: registry.sync(connection, wanted_units, wanted_channels, now))

    def expected_slots(self, channels: Sequence[str], moments: Sequence[datetime], now: datetime) -> list[Slot]:
        """The slots that are due at *now*: per open channel the newest of *moments*, while it may be taken.

        It may not when it is done, held under a live lease, failed for good, or waiting for its `retry_at`; nor
        while any slot of its channel failed as `throttled` or `quota` and waits: its source asked us to stay away.
        Older moments coalesce into the newest one: a past gauge cannot be read any more.
        LookupError for a channel that was never synced.
        """
        return self.database.read(lambda connection: ledger.expected_slots(connection, channels, moments, now))

    def record_missed(self, channels: Sequence[str], moments: Sequence[datetime], now: datetime) -> int:
        """Writes down the moments nobody looked at, between a channel's first look and the newest due.

        A slot whose worker died and whose time has passed becomes missed too. A channel that was never
        looked at has missed nothing, nor has one while it was closed. Returns how many slots became missed;
        a second call finds none.
        """
        return self.database.write(lambda connection: ledger.record_missed(connection, channels, moments, now))

    def take(
        self, slots: Sequence[Slot], owner: str, now: datetime, lease: timedelta, *, asks: bool = True
    ) -> list[TakenSlot]:
        """Those of *slots* that *owner* now holds until *now* + *lease*, with the cursor of their channel.

        A slot goes to one owner at a time; an expired lease is taken over with the next attempt number. A source
        that asked us to stay away is left alone, unless the look *asks* nothing of it: an import, say.
        """
        written: dict[ledger.Key, TakenSlot] = {}
        return self.database.write(
            lambda connection: ledger.take(connection, slots, owner, now, lease, written, asks=asks)
        )

    def release(self, taken: Sequence[TakenSlot]) -> None:
        """Gives unfinished slots back as if they had not been taken; slots held by others stay theirs."""
        self.database.write(lambda connection: ledger.release(connection, taken))

    def record(self, results: Sequence[LookResult]) -> list[TakenSlot]:
        """Stores the end of every look in one transaction: rows, cursor and ledger, all or none.

        Returns the slots whose lease was lost to another worker; nothing of their results is stored. A result
        that is already stored changes nothing. A failure writes its ledger row only. A result that the
        database cannot hold (a negative count, a cursor that is no JSON) fails that one look as `drift`, and no other.
        """
        try:
            return self.database.write(lambda connection: recording.record(connection, results))
        except StoreError as error:
            if error.kind is not Trouble.UNFIT:
                raise
        except (StatementError, TypeError, ValueError):  # a value without a form in the database
            pass
        return self._record_singly(results)

    def _record_singly(self, results: Sequence[LookResult]) -> list[TakenSlot]:
        if len(results) > 1:
            return [refused for result in results for refused in self.record([result])]
        failure = Failure(FailureKind.DRIFT, UNFIT_SENTENCE)
        failed = [replace(result, outcome=failure) for result in results]
        return self.database.write(lambda connection: recording.record(connection, failed))

    def series(self, start: datetime, end: datetime, channels: Sequence[str] | None = None) -> pd.DataFrame:
        """Every snapshot observed in [*start*, *end*), suspect ones too, in time order per channel.

        Columns: channel (slug), observed_at, followers, likes, posts, views (Int64), precision, source,
        suspect.
        """
        return self.database.read(lambda connection: frames.series(connection, start, end, channels))

    def value_at(self, moments: Sequence[datetime], channels: Sequence[str] | None = None) -> pd.DataFrame:
        """One row per channel and asked moment: the last snapshot at or before it that is not suspect.

        Columns: channel, moment, observed_at, followers, likes, posts, views, precision, source; all NA where
        nothing had been observed yet. Its cost does not depend on how long the history is.
        """
        return self.database.read(lambda connection: frames.value_at(connection, moments, channels))

    def first_after(self, moment: datetime, count: str, channels: Sequence[str]) -> pd.DataFrame:
        """The first snapshot after *moment* that has a count and is not suspect, of each channel that has one.

        Columns as `series`. Its cost does not depend on how long the history is.
        """
        return self.database.read(lambda connection: first_values.first_after(connection, moment, count, channels))

    def open_suspects(self) -> pd.DataFrame:
        """The suspect snapshots that neither a later reading nor a person has settled.

        Columns: channel, observed_at, source, followers, likes, posts, views, suspect (bits of the doubted counts,
        in the order of the columns).
        """
        return self.database.read(verdicts.open_suspects)

    def rejected(self, channel: str) -> pd.DataFrame:
        """The snapshots of one channel that a person rejected for good. Columns as `open_suspects`."""
        return self.database.read(lambda connection: verdicts.rejected(connection, channel))

    def add_verdict(self, word: Verdict) -> None:
        """Adds a person's word on a suspect snapshot; one that is accepted counts from now on.

        LookupError when there is no such snapshot, or nobody doubts it.
        """

        def work(connection: Connection) -> None:
            verdicts.add_verdict(connection, word)
            audit.write(connection, [audit.of_verdict(word, OPERATOR)])

        self.database.write(work)

    def bound_rows(self) -> pd.DataFrame:
        """What is kept for a limited time only. Columns: channel, source, oldest (moment), rows."""
        return self.database.read(retention.bound_rows)

    def purge(self, owned: Collection[str], now: datetime) -> int:
        """Drops what may not be kept any longer at *now*; how many rows.

        That is, everywhere, snapshots past `KEPT_FOR`; and of the channels of `KEYED_PLATFORM` that are not *owned*,
        read without their owner's consent, counts of posts of more than 30 days ago and the words of posts that
        nobody refreshed since. That the posts existed, when, and their labels stays. So does that a message was
        sent, but not what it said more than 400 days ago.
        """

        def work(connection: Connection) -> int:
            outbox.forget_texts(connection, now - MESSAGES_KEPT_FOR)
            return retention.purge(connection, owned, now)

        return self.database.write(work)

    def posts(
        self,
        start: datetime,
        end: datetime,
        channels: Sequence[str] | None = None,
        as_of: datetime | None = None,
        columns: Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """Posts published in [*start*, *end*), gone ones too; with *as_of* only those first seen by then.

        Columns: channel, and all or those asked for of id, platform_id, published_at, date_source, date_confidence,
        title, excerpt, link, kind, is_share, categories (tuples), first_seen_at, missing_since, gone_at.
        """
        return self.database.read(lambda connection: frames.posts(connection, start, end, channels, as_of, columns))

    def post_totals(self, start: datetime, end: datetime, as_of: datetime) -> pd.DataFrame:
        """The own posts published in [*start*, *end*), as they were known at a moment, with their counts of then.

        Shared posts and those that were gone are left out. Columns: channel, title, published_at, reactions,
        comments, shares, views (Int64; NA where the platform did not tell). In the order of publication.
        """
        return self.database.read(lambda connection: post_totals.post_totals(connection, start, end, as_of))

    def last_posts(self, stretches: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
        """The newest post that was known at *as_of* in each stretch of a channel; one that is gone since counts too.

        *stretches*: channel, start, until (NaT: still), shares (bool: whether a shared post counts). Gives them back
        in the same order with last_post_at; NaT where there is none, and for a channel that was never synced. Where
        there is none, read_from is the first moment that complete looks at the channel tell about (NaT: nothing
        does). Its cost does not depend on how long the history is.
        """
        return self.database.read(lambda connection: last_posts.last_posts(connection, stretches, as_of))

    def find_post(self, link: str) -> pd.DataFrame:
        """The posts with exactly this link, as `posts` gives them; usually one or none."""
        return self.database.read(lambda connection: frames.find_post(connection, link))

    def looks(
        self,
        start: datetime,
        end: datetime,
        channels: Sequence[str] | None = None,
        columns: Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """Finished looks, done or failed, whose [coverage_from, started_at] touches [*start*, *end*).

        A look without coverage (a failed one, say) stands for the moment it started. Columns: channel, and all or
        those asked for of slot, state, attempt, outcome (ok, unchanged, or the kind of failure), error (Vietnamese),
        complete, coverage_from, started_at, finished_at, retry_at, snapshots and posts (new rows), notes, requests,
        received_bytes.
        """
        return self.database.read(lambda connection: frames.looks(connection, start, end, channels, columns))

    def last_looks(self, channels: Sequence[str] | None = None) -> pd.DataFrame:
        """The newest ledger row of every open channel, or of these, and `last_done_at`; NA for one never looked at."""
        return self.database.read(lambda connection: frames.last_looks(connection, channels))

    def missed_slots(self, since: datetime, until: datetime) -> pd.DataFrame:
        """The scheduled moments in [*since*, *until*] at which open channels were not looked at: slot, channels."""
        return self.database.read(lambda connection: frames.missed_slots(connection, since, until))

    def posts_to_label(self, rules: str, limit: int = 1000) -> list[StoredText]:
        """Posts whose text was not judged yet by the label rules with the digest *rules*.

        New and changed posts come up by themselves,
        and every post does when the rules change; `replace_rule_labels` takes them off.
        """
        return self.database.read(lambda connection: labels.posts_to_label(connection, rules, limit))

    def replace_rule_labels(self, judged: Sequence[StoredText], found: Sequence[PostLabel], rules: str) -> None:
        """Puts *found* in place of all that rules said of the *judged* posts; what a person said stays.

        A post whose text has changed in between keeps what it had and stays on the list of `posts_to_label`.
        """
        self.database.write(lambda connection: labels.replace_rule_labels(connection, judged, found, rules))

    def confirm_label(self, label: PostLabel) -> None:
        """Adds a person's word on one post; the one given last wins, whatever its `at`, and none is ever changed."""
        if label.evidence is not Evidence.PERSON:
            raise ValueError(f"not a person's word: {label.evidence}")

        def work(connection: Connection) -> None:
            labels.confirm_label(connection, label)
            audit.write(connection, [audit.of_label(label, OPERATOR)])

        self.database.write(work)

    def labels(self, post_ids: Iterable[int], as_of: datetime | None = None) -> pd.DataFrame:
        """What holds for these posts: one row per post and label, a person's newest word before any rule.

        Columns: post_id, label, evidence, at, detail, upheld; False: a person says that the post does not
        deserve it. With *as_of*, what a person said later is left out.
        """
        ids = list(post_ids)
        return self.database.read(lambda connection: frames.labels(connection, ids, as_of))

    def add_figures(self, reported: Sequence[Figure], reason: str = "", *, role: str = OPERATOR) -> int:
        """Keeps each figure as the newest version of its unit, measure and period, and notes it in the audit log.

        All or none. What says the same as the version before changes nothing; returns how many were new. A new
        version of an approved figure is not approved. LookupError for a unit that was never synced.
        """
        return self.database.write(lambda connection: figures.add(connection, reported, reason, role), durable=True)

    def approve_figures(self, approvals: Sequence[Approval], *, role: str = OPERATOR) -> int:
        """Adds an approved version of each figure: the same numbers, and who approved them. All or none.

        Returns how many were not approved yet. LookupError when a figure has changed since the version named.
        """
        return self.database.write(lambda connection: figures.approve(connection, approvals, role), durable=True)

    def figures(
        self,
        as_of: datetime | None = None,
        measures: Collection[str] | None = None,
        units: Collection[str] | None = None,
    ) -> pd.DataFrame:
        """The newest version of every reported figure; with *as_of*, as it was known at that moment.

        Columns: unit (slug), measure, period_start, period_end (naive local midnights; the end is the first day
        after), value, numerator, denominator (Int64), at (when it was reported), by, source_note, evidence, turn,
        approved, approved_by, approved_at, first_at (when the first version was handed in).
        """
        return self.database.read(lambda connection: figures.figures(connection, as_of, measures, units))

    def figure_versions(
        self, measures: Collection[str] | None = None, units: Collection[str] | None = None
    ) -> pd.DataFrame:
        """Every version of every reported figure, oldest first. Columns as `figures`, without first_at."""
        return self.database.read(lambda connection: figures.versions(connection, measures, units))

    def keep_progress(self, answers: Sequence[Said]) -> list[Said]:
        """Keeps what the check said, and returns what stands, in the same order.

        Where the same inputs were judged before for the same moment and period, that is the stored answer, in its
        own words; where they have changed since, the new one stands beside it with the next turn.
        """
        return self.database.write(lambda connection: progress.keep(connection, answers))

    def progress(self, as_of: datetime | None = None, plans: Collection[str] | None = None) -> pd.DataFrame:
        """The newest kept answer for every subject of every target; with *as_of*, of those for moments until then.

        Columns: plan, as_of, target, subject ("" is the target as a whole), period_start, period_end (naive local
        midnights; the end is the first day after), turn, status, low, high, goal (Float64, ratios), sentence
        (Vietnamese), facts, inputs (JSON), digest.
        """
        return self.database.read(lambda connection: progress.newest(connection, as_of, plans))

    def checked_progress(
        self,
        plan: str,
        targets: Collection[str],
        week: Week,
        as_of: datetime,
        *,
        weekly: Collection[str] = (),
        subjects: Collection[str] | None = None,
        columns: Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """What the newest check of a week said of *targets* of a plan, as was known at a moment; columns as `progress`.

        A check of the week is one made in it, or one made later for it. Of the *weekly* targets, which are judged for
        the week alone, answers for other periods are left out. A target that no check of the week answered has no row.
        """
        wanted = progress.Wanted(plan, tuple(targets), frozenset(weekly), subjects, columns)
        return self.database.read(lambda connection: progress.checked(connection, wanted, week, as_of))

    def close_review(self, week: date, content: str, by: str, at: datetime, *, role: str = OPERATOR) -> str:
        """Freezes *content* (JSON) as the review of the week that begins on the Monday *week*; gives its SHA-256.

        Noted in the audit log. LookupError when the week is closed already.
        """
        return self.database.write(
            lambda connection: reviews.REVIEWS.close(connection, week, content, by, at, role), durable=True
        )

    def reopen_review(self, week: date, by: str, reason: str, at: datetime, *, role: str = OPERATOR) -> None:
        """Opens a closed week again; what was frozen stays. Noted in the audit log. LookupError when it is open."""
        self.database.write(
            lambda connection: reviews.REVIEWS.reopen(connection, week, by, reason, at, role), durable=True
        )

    def add_review_note(self, note: ReviewNote, *, role: str = OPERATOR) -> int:
        """Adds a note or a decision to a week, open or closed; gives its number there. Noted in the audit log."""
        return self.database.write(lambda connection: reviews.add_note(connection, note, role), durable=True)

    def review_turns(self, week: date) -> list[ReviewTurn]:
        """Every closing and reopening of a week, oldest first, with what was frozen, byte by byte.

        Each closing is held against its SHA-256 and against the audit log.
        """
        return self.database.read(lambda connection: reviews.turns(connection, week))

    def review_notes(self, week: date) -> list[ReviewNote]:
        """The notes and decisions of a week, in the order they were written."""
        return self.database.read(lambda connection: reviews.notes(connection, week))

    def close_period(
        self, period: str, content: str, by: str, at: datetime, reason: str = "", *, role: str = OPERATOR
    ) -> str:
        """Freezes *content* (JSON) as the figures of a period («2026»); gives its SHA-256.

        Noted in the audit log. LookupError when the period is closed already.
        """
        return self.database.write(
            lambda connection: closings.CLOSINGS.close(connection, period, content, by, at, role, reason), durable=True
        )

    def reopen_period(self, period: str, by: str, reason: str, at: datetime, *, role: str = OPERATOR) -> None:
        """Opens a closed period again; what was frozen stays. Noted in the audit log. LookupError when it is open."""
        self.database.write(
            lambda connection: closings.CLOSINGS.reopen(connection, period, by, reason, at, role), durable=True
        )

    def closing_turns(self, period: str) -> list[ClosingTurn]:
        """Every closing and reopening of a period, oldest first, with what was frozen, byte by byte.

        Each closing is held against its SHA-256 and against the audit log.
        """
        return self.database.read(lambda connection: closings.turns(connection, period))

    def note_edits(self, edits: Sequence[Edit]) -> None:
        """Adds changes by hand to the audit log, those that no other verb notes by itself."""
        self.database.write(lambda connection: audit.write(connection, edits), durable=True)

    def audit(self, last: int | None = None, actions: Collection[str] | None = None) -> pd.DataFrame:
        """The audit log in order: all of it, or the newest *last* rows; with *actions* only these.

        Columns: number, at, by, role, action, subject, before, after (JSON; NA where nothing was), reason, previous,
        seal.
        """
        return self.database.read(lambda connection: audit.rows(connection, last, actions))

    def verify_audit(self) -> AuditState:
        """Whether every row of the audit log still fits the one before it. It cannot tell that the last rows were
        cut off: for that, compare the seal with one kept elsewhere."""
        return self.database.read(audit.verify)

    def tokens(self, vault: Vault) -> Tokens:
        """The secrets kept here, sealed and opened with *vault*."""
        return Tokens(self.database, vault)

    def token_states(self) -> list[TokenState]:
        """How every stored secret stands, by name; needs no key."""
        return self.database.read(token_states)

    def spend(self, bucket: str, resets_at: datetime, units: int) -> int:
        """Counts *units* of a daily allowance as used, and returns what all processes have used of it together.

        *resets_at* is the end of the allowance's day, and so its name.
        """
        return self.database.write(lambda connection: quota.spend(connection, bucket, resets_at, units))

    def spent(self, bucket: str, resets_at: datetime) -> int:
        """What all processes have used of a daily allowance."""
        return self.database.read(lambda connection: quota.spent(connection, bucket, resets_at))

    def open_cases(self, openings: Iterable[Opening], now: datetime) -> list[Case]:
        """Opens a case for each of *openings* whose rule and subject have none; the cases that are new, or nothing.

        All or none: facts that are no JSON (TypeError) refuse them all.
        """
        given, at = list(openings), whole(now)
        return self.database.write(lambda connection: cases.open_cases(connection, given, at))

    def turn_cases(self, turns: Iterable[Turn], now: datetime, *, role: str = OPERATOR) -> list[Case]:
        """Turns each case that still stands as its turn says, and gives these as they are now.

        One that has moved on or is resolved is left out. All of it or nothing. What was not turned by SYSTEM is
        noted in the audit log, as «alert.resolved» of «rule/subject», say.
        """
        given, at = list(turns), whole(now)
        return self.database.write(lambda connection: cases.turn_cases(connection, given, at, role), durable=True)

    def cases(self, *, open_only: bool = True, as_of: datetime | None = None) -> list[Case]:
        """The cases that are not resolved, else all of them; with *as_of*, as was known at that moment."""
        return self.database.read(lambda connection: cases.cases(connection, as_of, open_only=open_only))

    def resolved_cases(self, since: datetime) -> list[tuple[Case, Flip]]:
        """The cases that were resolved since then, each with the flip that says by whom and why."""
        return self.database.read(lambda connection: cases.resolved(connection, since))

    def case(self, number: int) -> Case | None:
        """One case as it stands; None when there is none with this number."""
        return self.database.read(lambda connection: cases.case(connection, number))

    def flips(self, case: int) -> list[Flip]:
        """All that ever happened to a case, oldest first."""
        return self.database.read(lambda connection: cases.flips(connection, case))

    def settled(self) -> dict[tuple[str, str], datetime]:
        """Of every rule and subject of which a person called a case resolved: when that was last."""
        return self.database.read(cases.settled)

    def enqueue(self, drafts: Sequence[Draft], turns: Iterable[Turn], now: datetime) -> list[str]:
        """Puts *drafts* into the outbox with what is told in them; the keys of those that went in.

        A draft is left out whole when its key was ever used, or a step of a case in it was told to its receiver
        already. Of *turns* those are made, in the same transaction, whose case is told in a draft that went in.
        ValueError for a draft without a way.
        """
        given, at = list(turns), whole(now)
        return self.database.write(
            lambda connection: outbox.enqueue(connection, drafts, given, at, OPERATOR), durable=True
        )

    def told(self, cases: Collection[int]) -> dict[tuple[int, str, str], datetime]:
        """What of these cases was ever put into the outbox (case, receiver and step), and when.

        A message that was given up counts: `outbox_state` says whom it did not reach.
        """
        return self.database.read(lambda connection: outbox.told_lines(connection, cases))

    def take_deliveries(self, owner: str, now: datetime, lease: timedelta, most: int) -> list[Delivery]:
        """Up to *most* messages that are due, oldest first; *owner* alone has them until *now* + *lease*.

        One whose lease ran out is `doubtful` from then on. A way that rests is passed over for the next one of the
        receiver; a message all of whose ways rest stays where it is.
        """
        at = whole(now)
        return self.database.write(lambda connection: outbox.take(connection, owner, at, lease, most), durable=True)

    def delivered(self, taken: Delivery, now: datetime) -> bool:
        """Notes that a message was accepted. Like all that follow: False, and nothing, when it is no longer his."""
        at = whole(now)
        return self.database.write(lambda connection: outbox.delivered(connection, taken, at), durable=True)

    def postponed(
        self, taken: Delivery, next_at: datetime, error: str, now: datetime, *, doubtful: bool = False
    ) -> bool:
        """Puts a message back until *next_at*; *doubtful* when it may have arrived all the same."""
        until, at = whole(next_at), whole(now)
        return self.database.write(
            lambda connection: outbox.postponed(connection, taken, until, error, at, doubtful=doubtful)
        )

    def next_way(self, taken: Delivery, error: str, now: datetime) -> bool:
        """Puts a message back for its next way, due at once. ValueError when it was the last one."""
        at = whole(now)
        return self.database.write(lambda connection: outbox.next_way(connection, taken, error, at))

    def give_up(self, taken: Delivery, error: str, now: datetime) -> bool:
        """Ends a message that cannot be sent. What it was to tell counts as told; `outbox_state` names the receiver."""
        at = whole(now)
        return self.database.write(lambda connection: outbox.give_up(connection, taken, error, at))

    def readdress(self, book: Mapping[str, Sequence[str]], gone: str, now: datetime) -> None:
        """Gives every message that waits the ways that its receiver has in *book* now: the first is tried, at once.

        One whose receiver is not there any more is given up, with *gone* as the reason.
        """
        at = whole(now)
        self.database.write(lambda connection: outbox.readdress(connection, book, gone, at))

    def rest_way(self, kind: str, until: datetime) -> None:
        """Uses no way of this kind («zalo») before *until*, in any process; a longer rest stays."""
        end = whole(until)
        self.database.write(lambda connection: outbox.rest_way(connection, kind, end))

    def deliveries(self, since: datetime) -> pd.DataFrame:
        """The messages put into the outbox since then, oldest first, without what they say.

        Columns: key, receiver, way (the kind of the one that was tried or is next: «email»), state, attempt,
        created_at, next_at (NaT when finished), finished_at, error (Vietnamese).
        """
        return self.database.read(lambda connection: outbox.deliveries(connection, since))

    def outbox_state(self, now: datetime) -> OutboxState:
        """How the outbox stands, in numbers."""
        return self.database.read(lambda connection: outbox.state(connection, now))

    def beat(self, name: str, now: datetime) -> None:
        """Notes that a loop of the program came round."""
        at = whole(now)
        self.database.write(lambda connection: beats.beat(connection, name, at))

    def changes(self) -> Changes:
        """Tells cheaply whether anything was written since it was last asked; close it before the store."""
        return Changes(self.database)

    def beats(self) -> dict[str, datetime]:
        """When each loop last came round, by name."""
        return self.database.read(beats.beats)
