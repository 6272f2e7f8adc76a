"""The tables, as SQLAlchemy models; `migrations/` makes them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any, ClassVar
from uuid import uuid4

from sqlalchemy import (
    JSON,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    MetaData,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


def now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)


def new_id() -> str:
    """Return an identifier that cannot be guessed."""
    return uuid4().hex


class StorableText(TypeDecorator[str]):
    """Text without what no database can hold: zero characters and halves of characters."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Remove it on the way in, and from what is looked for."""
        return value if value is None else _UNSTORABLE.sub("", value)


class Moment(TypeDecorator[datetime]):
    """A time in UTC, also from SQLite, which forgets the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Give the zone back."""
        return value if value is None else value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """The parent of all tables."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: StorableText(),
        datetime: Moment(),
        dict[str, Any]: JSON(),
        list[Any]: JSON(),
    }


class KnowledgeBaseRow(Base):
    """A named set of entries; `current_release` is what customers are answered from."""

    __tablename__ = "knowledge_bases"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    current_release: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(default=now)


class EntryRow(Base):
    """An FAQ entry as it is being edited."""

    __tablename__ = "entries"
    __table_args__ = (UniqueConstraint("knowledge_base_id", "key"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    knowledge_base_id: Mapped[int] = mapped_column(ForeignKey("knowledge_bases.id", ondelete="CASCADE"))
    key: Mapped[str]
    question: Mapped[str]
    answer: Mapped[str]
    language: Mapped[str]
    tags: Mapped[list[Any]]
    status: Mapped[str]
    valid_from: Mapped[date | None]
    valid_until: Mapped[date | None]
    action: Mapped[str | None]
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)
    variants: Mapped[list[VariantRow]] = relationship(
        order_by="VariantRow.position", cascade="all, delete-orphan", lazy="selectin"
    )


class VariantRow(Base):
    """Another way in which customers put an entry's question."""

    __tablename__ = "variants"
    id: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("entries.id", ondelete="CASCADE"), index=True)
    position: Mapped[int]
    text: Mapped[str]


class ReleaseRow(Base):
    """An immutable published version of a knowledge base; numbered from 1 in each."""

    __tablename__ = "releases"
    __table_args__ = (UniqueConstraint("knowledge_base_id", "number"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    knowledge_base_id: Mapped[int] = mapped_column(ForeignKey("knowledge_bases.id", ondelete="CASCADE"))
    number: Mapped[int]
    content_hash: Mapped[str]
    created_by: Mapped[str | None]
    note: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=now)


class ReleaseEntryRow(Base):
    """One entry as it was published."""

    __tablename__ = "release_entries"
    id: Mapped[int] = mapped_column(primary_key=True)
    release_id: Mapped[int] = mapped_column(ForeignKey("releases.id", ondelete="CASCADE"), index=True)
    entry: Mapped[dict[str, Any]]


class EntryChangeRow(Base):
    """What an entry was before a change and after it; nothing before it was added, nothing after it was deleted."""

    __tablename__ = "entry_changes"
    __table_args__ = (Index("ix_entry_changes_entry", "knowledge_base_id", "key"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    knowledge_base_id: Mapped[int] = mapped_column(ForeignKey("knowledge_bases.id", ondelete="CASCADE"))
    key: Mapped[str]
    actor: Mapped[str]
    before: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    after: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    created_at: Mapped[datetime] = mapped_column(default=now)


class TestCaseRow(Base):
    """A question with the entry that should answer it, to be asked before every release."""

    __tablename__ = "test_cases"
    __table_args__ = (UniqueConstraint("knowledge_base_id", "question"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    knowledge_base_id: Mapped[int] = mapped_column(ForeignKey("knowledge_bases.id", ondelete="CASCADE"))
    question: Mapped[str]
    key: Mapped[str]


class ConversationRow(Base):
    """One customer's exchange; `handoff` says who owns it: bot, waiting, human (which `agent`) or closed.

    With a `visitor`, only that visitor may go on with it; without, whoever knows its identifier. One that was kept for
    long enough is emptied: its rows are counted, and say nothing any more; nobody can go on with it.
    """

    __tablename__ = "conversations"
    __table_args__ = (Index("ix_conversations_age", "emptied_at", "updated_at"),)
    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    channel: Mapped[str]
    bot: Mapped[str] = mapped_column(default="")
    visitor: Mapped[str | None] = mapped_column(index=True)
    handoff: Mapped[str] = mapped_column(default="bot")
    agent: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)
    emptied_at: Mapped[datetime | None]


class TurnRow(Base):
    """One question and its reply; `outcome` is empty while it is being answered. Personal data is masked."""

    __tablename__ = "turns"
    __table_args__ = (
        UniqueConstraint("channel", "message_id"),
        UniqueConstraint("conversation_id", "position"),
        Index("ix_turns_created_at", "created_at"),
    )
    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"))
    position: Mapped[int]
    channel: Mapped[str]
    message_id: Mapped[str | None]
    question: Mapped[str]
    standalone: Mapped[str | None]
    language: Mapped[str | None]
    outcome: Mapped[str | None]
    confidence: Mapped[float | None]
    answer: Mapped[str | None]
    candidates: Mapped[list[Any] | None]
    citations: Mapped[list[Any] | None]
    suggestions: Mapped[list[Any] | None]
    model: Mapped[str | None]
    action: Mapped[str | None]
    degraded: Mapped[bool] = mapped_column(default=False)
    reused: Mapped[bool] = mapped_column(default=False, server_default=false())
    prompt_tokens: Mapped[int | None]
    cached_tokens: Mapped[int | None]
    completion_tokens: Mapped[int | None]
    search_ms: Mapped[float | None]
    first_token_ms: Mapped[float | None]
    total_ms: Mapped[float | None]
    created_at: Mapped[datetime] = mapped_column(default=now)


class TrackerRow(Base):
    """What actions keep of a conversation: their slots, their events, and which of them asked something."""

    __tablename__ = "trackers"
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True)
    slots: Mapped[dict[str, Any]]
    events: Mapped[list[Any]]
    awaiting: Mapped[str | None]
    updated_at: Mapped[datetime]


class FeedbackRow(Base):
    """A customer's thumb; the last one for a turn counts."""

    __tablename__ = "feedback"
    id: Mapped[int] = mapped_column(primary_key=True)
    turn_id: Mapped[str] = mapped_column(ForeignKey("turns.id", ondelete="CASCADE"), unique=True)
    rating: Mapped[str]
    comment: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=now)


class HandoffRow(Base):
    """A call for a human, with the summary given to them.

    `told` holds, for each adapter that has told people, the position of the last turn that they know.
    """

    __tablename__ = "handoffs"
    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), index=True)
    reason: Mapped[str]
    summary: Mapped[str]
    told: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime] = mapped_column(default=now)


class MessageRow(Base):
    """What an agent did in a conversation: a reply to the customer, a note for colleagues, or a new state.

    `source` is the platform's identifier of what was written there: the same is never kept twice.
    """

    __tablename__ = "messages"
    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str]
    author: Mapped[str]
    text: Mapped[str]
    source: Mapped[str | None] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(default=now)


class ThreadRow(Base):
    """One customer in one place of a channel, and the conversation that they are in.

    `address` is what the connector needs to reach them; `delivered` the last of the agents' replies that did.
    """

    __tablename__ = "threads"
    __table_args__ = (UniqueConstraint("channel", "name"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[str]
    name: Mapped[str]
    address: Mapped[dict[str, Any]]
    conversation_id: Mapped[str | None] = mapped_column(ForeignKey("conversations.id", ondelete="SET NULL"), index=True)
    delivered: Mapped[int] = mapped_column(default=0)


class ReceivedRow(Base):
    """A message of a channel, from before it is acknowledged until its answer has arrived, and a while longer.

    Its `address` is where its own answer goes; its thread's is where its customer was last. Nobody else works on it
    before `due_at`, and for a while after it only the `replica` that took it. What it says is forgotten once it is
    `done_at`, for `failure` if that is not empty; that it was there is kept, so that it is not answered again.
    """

    __tablename__ = "received"
    __table_args__ = (UniqueConstraint("channel", "message_id"), Index("ix_received_open", "done_at", "due_at"))
    id: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[str]
    message_id: Mapped[str]
    thread_id: Mapped[int] = mapped_column(ForeignKey("threads.id", ondelete="CASCADE"), index=True)
    address: Mapped[dict[str, Any]]
    kind: Mapped[str]
    text: Mapped[str]
    sent: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    replica: Mapped[str | None]
    due_at: Mapped[datetime] = mapped_column(default=now)
    done_at: Mapped[datetime | None]
    failure: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=now)


class ChannelMemoryRow(Base):
    """A value that a connector keeps between runs."""

    __tablename__ = "channel_memory"
    channel: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[Any] = mapped_column(JSON())


class UserRow(Base):
    """Somebody who may log in to the console; the hash is argon2id's."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    role: Mapped[str]
    password_hash: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)
    failed_logins: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)


class SessionRow(Base):
    """A login, under a hash of the token that only the browser has."""

    __tablename__ = "sessions"
    token_hash: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    expires_at: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(default=now)


class ApiKeyRow(Base):
    """A program's key to the admin API, under its hash; the `prefix` is for people to tell it by."""

    __tablename__ = "api_keys"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    prefix: Mapped[str]
    key_hash: Mapped[str] = mapped_column(unique=True)
    scopes: Mapped[list[Any]]
    created_by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=now)
    last_used_at: Mapped[datetime | None]


class SettingRow(Base):
    """A setting that was changed in the console, as "section.name"."""

    __tablename__ = "settings"
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[Any] = mapped_column(JSON())


class SecretRow(Base):
    """A secret that was made here and that all replicas share."""

    __tablename__ = "secrets"
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


class RateLimitRow(Base):
    """When somebody who asks often will have the whole of their limit again; not logged on PostgreSQL."""

    __tablename__ = "rate_limits"
    key: Mapped[str] = mapped_column(primary_key=True)
    full_at: Mapped[datetime]


class RunningAnswerRow(Base):
    """An answer that a replica is making, or has just made, for the others; not logged on PostgreSQL.

    It belongs to that replica until `held_until`, unless renewed. Somebody reads it until `read_until`, perhaps
    elsewhere. `events` are what a stream has sent so far, name and data each, if more than the turn itself tells.
    """

    __tablename__ = "running_answers"
    id: Mapped[str] = mapped_column(primary_key=True)
    turn_id: Mapped[str | None] = mapped_column(index=True)
    visitor: Mapped[str | None]
    events: Mapped[list[Any]]
    held_until: Mapped[datetime]
    read_until: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class AuditRow(Base):
    """Who did what to which thing in the console."""

    __tablename__ = "audit"
    id: Mapped[int] = mapped_column(primary_key=True)
    actor: Mapped[str]
    action: Mapped[str]
    target: Mapped[str]
    details: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(default=now)


class ReviewedRow(Base):
    """A question, as its bare text, that somebody dealt with; only if it is asked again later is it shown again."""

    __tablename__ = "reviewed"
    id: Mapped[int] = mapped_column(primary_key=True)
    question: Mapped[str] = mapped_column(unique=True)
    action: Mapped[str]
    actor: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=now)
