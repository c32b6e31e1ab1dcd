"""The reviews of weeks, with their notes. Both are only ever added to: triggers refuse everything else."""

from alembic import op
import sqlalchemy as sa

revision = "0005"
down_revision = "0004"

KEYS = {"review": "turn", "review_note": "number"}


def upgrade() -> None:
    op.create_table(
        "review",
        sa.Column("week", sa.Date(), nullable=False),
        sa.Column("turn", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", sa.Text(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint("(content IS NULL) = (sha256 IS NULL)", name=op.f("ck_review_seal")),
        sa.CheckConstraint("(content IS NULL) = (turn % 2 = 0)", name=op.f("ck_review_order")),
        sa.PrimaryKeyConstraint("week", "turn", name=op.f("pk_review")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "review_note",
        sa.Column("week", sa.Date(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("due", sa.Date(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.CheckConstraint("(owner IS NULL) = (due IS NULL)", name=op.f("ck_review_note_decision")),
        sa.PrimaryKeyConstraint("week", "number", name=op.f("pk_review_note")),
        sqlite_with_rowid=False,
    )
    guard = _guard_sqlite if op.get_bind().dialect.name == "sqlite" else _guard_postgres
    for table in KEYS:
        guard(table)


def _guard_sqlite(table: str) -> None:
    """INSERT OR REPLACE deletes without asking the triggers for deletion."""
    key = KEYS[table]
    taken = f"EXISTS (SELECT 1 FROM {table} WHERE week = NEW.week AND {key} = NEW.{key})"
    refuse = f"BEGIN SELECT RAISE(ABORT, '{table} is only ever added to'); END"
    op.execute(f"CREATE TRIGGER {table}_keeps BEFORE UPDATE ON {table} {refuse}")
    op.execute(f"CREATE TRIGGER {table}_stays BEFORE DELETE ON {table} {refuse}")
    op.execute(f"CREATE TRIGGER {table}_grows BEFORE INSERT ON {table} WHEN {taken} {refuse}")


def _guard_postgres(table: str) -> None:
    op.execute(
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$"
        " BEGIN RAISE EXCEPTION '% is only ever added to', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_keeps BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
