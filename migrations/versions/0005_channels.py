"""What channels receive, whose it is, what their connectors keep, and whom handoffs were told to.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "threads",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address", sa.JSON(), nullable=False),
        sa.Column("conversation_id", sa.Text(), nullable=True),
        sa.Column("delivered", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name=op.f("fk_threads_conversation_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_threads")),
        sa.UniqueConstraint("channel", "name", name=op.f("uq_threads_channel_name")),
    )
    op.create_index(op.f("ix_threads_conversation_id"), "threads", ["conversation_id"])
    op.create_table(
        "received",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("thread_id", sa.Integer(), nullable=False),
        sa.Column("address", sa.JSON(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("sent", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["thread_id"], ["threads.id"], name=op.f("fk_received_thread_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_received")),
        sa.UniqueConstraint("channel", "message_id", name=op.f("uq_received_channel_message_id")),
    )
    op.create_index(op.f("ix_received_thread_id"), "received", ["thread_id"])
    op.create_index("ix_received_open", "received", ["done_at", "due_at"])
    op.create_table(
        "channel_memory",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("channel", "key", name=op.f("pk_channel_memory")),
    )
    with op.batch_alter_table("messages") as messages:
        messages.add_column(sa.Column("source", sa.Text(), nullable=True))
        messages.create_unique_constraint(op.f("uq_messages_source"), ["source"])
    with op.batch_alter_table("handoffs") as handoffs:
        handoffs.add_column(sa.Column("told", sa.JSON(), nullable=False, server_default="{}"))
    op.execute("""UPDATE handoffs SET told = '{"webhook": 0}' WHERE notified""")
    with op.batch_alter_table("handoffs") as handoffs:
        handoffs.alter_column("told", server_default=None)
        handoffs.drop_column("notified")


def downgrade() -> None:
    """Take it back."""
    with op.batch_alter_table("handoffs") as handoffs:
        handoffs.add_column(sa.Column("notified", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("handoffs") as handoffs:
        handoffs.alter_column("notified", server_default=None)
        handoffs.drop_column("told")
    with op.batch_alter_table("messages") as messages:
        messages.drop_constraint(op.f("uq_messages_source"), type_="unique")
        messages.drop_column("source")
    op.drop_table("channel_memory")
    op.drop_table("received")
    op.drop_table("threads")
