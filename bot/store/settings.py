"""Settings that were changed in the console, in SQL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, select

from bot.store.database import Store, whole
from bot.store.news import announce
from bot.store.outage import repeated
from bot.store.tables import SettingRow


class SettingStore(Store):
    """Keeps what differs from the settings file, by "section.name"."""

    @whole
    @repeated
    async def values(self) -> dict[str, Any]:
        """Return all of them."""
        async with self.database.transaction() as session:
            return {row.name: row.value for row in await session.scalars(select(SettingRow))}

    @whole
    async def change(self, values: Mapping[str, Any]) -> None:
        """Keep some, and forget those whose value is None."""
        async with self.database.transaction() as session:
            await session.execute(delete(SettingRow).where(SettingRow.name.in_(values)))
            session.add_all(SettingRow(name=name, value=value) for name, value in values.items() if value is not None)
            announce(session, "settings")
