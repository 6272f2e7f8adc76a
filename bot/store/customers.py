"""One customer's data: finding all of it, giving it out, and erasing it. In SQL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from typing import Any

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import DeclarativeBase, Session

from bot.errors import NotFound
from bot.store.database import Store, whole
from bot.store.retention import ERASED, forget_for_good, is_about
from bot.store.tables import (
    AuditRow,
    ChannelMemoryRow,
    ConversationRow,
    EntryRow,
    FeedbackRow,
    HandoffRow,
    KnowledgeBaseRow,
    MessageRow,
    ReceivedRow,
    ReviewedRow,
    RunningAnswerRow,
    ThreadRow,
    TrackerRow,
    TurnRow,
    VariantRow,
)
from bot.visitors import visitor_of_user
from knowledge.text import bare, clean

EXPORTED = "customer.exported"
ERASURE = "customer.erased"


@dataclass(frozen=True)
class Customer:
    """What is kept of a customer, in figures.

    `in_faq` names the entries, as "knowledge base/key", that have the customer's own words as question or variant:
    they are the company's now, and it is an editor's to change them.
    """

    visitors: list[str]
    channels: list[str]
    conversations: int
    turns: int
    messages: int
    threads: int
    first_at: datetime | None
    last_at: datetime | None
    in_faq: list[str]


@dataclass
class _Found:
    """Where a customer is: names of visitors, conversations, and threads of channels."""

    visitors: set[str]
    conversations: set[str] = field(default_factory=set)
    threads: dict[int, ThreadRow] = field(default_factory=dict)
    messages: set[str] = field(default_factory=set)

    @property
    def names(self) -> set[str]:
        """Everything that stands for the customer somewhere; `messages` are the platforms' own identifiers."""
        of_threads = {name for thread in self.threads.values() for name in (thread.name, str(thread.id))}
        return self.visitors | self.conversations | self.messages | of_threads

    @property
    def size(self) -> int:
        """It only grows."""
        return len(self.visitors) + len(self.conversations) + len(self.threads)


class CustomerStore(Store):
    """Finds a customer by what stands for them.

    That is a visitor, a user's id that the company's site has vouched for, a conversation, or a name on a channel:
    the thread's, or its last part, which on most platforms is the user. Whoever is found is wholly found: all
    conversations of the same visitor, and of the same thread.
    """

    @whole
    async def customer(self, name: str) -> Customer:
        """Count what is kept of a customer; raises NotFound."""
        async with self.database.transaction() as session:
            return await session.run_sync(partial(_describe, name))

    @whole
    async def export(self, name: str) -> dict[str, Any]:
        """Return all that is kept of a customer, ready for JSON, by table; raises NotFound."""
        async with self.database.transaction() as session:
            return await session.run_sync(partial(_export, name))

    @whole
    async def erase(self, name: str, actor: str) -> Customer:
        """Delete all that is kept of a customer, in one transaction, and write down that it was done, not whose it was.

        Raises:
            NotFound: there is nothing.
        """
        erased = await self.database.together(partial(_erase, name, actor))
        await self.database.write_through()
        return erased

    @whole
    async def last_erasure(self, after: int) -> int:
        """Return the audit log's number of the last erasure, `after` if there was none since."""
        query = select(func.max(AuditRow.id)).where(AuditRow.id > after, AuditRow.action == ERASURE)
        async with self.database.transaction() as session:
            return await session.scalar(query) or after


def _find(name: str, session: Session) -> _Found:
    found, size = _Found({name, visitor_of_user(name)}), 0
    named = or_(ThreadRow.name == name, ThreadRow.name.endswith(f":{name}", autoescape=True))
    while found.size != size:
        size = found.size
        conversations = or_(
            ConversationRow.visitor.in_(found.visitors), ConversationRow.id.in_([name, *found.conversations])
        )
        for conversation in session.scalars(select(ConversationRow).where(conversations)):
            found.conversations.add(conversation.id)
            found.visitors |= {conversation.visitor} if conversation.visitor else set()
        places = (ThreadRow.channel + ":" + ThreadRow.name).in_(found.visitors)
        threads = or_(named, places, ThreadRow.conversation_id.in_(found.conversations))
        for thread in session.scalars(select(ThreadRow).where(threads)):
            found.threads[thread.id] = thread
            found.visitors.add(f"{thread.channel}:{thread.name}")
            found.conversations |= {thread.conversation_id} if thread.conversation_id else set()
    if not found.conversations and not found.threads:
        raise NotFound("nothing is kept of such a customer")
    received = select(ReceivedRow.message_id).where(ReceivedRow.thread_id.in_(found.threads))
    of_turns = TurnRow.conversation_id.in_(found.conversations) & TurnRow.message_id.is_not(None)
    found.messages = {*session.scalars(received), *session.scalars(select(TurnRow.message_id).where(of_turns))}
    return found


def _describe(name: str, session: Session) -> Customer:
    return _count(session, _find(name, session))


def _count(session: Session, found: _Found) -> Customer:
    of_theirs = ConversationRow.id.in_(found.conversations)
    conversations = session.scalars(select(ConversationRow).where(of_theirs)).all()
    turns, messages = (
        session.scalar(select(func.count()).select_from(row).where(row.conversation_id.in_(found.conversations))) or 0
        for row in (TurnRow, MessageRow)
    )
    seen = {conversation.visitor for conversation in conversations if conversation.visitor}
    return Customer(
        visitors=sorted(seen | {f"{thread.channel}:{thread.name}" for thread in found.threads.values()}),
        channels=sorted({each.channel for each in conversations} | {each.channel for each in found.threads.values()}),
        conversations=len(conversations),
        turns=turns,
        messages=messages,
        threads=len(found.threads),
        first_at=min((conversation.created_at for conversation in conversations), default=None),
        last_at=max((conversation.updated_at for conversation in conversations), default=None),
        in_faq=_in_faq(session, _questions(session, found)),
    )


def _export(name: str, session: Session) -> dict[str, Any]:
    found = _find(name, session)
    turns = session.scalars(_of(TurnRow, found).order_by(TurnRow.created_at, TurnRow.position)).all()
    rated = FeedbackRow.turn_id.in_([turn.id for turn in turns])
    reviewed = ReviewedRow.question.in_({bare(turn.question) for turn in turns})
    received = select(ReceivedRow).where(ReceivedRow.thread_id.in_(found.threads)).order_by(ReceivedRow.id)
    memory = select(ChannelMemoryRow).where(is_about(session, found.names))
    conversations = select(ConversationRow).where(ConversationRow.id.in_(found.conversations))
    return {
        "conversations": _plain(session.scalars(conversations.order_by(ConversationRow.created_at))),
        "turns": _plain(turns),
        "feedback": _plain(session.scalars(select(FeedbackRow).where(rated))),
        "messages": _plain(session.scalars(_of(MessageRow, found).order_by(MessageRow.id))),
        "handoffs": _plain(session.scalars(_of(HandoffRow, found).order_by(HandoffRow.id))),
        "trackers": _plain(session.scalars(_of(TrackerRow, found))),
        "threads": _plain(found.threads.values()),
        "received": _plain(session.scalars(received)),
        "channel_memory": _plain(session.scalars(memory)),
        "reviewed": _plain(session.scalars(select(ReviewedRow).where(reviewed))),
        "in_faq": _in_faq(session, {turn.question for turn in turns}),
    }


def _erase(name: str, actor: str, session: Session) -> Customer:
    found = _find(name, session)
    customer, questions = _count(session, found), _questions(session, found)
    forget_for_good(session)
    _forget_elsewhere(session, found, name, questions)
    session.execute(delete(ThreadRow).where(ThreadRow.id.in_(found.threads)))
    session.execute(delete(ConversationRow).where(ConversationRow.id.in_(found.conversations)))
    counts = {"conversations": customer.conversations, "turns": customer.turns, "threads": customer.threads}
    session.add(AuditRow(actor=actor, action=ERASURE, target=ERASED, details=counts))
    return customer


def _forget_elsewhere(session: Session, found: _Found, name: str, questions: set[str]) -> None:
    """Forget what no conversation has with it: reviews, the audit log, and what connectors keep."""
    others = select(TurnRow.question).where(
        TurnRow.question.in_(questions), TurnRow.conversation_id.not_in(found.conversations)
    )
    theirs = {bare(question) for question in questions} - {bare(question) for question in session.scalars(others)}
    session.execute(delete(ReviewedRow).where(ReviewedRow.question.in_(theirs)))
    told = or_(
        AuditRow.target.in_({*found.names, name}),
        AuditRow.action.like("review.%") & AuditRow.target.in_({question[:200] for question in questions}),
    )
    session.execute(update(AuditRow).where(told).values(target=ERASED))
    session.execute(delete(ChannelMemoryRow).where(is_about(session, found.names)))
    turns = select(TurnRow.id).where(TurnRow.conversation_id.in_(found.conversations))
    theirs_running = RunningAnswerRow.visitor.in_(found.visitors) | RunningAnswerRow.turn_id.in_(turns)
    session.execute(delete(RunningAnswerRow).where(theirs_running))


def _questions(session: Session, found: _Found) -> set[str]:
    of_theirs = TurnRow.conversation_id.in_(found.conversations)
    return set(session.scalars(select(TurnRow.question).where(of_theirs))) - {""}


def _in_faq(session: Session, questions: set[str]) -> list[str]:
    """Name the entries that were given a customer's own words."""
    words = questions | {clean(question) for question in questions}
    as_variant = select(VariantRow.entry_id).where(VariantRow.text.in_(words))
    query = (
        select(KnowledgeBaseRow.name, EntryRow.key)
        .join(EntryRow, EntryRow.knowledge_base_id == KnowledgeBaseRow.id)
        .where(or_(EntryRow.question.in_(words), EntryRow.id.in_(as_variant)))
    )
    return [f"{base}/{key}" for base, key in session.execute(query.order_by(KnowledgeBaseRow.name, EntryRow.key))]


def _of(row: type[Any], found: _Found) -> Any:
    return select(row).where(row.conversation_id.in_(found.conversations))


def _plain(rows: Iterable[DeclarativeBase] | Sequence[DeclarativeBase]) -> list[dict[str, Any]]:
    return [{column.key: _json(getattr(row, column.key)) for column in row.__table__.columns} for row in rows]


def _json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, (date, datetime)) else value
