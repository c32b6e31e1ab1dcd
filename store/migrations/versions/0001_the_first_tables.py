"""The first tables. Moments are whole seconds since 1970."""

from alembic import op
import sqlalchemy as sa

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "channel",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(length=64), nullable=False),
        sa.Column("platform", sa.String(length=32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("cursor", sa.Text(), server_default="{}", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel")),
        sa.UniqueConstraint("slug", name=op.f("uq_channel_slug")),
    )
    op.create_table(
        "meta",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_meta")),
    )
    op.create_table(
        "unit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unit")),
        sa.UniqueConstraint("slug", name=op.f("uq_unit_slug")),
    )
    op.create_table(
        "look",
        sa.Column("channel_id", sa.Integer(), nullable=False),
        sa.Column("slot", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempt", sa.SmallInteger(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("retry_at", sa.BigInteger(), nullable=True),
        sa.Column("complete", sa.Boolean(), nullable=True),
        sa.Column("coverage_from", sa.BigInteger(), nullable=True),
        sa.Column("snapshots", sa.Integer(), server_default="0", nullable=False),
        sa.Column("posts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("requests", sa.Integer(), server_default="0", nullable=False),
        sa.Column("received_bytes", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint("(state = 'running') = (lease_until IS NOT NULL)", name=op.f("ck_look_lease")),
        sa.CheckConstraint("state = 'done' OR (snapshots = 0 AND posts = 0)", name=op.f("ck_look_rows")),
        sa.CheckConstraint("state IN ('running', 'done', 'failed', 'missed')", name=op.f("ck_look_state")),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name=op.f("fk_look_channel_id")),
        sa.PrimaryKeyConstraint("channel_id", "slot", name=op.f("pk_look")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_look_channel_id_started_at"), "look", ["channel_id", "started_at"], unique=False)
    op.create_index(
        op.f("ix_look_retry_at"),
        "look",
        ["retry_at"],
        unique=False,
        sqlite_where=sa.text("retry_at IS NOT NULL"),
        postgresql_where=sa.text("retry_at IS NOT NULL"),
    )
    op.create_table(
        "post",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("channel_id", sa.Integer(), nullable=False),
        sa.Column("platform_id", sa.Text(), nullable=False),
        sa.Column("published_at", sa.BigInteger(), nullable=False),
        sa.Column("date_source", sa.String(length=16), nullable=False),
        sa.Column("date_confidence", sa.String(length=8), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("excerpt", sa.Text(), nullable=False),
        sa.Column("link", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("is_share", sa.Boolean(), nullable=False),
        sa.Column("categories", sa.Text(), nullable=False),
        sa.Column("first_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("missing_since", sa.BigInteger(), nullable=True),
        sa.Column("gone_at", sa.BigInteger(), nullable=True),
        sa.Column("rules", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name=op.f("fk_post_channel_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_post")),
        sa.UniqueConstraint("channel_id", "platform_id", name=op.f("uq_post_channel_id_platform_id")),
    )
    op.create_index(
        op.f("ix_post_channel_id_published_at"), "post", ["channel_id", "published_at"], unique=False
    )
    op.create_index(op.f("ix_post_rules"), "post", ["rules"], unique=False)
    op.create_table(
        "snapshot",
        sa.Column("channel_id", sa.Integer(), nullable=False),
        sa.Column("observed_at", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.SmallInteger(), nullable=False),
        sa.Column("followers", sa.BigInteger(), nullable=True),
        sa.Column("likes", sa.BigInteger(), nullable=True),
        sa.Column("posts", sa.BigInteger(), nullable=True),
        sa.Column("views", sa.BigInteger(), nullable=True),
        sa.Column("precision", sa.SmallInteger(), nullable=False),
        sa.Column("suspect", sa.SmallInteger(), server_default="0", nullable=False),
        sa.CheckConstraint("followers >= 0", name=op.f("ck_snapshot_followers")),
        sa.CheckConstraint("likes >= 0", name=op.f("ck_snapshot_likes")),
        sa.CheckConstraint("posts >= 0", name=op.f("ck_snapshot_posts")),
        sa.CheckConstraint("views >= 0", name=op.f("ck_snapshot_views")),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name=op.f("fk_snapshot_channel_id")),
        sa.PrimaryKeyConstraint("channel_id", "observed_at", "source", name=op.f("pk_snapshot")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "post_count",
        sa.Column("post_id", sa.Integer(), nullable=False),
        sa.Column("observed_at", sa.BigInteger(), nullable=False),
        sa.Column("reactions", sa.BigInteger(), nullable=True),
        sa.Column("comments", sa.BigInteger(), nullable=True),
        sa.Column("shares", sa.BigInteger(), nullable=True),
        sa.Column("views", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("comments >= 0", name=op.f("ck_post_count_comments")),
        sa.CheckConstraint("reactions >= 0", name=op.f("ck_post_count_reactions")),
        sa.CheckConstraint("shares >= 0", name=op.f("ck_post_count_shares")),
        sa.CheckConstraint("views >= 0", name=op.f("ck_post_count_views")),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name=op.f("fk_post_count_post_id")),
        sa.PrimaryKeyConstraint("post_id", "observed_at", name=op.f("pk_post_count")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "post_label",
        sa.Column("post_id", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(length=64), nullable=False),
        sa.Column("evidence", sa.String(length=16), nullable=False),
        sa.Column("turn", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("upheld", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name=op.f("fk_post_label_post_id")),
        sa.PrimaryKeyConstraint("post_id", "label", "evidence", "turn", name=op.f("pk_post_label")),
        sqlite_with_rowid=False,
    )
