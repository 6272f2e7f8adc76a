"""Conversations that belong to people: who waits, what was said, who took over. In SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, cast

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from bot.errors import NotFound, NotYours
from bot.privacy import mask
from bot.question import HandoffState
from bot.store.database import Store, whole
from bot.store.news import announce
from bot.store.outage import repeated
from bot.store.tables import ConversationRow, HandoffRow, MessageRow, TurnRow, now

MessageKind = Literal["reply", "note", "state"]
MAX_LISTED = 200


@dataclass(frozen=True)
class InboxConversation:
    """A conversation as agents see it in a list."""

    id: str
    channel: str
    handoff: str
    agent: str | None
    reason: str | None
    summary: str | None
    waiting_since: datetime | None
    last_text: str
    last_at: datetime


@dataclass(frozen=True)
class Reply:
    """What an agent wrote to the customer."""

    id: int
    agent: str
    text: str
    at: datetime


@dataclass(frozen=True)
class TranscriptItem:
    """Something that was said, by the customer, the bot or an agent, or noted; `outcome` is the bot's."""

    who: Literal["customer", "bot", "agent", "note", "state"]
    name: str
    text: str
    at: datetime
    outcome: str | None = None


class InboxStore(Store):
    """Reads and changes what people do in conversations."""

    @whole
    @repeated
    async def conversations(self, states: Sequence[HandoffState]) -> list[InboxConversation]:
        """List the conversations in these states: first those that wait, longest first, then the liveliest."""
        query = (
            _with_latest_handoff()
            .where(ConversationRow.handoff.in_(states), ConversationRow.emptied_at.is_(None))
            .order_by(ConversationRow.handoff != "waiting", ConversationRow.updated_at.desc())
            .limit(MAX_LISTED)
        )
        async with self.database.transaction() as session:
            found = (await session.execute(query)).all()
            last_words = await _last_words(session, [conversation.id for conversation, _ in found])
            listed = [_listed(conversation, handoff, last_words) for conversation, handoff in found]
        waiting = [each for each in listed if each.handoff == "waiting"]
        waiting.sort(key=lambda each: each.waiting_since or each.last_at)
        return [*waiting, *(each for each in listed if each.handoff != "waiting")]

    @whole
    @repeated
    async def conversation(self, conversation_id: str) -> InboxConversation:
        """Return one conversation; raises NotFound."""
        async with self.database.transaction() as session:
            is_it = (ConversationRow.id == conversation_id) & ConversationRow.emptied_at.is_(None)
            query = _with_latest_handoff().where(is_it)
            found = (await session.execute(query)).one_or_none()
            if found is None:
                raise NotFound(f"there is no conversation {conversation_id}")
            conversation, handoff = found
            return _listed(conversation, handoff, await _last_words(session, [conversation_id]))

    @whole
    @repeated
    async def transcript(self, conversation_id: str) -> list[TranscriptItem]:
        """Return all that was said and noted, oldest first; raises NotFound."""
        async with self.database.transaction() as session:
            await _get(session, conversation_id)
            turns = await session.scalars(select(TurnRow).where(TurnRow.conversation_id == conversation_id))
            messages = await session.scalars(select(MessageRow).where(MessageRow.conversation_id == conversation_id))
            items = [item for turn in turns for item in _said(turn)]
            items += [_written(message) for message in messages]
        return sorted(items, key=lambda item: item.at)

    @whole
    async def take(self, conversation_id: str, agent: str, *, instead_of: str | None) -> None:
        """Give a conversation to an agent, if it still belongs to whom they saw it belong to.

        Raises:
            NotFound: there is no such conversation.
            NotYours: somebody else was faster.
        """
        async with self.database.transaction() as session:
            conversation = await _get(session, conversation_id, alone=True)
            if conversation.agent not in (instead_of, agent):
                raise NotYours(f"{conversation.agent or 'nobody'} has this conversation now")
            if (conversation.handoff, conversation.agent) != ("human", agent):
                enter(session, conversation, "human", agent)

    @whole
    async def release(self, conversation_id: str, agent: str, state: Literal["bot", "closed"]) -> None:
        """Give a conversation back to the bot, or close it; from then on its personal data is masked.

        Raises:
            NotFound: there is no such conversation.
            NotYours: a colleague has it, or no person has.
        """
        async with self.database.transaction() as session:
            conversation = await _get(session, conversation_id, alone=True)
            if conversation.agent not in (None, agent) or conversation.handoff not in ("waiting", "human"):
                raise NotYours(f"{conversation.agent or 'nobody'} has this conversation now")
            enter(session, conversation, state, agent)
            await mask_all(session, conversation_id)

    @whole
    async def reply(self, conversation_id: str, agent: str, text: str) -> None:
        """Write to the customer; raises NotFound, and NotYours unless the agent has the conversation."""
        async with self.database.transaction() as session:
            conversation = await _get(session, conversation_id, alone=True)
            if (conversation.handoff, conversation.agent) != ("human", agent):
                raise NotYours("take the conversation over before you reply")
            write(session, conversation, "reply", agent, text)

    @whole
    async def note(self, conversation_id: str, agent: str, text: str) -> None:
        """Write something for colleagues only; raises NotFound."""
        async with self.database.transaction() as session:
            write(session, await _get(session, conversation_id), "note", agent, text)

    @whole
    @repeated
    async def owner(self, conversation_id: str) -> tuple[HandoffState, str | None]:
        """Return whose a conversation is, and the agent's name; raises NotFound."""
        async with self.database.transaction() as session:
            conversation = await _get(session, conversation_id)
            return cast("HandoffState", conversation.handoff), conversation.agent

    @whole
    @repeated
    async def replies(self, conversation_id: str, after: int) -> list[Reply]:
        """List what agents wrote to the customer, from behind an identifier on."""
        query = select(MessageRow).where(
            MessageRow.conversation_id == conversation_id, MessageRow.id > after, MessageRow.kind == "reply"
        )
        async with self.database.transaction() as session:
            rows = await session.scalars(query.order_by(MessageRow.id))
            return [Reply(row.id, row.author, row.text, row.created_at) for row in rows]


def _with_latest_handoff() -> Select[ConversationRow, HandoffRow]:
    each = aliased(HandoffRow)
    latest = select(func.max(each.id)).where(each.conversation_id == ConversationRow.id).correlate(ConversationRow)
    return select(ConversationRow, HandoffRow).outerjoin(HandoffRow, HandoffRow.id == latest.scalar_subquery())


async def _get(session: AsyncSession, conversation_id: str, *, alone: bool = False) -> ConversationRow:
    conversation = await session.get(ConversationRow, conversation_id, with_for_update=alone or None)
    if conversation is None or conversation.emptied_at is not None:
        raise NotFound(f"there is no conversation {conversation_id}")
    return conversation


def enter(session: AsyncSession, conversation: ConversationRow, state: HandoffState, agent: str) -> None:
    """Put a conversation into a state, and write down who did."""
    conversation.handoff, conversation.agent = state, agent if state == "human" else None
    write(session, conversation, "state", agent, state)


def write(
    session: AsyncSession,
    conversation: ConversationRow,
    kind: MessageKind,
    agent: str,
    text: str,
    source: str | None = None,
) -> None:
    """Add what an agent wrote to a conversation, and have everybody look who follows it."""
    conversation.updated_at = now()
    session.add(MessageRow(conversation_id=conversation.id, kind=kind, author=agent, text=text, source=source))
    announce(session, "conversation", conversation.id)


async def mask_all(session: AsyncSession, conversation_id: str) -> None:
    """Hide the personal data that was in plain sight while a person needed it."""
    for turn in await session.scalars(select(TurnRow).where(TurnRow.conversation_id == conversation_id)):
        turn.question = mask(turn.question)
    for message in await session.scalars(select(MessageRow).where(MessageRow.conversation_id == conversation_id)):
        message.text = mask(message.text)


async def _last_words(session: AsyncSession, conversations: Sequence[str]) -> dict[str, tuple[datetime, str]]:
    """Return when and what the customer, or an agent, last wrote in each of some conversations."""
    turns = select(func.max(TurnRow.created_at)).where(TurnRow.conversation_id.in_(conversations))
    replies = select(func.max(MessageRow.id)).where(
        MessageRow.conversation_id.in_(conversations), MessageRow.kind == "reply"
    )
    asked = await session.scalars(
        select(TurnRow).where(
            TurnRow.conversation_id.in_(conversations),
            TurnRow.created_at.in_(turns.group_by(TurnRow.conversation_id)),
        )
    )
    replied = await session.scalars(
        select(MessageRow).where(MessageRow.id.in_(replies.group_by(MessageRow.conversation_id)))
    )
    last: dict[str, tuple[datetime, str]] = {}
    for conversation_id, said in [
        *((turn.conversation_id, (turn.created_at, turn.question)) for turn in asked),
        *((message.conversation_id, (message.created_at, message.text)) for message in replied),
    ]:
        last[conversation_id] = max(last.get(conversation_id, said), said)
    return last


def _listed(
    conversation: ConversationRow, handoff: HandoffRow | None, last_words: dict[str, tuple[datetime, str]]
) -> InboxConversation:
    last_at, last_text = last_words.get(conversation.id, (conversation.created_at, ""))
    return InboxConversation(
        id=conversation.id,
        channel=conversation.channel,
        handoff=conversation.handoff,
        agent=conversation.agent,
        reason=handoff.reason if handoff else None,
        summary=handoff.summary if handoff else None,
        waiting_since=handoff.created_at if handoff else None,
        last_text=last_text,
        last_at=last_at,
    )


def _said(turn: TurnRow) -> list[TranscriptItem]:
    items = [TranscriptItem("customer", "", turn.question, turn.created_at)]
    if turn.answer:
        answered_at = turn.created_at + timedelta(milliseconds=turn.total_ms or 0)
        offered = [f"- {each['question']}" for each in turn.suggestions or []]
        items.append(TranscriptItem("bot", "", "\n".join([turn.answer, *offered]), answered_at, turn.outcome))
    return items


def _written(message: MessageRow) -> TranscriptItem:
    who: dict[str, Literal["agent", "note", "state"]] = {"reply": "agent", "note": "note", "state": "state"}
    return TranscriptItem(who[message.kind], message.author, message.text, message.created_at)
