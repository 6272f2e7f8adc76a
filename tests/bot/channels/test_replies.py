"""Agents' replies on their way: what has arrived is not sent again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bot.channels import replies
from bot.channels.opening import Channel
from bot.channels.replies import ReplyCourier
from bot.errors import SendFailed, SendHeld, SendRefused
from bot.live import Changes
from bot.question import Question
from bot.store.channels import ChannelStore
from bot.store.conversations import ConversationStore
from bot.store.database import Database
from bot.store.inbox import InboxStore
from bot.store.memory import MemoryStore
from connectors.base import Incoming
from tests.bot.channels.test_dispatch import Post, until


class Desk:
    """An agent who writes to one customer."""

    def __init__(self, database: Database) -> None:
        self.database, self.post, self.changes = database, Post(), Changes()
        self.store, self.inbox, self.memory = ChannelStore(database), InboxStore(database), MemoryStore(database)
        self.conversation = ""

    async def open(self) -> None:
        log = ConversationStore(self.database)
        self.conversation = (await log.begin(Question(text="转人工"))).conversation_id
        await self.store.receive("post", Incoming(message_id="m-1", thread="ann", address={}, text="转人工"))
        [received] = await self.store.claim(1)
        await self.store.join(received.thread_id, self.conversation)
        await log.hand_off(self.conversation, "asked", "")
        await self.inbox.take(self.conversation, "Olga", instead_of=None)

    async def writes(self, text: str) -> None:
        await self.inbox.reply(self.conversation, "Olga", text)
        self.changes.tell(self.conversation)

    @asynccontextmanager
    async def courier(self) -> AsyncIterator[None]:
        channels = {"post": Channel("post", "post", "", self.post)}
        courier = ReplyCourier(channels, self.store, self.memory, self.inbox, self.changes)
        task = asyncio.create_task(courier.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def desk(database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    monkeypatch.setattr(replies, "DELAYS_SECONDS", (0.02,))
    monkeypatch.setattr("bot.live.RECHECK_SECONDS", 0.05)
    database = Database(database_url)
    desk = Desk(database)
    await desk.open()
    yield desk
    await database.close()


async def test_a_reply_whose_second_piece_fails_goes_on_with_that(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_second(desk, SendFailed("away"), monkeypatch)
    async with desk.courier():
        await desk.writes("一|二|三")
        await until(desk.store.undelivered, [])
    assert desk.post.sent == ["一", "二", "三"]
    assert desk.post.again == ["二"]


async def test_what_has_begun_to_arrive_stays_as_it_is_after_a_restart(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_second(desk, SendHeld("later"), monkeypatch)
    await desk.writes("一|二")
    async with desk.courier():
        await until(lambda: length(desk.post.sent), 1)
    await desk.writes("三")
    async with desk.courier():
        await until(desk.store.undelivered, [])
    assert desk.post.sent == ["一", "二", "三"]


@pytest.mark.parametrize("failure", [SendFailed("away"), SendHeld("later")])
async def test_what_gathers_before_anything_arrives_is_one_message(desk: Desk, failure: Exception) -> None:
    desk.post.failures += [failure]
    await desk.writes("一")
    async with desk.courier():
        await until(lambda: length(desk.post.failures), 0)
    await desk.writes("二")
    async with desk.courier():
        await until(desk.store.undelivered, [])
    assert desk.post.sent in (["一\n\n二"], ["一", "二"])


async def test_what_is_refused_is_told_and_does_not_block_the_next(desk: Desk) -> None:
    desk.post.failures += [SendRefused("never")]
    await desk.writes("一")
    async with desk.courier():
        await until(desk.store.undelivered, [])
        await desk.writes("二")
        await until(desk.store.undelivered, [])
        await until(lambda: desk.memory.remembered("post", "replying:1"), None)
    assert desk.post.sent == ["二"]


def fail_second(desk: Desk, failure: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    send, failures = desk.post.send, [failure]

    async def failing(address: Any, message: Any, message_id: str) -> None:
        if desk.post.sent and failures:
            raise failures.pop()
        await send(address, message, message_id)

    monkeypatch.setattr(desk.post, "send", failing)


async def length(things: list[Any]) -> int:
    return len(things)
