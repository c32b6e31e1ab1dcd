"""What the check said of every target at a moment, only ever added to: triggers refuse everything else."""

from alembic import op
import sqlalchemy as sa

revision = "0004"
down_revision = "0003"

KEY = ("plan", "as_of", "target", "subject", "period_start", "period_end", "turn")


def upgrade() -> None:
    op.create_table(
        "progress",
        sa.Column("plan", sa.String(length=64), nullable=False),
        sa.Column("as_of", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("target", sa.String(length=16), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("period_start", sa.Date(), nullable=False),
        sa.Column("period_end", sa.Date(), nullable=False),
        sa.Column("turn", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("low", sa.Double(), nullable=True),
        sa.Column("high", sa.Double(), nullable=True),
        sa.Column("goal", sa.Double(), nullable=True),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("inputs", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.CheckConstraint("period_start < period_end", name=op.f("ck_progress_period")),
        sa.PrimaryKeyConstraint(*KEY, name=op.f("pk_progress")),
    )
    if op.get_bind().dialect.name == "sqlite":
        _guard_sqlite()
    else:
        op.execute(
            "CREATE TRIGGER progress_keeps BEFORE UPDATE OR DELETE OR TRUNCATE ON progress"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def _guard_sqlite() -> None:
    """INSERT OR REPLACE deletes without asking the triggers of SQLite for deletion."""
    refuse = "BEGIN SELECT RAISE(ABORT, 'progress is only ever added to'); END"
    taken = " AND ".join(f'"{name}" = NEW."{name}"' for name in KEY)
    exists = f"EXISTS (SELECT 1 FROM progress WHERE {taken})"
    op.execute(f"CREATE TRIGGER progress_keeps BEFORE UPDATE ON progress {refuse}")
    op.execute(f"CREATE TRIGGER progress_stays BEFORE DELETE ON progress {refuse}")
    op.execute(f"CREATE TRIGGER progress_grows BEFORE INSERT ON progress WHEN {exists} {refuse}")
