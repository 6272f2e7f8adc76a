"""Trying the bot out: the whole path of a question, and nothing of it is written down."""

from __future__ import annotations

from bot.actions.tracker import TrackerState
from bot.desk import FrontDesk
from bot.handoff import HandoffDesk
from bot.published import PublishedKnowledge, search_today
from bot.question import Answer, Question
from bot.store.conversations import ConversationStore, OpenTurn
from bot.store.tables import new_id
from bot.store.trackers import TrackerStore
from knowledge.search import Evidence, Query, Searcher


class _Unlogged(ConversationStore):
    """Gives each question a turn and forgets it."""

    async def begin(self, question: Question) -> OpenTurn:
        del question
        return OpenTurn(id=new_id(), conversation_id=new_id(), history=(), offered=(), misses=0, handoff="bot")

    async def finish(self, answer: Answer) -> None:
        del answer


class _Unkept(TrackerStore):
    """Knows no conversation."""

    async def save(self, conversation_id: str, state: TrackerState) -> None:
        del conversation_id, state


class _Uncalled(HandoffDesk):
    """Calls nobody."""

    async def call(self, conversation_id: str, reason: str) -> None:
        del conversation_id, reason


class _Rehearsed(PublishedKnowledge):
    """Searches something else than what is published."""

    def __init__(self, searcher: Searcher) -> None:
        self._rehearsed = searcher

    async def search(self, query: Query, *, count: int = 5) -> Evidence:
        return await search_today(self._rehearsed, query, count)


def rehearse(desk: FrontDesk, searcher: Searcher | None = None) -> FrontDesk:
    """Return a desk that answers as this one does, from another index if one is given, and leaves no trace."""
    return FrontDesk(
        settings=desk.settings,
        knowledge=_Rehearsed(searcher) if searcher else desk.knowledge,
        conversations=_Unlogged(desk.conversations.database),
        humans=_Uncalled(desk.settings.handoff, desk.conversations),
        actions=desk.actions.keeping_in(_Unkept(desk.conversations.database)),
        local=desk.local,
        remote=desk.remote,
    )
