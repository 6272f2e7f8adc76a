"""What people do for customers on a platform's own pages, kept as if they had done it in the inbox. In SQL."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.store.conversations import OF_PEOPLE
from bot.store.database import Store, whole
from bot.store.inbox import enter, mask_all, write
from bot.store.tables import ConversationRow, MessageRow, ThreadRow


class ElsewhereStore(Store):
    """Follows what people of a platform do; each returns the conversation, None if nothing has changed."""

    @whole
    async def took(self, channel: str, thread: str, agent: str) -> str | None:
        """Give a thread's conversation to a person."""
        async with self.database.transaction() as session:
            conversation, _ = await _find(session, channel, thread)
            return _take(session, conversation, agent)

    @whole
    async def said(self, channel: str, thread: str, agent: str, text: str, source: str) -> str | None:
        """Keep what a person wrote; the customer has it already."""
        async with self.database.transaction() as session:
            conversation, row = await _find(session, channel, thread)
            if conversation is None or row is None or await _is_known(session, source):
                return None
            _take(session, conversation, agent)
            write(session, conversation, "reply", agent, text, source)
            await session.flush()
            last = select(func.max(MessageRow.id)).where(MessageRow.conversation_id == conversation.id)
            row.delivered = await session.scalar(last) or 0
            return conversation.id

    @whole
    async def says(self, conversation_id: str, agent: str, text: str, source: str) -> str | None:
        """Have a person write to a conversation's customer, whatever channel they are on; takes the conversation."""
        async with self.database.transaction() as session:
            conversation = await session.get(ConversationRow, conversation_id, with_for_update=True)
            if conversation is None or conversation.emptied_at is not None or await _is_known(session, source):
                return None
            _take(session, conversation, agent)
            write(session, conversation, "reply", agent, text, source)
            return conversation.id

    @whole
    async def leaves(self, conversation_id: str, agent: str, state: Literal["bot", "closed"]) -> str | None:
        """Give a conversation that people have back to the bot, or close it."""
        async with self.database.transaction() as session:
            conversation = await session.get(ConversationRow, conversation_id, with_for_update=True)
            return await _leave(session, conversation, agent, state)

    @whole
    async def left(self, channel: str, thread: str) -> str | None:
        """Give a thread's conversation back to the bot."""
        async with self.database.transaction() as session:
            conversation, _ = await _find(session, channel, thread)
            return await _leave(session, conversation, "", "bot")


async def _find(
    session: AsyncSession, channel: str, name: str
) -> tuple[ConversationRow, ThreadRow] | tuple[None, None]:
    row = await session.scalar(select(ThreadRow).where(ThreadRow.channel == channel, ThreadRow.name == name))
    if row is None or row.conversation_id is None:
        return None, None
    return await session.get_one(ConversationRow, row.conversation_id, with_for_update=True), row


async def _is_known(session: AsyncSession, source: str) -> bool:
    return await session.scalar(select(MessageRow.id).where(MessageRow.source == source)) is not None


def _take(session: AsyncSession, conversation: ConversationRow | None, agent: str) -> str | None:
    if conversation is None:
        return None
    if (conversation.handoff, conversation.agent) != ("human", agent):
        enter(session, conversation, "human", agent)
    return conversation.id


async def _leave(
    session: AsyncSession, conversation: ConversationRow | None, agent: str, state: Literal["bot", "closed"]
) -> str | None:
    if conversation is None or conversation.handoff not in OF_PEOPLE:
        return None
    enter(session, conversation, state, agent or conversation.agent or "")
    await mask_all(session, conversation.id)
    return conversation.id
