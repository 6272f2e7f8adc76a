"""Databases and stores that are closed at the end."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.store.conversations import ConversationStore
from bot.store.database import Database


@pytest.fixture
async def database(sqlite_url: str) -> AsyncIterator[Database]:
    """Give an SQLite database, for tests that only need one."""
    database = Database(sqlite_url)
    yield database
    await database.close()


@pytest.fixture
def conversations(database: Database) -> ConversationStore:
    """Give a conversation store."""
    return ConversationStore(database)
