"""Stand-ins for what a desk is made of: scripted models, and knowledge that finds what it is told to find."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

from bot.actions.opening import open_actions
from bot.desk import FrontDesk
from bot.handoff import HandoffDesk
from bot.live import Bell
from bot.models.base import ChatMessage, FinishReason, Sampling
from bot.published import Progress
from bot.question import Answer, Event, Finished, Question, Token, Usage
from bot.settings import Settings
from bot.store.conversations import ConversationStore
from bot.store.database import Database
from knowledge.embedding.absent import AbsentEmbedder
from knowledge.embedding.base import Embedder, OnProgress, no_progress
from knowledge.entries import Entry
from knowledge.index.snapshot import Located
from knowledge.search import Candidate, Evidence, Query

RETURNS = Entry(
    key="RET-1",
    question="怎么退货？",
    answer="签收后7天内可以申请退货，运费12元由买家承担。",
    variants=("我要退货",),
    language="zh",
)
HOURS = Entry(
    key="HRS-1",
    question="What are your opening hours?",
    answer="We are open from 9:00 to 18:00 on weekdays.",
    language="en",
)
INVOICE = Entry(key="INV-1", question="怎么开发票？", answer="在订单详情页点击“申请发票”。", language="zh")
PAYMENT = Entry(key="PAY-1", question="支持哪些付款方式？", answer="支持微信和支付宝。", language="zh")

Piece = str | Exception | asyncio.Event


class ScriptedGeneration:
    """Yields strings, raises exceptions, waits for events."""

    def __init__(self, pieces: Sequence[Piece], finish_reason: FinishReason) -> None:
        self._pieces = pieces
        self.usage = Usage(prompt=20)
        self.finish_reason = finish_reason
        self.closed = asyncio.Event()

    async def __aiter__(self) -> AsyncIterator[str]:
        for piece in self._pieces:
            if isinstance(piece, Exception):
                raise piece
            if isinstance(piece, asyncio.Event):
                await piece.wait()
            else:
                self.usage.completion += 1
                yield piece

    async def aclose(self) -> None:
        self.closed.set()


class ScriptedModel:
    """A chat model, local or remote, that gives one scripted answer again and again."""

    def __init__(self, *pieces: Piece, busy: Exception | None = None, finish_reason: FinishReason = "stop") -> None:
        self.name = "scripted"
        self.pieces, self.busy, self.finish_reason = pieces, busy, finish_reason
        self.prompts: list[Sequence[ChatMessage]] = []
        self.samplings: list[Sampling] = []
        self.generations: list[ScriptedGeneration] = []
        self.available = True
        self.requests = {"answered": 0}
        self.given_up = 0
        self.closed = False

    def warm_up(self) -> None:
        pass

    def hold(self) -> None:
        pass

    def generate(self, messages: Sequence[ChatMessage], sampling: Sampling) -> ScriptedGeneration:
        if self.busy is not None:
            raise self.busy
        self.prompts.append(messages)
        self.samplings.append(sampling)
        self.generations.append(ScriptedGeneration(self.pieces, self.finish_reason))
        return self.generations[-1]

    def took_too_long(self) -> None:
        self.given_up += 1

    async def close(self) -> None:
        self.closed = True


class StubKnowledge:
    """Finds what it was told to find, with the confidence that it was told."""

    def __init__(self, confidence: float = 0.95, *entries: Entry, failure: Exception | None = None) -> None:
        self.confidence, self.failure = confidence, failure
        self.found = entries or (RETURNS, INVOICE, PAYMENT, HOURS)
        self.queries: list[Query] = []
        self.is_ready = True
        self.embedder: Embedder = AbsentEmbedder()
        self.progress: Progress | None = None
        self.searching, self.searching_for = 0, 0.0
        self.loaded_at = 1_700_000_000.0
        self.problem: str | None = None
        self.live_releases = {"default": 3}
        self.searcher = None
        self.published = Bell()
        self.rehearsed: list[tuple[str, Sequence[Entry]]] = []
        self.knowledge_bases: list[str] = []
        self.loaded_from: list[str] = []

    def live_release(self, knowledge_base: str) -> int | None:
        return None

    async def rehearse(
        self, knowledge_base: str, changes: Sequence[Entry] = (), on_progress: OnProgress = no_progress
    ) -> None:
        self.rehearsed.append((knowledge_base, changes))
        on_progress(1, 2)
        on_progress(2, 2)

    @property
    def entries(self) -> list[Located]:
        return [Located("default", entry) for entry in self.found]

    def use_synonyms(self, lines: Sequence[str]) -> None:
        self.synonyms = list(lines)

    def answer_from(self, knowledge_bases: Sequence[str]) -> None:
        self.knowledge_bases = list(knowledge_bases)

    def forget(self) -> None:
        self.queries.clear()

    async def refresh(self) -> bool:
        self.loaded_from = list(self.knowledge_bases)
        return False

    async def follow(self) -> None:
        await asyncio.Event().wait()

    async def search(self, query: Query, *, count: int = 5) -> Evidence:
        self.queries.append(query)
        if self.failure is not None:
            raise self.failure
        return Evidence([candidate(entry, -2.0 * rank) for rank, entry in enumerate(self.found)], self.confidence)


def candidate(entry: Entry, fused_score: float = 0.0) -> Candidate:
    """Return an entry as it was found."""
    return Candidate("default", entry, entry.question, 0.9, 0.8, 3.0, 2.0, fused_score)


def make_desk(
    database: Database,
    knowledge: StubKnowledge | None = None,
    *,
    local: ScriptedModel | None = None,
    remote: ScriptedModel | None = None,
    settings: dict[str, Any] | None = None,
) -> FrontDesk:
    """Return a desk of stand-ins with a real store."""
    conversations = ConversationStore(database)
    chosen = Settings(**(settings or {}))
    return FrontDesk(
        settings=chosen,
        knowledge=knowledge or StubKnowledge(),  # type: ignore[arg-type]
        conversations=conversations,
        humans=HandoffDesk(chosen.handoff, conversations),
        actions=open_actions(chosen, database, []),
        local=local,
        remote=remote,  # type: ignore[arg-type]
    )


async def ask(desk: FrontDesk, question: str | Question) -> tuple[Answer, list[Event]]:
    """Ask a question; return the answer and all events."""
    asked = question if isinstance(question, Question) else Question(text=question)
    events = [event async for event in desk.answer(asked)]
    assert isinstance(events[-1], Finished)
    return events[-1].answer, events


def streamed(events: Sequence[Event]) -> str:
    """Return the text that was streamed."""
    return "".join(event.text for event in events if isinstance(event, Token))
