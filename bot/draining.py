"""Stopping without cutting anybody off: what has begun ends, what is new is refused kindly, and all of it in time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bot import messages
from bot.errors import ServerStopping
from knowledge.text import detect_language

RETRY_SECONDS = 5
"""By then another replica, or this one again, takes questions."""


class Drain:
    """Counts what is at work, and says when a server that shall stop may do so."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Give what is at work so many seconds from `begin` on."""
        self._seconds, self._clock = seconds, clock
        self._deadline: float | None = None
        self._working = 0

    @property
    def begun(self) -> bool:
        """Say whether the server shall stop."""
        return self._deadline is not None

    @property
    def seconds_left(self) -> float:
        """What is left for what is at work; all of it before `begin`."""
        return self._seconds if self._deadline is None else max(0.0, self._deadline - self._clock())

    @property
    def is_over(self) -> bool:
        """Say that the server may stop: nothing is at work any more, or the time is up."""
        return self.begun and (self._working == 0 or self.seconds_left == 0)

    def begin(self) -> None:
        """Take nothing new from now on; safe in a signal handler."""
        if self._deadline is None:
            self._deadline = self._clock() + self._seconds

    @contextmanager
    def working(self) -> Iterator[None]:
        """Count what the block does as work that should come to its end."""
        self._working += 1
        try:
            yield
        finally:
            self._working -= 1

    def admit(self, text: str, language: str | None = None) -> None:
        """Let a new question pass, or raise ServerStopping in its language."""
        if self.begun:
            raise self.refusal(text, language)

    def refusal(self, text: str, language: str | None = None) -> ServerStopping:
        """Return what is said to a question that is not answered here any more."""
        return ServerStopping(messages.restarting(language or detect_language(text)), RETRY_SECONDS)
