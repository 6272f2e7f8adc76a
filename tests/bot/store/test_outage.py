"""A PostgreSQL that is stopped, started again, and loses its connections, while questions are asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from bot.errors import StoreUnavailable
from bot.question import Question
from bot.sections import DatabaseSettings
from bot.store.conversations import ConversationStore
from bot.store.database import Database
from bot.store.outage import repeated
from tests.bot.fakes import ask, make_desk
from tests.postgres import PostgresServer, running_postgres


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """Run a PostgreSQL of its own, which may be stopped."""
    with running_postgres(tmp_path_factory.getbasetemp().parent / "postgres.lock") as server:
        yield server


@pytest.fixture
def url(server: PostgresServer) -> Iterator[str]:
    with server.database(server.template) as url:
        yield url


@pytest.fixture
async def patient(url: str) -> AsyncIterator[Database]:
    database = Database(url, DatabaseSettings(wait_seconds=120))
    yield database
    await database.close()


async def asked_meanwhile(database: Database, until: asyncio.Event) -> list[str]:
    """Ask one question after the other; return the turns."""
    desk, turns, number = make_desk(database), [], 0
    while not until.is_set() or number < 3:
        number += 1
        answer, _ = await ask(desk, Question(text="怎么退货？", message_id=f"m-{id(until)}-{number}"))
        turns.append(answer.turn_id)
    return turns


async def test_questions_outlive_a_restart(patient: Database, server: PostgresServer) -> None:
    over = asyncio.Event()
    asking = [asyncio.create_task(asked_meanwhile(patient, over)) for _ in range(4)]
    for _ in range(2):
        await asyncio.sleep(0.3)
        await asyncio.to_thread(server.stop)
        await asyncio.sleep(0.3)
        await asyncio.to_thread(server.start)
    over.set()
    asked = [turn for turns in await asyncio.gather(*asking) for turn in turns]
    store = ConversationStore(patient)
    assert all([(await store.answer(turn)).text for turn in asked])
    desk = make_desk(patient)
    again, _ = await ask(desk, Question(text="怎么退货？", message_id=f"m-{id(over)}-1"))
    assert again.turn_id in asked


async def test_questions_outlive_that_all_connections_are_ended(patient: Database, server: PostgresServer) -> None:
    over = asyncio.Event()
    asking = [asyncio.create_task(asked_meanwhile(patient, over)) for _ in range(4)]
    for _ in range(5):
        await asyncio.sleep(0.1)
        ours = "application_name = 'frontdesk'"
        await asyncio.to_thread(server.execute, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {ours}")
    over.set()
    for turns in await asyncio.gather(*asking):
        for turn in turns:
            assert (await ConversationStore(patient).answer(turn)).text


async def test_a_database_that_stays_away_is_said_after_a_while(url: str, server: PostgresServer) -> None:
    database = Database(url, DatabaseSettings(wait_seconds=0.2))
    server.stop()
    try:
        with pytest.raises(StoreUnavailable, match="went away"):
            await ConversationStore(database).transcript("c")
    finally:
        server.start()
    await database.close()


async def test_a_statement_that_takes_too_long_is_given_up(url: str) -> None:
    database = Database(url, DatabaseSettings(statement_seconds=0.1))
    with pytest.raises(OperationalError, match="statement timeout"):
        async with database.transaction() as session:
            await session.execute(text("SELECT pg_sleep(60)"))
    await database.close()


async def test_more_requests_than_connections_take_turns(url: str) -> None:
    database = Database(url, DatabaseSettings(connections=4, wait_seconds=120))
    desk = make_desk(database)
    answers = await asyncio.gather(*(ask(desk, Question(text="怎么退货？")) for _ in range(20)))
    assert len({answer.turn_id for answer, _ in answers}) == 20
    await database.close()


@pytest.mark.parametrize(("outages", "is_done"), [(0, True), (1, True), (2, True), (3, False)])
async def test_a_method_is_begun_again_twice(outages: int, is_done: bool) -> None:
    left = iter(range(outages))

    @repeated
    async def method() -> str:
        if next(left, None) is not None:
            raise StoreUnavailable("away")
        return "done"

    if is_done:
        assert await method() == "done"
    else:
        with pytest.raises(StoreUnavailable, match="away"):
            await method()
