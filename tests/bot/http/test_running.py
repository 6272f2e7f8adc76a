from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing

import httpx
import pytest

import bot.http.running
from bot.desk import FrontDesk
from bot.draining import Drain
from bot.errors import NotFound, QuestionRejected, ServerStopping
from bot.http.running import KEEP_SECONDS, RunningAnswer, RunningAnswers
from bot.question import Finished, Question, Token
from bot.store.database import Database
from knowledge.search import Evidence
from tests.bot.fakes import ScriptedModel, StubKnowledge, make_desk
from tests.bot.http.conftest import Site

QUESTION = Question(text="退货有什么规定？", message_id="m-1", channel="web")


class Clock:
    """The real clock, which can be put forward."""

    ahead = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead


@pytest.fixture
def local() -> ScriptedModel:
    """Give a model that says something and then never ends."""
    return ScriptedModel("签收后7天内可以，", "申请退货，", asyncio.Event())


@pytest.fixture
def desk(database: Database, local: ScriptedModel) -> FrontDesk:
    return make_desk(database, StubKnowledge(0.6), local=local)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def drain() -> Drain:
    return Drain(0)


@pytest.fixture
async def answers(
    desk: FrontDesk, drain: Drain, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[RunningAnswers]:
    monkeypatch.setattr(bot.http.running, "GRACE_SECONDS", 0.02)
    answers = RunningAnswers({"": desk}, drain, clock)
    sweeping = asyncio.create_task(answers.give_up_unread())
    yield answers
    sweeping.cancel()
    await asyncio.gather(sweeping, return_exceptions=True)
    await answers.close()


async def read_a_token(running: RunningAnswer) -> None:
    async with aclosing(running.read()) as events:
        async for event in events:
            if isinstance(event, Token):
                return


async def test_an_answer_that_nobody_reads_is_given_up(answers: RunningAnswers, local: ScriptedModel) -> None:
    running = answers.start(QUESTION)
    await read_a_token(running)
    await asyncio.wait_for(local.generations[0].closed.wait(), 30)
    with pytest.raises(NotFound, match="given up"):
        async for _ in running.read():
            pass


async def test_an_answer_that_is_read_goes_on(answers: RunningAnswers, local: ScriptedModel, clock: Clock) -> None:
    running = answers.start(QUESTION)
    reading = asyncio.create_task(anext_finished(running))
    await read_a_token(running)
    clock.ahead = 1_000
    for _ in range(5):
        await asyncio.sleep(0.01)  # several rounds of the sweep
    assert not local.generations[0].closed.is_set()
    for piece in local.pieces:
        if isinstance(piece, asyncio.Event):
            piece.set()
    await reading


async def test_an_answer_whose_beginning_is_awaited_goes_on(
    desk: FrontDesk, answers: RunningAnswers, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = asyncio.Event()

    async def search(*_arguments: object, **_options: object) -> Evidence:
        await slow.wait()
        return Evidence([], 0.0)

    monkeypatch.setattr(desk.knowledge, "search", search)
    running = answers.start(QUESTION)
    waiting = asyncio.create_task(running.begun())
    await asyncio.sleep(0)
    clock.ahead = 1_000
    await asyncio.sleep(0.05)  # several rounds of the sweep
    slow.set()
    await waiting


async def anext_finished(running: RunningAnswer) -> Finished:
    async for event in running.read():
        if isinstance(event, Finished):
            return event
    raise AssertionError


async def test_a_reader_who_comes_back_in_time_gets_everything(answers: RunningAnswers, local: ScriptedModel) -> None:
    running = answers.start(QUESTION)
    reading = asyncio.create_task(anext_finished(running))
    await read_a_token(running)
    local.pieces[-1].set()  # type: ignore[union-attr]
    await reading
    again = [event async for event in running.read()]
    assert isinstance(again[-1], Finished)
    assert running.turn_id is not None
    assert answers.find(running.turn_id) is running


async def test_the_same_message_has_one_running_answer(answers: RunningAnswers) -> None:
    running = answers.start(QUESTION)
    assert answers.start(QUESTION) is running
    await running.begun()
    assert answers.start(QUESTION) is running


async def test_the_same_message_id_of_another_channel_has_another_answer(answers: RunningAnswers) -> None:
    running = [answers.start(QUESTION), answers.start(Question(text="a", message_id="m-1", channel="slack"))]
    assert running[0] is not running[1]
    await asyncio.gather(*(answer.begun() for answer in running))


async def test_questions_without_an_identifier_are_never_the_same(answers: RunningAnswers) -> None:
    running = [answers.start(Question(text="a")) for _ in range(2)]
    assert running[0] is not running[1]
    await asyncio.gather(*(answer.begun() for answer in running))


async def test_a_message_that_failed_may_be_sent_again(answers: RunningAnswers) -> None:
    empty = Question(text="", message_id="m-2")
    running = answers.start(empty)
    with pytest.raises(QuestionRejected):
        await running.begun()
    assert answers.start(empty) is not running


async def test_a_finished_answer_is_forgotten_after_a_while(
    answers: RunningAnswers, local: ScriptedModel, clock: Clock
) -> None:
    local.pieces[-1].set()  # type: ignore[union-attr]
    running = answers.start(QUESTION)
    await anext_finished(running)
    assert running.turn_id is not None
    assert running.task is not None
    await running.task
    clock.ahead = KEEP_SECONDS + 1
    await answers.start(Question(text="另一个问题")).begun()
    with pytest.raises(NotFound):
        answers.find(running.turn_id)


async def test_no_more_finished_answers_are_kept_than_there_is_room_for(
    answers: RunningAnswers, local: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At a thousand answers a second, two minutes of them are a gigabyte, and each was looked at for each new one."""
    monkeypatch.setattr(bot.http.running, "MAX_KEPT", 2)
    local.pieces[-1].set()  # type: ignore[union-attr]
    started = []
    for number in range(4):
        started.append(answers.start(Question(text="退货有什么规定？", message_id=f"kept-{number}")))
        await anext_finished(started[-1])
        await asyncio.gather(*(running.task for running in started if running.task))
    answers.start(Question(text="另一个问题"))
    turns = [running.turn_id for running in started]
    found = [turn for turn in turns if turn is not None and is_found(answers, turn)]
    assert found == turns[-2:]


def is_found(answers: RunningAnswers, turn_id: str) -> bool:
    try:
        answers.find(turn_id)
    except NotFound:
        return False
    return True


async def test_a_message_that_failed_and_was_sent_again_is_found_where_it_is_answered(
    answers: RunningAnswers, local: ScriptedModel
) -> None:
    running = answers.start(QUESTION)
    await read_a_token(running)
    await asyncio.wait_for(local.generations[0].closed.wait(), 30)
    with pytest.raises(NotFound):
        await anext_finished(running)
    again = answers.start(QUESTION)
    await again.begun()
    assert again.turn_id == running.turn_id is not None
    assert answers.find(again.turn_id) is again


async def test_closing_ends_what_never_would(answers: RunningAnswers, local: ScriptedModel) -> None:
    running = answers.start(QUESTION)
    await read_a_token(running)
    await answers.close()
    assert local.generations[0].closed.is_set()
    assert running.task is not None
    assert running.task.done()


async def test_a_server_that_shall_stop_begins_nothing_new(answers: RunningAnswers, drain: Drain) -> None:
    running = answers.start(QUESTION)
    await read_a_token(running)
    drain.begin()
    assert answers.start(QUESTION) is running
    with pytest.raises(ServerStopping, match="请几秒后"):
        answers.start(Question(text="怎么退货？"))
    with pytest.raises(ServerStopping, match="in a few seconds"):
        answers.start(Question(text="怎么退货？", language="en"))


async def test_whoever_waits_for_an_answer_that_is_cut_off_is_told_to_ask_again(
    answers: RunningAnswers, drain: Drain
) -> None:
    running = answers.start(QUESTION)
    await read_a_token(running)
    drain.begin()
    assert answers.unfinished == 1
    await answers.close()
    with pytest.raises(ServerStopping, match="请几秒后"):
        async for _ in running.read():
            pass
    assert (answers.unfinished, drain.is_over) == (0, True)


async def test_a_browser_that_closes_its_stream_frees_the_model(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bot.http.running, "GRACE_SECONDS", 0.02)
    site.knowledge.confidence = 0.6
    site.local = ScriptedModel("签收后7天内可以，", "申请退货，", asyncio.Event())
    with site.served() as address:
        async with httpx.AsyncClient(base_url=address) as client:
            async with client.stream("POST", "/api/chat/stream", json={"question": "退货有什么规定？"}) as response:
                async for line in response.aiter_lines():
                    if line == "event: token":
                        break
            for _ in range(1_000):
                if site.local.generations[0].closed.is_set():
                    break
                await asyncio.sleep(0.01)
    assert site.local.generations[0].closed.is_set()
