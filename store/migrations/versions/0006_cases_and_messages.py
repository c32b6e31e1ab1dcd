"""Cases with their flips, the outbox with what was told in it, and beats. Flips are only ever added to."""

from alembic import op
import sqlalchemy as sa

revision = "0006"
down_revision = "0005"

UNRESOLVED = sa.text("state <> 'resolved'")
UNFINISHED = sa.text("next_at IS NOT NULL")


def upgrade() -> None:
    _create_cases()
    _create_outbox()
    op.create_table(
        "beat",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_beat")),
    )
    guard = _guard_sqlite if op.get_bind().dialect.name == "sqlite" else _guard_postgres
    guard()


def _create_cases() -> None:
    op.create_table(
        "alert_case",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("rule", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("snoozed_until", sa.BigInteger(), nullable=True),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state IN ('new', 'open', 'acknowledged', 'snoozed', 'resolved')", name=op.f("ck_alert_case_state")
        ),
        sa.CheckConstraint("(state = 'snoozed') = (snoozed_until IS NOT NULL)", name=op.f("ck_alert_case_snooze")),
        sa.CheckConstraint("(state = 'new') = (turn = 1)", name=op.f("ck_alert_case_turn")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_case")),
    )
    op.create_index(
        op.f("ix_alert_case_rule_subject"),
        "alert_case",
        ["rule", "subject"],
        unique=True,
        sqlite_where=UNRESOLVED,
        postgresql_where=UNRESOLVED,
    )
    op.create_table(
        "flip",
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("turn", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("before", sa.String(length=16), nullable=True),
        sa.Column("after", sa.String(length=16), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("noted_at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("snoozed_until", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("(before IS NULL) = (turn = 1)", name=op.f("ck_flip_first")),
        sa.CheckConstraint("(after = 'snoozed') = (snoozed_until IS NOT NULL)", name=op.f("ck_flip_snooze")),
        sa.ForeignKeyConstraint(["case_id"], ["alert_case.id"], name=op.f("fk_flip_case_id")),
        sa.PrimaryKeyConstraint("case_id", "turn", name=op.f("pk_flip")),
        sqlite_with_rowid=False,
    )


def _create_outbox() -> None:
    op.create_table(
        "delivery",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("receiver", sa.String(length=64), nullable=False),
        sa.Column("ways", sa.Text(), nullable=False),
        sa.Column("way", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), server_default="waiting", nullable=False),
        sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
        sa.Column("doubtful", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.CheckConstraint("state IN ('waiting', 'sending', 'sent', 'failed')", name=op.f("ck_delivery_state")),
        sa.CheckConstraint("(state = 'sending') = (owner IS NOT NULL)", name=op.f("ck_delivery_owner")),
        sa.CheckConstraint(
            "(state IN ('sent', 'failed')) = (finished_at IS NOT NULL)", name=op.f("ck_delivery_end")
        ),
        sa.CheckConstraint("(next_at IS NULL) = (finished_at IS NOT NULL)", name=op.f("ck_delivery_next")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint("key", name=op.f("uq_delivery_key")),
    )
    op.create_index(
        op.f("ix_delivery_next_at"),
        "delivery",
        ["next_at"],
        sqlite_where=UNFINISHED,
        postgresql_where=UNFINISHED,
    )
    op.create_table(
        "told",
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("receiver", sa.String(length=64), nullable=False),
        sa.Column("step", sa.String(length=64), nullable=False),
        sa.Column("delivery_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["alert_case.id"], name=op.f("fk_told_case_id")),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"], name=op.f("fk_told_delivery_id")),
        sa.PrimaryKeyConstraint("case_id", "receiver", "step", name=op.f("pk_told")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_told_delivery_id"), "told", ["delivery_id"])
    op.create_table(
        "way_rest",
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_way_rest")),
    )


def _guard_sqlite() -> None:
    """INSERT OR REPLACE deletes without asking the triggers for deletion."""
    taken = "EXISTS (SELECT 1 FROM flip WHERE case_id = NEW.case_id AND turn = NEW.turn)"
    refuse = "BEGIN SELECT RAISE(ABORT, 'flip is only ever added to'); END"
    op.execute(f"CREATE TRIGGER flip_keeps BEFORE UPDATE ON flip {refuse}")
    op.execute(f"CREATE TRIGGER flip_stays BEFORE DELETE ON flip {refuse}")
    op.execute(f"CREATE TRIGGER flip_grows BEFORE INSERT ON flip WHEN {taken} {refuse}")


def _guard_postgres() -> None:
    op.execute(
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$"
        " BEGIN RAISE EXCEPTION '% is only ever added to', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END $$"
    )
    op.execute(
        "CREATE TRIGGER flip_keeps BEFORE UPDATE OR DELETE OR TRUNCATE ON flip"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
