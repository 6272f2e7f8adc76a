"""FrontDesk on two nodes: the contracts over the network, prompts that stick to their replica, and a node that dies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from ray import serve
from ray.serve.handle import DeploymentHandle

from bot.models.base import ChatMessage, Generation, Sampling
from bot.ray.chat_model import ReplicatedChatModel
from bot.ray.embedder import ReplicatedEmbedder
from bot.ray.replicas import ChatReplica
from knowledge.embedding.base import Embedder
from tests.bot.models.contract import ChatModelContract, complete
from tests.knowledge.embedding.contract import EmbedderContract
from tests.scenarios.ray.conftest import AT_ONCE, FrontDeskCluster, deployed_config

pytestmark = [pytest.mark.xdist_group("ray"), pytest.mark.timeout(600)]

ASKERS, QUESTIONS = 6, 8


@pytest.fixture
def chat(deployed: FrontDeskCluster) -> ReplicatedChatModel:
    model = ReplicatedChatModel(serve.get_deployment_handle("ChatReplica", "frontdesk"), patience=600)
    model.warm_up()
    return model


class TestReplicatedChatModel(ChatModelContract):
    @pytest.fixture
    def model(self, chat: ReplicatedChatModel) -> ReplicatedChatModel:
        return chat


class TestReplicatedEmbedder(EmbedderContract):
    @pytest.fixture
    def embedder(self, deployed: FrontDeskCluster) -> Embedder:
        return ReplicatedEmbedder(serve.get_deployment_handle("EmbedderReplica", "frontdesk"))


def about(entry: str, question: str) -> list[ChatMessage]:
    return [ChatMessage("system", f"Answer from this entry. {entry} " * 4), ChatMessage("user", question)]


async def test_prompts_that_begin_alike_find_their_beginning_known(chat: ReplicatedChatModel) -> None:
    for number in range(6):  # by chance, one in 64 would go so well
        first = chat.generate(about(f"Entry {number}: cards.", "How?"), Sampling(max_tokens=1))
        await complete(first)
        second = chat.generate(about(f"Entry {number}: cards.", "When?"), Sampling(max_tokens=1))
        await complete(second)
        assert second.usage.cached > second.usage.prompt / 2


@asynccontextmanager
async def speaking(generation: Generation) -> AsyncIterator[None]:
    """Hold an answer after its first words."""
    async with aclosing(aiter(generation)) as pieces:  # type: ignore[type-var]
        await anext(pieces)
        yield


async def test_while_their_replica_is_busy_another_answers(chat: ReplicatedChatModel) -> None:
    long = [chat.generate(about("Entry 7: fees.", f"Count to {n}."), Sampling(max_tokens=700)) for n in range(AT_ONCE)]
    async with speaking(long[0]), speaking(long[1]):
        assert await complete(chat.generate(about("Entry 7: fees.", "Why?"), Sampling(max_tokens=2)))
        assert all(generation.usage.completion < 700 for generation in long)


def test_the_ingress_answers_with_models_that_are_elsewhere(client: httpx.Client) -> None:
    ready = client.get("/readyz").json()
    assert (ready["ready"], ready["problems"]) == (True, [])
    assert ready["chat_model"] == "smollm2-135m-instruct-q4_1"
    answer = client.post("/api/chat", json={"question": "my card was eaten by the machine"}).json()
    assert answer["usage"]["prompt"] > 0
    assert answer["answer"]


def test_a_stream_comes_through(client: httpx.Client) -> None:
    with client.stream("POST", "/api/chat/stream", json={"question": "how do I block my card"}) as reply:
        assert "event: done" in list(reply.iter_lines())


@pytest.fixture
def alone(deployed: FrontDeskCluster) -> Iterator[DeploymentHandle[Any]]:
    """Give an application of nothing but the chat model, with the scaling of frontdesk.yaml, sooner and to two."""
    [application] = deployed_config()["applications"]
    [chat] = [each for each in application["deployments"] if each["name"] == "ChatReplica"]
    sooner = {"max_replicas": 2, "upscale_delay_s": 1}
    deployment = serve.deployment(
        ChatReplica,
        autoscaling_config=chat["autoscaling_config"] | sooner,
        max_ongoing_requests=chat["max_ongoing_requests"],
        ray_actor_options={"num_cpus": 1, "runtime_env": {"env_vars": deployed.settings}},
    )
    yield serve.run(deployment.bind(), name="alone", route_prefix=None)
    serve.delete("alone")


def replicas_of(application: str) -> int:
    [deployment] = serve.status().applications[application].deployments.values()
    return int(deployment.replica_states.get("RUNNING", 0))


async def test_more_questions_bring_more_replicas(alone: DeploymentHandle[Any]) -> None:
    model = ReplicatedChatModel(alone, patience=600)
    before = replicas_of("alone")

    async def ask(number: int) -> None:
        while replicas_of("alone") == before:
            await complete(model.generate(about(f"Entry {number}.", "Count!"), Sampling(max_tokens=200)))

    await asyncio.gather(*(ask(number) for number in range(8)))
    assert (before, replicas_of("alone")) == (1, 2)


def test_no_question_is_lost_when_a_node_dies(deployed: FrontDeskCluster) -> None:
    """Last of this file: afterwards there is one node."""
    messages = [[f"m-{uuid4()}" for _ in range(QUESTIONS)] for _ in range(ASKERS)]
    killed: list[bool] = []

    def ask(asker: int) -> list[str]:
        answers = []
        for number, message in enumerate(messages[asker]):
            if asker == 0 and number == 2:
                deployed.kill_worker_node()
                killed.append(True)
            answers.append(insist(deployed.url, message, f"I was charged {asker}{number}0 twice, what now?"))
        return answers

    with ThreadPoolExecutor(ASKERS) as pool:
        answers = [answer for some in pool.map(ask, range(ASKERS)) for answer in some]
    assert killed
    assert len(answers) == ASKERS * QUESTIONS
    assert all(answers)
    assert logged(deployed.database, [message for some in messages for message in some]) == answers


def insist(url: str, message: str, question: str) -> str:
    """Ask until there is an answer, as connectors and the widget do: the same message is never answered twice."""
    while True:
        try:
            reply = httpx.post(f"{url}/api/chat", json={"question": question, "message_id": message}, timeout=60)
        except httpx.TransportError:
            continue
        if reply.status_code == 200:
            return str(reply.json()["answer"])
        assert reply.status_code >= 500, reply.text


def logged(database: str, messages: list[str]) -> list[str]:
    """Return the one logged answer of each message."""
    with psycopg.connect(database.replace("postgresql+psycopg", "postgresql")) as connection:
        rows = connection.execute(
            "SELECT message_id, answer FROM turns WHERE message_id = ANY(%s)", (messages,)
        ).fetchall()
    assert len(rows) == len(messages)
    found = dict(rows)
    return [found[message] for message in messages]
