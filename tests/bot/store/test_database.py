from __future__ import annotations

import asyncio

import pytest

from bot.question import Question
from bot.store.conversations import ConversationStore
from bot.store.database import Database


@pytest.mark.parametrize("steps", [1, 2, 3, 5, 10, 50])
async def test_what_was_begun_is_ended_though_the_caller_is_cancelled(database: Database, steps: int) -> None:
    store = ConversationStore(database)
    conversation = (await store.begin(Question(text="怎么退货？"))).conversation_id
    writing = asyncio.create_task(store.begin(Question(text="运费呢？", conversation_id=conversation)))
    for _ in range(steps):
        await asyncio.sleep(0)
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)  # it may have been done already
    await database.close()
    assert [message.text for message in await store.transcript(conversation)] == ["怎么退货？", "运费呢？"]


async def test_closing_waits_for_what_goes_on(database: Database) -> None:
    ended = asyncio.Event()

    async def work() -> None:
        await asyncio.sleep(0.01)
        ended.set()

    working = asyncio.create_task(database.to_the_end(work()))
    await asyncio.sleep(0)
    working.cancel()
    await database.close()
    assert ended.is_set()


async def test_what_fails_after_the_caller_left_disturbs_nobody(database: Database) -> None:
    async def work() -> None:
        await asyncio.sleep(0.01)
        raise ValueError

    working = asyncio.create_task(database.to_the_end(work()))
    await asyncio.sleep(0)
    working.cancel()
    await database.close()
