"""One way of serving a model, in a process of its own: reads workloads as JSON lines, answers with what it measured.

    python -m benchmarks.contenders NAME MODEL.gguf THREADS SLOTS STATES_MB

NAME is frontdesk (as it is shipped: in the faster types that are made of the file it is given), frontdesk-as-given (the
file as it is), frontdesk-plain (without guesses), llama-class (llama_cpp.Llama behind a lock), llama-cpp-python (its
own server) or llama-server (llama.cpp's, through xllamacpp). A workload has `prompts`, each a list of messages,
`concurrency` and `max_tokens`; the answer has seconds, tokens, and for each prompt the time to its first words, to its
end, and its tokens.
"""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from bot.models.base import ChatMessage, Sampling
from bot.models.engine.options import EngineOptions
from bot.models.local import LocalChatModel
from knowledge.llama import LlamaModel
from knowledge.weights.catalogue import find_record
from knowledge.weights.library import Weights
from knowledge.weights.quantising import faster

CONTEXT, PEERS_SLOTS = 8_192, 8
RECORD = find_record("qwen2.5-coder-0.5b-instruct-q4_k_m")
Messages = list[dict[str, str]]
Answer = Callable[[Messages, int], AsyncIterator[tuple[str, int]]]
"""Yields pieces of text with the tokens that are known of so far."""


class FrontDeskEngine:
    """The engine of bot/models, in the process."""

    def __init__(self, weights: Weights, threads: int, slots: int, states: int, *, drafting: bool) -> None:
        options = EngineOptions(
            threads=threads, slots=slots, state_bytes=states << 20, queue=10_000, patience=1e9, drafting=drafting
        )
        self.weights_bytes = memory_of_weights(weights.path)
        self.model = LocalChatModel(weights, options)
        self.model.warm_up()

    async def answer(self, messages: Messages, max_tokens: int) -> AsyncIterator[tuple[str, int]]:
        generation = self.model.generate(
            [ChatMessage(message["role"], message["content"]) for message in messages],  # type: ignore[arg-type]
            Sampling(max_tokens=max_tokens),
        )
        async for piece in generation:
            yield piece, generation.usage.completion
        yield "", generation.usage.completion

    def facts(self) -> dict[str, Any]:
        counters = self.model.counters
        return {
            **asdict(counters),
            "overhead": counters.overhead,
            "beyond_weights": anonymous_memory() - self.weights_bytes,
        }


class LlamaClass:
    """llama-cpp-python's high-level class, one prompt after the other, as its documentation shows it."""

    def __init__(self, path: Path, threads: int) -> None:
        import llama_cpp  # noqa: PLC0415 - each contender loads its own library only

        self._llama = llama_cpp.Llama(str(path), n_ctx=2_048, n_threads=threads, n_threads_batch=threads, verbose=False)
        self._lock = asyncio.Lock()
        self._thread = ThreadPoolExecutor(1)  # more would have OpenMP's threads sleep at each barrier

    async def answer(self, messages: Messages, max_tokens: int) -> AsyncIterator[tuple[str, int]]:
        run = partial(asyncio.get_running_loop().run_in_executor, self._thread)
        async with self._lock:
            settings: dict[str, Any] = {"max_tokens": max_tokens, "temperature": 0, "stream": True}
            chunks = await run(partial(self._llama.create_chat_completion, messages, **settings))
            count = 0
            while (chunk := await run(next, chunks, None)) is not None:
                text = chunk["choices"][0]["delta"].get("content", "")
                count += bool(text)
                yield text, count

    def facts(self) -> dict[str, Any]:
        return {}


class Server:
    """A server that speaks OpenAI's chat completions."""

    def __init__(self, address: str) -> None:
        self._address = address

    async def answer(self, messages: Messages, max_tokens: int) -> AsyncIterator[tuple[str, int]]:
        body = {"messages": messages, "max_tokens": max_tokens, "temperature": 0, "stream": True, "cache_prompt": True}
        count = 0
        async with AsyncExitStack() as stack:  # a connection a request: llama-server drops those kept alive
            client = await stack.enter_async_context(httpx.AsyncClient(timeout=600))
            url = f"{self._address}/v1/chat/completions"
            response = await stack.enter_async_context(client.stream("POST", url, json=body))
            response.raise_for_status()
            async for line in response.aiter_lines():
                if line.startswith("data: {"):
                    choices = json.loads(line[6:]).get("choices") or [{}]
                    text = choices[0].get("delta", {}).get("content") or ""
                    count += bool(text)
                    yield text, count

    def facts(self) -> dict[str, Any]:
        return {}


def own_server(path: Path, threads: int) -> Server:
    """Start llama-cpp-python's own server."""
    port = free_port()
    command = [sys.executable, "-m", "llama_cpp.server", "--model", str(path), "--port", str(port)]
    command += ["--n_threads", str(threads), "--n_threads_batch", str(threads), "--n_ctx", "2048"]
    # its cache keeps all logits of a prompt, 300 MB each: it took 10 GB before all entries were asked about once
    command += ["--interrupt_requests", "false", "--verbose", "false"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    STARTED.append(process)
    address = f"http://127.0.0.1:{port}"
    while True:
        try:
            httpx.get(f"{address}/v1/models").raise_for_status()
        except httpx.HTTPError:
            if process.poll() is not None:
                sys.exit("llama_cpp.server has ended; install it: uv sync --group bench")
            time.sleep(0.2)
        else:
            return Server(address)


def llama_server(path: Path, threads: int) -> Server:
    """Start llama.cpp's server: 8 slots on one cache, prompt cache on, flash attention on."""
    import xllamacpp  # noqa: PLC0415 - as above

    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(path)
    parameters.n_ctx, parameters.n_parallel, parameters.kv_unified = CONTEXT, PEERS_SLOTS, True
    parameters.cont_batching = parameters.cache_prompt = True
    parameters.cache_ram_mib = 1_024
    parameters.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_ENABLED
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = threads
    parameters.port = free_port()
    parameters.verbosity = 0
    STARTED.append(xllamacpp.Server(parameters))
    return Server(str(STARTED[-1].listening_address).rstrip("/"))


STARTED: list[Any] = []
"""Kept until the end: a server that is collected stops."""


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def anonymous_memory() -> int:
    """Return the bytes of this process that no file backs."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("RssAnon:")[1].split()[0]) * 1_024


def memory_of_weights(path: Path) -> int:
    """Return what this process has with nothing but the model in it: re-packed weights are anonymous memory."""
    model = LlamaModel(path)
    used = anonymous_memory()
    model.close()
    return used


async def run(answer: Answer, workload: dict[str, Any]) -> dict[str, Any]:
    """Answer all prompts of a workload, so many at a time."""
    prompts = iter(workload["prompts"])
    first: list[float] = []
    whole: list[float] = []
    tokens: list[int] = []
    texts: list[str] = []

    async def worker() -> None:
        for messages in prompts:
            begun, seen, count, text = time.perf_counter(), None, 0, ""
            async for piece, known in answer(messages, workload["max_tokens"]):
                count, text = known, text + piece
                if piece and seen is None:
                    seen = time.perf_counter() - begun
            whole.append(time.perf_counter() - begun)
            first.append(seen if seen is not None else whole[-1])
            tokens.append(count)
            texts.append(text)

    begun = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(workload["concurrency"])))
    seconds = time.perf_counter() - begun
    return {"seconds": seconds, "first": first, "whole": whole, "tokens": tokens, "texts": texts}


async def serve(contender: Any) -> None:
    """Read workloads until the input ends."""
    while line := await asyncio.to_thread(sys.stdin.readline):
        result = await run(contender.answer, json.loads(line))
        print(json.dumps({**result, "facts": contender.facts()}), flush=True)


def main() -> None:
    """Start the contender that is named, and say that it is ready."""
    name, path = sys.argv[1], Path(sys.argv[2])
    threads, slots, states = map(int, sys.argv[3:])
    match name:
        case "llama-class":
            contender: Any = LlamaClass(path, threads)
        case "llama-cpp-python":
            contender = own_server(path, threads)
        case "llama-server":
            contender = llama_server(path, threads)
        case _:
            weights = Weights(replace(RECORD, sha256=""), path)
            if name != "frontdesk-as-given":
                weights = faster(weights, path.parent)
            contender = FrontDeskEngine(weights, threads, slots, states, drafting=name != "frontdesk-plain")
    print(json.dumps({"ready": name}), flush=True)
    try:
        asyncio.run(serve(contender))
    finally:
        for started in STARTED:
            if isinstance(started, subprocess.Popen):
                started.terminate()
                started.wait(20)


if __name__ == "__main__":
    main()
