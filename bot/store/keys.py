"""Programs' keys to the admin API, in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from bot.accounts import KEY_PREFIX, Actor, Scope, hash_token, new_token
from bot.errors import NotFound
from bot.store.database import Store, whole
from bot.store.tables import ApiKeyRow, now

NOTED_EVERY = timedelta(minutes=1)
"""When a key was last used is written down no more often."""


@dataclass(frozen=True)
class ApiKey:
    """A key, without its secret."""

    id: int
    name: str
    prefix: str
    scopes: list[str]
    created_by: str
    created_at: datetime
    last_used_at: datetime | None


class KeyStore(Store):
    """Makes keys and knows them again."""

    @whole
    async def keys(self) -> list[ApiKey]:
        """List all keys."""
        async with self.database.transaction() as session:
            return [_to_key(row) for row in await session.scalars(select(ApiKeyRow).order_by(ApiKeyRow.id))]

    @whole
    async def add(self, name: str, scopes: Sequence[Scope], created_by: str) -> tuple[ApiKey, str]:
        """Make a key; its secret is returned here and never again."""
        secret = KEY_PREFIX + new_token()
        row = ApiKeyRow(
            name=name,
            prefix=secret[: len(KEY_PREFIX) + 4],
            key_hash=hash_token(secret),
            scopes=list(scopes),
            created_by=created_by,
        )
        async with self.database.transaction() as session:
            session.add(row)
        return _to_key(row), secret

    @whole
    async def delete(self, key_id: int) -> str:
        """Delete a key, which ends its use at once, and return its name; raises NotFound."""
        async with self.database.transaction() as session:
            row = await session.get(ApiKeyRow, key_id)
            if row is None:
                raise NotFound(f"there is no key {key_id}")
            await session.delete(row)
            return row.name

    @whole
    async def actor(self, secret: str) -> Actor | None:
        """Return what a key may do, None if there is no such key."""
        async with self.database.transaction() as session:
            row = await session.scalar(select(ApiKeyRow).where(ApiKeyRow.key_hash == hash_token(secret)))
            if row is None:
                return None
            if row.last_used_at is None or row.last_used_at < now() - NOTED_EVERY:
                row.last_used_at = now()
            return Actor(f"key {row.name}", "", tuple(row.scopes))


def _to_key(row: ApiKeyRow) -> ApiKey:
    return ApiKey(row.id, row.name, row.prefix, row.scopes, row.created_by, row.created_at, row.last_used_at)
