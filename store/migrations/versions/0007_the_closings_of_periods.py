"""The closings of periods, only ever added to: triggers refuse everything else."""

from alembic import op
import sqlalchemy as sa

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "closing",
        sa.Column("period", sa.String(length=32), nullable=False),
        sa.Column("turn", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", sa.Text(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint("(content IS NULL) = (sha256 IS NULL)", name=op.f("ck_closing_seal")),
        sa.CheckConstraint("(content IS NULL) = (turn % 2 = 0)", name=op.f("ck_closing_order")),
        sa.PrimaryKeyConstraint("period", "turn", name=op.f("pk_closing")),
        sqlite_with_rowid=False,
    )
    if op.get_bind().dialect.name == "sqlite":
        _guard_sqlite()
    else:
        _guard_postgres()


def _guard_sqlite() -> None:
    """INSERT OR REPLACE deletes without asking the triggers for deletion."""
    taken = "EXISTS (SELECT 1 FROM closing WHERE period = NEW.period AND turn = NEW.turn)"
    refuse = "BEGIN SELECT RAISE(ABORT, 'closing is only ever added to'); END"
    op.execute(f"CREATE TRIGGER closing_keeps BEFORE UPDATE ON closing {refuse}")
    op.execute(f"CREATE TRIGGER closing_stays BEFORE DELETE ON closing {refuse}")
    op.execute(f"CREATE TRIGGER closing_grows BEFORE INSERT ON closing WHEN {taken} {refuse}")


def _guard_postgres() -> None:
    """With the function that guards the reviews."""
    op.execute(
        "CREATE TRIGGER closing_keeps BEFORE UPDATE OR DELETE OR TRUNCATE ON closing"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
