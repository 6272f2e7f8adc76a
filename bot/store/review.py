"""The questions that went wrong, and which of them somebody has dealt with, in SQL."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from bot.store.database import Store, whole
from bot.store.tables import FeedbackRow, ReviewedRow, TurnRow, now

Kind = Literal["refused", "escalated", "clarify", "down"]
ReviewAction = Literal["ignore", "variant", "entry"]
KINDS: tuple[Kind, ...] = get_args(Kind)
MAX_MISSES = 20_000
"""Turns that are looked at, the newest first."""


@dataclass(frozen=True)
class Miss:
    """A question that went wrong, in one way or two."""

    question: str
    kinds: tuple[Kind, ...]
    at: datetime


class ReviewStore(Store):
    """Reads what went wrong, and remembers what was dealt with."""

    @whole
    async def misses(self, since: datetime, kind: Kind | None = None) -> list[Miss]:
        """List what went wrong since then, or went wrong in one way, newest first."""
        query = (
            select(TurnRow.question, TurnRow.outcome, FeedbackRow.rating, TurnRow.created_at)
            .outerjoin(FeedbackRow, FeedbackRow.turn_id == TurnRow.id)
            .where(TurnRow.created_at >= since, or_(*(_went(each) for each in ([kind] if kind else KINDS))))
            .order_by(TurnRow.created_at.desc())
            .limit(MAX_MISSES)
        )
        async with self.database.transaction() as session:
            return [
                Miss(question, tuple(kind for kind in KINDS if kind in (outcome, rating)), at)
                for question, outcome, rating, at in await session.execute(query)
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
