"""Calls for a human that are still open, and who has been told of them. In SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select

from bot.question import Message
from bot.store.conversations import OF_PEOPLE
from bot.store.database import Store, whole
from bot.store.tables import ConversationRow, HandoffRow, TurnRow, now

OPEN_FOR = timedelta(days=1)
"""A call that is older, and still nobody knows, is for the inbox alone."""


@dataclass(frozen=True)
class Said:
    """What a customer wrote, at its place in the conversation, and what the bot answered."""

    position: int
    question: str
    answer: str | None


@dataclass(frozen=True)
class OpenCall:
    """A conversation that waits for a person or has one; `told` holds for whom it knows the last position."""

    id: int
    conversation_id: str
    channel: str
    reason: str
    summary: str
    told: Mapping[str, int]
    said: Sequence[Said]

    @property
    def transcript(self) -> list[Message]:
        """What was said, oldest first."""
        messages: list[Message] = []
        for said in self.said:
            messages.append(Message("customer", said.question))
            if said.answer:
                messages.append(Message("bot", said.answer))
        return messages

    @property
    def last(self) -> int:
        """The position of what was said last."""
        return self.said[-1].position if self.said else 0


class HandoffStore(Store):
    """Reads open calls, and notes who knows."""

    @whole
    async def open_calls(self) -> list[OpenCall]:
        """List the calls of conversations that people have or should have, the latest of each conversation."""
        latest = select(func.max(HandoffRow.id)).group_by(HandoffRow.conversation_id)
        query = (
            select(HandoffRow, ConversationRow)
            .join(ConversationRow, ConversationRow.id == HandoffRow.conversation_id)
            .where(HandoffRow.id.in_(latest), HandoffRow.created_at > now() - OPEN_FOR)
            .where(ConversationRow.handoff.in_(OF_PEOPLE))
        )
        async with self.database.transaction() as session:
            found = (await session.execute(query.order_by(HandoffRow.id))).all()
            said: dict[str, list[Said]] = {conversation.id: [] for _, conversation in found}
            turns = select(TurnRow).where(TurnRow.conversation_id.in_(said)).order_by(TurnRow.position)
            for turn in await session.scalars(turns):
                said[turn.conversation_id].append(Said(turn.position, turn.question, turn.answer))
            return [
                OpenCall(
                    call.id,
                    conversation.id,
                    conversation.channel,
                    call.reason,
                    call.summary,
                    call.told,
                    said[conversation.id],
                )
                for call, conversation in found
            ]

    @whole
    async def mark_told(self, call_id: int, adapter: str, position: int) -> None:
        """Note that people know of a call, and what was said up to a position."""
        async with self.database.transaction() as session:
            row = await session.get_one(HandoffRow, call_id, with_for_update=True)
            row.told = {**row.told, adapter: position}
