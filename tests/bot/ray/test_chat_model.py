"""What is made of the replicas' answers, with replicas that do as they are told; tests/scenarios/ray has real ones."""

from __future__ import annotations

import pytest
from ray.exceptions import ActorDiedError
from ray.serve.exceptions import BackPressureError

from bot.errors import ModelBusy
from bot.models.base import ChatMessage, Sampling
from bot.question import Usage
from bot.ray.chat_model import ReplicatedChatModel, session_of
from bot.ray.replicas import Busy, Ended, Failed, Taken
from knowledge.errors import ModelError, ModelUnavailable
from tests.bot.models.contract import PROMPT, complete
from tests.bot.ray.fakes import SILENCE, FakeHandle, Step

TAKEN, ENDED = Taken(Usage(prompt=9)), Ended(Usage(prompt=9, cached=4, completion=2), "length")
GOOD = [TAKEN, "你", "好", ENDED]
LOST = [TAKEN, ActorDiedError()]


def model_of(*replies: list[Step], patience: float = 60) -> tuple[ReplicatedChatModel, FakeHandle]:
    handle = FakeHandle(*replies)
    return ReplicatedChatModel(handle, patience=patience), handle


async def test_an_answer_comes_with_its_usage() -> None:
    model, handle = model_of(GOOD)
    generation = model.generate(PROMPT, Sampling())
    assert await complete(generation) == "你好"
    assert (generation.usage, generation.finish_reason) == (ENDED.usage, "length")
    assert handle.asked[0]["stream"] is True


async def test_prompts_that_begin_alike_go_to_the_same_replica() -> None:
    model, handle = model_of(GOOD, GOOD, GOOD)
    entry, other = ChatMessage("system", "资料：甲"), ChatMessage("system", "资料：乙")
    for system, question in ((entry, "一"), (entry, "二"), (other, "一")):
        await complete(model.generate([system, ChatMessage("user", question)], Sampling()))
    first, second, third = (asked["session_id"] for asked in handle.asked)
    assert first == second != third
    assert session_of([ChatMessage("user", "你好")]) == ""  # any replica will do


async def test_a_replica_that_is_lost_before_its_first_word_is_asked_again_elsewhere() -> None:
    model, handle = model_of(LOST, GOOD)
    assert await complete(model.generate(PROMPT, Sampling())) == "你好"
    first, second = (asked["session_id"] for asked in handle.asked)
    assert first
    assert not second


@pytest.mark.parametrize("replies", [[LOST, LOST], [[TAKEN, "你", ActorDiedError()], GOOD], [[], [TAKEN]]])
async def test_after_two_losses_or_the_first_word_it_fails(replies: list[list[Step]]) -> None:
    model, _ = model_of(*replies)
    with pytest.raises(ModelError, match="lost"):
        await complete(model.generate(PROMPT, Sampling()))


async def test_a_replica_that_falls_silent_is_lost() -> None:
    model, handle = model_of([TAKEN, SILENCE], [TAKEN, "你", SILENCE], patience=0.01)
    with pytest.raises(ModelError, match="nothing any more"):
        await complete(model.generate(PROMPT, Sampling()))
    assert [response.cancelled for response in handle.given] == [True, True]


@pytest.mark.parametrize(
    ("reply", "waiting"),
    [([Busy(3, 2)], 3), ([TAKEN, Busy(3, 2)], 3), ([BackPressureError(7, 7)], 1), ([SILENCE], 1)],
    ids=["shed at once", "shed while it waits", "no place in line", "no place in time"],
)
async def test_where_nobody_has_time_it_is_busy(reply: list[Step], waiting: int) -> None:
    model, handle = model_of(reply, patience=0.01)
    with pytest.raises(ModelBusy) as caught:
        await complete(model.generate(PROMPT, Sampling()))
    assert caught.value.waiting == waiting
    assert caught.value.retry_after > 0
    assert model.waiting == 0
    assert handle.given[0].cancelled


async def test_what_the_model_fails_of_is_said_and_not_asked_again() -> None:
    model, handle = model_of([Failed("the prompt is too long")])
    with pytest.raises(ModelError, match="too long"):
        await complete(model.generate(PROMPT, Sampling()))
    assert len(handle.asked) == 1


async def test_leaving_cancels_the_replicas_work() -> None:
    model, handle = model_of([TAKEN, "你", SILENCE])
    generation = model.generate(PROMPT, Sampling())
    assert await anext(aiter(generation)) == "你"
    await generation.aclose()
    assert handle.given[0].cancelled
    assert (generation.usage.prompt, generation.usage.completion) == (9, 1)


def test_the_name_is_the_replicas() -> None:
    model, _ = model_of([ActorDiedError()], ["smollm"])
    with pytest.raises(ModelUnavailable):
        model.warm_up()
    model.warm_up()
    assert model.name == "smollm"
