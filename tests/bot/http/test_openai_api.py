"""The official client against a real server."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import numpy as np
import openai
import pytest
from fastapi.testclient import TestClient

from bot.errors import ModelBusy
from knowledge.embedding.base import Vectors
from knowledge.errors import ModelError
from tests.bot.fakes import RETURNS, ScriptedModel
from tests.bot.http.conftest import Site
from tests.bot.http.shapes import assert_error_shape

USER: dict[str, Any] = {"role": "user", "content": "怎么退货？"}
Connect = Callable[..., openai.OpenAI]


class CountingEmbedder:
    """Knows how long a text is."""

    name = fingerprint = "counting"

    def warm_up(self) -> None:
        pass

    def embed_queries(self, texts: list[str]) -> Vectors:
        return np.array([[len(text), 0.25, -1.5] for text in texts], dtype=np.float32)

    embed_passages = embed_queries


@pytest.fixture
def connect(site: Site) -> Iterator[Connect]:
    """Give a way to serve the site once it is as the test wants it, and a client of it."""
    with ExitStack() as stack:

        def connect(key: str = "none") -> openai.OpenAI:
            address = stack.enter_context(site.served())
            return stack.enter_context(openai.OpenAI(base_url=f"{address}/v1", api_key=key, max_retries=0))

        yield connect


def test_the_faq_answers_as_a_model(connect: Connect) -> None:
    completion = connect().chat.completions.create(model="frontdesk", messages=[USER])
    assert completion.choices[0].message.content == RETURNS.answer
    assert completion.choices[0].finish_reason == "stop"
    assert completion.model_extra is not None
    assert completion.model_extra["frontdesk"]["outcome"] == "direct"
    assert completion.model_extra["frontdesk"]["citations"] == [{"key": "RET-1", "question": RETURNS.question}]


def test_the_faq_streams(connect: Connect) -> None:
    stream = connect().chat.completions.create(
        model="frontdesk", messages=[USER], stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == RETURNS.answer
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[-1].usage is not None
    assert chunks[-1].choices == []
    assert all(chunk.usage is None for chunk in chunks[:-1])
    assert len({chunk.id for chunk in chunks}) == 1


def test_without_being_asked_for_there_is_no_usage_in_a_stream(connect: Connect) -> None:
    stream = connect().chat.completions.create(model="frontdesk", messages=[USER], stream=True)
    assert all(chunk.usage is None and chunk.choices for chunk in stream)


def test_what_is_offered_is_part_of_the_text(site: Site, connect: Connect) -> None:
    site.knowledge.confidence = 0.3
    text = connect().chat.completions.create(model="frontdesk", messages=[USER]).choices[0].message.content
    assert text is not None
    assert text.splitlines()[1:] == ["- 怎么退货？", "- 怎么开发票？", "- 支持哪些付款方式？"]


def test_an_answer_that_was_replaced_comes_whole_in_the_end(site: Site, connect: Connect) -> None:
    site.knowledge.confidence, site.local = 0.6, ScriptedModel("7天内可以，", "运费88元，", "完")
    text = connect().chat.completions.create(model="frontdesk", messages=[USER]).choices[0].message.content
    assert text is not None
    assert text.endswith(RETURNS.answer)
    assert "88" not in text


def test_several_turns_are_one_conversation(site: Site, connect: Connect) -> None:
    connect().chat.completions.create(
        model="frontdesk",
        messages=[
            {"role": "system", "content": "You are kind."},
            {"role": "user", "content": "洗衣机坏了可以上门维修吗？"},
            {"role": "assistant", "content": "可以。"},
            {"role": "user", "content": [{"type": "text", "text": "那运费"}, {"type": "text", "text": "呢？"}]},
        ],
    )
    assert (site.knowledge.queries[-1].topic, site.knowledge.queries[-1].text) == (
        "洗衣机坏了可以上门维修吗？",
        "那运费呢？",
    )


def test_the_local_model_chats_plainly(site: Site, connect: Connect) -> None:
    site.local = ScriptedModel("你好", "！", finish_reason="length")
    completion = connect().chat.completions.create(
        model="scripted",
        messages=[{"role": "developer", "content": "简短"}, USER],
        max_completion_tokens=7,
        temperature=0,
        stop=["。", "\n"],
        seed=3,
    )
    assert completion.choices[0].message.content == "你好！"
    assert completion.choices[0].finish_reason == "length"
    assert completion.usage is not None
    assert (completion.usage.prompt_tokens, completion.usage.completion_tokens) == (20, 2)
    assert [message.role for message in site.local.prompts[0]] == ["system", "user"]
    sampling = site.local.samplings[0]
    assert (sampling.max_tokens, sampling.temperature, sampling.stop, sampling.seed) == (7, 0, ("。", "\n"), 3)
    assert site.local.generations[0].closed.is_set()


def test_a_single_stop_string_is_understood(site: Site, connect: Connect) -> None:
    site.local = ScriptedModel("好")
    connect().chat.completions.create(model="scripted", messages=[USER], stop="完")
    assert site.local.samplings[0].stop == ("完",)


def test_a_failure_in_the_middle_of_a_stream_is_raised(site: Site, connect: Connect) -> None:
    site.local = ScriptedModel("你", "好", ModelError("hunter2"))
    stream = connect().chat.completions.create(model="scripted", messages=[USER], stream=True)
    said = []

    def read() -> None:
        said.extend(chunk.choices[0].delta.content or "" for chunk in stream)

    with pytest.raises(openai.APIError) as caught:
        read()
    assert "".join(said) == "你好"
    assert "hunter2" not in str(caught.value)


def test_a_failure_before_the_first_word_has_a_status(site: Site, connect: Connect) -> None:
    site.local = ScriptedModel(busy=ModelBusy(16, 48))
    client = connect()
    for stream in (False, True):
        with pytest.raises(openai.InternalServerError) as caught:
            client.chat.completions.create(model="scripted", messages=[USER], stream=stream)
        assert caught.value.status_code == 503
        assert caught.value.response.headers["Retry-After"] == "48"


def test_an_unknown_model_is_not_found(connect: Connect) -> None:
    client = connect()
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="gpt-9", messages=[USER])
    assert_error_shape(caught.value.response, 404, "model_not_found")
    with pytest.raises(openai.NotFoundError):
        client.embeddings.create(model="gpt-9", input="退货")


def test_the_models_are_listed(site: Site, connect: Connect) -> None:
    site.local, site.knowledge.embedder = ScriptedModel(), CountingEmbedder()
    assert [model.id for model in connect().models.list()] == ["frontdesk", "scripted", "counting"]


def test_what_is_not_here_is_not_listed(connect: Connect) -> None:
    assert [model.id for model in connect().models.list()] == ["frontdesk"]


@pytest.mark.parametrize("options", [{}, {"encoding_format": "float"}, {"encoding_format": "base64"}])
def test_texts_are_embedded(site: Site, connect: Connect, options: dict[str, Any]) -> None:
    site.knowledge.embedder = CountingEmbedder()
    reply = connect().embeddings.create(model="counting", input=["退货", "运费谁出"], **options)
    given = [item.embedding for item in reply.data]
    if options.get("encoding_format") == "base64":
        given = [np.frombuffer(base64.b64decode(text), dtype="<f4").tolist() for text in given]  # type: ignore[arg-type]
    assert given == [[2, 0.25, -1.5], [4, 0.25, -1.5]]
    assert [item.index for item in reply.data] == [0, 1]


@pytest.mark.parametrize("texts", [[], ["a", ""], "", ["a"] * 257])
def test_what_cannot_be_embedded_is_refused(site: Site, connect: Connect, texts: Any) -> None:
    site.knowledge.embedder = CountingEmbedder()
    with pytest.raises(openai.BadRequestError):
        connect().embeddings.create(model="counting", input=texts)


def test_once_there_are_keys_one_is_needed(site: Site, connect: Connect) -> None:
    site.settings = {"server": {"api_keys": ["right", "钥匙"]}}
    client = connect("wrong")
    for attempt in (
        lambda: client.chat.completions.create(model="frontdesk", messages=[USER]),
        client.models.list,
        lambda: client.embeddings.create(model="counting", input="退货"),
    ):
        with pytest.raises(openai.AuthenticationError) as caught:
            attempt()
        assert_error_shape(caught.value.response, 401, "invalid_api_key")
        assert "right" not in caught.value.response.text
    assert client.with_options(api_key="right").models.list().data


def test_a_key_that_is_missing_or_strange_is_wrong(site: Site, connect: Connect) -> None:
    site.settings = {"server": {"api_keys": ["right"]}}
    address = str(connect().base_url)
    for headers in (
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic right"},
        {"Authorization": b"Bearer \xff"},
    ):
        assert_error_shape(httpx.get(f"{address}models", headers=headers), 401, "invalid_api_key")


def test_without_keys_another_machine_is_not_let_in(site: Site) -> None:
    with TestClient(site.app(), client=("192.0.2.1", 5)) as stranger:
        assert_error_shape(stranger.get("/v1/models"), 401, "invalid_api_key")


def test_without_keys_a_page_of_another_site_is_not_let_in(client: TestClient) -> None:
    assert client.get("/v1/models").status_code == 200
    page = client.get("/v1/models", headers={"Origin": "https://evil.example"})
    assert_error_shape(page, 403, "origin_not_allowed")


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [{"role": "assistant", "content": "好"}],
        [{"role": "user", "content": ""}],
        [{"role": "king", "content": "a"}],
    ],
)
def test_a_request_without_a_question_is_refused(connect: Connect, messages: Any) -> None:
    with pytest.raises(openai.BadRequestError):
        connect().chat.completions.create(model="frontdesk", messages=messages)


def test_a_client_that_goes_away_frees_the_model(site: Site, connect: Connect) -> None:
    site.local = ScriptedModel("你", "好", asyncio.Event())
    with connect().chat.completions.create(model="scripted", messages=[USER], stream=True) as stream:
        for chunk in stream:
            if chunk.choices[0].delta.content:
                break
    for _ in range(1_000):
        if site.local.generations[0].closed.is_set():
            break
        time.sleep(0.01)
    assert site.local.generations[0].closed.is_set()


def test_a_client_that_does_not_stream_and_leaves_stops_the_model(site: Site) -> None:
    forever = asyncio.Event()
    site.local = ScriptedModel("你", forever, "好")
    body = {"model": "scripted", "messages": [{"role": "user", "content": "怎么退货？"}]}
    with site.served() as address:
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"{address}/v1/chat/completions", json=body, timeout=1)
        deadline = time.monotonic() + 20
        while not site.local.generations[0].closed.is_set() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert site.local.generations[0].closed.is_set()
