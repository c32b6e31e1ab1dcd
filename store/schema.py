"""The tables. Moments are integer epoch seconds, so that a snapshot costs few bytes and sorts by time."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Dialect,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)

HEAD = "0007"
"""The newest migration, and so the schema that this code speaks. Revisions sort by name."""

APPLICATION = "nhip-doan"
APPLICATION_ID = 0x4E484950
"""«NHIP» in the header of a SQLite file."""


def epoch(moment: datetime) -> int:
    """Whole seconds since 1970; a moment without a time zone is refused."""
    if moment.tzinfo is None:
        raise ValueError(f"a moment needs a time zone: {moment!r}")
    return int(moment.timestamp() // 1)


def moment_of(seconds: int) -> datetime:
    """The aware UTC moment of stored seconds."""
    return datetime.fromtimestamp(seconds, UTC)


def whole(moment: datetime) -> datetime:
    """A moment as it will be read back: UTC, whole seconds. One without a time zone is refused."""
    return moment_of(epoch(moment))


class Moment(TypeDecorator[datetime]):
    """An aware datetime outside, integer seconds since 1970 inside, UTC on the way back."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else epoch(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else moment_of(value)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

meta = Table(
    "meta",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)

unit = Table(
    "unit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("slug", String(64), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("kind", String(64), nullable=False),
    Column("start", Date, nullable=False),
    Column("until", Date),
    Column("closed_at", Moment),
)

channel = Table(
    "channel",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("slug", String(64), nullable=False, unique=True),
    Column("platform", String(32), nullable=False),
    Column("name", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("closed_at", Moment),
    Column("cursor", Text, nullable=False, server_default="{}"),
)

WAITS = "retry_at IS NOT NULL"

look = Table(
    "look",
    metadata,
    Column("channel_id", ForeignKey("channel.id"), primary_key=True),
    Column("slot", Moment, primary_key=True),
    Column("state", String(16), nullable=False),
    Column("attempt", SmallInteger, nullable=False),
    Column("owner", Text),
    Column("lease_until", Moment),
    Column("started_at", Moment),
    Column("finished_at", Moment),
    Column("outcome", String(16)),
    Column("error", Text),
    Column("retry_at", Moment),
    Column("complete", Boolean),
    Column("coverage_from", Moment),
    Column("snapshots", Integer, nullable=False, server_default="0"),
    Column("posts", Integer, nullable=False, server_default="0"),
    Column("notes", Text),
    Column("requests", Integer, nullable=False, server_default="0"),
    Column("received_bytes", BigInteger, nullable=False, server_default="0"),
    CheckConstraint("state IN ('running', 'done', 'failed', 'missed')", name="state"),
    CheckConstraint("(state = 'running') = (lease_until IS NOT NULL)", name="lease"),
    CheckConstraint("state = 'done' OR (snapshots = 0 AND posts = 0)", name="rows"),
    Index(None, "channel_id", "started_at"),
    Index(None, "retry_at", sqlite_where=text(WAITS), postgresql_where=text(WAITS)),
    sqlite_with_rowid=False,
)

COUNTS = ("followers", "likes", "posts", "views")
"""The metrics of a snapshot."""

snapshot = Table(
    "snapshot",
    metadata,
    Column("channel_id", ForeignKey("channel.id"), primary_key=True),
    Column("observed_at", Moment, primary_key=True),
    Column("source", SmallInteger, primary_key=True),
    *(Column(count, BigInteger) for count in COUNTS),
    Column("precision", SmallInteger, nullable=False),
    Column("suspect", SmallInteger, nullable=False, server_default="0"),
    *(CheckConstraint(f"{count} >= 0", name=count) for count in COUNTS),
    sqlite_with_rowid=False,
)

post = Table(
    "post",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("channel_id", ForeignKey("channel.id"), nullable=False),
    Column("platform_id", Text, nullable=False),
    Column("published_at", Moment, nullable=False),
    Column("date_source", String(16), nullable=False),
    Column("date_confidence", String(8), nullable=False),
    Column("title", Text, nullable=False),
    Column("excerpt", Text, nullable=False),
    Column("link", Text, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("is_share", Boolean, nullable=False),
    Column("categories", Text, nullable=False),
    Column("first_seen_at", Moment, nullable=False),
    Column("missing_since", Moment),
    Column("gone_at", Moment),
    Column("rules", String(64), index=True),
    UniqueConstraint("channel_id", "platform_id"),
    Index(None, "channel_id", "published_at"),
)

POST_COUNTS = ("reactions", "comments", "shares", "views")
"""The metrics of a post."""

post_count = Table(
    "post_count",
    metadata,
    Column("post_id", ForeignKey("post.id"), primary_key=True),
    Column("observed_at", Moment, primary_key=True),
    *(Column(count, BigInteger) for count in POST_COUNTS),
    *(CheckConstraint(f"{count} >= 0", name=count) for count in POST_COUNTS),
    sqlite_with_rowid=False,
)

post_label = Table(
    "post_label",
    metadata,
    Column("post_id", ForeignKey("post.id"), primary_key=True),
    Column("label", String(64), primary_key=True),
    Column("evidence", String(16), primary_key=True),
    Column("turn", Integer, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("detail", Text, nullable=False),
    Column("upheld", Boolean, nullable=False),
    sqlite_with_rowid=False,
)

secret = Table(
    "secret",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("ciphertext", Text, nullable=False),
    Column("previous", Text),
    Column("key_id", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("version", Integer, nullable=False),
    Column("access_expires_at", Moment),
    Column("refresh_expires_at", Moment),
    Column("checked_at", Moment),
    Column("checked_until", Moment),
    Column("scopes", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("refreshed_at", Moment, nullable=False),
    Column("holder", Text),
    Column("held_until", Moment),
    CheckConstraint("state IN ('live', 'needs_consent')", name="state"),
    CheckConstraint("(holder IS NULL) = (held_until IS NULL)", name="hold"),
)

quota = Table(
    "quota",
    metadata,
    Column("bucket", String(64), primary_key=True),
    Column("resets_at", Moment, primary_key=True),
    Column("used", BigInteger, nullable=False),
    CheckConstraint("used >= 0", name="used"),
    sqlite_with_rowid=False,
)

verdict = Table(
    "verdict",
    metadata,
    Column("channel_id", ForeignKey("channel.id"), primary_key=True),
    Column("observed_at", Moment, primary_key=True),
    Column("source", SmallInteger, primary_key=True),
    Column("turn", Integer, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("accepted", Boolean, nullable=False),
    sqlite_with_rowid=False,
)

NUMBERS = ("value", "numerator", "denominator")
"""What a reported figure says: a count, or a share."""

reported_figure = Table(
    "reported_figure",
    metadata,
    Column("unit_id", ForeignKey("unit.id"), primary_key=True),
    Column("measure", String(64), primary_key=True),
    Column("period_start", Date, primary_key=True),
    Column("period_end", Date, primary_key=True),
    Column("turn", Integer, primary_key=True, autoincrement=False),
    *(Column(number, BigInteger) for number in NUMBERS),
    Column("source_note", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("approved_by", Text),
    Column("approved_at", Moment),
    CheckConstraint("period_start < period_end", name="period"),
    CheckConstraint("value >= 0", name="value"),
    CheckConstraint("numerator >= 0 AND numerator <= denominator", name="share"),
    CheckConstraint("(value IS NULL) = (numerator IS NOT NULL)", name="kind"),
    CheckConstraint("(numerator IS NULL) = (denominator IS NULL)", name="whole"),
    CheckConstraint("(approved_by IS NULL) = (approved_at IS NULL)", name="approval"),
    sqlite_with_rowid=False,
)

audit = Table(
    "audit",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("by", Text, nullable=False),
    Column("role", String(32), nullable=False),
    Column("action", String(32), nullable=False),
    Column("subject", Text, nullable=False),
    Column("before", Text),
    Column("after", Text),
    Column("reason", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("seal", String(64), nullable=False),
)

progress = Table(
    "progress",
    metadata,
    Column("plan", String(64), primary_key=True),
    Column("as_of", Moment, primary_key=True, autoincrement=False),
    Column("target", String(16), primary_key=True),
    Column("subject", String(64), primary_key=True),
    Column("period_start", Date, primary_key=True),
    Column("period_end", Date, primary_key=True),
    Column("turn", Integer, primary_key=True, autoincrement=False),
    Column("status", String(16), nullable=False),
    *(Column(name, Double) for name in ("low", "high", "goal")),
    Column("sentence", Text, nullable=False),
    Column("facts", Text, nullable=False),
    Column("inputs", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    CheckConstraint("period_start < period_end", name="period"),
)

review = Table(
    "review",
    metadata,
    Column("week", Date, primary_key=True),
    Column("turn", Integer, primary_key=True, autoincrement=False),
    Column("content", Text),
    Column("sha256", String(64)),
    Column("at", Moment, nullable=False),
    Column("by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    CheckConstraint("(content IS NULL) = (sha256 IS NULL)", name="seal"),
    CheckConstraint("(content IS NULL) = (turn % 2 = 0)", name="order"),
    sqlite_with_rowid=False,
)

review_note = Table(
    "review_note",
    metadata,
    Column("week", Date, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("text", Text, nullable=False),
    Column("owner", Text),
    Column("due", Date),
    Column("at", Moment, nullable=False),
    Column("by", Text, nullable=False),
    CheckConstraint("(owner IS NULL) = (due IS NULL)", name="decision"),
    sqlite_with_rowid=False,
)

closing = Table(
    "closing",
    metadata,
    Column("period", String(32), primary_key=True),
    Column("turn", Integer, primary_key=True, autoincrement=False),
    Column("content", Text),
    Column("sha256", String(64)),
    Column("at", Moment, nullable=False),
    Column("by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    CheckConstraint("(content IS NULL) = (sha256 IS NULL)", name="seal"),
    CheckConstraint("(content IS NULL) = (turn % 2 = 0)", name="order"),
    sqlite_with_rowid=False,
)

UNRESOLVED = "state <> 'resolved'"

alert_case = Table(
    "alert_case",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("rule", String(32), nullable=False),
    Column("subject", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("since", Moment, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column("snoozed_until", Moment),
    Column("facts", Text, nullable=False),
    Column("turn", Integer, nullable=False),
    CheckConstraint("state IN ('new', 'open', 'acknowledged', 'snoozed', 'resolved')", name="state"),
    CheckConstraint("(state = 'snoozed') = (snoozed_until IS NOT NULL)", name="snooze"),
    CheckConstraint("(state = 'new') = (turn = 1)", name="turn"),
    Index(None, "rule", "subject", unique=True, sqlite_where=text(UNRESOLVED), postgresql_where=text(UNRESOLVED)),
)

flip = Table(
    "flip",
    metadata,
    Column("case_id", ForeignKey("alert_case.id"), primary_key=True),
    Column("turn", Integer, primary_key=True, autoincrement=False),
    Column("before", String(16)),
    Column("after", String(16), nullable=False),
    Column("at", Moment, nullable=False),
    Column("noted_at", Moment, nullable=False),
    Column("by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("snoozed_until", Moment),
    CheckConstraint("(before IS NULL) = (turn = 1)", name="first"),
    CheckConstraint("(after = 'snoozed') = (snoozed_until IS NOT NULL)", name="snooze"),
    sqlite_with_rowid=False,
)

UNFINISHED = "next_at IS NOT NULL"

delivery = Table(
    "delivery",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(200), nullable=False, unique=True),
    Column("receiver", String(64), nullable=False),
    Column("ways", Text, nullable=False),
    Column("way", SmallInteger, nullable=False, server_default="0"),
    Column("subject", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("html", Text, nullable=False),
    Column("state", String(16), nullable=False, server_default="waiting"),
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("doubtful", Boolean, nullable=False, server_default="0"),
    Column("next_at", Moment),
    Column("owner", Text),
    Column("created_at", Moment, nullable=False),
    Column("finished_at", Moment),
    Column("error", Text),
    CheckConstraint("state IN ('waiting', 'sending', 'sent', 'failed')", name="state"),
    CheckConstraint("(state = 'sending') = (owner IS NOT NULL)", name="owner"),
    CheckConstraint("(state IN ('sent', 'failed')) = (finished_at IS NOT NULL)", name="end"),
    CheckConstraint("(next_at IS NULL) = (finished_at IS NOT NULL)", name="next"),
    Index(None, "next_at", sqlite_where=text(UNFINISHED), postgresql_where=text(UNFINISHED)),
)

told = Table(
    "told",
    metadata,
    Column("case_id", ForeignKey("alert_case.id"), primary_key=True),
    Column("receiver", String(64), primary_key=True),
    Column("step", String(64), primary_key=True),
    Column("delivery_id", ForeignKey("delivery.id"), nullable=False, index=True),
    sqlite_with_rowid=False,
)

way_rest = Table(
    "way_rest",
    metadata,
    Column("kind", String(32), primary_key=True),
    Column("until", Moment, nullable=False),
)

beat = Table(
    "beat",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("at", Moment, nullable=False),
)
