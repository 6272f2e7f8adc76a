from __future__ import annotations

import pytest

from bot.question import Answer, Outcome, Question
from bot.store.confidence import BINS, ConfidenceStore
from bot.store.conversations import ConversationStore
from bot.store.database import Database


async def log(
    store: ConversationStore, confidence: float | None, outcome: Outcome = "direct", rating: str = ""
) -> None:
    turn = await store.begin(Question(text="怎么退货？"))
    answer = Answer(
        conversation_id=turn.conversation_id, turn_id=turn.id, outcome=outcome, text="好", confidence=confidence
    )
    await store.finish(answer)
    if rating:
        await store.add_feedback(turn.id, rating, None)


@pytest.mark.parametrize(("confidence", "place"), [(0.0, 0), (0.049, 0), (0.05, 1), (0.85, 17), (1.0, BINS - 1)])
async def test_a_confidence_falls_into_its_bin(database: Database, confidence: float, place: int) -> None:
    await log(ConversationStore(database), confidence, rating="down")
    bins = await ConfidenceStore(database).bins()
    assert [number for number, each in enumerate(bins) if each.questions] == [place]
    assert (bins[place].start, bins[place].up, bins[place].down) == (place / BINS, 0, 1)


async def test_what_no_threshold_decided_is_left_out(database: Database) -> None:
    store = ConversationStore(database)
    await log(store, None)
    await log(store, 0.0, "handoff")
    assert sum(each.questions for each in await ConfidenceStore(database).bins()) == 0
