"""Waking whoever follows a conversation when something happens in it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

RECHECK_SECONDS = 10.0
"""Followers look for themselves so often: another process may have written."""


class Follower:
    """Somebody who wants to know of one conversation, or of all."""

    def __init__(self, conversation_id: str | None) -> None:
        """Begin as if something had happened already."""
        self.conversation_id = conversation_id
        self._woken = asyncio.Event()
        self._woken.set()

    def wake(self) -> None:
        """Let `news` return."""
        self._woken.set()

    async def news(self) -> None:
        """Wait until something may have happened since the last call."""
        with suppress(TimeoutError):
            async with asyncio.timeout(RECHECK_SECONDS):
                await self._woken.wait()
        self._woken.clear()


class Changes:
    """Connects those who change conversations with those who follow them, in one process."""

    def __init__(self) -> None:
        """Begin without followers."""
        self._followers: set[Follower] = set()
        self.closed = False

    def tell(self, conversation_id: str) -> None:
        """Say that something happened in a conversation."""
        for follower in self._followers:
            if follower.conversation_id in (None, conversation_id):
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
