"""The larger model: any endpoint that speaks OpenAI's chat completions."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from typing import Any, cast

import httpx
import openai

from bot.errors import RemoteModelError
from bot.models.base import ChatMessage, FinishReason, Sampling
from bot.question import Usage
from bot.sections import RemoteSettings
from bot.telemetry import trace_headers


class CircuitBreaker:
    """Leaves an endpoint alone for a while after failures in a row, then lets one request try it."""

    def __init__(self, failures: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Start closed: requests pass."""
        self._limit, self._seconds, self._clock = failures, seconds, clock
        self._failures = 0
        self._open_until = 0.0
        self.requests = {"answered": 0, "failed": 0, "held_back": 0}
        """How many ended how, since the start."""

    @property
    def is_open(self) -> bool:
        """Say whether requests are held back now."""
        return self._clock() < self._open_until

    def check(self) -> None:
        """Raise RemoteModelError while requests are held back."""
        if self.is_open:
            self.requests["held_back"] += 1
            raise RemoteModelError(f"left alone after {self._failures} failures in a row")
        if self._failures >= self._limit:  # one request tries; the others wait for how it ends
            self._open_until = self._clock() + self._seconds

    def succeeded(self) -> None:
        """Note an answer."""
        self.requests["answered"] += 1
        self._failures, self._open_until = 0, 0.0

    def failed(self) -> None:
        """Note a failure."""
        self.requests["failed"] += 1
        self._failures += 1
        if self._failures >= self._limit:
            self._open_until = self._clock() + self._seconds


class RemoteGeneration:
    """One answer of the remote model."""

    def __init__(
        self,
        client: openai.AsyncOpenAI,
        request: dict[str, Any],
        breaker: CircuitBreaker,
        places: asyncio.Semaphore,
        seconds: float | None,
    ) -> None:
        """Prepare; the request is sent when iteration begins, if there is a place, and given up after `seconds`."""
        self._client, self._request, self._breaker = client, request, breaker
        self._places, self._seconds = places, seconds
        self._stream: openai.AsyncStream[Any] | None = None
        self._usage = Usage()
        self._finish_reason: FinishReason = "stop"

    @property
    def usage(self) -> Usage:
        """Tokens, as the endpoint counted them."""
        return self._usage

    @property
    def finish_reason(self) -> FinishReason:
        """Why it ended."""
        return self._finish_reason

    async def __aiter__(self) -> AsyncIterator[str]:
        """Yield the text as it comes; raises RemoteModelError."""
        if self._places.locked():
            raise RemoteModelError("it is asked for as many answers as it may be")
        self._breaker.check()
        async with self._places:
            try:
                with translated():
                    async with aclosing(self._chunks()) as chunks:
                        async for chunk in chunks:
                            if text := self._take(chunk):
                                yield text
            except RemoteModelError:
                self._breaker.failed()
                raise
            self._breaker.succeeded()

    async def _chunks(self) -> AsyncGenerator[Any]:
        """Yield what the endpoint sends; raises TimeoutError once the answer's time is over, however it trickles."""
        limit = None if self._seconds is None else asyncio.get_running_loop().time() + self._seconds
        async with asyncio.timeout_at(limit):
            self._stream = await self._client.chat.completions.create(**self._request)
        chunks = aiter(self._stream)
        while True:
            async with asyncio.timeout_at(limit):
                chunk = await anext(chunks, None)
            if chunk is None:
                return
            yield chunk

    def _take(self, chunk: Any) -> str:
        if chunk.usage:
            self._usage.prompt = chunk.usage.prompt_tokens
            self._usage.completion = chunk.usage.completion_tokens
        if not chunk.choices:
            return ""
        choice = chunk.choices[0]
        if choice.finish_reason == "length":
            self._finish_reason = "length"
        return cast("str", choice.delta.content or "")

    async def aclose(self) -> None:
        """Drop the connection."""
        if self._stream is not None:
            await self._stream.close()


class RemoteChatModel:
    """A model behind an OpenAI-compatible endpoint, with retries and a circuit breaker."""

    def __init__(self, settings: RemoteSettings) -> None:
        """Remember where it is."""
        self._settings = settings
        self._breaker = CircuitBreaker(settings.break_after, settings.break_seconds)
        self._places = asyncio.Semaphore(settings.at_once)
        self._client: openai.AsyncOpenAI | None = None

    @property
    def name(self) -> str:
        """The model's name."""
        return self._settings.model

    @property
    def available(self) -> bool:
        """Say whether the breaker lets requests pass."""
        return not self._breaker.is_open

    @property
    def requests(self) -> dict[str, int]:
        """How many requests ended how, since the start."""
        return self._breaker.requests

    def took_too_long(self) -> None:
        """Count an answer that was given up as a failure."""
        self._breaker.failed()

    def warm_up(self) -> None:
        """Make the client."""
        key = self._settings.api_key
        self._client = openai.AsyncOpenAI(
            base_url=self._settings.base_url,
            api_key=key.get_secret_value() if key else "none",
            timeout=self._settings.timeout_seconds,
            max_retries=self._settings.retries,
        )

    def generate(self, messages: Sequence[ChatMessage], sampling: Sampling) -> RemoteGeneration:
        """Begin an answer."""
        if self._client is None:
            self.warm_up()
        assert self._client is not None
        request = {
            "model": self._settings.model,
            "messages": [{"role": message.role, "content": message.content} for message in messages],
            "max_tokens": sampling.max_tokens,
            "temperature": sampling.temperature,
            "stream": True,
            "stream_options": {"include_usage": True},
            "extra_headers": trace_headers(),
        }
        return RemoteGeneration(self._client, request, self._breaker, self._places, sampling.seconds)

    def hold(self) -> None:
        """Do nothing: all that it does is waited for."""

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.close()


@contextmanager
def translated() -> Iterator[None]:
    """Turn every exception of the openai client into RemoteModelError, keeping the cause."""
    try:
        yield
    except openai.APIStatusError as error:
        raise RemoteModelError(f"the remote model answered {error.status_code}") from error
    except (openai.APITimeoutError, TimeoutError) as error:
        raise RemoteModelError("the remote model took too long") from error
    except openai.APIConnectionError as error:
        raise RemoteModelError("the remote model cannot be reached") from error
    except httpx.HTTPError as error:  # what breaks while the stream is read is not wrapped by the client
        raise RemoteModelError(f"the remote model's answer was cut: {type(error).__name__}") from error
    except openai.OpenAIError as error:
        raise RemoteModelError(f"the remote model failed: {type(error).__name__}") from error
    except (ValueError, TypeError, AttributeError) as error:  # the client does not check what it is sent
        raise RemoteModelError("the remote model's answer is not of the shape of OpenAI's") from error
