"""How often somebody has asked, for all replicas. On PostgreSQL."""

from __future__ import annotations

from sqlalchemy import text

from bot.store.database import Store, whole

_TAKE = text("""
    INSERT INTO rate_limits AS limits (key, full_at)
    VALUES (:key, statement_timestamp() + make_interval(secs => :each))
    ON CONFLICT (key) DO UPDATE
    SET full_at = greatest(limits.full_at, statement_timestamp()) + make_interval(secs => :each)
    WHERE limits.full_at <= statement_timestamp() + make_interval(secs => 60 - :each)
    RETURNING 0
""")
"""The generic cell rate algorithm (ITU-T I.371): a token bucket whose state is the moment at which it is full again.
The database's clock counts, so that those of the replicas need not agree."""

_WAIT = text("""
    SELECT extract(epoch FROM full_at - statement_timestamp()) - 60 + :each FROM rate_limits WHERE key = :key
""")
_FORGET = text("DELETE FROM rate_limits WHERE full_at < statement_timestamp()")

SHORTEST_WAIT = 0.001


class LimitStore(Store):
    """Counts in one statement."""

    @whole
    async def take(self, key: str, per_minute: int) -> float:
        """Take one of so many a minute; return 0, or the seconds to wait until there is one."""
        values = {"key": key, "each": 60 / per_minute}
        if await self.database.rows(_TAKE, values):
            return 0.0
        waits = [float(seconds) for (seconds,) in await self.database.rows(_WAIT, values)]
        return max(SHORTEST_WAIT, *waits)

    @whole
    async def forget_old(self) -> None:
        """Forget those who have their whole limit again."""
        await self.database.rows(_FORGET, {})
