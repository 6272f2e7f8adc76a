"""What customers asked in the past, written straight into the log."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select

from bot.store.database import Database
from bot.store.tables import ConversationRow, FeedbackRow, MessageRow, TurnRow, new_id


@dataclass
class Past:
    """Puts turns into a database; the conversations begin as they are named."""

    database: Database

    async def asked(
        self,
        at: str | datetime,
        outcome: str | None = "direct",
        *,
        conversation: str | None = None,
        channel: str = "web",
        question: str = "怎么退货？",
        rating: str | None = None,
        **values: Any,
    ) -> None:
        """Add a turn at a moment, UTC unless it names its zone."""
        moment = at if isinstance(at, datetime) else datetime.fromisoformat(at)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        conversation = conversation or new_id()
        async with self.database.transaction() as session:
            if await session.get(ConversationRow, conversation) is None:
                session.add(ConversationRow(id=conversation, channel=channel, created_at=moment))
                await session.flush()
            earlier = select(func.count()).where(TurnRow.conversation_id == conversation)
            turn = TurnRow(
                id=new_id(),
                conversation_id=conversation,
                position=(await session.scalar(earlier) or 0) + 1,
                channel=channel,
                question=question,
                outcome=outcome,
                created_at=moment,
                **values,
            )
            session.add(turn)
            await session.flush()
            if rating:
                session.add(FeedbackRow(turn_id=turn.id, rating=rating))

    async def wrote(self, at: str | datetime, text: str, *, conversation: str, kind: str = "reply") -> None:
        """Add what an agent wrote, or how the conversation changed hands, at a moment."""
        moment = at if isinstance(at, datetime) else datetime.fromisoformat(at).replace(tzinfo=UTC)
        async with self.database.transaction() as session:
            row = MessageRow(conversation_id=conversation, kind=kind, author="王", text=text, created_at=moment)
            session.add(row)


@contextmanager
def server_in(zone: str) -> Iterator[None]:
    """Let the server stand in a time zone."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = zone
    time.tzset()
    try:
        yield
    finally:
        os.environ.pop("TZ")
        if before is not None:
            os.environ["TZ"] = before
        time.tzset()
