"""The local chat model: one thread owns one llama.cpp context and answers one prompt after the other.

The state of each prompt's first message (system text and evidence) is kept, so that the next question on the same
entries is answered without computing it again.
"""

from __future__ import annotations

import asyncio
import codecs
import ctypes
import queue
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.errors import ModelBusy
from bot.models.base import ChatMessage, FinishReason, Sampling
from bot.models.prefixes import PrefixStore
from bot.question import Usage
from knowledge.errors import FrontDeskError, ModelError, ModelUnavailable
from knowledge.llama import LlamaModel, TokenBatch, available_threads, library
from knowledge.weights.catalogue import ChatTemplate
from knowledge.weights.library import Weights

PREFILL_TOKENS = 128
"""Prompt tokens computed at a time: a cancelled answer waits for so many at most."""

SECONDS_AN_ANSWER = 3
"""A guess of how long one answer takes, for Retry-After."""

_SEQUENCE = 0


@dataclass
class _Job:
    prefix: list[int]
    rest: list[int]
    sampling: Sampling
    loop: asyncio.AbstractEventLoop
    pieces: asyncio.Queue[str | FrontDeskError | None]
    cancelled: threading.Event = field(default_factory=threading.Event)
    usage: Usage = field(default_factory=Usage)
    finish_reason: FinishReason = "stop"

    def send(self, item: str | FrontDeskError | None) -> None:
        try:
            self.loop.call_soon_threadsafe(self.pieces.put_nowait, item)
        except RuntimeError:  # the loop has closed: nobody waits any more
            self.cancelled.set()


class LocalGeneration:
    """One answer of the local model."""

    def __init__(self, job: _Job) -> None:
        """Wrap a job that is already queued."""
        self._job = job

    @property
    def usage(self) -> Usage:
        """Tokens so far."""
        return self._job.usage

    @property
    def finish_reason(self) -> FinishReason:
        """Why it ended."""
        return self._job.finish_reason

    async def __aiter__(self) -> AsyncIterator[str]:
        """Yield the text as it comes."""
        try:
            while (item := await self._job.pieces.get()) is not None:
                if isinstance(item, FrontDeskError):
                    raise item
                yield item
        finally:
            self._job.cancelled.set()

    async def aclose(self) -> None:
        """Stop at once."""
        self._job.cancelled.set()


class LocalChatModel:
    """A GGUF chat model on this machine's processor."""

    def __init__(
        self,
        weights: Weights,
        *,
        threads: int = 0,
        context_tokens: int = 3_072,
        prefix_cache_bytes: int = 64 << 20,
        queue_size: int = 16,
    ) -> None:
        """Remember what to load; nothing is loaded yet."""
        if weights.record.template is None:
            raise ModelUnavailable(f"{weights.record.name} is not a chat model")
        self._weights = weights
        self._template: ChatTemplate = weights.record.template
        self._threads = threads or available_threads()
        self._context_tokens = min(context_tokens, weights.record.context)
        self._prefixes = PrefixStore(prefix_cache_bytes)
        self._jobs: queue.Queue[_Job | None] = queue.Queue(queue_size)
        self._resident: list[int] = []
        self._model: LlamaModel | None = None
        self._thread: threading.Thread | None = None

    @property
    def name(self) -> str:
        """The model's name."""
        return self._weights.record.name

    @property
    def context_tokens(self) -> int:
        """Room for a prompt and its answer."""
        return self._context_tokens

    def warm_up(self) -> None:
        """Load the weights and start the thread that owns them."""
        if self._thread is not None:
            return
        self._llama = library()
        self._model = LlamaModel(self._weights.path)
        parameters = self._llama.llama_context_default_params()
        parameters.n_ctx = self._context_tokens
        parameters.n_batch = parameters.n_ubatch = PREFILL_TOKENS
        parameters.n_outputs_max = 1
        parameters.n_seq_max = 1
        parameters.n_threads = parameters.n_threads_batch = self._threads
        parameters.no_perf = True
        self._context = self._llama.llama_init_from_model(self._model.handle, parameters)
        if not self._context:
            raise ModelUnavailable(f"{self.name} needs more memory than there is for {self._context_tokens} tokens")
        self._memory = self._llama.llama_get_memory(self._context)
        self._batch = TokenBatch(PREFILL_TOKENS)
        self._thread = threading.Thread(target=self._work, name="chat-model", daemon=True)
        self._thread.start()

    def generate(self, messages: Sequence[ChatMessage], sampling: Sampling) -> LocalGeneration:
        """Queue a prompt.

        Raises:
            ModelBusy: the queue is full.
            ModelError: the prompt is longer than the context.
        """
        prefix, rest = self._to_tokens(messages)
        room = self._context_tokens - len(prefix) - len(rest)
        if room < 16:
            raise ModelError(
                f"the prompt has {len(prefix) + len(rest)} tokens; the context holds {self._context_tokens}"
            )
        job = _Job(prefix, rest, sampling, asyncio.get_running_loop(), asyncio.Queue())
        job.usage.prompt = len(prefix) + len(rest)
        try:
            self._jobs.put_nowait(job)
        except queue.Full as error:
            waiting = self._jobs.qsize()
            raise ModelBusy(waiting, retry_after=waiting * SECONDS_AN_ANSWER) from error
        return LocalGeneration(job)

    async def close(self) -> None:
        """Let the running answer end, then free everything."""
        if self._thread is None or self._model is None:
            return
        await asyncio.to_thread(self._jobs.put, None)
        await asyncio.to_thread(self._thread.join)
        self._batch.close()
        self._llama.llama_free(self._context)
        self._model.close()
        self._thread = None

    def _to_tokens(self, messages: Sequence[ChatMessage]) -> tuple[list[int], list[int]]:
        """Return the tokens of a leading system message, which repeat, and those of the rest."""
        assert self._model is not None, "warm_up comes first"
        pieces: list[list[int]] = []
        around = self._template.around(message.role for message in messages)
        for message, (before, after) in zip(messages, around, strict=True):
            pieces.append(
                self._model.tokenise(before, markers=True)
                + self._model.tokenise(message.content)
                + self._model.tokenise(after, markers=True)
            )
        prefix = pieces.pop(0) if messages and messages[0].role == "system" else []
        opening = self._model.tokenise(self._template.assistant[0], markers=True)
        return prefix, [token for piece in pieces for token in piece] + opening

    # Everything below runs in the one thread that owns the context.

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                if not job.cancelled.is_set():
                    self._answer(job)
                job.send(None)
            except FrontDeskError as error:
                job.send(error)
            except Exception as error:  # the thread must survive whatever one prompt does
                failure = ModelError(f"the local model failed: {error}")
                failure.__cause__ = error
                job.send(failure)

    def _answer(self, job: _Job) -> None:
        tokens = job.prefix + job.rest
        job.usage.cached = self._reuse(job.prefix, tokens)
        if job.usage.cached < len(job.prefix):
            self._compute(job, tokens, job.usage.cached, len(job.prefix))
            self._keep(job)
        self._compute(job, tokens, max(job.usage.cached, len(job.prefix)), len(tokens))
        for text in self._stopped(self._decode(job, len(tokens)), job):
            job.send(text)

    def _reuse(self, prefix: list[int], tokens: list[int]) -> int:
        """Bring the context to the longest known beginning of `tokens`; return its length."""
        shared = 0
        for resident, token in zip(self._resident, tokens[:-1], strict=False):
            if resident != token:
                break
            shared += 1
        state = self._prefixes.get(prefix) if shared < len(prefix) else None
        if state is not None:
            buffer = (ctypes.c_uint8 * len(state)).from_buffer_copy(state)
            if self._llama.llama_state_seq_set_data(self._context, buffer, len(state), _SEQUENCE):
                self._resident = list(prefix)
                return len(prefix)
            shared = 0
        self._llama.llama_memory_seq_rm(self._memory, _SEQUENCE, shared, -1)
        self._resident = tokens[:shared]
        return shared

    def _keep(self, job: _Job) -> None:
        if job.cancelled.is_set() or job.prefix in self._prefixes:
            return
        size = self._llama.llama_state_seq_get_size(self._context, _SEQUENCE)
        buffer = (ctypes.c_uint8 * size)()
        written = self._llama.llama_state_seq_get_data(self._context, buffer, size, _SEQUENCE)
        self._prefixes.put(job.prefix, ctypes.string_at(buffer, written))

    def _compute(self, job: _Job, tokens: list[int], start: int, end: int) -> None:
        """Compute the prompt from `start` to `end`, a slice at a time."""
        while start < end and not job.cancelled.is_set():
            stop = min(start + PREFILL_TOKENS, end)
            self._step(tokens[start:stop], start)
            start = stop

    def _step(self, tokens: list[int], position: int) -> None:
        self._batch.clear()
        self._batch.add(tokens, start=position, sequence=_SEQUENCE)
        if self._llama.llama_decode(self._context, self._batch.batch) != 0:
            self._llama.llama_memory_seq_rm(self._memory, _SEQUENCE, 0, -1)
            self._resident = []
            raise ModelError("llama.cpp could not compute a step")
        self._resident += tokens

    def _decode(self, job: _Job, position: int) -> Iterator[str]:
        """Yield the answer's text, whole characters at a time."""
        assert self._model is not None
        sampler = self._make_sampler(job.sampling)
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        job.finish_reason = "length"
        last = min(job.sampling.max_tokens, self._context_tokens - position)
        try:
            for count in range(1, last + 1):
                if job.cancelled.is_set():
                    return
                token = self._llama.llama_sampler_sample(sampler, self._context, -1)
                if self._model.ends_generation(token):
                    job.finish_reason = "stop"
                    break
                job.usage.completion = count
                yield decoder.decode(self._model.piece(token))
                if count < last:
                    self._step([token], position + count - 1)
            yield decoder.decode(b"", final=True)
        finally:
            self._llama.llama_sampler_free(sampler)

    def _stopped(self, pieces: Iterator[str], job: _Job) -> Iterator[str]:
        """End the text before the first stop string, holding back what may become one."""
        stops = (*job.sampling.stop, *self._template.stops)
        held = ""
        for piece in pieces:
            held += piece
            ends = [held.index(stop) for stop in stops if stop in held]
            if ends:
                job.finish_reason = "stop"
                yield held[: min(ends)]
                return
            keep = max((_overlap(held, stop) for stop in stops), default=0)
            ready, held = held[: len(held) - keep], held[len(held) - keep :]
            if ready:
                yield ready
        if held:
            yield held

    def _make_sampler(self, sampling: Sampling) -> Any:
        llama = self._llama
        chain = llama.llama_sampler_chain_init(llama.llama_sampler_chain_default_params())
        if sampling.temperature <= 0:
            llama.llama_sampler_chain_add(chain, llama.llama_sampler_init_greedy())
            return chain
        seed = llama.LLAMA_DEFAULT_SEED if sampling.seed is None else sampling.seed & 0xFFFFFFFF
        for sampler in (  # top-k first: the others then look at 40 tokens instead of 150,000
            llama.llama_sampler_init_top_k(40),
            llama.llama_sampler_init_top_p(sampling.top_p, 1),
            llama.llama_sampler_init_temp(sampling.temperature),
            llama.llama_sampler_init_dist(seed),
        ):
            llama.llama_sampler_chain_add(chain, sampler)
        return chain


def _overlap(text: str, stop: str) -> int:
    """Return how many characters at the end of `text` begin `stop`."""
    return next((size for size in range(min(len(stop) - 1, len(text)), 0, -1) if text.endswith(stop[:size])), 0)
