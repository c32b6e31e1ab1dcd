"""The frozen facts that travel between collectors, store and metrics.

Moments are timezone-aware datetimes in UTC. A count that could not be read is None, never 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Any

from config.secrets import Secret

EVER = datetime(1970, 1, 1, tzinfo=UTC)
"""`coverage_from` of a reading that saw everything its source ever published."""


class Source(IntEnum):
    """Where a snapshot comes from. Stored as a number: never renumber.

    The order is the precedence, here and nowhere else: of two snapshots of one channel on one day, the one with
    the higher source counts.
    """

    SITE = 1  # a unit's own website
    SHEET = 2  # the plain template that a person filled in
    FACEBOOK_EXPORT = 10  # a file from Meta Business Suite
    FACEBOOK_INSIGHTS = 11  # Graph API, daily `page_follows`; a day ends at midnight in California
    FACEBOOK_PAGE = 12  # Graph API, the Page's own fields at the moment of the look
    TIKTOK_DISPLAY = 20  # Display API, at the moment of the look
    TIKTOK_BUSINESS = 21  # Business Accounts API, daily, UTC days
    TIKTOK_STUDIO = 22  # a file from TikTok Studio
    YOUTUBE_ANALYTICS = 30  # rebuilt from daily gains and losses with the owner's consent
    YOUTUBE_KEY = 31  # Data API with a plain key
    YOUTUBE_OWNER = 32  # Data API with the owner's consent
    YOUTUBE_STUDIO = 33  # a file from YouTube Studio, or the number shown there
    ZALO_OA = 40  # Official Account API


KEPT_FOR: Mapping[Source, timedelta] = {Source.YOUTUBE_KEY: timedelta(days=30)}
"""How long a source may be kept where its terms limit that (facts: YouTube, storage policy); all others live on."""
KEYED_PLATFORM = "youtube"
"""The one platform whose channels may be read with a plain key, without their owner: `KEPT_FOR` is about these."""


class Precision(IntEnum):
    """How exactly a count is known. Stored as a number: append only, never renumber."""

    EXACT = 0
    FLOOR3 = 1  # cut down to three significant digits
    REPORTED = 2  # a person says so
    ROUNDED = 3  # shown as «1,2K», two digits or more: the true count is within 5 % of it


class DateSource(StrEnum):
    """How the publishing moment of a post is known."""

    API = "api"
    FEED = "feed"
    SITEMAP = "sitemap"
    JSONLD = "jsonld"
    MICRODATA = "microdata"
    OPEN_GRAPH = "og"
    TIME_TAG = "time-tag"
    TEXT = "text"
    URL = "url"
    FIRST_SEEN = "first-seen"


class Confidence(StrEnum):
    """How surely the publishing moment is known."""

    EXACT = "exact"  # to the minute or better
    HOUR = "hour"  # the minutes cannot be trusted
    DAY = "day"  # a printed date without a time: local midnight stands for it
    LOW = "low"  # a guess: a modification date, or the moment we first saw it


class FailureKind(StrEnum):
    """What went wrong with a look, by what a person or the schedule should do about it."""

    AUTH = "auth"
    PERMISSION = "permission"
    QUOTA = "quota"
    THROTTLED = "throttled"
    GONE = "gone"
    BLOCKED = "blocked"
    DRIFT = "drift"
    NETWORK = "network"
    STORAGE = "storage"


class Evidence(StrEnum):
    """Why a post carries a label."""

    HASHTAG = "hashtag"
    PHRASE = "phrase"
    CATEGORY = "category"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Slot:
    """One scheduled moment at which one channel is to be looked at: the unit of work of the ledger."""

    channel: str
    moment: datetime


@dataclass(frozen=True, slots=True)
class TakenSlot:
    """A slot this worker holds until `lease_until`, with what is already known about its channel."""

    slot: Slot
    owner: str
    attempt: int
    lease_until: datetime
    cursor: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The counts of one channel at one moment; each may be missing (None)."""

    observed_at: datetime
    source: Source
    followers: int | None = None
    likes: int | None = None
    posts: int | None = None
    views: int | None = None
    precision: Precision = Precision.EXACT


@dataclass(frozen=True, slots=True)
class Counts:
    """The counts of one post at one moment; each may be missing (None)."""

    reactions: int | None = None
    comments: int | None = None
    shares: int | None = None
    views: int | None = None


@dataclass(frozen=True, slots=True)
class Post:
    """One published item of an organisation. Texts are NFC and capped; there is no author and no body."""

    platform_id: str
    title: str
    link: str
    published_at: datetime | None
    """None when the source shows no date: the store then takes the moment it first saw the post."""
    date_source: DateSource
    date_confidence: Confidence
    excerpt: str = ""
    kind: str = "article"
    is_share: bool = False
    categories: tuple[str, ...] = ()
    counts: Counts | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What one successful look brought back.

    `coverage_from`: every post published from this moment up to the look is in `posts` (or was known
    unchanged); None when the source cannot promise that. `complete`: the look read all it set out to read.
    `unchanged`: the source said that nothing is new since the last look, so `posts` is empty by design.
    """

    snapshots: tuple[Snapshot, ...] = ()
    posts: tuple[Post, ...] = ()
    coverage_from: datetime | None = None
    complete: bool = True
    unchanged: bool = False
    notes: tuple[str, ...] = ()
    cursor: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a look brought nothing back. `sentence` is Vietnamese, for people, and holds no secret."""

    kind: FailureKind
    sentence: str
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LookResult:
    """The end of one look: what the ledger records, whichever way it went."""

    taken: TakenSlot
    started_at: datetime
    finished_at: datetime
    outcome: Reading | Failure
    requests: int = 0
    received_bytes: int = 0


@dataclass(frozen=True, slots=True)
class StoredText:
    """What a stored post says, for the label rules to judge."""

    id: int
    channel: str
    title: str
    excerpt: str
    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PostLabel:
    """One label on one stored post, with its evidence. `detail` is the text that matched, or who confirmed.

    `upheld` is False only when a person says that the post does not deserve the label.
    """

    post_id: int
    label: str
    evidence: Evidence
    detail: str
    at: datetime
    upheld: bool = True


@dataclass(frozen=True, slots=True)
class Verdict:
    """A person's word on one suspect snapshot: whether its counts are true, said by which office and why."""

    channel: str
    observed_at: datetime
    source: Source
    accepted: bool
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Figure:
    """What an office reports about one unit: a count (`value`), or a part (`numerator`) of a whole (`denominator`).

    The period is made of local days, `[period_start, period_end)`. `by` is an office, never a person.
    """

    unit: str
    measure: str
    period_start: date
    period_end: date
    by: str
    at: datetime
    source_note: str
    value: int | None = None
    numerator: int | None = None
    denominator: int | None = None
    evidence: str = ""
    """A link to the paper behind the number; empty when there is none."""

    @property
    def numbers(self) -> dict[str, int | None]:
        return {"value": self.value, "numerator": self.numerator, "denominator": self.denominator}


@dataclass(frozen=True, slots=True)
class Approval:
    """An office's word that version `turn` of a reported figure holds; a later version needs another one."""

    unit: str
    measure: str
    period_start: date
    period_end: date
    turn: int
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Edit:
    """One change by hand, for the audit log. `by` is an office; `before` and `after` are None where nothing was."""

    at: datetime
    by: str
    role: str
    action: str
    subject: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    reason: str


@dataclass(frozen=True, slots=True)
class AuditState:
    """What became of the audit log: how many rows hold together, and the seal of the last one (to keep elsewhere).

    `broken_at` is the first row that does not fit the one before it; None when all do.
    """

    rows: int
    seal: str
    broken_at: int | None


@dataclass(frozen=True, slots=True)
class ReviewNote:
    """What an office wrote down about a week; with `owner` (an office) and `due` (a local day) it is a decision.

    `week` is the Monday of the week. `by` is an office, never a person.
    """

    week: date
    text: str
    by: str
    at: datetime
    owner: str | None = None
    due: date | None = None


@dataclass(frozen=True, slots=True)
class ReviewTurn:
    """One closing of a week's review (turns 1, 3, …), or one reopening (turns 2, 4, …: `content` is None).

    `content` is the frozen JSON as it was closed. `is_intact` is False when it, or what stands beside it, is no
    longer what was sealed then.
    """

    week: date
    turn: int
    content: str | None
    sha256: str | None
    at: datetime
    by: str
    reason: str
    is_intact: bool


@dataclass(frozen=True, slots=True)
class ClosingTurn:
    """One closing of a period («2026»), or one reopening; like `ReviewTurn`."""

    period: str
    turn: int
    content: str | None
    sha256: str | None
    at: datetime
    by: str
    reason: str
    is_intact: bool


@dataclass(frozen=True, slots=True)
class TokenSet:
    """What a platform gave for one grant. Moments are UTC; None where the platform names no end."""

    access: Secret
    refresh: Secret | None = None
    access_expires_at: datetime | None = None
    refresh_expires_at: datetime | None = None
    scopes: tuple[str, ...] = ()
    """What the owner really ticked; empty when the platform does not say."""
    account: str = ""


@dataclass(frozen=True, slots=True)
class TokenState:
    """How a stored secret stands; holds nothing secret. `version` counts the token sets kept under this name."""

    name: str
    version: int
    needs_consent: bool
    """The platform refuses it: a person has to consent again."""
    access_expires_at: datetime | None
    refresh_expires_at: datetime | None
    checked_at: datetime | None
    """When the platform was last asked about it."""
    checked_until: datetime | None
    """The end that the platform then named; None when it named none."""
    scopes: tuple[str, ...]
    account: str
    refreshed_at: datetime
    key_id: str
    """Which key it is encrypted with."""


@dataclass(frozen=True, slots=True)
class StoredTokens:
    state: TokenState
    tokens: TokenSet


@dataclass(frozen=True, slots=True)
class Hold:
    """The right to renew version `version` of a token until `until`, against all other processes."""

    name: str
    version: int
    owner: str
    until: datetime
    doubtful: bool
    """An earlier holder never came back: it may have used the refresh token already."""


@dataclass(frozen=True)
class Said:
    """What the check said of one subject of a target for a period, as known at a moment.

    subject is a channel, a unit, the day a duty is due, or "" for the target as a whole. low, high and goal are
    ratios. facts are all figures of the judgement, inputs what it was reckoned from, both plain JSON values; digest
    is over the inputs and what was measured, and so the same wherever the answer must be.
    """

    plan: str
    target: str
    subject: str
    period_start: date
    period_end: date
    as_of: datetime
    status: str
    low: float | None
    high: float | None
    goal: float | None
    sentence: str
    facts: Mapping[str, Any]
    inputs: Sequence[Mapping[str, Any]]
    digest: str
    turn: int = 1
    """The how-manieth answer for the same moment: above 1 the inputs have changed since."""


@dataclass(frozen=True, slots=True)
class Week:
    """The local days `[start, end)` of a week, and the moments at which they begin and end."""

    start: date
    end: date
    start_at: datetime
    end_at: datetime


class CaseState(StrEnum):
    """How one open alert stands. RESOLVED is the end: what comes after is a new case."""

    NEW = "new"  # noticed, and nobody was told yet
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"  # somebody looks after it: no more messages until it is over
    SNOOZED = "snoozed"
    RESOLVED = "resolved"


SYSTEM = "hệ thống"
"""Who turns a case when no person does."""


@dataclass(frozen=True, slots=True)
class Opening:
    """A case to open, unless one with the same rule and subject is open already."""

    rule: str
    subject: str
    since: datetime
    """The deadline that passed: since when it is so, whatever the moment at which we noticed."""
    facts: Mapping[str, Any]
    """What was known at that moment; plain JSON values, no person."""


@dataclass(frozen=True, slots=True)
class Case:
    """One alert about one subject; at most one that is not resolved for each rule and subject."""

    id: int
    rule: str
    subject: str
    state: CaseState
    since: datetime
    opened_at: datetime
    """When it was noted here; `since` is when it began."""
    changed_at: datetime
    """When its newest flip was noted."""
    snoozed_until: datetime | None
    facts: Mapping[str, Any]
    """As of the opening."""
    turn: int
    """The number of its newest flip: whoever turns the case has to name it."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A change of the state of a case that stood at `turn`; nothing happens when it has moved on since."""

    case: int
    turn: int
    after: CaseState
    at: datetime
    """The moment it is about: a deadline, the first post after a silence, a person's word."""
    reason: str
    by: str = SYSTEM
    """A role, never a person."""
    snoozed_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Flip:
    """A stored change of the state of a case; `before` is None for its opening."""

    case: int
    turn: int
    before: CaseState | None
    after: CaseState
    at: datetime
    noted_at: datetime
    by: str
    reason: str
    snoozed_until: datetime | None


class DeliveryState(StrEnum):
    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"  # given up; what it was to tell counts as told, and the team hears whom it did not reach


@dataclass(frozen=True, slots=True)
class Draft:
    """A message to put into the outbox: one to one receiver, at most one with this key ever."""

    key: str
    """«digest/truyen-thong/2026-11-20»: what the message is, told to the receiver too."""
    receiver: str
    ways: tuple[str, ...]
    """«zalo:123», «email:a@b»: the first is tried first, the next when it refuses."""
    subject: str
    text: str
    html: str
    items: tuple[tuple[int, str], ...] = ()
    """Case and step told in it. A step of a case is told to a receiver once."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message of the outbox, taken by one worker."""

    id: int
    key: str
    receiver: str
    ways: tuple[str, ...]
    way: int
    """Which of `ways` is to be tried."""
    subject: str
    text: str
    html: str
    attempt: int
    doubtful: bool
    """An earlier attempt never said how it ended: the receiver may have this message already."""
    owner: str
    lease_until: datetime
    created_at: datetime
    """When it was put into the outbox."""


@dataclass(frozen=True, slots=True)
class OutboxState:
    """How many messages wait (of these, how many for more than an hour) and were given up in the last seven days."""

    waiting: int
    overdue: int
    failed: int
    resting: Mapping[str, datetime]
    """The kinds of ways that take nothing until a moment."""
    unsent: Mapping[str, datetime] = field(default_factory=dict)
    """The receivers whose messages were given up in the last seven days, and when the newest was."""
