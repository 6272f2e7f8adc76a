"""What Ray adds to an answer: the same question, vector and first word, here and through deployments on this machine.

    python -m benchmarks.hops --rounds 50

Every figure is a median in milliseconds, taken in turns, so that other work on the machine falls on both alike.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import statistics
import time
from collections.abc import Awaitable, Callable
from functools import partial

import httpx
import uvicorn
from fastapi import FastAPI

os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_AUTH_MODE": "disabled"}

import ray
from ray import serve

from bot.assembly import make_embedder, make_local_model
from bot.cli.serve import listen
from bot.models.base import ChatMessage, ChatModel, Sampling
from bot.ray.chat_model import ReplicatedChatModel
from bot.ray.embedder import ReplicatedEmbedder
from bot.ray.replicas import ChatReplica, EmbedderReplica
from bot.settings import load_settings
from knowledge.embedding.base import Embedder

page = FastAPI()


@page.get("/")
async def nothing() -> None:
    """Answer at once."""


PROMPT = [
    ChatMessage("system", "Answer from this. A transfer abroad costs 5 euros and takes two days. " * 4),
    ChatMessage("user", "How much does a transfer abroad cost?"),
]
ANSWER = Sampling(max_tokens=24)
QUESTION = "How much does it cost to send money abroad, and how long does it take?"


async def embed(embedder: Embedder) -> float:
    """Return the milliseconds that the vector of a question takes."""
    begun = time.perf_counter()
    await asyncio.to_thread(embedder.embed_queries, [QUESTION])
    return (time.perf_counter() - begun) * 1_000


async def answer(model: ChatModel) -> tuple[float, float]:
    """Return the milliseconds to the first words, and for each further piece."""
    begun = time.perf_counter()
    times = [time.perf_counter() async for _ in model.generate(PROMPT, ANSWER)]
    return (times[0] - begun) * 1_000, (times[-1] - times[0]) / max(1, len(times) - 1) * 1_000


async def fetch(client: httpx.AsyncClient, url: str) -> float:
    """Return the milliseconds that a request takes."""
    begun = time.perf_counter()
    (await client.get(url)).raise_for_status()
    return (time.perf_counter() - begun) * 1_000


async def in_turns(rounds: int, *measures: Callable[[], Awaitable[float]]) -> list[float]:
    """Return the median of each measure."""
    taken: list[list[float]] = [[] for _ in measures]
    for _ in range(rounds):
        for measure, times in zip(measures, taken, strict=True):
            times.append(await measure())
    return [statistics.median(times) for times in taken]


async def main(rounds: int) -> None:
    """Measure and print."""
    settings = load_settings()
    ray.init(num_cpus=4, include_dashboard=False, object_store_memory=80 << 20, log_to_driver=False)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    serve.start(http_options={"host": "127.0.0.1", "port": port})
    one = {"num_cpus": 1}
    chat_there = ReplicatedChatModel(
        serve.run(serve.deployment(ChatReplica, ray_actor_options=one).bind(), name="chat", route_prefix=None),
        patience=600,
    )
    embedder_there = ReplicatedEmbedder(
        serve.run(serve.deployment(EmbedderReplica, ray_actor_options=one).bind(), name="embedder", route_prefix=None)
    )
    embedder_here, chat_here = make_embedder(settings), make_local_model(settings)
    assert chat_here is not None
    for part in (embedder_here, chat_here, embedder_there, chat_there):
        await asyncio.to_thread(part.warm_up)
    for model in (chat_here, chat_there):
        await answer(model)
    here, there = await in_turns(rounds, lambda: embed(embedder_here), lambda: embed(embedder_there))
    print(f"vector of a question: {here:.1f} ms here, {there:.1f} ms through Ray")
    answers = [(await answer(chat_here), await answer(chat_there)) for _ in range(max(1, rounds // 5))]
    for place, what in enumerate(("first words", "each further piece")):
        here, there = (statistics.median(pair[side][place] for pair in answers) for side in (0, 1))
        print(f"{what}: {here:.1f} ms here, {there:.1f} ms through Ray")
    await chat_here.close()
    serve.run(serve.deployment(serve.ingress(page)()).bind(), name="page", route_prefix="/")
    listener = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(page, log_config=None))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    async with httpx.AsyncClient() as client:
        urls = [f"http://127.0.0.1:{number}/" for number in (listener.getsockname()[1], port)]
        here, there = await in_turns(rounds, *(partial(fetch, client, url) for url in urls))
    print(f"a request that does nothing: {here:.1f} ms here, {there:.1f} ms through Ray")
    server.should_exit = True
    await serving
    serve.shutdown()
    ray.shutdown()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    asyncio.run(main(parser.parse_args().rounds))
