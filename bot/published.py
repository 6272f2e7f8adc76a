"""The knowledge that customers are answered from: follows what is published, and is swapped in one step."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from pathlib import Path

import structlog

from bot.live import Bell
from bot.recent import Recent
from bot.shared_index import SharedIndex
from bot.store.knowledge import KnowledgeStore
from bot.telemetry import span
from knowledge.embedding.base import Embedder, OnProgress, no_progress
from knowledge.entries import Entry
from knowledge.errors import IndexUnavailable
from knowledge.index.base import VectorIndexes
from knowledge.index.snapshot import Located, remove_old_snapshots, snapshot_key
from knowledge.opening import open_searcher
from knowledge.reranking.patient import PatientReranking
from knowledge.search import Evidence, Query, Searcher

log = structlog.get_logger()

POLL_SECONDS = 2.0
"""So often it is looked what is published, if nobody says that something was."""

REMEMBERED = 4_096
"""Questions whose evidence is kept, a kilobyte each: customers click and type the same ones again and again."""

AT_ONCE = 16
"""Searches: enough to fill two batches of the embedder while as many are being computed."""

_searching = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="search")


@dataclass(frozen=True)
class Progress:
    """So many texts are embedded, or, after that, so many rows stored where they are shared."""

    done: int
    total: int


class PublishedKnowledge:
    """Answers searches from one snapshot while the next is being built beside it."""

    def __init__(
        self,
        store: KnowledgeStore,
        embedder: Embedder,
        folder: Path,
        knowledge_bases: Sequence[str] = (),
        *,
        keep: int = 3,
        reranking: PatientReranking | None = None,
        synonyms: Sequence[str] = (),
        indexes: VectorIndexes | None = None,
    ) -> None:
        """Remember where things are; `refresh` loads. So many snapshots are kept, in the folder or among `indexes`."""
        self._store, self._embedder, self._folder = store, embedder, folder
        self._names = list(knowledge_bases)
        self._keep = keep
        self._reranking = reranking
        self._synonyms = list(synonyms)
        self._searcher: Searcher | None = None
        self._loaded: tuple[str, ...] = ()
        self._live: dict[str, int] = {}
        self._draft: tuple[str, Searcher] | None = None
        self._found: Recent[tuple[Query, date, int], Evidence] = Recent(REMEMBERED)
        self._refreshing = asyncio.Lock()
        self._shared = SharedIndex(indexes) if indexes else None
        self.progress: Progress | None = None
        self.loaded_at: float | None = None
        """When what is searched now was loaded, in Unix time."""
        self.published = Bell()
        """To be rung when something may have been published."""
        self._searches: dict[int, float] = {}
        """When those on their way began, the first first."""
        self._numbers = itertools.count()

    @property
    def searching(self) -> int:
        """How many searches are on their way."""
        return len(self._searches)

    @property
    def searching_for(self) -> float:
        """For how many seconds the one that began first has been, 0 if there is none."""
        return time.monotonic() - next(iter(self._searches.values())) if self._searches else 0.0

    @property
    def is_ready(self) -> bool:
        """Say whether there is anything to search."""
        return self._searcher is not None

    @property
    def searcher(self) -> Searcher | None:
        """What searches now, None while nothing is published."""
        return self._searcher

    @property
    def embedder(self) -> Embedder:
        """What turns text into vectors here."""
        return self._embedder

    @property
    def entries(self) -> list[Located]:
        """The entries that are searched now."""
        return self._searcher.snapshot.entries if self._searcher else []

    @property
    def problem(self) -> str | None:
        """What does not work now, in a sentence."""
        return self._shared.problem if self._shared else None

    def use_synonyms(self, lines: Sequence[str]) -> None:
        """Take other words to mean the same from the next question on."""
        if list(lines) != self._synonyms:
            self._synonyms, self._draft = list(lines), None
            self._use(self._searcher and self._searcher.with_synonyms(lines))

    def answer_from(self, knowledge_bases: Sequence[str]) -> None:
        """Search these knowledge bases, all of them if there are none, from when they are loaded."""
        if list(knowledge_bases) != self._names:
            self._names = list(knowledge_bases)
            self.published.ring()

    def _use(self, searcher: Searcher | None) -> None:
        self._searcher = searcher
        self._found.clear()

    @property
    def live_releases(self) -> Mapping[str, int]:
        """The number of the release that is searched now, by knowledge base."""
        return self._live

    def forget(self) -> None:
        """Forget which questions were asked; what answers them stays."""
        self._found.clear()
        for searcher in (self._searcher, self._draft and self._draft[1]):
            if searcher:
                searcher.forget()

    def live_release(self, knowledge_base: str) -> int | None:
        """Return the number of the release of a knowledge base that is searched now."""
        return self._live.get(knowledge_base)

    async def refresh(self, on_progress: OnProgress = no_progress) -> bool:
        """Load what is published if it is not what is loaded; say whether anything changed."""
        async with self._refreshing:
            releases = await self._store.current_releases(self._names)
            wanted = tuple(f"{release.knowledge_base}:{release.content_hash}" for release in releases)
            live = {release.knowledge_base: release.number for release in releases}
            if wanted == self._loaded:
                self._live = live
                return False
            entries = [
                Located(release.knowledge_base, entry)
                for release in releases
                for entry in await self._store.released_entries(release)
            ]
            if entries:
                searcher = await self._build(entries, on_progress, self._shared.indexes if self._shared else None)
                self._use(searcher)
                await self._attend(now=True)
                log.info("knowledge loaded", entries=len(entries), rows=len(searcher.snapshot.rows))
            else:
                self._use(None)
                log.warning("no knowledge is published; run: frontdesk faq import FILE")
            self._loaded, self._live, self._draft = wanted, live, None
            self.loaded_at = time.time()
            remove_old_snapshots(self._folder, self._keep)
            if self._shared:
                await self._shared.remove_old(self._keep)
            return True

    async def rehearse(
        self, knowledge_base: str, changes: Sequence[Entry] = (), on_progress: OnProgress = no_progress
    ) -> Searcher:
        """Return what would be searched if a knowledge base were published as it is being edited, with some changes.

        Its index is this process's own: others need it only once it is published.

        Raises:
            IndexUnavailable: there is not one entry.
        """
        edited = {entry.key: entry for entry in await self._store.entries(knowledge_base)}
        edited |= {entry.key: entry for entry in changes}
        entries = [located for located in self.entries if located.knowledge_base != knowledge_base]
        entries += [Located(knowledge_base, entry) for entry in edited.values()]
        entries.sort(key=lambda located: located.knowledge_base)
        async with self._refreshing:
            key = await asyncio.to_thread(snapshot_key, self._embedder.fingerprint, entries)
            if self._draft is None or self._draft[0] != key:
                self._draft = key, await self._build(entries, on_progress)
            return self._draft[1]

    async def _build(
        self, entries: list[Located], on_progress: OnProgress, indexes: VectorIndexes | None = None
    ) -> Searcher:
        """Build an index beside the one that is searched."""

        def report(done: int, total: int) -> None:
            self.progress = Progress(done, total)
            on_progress(done, total)

        try:
            searcher = await asyncio.to_thread(
                open_searcher, self._folder, entries, self._embedder, report, self._reranking, indexes
            )
            return searcher.with_synonyms(self._synonyms) if self._synonyms else searcher
        finally:
            self.progress = None

    async def _attend(self, *, now: bool = False) -> None:
        """Look after the index of what is searched, where it is shared."""
        if self._shared and self._searcher:
            await self._shared.attend(self._searcher.snapshot, no_progress, now=now)

    async def follow(self) -> None:
        """Refresh again and again, until cancelled."""
        while True:
            await self.published.wait(POLL_SECONDS)
            try:
                await self.refresh()
                await self._attend()
            except Exception:  # the last good snapshot keeps answering
                log.exception("the published knowledge could not be loaded")

    async def search(self, query: Query, *, count: int = 5) -> Evidence:
        """Find the entries that may answer.

        Raises:
            IndexUnavailable: nothing is published.
        """
        searcher, key = self._searcher, (query, today(), count)
        if searcher is None:
            raise IndexUnavailable("nothing has been published; run: frontdesk faq import FILE")
        with span("search") as searching:
            remembered = found = self._found.get(key)
            if found is None:
                found = await self._search(searcher, query, count)
                if not found.whole and self._shared:
                    self._shared.missed()
                elif searcher is self._searcher and self._reranking is None:  # a reranker may have had no time
                    self._found.put(key, found)
            entry = found.best.entry.key if found.best else None
            searching.note(confidence=found.confidence, entry=entry, remembered=remembered is not None)
        return found

    async def _search(self, searcher: Searcher, query: Query, count: int) -> Evidence:
        number = next(self._numbers)
        self._searches[number] = time.monotonic()
        try:
            return await search_today(searcher, query, count)
        finally:
            del self._searches[number]


def today() -> date:
    """Return the day on which an entry must be valid: that of the place where the server stands."""
    return datetime.now().astimezone().date()


async def search_today(searcher: Searcher, query: Query, count: int) -> Evidence:
    """Search what is valid today, without holding up others."""
    search = partial(copy_context().run, searcher.search, query, today=today(), count=count)
    return await asyncio.get_running_loop().run_in_executor(_searching, search)
