"""The knowledge that customers are answered from: follows what is published, and is swapped in one step."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import structlog

from bot.store.knowledge import KnowledgeStore
from knowledge.confidence import calibration_for
from knowledge.embedding.base import Embedder, OnProgress, no_progress
from knowledge.errors import IndexUnavailable
from knowledge.index.snapshot import Located, open_snapshot, remove_old_snapshots
from knowledge.search import Evidence, Query, Searcher

log = structlog.get_logger()

POLL_SECONDS = 2.0


class PublishedKnowledge:
    """Answers searches from one snapshot while the next is being built beside it."""

    def __init__(
        self, store: KnowledgeStore, embedder: Embedder, folder: Path, knowledge_bases: Sequence[str] = ()
    ) -> None:
        """Remember where things are; `refresh` loads."""
        self._store, self._embedder, self._folder = store, embedder, folder
        self._names = list(knowledge_bases)
        self._searcher: Searcher | None = None
        self._loaded: tuple[str, ...] = ()
        self._refreshing = asyncio.Lock()

    @property
    def is_ready(self) -> bool:
        """Say whether there is anything to search."""
        return self._searcher is not None

    @property
    def embedder(self) -> Embedder:
        """What turns text into vectors here."""
        return self._embedder

    @property
    def entries(self) -> list[Located]:
        """The entries that are searched now."""
        return self._searcher.snapshot.entries if self._searcher else []

    async def refresh(self, on_progress: OnProgress = no_progress) -> bool:
        """Load what is published if it is not what is loaded; say whether anything changed."""
        async with self._refreshing:
            releases = await self._store.current_releases(self._names)
            wanted = tuple(f"{release.knowledge_base}:{release.content_hash}" for release in releases)
            if wanted == self._loaded:
                return False
            entries = [
                Located(release.knowledge_base, entry)
                for release in releases
                for entry in await self._store.released_entries(release)
            ]
            if not entries:
                self._searcher, self._loaded = None, wanted
                log.warning("no knowledge is published; run: frontdesk faq import FILE")
                return True
            snapshot = await asyncio.to_thread(open_snapshot, self._folder, entries, self._embedder, on_progress)
            self._searcher = Searcher(snapshot, self._embedder, calibration_for(self._embedder.name))
            self._loaded = wanted
            remove_old_snapshots(self._folder)
            log.info("knowledge loaded", entries=len(entries), rows=len(snapshot.rows))
            return True

    async def follow(self) -> None:
        """Refresh again and again, until cancelled."""
        while True:
            await asyncio.sleep(POLL_SECONDS)
            try:
                await self.refresh()
            except Exception:  # the last good snapshot keeps answering
                log.exception("the published knowledge could not be loaded")

    async def search(self, query: Query, *, count: int = 5) -> Evidence:
        """Find the entries that may answer.

        Raises:
            IndexUnavailable: nothing is published.
        """
        searcher = self._searcher
        if searcher is None:
            raise IndexUnavailable("nothing has been published; run: frontdesk faq import FILE")
        today = datetime.now().astimezone().date()
        return await asyncio.to_thread(searcher.search, query, today=today, count=count)
