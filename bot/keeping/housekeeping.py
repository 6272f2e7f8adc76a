"""What the server does beside answering: it empties old conversations, and forgets who was erased elsewhere."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta

import structlog

from bot.store.customers import CustomerStore
from bot.store.database import Database
from bot.store.retention import RetentionStore
from bot.store.tables import now

log = structlog.get_logger()

BATCH = 20
PAUSE_SECONDS = 0.1
"""Between two batches, so that whoever asks is not kept waiting by them."""

LOOK_SECONDS = 10.0
EMPTY_SECONDS = 600.0


async def empty_old(
    store: RetentionStore, keep_days: int, on_progress: Callable[[int], None], pause: float = PAUSE_SECONDS
) -> int:
    """Empty all conversations whose last word is older, some at a time; return how many. Told of each batch's size."""
    before, emptied = now() - timedelta(days=keep_days), 0
    while count := await store.empty(before, BATCH):
        emptied += count
        on_progress(count)
        await asyncio.sleep(pause)
    await store.forget_reviewed(before)
    return emptied


class Housekeeper:
    """Keeps house in one process; of several replicas one empties conversations at a time."""

    def __init__(self, database: Database, keep_days: int, forget: Callable[[], None]) -> None:
        """Keep conversations for so many days, 0 for ever; `forget` drops what is in this process's memory."""
        self._retention, self._customers = RetentionStore(database), CustomerStore(database)
        self._keep_days, self.forget = keep_days, forget
        self._erased = 0
        self._empties_at = 0.0

    async def run(self) -> None:
        """Keep house until cancelled."""
        while True:
            try:
                await self.tidy()
            except Exception:  # the database may be away; it is asked again
                log.exception("the house could not be kept")
            await asyncio.sleep(LOOK_SECONDS)

    async def tidy(self) -> None:
        """Do what is due."""
        erased = await self._customers.last_erasure(self._erased)
        if erased > self._erased:
            self._erased = erased
            self.forget()
        if self._keep_days and time.monotonic() >= self._empties_at:
            emptied = await empty_old(self._retention, self._keep_days, lambda _count: None)
            self._empties_at = time.monotonic() + EMPTY_SECONDS
            if emptied:
                log.info("old conversations were emptied", conversations=emptied, older_than_days=self._keep_days)
