"""The chat model that words grounded answers, behind an OpenAI-compatible endpoint such as vLLM or SGLang."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from bot.assembly import make_local_model
from bot.desk import FrontDesk
from bot.errors import SettingsError
from bot.settings import Settings
from bot.store.database import Database
from tests.bot.fakes import RETURNS, StubKnowledge, ask, make_desk, streamed
from tests.bot.models.endpoint import CUT, PAUSE, USAGE, Endpoint, chunk
from tests.bot.servers import serving

WORDS = [*(chunk(piece) for piece in (RETURNS.answer[:6], RETURNS.answer[6:])), chunk("", "stop"), USAGE, "[DONE]"]


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Endpoint, str]]:
    endpoint = Endpoint()
    with serving(endpoint) as address:
        yield endpoint, address


@pytest.fixture
async def asked(served: tuple[Endpoint, str], database: Database) -> AsyncIterator[tuple[Endpoint, FrontDesk]]:
    """Give a desk that asks for grounded answers at the endpoint, which is to be scripted."""
    endpoint, address = served
    endpoint.requests, endpoint.keys = [], []
    models = {"chat": "openai:qwen", "chat_base_url": f"{address}/v1", "chat_api_key": "hunter2", "answer_seconds": 0.5}
    settings = Settings(models=models)
    desk = make_desk(database, StubKnowledge(confidence=0.6), settings={"models": models})
    desk.local = make_local_model(settings)
    yield endpoint, desk
    await desk.close()


async def test_it_words_grounded_answers_with_its_own_key(asked: tuple[Endpoint, FrontDesk]) -> None:
    endpoint, desk = asked
    endpoint.script = [WORDS]
    answer, _ = await ask(desk, "退货运费谁出")
    assert (answer.outcome, answer.text, answer.model) == ("grounded", RETURNS.answer, "qwen")
    assert (answer.usage.prompt, answer.usage.completion) == (9, 2)
    assert (endpoint.requests[0]["model"], endpoint.keys) == ("qwen", ["Bearer hunter2"])
    assert RETURNS.answer in endpoint.requests[0]["messages"][0]["content"]


@pytest.mark.parametrize(
    "script",
    [
        500,
        429,
        [chunk(RETURNS.answer[:4]), CUT],
        [chunk(RETURNS.answer[:4]), PAUSE],
        ["{broken"],
        [chunk("运费 99 元。")],
    ],
    ids=["broken", "overloaded", "cut", "silent", "no JSON", "made up"],
)
async def test_on_its_bad_days_the_entry_answers(asked: tuple[Endpoint, FrontDesk], script: Any) -> None:
    endpoint, desk = asked
    endpoint.script = [script]
    answer, events = await ask(desk, "退货运费谁出")
    assert (answer.outcome, answer.text, answer.degraded) == ("direct", RETURNS.answer, True)
    assert "99" not in streamed(events)
    assert len(endpoint.requests) == 1


def test_without_its_address_it_cannot_be_asked() -> None:
    with pytest.raises(SettingsError, match="chat_base_url"):
        make_local_model(Settings(models={"chat": "openai:qwen"}))


def test_its_key_is_not_shown() -> None:
    settings = Settings(models={"chat": "openai:qwen", "chat_api_key": SecretStr("hunter2")})
    assert "hunter2" not in repr(settings)
