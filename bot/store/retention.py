"""Emptying conversations that were kept for long enough, some at a time. In SQL."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import ColumnElement, Text, cast, delete, exists, func, select, text, update
from sqlalchemy.orm import Session

from bot.store.database import Store, whole
from bot.store.tables import (
    AuditRow,
    ChannelMemoryRow,
    ConversationRow,
    FeedbackRow,
    HandoffRow,
    MessageRow,
    ReceivedRow,
    ReviewedRow,
    ThreadRow,
    TrackerRow,
    TurnRow,
    now,
)

ERASED = "[erased]"
"""Stands in the audit log for what must not be read there any more."""

_RETENTION_LOCK = 4_207_002
"""Of PostgreSQL: of several replicas one empties at a time."""


class RetentionStore(Store):
    """Keeps the numbers of a conversation, and nothing that was said in it or tells whose it was."""

    @whole
    async def count_due(self, before: datetime) -> int:
        """Count the conversations in which nothing has happened since, and that are not empty."""
        query = select(func.count()).select_from(ConversationRow).where(*_is_due(before))
        async with self.database.transaction() as session:
            return await session.scalar(query) or 0

    @whole
    async def empty(self, before: datetime, limit: int) -> int:
        """Empty some of the conversations in which nothing has happened since; return how many.

        Of several processes one does so at a time; the others return 0.
        """
        return await self.database.together(partial(_empty_some, before, limit))

    @whole
    async def forget_reviewed(self, before: datetime) -> None:
        """Forget customers' words in what was reviewed before: the list of what is done, and the audit log."""
        await self.database.together(partial(_forget_reviewed, before))


def forget_for_good(session: Session) -> None:
    """Have SQLite write zeros over what is deleted on this connection; PostgreSQL's vacuum does so in its own time."""
    if session.get_bind().dialect.name == "sqlite":
        session.execute(text("PRAGMA secure_delete=ON"))


def is_about(session: Session, names: Collection[str]) -> ColumnElement[bool]:
    """Match what connectors keep under a name after the colon, such as a thread's, or keep as one, such as whose."""
    find = func.instr if session.get_bind().dialect.name == "sqlite" else func.strpos
    about = func.substr(ChannelMemoryRow.key, find(ChannelMemoryRow.key, ":") + 1).in_(names)
    return about | cast(ChannelMemoryRow.value, Text).in_([json.dumps(name) for name in names])


def _empty_some(before: datetime, limit: int, session: Session) -> int:
    if not _is_alone(session):
        return 0
    forget_for_good(session)
    due = select(ConversationRow.id).where(*_is_due(before)).order_by(ConversationRow.updated_at).limit(limit)
    conversations = list(session.scalars(due.with_for_update(skip_locked=True)))
    if conversations:
        _forget_places(session, conversations, before)
        _empty(session, conversations)
    return len(conversations)


def _is_alone(session: Session) -> bool:
    """Take the lock until the transaction ends, if nobody has it; SQLite has one writer anyway."""
    if session.get_bind().dialect.name != "postgresql":
        return True
    return bool(session.scalar(text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": _RETENTION_LOCK}))


def _is_due(before: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return ConversationRow.emptied_at.is_(None), ConversationRow.updated_at < before


def _forget_places(session: Session, conversations: Sequence[str], before: datetime) -> None:
    """Forget where customers were reached; those who have written since keep their place, and begin anew."""
    lively = exists().where(ReceivedRow.thread_id == ThreadRow.id, ReceivedRow.created_at >= before)
    threads = select(ThreadRow.id, ThreadRow.name).where(ThreadRow.conversation_id.in_(conversations), ~lively)
    idle = {row.id: row.name for row in session.execute(threads)}
    names = {*conversations, *idle.values(), *map(str, idle)}
    session.execute(delete(ChannelMemoryRow).where(is_about(session, names)))
    session.execute(delete(ThreadRow).where(ThreadRow.id.in_(idle)))
    left = update(ThreadRow).where(ThreadRow.conversation_id.in_(conversations))
    session.execute(left.values(conversation_id=None, delivered=0))


def _empty(session: Session, conversations: Sequence[str]) -> None:
    """Take out what was said and who said it, down to the channels' own identifiers."""
    turns = TurnRow.conversation_id.in_(conversations)
    messages = MessageRow.conversation_id.in_(conversations)
    of_turns = FeedbackRow.turn_id.in_(select(TurnRow.id).where(turns))
    silent = {"question": "", "answer": None, "standalone": None, "message_id": None}
    session.execute(update(FeedbackRow).where(of_turns).values(comment=None))
    session.execute(update(TurnRow).where(turns).values(silent))
    session.execute(delete(TrackerRow).where(TrackerRow.conversation_id.in_(conversations)))
    session.execute(update(HandoffRow).where(HandoffRow.conversation_id.in_(conversations)).values(summary=""))
    session.execute(delete(MessageRow).where(messages, MessageRow.kind == "note"))
    session.execute(update(MessageRow).where(messages, MessageRow.kind == "reply").values(text=""))
    session.execute(update(MessageRow).where(messages).values(author="", source=None))
    emptied = {"visitor": None, "agent": None, "handoff": "closed", "emptied_at": now()}
    done = update(ConversationRow).where(ConversationRow.id.in_(conversations))
    session.execute(done.values(**emptied, updated_at=ConversationRow.updated_at))


def _forget_reviewed(before: datetime, session: Session) -> None:
    forget_for_good(session)
    ignored = update(AuditRow).where(AuditRow.action == "review.ignore", AuditRow.target != ERASED)
    session.execute(delete(ReviewedRow).where(ReviewedRow.created_at < before))
    session.execute(ignored.where(AuditRow.created_at < before).values(target=ERASED))
