"""What actions keep of a conversation, and which action gave an answer.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "trackers",
        sa.Column("conversation_id", sa.Text(), nullable=False),
        sa.Column("slots", sa.JSON(), nullable=False),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("awaiting", sa.Text(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name=op.f("fk_trackers_conversation_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("conversation_id", name=op.f("pk_trackers")),
    )
    with op.batch_alter_table("turns") as turns:
        turns.add_column(sa.Column("action", sa.Text(), nullable=True))


def downgrade() -> None:
    """Take it back."""
    with op.batch_alter_table("turns") as turns:
        turns.drop_column("action")
    op.drop_table("trackers")
