"""What channels receive until it is answered, whose it is, and what their connectors keep. In SQL."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, delete, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from bot.store.conversations import OF_PEOPLE
from bot.store.database import Store, whole
from bot.store.races import raced
from bot.store.tables import ConversationRow, MessageRow, ReceivedRow, ThreadRow, now
from connectors.base import Incoming, IncomingKind

LEASE = timedelta(seconds=15)
"""So long a message belongs to whoever took it up, unless they renew it: then they are dead, and another does."""

OWN = timedelta(seconds=5)
"""So much earlier than others the replica that took a message takes it up: it may hold the line it came over."""

PUT_OFF = timedelta(hours=1)
"""No message is put off for longer; one that is due later was written before the clock was set back, and is due."""

SAME_CONVERSATION = timedelta(hours=12)
"""After a longer silence the next message begins a new conversation."""

KEEP = timedelta(days=7)
"""So long a message that was answered is remembered, and not answered again."""


@dataclass(frozen=True)
class Received:
    """A message to be answered, taken up `attempts` times before; `sent` of its answer's messages have arrived."""

    id: int
    channel: str
    message_id: str
    thread_id: int
    thread: str
    address: Mapping[str, str]
    kind: IncomingKind
    text: str
    sent: int
    attempts: int
    created_at: datetime


@dataclass(frozen=True)
class UndeliveredReply:
    """What an agent wrote that has not reached the customer yet."""

    id: int
    conversation_id: str
    thread_id: int
    channel: str
    address: Mapping[str, str]
    text: str


class ChannelStore(Store):
    """Keeps what must not be lost between a platform's message and its answer."""

    @whole
    @raced
    async def receive(self, channel: str, incoming: Incoming) -> bool:
        """Keep a message to be answered; False if it came before."""
        same = (ReceivedRow.channel == channel) & (ReceivedRow.message_id == incoming.message_id)
        async with self.database.transaction() as session:
            if await session.scalar(select(ReceivedRow.id).where(same)) is not None:
                return False
            thread = await _enter_thread(session, channel, incoming)
            session.add(
                ReceivedRow(
                    channel=channel,
                    message_id=incoming.message_id,
                    thread_id=thread.id,
                    address=dict(incoming.address),
                    kind=incoming.kind,
                    text=incoming.text,
                    replica=self.database.replica,
                )
            )
        return True

    @whole
    async def claim(self, limit: int, working: Collection[int] = ()) -> list[Received]:
        """Take up messages that are due, the first of each thread only, for as long as LEASE.

        Those that another replica took are due a while later. Those that the caller is `working` on are not due,
        though their lease may have ended.
        """
        earlier = aliased(ReceivedRow)
        is_first = ~exists().where(
            earlier.thread_id == ReceivedRow.thread_id, earlier.id < ReceivedRow.id, earlier.done_at.is_(None)
        )
        is_ours = ReceivedRow.replica == self.database.replica
        is_due = (ReceivedRow.due_at <= now()) | (ReceivedRow.due_at > now() + PUT_OFF)
        query = (
            select(ReceivedRow, ThreadRow)
            .join(ThreadRow, ThreadRow.id == ReceivedRow.thread_id)
            .where(ReceivedRow.done_at.is_(None), is_due, is_first)
            .where(is_ours | ReceivedRow.replica.is_(None) | (ReceivedRow.due_at <= now() - OWN))
            .where(ReceivedRow.id.not_in(working))
            .order_by(ReceivedRow.id)
            .limit(limit)
        )
        async with self.database.transaction() as session:
            found = (await session.execute(query)).all()
            return [_to_received(row, thread) for row, thread in found if await _lease(session, row)]

    @whole
    async def renew(self, received: Received) -> None:
        """Keep a message for another LEASE."""
        await self._change(received, due_at=now() + LEASE)

    @whole
    async def mark_sent(self, received: Received, count: int) -> None:
        """Note that so many messages of the answer have arrived."""
        await self._change(received, sent=count)

    @whole
    async def try_later(self, received: Received, seconds: float) -> None:
        """Let a message be taken up again after a while."""
        await self._change(received, due_at=now() + min(timedelta(seconds=seconds), PUT_OFF))

    @whole
    async def leave(self, received: Received) -> None:
        """Let any replica take a message up, since this one stops."""
        await self._change(received, due_at=now(), replica=None)

    @whole
    async def finish(self, received: Received, failure: str | None = None) -> None:
        """Be done with a message, and forget what it said."""
        await self._change(received, done_at=now(), failure=failure, text="")

    @whole
    async def is_first(self, received: Received) -> bool:
        """Say whether nothing else came in a message's thread for a long while before it."""
        since = received.created_at - SAME_CONVERSATION
        earlier = select(ReceivedRow.id).where(
            ReceivedRow.thread_id == received.thread_id, ReceivedRow.id < received.id, ReceivedRow.created_at > since
        )
        async with self.database.transaction() as session:
            return await session.scalar(earlier.limit(1)) is None

    @whole
    @raced
    async def thread_of(self, channel: str, incoming: Incoming) -> int:
        """Return the thread of a message that is answered at once, without being kept."""
        async with self.database.transaction() as session:
            return (await _enter_thread(session, channel, incoming)).id

    @whole
    async def conversation_of(self, thread_id: int, bot: str = "") -> str | None:
        """Return the conversation with a bot that a thread's next message belongs to, None for a new one."""
        recent = ConversationRow.updated_at > now() - SAME_CONVERSATION
        query = select(ConversationRow.id).join(ThreadRow, ThreadRow.conversation_id == ConversationRow.id)
        query = query.where(ThreadRow.id == thread_id, ConversationRow.bot == bot)
        query = query.where(recent | ConversationRow.handoff.in_(OF_PEOPLE))
        async with self.database.transaction() as session:
            return cast("str | None", await session.scalar(query))

    @whole
    async def join(self, thread_id: int, conversation_id: str) -> None:
        """Put a thread into a conversation."""
        async with self.database.transaction() as session:
            thread = await session.get_one(ThreadRow, thread_id)
            thread.conversation_id = conversation_id

    @whole
    async def undelivered(self) -> list[UndeliveredReply]:
        """List what agents wrote that has not reached its customer, oldest first."""
        query = (
            select(MessageRow, ThreadRow)
            .join(ThreadRow, ThreadRow.conversation_id == MessageRow.conversation_id)
            .where(MessageRow.kind == "reply", MessageRow.id > ThreadRow.delivered)
            .order_by(MessageRow.id)
        )
        async with self.database.transaction() as session:
            return [
                UndeliveredReply(
                    message.id, message.conversation_id, thread.id, thread.channel, thread.address, message.text
                )
                for message, thread in await session.execute(query)
            ]

    @whole
    async def mark_delivered(self, reply: UndeliveredReply) -> None:
        """Note that an agent's reply, with all before it, has reached the customer."""
        async with self.database.transaction() as session:
            thread = await session.get_one(ThreadRow, reply.thread_id)
            thread.delivered = max(thread.delivered, reply.id)

    @whole
    async def address_of(self, conversation_id: str) -> tuple[str, Mapping[str, str]] | None:
        """Return the channel that a conversation is held on and the customer's address there, None on the web."""
        async with self.database.transaction() as session:
            thread = await session.scalar(select(ThreadRow).where(ThreadRow.conversation_id == conversation_id))
            return None if thread is None else (thread.channel, thread.address)

    @whole
    async def waiting(self) -> dict[str, int]:
        """Count, by channel, the messages whose answer has not arrived yet."""
        query = select(ReceivedRow.channel, func.count()).where(ReceivedRow.done_at.is_(None))
        async with self.database.transaction() as session:
            return dict((await session.execute(query.group_by(ReceivedRow.channel))).all())

    @whole
    async def forget_old(self) -> None:
        """Forget the messages that were answered long ago."""
        async with self.database.transaction() as session:
            await session.execute(delete(ReceivedRow).where(ReceivedRow.done_at < now() - KEEP))

    async def _change(self, received: Received, **values: Any) -> None:
        async with self.database.transaction() as session:
            await session.execute(update(ReceivedRow).where(ReceivedRow.id == received.id).values(**values))


async def _find_thread(session: AsyncSession, channel: str, name: str) -> ThreadRow | None:
    return cast(
        "ThreadRow | None",
        await session.scalar(select(ThreadRow).where(ThreadRow.channel == channel, ThreadRow.name == name)),
    )


async def _enter_thread(session: AsyncSession, channel: str, incoming: Incoming) -> ThreadRow:
    thread = await _find_thread(session, channel, incoming.thread)
    if thread is None:
        thread = ThreadRow(channel=channel, name=incoming.thread)
        session.add(thread)
    thread.address = dict(incoming.address)
    await session.flush()
    return thread


async def _lease(session: AsyncSession, row: ReceivedRow) -> bool:
    """Take a message, unless another process was faster."""
    unchanged = (ReceivedRow.id == row.id) & (ReceivedRow.due_at == row.due_at) & ReceivedRow.done_at.is_(None)
    lease = {"due_at": now() + LEASE, "attempts": row.attempts + 1}
    taken = await session.execute(
        update(ReceivedRow).where(unchanged).values(lease).execution_options(synchronize_session=False)
    )
    return bool(cast("CursorResult[Any]", taken).rowcount)


def _to_received(row: ReceivedRow, thread: ThreadRow) -> Received:
    return Received(
        id=row.id,
        channel=row.channel,
        message_id=row.message_id,
        thread_id=thread.id,
        thread=thread.name,
        address=row.address,
        kind=cast("IncomingKind", row.kind),
        text=row.text,
        sent=row.sent,
        attempts=row.attempts,
        created_at=row.created_at,
    )
