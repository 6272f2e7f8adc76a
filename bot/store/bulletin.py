"""Hearing what other replicas announce, by PostgreSQL's LISTEN."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from bot.store.database import Database
from bot.store.news import CHANNEL, Topic

log = structlog.get_logger()

CHECK_SECONDS = 5.0
"""A connection that brought nothing for so long is tried."""

AGAIN_SECONDS = 1.0


class Bulletin:
    """Tells this process what all replicas announce. On SQLite there is one process, which knows already."""

    def __init__(self, database: Database, hearers: Mapping[Topic, Callable[[str], None]]) -> None:
        """Call the hearer of each topic with what the news is about; "" means that anything may have happened."""
        self._database, self._hearers = database, hearers

    async def follow(self) -> None:
        """Listen until cancelled; after an interruption all hearers are called, for they may have missed something."""
        if not self._database.is_shared:
            return
        while True:
            try:
                await self._listen()
            except Exception as error:  # the database is away; everybody looks for themselves meanwhile
                log.warning("other replicas cannot be heard", error=f"{type(error).__name__}: {error}")
            await asyncio.sleep(AGAIN_SECONDS)

    async def _listen(self) -> None:
        connection = await self._database.engine.connect()
        try:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            await driver.set_autocommit(True)
            await driver.execute(f"LISTEN {CHANNEL}")
            for hear in self._hearers.values():
                hear("")
            while True:
                async for notice in driver.notifies(timeout=CHECK_SECONDS):
                    topic, about = json.loads(notice.payload)
                    if topic in self._hearers:
                        self._hearers[topic](about)
                async with asyncio.timeout(CHECK_SECONDS):
                    await driver.execute("SELECT 1")
        finally:
            await connection.invalidate()
            await connection.close()
