"""Files on their way into a knowledge base: read, shown, and applied whole or not at all."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal

import structlog

from bot.differences import Difference, compare
from bot.errors import NotFound
from bot.published import PublishedKnowledge
from bot.store.knowledge import KnowledgeStore
from bot.store.tables import new_id
from knowledge.duplicates import Duplicate, find_duplicates
from knowledge.entries import Entry
from knowledge.errors import FrontDeskError, IndexUnavailable
from knowledge.importing.files import read_faq
from knowledge.importing.report import ImportReport

log = structlog.get_logger()

KEEP = 20
KEEP_SECONDS = 3_600.0
MAX_CONFLICTS = 50

State = Literal["preview", "applying", "done", "failed", "cancelled"]


class _Cancelled(FrontDeskError):
    """Somebody thought better of it."""


@dataclass
class Upload:
    """A file that was read; `done` of `total` texts are embedded while it is being applied."""

    name: str
    knowledge_base: str
    report: ImportReport
    difference: Difference
    conflicts: list[Duplicate]
    id: str = field(default_factory=new_id)
    state: State = "preview"
    done: int = 0
    total: int = 0
    message: str = ""
    cancelled: bool = False
    task: asyncio.Task[None] | None = None
    read_at: float = field(default_factory=time.monotonic)

    @property
    def drafts(self) -> bool:
        """Say whether all of its entries are there to be looked at first."""
        return all(entry.status == "draft" for entry in self.report.entries)

    def progressed(self, done: int, total: int) -> None:
        """Note how far the embedding is; called from its thread, which this may end."""
        self.done, self.total = done, total
        if self.cancelled:
            raise _Cancelled("cancelled")


class Uploads:
    """Reads files and applies them."""

    def __init__(self, store: KnowledgeStore, knowledge: PublishedKnowledge) -> None:
        """Begin with none."""
        self._store, self._knowledge = store, knowledge
        self._uploads: dict[str, Upload] = {}

    async def read(self, knowledge_base: str, name: str, content: bytes) -> Upload:
        """Read a file and compare it with what is there.

        Raises:
            ImportFileError: the file cannot be read as an FAQ.
        """
        existing = await self._store.entries(knowledge_base)
        upload = await asyncio.to_thread(_read, knowledge_base, name, content, existing)
        self._forget_old()
        self._uploads[upload.id] = upload
        return upload

    def find(self, upload_id: str) -> Upload:
        """Return an upload; raises NotFound once it is forgotten."""
        if upload_id not in self._uploads:
            raise NotFound("this upload is not known any more; send the file again")
        return self._uploads[upload_id]

    def apply(self, upload: Upload, actor: str) -> None:
        """Embed what is new, so that publishing is quick, then write all entries at once; in the background."""
        if upload.state != "preview":
            return
        upload.state = "applying"
        upload.task = asyncio.create_task(self._apply(upload, actor))

    def cancel(self, upload: Upload) -> None:
        """Stop what has not been written yet, and forget what has not begun."""
        upload.cancelled = True
        if upload.state != "applying":
            self._uploads.pop(upload.id, None)

    async def close(self) -> None:
        """Stop everything."""
        for upload in self._uploads.values():
            upload.cancelled = True
        await asyncio.gather(*(upload.task for upload in self._uploads.values() if upload.task))

    async def _apply(self, upload: Upload, actor: str) -> None:
        try:
            await self._embed(upload)
            upload.progressed(upload.done, upload.total)
            await self._store.upsert(upload.knowledge_base, upload.report.entries, actor=actor)
            upload.state = "done"
        except _Cancelled:
            upload.state = "cancelled"
        except Exception as error:  # whoever waits for it is told
            log.exception("upload failed", name=upload.name)
            upload.state = "failed"
            upload.message = str(error) if isinstance(error, FrontDeskError) else "see the server's log"

    async def _embed(self, upload: Upload) -> None:
        try:
            await self._knowledge.rehearse(upload.knowledge_base, upload.report.entries, upload.progressed)
        except IndexUnavailable:
            return  # no entries at all: nothing to embed

    def _forget_old(self) -> None:
        now = time.monotonic()
        idle = [upload for upload in self._uploads.values() if upload.state != "applying"]
        old = [upload for upload in idle if now - upload.read_at > KEEP_SECONDS]
        for upload in [*old, *idle[: -KEEP + 1]]:
            self._uploads.pop(upload.id, None)


def _read(knowledge_base: str, name: str, content: bytes, existing: list[Entry]) -> Upload:
    report = read_faq(content, name)
    old = {entry.key: entry for entry in existing}
    merged = old | {entry.key: entry for entry in report.entries}
    touched = {entry.key for entry in report.entries if old.get(entry.key) != entry}
    conflicts = (
        pair
        for pair in find_duplicates(list(merged.values()))
        if pair.conflicting and {pair.first.key, pair.second.key} & touched
    )
    return Upload(
        name, knowledge_base, report, compare(existing, list(merged.values())), list(islice(conflicts, MAX_CONFLICTS))
    )
