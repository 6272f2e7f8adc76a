"""The local chat model: a GGUF file answering on this machine's processor, through the engine."""

from __future__ import annotations

import asyncio
import hashlib
import importlib.metadata
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack
from dataclasses import replace

import structlog

from bot.models.base import ChatMessage, FinishReason, Sampling
from bot.models.engine.composing import OUTPUTS, ROWS
from bot.models.engine.context import Context
from bot.models.engine.counters import Counters
from bot.models.engine.engine import Engine
from bot.models.engine.files import StateFiles
from bot.models.engine.options import EngineOptions
from bot.models.engine.prefixes import PrefixStore
from bot.models.engine.request import LoopChannel, Request, ThreadChannel
from bot.models.engine.vault import Vault
from bot.question import Usage
from knowledge.errors import ModelError, ModelUnavailable
from knowledge.llama import LlamaModel
from knowledge.machine import available_threads
from knowledge.weights.library import Weights
from knowledge.weights.record import ChatTemplate

log = structlog.get_logger()

CELLS_A_SLOT = 512
"""An entry, a question and an answer have about 350 tokens; beginnings that are alike share theirs."""

LEAST_ROOM = 16
"""Tokens that must be left for an answer."""

DEFAULTS = EngineOptions()


class LocalGeneration:
    """One answer of the local model."""

    def __init__(self, request: Request, channel: LoopChannel) -> None:
        """Wrap a request that is already queued."""
        self._request, self._channel = request, channel

    @property
    def usage(self) -> Usage:
        """Tokens so far."""
        return self._request.usage

    @property
    def finish_reason(self) -> FinishReason:
        """Why it ended."""
        return self._request.finish_reason

    async def __aiter__(self) -> AsyncIterator[str]:
        """Yield the text as it comes."""
        try:
            while (piece := await self._channel.receive()) is not None:
                yield piece
        finally:
            self._channel.is_left = True

    async def aclose(self) -> None:
        """Stop at once."""
        self._channel.is_left = True


class LocalChatModel:
    """A GGUF chat model on this machine's processor."""

    def __init__(
        self,
        weights: Weights,
        options: EngineOptions = DEFAULTS,
    ) -> None:
        """Remember what to load; nothing is loaded yet.

        Raises:
            ModelUnavailable: it is a model of another kind.
        """
        if weights.record.template is None:
            raise ModelUnavailable(f"{weights.record.name} is not a chat model")
        self._weights = weights
        self._template: ChatTemplate = weights.record.template
        self._options = options
        self._context_tokens = min(options.context_tokens, weights.record.context)
        self._model: LlamaModel | None = None
        self._engine: Engine | None = None

    @property
    def name(self) -> str:
        """The model's name."""
        return self._weights.record.name

    @property
    def context_tokens(self) -> int:
        """Room for a prompt and its answer."""
        return self._context_tokens

    @property
    def counters(self) -> Counters:
        """What the engine has done so far."""
        return self._engine.counters if self._engine else Counters()

    @property
    def predicted_wait(self) -> float:
        """The seconds that a new prompt would wait for its first words."""
        return self._engine.predicted_wait() if self._engine else 0.0

    @property
    def waiting(self) -> int:
        """How many prompts wait for the engine."""
        return self._engine.waiting if self._engine else 0

    @property
    def working(self) -> int:
        """How many it works on."""
        return self._engine.working if self._engine else 0

    @property
    def threads(self) -> int:
        """How many threads it computes with, at the moment."""
        return self._engine.threads if self._engine else 0

    def warm_up(self) -> None:
        """Load the weights and start the engine."""
        if self._engine is not None:
            return
        with ExitStack() as opened:
            self._model = LlamaModel(self._weights.path)
            opened.callback(self._model.close)
            engine = self._make_engine(self._model)
            opened.callback(self._context.close)
            opened.callback(self._vault.close)
            engine.start()
            opened.pop_all()
        self._engine = engine

    def _make_engine(self, model: LlamaModel) -> Engine:
        options = self._options
        self._context = Context(
            model,
            cells=max(self._context_tokens, options.slots * CELLS_A_SLOT),
            sequences=options.slots,
            rows=ROWS,
            outputs=OUTPUTS,
            threads=options.threads or available_threads(),
        )
        self._vault = Vault(PrefixStore(options.state_bytes), self._open_files())
        return Engine(model, self._context, self._vault, options)

    def _open_files(self) -> StateFiles | None:
        folder, budget = self._options.state_folder, self._options.state_folder_bytes
        if folder is None or not budget:
            return None
        try:
            return StateFiles(folder, self._fingerprint(), budget)
        except OSError as error:
            log.warning("states of prompts are not kept on disk", folder=str(folder), reason=str(error))
            return None

    def generate(self, messages: Sequence[ChatMessage], sampling: Sampling) -> LocalGeneration:
        """Queue a prompt.

        Raises:
            ModelBusy: too many are waiting.
            ModelError: the prompt is longer than the context.
        """
        engine = self._running()
        prefix, rest = self._to_tokens(messages)
        length = len(prefix) + len(rest)
        room = self._context_tokens - length
        if room < LEAST_ROOM:
            raise ModelError(f"the prompt has {length} tokens; the context holds {self._context_tokens}")
        channel = LoopChannel()
        stops = (*sampling.stop, *self._template.stops)
        sampling = replace(sampling, max_tokens=min(sampling.max_tokens, room), stop=stops)
        request = Request(prefix + rest, anchor=len(prefix), sampling=sampling, channel=channel)
        engine.submit(request)
        return LocalGeneration(request, channel)

    def _running(self) -> Engine:
        if self._engine is None:
            raise ModelError("the local model is not loaded")
        return self._engine

    def prepare(self, prompts: Sequence[Sequence[ChatMessage]]) -> None:
        """Compute what these prompts begin with while nobody waits: in this order, as many as there is room to keep.

        Earlier wishes are dropped.
        """
        engine = self._running()
        assert self._model is not None
        engine.cool()
        room = max(self._options.state_bytes, self._options.state_folder_bytes)
        for messages in prompts:
            prefix, _ = self._to_tokens(messages)
            room -= len(prefix) * self._model.state_bytes_a_token
            if room < 0:
                return
            if 0 < len(prefix) <= self._context_tokens - LEAST_ROOM:
                engine.warm(Request(prefix, anchor=len(prefix), sampling=Sampling()))

    def hold(self) -> None:
        """Put off preparations for a moment, so that a question has the processor to itself."""
        if self._engine is not None:
            self._engine.hold()

    def likelihoods(self, prompts: Sequence[Sequence[ChatMessage]], *, seconds: float | None = None) -> list[float]:
        """Return, for each prompt, the log-probability of its last message's text after what comes before it. Blocks.

        Raises:
            ModelBusy: too many are waiting.
            ModelError: a prompt is longer than the context, or it takes more than so many seconds.
        """
        asked: list[tuple[Request, ThreadChannel]] = []
        try:
            for messages in prompts:  # one by one: what was asked before a failure has to be left again
                asked.append(self._ask_likelihood(messages, seconds))  # noqa: PERF401
            for _, channel in asked:
                channel.wait()
        finally:
            for _, channel in asked:
                channel.is_left = True
        return [sum(request.logprobs) for request, _ in asked]

    def _ask_likelihood(self, messages: Sequence[ChatMessage], seconds: float | None) -> tuple[Request, ThreadChannel]:
        engine = self._running()
        prefix, rest = self._to_tokens(messages, to_the_last_word=True)
        if len(prefix) + len(rest) > self._context_tokens:
            raise ModelError(f"the prompt has {len(prefix) + len(rest)} tokens")
        channel = ThreadChannel()
        request = Request(
            prefix + rest,
            anchor=len(prefix),
            sampling=Sampling(seconds=seconds),
            channel=channel,
            scored=len(rest) if prefix else 0,
        )
        if request.scored:
            engine.submit(request)
        else:
            channel.send(None)
        return request, channel

    async def close(self) -> None:
        """Let what is being answered end, then free everything."""
        if self._engine is None or self._model is None:
            return
        await asyncio.to_thread(self._engine.stop)
        await asyncio.to_thread(self._vault.close)
        self._context.close()
        self._model.close()
        self._engine = None

    def _to_tokens(
        self, messages: Sequence[ChatMessage], *, to_the_last_word: bool = False
    ) -> tuple[list[int], list[int]]:
        """Return the tokens that others are likely to begin with too, and those of the rest.

        The first are a leading system message and the opening of what follows it. `to_the_last_word` ends with the last
        message's text, without the opening of an answer.
        """
        assert self._model is not None, "warm_up comes first"
        prefix: list[int] = []
        rest: list[int] = []
        has_system = bool(messages) and messages[0].role == "system"
        around = self._template.around(message.role for message in messages)
        for place, (message, (before, after)) in enumerate(zip(messages, around, strict=True)):
            opening = self._model.tokenise(before, markers=True)
            words = self._model.tokenise(message.content)
            closing = self._model.tokenise(after, markers=True)
            if has_system and place == 0:
                prefix += opening + words + closing
            elif has_system and place == 1:
                prefix += opening
                rest += words + closing
            else:
                rest += opening + words + closing
            if to_the_last_word and place == len(messages) - 1:
                return prefix, rest[: len(rest) - len(closing)]
        return prefix, rest + self._model.tokenise(self._template.assistant[0], markers=True)

    def _fingerprint(self) -> bytes:
        """Return what a saved state depends on besides its tokens: the weights' file and the library."""
        status = self._weights.path.stat()
        library = importlib.metadata.version("llama-cpp-python")
        facts = (self._weights.record.sha256, self._weights.path.name, status.st_size, status.st_mtime_ns, library)
        return hashlib.sha256(repr(facts).encode()).digest()
