"""The index of what is searched, where several machines share it: kept in use, found again after an outage."""

from __future__ import annotations

import asyncio
import time

import structlog

from knowledge.embedding.base import OnProgress
from knowledge.errors import IndexUnavailable
from knowledge.index.base import VectorIndexes
from knowledge.index.snapshot import Snapshot

log = structlog.get_logger()

IN_USE_SECONDS = 30.0
"""Between two times that the index is said to be in use."""


class SharedIndex:
    """Looks after one snapshot's index."""

    def __init__(self, indexes: VectorIndexes) -> None:
        """Remember where it is kept."""
        self.indexes = indexes
        self.problem: str | None = None
        self._next = 0.0

    def missed(self) -> None:
        """Note that a search could not reach it, so that it is looked after at once."""
        self._next = 0.0

    async def attend(self, snapshot: Snapshot, on_progress: OnProgress, *, now: bool = False) -> None:
        """Say that it is in use, if that is due; if it is gone, fill it again."""
        if not now and time.monotonic() < self._next:
            return
        try:
            await asyncio.to_thread(snapshot.attach, self.indexes, on_progress)
        except IndexUnavailable as error:
            if self.problem is None:
                log.warning("searching by words only", reason=str(error))
            self.problem = f"searching by words only: {error}"
            return
        if self.problem is not None:
            log.info("the index of vectors is back")
        self.problem, self._next = None, time.monotonic() + IN_USE_SECONDS

    async def remove_old(self, keep: int) -> None:
        """Delete old indexes that nobody uses, another time if that is not possible now."""
        try:
            await asyncio.to_thread(self.indexes.remove_old, keep)
        except IndexUnavailable as error:
            log.warning("old indexes were not removed", reason=str(error))
