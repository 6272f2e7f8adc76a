from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

import bot.published
from bot.published import PublishedKnowledge
from bot.store.database import Database
from bot.store.knowledge import KnowledgeStore
from knowledge.embedding.absent import AbsentEmbedder
from knowledge.embedding.base import Vectors
from knowledge.errors import IndexUnavailable, ModelUnavailable
from knowledge.search import Query
from tests.bot.fakes import HOURS, INVOICE, RETURNS
from tests.knowledge.fakes import HashEmbedder


@pytest.fixture
def store(database: Database) -> KnowledgeStore:
    return KnowledgeStore(database)


@pytest.fixture
def knowledge(store: KnowledgeStore, tmp_path: Path) -> PublishedKnowledge:
    return PublishedKnowledge(store, AbsentEmbedder(), tmp_path / "index")


async def best(knowledge: PublishedKnowledge, text: str) -> str | None:
    found = (await knowledge.search(Query(text))).best
    return found.entry.answer if found else None


async def test_before_anything_is_published_nothing_can_be_searched(knowledge: PublishedKnowledge) -> None:
    assert not await knowledge.refresh()
    assert not knowledge.is_ready
    with pytest.raises(IndexUnavailable):
        await knowledge.search(Query("怎么退货？"))


async def test_what_is_published_is_found(store: KnowledgeStore, knowledge: PublishedKnowledge) -> None:
    await store.upsert("kb", [RETURNS, HOURS])
    await store.publish("kb")
    assert await knowledge.refresh()
    assert knowledge.is_ready
    assert await best(knowledge, "怎么退货") == RETURNS.answer


async def test_nothing_new_is_not_loaded_again(store: KnowledgeStore, knowledge: PublishedKnowledge) -> None:
    await store.upsert("kb", [RETURNS])
    await store.publish("kb")
    assert [await knowledge.refresh(), await knowledge.refresh()] == [True, False]


async def test_a_change_is_seen_once_it_is_published(store: KnowledgeStore, knowledge: PublishedKnowledge) -> None:
    await store.upsert("kb", [RETURNS])
    await store.publish("kb")
    await knowledge.refresh()
    await store.upsert("kb", [replace(RETURNS, answer="改了")])
    assert not await knowledge.refresh()
    assert await best(knowledge, "怎么退货") == RETURNS.answer
    await store.publish("kb")
    assert await knowledge.refresh()
    assert await best(knowledge, "怎么退货") == "改了"


async def test_what_is_withdrawn_is_not_found_any_more(store: KnowledgeStore, knowledge: PublishedKnowledge) -> None:
    await store.upsert("kb", [RETURNS])
    await store.publish("kb")
    await knowledge.refresh()
    await store.delete("kb", ["RET-1"])
    await store.publish("kb")
    assert await knowledge.refresh()  # it did change something
    assert not knowledge.is_ready


async def test_drafts_and_what_has_ended_are_not_found(store: KnowledgeStore, knowledge: PublishedKnowledge) -> None:
    hidden = [
        replace(RETURNS, status="draft"),
        replace(INVOICE, status="disabled"),
        replace(HOURS, valid_until=date(2020, 1, 1)),
    ]
    await store.upsert("kb", hidden)
    await store.publish("kb")
    await knowledge.refresh()
    assert (await knowledge.search(Query("怎么退货？"))).candidates == []


async def test_only_the_named_knowledge_bases_answer(store: KnowledgeStore, tmp_path: Path) -> None:
    for name, entry in (("a", RETURNS), ("b", INVOICE)):
        await store.upsert(name, [entry])
        await store.publish(name)
    only = PublishedKnowledge(store, AbsentEmbedder(), tmp_path / "index", ["b"])
    await only.refresh()
    assert [located.knowledge_base for located in only.entries] == ["b"]


class BrokenEmbedder(AbsentEmbedder):
    broken = False

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        if self.broken:
            raise ModelUnavailable("gone")
        return super().embed_passages(texts)


async def test_a_release_that_cannot_be_loaded_leaves_the_last_one(store: KnowledgeStore, tmp_path: Path) -> None:
    embedder = BrokenEmbedder()
    knowledge = PublishedKnowledge(store, embedder, tmp_path / "index")
    await store.upsert("kb", [RETURNS])
    await store.publish("kb")
    await knowledge.refresh()
    await store.upsert("kb", [INVOICE])
    await store.publish("kb")
    embedder.broken = True
    with pytest.raises(ModelUnavailable):
        await knowledge.refresh()
    assert await best(knowledge, "怎么退货") == RETURNS.answer
    embedder.broken = False
    assert await knowledge.refresh()
    assert len(knowledge.entries) == 2


async def test_a_follower_sees_what_is_published_and_survives_failures(
    store: KnowledgeStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bot.published, "POLL_SECONDS", 0.001)
    embedder = BrokenEmbedder()
    embedder.broken = True
    tried, loaded = asyncio.Event(), asyncio.Event()

    class Watched(PublishedKnowledge):
        async def refresh(self, *arguments) -> bool:  # type: ignore[no-untyped-def]
            try:
                changed = await super().refresh(*arguments)
            finally:
                tried.set()
            if changed:
                loaded.set()
            return changed

    knowledge = Watched(store, embedder, tmp_path / "index")
    await store.upsert("kb", [RETURNS])
    await store.publish("kb")
    following = asyncio.create_task(knowledge.follow())
    await tried.wait()
    assert not knowledge.is_ready
    embedder.broken = False
    await asyncio.wait_for(loaded.wait(), 30)
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    assert knowledge.is_ready


async def test_a_rehearsal_finds_what_is_being_edited_and_customers_do_not(
    store: KnowledgeStore, knowledge: PublishedKnowledge
) -> None:
    await store.upsert("kb", [RETURNS])
    await store.publish("kb")
    await knowledge.refresh()
    await store.upsert("kb", [replace(RETURNS, answer="改了")])
    searcher = await knowledge.rehearse("kb", [INVOICE])
    today = date(2026, 1, 1)
    assert [
        searcher.search(Query(text), today=today).candidates[0].entry.answer for text in ("怎么退货", "开发票")
    ] == [
        "改了",
        INVOICE.answer,
    ]
    assert await best(knowledge, "怎么退货") == RETURNS.answer


async def test_what_was_rehearsed_is_published_without_embedding_it_again(
    store: KnowledgeStore, tmp_path: Path
) -> None:
    embedder = HashEmbedder()
    knowledge = PublishedKnowledge(store, embedder, tmp_path / "index")
    await store.upsert("a", [RETURNS])
    await store.upsert("b", [HOURS])
    await store.publish("a")
    await store.publish("b")
    await knowledge.refresh()
    progress: list[tuple[int, int]] = []
    await knowledge.rehearse("a", [INVOICE], lambda done, total: progress.append((done, total)))
    assert progress[-1] == (2, 2)
    await store.upsert("a", [INVOICE])
    await store.publish("a")
    embedder.embedded.clear()
    await knowledge.refresh()
    assert embedder.embedded == []
    assert knowledge.progress is None


async def test_the_live_release_follows_publishing_and_going_back(
    store: KnowledgeStore, knowledge: PublishedKnowledge
) -> None:
    await store.upsert("kb", [RETURNS])
    await store.publish("kb")
    await store.upsert("kb", [replace(RETURNS, answer="改了")])
    await store.publish("kb")
    assert knowledge.live_release("kb") is None
    await knowledge.refresh()
    assert knowledge.live_release("kb") == 2
    await store.restore("kb", 1)
    await knowledge.refresh()
    assert (knowledge.live_release("kb"), await best(knowledge, "怎么退货")) == (1, RETURNS.answer)
    await store.upsert("kb", [RETURNS])
    assert (await store.publish("kb")).number == 1


class SlowEmbedder(HashEmbedder):
    """Waits, once it is told to, before it embeds a question."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.go_on.set()

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        self.begun.set()
        assert self.go_on.wait(30)
        return super().embed_queries(texts)


@pytest.fixture
async def slow(store: KnowledgeStore, tmp_path: Path) -> tuple[SlowEmbedder, PublishedKnowledge]:
    embedder = SlowEmbedder()
    knowledge = PublishedKnowledge(store, embedder, tmp_path / "index")
    await store.upsert("kb", [RETURNS, INVOICE])
    await store.publish("kb")
    await knowledge.refresh()
    embedder.embedded.clear()
    return embedder, knowledge


async def test_a_question_that_is_asked_again_is_not_searched_again(
    slow: tuple[SlowEmbedder, PublishedKnowledge],
) -> None:
    embedder, knowledge = slow
    first, second = [await knowledge.search(Query("发票怎么弄")) for _ in range(2)]
    assert first is second
    assert embedder.embedded == ["发票怎么弄"]


@pytest.mark.parametrize(
    "other", [Query("发票怎么开"), Query("发票怎么弄", topic="退货"), Query("发票怎么弄", about="退货")]
)
async def test_another_question_is_searched(slow: tuple[SlowEmbedder, PublishedKnowledge], other: Query) -> None:
    embedder, knowledge = slow
    await knowledge.search(Query("发票怎么弄"))
    embedder.embedded.clear()
    await knowledge.search(other)
    assert embedder.embedded


async def test_what_was_found_before_a_release_is_not_given_after_it(
    slow: tuple[SlowEmbedder, PublishedKnowledge], store: KnowledgeStore
) -> None:
    _, knowledge = slow
    assert await best(knowledge, "发票怎么弄") == INVOICE.answer
    await store.upsert("kb", [replace(INVOICE, answer="改了")])
    await store.publish("kb")
    await knowledge.refresh()
    assert await best(knowledge, "发票怎么弄") == "改了"


async def test_the_knowledge_bases_that_are_answered_from_can_be_others(store: KnowledgeStore, tmp_path: Path) -> None:
    for name, entry in (("shop", RETURNS), ("tea", INVOICE)):
        await store.upsert(name, [entry])
        await store.publish(name)
    knowledge = PublishedKnowledge(store, HashEmbedder(), tmp_path / "index")
    await knowledge.refresh()
    assert set(knowledge.live_releases) == {"shop", "tea"}
    knowledge.answer_from(["tea"])
    await asyncio.wait_for(knowledge.published.wait(60), 5)  # so `follow` need not wait until it looks for itself
    await knowledge.refresh()
    assert [located.knowledge_base for located in knowledge.entries] == ["tea"]


async def test_what_is_found_while_a_release_comes_is_not_given_after_it(
    slow: tuple[SlowEmbedder, PublishedKnowledge],
) -> None:
    embedder, knowledge = slow
    embedder.begun.clear()
    embedder.go_on.clear()
    searching = asyncio.create_task(knowledge.search(Query("发票怎么弄")))
    assert await asyncio.to_thread(embedder.begun.wait, 30)
    knowledge.use_synonyms(["票据 发票"])
    embedder.go_on.set()
    before = await searching
    assert await knowledge.search(Query("发票怎么弄")) is not before


async def test_it_knows_what_it_searches_for_and_for_how_long(store: KnowledgeStore, tmp_path: Path) -> None:
    class Slow(HashEmbedder):
        go_on = threading.Event()

        def embed_queries(self, texts: Sequence[str]) -> Vectors:
            self.go_on.wait(30)
            return super().embed_queries(texts)

    knowledge = PublishedKnowledge(store, Slow(), tmp_path / "index")
    await store.upsert("kb", [RETURNS])
    await store.publish("kb")
    await knowledge.refresh()
    assert (knowledge.searching, knowledge.searching_for) == (0, 0.0)
    searches = [asyncio.create_task(knowledge.search(Query(text))) for text in ("怎么退货", "退货")]
    await asyncio.sleep(0.01)
    assert knowledge.searching == 2
    assert knowledge.searching_for > 0
    Slow.go_on.set()
    await asyncio.gather(*searches)
    assert (knowledge.searching, knowledge.searching_for) == (0, 0.0)


async def test_what_was_asked_is_forgotten_here_and_in_what_is_tried_out(store: KnowledgeStore, tmp_path: Path) -> None:
    embedder = HashEmbedder()
    knowledge = PublishedKnowledge(store, embedder, tmp_path / "index")
    await store.upsert("a", [RETURNS, HOURS])
    await store.publish("a")
    await knowledge.refresh()
    draft = await knowledge.rehearse("a", [INVOICE])
    for _ in range(2):
        embedder.embedded.clear()
        await knowledge.search(Query("my own secret"))
        draft.search(Query("my own secret"), today=date(2026, 5, 1))
        assert embedder.embedded == ["my own secret", "my own secret"]
        knowledge.forget()
