"""What actions keep of a conversation, and its turns as they see them. In SQL."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from bot.actions.base import Event
from bot.actions.tracker import TrackerState
from bot.store.database import Store, whole
from bot.store.outage import repeated
from bot.store.tables import TrackerRow, TurnRow, now

AWAIT = timedelta(hours=1)
"""A customer who was asked something may answer for so long."""

PAST_TURNS = 20


class TrackerStore(Store):
    """Keeps the state of each conversation that has had an action."""

    @whole
    @repeated
    async def load(self, conversation_id: str) -> TrackerState:
        """Return what is kept of a conversation, which may be nothing."""
        async with self.database.transaction() as session:
            row = await session.get(TrackerRow, conversation_id)
            if row is None:
                return TrackerState()
            is_recent = row.updated_at > now() - AWAIT
            return TrackerState(dict(row.slots), list(row.events), row.awaiting if is_recent else None)

    @whole
    @repeated
    async def save(self, conversation_id: str, state: TrackerState) -> None:
        """Keep the state of a conversation."""
        async with self.database.transaction() as session:
            await session.merge(
                TrackerRow(
                    conversation_id=conversation_id,
                    slots=state.slots,
                    events=state.events,
                    awaiting=state.awaiting,
                    updated_at=now(),
                )
            )

    @whole
    @repeated
    async def past(self, conversation_id: str, before: str) -> list[Event]:
        """Return the turns before one as events of Rasa's, oldest first; personal data is masked in them."""
        query = (
            select(TurnRow)
            .where(TurnRow.conversation_id == conversation_id, TurnRow.id != before)
            .order_by(TurnRow.position.desc())
            .limit(PAST_TURNS)
        )
        async with self.database.transaction() as session:
            turns = list(await session.scalars(query))[::-1]
        events: list[Event] = []
        for turn, following in zip(turns, [*turns[1:], None], strict=False):
            asked = turn.created_at.timestamp()
            user = {"text": turn.question, "input_channel": turn.channel, "message_id": turn.id}
            events.append({"event": "user", "timestamp": asked, **user})
            if turn.answer:
                answered = asked + (turn.total_ms or 0) / 1_000  # by the clock of this process, not the database's
                answered = min(answered, following.created_at.timestamp()) if following else answered
                events.append({"event": "bot", "timestamp": answered, "text": turn.answer, "data": {}})
        return events
