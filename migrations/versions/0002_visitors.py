"""Whose a conversation is.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.add_column("conversations", sa.Column("visitor", sa.Text(), nullable=True))


def downgrade() -> None:
    """Take it back."""
    op.drop_column("conversations", "visitor")
