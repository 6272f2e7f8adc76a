"""Which conversations have been emptied, and finding a customer's and the oldest ones.

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.add_column("conversations", sa.Column("emptied_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(op.f("ix_conversations_visitor"), "conversations", ["visitor"])
    op.create_index("ix_conversations_age", "conversations", ["emptied_at", "updated_at"])


def downgrade() -> None:
    """Take it back."""
    op.drop_index("ix_conversations_age", "conversations")
    op.drop_index(op.f("ix_conversations_visitor"), "conversations")
    op.drop_column("conversations", "emptied_at")
