from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from bot.errors import RemoteModelError
from bot.models.base import ChatMessage, Sampling
from bot.models.remote import CircuitBreaker, RemoteChatModel
from bot.sections import RemoteSettings
from tests.bot.models.contract import PROMPT, ChatModelContract, complete
from tests.bot.models.endpoint import CUT, GOOD, PAUSE, Endpoint, chunk
from tests.bot.servers import serving, unused_port


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Endpoint, str]]:
    endpoint = Endpoint()
    with serving(endpoint) as address:
        yield endpoint, address


@pytest.fixture
def endpoint(served: tuple[Endpoint, str]) -> Endpoint:
    served[0].script, served[0].requests, served[0].keys = [], [], []
    return served[0]


def remote_settings(address: str, **options: Any) -> RemoteSettings:
    return RemoteSettings(base_url=f"{address}/v1", model="big", **{"retries": 1, "break_after": 2, **options})


@pytest.fixture
async def model(endpoint: Endpoint, served: tuple[Endpoint, str]) -> AsyncIterator[RemoteChatModel]:
    model = RemoteChatModel(remote_settings(served[1], api_key=SecretStr("hunter2")))
    model.warm_up()
    yield model
    await model.close()


class TestRemoteChatModel(ChatModelContract):
    @pytest.fixture
    async def model(self, served: tuple[Endpoint, str]) -> AsyncIterator[RemoteChatModel]:
        served[0].script = []
        model = RemoteChatModel(remote_settings(served[1]))
        model.warm_up()
        yield model
        await model.close()


async def test_an_answer_comes_with_its_usage(model: RemoteChatModel) -> None:
    generation = model.generate(PROMPT, Sampling())
    assert await complete(generation) == "你好😀"
    assert (generation.usage.prompt, generation.usage.completion, generation.finish_reason) == (9, 2, "stop")


async def test_the_request_says_what_was_asked(model: RemoteChatModel, endpoint: Endpoint) -> None:
    await complete(model.generate([ChatMessage("user", "你好")], Sampling(max_tokens=7, temperature=0.5)))
    request = endpoint.requests[0]
    assert (request["model"], request["max_tokens"], request["temperature"]) == ("big", 7, 0.5)
    assert request["messages"] == [{"role": "user", "content": "你好"}]
    assert endpoint.keys == ["Bearer hunter2"]


async def test_an_answer_that_was_cut_by_its_length_says_so(model: RemoteChatModel, endpoint: Endpoint) -> None:
    endpoint.script = [[chunk("你"), chunk("", "length"), "[DONE]"]]
    generation = model.generate(PROMPT, Sampling())
    await complete(generation)
    assert generation.finish_reason == "length"


async def test_a_failed_request_is_repeated(model: RemoteChatModel, endpoint: Endpoint) -> None:
    endpoint.script = [500]
    assert await complete(model.generate(PROMPT, Sampling())) == "你好😀"
    assert len(endpoint.requests) == 2


async def test_a_failed_request_is_repeated_so_often_and_not_more(model: RemoteChatModel, endpoint: Endpoint) -> None:
    endpoint.script = [503] * 5
    with pytest.raises(RemoteModelError, match="503"):
        await complete(model.generate(PROMPT, Sampling()))
    assert len(endpoint.requests) == 2


@pytest.mark.parametrize("status", [400, 401, 404])
async def test_a_request_that_was_wrong_is_not_repeated(
    model: RemoteChatModel, endpoint: Endpoint, status: int
) -> None:
    endpoint.script = [status]
    with pytest.raises(RemoteModelError, match=str(status)) as caught:
        await complete(model.generate(PROMPT, Sampling()))
    assert len(endpoint.requests) == 1
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "stream",
    [
        [chunk("你"), CUT],
        [chunk("你"), {"error": {"message": "overloaded", "type": "server_error"}}],
        [chunk("你"), "{broken"],
        ["[1, 2]"],
        [{"choices": [{"index": 0}]}],
    ],
    ids=["cut", "error", "broken JSON", "no object", "no delta"],
)
async def test_a_stream_that_breaks_is_a_failure(model: RemoteChatModel, endpoint: Endpoint, stream: list[Any]) -> None:
    endpoint.script = [stream]
    with pytest.raises(RemoteModelError):
        await complete(model.generate(PROMPT, Sampling()))


async def test_a_connection_that_breaks_after_the_end_takes_nothing_back(
    model: RemoteChatModel, endpoint: Endpoint
) -> None:
    endpoint.script = [[*GOOD, CUT]]
    assert await complete(model.generate(PROMPT, Sampling())) == "你好😀"


async def test_a_refused_connection_is_a_failure() -> None:
    model = RemoteChatModel(remote_settings(f"http://127.0.0.1:{unused_port()}", retries=0))
    with pytest.raises(RemoteModelError, match="cannot be reached"):
        await complete(model.generate(PROMPT, Sampling()))
    await model.close()


async def test_a_slow_endpoint_is_given_up(endpoint: Endpoint, served: tuple[Endpoint, str]) -> None:
    endpoint.script = [[PAUSE]]
    model = RemoteChatModel(remote_settings(served[1], retries=0, timeout_seconds=0.1))
    with pytest.raises(RemoteModelError):
        await complete(model.generate(PROMPT, Sampling()))
    await model.close()


async def test_an_answer_that_trickles_is_given_up_when_its_time_is_over(
    model: RemoteChatModel, endpoint: Endpoint
) -> None:
    endpoint.script = [[chunk("你"), PAUSE]]
    generation = model.generate(PROMPT, Sampling(seconds=0.2))
    pieces = aiter(generation)
    assert await anext(pieces) == "你"
    with pytest.raises(RemoteModelError, match="too long"):
        await anext(pieces)
    await generation.aclose()


async def test_stopping_drops_the_connection(model: RemoteChatModel, endpoint: Endpoint) -> None:
    endpoint.left.clear()
    endpoint.script = [[chunk("你"), PAUSE]]
    generation = model.generate(PROMPT, Sampling())
    async for _ in generation:
        await generation.aclose()
        break
    for _ in range(1_000):
        if endpoint.left.is_set():
            break
        await asyncio.sleep(0.01)
    assert endpoint.left.is_set()


async def test_after_failures_in_a_row_the_endpoint_is_left_alone(model: RemoteChatModel, endpoint: Endpoint) -> None:
    endpoint.script = [400, 400]
    for _ in range(2):
        assert model.available
        with pytest.raises(RemoteModelError):
            await complete(model.generate(PROMPT, Sampling()))
    assert not model.available
    with pytest.raises(RemoteModelError, match="left alone"):
        await complete(model.generate(PROMPT, Sampling()))
    assert len(endpoint.requests) == 2


async def test_an_answer_in_between_starts_the_count_again(model: RemoteChatModel, endpoint: Endpoint) -> None:
    endpoint.script = [400, GOOD, 400]
    for expected in (False, True, False):
        try:
            await complete(model.generate(PROMPT, Sampling()))
            assert expected
        except RemoteModelError:
            assert not expected
    assert model.available


async def test_an_answer_that_took_too_long_counts_as_a_failure(model: RemoteChatModel) -> None:
    model.took_too_long()
    assert model.available
    model.took_too_long()
    assert not model.available


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> CircuitBreaker:
    breaker = CircuitBreaker(2, 30, clock)
    breaker.failed()
    breaker.check()
    breaker.failed()
    return breaker


def test_an_open_breaker_holds_requests_back(breaker: CircuitBreaker) -> None:
    assert breaker.is_open
    with pytest.raises(RemoteModelError):
        breaker.check()


def test_after_a_while_one_request_tries_and_the_others_wait(breaker: CircuitBreaker, clock: Clock) -> None:
    clock.now += 30
    assert not breaker.is_open
    breaker.check()
    with pytest.raises(RemoteModelError):
        breaker.check()


def test_a_try_that_succeeds_closes_the_breaker(breaker: CircuitBreaker, clock: Clock) -> None:
    clock.now += 30
    breaker.check()
    breaker.succeeded()
    breaker.check()
    breaker.check()
    assert not breaker.is_open


def test_a_try_that_fails_opens_it_for_as_long_again(breaker: CircuitBreaker, clock: Clock) -> None:
    clock.now += 30
    breaker.check()
    breaker.failed()
    clock.now += 29
    assert breaker.is_open
    clock.now += 1
    assert not breaker.is_open


def test_a_try_that_never_ended_does_not_block_for_ever(breaker: CircuitBreaker, clock: Clock) -> None:
    clock.now += 30
    breaker.check()
    clock.now += 30
    breaker.check()


async def test_an_endpoint_that_hangs_holds_up_so_many_answers_and_not_more(
    endpoint: Endpoint, served: tuple[Endpoint, str]
) -> None:
    endpoint.script = [[chunk("你"), PAUSE]]
    model = RemoteChatModel(remote_settings(served[1], at_once=1))
    held = model.generate(PROMPT, Sampling())
    pieces = aiter(held)
    await anext(pieces)
    with pytest.raises(RemoteModelError, match="as many answers"):
        await complete(model.generate(PROMPT, Sampling()))
    assert model.available
    await pieces.aclose()  # type: ignore[attr-defined]
    await held.aclose()
    assert await complete(model.generate(PROMPT, Sampling())) == "你好😀"
    await model.close()
