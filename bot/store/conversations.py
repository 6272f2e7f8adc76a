"""Conversations, turns, feedback and handoffs, in SQL."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, cast

from sqlalchemy import CursorResult, bindparam, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.errors import NotFound, StoreUnavailable
from bot.privacy import mask
from bot.question import (
    Answer,
    Citation,
    HandoffState,
    Message,
    Outcome,
    Question,
    Suggestion,
    Timings,
    Usage,
)
from bot.store.database import Store, whole
from bot.store.inbox import mask_all
from bot.store.news import announce
from bot.store.outage import repeated
from bot.store.tables import ConversationRow, FeedbackRow, HandoffRow, TurnRow, new_id, now

HISTORY_TURNS = 10
MISSED: tuple[Outcome, ...] = ("refused", "clarify")
_FINISH = update(TurnRow.__table__).where(TurnRow.__table__.c.id == bindparam("turn"))  # type: ignore[arg-type]
"""Made once: with its values in it, making it takes longer than doing it."""

OF_PEOPLE: tuple[HandoffState, ...] = ("waiting", "human")
"""A person reads what is written now and may need a telephone number; it is masked once they are done."""


@dataclass(frozen=True, kw_only=True)
class OpenTurn:
    """A turn that has begun, with what came before it; `answered` holds the reply if it was given already.

    `offered` are the entries that the reply before it gave to choose from, `language` is that reply's.
    """

    id: str
    conversation_id: str
    history: tuple[Message, ...]
    offered: tuple[Suggestion, ...]
    misses: int
    handoff: HandoffState
    language: str | None = None
    answered: Answer | None = None


class ConversationStore(Store):
    """The log of every conversation, and the state that the next answer depends on."""

    @whole
    async def begin(self, question: Question) -> OpenTurn:
        """Write down a question before it is answered; one that came before gives its turn again.

        If the database goes away meanwhile, one with a `message_id` is written again: it is told from a second one.

        Raises:
            NotFound: there is no such conversation of this bot's with this visitor.
        """
        for _ in range(5):
            try:
                return await self.database.together(partial(_begin, question))
            except IntegrityError:  # the same message, or the same place in the conversation, at the same moment
                await asyncio.sleep(0.01)
            except StoreUnavailable:
                if question.message_id is None:
                    raise
        return await self.database.together(partial(_begin, question))

    @whole
    @repeated
    async def finish(self, answer: Answer) -> None:
        """Write down the reply with all that led to it."""
        await self.database.together(partial(_finish, answer))

    @whole
    @repeated
    async def answer(self, turn_id: str) -> Answer:
        """Return the reply of a turn that is complete; raises NotFound."""
        async with self.database.transaction() as session:
            turn = await session.run_sync(_get_turn, turn_id)
            if turn.outcome is None:
                raise NotFound(f"the turn {turn_id} has no answer yet")
            return _to_answer(turn, await session.run_sync(_get_conversation, turn.conversation_id))

    @whole
    @repeated
    async def transcript(self, conversation_id: str) -> list[Message]:
        """Return a conversation's messages, oldest first; raises NotFound."""
        async with self.database.transaction() as session:
            await session.run_sync(_get_conversation, conversation_id)
            turns = await session.scalars(
                select(TurnRow).where(TurnRow.conversation_id == conversation_id).order_by(TurnRow.position)
            )
            return _to_messages(list(turns))

    @whole
    async def often_cited(self, turns: int) -> list[tuple[str, str]]:
        """Return the entries that the last so many turns rested on, those of most turns first: base and key."""
        cited = select(TurnRow.citations).where(TurnRow.citations.is_not(None)).order_by(TurnRow.created_at.desc())
        async with self.database.transaction() as session:
            rows = await session.scalars(cited.limit(turns))
            counts = Counter((citations[0]["knowledge_base"], citations[0]["key"]) for citations in rows if citations)
        return [entry for entry, _ in counts.most_common()]

    async def add_feedback(self, turn_id: str, rating: str, comment: str | None, visitor: str | None = None) -> None:
        """Keep a customer's thumb; raises NotFound, also for another visitor's turn."""
        async with self.database.transaction() as session:
            turn = await session.run_sync(_get_turn, turn_id)
            _check_owner(await session.run_sync(_get_conversation, turn.conversation_id), visitor)
            row = await session.scalar(select(FeedbackRow).where(FeedbackRow.turn_id == turn_id))
            if row is None:
                row = FeedbackRow(turn_id=turn_id)
                session.add(row)
            row.rating, row.comment = rating, mask(comment) if comment else None

    @whole
    @repeated
    async def turn_of(self, channel: str, message_id: str) -> str | None:
        """Return the turn that a channel's message became, None if there is none."""
        async with self.database.transaction() as session:
            same = (TurnRow.channel == channel) & (TurnRow.message_id == message_id)
            return cast("str | None", await session.scalar(select(TurnRow.id).where(same)))

    @whole
    @repeated
    async def visitor_of(self, turn_id: str) -> str | None:
        """Return whose conversation a turn is in, None if it is nobody's; raises NotFound."""
        async with self.database.transaction() as session:
            turn = await session.run_sync(_get_turn, turn_id)
            return (await session.run_sync(_get_conversation, turn.conversation_id)).visitor

    @whole
    async def hand_off(self, conversation_id: str, reason: str, summary: str) -> bool:
        """Call a human for a conversation of the bot's; False if one was called before."""
        async with self.database.transaction() as session:
            await session.run_sync(_get_conversation, conversation_id)
            was_the_bots = (ConversationRow.id == conversation_id) & (ConversationRow.handoff == "bot")
            taken = await session.execute(update(ConversationRow).where(was_the_bots).values(handoff="waiting"))
            if not cast("CursorResult[Any]", taken).rowcount:  # somebody else called at the same moment, or before
                return False
            session.add(HandoffRow(conversation_id=conversation_id, reason=reason, summary=summary))
            announce(session, "conversation", conversation_id)
            return True

    @whole
    async def call_off(self, conversation_id: str) -> bool:
        """Give a conversation that waits for a human back to the bot; False if it does not wait, or not any more."""
        async with self.database.transaction() as session:
            waits = (ConversationRow.id == conversation_id) & (ConversationRow.handoff == "waiting")
            taken = await session.execute(update(ConversationRow).where(waits).values(handoff="bot"))
            if not cast("CursorResult[Any]", taken).rowcount:
                return False
            await mask_all(session, conversation_id)
            announce(session, "conversation", conversation_id)
            return True

    @whole
    @repeated
    async def check_owner(self, conversation_id: str, visitor: str | None) -> None:
        """Raise NotFound unless there is such a conversation, and it is this visitor's or nobody's."""
        async with self.database.transaction() as session:
            _check_owner(await session.run_sync(_get_conversation, conversation_id), visitor)

    @whole
    async def change_owner(self, visitor: str, owner: str) -> None:
        """Give a visitor's conversations to another, who must have been proven to be the same person."""
        same_age = {"updated_at": ConversationRow.updated_at}
        theirs = update(ConversationRow).where(ConversationRow.visitor == visitor)
        async with self.database.transaction() as session:
            await session.execute(theirs.values(visitor=owner, **same_age))


def _to_columns(answer: Answer) -> dict[str, Any]:
    return {
        "outcome": answer.outcome,
        "confidence": answer.confidence,
        "standalone": mask(answer.standalone) if answer.standalone else None,
        "answer": mask(answer.text),
        "language": answer.language,
        "candidates": [candidate.to_dict() for candidate in answer.candidates],
        "citations": [asdict(citation) for citation in answer.citations],
        "suggestions": [asdict(suggestion) for suggestion in answer.suggestions],
        "model": answer.model,
        "action": answer.action,
        "degraded": answer.degraded,
        "reused": answer.reused,
        "prompt_tokens": answer.usage.prompt,
        "cached_tokens": answer.usage.cached,
        "completion_tokens": answer.usage.completion,
        "search_ms": answer.timings.search_ms,
        "first_token_ms": answer.timings.first_token_ms,
        "total_ms": answer.timings.total_ms,
    }


def _begin(question: Question, session: Session) -> OpenTurn:
    repeated = _find_repeated(session, question)
    if repeated is not None:
        return _open_again(session, repeated, question.visitor)
    earlier: list[TurnRow] = []
    if question.conversation_id is None:
        conversation = ConversationRow(
            id=new_id(), channel=question.channel, bot=question.bot, visitor=question.visitor, handoff="bot"
        )
        session.add(conversation)
    else:
        conversation = _get_conversation(session, question.conversation_id, alone=True)
        _check_owner(conversation, question.visitor)
        if conversation.bot != question.bot:
            raise _no_conversation(conversation.id)
        conversation.updated_at = now()
        if conversation.handoff == "closed":  # the customer has more to ask: the bot is the first to answer again
            conversation.handoff = "bot"
        earlier = _recent(session, conversation.id)
    turn = TurnRow(
        id=new_id(),
        conversation_id=conversation.id,
        position=earlier[-1].position + 1 if earlier else 1,
        channel=question.channel,
        message_id=question.message_id,
        question=question.text if conversation.handoff in OF_PEOPLE else mask(question.text),
    )
    session.add(turn)
    if conversation.handoff in OF_PEOPLE:
        announce(session, "conversation", conversation.id)
    return _open(turn, conversation, earlier, None)


def _finish(answer: Answer, session: Session) -> None:
    session.execute(_FINISH, {"turn": answer.turn_id, **_to_columns(answer)})


def _open_again(session: Session, turn: TurnRow, visitor: str | None) -> OpenTurn:
    conversation = _get_conversation(session, turn.conversation_id)
    _check_owner(conversation, visitor)
    answered = _to_answer(turn, conversation) if turn.outcome else None
    earlier = _recent(session, conversation.id, before=turn.position)
    return _open(turn, conversation, earlier, answered)


def _open(
    turn: TurnRow, conversation: ConversationRow, earlier: Sequence[TurnRow], answered: Answer | None
) -> OpenTurn:
    misses = 0
    for previous in reversed(earlier):
        if previous.outcome not in MISSED:
            break
        misses += 1
    return OpenTurn(
        id=turn.id,
        conversation_id=conversation.id,
        history=tuple(_to_messages(earlier)),
        offered=tuple(Suggestion(**each) for each in earlier[-1].suggestions or []) if earlier else (),
        misses=misses,
        handoff=cast("HandoffState", conversation.handoff),
        language=earlier[-1].language if earlier else None,
        answered=answered,
    )


def _find_repeated(session: Session, question: Question) -> TurnRow | None:
    if question.message_id is None:
        return None
    return cast(
        "TurnRow | None",
        session.scalar(
            select(TurnRow).where(TurnRow.channel == question.channel, TurnRow.message_id == question.message_id)
        ),
    )


def _recent(session: Session, conversation_id: str, before: int | None = None) -> list[TurnRow]:
    query = select(TurnRow).where(TurnRow.conversation_id == conversation_id)
    if before is not None:
        query = query.where(TurnRow.position < before)
    rows = session.scalars(query.order_by(TurnRow.position.desc()).limit(HISTORY_TURNS))
    return list(rows)[::-1]


def _get_turn(session: Session, turn_id: str) -> TurnRow:
    turn = session.get(TurnRow, turn_id)
    if turn is None:
        raise NotFound(f"there is no turn {turn_id}")
    return turn


def _get_conversation(session: Session, conversation_id: str, *, alone: bool = False) -> ConversationRow:
    """Return a conversation; `alone` keeps others from it until the transaction ends, where the database can."""
    conversation = session.get(ConversationRow, conversation_id, with_for_update=alone or None)
    if conversation is None or conversation.emptied_at is not None:
        raise _no_conversation(conversation_id)
    return conversation


def _check_owner(conversation: ConversationRow, visitor: str | None) -> None:
    """To others, a visitor's conversation does not exist."""
    if conversation.visitor not in (None, visitor):
        raise _no_conversation(conversation.id)


def _no_conversation(conversation_id: str) -> NotFound:
    return NotFound(f"there is no conversation {conversation_id}")


def _to_messages(turns: Sequence[TurnRow]) -> list[Message]:
    messages = []
    for turn in turns:
        found = turn.candidates or []
        messages.append(Message("customer", turn.question, found[0]["question"] if found else None))
        if turn.answer:
            messages.append(Message("bot", turn.answer))
    return messages


def _to_answer(turn: TurnRow, conversation: ConversationRow) -> Answer:
    values: dict[str, Any] = {
        "outcome": turn.outcome,
        "text": turn.answer,
        "confidence": turn.confidence,
        "language": turn.language,
        "standalone": turn.standalone,
        "model": turn.model,
        "action": turn.action,
        "degraded": turn.degraded,
        "reused": turn.reused,
        "handoff": conversation.handoff,
    }
    return Answer(
        conversation_id=turn.conversation_id,
        turn_id=turn.id,
        citations=[Citation(**citation) for citation in turn.citations or []],
        suggestions=[Suggestion(**suggestion) for suggestion in turn.suggestions or []],
        timings=Timings(search_ms=turn.search_ms or 0, first_token_ms=turn.first_token_ms, total_ms=turn.total_ms or 0),
        usage=Usage(
            prompt=turn.prompt_tokens or 0,
            cached=turn.cached_tokens or 0,
            completion=turn.completion_tokens or 0,
        ),
        **values,
    )
