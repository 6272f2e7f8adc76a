"""Who did what, in SQL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from bot.store.database import Store, whole
from bot.store.tables import AuditRow


@dataclass(frozen=True)
class AuditEntry:
    """One thing that somebody did."""

    id: int
    at: datetime
    actor: str
    action: str
    target: str
    details: dict[str, Any]


class AuditStore(Store):
    """A log that only grows."""

    @whole
    async def add(self, actor: str, action: str, target: str, details: dict[str, Any]) -> None:
        """Write down that somebody did something."""
        async with self.database.transaction() as session:
            session.add(AuditRow(actor=actor, action=action, target=target, details=details))

    @whole
    async def entries(self, before: int | None = None, limit: int = 50) -> list[AuditEntry]:
        """List what was done, newest first, from below an identifier on."""
        query = select(AuditRow).order_by(AuditRow.id.desc()).limit(limit)
        if before is not None:
            query = query.where(AuditRow.id < before)
        async with self.database.transaction() as session:
            return [
                AuditEntry(row.id, row.created_at, row.actor, row.action, row.target, row.details)
                for row in await session.scalars(query)
            ]
