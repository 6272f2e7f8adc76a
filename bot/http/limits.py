"""How often one visitor, or one address, may ask."""

from __future__ import annotations

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

import structlog

from bot.errors import StoreUnavailable
from bot.store.database import Database
from bot.store.limits import LimitStore

log = structlog.get_logger()

MAX_KEYS = 20_000
"""So many are remembered; whoever was heard of longest ago is forgotten first."""

AWAY_SECONDS = 5.0
"""A database that did not answer is left alone so long, and every replica counts for itself."""

ANSWER_SECONDS = 1.0
FORGET_SECONDS = 600.0


class Limit(Protocol):
    """Token buckets: a burst of so many at once, then as many a minute."""

    async def take(self, key: str) -> int:
        """Take one; return 0, or the seconds to wait until there is one."""
        ...


def make_limit(database: Database, name: str, per_minute: int) -> Limit:
    """Return a limit for all replicas; where there is only one, it is counted in memory."""
    memory = RateLimit(per_minute)
    return SharedRateLimit(LimitStore(database), name, per_minute, memory) if database.is_shared else memory


async def forget_limits(database: Database) -> None:
    """Forget, now and then until cancelled, those who ask no more."""
    while database.is_shared:
        await asyncio.sleep(FORGET_SECONDS)
        try:
            await LimitStore(database).forget_old()
        except StoreUnavailable as error:
            log.warning("limits could not be forgotten", error=str(error))


class RateLimit:
    """Counts in memory; `per_minute` 0 is no limit."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Start with full buckets."""
        self._per_minute, self._clock = per_minute, clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    async def take(self, key: str) -> int:
        """Take one."""
        if not self._per_minute:
            return 0
        now = self._clock()
        left, at = self._buckets.pop(key, (float(self._per_minute), now))
        left = min(self._per_minute, left + (now - at) * self._per_minute / 60)
        self._buckets[key] = (left - 1 if left >= 1 else left, now)
        if len(self._buckets) > MAX_KEYS:
            self._buckets.popitem(last=False)
        return 0 if left >= 1 else math.ceil((1 - left) * 60 / self._per_minute)


class SharedRateLimit:
    """Counts in the database, for all replicas.

    While that is away each replica counts by itself, and nobody is refused for it: a limit is there so that
    one cannot take what belongs to all, not to take it from all.
    """

    def __init__(self, store: LimitStore, name: str, per_minute: int, alone: RateLimit) -> None:
        """Count under a name; `alone` counts while the database is away."""
        self._store, self._name, self._per_minute, self._alone = store, name, per_minute, alone
        self._refused: OrderedDict[str, float] = OrderedDict()
        """Until when: whoever goes on asking meanwhile costs nothing."""
        self._away_until = 0.0

    async def take(self, key: str) -> int:
        """Take one."""
        if not self._per_minute:
            return 0
        now = time.monotonic()
        if (refused_until := self._refused.get(key, now)) > now:
            return math.ceil(refused_until - now)
        if now < self._away_until:
            return await self._alone.take(key)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                seconds = await self._store.take(f"{self._name}:{key}", self._per_minute)
        except Exception as error:
            self._away_until = now + AWAY_SECONDS
            log.warning("limits are counted in memory", error=f"{type(error).__name__}: {error}")
            return await self._alone.take(key)
        if seconds > 0:
            self._refused[key] = now + seconds
            if len(self._refused) > MAX_KEYS:
                self._refused.popitem(last=False)
        else:
            self._refused.pop(key, None)
        return math.ceil(seconds)
