"""Waking whoever waits for something to happen, such as whoever follows a conversation."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

RECHECK_SECONDS = 10.0
"""Followers look for themselves so often: another process may have written."""


class Bell:
    """Somebody who waits until it rings."""

    def __init__(self) -> None:
        """Begin in silence."""
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Let `wait` return, now or when it is next called."""
        self._rung.set()

    async def wait(self, seconds: float) -> None:
        """Wait until it has rung since the last call, but no longer than so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        self._rung.clear()


class Follower:
    """Somebody who wants to know of one conversation, or of all."""

    def __init__(self, conversation_id: str | None) -> None:
        """Begin as if something had happened already."""
        self.conversation_id = conversation_id
        self._bell = Bell()
        self.wake()

    def wake(self) -> None:
        """Let `news` return."""
        self._bell.ring()

    async def news(self) -> None:
        """Wait until something may have happened since the last call."""
        await self._bell.wait(RECHECK_SECONDS)


class Changes:
    """Connects those who change conversations with those who follow them, in one process."""

    def __init__(self) -> None:
        """Begin without followers."""
        self._followers: set[Follower] = set()
        self.closed = False

    def tell(self, conversation_id: str) -> None:
        """Say that something happened in a conversation, or, if it is "", perhaps in any."""
        for follower in self._followers:
            if not conversation_id or follower.conversation_id in (None, conversation_id):
                follower.wake()

    def followers_of(self, conversation_id: str) -> int:
        """Count those who follow one conversation alone."""
        return sum(follower.conversation_id == conversation_id for follower in self._followers)

    @contextmanager
    def follow(self, conversation_id: str | None = None) -> Iterator[Follower]:
        """Follow one conversation, or all, for as long as the block lasts."""
        follower = Follower(conversation_id)
        self._followers.add(follower)
        try:
            yield follower
        finally:
            self._followers.discard(follower)

    def close(self) -> None:
        """Tell all followers that it is over, so that a server can stop."""
        self.closed = True
        for follower in self._followers:
            follower.wake()
