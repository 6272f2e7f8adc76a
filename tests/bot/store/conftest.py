"""The stores are tested on every database."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.store.database import Database


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Give a database of each kind in turn."""
    database = Database(database_url)
    yield database
    await database.close()
