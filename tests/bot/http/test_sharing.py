"""Two replicas' running answers on one PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass

import pytest

import bot.http.running
import bot.http.sharing
import bot.store.running
from bot.draining import Drain
from bot.errors import NotFound
from bot.http.running import RunningAnswer, RunningAnswers
from bot.http.shapes import ServerEvents
from bot.http.sharing import SharedAnswers
from bot.question import Answer, Finished, Question
from bot.store.database import Database
from bot.store.running import RunningStore
from tests.bot.fakes import ScriptedModel, StubKnowledge, make_desk

SAID = ("签收后7天内可以，", "申请退货，", "运费12元由买家承担。")
QUESTION = Question(text="退货有什么规定？", message_id="m-1", channel="web", visitor="v-1")


@dataclass
class Replica:
    """One process, but for its HTTP."""

    answers: RunningAnswers
    local: ScriptedModel
    knowledge: StubKnowledge
    work: list[asyncio.Task[None]]

    async def die(self) -> None:
        """Stop telling others anything, as a process that was killed."""
        for task in self.work:
            task.cancel()
        await asyncio.gather(*self.work, return_exceptions=True)


@asynccontextmanager
async def replica(url: str, goes_on: asyncio.Event) -> AsyncIterator[Replica]:
    database, knowledge = Database(url), StubKnowledge(0.6)
    local = ScriptedModel(*SAID[:2], goes_on, SAID[2])
    desk = make_desk(database, knowledge, local=local)
    answers = RunningAnswers({"": desk}, Drain(0), shared=SharedAnswers(RunningStore(database)))
    tasks = [asyncio.create_task(answers.share()), asyncio.create_task(answers.give_up_unread())]
    made = Replica(answers, local, knowledge, tasks)
    yield made
    await made.die()
    await answers.close()
    await database.close()


@pytest.fixture
def goes_on() -> asyncio.Event:
    """Give what the models wait for in the middle of their answer."""
    return asyncio.Event()


@pytest.fixture
async def replicas(
    postgres_url: str, goes_on: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Replica, Replica]]:
    monkeypatch.setattr(bot.http.sharing, "SHARE_SECONDS", 0.02)
    async with AsyncExitStack() as stack:
        yield (
            await stack.enter_async_context(replica(postgres_url, goes_on)),
            await stack.enter_async_context(replica(postgres_url, goes_on)),
        )


async def begun(running: RunningAnswer) -> str:
    await running.begun()
    assert running.turn_id is not None
    return running.turn_id


async def answer_of(running: RunningAnswer) -> Answer:
    async for event in running.read():
        if isinstance(event, Finished):
            return event.answer
    raise AssertionError


async def names(events: ServerEvents) -> list[str]:
    return [name async for name, _ in events]


async def test_a_stream_is_read_elsewhere_while_it_grows(
    replicas: tuple[Replica, Replica], goes_on: asyncio.Event
) -> None:
    one, other = replicas
    running = one.answers.start(QUESTION)
    elsewhere = await other.answers.resume(await begun(running), "v-1")
    heard = []
    async with aclosing(elsewhere):
        async for event in elsewhere:
            heard.append(event)
            if event[0] == "token":
                goes_on.set()  # not before its beginning has arrived
    assert [name for name, _ in heard] == ["meta", "citations", "token", "token", "token", "done"]
    assert heard == [event async for event in running.stream()]
    assert other.local.generations == []


async def test_the_same_message_is_answered_by_one(replicas: tuple[Replica, Replica], goes_on: asyncio.Event) -> None:
    one, other = replicas
    first = one.answers.start(QUESTION)
    await begun(first)
    second = other.answers.start(QUESTION)
    goes_on.set()
    answers = [await answer_of(first), await answer_of(second)]
    assert answers[0].turn_id == answers[1].turn_id
    assert answers[0].text == answers[1].text == "".join(SAID)
    assert (len(one.local.generations), len(other.local.generations)) == (1, 0)


async def test_of_two_that_begin_at_once_one_waits(replicas: tuple[Replica, Replica], goes_on: asyncio.Event) -> None:
    goes_on.set()
    answers = await asyncio.gather(*(answer_of(each.answers.start(QUESTION)) for each in replicas))
    assert answers[0].turn_id == answers[1].turn_id
    assert sum(len(each.local.generations) for each in replicas) == 1


async def test_what_is_read_elsewhere_is_not_given_up(
    replicas: tuple[Replica, Replica], goes_on: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bot.http.running, "GRACE_SECONDS", 0.02)
    one, other = replicas
    running = one.answers.start(QUESTION)
    reading = asyncio.create_task(names(await other.answers.resume(await begun(running), "v-1")))
    await asyncio.sleep(0.3)  # several rounds of giving up
    goes_on.set()
    assert (await reading)[-1] == "done"


async def test_what_nobody_reads_is_given_up_and_may_be_asked_again(
    replicas: tuple[Replica, Replica], goes_on: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bot.http.running, "GRACE_SECONDS", 0.02)
    one, other = replicas
    running = one.answers.start(QUESTION)
    turn = await begun(running)
    await one.local.generations[0].closed.wait()
    goes_on.set()
    assert (await answer_of(other.answers.start(QUESTION))).turn_id == turn


async def test_a_dead_replicas_answer_is_made_by_another(
    replicas: tuple[Replica, Replica], goes_on: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bot.store.running, "HELD_SECONDS", 0.2)
    one, other = replicas
    turn = await begun(one.answers.start(QUESTION))
    await one.die()
    with pytest.raises(NotFound):
        await names(await other.answers.resume(turn, "v-1"))
    again = other.answers.start(QUESTION)
    await again.begun()
    goes_on.set()
    assert (await answer_of(again)).turn_id == turn


async def test_an_answer_that_has_ended_is_read_elsewhere(
    replicas: tuple[Replica, Replica], goes_on: asyncio.Event
) -> None:
    goes_on.set()
    one, other = replicas
    for confidence, tokens in ((0.6, 3), (0.99, 1)):  # of the second its turn tells all
        one.knowledge.confidence = confidence
        running = one.answers.start(Question(text="怎么退货？"))
        turn = (await answer_of(running)).turn_id
        assert running.task is not None
        await running.task
        heard = await names(await other.answers.resume(turn, None))
        assert heard == ["meta", "citations", *["token"] * tokens, "done"]


@pytest.mark.parametrize("visitor", ["v-2", None])
async def test_another_visitors_answer_is_not_there(
    replicas: tuple[Replica, Replica], goes_on: asyncio.Event, visitor: str | None
) -> None:
    one, other = replicas
    turn = await begun(one.answers.start(QUESTION))
    with pytest.raises(NotFound):
        await other.answers.resume(turn, visitor)
    with pytest.raises(NotFound):
        await other.answers.resume("no such turn", visitor)
    goes_on.set()
