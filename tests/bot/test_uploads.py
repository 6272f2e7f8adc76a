from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot import uploads as module
from bot.errors import NotFound
from bot.published import PublishedKnowledge
from bot.store.database import Database
from bot.store.knowledge import KnowledgeStore
from bot.uploads import Upload, Uploads
from knowledge.embedding.base import Vectors
from knowledge.errors import ImportFileError, ModelUnavailable
from tests.bot.fakes import HOURS, RETURNS
from tests.knowledge.fakes import HashEmbedder

FILE = "question,answer,key\n怎么退货？,不能退。,RET-1\n怎么开发票？,在订单页。,INV-1\n没有答案,,BAD-1\n".encode()


class Gate(HashEmbedder):
    """Waits before it embeds, and may fail."""

    def __init__(self) -> None:
        super().__init__()
        self.entered, self.failure = asyncio.Event(), None
        self.loop = asyncio.get_running_loop()
        self.opened = self.loop.create_future()

    def embed_queries(self, texts: list[str]) -> Vectors:  # type: ignore[override]
        self.loop.call_soon_threadsafe(self.entered.set)
        asyncio.run_coroutine_threadsafe(self._wait(), self.loop).result(30)
        if self.failure is not None:
            raise self.failure
        return super().embed_queries(texts)

    async def _wait(self) -> None:
        await self.opened


@pytest.fixture
async def store(database: Database) -> KnowledgeStore:
    store = KnowledgeStore(database)
    await store.upsert("shop", [RETURNS, HOURS])
    return store


@pytest.fixture
async def gate() -> Gate:
    return Gate()


@pytest.fixture
def uploads(store: KnowledgeStore, gate: Gate, tmp_path: Path) -> Uploads:
    return Uploads(store, PublishedKnowledge(store, gate, tmp_path / "index"))


async def ended(upload: Upload) -> str:
    assert upload.task is not None
    await upload.task
    return upload.state


async def test_a_file_is_compared_with_what_is_there(uploads: Uploads) -> None:
    upload = await uploads.read("shop", "faq.csv", FILE)
    assert [entry.key for entry in upload.difference.added] == ["INV-1"]
    assert [after.answer for _, after in upload.difference.changed] == ["不能退。"]
    assert upload.difference.removed == []
    assert [error.row for error in upload.report.errors] == [4]
    assert not upload.drafts
    assert uploads.find(upload.id) is upload


async def test_a_contradiction_with_what_is_there_is_pointed_out(uploads: Uploads) -> None:
    upload = await uploads.read("shop", "faq.csv", "question,answer\n我要退货！,不能退。\n".encode())
    assert [(pair.first.key, pair.second.question) for pair in upload.conflicts] == [("RET-1", "我要退货！")]


async def test_a_file_of_no_use_is_refused(uploads: Uploads) -> None:
    with pytest.raises(ImportFileError, match=r"photo\.png"):
        await uploads.read("shop", "photo.png", b"\x89PNG")


async def test_what_is_applied_is_embedded_then_written(uploads: Uploads, store: KnowledgeStore, gate: Gate) -> None:
    upload = await uploads.read("shop", "faq.csv", FILE)
    uploads.apply(upload, "Olga")
    uploads.apply(upload, "Olga")
    await gate.entered.wait()
    assert (upload.state, len(await store.entries("shop"))) == ("applying", 2)
    gate.opened.set_result(None)
    assert await ended(upload) == "done"
    assert (upload.done, upload.total) == (6, 6)
    assert [entry.key for entry in await store.entries("shop")] == ["RET-1", "HRS-1", "INV-1"]
    assert [change.actor for change in await store.history("shop", "INV-1")] == ["Olga"]


async def test_cancelled_on_the_way_nothing_has_changed(uploads: Uploads, store: KnowledgeStore, gate: Gate) -> None:
    upload = await uploads.read("shop", "faq.csv", FILE)
    uploads.apply(upload, "Olga")
    await gate.entered.wait()
    uploads.cancel(upload)
    gate.opened.set_result(None)
    assert await ended(upload) == "cancelled"
    assert await store.entries("shop") == [RETURNS, HOURS]


async def test_a_preview_that_is_cancelled_is_forgotten(uploads: Uploads) -> None:
    upload = await uploads.read("shop", "faq.csv", FILE)
    uploads.cancel(upload)
    with pytest.raises(NotFound):
        uploads.find(upload.id)


@pytest.mark.parametrize(
    ("failure", "message"), [(ModelUnavailable("no model"), "no model"), (ValueError("secret"), "see the server's log")]
)
async def test_a_failure_is_told_and_changes_nothing(
    uploads: Uploads, store: KnowledgeStore, gate: Gate, failure: Exception, message: str
) -> None:
    gate.failure = failure  # type: ignore[assignment]
    gate.opened.set_result(None)
    upload = await uploads.read("shop", "faq.csv", FILE)
    uploads.apply(upload, "Olga")
    assert (await ended(upload), upload.message) == ("failed", message)
    assert await store.entries("shop") == [RETURNS, HOURS]


async def test_closing_stops_what_is_being_applied(uploads: Uploads, store: KnowledgeStore, gate: Gate) -> None:
    upload = await uploads.read("shop", "faq.csv", FILE)
    uploads.apply(upload, "Olga")
    await gate.entered.wait()
    closing = asyncio.create_task(uploads.close())
    await asyncio.sleep(0)
    gate.opened.set_result(None)
    await closing
    assert upload.state == "cancelled"
    assert await store.entries("shop") == [RETURNS, HOURS]


async def test_only_the_newest_previews_are_kept(uploads: Uploads) -> None:
    first = await uploads.read("shop", "faq.csv", FILE)
    for _ in range(module.KEEP):
        last = await uploads.read("shop", "faq.csv", FILE)
    assert uploads.find(last.id) is last
    with pytest.raises(NotFound):
        uploads.find(first.id)


async def test_a_file_may_begin_a_knowledge_base(uploads: Uploads, store: KnowledgeStore, gate: Gate) -> None:
    gate.opened.set_result(None)
    upload = await uploads.read("new", "faq.csv", FILE)
    uploads.apply(upload, "Olga")
    assert await ended(upload) == "done"
    assert len(await store.entries("new")) == 2
