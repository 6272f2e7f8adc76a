"""A handle of a deployment whose replicas do as they are told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Self

Step = Any
"""What a replica yields; an exception that asking it raises; or SILENCE."""

SILENCE = object()


class FakeResponse:
    """What a replica answers, or the exception that it ends with."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self.steps = list(steps)
        self.cancelled = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        if not self.steps:
            raise StopAsyncIteration
        step = self.steps.pop(0)
        if step is SILENCE:
            await asyncio.Event().wait()
        if isinstance(step, Exception):
            raise step
        return step

    def result(self, timeout_s: float | None = None) -> Any:
        [step] = self.steps
        if isinstance(step, Exception):
            raise step
        return step() if callable(step) else step

    def cancel(self) -> None:
        self.cancelled = True


class FakeHandle:
    """Answers call after call with what `replies` says, and remembers how it was asked."""

    def __init__(self, *replies: Sequence[Step] | Callable[..., Any]) -> None:
        self.replies = list(replies)
        self.asked: list[dict[str, Any]] = []
        self.given: list[FakeResponse] = []

    def options(self, **options: Any) -> Call:
        return Call(self, options)

    def __getattr__(self, method: str) -> Call:
        return Call(self, {"method_name": method})


class Call:
    """A method of the handle, with the options that it is to be called with."""

    def __init__(self, handle: FakeHandle, options: dict[str, Any]) -> None:
        self._handle, self._options = handle, options

    def __getattr__(self, method: str) -> Call:
        return Call(self._handle, {**self._options, "method_name": method})

    def remote(self, *arguments: Any) -> FakeResponse:
        self._handle.asked.append(self._options)
        reply = self._handle.replies.pop(0)
        response = FakeResponse([reply(*arguments)] if callable(reply) else reply)
        self._handle.given.append(response)
        return response
