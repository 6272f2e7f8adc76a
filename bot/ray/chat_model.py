"""A chat model that any number of replicas run, for whoever asks."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ray.exceptions import RayError
from ray.serve.exceptions import BackPressureError, RayServeException

from bot.errors import ModelBusy
from bot.models.base import ChatMessage, FinishReason, Sampling
from bot.question import Usage
from bot.ray.replicas import Busy, Ended, Failed, Item, Taken
from knowledge.errors import ModelError, ModelUnavailable

if TYPE_CHECKING:
    from ray.serve.handle import DeploymentHandle, DeploymentResponseGenerator

TRIES = 2
"""A question whose replica is lost before it said a word is asked again, of another one."""

START_SECONDS = 600.0
"""A first replica may have its weights still to load."""


class ReplicaLost(ModelError):
    """A replica ended, or fell silent, in the middle of an answer."""


class ReplicatedGeneration:
    """One answer of one of the replicas."""

    def __init__(
        self, model: ReplicatedChatModel, messages: Sequence[ChatMessage], sampling: Sampling, seconds: float
    ) -> None:
        """Prepare; a replica is asked when iteration begins. It is lost if it says nothing for twice `seconds`."""
        self._model, self._messages, self._sampling, self._seconds = model, messages, sampling, seconds
        self._response: DeploymentResponseGenerator[Item] | None = None
        self._usage = Usage()
        self._finish_reason: FinishReason = "stop"

    @property
    def usage(self) -> Usage:
        """Tokens so far; until the end, a piece counts as one."""
        return self._usage

    @property
    def finish_reason(self) -> FinishReason:
        """Why it ended."""
        return self._finish_reason

    async def __aiter__(self) -> AsyncIterator[str]:
        """Yield the text as it comes.

        Raises:
            ModelBusy: no replica takes it in time.
            ModelError: a replica could not answer, or was lost after its first words.
        """
        for attempt in range(TRIES):
            spoken = False
            try:
                async with aclosing(self._pieces(attempt)) as pieces:
                    async for piece in pieces:
                        spoken = True
                        yield piece
            except ReplicaLost:
                if spoken or attempt == TRIES - 1:
                    raise
            else:
                return

    async def _pieces(self, attempt: int) -> AsyncGenerator[str]:
        self._response = response = self._model.ask(self._messages, self._sampling, attempt)
        try:
            await self._wait_for_place(response)
            while True:
                match await self._next(response, self._seconds * 2):
                    case str(piece):
                        self._usage.completion += 1
                        yield piece
                    case Ended(usage, finish_reason):
                        self._usage, self._finish_reason = usage, finish_reason
                        return
        except TimeoutError as error:
            raise ReplicaLost("a replica of the chat model says nothing any more") from error
        finally:
            response.cancel()

    async def _wait_for_place(self, response: DeploymentResponseGenerator[Item]) -> None:
        """Wait until a replica has queued the question; raises ModelBusy when that takes too long."""
        with self._model.waiting_for_place() as waiting:
            try:
                taken = await self._next(response, self._seconds)
            except TimeoutError as error:
                raise ModelBusy(waiting, retry_after=1) from error
        if isinstance(taken, Taken):
            self._usage = replace(taken.usage)

    async def _next(self, response: DeploymentResponseGenerator[Item], seconds: float) -> Item:
        """Return what comes next, with refusals and failures raised."""
        try:
            async with asyncio.timeout(seconds):
                item: Item = await anext(response)
        except BackPressureError as error:
            raise ModelBusy(self._model.waiting, retry_after=1) from error
        except (RayError, RayServeException, StopAsyncIteration) as error:
            raise ReplicaLost(f"a replica of the chat model was lost: {type(error).__name__}") from error
        match item:
            case Busy(waiting, retry_after):
                raise ModelBusy(waiting, retry_after)
            case Failed(reason):
                raise ModelError(reason)
        return item

    async def aclose(self) -> None:
        """Stop at once: the replica's task is cancelled, which frees its slot within one step."""
        if self._response is not None:
            self._response.cancel()


class _Place:
    """Counts who waits for a place while they do."""

    def __init__(self, model: ReplicatedChatModel) -> None:
        self._model = model

    def __enter__(self) -> int:
        self._model.waiting += 1
        return self._model.waiting

    def __exit__(self, *_: object) -> None:
        self._model.waiting -= 1


class ReplicatedChatModel:
    """A chat model in replicas; prompts that begin alike go to the same one, which knows their beginning."""

    def __init__(self, handle: DeploymentHandle[Any], *, patience: float) -> None:
        """Remember whom to ask; a question that gets no place in so many seconds is shed."""
        self._handle, self._patience = handle, patience
        self._name = ""
        self.waiting = 0

    @property
    def name(self) -> str:
        """The model's name, known from `warm_up` on."""
        return self._name

    def warm_up(self) -> None:
        """Wait for the first replica; raises ModelUnavailable. Blocks, so not in an event loop."""
        if self._name:
            return
        try:
            self._name = self._handle.describe.remote().result(timeout_s=START_SECONDS)
        except (RayError, RayServeException, TimeoutError) as error:
            raise ModelUnavailable(f"no replica runs the chat model: {type(error).__name__}") from error

    def generate(self, messages: Sequence[ChatMessage], sampling: Sampling) -> ReplicatedGeneration:
        """Begin an answer."""
        return ReplicatedGeneration(self, messages, sampling, self._patience)

    def waiting_for_place(self) -> _Place:
        """Count one more who waits, for as long as it does."""
        return _Place(self)

    def ask(
        self, messages: Sequence[ChatMessage], sampling: Sampling, attempt: int
    ) -> DeploymentResponseGenerator[Item]:
        """Send a question to the replica of its beginning, or, at the second attempt, to one that chance chooses."""
        session = "" if attempt else session_of(messages)
        return self._handle.options(stream=True, session_id=session).generate.remote(messages, sampling)

    def hold(self) -> None:
        """Do nothing: replicas prepare nothing that nobody asked for."""

    async def close(self) -> None:
        """Do nothing: the replicas belong to Ray."""


def session_of(messages: Sequence[ChatMessage]) -> str:
    """Return what names a prompt's beginning, which is its system message: its entry is in that."""
    if not messages or messages[0].role != "system":
        return ""
    return hashlib.sha256(messages[0].content.encode()).hexdigest()[:16]
