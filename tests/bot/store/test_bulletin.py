from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.question import Question
from bot.store import bulletin
from bot.store.bulletin import Bulletin
from bot.store.conversations import ConversationStore
from bot.store.database import Database
from bot.store.inbox import InboxStore
from bot.store.knowledge import KnowledgeStore
from bot.store.news import announce
from bot.store.settings import SettingStore
from tests.bot.fakes import RETURNS
from tests.postgres import PostgresServer


class Heard:
    """What one replica has heard."""

    def __init__(self) -> None:
        self._news: asyncio.Queue[tuple[str, str]] = asyncio.Queue()

    async def next(self) -> tuple[str, str]:
        async with asyncio.timeout(60):
            return await self._news.get()

    def hear(self, topic: str, about: str) -> None:
        self._news.put_nowait((topic, about))


@pytest.fixture
async def heard(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Heard]:
    """Give what another replica hears, once it listens."""
    monkeypatch.setattr(bulletin, "AGAIN_SECONDS", 0.05)
    heard, database = Heard(), Database(postgres_url)
    hearers = {
        "conversation": lambda about: heard.hear("conversation", about),
        "release": lambda about: heard.hear("release", about),
        "settings": lambda about: heard.hear("settings", about),
    }
    following = asyncio.create_task(Bulletin(database, hearers).follow())  # type: ignore[arg-type]
    assert [await heard.next() for _ in hearers] == [("conversation", ""), ("release", ""), ("settings", "")]
    yield heard
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    await database.close()


@pytest.fixture
async def here(postgres_url: str) -> AsyncIterator[Database]:
    database = Database(postgres_url)
    yield database
    await database.close()


async def test_what_a_replica_does_is_heard_by_the_others(heard: Heard, here: Database) -> None:
    await SettingStore(here).change({"bot.name": "小青"})
    assert await heard.next() == ("settings", "")
    store = KnowledgeStore(here)
    await store.upsert("shop", [RETURNS])
    for publishing in (store.publish("shop"), store.restore("shop", 1)):
        await publishing
        assert await heard.next() == ("release", "shop")
    conversations, inbox = ConversationStore(here), InboxStore(here)
    conversation = (await conversations.begin(Question(text="人工"))).conversation_id
    await conversations.hand_off(conversation, "asked", "人工")
    await inbox.take(conversation, "Olga", instead_of=None)
    await inbox.reply(conversation, "Olga", "您好")
    await conversations.begin(Question(text="在吗", conversation_id=conversation))
    assert {await heard.next() for _ in range(4)} == {("conversation", conversation)}


async def test_what_is_not_committed_is_not_heard(heard: Heard, here: Database) -> None:
    async def fail() -> None:
        async with here.transaction() as session:
            announce(session, "release", "shop")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    await SettingStore(here).change({"bot.name": "小青"})
    assert await heard.next() == ("settings", "")


async def test_after_an_interruption_everything_is_looked_at(
    heard: Heard, here: Database, postgres_server: PostgresServer
) -> None:
    listening = "query = 'LISTEN frontdesk' OR query = 'SELECT 1'"
    postgres_server.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {listening}")
    assert {(await heard.next())[1] for _ in range(3)} == {""}
    await SettingStore(here).change({"bot.name": "小青"})
    assert await heard.next() == ("settings", "")


async def test_of_replicas_that_do_the_same_one_does_it_at_a_time(postgres_url: str) -> None:
    databases, working, most = [Database(postgres_url) for _ in range(3)], 0, 0

    async def work(database: Database) -> None:
        nonlocal working, most
        async with database.alone("work"):
            working += 1
            most = max(most, working)
            await asyncio.sleep(0.05)
            working -= 1

    await asyncio.gather(*(work(database) for database in databases))
    assert most == 1
    for database in databases:
        await database.close()
