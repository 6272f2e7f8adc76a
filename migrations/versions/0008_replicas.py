"""What several replicas share: secrets, limits, answers on their way, and who took a channel's message.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "secrets",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_secrets")),
    )
    op.create_table(
        "rate_limits",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("full_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_rate_limits")),
        prefixes=_unlogged(),
    )
    op.create_table(
        "running_answers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("turn_id", sa.Text()),
        sa.Column("visitor", sa.Text()),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_running_answers")),
        prefixes=_unlogged(),
    )
    op.create_index(op.f("ix_running_answers_turn_id"), "running_answers", ["turn_id"])
    with op.batch_alter_table("received") as received:
        received.add_column(sa.Column("replica", sa.Text(), nullable=True))


def downgrade() -> None:
    """Take it back."""
    with op.batch_alter_table("received") as received:
        received.drop_column("replica")
    for table in ("running_answers", "rate_limits", "secrets"):
        op.drop_table(table)


def _unlogged() -> list[str]:
    """PostgreSQL writes nothing to disk for what may be lost when it crashes."""
    return ["UNLOGGED"] if op.get_bind().dialect.name == "postgresql" else []
