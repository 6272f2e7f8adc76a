"""The questions that went wrong, and which of them somebody has dealt with, in SQL."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast, get_args

from sqlalchemy import ColumnElement, delete, or_, select

from bot.store.database import Store, whole
from bot.store.tables import FeedbackRow, ReviewedRow, TurnRow
from knowledge.text import bare

Kind = Literal["refused", "escalated", "clarify", "down"]
ReviewAction = Literal["ignore", "variant", "entry"]
KINDS: tuple[Kind, ...] = get_args(Kind)
MAX_MISSES = 20_000
"""Turns that are looked at, the newest first."""


@dataclass(frozen=True)
class Miss:
    """A question that went wrong, in one or two ways; `bare` is its text without what does not tell it apart."""

    question: str
    bare: str
    kinds: tuple[Kind, ...]
    at: datetime


class ReviewStore(Store):
    """Reads what went wrong, and remembers what was dealt with."""

    @whole
    async def misses(self, since: datetime, kind: Kind | None = None) -> list[Miss]:
        """List what went wrong since then, newest first, without what was dealt with after it was asked."""
        query = (
            select(TurnRow.question, TurnRow.outcome, FeedbackRow.rating, TurnRow.created_at)
            .outerjoin(FeedbackRow, FeedbackRow.turn_id == TurnRow.id)
            .where(TurnRow.created_at >= since, or_(*(_is(each) for each in ([kind] if kind else KINDS))))
            .order_by(TurnRow.created_at.desc())
            .limit(MAX_MISSES)
        )
        reviewed = select(ReviewedRow.question, ReviewedRow.created_at).where(ReviewedRow.created_at >= since)
        async with self.database.transaction() as session:
            done = {question: at for question, at in await session.execute(reviewed)}
            rows = (await session.execute(query)).all()
        misses = [Miss(question, bare(question), _kinds(outcome, rating), at) for question, outcome, rating, at in rows]
        return [miss for miss in misses if miss.bare and not (miss.bare in done and miss.at <= done[miss.bare])]

    @whole
    async def resolve(self, questions: Collection[str], action: ReviewAction, actor: str) -> None:
        """Note that questions, given as bare texts, have been dealt with now."""
        async with self.database.transaction() as session:
            await session.execute(delete(ReviewedRow).where(ReviewedRow.question.in_(questions)))
            session.add_all(ReviewedRow(question=question, action=action, actor=actor) for question in questions)


def _is(kind: Kind) -> ColumnElement[bool]:
    return FeedbackRow.rating == "down" if kind == "down" else TurnRow.outcome == kind


def _kinds(outcome: str | None, rating: str | None) -> tuple[Kind, ...]:
    kinds = [outcome, rating]
    return tuple(cast("Kind", kind) for kind in kinds if kind in KINDS)
