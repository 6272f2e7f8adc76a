"""The dispatcher while the database, a platform or an answer misbehaves."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from bot.channels import dispatch
from bot.channels.dispatch import Dispatcher
from bot.channels.opening import Channel
from bot.draining import Drain
from bot.errors import SendFailed, ServerStopping
from bot.logs import set_up_logging
from bot.question import Answer, Event, Question
from bot.store import channels
from bot.store.channels import ChannelStore
from bot.store.database import Database
from bot.store.tables import ReceivedRow, now
from connectors.base import Address, Connector, Incoming, Outgoing
from connectors.contract import answer, events_of
from tests.bot.fakes import make_desk

AWAY = OperationalError("x", {}, Exception("server closed the connection"))


class Post(Connector):
    """Keeps what is sent; fails as it is told to."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.again: list[str] = []
        self.failures: list[Exception] = []

    def from_answer(self, answer: Answer) -> list[Outgoing]:
        return self.from_text(answer.text)

    def from_text(self, text: str) -> list[Outgoing]:
        return [{"text": piece} for piece in text.split("|")]

    async def send(self, address: Address, message: Outgoing, message_id: str) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append(message["text"])

    async def send_again(self, address: Address, message: Outgoing, message_id: str) -> None:
        self.again.append(message["text"])
        await self.send(address, message, message_id)


class Office:
    """A dispatcher with one channel, and what its desk would answer."""

    def __init__(self, database: Database) -> None:
        self.store, self.post, self.asked = ChannelStore(database), Post(), 0
        self.answer, self.seconds = answer("好的"), 0.0
        self.refusal: Exception | None = None
        self.channel = Channel("post", "post", "", self.post)
        self.drain = Drain(5)
        desks = {"": make_desk(database)}
        self.dispatcher = Dispatcher({"post": self.channel}, self.store, desks, self._ask, self.drain)

    async def _ask(self, question: Question) -> AsyncGenerator[Event]:
        self.asked += 1
        await asyncio.sleep(self.seconds)
        if self.refusal is not None:
            raise self.refusal
        for event in events_of(self.answer)[1:]:
            yield event

    async def hears(self, message_id: str = "m-1") -> None:
        await self.dispatcher.take(
            self.channel, Incoming(message_id=message_id, thread="ann", address={}, text="怎么退货？")
        )

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        work = [asyncio.create_task(self.dispatcher.run()), asyncio.create_task(self.dispatcher.forget_old())]
        try:
            yield
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)

    async def until_done(self) -> None:
        await until(self.store.waiting, {})


@pytest.fixture
async def office(database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Office]:
    monkeypatch.setattr(dispatch, "POLL_SECONDS", 0.02)
    monkeypatch.setattr(dispatch, "DELAYS_SECONDS", (0.02,))
    database = Database(database_url)
    yield Office(database)
    await database.close()


@pytest.fixture
def _short_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (channels, dispatch):
        monkeypatch.setattr(module, "LEASE", timedelta(seconds=0.3))


async def until(asked: Callable[[], Any], wanted: object) -> None:
    async with asyncio.timeout(20):
        while await asked() != wanted:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)


def fails_once(monkeypatch: pytest.MonkeyPatch, name: str) -> list[int]:
    """Have a method of the store fail the first time; return how often it was called."""
    method, calls = getattr(ChannelStore, name), [0]

    async def failing(store: ChannelStore, *arguments: Any) -> Any:
        calls[0] += 1
        if calls[0] == 1:
            raise AWAY
        return await method(store, *arguments)

    monkeypatch.setattr(ChannelStore, name, failing)
    return calls


async def test_what_was_taken_is_answered_though_the_database_was_away(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    problems: list[str | None] = []
    claim = ChannelStore.claim

    async def claim_later(store: ChannelStore, *arguments: Any) -> Any:
        problems.append(office.dispatcher.problem)
        if len(problems) < 3:
            raise AWAY
        return await claim(store, *arguments)

    monkeypatch.setattr(ChannelStore, "claim", claim_later)
    await office.hears()
    async with office.open():
        await office.until_done()
    assert office.post.sent == ["好的"]
    assert problems[:3] == [None, *["what channels receive is not answered: OperationalError"] * 2]
    assert office.dispatcher.problem is None


@pytest.mark.usefixtures("_short_lease")
@pytest.mark.parametrize("name", ["forget_old", "finish", "try_later"])
async def test_a_database_that_fails_once_costs_nobody_an_answer(
    office: Office, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    calls = fails_once(monkeypatch, name)
    office.post.failures.append(SendFailed("away"))
    async with office.open():
        await office.hears()
        await office.until_done()
    assert calls[0] >= 1
    assert office.post.sent == ["好的"]


@pytest.mark.usefixtures("_short_lease")
async def test_a_lease_that_cannot_be_renewed_once_is_no_second_answer(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = fails_once(monkeypatch, "renew")
    office.seconds = 0.8
    async with office.open():
        await office.hears()
        await office.until_done()
    assert calls[0] >= 2
    assert (office.asked, office.post.sent) == (1, ["好的"])


@pytest.mark.usefixtures("_short_lease")
async def test_who_works_on_a_message_does_not_take_it_up_though_the_lease_has_ended(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def renew(*_: object) -> None:
        raise AWAY

    monkeypatch.setattr(ChannelStore, "renew", renew)
    office.seconds = 0.8
    async with office.open():
        await office.hears()
        await office.until_done()
    assert (office.asked, office.post.sent) == (1, ["好的"])


async def test_the_message_that_may_have_arrived_is_sent_as_a_repetition(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.answer = answer("一|二|三")
    mark_sent = ChannelStore.mark_sent

    async def mark_all_but_the_second(store: ChannelStore, received: Any, count: int) -> None:
        if count == 2 and not office.post.again:
            raise AWAY
        await mark_sent(store, received, count)

    monkeypatch.setattr(ChannelStore, "mark_sent", mark_all_but_the_second)
    async with office.open():
        await office.hears()
        await office.until_done()
    assert office.post.sent == ["一", "二", "二", "三"]
    assert office.post.again == ["二"]


@pytest.mark.parametrize("seconds", [7.0, 77.0, 777.0])
async def test_a_platform_says_itself_when_it_is_to_be_asked_again(
    office: Office, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    then = now() + timedelta(minutes=1)
    monkeypatch.setattr(channels, "now", lambda: then)
    office.post.failures.append(SendFailed("busy", seconds))
    await office.hears()
    async with office.open():
        await until(lambda: due(office), then + timedelta(seconds=seconds))
    assert office.post.sent == []


async def due(office: Office) -> Any:
    async with office.store.database.transaction() as session:
        return await session.scalar(select(ReceivedRow.due_at))


async def test_a_program_that_shall_stop_takes_nothing_up_and_ends_what_it_began(office: Office) -> None:
    office.seconds = 0.3
    async with office.open():
        await office.hears("m-1")
        await until(lambda: was_asked(office), True)
        office.drain.begin()
        await office.hears("m-2")
        await until(lambda: sent(office), ["好的"])
    assert office.asked == 1
    assert await office.store.waiting() == {"post": 1}
    assert office.drain.is_over


async def test_a_message_that_came_too_late_is_left_for_the_next_start(office: Office) -> None:
    office.refusal = ServerStopping("请几秒后再发一次。", 5)
    async with office.open():
        await office.hears()
        await until(lambda: was_asked(office), True)
        office.drain.begin()
    assert office.post.sent == []
    assert await office.store.waiting() == {"post": 1}


async def test_each_line_about_a_message_says_which_one_it_belongs_to(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logging("info", as_json=True)
    office.post.failures.append(SendFailed("away"))
    async with office.open():
        await office.hears()
        await office.until_done()
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert {line["request_id"] for line in lines if line["event"] == "an answer did not arrive"} == {"post-1"}


async def was_asked(office: Office) -> bool:
    return office.asked > 0


async def sent(office: Office) -> list[str]:
    return office.post.sent
