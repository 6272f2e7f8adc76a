"""A few values of each channel that are kept between runs. In SQL."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete

from bot.store.database import Store, whole
from bot.store.races import raced
from bot.store.tables import ChannelMemoryRow


class MemoryStore(Store):
    """Keeps what can be written as JSON, under a channel and a key."""

    @whole
    async def remembered(self, channel: str, key: str) -> Any:
        """Return what a connector keeps under a key, None if nothing."""
        async with self.database.transaction() as session:
            row = await session.get(ChannelMemoryRow, (channel, key))
            return None if row is None else row.value

    @whole
    @raced
    async def remember(self, channel: str, key: str, value: Any) -> None:
        """Keep a value for a connector; None forgets it."""
        async with self.database.transaction() as session:
            if value is None:
                of_key = (ChannelMemoryRow.channel == channel) & (ChannelMemoryRow.key == key)
                await session.execute(delete(ChannelMemoryRow).where(of_key))
            else:
                await session.merge(ChannelMemoryRow(channel=channel, key=key, value=value))
