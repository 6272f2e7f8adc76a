"""Secrets that are made here and that all replicas share. In SQL."""

from __future__ import annotations

from bot.store.database import Store, whole
from bot.store.races import raced
from bot.store.tables import SecretRow


class SecretStore(Store):
    """Keeps secrets by name."""

    @whole
    @raced
    async def keep(self, name: str, new: str) -> str:
        """Return the secret of this name; if there is none yet it is the `new` one, for everybody."""
        async with self.database.transaction() as session:
            row = await session.get(SecretRow, name)
            if row is None:
                row = SecretRow(name=name, value=new)
                session.add(row)
            return row.value
