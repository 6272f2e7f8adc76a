from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import func, select

from bot.errors import NotFound
from bot.handoff import HandoffDesk, summarise
from bot.question import Message, Question
from bot.sections import HandoffSettings
from bot.store.conversations import ConversationStore
from bot.store.database import Database
from bot.store.tables import HandoffRow


async def test_a_call_is_kept_once_and_told_to_followers(conversations: ConversationStore, database: Database) -> None:
    desk = HandoffDesk(HandoffSettings(), conversations)
    conversation = (await conversations.begin(Question(text="转人工"))).conversation_id
    with desk.changes.follow(conversation) as follower:
        await follower.news()
        news = asyncio.create_task(follower.news())
        await desk.call(conversation, "asked")
        await asyncio.wait_for(news, 5)
    await desk.call(conversation, "asked")
    async with database.transaction() as session:
        assert await session.scalar(select(func.count()).select_from(HandoffRow)) == 1


async def test_calling_for_an_unknown_conversation_is_not_found(conversations: ConversationStore) -> None:
    with pytest.raises(NotFound):
        await HandoffDesk(HandoffSettings(), conversations).call("absent", "asked")


def test_a_summary_is_the_customers_last_questions_masked() -> None:
    said = [Message("customer", str(number)) for number in range(4)]
    transcript = [*said, Message("bot", "不算"), Message("customer", "我是13800138000")]
    assert summarise(transcript) == "2 / 3 / 我是[phone]"
