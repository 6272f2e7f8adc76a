"""How sure the bot was, and how its answers were rated, in SQL."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from bot.store.database import Store, whole
from bot.store.tables import FeedbackRow, TurnRow

BINS = 20
LATEST = 5_000
"""So many of the latest questions are looked at."""


@dataclass
class ConfidenceBin:
    """The questions whose confidence was at least `start` and below `end`; the last bin includes 1."""

    start: float
    end: float
    questions: int = 0
    up: int = 0
    down: int = 0


class ConfidenceStore(Store):
    """Reads the log for whoever sets thresholds."""

    @whole
    async def bins(self) -> list[ConfidenceBin]:
        """Return BINS bins of equal width, from confidence 0 to 1."""
        query = (
            select(TurnRow.confidence, FeedbackRow.rating)
            .outerjoin(FeedbackRow, FeedbackRow.turn_id == TurnRow.id)
            .where(TurnRow.confidence.is_not(None), TurnRow.outcome != "handoff")
            .order_by(TurnRow.created_at.desc())
            .limit(LATEST)
        )
        bins = [ConfidenceBin(number / BINS, (number + 1) / BINS) for number in range(BINS)]
        async with self.database.transaction() as session:
            for confidence, rating in await session.execute(query):
                found = bins[min(BINS - 1, int((confidence or 0) * BINS))]
                found.questions += 1
                found.up += rating == "up"
                found.down += rating == "down"
        return bins
