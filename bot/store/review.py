"""The questions that went wrong, and which of them somebody has dealt with, in SQL."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, takewhile
from operator import itemgetter
from typing import Literal, get_args

from sqlalchemy import ColumnElement, literal, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from bot.store.database import Store, whole
from bot.store.tables import ConversationRow, FeedbackRow, MessageRow, ReviewedRow, TurnRow, now

Kind = Literal["refused", "escalated", "clarify", "down"]
ReviewAction = Literal["ignore", "variant", "entry"]
KINDS: tuple[Kind, ...] = get_args(Kind)
MAX_MISSES = 20_000
"""Turns that are looked at, the newest first."""


@dataclass(frozen=True)
class Miss:
    """A question that went wrong, in one way or two, and what a person then wrote to the customer, if one did."""

    question: str
    kinds: tuple[Kind, ...]
    at: datetime
    agent_answer: str | None = None


class ReviewStore(Store):
    """Reads what went wrong, and remembers what was dealt with."""

    @whole
    async def misses(self, since: datetime, kind: Kind | None = None) -> list[Miss]:
        """List what went wrong since then, or went wrong in one way, newest first."""
        wrong = TurnRow.created_at >= since, or_(*(_went(each) for each in ([kind] if kind else KINDS)))
        turns = (
            select(TurnRow.question, TurnRow.outcome, FeedbackRow.rating, TurnRow.created_at, TurnRow.conversation_id)
            .outerjoin(FeedbackRow, FeedbackRow.turn_id == TurnRow.id)
            .where(*wrong)
            .order_by(TurnRow.created_at.desc())
            .limit(MAX_MISSES)
        )
        of_people = select(ConversationRow.id).join(TurnRow).outerjoin(FeedbackRow).where(*wrong)
        messages = (
            select(MessageRow.conversation_id, MessageRow.created_at, MessageRow.kind, MessageRow.text)
            .where(MessageRow.kind.in_(("reply", "state")), MessageRow.conversation_id.in_(of_people))
            .order_by(MessageRow.conversation_id, MessageRow.id)
        )
        to_the_bot = (
            select(TurnRow.conversation_id, TurnRow.created_at, literal("question"), TurnRow.question)
            .where(TurnRow.outcome != "handoff", TurnRow.conversation_id.in_(of_people))
            .where(TurnRow.conversation_id.in_(select(MessageRow.conversation_id).where(MessageRow.kind == "reply")))
        )
        async with self.database.transaction() as session:
            said = [*await session.execute(messages), *await session.execute(to_the_bot)]
            said.sort(key=itemgetter(0, 1))  # what was written at one moment stays in order
            people = {
                conversation: [(at, kind, text) for _, at, kind, text in rows]
                for conversation, rows in groupby(said, key=itemgetter(0))
            }
            return [
                Miss(question, _kinds(outcome, rating), at, _agent_answer(people.get(conversation, ()), at))
                for question, outcome, rating, at, conversation in await session.execute(turns)
            ]

    @whole
    async def reviewed(self, since: datetime) -> dict[str, datetime]:
        """Return the bare texts of the questions that somebody has dealt with since then, and when."""
        query = select(ReviewedRow.question, ReviewedRow.created_at).where(ReviewedRow.created_at >= since)
        async with self.database.transaction() as session:
            return {row.question: row.created_at for row in await session.execute(query)}

    @whole
    async def resolve(self, questions: Collection[str], action: ReviewAction, actor: str) -> None:
        """Note that questions, given as bare texts, have been dealt with now."""
        if not questions:
            return
        done = {"action": action, "actor": actor, "created_at": now()}
        rows = [{"question": question, **done} for question in sorted(set(questions))]
        async with self.database.transaction() as session:
            dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
            insert = dialect.insert(ReviewedRow)
            await session.execute(insert.on_conflict_do_update(index_elements=["question"], set_=done), rows)


def _went(kind: Kind) -> ColumnElement[bool]:
    return FeedbackRow.rating == "down" if kind == "down" else TurnRow.outcome == kind


def _kinds(outcome: str | None, rating: str | None) -> tuple[Kind, ...]:
    return tuple(kind for kind in KINDS if kind in (outcome, rating))


def _agent_answer(said: Iterable[tuple[datetime, str, str]], asked_at: datetime) -> str | None:
    """Return what the person who came after a question wrote until the conversation was given back or closed.

    None if the customer asked the bot something else before that: who knows which of the two they answered.
    """
    later = ((kind, text) for at, kind, text in said if at > asked_at)
    till_released = takewhile(lambda each: each[0] == "reply" or each == ("state", "human"), later)
    return "\n\n".join(text for kind, text in till_released if kind == "reply") or None
