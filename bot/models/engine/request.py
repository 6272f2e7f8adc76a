"""A request to the engine, and its answer on the way to an event loop."""

from __future__ import annotations

import asyncio
import queue
import time
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from bot.models.base import FinishReason, Sampling
from bot.models.engine.drafting import LONGEST, Guesser
from bot.models.engine.prefixes import Key, to_key
from bot.models.engine.text import TextStream
from bot.question import Usage
from knowledge.errors import FrontDeskError

Item = str | FrontDeskError | None
"""A piece of an answer, what it failed of, or its end."""


class Channel(Protocol):
    """Carries an answer from the engine's thread to whoever waits for it."""

    is_left: bool
    """Whether nobody waits any more."""

    def send(self, item: Item) -> None:
        """Send what comes next; may be called from any thread, and never waits."""
        ...


class LoopChannel:
    """Carries an answer to an event loop."""

    def __init__(self) -> None:
        """Open it in the loop that will read."""
        self._loop = asyncio.get_running_loop()
        self._items: asyncio.Queue[Item] = asyncio.Queue()
        self.is_left = False

    def send(self, item: Item) -> None:
        """Wake the loop."""
        try:
            self._loop.call_soon_threadsafe(self._items.put_nowait, item)
        except RuntimeError:  # the loop has closed
            self.is_left = True

    async def receive(self) -> str | None:
        """Return the next piece, None at the end; raises what was sent as an error."""
        item = await self._items.get()
        if isinstance(item, FrontDeskError):
            raise item
        return item


class ThreadChannel:
    """Carries the end of a request to a thread that waits for it."""

    def __init__(self) -> None:
        """Open it."""
        self._items: queue.SimpleQueue[Item] = queue.SimpleQueue()
        self.is_left = False

    def send(self, item: Item) -> None:
        """Wake the thread."""
        self._items.put(item)

    def wait(self) -> None:
        """Wait for the end; raises what was sent as an error."""
        while (item := self._items.get()) is not None:
            if isinstance(item, FrontDeskError):
                raise item


@dataclass(eq=False)
class Request:
    """Tokens to go on from, and what became of it so far.

    `anchor` is how many of the prompt's tokens others are likely to begin with too: their state is kept. `scored` is
    how many of its last tokens are to be given their log-probabilities. A request without a channel is for warming: it
    is computed when nobody waits.
    """

    tokens: list[int]
    anchor: int
    sampling: Sampling
    channel: Channel | None = None
    scored: int = 0
    usage: Usage = field(default_factory=Usage)
    finish_reason: FinishReason = "stop"
    logprobs: list[float] = field(default_factory=list)
    arrived: float = field(default_factory=time.monotonic)

    # Filled by the engine while it works on the request.
    slot: int = -1
    admitted: bool = False
    key: Key = b""
    computed: int = 0
    given: int = 0
    turn: int = 0
    random: np.random.Generator | None = None
    beginning: Key = field(init=False)
    text: TextStream = field(init=False)
    guesser: Guesser = field(init=False)

    def __post_init__(self) -> None:
        """Prepare what the answer needs."""
        self.usage.prompt = len(self.tokens)
        self.beginning = to_key(self.tokens[: self.anchor])
        self.text = TextStream(self.sampling.stop)
        self.guesser = Guesser(self.tokens)
        if self.sampling.temperature > 0:
            self.random = np.random.default_rng(None if self.sampling.seed is None else self.sampling.seed & 0xFFFFFFFF)

    @property
    def is_left(self) -> bool:
        """Say whether nobody waits for it any more."""
        return self.channel is not None and self.channel.is_left

    @property
    def is_late(self) -> bool:
        """Say whether its time is over."""
        limit = self.sampling.seconds
        return limit is not None and time.monotonic() - self.arrived > limit

    @property
    def goal(self) -> int:
        """Count the tokens to compute before there is something to say; of scored ones the last is not needed."""
        return len(self.tokens) - (self.scored > 0)

    @property
    def left(self) -> int:
        """Count the tokens that are to be computed before that."""
        return self.goal - self.computed

    @property
    def wanted(self) -> int:
        """Count the tokens before the goal whose logits are wanted."""
        return self.scored or (self.channel is not None)

    @property
    def is_answering(self) -> bool:
        """Say whether an answer is being written."""
        return self.given > 0 and self.computed == len(self.tokens) - 1

    def __lt__(self, other: Request) -> bool:
        """Of two in the same place, the one that came first goes first."""
        return self.arrived < other.arrived

    def guess(self) -> list[int]:
        """Return tokens that may come next, no more than it may still say."""
        return self.guesser.guess(min(LONGEST, self.sampling.max_tokens - self.given - 1))

    def say(self, text: str) -> None:
        """Send text, if there is any."""
        if text and self.channel is not None:
            self.channel.send(text)

    def end(self, error: FrontDeskError | None = None) -> None:
        """Tell whoever waits that it is over."""
        if self.channel is not None:
            self.channel.send(error)
