"""What runs in the replicas: a chat model or an embedder each, as on one machine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace

import ray

from bot.assembly import make_embedder, make_local_model
from bot.errors import ModelBusy
from bot.logs import set_up_logging
from bot.models.base import ChatMessage, FinishReason, Sampling
from bot.question import Usage
from bot.settings import Settings, load_settings
from knowledge.embedding.base import Vectors
from knowledge.errors import ModelError, ModelUnavailable


@dataclass(frozen=True)
class Taken:
    """An answer has a place in the replica's queue."""

    usage: Usage


@dataclass(frozen=True)
class Ended:
    """An answer is complete."""

    usage: Usage
    finish_reason: FinishReason


@dataclass(frozen=True)
class Busy:
    """The replica sheds the question, as ModelBusy says."""

    waiting: int
    retry_after: int


@dataclass(frozen=True)
class Failed:
    """The replica's model failed, as a ModelError says."""

    reason: str


Item = str | Taken | Ended | Busy | Failed
"""What comes back of a question: exceptions are values here, since Ray would wrap them."""


class ChatReplica:
    """The local chat model with its engine."""

    def __init__(self) -> None:
        """Load it; raises ModelError."""
        model = make_local_model(_settings_here())
        if model is None:
            raise ModelUnavailable("models.chat is empty, so there is nothing to run here")
        model.warm_up()
        self._model = model

    def describe(self) -> str:
        """Return the model's name."""
        return self._model.name

    async def generate(self, messages: Sequence[ChatMessage], sampling: Sampling) -> AsyncGenerator[Item]:
        """Answer, or say why not; whoever leaves frees the slot within one step."""
        try:
            generation = self._model.generate(messages, sampling)
            try:
                yield Taken(replace(generation.usage))
                async for piece in generation:
                    yield piece
                yield Ended(generation.usage, generation.finish_reason)
            finally:
                await generation.aclose()
        except ModelBusy as error:
            yield Busy(error.waiting, error.retry_after)
        except ModelError as error:
            yield Failed(str(error))


class EmbedderReplica:
    """The embedder that the settings name."""

    def __init__(self) -> None:
        """Load it; raises ModelError."""
        self._embedder = make_embedder(_settings_here())
        self._embedder.warm_up()

    def describe(self) -> tuple[str, str]:
        """Return its name and its fingerprint."""
        return self._embedder.name, self._embedder.fingerprint

    async def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Embed questions."""
        return await asyncio.to_thread(self._embedder.embed_queries, texts)

    async def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Embed what is searched."""
        return await asyncio.to_thread(self._embedder.embed_passages, texts)


def _settings_here() -> Settings:
    """Return the settings; without a number of threads, a model has those that Ray gives this replica."""
    settings = load_settings()
    set_up_logging(settings.log_level, as_json=settings.log_json)
    cores = int(ray.get_runtime_context().get_assigned_resources().get("CPU", 0))
    threads = settings.models.threads or max(1, cores)
    return settings.model_copy(update={"models": settings.models.model_copy(update={"threads": threads})})
