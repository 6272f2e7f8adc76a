"""Stores."""

from __future__ import annotations

import pytest

from bot.store.conversations import ConversationStore
from bot.store.database import Database


@pytest.fixture
def conversations(database: Database) -> ConversationStore:
    """Give a conversation store."""
    return ConversationStore(database)
