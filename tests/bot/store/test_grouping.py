from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable

import pytest
from sqlalchemy import event, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from bot.store.database import blocking_url
from bot.store.grouping import GroupCommit
from bot.store.tables import ConversationRow

Work = Callable[[Session], str]


@pytest.fixture
async def group(sqlite_url: str) -> AsyncIterator[GroupCommit]:
    group = GroupCommit(blocking_url(sqlite_url), _be_impatient)
    yield group
    await group.close()


@pytest.fixture
def other(sqlite_url: str) -> sqlite3.Connection:
    """Give another program's connection."""
    return sqlite3.connect(sqlite_url.removeprefix("sqlite+aiosqlite:///"), isolation_level=None)


def _be_impatient(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA busy_timeout=0")


def add(name: str) -> Work:
    def work(session: Session) -> str:
        session.add(ConversationRow(id=name, channel="api"))
        return name

    return work


def names(connection: sqlite3.Connection) -> list[str]:
    return [name for (name,) in connection.execute("SELECT id FROM conversations ORDER BY id")]


async def together(group: GroupCommit, *pieces: Work) -> list[str | BaseException]:
    """Do some work that arrives while other work is being done."""
    arrived = threading.Event()
    first = asyncio.create_task(group.do(lambda _: arrived.wait(30)))
    rest = [asyncio.create_task(group.do(piece)) for piece in pieces]
    await asyncio.sleep(0)
    arrived.set()
    assert await first
    return await asyncio.gather(*rest, return_exceptions=True)


async def test_what_is_done_is_there_for_everybody(group: GroupCommit, other: sqlite3.Connection) -> None:
    assert await group.do(add("a")) == "a"
    assert names(other) == ["a"]


async def test_what_waits_together_is_one_transaction(group: GroupCommit, other: sqlite3.Connection) -> None:
    committed: list[None] = []
    event.listen(Session, "after_commit", note := lambda _session: committed.append(None))
    assert await together(group, add("a"), add("b"), add("c")) == ["a", "b", "c"]
    event.remove(Session, "after_commit", note)
    assert names(other) == ["a", "b", "c"]
    assert len(committed) == 2


async def test_each_sees_what_those_before_it_did(group: GroupCommit) -> None:
    def look(session: Session) -> str:
        return ",".join(session.scalars(select(ConversationRow.id)))

    assert await together(group, add("a"), look, add("b"), look) == ["a", "a", "b", "a,b"]


async def test_who_fails_is_told_and_costs_the_others_nothing(group: GroupCommit, other: sqlite3.Connection) -> None:
    def fail(session: Session) -> str:
        session.add(ConversationRow(id="half", channel="api"))
        session.flush()
        raise ValueError("a mistake")

    first, failed, last = await together(group, add("a"), fail, add("b"))
    assert (first, last, names(other)) == ("a", "b", ["a", "b"])
    assert isinstance(failed, ValueError)


async def test_a_database_that_others_hold_fails_all_and_is_tried_again(
    group: GroupCommit, other: sqlite3.Connection
) -> None:
    await group.do(add("a"))
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(OperationalError):
        await group.do(add("b"))
    other.execute("COMMIT")
    await group.do(add("c"))
    assert names(other) == ["a", "c"]


async def test_closing_does_what_waits(group: GroupCommit, other: sqlite3.Connection) -> None:
    work = [asyncio.create_task(group.do(add(name))) for name in "abc"]
    await asyncio.sleep(0)
    await group.close()
    await asyncio.gather(*work)
    assert names(other) == ["a", "b", "c"]
