"""Figures that units report, and the audit log. Both are only ever added to: triggers refuse everything else."""

from alembic import op
import sqlalchemy as sa

revision = "0003"
down_revision = "0002"

TAKEN = {
    "reported_figure": "EXISTS (SELECT 1 FROM reported_figure WHERE unit_id = NEW.unit_id AND measure = NEW.measure"
    " AND period_start = NEW.period_start AND period_end = NEW.period_end AND turn = NEW.turn)",
    "audit": "EXISTS (SELECT 1 FROM audit WHERE number = NEW.number)",
}
"""INSERT OR REPLACE deletes without asking the triggers of SQLite for deletion."""


def upgrade() -> None:
    op.create_table(
        "reported_figure",
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("measure", sa.String(length=64), nullable=False),
        sa.Column("period_start", sa.Date(), nullable=False),
        sa.Column("period_end", sa.Date(), nullable=False),
        sa.Column("turn", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=True),
        sa.Column("numerator", sa.BigInteger(), nullable=True),
        sa.Column("denominator", sa.BigInteger(), nullable=True),
        sa.Column("source_note", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=True),
        sa.Column("approved_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("period_start < period_end", name=op.f("ck_reported_figure_period")),
        sa.CheckConstraint("value >= 0", name=op.f("ck_reported_figure_value")),
        sa.CheckConstraint("numerator >= 0 AND numerator <= denominator", name=op.f("ck_reported_figure_share")),
        sa.CheckConstraint("(value IS NULL) = (numerator IS NOT NULL)", name=op.f("ck_reported_figure_kind")),
        sa.CheckConstraint("(numerator IS NULL) = (denominator IS NULL)", name=op.f("ck_reported_figure_whole")),
        sa.CheckConstraint("(approved_by IS NULL) = (approved_at IS NULL)", name=op.f("ck_reported_figure_approval")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_reported_figure_unit_id")),
        sa.PrimaryKeyConstraint(
            "unit_id", "measure", "period_start", "period_end", "turn", name=op.f("pk_reported_figure")
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "audit",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("seal", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit")),
    )
    guard = _guard_sqlite if op.get_bind().dialect.name == "sqlite" else _guard_postgres
    for table in ("reported_figure", "audit"):
        guard(table)


def _guard_sqlite(table: str) -> None:
    refuse = f"BEGIN SELECT RAISE(ABORT, '{table} is only ever added to'); END"
    op.execute(f"CREATE TRIGGER {table}_keeps BEFORE UPDATE ON {table} {refuse}")
    op.execute(f"CREATE TRIGGER {table}_stays BEFORE DELETE ON {table} {refuse}")
    op.execute(f"CREATE TRIGGER {table}_grows BEFORE INSERT ON {table} WHEN {TAKEN[table]} {refuse}")


def _guard_postgres(table: str) -> None:
    op.execute(
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$"
        " BEGIN RAISE EXCEPTION '% is only ever added to', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_keeps BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
