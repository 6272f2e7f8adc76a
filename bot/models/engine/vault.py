"""Saved states in memory and on disk: what is in memory is used at once, what is on disk survives a restart."""

from __future__ import annotations

from bot.models.engine.files import StateFiles
from bot.models.engine.prefixes import Key, Match, PrefixStore


class Vault:
    """Both stores as one; used by the engine's thread only, but for asking what is here."""

    def __init__(self, memory: PrefixStore, files: StateFiles | None = None) -> None:
        """Join them; without `files` nothing survives."""
        self.memory, self.files = memory, files

    def __contains__(self, key: Key) -> bool:
        """Say whether the state of exactly these tokens is here."""
        return key in self.memory or (self.files is not None and key in self.files)

    def find(self, key: Key) -> Match | None:
        """Return the state with the longest beginning in common; of two alike, the one in memory."""
        matches = [self.memory.find(key), self.files.find(key) if self.files else None]
        return max((match for match in matches if match), key=lambda match: match.length, default=None)

    def get(self, key: Key) -> bytes | None:
        """Return the state of exactly these tokens, None if its file proves bad."""
        if key in self.memory:
            return self.memory.get(key)
        state = self.files.read(key) if self.files else None
        if state is not None:
            self.memory.put(key, state)
        return state

    def drop(self, key: Key) -> None:
        """Forget a state that proves bad."""
        self.memory.drop(key)
        if self.files is not None:
            self.files.drop(key)

    def put(self, key: Key, state: bytes) -> None:
        """Keep the state of what a customer asked."""
        self.memory.put(key, state)

    def prepare(self, key: Key, state: bytes) -> None:
        """Keep the state of what somebody may ask: on disk, and in memory if no other has to go for it."""
        self.memory.put(key, state, displacing=False)
        if self.files is not None:
            self.files.write(key, state)

    def close(self) -> None:
        """Wait until what is to last is written."""
        if self.files is not None:
            self.files.close()
